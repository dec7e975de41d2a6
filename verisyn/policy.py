"""A policy: what an assessment must reach, from a YAML file; which requirements were met, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from verisyn.errors import Refused, UserError, did_you_mean
from verisyn.findings import Assessment, Finding

Unanswered = Literal["allow", "refuse"]
VERDICTS = ("good", "fair", "poor")


@dataclass(frozen=True)
class Requirement:
    """What one line of a policy asks of a question, or of all questions whose names match a pattern.

    Parameters
    ----------
    pattern : str
        A finding's name, or one with ``*`` for any characters.
    verdict : str, optional
        The worst verdict that is allowed.
    at_most, at_least : float, optional
        Between which the value must lie.
    sure : bool
        Whether the whole 95 % interval must lie there.
    unanswered : {"allow", "refuse"}, optional
        Whether a question without an answer passes. By default a question named in full does not, and of those that a
        pattern names at least one must be answered.
    reason : str
        Why this is asked, for whoever reads the outcome.
    """

    pattern: str
    verdict: str | None = None
    at_most: float | None = None
    at_least: float | None = None
    sure: bool = False
    unanswered: Unanswered | None = None
    reason: str = ""

    @property
    def asks(self) -> str:
        """What is asked, in words."""
        bounds = [f"{words} {bound:g}" for words, bound in (("at least", self.at_least), ("at most", self.at_most))
                  if bound is not None]
        whole = f"{' and '.join(bounds)}{', over the whole interval' if self.sure else ''}" if bounds else ""
        verdict = {None: "", "good": "good", "fair": "fair or better", "poor": "any verdict"}[self.verdict]
        return "; ".join(filter(None, (verdict, whole))) or "an answer"

    def failure(self, finding: Finding) -> str | None:
        """Return what a finding lacks, as words that follow its name; None where it meets the requirement."""
        if finding.value is None or finding.verdict == "not answered":
            return "was not answered" if self.unanswered == "refuse" else None
        if self.verdict and VERDICTS.index(finding.verdict) > VERDICTS.index(self.verdict):
            return f"is {finding.verdict}"
        low, high = finding.interval if self.sure and finding.interval else (finding.value, finding.value)
        if self.at_most is not None and high > self.at_most:
            return f"is {_figure(finding)}"
        return f"is {_figure(finding)}" if self.at_least is not None and low < self.at_least else None


@dataclass(frozen=True)
class Outcome:
    """How one question met one requirement.

    Parameters
    ----------
    requirement : str
        The name or pattern in the policy.
    name : str
        The question it was asked of.
    asks : str
        What is asked, in words.
    was : str
        What was found, in words.
    passed : bool
        Whether that is enough.
    reason : str
        Why the policy asks this, in its own words.
    """

    requirement: str
    name: str
    asks: str
    was: str
    passed: bool
    reason: str = ""

    @property
    def sentence(self) -> str:
        """The outcome as one sentence."""
        why = f" ({self.reason.rstrip('.')})" if self.reason else ""
        asked = f"{self.name} {self.was}; {'asked for was' if self.passed else 'the policy asks for'} {self.asks}{why}"
        return f"{asked}."


@dataclass(frozen=True)
class Checked:
    """How an assessment met a policy.

    Parameters
    ----------
    file : str
        The policy's name.
    passed : bool
        Whether every requirement was met.
    requirements : tuple of Outcome
        One entry a requirement and question, those that failed first.
    """

    file: str
    passed: bool
    requirements: tuple[Outcome, ...]

    @property
    def failed(self) -> list[Outcome]:
        """The outcomes that are not enough."""
        return [outcome for outcome in self.requirements if not outcome.passed]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values only."""
        return {**asdict(self), "requirements": [asdict(outcome) for outcome in self.requirements]}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Checked:
        """Rebuild from `to_dict`."""
        return cls(told["file"], told["passed"], tuple(Outcome(**outcome) for outcome in told["requirements"]))

    def enforce(self) -> None:
        """Do nothing where every requirement was met.

        Raises
        ------
        Refused
            With a sentence for each requirement that was not.
        """
        if not self.passed:
            count = f"{len(self.failed)} of {len(self.requirements)} requirements of {self.file!r} were not met"
            raise Refused("\n".join([f"{count}.", *(f"- {outcome.sentence}" for outcome in self.failed)]))


@dataclass(frozen=True)
class Policy:
    """Requirements that an assessment must meet, and the share of synthetic rows that may be learnt from at most.

    Examples
    --------
    >>> policy = Policy.from_yaml("privacy.*: good")
    >>> found = Assessment((Finding("privacy.membership", "?", "fair", "Some.", value=0.56),))
    >>> [outcome.sentence for outcome in policy.check(found).failed]
    ['privacy.membership is fair, 0.560; the policy asks for good.']
    """

    requirements: tuple[Requirement, ...]
    name: str = "the policy"
    max_synthetic: float | None = None

    @classmethod
    def load(cls, path: str | Path) -> Policy:
        """Read a policy file.

        Raises
        ------
        UserError
            If it is not there, or has a mistake; the sentence names the place.
        """
        try:
            return cls.from_yaml(Path(path).read_text(encoding="utf-8"), Path(path).name)
        except FileNotFoundError:
            raise UserError(f"There is no policy file {str(path)!r}. A policy is a YAML file with lines such as "
                            "'privacy.*: good'.") from None
        except (OSError, UnicodeDecodeError) as e:
            raise UserError(f"The policy file {str(path)!r} could not be read: {e}") from None

    @classmethod
    def from_yaml(cls, text: str, name: str = "the policy") -> Policy:
        """Read a policy from YAML.

        Raises
        ------
        UserError
            If it has a mistake; the sentence names the line.
        """
        from verisyn._policy_yaml import policy

        requirements, max_synthetic = policy(text, name)
        return cls(requirements, name, max_synthetic)

    def must_name(self, known: Iterable[str]) -> None:
        """Check that every requirement speaks of something that can be asked.

        Raises
        ------
        UserError
            If one speaks of no question at all.
        """
        names = list(known)
        for requirement in self.requirements:
            if not any(fnmatchcase(name, requirement.pattern) for name in names):
                patterns = {f"{name.split('.')[0]}.*" for name in names}
                near = did_you_mean(requirement.pattern, patterns if "*" in requirement.pattern else names)
                raise UserError(f"{self.name} asks about {requirement.pattern!r}, which is no question. {near}")

    def check(self, assessment: Assessment, more: Sequence[Finding] = ()) -> Checked:
        """Hold an assessment, and `more` findings, against every requirement.

        A question that a requirement names in full is not held against patterns too.
        """
        findings = [*assessment.findings, *more]
        named = {r.pattern for r in self.requirements}
        outcomes: list[Outcome] = []
        for r in self.requirements:
            matched = [f for f in findings if fnmatchcase(f.name, r.pattern)]
            asked = [f for f in matched if f.name == r.pattern or f.name not in named]
            outcomes += _outcomes(r, asked) if asked or not matched else []
        if self.max_synthetic is not None:
            outcomes.append(_learnt_from(assessment.about.get("provenance"), self.max_synthetic))
        outcomes.sort(key=lambda outcome: outcome.passed)
        return Checked(self.name, all(outcome.passed for outcome in outcomes), tuple(outcomes))


def _learnt_from(told: Mapping[str, Any] | None, most: float) -> Outcome:
    """Hold the rows that were learnt from, as far as their provenance is known, against the largest synthetic share."""
    share = float(told["synthetic_share"]) if told else 0.0
    was = f"is {share:.3g}" if told else "is taken for 0, as nothing tells where the rows come from"
    return Outcome("fit", "the synthetic share of the rows learnt from", f"at most {most:g}", was, share <= most)


def known_names() -> list[str]:
    """Return the names of all questions that a policy may speak of."""
    from verisyn import memory, shelves

    return [*shelves.metrics.names(), memory.NAME]


def _outcomes(requirement: Requirement, asked: Sequence[Finding]) -> list[Outcome]:
    pattern, asks, reason = requirement.pattern, requirement.asks, requirement.reason
    if not asked:
        enough = requirement.unanswered == "allow"
        return [Outcome(pattern, pattern, asks, "was not asked", enough, reason)]
    outcomes = []
    for finding in asked:
        failure = requirement.failure(finding)
        outcomes.append(Outcome(pattern, finding.name, asks, _was(finding), failure is None, reason))
    if requirement.unanswered is None and all(finding.value is None for finding in asked):
        outcomes = [Outcome(pattern, o.name, asks, o.was, False, reason) for o in outcomes]
    return outcomes


def _was(finding: Finding) -> str:
    if finding.value is None:
        why = finding.reason.removeprefix("Not answered, ").rstrip(".")
        return f"was not answered, {why}"
    return f"is {finding.verdict}, {_figure(finding)}"


def _figure(finding: Finding) -> str:
    from verisyn.report._words import figure, span

    return figure(finding.value) + (f" [{span(finding.interval)}]" if finding.interval else "")
