"""How values of each kind are invented from what a schema says of a column."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import numpy as np
import polars as pl

from verisyn.kinds._calendar import ticks_per_day
from verisyn.kinds._durationtext import DurationText
from verisyn.kinds._moments import Moments
from verisyn.kinds._numbertext import NumberText
from verisyn.schema import Column, Table

ROWS = 2_000
_SPAN = 100.0
_WORDS = ("A", "B", "C")
_DAY = "2023-01-01"


@dataclass(frozen=True)
class Ask:
    """A column to invent: what the schema says of it and of its table; `limits` and `levels` take what was made up."""

    column: Column
    dtype: pl.DataType
    table: Table
    rng: np.random.Generator
    limits: list[str]
    levels: list[str]


def _number(ask: Ask) -> Any:
    settings = ask.column.settings
    low, high = _both(ask, *_limits(ask))
    decimals = settings.get("decimals", 0 if ask.dtype.is_integer() else 2)
    step = settings.get("step", 10.0**-decimals)
    units = ask.rng.integers(int(np.ceil(low / step)), max(int(np.floor(high / step)), int(np.ceil(low / step))) + 1,
                             ROWS)
    values = np.round(units * step, 9 if "step" in settings else decimals)
    if ask.dtype == pl.String:
        return NumberText(**settings.get("text", {})).write(values, decimals)
    return values.astype(np.int64) if ask.dtype.is_integer() else values


def _both(ask: Ask, low: float | None, high: float | None) -> tuple[float, float]:
    """Both limits: an open end is taken to be a hundred away, or as far as the stated end is from 0."""
    if low is not None and high is not None:
        return low, high
    stated = low if low is not None else high
    span = max(_SPAN, abs(stated or 0.0))
    low = low if low is not None else min(0.0, high - span) if high is not None else 0.0
    high = high if high is not None else low + span
    ask.limits.append(f"{ask.column.name!r} ({low:g} to {high:g})")
    return low, high


def _limits(ask: Ask) -> tuple[float | None, float | None]:
    stated = [c.settings for c in ask.table.constraints if c.kind == "range" and ask.column.name in c.columns]
    lows = [s["minimum"] for s in (ask.column.settings, *stated) if s.get("minimum") is not None]
    highs = [s["maximum"] for s in (ask.column.settings, *stated) if s.get("maximum") is not None]
    return (float(max(lows)) if lows else None), (float(min(highs)) if highs else None)


def _named(ask: Ask) -> Iterator[Any]:
    """Levels that the schema names: in the column's settings, or in a constraint."""
    yield from ask.column.settings.get("levels", ask.column.settings.get("labels", ()))
    for constraint in ask.table.constraints:
        if ask.column.name not in constraint.columns:
            continue
        at = constraint.columns.index(ask.column.name)
        for listed in ("never", "only"):
            yield from (c[at] for c in constraint.settings.get(listed, ()))
        if at == 0:
            for listed in ("missing_when", "present_when"):
                yield from (v for v in constraint.settings.get(listed, ()) if v is not None)


def _level(ask: Ask) -> Any:
    levels = list(dict.fromkeys(_named(ask)))
    if not levels:
        levels = [1, 2, 3] if ask.dtype.is_numeric() else list(_WORDS)
        ask.levels.append(f"{ask.column.name!r} ({', '.join(map(str, levels))})")
    return _drawn(levels, ask.rng)


def _boolean(ask: Ask) -> Any:
    levels = list(dict.fromkeys(_named(ask)))
    if len(levels) < 2:
        levels = [False, True] if ask.dtype == pl.Boolean else [0, 1] if ask.dtype.is_numeric() else ["no", "yes"]
    return _drawn(levels, ask.rng)


def _drawn(levels: list[Any], rng: np.random.Generator) -> list[Any]:
    return [levels[i] for i in rng.integers(0, len(levels), ROWS)]


def _moment(ask: Ask) -> Any:
    form = Moments(ask.dtype, ask.column.settings.get("format"))
    low, high = ask.column.settings.get("minimum"), ask.column.settings.get("maximum")
    if form.inner == pl.Time:
        ends = [time.fromisoformat(t) for t in (low or "00:00", high or "23:59:59")]
        first, last = (t.hour * 3600 + t.minute * 60 + t.second for t in ends)
    else:
        first, last = (_seconds(d) for d in _days(ask, low, high))
    days, seconds = np.divmod(ask.rng.integers(first, max(first, last) + 1, ROWS), 86_400)
    return form.series(days, seconds * (ticks_per_day(form.inner) // 86_400))


def _days(ask: Ask, low: str | None, high: str | None) -> tuple[str, str]:
    """Both limits: an open end is taken to be two years away."""
    if low is not None and high is not None:
        return str(low), str(high)
    year = str(low or high or _DAY)[:4]
    first = low or (f"{int(year) - 2:04d}-01-01" if high else _DAY)
    last = high or f"{int(year) + 2:04d}-01-01"
    ask.limits.append(f"{ask.column.name!r} ({first} to {last})")
    return str(first), str(last)


def _seconds(text: str) -> int:
    return int((datetime.fromisoformat(text).replace(tzinfo=None) - datetime(1970, 1, 1)).total_seconds())


def _span(ask: Ask) -> Any:
    minutes = ask.rng.integers(1, 3 * 24 * 60, ROWS)
    if ask.dtype == pl.Duration:
        return [timedelta(minutes=int(m)) for m in minutes]
    return DurationText(**ask.column.settings.get("text", {"clock": "h:mm"})).write(minutes * 60.0)


def _place(ask: Ask) -> Any:
    limit = 90 if "lat" in ask.column.name.lower() or "breit" in ask.column.name.lower() else 180
    return ask.rng.uniform(-limit, limit, ROWS).round(ask.column.settings.get("decimals", 4))


def _key(ask: Ask) -> Any:
    return range(1, ROWS + 1) if ask.dtype.is_numeric() else [f"K{i:06d}" for i in range(1, ROWS + 1)]


def _words(ask: Ask) -> Any:
    if ask.dtype.is_numeric():
        return range(10_000, 10_000 + ROWS)
    return [f"Some words of text, number {i}." for i in range(ROWS)]


MAKERS: dict[str, Callable[[Ask], Any]] = {
    "number": _number, "category": _level, "boolean": _boolean, "datetime": _moment, "duration": _span, "geo": _place,
    "id": _key, "personal": _words, "text": _words}
