"""Constraints through the door: found, edited, kept under every wish, told at their cost, saved, and refused in words."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import verisyn as vs
from verisyn.assessment import assess_frames
from verisyn.cli import app
from verisyn.constraints._rules import Rules
from verisyn.errors import UserError
from verisyn.progress import Progress
from verisyn.schema import Constraint, Schema


def trips(rows=1600, seed=0):
    """Bookings with a dependency, a sum, an order of moments, gaps together, one-hot columns and a requirement."""
    rng = np.random.default_rng(seed)
    level = rng.integers(1, 6, rows)
    fare, tip = np.round(rng.gamma(4, 5, rows), 2), np.round(rng.gamma(1, 2, rows), 2)
    start = [datetime(2024, 1, 1) + timedelta(minutes=int(m)) for m in rng.integers(0, 200_000, rows)]
    ends = [t + timedelta(minutes=5 + int(m)) for t, m in zip(start, 3 * fare, strict=True)]
    pay = rng.choice(["card", "cash", "none"], rows, p=[0.6, 0.3, 0.1])
    kind = rng.choice(3, rows, p=[0.6, 0.3, 0.1])
    rated = rng.random(rows) < 0.7
    return pl.DataFrame({
        "level": level, "name": np.array(["iron", "bronze", "silver", "gold", "crown"])[level - 1],
        "band": np.array(["low", "low", "mid", "high", "high"])[level - 1],
        "fare": fare, "tip": tip, "total": np.round(fare + tip, 2), "start": start, "end": ends, "pay": pay,
        "receipt": [None if p == "none" else "paper" if r < 0.3 else "mail" for p, r in zip(pay, rng.random(rows), strict=True)],
        "stars": [int(s) if r else None for s, r in zip(rng.integers(1, 6, rows), rated, strict=True)],
        "review": ["fine" if r and g < 0.5 else "good" if r else None for g, r in zip(rng.random(rows), rated, strict=True)],
        "van": (kind == 0).astype(int), "bus": (kind == 1).astype(int), "cab": (kind == 2).astype(int),
    })


def breaks(frame):
    """How many rows break each of the planted constraints, worked out here."""
    names = dict(trips(500).select("level", "name").unique().rows())
    bands = dict(trips(500).select("level", "band").unique().rows())
    return {
        "name": sum(names[a] != b for a, b in frame.select("level", "name").rows()),
        "band": sum(bands[a] != b for a, b in frame.select("level", "band").rows()),
        "total": int(((frame["fare"] + frame["tip"] - frame["total"]).abs() > 0.001).sum()),
        "order": int((frame["start"] >= frame["end"]).sum()),
        "one": int((frame["van"] + frame["bus"] + frame["cab"] != 1).sum()),
        "receipt": int(((frame["pay"] == "none") != frame["receipt"].is_null()).sum()),
        "together": int((frame["stars"].is_null() != frame["review"].is_null()).sum()),
    }


@pytest.fixture(scope="module")
def model():
    return vs.fit(trips(), seed=0, audit=False)


def columns(frame, kind, *names, **settings):
    """Describe a frame and replace its constraints by one."""
    schema = vs.describe(frame)
    one = Constraint(kind=kind, columns=names, settings=settings)
    return schema.model_copy(update={"tables": (schema.table.model_copy(update={"constraints": (one,)}),)})


def test_describe_finds_them_with_evidence():
    found = {(c.kind, c.columns): c for c in vs.describe(trips()).table.constraints}
    assert {("dependency", ("level", "name", "band")), ("formula", ("total", "fare", "tip")), ("inequality", ("start", "end")),
            ("one_hot", ("van", "bus", "cab")), ("required", ("pay", "receipt")), ("nulls", ("stars", "review"))} <= set(found)
    assert found["formula", ("total", "fare", "tip")].settings == {"equals": "fare + tip"}
    assert "1,600 rows" in found["formula", ("total", "fare", "tip")].evidence


@pytest.mark.parametrize("wish", [
    {}, {"given": "name == 'gold'"}, {"given": "band == 'high' and fare > 20"}, {"given": "total > 40"},
    {"given": "bus == 1 and stars is not None"}, {"given": "end >= '2024-04-01'"}, {"balance": "name"}, {"balance": "band"},
    {"balance": "bus"}, {"do": {"level": 5}}, {"do": {"start": "2024-02-01"}}, {"targets": {"bus": 0.5}},
], ids=str)
def test_no_row_breaks_any_under_any_wish(model, wish):
    rows = model.sample(300, seed=1, **wish)
    assert breaks(rows) == dict.fromkeys(breaks(rows), 0)
    assert rows.height == 300 and rows.schema == trips(5).schema
    if "given" in wish:
        from verisyn.conditions import parse

        assert parse(wish["given"], rows.columns).holds(rows).all()


def test_balance_counts_the_values_of_a_recomputed_column(model):
    assert set(model.sample(600, seed=1, balance="band")["band"].value_counts()["count"]) == {200}


def test_a_sum_cannot_be_set_but_what_tells_another_column_can(model):
    with pytest.raises(UserError, match="recomputed from"):
        model.sample(10, do={"total": 12.5})
    assert set(model.sample(50, do={"level": 4})["name"]) == {"gold"}


def test_distributions_survive(model):
    real, fake = trips(), model.sample(1600, seed=3)
    for frame in (real, fake):
        assert frame["total"].mean() == pytest.approx(real["total"].mean(), rel=0.05)
    minutes = [(f["end"] - f["start"]).dt.total_minutes() for f in (real, fake)]
    assert minutes[1].std() == pytest.approx(minutes[0].std(), rel=0.15)
    assert np.corrcoef(minutes[1], fake["fare"])[0, 1] > 0.9
    assert fake["bus"].mean() == pytest.approx(0.3, abs=0.03)
    assert fake["stars"].null_count() / 1600 == pytest.approx(0.3, abs=0.04)


def test_the_cost_is_told_and_the_bytes_do_not_depend_on_threads(model):
    progress = Progress()
    one = model.sample(21_000, seed=2, jobs=1, progress=progress)
    assert one.equals(model.sample(21_000, seed=2, jobs=2))
    told = [n for n in progress.notes if "mended" in n]
    assert all("of 21,000 drawn rows" in n for n in told)


def test_a_saved_model_keeps_them_and_holds_no_rare_value(tmp_path):
    rows = trips().with_columns(pl.when(pl.arange(pl.len()) < 3).then(pl.lit("secret")).otherwise("name").alias("name"),
                                pl.when(pl.arange(pl.len()) < 3).then(77).otherwise("level").alias("level"))
    schema = columns(rows, "dependency", "level", "name")
    model = vs.fit(rows, schema, seed=0, audit=False)
    model.save(tmp_path / "m")
    assert vs.load(tmp_path / "m").sample(500, seed=1).equals(model.sample(500, seed=1))
    assert "secret" not in (tmp_path / "m" / "model.json").read_text()


def test_a_model_saved_before_there_were_constraints_still_loads(tmp_path):
    rows = trips(300)
    schema = vs.describe(rows)
    bare = schema.model_copy(update={"tables": (schema.table.model_copy(update={"constraints": ()}),)})
    model = vs.fit(rows, bare, seed=0, audit=False)
    model.save(tmp_path / "m")
    state = json.loads((tmp_path / "m" / "model.json").read_text())
    assert state["columns"].pop("rules") == [] and state["schema"]["tables"][0].pop("constraints") == []
    (tmp_path / "m" / "model.json").write_text(json.dumps(state))
    assert vs.load(tmp_path / "m").sample(50, seed=1).equals(model.sample(50, seed=1))


def test_formulas_are_found_in_their_simple_form_and_none_computes_itself():
    rng = np.random.default_rng(3)
    a, b, c = (rng.integers(0, 500, 1500) for _ in range(3))
    kg, m = rng.normal(70, 12, 1500).round(1), rng.normal(1.7, 0.1, 1500).round(2)
    rows = pl.DataFrame({"a": a, "b": b, "c": c, "ab": a + b, "abc": a + b + c, "kg": kg, "g": (kg * 1000).round().astype(int),
                         "f": (1.8 * kg + 32).round(1), "m": m, "ratio": (kg / m).round(1)})
    found = {k.columns[0]: k.settings["equals"] for k in vs.describe(rows).table.constraints if k.kind == "formula"}
    assert found == {"g": "1000 * kg", "f": "1.8 * kg + 32", "ab": "a + b", "abc": "c + ab", "ratio": "kg / m"}
    fake = vs.fit(rows, seed=0, audit=False).sample(500, seed=1)
    assert (fake["abc"] == fake["a"] + fake["b"] + fake["c"]).all() and (fake["g"] - fake["kg"] * 1000).abs().max() < 0.5


def test_constraints_on_a_column_that_is_left_out_go_with_it():
    schema = vs.describe(trips())
    table = schema.table.model_copy(update={"columns": tuple(c for c in schema.table.columns if c.name not in ("tip", "name"))})
    model = vs.fit(trips(), Schema(tables=(table,)), seed=0, audit=False)
    kinds = {c.kind: c.columns for c in model.schema.table.constraints}
    assert "formula" not in kinds and "tip" not in kinds["range"] and "fare" in kinds["range"]
    assert model.sample(5).columns == table.names


def test_a_stated_constraint_that_the_data_breaks_is_kept_and_said():
    rng = np.random.default_rng(1)
    rows = pl.DataFrame({"low": rng.normal(0, 1, 800).round(2), "high": rng.normal(1, 1, 800).round(2)})
    wrong = rows["low"] > rows["high"]
    model = vs.fit(rows, columns(rows, "inequality", "low", "high"), seed=0, audit=False)
    assert f"which {wrong.sum()} of 800 rows of the data break (the first is row {wrong.arg_max() + 1})" in " ".join(model.coder.notes)
    fake = model.sample(3000, seed=1)
    assert (fake["low"] <= fake["high"]).all()
    assert (fake["low"] == fake["high"]).mean() < 0.02  # sorted, not piled up at equality


def test_ranges_uniqueness_and_combinations_that_a_user_states():
    rng = np.random.default_rng(2)
    rows = pl.DataFrame({"x": rng.normal(50, 20, 900).round(1), "n": rng.integers(0, 5000, 900),
                         "a": rng.choice(["p", "q"], 900), "b": rng.choice(["u", "v", "w"], 900)})
    schema = vs.describe(rows)
    stated = (Constraint(kind="range", columns=("x",), settings={"minimum": 10, "maximum": 90}),
              Constraint(kind="unique", columns=("n",)),
              Constraint(kind="combinations", columns=("a", "b"), settings={"only": [["p", "u"], ["q", "v"], ["q", "w"]]}))
    table = schema.table.model_copy(update={"constraints": stated})
    fake = vs.fit(rows, Schema.from_yaml(Schema(tables=(table,)).to_yaml()), seed=0, audit=False).sample(2000, seed=1)
    assert fake["x"].is_between(10, 90).all() and fake["n"].is_unique().all()
    assert set(fake.select("a", "b").rows()) == {("p", "u"), ("q", "v"), ("q", "w")}


def test_uniqueness_that_cannot_be_is_said():
    rows = pl.DataFrame({"a": ["x", "y", "z"] * 30, "b": ["u", "v", "w", "t", "s"] * 18})
    model = vs.fit(rows, columns(rows, "unique", "a", "b"), seed=0, audit=False)
    assert model.sample(15, seed=0).n_unique() == 15
    with pytest.raises(UserError, match="only 15 different ones are possible"):
        model.sample(16, seed=0)


def test_constraints_that_contradict_one_another_are_named():
    rows = pl.DataFrame({"a": np.arange(1, 301) % 40 + 1.0, "b": np.arange(300) % 40 + 50.0})
    schema = columns(rows, "range", "a", minimum=60)
    more = Constraint(kind="range", columns=("a",), settings={"maximum": 20})
    table = schema.table.model_copy(update={"constraints": (*schema.table.constraints, more)})
    with pytest.raises(UserError, match="contradict one another"):
        vs.fit(rows, Schema(tables=(table,)), seed=0, audit=False).sample(20)


@pytest.mark.parametrize(("kind", "names", "settings", "words"), [
    ("formulae", ("fare",), {}, "Did you mean 'formula'"),
    ("formula", ("fare", "price"), {"equals": "price"}, "names 'price', which the data lacks"),
    ("formula", ("total", "fare"), {"equals": "fare + tip"}, "names the column 'tip'"),
    ("formula", ("total", "fare"), {"equals": "open('x')"}, "neither a number"),
    ("formula", ("total", "fare"), {}, "lacks the setting 'equals'"),
    ("formula", ("total", "pay"), {"equals": "pay"}, "needs numbers"),
    ("inequality", ("start", "fare"), {}, "Only numbers with numbers"),
    ("inequality", ("fare",), {}, "at least 2 columns"),
    ("inequality", ("fare", "tip"), {"strict": "yes"}, "bool is expected"),
    ("range", ("fare",), {"minimum": 9, "maximum": 3}, "above maximum"),
    ("range", ("fare",), {"min": 3}, "Did you mean 'minimum'"),
    ("one_hot", ("level", "van"), {}, "not just 0 and 1"),
    ("required", ("pay", "receipt"), {"missing_when": ["none"], "present_when": ["none"]}, "both missing and present"),
    ("combinations", ("pay", "band"), {"never": [["card"]]}, "one value for each"),
])
def test_mistakes_in_the_schema_get_a_sentence(kind, names, settings, words):
    rows = trips(300)
    with pytest.raises(UserError, match=words):
        vs.fit(rows, columns(rows, kind, *names, **settings), seed=0, audit=False)


def test_the_command_line_shows_and_keeps_them(tmp_path):
    source, schema, out = tmp_path / "trips.parquet", tmp_path / "trips.yaml", tmp_path / "fake.parquet"
    trips(1200).write_parquet(source)
    run = CliRunner().invoke
    shown = run(app, ["describe", str(source), "-o", str(schema)])
    assert shown.exit_code == 0 and "total = fare + tip" in shown.output
    assert run(app, ["fit", str(source), "--schema", str(schema), "--out", str(tmp_path / "m")]).exit_code == 0
    done = run(app, ["sample", str(tmp_path / "m"), "--rows", "700", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert not any(breaks(pl.read_parquet(out)).values())


def test_the_assessment_still_sees_every_column(model):
    found = assess_frames(model.sample(800, seed=1), trips(800, seed=9), trips(800, seed=8), model.schema.table,
                          coder=model.coder, metrics=["marginals"])["fidelity.marginals"]
    assert found.verdict == "good"
    assert {"name", "total", "end", "bus"} <= {c["name"] for c in found.details["columns"]}


@pytest.mark.parametrize(("name", "kind", "names"), [
    ("adult", "dependency", ("education-num", "education")), ("bike_sharing", "formula", ("cnt", "casual", "registered")),
    ("kc_house", "formula", ("sqft_living", "sqft_above", "sqft_basement")), ("nyc_taxis", "inequality", ("pickup", "dropoff")),
    ("acs_income_2018", "dependency", ("State", "Division")),
])
def test_what_is_known_of_real_tables_is_found_and_kept(real, name, kind, names):
    rows = pl.read_parquet(real(name), n_rows=20_000)
    table = vs.describe(rows).table
    assert (kind, names) in {(c.kind, c.columns) for c in table.constraints}
    rules = Rules.learn(rows, table)
    spoilt = rules.help(rows).select(pl.all().shuffle(seed=1)).drop({c for r in rules.rules for c in r.derives})
    done = rules.settle(spoilt[:2000], np.random.default_rng(0)).select(rows.columns)
    assert not rules.broken(done).any() and not rules.broken(rows).any()


def slots(constraints, rows=1000):
    """Rows of numbers and their schema with these constraints alone; `slot` never repeats."""
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"slot": rng.permutation(6 * rows)[:rows], "a": rng.integers(0, 30, rows),
                          "b": rng.integers(0, 30, rows)})
    schema = vs.describe(frame)
    table = schema.table.model_copy(update={"constraints": tuple(Constraint(**c) for c in constraints)})
    return frame, schema.model_copy(update={"tables": (table,)})


UNIQUE = {"kind": "unique", "columns": ("slot",)}


def test_no_repeats_within_a_limit_or_a_condition():
    limit = {"kind": "range", "columns": ("slot",), "settings": {"maximum": 3200}}
    fake = vs.fit(*slots([UNIQUE, limit]), audit=False).sample(3000, seed=1)
    assert fake["slot"].n_unique() == 3000 and fake["slot"].max() <= 3200
    fake = vs.fit(*slots([UNIQUE]), audit=False).sample(2500, seed=1, given="slot < 3000")
    assert fake["slot"].n_unique() == 2500 and fake["slot"].max() < 3000


@pytest.mark.parametrize(("constraints", "given", "told"), [
    ([{"kind": "unique", "columns": ("b",)}, {"kind": "formula", "columns": ("b", "a"), "settings": {"equals": "a * 2"}}],
     None, "no two rows have the same 'b'; b = a \\* 2"),
    ([UNIQUE], "slot < 100 or slot > 5900", "would have to repeat"),
    ([{"kind": "inequality", "columns": ("a", "b"), "settings": {"strict": True}},
      {"kind": "inequality", "columns": ("b", "a"), "settings": {"strict": True}}], None, "a < b; b < a"),
])
def test_what_cannot_be_kept_together_is_refused_by_name(constraints, given, told):
    with pytest.raises(UserError, match=told):
        vs.fit(*slots(constraints), audit=False).sample(1000, seed=1, given=given)


def test_a_column_named_twice_is_refused():
    with pytest.raises(UserError, match="names a column twice"):
        vs.fit(*slots([{"kind": "inequality", "columns": ("a", "a")}]))
