"""Time as whole units: moments, dates, counts and decimals to steps of the finest unit that they keep to, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from verisyn.kinds import Part
from verisyn.kinds import _dtypes as dtypes
from verisyn.kinds import _lattice as lattice

_A_DAY = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
_MONTHS = 3
"""Different months that must be seen before a series counts as monthly."""
_DAYS = 40
"""Different days that must be seen before weekdays that none is on count as days that time leaves out."""


@dataclass(frozen=True)
class Scale:
    """A time column, as whole units since an origin.

    Parameters
    ----------
    dtype : polars data type, as JSON
    origin, step : int
        Unit `u` is ``origin + step * u`` in the column's own ticks; ticks are days of a date.
    decimals : int
        Of a time that is a decimal number; -1 for one that keeps to no decimals.
    monthly : bool
        Whether units are months: each time is at the same moment of a month.
    ends : bool
        Of months: whether each time is on their last day.
    week : sequence of int
        Weekdays (Monday is 0) that units are counted on, where others do not occur: a market's days, say.
    """

    dtype: Any
    origin: int = 0
    step: int = 1
    decimals: int = 0
    monthly: bool = False
    ends: bool = False
    week: Sequence[int] = ()

    @classmethod
    def learn(cls, times: pl.Series) -> Self:
        """Find the unit of known times: the greatest common divisor of all distances between them."""
        dtype = dtypes.to_json(times.dtype)
        if times.dtype.is_float():
            decimals = lattice.find(times.to_numpy(), 2.0**-52).decimals
            raw = cls(dtype, decimals=6 if decimals is None else decimals)
        else:
            raw = cls(dtype)
            first = int(raw.units(times).min()) if len(times) else 0
            for ends in (False, True):
                if _is_monthly(_moved(times, ends)):
                    return cls(dtype, origin=first, monthly=True, ends=ends)
        ticks = raw.units(times)
        origin = int(ticks.min()) if len(ticks) else 0
        common = int(np.gcd.reduce(np.unique(ticks - origin)[:100_000])) if len(ticks) else 1
        plain = cls(dtype, origin, max(common, 1), raw.decimals)
        return replace(plain, week=_week(times)) if plain.per_day == 1 else plain

    @property
    def _type(self) -> pl.DataType:
        return dtypes.from_json(self.dtype)

    @property
    def _a_day(self) -> int:
        """Ticks in a day of a column of moments or dates."""
        dtype = self._type
        return 1 if dtype == pl.Date else _A_DAY[dtype.time_unit or "us"]  # type: ignore[attr-defined]

    @property
    def per_day(self) -> float:
        """Units in a day, on average; 0 where time is a mere number, or counts months."""
        if self.monthly or not self._type.is_temporal():
            return 0
        return self._a_day / self.step * (len(self.week) / 7 if self.week else 1)

    @property
    def ticks(self) -> float:
        """Ticks of a unit, on average."""
        if self.monthly:
            return self._a_day * 365.2425 / 12
        return self.step * (7 / len(self.week) if self.week else 1) / (10.0**self.decimals if self.decimals > 0 else 1)

    def units(self, times: pl.Series) -> np.ndarray:
        """Return times as units, int64; all are known."""
        if times.dtype.is_float():
            ticks = np.rint(times.to_numpy() * 10.0**self.decimals).astype(np.int64)
        elif self.monthly:
            first = pl.Series([self.origin]).cast(pl.Int64).cast(times.dtype)
            return (_months(times) - _months(first)[0]).to_numpy()
        else:
            ticks = times.to_physical().cast(pl.Int64).to_numpy()
        if self.week:
            weeks, day = np.divmod((ticks - self._monday) // self.step, 7)
            return weeks * len(self.week) + np.searchsorted(self.week, day)
        return (ticks - self.origin) // self.step

    @property
    def _monday(self) -> int:
        """The origin's moment of the day on the Monday of its week; weekdays are counted from it."""
        return self.origin - (self.origin // self.step + 3) % 7 * self.step

    def times(self, units: np.ndarray) -> pl.Series:
        """Return units as times, in the column's own data type."""
        dtype = self._type
        if self.monthly:
            first = pl.Series([self.origin]).cast(pl.Int64).cast(dtype)
            months = pl.lit(pl.Series(units).cast(pl.String))
            begun = _moved(first, self.ends)
            made = pl.select(pl.lit(begun).first().dt.offset_by(months + "mo")).to_series()
            return _moved(made, self.ends, back=True)
        ticks = self.origin + self.step * units
        if self.week:
            weeks, day = np.divmod(units, len(self.week))
            ticks = self._monday + (weeks * 7 + np.asarray(self.week)[day]) * self.step
        if dtype.is_float():
            return pl.Series(ticks / 10.0**self.decimals).cast(dtype)
        if dtype.is_integer():
            return pl.Series(ticks).cast(dtype)
        return pl.Series(ticks).cast(pl.Int32 if dtype == pl.Date else pl.Int64).cast(dtype)

    def seconds(self, units: np.ndarray) -> np.ndarray:
        """Return units as float64: seconds since 1970 of moments and dates, else the numbers themselves."""
        dtype = self._type
        if dtype.is_temporal():
            moments = self.times(units).cast(pl.Datetime("us"))
            return moments.to_physical().to_numpy() / 1e6
        return (self.origin + self.step * units) / 10.0**self.decimals

    def state(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def _months(times: pl.Series) -> pl.Series:
    return times.dt.year().cast(pl.Int64) * 12 + times.dt.month().cast(pl.Int64)


def _moved(times: pl.Series, ends: bool, *, back: bool = False) -> pl.Series:
    """Return the ends of months as the beginnings of those that follow, or back; other times as they are."""
    if not ends or not times.dtype.is_temporal() or times.dtype in (pl.Duration, pl.Time):
        return times
    return times.dt.offset_by("-1d" if back else "1d")


def _week(times: pl.Series) -> tuple[int, ...]:
    """Return the weekdays of days, where there are many and all are on two to six of them; else nothing."""
    if getattr(times.dtype, "time_zone", None) or times.n_unique() < _DAYS:
        return ()
    found = tuple(d - 1 for d in times.dt.weekday().unique().sort())
    return found if 1 < len(found) < 7 else ()


def _is_monthly(times: pl.Series) -> bool:
    if not times.dtype.is_temporal() or times.dt.day().n_unique() != 1:
        return False
    same_hour = times.dtype == pl.Date or times.dt.time().n_unique() == 1
    return bool(same_hour and _months(times).n_unique() >= _MONTHS)


class Season:
    """What the calendar says of a moment: hour, weekday, month, as far as they vary in training rows."""

    _SIZES: ClassVar = {"hour": 24, "weekday": 7, "month": 12, "day": 31}

    def __init__(self, scale: Scale, names: tuple[str, ...]):
        self.scale, self.names = scale, names
        self.parts = tuple(Part(self._SIZES[name], ordered=True) for name in names)

    @classmethod
    def learn(cls, scale: Scale, units: np.ndarray) -> Self:
        """See what varies."""
        if not (scale.per_day or scale.monthly) or not len(units):
            return cls(scale, ())
        found = cls(scale, tuple(cls._SIZES)).codes(units[:: max(1, len(units) // 20_000)])
        span = scale.seconds(np.array([units.max()]))[0] - scale.seconds(np.array([units.min()]))[0]
        long = {"hour": 86400, "weekday": 7 * 86400, "month": 300 * 86400, "day": 60 * 86400}
        return cls(scale, tuple(name for name, own in zip(cls._SIZES, found.T, strict=True)
                                if span >= 2 * long[name] * (name != "month") and span >= long[name]
                                and len(np.unique(own)) > 1 and not (name in ("weekday", "day") and scale.monthly)))

    def codes(self, units: np.ndarray) -> np.ndarray:
        """Return what the calendar says, int64 (rows, names)."""
        out = np.empty((len(units), len(self.names)), np.int64)
        if self.names:
            times = self.scale.times(units)
            of = {"hour": lambda: times.dt.hour() if times.dtype != pl.Date else pl.zeros(len(times), eager=True),
                  "weekday": lambda: times.dt.weekday() - 1, "month": lambda: times.dt.month() - 1,
                  "day": lambda: times.dt.day() - 1}
            for j, name in enumerate(self.names):
                out[:, j] = of[name]().to_numpy()
        return out
