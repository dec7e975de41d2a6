"""Moments as whole numbers: days (or weeks, months, quarters, years) and ticks of the day."""

from __future__ import annotations

import numpy as np
import polars as pl

TICKS = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
"""Ticks a day of each time unit."""

_STEPS = (86_400, 3600, 1800, 900, 600, 300, 60, 30, 15, 10, 5, 1)
_FIRST, _LAST = -719_162, 2_932_896
"""1 January of year 1 and 31 December 9999, in days since 1970."""


def split(moments: pl.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return days since 1970, ticks since midnight and which rows are known; a zone's own wall clock counts."""
    known = moments.is_not_null().to_numpy()
    if isinstance(moments.dtype, pl.Datetime) and moments.dtype.time_zone:
        moments = moments.dt.replace_time_zone(None)
    whole = moments.to_physical().cast(pl.Int64).fill_null(0).to_numpy()
    if moments.dtype == pl.Date:
        return whole, np.zeros_like(whole), known
    if moments.dtype == pl.Time:
        return np.zeros_like(whole), whole, known
    days, ticks = np.divmod(whole, ticks_per_day(moments.dtype))
    return days, ticks, known


def join(days: np.ndarray, ticks: np.ndarray, dtype: pl.DataType) -> pl.Series:
    """Return moments of `dtype`; a wall-clock time that a zone skips becomes the hour after it."""
    if dtype == pl.Date:
        return pl.Series(days).cast(pl.Int32).cast(pl.Date)
    if dtype == pl.Time:
        return pl.Series(ticks).cast(pl.Time)
    assert isinstance(dtype, pl.Datetime)
    whole = pl.Series(days * ticks_per_day(dtype) + ticks).cast(pl.Datetime(dtype.time_unit))
    if dtype.time_zone is None:
        return whole
    zoned = whole.dt.replace_time_zone(dtype.time_zone, ambiguous="earliest", non_existent="null")
    later = whole.dt.offset_by("1h")
    return zoned.fill_null(later.dt.replace_time_zone(dtype.time_zone, ambiguous="earliest", non_existent="null"))


def ticks_per_day(dtype: pl.DataType) -> int:
    """Ticks a day of a Datetime's or Time's unit; 1 for a Date."""
    if dtype == pl.Date:
        return 1
    return TICKS["ns"] if dtype == pl.Time else TICKS[dtype.time_unit]  # type: ignore[attr-defined]


def day_step(days: np.ndarray) -> str:
    """Return the longest period at whose first day all lie: "year", "quarter", "month", "week" or "day".

    Examples
    --------
    >>> day_step(np.array(["2020-01-01", "2020-07-01", "2021-10-01"], "datetime64[D]").astype(int))
    'quarter'
    """
    distinct = np.unique(days)
    if len(distinct) < 3:
        return "day"
    months = distinct.astype("datetime64[D]").astype("datetime64[M]")
    if (months.astype("datetime64[D]").astype(np.int64) == distinct).all():
        months = months.astype(np.int64)
        return "year" if (months % 12 == 0).all() else "quarter" if (months % 3 == 0).all() else "month"
    return "week" if len(np.unique(distinct % 7)) == 1 and np.ptp(distinct) > 21 else "day"


_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def to_periods(days: np.ndarray, step: str, weekday: int = 0) -> np.ndarray:
    """Return the number of the period since 1970 in which each day lies."""
    if step in _MONTHS:
        return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) // _MONTHS[step]
    return (days - weekday) // 7 if step == "week" else days


def to_days(periods: np.ndarray, step: str, weekday: int = 0) -> np.ndarray:
    """Return the first day of each period, within the years 1 to 9999."""
    if step in _MONTHS:
        days = (periods * _MONTHS[step]).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    else:
        days = periods * 7 + weekday if step == "week" else periods
    return np.clip(days, _FIRST, _LAST)


def tick_step(ticks: np.ndarray, per_day: int) -> int:
    """Return the longest usual step, in ticks, of which all times are multiples; `per_day` if all are midnight."""
    return usual_step(np.unique(ticks), per_day // 86_400) if ticks.any() else per_day


def usual_step(ticks: np.ndarray, second: int) -> int:
    """Return the longest usual step, in ticks, of which all of some distinct spans are multiples; 1 if they are all 0.

    Examples
    --------
    >>> usual_step(np.array([90_000, 1_800_000]), second=1000)
    30000
    """
    common = int(np.gcd.reduce(ticks))
    steps = [s * second for s in _STEPS] + [second // p for p in (10, 100, 1000, 10**6, 10**9) if second % p == 0]
    return next((s for s in steps if s and common and common % s == 0), 1)
