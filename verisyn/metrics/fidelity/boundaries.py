"""Whether synthetic values stay where real values can be: the mean share of values within bounds; 1 is best.

A number, moment or duration is within bounds if it lies between the least and the greatest of the training rows and is
no finer than these: no more decimals than any of them, no fraction where all are whole, no time of day where all are
days; columns of fewer than 50 known training values have no such bounds. A category is within bounds if some training
row holds the level. A missing value is within bounds. The value is the share of synthetic cells within bounds, over all
columns; its interval (Wilson 1927) treats the cells of a row as leaning the same way. Real rows that the training data
lacks overstep bounds too, now and then: each column is judged by how much more often synthetic rows overstep than the
holdout's rows (Newcombe 1998), at a false discovery rate of 5 % over columns (Benjamini and Hochberg 1995). A bound is
told only where five training rows or more share it, a level that no training row holds only where no real row that was
read holds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from verisyn.findings import Judged, Measure, Verdict
from verisyn.kinds import K
from verisyn.metrics import Sides, enough, has_columns
from verisyn.metrics._counts import ALARM, excess, named
from verisyn.metrics._levels import novel_levels, said
from verisyn.metrics._stats import adjusted, clustered_share, p_beyond, together

title = "Do the values stay within real bounds?"
needs = ("features", "frame")
best, worst = 1.0, 0.0
stand_in = "holdout"
floor = False
GOOD, POOR = 0.001, 0.01
"""One value in a thousand beyond what real rows do is seen by nobody; one in a hundred breaks what checks its input."""
rule = (f"poor: in some column more than {POOR:.0%} of the rows overstep its bounds beyond the rate of real rows, at "
        f"the low end of the interval; good: in none more than {GOOD:.1%} beyond doubt; fair: otherwise")
references = ("https://doi.org/10.1080/01621459.1927.10502953",)
_LEAST = 50
_DECIMALS = 9
_STEPS = ((86_400.0, "a whole day"), (3_600.0, "a whole hour"), (60.0, "a whole minute"), (1.0, "a whole second"))


@dataclass(frozen=True)
class _Bound:
    """One way to overstep: which rows of the synthetic table and of the holdout do, and in words."""

    column: str
    what: str
    fake: np.ndarray
    holdout: np.ndarray

    def told(self) -> dict[str, Any]:
        return {"column": self.column, "what": self.what, **excess(self.fake, self.holdout)}


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Count cells beyond the training rows' bounds."""
    enough({"synthetic": sides.fake.rows, "training": sides.train.rows, "real": sides.holdout.rows}, 20)
    has_columns(sides)
    bounds = [b for i in range(len(sides.train.features)) for b in _bounds(sides, i)]
    bounds += [_Bound(n.column, n.what, n.fake, n.holdout) for n in novel_levels(sides)]
    cells = len(sides.train.features)
    over: dict[str, np.ndarray] = {}
    for bound in bounds:
        over[bound.column] = over.get(bound.column, False) | bound.fake
    out = sum(over.values(), np.zeros(sides.fake.rows, np.int64))
    value, interval = _within(out, cells)
    checks = sorted((b.told() for b in bounds), key=lambda c: (-c["interval"][0], -c["excess"]))
    return Measure(value, interval, {"columns_checked": cells, "checks": checks[:30], **_settled(checks), "items": [
        {"name": f"{c['column']!r}: {c['what']}", "value": c["share"], "reference": c["holdout"], "interval": None,
         "note": ""} for c in checks[:15] if c["share"] > 0], "items_say": {
             "value": "share of synthetic rows", "reference": "share of the holdout's rows"}})


def _within(out: np.ndarray, cells: int) -> tuple[float, tuple[float, float]]:
    """The share of cells within bounds, and its interval, given how many cells of each row are not."""
    flags = np.arange(cells)[None, :] >= out[:, None]
    return clustered_share(flags.ravel().astype(float), np.repeat(np.arange(len(out)), cells))


def _bounds(sides: Sides, i: int) -> list[_Bound]:
    """How a number can overstep: below, above, finer than real values."""
    feature, known = sides.train.features[i], sides.train.scales[i]
    if feature.levels or len(known) < _LEAST:
        return []
    low, high = float(known[0]), float(known[-1])
    slack = 1e-6 * max(high - low, 1e-300) + 2e-7 * (0.0 if feature.unit else max(abs(low), abs(high)))
    values = [side.features[i].values for side in (sides.fake, sides.holdout)]
    least, greatest = (_told(bound, which, known, feature.unit)
                       for bound, which in ((low, "least"), (high, "greatest")))
    found = [_Bound(feature.name, f"values below {least}", *(v < low - slack for v in values)),
             _Bound(feature.name, f"values above {greatest}", *(v > high + slack for v in values))]
    if grain := _grain(known, feature.unit):
        step, words = grain
        found.append(_Bound(feature.name, words, *(_finer(v, step) for v in values)))
    return found


def _told(bound: float, which: str, known: np.ndarray, unit: str) -> str:
    """The bound in words: its figure where enough rows share it."""
    return said(bound, unit) if int((known == bound).sum()) >= K else f"the {which} real value"


def _grain(known: np.ndarray, unit: str) -> tuple[float, str] | None:
    """The coarsest step that all values are multiples of, and what it is to be finer; None for full precision."""
    if unit:
        return next(((step, f"finer than {words}") for step, words in _STEPS if not _finer(known, step).any()), None)
    some = known[::max(1, len(known) // 200)]  # a look at a few values spares the long look at most steps
    for decimals in range(_DECIMALS + 1):
        if not _finer(some, 10.0**-decimals).any() and not _finer(known, 10.0**-decimals).any():
            words = "fractions where real values are whole" if not decimals else (
                f"more than {decimals} decimal{'s' if decimals > 1 else ''}, which no real value has")
            return 10.0**-decimals, words
    return None


def _finer(values: np.ndarray, step: float) -> np.ndarray:
    """Whether values are no multiples of a step, beyond what single precision would do to such a multiple."""
    scaled = values / step
    with np.errstate(invalid="ignore"):
        return np.abs(scaled - np.round(scaled)) > np.maximum(1e-6, 2e-7 * np.abs(scaled))


def _settled(checks: list[dict[str, Any]]) -> dict[str, Any]:
    """The verdict of all columns together, and those that gave it, in words."""
    poor, mild = (np.array([p_beyond(c["excess"], tuple(c["interval"]), border) for c in checks])
                  for border in (POOR, GOOD))
    bad = np.flatnonzero((adjusted(poor) <= ALARM) & np.array([c["interval"][0] > POOR for c in checks], bool))
    slight = np.flatnonzero((adjusted(mild) <= ALARM) & np.array([c["interval"][0] > GOOD for c in checks], bool))
    which = bad if len(bad) else slight
    told = [f"{checks[i]['share']:.1%} of the rows hold {checks[i]['what']}, in {checks[i]['column']!r}" for i in which]
    return {"_found": "poor" if len(bad) else "fair" if len(slight) else "good", "_p": together(poor),
            "_named": told[:10], "_differ": len(told)}


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge by the column that oversteps most beyond real rows."""
    d = measure.details
    verdict: Verdict = d["_found"]
    told = f"{measure.value:.2%} of the synthetic values lie within the bounds of real values"
    told += f" (of other real rows' {ceiling:.2%})" if ceiling is not None else ""
    told += f"; beyond them: {named(d['_named'], d['_differ'])}" if d["_named"] else ""
    return Judged(verdict, told + ".", d["_p"])
