"""Whether a trained judge can tell synthetic histories from real ones: the AUC of gradient boosting; 0.5 is best.

A classifier two-sample test (Lopez-Paz and Oquab, ICLR 2017; for series the discriminative score of Yoon, Jarrett and
van der Schaar, NeurIPS 2019, whose network is boosted trees here: the same figures on every machine). Histories are
cut into stretches of 24 rows at most (of fewer where there are few rows), equally many of both sides. Each is told in
one row of figures: what does not change, what its rows add up to, how values change from row to row and how often
they turn, first and last levels, gaps; of very many columns, as many are drawn as the judge can learn from. The judge
learns from two thirds of the histories and is asked of the stretches of the last third, three times: never of a
history that it knows. The interval is DeLong's, of whole histories, 1.6 times as wide because folds learn from each
other's rows (Nadeau and Bengio 2003).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from verisyn.findings import Judged, Measure
from verisyn.metrics._aggregates import Aggregates
from verisyn.metrics._apart import FAIR, GOOD, gives_away, told_apart, verdict_of
from verisyn.metrics._histories import Histories, HistorySides
from verisyn.metrics._models import affordable
from verisyn.metrics._order import compared
from verisyn.metrics._stats import p_beyond
from verisyn.metrics._windows import stretches, told_in_figures

title = "Can a trained judge tell synthetic histories from real ones?"
needs = ("order",)
best, worst = 0.5, 1.0
stand_in = "train"
place = 8
rule = (f"good: AUC of {GOOD:.2f} or less, or no worse than real histories by an interval that ends below {FAIR:.2f}; "
        f"poor: more than {FAIR:.2f}, even at the low end of the interval; fair: otherwise")
references = ("https://arxiv.org/abs/1610.06545",
              "https://papers.nips.cc/paper/8789-time-series-generative-adversarial-networks")
_LONGEST, _SHORTEST, _STRETCHES, _COLUMNS = 24, 6, 100, 12


def measure(sides: HistorySides, rng: np.random.Generator) -> Measure:
    """Let the judge learn from stretches of two thirds of the histories, and judge those of the last third."""
    fake, real = compared(sides)
    aggregates = Aggregates.learn(sides.train.features)
    kept = np.sort(rng.permutation(len(sides.train.features))[:_COLUMNS])
    fake, real = (_narrow(side, kept) for side in (fake, real))
    figures = len(told_in_figures(real.take(np.arange(1)), aggregates))
    most = min(sides.effort.learnt, affordable(figures)) // 2
    length = int(np.clip(min(fake.rows, real.rows) // _STRETCHES, _SHORTEST, _LONGEST))
    most = min(most, *(int(np.maximum(1, side.lengths // length).sum()) for side in (fake, real)))
    cut = [stretches(side, length, most, rng) for side in (fake, real)]
    told = [told_in_figures(part, aggregates) for part, _ in cut]
    kin = [of[:, None] + shift for (_, of), shift in zip(cut, (0, fake.entities), strict=True)]
    return told_apart(told[0], told[1], (kin[0], kin[1]), rng, pictured=sides.pictured)


def _narrow(side: Histories, kept: np.ndarray) -> Histories:
    return replace(side, features=[side.features[i] for i in kept])


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the AUC."""
    said = ("Shown a stretch of a synthetic and of a real history, a trained judge picks the synthetic one in "
            f"{measure.value:.0%} of cases")
    beside = ["a coin: 50%", *(f"{who}: {value:.0%}" for who, value in (("real histories", ceiling),
                                                                       ("rows shuffled", floor)) if value is not None)]
    return Judged(verdict_of(measure, ceiling), f"{said} ({', '.join(beside)}){gives_away(measure)}.",
                  p_beyond(measure.value, measure.interval, FAIR))
