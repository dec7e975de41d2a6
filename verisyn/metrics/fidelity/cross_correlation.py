"""Whether columns move together, at once or some steps later, as in real histories: 1 - the mean difference.

Of each two numbers a and b, the correlation of a's value with b's in the same row and 1, 2, 4 and 8 steps later in the
same history, either of the two leading; and of their changes from one row to the next, in the same step and one later.
Values are ranks among the training rows'. Lags that fewer than a quarter of the rows have a row at are left out; of
more than 30 numbers, 30 are drawn by a seed. The interval, and the standard error of each difference, come from a
delete-a-block jackknife over the histories of both sides (20 blocks each). Correlations are named where they differ by
more than chance at a false discovery rate of 5 % over all of them.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered
from verisyn.metrics._histories import Histories, HistorySides
from verisyn.metrics._order import (
    BLOCKS,
    Compared,
    apart,
    bounds,
    changes,
    chosen,
    compared,
    correlation,
    judged_items,
    lags_of,
    ranks,
)

title = "Do columns lead and follow each other as in real histories?"
needs = ("order",)
best, worst = 1.0, 0.0
stand_in = "train"
place = 3
references = ("https://arxiv.org/abs/1909.13403",)
GOOD, LOST = 0.03, 0.2
"""As for autocorrelations: halves of real sets differ by 0.01 to 0.02."""
rule = (f"poor: some correlation moved by more than {LOST:.1f}, by more than chance (false discovery rate 5 %); good: "
        f"none did, and on average they are within {GOOD:.2f} of what real histories reach; fair: otherwise")
_LEVELS, _CHANGES = (0, 1, 2, 4, 8), (0, 1)


def measure(sides: HistorySides, rng: np.random.Generator) -> Measure:
    """Compare correlations across columns and steps of the synthetic histories with the holdout's."""
    fake, real = compared(sides)
    columns = chosen(sides, numbers=True)
    if len(columns) < 2:
        raise NotAnswered("it takes two columns of numbers that change to make a pair")
    able = [0, *lags_of(sides)]
    asked = [(changing, lag) for changing, lags in ((False, _LEVELS), (True, _CHANGES)) for lag in lags
             if lag in able and (not changing or len(able) > 1)]
    found = [_of(side, ranks(side, sides.train, columns), asked) for side in (fake, real)]
    names = [sides.train.features[c].name for c in columns]
    told, kept = [], np.array([(lag > 0 and a != b) or a < b for _, lag in asked
                               for a in range(len(names)) for b in range(len(names))])
    for changing, lag in asked:
        later = f", the second {lag} step{'s' * (lag > 1)} later" if lag else ""
        told += [f"{a!r} and {b!r}{' (changes)' * changing}{later}" for a in names for b in names]
    result = Compared(found[0][kept], found[1][kept], [name for name, keep in zip(told, kept, strict=True) if keep])
    value, interval = result.value()
    return Measure(value, interval, result.told(LOST, "correlation") if sides.pictured else {})


def _of(histories: Histories, x: np.ndarray, asked: list[tuple[bool, int]]) -> np.ndarray:
    """Correlations of every two columns, shape (asked × columns × columns, 21)."""
    out = []
    for changing, lag in asked:
        values, starts = changes(histories, x) if changing else (x, histories.starts)
        edges = starts[np.searchsorted(histories.starts, bounds(histories))]
        rows = apart(starts, lag)
        out.append(_crossed(values[rows], values[rows + lag], np.searchsorted(rows, edges)))
    return np.concatenate(out)


def _crossed(a: np.ndarray, b: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Correlations of the columns of `a` with those of `b`, shape (columns², 21); a missing value is left out."""
    known = [(~np.isnan(v)).astype(float) for v in (a, b)]
    a, b = np.nan_to_num(a), np.nan_to_num(b)
    pairs = [known, (a, known[1]), (known[0], b), (a * a, known[1]), (known[0], b * b), (a, b)]
    sums = np.array([[left[s:e].T @ right[s:e] for s, e in pairwise(at)] for left, right in pairs])
    whole = sums.sum(axis=1, keepdims=True)
    return correlation(*np.concatenate([whole, whole - sums], axis=1)).reshape(BLOCKS + 1, -1).T


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the greatest move that is no chance, and the mean."""
    return judged_items(measure, floor, ceiling, "The correlation of two columns", GOOD)
