"""Utility figures against scikit-learn, polars and hand computations; their intervals against simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from population import people, sides_of
from scipy import stats
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from verisyn.metrics._stats import Influence
from verisyn.metrics._tasks import exam_of, survived
from verisyn.metrics.utility import importance, linear
from verisyn.metrics.utility._answers import _means, _shares, chosen
from verisyn.metrics.utility.augmentation import _gain
from verisyn.metrics.utility.importance import agreement, falls, values, without_blocks
from verisyn.metrics.utility.queries import overlaps, scores


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Threads of scikit-learn's that wait for each other burn more than the test takes."""
    with threadpool_limits(1, user_api="openmp"):
        yield


def numbers(rows: int, seed: int, classes: int = 3) -> pl.DataFrame:
    """Numbers alone, so that a model of scikit-learn's can be learnt with nothing of ours."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 4))
    score = x[:, 0] + 0.5 * x[:, 1] ** 2 + rng.normal(0, 0.7, rows)
    cuts = stats.norm.ppf(np.arange(1, classes) / classes, 0.5, 1.4)
    names = np.array([f"class {i}" for i in range(classes)])
    return pl.DataFrame({**{f"x{i}": x[:, i] for i in range(4)}, "value": score * 100,
                         "y": names[np.searchsorted(cuts, score)]})


def three(target: str, rows: int = 800, classes: int = 3):
    frames = [numbers(rows, seed, classes) for seed in (1, 2, 3)]
    drop = "value" if target == "y" else "y"
    return [f.drop(drop) for f in frames], sides_of(*(f.drop(drop) for f in frames), target=target, sensitive=None)


@pytest.mark.parametrize("classes", [2, 3])
def test_train_on_synthetic_test_on_real_is_sklearns(classes):
    (fake, _, holdout), sides = three("y", classes=classes)
    model = HistGradientBoostingClassifier(max_iter=60, learning_rate=0.15, early_stopping=False, random_state=0)
    x, x_test = (f.drop("y").to_numpy() for f in (fake, holdout))
    chances = model.fit(x, fake["y"].to_numpy()).predict_proba(x_test)
    expected = (roc_auc_score(holdout["y"].to_numpy(), chances[:, 1]) if classes == 2 else
                roc_auc_score(holdout["y"].to_numpy(), chances, multi_class="ovr"))
    assert exam_of(sides).score("fake").value == pytest.approx(expected, abs=0.01)


def test_regression_is_sklearns():
    (fake, _, holdout), sides = three("value")
    model = HistGradientBoostingRegressor(max_iter=60, learning_rate=0.15, early_stopping=False, random_state=0)
    model.fit(fake.drop("value").to_numpy(), fake["value"].to_numpy())
    expected = r2_score(holdout["value"].to_numpy(), model.predict(holdout.drop("value").to_numpy()))
    assert exam_of(sides).score("fake").value == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("target", ["y", "value"])
def test_the_linear_model_is_sklearns(target):
    (fake, _, holdout), sides = three(target, classes=2)
    exam = exam_of(sides)
    value = exam.task.score(exam.y["test"], linear.output(exam, linear.encoded(exam), "fake")).value
    scale = StandardScaler().fit(fake.drop(target).to_numpy())
    x, x_test = (scale.transform(f.drop(target).to_numpy()) for f in (fake, holdout))
    y, y_test = (f[target].to_numpy() for f in (fake, holdout))
    expected = (roc_auc_score(y_test, LogisticRegression().fit(x, y).predict_proba(x_test)[:, 1]) if target == "y" else
                r2_score(y_test, Ridge().fit(x, y).predict(x_test)))
    assert value == pytest.approx(expected, abs=0.01)


def test_importance_is_sklearns():
    _, sides = three("y", 1500, classes=2)
    exam = exam_of(sides)
    _, model = exam.boosted("train")
    expected = permutation_importance(model, exam.x["test"], exam.y["test"], scoring="roc_auc", n_repeats=10,
                                      random_state=0)
    found, = falls(exam, [exam.boosted("train")], [*range(len(exam.names))], np.random.default_rng(0))
    assert values(found) == pytest.approx(expected.importances_mean, abs=0.03)
    assert np.mean(without_blocks(found), axis=0) == pytest.approx(values(found), abs=1e-9)


def test_of_many_columns_those_that_models_use_are_ranked():
    idle = np.random.default_rng(0).normal(size=(3, 41, 500))
    frames = [numbers(500, seed, 2).drop("value").with_columns(pl.Series(f"idle {i}", x) for i, x in enumerate(side))
              for seed, side in zip((1, 2, 3), idle, strict=True)]
    exam = exam_of(sides_of(*frames, target="y", sensitive=None))
    used = importance._used(exam, [exam.boosted("fake"), exam.boosted("train")], np.random.default_rng(0))
    assert len(used) == 40 and {"x0", "x1"} < {exam.names[i] for i in used}


@given(st.lists(st.floats(-1, 1).map(lambda x: round(x, 3)), min_size=2, max_size=8, unique=True), st.integers(0, 2**32 - 1))
def test_agreement_is_kendalls_where_pairs_weigh_the_same(a, seed):
    a, b = np.argsort(np.argsort(a)).astype(float), np.random.default_rng(seed).permutation(len(a)).astype(float)
    pairs = [(i, j) for i in range(len(a)) for j in range(i)]
    weights = np.array([abs(a[i] - a[j]) for i, j in pairs])
    same = np.array([(a[i] - a[j]) * (b[i] - b[j]) > 0 for i, j in pairs])
    assert agreement(a, b) == pytest.approx(float((weights * same).sum() / weights.sum()))
    assert agreement(a, a) == 1 and agreement(a, -a) == 0 and agreement(a, 0 * a) == 0.5
    if len(a) == 2:
        assert agreement(a, b) == (1 + stats.kendalltau(a, b).statistic) / 2


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_answers_are_polars_group_by(seed):
    from verisyn.kinds import Feature

    rng = np.random.default_rng(seed)
    group, value = rng.integers(0, 4, 300), rng.normal(1e6, 50, 300)
    value[rng.random(300) < 0.1] = np.nan
    answers, counts = _means(group, Feature("v", value), 4)
    frame = pl.DataFrame({"g": group, "v": value}).with_columns(pl.col("v").fill_nan(None))
    told = frame.group_by("g").agg(m=pl.col("v").mean(), s=pl.col("v").std() / pl.col("v").count().sqrt(),
                                   n=pl.col("v").count()).sort("g")
    assert counts == pytest.approx(told["n"].to_numpy())
    assert answers[:, 0] == pytest.approx(told.select("m", "s").to_numpy(), rel=1e-6)
    without = frame.filter(pl.int_range(300) % 20 != 0).filter(pl.col("g") == 1)["v"].mean()
    assert answers[1, 1, 0] == pytest.approx(without)
    shares, _ = _shares(group, 4)
    assert shares[:, 0, 0].sum() == pytest.approx(1) and shares[:, 3, 0].sum() == pytest.approx(1)


def test_overlap_is_karrs():
    """Intervals 0 to 4 and 2 to 6 share 2 of 4 and of 4; 0 to 4 and 1 to 3 share 2 of 4 and of 2 (Karr et al. 2006)."""
    z = stats.norm.ppf(0.975)
    a = np.array([[2, 2 / z], [2, 2 / z], [0, 1 / z]])
    b = np.array([[4, 2 / z], [2, 1 / z], [10, 1 / z]])
    assert overlaps(a, b) == pytest.approx([0.5, 0.75, -1])
    assert scores(a, b)[0] == pytest.approx(-2 / np.hypot(2 / z, 2 / z))


def test_95_of_100_queries_agree_on_clean_samples():
    shares, overlap = [], []
    for seed in range(8):
        sides = sides_of(*(people(700, 3 * seed + i) for i in range(3)))
        queries = chosen(sides, np.random.default_rng(seed))
        fake, real = (np.array([getattr(q, side)[0] for q in queries]) for side in ("fake", "real"))
        shares.append((np.abs(scores(fake, real)) <= 1.96).mean())
        overlap.append(overlaps(fake, real).mean())
    assert 0.92 < np.mean(shares) < 0.98
    assert 0.66 < np.mean(overlap) < 0.76  # 0.71 for two estimates with equal errors


def test_queries_ask_only_groups_of_30_real_rows():
    sides = sides_of(*(people(400, seed) for seed in (1, 2, 3)))
    city = sides.holdout.frame["city"].value_counts()
    rare = city.filter(pl.col("count") < 30)["city"].to_list()
    queries = chosen(sides, np.random.default_rng(0))
    assert queries and not [q.name for q in queries if any(f"'city' = {c!r}" in q.name for c in rare)]


def test_kinds_of_queries_are_told_by_what_they_ask_not_by_their_names():
    frames = [people(900, seed).rename({"age": "age and more"}).with_columns(same=pl.lit(12.1)) for seed in (1, 2, 3)]
    queries = chosen(sides_of(*frames, sensitive=None), np.random.default_rng(0))
    for q in queries:
        columns = q.name.count("'age and more'") + sum(q.name.count(f"'{c}'") for c in frames[0].columns if "age" not in c)
        assert columns == {"shares by one column": 1, "shares by two columns": 2, "means by one column": 2}[q.kind], q.name
        assert q.share == q.name.startswith("share of")


def test_a_mean_without_error_differs_by_more_than_rounding_or_not_at_all():
    real, fake = np.array([[12.0, 0.0], [12.0, 0.0], [0.0, 0.0]]), np.array([[12.0 + 1e-14, 1e-17], [13.0, 0.0], [0.0, 0.0]])
    assert scores(fake, real).tolist() == [0.0, 99.0, 0.0]


def test_another_seed_draws_other_rows_to_learn_from():
    frames = [people(400, seed) for seed in (1, 2, 3)]
    one, same, other = (exam_of(replace(sides_of(*frames), seed=seed)) for seed in (0, 0, 1))
    assert np.array_equal(one.y["fake"], same.y["fake"]) and not np.array_equal(one.y["fake"], other.y["fake"])


def test_paired_intervals_of_shares_of_skill_cover():
    """What survives of a skill of 0.4, and the gain over it, where the truth is 0.75."""
    rng, hits = np.random.default_rng(0), [0, 0]
    for _ in range(400):
        real = rng.normal(0.9, 0.3, 500)
        made = real - 0.1 + rng.normal(0, 0.2, 500)
        one, other = (Influence(float(x.mean()), x - x.mean()) for x in (made, real))
        low, high = survived(one, other, 0.5)["skill_kept_interval"]
        gained, (least, most) = _gain(one, other, 0.5)
        hits = [hits[0] + (low <= 0.75 <= high), hits[1] + (least <= -0.25 <= most)]
        assert low < 1 + gained < high
    assert all(0.92 <= h / 400 <= 0.98 for h in hits)
