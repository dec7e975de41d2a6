"""Edge cases: each is valid, each is what it says, all pairs meet, and nobody's row is told."""

import json
from datetime import date, datetime, timedelta
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner
from wild import frame_of

import verisyn as vs
from verisyn.cli import app
from verisyn.constraints._rules import Rules
from verisyn.errors import UserError
from verisyn.progress import Progress
from verisyn.schema import Constraint, Schema

ROWS = 600


def stress(source, **how):
    return vs.stress(source, progress=Progress(), cases=True, **how)


@pytest.fixture(scope="module")
def orders():
    rng = np.random.default_rng(0)
    ordered = [date(2023, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 500, ROWS)]
    sent = [d + timedelta(days=int(n)) for d, n in zip(ordered, rng.integers(0, 200, ROWS), strict=True)]
    state = rng.choice(["new", "sent", "zurück", "007"], ROWS, p=[0.2, 0.5, 0.25, 0.05])
    price, fee = rng.gamma(3, 40, ROWS).round(2), rng.gamma(2, 4, ROWS).round(2)
    frame = pl.DataFrame({
        "order id": [f"K{i:06d}" for i in range(ROWS)], "e-mail": [f"someone{i}@example.org" for i in range(ROWS)],
        "price": price, "the `fee`": fee, "total": (price + fee).round(2), "state": state,
        "ordered": ordered, "sent": pl.Series(sent).set(pl.Series(state == "new"), None),
        "at": [datetime(2024, 1, 1) + timedelta(minutes=int(m)) for m in rng.integers(0, 500_000, ROWS)],
        "took": [timedelta(minutes=int(m)) for m in rng.integers(5, 4000, ROWS)],
        "lat": rng.uniform(-5, 9, ROWS).round(3), "lon": rng.uniform(-3, 2, ROWS).round(3),
        "gift": rng.random(ROWS) < 0.4, "points": rng.integers(-50, 2000, ROWS),
        "paid": [f"${v:,.2f}" for v in rng.gamma(2, 900, ROWS)],
        "note": [f"Note number {i} about the parcel, written at length." for i in range(ROWS)]})
    gaps = {c: pl.Series(rng.random(ROWS) < 0.1) for c in ("gift", "note", "points")}
    return frame.with_columns(frame[c].set(m, None) for c, m in gaps.items()).with_columns(
        pl.col("at").dt.replace_time_zone("Europe/Berlin", ambiguous="earliest", non_existent="null"))


@pytest.fixture(scope="module")
def schema(orders):
    return vs.describe(orders)


@pytest.fixture(scope="module")
def made(orders, schema):
    return stress(orders, schema=schema, seed=1)


def assert_valid(edge, real, schema):
    """What a reader of the schema would check by hand."""
    assert edge.schema == real.schema
    assert not Rules.learn(real, schema.table).broken(edge).any()
    for column in schema.table.columns:
        if not column.missing:
            assert edge[column.name].null_count() == 0, column.name
        if column.kind in ("category", "boolean"):
            assert set(edge[column.name].drop_nulls()) <= set(real[column.name].drop_nulls()), column.name
        low = column.settings.get("minimum")
        if low is not None and column.kind == "number":
            assert edge[column.name].min() >= low


# -- rows are valid, and are what they say ----------------------------------------------------------------------------
def test_every_row_is_valid(made, orders, schema):
    edge, cases = made
    assert {c.kind for c in schema.table.constraints} >= {"formula", "inequality", "required", "range"}
    assert_valid(edge, orders, schema)
    assert edge.height == cases.height > 100 and cases["row"].to_list() == list(range(1, edge.height + 1))
    for name in ("price", "the `fee`", "total"):
        assert ((edge[name] * 100 - (edge[name] * 100).round()).abs() < 1e-6).all()
    assert edge["paid"].str.contains(r"^\$[\d,]+\.\d\d$").all()
    assert edge["order id"].n_unique() == edge.height and not set(edge["order id"]) & set(orders["order id"])
    assert not set(edge["e-mail"]) & set(orders["e-mail"])


def cell(made, column, case, kind="boundaries"):
    edge, cases = made
    found = cases.filter((pl.col("columns") == column) & pl.col("case").str.starts_with(case) & (pl.col("kind") == kind))
    assert found.height >= 1, (column, case, cases.filter(pl.col("columns") == column)["case"].to_list())
    return edge[column][found["row"][0] - 1]


@pytest.mark.parametrize(("column", "case", "want"), [
    ("price", "the smallest value allowed", 0.0), ("price", "one step above the smallest value allowed", 0.01),
    ("price", "100", 100.0), ("price", "one step below 100", 99.99),
    ("points", "zero", 0), ("points", "one step below zero", -1), ("points", "1,000", 1000),
    ("took", "one day", timedelta(days=1)), ("took", "one step below one day", timedelta(minutes=1439)),
    ("state", "level '007'", "007"), ("gift", "level 'false'", False), ("ordered", "29 February", date(2024, 2, 29)),
    ("ordered", "31 December", date(2023, 12, 31)), ("note", "an empty text", ""), ("note", "emoji", "😀👩‍👩‍👧"),
    ("paid", "one step below 1,000", "$999.99"), ("paid", "1,000", "$1,000.00"), ("e-mail", "'a@example.com'", "a@example.com"),
])
def test_a_boundary_is_what_it_says(made, column, case, want):
    assert cell(made, column, case) == want


def test_minus_zero_the_longest_text_and_the_ends_of_the_map(made, orders):
    edge, cases = made
    assert np.signbit(cell(made, "price", "minus zero")) and cell(made, "price", "minus zero") == 0
    assert len(cell(made, "note", "10 times the longest text")) > 5 * len(cell(made, "note", "the longest text"))
    corner = cases.filter(pl.col("case") == "0°, 0°")["row"][0] - 1
    assert edge.row(corner, named=True)["lat"] == 0 and edge.row(corner, named=True)["lon"] == 0
    for end, name in (("smallest", "min"), ("largest", "max")):  # an end may be shown, so it is not one row's own
        shown = cell(made, "points", f"the {end} value")
        assert abs(shown - getattr(orders["points"], name)()) < 60 and shown != getattr(orders["points"], name)()


def test_the_clocks_of_the_column_itself(made):
    before, after = (cell(made, "at", f"the {which} the clocks go forward") for which in ("last moment before", "first moment after"))
    assert before.isoformat() == "2024-03-31T01:59:00+01:00" and after.isoformat() == "2024-03-31T03:00:00+02:00"
    before, after = (cell(made, "at", f"the {which} the clocks go back") for which in ("last moment before", "first moment after"))
    assert before.isoformat() == "2024-10-27T02:59:00+02:00" and after.isoformat() == "2024-10-27T02:00:00+01:00"


def test_edges_of_constraints(made):
    edge, cases = made
    edge = edge.with_columns(case=cases["case"], kind=cases["kind"])
    equal = edge.filter(pl.col("case") == "'ordered' and 'sent' equal")
    assert equal.height == 1 and equal["ordered"][0] == equal["sent"][0]
    parts = edge.filter(pl.col("case").str.starts_with("all parts zero"))
    assert parts.row(0, named=True)["total"] == 0 and parts.row(0, named=True)["price"] == 0
    because = edge.filter(pl.col("case").str.contains("missing because"))
    assert because.height == 1 and because["state"][0] == "new" and because["sent"][0] is None


def test_every_kind_of_constraint_has_edges():
    rng = np.random.default_rng(0)
    gone, which = pl.Series(rng.random(400) < 0.2), rng.integers(0, 3, 400)
    low = rng.integers(0, 50, 400)
    frame = pl.DataFrame({
        "desk": rng.choice([f"d{i}" for i in range(40)], 400), "slot": rng.permutation(400), "red": which == 0, "green": which == 1,
        "blue": which == 2, "a": pl.Series(rng.normal(size=400).round(1)).set(gone, None), "b": pl.Series(rng.integers(0, 9, 400)).set(gone, None),
        "low": low, "mid": low + rng.integers(1, 9, 400), "high": low + rng.integers(10, 40, 400)})
    schema = vs.describe(frame)
    rules = (Constraint(kind="unique", columns=("desk", "slot")), Constraint(kind="one_hot", columns=("red", "green", "blue")),
             Constraint(kind="nulls", columns=("a", "b")), Constraint(kind="inequality", columns=("low", "mid", "high"), settings={"strict": True}),
             Constraint(kind="range", columns=("low", "mid"), settings={"minimum": 0, "maximum": 60}))
    schema = schema.model_copy(update={"tables": (schema.table.model_copy(update={"constraints": rules}),)})
    edge, cases = stress(frame, kinds=["edges", "boundaries"], schema=schema, seed=0)
    assert_valid(edge, frame, schema)
    edge = edge.with_columns(case=cases["case"])

    def one(case):
        found = edge.filter(pl.col("case").str.starts_with(case))
        assert found.height == 1, case
        return found.row(0, named=True)

    assert [one(f"'{c}' is the one that is set")[c] for c in ("red", "green", "blue")] == [True] * 3
    assert one("missing together")["a"] is None and one("missing together")["b"] is None
    near = one("'low' and 'mid' and 'high' one step apart")
    assert near["mid"] - near["low"] == near["high"] - near["mid"] == 1
    first, second = one("the first of two rows"), one("the second of two rows")
    assert first["desk"] == second["desk"] and second["slot"] - first["slot"] == 1
    assert cell((edge, cases), "mid", "the largest value allowed") == 60 and edge["mid"].max() == 60
    for how in ({"pairs": True}, {"rows": 400}):
        assert_valid(stress(frame, kinds=["edges", "missing"], schema=schema, seed=0, **how)[0], frame, schema)


def test_extremes_and_missing(made, schema):
    edge, cases = made
    edge = edge.with_columns(case=cases["case"], kind=cases["kind"], columns=cases["columns"])
    all_large = edge.filter(pl.col("case") == "everything at its largest").row(0, named=True)
    for name in all_large["columns"].split(", "):
        if name in ("price", "points", "the `fee`"):
            assert all_large[name] == cell(made, name, "the largest value")
    assert all_large["total"] == pytest.approx(all_large["price"] + all_large["the `fee`"])
    gappy = [c.name for c in schema.table.columns if c.missing]
    for name in gappy:
        alone = edge.filter((pl.col("kind") == "missing") & (pl.col("columns") == name))
        assert alone.height == 1 and alone[name][0] is None
    bare = edge.filter(pl.col("case").str.starts_with("all that may be missing")).row(0, named=True)
    assert sum(bare[n] is None for n in gappy) == len(bare["columns"].split(", ")) >= 3


# -- combinations -----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def secrets():
    """Seven rows are the only ones of a pair of common levels, three of another; all hold a telling value besides."""
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"town": rng.choice(["A", "B", "C", "D"], 3000), "trade": rng.choice(["x", "y", "z"], 3000),
                          "secret": rng.choice([f"s{i}" for i in range(10)], 3000), "income": rng.normal(50, 10, 3000).round(2)})
    together = pl.col("town") + pl.col("trade")
    frame = frame.filter(~together.is_in(["Ax", "By", "Cz"]))
    few = pl.DataFrame({"town": ["A"] * 7 + ["C"] * 3, "trade": ["x"] * 7 + ["z"] * 3, "secret": ["s7"] * 10,
                        "income": [98.76 - i for i in range(10)]})
    return pl.concat([frame, few])


def test_a_rare_pair_is_told_without_the_rows_that_hold_it(secrets):
    edge, cases = stress(secrets, kinds="rare", rows=60, seed=0)
    held = edge.filter(pl.Series(cases["case"].str.contains("a rare pair") & (cases["columns"] == "town, trade")))
    assert held.height >= 30 and set(held["town"]) == {"A"} and set(held["trade"]) == {"x"}
    assert (held["secret"] == "s7").mean() < 0.35 and held["income"].max() < 90
    assert set(cases.filter(pl.col("columns") == "town, trade")["why"]) == {
        f"7 of {secrets.height:,} rows of the data have it"}


def test_a_pair_that_fewer_than_five_hold_is_not_told(secrets):
    _, cases = stress(secrets, kinds=["rare", "unseen"], seed=0)
    assert not any("'C'" in case and "'z'" in case for case in cases["case"])


def test_an_unseen_pair_is_one_that_no_row_has(secrets):
    schema = vs.describe(secrets)
    free = schema.model_copy(update={"tables": (schema.table.model_copy(update={"constraints": ()}),)})
    edge, cases = stress(secrets, kinds="unseen", schema=free, seed=0)
    assert set(cases["columns"]) == {"town, trade"}
    assert edge.select("town", "trade").unique().rows() == [("B", "y")]
    assert secrets.filter((pl.col("town") == "B") & (pl.col("trade") == "y")).height == 0
    with pytest.raises(UserError, match="No case of these kinds"):  # the constraint that was found forbids the pair
        stress(secrets, kinds="unseen", schema=schema)


def pairs_in(frame, names):
    return {(a, b, *row) for a, b in combinations(names, 2) for row in frame.select(a, b).unique().iter_rows()}


def test_all_pairs_meet_in_few_rows():
    rng = np.random.default_rng(0)
    sizes = {"os": 5, "browser": 4, "plan": 3, "role": 3, "beta": 2}
    frame = pl.DataFrame({n: rng.choice([f"{n}{i}" for i in range(k)], 800) for n, k in sizes.items()})
    edge, cases = stress(frame, kinds="boundaries", pairs=True)
    rows = edge.filter(pl.Series(cases["kind"] == "pairs"))
    want = sum(a * b for a, b in combinations(sizes.values(), 2))
    assert len(pairs_in(edge, list(sizes))) == want
    assert 20 <= rows.height <= 28  # 5 x 4 is the least there can be


def test_pairs_keep_the_constraints_and_say_which_cannot_meet(orders, schema):
    progress = Progress()
    edge = vs.stress(orders, kinds="missing", pairs=True, schema=schema, seed=0, progress=progress)
    assert_valid(edge, orders, schema)
    told = next(n for n in progress.notes if "pairs of values meet" in n)
    assert "no valid row could be made of the other" in told  # a new order that was sent, for one
    levels = ["state", "gift"]
    assert len(pairs_in(edge, levels)) == 4 * 3


# -- other sources ----------------------------------------------------------------------------------------------------
def test_a_model_without_data(orders, schema):
    model = vs.fit(orders, schema, seed=0, audit=False)
    edge, cases = stress(model, seed=0)
    assert_valid(edge, orders, schema)
    assert set(cases["kind"]) >= {"boundaries", "edges", "extremes", "missing"}


def test_not_a_number_is_missing(orders):
    holed = orders.with_columns(pl.when(pl.int_range(pl.len()) % 5 > 0).then(pl.col("price")).otherwise(float("nan")))
    edge, cases = stress(holed.select("price", "state"), kinds="missing", seed=0)
    assert "price" in set(cases["columns"]) and edge["price"].null_count() >= 1


def test_generations_are_counted(orders):
    first = vs.fit(orders.to_pandas(), seed=0, audit=False)
    second = vs.fit(first.sample(200), seed=0, audit=False)
    made = [vs.read(vs.stress(s, kinds="missing", seed=0)).provenance for s in (orders.to_pandas(), first, second)]
    assert [(p.generation, p.synthetic_share) for p in made] == [(1, 1), (1, 1), (2, 1)]


def test_a_model_tells_what_is_rare_among_its_own_rows():
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({c: rng.choice(["usual", "one", "two"], 3000, p=[0.97, 0.02, 0.01]) for c in "abc"})
    edge, cases = stress(vs.fit(frame, seed=0, audit=False), kinds=["rare", "unseen"], seed=0)
    assert set(cases["kind"]) & {"rare", "unseen"} and all("rows that the model drew" in why for why in cases["why"])
    assert (edge.select(pl.all() != "usual").sum_horizontal() >= 2).all()


SCHEMA = """
format: 1
tables:
- name: orders
  columns:
  - {name: order id, kind: id, dtype: String}
  - {name: mail, kind: personal, dtype: String, settings: {what: email}}
  - {name: price, kind: number, dtype: Float64, settings: {minimum: 0, maximum: 999.99, decimals: 2}}
  - {name: quantity, kind: number, dtype: Int64, settings: {minimum: 1, maximum: 99}}
  - {name: total, kind: number, dtype: Float64}
  - {name: state, kind: category, dtype: String, settings: {levels: [new, sent, 'zurück']}, missing: 0.1}
  - {name: ordered, kind: datetime, dtype: Date, settings: {minimum: '2020-01-01', maximum: '2025-12-31'}}
  - {name: sent, kind: datetime, dtype: String, settings: {format: '%d.%m.%Y', minimum: '2020-01-01', maximum: '2025-12-31'}, missing: 0.2}
  - {name: gift, kind: boolean, dtype: Boolean}
  - {name: at, kind: datetime, dtype: "Datetime(time_unit='ns', time_zone='Europe/Berlin')"}
  - {name: clock, kind: datetime, dtype: Time}
  - {name: took, kind: duration, dtype: "Duration(time_unit='us')"}
  - {name: latitude, kind: geo, dtype: Float64}
  - {name: longitude, kind: geo, dtype: Float64}
  - {name: paid, kind: number, dtype: String, settings: {text: {prefix: '$', thousands: ',', fixed: 2}, minimum: 0, maximum: 5000}}
  - {name: note, kind: text, dtype: String, missing: 0.3}
  constraints:
  - {kind: formula, columns: [total, price, quantity], settings: {equals: price * quantity}}
  - {kind: required, columns: [state, sent], settings: {missing_when: [new], present_when: [sent]}}
  - {kind: combinations, columns: [state, gift], settings: {never: [[new, true]]}}
"""


def test_a_schema_without_data(tmp_path):
    edge, cases = stress(Schema.from_yaml(SCHEMA), pairs=True, seed=0)
    assert ((edge["price"] * edge["quantity"]).round(2) - edge["total"]).abs().max() < 1e-6
    assert edge["price"].min() == 0 and edge["price"].max() == 999.99
    assert edge["quantity"].min() == 1 and edge["quantity"].max() == 99
    assert edge["ordered"].min() == date(2020, 1, 1) and edge["ordered"].max() == date(2025, 12, 31)
    assert edge["sent"].drop_nulls().str.to_date("%d.%m.%Y").is_between(date(2020, 1, 1), date(2025, 12, 31)).all()
    assert edge.filter(pl.col("state") == "new")["sent"].null_count() == edge.filter(pl.col("state") == "new").height
    assert not (edge["gift"] & (edge["state"] == "new").fill_null(False)).any()
    assert set(edge["state"].drop_nulls()) == {"new", "sent", "zurück"}
    assert str(edge["at"].dtype) == "Datetime(time_unit='ns', time_zone='Europe/Berlin')"
    assert {"boundaries", "edges", "extremes", "missing", "pairs"} == set(cases["kind"])
    assert cell((edge, cases), "clock", "midnight").isoformat() == "00:00:00"
    progress = Progress()
    vs.stress(Schema.from_yaml(SCHEMA), progress=progress)
    assert any("'at'" in n and "stands in brackets was taken" in n for n in progress.notes)
    assert any("rare" in n and "rows alone" in n for n in progress.notes)
    broken = Schema.from_yaml(SCHEMA.replace("dtype: Time", "dtype: Tyme"))
    with pytest.raises(UserError, match="none that is known"):
        vs.stress(broken)
    with pytest.raises(UserError, match="No case of these kinds"):
        vs.stress(Schema.from_yaml(SCHEMA), kinds=["rare"])


def test_the_same_seed_and_the_same_kind_of_frame(orders, schema):
    one, two, other = (vs.stress(orders, schema=schema, seed=s, progress=Progress()) for s in (3, 3, 4))
    assert one.equals(two) and not one.equals(other)
    pandas = orders.to_pandas()
    edge, cases = stress(pandas, kinds=["boundaries", "missing"], seed=0)
    assert list(edge.columns) == orders.columns and len(edge) == len(cases)
    assert type(cases).__module__.startswith("pandas") and edge["price"].dtype == pandas["price"].dtype
    assert stress(orders.to_arrow(), kinds="missing", seed=0)[0].schema == orders.to_arrow().schema


def test_rows_ask_for_fewer_or_more(orders, schema):
    few, cases = stress(orders, schema=schema, rows=40, seed=0)
    assert few.height == 40 and len(set(cases["columns"])) >= 16
    many, cases = stress(orders, schema=schema, kinds=["missing", "edges"], rows=300, seed=0)
    assert many.height == 300 and many["order id"].n_unique() == 300
    assert not Rules.learn(orders, schema.table).broken(many).any()


@pytest.mark.parametrize(("call", "words"), [
    ({"kinds": "boundary"}, "Did you mean 'boundaries'"), ({"kinds": []}, "No kind of case"),
    ({"rows": 0}, "at least 1"), ({"rows": 5, "pairs": True}, "Leave one out"), ({"seed": -1}, "at least 0"),
])
def test_what_cannot_be_done_gets_a_sentence(orders, schema, call, words):
    with pytest.raises(UserError, match=words):
        vs.stress(orders, schema=schema, progress=Progress(), **call)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_wild_frames(data):
    frame = frame_of(data)
    try:
        edge, cases = stress(frame, pairs=True, seed=0)
    except UserError as e:
        assert "No case" in str(e) or "column" in str(e)
        return
    assert edge.columns == frame.columns and edge.height == cases.height
    assert all(n in (f, pl.String) for n, f in zip(edge.dtypes, frame.dtypes, strict=True))


# -- the command line, and real data ----------------------------------------------------------------------------------
def test_the_command(orders, tmp_path):
    source, out = tmp_path / "orders.parquet", tmp_path / "edge.csv"
    orders.write_parquet(source)
    run = CliRunner().invoke
    done = run(app, ["stress", str(source), "--out", str(out), "--only", "boundaries", "--only", "missing", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    cases = pl.read_csv(tmp_path / "edge.cases.csv")
    assert told["rows"] == cases.height == vs.read(out).frame.height and set(told["counts"]) == {"boundaries", "missing"}
    assert sum(sum(c.values()) for c in told["counts"].values()) == told["rows"]
    assert vs.read(out).provenance.sources[0].generator == "stress"
    assert run(app, ["stress", str(source), "--out", str(out)]).exit_code == 2
    done = run(app, ["stress", str(source), "--out", str(tmp_path / "a.cases.csv")])
    assert done.exit_code == 2 and "Choose another name" in " ".join(done.output.split()), done.output
    schema = tmp_path / "orders.yaml"
    schema.write_text(SCHEMA, encoding="utf-8")
    done = run(app, ["stress", str(schema), "--out", str(tmp_path / "made.parquet"), "--pairs", "--label"])
    assert done.exit_code == 0 and "pairs of values meet" in " ".join(done.output.split()), done.output
    labelled = pl.read_parquet(tmp_path / "made.parquet")
    assert labelled.columns[-1] == "stress_case" and "price: the largest value allowed" in set(labelled["stress_case"])
    assert run(app, ["fit", str(source), "--out", str(tmp_path / "model"), "--no-audit"]).exit_code == 0
    done = run(app, ["stress", str(tmp_path / "model"), "--out", str(tmp_path / "of-model.csv"), "--rows", "20"])
    assert done.exit_code == 0 and "Wrote 20 rows" in done.output, done.output
    done = run(app, ["stress", str(source), "--out", str(tmp_path / "no.csv"), "--only", "boundary"])
    assert done.exit_code == 2 and "Did you mean 'boundaries'" in done.output and not (tmp_path / "no.csv").exists()


@pytest.mark.parametrize("name", ["adult", "nyc_taxis", "bike_sharing"])
def test_real_data(real, name):
    frame = pl.read_parquet(real(name))
    schema = vs.describe(frame)
    progress = Progress()
    edge = vs.stress(frame, schema=schema, seed=0, progress=progress)
    assert_valid(edge, frame, schema)
    lost = next((n for n in progress.notes if "were left out" in n), "0 of")
    assert int(lost.split()[0]) <= 5 and edge.height > 100
    real_rows = frame.select(c.name for c in schema.table.columns if c.kind not in ("id", "personal", "text"))
    assert edge.select(real_rows.columns).join(real_rows, on=real_rows.columns, how="semi", nulls_equal=True).height == 0
