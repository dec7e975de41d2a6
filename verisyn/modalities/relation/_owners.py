"""Whose children the rows of a table are: one link of each table at most is its owner, and owners form a forest."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from verisyn.errors import UserError
from verisyn.kinds._regenerated import words_of
from verisyn.linking.pointing import pointed
from verisyn.schema import Link, Schema

_LEAST_PARENTS = 20
"""Parents with children below which there is too little to learn histories from."""
_LEAST_ROWS = 200
"""Rows below which a table is no collection of histories, but a small table."""
_MOST_CHILDREN = 2_000
"""Mean number of children above which a parent's rows are no history of one, but a table's."""
_LEAST_COVER = 0.02
"""Share of the parents that must have children."""


def with_owners(schema: Schema, frames: Mapping[str, pl.DataFrame]) -> Schema:
    """Return the schema with an owner chosen for each table that names none, where a link is fit to be one.

    Raises
    ------
    UserError
        If a table names several owners, names itself, or owners go in a circle.
    """
    told = {link.table: link for link in schema.links if link.owner}
    for table in schema.tables:
        named = [link for link in schema.links_from(table.name) if link.owner]
        if len(named) > 1:
            raise UserError(f"Table {table.name!r} has {len(named)} owners: {', '.join(link.name for link in named)}. "
                            "Its rows can be drawn as the children of one parent; leave 'owner: true' at one link.")
        for link in named:
            if link.parent == link.table or link.where or link.optional or link.orphans:
                why = ("it points to its own table" if link.parent == link.table else
                       "it holds for some of the rows" if link.where else "some rows have no parent by it")
                raise UserError(f"The link {link.name} cannot be an owner, because {why}. Take 'owner: true' out; rows "
                                "then point to a parent that fits, in the numbers that the source has.")
    owners = dict(told)
    _no_circle(owners)
    fit = sorted(((score, link) for link in schema.links if link.table not in told
                  and (score := _fitness(link, schema, frames)) > 0), key=lambda s: (-s[0], s[1].name))
    for _, link in fit:
        if link.table not in owners and not _leads_to(owners, link.parent, link.table):
            owners[link.table] = link
    chosen = {link.name for link in owners.values()}
    return schema.model_copy(update={"links": tuple(link.model_copy(update={"owner": link.name in chosen})
                                                    for link in schema.links)})


def _no_circle(owners: Mapping[str, Link]) -> None:
    for table, link in owners.items():
        if _leads_to(owners, link.parent, table):
            raise UserError(f"The owners go in a circle: the rows of {table!r} belong to {link.parent!r}, whose rows "
                            f"belong, in the end, to {table!r}. Take 'owner: true' out at one of these links.")


def _leads_to(owners: Mapping[str, Link], table: str, end: str) -> bool:
    """Whether `table` is `end`, or belongs to it through owners."""
    seen = set()
    while table != end and table in owners and table not in seen:
        seen.add(table)
        table = owners[table].parent
    return table == end


def _fitness(link: Link, schema: Schema, frames: Mapping[str, pl.DataFrame]) -> float:
    """Say how fit a link is to be the owner; 0 for one that is not."""
    if link.parent == link.table or link.where or link.optional or link.orphans or schema.of(link.table).public:
        return 0
    repeated = {c.columns[0] for k in schema.links_from(link.table) for c in k.constraints if c.kind == "copy"}
    if repeated & set(link.columns):
        return 0  # a line's customer is its order's: the order owns the line
    found = pointed(frames[link.table], frames[link.parent], link)
    held = int((found.counts > 0).sum())
    if (found.at < 0).any() or held < _LEAST_PARENTS or held < _LEAST_COVER * found.parents:
        return 0
    if not _LEAST_ROWS <= len(found.at) <= _MOST_CHILDREN * held:
        return 0
    key = set(schema.of(link.table).key)
    return (2 * _in_runs(found.at, held) + held / found.parents + np.log10(held) / 2
            + 1.5 * _named_after(link) + (len(key) > 1 and set(link.columns) <= key)
            - 2 * schema.of(link.parent).public)


def _in_runs(at: np.ndarray, held: int) -> float:
    """How far the children of a parent stand together in the file: 1 where all do, 0 as by chance."""
    rows = len(at)
    if rows <= held:
        return 0.5
    changes = int((np.diff(at) != 0).sum()) + 1
    return float(np.clip((rows - changes) / (rows - held), 0, 1))


def _named_after(link: Link) -> bool:
    """Whether the child's name begins with the parent's: order_details of orders."""
    child, parent = words_of(link.table), words_of(link.parent)
    if len(child) <= len(parent):
        return False
    return all(c.rstrip("s") == p.rstrip("s") for c, p in zip(child, parent, strict=False))
