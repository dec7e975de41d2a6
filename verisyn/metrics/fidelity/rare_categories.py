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
from verisyn.metrics._counts import ALARM, Counts, mean_agreement, named, settle
from verisyn.metrics._levels import Novel, novel_levels, rare_levels
from verisyn.metrics._stats import adjusted, jackknife, newcombe, p_beyond, together

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
    rows = {id(side): np.bincount(np.arange(side.rows) % 20, minlength=20)[:, None] for side in (fake, holdout)}
    value, *without = mean_agreement(by_block[id(fake)], rows[id(fake)], by_block[id(holdout)], rows[id(holdout)])
    made, seen = (by_block[id(side)].sum(axis=0) for side in (fake, train))
    real = seen + by_block[id(holdout)].sum(axis=0)
    counts = Counts.of([(level.name, made[i], fake.rows, real[i], train.rows + holdout.rows)
                        for i, level in enumerate(levels)])
    found = settle(counts.p_poor, counts.p(1.0), counts.off)
    return Measure(value, jackknife(value, *without), {
        "levels": len(levels), "lost": int((made == 0).sum()), "found": found.verdict, "p": found.p,
        "named": [counts.told(i) for i in found.which[:10]], "differ": len(found.which),
        **_invented(novel_levels(sides)),
        "items": counts.items(), "items_say": {"value": "share of synthetic rows that hold it",
                                               "reference": "share of real rows that hold it"}})


def _invented(novel: list[Novel]) -> dict[str, Any]:
    """Columns in which invented levels are too many to be chance, most first, and the p-value of all columns together.
    """
    checks = [_excess(n) for n in novel]
    p, some = (np.array([p_beyond(c["excess"], tuple(c["interval"]), border) for c in checks])
               for border in (INVENTED, SOME))
    sure = [c for c, q in zip(checks, adjusted(some), strict=True) if q <= ALARM and c["example"]]
    return {"invented": sorted(sure, key=lambda c: -c["interval"][0])[:10], "p_invented": together(p)}


def _excess(novel: Novel) -> dict[str, Any]:
    """How many rows hold a level that no training row holds, beside the holdout's rows that do."""
    fake, holdout = novel.fake, novel.holdout
    low, high = newcombe(float(fake.sum()), len(fake), float(holdout.sum()), len(holdout))
    return {"column": novel.column, "share": round(float(fake.mean()), 6), "holdout": round(float(holdout.mean()), 6),
            "excess": round(float(fake.mean() - holdout.mean()), 6), "interval": [round(low, 6), round(high, 6)],
            "example": novel.example}


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge by the tests of all levels, and by invented ones; name them."""
    d = measure.details
    made_up = d["invented"]
    verdict: Verdict = d["found"]
    if any(n["interval"][0] > INVENTED for n in made_up):
        verdict = "poor"
    elif made_up and verdict == "good":
        verdict = "fair"
    which = "rare level keeps its" if d["levels"] == 1 else f"{d['levels']} rare levels keep their"
    said = f"The {which} share of the rows to {measure.value:.1%}{' on average' if d['levels'] > 1 else ''}"
    said += f" (real rows reach {ceiling:.1%})" if ceiling is not None else ""
    said += f"; differing most: {named(d['named'], d['differ'])}" if d["named"] else "; none differs beyond chance"
    if made_up:
        said += (f". Invented: {made_up[0]['share']:.1%} of the rows hold a level of {made_up[0]['column']!r} that no "
                 f"real row has, such as {made_up[0]['example']!r}")
    return Judged(verdict, said + ".", together([d["p"], d["p_invented"]]))
