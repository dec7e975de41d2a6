"""Smooth columns: what a ridge autoregression expects of a value, and how far the value is from it.

A sensor's next value is close to its last one. Learnt as a level, it would lose all that is finer than a code; so a
smooth column is learnt as its innovation, the distance from a linear prediction on the rows before and on the smooth
columns before it in the same row, and is put together again when drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

LAGS = 3
_GAIN = 0.85
"""Share of a column's variance that the row before must tell for it to count as smooth."""
_SPIKE = 0.1
_DISTINCT = 30
_RIDGE = 1e-3
_OTHERS = 12
"""Other columns whose last value a prediction is told of, at most: those that go most with the column's changes."""


def is_smooth(values: np.ndarray, starts: np.ndarray) -> bool:
    """Whether a column, float64 (rows,), NaN where missing, is best learnt by its innovations."""
    if len(values) < 200 or np.isnan(values).any():
        return False
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) < _DISTINCT or counts.max() > _SPIKE * len(values):
        return False
    now = np.ones(len(values), bool)
    now[starts[:-1][np.diff(starts) > 0]] = False
    at = np.flatnonzero(now)
    if len(at) < 100:
        return False
    x, y = values[at - 1], values[at]
    sd = x.std() * y.std()
    return bool(sd > 0 and (np.mean((x - x.mean()) * (y - y.mean())) / sd) ** 2 > _GAIN)


@dataclass(frozen=True)
class Innovations:
    """The linear predictions of all smooth columns.

    Parameters
    ----------
    mean, scale : float64 arrays of shape (columns,)
        Values are predicted in standard units.
    weights : float64 array of shape (columns, LAGS * columns + columns + seasons + 1)
        Of the values before (the last row first), of the columns before in the row, of what the season says, and of 1.
    low, high : float64 arrays of shape (columns,)
        Drawn values stay within.
    """

    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def learn(cls, values: np.ndarray, starts: np.ndarray, season: np.ndarray, k: int = 5) -> Self:
        """Fit by ridge regression.

        Parameters
        ----------
        values : float64 array of shape (rows, columns)
        starts : int64 array of shape (entities + 1,)
        season : float64 array of shape (rows, seasons)
        k : int
            The bounds are values that so many rows reach.
        """
        mean, scale = values.mean(axis=0), np.maximum(values.std(axis=0), 1e-12)
        z = (values - mean) / scale
        told, known = regressors(z, starts, season)
        columns = values.shape[1]
        weights = np.zeros((columns, told.shape[1] + columns))
        x = np.hstack([told[:, :LAGS * columns], z, told[:, LAGS * columns:]])[known]
        for j in range(columns):
            use = _chosen(x, j, columns)
            fit = _ridge(x[:, use], z[known, j])
            weights[j, use] = fit
        ordered = np.sort(values, axis=0)
        last = min(k, len(values)) - 1
        return cls(mean, scale, weights, ordered[last], ordered[-1 - last])

    @property
    def columns(self) -> int:
        """How many smooth columns there are."""
        return len(self.mean)

    def expected(self, past: np.ndarray, row: np.ndarray, season: np.ndarray, j: int) -> np.ndarray:
        """Return what column `j` is expected to be, float64 (rows,).

        Parameters
        ----------
        past : float64 array of shape (rows, LAGS * columns)
            Standardised values of the rows before, the last first.
        row : float64 array of shape (rows, columns)
            Standardised values of this row; of the columns before `j` only.
        season : float64 array of shape (rows, seasons)
        """
        n, w = self.columns, self.weights[j]
        at = (LAGS + 1) * n
        out = past @ w[:LAGS * n] + row[:, :j] @ w[LAGS * n:LAGS * n + j] + season @ w[at:-1] + w[-1]
        return out * self.scale[j] + self.mean[j]

    def residuals(self, values: np.ndarray, starts: np.ndarray, season: np.ndarray) -> np.ndarray:
        """Return how far values are from what is expected, NaN in the first row of an entity."""
        z = (values - self.mean) / self.scale
        told, known = regressors(z, starts, season)
        past = told[:, :LAGS * self.columns]
        out = np.empty_like(values)
        for j in range(self.columns):
            out[:, j] = values[:, j] - self.expected(past, z, season, j)
        out[~known] = np.nan
        return out

    def state(self) -> dict[str, Any]:
        """Return arrays."""
        return dict(vars(self))


def regressors(z: np.ndarray, starts: np.ndarray, season: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return values before (LAGS * columns), seasons and 1 for each row, and which rows have a row before them.

    Where an entity has fewer rows before than lags, its first row stands in for those before it.
    """
    rows = len(z)
    first = np.repeat(starts[:-1], np.diff(starts))
    index = np.arange(rows)
    lags = [z[np.maximum(index - lag, first)] for lag in range(1, LAGS + 1)]
    return np.hstack([*lags, season, np.ones((rows, 1))]), index > first


def _chosen(x: np.ndarray, j: int, columns: int) -> np.ndarray:
    """Which regressors a column is told of: its own lags, the columns before it in the row, others' last values."""
    own = [lag * columns + j for lag in range(LAGS)]
    others = [i for i in range(columns) if i != j]
    row = [LAGS * columns + i for i in range(j)]
    if columns > _OTHERS:
        change = x[:, LAGS * columns + j] - x[:, j]
        strength = np.abs(np.array([_correlation(x[:, i], change) for i in [*others, *row]]))
        best = np.argsort(-strength, kind="stable")[:2 * _OTHERS]
        told = np.array([*others, *row], np.int64)[best]
        others, row = [int(i) for i in told if i < columns], [int(i) for i in told if i >= columns]
    return np.array([*own, *others, *row, *range((LAGS + 1) * columns, x.shape[1])], np.int64)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    sd = a.std() * b.std()
    return float(np.mean((a - a.mean()) * (b - b.mean())) / sd) if sd > 0 else 0.0


def _ridge(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    gram = x.T @ x
    gram[np.diag_indices_from(gram)] += _RIDGE * max(len(x), 1) * 1e-2
    return np.linalg.solve(gram, x.T @ y)
