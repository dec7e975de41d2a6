"""Numbers and moments of two tables on one scale: the child's ticks, in days or years where one side is that coarse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from verisyn.constraints import _columns
from verisyn.schema import Table

DAY = 86_400_000_000
"""Microseconds."""
_YEARS = (1000, 2200)


def nature(frame: pl.DataFrame, name: str, table: Table) -> str | None:
    """Tell numbers, whole numbers that may be years, and moments; None for what has no order.

    Returns
    -------
    str or None
        ``"number"``, ``"year"``, ``"moment"`` (of no zone), ``"instant"`` (of some zone).
    """
    values = _columns.parsed(frame[name].head(0), form(table, name))
    if isinstance(values.dtype, pl.Date):
        return "moment"
    if isinstance(values.dtype, pl.Datetime):
        return "moment" if values.dtype.time_zone is None else "instant"
    if not values.dtype.is_numeric():
        return None
    if not values.dtype.is_integer() or frame[name].null_count() == frame.height:
        return "number"
    return "year" if bool(frame[name].cast(pl.Float64).is_between(*_YEARS).all()) else "number"


def form(table: Table, name: str) -> str | None:
    """The format of moments written as text."""
    found = table.column(name).settings.get("format")
    return found if isinstance(found, str) else None


def ticks(series: pl.Series, written: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Return moments as microseconds, numbers as they are, and which are known; int64, or float64 for fractions."""
    values = _columns.parsed(series, written)
    known = values.is_not_null().to_numpy()
    if values.dtype.is_temporal():
        return values.cast(pl.Datetime("us")).to_physical().fill_null(0).to_numpy(), known
    exact = values.dtype.is_integer() and values.dtype != pl.UInt64
    plain = values.fill_null(0).cast(pl.Int64 if exact else pl.Float64).to_numpy()
    return plain, known & np.isfinite(plain)


def step(values: np.ndarray, series: pl.Series) -> float:
    """The finest step of a column's known ticks: what divides all moments, a unit of a number's last decimal."""
    if series.dtype.is_numeric():
        decimals = _columns.lattice(series).decimals
        return 10.0 ** -(9 if decimals is None else decimals)
    return float(max(np.gcd.reduce(values), 1)) if len(values) else 1.0


def written(values: np.ndarray, like: pl.Series, known: np.ndarray, text: str | None) -> pl.Series:
    """Return ticks in the type, or the written form, of `like`."""
    series = pl.Series(like.name, values).set(pl.Series(~known), None)
    plain = _columns.parsed(like.head(0), text)
    if plain.dtype.is_temporal():
        moments = series.cast(pl.Datetime("us")).cast(pl.Datetime(getattr(plain.dtype, "time_unit", "us"), "UTC"))
        zone = getattr(plain.dtype, "time_zone", None)
        moments = moments.dt.convert_time_zone(zone) if zone else moments.dt.replace_time_zone(None)
        return _columns.typed(moments.cast(plain.dtype).to_physical(), like.head(0), text).alias(like.name)
    return series.cast(like.dtype).alias(like.name)


@dataclass(frozen=True)
class Scale:
    """How a parent's value bounds a child's.

    Parameters
    ----------
    unit : str
        ``"tick"``, ``"day"``, ``"year"`` (a child's year, a parent's moment) or ``"of year"`` (the other way round).
    step : float
        The finest step of the child's ticks.
    strict : bool
        Whether the two must differ, by a unit at least.
    """

    unit: str
    step: float
    strict: bool

    def least(self, parent: np.ndarray) -> np.ndarray:
        """The least that a child may be, by its parent's ticks; with ticks and `strict`, it must be more."""
        return parent if self.unit == "tick" else self._start(parent, int(self.strict))

    def most(self, parent: np.ndarray) -> np.ndarray:
        """The most that a child may be; with ticks and `strict`, it must be less."""
        return parent if self.unit == "tick" else self._start(parent, int(not self.strict)) - int(self.step)

    def _start(self, parent: np.ndarray, later: int) -> np.ndarray:
        """When the parent's unit begins, or one that is later."""
        if self.unit == "day":
            return (parent // DAY + later) * DAY
        if self.unit == "year":
            return years(parent) + later
        return np.asarray((parent.astype("int64") + later - 1970).astype("datetime64[Y]").astype("datetime64[us]")
                          .astype(np.int64))


def years(moments: np.ndarray) -> np.ndarray:
    """The years of microseconds, int64."""
    return np.asarray(moments.astype("datetime64[us]").astype("datetime64[Y]").astype(np.int64) + 1970)
