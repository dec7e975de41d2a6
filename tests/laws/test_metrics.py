"""Laws that hold for every metric on the shelf."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import polars as pl
import pytest
from population import CITIES, SENSITIVE, TARGET, disjoint, entangled, people, sides_of, table_of, turned, unfair

from verisyn import shelves
from verisyn.assessment import assess_frames
from verisyn.findings import Judged, NotAnswered
from verisyn.metrics import EFFORTS, Effort, Side, Sides, able
from verisyn.report import render

NAMES = able(Sides.views)
ROWS = 600
FRESH, TRAIN, HOLDOUT = people(ROWS, 1), people(ROWS, 2), people(ROWS, 3)
WORST = {"fidelity": disjoint(FRESH), "utility": turned(FRESH), "privacy": TRAIN, "fairness": unfair(FRESH),
         "fairness.labels": turned(FRESH),
         "fidelity.missingness": FRESH.with_columns(pl.col("income").fill_null(1.0)),
         "fidelity.constraints": FRESH.with_columns(-pl.col("age")),
         "utility.queries": disjoint(FRESH),
         "fairness.model_gaps": pl.concat([turned(FRESH.filter(pl.col(SENSITIVE))), FRESH.filter(~pl.col(SENSITIVE))]),
         "fairness.proxies": FRESH.with_columns(city=pl.when(pl.col(SENSITIVE)).then(pl.lit("Oslo")).otherwise(pl.lit("Cork"))),
         "fidelity.triples": entangled(FRESH)}
"""What is as bad as can be, by question or by metric; one for which its question's worst is not bad says here what is."""


def is_asked(name):
    """Whether a metric is asked at the standard effort; the dearer ones have tests of their own."""
    return getattr(shelves.metrics.take(name), "effort", "quick") != "thorough"


NAMES = list(filter(is_asked, NAMES))


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
    assert isinstance(metric.references, tuple) and metric.references
    assert all(address.startswith("https://") for address in metric.references)


@pytest.mark.parametrize("name", NAMES)
def test_real_rows_are_good(name, fresh):
    finding = fresh[name]
    assert finding.verdict == "good" or (finding.verdict, name) == ("fair", "fairness.proxies"), finding.reason
    low, high = finding.interval
    assert low <= finding.value <= high and high - low < 0.35


@pytest.mark.parametrize("name", NAMES)
def test_the_worst_is_poor(name, fresh):
    metric, fake = shelves.metrics.take(name), WORST.get(name, WORST[name.split(".")[0]])
    measure = ask(name, sides_of(fake, TRAIN, HOLDOUT))
    judged = Judged(*metric.judge(measure, fresh[name].floor, fresh[name].ceiling))
    assert judged.verdict == "poor", judged.reason
    assert judged.p < 1e-3
    if name.startswith("fidelity"):  # where no ceiling was measured, chance is taken account of all the same
        assert Judged(*metric.judge(measure, None, None)).p < 1e-3
    assert badness(metric, measure.value) > badness(metric, fresh[name].value) + 0.1


def badness(metric, value):
    """How far a value lies from the best, towards the worst."""
    return max(0.0, (value - metric.best) * np.sign(metric.worst - metric.best))


@pytest.mark.parametrize("name", NAMES)
def test_identical_is_best(name, fresh):
    metric = shelves.metrics.take(name)
    if name.startswith("privacy"):  # there, identical is the worst
        return
    measure = ask(name, sides_of(HOLDOUT, HOLDOUT, HOLDOUT))
    assert badness(metric, measure.value) <= badness(metric, fresh[name].value) + 0.04


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


def sorted_by_columns(frame):
    return frame.sort("age", "income", "joined", nulls_last=True)


def in_a_period_of_20(frame):
    """Let every twentieth row be of one kind, as in files that a machine wrote."""
    place = np.arange(frame.height)
    return sorted_by_columns(frame)[place % 20 * (frame.height // 20) + place // 20]


JACKKNIFED = [name for name in NAMES if "jackknife" in (shelves.metrics.take(name).__doc__ or "")
              and name not in ("fairness.proxies", "utility.importance")]
"""Those that train models on parts drawn of the rows aside: there the value changes too, within its interval."""


@pytest.mark.parametrize("arranged", [sorted_by_columns, in_a_period_of_20])
def test_how_files_are_arranged_changes_no_interval(arranged, fresh):
    assert len(JACKKNIFED) > 8
    found = assess_frames(*map(arranged, (FRESH, TRAIN, HOLDOUT)), table_of(TRAIN), metrics=JACKKNIFED)
    for finding in found.findings:
        usual, width = fresh[finding.name], finding.interval[1] - finding.interval[0]
        assert finding.verdict == usual.verdict and finding.value == pytest.approx(usual.value, abs=1e-3), (finding, usual)
        assert 1 / 1.8 < width / (usual.interval[1] - usual.interval[0]) < 1.8, (finding, usual)


# -- no single real row's value is told ---------------------------------------------------------------------------------
def test_pictures_show_no_bar_of_few_rows(fresh):
    for column in fresh["fidelity.marginals"].details["columns"]:
        values = TRAIN[column["name"]].drop_nulls()
        if "labels" in column:
            assert all((values.cast(pl.String) == label).sum() >= 5 or label == "(all others)"
                       for label in map(str, column["labels"]) if values.dtype == pl.String)
        assert all(share * ROWS > 4 or share == 0 for share in column["real"])
        assert sum(column["real"]) == pytest.approx(1, abs=1e-3) and sum(column["fake"]) == pytest.approx(1, abs=1e-3)
        assert len(column["real"]) <= 40


SMALL = Effort("quick", 900, 800, 400, 200, 0)
FEW = 4


def marked(seed, mark):
    """Rows of which a few hold values of their own: words of up to four rows, and extremes of one; and these values."""
    words = {column: [f"{mark}{column}{i}" for i in range(most)] for column, most in (("city", 8), ("country", 3), (TARGET, 2))}
    numbers, years = [876543.21 + seed, -654321.75 - seed], [date(1911 + seed, 7, 13), date(2081 + seed, 9, 23)]
    ages, rows = [43210 + seed, -54321 - seed], people(1400, seed)
    at = np.random.default_rng(seed).permutation(rows.height)
    rows = rows.with_row_index("row")
    for column, several in words.items():
        for i, word in enumerate(several):
            held = pl.col("row").is_in(at[10 * i + 100:][:FEW - i % 2 * 3])
            rows = rows.with_columns(pl.when(held).then(pl.lit(word)).otherwise(column).alias(column))
    for column, values in (("income", numbers), ("age", ages), ("joined", years)):
        for row, value in zip(at, values, strict=False):
            rows = rows.with_columns(pl.when(pl.col("row") == row).then(pl.lit(value)).otherwise(column).alias(column))
    moments = [str((year - date(1970, 1, 1)).days * 86_400) for year in years]
    told = {form for n in (*numbers, *ages) for form in (f"{abs(n)}", f"{abs(n):,.0f}", f"{abs(n):.0f}", f"{abs(n):,}",
                                                         f"{abs(n):.6g}", str(int(abs(n))), f"{int(abs(n)):,}")}
    return rows.drop("row"), {word for several in words.values() for word in several} | {*map(str, years), *moments, *told}


@pytest.mark.parametrize("made", ["afresh", "by copying the training rows", "by copying the holdout"])
def test_nothing_that_few_real_rows_hold_is_told(made):
    (train, told), (holdout, more) = marked(1, "Q"), marked(2, "Z")
    fake = {"afresh": people(1400, 3), "by copying the training rows": train}.get(made, holdout)
    found = assess_frames(fake, train, holdout, table_of(train), effort=SMALL)
    texts = {f.name: json.dumps(f.to_dict(), ensure_ascii=False) for f in found.findings}
    texts |= {"about": json.dumps(found.about, ensure_ascii=False), "report": render(found, title="people")}
    assert [(where, value) for where, text in texts.items() for value in told | more if value in text] == []
