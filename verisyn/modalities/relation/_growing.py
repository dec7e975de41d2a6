"""Rows of all tables, before it is known which other parents they point to: roots first, then what they own."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from verisyn.drawing import child
from verisyn.modalities.relation import _hidden
from verisyn.modalities.relation._learn import Learnt
from verisyn.modalities.relation._structure import Structure
from verisyn.modalities.table import Allowed


@dataclass
class Rows:
    """Tables as drawn so far.

    Parameters
    ----------
    structure : Structure
    frames : dict of str to polars.DataFrame
        Hidden columns among them.
    at : dict of str to int64 array
        By link, which row of the parent each row points to; -1 nowhere, -2 an orphan.
    """

    structure: Structure
    frames: dict[str, pl.DataFrame] = field(default_factory=dict)
    at: dict[str, np.ndarray] = field(default_factory=dict)

    def take(self, table: str, rows: np.ndarray) -> None:
        """Keep these rows of a table, in this order; what belongs to the others goes, and links follow."""
        before = self.frames[table].height
        place = np.full(before, -1, np.int64)
        place[rows] = np.arange(len(rows))
        self.frames[table] = self.frames[table][rows]
        for link in self.structure.schema.links:
            if link.name not in self.at:
                continue
            if link.table == table:
                self.at[link.name] = self.at[link.name][rows]
            if link.parent == table:
                at = self.at[link.name]
                self.at[link.name] = np.where(at >= 0, place[np.maximum(at, 0)] if before else at, at)
        for link in self.structure.owned_by(table):
            if link.name in self.at and (self.at[link.name] < 0).any():
                self.take(link.table, np.flatnonzero(self.at[link.name] >= 0))

    def drop(self, tables: list[str]) -> None:
        """Forget the rows of some tables, which are drawn again."""
        for table in tables:
            self.frames.pop(table, None)
            self.at.pop(self.structure.owner[table].name, None)

    def join(self, other: Rows) -> None:
        """Put the rows of another draw of the same tables below."""
        shift = {t: f.height for t, f in self.frames.items()}
        for table, frame in other.frames.items():
            self.frames[table] = pl.concat([self.frames[table], frame]) if table in self.frames else frame
        for link in self.structure.schema.links:
            if link.name in other.at:
                at = other.at[link.name]
                more = np.where(at >= 0, at + shift.get(link.parent, 0), at)
                self.at[link.name] = np.concatenate([self.at[link.name], more]) if link.name in self.at else more


@dataclass(frozen=True)
class Growing:
    """Draws what belongs to rows that are there."""

    learnt: Learnt
    structure: Structure
    jobs: int

    def below(self, rows: Rows, table: str, seed: np.random.SeedSequence) -> None:
        """Draw all that the rows of a table own, and what that owns in turn."""
        for name in self.under(table):
            self.owned(rows, name, seed)

    def owned(self, rows: Rows, name: str, seed: np.random.SeedSequence, allowed: Allowed | None = None) -> None:
        """Draw the rows of an owned table."""
        number = self.structure.order.index(name)
        frame, at = self.learnt.tables[name].sample(self.context(rows, name), child(seed, number), self.jobs, allowed)
        rows.frames[name] = _hidden.numbered(frame, len(at))
        rows.at[self.structure.owner[name].name] = at

    def context(self, rows: Rows, name: str) -> pl.DataFrame:
        """Return what is known of each row of a table's owner."""
        link, context = self.structure.owner[name], self.learnt.contexts[name]
        above = None
        if link.parent in self.structure.owner:
            above = self.context(rows, link.parent), rows.at[self.structure.owner[link.parent].name]
        siblings = {s: (rows.frames[s], rows.at[self.structure.owner[s].name]) for s in context.siblings}
        return context.frame(rows.frames[link.parent], above, siblings)

    def under(self, table: str) -> list[str]:
        """The tables that belong to a table in the end, owners first."""
        out = [table]
        for name in self.structure.order:
            if name in self.structure.owner and self.structure.owner[name].parent in out:
                out.append(name)
        return out[1:]
