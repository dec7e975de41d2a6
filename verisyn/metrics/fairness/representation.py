"""Whether groups of people keep their share of the rows: what is left of the share of the most surely shrunken one.

Groups are the levels of each sensitive column (of a number, about four bands with round edges) and the pairs of groups
of two sensitive columns, each with at least 30 training rows; rarer levels are pooled, and left out where even the pool
is smaller. The ratio is a group's share of the synthetic rows over its share of the real ones (training and holdout
rows together): 1 where it is kept, 0 where the group has vanished. Intervals of the ratio: on the log scale (Katz et
al. 1978) where both counts are 30 or more, otherwise exact, given the sum of the two counts (Clopper and Pearson 1934,
for a ratio of two Poisson rates). The measure is the ratio, at most 1, of the group that shrank most surely; which ones
shrank is said with a false discovery rate of 5 % over all groups. No other real rows are held beside it as a ceiling:
any sample that is left for them is smaller, and shifts shares more by chance; what chance explains, the intervals say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import beta, binom, norm

from verisyn.findings import Judged, Measure, Verdict
from verisyn.metrics import Sides, enough
from verisyn.metrics._groups import LEAST, Grouped, sensitive_groups
from verisyn.metrics._stats import adjusted, together
from verisyn.metrics.fairness._gaps import MOST_SHOWN, SURE, left_out

title = "Do groups of people keep their share?"
needs = ("features",)
best, worst = 1.0, 0.0
stand_in = None
references = ("https://doi.org/10.2307/2530610",)
GOOD, POOR = 0.9, 0.8
"""A group that holds four fifths of its share or less is under-represented by the rule that selection rates are held
against (29 CFR 1607.4 D); half of that shortfall still passes."""
rule = (f"poor: some group, or pair of groups, holds less than {POOR:.0%} of its real share, even at the high end of "
        f"the interval; good: the most surely shrunken group holds {GOOD:.0%} or more of it, or shrank by no more than "
        "chance; fair: otherwise")
_PAIRS = 15


@dataclass(frozen=True)
class _Share:
    """A group's rows among all synthetic and among all real rows."""

    name: str
    fake: int
    fakes: int
    real: int
    reals: int

    @property
    def ratio(self) -> float:
        return self.fake / self.fakes / (self.real / self.reals)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The interval of the ratio."""
        if min(self.fake, self.real) >= LEAST:
            half = norm.isf((1 - level) / 2) * self._error
            return self.ratio * float(np.exp(-half)), self.ratio * float(np.exp(half))
        tail, a, b = (1 - level) / 2, self.fake, self.real
        odds = [p / max(1 - p, 1e-12) * self.reals / self.fakes for p in
                (beta.ppf(tail, a, b + 1) if a else 0.0, beta.isf(tail, a + 1, b) if b else 1.0)]
        return float(odds[0]), float(odds[1])

    @property
    def _error(self) -> float:
        return float(np.sqrt(1 / self.fake - 1 / self.fakes + 1 / self.real - 1 / self.reals))

    def p(self, border: float) -> float:
        """The chance of so small a ratio if in truth it were `border`."""
        if min(self.fake, self.real) >= LEAST:
            return float(norm.cdf(np.log(self.ratio / border) / max(self._error, 1e-9)))
        mine = border * self.fakes / (border * self.fakes + self.reals)
        return float(binom.cdf(self.fake, self.fake + self.real, mine))


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Compare the shares of all groups and pairs of groups."""
    enough({"synthetic": sides.fake.rows, "real": sides.train.rows + sides.holdout.rows}, 50)
    grouped = sensitive_groups(sides)
    shares = [share for g in grouped for share in _alone(g)]
    pairs = list(combinations(grouped, 2))
    if len(pairs) > _PAIRS:
        pairs = [pairs[i] for i in np.sort(rng.choice(len(pairs), _PAIRS, replace=False))]
    shares += [share for a, b in pairs for share in _crossed(a, b)]
    level = 1 - 0.05 / len(shares)  # allows for the number of groups, so that chance does not pick a small one
    ordered = sorted(shares, key=lambda s: s.interval(level)[1])
    first, shrank = ordered[0], adjusted(np.array([s.p(1.0) for s in ordered])) <= SURE
    poor = adjusted(np.array([s.p(POOR) for s in ordered])) <= SURE
    low, high = first.interval()
    return Measure(min(1.0, first.ratio), (min(1.0, low), min(1.0, high)), {
        "groups": len(shares), "groups_shrunk_beyond_chance": int(shrank.sum()),
        "rows_in_small_groups": left_out(grouped), "_p": together([s.p(POOR) for s in shares]),
        "_sure": bool(shrank[0]), "_first": _shown(first),
        "_poor": [_shown(s) for s, beyond in zip(ordered, poor, strict=True) if beyond][:5],
        "items": [{"name": s.name, "value": round(s.fake / s.fakes, 6), "reference": round(s.real / s.reals, 6),
                   "interval": [round(x * s.real / s.reals, 6) for x in s.interval()], "note": "shrank" if sure else ""}
                  for s, sure in zip(ordered[:MOST_SHOWN], shrank, strict=False)],
        "items_say": {"value": "share of the synthetic rows", "reference": "share of the real rows"}})


def _alone(g: Grouped) -> list[_Share]:
    return _counted(g.groups.names, g.fake, g.real)


def _crossed(a: Grouped, b: Grouped) -> list[_Share]:
    names = [f"{x} and {y}" for x in a.groups.names for y in b.groups.names]
    fake, real = (np.where((x >= 0) & (y >= 0), x * len(b.groups.names) + y, -1)
                  for x, y in ((a.fake, b.fake), (a.real, b.real)))
    return _counted(names, fake, real)


def _counted(names: Sequence[str], fake: np.ndarray, real: np.ndarray) -> list[_Share]:
    made, held = (np.bincount(code + 1, minlength=len(names) + 1)[1:] for code in (fake, real))
    return [_Share(names[i], int(made[i]), len(fake), int(held[i]), len(real))
            for i in range(len(names)) if held[i] >= LEAST]


def _shown(s: _Share) -> dict[str, Any]:
    return {"group": s.name, "real": round(s.real / s.reals, 6), "fake": round(s.fake / s.fakes, 6),
            "ratio": round(s.ratio, 6), "rows": s.fake}


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the group that shrank most surely."""
    d = measure.details
    first = d["_poor"][0] if d["_poor"] else d["_first"]
    verdict: Verdict = "poor" if d["_poor"] else "good" if measure.value >= GOOD or not d["_sure"] else "fair"
    digits = 1 if first["real"] >= 0.02 else 2
    real, fake = (f"{first[side]:.{digits}%}" for side in ("real", "fake"))
    what = f"{first['group']} is {real} of the real rows and {fake} of the synthetic ones"
    if verdict == "good":
        said = f"None of {d['groups']} groups and pairs of groups shrank {'much' if d['_sure'] else 'beyond chance'}"
        said += f"; the clearest change: {what}."
    elif first["rows"] == 0:
        said = f"A group has vanished: {what}."
    else:
        said = f"A group shrank to {first['ratio']:.0%} of its share: {what}."
    others = [other["group"] for other in d["_poor"][1:4]]
    said += f" Others shrank as well: {'; '.join(others)}." if others else ""
    rows = sum(d["rows_in_small_groups"].values())
    said += f" {rows:,} rows are in groups too small to ask about." if rows and verdict != "good" else ""
    return Judged(verdict, said, d["_p"])
