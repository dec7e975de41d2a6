"""Whom a database is about: the table whose rows are held out, with all that belongs to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from verisyn import shelves
from verisyn.modalities.relation._structure import Structure
from verisyn.schema import Schema

LEAST_SUBJECTS = 50
_PEOPLE = 10
_OTHERS = 0.5
"""Share of an owner's further rows that are other people's, from which on a table is one of people rather than of what
people do: the orders of a customer repeat a name."""


def subject_of(structure: Structure, frames: Mapping[str, pl.DataFrame]) -> str | None:
    """Return the table whose rows a database is about: people rather than things, else what most rows belong to.

    That is a table that belongs to none, or one of people. None where no such table has enough rows.
    """
    best, found = 0.0, None
    for table in sorted(structure.order, key=lambda name: name in structure.owner):
        people = _of_people(structure, table, frames[table])
        if structure.schema.of(table).public or frames[table].height < LEAST_SUBJECTS:
            continue
        if table in structure.owner and not people:
            continue
        score = sum(frames[t].height for t in (table, *structure.under(table))) * (_PEOPLE if people else 1)
        if score > best:
            best, found = score, table
    return found


def on_its_own(schema: Schema, frames: Mapping[str, pl.DataFrame], told: Collection[str]) -> Schema:
    """Return the schema with subjects that belong to no other table, but for those of owners that were told, by name.

    What a subject's owner has otherwise could not be held out with it: the owner would have too few.
    """
    structure = Structure(schema)
    subject = subject_of(structure, frames)
    link = structure.owner.get(subject) if subject else None
    if link is None or link.name in told:
        return schema
    return schema.model_copy(update={"links": tuple(
        k.model_copy(update={"owner": False}) if k.name == link.name else k for k in schema.links)})


def _of_people(structure: Structure, name: str, frame: pl.DataFrame) -> bool:
    """Whether the columns of a table tell who somebody is; of one with an owner, whether rows are other people's."""
    columns = [c.name for c in structure.schema.of(name).columns
               if getattr(shelves.kinds.take(c.kind), "of_people", False)]
    if not columns or name not in structure.owner:
        return bool(columns)
    owner = structure.owner[name].columns
    columns = [c for c in columns if c not in owner]
    owners = frame.select(owner).n_unique()
    return frame.select(*owner, *columns).n_unique() - owners > _OTHERS * (frame.height - owners)
