"""A shop where much follows from something else, and tables to plant one such thing in."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from verisyn.description import describe_column
from verisyn.schema import Column, Link, Schema, Table

DAY = date(2020, 1, 1)
KEYS = {"customers": ("customer",), "products": ("product",), "orders": ("order",), "lines": ()}
LINKS = (Link(table="orders", columns=("customer",), parent="customers", key=("customer",)),
         Link(table="lines", columns=("order",), parent="orders", key=("order",)),
         Link(table="lines", columns=("product",), parent="products", key=("product",)),
         Link(table="lines", columns=("customer",), parent="customers", key=("customer",)))


def later(days, start=DAY):
    return [start + timedelta(int(d)) for d in days]


def shop(customers=120, seed=0):
    """A shop where much follows from something else."""
    rng = np.random.default_rng(seed)
    joined = rng.integers(0, 900, customers)
    people = pl.DataFrame({
        "customer": np.arange(customers) + 1000, "city": rng.choice(["Oslo", "Rome", "Bonn", "Lyon"], customers),
        "email": [f"p{i}@x.org" if rng.random() > 0.1 else None for i in range(customers)], "joined": later(joined)})
    goods = pl.DataFrame({"product": [f"P{i:03}" for i in range(40)], "price": rng.lognormal(3, 0.6, 40).round(2)})
    who = np.repeat(np.arange(customers), rng.poisson(3, customers))
    placed = joined[who] + rng.exponential(200, len(who)).astype(int)
    orders = pl.DataFrame({
        "order": np.arange(len(who)) + 1, "customer": people["customer"][who], "town": people["city"][who],
        "mail": people["email"][who], "placed": later(placed), "shipped": later(placed + rng.integers(0, 9, len(who))),
    }).sort("customer", "placed")
    at = np.repeat(np.arange(orders.height), rng.integers(1, 6, orders.height))
    product = rng.integers(0, 40, len(at))
    lines = pl.DataFrame({
        "order": orders["order"][at], "customer": orders["customer"][at], "product": goods["product"][product],
        "price": goods["price"][product], "qty": rng.integers(1, 9, len(at)),
        "discount": rng.choice([0.0, 0.1, 0.2], len(at))}).with_columns(amount=(pl.col("price") * pl.col("qty")).round(2))
    net = (pl.col("amount") * (1 - pl.col("discount"))).sum().round(2)
    totals = lines.group_by("order").agg(net.alias("total"), lines=pl.len())
    orders = orders.join(totals, on="order", how="left", maintain_order="left")
    of_people = orders.group_by("customer").agg(n=pl.len(), first=pl.col("placed").min(), last=pl.col("shipped").max(),
                                                spent=pl.col("total").sum().round(2))
    people = people.join(of_people, on="customer", how="left", maintain_order="left").with_columns(
        pl.col("n").fill_null(0), pl.col("spent").fill_null(0.0))
    return {"customers": people, "products": goods, "orders": orders, "lines": lines}


def schema_of(frames, links, keys=None, ids=()):
    """A schema with these links, the tables' own constraints not sought."""
    keyed = {(k.table, c) for k in links for c in k.columns} | {(k.parent, c) for k in links for c in k.key} | set(ids)
    tables = [Table(name=n, key=(keys or {}).get(n, ()), rows=f.height, columns=tuple(
        Column(name=c, kind="id") if (n, c) in keyed else describe_column(f[c]) for c in f.columns))
        for n, f in frames.items()]
    return Schema(tables=tuple(tables), links=tuple(links))


def told(schema):
    return {k.name: {(c.kind, *c.columns) for c in k.constraints} for k in schema.links}


def scrambled(frames, rules, keys, seed=1):
    """The tables without what is recomputed, every other column but the keys shuffled on its own."""
    rng = np.random.default_rng(seed)
    out = {}
    for name, frame in frames.items():
        bare = frame.drop(rules.recomputed.get(name, ()))
        out[name] = bare.with_columns(bare[c].gather(rng.permutation(bare.height)) for c in bare.columns
                                      if c not in keys)
    return out


def broken(rules, frames):
    return {c.sentence: c.broken for c in rules.checks(frames) if c.broken}


def two(child, parent, where=None, **settings):
    """Two tables, linked by ``at`` and ``id``."""
    frames = {"child": pl.DataFrame(child), "parent": pl.DataFrame(parent)}
    link = Link(table="child", columns=("at",), parent="parent", key=("id",), where=where or {}, **settings)
    return frames, schema_of(frames, [link], {"parent": ("id",)})
