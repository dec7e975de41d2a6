"""The lattice of a number column: the decimals or the coarser step that its values keep to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

_MOST = 2.0**53
_DECIMALS = 9


@dataclass(frozen=True)
class Lattice:
    """Values ``units * step / 10**decimals``; `decimals` is None where values keep to no lattice.

    Examples
    --------
    >>> quarters = Lattice(decimals=2, step=25)
    >>> quarters.units(np.array([0.25, 1.5])).tolist(), quarters.values(np.array([1, 6])).tolist()
    ([1, 6], [0.25, 1.5])
    """

    decimals: int | None
    step: int = 1

    def units(self, values: np.ndarray) -> np.ndarray:
        """Return the nearest lattice point of each value: int64, or the float64 values where there is no lattice."""
        if self.decimals is None:
            return values.astype(np.float64)
        if values.dtype == np.int64:
            return values if self.step == 1 else np.floor_divide(values, self.step)
        scaled = values * 10.0**self.decimals / self.step
        return np.rint(np.clip(scaled, -9.2e18, 9.2e18)).astype(np.int64)

    def values(self, units: np.ndarray) -> np.ndarray:
        """Return the value of each lattice point: int64 where there are no decimals, else float64."""
        if self.decimals is None:
            return units
        whole = units * self.step if self.step != 1 else units
        return whole / 10.0**self.decimals if self.decimals else whole


def find(values: np.ndarray, precision: float, least: int = 3) -> Lattice:
    """Return the coarsest lattice on which all values lie, float noise aside.

    Parameters
    ----------
    values : int64 or float64 array
        Known, finite values.
    precision : float
        Relative spacing of the data type: 2**-52 for Float64, 2**-23 for Float32.
    least : int
        Distinct values needed before a step wider than one decimal is believed.

    Examples
    --------
    >>> find(np.array([1.25, 2.5, 0.75]), 2**-52)
    Lattice(decimals=2, step=25)
    >>> find(np.array([0.1 + 0.2, 0.7]), 2**-52)
    Lattice(decimals=1, step=1)
    >>> find(np.array([2**0.5]), 2**-52), find(np.array([1.5e-12, 2e-12]), 2**-52)
    (Lattice(decimals=None, step=1), Lattice(decimals=None, step=1))
    """
    if values.dtype == np.int64:
        return Lattice(0, _round_step(values, least))
    for decimals in range(_DECIMALS + 1):
        scaled = values * 10.0**decimals
        size = np.abs(scaled)
        if len(size) and size.max() >= _MOST:
            break
        whole = np.rint(scaled)
        slack = np.maximum(4 * precision * size, 1e-9 * min(1.0, size.max(initial=0)))  # 1e-12 is no noise about 0
        if np.all((np.abs(scaled - whole) <= slack) & (slack < 0.02)):
            return Lattice(decimals, _round_step(whole.astype(np.int64), least))
    return Lattice(None)


def _round_step(units: np.ndarray, least: int) -> int:
    """The largest of 1, 2, 5, 25 times a power of ten that divides all; never a step that only few values tell of."""
    sample = np.unique(units)
    common = int(np.gcd.reduce(sample)) if len(sample) >= least else 1
    steps = (digit * 10**power for power in range(18) for digit in (1, 2, 5, 25))
    return max((s for s in steps if s <= common and common % s == 0), default=1)


def from_settings(settings: dict[str, Any], found: Lattice) -> Lattice:
    """Return `found`, or what the user asked for with ``decimals`` and ``step``."""
    if "decimals" not in settings and "step" not in settings:
        return found
    step = settings.get("step")
    decimals = settings.get("decimals")
    if step is None:
        return Lattice(decimals, found.step if decimals == found.decimals else 1)
    needed = find(np.array([float(step)]), 2**-52, least=2).decimals
    decimals = max(needed if needed is not None else _DECIMALS, decimals or 0)
    return Lattice(decimals, max(1, round(step * 10**decimals)))
