"""What a notebook shows of an assessment: the answer, and a table by question; every word is escaped."""

from __future__ import annotations

from html import escape

from verisyn.findings import Assessment, Finding
from verisyn.report import _use, _words

_TONES = {"good": "#0b6b4f", "fair": "#8a5a00", "poor": "#b3261e", "not answered": "#6b675f"}
_CELL = "text-align:left;padding:.2em .8em .2em 0;border:0;border-bottom:1px solid #8884;vertical-align:top"


def html(assessment: Assessment) -> str:
    """Return a small piece of HTML, styled in place, for a light or a dark notebook.

    Examples
    --------
    >>> "&lt;x&gt;" in html(Assessment((Finding("fidelity.x", "<x>", "good", "They are.", value=0.9),)))
    True
    """
    answer = _use.answer(assessment)
    head = (f"<p style='margin:0;font-size:1.4em;font-weight:600'>{_dot(answer.verdict)} {escape(answer.words)}</p>"
            f"<p style='margin:.2em 0 .6em'>{escape(answer.sentence)}</p>")
    rows = "".join(_group(question, group) for question, group in _words.by_question(assessment.findings).items())
    return (f"<div style='max-width:60em;line-height:1.4'>{head}<table style='border-collapse:collapse;width:100%'>"
            f"<tbody>{rows}</tbody></table></div>")


def _group(question: str, group: list[Finding]) -> str:
    said = escape(f"{_words.plain(question)}. {_use.means(question, group)}")
    head = f"<tr><th colspan='3' style='{_CELL};padding-top:.8em'>{said}</th></tr>"
    return head + "".join(map(_row, group))


def _row(finding: Finding) -> str:
    value = ""
    if finding.value is not None:
        value = f"<b>{_words.figure(finding.value)}</b> <small>{escape(_words.span(finding.interval))}</small>"
    why = f"<br><small>{escape(finding.reason)}</small>" if finding.verdict != "good" else ""
    said = f"{escape(finding.title)}{why}"
    return (f"<tr><td style='{_CELL};white-space:nowrap'>{_dot(finding.verdict)} {finding.verdict}</td>"
            f"<td style='{_CELL}'>{said}</td><td style='{_CELL};white-space:nowrap'>{value}</td></tr>")


def _dot(verdict: str) -> str:
    return f"<span style='color:{_TONES[verdict]}' aria-hidden='true'>●</span>"
