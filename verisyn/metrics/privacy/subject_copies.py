"""How many synthetic subjects copy a real one with all that belongs to it, beyond the rate at which strangers coincide.

The checks of `privacy.copies` on whole subjects: the rows of the table that was held out by subject, each with all
that belongs to it, two links deep, added up. Exact: equal in every column and every sum (numbers to six digits) to a
subject that was learnt from and that fewer than five equal. Near: closer to one than 99 of 100 strangers are, and at
most half as far as from the nearest stranger. Strangers are held-out subjects, held against those learnt from by the
same test; what counts is the excess over their rate, with its interval (Newcombe 1998).
"""

from __future__ import annotations

import numpy as np

from verisyn.findings import Judged, Measure
from verisyn.metrics._linked import DatabaseSides
from verisyn.metrics._subjects import subjects
from verisyn.metrics.privacy import copies

title = "Does it copy real subjects, with all that belongs to them?"
needs = ("links",)
best, worst = 0.0, 1.0
stand_in, floor = None, False
references = copies.references
rule = copies.rule.replace("rows", "subjects")


def measure(sides: DatabaseSides, rng: np.random.Generator) -> Measure:
    """Count exact and near copies beside the strangers' own."""
    table, made = subjects(sides)
    found = copies.measure(made, rng)
    return Measure(found.value, found.interval, {**found.details, "subjects_are": table})


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the worst excess over the strangers' rate."""
    found = copies.judge(measure, floor, ceiling)
    said = found.reason.replace("training row", "training subject").replace("rows", "subjects")
    what = f"A subject is a row of {measure.details['subjects_are']!r} with all that belongs to it."
    return Judged(found.verdict, f"{what} {said}", found.p)
