"""A shop to judge metrics of databases by: customers, their orders, the lines of these, products; and ways to spoil it."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from verisyn.description import describe
from verisyn.metrics import EFFORTS
from verisyn.modalities.relation._assess import Databases, assess
from verisyn.schema import Column, Constraint, Link, Schema, Table

KINDS = np.array(["food", "tools", "books", "toys"])
Frames = dict[str, pl.DataFrame]


def products(rows: int = 80) -> pl.DataFrame:
    """The catalogue, the same for all."""
    rng = np.random.default_rng(99)
    kind = rng.integers(0, 4, rows)
    return pl.DataFrame({"product": np.arange(rows) + 500, "kind": KINDS[kind],
                         "price": np.exp(rng.normal(1 + kind, 0.4, rows)).round(2)})


def shop(customers: int, seed: int) -> Frames:
    """Draw customers with all that belongs to them, and the catalogue.

    The old buy more often; who lives in the town buys books, and in great numbers; who has many orders has small ones.
    """
    rng, goods = np.random.default_rng(seed), products()
    age, town = rng.integers(18, 80, customers), rng.random(customers) < 0.5
    many = rng.poisson(np.exp((age - 18) / 40))
    who = np.repeat(np.arange(customers), many)
    order = len(who)
    lines = 1 + rng.poisson(np.where(many[who] > 2, 0.5, 2.5))
    which = np.repeat(np.arange(order), lines)
    likes = np.where(town[who[which]], 2, rng.integers(0, 4, len(which)))
    kind = np.where(rng.random(len(which)) < 0.8, likes, rng.integers(0, 4, len(which)))
    of_kind = [np.flatnonzero(goods["kind"].to_numpy() == k) for k in KINDS]
    product = np.array([rng.choice(of_kind[k]) for k in kind], dtype=int)
    place, base = rng.permutation(customers) + seed * 100_000, order * 1_000 + seed * 10_000_000
    start = datetime(2024, 1, 1)
    since, waited = rng.integers(0, 700, customers), rng.integers(0, 300, order)
    return {
        "customers": pl.DataFrame({"id": place, "age": age, "home": np.where(town, "town", "country"),
                                   "since": [start + timedelta(days=int(d)) for d in since]}),
        "orders": pl.DataFrame({"order": np.arange(order) + base, "customer": place[who],
                                "placed": [start + timedelta(days=int(d)) for d in since[who] + waited],
                                "sent_to": np.where(town, "town", "country")[who],
                                "paid": rng.choice(["card", "cash"], order, p=[0.7, 0.3]),
                                "adviser": [None if rng.random() < 0.3 else int(a) for a in place[
                                    rng.integers(0, customers, order)]]}),
        "lines": pl.DataFrame({"order": base + which, "product": goods["product"].to_numpy()[product],
                               "pieces": 1 + rng.poisson(np.where(town[who[which]], 6, 1))}),
        "products": goods,
    }


HOLDS = (Constraint(kind="order", columns=("placed", "since"), settings={"before": False}),
         Constraint(kind="copy", columns=("sent_to", "home")))
LINKS = (Link(table="orders", columns=("customer",), parent="customers", key=("id",), owner=True, constraints=HOLDS),
         Link(table="orders", columns=("adviser",), parent="customers", key=("id",), optional=True),
         Link(table="lines", columns=("order",), parent="orders", key=("order",), owner=True),
         Link(table="lines", columns=("product",), parent="products", key=("product",)))
KEYS = {"customers": ("id",), "orders": ("order",), "lines": (), "products": ("product",)}


def schema_of(frames: Frames, links: tuple[Link, ...] = LINKS, keys: dict[str, tuple[str, ...]] | None = None) -> Schema:
    """Describe the tables one by one, and add what points where."""
    keys = KEYS if keys is None else keys
    pointing = {(link.table, c) for link in links for c in link.columns}

    def column(table: str, c: Column) -> Column:
        known = c.name in keys[table] or (table, c.name) in pointing
        return c.model_copy(update={"kind": "id", "settings": {}}) if known else c

    def table(name: str) -> Table:
        found = describe(frames[name], name=name).table
        return found.model_copy(update={"columns": tuple(column(name, c) for c in found.columns), "key": keys[name],
                                        "target": None, "constraints": (), "public": name == "products"})

    return Schema(tables=tuple(map(table, frames)), links=links)


def found(fake: Frames, train: Frames, holdout: Frames | None, schema: Schema, metrics=None, effort="standard", seed=0):
    """Assess a synthetic shop."""
    return assess(fake, train, holdout, schema, effort=EFFORTS[effort], seed=seed, metrics=metrics)


def sides_of(fake: Frames, train: Frames, holdout: Frames | None, schema: Schema, effort: str = "standard") -> Databases:
    """See the databases as metrics do."""
    return Databases.of(fake, train, holdout, schema, EFFORTS[effort], 0)


def rekeyed(frames: Frames) -> Frames:
    """Give every customer and every order another key."""
    def word(column: str) -> pl.Expr:
        return ("k" + (pl.col(column) * 7919 % 1_000_003).cast(pl.String)).alias(column)

    return {**frames, "customers": frames["customers"].with_columns(word("id")),
            "orders": frames["orders"].with_columns(word("order"), word("customer"), word("adviser")),
            "lines": frames["lines"].with_columns(word("order"))}


def scattered(frames: Frames, table: str, column: str, *, by_chance: bool = False, seed: int = 0) -> Frames:
    """Let the rows of a table point to parents at random, each parent keeping its number of rows, or not even that."""
    rng, keys = np.random.default_rng(seed), frames[table][column]
    if by_chance:
        link = next(k for k in LINKS if (k.table, k.columns) == (table, (column,)))
        drawn = frames[link.parent][link.key[0]][rng.integers(0, frames[link.parent].height, len(keys))]
    else:
        drawn = keys[rng.permutation(len(keys))]
    return {**frames, table: frames[table].with_columns(drawn.alias(column))}


def disjoint(frames: Frames) -> Frames:
    """Move every value of the customers and of the orders to where no real value is."""
    return {**frames, "customers": frames["customers"].with_columns(
        pl.col("age") + 500, pl.lit("nowhere").alias("home"), pl.col("since").dt.offset_by("30y")),
        "orders": frames["orders"].with_columns(pl.col("placed").dt.offset_by("30y"), pl.lit("gold").alias("paid"))}
