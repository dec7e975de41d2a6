"""Columns that hang on the row before, or on the row's time: values as before, dates as distances, and back."""

from __future__ import annotations

import numpy as np
import polars as pl

_STICKY, _LEVELS = {True: 0.4, False: 0.15}, 8
"""A column whose value often is that of the row before, though it has more than a few levels, has that learnt first: of
this share of the rows that have not its most frequent value, for numbers and for others."""
_CLOSE = 0.5
"""A date is learnt as its distance from the row's time where that varies by less than this share of what it does."""


def is_offset(values: pl.Series, time: pl.Series) -> bool:
    if values.dtype not in (pl.Date, pl.Datetime) or time.dtype not in (pl.Date, pl.Datetime):
        return False
    if getattr(values.dtype, "time_zone", None) != getattr(time.dtype, "time_zone", None):
        return False
    apart, own = (s.drop_nulls().to_numpy().astype(np.float64) for s in
                  (distance(values, time), micros(values)))
    return len(apart) > 10 and bool(spread(apart) < _CLOSE * spread(own))


def spread(values: np.ndarray) -> float:
    low, high = np.quantile(values, (0.1, 0.9))
    return float(high - low)


def before(values: pl.Series, starts: np.ndarray) -> tuple[np.ndarray, pl.Series]:
    """Return which rows have a row before them, and whether each is as that one, two missing values being alike."""
    first = np.zeros(len(values), bool)
    first[starts[:-1][np.diff(starts) > 0]] = True
    return ~first, values.eq_missing(values.shift(1))


def is_sticky(values: pl.Series, starts: np.ndarray) -> bool:
    has, same = before(values, starts)
    if has.sum() < 50 or values.n_unique() <= _LEVELS or same.to_numpy()[has].all():
        return False
    usual = values.drop_nulls().mode().sort().first()
    asked = has & (values != pl.Series([usual], dtype=values.dtype)).fill_null(False).to_numpy()
    return bool(asked.sum() >= 50 and same.to_numpy()[asked].mean() >= _STICKY[values.dtype.is_numeric()])


def same(values: pl.Series, starts: np.ndarray) -> pl.Series:
    has, same = before(values, starts)
    return same.zip_with(pl.Series(has), pl.repeat(None, len(values), dtype=pl.Boolean, eager=True))


def carried(values: pl.Series, same: pl.Series, starts: np.ndarray) -> pl.Series:
    """Return values with those that are as before taken from the last row that is not."""
    own = ~same.fill_null(False).to_numpy()
    own[starts[:-1][np.diff(starts) > 0]] = True
    return values.gather(np.maximum.accumulate(np.where(own, np.arange(len(own)), 0)))


def micros(values: pl.Series) -> pl.Series:
    zone = getattr(values.dtype, "time_zone", None)
    return values.cast(pl.Datetime("us", zone)).to_physical()


def distance(values: pl.Series, time: pl.Series) -> pl.Series:
    return (micros(values) - micros(time)).cast(pl.Float64)


def at_distance(apart: pl.Series, time: pl.Series, dtype: pl.DataType) -> pl.Series:
    zone = getattr(dtype, "time_zone", None)
    moment = micros(time) + apart.round().cast(pl.Int64)
    return moment.cast(pl.Datetime("us")).dt.replace_time_zone("UTC").dt.convert_time_zone(zone).cast(dtype) if zone \
        else moment.cast(pl.Datetime("us")).cast(dtype)

