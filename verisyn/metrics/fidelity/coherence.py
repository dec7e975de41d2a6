"""Whether rows of one history are as alike as in real ones: 1 - the mean difference of shares of variance between them.

Of each column, how much of its variance is between histories rather than within them: the intraclass correlation of one
row, ICC(1) of Shrout and Fleiss (1979), from the mean squares between and within histories of unequal lengths, 0 at
least; a number by its ranks among the training rows', a category by its ten most frequent levels together. And how
often a category, or a number, stays as it was from one row to the next. The interval, and the standard error of each
difference, come from a delete-a-block jackknife over the histories of both sides (20 blocks each). What differs by more
than chance, at a false discovery rate of 5 % over all, is named.
"""

from __future__ import annotations

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered
from verisyn.kinds import Feature
from verisyn.metrics._histories import Histories, HistorySides
from verisyn.metrics._order import BLOCKS, Compared, apart, block_sums, bounds, chosen, compared, judged_items, ranks

title = "Are rows of one history as alike as in real ones?"
needs = ("order",)
best, worst = 1.0, 0.0
stand_in = "train"
place = 4
references = ("https://doi.org/10.1037/0033-2909.86.2.420",)
GOOD, LOST = 0.03, 0.2
"""Where a fifth of the variance between customers is gone, rows of one customer are rows of anyone."""
rule = (f"poor: some share moved by more than {LOST:.1f}, by more than chance (false discovery rate 5 %); good: none "
        f"did, and on average they are within {GOOD:.2f} of what real histories reach; fair: otherwise")
_LEVELS = 10


def measure(sides: HistorySides, rng: np.random.Generator) -> Measure:
    """Compare shares of variance between histories, and shares of rows that stay as they were."""
    fake, real = compared(sides)
    columns = chosen(sides)
    if not columns or sides.train.entities == sides.train.rows:
        raise NotAnswered("no column can be followed from row to row")
    made, held = (np.array([*(_between(side, sides.train, c) for c in columns), *(_stays(side, c) for c in columns)])
                  for side in (fake, real))
    names = [f"{sides.train.features[c].name!r} {what}" for what in ("(share between histories)", "(stays as it was)")
             for c in columns]
    told = Compared(made, held, names)
    value, interval = told.value()
    return Measure(value, interval, told.told(LOST, "share") if sides.pictured else {})


def _between(histories: Histories, train: Histories, column: int) -> np.ndarray:
    """The intraclass correlation on all entities, and without each block of them; shape (21,)."""
    x = _seen(histories, train, column)
    known = ~np.isnan(x[:, 0])
    x = np.where(known[:, None], x, 0.0)
    of = histories.of
    n = np.bincount(of, known, histories.entities)
    total = np.column_stack([np.bincount(of, v, histories.entities) for v in x.T])
    between = (total**2 / np.maximum(n, 1)[:, None]).sum(axis=1)
    square = np.bincount(of, (x**2).sum(axis=1), histories.entities)
    edges = np.searchsorted(histories.starts, bounds(histories))
    rows, squares, own, sums, held, longer = (
        block_sums(v, edges) for v in (n, square, between, total, (n > 0).astype(float), n**2))
    middle = (sums**2).sum(axis=1) / np.maximum(rows, 1)
    of_between, of_within = np.maximum(held - 1, 1), np.maximum(rows - held, 1)
    usual = (rows - longer / np.maximum(rows, 1)) / of_between
    msb, msw = np.maximum(own - middle, 0) / of_between, np.maximum(squares - own, 0) / of_within
    spread = msb + (usual - 1) * msw
    return np.divide(msb - msw, spread, out=np.zeros(BLOCKS + 1), where=spread > 1e-12).clip(0.0, 1.0)


def _seen(histories: Histories, train: Histories, column: int) -> np.ndarray:
    """A number's ranks, or whether a category is at each of its top levels; NaN in the first column where missing."""
    feature = histories.features[column]
    if not feature.levels:
        return ranks(histories, train, [column])
    tops = _tops(train.features[column])
    seen = (feature.values[:, None] == tops[None]).astype(float)
    seen[np.isnan(feature.values), 0] = np.nan
    return seen


def _tops(feature: Feature) -> np.ndarray:
    known = feature.values[~np.isnan(feature.values)].astype(np.int64)
    return np.argsort(-np.bincount(known, minlength=feature.levels), kind="stable")[:_LEVELS]


def _stays(histories: Histories, column: int) -> np.ndarray:
    """The share of rows whose value is that of the row before; shape (21,)."""
    rows = apart(histories.starts, 1)
    before, after = (histories.features[column].values[at] for at in (rows, rows + 1))
    same = (before == after) | (np.isnan(before) & np.isnan(after))
    at = np.searchsorted(rows, bounds(histories))
    return block_sums(same.astype(float), at) / np.maximum(block_sums(np.ones(len(rows)), at), 1)


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the greatest move that is no chance, and the mean."""
    return judged_items(measure, floor, ceiling, "How alike rows of one history are", GOOD)
