"""Gaps between groups, and how they change: one group against all others, real beside synthetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.stats import norm

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.metrics._groups import Grouped
from verisyn.metrics._stats import Z, adjusted, newcombe, p_beyond, together

GOOD, POOR = 0.1, 0.2
"""In standard deviations of the outcome, half of and a whole small effect (Cohen 1988): 5 and 10 points where every
second row has it, 2 and 4 points where 4 % have it."""
SURE = 0.05
"""The false discovery rate within one question."""
MOST_SHOWN = 15

Interval = tuple[float, float]
Kind = Literal["amplified", "reversed", "masked"]


@dataclass(frozen=True)
class Gap:
    """How far a group stands from all others in one outcome, in real and in synthetic data.

    Parameters
    ----------
    group, outcome : str
        What they are called.
    scale : float
        The outcome's standard deviation, in which changes are judged.
    share : bool
        Whether the outcome is a share of rows, rather than a number in standard deviations.
    real, fake : float
        The group's mean less that of all others.
    real_interval, fake_interval : (float, float)
    change : float
        `fake` less `real`.
    interval : (float, float)
        Of the change.
    """

    group: str
    outcome: str
    scale: float
    share: bool
    real: float
    fake: float
    real_interval: Interval
    fake_interval: Interval
    change: float
    interval: Interval

    @property
    def kind(self) -> Kind:
        """Whether the gap grew (or appeared), shrank, or turned round: to a clear one the other way, not small."""
        clear = all(low > 0 or high < 0 for low, high in (self.real_interval, self.fake_interval))
        if clear and self.real * self.fake < 0 and abs(self.fake) >= POOR * self.scale:
            return "reversed"
        return "amplified" if abs(self.fake) > abs(self.real) else "masked"

    @property
    def size(self) -> float:
        """How far the gap moved, either way."""
        return abs(self.change)

    @property
    def sure(self) -> Interval:
        """The interval of `size`, not cut at 0."""
        low, high = self.interval
        return (low, high) if self.change >= 0 else (-high, -low)

    def p(self, border: float) -> float:
        """Return the chance of such a change if in truth it were `border` standard deviations; 1 for a masked gap."""
        return 1.0 if self.kind == "masked" else p_beyond(self.size, self.sure, border * self.scale)

    @property
    def p_any(self) -> float:
        """The chance of such a change, either way, if in truth there were none."""
        half = max(self.size - self.sure[0], 1e-12)
        return float(2 * norm.sf(self.size / half * Z))

    def said(self, value: float, signed: bool = False) -> str:
        """Return a gap in words: points of per cent, or standard deviations."""
        number = f"{100 * value if self.share else value:{'+' if signed else ''}.{1 if self.share else 2}f}"
        return f"{number} {'points' if self.share else 'standard deviations'}"


def moments(code: np.ndarray, y: np.ndarray, groups: int) -> np.ndarray:
    """Return rows, sums and sums of squares of `y` a group, shape (3, groups + 1); last those of rows in no group."""
    at = np.where(code < 0, groups, code)
    return np.array([np.bincount(at, w, minlength=groups + 1) for w in (np.ones(len(y)), y, y * y)])


def apart(table: np.ndarray, group: int) -> tuple[float, Interval]:
    """Return a group's mean less all others', with its interval: Newcombe's for shares, else Welch's normal one."""
    mine, rest = table[:, group], table.sum(axis=1) - table[:, group]
    if np.array_equal(table[1], table[2]):  # nothing but 0 and 1
        return mine[1] / mine[0] - rest[1] / rest[0], newcombe(mine[1], mine[0], rest[1], rest[0])
    (m, v), (n, w) = ((t[1] / t[0], max(0.0, t[2] / t[0] - (t[1] / t[0]) ** 2) / t[0]) for t in (mine, rest))
    half = Z * float(np.sqrt(v + w))
    return m - n, (m - n - half, m - n + half)


def between(real: tuple[float, Interval], fake: tuple[float, Interval]) -> tuple[float, Interval]:
    """Return the difference of two independent gaps, with its interval from theirs (Zou and Donner 2008).

    Examples
    --------
    >>> change, (low, high) = between((0.2, (0.17, 0.23)), (0.1, (0.06, 0.14)))
    >>> round(change, 3), round(low, 3), round(high, 3)
    (-0.1, -0.15, -0.05)
    """
    (r, (r_low, r_high)), (f, (f_low, f_high)) = real, fake
    return f - r, (float(f - r - np.hypot(f - f_low, r_high - r)), float(f - r + np.hypot(f_high - f, r - r_low)))


def most_changed(gaps: Sequence[Gap]) -> list[Gap]:
    """Return the gaps, those that changed most surely first: by the low end of intervals that allow for their number.

    So chance picks a large group whose gap is known well, not a small one whose gap could be anything.
    """
    wider = float(norm.isf(0.025 / max(1, len(gaps)))) / Z
    return sorted(gaps, key=lambda g: -(g.size - wider * (g.size - g.sure[0])) / g.scale)


def measured(gaps: Sequence[Gap], grouped: Sequence[Grouped], more: dict[str, Any]) -> Measure:
    """Return the change of the gap that changed most surely, with all gaps in the details.

    Raises
    ------
    NotAnswered
        If there is no gap to compare.
    """
    if not gaps:
        raise NotAnswered("no group of a sensitive column has enough real and synthetic rows")
    first, *_ = ordered = most_changed(gaps)
    surely = adjusted(np.array([g.p_any for g in ordered])) <= SURE
    items = [{"name": f"{g.group}: {g.outcome}", "value": round(float(g.fake), 6), "reference": round(float(g.real), 6),
              "interval": [round(float(x), 6) for x in g.fake_interval], "note": g.kind if sure else ""}
             for g, sure in zip(ordered[:MOST_SHOWN], surely, strict=False)]
    return Measure(float(first.size), (float(max(0.0, first.sure[0])), float(first.sure[1])), {
        "gaps": len(gaps), "gaps_changed_beyond_chance": int(surely.sum()), "rows_in_small_groups": left_out(grouped),
        "_first": _shown(first, bool(surely[0])), "_poor": [_shown(g, True) for g in _poor(ordered)],
        "_p": together([g.p(POOR) for g in gaps]), "items": items, **more})


def _poor(gaps: list[Gap]) -> list[Gap]:
    p = adjusted(np.array([g.p(POOR) for g in gaps]))
    return [g for g, beyond in zip(gaps, p, strict=True) if beyond <= SURE][:5]


def _shown(g: Gap, sure: bool) -> dict[str, Any]:
    low, high = (max(0.0, g.sure[0]), g.sure[1])
    return {"group": g.group, "outcome": g.outcome, "kind": g.kind, "real": g.said(g.real, True),
            "fake": g.said(g.fake, True), "change": g.said(g.size), "sure": sure,
            "range": f"{g.said(low).split()[0]} to {g.said(high).split()[0]}",
            "in_scale": round(float(g.size / g.scale), 6)}


def left_out(grouped: Sequence[Grouped]) -> dict[str, int]:
    """Return the training rows of each column that are in no group, where there are any."""
    return {g.groups.column: g.groups.left_out for g in grouped if g.groups.left_out}


def judged(measure: Measure, what: str, where: tuple[str, str]) -> Judged:
    """Judge by the gaps that grew or turned round; `what` has gaps, `where` are the two sides in words."""
    d = measure.details
    first = d["_poor"][0] if d["_poor"] else d["_first"]
    verdict: Verdict = "poor" if d["_poor"] else "good" if not first["sure"] or first["in_scale"] <= GOOD else "fair"
    told = (f"{first['group']} against all others, in the {first['outcome']}, is {first['real']} {where[0]} and "
            f"{first['fake']} {where[1]}")
    if verdict != "good":
        said = f"A gap is {first['kind']} by {first['change']} [{first['range']}]: {told}."
    elif first["sure"]:
        said = f"Gaps between groups in {what} changed little; the clearest change: {told}."
    else:
        said = f"None of {d['gaps']} gaps between groups in {what} changed beyond chance; the clearest one: {told}."
    others = [f"{t['group']}, {t['outcome']} ({t['kind']})" for t in d["_poor"][1:3]]
    said += f" Other such gaps: {'; '.join(others)}." if others else ""
    rows = sum(d["rows_in_small_groups"].values())
    said += f" {rows:,} rows are in groups too small to ask about." if rows and verdict != "good" else ""
    return Judged(verdict, said, d["_p"])
