"""Whether descriptions read off the synthetic data fit exactly one row it learnt from: risk over chance; 0 is best.

Two kinds of description are tried. Of one column: a value that one synthetic row alone has (a number, a moment, a
level, or that it is missing), and what lies beyond the least and the greatest synthetic number. Of several: columns of
one synthetic row, in random order, until no other synthetic row fits, and two more; a level or a missing value must be
the same, a number lie within 5 % of the synthetic rows to either side. A description singles a person out where
exactly one row of the real table fits it (Cohen and Nissim, PNAS 2020). Many do so by chance, so the same descriptions
are tried on equally many holdout rows, which the generator never saw: the risk is (attack - control) / (1 - control)
(residual risk: Giomi, Boenisch, Wehmeyer and Tasnádi, PETS 2023), its interval that of a ratio of two shares
(Pettigrew, Gart and Thomas 1986); the attack's and the control's own intervals are Wilson's. The value is the risk of
the kind whose interval begins higher. Real strangers in the synthetic rows' place would give 0 on average.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.kinds import Feature
from verisyn.metrics import Side, Sides, enough, has_columns
from verisyn.metrics._attack import LEAST, residual, said
from verisyn.metrics._stats import adjusted, p_beyond, together

title = "Can someone it learnt from be singled out by what the synthetic data says?"
needs = ("features",)
best, worst = 0.0, 1.0
stand_in, floor = None, False
references = ("https://doi.org/10.1073/pnas.1914598117", "https://arxiv.org/abs/2211.10459")
POOR, GOOD, BOUND = 0.05, 0.05, 0.20
"""Generators that keep no rows measure within 3 % of 0 on public tables, those that hand out real values or rows 10 %
and more; an interval that reaches beyond 20 % has too few descriptions behind it to be called good."""
rule = (f"poor: a risk above {POOR:.0%} even at the low end of the interval, by one column or by several; good: "
        f"{GOOD:.0%} or less, and {BOUND:.0%} or less at the high end, for both; fair: otherwise")
ONE, SEVERAL = "one column", "several columns"
_WINDOW, _MORE, _FEWEST, _FALSE, _NAMED = 0.05, 2, 20, 0.05, 5


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Try descriptions on equally many training and holdout rows."""
    strangers = sides.strangers
    enough({"synthetic": sides.fake.rows, "training": sides.train.rows, "holdout": strangers.rows}, LEAST)
    has_columns(sides)
    sides = sides.narrowed(rng)
    rows = min(sides.train.rows, sides.holdout.rows)
    train, other, fake = (side.some(rows, rng) for side in (sides.train, sides.holdout, sides.fake))
    single = _of_one(fake, (train, other), sides.effort.tries, rng)
    both = {ONE: single.flags, SEVERAL: _of_several(fake, (train, other), sides.effort.tries, rng)}
    checks, untried = [], []
    for what, flags in both.items():
        counts = [x for hits in flags.T for x in (float(hits.sum()), len(hits))]
        risk = residual(*counts) if len(flags) >= _FEWEST else None
        if risk is None:
            untried.append(f"{what}: {len(flags)} descriptions that fit one synthetic row alone; it takes {_FEWEST}")
        else:
            checks.append({"what": what, "descriptions": len(flags), **risk})
    if not checks:
        raise NotAnswered(f"fewer than {_FEWEST} synthetic rows differ from all others, so that hardly any description "
                          "fits one alone")
    checks.sort(key=lambda c: -c["interval"][0])
    return Measure(checks[0]["risk"], tuple(checks[0]["interval"]), {
        "checks": checks, "ceiling": 0.0, "rows": rows, "untried": untried, "reused": single.reused(),
        "items": single.items(),
        "items_say": {"value": "descriptions of this column that single out a row it learnt from",
                      "reference": "that single out a stranger"}})


@dataclass(frozen=True)
class _Single:
    """Descriptions of one column: whether each singles out a row of either table, and which column it is of."""

    flags: np.ndarray
    column: np.ndarray
    names: list[str]

    @cached_property
    def risks(self) -> list[dict[str, Any]]:
        """The risk of each column of which there are enough descriptions, the surest first."""
        found = []
        for i, name in enumerate(self.names):
            hits = self.flags[self.column == i]
            risk = residual(*(x for h in hits.T for x in (float(h.sum()), len(h)))) if len(hits) >= _FEWEST else None
            if risk:
                found.append({"name": name, "descriptions": len(hits), **risk})
        return sorted(found, key=lambda c: -c["interval"][0])

    def reused(self) -> list[str]:
        """Return the columns that each alone are beyond the border of poor."""
        p = adjusted(np.array([p_beyond(c["risk"], tuple(c["interval"]), POOR) for c in self.risks]))
        return [c["name"] for c, q in zip(self.risks, p, strict=True) if c["interval"][0] > POOR and q <= _FALSE]

    def items(self) -> list[dict[str, Any]]:
        return [{"name": c["name"], "value": c["attack"], "reference": c["control"], "interval": c["attack_interval"],
                 "note": f"{c['descriptions']} descriptions, risk {c['risk']:.1%}"} for c in self.risks[:15]]


def _of_one(fake: Side, tables: tuple[Side, Side], tries: int, rng: np.random.Generator) -> _Single:
    """Try values that one synthetic row alone has, and what lies beyond all of them; each column has its turn."""
    flags, turns, column = [], [], []
    for i, made in enumerate(fake.features):
        low, high = _descriptions(made)
        chosen = rng.permutation(len(low))[:tries]
        held = [_held(side.features[i], low[chosen], high[chosen]) for side in tables]
        flags.append(np.column_stack(held) == 1)
        turns.append(np.arange(len(chosen)))
        column.append(np.full(len(chosen), i))
    first = np.argsort(np.concatenate(turns), kind="stable")[:tries]
    return _Single(np.vstack(flags)[first], np.concatenate(column)[first], [f.name for f in fake.features])


def _descriptions(made: Feature) -> tuple[np.ndarray, np.ndarray]:
    """Closed ranges that one synthetic row alone lies in, and the open ends; NaN stands for missing."""
    known = made.values[~np.isnan(made.values)]
    values, counts = np.unique(known, return_counts=True)
    if made.levels:  # the last level stands for all values that training rows do not hold
        counts, values = counts[values < made.levels - 1], values[values < made.levels - 1]
    low = high = values[counts == 1]
    if not made.levels and len(values):
        low, high = np.concatenate([low, [-np.inf, values[-1]]]), np.concatenate([high, [values[0], np.inf]])
    if len(made.values) - len(known) == 1:
        low, high = np.append(low, np.nan), np.append(high, np.nan)
    return low, high


def _held(real: Feature, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Count the rows in each range."""
    known = np.sort(real.values[~np.isnan(real.values)])
    counts = np.searchsorted(known, high, "right") - np.searchsorted(known, low, "left")
    return np.where(np.isnan(low), len(real.values) - len(known), counts)


def _of_several(fake: Side, tables: tuple[Side, Side], tries: int, rng: np.random.Generator) -> np.ndarray:
    """Try descriptions of several columns that fit one synthetic row alone."""
    low, high = (np.column_stack(ends) for ends in zip(*map(_window, fake.features), strict=True))
    made, *real = ([f.values for f in side.features] for side in (fake, *tables))
    flags = []
    for row in rng.permutation(fake.rows)[:tries]:
        order, ends = rng.permutation(len(made)), (low[row], high[row])
        used = _until_alone(made, order, ends)
        if used is not None:
            chosen = order[:used + _MORE]
            flags.append([len(_fitting(values, chosen, ends)) == 1 for values in real])
    return np.array(flags, bool).reshape(-1, 2)


def _window(made: Feature) -> tuple[np.ndarray, np.ndarray]:
    """The range that a description of each row would give: about 5 % of the synthetic rows to either side."""
    values, gone = made.values, np.isnan(made.values)
    known = np.sort(values[~gone])
    if made.levels or not len(known):
        return values, values
    wide, last = round(_WINDOW * len(known)), len(known) - 1
    below, above = (np.searchsorted(known, values, side) for side in ("left", "right"))
    low, high = known[np.clip(below - wide, 0, last)], known[np.clip(above - 1 + wide, 0, last)]
    return np.where(gone, np.nan, low), np.where(gone, np.nan, high)


def _fitting(values: list[np.ndarray], columns: np.ndarray, ends: tuple[np.ndarray, np.ndarray],
             rows: np.ndarray | None = None) -> np.ndarray:
    """Return the rows (of all, or of some) that lie in the ranges of these columns."""
    for i in columns:
        x, low, high = values[i] if rows is None else values[i][rows], ends[0][i], ends[1][i]
        fits = np.flatnonzero(np.isnan(x) if np.isnan(low) else (x >= low) & (x <= high))
        rows = fits if rows is None else rows[fits]
        if not len(rows):
            break
    return np.arange(len(values[0])) if rows is None else rows


def _until_alone(values: list[np.ndarray], order: np.ndarray, ends: tuple[np.ndarray, np.ndarray]) -> int | None:
    """Return how many columns it takes until no other row fits; None where all of them are not enough."""
    rows = None
    for used, i in enumerate(order, 1):
        rows = _fitting(values, np.array([i]), ends, rows)
        if len(rows) == 1:
            return used
    return None


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the worse of the two kinds of description."""
    checks, rows = measure.details["checks"], measure.details["rows"]
    fine = all(c["risk"] <= GOOD and c["interval"][1] <= BOUND for c in checks)
    c = checks[0]
    verdict: Verdict = "poor" if c["interval"][0] > POOR else "good" if fine else "fair"
    told = (f"Descriptions by {c['what']} that fit one synthetic row alone also fit exactly one of {rows:,} rows it "
            f"learnt from in {c['attack']:.1%} of cases, and one of as many strangers in {c['control']:.1%}: a risk of "
            f"{said(c)} beyond chance")
    if verdict == "poor":
        told = f"{_what(checks, measure.details['reused'])}. {told}"
    return Judged(verdict, told + ".", together([p_beyond(x["risk"], tuple(x["interval"]), POOR) for x in checks]))


def _what(checks: list[dict[str, Any]], reused: list[str]) -> str:
    """Say what singles people out: single values, or values that belong together."""
    poor = [c["what"] for c in checks if c["interval"][0] > POOR]
    named = [*map(repr, reused[:_NAMED]), *[f"{len(reused) - _NAMED} more"] * (len(reused) > _NAMED)]
    names = " and ".join([", ".join(named[:-1]), named[-1]] if named[1:] else named)
    values = f"Rare exact values{' of ' * bool(names)}{names} are reused, so that a description by such a value"
    if poor == [ONE]:
        return f"{values} alone fits one real person, whether or not other values of the row were kept"
    if ONE in poor:
        return f"{values}, or one by several columns, fits one real person"
    return "Values that belong together are handed out, so that a description by several columns fits one real person"
