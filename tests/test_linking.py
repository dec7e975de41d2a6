"""Keys and links are found where they are, with the evidence, and nowhere else; a schema's links are held to the data."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from verisyn.data import read
from verisyn.description import describe, resolve_schema, tables_left_out
from verisyn.errors import UserError
from verisyn.linking import found_in
from verisyn.progress import Progress
from verisyn.schema import Schema

RNG = np.random.default_rng(0)


def links_of(tables):
    return {f"{k.name} -> {k.parent}.{'+'.join(k.key)}" for k in found_in(tables).links}


def ints(high, rows, low=1):
    return pl.Series(RNG.integers(low, high + 1, rows))


SHOP = {
    "customers": pl.DataFrame({"customer_id": range(1, 61), "age": ints(60, 60), "visits": ints(60, 60)}),
    "staff": pl.DataFrame({"id": range(1, 21), "reports_to": [None, *ints(5, 19)], "rank": ints(20, 20)}),
    "products": pl.DataFrame({"sku": [f"P-{i:03}" for i in range(40)], "reorder_level": ints(40, 40)}),
    "orders": pl.DataFrame({"id": range(1, 301), "customer_id": ints(60, 300), "sales_rep_id": ints(20, 300),
                            "month": ints(12, 300), "pieces": ints(20, 300), "number_of_orders": ints(9, 300)}),
    "order_lines": pl.DataFrame({"order_id": np.repeat(range(1, 301), 3), "line_no": [1, 2, 3] * 300,
                                 "sku": RNG.permutation([f"P-{i % 40:03}" for i in range(900)]),
                                 "quantity": ints(12, 900), "order": [1, 2, 3] * 300}),
    "shipments": pl.DataFrame({"shipment": range(1000, 1100), "order_id": np.repeat(range(1, 51), 2),
                               "line_no": [1, 3] * 50, "weight": ints(60, 100)}),
    "loyalty_cards": pl.DataFrame({"customer_id": range(1, 31), "points": ints(60, 30)}),
    "notes": pl.DataFrame({"note_id": range(1, 81), "owner_type": ["customer", "product", "order", "customer"] * 20,
                           "owner_id": [v for i in range(20) for v in (str(i + 1), f"P-{i:03}", str(i + 40), str(i + 9))]}),
}


def test_links_of_every_shape_are_found_and_small_numbers_are_none():
    found = links_of(SHOP)
    assert found >= {
        "orders.customer_id -> customers.customer_id", "orders.sales_rep_id -> staff.id", "staff.reports_to -> staff.id",
        "order_lines.order_id -> orders.id", "order_lines.sku -> products.sku", "shipments.order_id -> orders.id",
        "loyalty_cards.customer_id -> customers.customer_id",  # one to one
        "shipments.order_id+line_no -> order_lines.order_id+line_no"}
    assert len(found) == 8, found  # (owner_type, owner_id) mixes text with numbers; nothing else points anywhere


def test_a_column_beside_tells_which_table_is_meant():
    notes = pl.DataFrame({"id": range(60), "about_type": ["Customer", "staff", "orders"] * 20, "about_id": ints(20, 60)})
    links = [k for k in found_in({**SHOP, "notes": notes}).links if k.table == "notes"]
    assert {(k.parent, *k.where.values()) for k in links} == {("customers", "Customer"), ("staff", "staff"), ("orders", "orders")}


@pytest.mark.parametrize("name", ["northwind", "chinook", "nycflights", "baseball", "cdnow", "grocery_orders"])
def test_the_links_of_real_databases(name, real):
    folder = real("adult").parents[1] / name
    told = json.loads((folder / "meta.json").read_text())["foreign_keys"]
    data = read(folder)
    found = found_in(data.tables).links
    assert {(k.table, k.columns, k.parent, k.key) for k in found} == {
        (k["child"], tuple(k["child_columns"]), k["parent"], tuple(k["parent_columns"])) for k in told}
    for k in told:
        link = next(x for x in found if x.table == k["child"] and x.columns == tuple(k["child_columns"]))
        assert link.optional == bool(k["null_rows"])
        assert link.orphans * (data.tables[link.table].height - k["null_rows"]) == pytest.approx(k["orphan_rows"], abs=0.5)


@pytest.mark.parametrize("name", ["northwind", "chinook", "cdnow"])
def test_names_alone_do_not_make_links_nor_does_their_absence(name, real):
    """With every column called by a word that says nothing, what is still claimed is true."""
    folder = real("adult").parents[1] / name
    told = json.loads((folder / "meta.json").read_text())["foreign_keys"]
    tables = read(folder).tables
    known = {(k["child"], k["child_columns"][0], k["parent"]) for k in told}
    spelt = {t: {c: f"{'abcdefghijk'[i]}{'qrstuvwxyzabcdefg'[j]}x" for j, c in enumerate(f.columns)}
             for i, (t, f) in enumerate(tables.items())}
    blind = {t: f.rename(spelt[t]) for t, f in tables.items()}
    back = {t: {new: old for old, new in names.items()} for t, names in spelt.items()}
    claimed = {(k.table, back[k.table][k.columns[0]], k.parent) for k in found_in(blind).links}
    assert claimed <= known


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), tables=st.integers(2, 5), rows=st.integers(1, 400))
def test_tables_of_noise_have_no_links(seed, tables, rows):
    """Numbers that happen to be among the keys of another table are none of its keys."""
    rng = np.random.default_rng(seed)
    words = ("amount", "quantity", "month", "year", "level", "pieces", "total", "age", "hours", "grade")
    noise = {f"t{i}": pl.DataFrame({"id": np.arange(1, rows + 1 + i), **{
        w: rng.integers(0, rng.integers(2, 3 + rows), rows + i) for w in rng.permutation(words)[:4]},
        "word": rng.choice(["yes", "no", "maybe"], rows + i)}) for i in range(tables)}
    assert not found_in(noise).links


def test_a_schema_of_tables_goes_through_yaml_and_is_checked():
    data = read({n: f for n, f in SHOP.items() if n != "notes"})
    progress = Progress()
    schema = describe(data, target="orders.pieces", progress=progress)
    assert schema.of("orders").target == "pieces" and "'products' look" in " ".join(progress.notes)
    assert not any(t.public for t in schema.tables)
    kinds = {(t.name, c.name): c.kind for t in schema.tables for c in t.columns}
    assert [kinds[k] for k in (("orders", "customer_id"), ("orders", "id"), ("staff", "reports_to"), ("products", "sku"),
                               ("order_lines", "order_id"), ("shipments", "order_id"))] == ["id"] * 6
    assert kinds["order_lines", "line_no"] != "id" and kinds["orders", "month"] != "id"
    assert schema.of("order_lines").key == ("order_id", "line_no")
    again = Schema.from_yaml(schema.to_yaml())
    assert resolve_schema(again, data) == schema
    fewer = again.model_copy(update={"tables": again.tables[:4], "links": again.links[:1]})
    assert "'order_lines'" in tables_left_out(resolve_schema(fewer, data), data)[0]


def wrong(change, said):
    data = read({"people": pl.DataFrame({"id": [1, 2, 2], "name": ["a", "b", "c"], "x": [0.5, 1.5, 2.5]}),
                 "pets": pl.DataFrame({"owner": [1, 2, None], "tag": ["1", "2", "2"], "nothing": [None] * 3})})
    link = {"table": "pets", "columns": ["owner"], "parent": "people", "key": ["id"], **change}
    tables = [{"name": n, "columns": [{"name": c, "kind": "number"} for c in f.columns]} for n, f in data.tables.items()]
    with pytest.raises(UserError, match=said) as caught:
        resolve_schema(Schema.model_validate({"tables": tables, "links": [link]}), data)
    assert str(caught.value).endswith((".", "?"))


@pytest.mark.parametrize(("change", "said"), [
    ({}, r"not unique: 1 of 3 rows repeat.*one key has 2 rows"),
    ({"parent": "peple"}, "Did you mean 'people'"),
    ({"columns": ["ownr"]}, "Did you mean 'owner'"),
    ({"columns": ["tag"]}, "holds text, people.id holds whole numbers"),
    ({"key": ["x"]}, "whole numbers, people.x holds fractions"),
    ({"columns": ["owner", "tag"]}, "2 columns cannot point to a key of 1"),
    ({"columns": ["nothing"]}, "points nowhere"),
    ({"where": {"kind": "x"}}, "no column 'kind'"),
])
def test_a_link_that_cannot_be_meant_gets_a_sentence(change, said):
    wrong(change, said)


def test_other_mistakes_in_a_schema_of_tables_get_a_sentence():
    data = read({"a": pl.DataFrame({"id": [1, 2]}), "b": pl.DataFrame({"a": [1, 1], "c": [2, 2]})})
    described = describe(data)

    def said(text, **changes):
        with pytest.raises(UserError, match=text):
            resolve_schema(described.model_copy(update=changes), data)

    first, second = described.tables
    said("table 'z', which the data lacks", tables=(first.model_copy(update={"name": "z"}), second))
    said("key 'c' of 'b' is not unique", tables=(first, second.model_copy(update={"key": ("c",)})))
    link = described.links[0].model_copy(update={"owner": True})
    said("'b' has 2 owners", links=(link, link.model_copy(update={"columns": ("c",)})))
    with pytest.raises(UserError, match=r"Give it as 'table\.column'"):
        describe(data, target="q")
    with pytest.raises(UserError, match="there are several"):
        describe(data, time="id")


EVENTS = pl.DataFrame({"who": ["a", "a", "b", None], "at": ["2024-01-01T00:00:00+01:00", "2024-01-02T00:00:00+02:00",
                                                           "2024-01-03T00:00:00+01:00", "2024-01-04T00:00:00+01:00"],
                       "n": [1, 2, None, 4], "yes": [True, False, True, True]})


@pytest.mark.parametrize(("entity", "time", "said"), [
    (["whom"], "at", "Did you mean 'who'"), (["who"], "when", "no column 'when'"), (["who"], None, "no column tells"),
    (["who"], "at", "no value in 1 of 4 rows"), ([], "n", "no value in 1 of 4 rows"), ([], "yes", "no order in time"),
    ([], "at", r"mixes time zones: \+01:00 \(3 rows\)"), (["at"], "at", "both the entity and the time"),
])
def test_columns_of_entity_and_time_that_cannot_be_such(entity, time, said):
    with pytest.raises(UserError, match=said):
        describe(EVENTS, entity=entity, time=time)


def test_entity_and_time_go_into_the_schema():
    table = describe(EVENTS.head(2), entity="who", time="n").table
    assert (table.entity, table.time, table.column("who").kind) == (("who",), "n", "id")
    plain = describe(EVENTS.head(2))
    assert resolve_schema(plain, read(EVENTS.head(2)), entity="who", time="n").table.time == "n"
