"""What must hold between tables: found where it holds and only there, kept in any tables, its cost and its breach told."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from conftest import DATA
from linked import KEYS, LINKS, broken, schema_of, scrambled, shop, told, two
from polars.testing import assert_frame_equal

import verisyn as vs
from verisyn.errors import UserError
from verisyn.modalities.relation._across import Rules, found
from verisyn.schema import Constraint, Link, Schema

PLANTED = {
    "orders.customer": {("copy", "town", "city"), ("copy", "mail", "email"), ("count", "n"), ("total", "total", "spent"),
                        ("extreme", "placed", "first"), ("extreme", "shipped", "last"), ("order", "placed", "joined")},
    "lines.order": {("copy", "customer", "customer"), ("count", "lines"), ("total", "amount", "discount", "total")},
    "lines.product": {("copy", "price", "price"), ("derived", "amount", "qty", "price")}, "lines.customer": set()}


@pytest.fixture(scope="module")
def planted():
    frames = shop()
    schema = vs.describe(frames)
    return frames, schema, Rules.learn(frames, schema)


def test_describe_finds_what_holds_across_tables_and_says_on_what_it_rests(planted):
    frames, schema, rules = planted
    assert told(schema) == PLANTED
    known = {c.evidence for k in schema.links for c in k.constraints}
    assert f"orders.town is customers.city in all {frames['orders'].height} rows that point to one." in known
    assert Schema.from_yaml(schema.to_yaml()) == schema
    assert rules.recomputed == {"customers": ("n", "first", "last", "spent"), "orders": ("town", "mail", "total", "lines"),
                                "lines": ("customer", "price", "amount")}
    assert not broken(rules, frames)


def test_what_does_not_hold_is_not_found():
    for seed in range(3):
        frames = shop(seed=seed)
        rng = np.random.default_rng(seed)
        noise = {n: f.with_columns(f[c].gather(rng.permutation(f.height)) for c in f.columns
                                   if c not in ("customer", "order", "product")) for n, f in frames.items()}
        noise["lines"] = noise["lines"].with_columns(customer=frames["lines"]["customer"].gather(
            rng.permutation(frames["lines"].height)))
        assert not any(told(found(noise, schema_of(noise, LINKS, KEYS))).values()), seed


def test_settled_tables_keep_everything_even_where_all_was_drawn_apart(planted):
    frames, _, rules = planted
    bad = scrambled(frames, rules, ("customer", "order", "product"))
    out, ledger = rules.settle(bad, np.random.default_rng(3))
    assert not broken(rules, out)
    assert not ledger.left
    assert all(out[n].columns == frames[n].columns and out[n].schema == frames[n].schema for n in frames)
    assert (out["orders"]["placed"] <= out["orders"]["shipped"]).all(), "a table's own constraints hold after it"
    assert any("placed ≥ customers.joined" in note for note in ledger.notes())
    again, cost = rules.settle(out, np.random.default_rng(4))
    assert not cost.mended
    same, _ = rules.settle(bad, np.random.default_rng(3))
    for name in frames:
        assert_frame_equal(again[name], out[name])
        assert_frame_equal(same[name], out[name])


def test_a_model_keeps_it_in_every_row_at_any_scale(planted):
    frames, schema, rules = planted
    model = vs.fit(frames, schema, seed=0)
    for scale in (0.3, 4.0):
        drawn = model.sample_tables(seed=1, scale=scale)
        assert not broken(rules, drawn), scale
        assert {n: f.schema for n, f in drawn.items()} == {n: f.schema for n, f in frames.items()}
        assert (drawn["orders"]["placed"] <= drawn["orders"]["shipped"]).all()


def test_what_was_right_is_not_touched(planted):
    frames, _, rules = planted
    bare = {n: f.drop(rules.recomputed.get(n, ())) for n, f in frames.items()}
    out, ledger = rules.settle(bare, np.random.default_rng(0))
    assert not ledger.notes()
    for name in frames:
        assert_frame_equal(out[name], frames[name], abs_tol=0.0101)  # half a cent is rounded either way


def test_rows_out_of_order_move_as_little_as_can_be(planted):
    frames, _, rules = planted
    rows = frames["orders"].sample(30, seed=1)["order"].implode()
    early = pl.col("order").is_in(rows)
    late = {**frames, "orders": frames["orders"].with_columns(
        pl.when(early).then(pl.col(c).dt.offset_by("-9y")).otherwise(pl.col(c)).alias(c) for c in ("placed", "shipped"))}
    out, ledger = rules.settle(late, np.random.default_rng(0))
    before, after = late["orders"].sort("order"), out["orders"].sort("order")
    assert not broken(rules, out)
    assert_frame_equal(before.filter(~early), after.filter(~early))
    gaps = [(f["shipped"] - f["placed"]).to_list() for f in (before, after)]
    assert gaps[0] == gaps[1], "how long a delivery takes stays as it was drawn"
    assert [rows for _, rows, _ in ledger.mended.values()] == [30]


def test_every_breach_is_counted(planted):
    frames, _, rules = planted
    spoilt = dict(frames)
    spoilt["orders"] = frames["orders"].with_columns(
        town=pl.when(pl.int_range(pl.len()) < 7).then(pl.lit("Nowhere")).otherwise("town"),
        total=pl.when(pl.int_range(pl.len()) < 5).then(pl.col("total") + 1).otherwise("total"))
    spoilt["customers"] = frames["customers"].with_columns(n=pl.col("n") + 1)
    seen = broken(rules, spoilt)
    assert seen["orders.town is customers.city"] == 7
    assert seen["orders.total is the total of amount * (1 - discount) over its rows of lines"] == 5
    assert seen["customers.n is the number of its rows of orders"] == frames["customers"].height
    assert len(seen) == 4, "and the customers whose orders' totals changed"


def test_rules_come_back_from_json_and_fixed_tables_stay(planted):
    frames, _, rules = planted
    bad = scrambled(frames, rules, ("customer", "order", "product"))
    restored = Rules.restore(json.loads(json.dumps(rules.state())))
    for name, frame in rules.settle(bad, np.random.default_rng(3))[0].items():
        assert_frame_equal(restored.settle(bad, np.random.default_rng(3))[0][name], frame)
    kept, ledger = rules.settle({**bad, "customers": frames["customers"]}, np.random.default_rng(3), fixed={"customers"})
    assert kept["customers"] is not None and kept["customers"].equals(frames["customers"])
    assert any("customers.spent" in sentence for sentence in ledger.left), "what cannot be kept is told"


def test_copies_of_what_is_made_anew_publish_nothing():
    rng = np.random.default_rng(0)
    firms = [f"{a} {b} & Sons, the house of {b}" for a in ("Blue", "Old", "North", "Fine", "Grand") for b in (
        "Mills", "Wines", "Boats", "Teas", "Cloths", "Hats", "Lamps", "Nets")]
    at = rng.integers(0, 40, 1200)
    to = np.where(rng.random(1200) < 0.05, "a friend", np.array(firms)[at])
    schema = vs.describe({"firms": pl.DataFrame({"firm": range(40), "name": firms}), "orders": pl.DataFrame(
        {"firm": at, "to": to, "weight": rng.gamma(3, 2, 1200).round(1)})})
    assert told(schema)["orders.firm"] == {("copy", "to", "name")}
    kinds = {t: schema.of(t).column(c).kind for t, c in (("firms", "name"), ("orders", "to"))}
    assert kinds["orders"] == kinds["firms"] != "category"
    assert "name" not in str([c for t in schema.tables for c in t.constraints])


def test_a_price_that_is_mostly_paid_is_no_greatest_price():
    rng = np.random.default_rng(0)
    price = rng.lognormal(3, 0.5, 60).round(2)
    at = rng.integers(0, 60, 1500)
    paid = np.where(rng.random(1500) < 0.7, price[at], (price[at] * 0.8).round(2))
    frames, schema = two({"at": at, "paid": paid}, {"id": range(60), "price": price})
    assert told(found(frames, schema))["child.at"] == {("order", "paid", "price")}


@pytest.mark.parametrize("name, holds", [
    ("chinook", {("Invoice.CustomerId", "copy", "BillingCity", "City"), ("InvoiceLine.TrackId", "copy", "UnitPrice", "UnitPrice"),
                 ("InvoiceLine.InvoiceId", "total", "UnitPrice", "Total")}),
    ("northwind", {("orders.customerID", "copy", "shipCountry", "country"), ("orders.customerID", "copy", "shipName", "companyName"),
                   ("order_details.productID", "order", "unitPrice", "unitPrice")}),
    ("baseball", {("batting.players_id", "order", "year", "birthDate"), ("fielding.players_id", "order", "year", "deathDate")}),
    ("nycflights", set()), ("cdnow", set())])
def test_real_databases(name, holds):
    folder = DATA / name
    if not folder.exists():
        pytest.skip(f"real data set {name!r} is not here (set VERISYN_DATA)")
    told_of = json.loads((folder / "meta.json").read_text())["foreign_keys"]
    frames = {f.stem: pl.read_parquet(f) for f in sorted(folder.glob("*.parquet"))}
    links = [Link(table=k["child"], columns=k["child_columns"], parent=k["parent"], key=k["parent_columns"]) for k in told_of]
    keys = {n: tuple(k) if isinstance(k := t.get("primary_key") or (), list) else (k,) if k else ()
            for n, t in json.loads((folder / "meta.json").read_text())["tables"].items()}
    schema = found(frames, schema_of(frames, links, keys))
    all_told = {(k, *c) for k, held in told(schema).items() for c in held}
    assert holds <= all_told
    assert holds or not all_told, "where nothing holds nothing is found"
    rules = Rules.learn(frames, schema)
    assert all(c.broken <= (c.allowed + 1e-4) * c.rows for c in rules.checks(frames))


@pytest.mark.parametrize("constraint, words", [
    ({"kind": "coyp", "columns": ("x", "low")}, "'copy'"),
    ({"kind": "copy", "columns": ("y", "low")}, "'y', which the table 'child' lacks"),
    ({"kind": "copy", "columns": ("x",)}, "it speaks of"),
    ({"kind": "copy", "columns": ("x", "low"), "settings": {"shre": 1.0}}, "'share'"),
    ({"kind": "copy", "columns": ("x", "low"), "settings": {"share": "most"}}, "float or int is expected"),
    ({"kind": "order", "columns": ("x", "name")}, "compares 'x' (Int64) with 'name' (String)"),
    ({"kind": "total", "columns": ("name", "low")}, "needs numbers"),
    ({"kind": "total", "columns": ("x", "at", "low")}, "lacks the setting 'of'"),
    ({"kind": "total", "columns": ("x", "low"), "settings": {"childless": "none"}}, "'as drawn'"),
    ({"kind": "extreme", "columns": ("x", "low"), "settings": {"which": "max"}}, "'greatest'"),
    ({"kind": "derived", "columns": ("x", "low")}, "lacks the setting 'equals'"),
    ({"kind": "derived", "columns": ("x", "low"), "settings": {"equals": "low"}}, "'parent.low'")])
def test_a_mistake_in_the_schema_gets_a_sentence(constraint, words):
    frames, schema = two({"at": [0, 1], "x": [5, 5], "name": ["a", "b"]}, {"id": [0, 1], "low": [1, 9], "name": ["c", "d"]})
    link = schema.links[0].model_copy(update={"constraints": (Constraint(**constraint),)})
    with pytest.raises(UserError) as e:
        Rules.learn(frames, schema.model_copy(update={"links": (link,)}))
    assert words in str(e.value)
