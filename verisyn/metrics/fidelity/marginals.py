"""How alike each column is, alone: 1 - total variation on about ten bins, averaged over columns.

Bins hold equal shares of the training rows (numbers, moments) or are the most frequent levels; a missing value is a
bin of its own. Both sides share the bins. The interval is a delete-a-block jackknife over the rows of both sides.
Beside it, in the details: the Kolmogorov-Smirnov distance at full precision, and levels that were lost.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from verisyn.findings import Judged, Measure, Verdict
from verisyn.kinds import Feature
from verisyn.metrics import Sides, enough, has_columns
from verisyn.metrics._pictures import picture
from verisyn.metrics._stats import jackknife, p_gap
from verisyn.metrics._tables import block_counts, overlaps

title = "Do the columns look alike, one by one?"
needs = ("coarse", "features")
best, worst = 1.0, 0.0
stand_in = "train"
GOOD, FAIR = 0.02, 0.06
"""Below what real rows reach: at 2 % pictures of the two look the same; at 6 % some columns look different."""
LOST = 20
"""A level is lost where 20 synthetic rows should hold it and none does: by chance this happens once in 10^8."""
rule = (f"good: within {GOOD:.0%} of what real rows reach, and no level lost; fair: within {FAIR:.0%}, and no level of "
        f"{FAIR:.0%} or more of the rows lost; poor: otherwise")


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Compare every column of the synthetic rows with the holdout's."""
    enough({"synthetic": sides.fake.rows, "real": sides.holdout.rows}, 20)
    has_columns(sides)
    fake, real = sides.fake.coarse, sides.holdout.coarse
    each = np.array([overlaps(block_counts(fake, [i]), block_counts(real, [i])) for i in range(len(fake.sizes))])
    mean, blocks = each.mean(axis=0), (each.shape[1] - 1) // 2
    columns = [_column(sides, i, float(each[i, 0])) for i in range(len(each))]
    lost = [level for i in range(len(each)) for level in _lost(sides.train.features[i], sides.fake.features[i])]
    interval = jackknife(float(mean[0]), mean[1:1 + blocks], mean[1 + blocks:])
    return Measure(float(mean[0]), interval, {"columns": columns, "lost": sorted(lost, key=lambda x: -x["share"])})


def _column(sides: Sides, i: int, value: float) -> dict[str, Any]:
    fake, real = sides.fake.features[i], sides.holdout.features[i]
    ks = None if real.levels else ks_distance(fake.values, real.values)
    return {**picture(sides.train.features[i], fake), "value": round(value, 6), "ks": ks}


def ks_distance(a: np.ndarray, b: np.ndarray) -> float | None:
    """Return the largest gap between the two cumulative shares of values; None where a side has none."""
    a, b = np.sort(a[~np.isnan(a)]), np.sort(b[~np.isnan(b)])
    if not len(a) or not len(b):
        return None
    at = np.concatenate([a, b])
    gaps = np.searchsorted(a, at, "right") / len(a) - np.searchsorted(b, at, "right") / len(b)
    return round(float(np.abs(gaps).max()), 6)


def _lost(train: Feature, fake: Feature) -> list[dict[str, Any]]:
    if not train.levels:
        return []
    known = [f.values[~np.isnan(f.values)].astype(np.int64) for f in (train, fake)]
    real, made = (np.bincount(codes, minlength=train.levels) for codes in known)
    share = real[:len(train.labels)] / len(train.values)
    gone = np.flatnonzero((share * len(fake.values) >= LOST) & (made[:len(share)] == 0) & (real[:len(share)] >= LOST))
    return [{"column": train.name, "level": train.labels[i], "share": round(float(share[i]), 6)} for i in gone]


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the gap to real rows, and lost levels."""
    gap = (1.0 if ceiling is None else ceiling) - measure.value
    lost = measure.details["lost"]
    worst = min(measure.details["columns"], key=lambda c: c["value"])
    verdict: Verdict = "good" if gap <= GOOD and not lost else "fair" if gap <= FAIR else "poor"
    if lost and lost[0]["share"] >= FAIR:
        verdict = "poor"
    said = f"The columns agree with real data to {measure.value:.1%} on average"
    said += f" (real rows reach {ceiling:.1%})" if ceiling is not None else ""
    said += f"; the least alike is {worst['name']!r} with {worst['value']:.1%}"
    if lost:
        more = f", and {len(lost) - 1} more levels" if len(lost) > 1 else ""
        said += f". Lost altogether: {lost[0]['level']!r} of {lost[0]['column']!r}, {lost[0]['share']:.1%} of real rows"
        said += more
    return Judged(verdict, said + ".", None if ceiling is None or lost else p_gap(measure, ceiling, FAIR))
