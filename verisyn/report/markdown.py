"""An assessment as Markdown: the answer, a table by question, why what is not good is not, what was not answered."""

from __future__ import annotations

import re
from collections.abc import Iterator

from verisyn.findings import Assessment, Finding
from verisyn.report import _use, _words


def markdown(assessment: Assessment) -> str:
    """Return an assessment as compact Markdown, for a pull request or a README.

    Examples
    --------
    >>> found = Assessment((Finding("fidelity.x", "Alike?", "poor", "They differ.", value=0.4, interval=(0.3, 0.5)),))
    >>> print(markdown(found).splitlines()[-1])
    - ✗ **poor** `fidelity.x`: They differ.
    """
    return "\n".join(_lines(assessment)).strip() + "\n"


def _lines(assessment: Assessment) -> Iterator[str]:
    answer = _use.answer(assessment)
    yield f"**{_words.SYMBOLS[answer.verdict]} {answer.words}**"
    yield from ("", answer.sentence)
    if rows := _words.made_of({"rows": assessment.about.get("rows", {})}):
        yield from ("", rows)
    if policy := assessment.about.get("policy"):
        yield from ("", _text(_use.policed(policy)))
    answered = [f for f in assessment.findings if f.verdict != "not answered"]
    for question, group in _words.by_question(answered).items():
        yield from ("", f"**{_words.plain(question)}** {_use.means(question, group)}".rstrip(), "")
        yield "| | question | value | 95 % interval | best | floor | real rows |"
        yield "|---|---|---:|---|---:|---:|---:|"
        yield from map(_row, group)
    if reasons := [f for f in _use.worst_first(answered) if f.verdict != "good"]:
        yield from ("", "**What is not good**", "")
        yield from map(_reason, reasons)
    if gone := [f for f in assessment.findings if f.verdict == "not answered"]:
        yield from ("", "**Not answered**", "")
        yield from (f"- `{_code(f.name)}`: {_text(_why(f))}" for f in gone)
    if changes := assessment.about.get("changes"):
        yield from ("", f"**What changed since {_text(changes['since'])}**: {_use.tallied(changes)}.", "")
        yield from (f"- {_text(change['sentence'])}" for change in changes["found"])


def _row(finding: Finding) -> str:
    ends = [_words.figure(value) for value in (finding.best, finding.floor, finding.ceiling)]
    cells = [f"{_words.SYMBOLS[finding.verdict]} {finding.verdict}", _text(finding.title), _words.figure(finding.value),
             _words.span(finding.interval), *ends]
    return f"| {' | '.join(cells)} |"


def _reason(finding: Finding) -> str:
    verdict = f"{_words.SYMBOLS[finding.verdict]} **{finding.verdict}**"
    return f"- {verdict} `{_code(finding.name)}`: {_text(finding.reason)}"


def _why(finding: Finding) -> str:
    return finding.reason.removeprefix("Not answered, ")


def _text(words: str) -> str:
    """Return words that Markdown shows as they are, on one line."""
    return re.sub(r"([\\`*<|~&]|(?<!\w)_|_(?!\w)|\](?=\())", r"\\\1", " ".join(words.split()))


def _code(name: str) -> str:
    return " ".join(name.split()).replace("`", "'")
