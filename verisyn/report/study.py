"""The report of a study: steering, blending, collapse, …: what was found, one after the other, on one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from verisyn.findings import Assessment
from verisyn.report import addresses, chart_ids, filled
from verisyn.report._blocks import blocks
from verisyn.report._words import plain, scalar


def study(assessment: Assessment, *, title: str, kind: str, lead: str = "", notes: Sequence[str] = ()) -> str:
    """Return a study's findings as one self-contained HTML page.

    Parameters
    ----------
    assessment : Assessment
        What was found; plain values in ``about`` are told at the end, its ``notes`` with `notes`.
    title : str
        The name of the data.
    kind : str
        What the study is of, in a word or two: it stands in the masthead.
    lead : str, optional
        What was done, in a sentence.
    notes : sequence of str
        Sentences that a reader should know.

    Examples
    --------
    >>> from verisyn.findings import Finding
    >>> found = Assessment((Finding("blend.gap", "Alike?", "fair", "Nearly <so>."),))
    >>> "Nearly &lt;so&gt;." in study(found, title="people", kind="blend")
    True
    """
    about: Mapping[str, Any] = assessment.about
    drawn = {f.name: blocks(f) for f in assessment.findings}
    told = dict.fromkeys([*notes, *about.get("notes", [])])
    facts = [(plain(key), scalar(value)) for key, value in about.items() if isinstance(value, str | int | float)]
    return filled("study.html.j2", chart_ids(drawn.values()), title=title, kind=kind, lead=lead, notes=list(told),
                  findings=assessment.findings, blocks=drawn, ids=addresses(assessment.findings), facts=facts,
                  kinds={}, run={})


def write_study(folder: Path, assessment: Assessment, **said: Any) -> None:
    """Write ``assessment.json`` and ``report.html`` into a folder that is there; `said` is what :func:`study` takes."""
    (folder / "assessment.json").write_text(assessment.to_json() + "\n", encoding="utf-8")
    (folder / "report.html").write_text(study(assessment, **said), encoding="utf-8")
