"""Whether a judge can tell synthetic rows, with all that they point to, from real ones: the worst table's AUC.

A classifier two-sample test (Lopez-Paz and Oquab, ICLR 2017) of every table that points to others, its rows joined
with the columns of all their parents at once. So a parent that was drawn at random, or a second one that does not go
with the first, gives the synthetic rows away. Rows of one parent have its columns in common, by which a judge would
find them again; therefore rows that it is asked of share no parent, and no parent's parent, with rows it learnt from
(of at most three parents), and the interval is that of whole families, by the parent that gives the widest. A table
whose rows are the real ones (a public one) may be shared. Otherwise parents of whom fewer than 20 rows are pointed to
are left out. Real rows are the holdout's, or the training rows where the table was not held out. The value is the AUC
of the table whose interval begins highest; 0.5 is best. Over tables the false discovery rate is controlled.
"""

from __future__ import annotations

import numpy as np

from verisyn.findings import Judged, Measure
from verisyn.metrics._apart import FAIR, GOOD, told_apart
from verisyn.metrics._families import with_parents
from verisyn.metrics._linked import DatabaseSides
from verisyn.metrics._per_link import Part, each, judge_auc, worst_auc

title = "Do rows go with all that they point to, as in real data?"
needs = ("links",)
best, worst = 0.5, 1.0
stand_in = "train"
place = -1
rule = (f"poor: some table's AUC is more than {FAIR:.2f}, even at the low end of the interval (false discovery rate "
        f"5 %); good: all are {GOOD:.2f} or less, or no worse than a coin by an interval that ends below {FAIR:.2f}; "
        "fair: otherwise")
references = ("https://arxiv.org/abs/1610.06545", "https://arxiv.org/abs/2410.03411")


def measure(sides: DatabaseSides, rng: np.random.Generator) -> Measure:
    """Let the judge look at each table that points to others."""
    def ask(table: str) -> Part:
        family, links = with_parents(sides, table, rng)
        return Part(table, links, told_apart(family.fake, family.real, family.kin, rng, pictured=sides.pictured))

    tables = dict.fromkeys(link.table for link in sides.schema.links)
    parts, left = each(tables, str, ask)
    return worst_auc(parts, left, title=title, pictured=sides.pictured)


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the worst table."""
    return judge_auc(measure, floor, ceiling, "a real and a synthetic row with all that they point to")
