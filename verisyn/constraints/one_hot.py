"""Exactly one of several yes/no columns is yes (one-hot): in each row one of a set, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import polars as pl

from verisyn.constraints import BaseRule, _columns
from verisyn.errors import UserError
from verisyn.kinds import _dtypes as dtypes
from verisyn.kinds._settings import shared_by
from verisyn.schema import Column, Constraint, Table

exact = True
_LEAST = 3


def find(frame: pl.DataFrame, table: Table) -> list[Constraint]:
    """Find sets of at least three columns of 0 and 1 (or false and true), with exactly one 1 in every row."""
    names = [c.name for c in table.columns if _columns.alone(c) and _is_flag(frame[c.name])]
    if frame.height < _columns.LEAST_ROWS or len(names) < _LEAST:
        return []
    flags = np.column_stack([frame[n].cast(pl.Float32).to_numpy() for n in names])
    apart = (flags.T @ flags) == 0
    counts = flags.sum(axis=0)
    found, taken = [], set()
    for group in (*_prefixes(names), range(len(names))):
        for members in _partitions([i for i in group if i not in taken], apart, counts, frame.height):
            taken.update(members)
            chosen = [names[i] for i in sorted(members)]
            found.append(Constraint(kind="one_hot", columns=tuple(chosen), evidence=(
                f"Exactly one of {len(chosen)} columns is 1 in all {frame.height:,} rows.")))
    return found


def _is_flag(values: pl.Series) -> bool:
    if values.null_count() or not (values.dtype == pl.Boolean or values.dtype.is_numeric()):
        return False
    head = values.head(1000).unique()
    return len(head) <= 2 and sorted(values.unique().cast(pl.Float64).to_list()) == [0.0, 1.0]


def _prefixes(names: list[str]) -> Iterator[list[int]]:
    """Columns whose names begin alike, such as color_red and color_blue."""
    def stem(i: int) -> str:
        return names[i].rpartition("_")[0]

    for prefix, group in groupby(sorted(range(len(names)), key=stem), key=stem):
        if prefix:
            yield sorted(group)


def _partitions(group: list[int], apart: np.ndarray, counts: np.ndarray, rows: int) -> Iterator[list[int]]:
    """Sets of columns that exclude each other and together fill all rows, the frequent ones taken first."""
    left = sorted(group, key=lambda i: -counts[i])
    while left:
        members, total = [left[0]], counts[left[0]]
        for i in left[1:]:
            if total + counts[i] <= rows and apart[i, members].all():
                members.append(i)
                total += counts[i]
        left = [i for i in left if i not in members]
        if total == rows and len(members) >= _LEAST:
            yield members


@dataclass(frozen=True)
class Rule(BaseRule):
    """Which of the columns is yes: one category is learnt in place of them all.

    Columns that fewer than k rows set are never set.
    """

    dtypes: list[dict]
    shares: list[float]
    helper: str

    @classmethod
    def learn(cls, constraint: Constraint, frame: pl.DataFrame, table: Table) -> Rule:
        """Learn how often each column is the one."""
        _columns.settings(constraint, {})
        _columns.at_least(constraint, 2)
        names = constraint.columns
        for n in names:
            if frame[n].dtype != pl.Boolean and not (
                    frame[n].dtype.is_numeric() and frame[n].drop_nulls().is_in([0, 1]).all()):
                raise UserError(f"The constraint 'one_hot' on {_columns.spoken(names)} speaks of {n!r}, whose values "
                                "are not just 0 and 1, or false and true. Correct it in the schema.")
        counts = [int(frame[n].cast(pl.Float64).sum()) for n in names]
        k = shared_by({}, frame.height)
        shares = [c / max(1, frame.height) if c >= k else 0.0 for c in counts]
        helper = "which of " + ", ".join(names)
        rule = cls(names, (), [dtypes.to_json(frame[n].dtype) for n in names],
                   shares if any(shares) else [1 / len(names)] * len(names), helper)
        whole = not rule.broken(frame).any() and all(_columns.alone(table.column(n)) for n in names)
        return cls(names, names if whole else (), rule.dtypes, rule.shares, helper)

    @property
    def sentence(self) -> str:
        """What holds."""
        return f"exactly one of {_columns.spoken(self.columns)} is 1"

    @property
    def sources(self) -> tuple[str, ...]:
        """The category that stands for all of the columns."""
        return (self.helper,)

    @property
    def helpers(self) -> tuple[Column, ...]:
        """The category that stands for all of the columns."""
        return (Column(name=self.helper, kind="category"),)

    def _set(self, frame: pl.DataFrame) -> np.ndarray:
        return np.column_stack([frame[n].cast(pl.Float64).fill_null(0).to_numpy() for n in self.columns]) == 1

    def help(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Add the category."""
        which = self._set(frame).argmax(axis=1)
        return frame.with_columns(pl.Series(self.helper, list(self.columns)).gather(which).alias(self.helper))

    def derive(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Set the column that the category names; the most frequent one where it names none."""
        names = list(self.columns)
        which = frame[self.helper].replace_strict(names, range(len(names)), default=int(np.argmax(self.shares)),
                                                  return_dtype=pl.Int64).to_numpy()
        return frame.with_columns(self._columns(which))

    def _columns(self, which: np.ndarray) -> list[pl.Series]:
        return [pl.Series(n, which == i).cast(dtypes.from_json(d))
                for i, (n, d) in enumerate(zip(self.columns, self.dtypes, strict=True))]

    def broken(self, frame: pl.DataFrame) -> np.ndarray:
        """Rows with none, or more than one, of the columns set."""
        return self._set(frame).sum(axis=1) != 1

    def mend(self, frame: pl.DataFrame, broken: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
        """Keep one of those that are set, or set one, drawn by how often each is."""
        rows = frame.filter(pl.Series(broken))
        flags = self._set(rows)
        weights = np.where(flags.any(axis=1, keepdims=True), flags, 1.0) * (np.array(self.shares) + 1e-9)
        sums = np.cumsum(weights, axis=1)
        return rows.with_columns(self._columns((sums > rng.random((len(sums), 1)) * sums[:, -1:]).argmax(axis=1)))
