"""The words of a report: what each question asks, how a verdict is said, how numbers are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from verisyn.findings import Assessment, Finding, Verdict

SYMBOLS: dict[Verdict, str] = {"good": "✓", "fair": "~", "poor": "✗", "not answered": "?"}

ASKS = {
    "fidelity": "Does it look like the real data?",
    "utility": "Does it work like the real data?",
    "privacy": "Does it tell of the rows it was made from?",
    "fairness": "Does it treat groups as the real data does?",
}

_ANSWERS: dict[Verdict, str] = {
    "good": "Yes, as far as these tests reach.",
    "fair": "With care.",
    "poor": "Not as it is.",
    "not answered": "These tests cannot tell.",
}

_USE: dict[Verdict, str] = {
    "good": "the synthetic rows behave like real rows",
    "fair": "the synthetic rows behave like real rows in most respects, with differences to know of",
    "poor": "the synthetic rows differ from real rows in ways that matter",
    "not answered": "whether the synthetic rows behave like real rows could not be measured",
}

_PRIVACY: dict[Verdict, str] = {
    "good": "no attack that was tried told the rows it was made from apart from rows it never saw",
    "fair": "attacks found at most weak traces of the rows it was made from",
    "poor": "attacks found rows it was made from",
    "not answered": "what it tells of the rows it was made from could not be measured",
}

_TERMS = {"tstr": "Trained on synthetic rows", "trtr": "Trained on real rows", "score_name": "Score",
          "caught": "Found at 1 % false alarms", "compared": "AUC by comparison",
          "compared_caught": "Found at 1 % false alarms, by comparison"}

_WORSE: tuple[Verdict, ...] = ("good", "fair", "poor")


@dataclass(frozen=True)
class Answer:
    """The answer to 'May I use this data?': a verdict, a few words and one sentence."""

    verdict: Verdict
    words: str
    sentence: str


def worst(findings: Iterable[Finding]) -> Verdict:
    """Return the worst verdict among the answered findings; ``"not answered"`` where none was.

    Examples
    --------
    >>> worst(Finding("a.b", "", verdict, "") for verdict in ("good", "fair", "not answered"))
    'fair'
    """
    answered = [_WORSE.index(f.verdict) for f in findings if f.verdict != "not answered"]
    return _WORSE[max(answered)] if answered else "not answered"


def answer(assessment: Assessment) -> Answer:
    """Answer 'May I use this data?': the worst of what was found, where both use and privacy were measured at all.

    Examples
    --------
    >>> found = Assessment((Finding("fidelity.x", "?", "good", ""), Finding("privacy.y", "?", "poor", "")))
    >>> answer(found).words
    'Not as it is.'
    """
    use = worst(f for f in assessment.findings if f.question != "privacy")
    privacy = worst(f for f in assessment.findings if f.question == "privacy")
    both = (use, privacy)
    verdict: Verdict = next((v for v in ("poor", "not answered", "fair") if v in both), "good")
    link = "and" if (use == "good") == (privacy == "good") else "but"
    return Answer(verdict, _ANSWERS[verdict], f"In these tests, {_USE[use]}, {link} {_PRIVACY[privacy]}.")


def by_question(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    """Group findings by question: the known questions in their order, then any others as they come."""
    order = [*ASKS, *(f.question for f in findings)]
    groups = {q: [f for f in findings if f.question == q] for q in dict.fromkeys(order)}
    return {q: group for q, group in groups.items() if group}


def figure(value: float | None) -> str:
    """Write a measured number for a person.

    Examples
    --------
    >>> [figure(v) for v in (0.98765, 0.00042, 0.0, 12.345, 48842, -0.01, None)]
    ['0.988', '0.0004', '0.000', '12.3', '48,842', '−0.010', '–']
    """
    if value is None:
        return "–"
    size = abs(value)
    decimals = 0 if size >= 1000 else 1 if size >= 10 else 4 if 0 < size < 0.001 else 3
    return f"{value:,.{decimals}f}".replace("-", "−")


def span(interval: tuple[float, float] | None) -> str:
    """Write an interval, or nothing.

    Examples
    --------
    >>> span((0.51, 0.54)), span(None)
    ('0.510 to 0.540', '')
    """
    return "" if interval is None else f"{figure(interval[0])} to {figure(interval[1])}"


def count(things: int, noun: str) -> str:
    """Write a count with its noun.

    Examples
    --------
    >>> count(1, "row"), count(48842, "row")
    ('1 row', '48,842 rows')
    """
    return f"{things:,} {noun}{'' if things == 1 else 's'}"


def plain(key: str) -> str:
    """Turn a key of a dict into words.

    Examples
    --------
    >>> plain("nearest_share")
    'Nearest share'
    """
    words = _TERMS.get(key, key).replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def measured(finding: Finding) -> list[tuple[str, str]]:
    """Return the plain figures among a finding's details, as words and text."""
    return [(plain(k), scalar(v)) for k, v in finding.details.items() if isinstance(v, str | int | float)]


def scalar(value: str | float) -> str:
    """Write one plain value: text as it is, counts in full, measures shortened."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return value if isinstance(value, str) else figure(value)


def tidy(sentence: str) -> str:
    """Keep a number and its percent sign on one line."""
    return sentence.replace(" %", "\u00a0%")


def made_of(run: dict[str, Any]) -> str:
    """Say in one sentence how many rows there are, and what they were made from and judged against."""
    rows = run.get("rows") or {}
    if not rows and not run.get("generator"):
        return ""
    made = f"{count(rows['synthetic'], 'synthetic row')}" if "synthetic" in rows else "Synthetic rows"
    by = f" by {run['generator']}" if run.get("generator") else ""
    source = f" from {count(rows['train'], 'real row')}" if "train" in rows else ""
    judges = count(rows.get("holdout") or 0, "real row")
    against = f", judged against {judges} the generator never saw" if rows.get("holdout") else ""
    return f"{made}{', made' if by or source else ''}{by}{source}{against}."
