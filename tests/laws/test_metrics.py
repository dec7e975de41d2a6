"""Laws that hold for every metric on the shelf."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from population import CITIES, SENSITIVE, TARGET, disjoint, entangled, people, sides_of, table_of, turned, unfair

from verisyn import shelves
from verisyn.assessment import assess_frames
from verisyn.findings import Judged, NotAnswered
from verisyn.metrics import EFFORTS, Side

NAMES = shelves.metrics.names()
ROWS = 600
FRESH, TRAIN, HOLDOUT = people(ROWS, 1), people(ROWS, 2), people(ROWS, 3)
WORST = {"fidelity": disjoint(FRESH), "utility": turned(FRESH), "privacy": TRAIN, "fairness": unfair(FRESH),
         "fidelity.missingness": FRESH.with_columns(pl.col("income").fill_null(1.0)),
         "fidelity.constraints": FRESH.with_columns(-pl.col("age")),
         "utility.queries": disjoint(FRESH),
         "fairness.model_gaps": pl.concat([turned(FRESH.filter(pl.col(SENSITIVE))), FRESH.filter(~pl.col(SENSITIVE))]),
         "fairness.proxies": FRESH.with_columns(city=pl.when(pl.col(SENSITIVE)).then(pl.lit("Oslo")).otherwise(pl.lit("Cork"))),
         "fidelity.triples": entangled(FRESH)}
"""What is as bad as can be, by question or by metric; one for which its question's worst is not bad says here what is."""


def ask_of(finding):
    """Whether a metric is to be asked at the standard effort; the dearer ones have tests of their own."""
    return getattr(shelves.metrics.take(finding), "effort", "quick") != "thorough"


NAMES = list(filter(ask_of, NAMES))


def ask(name, sides, seed=0):
    return shelves.metrics.take(name).measure(sides, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def fresh():
    return assess_frames(FRESH, TRAIN, HOLDOUT, table_of(TRAIN))


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is(name):
    metric = shelves.metrics.take(name)
    assert shelves.metrics.blurb(name).endswith(".") and metric.title.endswith((")", "?")) and "good:" in metric.rule
    assert metric.best != metric.worst and getattr(metric, "effort", "quick") in EFFORTS
    assert metric.stand_in in ("train", "holdout", None)
    assert all(view in Side.__annotations__ or hasattr(Side, view) for view in metric.needs)


@pytest.mark.parametrize("name", NAMES)
def test_real_rows_are_good(name, fresh):
    finding = fresh[name]
    assert finding.verdict in ("good", "fair"), finding.reason
    low, high = finding.interval
    assert low <= finding.value <= high and high - low < 0.4


@pytest.mark.parametrize("name", NAMES)
def test_the_worst_is_poor(name, fresh):
    metric, fake = shelves.metrics.take(name), WORST.get(name, WORST[name.split(".")[0]])
    measure = ask(name, sides_of(fake, TRAIN, HOLDOUT))
    judged = Judged(*metric.judge(measure, fresh[name].floor, fresh[name].ceiling))
    assert judged.verdict == "poor", judged.reason
    assert judged.p is None or judged.p < 1e-3
    assert badness(metric, measure.value) > badness(metric, fresh[name].value) + 0.1


def badness(metric, value):
    """How far a value lies from the best, towards the worst."""
    return max(0.0, (value - metric.best) * np.sign(metric.worst - metric.best))


@pytest.mark.parametrize("name", NAMES)
def test_identical_is_best(name, fresh):
    metric = shelves.metrics.take(name)
    if name.startswith("privacy"):  # there, identical is the worst
        return
    measure, low_high = ask(name, sides_of(HOLDOUT, HOLDOUT, HOLDOUT)), fresh[name].interval
    slack = 0.05 + (low_high[1] - low_high[0])
    assert badness(metric, measure.value) <= badness(metric, fresh[name].value) + slack


def renamed(frame):
    """Give every column another name; the age stays sensitive, which it is by its name."""
    return frame.rename({name: f"x {i} {name if name == 'age' else name[::-1]}" for i, name in enumerate(frame.columns)})


def relabelled(frame):
    return frame.with_columns(pl.col("city").replace_strict(dict(zip(CITIES, "fbeadc", strict=True))))


CHANGES = {
    "row order": lambda f: f.sample(fraction=1, shuffle=True, seed=5),
    "column order": lambda f: f.select(f.columns[::-1]),
    "names": renamed,
    "labels": relabelled,
    "sign": lambda f: f.with_columns(-pl.col("age"), -pl.col("income")),
    "place and scale": lambda f: f.with_columns(pl.col("age") * 7 + 1000, pl.col("income") + 5e5),
}


TELLING = {"sign": ["fidelity.constraints"]}
"""Metrics that a change does tell something: that nothing is below 0 is a constraint, that nothing is above it is none."""


@pytest.fixture(scope="module")
def plain():
    sides = sides_of(disjoint_in_part(FRESH), TRAIN, HOLDOUT)
    return {name: ask(name, sides) for name in NAMES}


def disjoint_in_part(frame):
    """A third of the rows moved, so that every value stands away from its best and its worst."""
    cut = frame.height // 3
    return pl.concat([disjoint(frame[:cut]).with_columns(pl.lit("Oslo").alias("city")), frame[cut:]])


@pytest.mark.parametrize("change", CHANGES)
def test_what_tells_nothing_changes_nothing(change, plain):
    told, change = TELLING.get(change, ()), CHANGES[change]
    target = TARGET if change is not renamed else renamed(TRAIN).columns[-1]
    sensitive = SENSITIVE if change is not renamed else renamed(TRAIN).columns[TRAIN.columns.index(SENSITIVE)]
    sides = sides_of(*(change(f) for f in (disjoint_in_part(FRESH), TRAIN, HOLDOUT)), target=target, sensitive=sensitive)
    for name in (name for name in NAMES if name not in told):
        low, high = plain[name].interval
        assert ask(name, sides).value == pytest.approx(plain[name].value, abs=0.01 + (high - low) / 2), name


@pytest.mark.parametrize("rows", [0, 1, 10])
def test_too_little_is_not_answered(rows):
    few = sides_of(FRESH[:rows], TRAIN, HOLDOUT)
    for name in NAMES:
        with pytest.raises(NotAnswered, match="synthetic row"):
            ask(name, few)


def test_too_small_real_data_is_not_answered():
    found = assess_frames(FRESH[:9], TRAIN[:9], HOLDOUT[:5], table_of(TRAIN[:9]))
    for finding in found.findings:
        assert (finding.verdict, finding.value, finding.interval) == ("not answered", None, None)
        assert finding.reason.startswith("Not answered, because ")


def test_same_seed_same_findings(fresh):
    assert assess_frames(FRESH, TRAIN, HOLDOUT, table_of(TRAIN)).to_json() == fresh.to_json()


def test_no_holdout_no_privacy():
    found = assess_frames(FRESH, TRAIN, None, table_of(TRAIN))
    for finding in found.findings:
        assert (finding.verdict == "not answered") == (finding.question == "privacy"), finding
    assert any("no holdout" in note for note in found.about["notes"])


ODD = {
    "all missing": lambda rng, n: pl.Series([None] * n, dtype=pl.Float64),
    "constant": lambda rng, n: pl.Series([3.5] * n),
    "one level": lambda rng, n: pl.Series(["same"] * n),
    "all different": lambda rng, n: pl.Series([f"ticket {i} {rng.integers(1 << 40)}" for i in range(n)]),
    "heavy tail": lambda rng, n: pl.Series(rng.standard_cauchy(n) * 1e9),
    "mostly zero": lambda rng, n: pl.Series(np.where(rng.random(n) < 0.95, 0, rng.integers(1, 99, n))),
    "many levels": lambda rng, n: pl.Series([f"level {i}" for i in rng.integers(0, 60, n)]),
    "moment": lambda rng, n: (pl.Series(rng.integers(0, 2**31, n)) * 10**6).cast(pl.Datetime("us")),
    "span": lambda rng, n: (pl.Series(rng.integers(0, 10**6, n)) * 10**6).cast(pl.Duration("us")),
}


@pytest.mark.parametrize("target", ["all missing", "heavy tail", "moment"])
def test_every_kind_works(target):
    frames = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        frames.append(pl.DataFrame({name: make(rng, 150) for name, make in ODD.items()}))
    found = assess_frames(*frames, table_of(frames[1], target))
    json.loads(found.to_json())
    assert found["fidelity.marginals"].verdict in ("good", "fair")
    assert not [f for f in found.findings if f.question == "privacy" and f.verdict == "poor"]
    assert found["utility.tstr"].verdict == "not answered"


def test_details_show_no_single_real_value(fresh):
    for column in fresh["fidelity.marginals"].details["columns"]:
        values = TRAIN[column["name"]].drop_nulls()
        if "labels" in column:
            assert all((values.cast(pl.String) == label).sum() >= 5 or label == "(all others)"
                       for label in map(str, column["labels"]) if values.dtype == pl.String)
        assert all(share * ROWS > 4 or share == 0 for share in column["real"])
        assert sum(column["real"]) == pytest.approx(1, abs=1e-3) and sum(column["fake"]) == pytest.approx(1, abs=1e-3)
        assert len(column["real"]) <= 40
