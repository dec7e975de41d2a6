"""The metrics' numbers against scipy's and scikit-learn's, and their intervals against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from population import people, sides_of
from scipy import stats
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.neighbors import NearestNeighbors

from verisyn import shelves
from verisyn.metrics._near import nearest
from verisyn.metrics._stats import auc, clustered_share, newcombe, r_squared, wilson
from verisyn.metrics._tables import association, block_counts, overlaps
from verisyn.metrics.fidelity.marginals import ks_distance
from verisyn.modalities.table._views import Coarse


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_scipys(counts):
    hits, rows = counts
    expected = stats.binomtest(hits, rows).proportion_ci(method="wilson")
    assert wilson(hits, rows) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_newcombe_is_the_published_example():
    # Newcombe 1998, table II: 56/70 against 48/80 gives 0.0524 to 0.3339 by method 10.
    assert newcombe(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_auc_is_sklearns(seed, values):
    rng = np.random.default_rng(seed)
    truth = np.r_[True, False, rng.random(60) < rng.uniform(0.1, 0.9)]
    score = rng.integers(0, values, 62).astype(float)
    assert auc(truth, score).value == pytest.approx(roc_auc_score(truth, score))


def test_influences_agree_with_the_bootstrap():
    rng = np.random.default_rng(0)
    truth = rng.random(400) < 0.3
    score = truth + rng.normal(0, 1, 400)
    guess = score * 0.5 + rng.normal(0, 0.3, 400)
    rows = [rng.integers(0, 400, 400) for _ in range(2000)]
    for measure in (lambda i: auc(truth[i], score[i]), lambda i: r_squared(score[i], guess[i])):
        again = np.std([measure(i).value for i in rows])
        assert measure(slice(None)).rows.std() / 20 == pytest.approx(again, rel=0.1)
    assert r_squared(score, guess).value == pytest.approx(r2_score(score, guess))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_ks_is_scipys(a, b):
    expected = stats.ks_2samp(a, b, method="asymp").statistic
    assert ks_distance(np.array([*a, np.nan]), np.array(b)) == pytest.approx(expected, abs=1e-6)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_total_variation_and_association(seed):
    rng = np.random.default_rng(seed)
    each = np.indices((3, 3)).reshape(2, 9).T
    a, b = (Coarse(np.vstack([each, rng.integers(0, 3, (rows, 2))]).astype(np.uint8), (3, 3), ("x", "y"))
            for rows in (80, 140))
    shares = [np.bincount(c.values[:, 0], minlength=3) / len(c.values) for c in (a, b)]
    expected = 1 - np.abs(shares[0] - shares[1]).sum() / 2
    assert overlaps(block_counts(a, [0]), block_counts(b, [0]))[0] == pytest.approx(expected)
    table = block_counts(a, [0, 1]).sum(axis=0).reshape(3, 3)
    assert 0 <= association(table) <= stats.contingency.association(table)


def test_nearest_is_sklearns():
    rng = np.random.default_rng(0)
    rows, queries = rng.random((3000, 7), np.float32), rng.random((500, 7), np.float32)
    queries[:20] = rows[100:120]
    expected = NearestNeighbors(n_neighbors=1).fit(rows).kneighbors(queries)[0][:, 0]
    distance, index = nearest(queries, rows)
    assert distance == pytest.approx(expected, abs=1e-4)
    assert (distance[:20] == 0).all() and (index[:20] == np.arange(100, 120)).all()


def test_association_finds_dependence_of_any_sign():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 10, 5000)
    for y, low, high in ((x, 0.99, 1.0), (9 - x, 0.99, 1.0), (rng.integers(0, 10, 5000), 0.0, 0.05)):
        assert low <= association(np.histogram2d(x, y, 10)[0]) <= high


def covered(draw, truth: float, trials: int = 300) -> float:
    """Share of simulated intervals that hold the truth."""
    intervals = [draw(np.random.default_rng(seed)) for seed in range(trials)]
    return float(np.mean([low <= truth <= high for low, high in intervals]))


def test_auc_intervals_cover():
    truth = np.arange(200) < 80

    def draw(rng):
        return auc(truth, truth + rng.normal(0, 1, 200)).interval()

    assert 0.91 <= covered(draw, stats.norm.cdf(1 / np.sqrt(2))) <= 0.985


def test_clustered_intervals_cover():
    def draw(rng):
        cluster = rng.integers(0, 60, 400)
        return clustered_share((rng.random(60) < 0.5)[cluster].astype(float), cluster)[1]

    assert 0.91 <= covered(draw, 0.5) <= 0.985


def test_two_sample_intervals_cover_an_even_chance():
    metric = shelves.metrics.take("fidelity.two_sample")

    def draw(rng):
        fake, holdout, seed = people(150, int(rng.integers(1 << 30))), people(150, int(rng.integers(1 << 30))), 0
        return metric.measure(sides_of(fake, holdout, holdout), np.random.default_rng(seed)).interval

    assert covered(draw, 0.5, trials=8) >= 6 / 8
