"""How alike each column is, alone: 1 - total variation on about ten bins, averaged over columns.

Bins hold equal shares of the training rows (numbers, moments; where a value is heavy, the rest is cut finer) or are the
most frequent levels; a missing value is a bin of its own. Both sides share the bins. The interval is a delete-a-block
jackknife over the rows of both sides. Beside it, in the details, each column's shape at full precision, missing values
left out, as sdmetrics defines Column Shapes: 1 - the Kolmogorov-Smirnov distance of numbers and moments, 1 - the total
variation of all levels of a category; and their mean. Which levels were lost, `fidelity.rare_categories` tells.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from verisyn.findings import Judged, Measure, Verdict
from verisyn.metrics import Sides, enough, has_columns
from verisyn.metrics._pictures import picture
from verisyn.metrics._stats import jackknife, p_gap
from verisyn.metrics._tables import BLOCKS, block_counts, overlaps

title = "Do the columns look alike, one by one?"
needs = ("coarse", "features", "frame")
best, worst = 1.0, 0.0
stand_in = "train"
references = ("https://docs.sdv.dev/sdmetrics/reports/quality-report/whats-included",)
GOOD, FAIR = 0.02, 0.06
"""Below what real rows reach: at 2 % pictures of the two look the same; at 6 % some columns look different."""
rule = f"good: within {GOOD:.0%} of what real rows reach; fair: within {FAIR:.0%}; poor: otherwise"


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Compare every column of the synthetic rows with the holdout's."""
    enough({"synthetic": sides.fake.rows, "real": sides.holdout.rows}, 20)
    has_columns(sides)
    fake, real = sides.fake.coarse, sides.holdout.coarse
    each = np.array([overlaps(block_counts(fake, [i]), block_counts(real, [i])) for i in range(len(fake.sizes))])
    mean = each.mean(axis=0)
    interval = jackknife(float(mean[0]), mean[1:1 + BLOCKS], mean[1 + BLOCKS:])
    if not sides.pictured:
        return Measure(float(mean[0]), interval)
    columns = [_column(sides, i, float(each[i, 0])) for i in range(len(each))]
    shapes = [c["shape"] for c in columns if c["shape"] is not None]
    return Measure(float(mean[0]), interval, {
        "columns": columns, "mean_of_column_shapes": round(float(np.mean(shapes)), 6) if shapes else None})


def _column(sides: Sides, i: int, value: float) -> dict[str, Any]:
    fake, real = sides.fake.features[i], sides.holdout.features[i]
    ks = None if real.levels else ks_distance(fake.values, real.values)
    shape = _levels_alike(sides, i) if real.levels else None if ks is None else round(1 - ks, 6)
    return {**picture(sides.train.features[i], fake), "value": round(value, 6), "ks": ks, "shape": shape}


def ks_distance(a: np.ndarray, b: np.ndarray) -> float | None:
    """Return the largest gap between the two cumulative shares of values; None where a side has none."""
    a, b = np.sort(a[~np.isnan(a)]), np.sort(b[~np.isnan(b)])
    if not len(a) or not len(b):
        return None
    at = np.concatenate([a, b])
    gaps = np.searchsorted(a, at, "right") / len(a) - np.searchsorted(b, at, "right") / len(b)
    return round(float(np.abs(gaps).max()), 6)


def _levels_alike(sides: Sides, i: int) -> float | None:
    """1 - total variation of all levels as they are written, missing values left out; None where a side has none.

    Where values are made afresh and only whether they are missing is modelled, it is that which is compared.
    """
    name = sides.train.features[i].name
    if name in sides.fake.frame.columns and name not in sides.regenerated:
        known = [side.frame[name].drop_nulls().cast(pl.String, strict=False) for side in (sides.fake, sides.holdout)]
    else:
        known = [pl.Series(side.features[i].values).drop_nans() for side in (sides.fake, sides.holdout)]
    if not all(map(len, known)):
        return None
    shares = [k.value_counts(normalize=True, name="share").rename({k.name: "level"}) for k in known]
    both = shares[0].join(shares[1], on="level", how="full", suffix="_real").select(
        pl.col("share", "share_real").fill_null(0.0))
    return round(1 - float((both["share"] - both["share_real"]).abs().sum()) / 2, 6)


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the gap to real rows."""
    high = 1.0 if ceiling is None else ceiling
    gap = high - measure.value
    verdict: Verdict = "good" if gap <= GOOD else "fair" if gap <= FAIR else "poor"
    said = f"The columns agree with real data to {measure.value:.1%} on average"
    said += f" (real rows reach {ceiling:.1%})" if ceiling is not None else ""
    alike = {c["name"]: min(c["value"], 1.0 if c["shape"] is None else c["shape"]) for c in measure.details["columns"]}
    worst = min(alike, key=alike.__getitem__)
    said += f"; the least alike is {worst!r} with {alike[worst]:.1%}."
    return Judged(verdict, said, p_gap(measure, high, FAIR))
