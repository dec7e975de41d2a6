"""How far two samples are apart in one column: the largest difference of shares, its interval, and a test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from verisyn.kinds import Feature
from verisyn.metrics._stats import adjusted, newcombe

_DRAWS = 200
_EXPECTED = 5


@dataclass(frozen=True)
class Distance:
    """One column of two samples.

    Parameters
    ----------
    name : str
    what : str
        What was compared: values, levels, or missing.
    value : float
        The largest difference, over half-lines (values) or sets of levels, of the two shares of rows: 0 to 1.
    interval : tuple of float
        At 95 %.
    p : float
        The chance of so great a difference between two samples of one population.
    test : str
    """

    name: str
    what: str
    value: float
    interval: tuple[float, float]
    p: float
    test: str


def distances(real: list[Feature], other: list[Feature], rng: np.random.Generator) -> list[Distance]:
    """Compare all columns; the p-values are adjusted together (Benjamini and Hochberg 1995)."""
    found = [d for a, b in zip(real, other, strict=True) for d in _column(a, b, rng)]
    sure = adjusted(np.array([d.p for d in found]))
    return [Distance(d.name, d.what, d.value, d.interval, float(p), d.test) for d, p in zip(found, sure, strict=True)]


def _column(real: Feature, other: Feature, rng: np.random.Generator) -> Iterator[Distance]:
    gone, other_gone = np.isnan(real.values), np.isnan(other.values)
    if not gone.all() and not other_gone.all():
        a, b = real.values[~gone], other.values[~other_gone]
        yield _levels(real, a, b, rng) if real.levels else _numbers(real.name, a, b)
    if gone.any() or other_gone.any():
        yield _missing(real.name, gone, other_gone)


def _numbers(name: str, a: np.ndarray, b: np.ndarray) -> Distance:
    """Kolmogorov and Smirnov's; the interval is what their test does not reject."""
    from scipy.stats import kstwobign

    value = largest_gap(a, b)
    size = np.sqrt(len(a) * len(b) / (len(a) + len(b)))
    half = float(kstwobign.isf(0.05)) / size
    return Distance(name, "values", value, (max(0.0, value - half), min(1.0, value + half)),
                    float(kstwobign.sf(value * size)), "Kolmogorov-Smirnov")


def _levels(feature: Feature, a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> Distance:
    """Pearson's test of homogeneity, rare levels together."""
    table = np.array([np.bincount(x.astype(np.int64), minlength=feature.levels) for x in (a, b)])
    table = table[:, table.any(axis=0)]
    value, (low, high) = _total_variation(table, rng)
    return Distance(feature.name, "levels", value, (low, high), _homogeneity(table), "chi-square")


def _missing(name: str, gone: np.ndarray, other: np.ndarray) -> Distance:
    hits, rows = (int(gone.sum()), int(other.sum())), (len(gone), len(other))
    low, high = newcombe(hits[0], rows[0], hits[1], rows[1])
    value = abs(hits[0] / rows[0] - hits[1] / rows[1])
    table = np.array([[h, n - h] for h, n in zip(hits, rows, strict=True)])
    ends = sorted((abs(low), abs(high)))
    return Distance(name, "missing", value, (0.0 if low <= 0 <= high else ends[0], ends[1]),
                    _homogeneity(table[:, table.any(axis=0)]), "chi-square")


def _homogeneity(table: np.ndarray) -> float:
    from scipy.stats import chi2_contingency, fisher_exact

    expected = table.sum(axis=0) * table.sum(axis=1).min() / table.sum()
    rare = expected < _EXPECTED
    if rare.sum() > 1:
        table = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    if table.shape[1] < 2:
        return 1.0
    if table.shape[1] == 2:
        return float(fisher_exact(table).pvalue) if table.sum() < 2_000 else float(chi2_contingency(table).pvalue)
    return float(chi2_contingency(table).pvalue)


def _total_variation(table: np.ndarray, rng: np.random.Generator) -> tuple[float, tuple[float, float]]:
    """The distance, and as far to both sides as chance carries two samples of one population in 95 of 100 cases."""
    rows, pooled = table.sum(axis=1), table.sum(axis=0) / table.sum()
    value = float(np.abs(table[0] / rows[0] - table[1] / rows[1]).sum() / 2)
    a, b = (rng.multinomial(n, pooled / pooled.sum(), _DRAWS) / n for n in rows)
    half = float(np.quantile(np.abs(a - b).sum(axis=1) / 2, 0.95))
    return value, (max(0.0, value - half), min(1.0, value + half))


def largest_gap(a: np.ndarray, b: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Return the largest distance of two distribution functions; the rows of `b` may have weights.

    Examples
    --------
    >>> largest_gap(np.array([1.0, 2.0]), np.array([2.0, 3.0]), np.array([3.0, 1.0]))
    0.5
    """
    weights = np.ones(len(b)) if weights is None else weights
    at, order = np.unique(np.concatenate([a, b])), np.argsort(b, kind="stable")
    mass = np.concatenate([[0.0], np.cumsum(weights[order])])
    other = mass[np.searchsorted(b[order], at, "right")] / mass[-1]
    return float(np.abs(np.searchsorted(np.sort(a), at, "right") / len(a) - other).max())


def apart(real: Feature, other: Feature, weights: np.ndarray) -> float:
    """Return how far a column of weighted rows is from the real one: missing values are a level, or lie below all.

    As the sample has it, with what chance alone adds.
    """
    if real.levels:
        codes = [np.where(np.isnan(f.values), f.levels, f.values).astype(np.int64) for f in (real, other)]
        mine = np.bincount(codes[0], minlength=real.levels + 1) / len(codes[0])
        theirs = np.bincount(codes[1], weights, minlength=real.levels + 1) / weights.sum()
        return float(np.abs(mine - theirs).sum() / 2)
    a, b = (np.where(np.isnan(f.values), -np.inf, f.values) for f in (real, other))
    return largest_gap(a, b, weights)
