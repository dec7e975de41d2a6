"""The summary a terminal shows: the answer, then each question with its value, baselines and verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verisyn.findings import Assessment, Finding
from verisyn.report import _use, _words
from verisyn.report._database import database
from verisyn.report._terminal_links import links, tables

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

_NOTES = 6
_IN_FULL = 3
_CHANGES = 6
_STYLES = {"good": "green", "fair": "yellow", "poor": "red", "not answered": "dim"}


def summary(assessment: Assessment, run: Mapping[str, Any] | None = None,
            report: str | Path | None = None) -> RenderableType:
    """Return what a person sees at the end of a run; it fits 80 columns.

    Parameters
    ----------
    assessment : Assessment
        What was found.
    run : mapping, optional
        How the data was made, as in ``run.json``; any key may be absent.
    report : path, optional
        The file to open for the whole story; named in the last line.

    Examples
    --------
    >>> from rich.console import Console
    >>> found = Assessment((Finding("fidelity.x", "Alike?", "good", "They are.", value=0.98, floor=0.6, ceiling=0.99),))
    >>> Console(width=80).print(summary(found, report="out/report.html"))  # doctest: +ELLIPSIS +NORMALIZE_WHITESPACE
    <BLANKLINE>
     ? These tests cannot tell.
     ...
     Open out/report.html...
    """
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    answer = _use.answer(assessment)
    head = Text(f"{_words.SYMBOLS[answer.verdict]} {answer.words}", style=f"bold {_STYLES[answer.verdict]}")
    base, about = database(assessment), assessment.about
    rows = _words.made_of({**{key: about.get(key) for key in ("rows", "tables", "entities")}, **(run or {})})
    parts: list[RenderableType] = [head, Text(answer.sentence), *([Text(rows, style="dim")] if rows else [])]
    parts += [*tables(base), *links(assessment, _STYLES)]
    for question, findings in _words.by_question(assessment.findings).items():
        parts += [Text(), *_question(question, findings)]
    if memory := (run or {}).get("memory"):
        parts += [Text(), Text("The model file", style="bold"), _line(Finding.from_dict(memory))]
    parts += _changes(assessment.about.get("changes"))
    parts += _policy(assessment.about.get("policy"))
    parts += _notes((run or {}).get("notes") or ())
    parts += [Text(), *_cost(run or {})]
    if report is not None:
        parts.append(Text.assemble("Open ", (str(report), "bold underline"), overflow="fold"))
    return Padding(Group(*parts), (1, 1))


def told(assessment: Assessment, report: str | Path | None = None) -> RenderableType:
    """Return a study's findings in full, for a terminal; it fits 80 columns.

    Examples
    --------
    >>> from rich.console import Console
    >>> found = Assessment((Finding("blend.gap", "Alike?", "good", "They are.", value=0.98),))
    >>> Console(width=60).print(told(found, "out/report.html"))  # doctest: +ELLIPSIS +NORMALIZE_WHITESPACE
    <BLANKLINE>
     ✓ Alike? good 0.980
    ...
     Open out/report.html...
    """
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    parts = [*map(_line, assessment.findings), *_notes(assessment.about.get("notes") or ())]
    if report is not None:
        parts += [Text(), Text.assemble("Open ", (str(report), "bold underline"), overflow="fold")]
    return Padding(Group(*parts), (1, 1))


def _question(question: str, findings: Sequence[Finding]) -> list[RenderableType]:
    """A question: what it means for use, the worst findings in full, a line for each of the others."""
    from rich.text import Text

    asks = _use.means(question, findings) or _words.ASKS.get(question, "")
    parts: list[RenderableType] = [Text.assemble((_words.plain(question), "bold"), "  ", (asks, "dim"))]
    answered = [f for f in _use.worst_first(findings) if f.verdict != "not answered"]
    full = max(1, min(_IN_FULL, sum(f.verdict != "good" for f in answered)))
    parts += map(_line, answered[:full])
    parts += map(_short, answered[full:])
    reasons: dict[str, list[str]] = {}
    for finding in findings:
        if finding.verdict == "not answered":
            reasons.setdefault(finding.reason, []).append(finding.name.split(".")[-1])
    return [*parts, *(_unanswered(names, reason) for reason, names in reasons.items())]


def _row(symbol: Text, said: Text, figures: Text, width: int | None = None) -> RenderableType:
    from rich.table import Table

    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(width=1)
    table.add_column(ratio=1)
    table.add_column(width=width, justify="right")
    table.add_row(symbol, said, figures)
    return table


def _line(finding: Finding) -> RenderableType:
    """One finding: symbol, sentence, and beside it the value, its interval and what it stands between."""
    from rich.text import Text

    style = _STYLES[finding.verdict]
    figures = Text(finding.verdict, style=style, justify="right")
    if finding.value is not None:
        figures.append(f"  {_words.figure(finding.value)}", style="bold default")
        figures.append(_within(finding), style="dim default")
    said = Text.assemble(finding.title, "\n", (_words.tidy(finding.reason), "dim"))
    return _row(Text(_words.SYMBOLS[finding.verdict], style=style), said, figures, 25)


def _short(finding: Finding) -> RenderableType:
    """One finding on one line: symbol, title, verdict and value."""
    from rich.text import Text

    style = _STYLES[finding.verdict]
    figures = Text.assemble((finding.verdict, style), (f"  {_words.figure(finding.value)}", "bold"), no_wrap=True)
    said = Text(finding.title, no_wrap=True, overflow="ellipsis")
    return _row(Text(_words.SYMBOLS[finding.verdict], style=style), said, figures, 12)


def _unanswered(names: Sequence[str], reason: str) -> RenderableType:
    """The findings that were not answered for one reason."""
    from rich.text import Text

    said = Text.assemble(", ".join(names), ": ", (_words.tidy(reason[:1].lower() + reason[1:]), "dim"))
    return _row(Text(_words.SYMBOLS["not answered"], style="dim"), said, Text(""))


def _changes(changes: Mapping[str, Any] | None) -> list[RenderableType]:
    from rich.text import Text

    if not changes:
        return []
    head = Text.assemble(("What changed", "bold"), f" since {changes['since']}: {_use.tallied(changes)}.")
    parts: list[RenderableType] = [Text(), head]
    for change in changes["found"][:_CHANGES]:
        style = {True: "green", False: "red"}.get(change["better"], "dim")
        symbol = {True: "↑", False: "↓"}.get(change["better"], "·")
        parts.append(_row(Text(symbol, style=style), Text(_words.tidy(change["sentence"])), Text("")))
    more = len(changes["found"]) - _CHANGES
    if more > 0:
        parts.append(Text(f"  and {_words.count(more, 'more change')} in the report", style="dim"))
    return parts


def _policy(policy: Mapping[str, Any] | None) -> list[RenderableType]:
    """Which requirements of a policy were met, those that were not first."""
    from rich.text import Text

    if not policy:
        return []
    parts: list[RenderableType] = [Text(), Text.assemble(("The policy", "bold"), f"  {_use.policed(policy)}")]
    for outcome in policy["requirements"]:
        symbol = Text("✓", style="green") if outcome["passed"] else Text("✗", style="red")
        plain = outcome["passed"] and outcome["was"].startswith("is ")
        required = outcome["asks"] if plain else f"{outcome['asks']}: {outcome['was']}"
        parts.append(_row(symbol, Text.assemble(outcome["name"], "  ", (required, "dim")), Text("")))
    return parts


def _within(finding: Finding) -> str:
    interval = f"\n{_words.span(finding.interval)}" if finding.interval else ""
    if finding.floor is None and finding.ceiling is None:
        return interval
    return f"{interval}\n{_words.figure(finding.floor)} floor → {_words.figure(finding.ceiling)} real"


def _notes(notes: Sequence[str]) -> list[RenderableType]:
    """What was decided for the user; the rest of a long list is in the report."""
    from rich.table import Table
    from rich.text import Text

    if not notes:
        return []
    table = Table.grid(padding=(0, 1))
    for note in notes[:_NOTES]:
        table.add_row(Text("·", style="dim"), Text(note, style="dim"))
    more = [Text(f"  and {_words.count(len(notes) - _NOTES, 'more note')} in the report", style="dim")]
    return [Text(), Text("Noted on the way", style="bold"), table, *(more if len(notes) > _NOTES else [])]


def _cost(run: Mapping[str, Any]) -> list[RenderableType]:
    from rich.text import Text

    stages = run.get("stages") or []
    if not stages:
        return []
    peaks = [s["peak_mb"] for s in stages if s.get("peak_mb") is not None]
    seconds = f"{sum(s['wall_seconds'] for s in stages):.1f} s, {sum(s['cpu_seconds'] for s in stages):.1f} s of CPU"
    memory = f", {max(peaks):,.0f} MB at most" if peaks else ""
    return [Text(f"It took {seconds}{memory}.", style="dim")]
