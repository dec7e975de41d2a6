"""Find what holds between the tables of a database, link by link."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from verisyn.description import modelled
from verisyn.linking.pointing import pointed
from verisyn.modalities.relation._across import _copies, _derived, _orders, _totals
from verisyn.modalities.relation._across._between import Pair
from verisyn.schema import Column, Constraint, Link, Schema, Table


def found(frames: Mapping[str, pl.DataFrame], schema: Schema) -> Schema:
    """Return `schema` with what holds between each child's row and its parent's, in the links' constraints.

    Only what holds in nearly all rows and cannot be chance is believed. Where two links would set the same column, the
    one that holds in more rows does. Constraints that links have already are kept, and nothing is sought there. A copy
    of what is made anew (names, free text) is made anew too: it gets that kind.

    Parameters
    ----------
    frames : mapping of str to polars.DataFrame
        All tables with all their rows: a part of the children would hide totals.
    schema : Schema
        Its tables and links; the tables' own constraints serve to leave out what follows from them.

    Examples
    --------
    >>> from verisyn.schema import Column, Table
    >>> towns = pl.DataFrame({"id": range(40), "name": [f"town {i}" for i in range(40)]})
    >>> orders = pl.DataFrame({"town": [i * 7 % 40 for i in range(200)]})
    >>> orders = orders.with_columns(place=towns["name"].gather(orders["town"]))
    >>> tables = (Table(name="towns", columns=(Column(name="id", kind="id"), Column(name="name", kind="category"))),
    ...           Table(name="orders", columns=(Column(name="town", kind="id"), Column(name="place", kind="category"))))
    >>> link = Link(table="orders", columns=("town",), parent="towns", key=("id",))
    >>> schema = found({"towns": towns, "orders": orders}, Schema(tables=tables, links=(link,)))
    >>> schema.links[0].constraints[0].evidence
    'orders.place is towns.name in all 200 rows that point to one.'
    """
    links = [k if k.constraints else k.model_copy(update={"constraints": tuple(_of_link(frames, schema, k))})
             for k in schema.links]
    setters: dict[tuple[str, str], tuple[float, int]] = {}
    for i, link in enumerate(links):
        for c in link.constraints:
            if (target := _sets(link, c)) is not None:
                setters[target] = max(setters.get(target, (0.0, 0)), (float(c.settings.get("share", 1.0)), -i))
    kept = [link.model_copy(update={"constraints": tuple(
        c for c in link.constraints if setters.get(_sets(link, c), (0, -i))[1] == -i)}) for i, link in enumerate(links)]
    return _kinds_of_copies(schema.model_copy(update={"links": tuple(kept)}))


def _kinds_of_copies(schema: Schema) -> Schema:
    """Give copies the kind of what they repeat, where that is made anew.

    A customer's name is in many of her orders, and looks like a category there: its values would be published. What the
    child's own constraints and biases say of such a column goes too, for it says those values.
    """
    tables = {t.name: t for t in schema.tables}
    for _ in schema.tables:
        for link in schema.links:
            for name, above in (c.columns for c in link.constraints if c.kind == "copy"):
                column, source = tables[link.table].column(name), tables[link.parent].column(above)
                if modelled(column) and not modelled(source):
                    tables[link.table] = _as_kind(tables[link.table], column, source, link)
    return schema.model_copy(update={"tables": tuple(tables[t.name] for t in schema.tables)})


def _as_kind(table: Table, column: Column, source: Column, link: Link) -> Table:
    told = f"Repeats {link.parent}.{source.name}, which is made anew."
    as_source = column.model_copy(update={"kind": source.kind, "settings": source.settings, "evidence": told})
    rest = table.of([n for n in table.names if n != column.name])
    return table.model_copy(update={
        "columns": tuple(as_source if c is column else c for c in table.columns), "constraints": rest.constraints,
        "biases": rest.biases, "target": None if table.target == column.name else table.target})


def _sets(link: Link, constraint: Constraint) -> tuple[str, str]:
    """The table and the column that a constraint sets; of an order, which only bounds it, with a name of its own."""
    if constraint.kind == "order":
        return link.name, str(constraint)
    if constraint.kind in ("copy", "derived"):
        return link.table, constraint.columns[0]
    return link.parent, constraint.columns[-1]


def _of_link(frames: Mapping[str, pl.DataFrame], schema: Schema, link: Link) -> list[Constraint]:
    child, parent = frames[link.table], frames[link.parent]
    pair = Pair(child, parent, pointed(child, parent, link).at)
    own = [c for c in _able(schema, link.table) if c in child.columns and c not in link.where]
    above = [c for c in _able(schema, link.parent) if c in parent.columns]
    own_keys = [c for c in own if c in schema.of(link.table).key or _points(schema, link.table, c)]
    copies = _copies.find(pair, link, ([c for c in own if c not in own_keys], above))
    taken, repeated = {c.columns[0] for c in copies}, {c.columns[-1] for c in copies}
    free = [c for c in own if c not in taken and c not in own_keys]
    numbers = [c for c in above if c not in schema.of(link.parent).key and not _points(schema, link.parent, c)]
    derived = _derived.find(pair, link, schema, (free, numbers))
    totals = _totals.find(pair, link, schema, ([c for c in own if c not in own_keys],
                                               [c for c in numbers if c not in repeated]))
    computed = {c.columns[-1] for c in totals} | {c.columns[0] for c in derived}
    orders = _orders.find(pair, link, schema, ([c for c in free if c not in computed],
                                               [c for c in numbers if c not in computed]))
    below = _orders.ordered(schema.of(link.table)), _orders.ordered(schema.of(link.parent))
    return [*copies, *_copies.diamonds(pair, link, schema), *derived, *totals, *_orders.tightest(orders, below)]


def _able(schema: Schema, table: str) -> list[str]:
    return schema.of(table).names


def _points(schema: Schema, table: str, column: str) -> bool:
    return any(column in link.columns for link in schema.links_from(table))
