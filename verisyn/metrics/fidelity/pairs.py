"""How alike columns are, two by two: 1 - total variation on the joint bins of two columns, averaged over pairs.

The bins are those of the single columns. Up to 40 columns every pair counts; a wider table is measured on 500 pairs
drawn by a seed. The interval is a delete-a-block jackknife over the rows of both sides. The details hold the strength
of dependence (Cramér's V without its bias, Bergsma 2013, on the same bins, so that numbers, moments and categories
share one scale from 0 to 1) of real and synthetic rows, and the worst pairs.
"""

from __future__ import annotations

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.metrics import Sides, enough
from verisyn.metrics._stats import jackknife, p_gap
from verisyn.metrics._tables import ALL, overlaps, pair_tables, strengths

title = "Do pairs of columns look alike?"
needs = ("coarse",)
best, worst = 1.0, 0.0
stand_in = "train"
references = ("https://doi.org/10.1016/j.jkss.2012.10.002", "https://github.com/mostly-ai/mostlyai-qa")
GOOD, FAIR = 0.03, 0.08
"""Below what real rows reach; on about 100 bins the error of a pair is half as large again as a single column's."""
rule = f"good: within {GOOD:.0%} of what real rows reach; fair: within {FAIR:.0%}; poor: otherwise"


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Compare pairs of columns of the synthetic rows with the holdout's."""
    enough({"synthetic": sides.fake.rows, "real": sides.holdout.rows}, 50)
    names, width = [f.name for f in sides.train.features], len(sides.train.features)
    if width < 2:
        raise NotAnswered("it takes two modelled columns to make a pair")
    pairs = pair_tables(sides)
    each = np.array([overlaps(*(x.reshape(len(x), -1) for x in (p.fake, p.real))) for p in pairs])
    mean, blocks = each.mean(axis=0), (each.shape[1] - 1) // 2
    interval = jackknife(float(mean[0]), mean[1:1 + blocks], mean[1 + blocks:])
    if not sides.pictured:
        return Measure(float(mean[0]), interval)
    worst = [{"a": names[pairs[i].a], "b": names[pairs[i].b], "value": round(float(each[i, 0]), 6)}
             for i in np.argsort(each[:, 0])[:10]]
    return Measure(float(mean[0]), interval, {"names": names[:ALL], **_heat(sides), "worst": worst,
                                              "pairs": len(pairs), "pairs_in_all": width * (width - 1) // 2})


def _heat(sides: Sides) -> dict[str, list[list[float]]]:
    """The symmetric matrices of association strengths of (the first 40) columns, 1 on their diagonals."""
    names = [f.name for f in sides.train.features]
    shown = sides if len(names) <= ALL else sides.only(range(ALL))
    found = {}
    for side, strength in zip(("fake", "real"), strengths(shown), strict=True):
        matrix = np.eye(len(shown.train.features))
        for pair, value in zip(pair_tables(shown), strength[:, 0], strict=True):
            matrix[pair.a, pair.b] = matrix[pair.b, pair.a] = value
        found[side] = [[round(float(x), 4) for x in row] for row in matrix]
    return found


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the gap to real rows."""
    high = 1.0 if ceiling is None else ceiling
    gap = high - measure.value
    worst = measure.details["worst"][0]
    verdict: Verdict = "good" if gap <= GOOD else "fair" if gap <= FAIR else "poor"
    said = f"Pairs of columns agree with real data to {measure.value:.1%} on average"
    beside = [f"{who} {value:.1%}" for who, value in (("real rows reach", ceiling), ("columns drawn alone", floor))
              if value is not None]
    said += f" ({', '.join(beside)})" if beside else ""
    said += f"; the least alike are {worst['a']!r} and {worst['b']!r} with {worst['value']:.1%}."
    return Judged(verdict, said, p_gap(measure, high, FAIR))
