"""Whether a schema of several tables can be meant of the data: its tables, keys and links; and what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from verisyn import shelves
from verisyn.errors import UserError, did_you_mean, listed
from verisyn.linking.declared import measured
from verisyn.linking.evidence import plain, repeats
from verisyn.schema import Link, Schema, Table

_REPEATS = 1 / 1000
"""Share of a parent's rows whose key may repeat another's: then the first of them is meant."""
_FEW = 200
"""Rows that a reference table has at most, or one in twenty of those that point to it."""

Frames = Mapping[str, pl.DataFrame]


def checked(schema: Schema, frames: Frames, checked_table: Callable[[Table, pl.DataFrame], Table]) -> Schema:
    """Return a schema of several tables with what of it stands.

    Raises
    ------
    UserError
        If a table, column, key or link is not in the data, or the data do not keep it.
    """
    absent = [t.name for t in schema.tables if t.name not in frames]
    if absent:
        raise UserError(f"The schema names the table {absent[0]!r}, which the data lacks. "
                        f"{did_you_mean(absent[0], frames)} Correct the schema.")
    tables = tuple(checked_table(t, frames[t.name]) for t in schema.tables)
    schema = schema.model_copy(update={"tables": tables})
    for table in tables:
        _check_key(table, frames[table.name])
    links: list[Link] = []
    for link in schema.links:
        if wrong := _fault(link, frames, schema):
            raise UserError(f"The link {link.name}: {wrong}")
        if not any(_same(link, other) for other in links):
            links.append(_as_found(link, frames))
    _one_owner(links)
    return schema.model_copy(update={"links": tuple(links)})


def meant(links: Sequence[Link], frames: Frames) -> tuple[tuple[Link, ...], tuple[str, ...]]:
    """Return the declared links that the data keep, and notes about the others: a catalogue may declare what is not."""
    kept, notes = [], []
    for link in links:
        if wrong := _fault(link, frames):
            notes.append(f"The declared link {link.name} was left out: {wrong}")
        else:
            kept.append(link)
    return tuple(kept), tuple(notes)


def ids(keys: Mapping[str, tuple[str, ...]], links: Sequence[Link], frames: Frames) -> dict[str, dict[str, str]]:
    """Return the columns of each table that are keys, or point to some, with a sentence that says so.

    Parts of a key of several columns are data of their own (a year, an hour), unless they point somewhere.
    """
    found: dict[str, dict[str, str]] = {t: {} for t in frames}
    for table, columns in keys.items():
        if len(columns) == 1:
            found[table][columns[0]] = "The key of this table."
    for link in links:
        if len(link.columns) == 1:
            found[link.parent].setdefault(link.key[0], f"Rows of {link.table!r} point to it.")
    for link in links:
        if len(link.columns) == 1:
            found[link.table].setdefault(link.columns[0], f"Points to {link.parent}.{link.key[0]}.")
    changed = True
    while changed:  # a part of a longer key points as the column does that it points to
        changed = False
        for link in links:
            for own, key in zip(link.columns, link.key, strict=True):
                if key in found[link.parent] and own not in found[link.table]:
                    found[link.table][own] = f"Points to {link.parent}.{key}."
                    changed = True
    return found


def reference_tables(schema: Schema) -> tuple[str, ...]:
    """Return the note that names tables that look like lists anyone may know: others point to them, they to none."""
    rows = {t.name: t.rows for t in schema.tables}
    able = []
    for table in schema.tables:
        children = [link.table for link in schema.links_to(table.name) if link.table != table.name]
        few = bool(children) and table.rows <= max(_FEW, max(rows[c] for c in children) / 20)
        if few and not schema.links_from(table.name) and not table.public and not _of_people(table):
            able.append(table.name)
    if not able:
        return ()
    many = len(able) > 1
    look, their, them = ("look like reference tables", "their", "them") if many else ("looks like a reference table",
                                                                                     "its", "it")
    return (f"{listed(able)} {look}. If anyone may know {their} rows, write 'public: true' for {them} in the schema, "
            "and they are kept word for word.",)


def _of_people(table: Table) -> bool:
    return any(c.sensitive or getattr(shelves.kinds.take(c.kind), "of_people", False) for c in table.columns)


def _as_found(link: Link, frames: Frames) -> Link:
    """A link that a person wrote has no evidence, and is measured; one that was measured may have been edited."""
    told = measured(link, frames, "the schema tells")
    return link.model_copy(update={"optional": told.optional}) if link.evidence else told


def _same(one: Link, two: Link) -> bool:
    return all(getattr(one, f) == getattr(two, f) for f in ("table", "columns", "parent", "key", "where"))


def _check_key(table: Table, frame: pl.DataFrame) -> None:
    for column in table.key:
        table.column(column)
    if table.key and (twice := repeats(frame, table.key)):
        raise UserError(f"The key {_spelt(table.key)} of {table.name!r} is not unique: {twice:,} of {frame.height:,} "
                        "rows repeat another's. Correct the key in the schema, or leave it empty.")


def _fault(link: Link, frames: Frames, schema: Schema | None = None) -> str:
    """Return the sentence that says why a link cannot be meant; empty if it can."""
    if len(link.columns) != len(link.key):
        return f"{len(link.columns)} columns cannot point to a key of {len(link.key)}. Name as many."
    known = {n: set(schema.of(n).names) if schema and n in {t.name for t in schema.tables} else set(frames[n].columns)
             for n in frames if not schema or n in {t.name for t in schema.tables}}
    for table, columns in ((link.table, (*link.columns, *link.where)), (link.parent, link.key)):
        if table not in known:
            return f"there is no table {table!r}. {did_you_mean(table, known)}"
        absent = next((c for c in columns if c not in known[table]), None)
        if absent is not None:
            return f"{table!r} has no column {absent!r}. {did_you_mean(absent, known[table])}"
    return _never(link, frames) or _mixed(link, frames) or _not_unique(link, frames)


def _never(link: Link, frames: Frames) -> str:
    """Return the sentence that says that no row meets the condition under which a link holds."""
    for column, value in link.where.items():
        values = frames[link.table][column]
        try:
            met = bool((values == value).any())
        except (pl.exceptions.PolarsError, TypeError):  # text beside numbers
            met = False
        if not met:
            have = values.drop_nulls().unique().cast(pl.String).to_list()
            return f"no row of {link.table!r} has {value!r} in {column!r}. {did_you_mean(str(value), have)}"
    return ""


def _mixed(link: Link, frames: Frames) -> str:
    child, parent = frames[link.table], frames[link.parent]
    for own, key in zip(link.columns, link.key, strict=True):
        if child[own].null_count() == child.height:
            return f"{own!r} has no value in any row, so it points nowhere. Take the link out."
        if (some := _sort(child[own])) != (others := _sort(parent[key])):
            return (f"{link.table}.{own} holds {some}, {link.parent}.{key} holds {others}; the two sides of a link "
                    "need the same type. Make them alike in the source, or take the link out.")
    return ""


def _sort(values: pl.Series) -> str:
    found = plain(values)
    if found is None:
        return "fractions" if values.dtype.is_float() else f"{values.dtype}"
    return "text" if found.dtype == pl.String else "whole numbers"


def _not_unique(link: Link, frames: Frames) -> str:
    parent = frames[link.parent]
    twice = repeats(parent, link.key)
    if twice <= parent.height * _REPEATS:
        return ""
    example = parent.select(link.key).drop_nulls().group_by(link.key).len("rows").sort("rows", descending=True)
    row = example.row(0, named=True)
    return (f"the key {_spelt(link.key)} of {link.parent!r} is not unique: {twice:,} of {parent.height:,} rows repeat "
            f"another's, and one key has {row['rows']:,} rows. A link needs one parent for each key; name other "
            "columns, or take the link out.")


def _one_owner(links: Sequence[Link]) -> None:
    owned = [link.table for link in links if link.owner]
    several = next((t for t in owned if owned.count(t) > 1), None)
    if several is not None:
        names = [link.name for link in links if link.owner and link.table == several]
        raise UserError(f"The table {several!r} has {len(names)} owners: {', '.join(names)}. Its rows are drawn as "
                        "children of one parent; set 'owner: true' for one link alone.")


def _spelt(columns: Sequence[str]) -> str:
    return " and ".join(map(repr, columns))
