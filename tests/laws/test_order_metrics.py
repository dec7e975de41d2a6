"""Laws that hold for every metric of histories."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from engines import fleet, reordered, schema_of
from hypothesis import given
from hypothesis import strategies as st

from verisyn import shelves
from verisyn.errors import UserError
from verisyn.findings import Judged
from verisyn.kinds import Feature
from verisyn.metrics import EFFORTS, able
from verisyn.metrics._aggregates import Aggregates
from verisyn.metrics._histories import HistorySides
from verisyn.modalities.sequence._assess import OF_ROWS, assess
from verisyn.report import render
from verisyn.schema import Schema

NAMES = able(HistorySides.views)
CHEAP = [name for name in NAMES if name not in ("utility.forecast", "fidelity.discriminative", "fidelity.sequence_distance",
                                                "privacy.entity_membership")]
TRAIN, HOLDOUT, FRESH = fleet(160, 1), fleet(120, 2), fleet(160, 3)
SCHEMA = schema_of(TRAIN)


def found(fake, train=TRAIN, holdout=HOLDOUT, schema: Schema = SCHEMA, metrics=None, **more):
    name = schema.table.name
    return assess({name: fake}, {name: train}, None if holdout is None else {name: holdout}, schema, {"source": "fleet"},
                  metrics=metrics, **more)


@pytest.fixture(scope="module")
def fresh():
    return found(FRESH)


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is(name):
    metric = shelves.metrics.take(name)
    assert shelves.metrics.blurb(name)[-1] in ".;" or ":" in shelves.metrics.blurb(name)
    assert metric.title.endswith("?") and "good:" in metric.rule and metric.best != metric.worst
    assert metric.needs == ("order",) and metric.stand_in in ("train", "holdout", None)
    assert metric.references and all(address.startswith("https://") for address in metric.references)


@pytest.mark.parametrize("name", NAMES)
def test_real_histories_are_not_poor_and_shuffled_ones_are(name, fresh):
    finding = fresh[name]
    assert finding.verdict in ("good", "fair"), finding.reason
    low, high = finding.interval
    assert low <= finding.value <= high
    metric = shelves.metrics.take(name)
    if getattr(metric, "floor", True) and name.startswith("fidelity") and name not in ("fidelity.length", "fidelity.course"):
        assert abs(finding.floor - metric.best) > abs(finding.value - metric.best) + 0.05, finding


def test_most_questions_about_real_histories_are_answered_well(fresh):
    verdicts = [f.verdict for f in fresh.findings if f.name in NAMES]
    assert verdicts.count("good") >= len(NAMES) - 3


MIXED = reordered(FRESH, np.random.default_rng(5), ["load", "heat", "wear", "mode"])


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith("fidelity") and n not in (
    "fidelity.length", "fidelity.gaps", "fidelity.coherence")])
def test_a_border_needs_no_ceiling(name):
    """What is poor is poor beyond chance, also where no ceiling was measured."""
    finding = found(MIXED, metrics=[name])[name]
    metric = shelves.metrics.take(name)
    assert finding.verdict == "poor" and finding.p < 1e-3, finding.reason
    assert (finding.value - metric.best) * np.sign(metric.worst - metric.best) > 0


def other_names(frame):
    return frame.rename({c: f"x {i} {c[::-1]}" for i, c in enumerate(frame.columns) if c not in ("engine", "at")})


CHANGES = {
    "order of rows": lambda f: f.sample(fraction=1, shuffle=True, seed=1),
    "order of engines": lambda f: pl.concat(f.partition_by("engine", maintain_order=True)[::-1]),
    "names": other_names,
    "signs": lambda f: f.with_columns(-pl.col("load", "heat")),
    "scales": lambda f: f.with_columns(pl.col("load") * 40 + 7),
    "labels": lambda f: f.with_columns(pl.col("mode").replace_strict(
        {"idle": "q", "cruise": "r", "climb": "s", "service": "t"})),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_tells_nothing_changes_nothing(change, fresh):
    frames = [CHANGES[change](f) for f in (FRESH, TRAIN, HOLDOUT)]
    told = found(*frames, schema=schema_of(frames[1]), metrics=CHEAP)
    for finding in told.findings:
        usual = fresh[finding.name]
        width = usual.interval[1] - usual.interval[0]
        assert finding.value == pytest.approx(usual.value, abs=0.01 + width / 2), finding
        assert "poor" not in (finding.verdict, usual.verdict)


def test_same_seed_same_findings(fresh):
    assert found(FRESH).to_json() == fresh.to_json()


def test_the_report_draws_them(fresh):
    page = render(fresh, title="engines")
    assert "Side by side" in page and "autocorrelation" in page
    drawn = fresh["summaries"].details["histories"]
    assert len(drawn["real"]) >= 2 and len(drawn["real"][0]) == len(drawn["columns"]) == 4


def test_no_holdout_no_privacy():
    told = found(FRESH, holdout=None, metrics=[*CHEAP, "privacy.entity_membership"])
    assert {f.name for f in told.findings if f.verdict == "not answered"} == {n for n in NAMES if n.startswith("privacy")}
    assert any("no holdout" in note for note in told.about["notes"])


@pytest.mark.parametrize("engines", [1, 5])
def test_too_few_histories_are_not_answered(engines):
    told = found(FRESH.filter(pl.col("engine").is_in(FRESH["engine"].unique(maintain_order=True)[:engines].implode())),
                 metrics=NAMES)
    for finding in told.findings:
        assert finding.verdict == "not answered" and "synthetic histor" in finding.reason, finding


def test_a_single_row_each_leaves_nothing_of_order():
    single = [f.group_by("engine", maintain_order=True).first() for f in (FRESH, TRAIN, HOLDOUT)]
    told = found(*single, metrics=NAMES)
    answered = {f.name for f in told.findings if f.verdict != "not answered"}
    assert answered <= {"fidelity.length", "fidelity.summaries", "fidelity.discriminative", "fidelity.transitions",
                        "fidelity.sequence_distance", "fidelity.cross_correlation", "privacy.entity_copies", "privacy.entity_membership"}


def odd(rows: int, seed: int) -> pl.DataFrame:
    """One long series of dates with columns of every odd sort."""
    rng = np.random.default_rng(seed)
    return pl.DataFrame({
        "day": [date(2020, 1, 1) + timedelta(days=i) for i in range(rows)],
        "gone": pl.Series([None] * rows, dtype=pl.Float64), "constant": [3.5] * rows, "same": ["a"] * rows,
        "ticket": [f"T{i}{rng.integers(1 << 40)}" for i in range(rows)], "tail": rng.standard_cauchy(rows) * 1e9,
        "zero": np.where(rng.random(rows) < 0.95, 0, rng.integers(1, 99, rows)),
        "gaps": [None if x < -1 else float(x) for x in np.cumsum(rng.normal(size=rows)) / 5],
        "level": [f"level {i}" for i in rng.integers(0, 80, rows)],
        "span": (pl.Series(rng.integers(0, 10**6, rows)) * 10**6).cast(pl.Duration("us"))})


def test_every_kind_works_in_one_long_series():
    frames = [odd(900, seed) for seed in range(3)]
    told = found(frames[0], frames[1], frames[2][:300], schema_of(frames[1], (), "day"))
    json.loads(told.to_json())
    assert "windows of" in told.about["notes"][-1] and told["length"].verdict == "not answered"
    assert told["gaps"].value > 0.98 and not [f for f in told.findings if f.question == "privacy" and f.verdict == "poor"]
    assert render(told, title="odd")


def test_columns_of_nothing_but_time_are_no_error():
    frames = [f.select("engine", "at") for f in (FRESH, TRAIN, HOLDOUT)]
    told = found(*frames, schema=schema_of(frames[1]))
    assert told["gaps"].verdict == told["length"].verdict == "good"
    assert told["autocorrelation"].verdict == "not answered"


def test_few_strangers_still_serve_privacy():
    few = HOLDOUT.filter(pl.col("engine").is_in(HOLDOUT["engine"].unique(maintain_order=True)[:30].implode()))
    told = found(FRESH, holdout=few, metrics=["transitions", "entity_copies", "entity_membership"])
    assert "one half of all real histories" in told.about["notes"][-1]
    assert told["entity_membership"].verdict == "not answered" and "100" in told["entity_membership"].reason
    assert told["entity_copies"].details["strangers"] == 30 and told["transitions"].verdict != "poor"


def test_no_value_of_few_real_rows_is_told():
    marks = [876543.21, -654321.75]
    train = TRAIN.with_row_index("row").with_columns(
        load=pl.when(pl.col("row") == 100).then(pl.lit(marks[0])).when(pl.col("row") == 900).then(pl.lit(marks[1]))
        .otherwise("load"), mode=pl.when(pl.col("row") % 1500 == 7).then(pl.lit("Quarantine")).otherwise("mode")).drop("row")
    told = found(train, train, HOLDOUT, metrics=[*CHEAP, *OF_ROWS])
    text = told.to_json() + render(told, title="x")
    assert "Quarantine" not in text and not re.search(r"876[,]?543|654[,]?321", text)


def test_rows_without_a_time_are_left_out_and_said():
    lost = FRESH.with_columns(at=pl.when(pl.int_range(pl.len()) % 10 == 3).then(None).otherwise("at"))
    told = found(lost, metrics=["length", "gaps"])
    assert any("left out, as they have no 'engine' or 'at'" in note for note in told.about["notes"])
    assert told["length"].verdict != "not answered"
    with pytest.raises(UserError, match="no histories to assess"):
        found(FRESH.with_columns(at=pl.lit(None, FRESH.schema["at"])))


@given(st.lists(st.lists(st.one_of(st.none(), st.integers(-9, 9)), max_size=6), min_size=1, max_size=8))
def test_aggregates_are_those_of_a_group_by(histories):
    of = [e for e, rows in enumerate(histories) for _ in rows]
    values = np.array([np.nan if v is None else v for rows in histories for v in rows], float)
    starts = np.concatenate([[0], np.cumsum([len(rows) for rows in histories])]).astype(np.int64)
    feature = Feature("x", values)
    made = Aggregates.learn([feature]).of([feature], starts, np.arange(len(values)) * 2.0)
    x = pl.col("x")
    frame = pl.DataFrame({"of": of, "x": values}, schema={"of": pl.Int64, "x": pl.Float64}).with_columns(x.fill_nan(None))
    grouped = frame.group_by("of").agg(pl.len().alias("rows"), x.mean().alias("mean"), x.std().alias("sd"),
                                       x.min().alias("least"), x.max().alias("most"), x.first().alias("first"),
                                       x.last().alias("last"))
    right = pl.DataFrame({"of": range(len(histories))}).join(grouped, on="of", how="left", maintain_order="left")
    assert made["rows"].to_list() == [len(rows) for rows in histories]
    for what in ("mean", "sd", "least", "most", "first", "last"):
        got, want = (s.fill_null(-99).to_list() for s in (made[f"x {what}"], right[what]))
        assert got == pytest.approx(want), what


def test_effort_bounds_the_rows():
    long = fleet(60, 5, rows=(300, 301))
    told = found(long, long, None, schema_of(long), metrics=["length", "transitions"], effort=EFFORTS["quick"])
    assert told.about["judged"]["synthetic"] <= 10_000 and told.about["sampled"]
    assert told["length"].details["mean_real"] == 300  # lengths are those of whole histories, whatever is judged of them


def test_poor_stands_where_a_single_column_is_off_among_many():
    rng = np.random.default_rng(0)
    wide = [f.with_columns(**{f"noise {i}": pl.Series(rng.normal(size=f.height).round(2)) for i in range(12)})
            for f in (FRESH, TRAIN, HOLDOUT)]
    wide[0] = reordered(wide[0], rng, ["mode"])
    finding = found(*wide, schema=schema_of(wide[1]), metrics=["transitions"])["transitions"]
    assert finding.verdict == "poor" and "'mode'" in finding.reason
    judged = Judged(*shelves.metrics.take(finding.name).judge(finding, finding.floor, finding.ceiling))
    assert judged.verdict != "not answered"


def test_real_series_of_other_lines_raise_nothing(real):
    rows = pl.read_parquet(real("fcc_mba"))
    keys = rows["series"].unique(maintain_order=True).sample(fraction=1, shuffle=True, seed=1)
    parts = [rows.filter(pl.col("series").is_in(keys[a:b].implode())) for a, b in ((0, 200), (200, 400), (400, 600))]
    told = found(*parts, schema=schema_of(rows, ("series",), "step"), metrics=[*CHEAP, *OF_ROWS])
    assert [f.reason for f in told.findings if f.verdict == "poor"] == []
    assert sum(f.verdict == "good" for f in told.findings) >= 10
