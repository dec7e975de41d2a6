"""Asks metrics, whatever they measure, of synthetic data, floor and ceiling; what is poor must be so beyond chance."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any, Protocol
from zlib import crc32

import numpy as np

from verisyn import shelves
from verisyn.findings import Finding, Judged, Measure, NotAnswered
from verisyn.metrics import EFFORTS
from verisyn.metrics._stats import adjusted

FALSE_ALARMS = 0.05
"""The share of wrong ones among alarms: the false discovery rate over all questions of one assessment."""
NO_HOLDOUT = ("There is no holdout: fidelity and utility were measured against real rows that the generator may have "
              "seen, and privacy could not be measured.")

class Asked(Protocol):
    """What metrics of some views are asked about: the sides as they are, and with stand-ins for the synthetic data."""

    @property
    def truth(self) -> Any:
        """The sides as they are."""

    @property
    def floor(self) -> Any:
        """The sides with the least that a generator must beat in the place of the synthetic data."""

    def ceiling(self, stand_in: str | None) -> Any:
        """The sides with real data in its place, ``"train"`` or ``"holdout"`` as a metric says; None for None."""


def answers(names: Sequence[str], asked: Callable[[str], Asked], seed: int, tick: Callable[[int], None]
            ) -> tuple[Finding, ...]:
    """Ask metrics, each of the sides that `asked` gives for its name; return what stands, in the order of telling."""
    findings = []
    for name in names:
        findings.append(ask(name, asked(name), seed))
        tick(1)
    return settled(in_place(findings))


def ask(name: str, asked: Asked, seed: int) -> Finding:
    """Ask one metric about the synthetic data, the floor and the ceiling, all with the same randomness."""
    metric = shelves.metrics.take(name)
    least = getattr(metric, "effort", "quick")
    if [*EFFORTS].index(least) > [*EFFORTS].index(asked.truth.effort.name):
        return _not_answered(name, metric, f"it is asked at the effort {least!r} and above only")

    def answer(sides: Any) -> Measure | NotAnswered | None:
        if sides is None:
            return None
        try:
            return metric.measure(sides, np.random.default_rng([seed, crc32(name.encode())]))
        except NotAnswered as reason:
            return reason

    measure = answer(asked.truth)
    if not isinstance(measure, Measure):
        return _not_answered(name, metric, str(measure))
    low = _value(answer(asked.floor)) if getattr(metric, "floor", True) else measure.details.get("floor")
    stand_in = asked.ceiling(metric.stand_in)
    high = measure.details.get("ceiling") if stand_in is None else _value(answer(stand_in))
    try:
        judged = Judged(*metric.judge(measure, low, high))
    except NotAnswered as why:
        return _not_answered(name, metric, str(why))
    says = getattr(asked.truth, "says", {})  # what floor and ceiling are, where they are not a table's
    details = {**says, **{k: v for k, v in measure.details.items() if not k.startswith("_")}}
    return Finding(name, metric.title, judged.verdict, judged.reason, metric.rule, round(measure.value, 6),
                   (round(measure.interval[0], 6), round(measure.interval[1], 6)), _rounded(low), _rounded(high),
                   details, judged.p, **_told(metric))


def in_place(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings of metrics in the order in which they are told."""
    place = {f.name: getattr(shelves.metrics.take(f.name), "place", 0) for f in findings}
    return sorted(findings, key=lambda f: (f.question, f.sanity, place[f.name]))


def settled(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Let poor verdicts stand only where they are no noise: at a false discovery rate of 5 % over all questions.

    The p-values of all findings are adjusted by Benjamini and Hochberg (1995), which holds where questions depend on
    each other in one direction (Benjamini and Yekutieli 2001): rows that are bad in one way are bad in others. A poor
    verdict that is not among the discoveries becomes fair, and says so. A verdict without
    a p-value stands as it is.

    Examples
    --------
    >>> noise = [Finding(f"fidelity.{i}", "?", "good", "Fine.", p=0.5) for i in range(30)]
    >>> [f.verdict for f in settled([*noise, Finding("privacy.x", "?", "poor", "Found.", p=0.02)])][-1]
    'fair'
    """
    tested = [i for i, f in enumerate(findings) if f.p is not None]
    sure = dict(zip(tested, adjusted(np.array([findings[i].p for i in tested])), strict=True))

    def settle(i: int, finding: Finding) -> Finding:
        if finding.verdict != "poor" or sure.get(i, 0.0) <= FALSE_ALARMS:
            return finding
        return replace(finding, verdict="fair", reason=f"{finding.reason} Among {len(tested)} questions asked, chance "
                       "could have carried one so far over the border of poor; more rows would tell.")

    return tuple(settle(i, f) for i, f in enumerate(findings))


def _value(answer: Measure | NotAnswered | None) -> float | None:
    return answer.value if isinstance(answer, Measure) else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _told(metric: ModuleType) -> dict[str, Any]:
    """What a metric says of itself, whatever it measures."""
    return {"best": metric.best, "worst": metric.worst, "definition": inspect.cleandoc(metric.__doc__ or ""),
            "references": tuple(getattr(metric, "references", ())), "sanity": getattr(metric, "sanity", False)}


def _not_answered(name: str, metric: ModuleType, reason: str) -> Finding:
    return Finding(name, metric.title, "not answered", f"Not answered, because {reason}.", metric.rule, **_told(metric))
