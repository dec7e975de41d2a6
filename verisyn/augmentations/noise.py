"""Noise: each row is a real row whose numbers are jittered a little, and a few of whose levels are swapped.

Numbers, dates and places move by a normal deviate with a standard deviation of `amount` times the column's own, at the
column's precision; where that leads beyond the column's range, it is reflected at the end. Values that a tenth of the
rows share (no tax) stay. A level is swapped with probability `swap` for one drawn by the frequencies in the column. A
named target stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from verisyn.augmentations import BaseMethod, share
from verisyn.augmentations._lines import Line
from verisyn.augmentations._real import Real

_NONE = -1e-12
_MOST = 10.0


@dataclass(frozen=True)
class Method(BaseMethod):
    """Jitters and swaps.

    Parameters
    ----------
    amount : float, default 0.1
        Standard deviation of the jitter, as a share of the column's own; from 0 to 10.
    swap : float, default 0.05
        Probability that a level is swapped, 0 to 1.
    """

    amount: float = 0.1
    swap: float = 0.05

    def __post_init__(self) -> None:
        share("amount", self.amount, _NONE, _MOST)
        share("swap", self.swap, _NONE)

    def derive(self, real: Real, base: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
        """Jitter what lies on a line; swap a few of the levels."""
        columns = []
        for line in real.lines:
            amount = 0.0 if real.target in line.columns else self.amount
            columns += line.with_units(real.frame, self._jittered(line, base, amount, rng), line.known[base], base)
        for name in real.levels:
            swapped = rng.random(len(base)) < (0.0 if name == real.target else self.swap)
            donors = np.where(swapped, rng.integers(0, real.frame.height, len(base)), base)
            columns.append(real.frame[name].gather(donors))
        return pl.DataFrame(columns)

    def _jittered(self, line: Line, base: np.ndarray, amount: float, rng: np.random.Generator) -> list[np.ndarray]:
        units = []
        for i, (axis, spikes) in enumerate(zip(line.axes, line.spikes, strict=True)):
            steps = rng.normal(0, 1, len(base)) * (amount * line.spread(i))
            units.append(np.where(spikes[base], axis[base], _moved(axis[base], axis[line.known], steps)))
        return units


def _moved(units: np.ndarray, known: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Move units; what would leave the range of the known ones comes back by as much."""
    if not len(known):
        return units
    low, high = known.min(), known.max()
    to = units + steps
    to = np.where(to < low, 2.0 * low - to, to)
    to = np.where(to > high, 2.0 * high - to, to)
    apart = np.clip(to, low, high) - units
    moved = units + (np.rint(apart).astype(np.int64) if units.dtype == np.int64 else apart)
    return np.clip(moved, low, high)
