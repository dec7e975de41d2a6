"""Columns that follow from a row's place: they count rows up or down, or say what the calendar says of the time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

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
_LEAST = 20
"""Rows that follow another of their entity, before counting is no chance."""
_SIGHT = 50
FIRST = "\0first "
"""Begins the name of a hidden static column: where a count begins, or ends, where entities differ in it."""


@dataclass(frozen=True)
class Follower:
    """A column that is not learnt.

    Parameters
    ----------
    name : str
    rule : str
        A key of the calendar, ``"up"`` or ``"down"``.
    base : float, optional
        Of a count: its value in an entity's first row (up), or last row (down); None where entities differ in it.
    dtype : polars data type, as JSON
    """

    name: str
    rule: str
    base: float | None = None
    dtype: Any = None

    @property
    def hidden(self) -> str | None:
        """The hidden static column that tells the base."""
        return FIRST + self.name if self.base is None and self.rule not in _CALENDAR else None

    @property
    def sentence(self) -> str:
        """What holds, said to a person."""
        if self.rule in _CALENDAR:
            return f"{self.name!r} is the {self.rule} of the time"
        return f"{self.name!r} counts the rows of an entity {self.rule}"

    def values(self, time: pl.Series, starts: np.ndarray, statics: pl.DataFrame) -> pl.Series:
        """Return the column for rows."""
        dtype = dtypes.from_json(self.dtype)
        if self.rule in _CALENDAR:
            return _of_calendar(time, self.rule).cast(dtype).alias(self.name)
        counts = np.diff(starts)
        index = np.arange(starts[-1]) - np.repeat(starts[:-1], counts)
        steps = index if self.rule == "up" else np.repeat(counts, counts) - 1 - index
        base = np.full(len(counts), self.base) if self.hidden is None else statics[self.hidden].to_numpy()
        return pl.Series(self.name, steps + np.repeat(base, counts)).cast(dtype)


def find(frame: pl.DataFrame, columns: Sequence[Column], time: pl.Series, starts: np.ndarray) -> list[Follower]:
    """Find what follows among `columns` of rows that stand entity by entity."""
    found = []
    for column in columns:
        values = frame[column.name]
        follower = None if values.null_count() else _calendar(values, time) or _count(values, starts)
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
        if _same(_of_calendar(time.head(_SIGHT), rule), values.head(_SIGHT)) and _same(_of_calendar(time, rule), values):
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
    index = np.arange(len(numbers)) - np.repeat(starts[:-1], counts)
    for rule, sign, ends in (("up", 1, starts[:-1][some]), ("down", -1, starts[1:][some] - 1)):
        offset = numbers - sign * index
        if (offset == np.repeat(offset[starts[:-1][some]], counts[some])).all():
            base = numbers[ends]
            return Follower(values.name, rule, float(base[0]) if (base == base[0]).all() else None)
    return None


def hidden(followers: Sequence[Follower], frame: pl.DataFrame, starts: np.ndarray) -> pl.DataFrame:
    """Return the hidden static columns, one row an entity."""
    ends = {"up": starts[:-1], "down": starts[1:] - 1}
    return pl.DataFrame([frame[f.name].gather(ends[f.rule]).cast(pl.Float64).alias(f.hidden)
                         for f in followers if f.hidden])
