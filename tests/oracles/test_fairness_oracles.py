"""Fairness figures against published examples, hand computations and scipy; their intervals against simulation."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from population import people, sides_of
from scipy import stats
from sklearn.metrics import roc_auc_score

from verisyn import shelves
from verisyn.kinds import Feature
from verisyn.metrics._groups import MOMENT, SPAN, groups_of, roundest, said, sensitive_groups
from verisyn.metrics._tasks import exam_of
from verisyn.metrics.fairness import labels
from verisyn.metrics.fairness._gaps import apart, between, moments
from verisyn.metrics.fairness.model_gaps import chosen
from verisyn.metrics.fairness.outcome_gaps import gaps_of
from verisyn.metrics.fairness.representation import _Share

# Graduate admissions at Berkeley, six largest departments, 1973 (Bickel, Hammel and O'Connell 1975; Freedman, Pisani
# and Purves): 1 198 of 2 691 men and 557 of 1 835 women were admitted.
ADMITTED, APPLIED = {"men": 1198, "women": 557}, {"men": 2691, "women": 1835}


def berkeley() -> tuple[np.ndarray, np.ndarray]:
    sex = np.repeat([0, 1], list(APPLIED.values()))
    return sex, np.concatenate([np.arange(n) < ADMITTED[who] for who, n in APPLIED.items()]).astype(float)


def test_demographic_parity_is_the_published_gap():
    sex, admitted = berkeley()
    value, (low, high) = apart(moments(sex, admitted, 2), 1)
    assert value == pytest.approx(557 / 1835 - 1198 / 2691) and round(value, 4) == -0.1416
    expected = stats.norm.isf(0.025) * np.sqrt(0.3035 * 0.6965 / 1835 + 0.4452 * 0.5548 / 2691)
    assert high - value == pytest.approx(expected, rel=0.03) == value - low


def test_adults_gap_between_the_sexes_is_the_known_one(real):
    """10.9 % of women and 30.4 % of men in the UCI Adult data have more than 50K."""
    frame = pl.read_parquet(real("adult"), columns=["sex", "income"])
    female, rich = (frame["sex"] == "Female").to_numpy(), (frame["income"] == ">50K").to_numpy()
    table = moments(female.astype(int), rich.astype(float), 2)
    assert round(table[1, 1] / table[0, 1], 3) == 0.109 and round(table[1, 0] / table[0, 0], 3) == 0.304
    assert apart(table, 1)[0] == pytest.approx(-0.1945, abs=5e-5)


def test_a_gap_of_numbers_is_welchs():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, 400), rng.normal(0.3, 2, 900)
    code = np.repeat([0, 1], [400, 900])
    value, (low, high) = apart(moments(code, np.concatenate([a, b]), 2), 0)
    expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert value == pytest.approx(a.mean() - b.mean())
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.003)


def test_the_interval_of_a_change_covers():
    rng, hits = np.random.default_rng(0), 0
    for _ in range(600):
        found = []
        for size in (300, 400):
            y = (rng.random(size) < np.where(np.arange(size) < 60, 0.2, 0.5)).astype(float)
            found.append(apart(moments((np.arange(size) >= 60).astype(int), y, 2), 0))
        low, high = between(*found)[1]
        hits += low <= 0 <= high
    assert 0.93 <= hits / 600 <= 0.98


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(30, 80), st.integers(500, 2000), st.integers(500, 2000))
def test_a_ratio_of_few_rows_is_exact(fake, real, fakes, reals):
    share = _Share("g", fake, fakes, real, reals)
    low, high = share.interval()
    assert low <= share.ratio <= high
    if min(fake, real) < 30:
        odds = stats.binomtest(fake, fake + real).proportion_ci(0.95, "exact")
        scale = reals / fakes
        assert low == pytest.approx(odds.low / (1 - odds.low) * scale)
        assert high == pytest.approx(odds.high / (1 - odds.high) * scale)
    else:
        expected = stats.contingency.relative_risk(fake, fakes, real, reals).confidence_interval(0.95)
        assert (low, high) == pytest.approx((expected.low, expected.high))


def test_the_highest_scored_are_chosen():
    score = np.array([0.1, 0.9, 0.4, 0.7, 0.4])
    assert chosen(score, 0.4).tolist() == [0, 1, 0, 1, 0]
    assert chosen(score, 0.6).tolist() == [0, 1, 0.5, 1, 0.5]
    assert all(chosen(score, share).sum() == pytest.approx(5 * share) for share in (0.0, 0.1, 0.5, 1.0))


def test_equalised_odds_by_hand():
    """Of 8 rows a group has 4: true positive rates 1/2 and 1, false positive rates 1/2 and 0."""
    truth = np.array([1, 1, 0, 0, 1, 1, 0, 0], float)
    says, group = np.array([1, 0, 1, 0, 1, 1, 0, 0], float), np.repeat([0, 1], 4)
    gaps = [apart(moments(group[rows], says[rows], 2), 0)[0] for rows in (truth == 1, truth == 0, truth >= 0)]
    assert gaps == [-0.5, 0.5, 0.0]


def test_models_gaps_are_those_of_their_predictions():
    """The gap in decisions, recomputed from the same models' outputs with nothing of the metric's own."""
    from verisyn.metrics._tasks import exam_of
    from verisyn.metrics.fairness import model_gaps

    sides = sides_of(*(people(1200, seed) for seed in (1, 2, 3)))
    found = model_gaps.measure(sides, np.random.default_rng(0)).details["items"]
    exam = exam_of(sides)
    score, share = exam.tested_on("fake")[:, 1], (exam.y["train"] == 1).mean()
    said_yes = score > np.sort(score)[-round(share * len(score)) - 1]
    member = sides.holdout.frame["member"].to_numpy()
    if member.mean() > 0.5:
        member = ~member
    item = next(i for i in found if "'member'" in i["name"] and "share predicted" in i["name"])
    assert item["value"] == pytest.approx(said_yes[member].mean() - said_yes[~member].mean(), abs=0.005)


def test_outcome_gaps_are_polars_group_by():
    sides = sides_of(*(people(900, seed) for seed in (1, 2, 3)))
    metric = shelves.metrics.take("fairness.outcome_gaps")
    outcome = metric._outcomes(sides)[0]
    level = outcome.name.split("= ")[1].strip("'")
    whole = pl.concat([sides.train.frame, sides.holdout.frame])
    for g in sensitive_groups(sides):
        for gap in gaps_of(g, outcome):
            inside = pl.Series(g.real == g.groups.names.index(gap.group))
            hit = whole["buys"] == level
            assert gap.real == pytest.approx(hit.filter(inside).mean() - hit.filter(~inside).mean())


def test_a_clean_sample_moves_gaps_by_chance_alone():
    """P-values of a change of 0 are about uniform over clean samples."""
    p = []
    for seed in range(25):
        sides = sides_of(*(people(400, 3 * seed + i) for i in range(3)))
        outcome = shelves.metrics.take("fairness.outcome_gaps")._outcomes(sides)[0]
        p += [gap.p_any for g in sensitive_groups(sides) for gap in gaps_of(g, outcome)]
    assert np.mean(np.array(p) < 0.05) < 0.12 and 0.35 < np.mean(p) < 0.65


@given(st.integers(0, 2**32 - 1))
def test_groups_part_the_rows(seed):
    rng = np.random.default_rng(seed)
    values = rng.choice([rng.normal(0, 10.0 ** rng.integers(-3, 9), 400), rng.integers(0, 5, 400).astype(float),
                         np.where(rng.random(400) < 0.8, 0, rng.exponential(5, 400))])
    values = np.where(rng.random(400) < 0.2, np.nan, values)
    groups = groups_of(Feature("x", values))
    code = groups.of(Feature("x", values))
    counts = np.bincount(code + 1, minlength=len(groups.names) + 1)
    assert counts[0] == groups.left_out and (len(groups.names) < 2 or counts[1:].min() >= 30)
    assert len(set(groups.names)) == len(groups.names)


@pytest.mark.parametrize(("low", "high", "unit", "expected"), [
    (17, 23, "", 20), (-23, -17, "", -20), (0.0312, 0.0352, "", 0.035), (1234, 1236, "", 1235), (-3, 4, "", 0),
    (1_577_836_000, 1_590_000_000, MOMENT, 1_577_836_800), (80_000, 100_000, SPAN, 86_400)])
def test_round_edges(low, high, unit, expected):
    assert roundest(low, high, unit) == expected


@pytest.mark.parametrize(("value", "unit", "words"), [
    (12345.678, "", "12,350"), (2019, "", "2019"), (0.000012, "", "1.2e-05"), (1e20, "", "1e+20"), (-0.5, "", "-0.5"),
    (1_577_836_800, MOMENT, "2020-01-01"), (7_200, SPAN, "2 h"), (200_000, SPAN, "2.315 days")])
def test_numbers_in_words(value, unit, words):
    assert said(value, unit) == words


def test_the_fall_of_a_group_is_sklearns_auc_of_a_model_learnt_from_real_rows():
    train, holdout, fake = (people(900, seed) for seed in (41, 42, 43))
    sides = sides_of(fake, train, holdout)
    found, exam, grouped = labels.measure(sides, np.random.default_rng(0)), exam_of(sides), sensitive_groups(sides)
    output = exam.output(exam.boosted("train"), exam.x["fake"])
    asked = exam.task.asked[0]
    expected = {name: roc_auc_score(exam.y["fake"][g.fake[exam.faked] == i] == asked, output[g.fake[exam.faked] == i, asked])
                for g in grouped for i, name in g.asked}
    told = {item["name"]: item["value"] for item in found.details["items"]}
    assert told and all(value == pytest.approx(expected[name], abs=1e-6) for name, value in told.items())
