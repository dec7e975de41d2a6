"""Whether synthetic rows lie nearer to training rows than to strangers: the nearest-record share; 0.5 is best.

The share of synthetic rows whose nearest training row is nearer than the nearest of equally many holdout rows, ties
counting half. A sanity check: a share well above one half shows that training rows were followed too closely, but a
half proves nothing (Yao, Krčo, Ganev and de Montjoye 2025). The interval treats rows with one nearest real row as
one.
"""

from __future__ import annotations

import numpy as np

from verisyn.findings import Judged, Measure, Verdict
from verisyn.metrics import Sides, enough, has_columns
from verisyn.metrics._near import affordable, nearest
from verisyn.metrics._stats import clustered_share, p_beyond

title = "Does it lie nearer to the rows it learnt from than to strangers? (a sanity check)"
needs = ("vectors",)
best, worst = 0.5, 1.0
stand_in = "holdout"
references = ("https://arxiv.org/abs/2505.01524",)
sanity = True
GOOD, POOR = 0.55, 0.60
"""Memorising generators (nearest-neighbour blends, fully grown trees) measure 0.63 and more on public benchmarks."""
rule = f"poor: above {POOR:.2f}, even at the low end of the interval; good: {GOOD:.2f} or less; fair: otherwise"
_ROWS, _TIE = 25_000, 1e-6


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Compare the distances to the nearest training row and to the nearest holdout row."""
    strangers = sides.strangers
    enough({"synthetic": sides.fake.rows, "training": sides.train.rows, "holdout": strangers.rows}, 50)
    has_columns(sides)
    sides = sides.narrowed(rng)
    strangers = sides.holdout
    rows = min(sides.train.rows, strangers.rows, _ROWS)
    train, other = sides.train.some(rows, rng).vectors, strangers.some(rows, rng).vectors
    queries = sides.fake.some(affordable(train.shape[1], rows), rng).vectors
    (to_train, train_row), (to_other, other_row) = nearest(queries, train), nearest(queries, other)
    tie = np.abs(to_train - to_other) <= _TIE
    nearer = np.where(tie, 0.5, to_train < to_other)
    share, interval = clustered_share(nearer, np.where(to_train < to_other, train_row, rows + other_row))
    return Measure(share, interval, {"rows": len(queries), "reference_rows": rows,
                                     "median_to_training": round(float(np.median(to_train)), 6),
                                     "median_to_strangers": round(float(np.median(to_other)), 6)})


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the share; a low one is not praised beyond passing the check."""
    verdict: Verdict = "poor" if measure.interval[0] > POOR else "good" if measure.value <= GOOD else "fair"
    said = (f"{measure.value:.1%} of the synthetic rows lie nearer to a training row than to a stranger (an even "
            "chance: 50%); this check can show a fault, but passing it proves nothing by itself.")
    return Judged(verdict, said, p_beyond(measure.value, measure.interval, POOR))
