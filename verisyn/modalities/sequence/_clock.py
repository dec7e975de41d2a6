"""Time as whole units: moments, dates, counts and decimals to steps of the finest unit that they keep to, and back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from verisyn.kinds import Part
from verisyn.kinds import _dtypes as dtypes
from verisyn.kinds import _lattice as lattice

_A_DAY = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
_MONTHS = 3
"""Different months that must be seen before a series counts as monthly."""


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
    """

    dtype: Any
    origin: int = 0
    step: int = 1
    decimals: int = 0
    monthly: bool = False

    @classmethod
    def learn(cls, times: pl.Series) -> Self:
        """Find the unit of known times: the greatest common divisor of all distances between them."""
        dtype = dtypes.to_json(times.dtype)
        if times.dtype.is_float():
            found = lattice.find(times.to_numpy(), 2.0**-52)
            decimals = 6 if found.decimals is None else found.decimals
            raw = cls(dtype, decimals=decimals)
        else:
            raw = cls(dtype)
            if _is_monthly(times):
                return cls(dtype, origin=int(raw.units(times).min()), monthly=True)  # type: ignore[arg-type]
        ticks = raw.units(times)
        origin = int(ticks.min()) if len(ticks) else 0
        common = int(np.gcd.reduce(np.unique(ticks - origin)[:100_000])) if len(ticks) else 1
        return cls(dtype, origin, max(common, 1), raw.decimals)

    @property
    def _type(self) -> pl.DataType:
        return dtypes.from_json(self.dtype)

    @property
    def per_day(self) -> float:
        """Units in a day; 0 where time is a mere number, or counts months."""
        dtype = self._type
        if self.monthly or not dtype.is_temporal():
            return 0
        a_day = 1 if dtype == pl.Date else _A_DAY[dtype.time_unit or "us"]  # type: ignore[attr-defined]
        return a_day / self.step

    def units(self, times: pl.Series) -> np.ndarray:
        """Return times as units, int64; all are known."""
        if times.dtype.is_float():
            ticks = np.rint(times.to_numpy() * 10.0**self.decimals).astype(np.int64)
        elif self.monthly:
            months = times.dt.year().cast(pl.Int64) * 12 + times.dt.month().cast(pl.Int64) - 1
            first = pl.Series([self.origin]).cast(pl.Int64).cast(times.dtype)
            return (months - int(first.dt.year()[0]) * 12 - int(first.dt.month()[0]) + 1).to_numpy()
        else:
            ticks = times.to_physical().cast(pl.Int64).to_numpy()
        return (ticks - self.origin) // self.step

    def times(self, units: np.ndarray) -> pl.Series:
        """Return units as times, in the column's own data type."""
        dtype = self._type
        if self.monthly:
            first = pl.Series([self.origin]).cast(pl.Int64).cast(dtype)
            return pl.select(pl.lit(first).first().dt.offset_by(pl.Series(units).cast(pl.String) + "mo")).to_series()
        ticks = self.origin + self.step * units
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


def _is_monthly(times: pl.Series) -> bool:
    if not times.dtype.is_temporal() or times.dt.day().n_unique() != 1:
        return False
    same_hour = times.dtype == pl.Date or times.dt.time().n_unique() == 1
    return bool(same_hour and times.dt.month().n_unique() >= _MONTHS)


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
                                and len(np.unique(own)) > 1 and not (name == "weekday" and scale.monthly)))

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
