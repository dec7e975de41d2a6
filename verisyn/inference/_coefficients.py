"""Coefficients of linear and logistic regressions, moved by predictions as `_powered` moves a mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from verisyn.errors import UserError
from verisyn.inference._powered import Figure, Guesses, Swayed, able, tuned

_ROUNDS, _FLAT = 60, 1e-9
_EXTREME = 30.0
"""On the scale of log odds: a chance so near to 0 or 1 that no finite coefficient stands behind it."""
_INSIDE = 0.005
"""Predicted chances are kept so far from 0 and 1, in which case their own coefficients are always finite."""
_ALONE = 0.999
"""Leverage of a row that decides a coefficient by itself: its error cannot be estimated."""


@dataclass(frozen=True)
class Fit:
    """Coefficients, shape (p,), how far each row sways each of them, (rows, p), and the leverage of each row."""

    theta: np.ndarray
    sway: np.ndarray
    leverage: np.ndarray


def linear(x: np.ndarray, y: np.ndarray) -> Fit:
    """Fit ordinary least squares; the mean square of a column of `sway`, over n, is the HC3 variance.

    Notes
    -----
    HC3 (MacKinnon and White 1985; Long and Ervin 2000) holds where the spread differs from row to row, and for few
    rows. """
    scale = _scale(x)
    z = x / scale
    inverse = np.linalg.inv(z.T @ z / len(z))
    theta = inverse @ (z.T @ y) / len(z)
    return _fit(z, y - z @ theta, inverse, np.ones(len(z)), theta, scale)


def logistic(x: np.ndarray, y: np.ndarray) -> Fit:
    """Fit a logistic regression of chances `y` in [0, 1] by Newton's method; variances as in `linear`.

    Raises
    ------
    UserError
        If the outcome is told apart perfectly, so that there is no finite estimate.
    """
    from scipy.special import expit

    scale = _scale(x)
    z = x / scale
    theta = np.zeros(x.shape[1])
    for _ in range(_ROUNDS):
        chance = expit(z @ theta)
        spread = np.maximum(chance * (1 - chance), 1e-12)
        inverse = np.linalg.pinv((z * spread[:, None]).T @ z / len(z))
        step = inverse @ (z.T @ (y - chance)) / len(z)
        theta = theta + step * min(1.0, 5.0 / max(float(np.abs(z @ step).max()), 1e-12))
        if np.abs(step).max() < _FLAT * (1 + np.abs(theta).max()):
            break
    if np.abs(z @ theta).max() > _EXTREME or not np.isfinite(theta).all():
        raise UserError("The columns of the regression tell the outcome apart perfectly in some rows, so that no "
                        "finite coefficient fits best. Leave out the column that gives it away, or give more rows.")
    chance = expit(z @ theta)
    spread = chance * (1 - chance)
    return _fit(z, y - chance, np.linalg.pinv((z * spread[:, None]).T @ z / len(z)), spread, theta, scale)


def _scale(x: np.ndarray) -> np.ndarray:
    scale = np.sqrt((x**2).mean(axis=0))
    return np.where(scale > 0, scale, 1.0)


def _fit(z: np.ndarray, left: np.ndarray, inverse: np.ndarray, spread: np.ndarray, theta: np.ndarray,
         scale: np.ndarray) -> Fit:
    leverage = np.einsum("ij,jk,ik->i", z, inverse, z) * spread / len(z)
    return Fit(theta / scale, (z @ inverse) * (left / np.maximum(1 - leverage, 1e-3))[:, None] / scale, leverage)


def coefficients(names: Sequence[str], x: np.ndarray, y: np.ndarray, other: np.ndarray, guesses: Guesses | None, *,
                 binary: bool, alpha: float) -> list[Figure]:
    """Estimate the coefficients of a regression.

    Parameters
    ----------
    names : sequence of str
        One for each column of `x`.
    x : float array of shape (n, p)
        Labelled rows; a column of ones is the intercept.
    y : float array of shape (n,)
    other : float array of shape (N, p)
        Unlabelled rows.
    guesses : Guesses, optional
        Predictions of `y`; where `binary`, chances.
    binary : bool
        Whether the regression is logistic.
    alpha : float
        One minus the level of the intervals.

    Notes
    -----
    The surrogate coefficients are those of the predictions, fitted once on the labelled and once on the unlabelled rows
    (Chen and Chen 2000; Gronsbell et al. 2024 show that this is never asymptotically less efficient than the
    classical estimate, and no less than PPI).
    """
    from scipy.stats import t

    fit = logistic if binary else linear
    check_rank(names, x)
    own, df = fit(x, y), len(x) - x.shape[1]
    _check_alone(names, x, own.leverage)
    half = t.ppf(1 - alpha / 2, df) * np.sqrt((own.sway**2).mean(axis=0) / len(x))
    plain = [Figure(name, float(v), (float(v - h), float(v + h)), float(v), (float(v - h), float(v + h)))
             for name, v, h in zip(names, own.theta, half, strict=True)]
    enough = able(guesses, df, x.shape[1])
    if guesses is None or not enough or np.linalg.matrix_rank(other / _scale(other)) < other.shape[1]:
        return plain
    if binary:
        guesses = Guesses(*(np.clip(g, _INSIDE, 1 - _INSIDE) for g in guesses))
    near, far = fit(x, guesses.labelled), fit(other, guesses.unlabelled)
    found = tuned(Swayed(own.sway, near.sway, far.sway, near.theta - far.theta))
    value, half = own.theta + found.shift, t.ppf(1 - alpha / 2, df - 1) * np.sqrt(found.variance)
    gain = np.divide(found.classical, found.variance, out=np.ones_like(half), where=found.variance > 0)
    return [Figure(p.name, float(value[i]), (float(value[i] - half[i]), float(value[i] + half[i])), p.classical,
                   p.classical_interval, float(found.weight[i]), float(gain[i])) for i, p in enumerate(plain)]


def check_rank(names: Sequence[str], x: np.ndarray) -> None:
    """Refuse columns that follow from one another.

    Raises
    ------
    UserError
        Naming a column that the others tell, or the number of rows that it takes.
    """
    from scipy.linalg import qr

    if len(x) < x.shape[1] + 2:
        raise UserError(f"Only {len(x):,} rows hold all that the regression reads; for its {len(names)} "
                        f"coefficient{'s' * (len(names) > 1)}, at least {x.shape[1] + 2} are needed. Take fewer "
                        "columns, or give more rows.")
    _, r, order = qr(x / _scale(x), mode="economic", pivoting=True)
    sizes = np.abs(np.diag(r))
    told = [names[i] for i, size in zip(order, sizes, strict=True) if size < 1e-9 * sizes[0]]
    if told:
        raise UserError(f"In the rows that hold the outcome, {told[0]!r} is constant or follows from the other columns "
                        "of the regression, so its coefficient cannot be told. Leave it out.")


def _check_alone(names: Sequence[str], x: np.ndarray, leverage: np.ndarray) -> None:
    if leverage.max() > _ALONE:
        row = np.abs(x[int(leverage.argmax())] / _scale(x))
        raise UserError(f"One single row decides the coefficient of {names[int(row.argmax())]!r}, so that its error "
                        "cannot be estimated. Leave that column or level out, or merge rare levels.")
