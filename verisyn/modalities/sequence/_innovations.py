"""Smooth columns: what a ridge autoregression expects of a value, and how far the value is from it.

A sensor's next value is close to its last one. Learnt as a level, it would lose all that is finer than a code; so a
smooth column is learnt as its innovation, the distance from a linear prediction on the rows before and on the smooth
columns before it in the same row, and is put together again when drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np

LAGS = 3
FADES = (0.3, 0.1)
"""Weights of the newest value in the fading means that a prediction is told of, beside the last values."""
TERMS = LAGS + len(FADES)
"""Numbers of each column that tell of its past."""
MARKS = 3
"""Numbers of each column that are known of an entity before its rows: the first value, the mean, where it ends."""
_MANY = 20
"""Entities from which on means and ends are told, at which a prediction aims, so that what it misses does not add up;
and position and calendar time, which of fewer would retell the one course there is."""
_SOON = 3
_STEP = 0.15
"""A usual step of a smooth column, as a share of its usual distance from its middle, is no larger: else its codes are
fine enough to learn it as it is, and a linear prediction that follows every turn would wander off."""
_SPIKE = 0.1
_DISTINCT = 30
_RIDGE = 1e-3
_OTHERS = 12
"""Other columns whose last value a prediction is told of, at most: those that go most with the column's changes."""


def is_smooth(values: np.ndarray, starts: np.ndarray) -> bool:
    """Whether a column, float64 (rows,), NaN where missing, is best learnt by its innovations."""
    if len(values) < 200 or not np.isfinite(values).all():
        return False
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) < _DISTINCT or counts.max() > _SPIKE * len(values):
        return False
    now = np.ones(len(values), bool)
    now[starts[:-1][np.diff(starts) > 0]] = False
    at = np.flatnonzero(now)
    if len(at) < 100:
        return False
    step, spread = np.median(np.abs(values[at] - values[at - 1])), np.median(np.abs(values - np.median(values)))
    return bool(0 < step < _STEP * spread)


@dataclass(frozen=True)
class Innovations:
    """The linear predictions of all smooth columns.

    Parameters
    ----------
    mean, scale : float64 arrays of shape (columns,)
        Values are predicted in standard units.
    weights : float64 array of shape (columns, (TERMS + 3) * columns + seasons + 1)
        Of the values before (the last row first) and their fading means, of the columns before in the row, of each
        column's mean and of the way it has to go to its end, of what the season says, and of 1.
    low, high : float64 arrays of shape (columns,)
        Drawn values stay within.
    aimed : bool
        Whether means and ends of entities are told: there were enough entities.
    """

    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    low: np.ndarray
    high: np.ndarray
    aimed: bool = True

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
        past, known = regressors(z, starts)
        columns = values.shape[1]
        left, aimed = remaining(starts), enough(starts)
        goals = aims(goals_of(marks_of(values, starts, aimed), mean, scale)[np.repeat(np.arange(len(starts) - 1),
                                                                               np.diff(starts))], past, left)
        x = np.hstack([past, z, goals, season, np.ones((len(z), 1))])[known]
        weights = np.zeros((columns, x.shape[1]))
        for j in range(columns):
            use = _chosen(x, j, columns)
            fit = _ridge(x[:, use], z[known, j])
            weights[j, use] = fit
        ordered = np.sort(values, axis=0)
        last = min(k, len(values)) - 1
        return cls(mean, scale, weights, ordered[last], ordered[-1 - last], aimed)

    @property
    def columns(self) -> int:
        """How many smooth columns there are."""
        return len(self.mean)

    def expected(self, past: np.ndarray, row: np.ndarray, goals: np.ndarray, season: np.ndarray, j: int) -> np.ndarray:
        """Return what column `j` is expected to be, float64 (rows,).

        Parameters
        ----------
        past : float64 array of shape (rows, TERMS * columns)
            Standardised values of the rows before, the last first, then their fading means.
        row : float64 array of shape (rows, columns)
            Standardised values of this row; of the columns before `j` only.
        goals : float64 array of shape (rows, 2 * columns)
            See :func:`aims`.
        season : float64 array of shape (rows, seasons)
        """
        n, w = self.columns, self.weights[j]
        at, end = (TERMS + 1) * n, (TERMS + 3) * n
        out = past @ w[:TERMS * n] + row[:, :j] @ w[TERMS * n:TERMS * n + j]
        out += goals @ w[at:end] + season @ w[end:-1] + w[-1]
        return out * self.scale[j] + self.mean[j]

    def goals(self, marks: np.ndarray) -> np.ndarray:
        """Return means and ends of entities in standard units."""
        return goals_of(marks, self.mean, self.scale)

    def residuals(self, values: np.ndarray, starts: np.ndarray, season: np.ndarray, marks: np.ndarray) -> np.ndarray:
        """Return how far values are from what is expected, NaN in the first row of an entity.

        `marks` are those of the entities, whose rows these may be only the first of.
        """
        z = (values - self.mean) / self.scale
        past, known = regressors(z, starts)
        of = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        goals = aims(self.goals(marks)[of], past, remaining(starts))
        out = np.empty_like(values)
        for j in range(self.columns):
            out[:, j] = values[:, j] - self.expected(past, z, goals, season, j)
        out[~known] = np.nan
        return out

    def state(self) -> dict[str, Any]:
        """Return arrays."""
        return dict(vars(self))


def enough(starts: np.ndarray) -> bool:
    """Whether there are enough entities with rows for what is told of them not to be one of them."""
    return int((np.diff(starts) > 0).sum()) >= _MANY


def marks_of(values: np.ndarray, starts: np.ndarray, aimed: bool) -> np.ndarray:
    """Return the first value, the mean and the last fading mean of each entity, float64 (entities, MARKS * columns).

    They are NaN for an entity without rows; the mean and the end too where nothing aims at them.
    """
    n, counts = values.shape[1], np.diff(starts)
    some = np.flatnonzero(counts > 0)
    out = np.full((len(counts), MARKS * n), np.nan)
    out[some, :n] = values[starts[:-1][some]]
    if aimed and len(some):
        out[some, n:2 * n] = np.add.reduceat(values, starts[:-1][some], axis=0) / counts[some, None]
        out[some, 2 * n:] = _fading(values, starts, FADES[0])[starts[1:][some] - 1]
    return out


def goals_of(marks: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return means and ends in standard units, float64 (entities, 2 * columns); 0 where they are not told."""
    n = len(mean)
    return np.nan_to_num((marks[:, n:] - np.tile(mean, 2)) / np.tile(scale, 2))


def aims(goals: np.ndarray, past: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Return what a row aims at: each column's mean, and the way to its end, shared among the rows that are left.

    Parameters
    ----------
    goals : float64 array of shape (rows, 2 * columns)
        Of the rows' entities.
    past : float64 array of shape (rows, TERMS * columns)
    left : int64 array of shape (rows,)
        Rows from this one to the entity's last.
    """
    n = goals.shape[1] // 2
    if not goals.any():
        return goals
    fading = past[:, LAGS * n:(LAGS + 1) * n]
    return np.hstack([goals[:, :n], (goals[:, n:] - fading) / (left + _SOON)[:, None]])


def remaining(starts: np.ndarray) -> np.ndarray:
    """Return how many rows there are from each to its entity's last."""
    return np.repeat(starts[1:], np.diff(starts)) - np.arange(starts[-1])


def regressors(z: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what is told of the past, (rows, TERMS * columns), and which rows have a row before them.

    Where an entity has fewer rows before than lags, its first row stands in for those before it.
    """
    rows = len(z)
    first = np.repeat(starts[:-1], np.diff(starts))
    index = np.arange(rows)
    lags = [z[np.maximum(index - lag, first)] for lag in range(1, LAGS + 1)]
    before = np.maximum(index - 1, first)
    fading = [_fading(z, starts, weight)[before] for weight in FADES]
    return np.hstack([*lags, *fading]), index > first


def begun(z: np.ndarray) -> np.ndarray:
    """Return what is told of the past after the first rows, (rows, TERMS * columns), from their standardised values."""
    return np.tile(z, TERMS)


def pushed(past: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return what is told of the past after one more row."""
    n = z.shape[1]
    out = np.empty_like(past)
    out[:, :n], out[:, n:LAGS * n] = z, past[:, :(LAGS - 1) * n]
    for i, weight in enumerate(FADES):
        at = slice((LAGS + i) * n, (LAGS + i + 1) * n)
        out[:, at] = past[:, at] + weight * (z - past[:, at])
    return out


def _fading(z: np.ndarray, starts: np.ndarray, weight: float) -> np.ndarray:
    """The fading mean after each row, which begins anew with each entity; as :func:`pushed` has it."""
    from scipy.signal import lfilter

    out = np.empty_like(z)
    for begin, end in pairwise(starts):
        if end > begin:
            own = z[begin:end]
            out[begin:end] = lfilter([weight], [1, weight - 1], own, axis=0, zi=(1 - weight) * own[:1])[0]
    return out


def _chosen(x: np.ndarray, j: int, columns: int) -> np.ndarray:
    """Which regressors a column is told of: its own lags, the columns before it in the row, others' last values."""
    own = [term * columns + j for term in range(TERMS)]
    others = [i for i in range(columns) if i != j]
    row = [TERMS * columns + i for i in range(j)]
    if columns > _OTHERS:
        change = x[:, TERMS * columns + j] - x[:, j]
        strength = np.abs(np.array([_correlation(x[:, i], change) for i in [*others, *row]]))
        best = np.argsort(-strength, kind="stable")[:2 * _OTHERS]
        told = np.array([*others, *row], np.int64)[best]
        others, row = [int(i) for i in told if i < columns], [int(i) for i in told if i >= columns]
    goals = [(TERMS + 1) * columns + j, (TERMS + 2) * columns + j]
    return np.array([*own, *others, *row, *goals, *range((TERMS + 3) * columns, x.shape[1])], np.int64)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    sd = a.std() * b.std()
    return float(np.mean((a - a.mean()) * (b - b.mean())) / sd) if sd > 0 else 0.0


def _ridge(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    gram = x.T @ x
    gram[np.diag_indices_from(gram)] += _RIDGE * max(len(x), 1) * 1e-2
    return np.linalg.solve(gram, x.T @ y)
