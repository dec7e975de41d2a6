"""Whether rare levels keep their share: the mean agreement of how often they occur; 1 is best.

A rare level is one that fewer than a tenth of the training rows hold, yet enough that ten synthetic rows and ten
training rows should; levels that fewer rows share than may be published are not looked at. A single number, moment or
duration counts as a level too where it stands out: at least 20 training rows and one in 200 hold it, and five times as
many as hold the two values on either side on average (a bonus of exactly 1 000, a missing value written as -1).
Agreement is twice the smaller of the synthetic rows' and the holdout's share over the sum of the two: 1 if equal, two
thirds if one is twice the other, 0 for a level that is lost. The value is its mean over levels, its interval a
delete-a-block jackknife over the rows of both sides. Each level is then tested against all real rows, training and
holdout, by the exact conditional binomial test of two counts (Przyborowski and Wilenski 1940), which takes account of
the real count's own error, at a false discovery rate of 5 % over levels (Benjamini and Hochberg 1995). Invented
levels, which no training row holds, are held against the rate at which the holdout's rows hold such (the difference's
interval is Newcombe's, 1998), at the same false discovery rate over columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.metrics import Sides, enough
from verisyn.metrics._counts import ALARM, Counts, excess, mean_agreement, named, settle
from verisyn.metrics._levels import Novel, novel_levels, rare_levels
from verisyn.metrics._stats import adjusted, jackknife, p_beyond, together
from verisyn.metrics._tables import BLOCKS

title = "Do rare categories keep their share?"
needs = ("features", "frame")
best, worst = 1.0, 0.0
stand_in = "train"
floor = False
RARE, LEAST = 0.1, 10
"""Levels of a tenth of the rows and more are seen in the column's picture; of ten rows expected, none at all would come
by chance once in 22 000 tables."""
INVENTED, SOME = 0.01, 0.001
"""One row in a hundred with a level that does not exist is a fault that anyone will meet; one in a thousand is seen."""
rule = ("good: no rare level is a quarter more frequent or a fifth rarer beyond chance, and none invented; poor: one "
        "is lost, or occurs less than half or more than twice as often as in real rows, beyond doubt, or more than "
        f"{INVENTED:.0%} of the rows hold an invented level; fair: otherwise")
references = ("https://doi.org/10.1093/biomet/31.3-4.313",)
_MOST = 5_000


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Count how many synthetic rows hold each rare level, and how many should."""
    fake, train, holdout = sides.fake, sides.train, sides.holdout
    enough({"synthetic": fake.rows, "training": train.rows, "real": holdout.rows}, 20)
    levels = rare_levels(sides, RARE, LEAST)[:_MOST]
    if not levels:
        raise NotAnswered(f"no level is held by fewer than {RARE:.0%} of the rows and yet by enough of them to count")
    by_block = {id(side): np.column_stack([level.blocks(side) for level in levels]) for side in (fake, train, holdout)}
    rows = {id(side): np.bincount(np.arange(side.rows) % BLOCKS, minlength=BLOCKS)[:, None] for side in (fake, holdout)}
    value, *without = mean_agreement(by_block[id(fake)], rows[id(fake)], by_block[id(holdout)], rows[id(holdout)])
    interval = jackknife(value, *without)
    if not sides.pictured:
        return Measure(value, interval)
    made, seen = (by_block[id(side)].sum(axis=0) for side in (fake, train))
    real = seen + by_block[id(holdout)].sum(axis=0)
    counts = Counts.of([(level.name, made[i], fake.rows, real[i], train.rows + holdout.rows)
                        for i, level in enumerate(levels)])
    found = settle(counts.p_poor, counts.p(1.0), counts.off)
    return Measure(value, interval, {
        "rare_levels": len(levels), "levels_lost": int((made == 0).sum()), "_found": found.verdict, "_p": found.p,
        "_named": [counts.told(i) for i in found.which[:10]], "_differ": len(found.which),
        **_invented(novel_levels(sides)),
        "items": counts.items(), "items_say": {"value": "share of synthetic rows that hold it",
                                               "reference": "share of real rows that hold it"}})


def _invented(novel: list[Novel]) -> dict[str, Any]:
    """Columns in which invented levels are too many to be chance, most first, and the p-value of all columns together.
    """
    checks = [{"column": n.column, "what": n.what, **excess(n.fake, n.holdout)} for n in novel]
    p, some = (np.array([p_beyond(c["excess"], tuple(c["interval"]), border) for c in checks])
               for border in (INVENTED, SOME))
    sure = [c for c, q in zip(checks, adjusted(some), strict=True) if q <= ALARM]
    return {"invented": sorted(sure, key=lambda c: -c["interval"][0])[:10], "_p_invented": together(p)}


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge by the tests of all levels, and by invented ones; name them."""
    d = measure.details
    made_up = d["invented"]
    verdict: Verdict = d["_found"]
    if any(n["interval"][0] > INVENTED for n in made_up):
        verdict = "poor"
    elif made_up and verdict == "good":
        verdict = "fair"
    which = "rare level keeps its" if d["rare_levels"] == 1 else f"{d['rare_levels']} rare levels keep their"
    said = f"The {which} share of the rows to {measure.value:.1%}{' on average' if d['rare_levels'] > 1 else ''}"
    said += f" (real rows reach {ceiling:.1%})" if ceiling is not None else ""
    said += f"; differing most: {named(d['_named'], d['_differ'])}" if d["_named"] else "; none differs beyond chance"
    if made_up:
        first = made_up[0]
        said += f". Invented: {first['share']:.1%} of the rows hold, in {first['column']!r}, {first['what']}"
    return Judged(verdict, said + ".", together([d["_p"], d["_p_invented"]]))
