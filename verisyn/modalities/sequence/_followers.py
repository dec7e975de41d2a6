"""Columns that follow from a row's place: they count rows, mark an entity's first or last one, or tell the calendar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from verisyn._runs import places
from verisyn.kinds import _dtypes as dtypes
from verisyn.schema import Column

_CALENDAR: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "year": lambda t: t.dt.year(), "quarter": lambda t: t.dt.quarter(), "month": lambda t: t.dt.month(),
    "week": lambda t: t.dt.week(), "day": lambda t: t.dt.day(), "day of the year": lambda t: t.dt.ordinal_day(),
    "weekday from 1": lambda t: t.dt.weekday(), "weekday from 0": lambda t: t.dt.weekday() - 1,
    "hour": lambda t: t.dt.hour(), "minute": lambda t: t.dt.minute(), "date": lambda t: t.dt.date(),
    "time of day": lambda t: t.dt.time(), "name of the weekday": lambda t: t.dt.to_string("%A"),
    "short name of the weekday": lambda t: t.dt.to_string("%a"), "name of the month": lambda t: t.dt.to_string("%B"),
    "short name of the month": lambda t: t.dt.to_string("%b")}
_CLOCK = {"hour", "minute", "time of day"}
_AT_FIRST = {"up", "first"}
_LEAST = 20
"""Rows that follow another of their entity, before counting is no chance."""
_SIGHT = 50
FIRST = "\0first "
"""Begins the name of a hidden static column: where a count begins, or ends, where entities differ in it."""
_MARKED = 20
"""Entities from which on a column that changes only in their first or last rows marks those."""
_SHARED = 5
"""Entities that must share a mark."""


@dataclass(frozen=True)
class Follower:
    """A column that is not learnt.

    Parameters
    ----------
    name : str
    rule : str
        A key of the calendar, ``"up"`` or ``"down"``, ``"first"`` or ``"last"``.
    base : float, optional
        Of a count: its value in an entity's first row (up), or last row (down); of a mark, which of `marks` it is. None
        where entities differ in it.
    dtype : polars data type, as JSON
    marks : sequence
        The value in all other rows, then those of first or last ones.
    """

    name: str
    rule: str
    base: float | None = None
    dtype: Any = None
    marks: Sequence[Any] = ()

    @property
    def hidden(self) -> str | None:
        """The hidden static column that tells the base."""
        return FIRST + self.name if self.base is None and self.rule not in _CALENDAR else None

    @property
    def begins(self) -> bool:
        """Whether an entity's first row tells the base."""
        return self.rule in _AT_FIRST

    @property
    def sentence(self) -> str:
        """What holds, said to a person."""
        if self.rule in _CALENDAR:
            return f"{self.name!r} is the {self.rule} of the time"
        if self.marks:
            return f"{self.name!r} is {self.marks[0]!r} but in the {self.rule} row of an entity"
        return f"{self.name!r} counts the rows of an entity {self.rule}"

    def values(self, time: pl.Series, starts: np.ndarray, statics: pl.DataFrame) -> pl.Series:
        """Return the column for rows."""
        dtype = dtypes.from_json(self.dtype)
        if self.rule in _CALENDAR:
            return _of_calendar(time, self.rule).cast(dtype).alias(self.name)
        counts = np.diff(starts)
        index = places(starts)
        steps = index if self.begins else np.repeat(counts, counts) - 1 - index
        base = np.full(len(counts), self.base) if self.hidden is None else statics[self.hidden].to_numpy()
        if self.marks:
            which = np.where(steps == 0, np.clip(np.rint(np.repeat(base, counts)), 0, len(self.marks) - 1), 0)
            return pl.Series(self.marks).gather(which.astype(np.int64)).cast(dtype).alias(self.name)
        return pl.Series(self.name, steps + np.repeat(base, counts)).cast(dtype)


def find(frame: pl.DataFrame, columns: Sequence[Column], time: pl.Series, starts: np.ndarray) -> list[Follower]:
    """Find what follows among `columns` of rows that stand entity by entity."""
    found = []
    for column in columns:
        values = frame[column.name]
        follower = None if values.null_count() else (_calendar(values, time) or _count(values, starts)
                                                     or _mark(values, starts))
        if follower:
            found.append(replace(follower, dtype=dtypes.to_json(values.dtype)))
    return found


def _of_calendar(time: pl.Series, rule: str) -> pl.Series:
    return pl.select(_CALENDAR[rule](pl.lit(time))).to_series()


def _calendar(values: pl.Series, time: pl.Series) -> Follower | None:
    if time.dtype not in (pl.Date, pl.Datetime) or len(values) < _LEAST or values.n_unique() < 2:
        return None
    for rule in _CALENDAR:
        if rule in _CLOCK and time.dtype == pl.Date:
            continue
        if all(_same(_of_calendar(t, rule), v) for t, v in ((time.head(_SIGHT), values.head(_SIGHT)), (time, values))):
            return Follower(values.name, rule)
    return None


def _same(made: pl.Series, values: pl.Series) -> bool:
    if made.dtype.is_numeric() and values.dtype.is_numeric():
        made, values = made.cast(pl.Float64), values.cast(pl.Float64)
    return made.dtype == values.dtype and bool(made.eq_missing(values).all())


def _count(values: pl.Series, starts: np.ndarray) -> Follower | None:
    counts = np.diff(starts)
    if not values.dtype.is_numeric() or len(values) - len(counts) < _LEAST:
        return None
    numbers, some = values.to_numpy().astype(np.float64), counts > 0
    index = places(starts)
    for rule, sign, ends in (("up", 1, starts[:-1][some]), ("down", -1, starts[1:][some] - 1)):
        offset = numbers - sign * index
        if (offset == np.repeat(offset[starts[:-1][some]], counts[some])).all():
            base = numbers[ends]
            return Follower(values.name, rule, float(base[0]) if (base == base[0]).all() else None)
    return None


def hidden(followers: Sequence[Follower], frame: pl.DataFrame, starts: np.ndarray) -> pl.DataFrame:
    """Return the hidden static columns, one row an entity."""
    at = {f.name: starts[:-1] if f.begins else starts[1:] - 1 for f in followers}
    own = {f.name: frame[f.name].gather(at[f.name]) for f in followers if f.hidden}
    return pl.DataFrame([(_which(own[f.name], f.marks) if f.marks else own[f.name]).cast(pl.Float64).alias(f.hidden)
                         for f in followers if f.hidden])


def _mark(values: pl.Series, starts: np.ndarray) -> Follower | None:
    """Return how a column marks first or last rows of entities: whether a machine failed in the end, say."""
    some = np.diff(starts) > 0
    able = values.dtype in (pl.Boolean, pl.String) or values.dtype.is_numeric()
    if not able or some.sum() < _MARKED or len(values) - some.sum() < _LEAST or values.n_unique() < 2:
        return None
    for rule, at in (("last", starts[1:][some] - 1), ("first", starts[:-1][some])):
        own = values.gather(at)
        others = values.filter(pl.Series(~np.isin(np.arange(len(values)), at)))
        usual = others[0]
        marks = own.filter(own != usual).value_counts()
        if marks.height and others.n_unique() == 1 and (marks["count"] >= _SHARED).all():
            levels = [usual, *marks[values.name].sort()]
            return Follower(values.name, rule, 1.0 if len(levels) == 2 and (own != usual).all() else None, marks=levels)
    return None


def _which(values: pl.Series, marks: Sequence[Any]) -> pl.Series:
    return values.replace_strict(list(marks), list(range(len(marks))), default=0, return_dtype=pl.Int64)
