"""Whether one state follows another as often as in real histories: the share of transitions that agree; 1 is best.

Of each column, what a row holds given what the row before held, in about ten bins a column (the most frequent levels of
a category, bins of equal mass of a number, missing one of its own), the beginning and the end of a history being states
too. Of each state, 1 - the total variation between the shares of states that follow it in synthetic and in holdout
histories; states are weighed by how often they stand in the holdout, columns are averaged. The interval is a
delete-a-block jackknife over the histories of both sides. Beside it: how many synthetic transitions between bins occur
in no real history, training and holdout together, and the same of the holdout's against the training histories.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered
from verisyn.metrics._histories import Histories, HistorySides
from verisyn.metrics._order import apart, block_tables, chosen, compared, judged_gap, likeness, plain, rule_of_gap
from verisyn.metrics._tables import BLOCKS, left_out
from verisyn.modalities.table._views import coarse_of, scales_of

title = "Does one state follow another as in real histories?"
needs = ("order",)
best, worst = 1.0, 0.0
stand_in = "train"
place = 1
references = ("https://arxiv.org/abs/2501.12012",)
GOOD, FAIR = 0.03, 0.08
"""Below what real histories reach; rows shuffled are 0.1 to 0.5 below it wherever there is any order."""
rule = rule_of_gap(GOOD, FAIR)


def measure(sides: HistorySides, rng: np.random.Generator) -> Measure:
    """Compare shares of transitions in the synthetic histories with the holdout's."""
    fake, real = compared(sides)
    columns = chosen(sides)
    if not columns:
        raise NotAnswered("no column changes from row to row")
    scales = scales_of([sides.train.features[c] for c in columns])
    made, held, train = (_tables(side, columns, scales, ends=not sides.windows) for side in (fake, real, sides.train))
    each = np.array([_agree(a, b) for a, b in zip(made, held, strict=True)])
    names = [repr(sides.train.features[c].name) for c in columns]
    if not sides.pictured:
        return plain(each)
    reals = np.array([_agree(a, b) for a, b in zip(train, held, strict=True)])
    told = likeness(each, names, reals, "share of transitions that agree")
    return Measure(told.value, told.interval, {**told.details, **_unseen(made, held, train)})


def _tables(histories: Histories, columns: list[int], scales: list[np.ndarray], *, ends: bool) -> list[np.ndarray]:
    """Counts of transitions of each column, shape (20, states, states); the last state is the beginning and the end."""
    coarse = coarse_of([histories.features[c] for c in columns], scales, histories.rows)
    rows = apart(histories.starts, 1)
    found = []
    for i, size in enumerate(coarse.sizes):
        states, code = size + 1, coarse.values[:, i].astype(np.int64)
        table = block_tables(histories, rows, code[rows] * states + code[rows + 1], states**2)
        if ends:
            first, last = histories.starts[:-1], histories.starts[1:] - 1
            table = table + block_tables(histories, first, size * states + code[first], states**2)
            table = table + block_tables(histories, last, code[last] * states + size, states**2)
        found.append(table.reshape(BLOCKS, states, states))
    return found


def _agree(fake: np.ndarray, real: np.ndarray) -> np.ndarray:
    """The share of transitions that agree, on all histories, without each block of either side; shape (41,)."""
    a, b = left_out(fake), left_out(real)
    return np.concatenate([_one(a, b[:1]), _one(a[:1], b[1:])])


def _one(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    here = b.sum(axis=2) / np.maximum(b.sum(axis=(1, 2)), 1)[:, None]
    shares = [t / np.maximum(t.sum(axis=2, keepdims=True), 1) for t in (a, b)]
    agree = np.minimum(*shares).sum(axis=2)
    return (here * agree).sum(axis=1)


def _unseen(fake: list[np.ndarray], real: list[np.ndarray], train: list[np.ndarray]) -> dict[str, Any]:
    """How many transitions occur nowhere in real histories, and how many of the holdout's in no training history."""
    def share(asked: list[np.ndarray], known: list[np.ndarray]) -> float:
        hits, rows = 0, 0
        for a, b in zip(asked, known, strict=True):
            counts = a.sum(axis=0)
            hits, rows = hits + int(counts[b == 0].sum()), rows + int(counts.sum())
        return round(hits / max(rows, 1), 6)

    seen = [t.sum(axis=0) for t in train]
    both = [s + r.sum(axis=0) for s, r in zip(seen, real, strict=True)]
    return {"never_seen_in_real": share(fake, both), "of_the_holdout_never_in_training": share(real, seen)}


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the gap to real histories."""
    said = f"What follows what agrees with real histories to {measure.value:.1%} on average"
    return judged_gap(measure, floor, ceiling, said, (GOOD, FAIR))
