"""How alike columns are, two by two: 1 - total variation on the joint bins of two columns, averaged over pairs.

The bins are those of the single columns. Up to 40 columns every pair counts; a wider table is measured on 500 pairs
drawn by the seed. The details hold the strength of dependence (Cramér's V without its bias, Bergsma 2013, on the same
bins, so that numbers, moments and categories share one scale from 0 to 1) of real and synthetic rows, and the worst
pairs.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.metrics import Sides, enough
from verisyn.metrics._stats import jackknife, p_gap
from verisyn.metrics._tables import association, block_counts, overlaps
from verisyn.modalities.table._views import Coarse

title = "Do columns depend on each other as in real data?"
needs = ("coarse",)
best, worst = 1.0, 0.0
stand_in = "train"
GOOD, FAIR = 0.03, 0.08
"""Below what real rows reach; on about 100 bins the error of a pair is half as large again as a single column's."""
rule = f"good: within {GOOD:.0%} of what real rows reach; fair: within {FAIR:.0%}; poor: otherwise"
_ALL, _DRAWN = 40, 500


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Compare pairs of columns of the synthetic rows with the holdout's."""
    enough({"synthetic": sides.fake.rows, "real": sides.holdout.rows}, 50)
    fake, real, width = sides.fake.coarse, sides.holdout.coarse, len(sides.train.features)
    if width < 2:
        raise NotAnswered("it takes two modelled columns to make a pair")
    chosen = _pairs(width, rng)
    each = np.array([overlaps(block_counts(fake, p), block_counts(real, p)) for p in chosen])
    mean, blocks = each.mean(axis=0), (each.shape[1] - 1) // 2
    worst = [{"a": fake.names[chosen[i][0]], "b": fake.names[chosen[i][1]], "value": round(float(each[i, 0]), 6)}
             for i in np.argsort(each[:, 0])[:10]]
    shown = list(range(min(width, _ALL)))
    details: dict[str, Any] = {"names": [fake.names[i] for i in shown], "real": dependence(real, shown),
                               "fake": dependence(fake, shown), "worst": worst, "pairs": len(chosen),
                               "pairs_in_all": width * (width - 1) // 2}
    return Measure(float(mean[0]), jackknife(float(mean[0]), mean[1:1 + blocks], mean[1 + blocks:]), details)


def _pairs(width: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    if width <= _ALL:
        return list(combinations(range(width), 2))
    first, second = np.triu_indices(width, 1)
    return [(int(first[i]), int(second[i])) for i in np.sort(rng.choice(len(first), _DRAWN, replace=False))]


def dependence(coarse: Coarse, columns: list[int]) -> list[list[float]]:
    """Return the symmetric matrix of association strengths of some columns, 1 on its diagonal."""
    found = np.eye(len(columns))
    for a, b in combinations(range(len(columns)), 2):
        i, j = columns[a], columns[b]
        table = block_counts(coarse, [i, j]).sum(axis=0).reshape(coarse.sizes[i], coarse.sizes[j])
        found[a, b] = found[b, a] = association(table)
    return [[round(float(x), 4) for x in row] for row in found]


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the gap to real rows."""
    gap = (1.0 if ceiling is None else ceiling) - measure.value
    worst = measure.details["worst"][0]
    verdict: Verdict = "good" if gap <= GOOD else "fair" if gap <= FAIR else "poor"
    p = None if ceiling is None else p_gap(measure, ceiling, FAIR)
    said = f"Pairs of columns agree with real data to {measure.value:.1%} on average"
    beside = [f"{who} {value:.1%}" for who, value in (("real rows reach", ceiling), ("columns drawn alone", floor))
              if value is not None]
    said += f" ({', '.join(beside)})" if beside else ""
    said += f"; the least alike are {worst['a']!r} and {worst['b']!r} with {worst['value']:.1%}."
    return Judged(verdict, said, p)
