"""Precision, recall, coverage and counts against scikit-learn, scipy and plain sums; their intervals by simulation."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from population import people, sides_of
from scipy import stats
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from verisyn import shelves
from verisyn.metrics._counts import Counts, mean_agreement
from verisyn.metrics._map import _components
from verisyn.metrics._near import balls, neighbours
from verisyn.metrics._stats import jackknife
from verisyn.metrics._support import K_TYPICAL, coverage, curve, integrated, support
from verisyn.metrics.fidelity.beta_recall import expected_coverage


def points(rows: int, seed: int, shift: float = 0.0, width: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    flat = rng.integers(0, 2, (rows, 2)) / 2**0.5
    return np.hstack([rng.normal(shift, 1, (rows, width)), flat]).astype(np.float32)


def test_neighbours_are_sklearns():
    rows, queries = points(3000, 0), points(700, 1)
    queries[:20] = rows[100:120]
    distance, index = neighbours(queries, rows, 7)
    expected, at = NearestNeighbors(n_neighbors=7).fit(rows.astype(float)).kneighbors(queries.astype(float))
    assert distance == pytest.approx(expected, abs=1e-5) and (index == at).mean() > 0.999
    assert (distance[:20, 0] == 0).all()
    own, at = neighbours(rows, rows, 5, others=True)
    assert own == pytest.approx(NearestNeighbors(n_neighbors=5).fit(rows).kneighbors()[0], abs=1e-5)
    assert (at != np.arange(3000)[:, None]).all()
    few, _ = neighbours(queries[:3], rows[:2], 4)
    assert np.isinf(few[:, 2:]).all() and np.isfinite(few[:, :2]).all()


def test_copies_are_within_balls_of_no_radius():
    rows = np.repeat(points(40, 3), 5, axis=0)
    radii = neighbours(rows, rows, 3, others=True)[0][:, -1]
    assert (radii == 0).all() and (balls(rows, rows, radii) == 5).all()
    assert (balls(rows + 1, rows, radii) == 0).all()


def prdc(real: np.ndarray, fake: np.ndarray, k: int) -> dict[str, float]:
    """Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020), by their formulas."""
    real_radius, fake_radius = (np.sort(cdist(x, x), axis=1)[:, k] for x in (real, fake))
    apart = cdist(real, fake)
    inside = apart <= real_radius[:, None]
    return {"precision": inside.any(axis=0).mean(), "recall": (apart <= fake_radius[None]).any(axis=1).mean(),
            "density": inside.sum(axis=0).mean() / k, "coverage": inside.any(axis=1).mean()}


def test_precision_recall_density_and_coverage_are_those_of_their_papers():
    sides = sides_of(people(700, 1).with_columns(pl.col("age").shuffle(seed=1)), people(700, 2), people(700, 3))
    expected = prdc(sides.holdout.vectors.astype(float), sides.fake.vectors.astype(float), 5)
    found = {}
    for name in ("alpha_precision", "beta_recall"):
        found |= shelves.metrics.take(f"fidelity.{name}").measure(sides, np.random.default_rng(0)).details
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=0.005), name


def test_the_integrated_measure_by_hand():
    own = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    # Two of five asked rows lie beyond all others: P(a) = 0.6 a, so 1 - 2 * 0.4 / 2 = 0.6.
    assert integrated(np.array([1.0, 3.0, 5.0, 9.0, 9.0]), own)[0] == pytest.approx(0.6, abs=0.05)
    assert integrated(np.full(40, 9.0), own)[0] == pytest.approx(0.0, abs=1e-2)
    assert integrated(np.full(40, 0.5), own)[0] == pytest.approx(0.0, abs=1e-2)
    same = np.random.default_rng(0).integers(0, 4, 4000)  # ties are shared out
    assert integrated(same[:2000], same[2000:])[0] > 0.96


@given(st.integers(0, 2**32 - 1))
def test_the_curve_is_the_share_below_each_quantile(seed):
    rng = np.random.default_rng(seed)
    own, asked = rng.permutation(1000)[:50], rng.permutation(1000)[:80] + 0.5
    at = np.arange(1, 51) / 50
    assert curve(asked, own, at) == pytest.approx([(asked <= q).mean() for q in np.sort(own)])


def test_typical_places_are_minimum_volume_sets():
    """In a normal sample the densest half is a ball; the real rows in it are those of the highest density."""
    real = points(3000, 0, width=2)[:, :2]
    radius = neighbours(real, real, K_TYPICAL, others=True)[0][:, -1]
    chosen = radius <= np.median(radius)
    truth = (real**2).sum(axis=1) <= stats.chi2(2).ppf(0.5)
    assert (chosen == truth).mean() > 0.87


def test_expected_coverage_is_what_real_rows_reach():
    found = []
    for seed in range(30):
        real, other = points(150, 2 * seed, width=6), points(110, 2 * seed + 1, width=6)
        found.append((cdist(real, other).min(axis=1) <= np.sort(cdist(real, real), axis=1)[:, 5]).mean())
    assert np.mean(found) == pytest.approx(expected_coverage(110, 150), abs=0.012)


def covered(draw, truth=None, trials: int = 40) -> float:
    """Share of simulated intervals that hold the truth, by default the mean of the values."""
    values, intervals = zip(*(draw(seed) for seed in range(trials)), strict=True)
    truth = np.mean(values) if truth is None else truth
    return float(np.mean([low <= truth <= high for low, high in intervals]))


def test_intervals_of_support_cover():
    def drawn(what):
        def draw(seed):
            fake = people(250, 3 * seed).with_columns(pl.col("age").shuffle(seed=seed))
            found = support(sides_of(fake, people(250, 3 * seed + 1), people(250, 3 * seed + 2)))
            return what(found)
        return draw

    def covering(found):
        reached, interval = coverage(found)
        return reached.mean(), interval

    assert covered(drawn(lambda f: integrated(f.fake_real[:, -1], f.real_real[:, -1])), trials=40) >= 0.8
    assert covered(drawn(covering), trials=20) >= 0.85


@given(st.integers(0, 60), st.integers(1, 60), st.integers(60, 400), st.integers(60, 400))
def test_two_counts_are_compared_as_scipy_does(fake, real, fake_rows, real_rows):
    counts = Counts.of([("x", fake, fake_rows, real, real_rows)])
    part = fake_rows / (fake_rows + real_rows)
    exact = min(1.0, 2 * min(stats.binomtest(fake, fake + real, part, alternative=side).pvalue
                             for side in ("less", "greater")))
    assert counts.p(1.0)[0] == pytest.approx(exact, rel=1e-9)
    half = fake_rows * 2 / (fake_rows * 2 + real_rows)
    if fake / fake_rows > 2 * real / real_rows:
        assert counts.p(2.0)[0] == pytest.approx(stats.binomtest(fake, fake + real, half, "greater").pvalue, rel=1e-9)


def test_items_are_plain_counts_with_scipys_exact_intervals():
    fake, train, holdout = people(900, 1), people(900, 2), people(900, 3)
    sides = sides_of(fake.with_columns(pl.col("age") + pl.col("age") // 70 * 20), train, holdout)
    items = {}
    for name in ("tails", "rare_categories", "missingness"):
        details = shelves.metrics.take(f"fidelity.{name}").measure(sides, np.random.default_rng(0)).details
        items |= {item["name"]: item for item in details["items"]}
    real, edge = pl.concat([train, holdout]), np.quantile(train["age"], 0.95)
    counts = {"the high end of 'age'": [(f["age"] > edge).sum() for f in (sides.fake.frame, real)],
              "'city' = 'Cork'": [(f["city"] == "Cork").sum() for f in (fake, real)],
              "'income' missing": [f["income"].null_count() for f in (fake, real)]}
    for name, (made, there) in counts.items():
        interval = stats.binomtest(made, 900).proportion_ci(method="exact")
        assert items[name]["value"] == pytest.approx(made / 900, abs=1e-6)
        assert items[name]["reference"] == pytest.approx(there / 1800, abs=1e-6)
        assert items[name]["interval"] == pytest.approx([interval.low, interval.high], abs=1e-6)


def test_bounds_and_constraints_are_plain_shares():
    fake, train, holdout = people(900, 1), people(900, 2), people(900, 3)
    rng = np.random.default_rng(0)
    fake = fake.with_columns(age=pl.when(pl.Series(rng.random(900) < 0.2)).then(-1).otherwise("age"))
    low, high = train["income"].min(), train["income"].max()
    out = (fake["age"] == -1).sum() + (~fake["income"].drop_nulls().is_between(low, high)).sum()
    out += (~fake["joined"].is_between(train["joined"].min(), train["joined"].max())).sum()
    sides = sides_of(fake, train, holdout)
    bounds, kept = (shelves.metrics.take(f"fidelity.{name}").measure(sides, rng) for name in ("boundaries", "constraints"))
    assert bounds.value == pytest.approx(1 - out / (900 * 7))
    hits = int((fake["age"] >= 0).sum())
    interval = stats.binomtest(hits, 900).proportion_ci(method="exact")
    assert kept.value == pytest.approx(hits / 900) and kept.interval == pytest.approx((interval.low, interval.high))


def test_the_mean_agreement_has_an_interval_that_covers():
    p, q = np.array([0.05, 0.02, 0.1]), np.array([0.08, 0.02, 0.05])
    truth = np.mean(2 * np.minimum(p, q) / (p + q))

    def draw(seed):
        rng = np.random.default_rng(seed)
        a, b = (rng.binomial(200, x, (20, 3)) for x in (p, q))
        rows = np.full((20, 1), 200)
        value, *without = mean_agreement(a, rows, b, rows)
        return value, jackknife(value, *without)

    assert 0.88 <= covered(draw, truth, 200) <= 0.99


def test_components_are_sklearns():
    x = points(400, 5) @ np.diag([3, 1, 0.5, 0.2, 2, 1]).astype(np.float32)
    x -= x.mean(axis=0)
    directions, explained = _components(x)
    fitted = PCA(2).fit(x)
    assert explained == pytest.approx(fitted.explained_variance_ratio_, rel=1e-3)
    assert np.abs(np.diag(fitted.components_ @ directions)) == pytest.approx(1, abs=1e-3)
