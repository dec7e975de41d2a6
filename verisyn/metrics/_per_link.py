"""What a question that is asked of each link, or each table, says in all: the worst is the value, and is named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.metrics._apart import FAIR, gives_away, verdict_of
from verisyn.metrics._stats import adjusted, p_beyond, together
from verisyn.schema import Link

FALSE = 0.05
"""The false discovery rate over the links of one question."""
ORDER: tuple[Verdict, ...] = ("poor", "fair", "good", "not answered")
"""Verdicts, the worst first."""
T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """What was measured of one link, or of one table and its links: what it is called, and which links it speaks of."""

    name: str
    links: Sequence[Link]
    measure: Measure

    @property
    def p(self) -> float:
        """The chance of such an AUC at the border of poor."""
        return p_beyond(self.measure.value, self.measure.interval, FAIR)

    @property
    def verdict(self) -> Verdict:
        """By the rule of an AUC."""
        return verdict_of(self.measure)


P = TypeVar("P", bound=Part)


def each(things: Iterable[T], name: Callable[[T], str], ask: Callable[[T], P]) -> tuple[list[P], list[dict[str, str]]]:
    """Ask of each thing; return the answers, and which could not be answered, and why.

    Raises
    ------
    NotAnswered
        If none could be.
    """
    parts, left = [], []
    for thing in things:
        try:
            parts.append(ask(thing))
        except NotAnswered as why:
            left.append({"name": name(thing), "because": str(why)})
    if not parts:
        many = len(dict.fromkeys(entry["because"] for entry in left)) - 1
        more = f" (and {many} more reason{'s' if many > 1 else ''} elsewhere)" if many > 0 else ""
        raise NotAnswered(f"{left[0]['because']}{more}" if left else "no table points to another")
    return parts, left


def mean_of(measures: Sequence[Measure]) -> tuple[float, tuple[float, float]]:
    """Return the mean of shares, and its interval as if they were independent.

    Examples
    --------
    >>> value, (low, high) = mean_of([Measure(0.9, (0.8, 1.0)), Measure(0.7, (0.7, 0.7))])
    >>> round(value, 3), round(low, 3), round(high, 3)
    (0.8, 0.75, 0.85)
    """
    values = np.array([m.value for m in measures])
    value = float(values.mean())
    low, high = (float(np.sqrt(((values - [m.interval[end] for m in measures]) ** 2).sum())) / len(values)
                 for end in (0, 1))
    return value, (max(0.0, value - low), min(1.0, value + high))


def worst_auc(parts: Sequence[Part], left: Sequence[dict[str, str]], *, title: str, pictured: bool) -> Measure:
    """Return the measure of the link whose AUC is surest to be high, with all of them in the details."""
    p = np.array([part.p for part in parts])
    worst = parts[int(np.lexsort(([-x.measure.value for x in parts], [-x.measure.interval[0] for x in parts]))[0])]
    value, interval = worst.measure.value, worst.measure.interval
    if not pictured:
        return Measure(value, interval)
    poor = {part.name for part, q in zip(parts, adjusted(p), strict=True) if q <= FALSE and part.verdict == "poor"}
    listed = sorted(parts, key=lambda part: -part.measure.interval[0])
    return Measure(value, interval, {
        "worst_is": worst.name, "judged": len(parts), "top": worst.measure.details.get("top", []),
        "items": [{"name": x.name, "value": round(x.measure.value, 6), "reference": 0.5,
                   "interval": [round(end, 6) for end in x.measure.interval],
                   "note": f"{x.measure.details['rows']:,} rows of each side"} for x in listed],
        "items_say": {"value": "AUC", "reference": "a coin", "title": "Link by link"},
        "links": [entry(link, title, part.verdict if part.verdict != "poor" or part.name in poor else "fair",
                        auc_reason(part), part.measure) for part in listed for link in part.links],
        "not_judged": list(left)[:30], "_p": together(p), "_poor": sorted(poor),
        "_good": all(part.verdict == "good" for part in parts)})


def auc_reason(part: Part) -> str:
    """Say an AUC of one link."""
    return (f"A trained judge picks the synthetic one of two rows in {part.measure.value:.0%} of cases"
            f"{gives_away(part.measure)}.")


def entry(link: Link, title: str, verdict: Verdict, reason: str, measure: Measure) -> dict[str, Any]:
    """Return what the page of a link shows of one question."""
    return {"link": link.name, "child": link.table, "parent": link.parent, "title": title, "verdict": verdict,
            "reason": reason, "value": round(measure.value, 6),
            "interval": [round(end, 6) for end in measure.interval], **measure.details}


def judge_auc(measure: Measure, floor: float | None, ceiling: float | None, what: str) -> Judged:
    """Judge the worst AUC; `what` says which rows the judge is shown."""
    d = measure.details
    verdict: Verdict = "poor" if d["_poor"] else "good" if d["_good"] else "fair"
    beside = ["a coin: 50%", *(f"{who}: {value:.0%}" for who, value in (
        ("real rows", ceiling), ("children of parents drawn at random", floor)) if value is not None)]
    of = f" at {d['worst_is']}, the most of {d['judged']}" if d["judged"] > 1 else f" at {d['worst_is']}"
    return Judged(verdict, f"Shown {what}, a trained judge picks the synthetic one in {measure.value:.0%} of cases{of} "
                           f"({', '.join(beside)}){gives_away(measure)}.", d["_p"])
