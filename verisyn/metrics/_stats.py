"""Intervals: for shares and their differences, for the area under a ROC curve, for statistics of blocks of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta, norm, t

from verisyn.findings import Measure

Z = 1.959963984540054
"""Standard normal deviate of a two-sided 95 % interval."""


def wilson(hits: float, rows: float) -> tuple[float, float]:
    """Return the 95 % score interval of a share (Wilson 1927); `rows` may be an effective, fractional number.

    Examples
    --------
    >>> [round(x, 4) for x in wilson(0, 100)]
    [0.0, 0.037]
    """
    share, z2 = hits / rows, Z * Z
    centre = (share + z2 / (2 * rows)) / (1 + z2 / rows)
    half = Z / (1 + z2 / rows) * np.sqrt(share * (1 - share) / rows + z2 / (4 * rows * rows))
    return float(max(0.0, min(share, centre - half))), float(min(1.0, max(share, centre + half)))


def newcombe(hits: float, rows: float, other_hits: float, other_rows: float) -> tuple[float, float]:
    """Return the 95 % interval of a difference of two independent shares (Newcombe 1998, method 10)."""
    p, q = hits / rows, other_hits / other_rows
    (low, high), (other_low, other_high) = wilson(hits, rows), wilson(other_hits, other_rows)
    return (float(p - q - np.hypot(p - low, other_high - q)), float(p - q + np.hypot(high - p, q - other_low)))


def clustered_share(hits: np.ndarray, cluster: np.ndarray) -> tuple[float, tuple[float, float]]:
    """Return a share and its 95 % interval where rows of one cluster lean the same way.

    The variance is that of cluster totals; Wilson's interval is then taken at the number of independent rows that
    would give this variance.
    """
    share = float(hits.mean())
    _, of = np.unique(cluster, return_inverse=True)
    totals = np.bincount(of, hits - share)
    variance = float((totals**2).sum()) / len(hits) ** 2
    rows = len(hits) if variance == 0 else min(len(hits), max(1.0, share * (1 - share) / variance))
    return share, wilson(share * rows, rows)


@dataclass(frozen=True)
class Influence:
    """A statistic of test rows, and how much each row sways it: its variance is that of the mean of `rows`."""

    value: float
    rows: np.ndarray

    def interval(self, least: float = 0.0, most: float = 1.0) -> tuple[float, float]:
        """Return the 95 % normal interval, kept inside [least, most]; it is never narrower than half a row's weight."""
        count = len(self.rows)
        half = Z * max(float(self.rows.std()) / np.sqrt(count), 0.5 / count)
        return float(max(least, self.value - half)), float(min(most, self.value + half))


def auc(truth: np.ndarray, score: np.ndarray) -> Influence:
    """Return the area under the ROC curve, ties counting half, with DeLong's variance as influences of rows.

    Parameters
    ----------
    truth : bool array of shape (rows,)
    score : float array of shape (rows,)
        Higher speaks for True.

    Notes
    -----
    DeLong, DeLong and Clarke-Pearson (1988), by ranks as in Sun and Xu (2014).
    """
    yes, no = np.sort(score[truth]), np.sort(score[~truth])
    below = (np.searchsorted(no, score, "left") + np.searchsorted(no, score, "right")) / (2 * len(no))
    above = 1 - (np.searchsorted(yes, score, "left") + np.searchsorted(yes, score, "right")) / (2 * len(yes))
    value = float(below[truth].mean())
    placed = np.where(truth, (below - value) * len(truth) / len(yes), (above - value) * len(truth) / len(no))
    return Influence(value, placed)


def r_squared(truth: np.ndarray, guess: np.ndarray) -> Influence:
    """Return the coefficient of determination on test rows, with influences of rows (first-order, delta method)."""
    error, spread = (truth - guess) ** 2, (truth - truth.mean()) ** 2
    value = 1 - error.mean() / spread.mean()
    return Influence(float(value), (-error + (1 - value) * spread) / spread.mean())


def roc(truth: np.ndarray, score: np.ndarray, points: int = 50) -> list[list[float]]:
    """Return at most `points` points (false positive rate, true positive rate) of a ROC curve, for a picture."""
    yes, no = np.sort(score[truth]), np.sort(score[~truth])
    cuts = np.unique(np.quantile(no, np.linspace(0, 1, points - 2)))[::-1]
    found = [[1 - np.searchsorted(side, cut, "left") / len(side) for side in (no, yes)] for cut in cuts]
    return [[round(float(x), 4) for x in point] for point in [[0.0, 0.0], *found, [1.0, 1.0]]]


def jackknife(value: float, leave_out: np.ndarray, other_leave_out: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of a statistic of two samples from the values with one block of rows left out.

    Parameters
    ----------
    value : float
        The statistic on all rows; a share between 0 and 1.
    leave_out, other_leave_out : float arrays of shape (blocks,)
        The statistic without each block of the first sample, and of the second.
    """
    variance = sum((len(x) - 1) / len(x) * float(((x - x.mean()) ** 2).sum()) for x in (leave_out, other_leave_out))
    half = float(t.ppf(0.975, len(leave_out) - 1) * np.sqrt(variance))
    return max(0.0, value - half), min(1.0, value + half)


def clopper_pearson(hits: int, rows: int, tail: float = 0.025) -> tuple[float, float]:
    """Return the exact interval of a share (Clopper and Pearson 1934): to each side, `tail` is the chance of a miss.

    Examples
    --------
    >>> [round(x, 4) for x in clopper_pearson(0, 100)]
    [0.0, 0.0362]
    """
    low = float(beta.ppf(tail, hits, rows - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, rows - hits)) if hits < rows else 1.0
    return low, high


def p_beyond(value: float, interval: tuple[float, float], border: float, *, worse: int = 1) -> float:
    """Return the chance of a value at least this bad if the truth lay at `border`, read off a 95 % interval.

    Parameters
    ----------
    value, interval
        A measure and its 95 % interval; the half on the side of the border gives the standard error.
    border : float
        Where the poor side begins.
    worse : {1, -1}
        Whether greater or smaller values are worse.

    Examples
    --------
    >>> round(p_beyond(0.6, (0.55, 0.65), 0.55), 4), round(p_beyond(0.6, (0.55, 0.65), 0.7), 4)
    (0.025, 1.0)
    """
    half = max(value - interval[0] if value > border else interval[1] - value, 1e-12)
    return float(norm.sf(worse * (value - border) / (half / Z)))


def adjusted(p: np.ndarray) -> np.ndarray:
    """Return p-values adjusted for the false discovery rate (Benjamini and Hochberg 1995).

    Examples
    --------
    >>> adjusted(np.array([0.01, 0.04, 0.5])).round(3).tolist()
    [0.03, 0.06, 0.5]
    """
    p = np.asarray(p, float)
    if not len(p):
        return p
    order, count = np.argsort(p), len(p)
    stepped = np.minimum.accumulate((p[order] * count / np.arange(1, count + 1))[::-1])[::-1]
    out = np.empty(count)
    out[order] = np.minimum(1.0, stepped)
    return out


def together(p: Sequence[float] | np.ndarray) -> float:
    """Return one p-value of many questions asked at once: the least of the adjusted ones; 1 where there are none."""
    return float(adjusted(np.asarray(p)).min()) if len(p) else 1.0


def p_gap(measure: Measure, ceiling: float, border: float) -> float:
    """Return the chance of a measure so far below its ceiling if in truth it were `border` below.

    The ceiling is measured on rows too, so its error is taken to be as large as the measure's.
    """
    wide = tuple(measure.value + 2**0.5 * (end - measure.value) for end in measure.interval)
    return p_beyond(measure.value, wide, ceiling - border, worse=-1)  # type: ignore[arg-type]


def corrected_t(differences: np.ndarray, ratio: float) -> tuple[float, tuple[float, float]]:
    """Return the mean of paired differences over splits that share rows, with its 95 % interval.

    Student's t with the variance of the mean as Nadeau and Bengio (Machine Learning 2003) correct it: (1/J + ratio) s²,
    `ratio` being the rows tested by those learnt from. For repeated folds see Bouckaert and Frank (2004).

    Examples
    --------
    >>> mean, (low, high) = corrected_t(np.array([0.02, 0.03, 0.01, 0.02, 0.02]), 0.25)
    >>> round(mean, 3), round(low, 3), round(high, 3)
    (0.02, 0.007, 0.033)
    """
    splits, mean = len(differences), float(differences.mean())
    half = float(t.ppf(0.975, splits - 1)) * float(differences.std(ddof=1)) * (1 / splits + ratio) ** 0.5
    return mean, (mean - half, mean + half)


def effective(weights: np.ndarray) -> float:
    """Return the effective number of rows (Kish 1965): as many equal ones give a mean as certain.

    Examples
    --------
    >>> effective(np.array([1.0, 1.0, 0.0, 0.0]))
    2.0
    """
    return float(weights.sum() ** 2 / (weights**2).sum())
