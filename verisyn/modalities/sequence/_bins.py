"""Numbers as context: cut at the quantiles of training rows, with a code of its own for what is not known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verisyn.kinds import Part


@dataclass(frozen=True)
class Bins:
    """Codes of a number that is told, never drawn.

    Parameters
    ----------
    edges : float64 array
        A value belongs to the bin above the last edge that is not larger.

    Examples
    --------
    >>> bins = Bins.learn(np.array([1.0, 2.0, 2.0, 3.0]), most=8)
    >>> bins.codes(np.array([0.0, 2.5, 9.0, np.nan])).tolist(), bins.part.size
    ([0, 1, 2, 3], 4)
    """

    edges: np.ndarray

    @classmethod
    def learn(cls, values: np.ndarray, most: int = 32) -> Bins:
        """Cut into `most` bins of equal mass at most; whole small numbers get a bin each where there are few."""
        known = values[np.isfinite(values)]
        distinct = np.unique(known)
        if len(distinct) > most:
            distinct = np.unique(np.quantile(known, np.linspace(0, 1, most + 1)[:-1], method="inverted_cdf"))
        return cls(distinct[1:].astype(np.float64))

    @property
    def part(self) -> Part:
        """What the codes are; the last one is "not known"."""
        return Part(len(self.edges) + 2, ordered=True, missing=len(self.edges) + 1)

    def codes(self, values: np.ndarray) -> np.ndarray:
        """Return the codes of values, NaN being not known."""
        out = np.searchsorted(self.edges, values, side="right")
        gone = np.isnan(values)
        return np.where(gone, len(self.edges) + 1, out) if gone.any() else out
