"""Useless generators: each fault is found by name, with the verdict poor; clean samples raise nothing."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from population import TARGET, independent, people, table_of, turned

from verisyn.assessment import assess_frames

ROWS = 1500
TRAIN, HOLDOUT, FRESH = people(ROWS, 71), people(ROWS, 72), people(ROWS, 73)
TABLE = table_of(TRAIN)
METRICS = [f"utility.{name}" for name in ("tstr", "linear", "importance", "augmentation", "queries")]


def found(fake: pl.DataFrame, name: str, table=TABLE, train=TRAIN, holdout=HOLDOUT):
    return assess_frames(fake, train, holdout, table, metrics=[name]).findings[0]


SHUFFLED = FRESH.with_columns(pl.col(TARGET).shuffle(seed=1))
FAULTS = {
    "shuffles the label, to a simple model": (SHUFFLED, "utility.linear", ["'buys'"]),
    "shuffles the label, so that no column matters": (SHUFFLED, "utility.importance", ["'age'", "'buys'"]),
    "turns the label": (turned(FRESH), "utility.augmentation", ["'buys'", "it hurts"]),
    "moves all incomes and days": (FRESH.with_columns(pl.col("income") * 3, pl.col("joined").dt.offset_by("2y")),
                                   "utility.queries", ["mean of 'income'"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault_is_found(fault):
    fake, name, words = FAULTS[fault]
    finding = found(fake, name)
    assert finding.verdict == "poor", finding.reason
    assert finding.p < 1e-3
    assert all(word in finding.reason for word in words), finding.reason


def test_the_wrong_average_is_named():
    raised = FRESH.with_columns(pl.when(pl.col("city") == "Łódź").then(pl.col("income") * 1.5).otherwise(pl.col("income")))
    finding = found(raised, "utility.queries")
    assert finding.details["items"][0]["name"] == "mean of 'income' where 'city' = 'Łódź'"
    assert "mean of 'income' where 'city' = 'Łódź'" in finding.reason
    assert found(FRESH, "utility.queries").details["differ_beyond_chance"] == 0


def test_the_column_that_lost_its_weight_is_named():
    dulled = FRESH.with_columns(pl.col("age").shuffle(seed=3))
    finding = found(dulled, "utility.importance")
    assert finding.details["items"][0]["name"] == "age" and finding.details["items"][0]["note"] == "differs"
    assert finding.details["items"][0]["value"] < finding.details["items"][0]["reference"] / 3
    assert finding.verdict == "good" or "'age'" in finding.reason


@pytest.mark.parametrize(("fake", "verdict"), [(FRESH, "good"), (independent(TRAIN, 5), "poor")])
def test_numbers_are_predicted_too(fake, verdict):
    table = table_of(TRAIN, target="income")
    for name in ("utility.tstr", "utility.linear"):
        finding = found(fake, name, table)
        assert finding.details["score_name"] == "R²" and finding.verdict == verdict, finding.reason


def many_classes(rows: int, seed: int) -> pl.DataFrame:
    """People of 30 districts, the last ones rare, that go by age and income."""
    frame, rng = people(rows, seed), np.random.default_rng(seed)
    place = frame["age"].to_numpy() / 4 + frame["income"].fill_null(3000).log().to_numpy() + rng.normal(0, 1.5, rows)
    return frame.with_columns(district=pl.Series([f"D{int(np.clip(p - 10, 0, 29))}" for p in place]))


def test_many_classes_are_pooled_not_refused():
    train, holdout, fresh = (many_classes(2500, seed) for seed in (1, 2, 3))
    table = table_of(train, target="district")
    for name in ("utility.tstr", "utility.linear"):
        clean = found(fresh, name, table, train, holdout)
        assert clean.verdict == "good" and clean.value > 0.7, clean.reason
        mixed = found(fresh.with_columns(pl.col("district").shuffle(seed=2)), name, table, train, holdout)
        assert mixed.verdict == "poor" and mixed.p < 1e-3, mixed.reason
    assert clean.details["classes_pooled"] > 0


def test_a_simple_model_says_where_it_has_nothing_to_say():
    def crossed(seed):
        rng = np.random.default_rng(seed)
        a, b, c = rng.normal(size=(3, 1200))
        return pl.DataFrame({"a": a, "b": b, "c": c, "y": np.where((a > 0) ^ (b > 0), "odd", "even")})

    train, holdout, fresh = (crossed(seed) for seed in range(3))
    table = table_of(train, target="y", sensitive=None)
    linear = found(fresh, "utility.linear", table, train, holdout)
    assert linear.verdict == "not answered" and "real rows do not predict" in linear.reason
    assert found(fresh, "utility.tstr", table, train, holdout).verdict == "good"


def test_a_gain_is_claimed_only_where_it_is_sure():
    for fake in (FRESH, TRAIN, people(ROWS, 74)):
        finding = found(fake, "utility.augmentation")
        for case in finding.details["gains"]:
            low, high = case["gain_interval"]
            words = "it helps" if low > 0 else "it hurts" if high < 0 else "it does not help"
            assert words in finding.reason
    assert finding.verdict == "good" and [c["real_rows"] for c in finding.details["gains"]] == [ROWS, ROWS // 10]


@pytest.mark.parametrize("seed", range(4))
def test_a_clean_sample_raises_no_alarm(seed):
    frames = [people(600, 900 * seed + i) for i in range(3)]
    findings = assess_frames(*frames, table_of(frames[1]), seed=seed, metrics=METRICS).findings
    assert {f.name: f.reason for f in findings if f.verdict in ("poor", "not answered")} == {}


def test_what_cannot_be_asked_is_not_answered():
    none = TABLE.model_copy(update={"target": None})
    told = assess_frames(FRESH, TRAIN, HOLDOUT, none, metrics=METRICS)
    assert {f.reason for f in told.findings if f.name != "utility.queries"} == {
        "Not answered, because no column is named as the target."}
    assert told["utility.queries"].verdict == "good"
    assert "only 40 real row" in found(FRESH, "utility.queries", holdout=HOLDOUT[:40]).reason
