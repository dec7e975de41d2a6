"""Finding: a value, its interval, its baselines, a verdict with the reason. Assessment: one dict, many faces."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from verisyn.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from verisyn.since import Change

Verdict = Literal["good", "fair", "poor", "not answered"]
FORMAT = 1
"""The version of the JSON form; what reads it ignores keys that it does not know."""


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
        What the rule says of the value; poor only where chance alone is no explanation.
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
    worst : float or None
        The value that is as bad as can be; whether it lies above or below `best` says which way is better.
    sanity : bool
        Whether it is a mere sanity check: told last, and no proof of anything where it is passed.
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
    worst: float | None = None
    sanity: bool = False

    def __repr__(self) -> str:
        within = "" if self.interval is None else " [{:.3f} to {:.3f}]".format(*self.interval)
        return f"<{self.name}: {self.verdict}{'' if self.value is None else f', {self.value:.3f}'}{within}>"

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
        """Rebuild from `to_dict`; keys that are missing keep their default, keys that are not known are left out."""
        interval, known = told.get("interval"), {f.name for f in fields(cls)}
        return cls(**{**{key: value for key, value in told.items() if key in known},
                      "interval": None if interval is None else tuple(interval),
                      "references": tuple(told.get("references", ()))})


@dataclass(frozen=True)
class Assessment:
    """All findings about one synthetic table, and what was compared.

    Parameters
    ----------
    findings : tuple of Finding
        In the order in which they are shown.
    about : dict
        What was compared and how: JSON values, those of :func:`json_schema` and others.

    Examples
    --------
    >>> found = Assessment((Finding("fidelity.x", "Alike?", "good", "They are.", value=0.98),), {"source": "people"})
    >>> Assessment.from_json(found.to_json()) == found
    True
    >>> found.to_markdown().splitlines()[0]
    '**? These tests cannot tell.**'
    """

    findings: tuple[Finding, ...]
    about: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        found = [f.verdict for f in self.findings]
        told = ", ".join(f"{found.count(v)} {v}" for v in dict.fromkeys(found))
        return f"<Assessment of {len(found)} questions: {told}; to_markdown() tells them>"

    def __getitem__(self, name: str) -> Finding:
        """Return a finding by its name, or by the last part of it.

        Raises
        ------
        KeyError
            If there is none, with the names that are near.
        """
        for finding in self.findings:
            if name in (finding.name, finding.name.split(".")[-1]):
                return finding
        raise KeyError(f"There is no finding {name!r}. {did_you_mean(name, [f.name for f in self.findings])}")

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values only, in the form of :func:`json_schema`."""
        return {"format": FORMAT, "about": self.about, "findings": [f.to_dict() for f in self.findings]}

    def to_json(self) -> str:
        """Return the assessment as JSON text; NaN and infinity never occur in it."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Rebuild from `to_dict`."""
        return cls(tuple(map(Finding.from_dict, told["findings"])), dict(told.get("about", {})))

    @classmethod
    def from_json(cls, text: str, where: str = "the text") -> Self:
        """Rebuild from `to_json`.

        Raises
        ------
        UserError
            If it is no assessment, or one of a newer format; `where` says in the sentence what was read.
        """
        try:
            told = json.loads(text)
            newer = told.get("format", FORMAT) > FORMAT
            found = None if newer else cls.from_dict(told)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise UserError(f"{where} is no assessment: expected the JSON that 'verisyn assess' or 'verisyn synth' "
                            "writes as assessment.json.") from None
        if found is None:
            raise UserError(f"{where} has format {told['format']}, newer than this version of verisyn knows "
                            f"({FORMAT}). Upgrade verisyn.")
        return found

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read ``assessment.json``, or the folder that holds it.

        Raises
        ------
        UserError
            If there is none, or it cannot be read.
        """
        file = Path(path) / "assessment.json" if Path(path).is_dir() else Path(path)
        try:
            return cls.from_json(file.read_text(encoding="utf-8"), repr(str(file)))
        except FileNotFoundError:
            raise UserError(f"There is no assessment at {str(file)!r}. Give an assessment.json, or the folder that "
                            "holds one.") from None
        except (OSError, UnicodeDecodeError) as e:
            raise UserError(f"The assessment {str(file)!r} could not be read: {e}") from None

    def told(self, **about: Any) -> Self:
        """Return the assessment with more said about it; None says nothing."""
        return replace(self, about={**self.about, **{key: value for key, value in about.items() if value is not None}})

    def changes(self, previous: Assessment) -> list[Change]:
        """Return what changed since an earlier assessment of the same source, the worst news first.

        A verdict that changed; a value that moved so far that the two 95 % intervals do not meet; a question that
        was asked then or now only; a setting that differs.
        """
        from verisyn.since import changes

        return changes(previous, self)

    def to_markdown(self) -> str:
        """Return the answer, a table by question, the reasons of what is not good, and what was not answered."""
        from verisyn.report.markdown import markdown

        return markdown(self)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from verisyn.report.notebook import html

        return html(self)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``assessment.json``; ``docs/assessment.schema.json`` is this.

    Examples
    --------
    >>> json_schema()["properties"]["findings"]["items"]
    {'$ref': '#/$defs/Finding'}
    """
    from verisyn._json_schema import schema

    return schema()
