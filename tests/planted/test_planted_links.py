"""Faults that generators of databases are known for, planted in a shop: each is found by name; a clean shop raises none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from shop import Frames, found, scattered, schema_of, shop

TRAIN, HOLDOUT, FRESH = (shop(800, seed) for seed in (11, 12, 13))
SCHEMA = schema_of(TRAIN)
CHEAP = ["integrity", "cardinality", "across", "hops", "subject_copies", "subject_membership"]


def rows(frame: pl.DataFrame, where: int) -> pl.Expr:
    return pl.int_range(pl.len()) == where % frame.height


def orphaned(f: Frames) -> Frames:
    lines = f["lines"]
    return {**f, "lines": lines.with_columns(order=pl.when(rows(lines, 5)).then(-1).otherwise("order"))}


def repeated(f: Frames) -> Frames:
    return {**f, "orders": pl.concat([f["orders"], f["orders"][:1]])}


def keyless(f: Frames) -> Frames:
    lines = f["lines"]
    return {**f, "lines": lines.with_columns(product=pl.when(rows(lines, 5)).then(None).otherwise("product"))}


def too_few_children(f: Frames) -> Frames:
    """Every customer has an order at least, and none has many."""
    ids = f["customers"]["id"]
    return {**f, "orders": f["orders"].with_columns(customer=ids.gather(np.arange(f["orders"].height) % len(ids)))}


def advised(f: Frames) -> Frames:
    """All orders have an adviser, where three in ten should have none."""
    return {**f, "orders": f["orders"].with_columns(pl.col("adviser").fill_null(f["customers"]["id"][3]))}


def too_early(f: Frames) -> Frames:
    """Moments that were drawn alone: before the customer was one."""
    return {**f, "orders": f["orders"].with_columns(placed=f["orders"]["placed"].sample(fraction=1, shuffle=True, seed=1))}


def elsewhere(f: Frames) -> Frames:
    return {**f, "orders": f["orders"].with_columns(sent_to=pl.lit("town"))}


def half_copied(f: Frames) -> Frames:
    """Half of the customers, with all that is theirs, are those of the training data."""
    def part(frames: Frames) -> Frames:
        who = frames["customers"][:400]
        orders = frames["orders"].filter(pl.col("customer").is_in(who["id"].implode())).with_columns(
            adviser=pl.when(pl.col("adviser").is_not_null()).then(who["id"][0]))
        return {"customers": who, "orders": orders,
                "lines": frames["lines"].filter(pl.col("order").is_in(orders["order"].implode()))}

    one, other = part(TRAIN), part(f)
    return {**f, **{name: pl.concat([one[name], other[name]]) for name in one}}


FAULTS: dict[str, tuple[Callable[[Frames], Frames], str, list[str]]] = {
    "an orphan": (orphaned, "integrity", ["lines.order", "'orders' does not have", "1 of"]),
    "a key there twice": (repeated, "integrity", ["orders: a key that is missing or there twice"]),
    "a reference that is missing": (keyless, "integrity", ["lines.product: no key"]),
    "too even a number of children": (too_few_children, "cardinality", ["orders.customer"]),
    "too few that point nowhere": (advised, "cardinality", ["orders.adviser", "0.0% of the rows point nowhere"]),
    "out of order across tables": (too_early, "across", ["orders.placed", "customers.since"]),
    "a copy that is none": (elsewhere, "across", ["orders.sent_to is customers.home"]),
    "the second parent at random": (lambda f: scattered(f, "lines", "product"), "hops",
                                    ["customers.home and products.kind", "lost"]),
    "the owner at random": (lambda f: scattered(f, "lines", "order"), "hops", ["lines.pieces and customers.home", "lost"]),
    "half of the subjects copied": (half_copied, "subject_copies", ["'customers'", "near subjects", "exact subjects"]),
}


@pytest.fixture(scope="module")
def clean():
    return found(FRESH, TRAIN, HOLDOUT, SCHEMA)


def test_a_clean_shop_raises_nothing(clean):
    assert {f.name: f.reason for f in clean.findings if f.verdict in ("poor", "not answered")} == {}
    assert clean["parent_child"].value < 0.55 and clean["joined"].value < 0.58
    assert clean["hops"].details["pairs_that_differ"] <= 1


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_by_name(name, clean):
    plant, metric, words = FAULTS[name]
    answers = found(plant(FRESH), TRAIN, HOLDOUT, SCHEMA, CHEAP)
    finding = answers[metric]
    assert finding.verdict == "poor" and finding.p < 1e-3, finding.reason
    assert [word for word in words if word not in finding.reason] == []
    assert clean[metric].verdict in ("good", "fair") and clean[metric].p > 1e-3


def test_each_link_has_its_say():
    """Where the second parent is at random, the page of that link says so, and those of others do not."""
    told = found(scattered(FRESH, "lines", "product"), TRAIN, HOLDOUT, SCHEMA, ["hops", "cardinality", "integrity"])
    said = {entry["link"]: entry["verdict"] for entry in told["hops"].details["links"]}
    assert said["lines.product"] == "poor" and said["orders.adviser"] != "poor"
    assert {e["link"] for e in told["cardinality"].details["links"]} == {k.name for k in SCHEMA.links}
    for entry in told["cardinality"].details["links"]:
        real, fake = (entry["columns"][0][side] for side in ("real", "fake"))
        assert sum(real) == pytest.approx(1, abs=1e-3) and sum(fake) == pytest.approx(1, abs=1e-3)
    drawn = told["integrity"].details["schema"]
    assert [t["name"] for t in drawn["tables"]] == [*TRAIN] and len(drawn["links"]) == 4
    assert drawn["links"][0]["real"]["mean"] == pytest.approx(TRAIN["orders"].height / 800, abs=0.01)


def test_a_judge_does_not_know_kin_again():
    """Rows of two shops of one law, with columns that name the customer, are not told apart by these."""
    def named(frames: Frames) -> Frames:
        code = pl.col("customer").hash(seed=1) % 9973
        return {**frames, "orders": frames["orders"].with_columns(branch=code.cast(pl.Float64) / 7, desk=(
            "desk " + (code % 500).cast(pl.String)))}

    train, holdout, fresh = map(named, (TRAIN, HOLDOUT, FRESH))
    told = found(fresh, train, holdout, schema_of(train), ["parent_child", "joined"])
    assert told["parent_child"].value < 0.6 and told["joined"].value < 0.6, told.findings


def test_a_public_table_at_another_scale_is_no_fault():
    """A tenth of the shop has the whole catalogue, and a tenth of the lines of each product."""
    told = found(shop(150, 14), TRAIN, HOLDOUT, SCHEMA, ["cardinality", "parent_child", "hops"])
    assert [f.reason for f in told.findings if f.verdict == "poor"] == []
