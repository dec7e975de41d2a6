"""Drawn rows: each alone follows the model exactly, and together they miss its shares by less than chance would."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import chisquare

from verisyn.kinds import Part
from verisyn.modalities.table import Codes
from verisyn.modalities.table.trees import Generator

PARTS = (Part(3, ordered=False), Part(5, ordered=True, missing=4), Part(8, ordered=True))
CONDITIONS = {"free": {}, "held": {0: np.array([1, 0, 1], bool), 2: np.array([1, 0, 1, 1, 0, 0, 1, 1], bool)}}
conditions = pytest.mark.parametrize("allowed", CONDITIONS.values(), ids=CONDITIONS)


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 3, 3000)
    b = np.where(rng.random(3000) < 0.7, a, rng.integers(0, 5, 3000))
    c = (2 * a + b + rng.integers(0, 2, 3000)) % 8
    table = Codes(np.asfortranarray(np.column_stack([a, b, c]), np.int32), PARTS, ("a", "b", "c"))
    return Generator().fit(table, np.random.SeedSequence(0))


def chances(model, before, j):
    """Give p(code | codes before it) of part `j` for each row of `before`, shape (rows, codes)."""
    rows = np.array(before, np.int32, order="F")
    out = np.empty((len(rows), PARTS[j].size))
    for code in range(PARTS[j].size):
        rows[:, j] = code
        out[:, code] = np.exp(model.log_prob(rows)[:, j])
    return out


def restricted(p, mask):
    """Give the probabilities of the allowed codes alone."""
    return p if mask is None else p * mask / (p * mask).sum(axis=1, keepdims=True)


@conditions
def test_each_row_alone_has_the_distribution_of_the_model(model, allowed):
    cells = np.array(list(itertools.product(*(range(p.size) for p in PARTS))), np.int32)
    expected = np.ones(len(cells))
    for j in range(len(PARTS)):
        expected *= restricted(chances(model, cells, j), allowed.get(j))[np.arange(len(cells)), cells[:, j]]
    assert expected.sum() == pytest.approx(1, abs=1e-9)
    seeds = 4000
    tables = np.array([model.sample(40, np.random.default_rng(seed), allowed)[0] for seed in range(seeds)])
    often = expected * seeds >= 5
    for place in (0, 17, 39):
        rows = np.ravel_multi_index(tables[:, place].T, [p.size for p in PARTS])
        seen = np.bincount(rows, minlength=len(cells))
        assert not seen[expected == 0].any()
        pooled, told = (np.append(a[often], a[~often].sum()) for a in (seen, expected * seeds))
        assert chisquare(pooled, told).pvalue > 0.001


@conditions
def test_a_block_misses_the_shares_of_the_model_by_far_less_than_independent_rows_would(model, allowed):
    missed, chance = np.zeros(len(PARTS)), np.zeros(len(PARTS))
    for seed in range(12):
        drawn, _ = model.sample(1500, np.random.default_rng(seed), allowed)
        for j, part in enumerate(PARTS):
            p = restricted(chances(model, drawn, j), allowed.get(j))
            missed[j] += ((np.bincount(drawn[:, j], minlength=part.size) - p.sum(axis=0)) ** 2).sum()
            chance[j] += (p * (1 - p)).sum()
    assert (missed < 0.1 * chance).all()


def test_codes_that_are_not_allowed_are_not_drawn_and_the_mass_is_exact(model):
    rng = np.random.default_rng(0)
    for _ in range(30):
        allowed = {j: rng.permutation(np.arange(p.size) < rng.integers(1, p.size + 1)) for j, p in enumerate(PARTS)}
        drawn, log_mass = model.sample(300, rng, allowed)
        assert all(mask[drawn[:, j]].all() for j, mask in allowed.items())
        mass = sum(np.log((chances(model, drawn, j) * mask).sum(axis=1)) for j, mask in allowed.items())
        np.testing.assert_allclose(log_mass, mass, atol=1e-9)


@conditions
def test_the_same_seed_draws_the_same_rows(model, allowed):
    first, again, other = (model.sample(700, np.random.default_rng(seed), allowed)[0].tobytes() for seed in (3, 3, 4))
    assert first == again != other


def test_completing_a_row_draws_from_the_same_distribution(model):
    """A gap in the second column, given the first: many equal rows, so their shares are the model's."""
    rows = np.tile(np.array([[1, -1, 3]], np.int32), (4000, 1))
    out, _ = model.complete(np.asfortranarray(rows), np.random.default_rng(0))
    p = chances(model, rows[:1] * 0 + [1, 0, 0], 1)[0]
    np.testing.assert_allclose(np.bincount(out[:, 1], minlength=5) / 4000, p, atol=2e-3)


def test_every_column_of_a_drawn_table_has_the_shares_it_was_learnt_with():
    """Nearer than independent draws from the true shares, which would miss by .016."""
    rng = np.random.default_rng(0)
    near = rng.normal(size=(4000, 1)) + rng.normal(size=(4000, 8))
    codes = near.argsort(axis=0).argsort(axis=0) * 32 // 4000
    table = Codes(np.asfortranarray(codes, np.int32), (Part(32, ordered=True),) * 8, tuple("abcdefgh"))
    drawn, _ = Generator().fit(table, np.random.SeedSequence(0)).sample(20_000, rng)
    for j in range(8):
        learnt, seen = (np.bincount(side[:, j], minlength=32) / len(side) for side in (codes, drawn))
        assert np.abs(learnt - seen).sum() / 2 < 0.004
