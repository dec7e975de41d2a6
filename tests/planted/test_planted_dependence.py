"""Dependences planted or broken in a workshop's rows: the pair, or the triple, is named; clean rows raise nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from population import table_of

from verisyn.assessment import assess_frames

ROWS = 1500
METRICS = ["marginals", "pairs", "dependence", "accuracy", "triples"]


def workshop(rows: int, seed: int) -> pl.DataFrame:
    """Draw rows: load and wear go together; a fault says whether heat and speed are on the same side of their middles."""
    rng = np.random.default_rng(seed)
    load, heat, speed = rng.normal(0, 1, (3, rows))
    fault = np.where(rng.random(rows) < 0.9, (heat > 0) == (speed > 0), rng.random(rows) < 0.5)
    missing = rng.random(rows) < 0.1
    return pl.DataFrame({
        "load": load.round(3),
        "wear": (0.8 * load + 0.6 * rng.normal(0, 1, rows)).round(3),
        "heat": (20 + 5 * heat).round(2),
        "speed": [None if gone else round(float(x), 2) for gone, x in zip(missing, np.exp(speed), strict=True)],
        "fault": fault,
        "shift": rng.choice(["early", "late", "night"], rows, p=[0.5, 0.3, 0.2]),
        "line": np.array(["A", "B", "C"])[np.clip((load + rng.normal(0, 1, rows)).round() + 1, 0, 2).astype(int)],
        "made": [datetime(2024, 1, 1) + timedelta(hours=int(h)) for h in rng.integers(0, 9000, rows)],
        "operator": [f"operator {i}" for i in rng.geometric(0.2, rows)],
        "sold": np.where(rng.random(rows) < 1 / (1 + np.exp(-2 * load)), "yes", "no"),
    })


TRAIN, HOLDOUT, FRESH = (workshop(ROWS, seed) for seed in (1, 2, 3))
TABLE = table_of(TRAIN, "sold", None)


def found(fake: pl.DataFrame, metrics: list[str] = METRICS, train: pl.DataFrame = TRAIN):
    return assess_frames(fake, train, HOLDOUT, TABLE, metrics=metrics)


def shuffled(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    return frame.with_columns(pl.col(*columns).shuffle(seed=0))


def mirrored(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """Turn the order of a column's values round; how often each occurs stays."""
    rank = frame[column].rank("ordinal").to_numpy() - 1
    return frame.with_columns(frame[column].sort(descending=True).gather(rank.astype(np.int64)).alias(column))


def confused(frame: pl.DataFrame) -> pl.DataFrame:
    """Let the shift be the early one where it was hot in the later months or cold in the earlier ones."""
    later = (pl.col("made") - datetime(2024, 1, 1)).dt.total_hours() > 4500
    early = (pl.col("heat") > 20) == later
    return frame.with_columns(shift=pl.when(early).then(pl.lit("early")).otherwise(
        pl.when(pl.col("shift") == "early").then(pl.lit("late")).otherwise("shift")))


def test_right_pairs_and_wrong_triples_are_told_apart():
    answers = found(shuffled(FRESH, "fault"))
    triples = answers["fidelity.triples"]
    assert triples.verdict == "poor" and triples.p < 1e-6 and triples.value < 0.8
    assert all(repr(name) in triples.reason for name in ("heat", "speed", "fault"))
    assert triples.interval[0] <= triples.value <= triples.interval[1] < triples.ceiling
    assert set(triples.details["items"][0]) == {"name", "value", "reference", "interval", "note"}
    assert {answers[f"fidelity.{name}"].verdict for name in METRICS} == {"good", "poor"}
    assert answers["fidelity.pairs"].verdict == answers["fidelity.dependence"].verdict == "good"


def test_an_invented_interplay_is_found():
    one = found(confused(FRESH), ["triples"])["fidelity.triples"]
    assert one.verdict == "poor" and all(repr(name) in one.reason for name in ("heat", "shift", "made"))


@pytest.mark.parametrize(("rows", "columns"), [(1500, 16), (5000, 16)])
def test_one_wrong_triple_among_hundreds_is_found(rows, columns):
    def wide(seed: int) -> pl.DataFrame:
        rng, some = np.random.default_rng(1000 + seed), workshop(rows, seed)
        more = {f"x{i}": rng.normal(0, 1, rows).round(3) for i in range(columns - some.width)}
        return some.with_columns(**{name: pl.Series(values) for name, values in more.items()})

    train, holdout, fresh = wide(11), wide(12), wide(13)
    table = table_of(train, None, None)
    clean, broken = (assess_frames(fake, train, holdout, table, metrics=["triples"])["fidelity.triples"]
                     for fake in (fresh, shuffled(fresh, "fault")))
    assert clean.verdict == "good" and clean.details["triples"] == columns * (columns - 1) * (columns - 2) // 6
    assert broken.verdict == "poor" and broken.p < 1e-4
    assert all(repr(name) in broken.reason for name in ("heat", "speed", "fault"))


def test_a_lost_dependence_is_named():
    fake = shuffled(FRESH, "wear")
    one = found(fake, ["dependence"])["fidelity.dependence"]
    assert one.verdict == "poor" and one.p < 1e-6
    assert "'load' and 'wear' is lost" in one.reason
    first = one.details["items"][0]
    assert first["name"] == "'load' and 'wear'" and first["reference"] > 0.4 and abs(first["value"]) < 0.1


def test_an_invented_dependence_is_named():
    order = np.argsort(np.argsort(FRESH["load"].to_numpy()))
    fake = FRESH.with_columns(heat=FRESH["heat"].sort().gather(order))
    one = found(fake, ["dependence"])["fidelity.dependence"]
    assert one.verdict == "poor" and "'load' and 'heat' is invented" in one.reason


def test_a_turned_dependence_is_named():
    one = found(mirrored(FRESH, "wear"), ["dependence"])["fidelity.dependence"]
    assert one.verdict == "poor" and "'load' and 'wear' is turned" in one.reason


def test_columns_drawn_alone_are_right_alone_only():
    fake = FRESH.select(pl.col(name).shuffle(seed=i) for i, name in enumerate(FRESH.columns))
    told = found(fake, ["accuracy"])["fidelity.accuracy"]
    assert told.details["univariate"]["value"] > told.details["univariate"]["holdout"] - 0.01
    assert told.details["bivariate"]["value"] < told.details["bivariate"]["holdout"] - 0.02
    assert "'load'" in told.details["trivariate"]["worst"]


@pytest.mark.parametrize("seed", range(6))
def test_clean_rows_raise_nothing(seed):
    train, holdout, fresh = (workshop(800, 100 * seed + i) for i in range(3))
    answers = assess_frames(fresh, train, holdout, table_of(train, "sold", None), seed=seed, metrics=METRICS)
    assert {f.name: f.reason for f in answers.findings if f.verdict != "good"} == {}
