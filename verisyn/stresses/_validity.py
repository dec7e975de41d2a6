"""Whether rows are valid against a schema: data types, limits, levels, what may be missing, and every constraint."""

from __future__ import annotations

import numpy as np
import polars as pl

from verisyn.kinds import BaseCoder
from verisyn.kinds._levels import LevelsCoder
from verisyn.kinds._ordered import OrderedCoder
from verisyn.stresses._ground import Ground

_HAIR, _NEAR = 1e-9, 1e-6


def valid(ground: Ground, frame: pl.DataFrame, *, loosely: bool = False) -> np.ndarray:
    """Return a boolean per row.

    Parameters
    ----------
    ground : Ground
    frame : DataFrame
        With the table's columns.
    loosely : bool, default False
        Whether to leave the constraints aside, for rows that are not settled yet.
    """
    good = np.ones(frame.height, bool)
    for name in ground.table.names:
        if name in frame.columns:
            good &= _column(ground, name, frame)
    return good if loosely else good & ~ground.coder.rules.broken_rows(frame)


def _column(ground: Ground, name: str, frame: pl.DataFrame) -> np.ndarray:
    series, coder = frame[name], ground.coders[name]
    gone = series.is_null().to_numpy()
    if series.dtype != ground.dtype(name):
        return np.zeros(frame.height, bool)
    return np.where(gone, ground.nullable(name), _readable(ground, name, coder, frame.select(name)))


def _readable(ground: Ground, name: str, coder: BaseCoder, frame: pl.DataFrame) -> np.ndarray:
    """Whether values are of the column's kind and within its stated limits."""
    from verisyn.kinds import datetime

    series = frame[name]
    if isinstance(coder, LevelsCoder):
        return series.cast(pl.String).is_in([str(v) for v in _domain(coder)]).fill_null(False).to_numpy() \
            if series.dtype != pl.Boolean else np.ones(len(series), bool)
    if isinstance(coder, datetime.Coder):
        inner = coder.form.moments(series)
        if isinstance(inner.dtype, pl.Datetime) and inner.dtype.time_zone:
            inner = inner.dt.replace_time_zone(None)
        good = inner.is_not_null()
        for limit, sign in zip(map(coder.form._limit, ground.allowed(name)), (1, -1), strict=True):
            if limit is not None:
                good = good & (inner >= limit if sign > 0 else inner <= limit)
        return good.fill_null(False).to_numpy()
    if not isinstance(coder, OrderedCoder):
        return np.ones(len(series), bool)
    units, known = coder._to_units(series)
    good = known & _within(ground, name, coder, series)
    if name not in ground.derived:  # what is computed keeps to the decimals of its formula
        good &= _kept(coder, series, np.where(known, units, 0))
    return good | series.is_in(list(coder.words)).fill_null(False).to_numpy() if coder.words else good


def _within(ground: Ground, name: str, coder: OrderedCoder, series: pl.Series) -> np.ndarray:
    low, high = ground.allowed(name)
    if coder.unit or (low is None and high is None):
        return np.ones(len(series), bool)
    values = coder._measures(series)
    return ((values >= (-np.inf if low is None else low - _HAIR * max(1.0, abs(low))))
            & (values <= (np.inf if high is None else high + _HAIR * max(1.0, abs(high)))))


def _kept(coder: OrderedCoder, series: pl.Series, units: np.ndarray) -> np.ndarray:
    """Whether values keep to the decimals and steps of their column."""
    if not len(units) or units.dtype != np.int64:
        return np.ones(len(series), bool)
    there, back = (coder._measures(s) for s in (series, coder._from_units(units).cast(series.dtype, strict=False)))
    return np.isnan(there) | (np.abs(there - back) <= _NEAR * np.maximum(1.0, np.abs(back)))


def _domain(coder: LevelsCoder) -> list[object]:
    return [*coder.levels.names, *coder.levels.stand_in]
