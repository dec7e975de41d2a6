"""Whether synthesis kept the gaps between groups in the outcome itself: the change of the gap that changed most surely.

The outcome is the target: the share of rows with its rarer class (with each of its most frequent classes, where there
are more than two), or its mean in standard deviations, values cut at the 1st and 99th percentile of the training rows.
A gap is a group's share or mean less that of all other rows (the selection rates of demographic parity), for every
group of every sensitive column: levels, or about four bands of a number with round edges, of at least 30 training rows
each; rarer levels are pooled, and left out where even the pool is smaller. Real data are training and holdout rows
together. Intervals: Newcombe (1998) for a gap of shares, Welch for means, and from them the change of the gap (Zou and
Donner 2008). A gap is amplified where it is wider in the synthetic data than in the real data (or appears), reversed
where its sign has turned and it is not small the other way (0.2 standard deviations), masked where it is smaller: then
the data hide a gap that is there. The measure is the change of the gap that changed most surely; all gaps are told with
a false discovery rate of 5 %. No other real rows are held beside it as a ceiling: any sample that is left for them is
smaller, and moves gaps more by chance; what chance explains, the intervals say.
"""

from __future__ import annotations

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered
from verisyn.metrics import Sides, enough
from verisyn.metrics._groups import LEAST, Grouped, groups_beside_target, joined
from verisyn.metrics.fairness._gaps import GOOD, POOR, Gap, apart, between, judged, measured, moments
from verisyn.metrics.fairness._outcomes import Outcome, outcomes_of

title = "Are differences between groups of people as in real data?"
needs = ("features",)
best, worst = 0.0, 1.0
stand_in = None
place = 1
references = ("https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8%3C873::AID-SIM779%3E3.0.CO;2-I",
              "https://doi.org/10.1002/sim.3095", "https://arxiv.org/abs/1104.3913")
rule = (f"poor: some gap is amplified or reversed by more than {POOR} standard deviations of the outcome (10 points, "
        "where every second row has it), even at the low end of the interval; good: the most surely changed gap "
        f"moved by {GOOD} of them or less, or by no more than chance; fair: otherwise, a masked gap too")
FEW = 10
"""Synthetic rows that a group must have to be asked about: fewer tell nothing of its share."""


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Compare every group's gap in the synthetic rows with its gap in the real ones."""
    enough({"synthetic": sides.fake.rows, "real": sides.train.rows + sides.holdout.rows}, 50)
    grouped = groups_beside_target(sides)
    gaps = [gap for outcome in _outcomes(sides) for g in grouped for gap in gaps_of(g, outcome)]
    return measured(gaps, grouped, {"target": sides.target, "items_say": {
        "value": "gap between the group and all others in synthetic data", "reference": "the same in real data"}})


def _outcomes(sides: Sides) -> list[Outcome]:
    at = None if sides.target is None else sides.index(sides.target)
    if at is None:
        raise NotAnswered("no column is named as the target" if sides.target is None else
                          f"the target {sides.target!r} is not a column whose values are modelled")
    return outcomes_of(sides.train.features[at], [joined([sides.fake], at), joined([sides.train, sides.holdout], at)])


def gaps_of(g: Grouped, outcome: Outcome) -> list[Gap]:
    """Return the gaps of all groups of one column in one outcome, whose values are those of synthetic and real rows."""
    tables = []
    for code, y in zip((g.real, g.fake), reversed(outcome.values), strict=True):
        known = ~np.isnan(y)
        tables.append(moments(code[known], y[known], len(g.groups.names)))
    rows, total, squares = tables[0].sum(axis=1)
    scale = float(np.sqrt(max(0.0, squares / rows - (total / rows) ** 2))) if rows else 0.0
    if scale == 0:
        return []
    found = []
    for i, name in g.asked:
        if tables[0][0, i] < LEAST or any(min(t[0, i], t[0].sum() - t[0, i]) < FEW for t in tables):
            continue
        there, here = (apart(t, i) for t in tables)
        found.append(Gap(name, outcome.name, scale, outcome.share, there[0], here[0], there[1], here[1],
                         *between(there, here)))
    return found


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge by the gaps that grew or turned round."""
    return judged(measure, "the outcome", ("in real data", "in synthetic data"))
