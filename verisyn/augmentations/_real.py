"""Real rows as methods see them: columns on lines, columns of levels, and columns that are made anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from verisyn.augmentations._lines import Line, line_of
from verisyn.constraints._columns import codes
from verisyn.constraints._recomputed import Recomputed
from verisyn.errors import UserError
from verisyn.kinds import BaseCoder
from verisyn.modalities.table._views import TableCoder
from verisyn.schema import Table

MOST_CLASSES = 50
_LEVELS = 50
_POOL = 20_000
"""Of more rows, neighbours are sought among so many drawn at random: then 50 000 rows take seconds, not minutes."""


@dataclass(frozen=True)
class Real:
    """Real rows, with what was learnt of their columns.

    Parameters
    ----------
    rows : DataFrame
        The columns of the schema.
    table : Table
    coder : TableCoder
    target : str, optional
        The column whose levels are the classes.
    """

    rows: pl.DataFrame
    table: Table
    coder: TableCoder
    target: str | None = None

    @classmethod
    def learn(cls, frame: pl.DataFrame, table: Table, target: str | None, seed: np.random.SeedSequence) -> Real:
        """Learn the columns and constraints of `table`."""
        rows = frame.select(table.names)
        return cls(rows, table, TableCoder.learn(rows, table, seed), target)

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The rows with helpers (a gap, which of several flags) in the place of columns that are recomputed."""
        return self.coder.rules.help(self.rows)

    @cached_property
    def _coders(self) -> list[BaseCoder]:
        """The coders of what is learnt, and not recomputed."""
        return list(_leaves(self.coder.coders))

    @cached_property
    def lines(self) -> list[Line]:
        """The columns whose values can be moved a little."""
        found = (line_of(c, self.frame) for c in self._coders if c.learnt)
        return [line for line in found if line is not None]

    @cached_property
    def levels(self) -> list[str]:
        """The columns whose values can only be taken from a row as they are."""
        on_lines = {c for line in self.lines for c in line.columns}
        return [c for coder in self._coders if coder.learnt for c in coder.columns if c not in on_lines]

    @cached_property
    def invented(self) -> list[BaseCoder]:
        """The coders of ids, personal data and free text: their values are made anew."""
        return [c for c in self._coders if not c.learnt]

    def classes(self) -> pl.DataFrame:
        """Return the levels of the target with the rows that have each, most frequent first.

        Raises
        ------
        UserError
            If the target has no levels but many values.
        """
        name = self.target
        assert name is not None
        counts = self.rows[name].drop_nulls().alias("level").value_counts(name="rows").sort(
            ["rows", "level"], descending=[True, False])
        if counts.height > MOST_CLASSES:
            raise UserError(f"The target {name!r} has {counts.height:,} different values; up to {MOST_CLASSES} classes "
                            "were expected. Name a column of levels, or leave the target out.")
        return counts

    # -- neighbours -------------------------------------------------------------------------------------------------
    def points(self, which: np.ndarray) -> np.ndarray:
        """Return rows as points, float32 (rows, width), in which SMOTE-NC's distance is Euclidean.

        Numbers are in standard deviations of these rows; two rows with different levels are as far apart as that
        (the median of the standard deviations, Chawla et al. 2002, which are all 1 here), and so are a known and a
        missing value. Beyond the 50 most frequent levels of a column, others count as one.
        """
        blocks = [np.zeros((len(which), 1), np.float32)]
        for feature in self.coder.features(self.rows[which]):
            if feature.name == self.target:
                continue
            gone = np.isnan(feature.values)
            blocks.append(_one_hot(feature.values, gone) if feature.levels else _standard(feature.values, gone))
        return np.hstack(blocks)

    def neighbours(self, base: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
        """Return the nearest rows of each of `base` among rows of its own class, int (rows, most).

        Where a class has fewer others, they repeat. A row is never its own neighbour.
        """
        out = np.empty((len(base), most), np.int64)
        groups = codes(self.rows[self.target]) if self.target else np.zeros(self.rows.height, np.int64)
        for group in np.unique(groups[base]):
            members = np.flatnonzero(groups == group)
            mine = groups[base] == group
            asked, back = np.unique(base[mine], return_inverse=True)
            out[mine] = self._nearest(asked, members, most, rng)[back]
        return out

    def _nearest(self, asked: np.ndarray, members: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
        from sklearn.neighbors import NearestNeighbors
        from threadpoolctl import threadpool_limits

        pool = members if len(members) <= _POOL else np.sort(rng.choice(members, _POOL, replace=False))
        points = self.points(members)
        place = np.searchsorted(members, pool)
        count = min(most + 1, len(pool))
        with threadpool_limits(1):  # several threads would break ties in another order
            found = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(points[place]).kneighbors(
                points[np.searchsorted(members, asked)], return_distance=False)
        near = pool[found]
        own = near == asked[:, None]
        own[~own.any(axis=1), -1] = len(pool) > most  # the row is not in the pool: the furthest one too many goes
        order = np.argsort(own, axis=1, kind="stable")
        near = np.take_along_axis(near, order, axis=1)[:, : max(count - 1, 1)]
        return near[:, np.arange(most) % near.shape[1]]


def _leaves(coders: list[BaseCoder]) -> Iterator[BaseCoder]:
    """Look through recomputed columns at what they are recomputed from."""
    for coder in coders:
        while isinstance(coder, Recomputed) and coder.inner is not None:
            coder = coder.inner
        if not isinstance(coder, Recomputed):
            yield coder


def _standard(values: np.ndarray, gone: np.ndarray) -> np.ndarray:
    known = values[~gone]
    with np.errstate(all="ignore"):  # numbers near the largest there are have no finite spread: then all are alike
        spread = float(known.std()) if len(known) else 0.0
        scaled = (values - known.mean()) / spread if 0 < spread < np.inf else np.zeros(len(values))
    scaled = np.where(gone, 0.0, scaled)
    both = [scaled, gone] if gone.any() else [scaled]
    return np.column_stack(both).astype(np.float32)


def _one_hot(values: np.ndarray, gone: np.ndarray) -> np.ndarray:
    level = np.where(gone, -1, values).astype(np.int64)
    distinct, place, counts = np.unique(level, return_inverse=True, return_counts=True)
    rank = np.empty(len(distinct), np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(distinct))
    column = np.minimum(rank, _LEVELS)[place]
    out = np.zeros((len(values), int(column.max(initial=0)) + 1), np.float32)
    out[np.arange(len(values)), column] = 2**-0.5
    return out
