"""Whether a judge can tell synthetic parents, with what their children add up to, from real ones: the worst link's AUC.

A classifier two-sample test of every link (C2ST-Agg in the manner of SyntheRela: Hudovernik, Jurkovič and Štrumbelj
2024): a row is a parent's with all its columns, and beside them the number of its children by the link and what these
add up to: of each number the mean, the spread, the least, the most, the first and the last; of each category the
shares of its most frequent levels and how many different ones there are; the span of time. Gradient boosting learns
from two thirds of the rows and is asked of the last third, three times; the interval is DeLong's, 1.6 times as wide
because folds learn from each other's rows. Parents of one owner are in one third. Real rows are the holdout's, or the
training rows where the parents were not held out, or fewer than 50 rows of them or of a table they belong to were.
Where the parents' rows are the real ones (public tables), both rows of one parent are in one third; there, and where
children were held out in part, of the side with more children so many are left out as make the means equal: how many
there are goes by how many were asked for. The value is the AUC of the link whose interval begins highest; 0.5 is best.
Parents of fewer than 100 rows are not judged. Over links the false discovery rate is controlled.
"""

from __future__ import annotations

import numpy as np

from verisyn.findings import Judged, Measure
from verisyn.metrics._apart import FAIR, GOOD, told_apart
from verisyn.metrics._families import with_children
from verisyn.metrics._linked import DatabaseSides
from verisyn.metrics._per_link import Part, each, judge_auc, worst_auc
from verisyn.schema import Link

title = "Do parents have the children that real ones have?"
needs = ("links",)
best, worst = 0.5, 1.0
stand_in = "train"
place = -2
rule = (f"poor: some link's AUC is more than {FAIR:.2f}, even at the low end of the interval (false discovery rate "
        f"5 %); good: all are {GOOD:.2f} or less, or no worse than a coin by an interval that ends below {FAIR:.2f}; "
        "fair: otherwise")
references = ("https://arxiv.org/abs/2410.03411", "https://arxiv.org/abs/1610.06545")


def measure(sides: DatabaseSides, rng: np.random.Generator) -> Measure:
    """Let the judge look at each link alone."""
    def ask(link: Link) -> Part:
        family = with_children(sides, link, rng)
        return Part(link.name, [link], told_apart(family.fake, family.real, family.kin, rng, pictured=sides.pictured))

    parts, left = each(sides.schema.links, lambda link: link.name, ask)
    return worst_auc(parts, left, title=title, pictured=sides.pictured)


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the worst link."""
    return judge_auc(measure, floor, ceiling, "a real and a synthetic parent with what their children add up to")
