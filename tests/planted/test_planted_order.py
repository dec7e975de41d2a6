"""Faults planted in an engine fleet's histories: each is found by the question that is about it, and named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from engines import MODES, fleet, reordered, schema_of

from verisyn.modalities.sequence._assess import assess

TRAIN, HOLDOUT, FRESH = fleet(260, 1), fleet(140, 2), fleet(260, 3)
SCHEMA = schema_of(TRAIN)
NAME = SCHEMA.table.name
COLUMNS = ["load", "heat", "wear", "mode"]


def found(fake: pl.DataFrame, *metrics: str, holdout: pl.DataFrame | None = HOLDOUT, train: pl.DataFrame = TRAIN):
    unseen = None if holdout is None else {NAME: holdout}
    return assess({NAME: fake}, {NAME: train}, unseen, SCHEMA, {}, metrics=metrics or None)


def disordered(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """The rows of each engine are in another order."""
    return reordered(frame, rng, COLUMNS)


def late(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """The heat follows the load three steps later than it should."""
    shifted = pl.col("heat").shift(3).over("engine")
    return frame.with_columns(heat=shifted.fill_null(pl.col("heat").first().over("engine")))


def jagged(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """The load of an engine is drawn anew at each step, around its own mean."""
    return reordered(frame, rng, ["load"])


def exchanged(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """The maker of an engine changes from row to row."""
    return frame.with_columns(pl.col("maker").shuffle(seed=1))


def leapt(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Each mode is followed by any other, as often as it occurs."""
    return reordered(frame, rng, ["mode"])


def regular(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Rows are equally far from each other."""
    step = (pl.col("at").max() - pl.col("at").min()) / (pl.len() - 1)
    return frame.with_columns(at=(pl.col("at").min() + step * pl.int_range(pl.len())).over("engine"))


def cut_short(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Only the first fifteen rows of each engine are there."""
    return frame.filter(pl.int_range(pl.len()).over("engine") < 15)


def unworn(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Engines begin worn out and end as new."""
    return frame.with_columns(pl.col("wear").reverse().over("engine"))


def pieced(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """A tenth of the engines are put together of two halves of training engines."""
    keys = TRAIN["engine"].unique(maintain_order=True)
    pieces = []
    for i in range(26):
        one, other = (TRAIN.filter(pl.col("engine") == keys[int(k)]) for k in rng.integers(0, len(keys), 2))
        piece = pl.concat([one[: one.height // 2], other[other.height // 2:]])
        times = one["at"][0] + pl.Series([timedelta(hours=h) for h in range(piece.height)])
        pieces.append(piece.with_columns(pl.lit(f"P{i}").alias("engine"), times.alias("at")))
    return pl.concat([frame.filter(pl.col("engine").is_in(frame["engine"].unique(maintain_order=True)[:234].implode())),
                      *pieces])


def remembered(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Every engine is a training engine with a little noise."""
    noise = [pl.Series(rng.normal(0, 0.02, TRAIN.height)) for _ in range(3)]
    return TRAIN.with_columns("R" + pl.col("engine"), pl.col("load") + noise[0], pl.col("heat") + noise[1],
                              pl.col("wear") + noise[2])


@dataclass(frozen=True)
class Fault:
    plant: Callable[[pl.DataFrame, np.random.Generator], pl.DataFrame]
    by: tuple[str, ...]
    names: str = ""


FAULTS = [
    Fault(disordered, ("autocorrelation", "transitions", "sequential_accuracy", "spectrum", "sequence_distance",
                       "discriminative")),
    Fault(late, ("cross_correlation", "discriminative"), "'load' and 'heat'"),
    Fault(jagged, ("autocorrelation",), "'load'"),
    Fault(exchanged, ("coherence",), "'maker' (share between histories)"),
    Fault(leapt, ("transitions", "coherence"), "'mode'"),
    Fault(regular, ("gaps",), "a gap and the next"),
    Fault(cut_short, ("length",)),
    Fault(unworn, ("course", "discriminative"), "'wear' in part 1"),
    Fault(pieced, ("entity_copies",), "by 3 rows"),
    Fault(remembered, ("entity_membership", "entity_copies")),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.plant.__name__)
def test_a_planted_fault_is_found_and_named(fault):
    answers = found(fault.plant(FRESH, np.random.default_rng(0)), *fault.by)
    verdicts = {f.name.split(".")[1]: f.verdict for f in answers.findings}
    assert verdicts == dict.fromkeys(fault.by, "poor"), [f.reason for f in answers.findings]
    assert fault.names in answers[fault.by[0]].reason


def test_faults_of_order_are_none_of_the_columns():
    told = found(disordered(FRESH, np.random.default_rng(0)), "marginals", "pairs", "length", "coherence", "gaps")
    assert {f.name: f.verdict for f in told.findings if f.name != "fidelity.coherence"} == dict.fromkeys(
        ("fidelity.marginals", "fidelity.pairs", "fidelity.length", "fidelity.gaps"), "good")
    assert "stays as it was" in told["coherence"].reason


def test_a_forecast_learnt_from_disorder_is_worth_little():
    broken, whole = (found(fake, "forecast")["forecast"] for fake in (disordered(FRESH, np.random.default_rng(0)), FRESH))
    assert broken.verdict == "poor" and whole.verdict == "good", (broken.reason, whole.reason)


def test_transitions_that_never_occur_are_counted():
    wrong = found(FRESH.with_columns(mode=pl.lit(MODES[0])).with_columns(
        mode=pl.when(pl.int_range(pl.len()).over("engine") % 2 == 0).then(pl.lit("service")).otherwise(pl.lit("climb"))),
        "transitions")["transitions"]
    right = found(FRESH, "transitions")["transitions"]
    assert wrong.details["never_seen_in_real"] > 0.1 and right.details["never_seen_in_real"] < 0.01


@pytest.mark.parametrize("seed", range(4))
def test_other_histories_of_the_same_fleet_raise_nothing(seed):
    train, holdout, fresh = (fleet(150, 100 * seed + i) for i in (10, 20, 30))
    quick = ("length", "summaries", "gaps", "transitions", "autocorrelation", "cross_correlation", "coherence", "course",
             "spectrum", "sequential_accuracy", "discriminative", "entity_copies", "marginals")
    answers = found(fresh, *quick, train=train, holdout=holdout)
    assert {f.name: f.reason for f in answers.findings if f.verdict == "poor"} == {}
    assert sum(f.verdict == "good" for f in answers.findings) >= len(quick) - 2, answers.findings


def test_pieces_of_one_long_series_are_found():
    """A block bootstrap of one series copies its rows; a fresh run of the same engine does not."""
    long = [fleet(1, seed, rows=(3000, 3001)) for seed in (7, 8, 9)]
    schema = schema_of(long[0].drop("engine", "maker"), ())
    name, (train, fresh, later) = schema.table.name, (part.drop("engine", "maker") for part in long)
    blocks = np.random.default_rng(0).integers(0, 2970, 100)
    boot = pl.concat([train.drop("at")[int(b):int(b) + 30] for b in blocks]).with_columns(fresh["at"][:3000])
    for fake, verdict in ((boot, "poor"), (fresh, "good")):
        told = assess({name: fake}, {name: train}, {name: later}, schema, {}, metrics=["entity_copies", "length"])
        assert told["entity_copies"].verdict == verdict, told["entity_copies"].reason
        assert told["length"].verdict == "not answered" and "one long series" in told.about["notes"][-1]
