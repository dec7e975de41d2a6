"""Whether parents have as many children as real ones: 1 - the Kolmogorov-Smirnov distance of the counts, mean of links.

For each link the number of children of each parent, none included, is held against the real ones', and the share of
rows that point nowhere, where they may (Cardinality Shape Similarity as sdmetrics defines it, with that share beside).
A link's distance is the greatest gap between the two cumulative shares of counts, or between the two shares that point
nowhere; its interval is that of the difference of two shares at that place (Newcombe 1998). Real parents are the
holdout's, or the training rows where they were not held out or fewer than 50 were. Where the parents' rows are the
real ones (public tables), or their children were held out in part, of the side with more children so many are left out
as make the means equal: how many there are goes by how many were asked for. Parents of fewer than 50 rows are not
judged. Over links the false discovery rate is controlled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.kinds import Feature
from verisyn.metrics._families import thinned
from verisyn.metrics._linked import LEAST, DatabaseSides
from verisyn.metrics._per_link import FALSE, ORDER, Part, each, entry, mean_of
from verisyn.metrics._pictures import picture
from verisyn.metrics._stats import adjusted, newcombe, p_beyond, together
from verisyn.schema import Link

title = "Do parents have as many children as real ones?"
needs = ("links",)
best, worst = 1.0, 0.0
stand_in = "train"
place = -3
GOOD, POOR = 0.05, 0.15
"""At 5 % pictures of the counts look the same; where 15 % of the parents have another number of children, one sees."""
rule = (f"poor: some link's counts are more than {POOR:.0%} apart, even at the low end of the interval (false "
        f"discovery rate 5 %); good: all are within {GOOD:.0%}, or within {POOR:.0%} and no further than chance "
        "carries equal ones; fair: otherwise")
_CHANCE = 1.358
"""The Kolmogorov-Smirnov distance that one in twenty pairs of equal counts is beyond, times root(nm / (n + m))."""
references = ("https://docs.sdv.dev/sdmetrics/metrics/metrics-in-beta/cardinalityshapesimilarity",
              "https://doi.org/10.1002/(sici)1097-0258(19980430)17:8%3C873::aid-sim779%3E3.0.co;2-i")


@dataclass(frozen=True)
class _Gap:
    """How far apart two shares are, at most; its interval; and whether chance carries equal ones as far."""

    value: float
    interval: tuple[float, float]
    chance: bool

    @property
    def verdict(self) -> Verdict:
        """As the rule says, of one link alone."""
        return "good" if self.value <= GOOD or (self.chance and self.value <= POOR) else \
            "poor" if self.interval[0] > POOR else "fair"


@dataclass(frozen=True)
class _Counted(Part):
    """One link whose counts were compared."""

    gap: _Gap

    @property
    def p(self) -> float:
        return p_beyond(self.gap.value, self.gap.interval, POOR)

    @property
    def verdict(self) -> Verdict:
        return self.gap.verdict


def measure(sides: DatabaseSides, rng: np.random.Generator) -> Measure:
    """Compare the counts of every link."""
    parts, left = each(sides.schema.links, lambda link: link.name, lambda link: _asked(sides, link, rng))
    value, interval = mean_of([part.measure for part in parts])
    if not sides.pictured:
        return Measure(value, interval)
    p = np.array([part.p for part in parts])
    sure = {part.name for part, q in zip(parts, adjusted(p), strict=True) if q <= FALSE}
    told = sorted(((part, "fair" if part.verdict == "poor" and part.name not in sure else part.verdict)
                   for part in parts), key=lambda t: (ORDER.index(t[1]), t[0].measure.value))
    return Measure(value, interval, {
        "judged": len(parts), "items": [_item(part) for part, _ in told], "items_say": {
            "value": "1 - distance of the counts", "reference": "the same counts", "title": "Link by link"},
        "links": [entry(part.links[0], title, verdict, _begun(part.measure.details["said"]), part.measure)
                  for part, verdict in told],
        "not_judged": left[:30], "_verdict": told[0][1], "_worst": told[0][0].name, "_p": together(p),
        "_said": told[0][0].measure.details["said"]})


def _asked(sides: DatabaseSides, link: Link, rng: np.random.Generator) -> _Counted:
    real = sides.real(link.parent)
    if real is sides.fake:
        raise NotAnswered("there are no other real rows")
    both, rows = (sides.fake, real), [side.rows(link.parent) for side in (sides.fake, real)]
    if min(rows) < LEAST:
        raise NotAnswered(f"{link.parent!r} has only {min(rows):,} rows, and it takes {LEAST}")
    at = [side.links[link.name].at for side in both]
    nowhere = [points == -1 for points in at]
    if sides.fixed(link.parent, real) or sides.partly(link):
        at = thinned(at, rows, rng)
    counts = [np.bincount(points[points >= 0], minlength=count) for points, count in zip(at, rows, strict=True)]
    gaps = [_apart(*counts)]
    if link.optional and min(map(len, nowhere)) >= LEAST:
        gaps.append(_gap(*nowhere))
    worst = max(gaps, key=lambda gap: (-ORDER.index(gap.verdict), gap.value))
    details: dict[str, Any] = {"said": _said(link, counts, nowhere, gaps[0].value)}
    if sides.pictured:
        name = f"{link.table} per {link.parent}"
        shown = picture(Feature(name, counts[1].astype(float)), Feature(name, counts[0].astype(float)))
        details["columns"] = [{**shown, "value": round(1 - gaps[0].value, 6)}]
    found = Measure(1 - worst.value, (1 - worst.interval[1], 1 - worst.interval[0]), details)
    return _Counted(link.name, [link], found, worst)


def _apart(fake: np.ndarray, real: np.ndarray) -> _Gap:
    """The greatest gap between the two cumulative shares of counts."""
    at = np.unique(np.concatenate([fake, real]))
    below = [np.searchsorted(np.sort(x), at, "right") for x in (fake, real)]
    place = int(np.abs(below[0] / len(fake) - below[1] / len(real)).argmax())
    gap = _gap(fake <= at[place], real <= at[place])
    chance = _CHANCE * ((len(fake) + len(real)) / (len(fake) * len(real))) ** 0.5
    return replace(gap, chance=gap.value <= chance)


def _gap(fake: np.ndarray, real: np.ndarray) -> _Gap:
    """The difference of two shares, without its sign."""
    hits = sorted(((int(x.sum()), len(x)) for x in (fake, real)), key=lambda h: -h[0] / h[1])
    low, high = newcombe(*hits[0], *hits[1])
    return _Gap(hits[0][0] / hits[0][1] - hits[1][0] / hits[1][1], (max(0.0, low), high), low <= 0)


def _said(link: Link, counts: list[np.ndarray], nowhere: list[np.ndarray], value: float) -> str:
    made, real = (f"{x.mean():.2f} on average, none for {(x == 0).mean():.1%}" for x in counts)
    said = f"a row of {link.parent!r} has {made}, in place of {real}; the counts are {value:.1%} apart"
    if link.optional and all(map(len, nowhere)):
        said += f"; {nowhere[0].mean():.1%} of the rows point nowhere, in place of {nowhere[1].mean():.1%}"
    return said + "."


def _begun(said: str) -> str:
    return said[:1].upper() + said[1:]


def _item(part: Part) -> dict[str, Any]:
    return {"name": part.name, "value": round(part.measure.value, 6), "reference": 1.0,
            "interval": [round(end, 6) for end in part.measure.interval]}


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge by the link whose verdict is worst."""
    d = measure.details
    beside = [f"{who} {value:.1%}" for who, value in (
        ("real rows reach", ceiling), ("children of parents drawn at random", floor)) if value is not None]
    said = f"The numbers of children agree with real data to {measure.value:.1%} on average of {d['judged']} "
    said += f"link{'s' if d['judged'] > 1 else ''}{' (' + ', '.join(beside) + ')' if beside else ''}"
    return Judged(d["_verdict"], f"{said}; the worst is {d['_worst']}: {d['_said']}", d["_p"])
