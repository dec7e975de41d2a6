"""Columns whose values lie on lines: numbers, moments, spans, places; as units that can be moved, and written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from verisyn.kinds import BaseCoder
from verisyn.kinds._ordered import OrderedCoder

_SPIKE, _FEW = 0.1, 20
_NORMAL = 1.349
"""The interquartile range of a normal distribution with standard deviation 1."""


@dataclass(frozen=True)
class Line:
    """One column (or a latitude and its longitude) as whole or real units on one or two axes.

    Parameters
    ----------
    columns : tuple of str
    axes : tuple of int64 or float64 arrays (rows,)
        A date has one axis, a moment two (the day and the time of day), so that what lies between two moments of
        business hours is in business hours too.
    known : bool array (rows,)
        Whether a row has a value; a missing one, a word among numbers and half a place have none.
    write : function
        Units on each axis → columns of their own types, at their own precision.
    """

    columns: tuple[str, ...]
    axes: tuple[np.ndarray, ...]
    known: np.ndarray
    write: Callable[[list[np.ndarray]], list[pl.Series]]

    @cached_property
    def spikes(self) -> tuple[np.ndarray, ...]:
        """Whether a row's unit is one that a tenth of the rows share, on an axis of many: no tax, midnight.

        Such a value is a level among numbers: half of no tax is not a little tax.
        """
        return tuple(_spikes(axis, self.known) for axis in self.axes)

    def spread(self, axis: int) -> float:
        """The standard deviation of an axis by its quartiles, spikes aside; 0 where all values are one."""
        values = self.axes[axis][self.known & ~self.spikes[axis]].astype(np.float64)
        if not len(values):
            return 0.0
        with np.errstate(over="ignore"):
            quartiles = np.quantile(values, (0.25, 0.75))
            spread = float((quartiles[1] - quartiles[0]) / _NORMAL or values.std())
        return spread if np.isfinite(spread) else 0.0

    def with_units(self, frame: pl.DataFrame, units: list[np.ndarray], there: np.ndarray, donors: np.ndarray
                   ) -> list[pl.Series]:
        """Return the columns: the units written where `there`, else the cells of the rows `donors`, as they are."""
        raw = [frame[c].gather(donors) for c in self.columns]
        if not there.any():
            return raw
        safe = [np.where(there, u, a[self.known][0]) for u, a in zip(units, self.axes, strict=True)]
        mine = pl.Series(there)
        return [w.cast(r.dtype, strict=False).zip_with(mine, r).alias(r.name)
                for w, r in zip(self.write(safe), raw, strict=True)]


def _spikes(axis: np.ndarray, known: np.ndarray) -> np.ndarray:
    distinct, counts = np.unique(axis[known], return_counts=True)
    if len(distinct) <= _FEW:
        return np.zeros(len(axis), bool)
    return np.isin(axis, distinct[counts >= _SPIKE * known.sum()]) & known


def line_of(coder: BaseCoder, frame: pl.DataFrame) -> Line | None:
    """Return a coder's columns as a line; None where its values have no order that can be walked."""
    from verisyn.kinds import datetime, geo

    if isinstance(coder, OrderedCoder):
        return _numbers(coder, frame)
    if isinstance(coder, datetime.Coder):
        return _moments(coder, frame)
    return _places(coder, frame) if isinstance(coder, geo.Coder) else None


def _numbers(coder: OrderedCoder, frame: pl.DataFrame) -> Line:
    units, known = coder._to_units(frame[coder.columns[0]])
    return Line(coder.columns, (units,), known, lambda axes: [coder._from_units(axes[0])])


def _moments(coder: BaseCoder, frame: pl.DataFrame) -> Line:
    form = coder.form  # type: ignore[attr-defined]
    periods, steps, known = form.units(frame[coder.columns[0]])
    return Line(coder.columns, (periods, steps), known, lambda axes: [form.series(axes[0], axes[1])])


def _places(coder: BaseCoder, frame: pl.DataFrame) -> Line:
    from verisyn.kinds._lattice import Lattice

    points = frame.select(pl.col(c).cast(pl.Float64, strict=False) for c in coder.columns).to_numpy()
    known = np.isfinite(points).all(axis=1)
    keepers = [Lattice(f["decimals"]) for f in coder.form]  # type: ignore[attr-defined]
    axes = tuple(k.units(np.where(known, points[:, i], 0.0)) for i, k in enumerate(keepers))
    return Line(coder.columns, axes, known,
                lambda axes: [pl.Series(k.values(a).astype(np.float64)) for k, a in zip(keepers, axes, strict=True)])
