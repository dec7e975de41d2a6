"""Unfair generators: each fault is found by name, with the verdict poor; clean samples raise nothing."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from population import TARGET, people, table_of, turned

from verisyn.assessment import assess_frames

ROWS = 2500
AWAY = pl.col("origin") == "away"


def villagers(rows: int, seed: int) -> pl.DataFrame:
    """Draw people, an eighth of whom come from away: four in ten of their yes are no, and a third of them live in Turin."""
    rng, frame = np.random.default_rng(seed + 10_000), people(rows, seed)
    frame = frame.with_columns(origin=pl.Series(np.where(rng.random(rows) < 0.125, "away", "here")))
    denied, moved = (pl.Series(rng.random(rows) < share) for share in (0.4, 0.3))
    return frame.with_columns(
        pl.when(AWAY & denied).then(pl.lit("no")).otherwise(pl.col(TARGET)).alias(TARGET),
        pl.when(AWAY & moved).then(pl.lit("Turin")).otherwise(pl.col("city")).alias("city"))


TRAIN, HOLDOUT, FRESH, MORE = (villagers(ROWS, seed) for seed in (41, 42, 43, 44))
TABLE = table_of(TRAIN, sensitive="origin")


def swapped() -> pl.DataFrame:
    return pl.concat([FRESH.filter(~AWAY), turned(FRESH.filter(AWAY))])


def all_have(label: str) -> pl.DataFrame:
    """Those from away have nothing but this label."""
    return FRESH.with_columns(pl.when(AWAY).then(pl.lit(label)).otherwise(pl.col(TARGET)).alias(TARGET))


def fewer(share: float, who: pl.Expr) -> pl.DataFrame:
    """Some rows of a group are replaced by rows of everyone else."""
    both = pl.concat([FRESH, MORE])
    kept = FRESH.filter(who)[:round(share * FRESH.filter(who).height)]
    return pl.concat([kept, both.filter(~who)])[:ROWS]


def told_by_city() -> pl.DataFrame:
    return FRESH.with_columns(city=pl.when(AWAY).then(pl.lit("Cork")).otherwise(pl.col("city")))


NAME = "'origin' = 'away'"
FAULTS = {
    "swaps the label of a minority": (swapped(), "fairness.model_gaps", ["'origin'"]),
    "favours a minority": (all_have("yes"), "fairness.outcome_gaps", [NAME, "reversed"]),
    "denies a minority what it had": (all_have("no"), "fairness.outcome_gaps", [NAME, "amplified"]),
    "learns to deny a minority": (all_have("no"), "fairness.model_gaps", [NAME, "amplified"]),
    "halves a minority": (fewer(0.5, AWAY), "fairness.representation", [NAME, "shrank"]),
    "forgets a minority": (fewer(0, AWAY), "fairness.representation", [NAME, "vanished"]),
    "forgets a minority of a minority": (fewer(0, AWAY & (pl.col("age") >= 65)), "fairness.representation",
                                         [NAME, "'age'"]),
    "makes the city tell the origin": (told_by_city(), "fairness.proxies", ["'city'", "'origin'", "proxy"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault_is_found(fault):
    fake, name, words = FAULTS[fault]
    finding = assess_frames(fake, TRAIN, HOLDOUT, TABLE, metrics=[name])[name]
    assert finding.verdict == "poor", finding.reason
    assert finding.p < 1e-3
    assert all(word in finding.reason for word in words), finding.reason


def test_a_masked_gap_is_told_but_not_poor():
    shuffled = FRESH.with_columns(pl.col(TARGET).shuffle(seed=1))
    finding = assess_frames(shuffled, TRAIN, HOLDOUT, TABLE, metrics=["outcome_gaps"])["fairness.outcome_gaps"]
    assert finding.verdict == "fair" and "masked" in finding.reason, finding.reason


METRICS = [f"fairness.{name}" for name in ("representation", "outcome_gaps", "model_gaps", "proxies")]


@pytest.mark.parametrize("seed", range(5))
def test_a_clean_sample_raises_no_alarm(seed):
    frames = [villagers(600, 100 * seed + i) for i in range(3)]
    found = assess_frames(*frames, table_of(frames[1], sensitive="origin"), seed=seed, metrics=METRICS)
    assert {f.name: f.reason for f in found.findings if f.verdict in ("poor", "not answered")} == {}


def test_numeric_targets_have_gaps_too():
    table = table_of(TRAIN, target="income", sensitive="origin")
    cut = FRESH.with_columns(pl.when(AWAY).then(pl.col("income") * 0.5).otherwise(pl.col("income")).alias("income"))
    for name in ("fairness.outcome_gaps", "fairness.model_gaps"):
        clean, found = (assess_frames(f, TRAIN, HOLDOUT, table, metrics=[name])[name] for f in (FRESH, cut))
        assert clean.verdict in ("good", "fair") and clean.p > 0.05, clean.reason
        assert found.verdict == "poor" and NAME in found.reason and "standard deviations" in found.reason, found.reason


def test_what_cannot_be_asked_is_not_answered():
    columns = tuple(c.model_copy(update={"sensitive": False}) for c in TABLE.columns)
    plain = assess_frames(FRESH, TRAIN, HOLDOUT, TABLE.model_copy(update={"columns": columns}), metrics=METRICS)
    assert {f.reason for f in plain.findings} == {"Not answered, because no column is marked as sensitive."}
    found = assess_frames(FRESH, TRAIN, HOLDOUT, TABLE.model_copy(update={"target": None}), metrics=METRICS)
    for name in ("fairness.outcome_gaps", "fairness.model_gaps"):
        assert found[name].reason == "Not answered, because no column is named as the target."
    assert found["fairness.proxies"].verdict == found["fairness.representation"].verdict == "good"


def test_small_groups_are_left_out_and_said():
    few = TRAIN.with_columns(origin=pl.when(pl.int_range(ROWS) < 20).then(pl.lit("afar")).otherwise(pl.col("origin")))
    found = assess_frames(fewer(0.5, AWAY), few, HOLDOUT, TABLE, metrics=["representation"])["fairness.representation"]
    assert found.details["rows_in_small_groups"] == {"origin": 20} and "20 rows are in groups too small" in found.reason
    assert not any("afar" in item["name"] for item in found.details["items"])
