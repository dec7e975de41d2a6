"""What a database can declare of tables: the keys and foreign keys that hold in every row, parents before children."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from verisyn.schema import Link, Schema


@dataclass(frozen=True)
class Plan:
    """In which order tables are made, and what is declared of them.

    Parameters
    ----------
    order : tuple of str
        All tables, parents before their children as far as links do not go in a circle.
    keys : dict
        The primary key of each table that has one.
    unique : dict
        Other columns that links point to, by table.
    links : tuple of Link
        Foreign keys that no row breaks.
    """

    order: tuple[str, ...]
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unique: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    links: tuple[Link, ...] = ()

    def of(self, table: str, *, backwards: bool = True) -> list[Link]:
        """The foreign keys of a table; without `backwards`, those to itself or to tables before it alone."""
        place = {name: i for i, name in enumerate(self.order)}
        return [link for link in self.links
                if link.table == table and (backwards or place[link.parent] <= place[table])]


def plan(frames: Mapping[str, pl.DataFrame], schema: Schema | None) -> Plan:
    """Return what of a schema's keys and links the tables themselves keep; a database would refuse the rest.

    Examples
    --------
    >>> link = Link(table="pets", columns=("owner",), parent="people", key=("id",))
    >>> frames = {"pets": pl.DataFrame({"owner": [7, 7]}), "people": pl.DataFrame({"id": [5, 7]})}
    >>> plan(frames, Schema(tables=(), links=(link,))).order
    ('people', 'pets')
    """
    if schema is None:
        return Plan(tuple(frames))
    keys = {t.name: t.key for t in schema.tables if t.name in frames and t.key and _tells_apart(frames[t.name], t.key)}
    links = tuple(link for link in schema.links if _kept(link, frames))
    unique: dict[str, list[tuple[str, ...]]] = {}
    for link in links:
        mine = unique.setdefault(link.parent, [])
        if keys.get(link.parent) != link.key and link.key not in mine:
            mine.append(link.key)
    return Plan(parents_first(list(frames), links), keys, unique, links)


def parents_first(tables: list[str], links: tuple[Link, ...]) -> tuple[str, ...]:
    """Return the tables with parents before children; where links go in a circle, as few as can be point backwards."""
    waiting = {t: {k.parent for k in links if k.table == t and k.parent != t and k.parent in tables} for t in tables}
    order: list[str] = []
    while waiting:
        ready = [t for t, parents in waiting.items() if not parents] or [min(waiting, key=lambda t: len(waiting[t]))]
        for table in ready:
            del waiting[table]
        for parents in waiting.values():
            parents.difference_update(ready)
        order += ready
    return tuple(order)


def _tells_apart(frame: pl.DataFrame, key: tuple[str, ...]) -> bool:
    there = set(key) <= set(frame.columns)
    return there and not any(frame.select(key).null_count().row(0)) and not frame.select(key).is_duplicated().any()


def _kept(link: Link, frames: Mapping[str, pl.DataFrame]) -> bool:
    """Whether every row that points finds a parent; a column that points here or there cannot be declared."""
    child, parent = frames.get(link.table), frames.get(link.parent)
    if child is None or parent is None or link.where or not set(link.columns) <= set(child.columns):
        return False
    types = all(child.schema[c] == parent.schema.get(k) for c, k in zip(link.columns, link.key, strict=True))
    if not types or not _tells_apart(parent, link.key):
        return False
    pointing = child.select(link.columns).drop_nulls()
    return not pointing.join(parent.select(link.key), left_on=link.columns, right_on=link.key, how="anti").height
