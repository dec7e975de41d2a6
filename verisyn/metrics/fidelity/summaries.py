"""How alike histories are as wholes: 1 - total variation on about ten bins, averaged over what their rows add up to.

Each history is told in one row: what does not change in it; how many rows it has; of each number the mean, standard
deviation, least, most, first and last value; of each category the shares of its five most frequent levels, how many
different ones there are, and whether it ends as it began; how long it lasts, and the mean gap. These are then compared
as the columns of a table are, by ``fidelity.marginals``. The interval is a delete-a-block jackknife over the histories
of both sides.
"""

from __future__ import annotations

import numpy as np

from verisyn.findings import Judged, Measure
from verisyn.metrics._courses import typical
from verisyn.metrics._histories import HistorySides
from verisyn.metrics._order import chosen, compared, judged_gap, likeness, plain, rule_of_gap
from verisyn.metrics._pictures import picture
from verisyn.metrics._tables import block_counts, overlaps
from verisyn.metrics._windows import summarised

title = "Do histories look alike as wholes?"
needs = ("order",)
best, worst = 1.0, 0.0
stand_in = "train"
place = 0
references = ("https://arxiv.org/abs/2410.03411",)
GOOD, FAIR = 0.03, 0.09
"""Below what real histories reach; wider than for rows, as there are fewer histories."""
rule = rule_of_gap(GOOD, FAIR)
_DRAWN = 60


def measure(sides: HistorySides, rng: np.random.Generator) -> Measure:
    """Compare every figure of the synthetic histories with the holdout's."""
    compared(sides)
    made = summarised(sides)
    figures = range(len(made.train.features))
    each, reals = (np.array([overlaps(block_counts(side.coarse, [i]), block_counts(made.holdout.coarse, [i]))
                             for i in figures]) for side in (made.fake, made.train))
    if not sides.pictured:
        return plain(each)
    told = likeness(each, [repr(f.name) for f in made.train.features], reals, "likeness of the figure")
    columns = [{**picture(made.train.features[i], made.fake.features[i]), "value": round(float(each[i, 0]), 6)}
               for i in np.argsort(each[:, 0], kind="stable")[:_DRAWN]]
    drawn = typical(sides, (made.fake, made.train), chosen(sides))
    return Measure(told.value, told.interval, {**told.details, "columns": columns,
                                               **({"histories": drawn} if drawn else {})})


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the gap to real histories."""
    said = f"What histories add up to agrees with real ones' to {measure.value:.1%} on average"
    return judged_gap(measure, floor, ceiling, said, (GOOD, FAIR))
