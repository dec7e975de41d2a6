"""The profile of an entity: how many rows, from when to when, how they begin and what they are like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from verisyn.kinds import Part
from verisyn.modalities.sequence._bins import Bins
from verisyn.modalities.sequence._past import Course
from verisyn.modalities.table import Codes
from verisyn.modalities.table._conditional import Conditional
from verisyn.schema import Column, Table

COUNT, START, SPAN, MARK = "rows", "start", "span", "mark"
_LEAST, _MODES, _BINS = 300, 64, 16
"""Entities below which rows are not summed up; levels above which no most frequent one is told; bins of a mean."""


def frame_of(course: Course, marks: np.ndarray, irregular: bool, *, led: bool = False) -> pl.DataFrame:
    """Return the shown part of profiles: counts, start and span in units, and the marks of smooth columns.

    Where rows' times are given (`led`), start and span are not part of it.
    """
    some = pl.Series(course.counts > 0)
    columns = {COUNT: pl.Series(course.counts, dtype=pl.Int64)}
    if course.start is not None and not led:
        columns[START] = _where(some, course.start)
        if irregular and course.end is not None:
            columns[SPAN] = _where(some, course.end - course.start)
    for j in range(marks.shape[1]):
        columns[f"{MARK} {j}"] = pl.Series(marks[:, j], dtype=pl.Float64).fill_nan(None)
    return pl.DataFrame(columns)


def table_of(frame: pl.DataFrame) -> Table:
    """Return the schema of profiles: all are numbers."""
    columns = tuple(Column(name=c, kind="number", dtype=str(frame[c].dtype)) for c in frame.columns)
    return Table(name="profile", columns=columns)


def _where(some: pl.Series, values: np.ndarray) -> pl.Series:
    series = pl.Series(values.astype(np.int64))
    return series.zip_with(some, pl.Series([None], dtype=pl.Int64).new_from_index(0, len(series)))


@dataclass(frozen=True)
class Traits:
    """What the rows of an entity are like on the whole: codes that steer its rows and are never shown.

    Parameters
    ----------
    means : mapping of int to Bins
        By ordered part of a row: bins of the mean of its codes.
    modes : tuple of int
        Unordered parts whose most frequent code is told.
    """

    means: dict[int, Bins]
    modes: tuple[int, ...]

    @classmethod
    def learn(cls, parts: tuple[Part, ...], codes: np.ndarray, counts: np.ndarray) -> Traits:
        """Learn bins; of few entities, or of single rows, nothing is told.

        `codes` (rows, parts) are of all entities, one after the other.
        """
        lively = counts[counts > 0]
        if len(lively) < _LEAST or lively.mean() < 1.5:
            return cls({}, ())
        most = max(2, min(_BINS, len(lively) // 10))
        ordered = [j for j, p in enumerate(parts) if p.ordered and p.size > 2]
        modes = tuple(j for j, p in enumerate(parts) if not (p.ordered and p.size > 2) and 1 < p.size <= _MODES)
        return cls({j: Bins.learn(_mean(codes[:, j], counts), most) for j in ordered}, modes)

    def codes(self, parts: tuple[Part, ...], codes: np.ndarray, counts: np.ndarray) -> Codes:
        """Return the traits of entities."""
        made = [b.codes(_mean(codes[:, j], counts)) for j, b in self.means.items()]
        made += [_mode(codes[:, j], parts[j].size, counts) for j in self.modes]
        told = np.empty((len(counts), len(made)), np.int32, order="F")
        for i, own in enumerate(made):
            told[:, i] = own
        return Codes(told, self.parts(parts), tuple(f"trait {i}" for i in range(len(made))))

    def parts(self, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        """The parts of the traits."""
        modes = [Part(parts[j].size + 1, parts[j].ordered, parts[j].size) for j in self.modes]
        return (*(b.part for b in self.means.values()), *modes)

    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        return {"means": {str(j): b.edges for j, b in self.means.items()}, "modes": list(self.modes)}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Traits:
        """Rebuild from `state`."""
        return cls({int(j): Bins(e) for j, e in state["means"].items()}, tuple(map(int, state["modes"])))


def _mean(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The mean of each entity's rows; NaN of none."""
    of = np.repeat(np.arange(len(counts)), counts)
    sums = np.bincount(of, values, len(counts))
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _mode(codes: np.ndarray, size: int, counts: np.ndarray) -> np.ndarray:
    """The most frequent code of each entity's rows, the smallest of several; `size` of none."""
    of = np.repeat(np.arange(len(counts)), counts)
    pairs, times = np.unique(of * (size + 1) + codes, return_counts=True)
    entity, code = np.divmod(pairs, size + 1)
    best = np.lexsort((code, -times, entity))
    first = best[np.unique(entity[best], return_index=True)[1]]
    out = np.full(len(counts), size, np.int64)
    out[entity[first]] = code[first]
    return out


def part_of(profile: Conditional, column: str) -> int | None:
    """Return which part of a profile a column is; None where it has none."""
    for coder, where in profile.coder.slices():
        if coder.columns == (column,):
            return where.start
    return None
