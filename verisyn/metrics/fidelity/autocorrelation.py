"""Whether a value goes with those some steps before as in real histories: 1 - the mean difference of autocorrelations.

Of each number, the correlation of a row's value with that of the row 1, 2, 3 … 48 steps later in the same history, over
all such pairs of rows; and the same of the changes from one row to the next, which tells how rough a course is where
its level hardly moves. Values are ranks among the training rows', so that a few extremes do not decide. Lags that fewer
than a quarter of the rows have a row at are left out; of more than 30 numbers, 30 are drawn by a seed. The interval,
and the standard error of each difference, come from a delete-a-block jackknife over the histories of both sides (20
blocks each, Student's t with 19 degrees of freedom). Correlations are named where they differ by more than chance at
a false discovery rate of 5 % over all of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered
from verisyn.metrics._histories import Histories, HistorySides
from verisyn.metrics._order import (
    Compared,
    apart,
    block_sums,
    bounds,
    changes,
    chosen,
    compared,
    correlation,
    judged_items,
    lags_of,
    ranks,
)

title = "Does a value follow from those before it as in real histories?"
needs = ("order",)
best, worst = 1.0, 0.0
stand_in = "train"
place = 2
references = ("https://arxiv.org/abs/1909.13403",)
GOOD, LOST = 0.03, 0.2
"""Halves of real sets differ by 0.01 to 0.02; a correlation that moved by 0.2 makes another course of a column."""
rule = (f"poor: some autocorrelation moved by more than {LOST:.1f}, by more than chance (false discovery rate 5 %); "
        f"good: none did, and on average they are within {GOOD:.2f} of what real histories reach; fair: otherwise")
_DRAWN = 6


def measure(sides: HistorySides, rng: np.random.Generator) -> Measure:
    """Compare the autocorrelations of levels and changes of the synthetic histories with the holdout's."""
    fake, real = compared(sides)
    columns, lags = chosen(sides, numbers=True), lags_of(sides)
    if not columns:
        raise NotAnswered("no column is a number that changes")
    if not lags:
        raise NotAnswered("histories are too short for a row to have one before it")
    found = [_of(side, ranks(side, sides.train, columns), lags) for side in (fake, real)]
    names = [f"{sides.train.features[c].name!r}{what} {lag} step{'s' * (lag > 1)} apart"
             for what in ("", " (changes)") for lag in lags for c in columns]
    told = Compared(found[0].reshape(len(names), -1), found[1].reshape(len(names), -1), names)
    value, interval = told.value()
    if not sides.pictured:
        return Measure(value, interval)
    columns_named = [sides.train.features[c].name for c in columns]
    return Measure(value, interval, {**told.told(LOST, "autocorrelation"),
                                     "lines": _lines(told, columns_named, lags)})


def _of(histories: Histories, x: np.ndarray, lags: list[int]) -> np.ndarray:
    """Autocorrelations of levels, then of changes: shape (2 lags, columns, 21)."""
    out = []
    for values, starts in ((x, histories.starts), changes(histories, x)):
        edges = starts[np.searchsorted(histories.starts, bounds(histories))]
        for lag in lags:
            rows = apart(starts, lag)
            a, b = values[rows], values[rows + lag]
            known = ~(np.isnan(a) | np.isnan(b))
            a, b = np.where(known, a, 0.0), np.where(known, b, 0.0)
            at = np.searchsorted(rows, edges)
            sums = [block_sums(v, at) for v in (known.astype(float), a, b, a * a, b * b, a * b)]
            out.append(correlation(*sums).T)
    return np.array(out)


def _lines(told: Compared, names: list[str], lags: list[int]) -> list[dict[str, Any]]:
    """Of the columns that differ most, the autocorrelation by lag on either side."""
    shape = (2, len(lags), len(names))
    size = np.abs(told.gaps[:, 0]).reshape(shape).mean(axis=(0, 1))
    charts = []
    for c in np.argsort(-size, kind="stable")[:_DRAWN]:
        series = []
        for who, side in (("real", told.real), ("synthetic", told.fake)):
            middle, error = (v.reshape(shape)[0, :, c] for v in (side[:, 0], 2 * told.errors(side)))
            series.append({"name": who, "points": [
                {"x": lag, "y": round(float(m), 4), "low": round(float(max(-1, m - e)), 4),
                 "high": round(float(min(1, m + e)), 4)} for lag, m, e in zip(lags, middle, error, strict=True)]})
        charts.append({"title": names[c], "x": "steps apart", "y": "autocorrelation", "series": series})
    return charts


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the greatest move that is no chance, and the mean."""
    return judged_items(measure, floor, ceiling, "The correlation of values some steps apart", GOOD)
