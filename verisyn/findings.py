"""Finding: a value, its interval, its baselines, a verdict with the reason. Assessment: one dict, many faces."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, NamedTuple, Self

Verdict = Literal["good", "fair", "poor", "not answered"]


class NotAnswered(Exception):
    """Raised by a metric that cannot answer; the message completes 'not answered, because …'."""


@dataclass(frozen=True)
class Measure:
    """What a metric measured: a value, its 95 % interval, and details for the report (JSON values, no real rows)."""

    value: float
    interval: tuple[float, float]
    details: dict[str, Any] = field(default_factory=dict)


class Judged(NamedTuple):
    """What a metric's ``judge`` says: a verdict, one sentence, and how surely the poor side was reached.

    `p` is the chance of a measure at least this bad if the truth lay right at the border of poor; None where the rule
    does not rest on chance. A metric that asks many things at once (columns, levels, groups) gives the p of all of them
    together. A poor verdict stands only where its p survives the control of the false discovery rate over all
    questions (``assessment.settled``).
    """

    verdict: Verdict
    reason: str
    p: float | None = None


@dataclass(frozen=True)
class Finding:
    """One question and its answer.

    Parameters
    ----------
    name : str
        ``question.metric``, for example ``privacy.membership``.
    title : str
        The question in a person's words.
    value, interval
        The measure and its 95 % interval; None where not answered.
    floor : float or None
        The same measure for the `independent` generator: what any generator must beat.
    ceiling : float or None
        The same measure for real rows in the synthetic data's place: the best that can be hoped for.
    verdict : {"good", "fair", "poor", "not answered"}
    reason : str
        One sentence for a person.
    rule : str
        The rule that gave the verdict.
    details : dict
        What the report draws.
    p : float or None
        The chance of a measure at least this bad if the truth lay at the border of poor.
    best : float or None
        The value at which nothing could be better.
    definition : str
        What is measured and how: the metric's own documentation.
    references : tuple of str
        Addresses of the papers or definitions it follows.
    """

    name: str
    title: str
    verdict: Verdict
    reason: str
    rule: str = ""
    value: float | None = None
    interval: tuple[float, float] | None = None
    floor: float | None = None
    ceiling: float | None = None
    details: dict[str, Any] = field(default_factory=dict)
    p: float | None = None
    best: float | None = None
    definition: str = ""
    references: tuple[str, ...] = ()

    @property
    def question(self) -> str:
        """The first part of the name: fidelity, utility, privacy or fairness."""
        return self.name.split(".")[0]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values only."""
        told = {f.name: getattr(self, f.name) for f in fields(self)}
        return {**told, "interval": None if self.interval is None else list(self.interval),
                "references": list(self.references)}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Rebuild from `to_dict`; what an older version did not tell keeps its default."""
        interval = told.get("interval")
        return cls(**{**told, "interval": None if interval is None else tuple(interval),
                      "references": tuple(told.get("references", ()))})


@dataclass(frozen=True)
class Assessment:
    """All findings about one synthetic table, and what was compared."""

    findings: tuple[Finding, ...]
    about: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Finding:
        for finding in self.findings:
            if finding.name == name:
                return finding
        raise KeyError(name)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values only."""
        return {"about": self.about, "findings": [f.to_dict() for f in self.findings]}

    def to_json(self) -> str:
        """Return the assessment as JSON text; NaN and infinity never occur in it."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
