"""Large tables: blocks, threads and vectors change no byte; the fast path says what a plain walk down the trees says."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

import verisyn as vs
from verisyn.kinds import Part
from verisyn.modalities.table import Codes
from verisyn.modalities.table._boost import DEPTHS
from verisyn.modalities.table.trees import Generator


def frame(rows=4000):
    """Return numbers with a spike and gaps, a category of many levels, and one that depends on all."""
    rng = np.random.default_rng(0)
    town = rng.integers(0, 60, rows)
    income = np.where(rng.random(rows) < 0.1, 0, np.exp(rng.normal(7 + town % 7 / 4, 1, rows))).round(2)
    age = rng.integers(18, 90, rows)
    happy = np.array(["no", "rather", "yes"])[(np.log1p(income) / 4 + age % 2 + rng.random(rows)).astype(int) % 3]
    gone = pl.Series(rng.random(rows) < 0.1)
    return pl.DataFrame({"town": [f"town {t:02d}" for t in town], "income": income, "age": age, "happy": happy}).with_columns(
        pl.when(gone).then(None).otherwise(pl.col("income")).alias("income"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("scale") / "model"
    vs.fit(frame(), seed=0, audit=False).save(place)
    return place


def digest(sample):
    return hashlib.sha256(sample.write_csv().encode()).hexdigest()


@pytest.mark.parametrize("given", [None, "happy == 'yes' and age < 60"])
def test_blocks_do_not_depend_on_who_draws_them(folder, given):
    model = vs.load(folder)
    one, three = (model.sample(45_000, seed=4, jobs=jobs, given=given) for jobs in (1, 3))
    assert digest(one) == digest(three)
    assert one["income"].n_unique() > 10_000


def test_the_first_rows_do_not_depend_on_how_many_follow(folder):
    model = vs.load(folder)
    assert digest(model.sample(45_000, seed=4)[:20_000]) == digest(model.sample(20_000, seed=4))


def test_wide_vectors_give_the_bytes_of_narrow_ones(folder):
    code = ("import sys, hashlib, verisyn as vs; m = vs.load(sys.argv[1]); f = m.sample(3000, seed=4);"
            "print(hashlib.sha256(f.write_csv().encode() + m.log_prob(f).tobytes()).hexdigest())")
    told = {subprocess.run([sys.executable, "-c", code, str(folder)], env={**os.environ, **env}, check=True,
                           capture_output=True, text=True).stdout for env in ({}, {"VERISYN_NARROW": "1"})}
    assert len(told) == 1


def test_rows_alone_and_together_have_the_same_probability(folder):
    model, rows = vs.load(folder), frame()[:300]
    together = model.log_prob(rows)
    alone = np.concatenate([model.log_prob(rows[i:i + 1]) for i in range(rows.height)])
    np.testing.assert_array_equal(together, alone)


def plain_tree(nodes, masks, at, row):
    """Walk a row down a boosted tree to the value of a leaf."""
    feature, kid, value, cut, by_mask = nodes[at]
    while feature >= 0:
        code = int(row[feature])
        right = int(masks[cut][code // 64]) >> (code % 64) & 1 if by_mask else code > cut
        feature, kid, value, cut, by_mask = nodes[kid + right]
    return value


def plain_log_prob(forest, codes, x):
    """Walk one part's code tree and its boosted trees row by row, in Python; logits are float32, as in the core."""
    single, nodes, parts = np.float32, forest.node.tolist(), x.shape[1]
    unit = single(2.0 ** (np.frexp(np.abs(forest.node["value"]).max(initial=0))[1] - 14))
    out = np.zeros(len(codes))
    for i, code in enumerate(codes):
        row, depth, at, position = [*x[i], *[0] * DEPTHS], 0, 0, int(forest.tree.position[code])
        while at >= 0:
            logit = forest.base[at]
            for feature, weight in forest.weight[forest.first_weight[at]:forest.first_weight[at + 1]]:
                above = feature >= parts
                score = row[feature] / 16 - 4 if above else forest.scores.values[forest.scores.at[feature] + row[feature]]
                logit += weight * single(score)
            masks = forest.mask[forest.first_mask[at]:forest.first_mask[at + 1]]
            roots = forest.root[forest.first_tree[at]:forest.first_tree[at + 1]]
            logit += single(sum(int(np.rint(single(plain_tree(nodes, masks, root, row)) / unit)) for root in roots)) * unit
            if depth < DEPTHS:
                row[parts + depth] = int((np.clip(logit, -4, 4) + 4) * 16 + single(0.5))
            right = position >= forest.tree.mid[at]
            decides = float(logit + forest.shift[at])
            out[i] -= np.log1p(np.exp(-decides if right else decides))
            at, depth = (forest.tree.right if right else forest.tree.left)[at], depth + 1
    return out


def test_the_fast_path_is_a_walk_down_the_trees(folder):
    model = vs.load(folder)
    codes = model.coder.encode(frame().select(model.coder.columns)).values[:120]
    seen = np.column_stack([np.minimum(codes[:, j], 65535 if p.ordered else 255) for j, p in enumerate(model.coder.parts)])
    fast, forests = model.fitted.log_prob(codes), model.fitted.forests
    for j, forest in enumerate(forests):
        np.testing.assert_allclose(fast[:, j], plain_log_prob(forest, codes[:, j], seen), atol=1e-5)
    asked, weighed = (np.concatenate([getattr(f, name)["feature"] for f in forests]) for name in ("node", "weight"))
    for features in (asked, weighed):  # of parts before, and of the questions above
        assert set(features >= len(forests)) == {False, True}
    assert any(f.node["by_mask"].any() for f in forests)


def test_a_set_among_thousands_of_levels_has_its_exact_mass():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 3, 30_000), rng.integers(0, 3000, 30_000)
    b = np.where(rng.random(30_000) < 0.5, b // 3 * 3 + a, b)  # a tells the remainder of b by three
    parts = (Part(3, ordered=False), Part(3000, ordered=False))
    model = Generator().fit(Codes(np.asfortranarray(np.column_stack([a, b]), np.int32), parts, ("a", "b")),
                            np.random.SeedSequence(0))
    allowed = np.arange(3000) % 2 == 0
    drawn, log_mass = model.sample(6000, np.random.default_rng(1), {1: allowed})
    assert allowed[drawn[:, 1]].all()
    for first in range(3):
        rows = np.column_stack([np.full(3000, first), np.arange(3000)]).astype(np.int32)
        mass = np.exp(model.log_prob(rows)[allowed, 1]).sum()
        np.testing.assert_allclose(np.exp(log_mass[drawn[:, 0] == first]), mass, rtol=1e-6)
