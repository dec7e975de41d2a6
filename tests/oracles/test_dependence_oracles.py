"""Dependence, interplay and accuracy against scipy, scikit-learn, hand computations and simulation."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from population import people, sides_of, table_of
from scipy import stats
from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import mutual_info_score

from verisyn import shelves
from verisyn.metrics import Side, Sides
from verisyn.metrics._interplay import _fitted, compare, merged, tables
from verisyn.metrics._tables import association, associations, information, left_out, rank_correlations
from verisyn.metrics.fidelity.accuracy import inner_edges
from verisyn.modalities.table._views import TableCoder, cuts, scales_of


def drawn(seed: int, rows: int = 300, codes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    a = rng.integers(0, codes, rows)
    return a, np.where(rng.random(rows) < rng.random(), a, rng.integers(0, codes, rows))


def counted(a: np.ndarray, b: np.ndarray, codes: int = 7) -> np.ndarray:
    return np.bincount(a * codes + b, minlength=codes * codes).reshape(codes, codes)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_strengths_are_scipys_and_sklearns(seed):
    a, b = drawn(seed)
    table = counted(a, b)
    held = table[table.any(axis=1)][:, table.any(axis=0)]
    x2, n, (r, c) = stats.chi2_contingency(held, correction=False).statistic, len(a), held.shape
    unbiased = max(0.0, x2 / n - (r - 1) * (c - 1) / (n - 1))
    least = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    assert association(table) == pytest.approx(min(1.0, np.sqrt(unbiased / least)), abs=1e-9)
    assert rank_correlations(table[None])[0] == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-9)
    entropy = min(stats.entropy(np.bincount(x)) for x in (a, b))
    chance = (r - 1) * (c - 1) / (2 * n)
    assert information(table) == pytest.approx(np.clip((mutual_info_score(a, b) - chance) / entropy, 0, 1), abs=1e-9)


def test_leaving_a_block_out_is_counting_without_it():
    a, b = drawn(0)
    block = np.arange(len(a)) % 20
    blocks = np.array([counted(a[block == k], b[block == k]) for k in range(20)])
    kept = block != 3
    assert (left_out(blocks)[0] == counted(a, b)).all() and (left_out(blocks)[4] == counted(a[kept], b[kept])).all()
    assert associations(left_out(blocks))[4] == pytest.approx(association(counted(a[kept], b[kept])))


def test_a_heavy_value_leaves_the_rest_to_be_cut():
    values = np.sort(np.r_[np.zeros(900), np.arange(1, 101)])
    codes = np.searchsorted(cuts(values), values, "right")
    assert (codes[:900] == 0).all() and len(np.unique(codes)) >= 5 and codes.max() <= 9
    train = pl.DataFrame({"gain": values, "other": np.arange(1000) % 7})
    side = sides_of(train, train, train, None, None).train
    assert len(np.unique(side.coarse.values[:, 0])) >= 5


# -- three columns ----------------------------------------------------------------------------------------------------
def three(rows: int, seed: int, strength: float = 0.0) -> np.ndarray:
    """Three binary columns with pairs of their own, and a parity of the given strength that no pair shows."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 2, (2, rows))
    return np.column_stack([a, b, np.where(rng.random(rows) < strength, a ^ b, rng.integers(0, 2, rows))])


TRIPLE = np.array([[0, 1, 2]])


def test_the_fit_is_a_poisson_regressions():
    rng = np.random.default_rng(0)
    seen = rng.integers(5, 60, (1, 2, 2, 3, 2)).astype(float)
    cells = np.indices(seen.shape[1:]).reshape(4, -1).T
    coded = [np.eye(seen.shape[1 + i])[cells[:, i]][:, 1:] for i in range(4)]
    design = []
    for size in (1, 2, 3):
        for chosen in combinations(range(4), size):
            product = np.ones((len(cells), 1))
            for i in chosen:
                product = (product[:, :, None] * coded[i][:, None, :]).reshape(len(cells), -1)
            design.append(product)
    design = np.hstack(design)
    model = PoissonRegressor(alpha=0, max_iter=2000, tol=1e-10, solver="newton-cholesky").fit(design, seen.ravel())
    assert _fitted(seen).ravel() == pytest.approx(model.predict(design), abs=0.05)
    padded = np.zeros((2, 1, 4, 4, 4))
    padded[:, :, :2, :3, :2] = np.moveaxis(seen, 1, 0)
    fit = compare(*padded)
    assert fit.freedom[0] == 2
    expected = model.predict(design).reshape(seen.shape)
    assert fit.x2[0] == pytest.approx(float(((seen - expected) ** 2 / expected).sum()), rel=1e-2)


def test_without_a_difference_x2_is_chi_squared():
    fits = [compare(*(tables(three(800, 2 * seed + i, 0.5), TRIPLE) for i in range(2))) for seed in range(300)]
    p = np.array([fit.p(0.0)[0] for fit in fits])
    assert stats.kstest(p, "uniform").pvalue > 0.001 and np.mean(p < 0.05) < 0.09


def test_the_strength_of_a_parity_is_known_and_its_interval_covers():
    # Cells hold (1 + s)/8 or (1 - s)/8 of the rows against 1/8; X² is taken against the mean of the two sides.
    s, mean = 0.5, 0.25
    w = np.sqrt(0.5 * ((s - mean) ** 2 / (1 + mean) + (s - mean) ** 2 / (1 - mean)))
    fits = [compare(*(tables(three(2000, 2 * seed + i, s * i), TRIPLE) for i in range(2))) for seed in range(200)]
    assert np.mean([fit.strength[0] for fit in fits]) == pytest.approx(w, abs=0.01)
    covered = np.mean([low <= 1 - w <= high for low, high in (fit.agreement(0) for fit in fits)])
    assert 0.91 <= covered <= 0.99


def test_groups_are_never_thin():
    for seed in range(50):
        rng = np.random.default_rng(seed)
        counts = rng.multinomial(2000, rng.dirichlet(np.full(12, 0.4)))
        for ordered in (True, False):
            group = merged(counts, ordered, 4)
            mass = np.bincount(group, counts) / 2000
            assert mass.min() >= 0.02 and group.max() < 4


# -- accuracy ---------------------------------------------------------------------------------------------------------
def by_hand(fake: list[tuple], real: list[tuple]) -> float:
    """1 - total variation of two lists of cells."""
    p, q = Counter(fake), Counter(real)
    return 1 - sum(abs(p[c] / len(fake) - q[c] / len(real)) for c in p | q) / 2


def test_accuracy_is_the_hand_computation():
    def frame(rows: int, seed: int) -> pl.DataFrame:
        rng = np.random.default_rng(seed)
        gone, many = rng.random(rows) < 0.1, rng.normal(0, 1, rows).round(4).tolist()
        return pl.DataFrame({
            "few": rng.integers(0, 4, rows) + (seed == 3),
            "many": [None if g else x for g, x in zip(gone, many, strict=True)],
            "level": rng.choice([*"abcdefghijkl"], rows, p=np.r_[np.full(11, 0.0905), 0.0045]),
            "when": [datetime(2024, 1, 1) + timedelta(seconds=int(x)) for x in rng.integers(0, 10**7, rows)],
        })

    train, holdout, fake = frame(400, 1), frame(200, 2), frame(300, 3)
    real = pl.concat([train, holdout])
    pooled = {name: real[name].drop_nulls() for name in ("many", "when")}
    edges = {"many": np.sort(pooled["many"].to_numpy()), "when": np.sort(pooled["when"].to_physical().to_numpy())}
    edges = {name: v[np.linspace(0, len(v) - 1, 11).astype(int)] for name, v in edges.items()}
    digits = next(d for d in range(9) if len(set(np.floor(edges["many"] * 10**d))) == 11)
    edges["many"] = np.floor(edges["many"] * 10**digits) / 10**digits
    top = [name for name, count in Counter(real["level"]).most_common(10) if count >= 5]

    def cells(side: pl.DataFrame) -> list[tuple]:
        few = [min(v, 3) for v in side["few"]]
        many = [None if v is None else int(np.searchsorted(edges["many"][1:-1], v, "right")) for v in side["many"]]
        level = [v if v in top else "other" for v in side["level"]]
        when = np.searchsorted(edges["when"][1:-1], side["when"].to_physical().to_numpy(), "right").tolist()
        return list(zip(few, many, level, when, strict=True))

    sides = sides_of(fake, train, holdout, None, None)
    measure = shelves.metrics.take("fidelity.accuracy").measure(sides, np.random.default_rng(0))
    means = []
    for size, name in ((1, "univariate"), (2, "bivariate"), (3, "trivariate")):
        each = [by_hand(*([tuple(row[i] for i in at) for row in cells(side)] for side in (fake, real)))
                for at in combinations(range(4), size)]
        means.append(np.mean(each))
        assert measure.details[name]["value"] == pytest.approx(means[-1], abs=1e-6)
    assert measure.value == pytest.approx(np.mean(means))


def test_edges_follow_the_public_definition():
    assert inner_edges(np.array([])).tolist() == []
    assert inner_edges(np.array([0.0, 0.0, 1.0])).tolist() == [1.0]
    zeros = np.sort(np.r_[np.zeros(90), np.arange(1, 61)])
    edges = inner_edges(zeros)
    assert edges[0] > 0 and 8 <= len(edges) <= 10  # the heavy value has one bin, the rest is cut finer
    assert inner_edges(np.linspace(0.123, 10.123, 1001)).tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    moments = np.linspace(0.123, 10.123, 1001)
    assert inner_edges(moments, moments=True) == pytest.approx(np.arange(1, 10) + 0.123)


def test_what_real_rows_reach_is_what_they_reach():
    metric = shelves.metrics.take("fidelity.accuracy")
    found = [metric.measure(people_sides(1200, seed, holdout=400), np.random.default_rng(0)) for seed in range(6)]
    values, ceilings = np.array([m.value for m in found]), np.array([m.details["ceiling"] for m in found])
    assert values.mean() == pytest.approx(ceilings.mean(), abs=0.01)


def people_sides(rows: int, seed: int, holdout: int | None = None, spoil: float = 0.0) -> Sides:
    train, other, fake = (people(n, 10 * seed + i) for i, n in enumerate((rows, holdout or rows, rows)))
    cut = round(spoil * rows)
    fake = fake.with_columns(pl.concat([fake["member"][:cut].shuffle(seed=seed), fake["member"][cut:]]))
    scales = scales_of(CODER.features(train))
    return Sides(*(Side.of(f, CODER, scales) for f in (fake, train, other)), table=TABLE, coder=CODER)


TABLE = table_of(people(1000, 0))
CODER = TableCoder.learn(people(1000, 0), TABLE, np.random.SeedSequence(0))


@pytest.mark.parametrize("name", ["marginals", "pairs", "dependence", "accuracy"])
@pytest.mark.parametrize("spoil", [0.0, 0.5])
def test_intervals_cover_what_such_samples_give_on_average(name, spoil):
    metric = shelves.metrics.take(f"fidelity.{name}")
    found = [metric.measure(people_sides(400, seed + 1, spoil=spoil), np.random.default_rng(0)) for seed in range(30)]
    mean = np.mean([m.value for m in found])
    assert np.mean([m.interval[0] <= mean <= m.interval[1] for m in found]) >= 0.9
