"""The report: one self-contained HTML page about an assessment. It computes nothing; it renders findings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from verisyn import schema
from verisyn.findings import Assessment, Finding
from verisyn.report import _words
from verisyn.report._charts import templates
from verisyn.report._pictures import Pictures, pictures
from verisyn.report._strips import strip

_HERE = Path(__file__).parent


def render(assessment: Assessment, *, title: str, table: schema.Table | None = None,
           run: Mapping[str, Any] | None = None, notes: Sequence[str] = ()) -> str:
    """Return the whole report as HTML text: works offline, on a phone, in the dark and on paper.

    Parameters
    ----------
    assessment : Assessment
        What was found. Pictures are drawn from the findings' details.
    title : str
        The name of the data.
    table : schema.Table, optional
        What each column is.
    run : mapping, optional
        How the data was made, as in ``run.json``; any key may be absent.
    notes : sequence of str
        Sentences that a reader should know.

    Returns
    -------
    str
        A page that asks the network for nothing, and forbids the browser to.

    Examples
    --------
    >>> from verisyn.findings import Finding
    >>> page = render(Assessment((Finding("fidelity.x", "Alike?", "good", "They are."),)), title="<people>")
    >>> "&lt;people&gt;" in page and "<people>" not in page
    True
    """
    from jinja2 import Environment, FileSystemLoader

    drawn = pictures(assessment, (run or {}).get("dial"))
    environment = Environment(loader=FileSystemLoader(_HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    about = {"rows": {}, **assessment.about}
    run = {"rows": about.pop("rows"), **(run or {})}
    notes = list(dict.fromkeys([*notes, *about.pop("notes", [])]))
    answered = [f for f in assessment.findings if f.verdict != "not answered"]
    memory = Finding.from_dict(run["memory"]) if run.get("memory") else None
    ids = {id(picture): name for name, picture in drawn.all.items()}
    return environment.get_template("page.html.j2").render(
        title=title, run=run, memory=memory, notes=notes, about=about, words=_words, strip=strip,
        answer=_words.answer(assessment), questions=_words.by_question(assessment.findings),
        answered=_words.by_question(answered), unanswered=[f for f in assessment.findings if f not in answered],
        pictures=drawn, chart_id=lambda picture: ids[id(picture)], kinds=_kinds(table), charts=_charts(drawn),
        style=_asset("style.css"), script=_asset("page.js"), vega=_vega() if drawn.all else "")


def _charts(drawn: Pictures) -> str:
    """Return templates and rows as JSON that cannot end the script element that holds it."""
    figures = {name: {"template": p.template, "rows": p.rows, "height": p.height} for name, p in drawn.all.items()}
    known = templates({p.template for p in drawn.all.values()})
    text = json.dumps({"templates": known, "figures": figures}, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _vega() -> str:
    """Return the chart library; empty where the package was not built (the page then says what to do)."""
    path = _HERE / "vega.js"
    return path.read_text(encoding="utf-8").replace("</script", "<\\/script") if path.exists() else ""


def _asset(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _kinds(table: schema.Table | None) -> dict[str, str]:
    return {column.name: column.kind for column in table.columns} if table else {}
