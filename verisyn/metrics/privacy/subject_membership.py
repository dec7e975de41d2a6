"""Whether an attacker who holds the synthetic database can tell whose records were learnt from: AUC; 0.5 is best.

The attack of `privacy.membership` (a density ratio in the manner of DOMIAS: van Breugel, Sun, Qian and van der Schaar,
AISTATS 2023) on whole subjects: the rows of the table that was held out by subject, each with all that belongs to it,
two links deep, added up: how many rows, of each number the mean, the spread, the least and the most, of each category
the shares of its most frequent levels. A customer is attacked, not one order of his. Members are subjects that were
learnt from, non-members held-out ones, and reference the other half of these. Intervals, members caught at few false
alarms, and the bound on ε from below are as there.
"""

from __future__ import annotations

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered
from verisyn.metrics._linked import DatabaseSides
from verisyn.metrics._subjects import halves, subjects
from verisyn.metrics.privacy import membership

title = "Can an attacker tell whose records were learnt from?"
needs = ("links",)
best, worst = 0.5, 1.0
stand_in, floor = None, False
references = ("https://arxiv.org/abs/2302.12580", "https://arxiv.org/abs/2006.07709")
rule = membership.rule


def measure(sides: DatabaseSides, rng: np.random.Generator) -> Measure:
    """Attack the subjects with all that belongs to them."""
    table, made = subjects(sides)
    found = membership.measure(made, rng)
    try:
        ceiling = round(membership.measure(halves(made, rng), rng).value, 6)
    except NotAnswered:
        ceiling = None
    return Measure(found.value, found.interval, {**found.details, "subjects_are": table, "ceiling": ceiling,
                                                 "columns_of_a_subject": len(made.train.features)})


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the AUC and the shares caught."""
    low, high = measure.interval
    said = (f"Shown a row of {measure.details['subjects_are']!r} that was learnt from and a stranger's, each with all "
            f"that belongs to it, the attacker picks the right one in {measure.value:.1%} of cases [{low:.1%} to "
            f"{high:.1%}] (a coin: 50%)")
    return membership.judged(measure, said)
