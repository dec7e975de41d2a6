"""The nearest weights that meet moments: the I-projection, with a bound on any row's weight."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

_STEPS = 40
_BLOCK = 4096
_EXACT, _NEARLY = 1e-12, 1e-7
_UNSEEN = 1e-10
_SOFTER = (1e6, 1e4, 1e2, 1.0)
_FLOOR = 1e-6


@dataclass(frozen=True)
class Moments:
    """What weighted rows shall sum to.

    Parameters
    ----------
    z : float64 array of shape (rows, moments)
    goal : float64 array of shape (moments,)
        What the weighted sums shall be, over the total of the weights.
    slack : float64 array of shape (moments,)
        How far off is near enough; where moments are at odds, each gives way in proportion to its slack squared.
    """

    z: np.ndarray
    goal: np.ndarray
    slack: np.ndarray

    @classmethod
    def zero(cls, z: np.ndarray, slack: np.ndarray) -> Moments:
        """Moments that shall be 0."""
        return cls(z, np.zeros(z.shape[1]), slack)


@dataclass(frozen=True)
class Projection:
    """Weights ``min(cap, base · exp(level + slopes · z))``, their sum as asked for."""

    level: float
    slopes: np.ndarray
    weights: np.ndarray

    @property
    def effective(self) -> float:
        """Kish's effective sample size: so many equally weighted rows say as much."""
        from verisyn.metrics._stats import effective  # scipy.stats is not for every model that is loaded

        return effective(self.weights)

    def entropy(self, base: np.ndarray) -> float:
        """Return the relative entropy of the weights beside `base` (logs), in nats."""
        share, other = self.weights / self.weights.sum(), np.exp(base) / np.exp(base).sum()
        seen = share > 0
        return float((share[seen] * np.log(share[seen] / other[seen])).sum())


def project(moments: Moments, base: np.ndarray, total: float, cap: float, near: Projection | None = None) -> Projection:
    """Find the weights nearest to `base` in relative entropy that sum to `total`, meet the moments, and keep the cap.

    Minimises the dual, a smooth convex function of as many variables as there are moments, by Newton's method. A ridge
    in units of the slack (generalised regularisation; Dudík, Phillips and Schapire 2004) keeps it well-posed where
    moments repeat, sum up, or contradict one another.

    Parameters
    ----------
    moments : Moments
    base : float64 array of shape (rows,)
        Log of the weights to start from.
    total : float
        What the weights shall sum to.
    cap : float
        The largest weight; at least ``total / rows``.
    near : Projection, optional
        A solution that is thought to be near. It is taken as the start; from there no second try is made.

    Examples
    --------
    >>> z = np.array([[-0.5], [-0.5], [-0.5], [0.5]])
    >>> found = project(Moments.zero(z, np.array([1e-6])), np.zeros(4), 4.0, 100.0)
    >>> np.round(found.weights, 4).tolist()
    [0.6667, 0.6667, 0.6667, 2.0]
    """
    scale = np.maximum(np.sqrt((moments.z**2).mean(axis=0)), 1e-12)
    x = np.column_stack([np.ones(len(moments.z)), moments.z / scale])
    wanted = total * np.concatenate([[1.0], moments.goal / scale])
    ridge = total * np.concatenate([[0.0], np.maximum((moments.slack / scale / 10) ** 2, _FLOOR)])
    start = np.zeros(x.shape[1])
    start[0] = min(math.log(total / np.exp(base).sum()), math.log(cap))
    dual = _Dual(x, base, math.log(cap), wanted, ridge)
    theta, found = _newton(dual, np.append(near.level, near.slopes * scale) if near else start, total)
    if not found and not near:
        theta = start
        for softer in _SOFTER:
            theta, _ = _newton(replace(dual, ridge=ridge * softer), theta, total)
    theta = np.array([float(f"{number:.7g}") for number in theta])  # the same bytes on every machine
    logs = base + theta[0]
    for column, slope in zip(x.T[1:], theta[1:], strict=True):
        logs = logs + column * slope  # no matrix product: its last digits depend on the machine
    weights = np.exp(np.minimum(logs, dual.cap))
    return Projection(float(theta[0]), theta[1:] / scale, weights * (total / weights.sum()))


@dataclass(frozen=True)
class _Dual:
    x: np.ndarray
    base: np.ndarray
    cap: float
    wanted: np.ndarray
    ridge: np.ndarray

    def log_weights(self, theta: np.ndarray) -> np.ndarray:
        return self.base + self.x @ theta

    def value(self, theta: np.ndarray, log_weights: np.ndarray) -> float:
        """The conjugate of the entropy: exponential up to the cap, a straight line beyond."""
        beyond = np.maximum(log_weights - self.cap, 0.0)
        whole = (np.exp(np.minimum(log_weights, self.cap)) + math.exp(self.cap) * beyond).sum()
        return float(whole - self.wanted @ theta + (self.ridge * theta**2).sum() / 2)

    def gradient(self, theta: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return self.x.T @ weights - self.wanted + self.ridge * theta

    def hessian(self, weights: np.ndarray, free: np.ndarray) -> np.ndarray:
        found = np.zeros((self.x.shape[1],) * 2)
        for start in range(0, len(self.x), _BLOCK):  # in blocks that fit the processor's cache
            x = self.x[start: start + _BLOCK]
            found += (x * (weights * free)[start: start + _BLOCK, None]).T @ x
        found[np.diag_indices_from(found)] += self.ridge + 1e-9 * (found.trace() + self.wanted[0]) / len(found)
        return found


def _newton(dual: _Dual, theta: np.ndarray, total: float) -> tuple[np.ndarray, bool]:
    """Return where the steps lead, and whether that is the minimum."""
    logs = dual.log_weights(theta)
    value = dual.value(theta, logs)
    for _ in range(_STEPS):
        weights = np.exp(np.minimum(logs, dual.cap))
        gradient = dual.gradient(theta, weights)
        if np.abs(gradient).max() <= _EXACT * total:
            return theta, True
        step = np.linalg.solve(dual.hessian(weights, logs < dual.cap), gradient)
        slope, length = float(gradient @ step), 1.0
        while length > 1e-10:
            trial = theta - length * step
            trial_logs = dual.log_weights(trial)
            trial_value = dual.value(trial, trial_logs)
            if trial_value <= value - 1e-4 * length * slope or slope <= _UNSEEN * abs(value):
                break  # so near the minimum the value's last digits do not tell
            length /= 2
        else:
            break
        theta, logs, value = trial, trial_logs, trial_value
    return theta, bool(np.abs(gradient).max() <= _NEARLY * total)
