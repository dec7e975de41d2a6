"""What a user may wish of a database: how many rows, under which conditions, and which parents are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import polars as pl

from verisyn.conditions import Condition, parse
from verisyn.description import modelled
from verisyn.errors import UserError, did_you_mean, whole_number
from verisyn.frames import to_polars
from verisyn.modalities.relation._learn import Learnt
from verisyn.modalities.relation._public import Public
from verisyn.modalities.relation._structure import Structure

LEAST, MOST = 0.001, 1000.0


@dataclass(frozen=True)
class Wishes:
    """Wishes, read and checked.

    Parameters
    ----------
    sizes : mapping of str to int
        Rows of each root.
    given : mapping of str to Condition
        What the rows of a table are to meet.
    seeds : mapping of str to polars.DataFrame
        Rows of roots that are there already.
    """

    sizes: Mapping[str, int]
    given: Mapping[str, Condition] = field(default_factory=dict)
    seeds: Mapping[str, pl.DataFrame] = field(default_factory=dict)

    @classmethod
    def read(cls, learnt: Learnt, *, scale: float = 1.0, rows: Any = None, given: Any = None, seed_tables: Any = None
             ) -> Self:
        """Check what was wished.

        Raises
        ------
        UserError
            If it names an unknown table or column, or cannot be met.
        """
        structure = learnt.structure
        if not isinstance(scale, int | float) or isinstance(scale, bool) or not LEAST <= scale <= MOST:
            raise UserError(f"scale is {scale!r}; a number from {LEAST} to {MOST:g} was expected: 0.1 draws a tenth of "
                            "the source's rows, 10 ten times as many.")
        if isinstance(rows, int):  # of all tables together, about
            scale, rows = whole_number("rows", rows, 1) / max(sum(learnt.rows.values()), 1), None
        rows = _mapping(rows, "rows", '{"customers": 500}', structure)
        seeds = {name: _seed(structure, name, frame)
                 for name, frame in _mapping(seed_tables, "seed_tables", '{"customers": frame}', structure).items()}
        conditions = {}
        for name, wish in _mapping(given, "given", '{"customers": "country == \'Peru\'"}', structure).items():
            if isinstance(learnt.tables[name], Public) or name in seeds:
                raise UserError(f"A condition was given for {name!r}, whose rows are kept as they are. Give it for "
                                "another table.")
            conditions[name] = parse(wish, structure.schema.of(name).names)
        sizes = {}
        for table in structure.roots:
            kept = isinstance(learnt.tables[table], Public) or table in learnt.lookups
            sizes[table] = learnt.rows[table] if kept else max(round(learnt.rows[table] * scale), 1)
        for name, count in rows.items():
            count = whole_number(f"rows of {name!r}", count, 0)
            if isinstance(learnt.tables[name], Public) or name in seeds:
                raise UserError(f"A number of rows was given for {name!r}, whose rows are kept as they are. Leave it "
                                "out.")
            root = structure.root_of(name)
            if root in seeds:
                raise UserError(f"A number of rows was given for {name!r}, whose rows belong to the given rows of "
                                f"{root!r}: there are as many as these have. Leave it out.")
            share = count / max(learnt.rows[name], 1)
            sizes[root] = count if root == name else max(round(learnt.rows[root] * share), 1)
        return cls(sizes, conditions, seeds)


def _mapping(asked: Any, what: str, example: str, structure: Structure) -> dict[str, Any]:
    """Return a wish by table."""
    if asked is None:
        return {}
    if not isinstance(asked, Mapping):
        raise UserError(f"{what} is {asked!r}, but a mapping from tables was expected, such as {example}.")
    names = [t.name for t in structure.schema.tables]
    for name in asked:
        if name not in names:
            raise UserError(f"{what} names the table {name!r}, which is not there. {did_you_mean(str(name), names)}")
    return dict(asked)


def _seed(structure: Structure, name: str, native: Any) -> pl.DataFrame:
    """Return the given rows of a root, with the columns that are learnt."""
    table = structure.schema.of(name)
    if name in structure.owner:
        raise UserError(f"Rows were given for {name!r}, whose rows belong to those of {structure.owner[name].parent!r}"
                        f". Give rows of {structure.root_of(name)!r} instead; what belongs to them is drawn.")
    frame = native if isinstance(native, pl.DataFrame) else to_polars(native)[0]
    made = structure.made[name]
    lacking = [c.name for c in table.columns if c.name not in frame.columns and c.name not in made and modelled(c)]
    if lacking:
        raise UserError(f"The given rows of {name!r} lack the column {lacking[0]!r}, on which what belongs to them "
                        "depends. Add it, empty where it is not known.")
    if not frame.height:
        raise UserError(f"No rows were given for {name!r}. Give one at least, or leave the table out.")
    frame = frame.select(c for c in table.names if c in frame.columns)
    if table.key and set(table.key) <= set(frame.columns) and frame.select(table.key).is_duplicated().any():
        raise UserError(f"Among the given rows of {name!r} a key stands twice. Give each row once.")
    return frame
