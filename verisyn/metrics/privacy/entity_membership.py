"""Whether an attacker who holds the synthetic data can tell whose history was learnt from: AUC; 0.5 is best.

The attack of ``privacy.membership`` on whole histories in the place of rows: each history is told in one row (what does
not change in it, how many rows it has, what they add up to, how long it lasts), and one that lies nearer to
synthetic histories than to reference ones of the same population is taken for a member's (DOMIAS, van Breugel et al.,
AISTATS 2023), by distance and by a classifier's odds together. A person with many rows is thus attacked with all of
them at once. Members are training histories, strangers one half of the holdout with the other half as reference; then
the halves change places. Windows of few long series are no subjects, and are not asked.
"""

from __future__ import annotations

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered
from verisyn.metrics._attack import LEAST
from verisyn.metrics._histories import HistorySides
from verisyn.metrics._order import enough_histories
from verisyn.metrics._windows import summarised
from verisyn.metrics.privacy import membership

title = "Can an attacker tell whose history was learnt from?"
needs = ("order",)
best, worst = membership.best, membership.worst
stand_in = "holdout"
references = ("https://arxiv.org/abs/2302.12580", "https://arxiv.org/abs/2006.07709")
rule = membership.rule


def measure(sides: HistorySides, rng: np.random.Generator) -> Measure:
    """Attack whole histories."""
    strangers = sides.strangers
    if sides.windows:
        raise NotAnswered("there are too few entities: the histories are windows cut from long series")
    enough_histories({"synthetic": sides.fake, "training": sides.train, "holdout": strangers}, LEAST)
    return membership.measure(summarised(sides, strangers=True), rng)


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the AUC and the shares caught."""
    low, high = measure.interval
    said = ("Shown a history that was learnt from and a stranger's, the attacker picks the right one in "
            f"{measure.value:.1%} of cases [{low:.1%} to {high:.1%}] (a coin: 50%)")
    return membership.judged(measure, said)
