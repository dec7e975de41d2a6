"""The flagship: its code trees, its forests, and what they learn."""

from __future__ import annotations

import heapq
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verisyn.kinds import Part
from verisyn.modalities.table import Codes, trees
from verisyn.modalities.table._boost import CodeTree, dependence

counts = st.lists(st.integers(0, 50), min_size=1, max_size=60).map(np.array)


def depths(tree):
    """Give the depth of every code."""
    out, todo = {}, [(0 if len(tree.left) else ~0, 0)]
    while todo:
        node, depth = todo.pop()
        if node < 0:
            out[~node] = depth
        else:
            todo += [(tree.left[node], depth + 1), (tree.right[node], depth + 1)]
    return np.array([out[code] for code in range(len(out))])


def fit(values, parts, **changes):
    table = Codes(np.asfortranarray(values, np.int32), tuple(parts), tuple(map(str, range(len(parts)))))
    return trees.Generator(**changes).fit(table, np.random.SeedSequence(0))


@settings(max_examples=60, deadline=None)
@given(counts)
def test_unordered_codes_make_an_optimal_tree(n):
    tree = CodeTree.build(n, ordered=False, missing=-1)
    heap, cost = sorted(n.tolist()), 0
    while len(heap) > 1:
        merged = heapq.heappop(heap) + heapq.heappop(heap)
        cost += merged
        heapq.heappush(heap, merged)
    assert (depths(tree) * n).sum() == cost


@settings(max_examples=60, deadline=None)
@given(counts, st.booleans())
def test_ordered_codes_keep_their_order_and_nearly_halve_their_mass(n, has_missing):
    tree = CodeTree.build(n, ordered=True, missing=len(n) - 1 if has_missing else -1)
    assert (tree.perm == np.arange(len(n))).all()
    if has_missing and len(n) > 1:
        assert depths(tree)[-1] == 1
    p = n / max(n.sum(), 1)
    entropy = -(p[p > 0] * np.log2(p[p > 0])).sum()
    assert (depths(tree) * p).sum() <= entropy + 3


def test_a_hundred_thousand_levels_are_arrays_not_objects():
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.integers(0, 100_000, 120_000), rng.integers(0, 3, 120_000)])
    model = fit(values, (Part(100_000, ordered=False), Part(3, ordered=True)), rounds=3)
    drawn, _ = model.sample(50_000, rng)
    assert len(np.unique(drawn[:, 0])) > 30_000
    assert sum(a.nbytes for a in model.state().values()) < 10e6


def test_a_function_of_columns_is_learnt():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 4, 6000), rng.integers(0, 4, 6000)
    drawn, _ = fit(np.column_stack([a, b, (a + b) % 4]), [Part(4, ordered=False)] * 3).sample(4000, rng)
    assert ((drawn[:, 0] + drawn[:, 1]) % 4 == drawn[:, 2]).mean() > 0.97


def test_noise_is_not_learnt():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 16, (4000, 6))
    model = fit(values, [Part(16, ordered=True)] * 6)
    fresh = rng.integers(0, 16, (4000, 6))
    assert -model.log_prob(fresh).mean() < np.log(16) + 0.01


def test_likelihood_of_unseen_rows_is_that_of_sklearn_boosting():
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.metrics import log_loss

    rng = np.random.default_rng(0)
    x = rng.normal(size=(6000, 4))
    logit = 2 * x[:, 0] * x[:, 1] + x[:, 2]
    y = rng.random(6000) < 1 / (1 + np.exp(-logit))
    codes = np.column_stack([np.digitize(x, np.linspace(-2, 2, 60)), y])
    train, test = codes[:3000], codes[3000:]
    model = fit(train, [Part(61, ordered=True)] * 4 + [Part(2, ordered=True)])
    oracle = GradientBoostingClassifier(max_depth=4, n_estimators=40, min_samples_leaf=10, random_state=0)
    oracle.fit(train[:, :4], train[:, 4])
    ours = -model.log_prob(np.asfortranarray(test, np.int32))[:, 4].mean()
    assert ours < log_loss(test[:, 4], oracle.predict_proba(test[:, :4])) + 0.005


def test_dependence_is_mutual_information_less_its_bias():
    from sklearn.metrics import mutual_info_score

    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 5, 1000), rng.integers(0, 7, 1000)
    coarse = np.asfortranarray(np.column_stack([a, b, (a + b) % 5, a]), np.uint8)
    expected = [mutual_info_score(coarse[:, f], a) - (len(set(coarse[:, f])) - 1) * 4 / 2000 for f in range(3)]
    np.testing.assert_allclose(dependence(coarse, 3), expected, atol=1e-12)


@pytest.mark.parametrize("leaves", [8, 50])
def test_a_row_is_weighed_the_same_alone_as_among_others(leaves):
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.integers(0, 200, 5000), rng.integers(0, 300, 5000), rng.integers(0, 2, 5000)])
    parity = (x[:, 0] // 25 + x[:, 1] % 7 + rng.integers(0, 2, 5000)) % 5
    values = np.asfortranarray(np.column_stack([x, parity]), np.int32)
    parts = [Part(200, ordered=True), Part(300, ordered=False), Part(2, ordered=False), Part(5, ordered=False)]
    model = fit(values, parts, leaves=leaves)
    alone = np.vstack([model.log_prob(np.asfortranarray(row[None])) for row in values[:200]])
    np.testing.assert_array_equal(alone, model.log_prob(values)[:200])
    last = model.forests[3]
    assert last.first_tree[-1] > 10
    assert last.node["by_mask"].any()


def test_a_wide_table_keeps_the_features_that_tell():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 8, (1500, 40))
    values[:, 39] = values[:, 3]
    narrow = fit(values, [Part(8, ordered=True)] * 40, features=4)
    drawn, _ = narrow.sample(1000, rng)
    assert (drawn[:, 39] == drawn[:, 3]).mean() > 0.95


def test_no_training_row_is_in_the_state(real):
    import polars as pl

    frame = pl.read_parquet(real("adult"), columns=["fnlwgt", "age", "hours-per-week"]).head(4000)
    values = frame.select(pl.all().rank("dense") - 1).to_numpy().astype(np.int32)
    model = fit(values, [Part(int(c.max()) + 1, ordered=True) for c in values.T])
    rows = {row.tobytes() for row in values}
    for array in model.state().values():
        flat = np.ascontiguousarray(array).view(np.uint8).tobytes()
        assert not any(row in flat for row in list(rows)[:300])


@pytest.mark.skipif(sys.platform == "win32", reason="the message names a file that Windows keeps open")
def test_a_checkout_without_its_core_says_how_to_build_it(tmp_path):
    package = Path(trees.__file__).parents[2]
    script = (f"import sys, pathlib; sys.path.insert(0, {str(package.parent)!r})\n"
              "from verisyn.modalities.table import _boost\n"
              f"_boost.__file__ = {str(tmp_path / '_boost.py')!r}\n"
              "import numpy as np\n"
              "_boost.CodeTree.build(np.array([1, 2]), True, -1)")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "python hatch_build.py" in done.stderr
