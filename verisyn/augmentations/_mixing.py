"""What lies between two rows: units on the way from one to the other, or a cell of either."""

from __future__ import annotations

import numpy as np
import polars as pl

from verisyn.augmentations._lines import Line
from verisyn.augmentations._real import Real

_EXACT, _LARGEST = 2.0**53, 9.2e18


def lines_between(real: Real, base: np.ndarray, other: np.ndarray, weight: np.ndarray, rng: np.random.Generator
                  ) -> list[pl.Series]:
    """Return the columns on lines, `weight` (rows,) of the way from the rows `base` to the rows `other`.

    Where either lacks the value, or has one that is a spike, the cell is that of one of the two, of the other with a
    chance of `weight`, so that gaps and spikes stay as frequent as they are.
    """
    return [column for line in real.lines for column in _between(line, real.frame, base, other, weight, rng)]


def _between(line: Line, frame: pl.DataFrame, base: np.ndarray, other: np.ndarray, weight: np.ndarray,
             rng: np.random.Generator) -> list[pl.Series]:
    donors = either(base, other, weight, rng)
    units = []
    for axis, spikes in zip(line.axes, line.spikes, strict=True):
        units.append(np.where(spikes[base] | spikes[other], axis[donors], _way(axis[base], axis[other], weight)))
    return line.with_units(frame, units, line.known[base] & line.known[other], donors)


def _way(start: np.ndarray, end: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Units `weight` of the way from `start` to `end`; whole ones stay whole, exactly, however large they are."""
    between = start * (1 - weight) + end * weight
    if start.dtype != np.int64:
        return between
    apart = end.astype(np.float64) - start.astype(np.float64)
    near = np.abs(apart) < _EXACT
    step = np.rint(np.where(near, weight * apart, 0)).astype(np.int64)
    far = np.rint(np.clip(between, -_LARGEST, _LARGEST)).astype(np.int64)
    return np.where(near, start + step, far)


def either(base: np.ndarray, other: np.ndarray, weight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return for each row one of the two, the other with a chance of `weight`."""
    return np.where(rng.random(len(base)) < weight, other, base)
