"""Columns as numbers whose correlations say who goes with whom: normal scores and their squares, levels as 0 and 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, pairwise

import numpy as np

from verisyn.kinds import Feature
from verisyn.modalities.table._views import coarse_of, scales_of

_LEAST_ROWS, _LEAST_SHARE = 20, 0.01
_CURVED = 5
_RIDGE = 1e-4


@dataclass(frozen=True)
class Embedded:
    """Columns, each as one or a few numbers a row, and the correlations of these.

    Parameters
    ----------
    values : float32 array of shape (rows, numbers)
    places : tuple of int arrays
        The numbers of each column.
    """

    values: np.ndarray
    places: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, units: Sequence[Sequence[Feature]], rows: int) -> Embedded:
        """Embed columns; each unit is the features of one column, or of columns that count as one."""
        blocks = [np.hstack([np.empty((rows, 0), np.float32), *map(_numbers, unit)]) for unit in units]
        ends = list(accumulate((b.shape[1] for b in blocks), initial=0))
        values = np.hstack([np.empty((rows, 0), np.float32), *blocks])
        return cls(values, tuple(np.arange(a, b) for a, b in pairwise(ends)))

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.values)

    @cached_property
    def correlation(self) -> np.ndarray:
        """Correlations of the numbers, float64, drawn a little towards independence."""
        centred = self.values - self.values.mean(axis=0)
        covariance = (centred.T @ centred).astype(np.float64) / self.rows
        deviation = np.sqrt(np.maximum(np.diag(covariance), 1e-12))
        correlation = (1 - _RIDGE) * covariance / np.outer(deviation, deviation)
        np.fill_diagonal(correlation, 1.0)
        return correlation

    def varied(self) -> tuple[list[int], Embedded]:
        """Return the columns that vary, and the embedding of only these."""
        kept = [i for i, place in enumerate(self.places) if len(place)]
        return kept, replace(self, places=tuple(self.places[i] for i in kept))

    def half(self, rng: np.random.Generator) -> Embedded:
        """Return the embedding of half the rows."""
        return replace(self, values=self.values[np.sort(rng.permutation(self.rows)[: self.rows // 2])])


def _numbers(feature: Feature) -> np.ndarray:
    """Return a column as numbers; one that never varies has none."""
    return _levels(feature) if feature.levels else _scores(feature)


def _levels(feature: Feature) -> np.ndarray:
    """0 or 1 for each frequent level but the most frequent; rare levels stay with that."""
    coarse = coarse_of([feature], scales_of([feature]), len(feature.values)).values[:, 0]
    codes, counts = np.unique(coarse, return_counts=True)
    enough = counts >= max(_LEAST_ROWS, _LEAST_SHARE * len(coarse))
    kept = codes[enough][np.argsort(-counts[enough], kind="stable")][1:]
    return (coarse[:, None] == kept).astype(np.float32)


def _scores(feature: Feature) -> np.ndarray:
    """The normal scores of the ranks, their squares where there are enough values, and whether a value is missing."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    gone = np.isnan(feature.values)
    known, out = feature.values[~gone], []
    if len(np.unique(known)) > 1:
        score = ndtri((rankdata(known) - 0.5) / len(known))
        curve = score**2
        powers = [score, curve - curve.mean()] if len(np.unique(known)) >= _CURVED else [score]
        out = [_spread(power, gone) for power in powers]
    if max(_LEAST_ROWS, _LEAST_SHARE * len(gone)) <= gone.sum() < len(gone):
        out.append(gone.astype(np.float32))
    return np.column_stack(out) if out else np.empty((len(gone), 0), np.float32)


def _spread(values: np.ndarray, gone: np.ndarray) -> np.ndarray:
    out = np.zeros(len(gone), np.float32)
    out[~gone] = values
    return out
