"""Estimates from rows with the outcome, made sharper by predictions of it for rows without: arrays in, figures out.

Every estimate has one form. The classical estimate from the n labelled rows is moved by a weight times the gap between
two estimates of the predictions in the outcome's place: that from the same n rows, and that from the N unlabelled ones.
Where the labelled rows are a random sample of all, the gap is zero on average, so that no prediction can bias the
estimate, however bad it is; and the weight is the one that makes the estimated variance least, so that a useless
prediction costs next to nothing. For a mean this is PPI++; for coefficients it is Chen and Chen's estimator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from verisyn.errors import UserError

LEAST = 10
"""A share or a quantile is moved by predictions only where so many labelled rows lie on either side of it."""
FEWEST = 20
"""With no more labelled rows than these, beyond one a coefficient, a weight cannot be told from chance; with no more
unlabelled rows, neither can the error of what is predicted for them."""


@dataclass(frozen=True)
class Figure:
    """One estimated number: with predictions, and from the labelled rows alone.

    Parameters
    ----------
    name : str
        The coefficient, or what was asked.
    value, interval
        The prediction-powered estimate and its interval; the classical ones where predictions cannot help.
    classical, classical_interval
        The estimate and interval from the labelled rows alone.
    weight : float
        How far the predictions are trusted (lambda): 0 leaves them out. Chosen for the least variance.
    gain : float
        Classical variance over the variance reached: 1.5 says that the predictions are worth half as many labelled
        rows again.
    naive, naive_interval
        What counting synthetic (or predicted) rows as real ones would give. **Not valid**, and shown for contrast only.
    """

    name: str
    value: float
    interval: tuple[float, float]
    classical: float
    classical_interval: tuple[float, float]
    weight: float = 0.0
    gain: float = 1.0
    naive: float | None = None
    naive_interval: tuple[float, float] | None = None


class Guesses(NamedTuple):
    """Predictions of the outcome: float arrays of shape (n,) for labelled rows, (N,) for unlabelled rows."""

    labelled: np.ndarray
    unlabelled: np.ndarray


class Swayed(NamedTuple):
    """How far each row sways an estimate, float arrays of shape (rows, figures), and how far the two surrogates differ.

    The mean of squares of `own`, over n, is the classical variance. `gap` is the surrogate estimate on labelled rows
    less that on unlabelled rows.
    """

    own: np.ndarray
    guessed: np.ndarray
    other: np.ndarray
    gap: np.ndarray


class Tuned(NamedTuple):
    """The weight of the predictions, the shift of the estimate, and its variance beside the classical one."""

    weight: np.ndarray
    shift: np.ndarray
    variance: np.ndarray
    classical: np.ndarray


def tuned(swayed: Swayed) -> Tuned:
    """Choose the weights that make the estimated variances least.

    Notes
    -----
    Angelopoulos, Duchi and Zrnic (2023) for the weight; one a figure, as Miao et al. (2025). The weight is a slope
    learnt from the same n rows: what it leaves of a row is divided by one minus the row's leverage on it, and the
    variance holds gap² times the slope's own. Without these two, intervals from fewer than 100 rows are too narrow.
    What the premise makes alike, how far predictions of labelled and of unlabelled rows spread, is estimated from both
    together: a few unlabelled rows that happen to be alike would seem to be known without error.
    """
    n, unlabelled = len(swayed.own), len(swayed.other)
    own, guessed, other = ((x**2).mean(axis=0) for x in (swayed.own, swayed.guessed, swayed.other))
    other = (n * guessed + unlabelled * other) / (n + unlabelled)
    denominator = guessed + other * n / unlabelled
    weight = _over((swayed.own * swayed.guessed).mean(axis=0), denominator)
    leverage = _over(swayed.guessed**2, np.broadcast_to(n * denominator, swayed.guessed.shape))
    left = (((swayed.own - weight * swayed.guessed) / (1 - np.minimum(leverage, 0.9))) ** 2).mean(axis=0)
    error = _over(swayed.gap**2 * left, n * guessed)
    return Tuned(weight, -weight * swayed.gap, left / n + weight**2 * other / unlabelled + error, own / n)


def _over(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _of_means(y: np.ndarray, guesses: Guesses) -> Tuned:
    centred = [x - x.mean() for x in (y, *guesses)]
    scale = np.sqrt(len(y) / (len(y) - 1))
    gap = np.array([guesses.labelled.mean() - guesses.unlabelled.mean()])
    return tuned(Swayed(scale * centred[0][:, None], scale * centred[1][:, None], centred[2][:, None], gap))


def able(guesses: Guesses | None, df: int, coefficients: int = 0) -> bool:
    """Whether there are predictions, and rows enough to weigh them; `coefficients` are fitted to either kind of row."""
    return guesses is not None and len(guesses.unlabelled) - coefficients > FEWEST and df > FEWEST


# -- means and shares -----------------------------------------------------------------------------------------------
def mean(name: str, y: np.ndarray, guesses: Guesses | None, alpha: float) -> Figure:
    """Estimate a mean, with Student's t intervals.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, other = rng.normal(size=200), rng.normal(size=5000)
    >>> found = mean("y", x + 0.3 * rng.normal(size=200), Guesses(x, other), 0.05)
    >>> found.gain > 5, found.interval[0] < 0 < found.interval[1]
    (True, True)
    """
    from scipy.stats import t

    value, n = float(y.mean()), len(y)
    half = float(t.ppf(1 - alpha / 2, n - 1) * y.std(ddof=1) / np.sqrt(n))
    classical = Figure(name, value, (value - half, value + half), value, (value - half, value + half))
    if guesses is None or not able(guesses, n - 1):
        return classical
    found = _of_means(y, guesses)
    half = float(t.ppf(1 - alpha / 2, n - 2) * np.sqrt(found.variance[0]))
    return _moved(classical, value + float(found.shift[0]), half, found)


def _moved(classical: Figure, value: float, half: float, found: Tuned, i: int = 0) -> Figure:
    return Figure(classical.name, value, (value - half, value + half), classical.classical,
                  classical.classical_interval, float(found.weight[i]), _gain(found, i))


def _gain(found: Tuned, i: int = 0) -> float:
    return float(found.classical[i] / found.variance[i]) if found.variance[i] > 0 else 1.0


def wilson(share: float, rows: float, alpha: float) -> tuple[float, float]:
    """Return the score interval of a share (Wilson 1927); `rows` may be an effective, fractional number.

    Examples
    --------
    >>> [round(x, 4) for x in wilson(0.0, 100, 0.05)]
    [0.0, 0.037]
    """
    from scipy.stats import norm

    z = float(norm.ppf(1 - alpha / 2))
    centre = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * np.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    return float(max(0.0, min(share, centre - half))), float(min(1.0, max(share, centre + half)))


def share(name: str, y: np.ndarray, guesses: Guesses | None, alpha: float) -> Figure:
    """Estimate the share of rows in which `y` is 1: Wilson's interval, at the rows that the predictions make of n."""
    hits, n = float(y.sum()), len(y)
    interval = wilson(hits / n, n, alpha)
    classical = Figure(name, hits / n, interval, hits / n, interval)
    if guesses is None or min(hits, n - hits) < LEAST or not able(guesses, n - 1):
        return classical
    found = _of_means(y, guesses)
    value, gain = float(np.clip(hits / n + found.shift[0], 0, 1)), _gain(found)
    return Figure(name, value, wilson(value, n * gain, alpha), hits / n, interval, float(found.weight[0]), gain)


# -- quantiles ------------------------------------------------------------------------------------------------------
def cut_of(y: np.ndarray, level: float) -> float:
    """Return the labelled rows' own quantile, a value that occurs: where predictions are asked what lies below."""
    return float(np.quantile(y, level, method="inverted_cdf"))


def quantile(name: str, y: np.ndarray, level: float, guesses: Guesses | None, alpha: float) -> Figure:
    """Estimate a quantile; the predictions are of whether the outcome is at most `cut_of`.

    The classical interval is that of order statistics, exact for any distribution. With predictions, the distribution
    function is moved by the weighted gap and inverted (Woodruff 1952; Angelopoulos et al. 2023, for a mean of
    indicators): those values are kept at which it is not further from `level` than its error allows.

    Raises
    ------
    UserError
        If there are too few rows to bound the quantile at all.
    """
    from scipy.stats import binom, norm

    rows, n = np.sort(y), len(y)
    low, high = (int(x) for x in binom.ppf([alpha / 2, 1 - alpha / 2], n, level))
    if low < 1 or high > n - 1:
        need = int(np.ceil(np.log(alpha / 2) / np.log(max(level, 1 - level))))
        raise UserError(f"The {level:g} quantile cannot be bounded from {n:,} rows that hold the outcome: it takes "
                        f"{need:,}. Ask for a quantile nearer to 0.5, or give more rows.")
    value, interval = float(np.quantile(y, level)), (float(rows[low - 1]), float(rows[high]))
    classical = Figure(name, value, interval, value, interval)
    if guesses is None or n * min(level, 1 - level) < LEAST or not able(guesses, n - 1):
        return classical
    found = _of_means((y <= cut_of(y, level)).astype(float), guesses)
    gain, moved = _gain(found), level - float(found.shift[0])
    half = float(norm.ppf(1 - alpha / 2)) * np.sqrt(level * (1 - level) / (n * gain))
    low, high = int(np.floor(n * (moved - half))), int(np.ceil(n * (moved + half)))
    if low < 1 or high > n - 1:
        return classical
    return Figure(name, float(np.quantile(y, moved)), (float(rows[low - 1]), float(rows[high])), value, interval,
                  float(found.weight[0]), gain)
