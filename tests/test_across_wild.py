"""What holds between tables of all sorts: exceptions, gaps, orphans, circles, odd types, nothing at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linked import broken, later, schema_of, told, two
from polars.testing import assert_frame_equal

from verisyn.modalities.relation._across import Rules, found
from verisyn.schema import Constraint, Link


@pytest.mark.parametrize("together", [True, False])
def test_a_copy_with_exceptions_keeps_their_share_and_whose_they_are(together):
    rng = np.random.default_rng(0)
    at = np.sort(rng.integers(0, 300, 3000))
    city, road = (np.array([f"{word} {i}" for i in range(300)]) for word in ("city", "road"))
    odd = (at % 20 == 0) if together else rng.random(3000) < 0.05
    frames, schema = two({"at": at, "to": np.where(odd, "elsewhere", city[at]), "street": np.where(odd, "elsewhere", road[at])},
                         {"id": np.arange(300), "city": city, "road": road})
    rules = Rules.learn(frames, schema := found(frames, schema))
    assert told(schema)["child.at"] == {("copy", "to", "city"), ("copy", "street", "road")}
    assert not rules.recomputed, "a column with exceptions is learnt"
    drawn = {**frames, "child": frames["child"].with_columns(to=pl.lit("drawn"), street=pl.lit("drawn"))}
    out = rules.settle(drawn, np.random.default_rng(1))[0]["child"]
    away = (out["to"] == "drawn").to_numpy()
    assert abs(away.mean() - odd.mean()) < 0.03
    assert (away == (out["street"] == "drawn").to_numpy()).all(), "an order sent elsewhere has none of its customer's address"
    of_parent = np.bincount(at[away], minlength=300) / np.maximum(np.bincount(at, minlength=300), 1)
    assert (set(of_parent) <= {0, 1}) == together


def test_missing_cells_are_copied_or_stay_apart():
    rng = np.random.default_rng(0)
    at = [None if rng.random() < 0.2 else int(i) for i in rng.integers(0, 80, 900)]
    known = [f"name {i}" if i % 5 else None for i in range(80)]
    frames, schema = two({"at": at, "all": [None if i is None else known[i] for i in at],
                          "free": ["guest" if i is None else known[i] for i in at],
                          "some": [None if i is None or rng.random() < 0.4 else known[i] for i in at]},
                         {"id": range(80), "name": known})
    schema = found(frames, schema)
    kinds = {c.columns[0]: c.settings for c in schema.links[0].constraints}
    assert kinds == {"all": {}, "free": {"elsewhere": "as drawn"}, "some": {"gaps": True}}
    rules = Rules.learn(frames, schema)
    assert rules.recomputed == {"child": ("all",)}
    out, _ = rules.settle({**frames, "child": frames["child"].drop("all").with_columns(
        free=pl.lit("drawn"), some=pl.when(pl.col("some").is_null()).then(None).otherwise(pl.lit("drawn")))},
        np.random.default_rng(0))
    expected = frames["child"].with_columns(free=pl.when(pl.col("at").is_null()).then(pl.lit("drawn")).otherwise("free"))
    assert_frame_equal(out["child"], expected)


def test_rows_of_another_kind_and_orphans_are_left_alone():
    at = [*range(50)] * 4
    frames, schema = two({"at": at, "sort": ["a", "b"] * 100, "copy": [i * 3 if k % 2 == 0 else 7 for k, i in enumerate(at)]},
                         {"id": range(40), "x": [i * 3 for i in range(40)]}, where={"sort": "a"})
    schema = found(frames, schema)
    assert told(schema)["child.at (parent)"] == {("copy", "copy", "x")}
    out, _ = Rules.learn(frames, schema).settle({**frames, "child": frames["child"].with_columns(copy=pl.lit(-1))},
                                                np.random.default_rng(0))
    follows = (pl.col("sort") == "a") & (pl.col("at") < 40)
    assert out["child"].filter(follows)["copy"].to_list() == out["child"].filter(follows).select(pl.col("at") * 3)["at"].to_list()
    assert (out["child"].filter(~follows)["copy"] == -1).all()


@pytest.mark.parametrize("childless", [0.0, None, "free"])
def test_parents_without_children_have_what_such_parents_have(childless):
    rng = np.random.default_rng(0)
    at = np.sort(rng.integers(0, 60, 400))
    x = rng.normal(50, 9, 400).round(1)
    sums = np.bincount(at, x, minlength=90).round(1)
    total = [float(s) if i < 60 else (float(i) / 8 if childless == "free" else childless) for i, s in enumerate(sums)]
    frames, schema = two({"at": at, "x": x}, {"id": range(90), "sum": total})
    rules = Rules.learn(frames, found(frames, schema))
    assert rules.recomputed == ({} if childless == "free" else {"parent": ("sum",)})
    out, _ = rules.settle({"child": frames["child"].filter(pl.col("at") > 4), "parent": frames["parent"].with_columns(
        sum=pl.lit(3.5))}, np.random.default_rng(0))
    assert out["parent"]["sum"].to_list()[:5] == [3.5 if childless == "free" else childless] * 5
    assert out["parent"]["sum"].to_list()[5:60] == pytest.approx(total[5:60])


def test_rows_that_point_to_their_own_table_settle_level_by_level():
    rng = np.random.default_rng(0)
    boss = [None, *(int(rng.integers(max(0, i - 9), i)) for i in range(1, 400))]
    root, born, below = ["HQ"], [0], np.zeros(400, int)
    for i in range(1, 400):
        root.append(root[boss[i]] if i > 12 else f"branch {i}")
        born.append(born[boss[i]] + int(rng.integers(0, 30)))
    for i in range(399, 0, -1):
        below[boss[i]] += 1
    posts = pl.DataFrame({"id": np.arange(400), "reply_to": boss, "posted": [
        datetime(2024, 1, 1) + timedelta(days=b) for b in born], "replies": below})
    link = Link(table="posts", columns=("reply_to",), parent="posts", key=("id",), optional=True)
    schema = found({"posts": posts}, schema_of({"posts": posts}, [link], {"posts": ("id",)}))
    assert told(schema)["posts.reply_to"] == {("count", "replies"), ("order", "posted", "posted")}
    rules = Rules.learn({"posts": posts}, schema)
    bad = {"posts": posts.drop("replies").with_columns(posts["posted"].sample(fraction=1, shuffle=True, seed=1))}
    out, ledger = rules.settle(bad, np.random.default_rng(0))
    assert not broken(rules, out)
    assert not ledger.left
    assert (out["posts"]["posted"].dt.time() == datetime(2024, 1, 1).time()).all(), "days stay days"


@pytest.mark.parametrize("child, parent", [
    ("%d.%m.%Y", "date"), ("date", "%d.%m.%Y"), ("moment", "date"), ("date", "moment"), ("moment", "moment"),
    ("zoned", "zoned"), ("year", "date"), ("date", "year"), ("number", "number"), ("decimal", "number")])
def test_orders_of_any_types(child, parent):
    rng = np.random.default_rng(0)
    at = rng.integers(0, 150, 900)
    start = rng.integers(0, 9000, 150)

    def typed(days, how):
        days = np.asarray(days)
        moments = [datetime(1990, 1, 1) + timedelta(days=int(d), minutes=int(d) * 37 % 1440) for d in days]
        made = {"date": [m.date() for m in moments], "moment": moments, "year": [m.year for m in moments],
                "zoned": pl.Series([m.replace(tzinfo=UTC) for m in moments]).dt.convert_time_zone("Asia/Kolkata"),
                "number": days, "decimal": days + 0.25}
        return made[how] if how in made else [m.strftime(how) for m in moments]

    frames, schema = two({"at": at, "c": typed(start[at] + rng.exponential(900, 900).astype(int), child)},
                         {"id": np.arange(150), "p": typed(start, parent)})
    schema = found(frames, schema)
    assert told(schema)["child.at"] == {("order", "c", "p")}
    rules = Rules.learn(frames, schema)
    bad = {**frames, "child": frames["child"].with_columns(frames["child"]["c"].sample(fraction=1, shuffle=True, seed=1))}
    wrong = sum(broken(rules, bad).values())
    assert wrong > 100
    out, ledger = rules.settle(bad, np.random.default_rng(0))
    assert not broken(rules, out)
    assert out["child"].schema == frames["child"].schema
    assert (out["child"]["c"] != bad["child"]["c"]).sum() == wrong == sum(rows for _, rows, _ in ledger.mended.values())
    if child == "decimal":
        assert ((out["child"]["c"] * 4) % 1 == 0).all() or (out["child"]["c"].round(2) == out["child"]["c"]).all()


def test_siblings_in_time_stay_in_time_and_between_two_bounds():
    rng = np.random.default_rng(0)
    start = rng.integers(0, 3000, 100)
    end = start + 300
    at = np.repeat(np.arange(100), 6)
    inside = np.sort(start[:, None] + rng.integers(0, 300, (100, 6)), axis=1).ravel()
    frames, schema = two({"at": at, "on": later(inside)}, {"id": np.arange(100), "from": later(start), "to": later(end)})
    schema = found(frames, schema)
    assert told(schema)["child.at"] == {("order", "on", "from"), ("order", "on", "to")}
    rules = Rules.learn(frames, schema)
    drawn = np.sort(start[:, None] + rng.integers(-200, 500, (100, 6)), axis=1).ravel()
    out, ledger = rules.settle({**frames, "child": frames["child"].with_columns(on=pl.Series(later(drawn)))},
                               np.random.default_rng(0))
    assert not broken(rules, out)
    assert not ledger.left
    assert (out["child"].group_by("at").agg(pl.col("on").diff().dt.total_days().min() >= 0)["on"]).all()


def test_bounds_that_contradict_one_another_are_told():
    frames, schema = two({"at": [0, 1], "x": [5, 5]}, {"id": [0, 1], "low": [1, 9], "high": [9, 1]})
    orders = tuple(Constraint(kind="order", columns=("x", p), settings={"before": b}) for p, b in (
        ("low", False), ("high", True)))
    link = schema.links[0].model_copy(update={"constraints": orders})
    rules = Rules.learn(frames, schema.model_copy(update={"links": (link,)}))
    out, ledger = rules.settle(frames, np.random.default_rng(0))
    assert out["child"].equals(frames["child"])
    assert len(ledger.left) == 2
    assert "1 of 2 rows of 'child' break" in ledger.notes()[0]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 30), st.integers(0, 12))
def test_any_tables_settle_even_empty_ones(seed, rows, parents):
    frames, schema = two({"at": pl.Series(dtype=pl.Int64), "when": pl.Series(dtype=pl.Date), "x": pl.Series(
        dtype=pl.Float64), "name": pl.Series(dtype=pl.String)}, {"id": pl.Series(dtype=pl.Int64), "since": pl.Series(
            dtype=pl.Date), "sum": pl.Series(dtype=pl.Float64), "n": pl.Series(dtype=pl.Int64), "name": pl.Series(
                dtype=pl.String), "last": pl.Series(dtype=pl.Date)})
    stated = (Constraint(kind="copy", columns=("name", "name")), Constraint(kind="count", columns=("n",)),
              Constraint(kind="total", columns=("x", "sum")), Constraint(kind="order", columns=("when", "since")),
              Constraint(kind="extreme", columns=("when", "last")))
    link = schema.links[0].model_copy(update={"constraints": stated})
    rules = Rules.learn(frames, schema.model_copy(update={"links": (link,)}))
    rng = np.random.default_rng(seed)

    def maybe(values):
        return [None if rng.random() < 0.2 else v for v in values]

    drawn = {"child": pl.DataFrame({"at": maybe(rng.integers(0, 14, rows)), "when": maybe(later(rng.integers(0, 99, rows))),
                                    "x": maybe(rng.normal(size=rows))}, schema=frames["child"].drop("name").schema),
             "parent": pl.DataFrame({"id": range(parents), "since": maybe(later(rng.integers(0, 99, parents))),
                                     "name": maybe(["a"] * parents)},
                                    schema=frames["parent"].select("id", "since", "name").schema)}
    out, ledger = rules.settle(drawn, rng)
    assert not broken(rules, out)
    assert not ledger.left
    assert {n: f.schema for n, f in out.items()} == {n: f.schema for n, f in frames.items()}


def test_a_thread_runs_from_the_first_post_to_the_last_reply():
    rng = np.random.default_rng(0)
    boss = [None if i < 40 else int(rng.integers(max(0, i - 60), i)) for i in range(600)]
    topic = []
    for i, up in enumerate(boss):
        topic.append(f"topic {i}" if up is None else topic[up])
    frames = {"posts": pl.DataFrame({"id": np.arange(600), "reply_to": boss, "topic": topic})}
    link = Link(table="posts", columns=("reply_to",), parent="posts", key=("id",), optional=True)
    schema = found(frames, schema_of(frames, [link], {"posts": ("id",)}))
    assert told(schema)["posts.reply_to"] == {("copy", "topic", "topic")}
    rules = Rules.learn(frames, schema)
    assert not rules.recomputed, "the first posts' topics are to be learnt"
    drawn = frames["posts"].with_columns(topic=pl.when(pl.col("reply_to").is_null()).then("topic"))
    out, _ = rules.settle({"posts": drawn}, np.random.default_rng(0))
    assert_frame_equal(out["posts"], frames["posts"])


@pytest.mark.parametrize("dtype", [pl.Decimal(12, 2), pl.Float32, pl.Int16, pl.UInt64])
def test_totals_of_any_number_type(dtype):
    rng = np.random.default_rng(0)
    at = rng.integers(0, 70, 500)
    x = pl.Series(rng.integers(-40 if dtype != pl.UInt64 else 0, 400, 500)).cast(dtype)
    x = x if dtype not in (pl.Float32, pl.Decimal(12, 2)) else (x.cast(pl.Float64) / 4).cast(dtype)
    sums = pl.DataFrame({"at": at, "x": x}).group_by("at").agg(pl.col("x").sum().cast(dtype)).sort("at")["x"]
    frames, schema = two({"at": at, "x": x}, {"id": range(70), "sum": sums})
    rules = Rules.learn(frames, found(frames, schema))
    assert rules.recomputed == {"parent": ("sum",)}
    out, _ = rules.settle({**frames, "parent": frames["parent"].drop("sum")}, rng)
    assert_frame_equal(out["parent"], frames["parent"])
    wide = pl.concat([frames["child"]] * 100) if dtype == pl.Int16 else frames["child"]
    assert out["parent"]["sum"].null_count() == rules.settle({**frames, "child": wide}, rng)[0]["parent"]["sum"].null_count()
