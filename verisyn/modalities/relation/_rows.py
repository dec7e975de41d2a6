"""Tables as drawn so far, and where their rows point."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from verisyn.modalities.relation._structure import Structure


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
            for link in self.structure.schema.links_from(table):
                self.at.pop(link.name, None)

    def join(self, other: Rows) -> None:
        """Put the rows of another draw of the same tables below."""
        shift = {t: f.height for t, f in self.frames.items() if t in other.frames}
        for table, frame in other.frames.items():
            self.frames[table] = pl.concat([self.frames[table], frame]) if table in self.frames else frame
        for link in self.structure.schema.links:
            if link.name in other.at:
                at = other.at[link.name]
                more = np.where(at >= 0, at + shift.get(link.parent, 0), at)
                self.at[link.name] = np.concatenate([self.at[link.name], more]) if link.name in self.at else more
