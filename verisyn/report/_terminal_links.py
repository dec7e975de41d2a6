"""The tables of a database and the links between them, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from verisyn.findings import Assessment
from verisyn.report import _words
from verisyn.report._database import Database, link_pages

if TYPE_CHECKING:
    from rich.console import RenderableType

_LINKS = 8


def tables(base: Database | None) -> list[RenderableType]:
    """The rows of each table, real and synthetic."""
    from rich.text import Text

    if base is None:
        return []
    sides = [(t.name, [t.rows, *([] if t.public else [t.fake])]) for t in base.tables]
    told = [" ".join((name, " → ".join(f"{n:,}" for n in rows if n is not None))).strip() for name, rows in sides]
    head = Text.assemble(("The tables", "bold"), "  ", ("real rows → synthetic rows", "dim"))
    return [Text(), head, Text(", ".join(told))]


def links(assessment: Assessment, styles: Mapping[str, str]) -> list[RenderableType]:
    """The links, the worst first: how many children a parent has, real and synthetic."""
    from rich.table import Table
    from rich.text import Text

    pages = link_pages(assessment)
    if not pages:
        return []
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(width=1)
    table.add_column(ratio=1, overflow="ellipsis", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    for page in pages[:_LINKS]:
        name = Text.assemble(page.name, (f" → {page.parent}", "dim"))
        real, fake = (page.link.real, page.link.fake) if page.link else ("", "")
        table.add_row(Text(_words.SYMBOLS[page.verdict], style=styles[page.verdict]), name, Text(real, style="dim"),
                      Text(fake))
    more = len(pages) - _LINKS
    said = "rows for each parent, mean (range): real, synthetic"
    head = Text.assemble(("The links", "bold"), "  ", (said, "dim"))
    return [Text(), head, table,
            *([Text(f"  and {_words.count(more, 'more link')} in the report", style="dim")] if more > 0 else [])]
