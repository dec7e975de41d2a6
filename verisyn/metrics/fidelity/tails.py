"""Whether the tails are as heavy, and reach as far, as real ones: mean agreement of what they hold; 1 is best.

A tail is what lies beyond the 1 % and 99 % quantiles of the training rows (the 5 % and 95 % quantiles where fewer than
20 training rows lie beyond them), for every column of 400 numbers, moments or durations or more. Agreement is twice the
smaller of the synthetic rows' and the holdout's share in a tail over the sum of the two (1 if equal, two thirds if one
is twice the other, 0 if one is none); the value is its mean over tails, its interval a delete-a-block jackknife over
the rows of both sides. Each tail is then tested, and named: the rows beyond 1 % and 99 %, and beyond 0.1 % and 99.9 %
where 20 training rows lie there, against all real rows, training and holdout (exact conditional binomial test of two
counts); how far values reach within the tails beyond 5 % and 95 %, by the chance that a synthetic row's excess over the
quantile is larger than a real one's (DeLong's interval); and for all pairs of up to 60 columns how often both lie in
such tails at once, at either end (exact tests). The false discovery rate over all of these is held at 5 % (Benjamini
and Hochberg 1995). The intervals of single tails are exact (Clopper and Pearson 1934).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered
from verisyn.metrics import Side, Sides, enough
from verisyn.metrics._counts import Counts, blocks, mean_agreement, named, settle
from verisyn.metrics._stats import Influence, auc, jackknife, p_beyond

title = "Are the extremes as frequent and as extreme as in real data?"
needs = ("features",)
best, worst = 1.0, 0.0
stand_in = "train"
floor = False
SHAPE = 0.15
"""Two extremes of three further out (or in) than real ones, in place of one of two, is a tail of another shape."""
rule = ("good: no tail, and no two tails together, hold a quarter more or a fifth less beyond chance; poor: one holds "
        "nothing, or less than half or more than twice what it should, or its extremes lie further out, or less far, "
        f"than real ones in {0.5 + SHAPE:.0%} of comparisons, beyond doubt; fair: otherwise")
references = ("https://doi.org/10.1093/biomet/26.4.404", "https://doi.org/10.2307/2531595")
_LEAST, _ROWS = 20, 400
_SHAPED, _PAIRED = 0.05, 60


@dataclass(frozen=True)
class _End:
    """One end of a column: values turned so that the tail is high."""

    column: int
    name: str
    sign: int

    def of(self, side: Side) -> np.ndarray:
        return self.sign * side.features[self.column].values

    def border(self, side: Side, depth: float) -> float:
        """The quantile, and a hair more, so that the noise of single precision makes no tail."""
        known = side.scales[self.column]
        low, high = np.quantile(known, [depth, 1 - depth])
        slack = 1e-6 * max(float(high - low), abs(float(high if self.sign > 0 else low)) * 0.1)
        return float(high if self.sign > 0 else -low) + slack


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Count rows beyond the training rows' outer quantiles."""
    enough({"synthetic": sides.fake.rows, "training": sides.train.rows, "real": sides.holdout.rows}, 20)
    numbers = [i for i, f in enumerate(sides.train.features) if not f.levels]
    if not numbers:
        raise NotAnswered("no column holds numbers, moments or durations")
    ends = [_End(i, f"the {which} end of {sides.train.features[i].name!r}", sign) for i in numbers
            if len(sides.train.scales[i]) >= _ROWS for which, sign in (("low", -1), ("high", 1))]
    depth = {end: 0.01 if 0.01 * len(sides.train.scales[end.column]) >= _LEAST else 0.05 for end in ends}
    ends = [end for end in ends if _held(sides.train, end, depth[end])]
    if not ends:
        raise NotAnswered(f"no column holds {_ROWS} numbers, moments or durations that thin out to an end")
    flags = {side: np.column_stack([_beyond(getattr(sides, side), sides.train, e, depth[e]) for e in ends])
             for side in ("fake", "holdout")}
    known = {side: np.column_stack([~np.isnan(e.of(getattr(sides, side))) for e in ends]) for side in flags}
    value, *without = mean_agreement(*(blocks(a) for side in flags for a in (flags[side], known[side])))
    interval = jackknife(value, *without)
    if not sides.pictured:
        return Measure(value, interval)
    counts = Counts.of([*_masses(sides, ends, depth), *_pairs(sides, rng)])
    shapes = _shapes(sides, ends)
    return Measure(value, interval, {
        "tails": len(ends), "tests": len(counts.names) + len(shapes), "shapes": [
            {k: v for k, v in s.items() if not k.startswith("_")} for s in shapes[:10]], **_settled(counts, shapes),
        "items": counts.items(), "items_say": {"value": "share of synthetic rows there",
                                               "reference": "share of real rows there"}})


def _held(train: Side, end: _End, depth: float) -> bool:
    return int(_beyond(train, train, end, depth).sum()) >= _LEAST // 2


def _beyond(side: Side, train: Side, end: _End, depth: float) -> np.ndarray:
    return end.of(side) > end.border(train, depth)


def _masses(sides: Sides, ends: list[_End], depth: dict[_End, float]) -> list[tuple[str, int, int, int, int]]:
    entries: list[tuple[str, int, int, int, int]] = []
    for end in ends:
        deep = 0.001 * len(sides.train.scales[end.column]) >= _LEAST and _held(sides.train, end, 0.001)
        fake, real = (v[~np.isnan(v)] for v in (end.of(sides.fake), np.concatenate([end.of(sides.train),
                                                                                    end.of(sides.holdout)])))
        for at in (depth[end], *([0.001] if deep else [])) if len(fake) else ():
            border = end.border(sides.train, at)
            name = f"{end.name} (the outer {at:.1%})" if at < 0.01 else end.name
            entries.append((name, int((fake > border).sum()), len(fake), int((real > border).sum()), len(real)))
    return entries


def _shapes(sides: Sides, ends: list[_End]) -> list[dict[str, Any]]:
    """How far synthetic values reach beyond the 5 % quantile, against real ones; the furthest from even first."""
    found = []
    for end in ends:
        border = end.border(sides.train, _SHAPED)
        fake, real = (np.maximum(v[v > border] - border, 0.0) for v in (
            end.of(sides.fake), np.concatenate([end.of(sides.train), end.of(sides.holdout)])))
        if min(len(fake), len(real)) < 2 * _LEAST:
            continue
        further = auc(np.arange(len(fake) + len(real)) < len(fake), np.concatenate([fake, real]))
        reach = float(fake.mean() / real.mean()) if real.mean() > 0 else 1.0
        found.append({"end": end.name, "further": round(further.value, 6),
                      "interval": [round(x, 6) for x in further.interval()],
                      "mean_excess_ratio": round(reach, 4) if np.isfinite(reach) else None, **_p(further)})
    return sorted(found, key=lambda s: -abs(s["further"] - 0.5))


def _p(further: Influence) -> dict[str, float]:
    """The chance of such a figure at the borders of poor, and if tails were alike."""
    value, interval = further.value, further.interval()
    low, high = (p_beyond(value, interval, 0.5 + sign * SHAPE, worse=sign) for sign in (-1, 1))
    off, half = abs(value - 0.5), (interval[1] - interval[0]) / 2
    return {"_p": min(low, high), "_p_alike": min(1.0, 2 * p_beyond(off, (off - half, off + half), 0.0))}


def _pairs(sides: Sides, rng: np.random.Generator) -> list[tuple[str, int, int, int, int]]:
    """How often two columns lie in their outer 5 % at once, for every pair of ends."""
    sides = sides.narrowed(rng, _PAIRED)
    ends = [_End(i, f"{which} {f.name!r}", sign) for i, f in enumerate(sides.train.features)
            if not f.levels and len(sides.train.scales[i]) >= _ROWS for which, sign in (("low", -1), ("high", 1))]
    ends = [end for end in ends if _held(sides.train, end, _SHAPED)]
    if not ends:
        return []
    counted = {}
    for name, parts in (("fake", (sides.fake,)), ("real", (sides.train, sides.holdout))):
        known, beyond = (np.vstack(x).astype(np.float32) for x in zip(*(_flags(s, sides.train, ends) for s in parts),
                                                                      strict=True))
        counted[name] = (beyond.T @ beyond).astype(np.int64), (known.T @ known).astype(np.int64)
    (fake, fake_rows), (real, real_rows) = counted["fake"], counted["real"]
    return [(f"{a.name} with {b.name}", fake[i, j], fake_rows[i, j], real[i, j], real_rows[i, j])
            for i, a in enumerate(ends) for j, b in enumerate(ends)
            if a.column < b.column and fake[i, j] + real[i, j] >= _LEAST and fake_rows[i, j]]


def _flags(side: Side, train: Side, ends: list[_End]) -> tuple[np.ndarray, np.ndarray]:
    return (np.column_stack([~np.isnan(e.of(side)) for e in ends]),
            np.column_stack([_beyond(side, train, e, _SHAPED) for e in ends]))


def _settled(counts: Counts, shapes: list[dict[str, Any]]) -> dict[str, Any]:
    """The verdict of all tests together, and those that gave it, in words."""
    found = settle(np.append(counts.p_poor, [s["_p"] for s in shapes]),
                   np.append(counts.p(1.0), [s["_p_alike"] for s in shapes]),
                   np.append(counts.off, [abs(s["further"] - 0.5) > SHAPE / 2 for s in shapes]).astype(bool))
    told = [counts.told(i) if i < len(counts.names) else _reach(shapes[i - len(counts.names)]) for i in found.which]
    return {"_found": found.verdict, "_p": found.p, "_named": told[:10], "_differ": len(told)}


def _reach(shape: dict[str, Any]) -> str:
    return (f"{shape['end']}: of two such extremes, the synthetic one lies further out in {shape['further']:.0%} of "
            "cases (50% is even)")


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge by the tests of all tails, and name those that differ."""
    d = measure.details
    beside = [f"{who} {value:.1%}" for who, value in (("real rows reach", ceiling),) if value is not None]
    which = "only tail holds" if d["tails"] == 1 else f"{d['tails']} tails hold"
    said = f"The {which} as many synthetic rows as real ones to {measure.value:.1%}"
    said += f" ({', '.join(beside)})" if beside else ""
    said += f"; differing most: {named(d['_named'], d['_differ'])}" if d["_named"] else "; none differs beyond chance"
    return Judged(d["_found"], said + ".", d["_p"])
