"""The report: one self-contained HTML page about an assessment. It computes nothing; it renders findings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from verisyn import schema
from verisyn.findings import Assessment, Finding
from verisyn.report import _use, _words
from verisyn.report._blocks import SCHEMA_LEAD, Block, blocks
from verisyn.report._charts import templates
from verisyn.report._database import LinkPage, link_pages
from verisyn.report._pictures import Picture, dial_of
from verisyn.report._strips import strip

_HERE = Path(__file__).parent


def render(assessment: Assessment, *, title: str, table: schema.Table | schema.Schema | None = None,
           run: Mapping[str, Any] | None = None, notes: Sequence[str] = ()) -> str:
    """Return the whole report as HTML text: works offline, on a phone, in the dark and on paper.

    Every finding has a page of its own in the one file, named by its address (``#fidelity.pairs``), and so has every
    link between tables (``#link.orders.customer_id``); without JavaScript and on paper, all pages follow one another.

    Parameters
    ----------
    assessment : Assessment
        What was found. Pictures are drawn from the findings' details.
    title : str
        The name of the data.
    table : schema.Table or schema.Schema, optional
        What each column is; of several tables, their schema.
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
    about = {"rows": {}, **assessment.about}
    run = {"rows": about.pop("rows"), **(run or {})}
    notes = list(dict.fromkeys([*notes, *about.pop("notes", [])]))
    groups = _words.by_question(assessment.findings)
    findings = [f for group in groups.values() for f in group]
    drawn = {f.name: blocks(f) for f in findings}
    ids = addresses(findings)
    links = [_Page(page, ids, [blocks(part) for _, part in page.told]) for page in link_pages(assessment)]
    run = {key: about.pop(key, None) for key in ("tables", "entities")} | run
    dial = dial_of(run["dial"]) if run.get("dial") else None
    charts = chart_ids([*drawn.values(), *(part for page in links for part in page.blocks)], dial)
    first = {key: next(((name, b) for name, page in drawn.items() for b in page if getattr(b, key)), ("", None))
             for key in ("schema", "histories")}
    return filled(
        "page.html.j2", charts, kind="synthetic data report", title=title, run=run, about=about, notes=notes, use=_use,
        answer=_use.answer(assessment), leads=_use.leads(assessment), questions=groups, findings=findings,
        answered=_words.by_question([f for f in findings if f.verdict != "not answered"]),
        unanswered=[f for f in findings if f.verdict == "not answered"], blocks=drawn, ids=ids,
        links=links, pages={page.name: page for page in links}, shown={key: block for key, (_, block) in first.items()},
        where={key: name for key, (name, _) in first.items()}, schema_lead=SCHEMA_LEAD,
        tables=table.tables if isinstance(table, schema.Schema) and len(table.tables) > 1 else (),
        memory=Finding.from_dict(run["memory"]) if run.get("memory") else None, dial=dial,
        assessment=assessment, kinds=_kinds(table))


class _Page:
    """A link's page: what is told of it, its address, and what is drawn of each thing told."""

    def __init__(self, page: LinkPage, taken: dict[str, str], drawn: list[list[Block]]) -> None:
        self.name, self.child, self.parent, self.link = page.name, page.child, page.parent, page.link
        self.told, self.verdict, self.blocks = page.told, page.verdict, drawn
        self.address = taken[f"link {page.name}"] = _address(f"link.{page.name}", taken.values())


def filled(template: str, charts: Mapping[int, tuple[str, Picture]], **content: Any) -> str:
    """Return a template filled with its content, its charts and all that a page needs to stand alone."""
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(loader=FileSystemLoader(_HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template(template).render(
        **{"pages": {}, **content}, words=_words, strip=strip, chart_id=lambda picture: charts[id(picture)][0],
        charts=_charts(charts) if charts else "", style=_asset("style.css") + _asset("many.css"),
        script=_asset("page.js"), vega=_vega() if charts else "")


def addresses(findings: Iterable[Finding]) -> dict[str, str]:
    """Return for each finding's name the address of its page: letters, digits and dots, each once."""
    taken: dict[str, str] = {}
    for finding in findings:
        plain = finding.name
        taken[finding.name] = _address(plain if "." in plain else f"finding.{plain}", taken.values())
    return taken


def _address(words: str, taken: Iterable[str]) -> str:
    address, others = re.sub(r"[^\w.-]+", "-", words), set(taken)
    while address in others:
        address += "-"
    return address


def chart_ids(drawn: Iterable[list[Block]], dial: Picture | None = None) -> dict[int, tuple[str, Picture]]:
    """Return an id for each picture, by its identity."""
    pictures = [p for page in drawn for block in page for p in block.pictures] + ([dial] if dial else [])
    return {id(picture): (f"chart-{i}", picture) for i, picture in enumerate(pictures)}


def _charts(ids: Mapping[int, tuple[str, Picture]]) -> str:
    """Return templates and rows as JSON that cannot end the script element that holds it."""
    figures = {name: {"template": p.template, "rows": p.rows, "height": p.height} for name, p in ids.values()}
    known = templates({p.template for _, p in ids.values()})
    text = json.dumps({"templates": known, "figures": figures}, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _vega() -> str:
    """Return the chart library; empty where the package was not built (the page then says what to do)."""
    path = _HERE / "vega.js"
    return path.read_text(encoding="utf-8").replace("</script", "<\\/script") if path.exists() else ""


def _asset(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _kinds(told: schema.Table | schema.Schema | None) -> dict[str, str]:
    """Return what each column is; of several tables, by ``table.column``, and by a name that means one kind only."""
    tables = told.tables if isinstance(told, schema.Schema) else (told,) if told else ()
    columns = [(table.name, column) for table in tables for column in table.columns]
    kinds: dict[str, set[str]] = {}
    for _, column in columns:
        kinds.setdefault(column.name, set()).add(column.kind)
    return {**{f"{name}.{column.name}": column.kind for name, column in columns},
            **{name: min(found) for name, found in kinds.items() if len(found) == 1}}
