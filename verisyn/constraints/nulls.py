"""Columns that are missing together: in each row all of them, or none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from verisyn.constraints import BaseRule, _columns
from verisyn.constraints._donors import filled
from verisyn.schema import Constraint, Table

shrinks_to = 2
_LEAST = 10


def find(frame: pl.DataFrame, table: Table) -> list[Constraint]:
    """Find columns with the same rows missing, and enough of them: k unrelated gaps agree with chance 1 / C(n, k)."""
    names = [c.name for c in table.columns if _columns.alone(c)]
    groups: dict[bytes, list[str]] = {}
    for n in names:
        if _LEAST <= frame[n].null_count() <= frame.height - _LEAST:
            groups.setdefault(np.packbits(frame[n].is_null().to_numpy()).tobytes(), []).append(n)
    return [Constraint(kind="nulls", columns=tuple(ns),
                       evidence=f"{_columns.spoken(ns)} are missing together, in {frame[ns[0]].null_count():,} of "
                                f"{frame.height:,} rows.")
            for ns in groups.values() if len(ns) > 1]


@dataclass(frozen=True)
class Rule(BaseRule):
    """The first column says whether all are missing; a value that a row then lacks is another synthetic row's."""

    @classmethod
    def learn(cls, constraint: Constraint, frame: pl.DataFrame, table: Table) -> Rule:
        """Check the settings: there are none."""
        _columns.settings(constraint, {})
        _columns.at_least(constraint, 2)
        return cls(constraint.columns, ())

    @property
    def sentence(self) -> str:
        """What holds."""
        return f"{_columns.spoken(self.columns)} are missing together or not at all"

    def broken(self, frame: pl.DataFrame) -> np.ndarray:
        """Rows that lack some of the columns, but not all."""
        gone = np.column_stack([frame[c].is_null().to_numpy() for c in self.columns])
        return np.asarray(gone.any(axis=1) & ~gone.all(axis=1))

    def mend(self, frame: pl.DataFrame, broken: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
        """Do as the first column does; where no row has them all, take out all."""
        first, *others = self.columns
        rows, whole = frame.filter(pl.Series(broken)), frame.select(self.columns).drop_nulls()
        gone = rows[first].is_null() | (not whole.height)
        known = [filled(rows[c], frame.filter(pl.Series(~broken))[c], rng) for c in others]
        return rows.with_columns(pl.when(gone).then(None).otherwise(s).alias(s.name) for s in (rows[first], *known))
