"""What a question's linear part, and the answers of the questions above it, add: models that are known are nearly reached."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, ndtr, ndtri, roots_legendre

from verisyn.kinds import Part
from verisyn.modalities.table import Codes
from verisyn.modalities.table.trees import Generator

CUTS = 40


def fit(values, parts, **changes):
    table = Codes(np.asfortranarray(values, np.int32), tuple(parts), tuple(map(str, range(len(parts)))))
    return Generator(**changes).fit(table, np.random.SeedSequence(0))


def last_log_prob(model, values):
    """Give the mean log-probability of the last code, given those before it."""
    return model.log_prob(np.asfortranarray(values, np.int32))[:, -1].mean()


def gaussian_pairs(rho):
    """Give p(second | first) of two correlated normal variables, each cut into bins of equal mass."""
    place, weight = roots_legendre(40)
    x = ndtri((np.arange(CUTS)[:, None] + (place + 1) / 2) / CUTS)
    below = ndtr((ndtri(np.linspace(0, 1, CUTS + 1)) - rho * x[..., None]) / np.sqrt(1 - rho**2))
    return (np.diff(below, axis=-1) * (weight / 2)[:, None]).sum(axis=1)


@pytest.mark.parametrize(("rho", "bound"), [(0, 0.02), (0.5, 0.035), (0.8, 0.04), (0.95, 0.065)])
def test_a_gaussian_copula_is_nearly_reached(rho, bound):
    rng = np.random.default_rng(1)
    normal = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], 22_000)
    codes = np.minimum((ndtr(normal) * CUTS).astype(int), CUTS - 1)
    train, fresh = codes[:2000], codes[2000:]
    truth = np.log(gaussian_pairs(rho)[fresh[:, 0], fresh[:, 1]]).mean()
    with_line, without = (last_log_prob(fit(train, [Part(CUTS, ordered=True)] * 2, **changes), fresh)
                          for changes in ({}, {"linear_l2": 1e9}))
    assert truth - bound < with_line < truth + 0.01
    if rho > 0.6:
        assert truth - with_line < (truth - without) / 2


def test_a_logistic_model_is_nearly_reached():
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 50, (22_000, 6))
    chance = expit(ndtri((codes + 0.5) / 50) @ [1, -0.8, 0.6, -0.4, 0.3, 0] - 0.5)
    answer = rng.random(len(codes)) < chance
    values, parts = np.column_stack([codes, answer]), [*[Part(50, ordered=True)] * 6, Part(2, ordered=False)]
    truth = np.log(np.where(answer, chance, 1 - chance))[2000:].mean()
    with_line, without = (last_log_prob(fit(values[:2000], parts, **changes), values[2000:])
                          for changes in ({}, {"linear_l2": 1e9}))
    assert truth - 0.01 < with_line < truth + 0.005
    assert truth - with_line < (truth - without) / 2


def test_questions_of_few_rows_have_a_linear_part_and_no_trees():
    rng = np.random.default_rng(3)
    normal = rng.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], 250)
    model = fit(np.minimum((ndtr(normal) * CUTS).astype(int), CUTS - 1), [Part(CUTS, ordered=True)] * 2)
    drawn, _ = model.sample(4000, rng)
    assert not len(model.forests[1].root)
    assert np.corrcoef(drawn.T)[0, 1] > 0.7


def mixture(rows, rng):
    """Give a code, and one that lies near it or, as often, near its mirror image: no line tells which."""
    first = rng.integers(0, 64, rows)
    middle = np.where(rng.random(rows) < 0.5, first, 63 - first)
    return np.column_stack([first, np.clip(np.rint(middle + rng.normal(0, 2, rows)), 0, 63).astype(int)])


def test_probabilities_still_sum_to_one_where_questions_know_the_answers_above():
    model = fit(mixture(6000, np.random.default_rng(0)), [Part(64, ordered=True)] * 2)
    forest = model.forests[1]
    assert (forest.node["feature"] >= 2).any()
    assert (forest.weight["feature"] >= 2).any()
    for first in (0, 20, 63):
        rows = np.asfortranarray(np.column_stack([np.full(64, first), np.arange(64)]), np.int32)
        assert np.exp(model.log_prob(rows)[:, 1]).sum() == pytest.approx(1, abs=1e-9)


def test_two_humps_that_no_line_tells_apart_are_nearly_reached():
    rng = np.random.default_rng(0)
    model, fresh = fit(mixture(6000, rng), [Part(64, ordered=True)] * 2), mixture(20_000, rng)
    steps = np.arange(64)

    def hump(middle):
        edges = np.where(steps == 0, -np.inf, steps - 0.5), np.where(steps == 63, np.inf, steps + 0.5)
        low, high = (ndtr((edge - middle[:, None]) / 2) for edge in edges)
        return (high - low)[np.arange(len(middle)), fresh[:, 1]]

    truth = np.log((hump(fresh[:, 0]) + hump(63 - fresh[:, 0])) / 2).mean()
    assert truth - 0.12 < last_log_prob(model, fresh) < truth + 0.01


@pytest.mark.parametrize("values", [np.zeros((50, 2)), np.full((300, 2), 4), np.array([[1, 3]]), np.arange(40).reshape(20, 2) % 5],
                         ids=["one code", "all missing", "one row", "20 rows"])
def test_where_there_is_little_to_learn_the_model_is_still_one(values):
    model = fit(values, [Part(5, ordered=True, missing=4), Part(5, ordered=False)])
    pairs = np.stack(np.meshgrid(np.arange(5), np.arange(5), indexing="ij"), axis=-1).reshape(-1, 2)
    chance = np.exp(model.log_prob(np.asfortranarray(pairs, np.int32)).sum(axis=1))
    assert chance.sum() == pytest.approx(1, abs=1e-9)
    drawn, _ = model.sample(1000, np.random.default_rng(0))
    assert set(drawn[:, 0]) <= set(values[:, 0])
    assert set(drawn[:, 1]) <= set(values[:, 1])
