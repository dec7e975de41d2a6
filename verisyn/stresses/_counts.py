"""How many rows hold each pair of levels."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import polars as pl

from verisyn.kinds._settings import shared_by
from verisyn.stresses._ground import Ground

_LEVELS = 100


class Counted:
    """The levels of rows as codes, and how often two of them meet.

    Attributes
    ----------
    names : list of str
        Columns of levels, those of up to 100.
    codes : int array (rows, columns)
        -1 for any other level, and for a missing one.
    rows : int
    k : int
        Rows that must share a combination before it is told.
    """

    def __init__(self, ground: Ground):
        assert ground.seen is not None
        self.levels = {n: s for n, s in ground.levels.items() if 1 < len(s) <= _LEVELS}
        self.names = list(self.levels)
        self.rows = ground.seen.height
        self.k = shared_by({}, self.rows)
        found = [ground.seen[n].replace_strict(s, range(len(s)), default=-1, return_dtype=pl.Int32).fill_null(-1)
                 for n, s in self.levels.items()]
        self.codes = np.column_stack([c.to_numpy() for c in found]) if found else np.empty((self.rows, 0), np.int32)
        self._told = [set(r.columns) for kind, r in zip(ground.coder.rules.kinds, ground.coder.rules.rules, strict=True)
                      if kind in ("dependency", "one_hot")]

    def pairs(self) -> Iterator[tuple[int, int, np.ndarray]]:
        """Yield each two columns of which none tells the other, with the rows that hold each pair of their levels."""
        for i, j in combinations(range(len(self.names)), 2):
            if any({self.names[i], self.names[j]} <= told for told in self._told):
                continue
            yield i, j, self.together(i, j)

    def together(self, i: int, j: int) -> np.ndarray:
        """Return the rows that hold each pair of levels of two columns, int (levels of i, levels of j)."""
        a, b = len(self.levels[self.names[i]]), len(self.levels[self.names[j]])
        both = (self.codes[:, i] >= 0) & (self.codes[:, j] >= 0)
        return np.bincount(self.codes[both, i] * b + self.codes[both, j], minlength=a * b).reshape(a, b)

    def alone(self, i: int) -> np.ndarray:
        """Return the rows that hold each level of a column."""
        known = self.codes[:, i]
        return np.bincount(known[known >= 0], minlength=len(self.levels[self.names[i]]))

    def cells(self, *which: tuple[int, int]) -> dict[str, pl.Series]:
        """Return (column, level) places as cells."""
        return {self.names[i]: self.levels[self.names[i]][a: a + 1] for i, a in which}
