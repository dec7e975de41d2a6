"""What repetitions say together: each generation's mean, the change per generation, and their 95 % intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.stats import t

from verisyn.generations.measures import Kind

State = Literal["keeps", "unsure", "loses"]
WORSE: tuple[State, ...] = ("keeps", "unsure", "loses")


@dataclass(frozen=True)
class Slope:
    """The change of a measure per generation, its 95 % interval, and the measure at both ends."""

    value: float
    interval: tuple[float, float]
    first: float
    last: float

    def state(self, kind: Kind) -> State:
        """Whether the change for the worse stays within the measure's budget, exceeds it, or either may be so."""
        better, worse = sorted(kind.worse * end for end in self.interval)
        return "keeps" if worse <= kind.budget else "loses" if better > kind.budget else "unsure"

    @property
    def said(self) -> str:
        """The slope in words."""
        low, high = self.interval
        return f"to {self.last:.3f} ({self.value:+.4f} a generation [{low:+.4f}, {high:+.4f}])"


def slope(measured: np.ndarray) -> Slope | None:
    """Return the change per generation; None where fewer than two repetitions tell it.

    The slope of each repetition is that of least squares over its generations, which follow each other and so err
    together; the repetitions do not, and Student's interval over their slopes needs no more.

    Parameters
    ----------
    measured : float array of shape (repeats, generations)
        NaN where nothing was measured.

    Examples
    --------
    >>> found = slope(np.array([[0.5, 0.6, 0.7], [0.5, 0.61, 0.72], [0.5, 0.59, 0.68]]))
    >>> round(found.value, 3), [round(end, 3) for end in found.interval]
    (0.1, [0.075, 0.125])
    """
    told = [row for row in measured if np.isfinite(row).sum() >= 2]
    if len(told) < 2:
        return None
    slopes = np.array([_least_squares(row) for row in told])
    value, half = float(slopes.mean()), _half(slopes)
    ends = [row[np.isfinite(row)][[0, -1]] for row in told]
    first, last = np.mean(ends, axis=0)
    return Slope(value, (value - half, value + half), float(first), float(last))


def points(measured: np.ndarray) -> list[dict[str, Any]]:
    """Return the mean of each generation and its 95 % interval over repetitions, as a line chart takes them."""
    found = []
    for i, column in enumerate(measured.T):
        told = column[np.isfinite(column)]
        if len(told):
            half = _half(told) if len(told) > 1 else 0.0
            found.append({"x": i + 1, "y": round(float(told.mean()), 6), "low": round(float(told.mean() - half), 6),
                          "high": round(float(told.mean() + half), 6)})
    return found


def _least_squares(row: np.ndarray) -> float:
    at = np.flatnonzero(np.isfinite(row)).astype(float)
    off = at - at.mean()
    return float((off * row[np.isfinite(row)]).sum() / (off * off).sum())


def _half(values: np.ndarray) -> float:
    """Half of Student's 95 % interval of a mean."""
    return float(t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
