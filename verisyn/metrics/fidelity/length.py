"""Whether histories are as long as real ones: 1 - the largest gap between the two distributions of numbers of rows.

The gap is Kolmogorov and Smirnov's: the largest difference between the shares of histories with at most so many rows,
in the synthetic data and in the holdout. The interval is a delete-a-block jackknife over the histories of both sides.
"""

from __future__ import annotations

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered
from verisyn.kinds import Feature
from verisyn.metrics._histories import Histories, HistorySides
from verisyn.metrics._order import compared, judged_gap, rule_of_gap
from verisyn.metrics._pictures import picture
from verisyn.metrics._stats import jackknife
from verisyn.metrics._tables import BLOCKS, left_out

title = "Are histories as long as real ones?"
needs = ("order",)
best, worst = 1.0, 0.0
stand_in = "train"
place, floor = 0, False
references = ("https://docs.sdv.dev/sdmetrics/metrics/metrics-in-beta/cardinalityshapesimilarity",
              "https://arxiv.org/abs/1909.13403")
GOOD, FAIR = 0.05, 0.15
"""Below what real histories reach; 0.05 is about what chance makes of a few hundred histories."""
rule = rule_of_gap(GOOD, FAIR, each=False)


def measure(sides: HistorySides, rng: np.random.Generator) -> Measure:
    """Compare the numbers of rows of the synthetic histories with the holdout's."""
    fake, real = compared(sides)
    if sides.windows:
        raise NotAnswered("histories are windows cut from long series, all of one length")
    counts = np.unique(np.concatenate([_lengths(fake), _lengths(real)]), return_inverse=True)[1]
    a, b = np.split(counts, [fake.entities])
    size = int(counts.max()) + 1
    tables = [left_out(np.array([np.bincount(part, minlength=size) for part in np.array_split(x, BLOCKS)]))
              for x in (a, b)]
    below = [np.cumsum(t, axis=1) / t.sum(axis=1, keepdims=True) for t in tables]
    gaps = np.concatenate([np.abs(below[0] - below[1][:1]), np.abs(below[0][:1] - below[1][1:])]).max(axis=1)
    value, left = 1 - float(gaps[0]), 1 - gaps[1:]
    interval = jackknife(value, left[:BLOCKS], left[BLOCKS:])
    if not sides.pictured:
        return Measure(value, interval)
    drawn = picture(*(Feature("rows of a history", _lengths(side).astype(float)) for side in (sides.train, fake)))
    means = {f"mean_{who}": round(float(_lengths(side).mean()), 2)
             for who, side in (("synthetic", fake), ("real", real))}
    return Measure(value, interval, {"columns": [{**drawn, "value": round(value, 6)}], **means})


def _lengths(histories: Histories) -> np.ndarray:
    return histories.lengths if histories.whole is None else histories.whole


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the gap to real histories."""
    d = measure.details
    said = (f"Synthetic histories have {d['mean_synthetic']:,.1f} rows on average, real ones {d['mean_real']:,.1f}; "
            f"their distributions agree to {measure.value:.1%}")
    return judged_gap(measure, None, ceiling, said, (GOOD, FAIR))
