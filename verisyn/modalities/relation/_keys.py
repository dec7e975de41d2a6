"""Keys made anew: each table's own, then the columns that point to them; and those of orphans, which no parent has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn import shelves
from verisyn.kinds import BaseCoder, Draw
from verisyn.modalities.relation._structure import Structure
from verisyn.schema import Column, Link, Table

_KEYS = "id"


@dataclass(frozen=True)
class Numbering:
    """A part of a composite key that numbers the rows of a parent: ``start``, ``start + step``, …"""

    column: str
    start: int
    step: int
    dtype: str


def numbering_of(table: Table, frame: pl.DataFrame, owner: Link | None) -> Numbering | None:
    """Return how a part of a table's key numbers the rows of each owner, if it does."""
    if owner is None or len(table.key) != len(owner.columns) + 1 or not set(owner.columns) <= set(table.key):
        return None
    name = next(c for c in table.key if c not in owner.columns)
    values = frame[name]
    if not values.dtype.is_integer() or values.null_count() or not frame.height:
        return None
    ordered = frame.select(*owner.columns, name).sort(*owner.columns, name)
    place = ordered.select(pl.int_range(pl.len()).over(owner.columns).alias("place"))["place"].to_numpy()
    numbers = ordered[name].cast(pl.Int64).to_numpy()
    start, second = numbers[place == 0], numbers[place == 1]
    if not len(second) or (start != start[0]).any() or (second != second[0]).any():
        return None
    step = int(second[0] - start[0])
    if not np.array_equal(numbers, start[0] + step * place):
        return None
    return Numbering(name, int(start[0]), step, str(values.dtype))


class Keys:
    """The coders of keys that no link gives: by table, by column."""

    def __init__(self, coders: Mapping[str, Mapping[str, BaseCoder]], numberings: Mapping[str, Numbering]):
        self.coders, self.numberings = coders, numberings

    @classmethod
    def learn(cls, structure: Structure, frames: Mapping[str, pl.DataFrame], seed: np.random.SeedSequence) -> Self:
        """Learn the form of every key."""
        coders: dict[str, dict[str, BaseCoder]] = {}
        home = shelves.kinds.take(_KEYS)
        for table in structure.schema.tables:
            given = {c for link in structure.schema.links_from(table.name) for c in link.columns
                     if link.owner or not structure.is_data(link)}
            coders[table.name] = {}
            for name in sorted(structure.made[table.name] - given):
                column = table.column(name)
                if shelves.kinds.take(column.kind) is not home:
                    column = Column(name=name, kind=_KEYS, dtype=column.dtype)
                coders[table.name][name] = home.Coder.learn(frames[table.name].select(name), [column],
                                                            np.random.default_rng(seed.spawn(1)[0]))
        numberings = {t.name: found for t in structure.schema.tables
                      if (found := numbering_of(t, frames[t.name], structure.owner.get(t.name)))}
        return cls(coders, numberings)

    def make(self, table: str, rows: int, start: int = 0, taken: pl.DataFrame | None = None) -> dict[str, pl.Series]:
        """Make the keys of `rows` rows; none of them is among those of `taken`."""
        out = {}
        for name, coder in self.coders[table].items():
            made = _decoded(coder, rows, start)
            at = start + rows
            while taken is not None and (clash := made.is_in(taken[name].implode())).any():
                count = int(clash.sum())
                made = pl.concat([made.filter(~clash), _decoded(coder, count, at)])
                at += count
            out[name] = made
        return out

    @property
    def notes(self) -> list[str]:
        """What is to be said of the keys; what is said of several is said once."""
        said: dict[str, list[str]] = {}
        for table, of in self.coders.items():
            for name, coder in of.items():
                for note in coder.notes:
                    said.setdefault(note.replace(f"olumn {name!r}", "olumn …"), []).append(f"{table}.{name}")
        return [note.replace("Column …", f"Each of {', '.join(names)}").replace("column …", ", ".join(names))
                for note, names in said.items()]

    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        return {"coders": {t: {n: c.state() for n, c in of.items()} for t, of in self.coders.items()},
                "numberings": {t: vars(n) for t, n in self.numberings.items()}}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild from `state`."""
        home = shelves.kinds.take(_KEYS)
        coders = {t: {n: home.Coder.restore([n], s) for n, s in of.items()} for t, of in state["coders"].items()}
        return cls(coders, {t: Numbering(**n) for t, n in state["numberings"].items()})


def _decoded(coder: BaseCoder, rows: int, start: int) -> pl.Series:
    codes = np.zeros((rows, len(coder.parts)), np.int32)
    return coder.decode(codes, Draw(np.random.default_rng(start), np.zeros(rows, np.int64), start)).to_series()
