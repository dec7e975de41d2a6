"""What a finding's page shows of its details. No metric is known here by name.

A detail with one of the keys of `DRAWN` becomes a picture; any other list of flat entries becomes a table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from verisyn.findings import Finding
from verisyn.report._database import VERDICTS, link_parts, schema_of
from verisyn.report._histories import Histories, histories
from verisyn.report._pictures import (
    MOST_LEVELS,
    ColumnPicture,
    Picture,
    column_picture,
    gains,
    heat_maps,
    lines,
    place,
    reach,
    roc,
    worst_first,
)
from verisyn.report._schema import Drawing, drawings
from verisyn.report._tables import Dots, Sheet, dots, sheets
from verisyn.report._words import count
from verisyn.report._words import histories as written

MOST_COLUMNS = 60
SCHEMA_LEAD = ("Parents stand above their children; a line ends in a foot where many rows point to one, and is dashed "
               "where a row may point nowhere. Below each foreign key: how many rows a parent has, the mean and the "
               "range.")


@dataclass(frozen=True)
class Block:
    """One part of a finding's page: a heading, a sentence that tells how to read it, and what is shown."""

    title: str
    lead: str = ""
    columns: tuple[ColumnPicture, ...] = ()
    charts: tuple[Picture, ...] = ()
    dots: Dots | None = None
    sheet: Sheet | None = None
    schema: tuple[Drawing, ...] = ()
    histories: Histories | None = None
    sides: tuple[str, str] = ("real", "synthetic")

    @property
    def pictures(self) -> list[Picture]:
        """The charts that the page's script draws."""
        return [*(c.picture for c in self.columns), *self.charts]


def blocks(finding: Finding) -> list[Block]:
    """Return what a finding's page shows of its details; what has no form that is known here is left alone."""
    left, found = dict(finding.details), []
    for keys, make in DRAWN:
        block = _made(make, finding) if all(left.get(key) for key in keys) else None
        if block is not None:
            found.append(block)
            left = {key: value for key, value in left.items() if key not in keys}
    if "items" in finding.details and link_parts(finding):
        left.pop("links", None)  # items are listed already; each link has a page of its own besides
    return [*found, *(Block(sheet.title, sheet=sheet) for sheet in sheets(left))]


def _made(make: Callable[[Finding], Block | None], finding: Finding) -> Block | None:
    """Return the picture; None where a stranger's metric means something else by the same key."""
    try:
        return make(finding)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        return None


def _columns(finding: Finding) -> Block | None:
    told = [c for c in finding.details["columns"] if c.get("real") and c.get("fake")]
    names = finding.details.get("sides")
    sides = (names["real"], names["fake"]) if names else Block.sides
    drawn = tuple(column_picture(c, sides) for c in sorted(told, key=worst_first)[:MOST_COLUMNS])
    more = len(told) - len(drawn)
    if names:
        figure = " The figure is their likeness; 1 is no change." if any(c.value is not None for c in drawn) else ""
        return Block("Before and after", f"The columns that changed most come first.{figure}", columns=drawn,
                     sides=sides) if drawn else None
    if len(told) == 1 and len(drawn) == 1:
        open_ends = "The first and the last bar hold everything beyond." if told[0].get("edges") else ""
        return Block("Real and synthetic", open_ends, columns=drawn)
    lead = ("The least alike come first. The figure is their similarity; 1 is the best. The first and the last bar of "
            "a histogram hold everything beyond.")
    if more:
        lead += f" {count(more, 'more column')}, more alike than these, {'is' if more == 1 else 'are'} not drawn."
    return Block("Column by column", lead, columns=drawn) if drawn else None


def _pairs(finding: Finding) -> Block:
    return Block("Pairs of columns", "How strongly each two columns depend on each other, from 0 (faint) to 1 (full). "
                 "In the third map, blue is stronger than in the real rows and orange is weaker.",
                 charts=tuple(heat_maps(finding.details)))


def _map(finding: Finding) -> Block:
    told = finding.details["map"]
    top = max((share for side in ("real", "fake") for _, _, share in told[side]), default=1.0) or 1.0
    charts = tuple(place(told[side], told["cells"], top, side, name)
                   for side, name in (("real", "Real"), ("fake", "Synthetic")))
    lead = "Rows that are alike lie near each other; the darker a cell, the more rows it holds."
    return Block("A map of the rows", f"{lead}{_directions(told)}", charts=charts)


def _directions(told: Mapping[str, Any]) -> str:
    """Say what a map's two directions are, as far as it tells."""
    axes = "; ".join(f"{way}: {axis}" for way, axis in zip(("Across", "up"), told.get("axes") or (), strict=False))
    explained = told.get("explained")
    share = sum(explained) if isinstance(explained, list) else explained
    said = f" The two directions hold {share:.0%} of what makes rows differ." if isinstance(share, float) else ""
    hidden = told.get("real_left_out")
    said += f" Cells of few real rows show none of them, which hides {hidden:.0%}." if hidden else ""
    return (f" {axes}." if axes else "") + said


def _items(finding: Finding) -> Block | None:
    say = finding.details.get("items_say") or {}
    drawn = dots(finding.details["items"], say)
    title, lead = say.get("title", "One by one"), say.get("lead", "The worst come first.")
    return Block(title, lead, dots=drawn) if drawn else None


def _top(finding: Finding) -> Block:
    return Block("What gives it away", "How much each column helps to tell synthetic rows from real ones.",
                 charts=(gains(finding.details["top"][:MOST_LEVELS]),))


def _roc(finding: Finding) -> Block:
    best = " The closer it runs to the dotted diagonal of guessing, the better." if finding.best == 0.5 else ""
    return Block("Found, against false alarms", f"How many are found at each rate of false alarms.{best}",
                 charts=(roc(finding.details["roc"], f"{finding.title} How many are found, against false alarms"),))


def _lines(finding: Finding) -> Block:
    told = finding.details["lines"]
    cut = any(not low <= p.get(end, low) <= high for chart in told for low, high in [reach(chart)]
              for series in chart["series"] for p in series["points"] for end in ("low", "high"))
    banded = any("low" in p for chart in told for series in chart["series"] for p in series["points"])
    lead = f"Bands are 95 % intervals{'; what reaches far beyond the lines is cut short' if cut else ''}."
    lead = lead if banded else ""
    say, axes = finding.details.get("lines_say") or {}, {(chart["y"], chart["x"]) for chart in told}
    alike = len(told) > 1 and len(axes) == 1 and all(chart.get("title") for chart in told)
    shared = "Up: {}; across: {}.".format(*axes.pop()) if alike else ""
    return Block(say.get("title", "Step by step"), " ".join(filter(None, (say.get("lead", ""), shared, lead))),
                 charts=tuple(lines(chart, shared=alike) for chart in told))


def _schema(finding: Finding) -> Block | None:
    told = schema_of(finding)
    return Block("The tables and their links", SCHEMA_LEAD, schema=drawings(told)) if told else None


def _links(finding: Finding) -> Block | None:
    """List the links shortly, each of which has a page of its own; nothing where items are listed besides."""
    parts = link_parts(finding)
    if not parts or "items" in finding.details:
        return None
    told = [{"name": name, "value": part.value, "interval": part.interval, "note": part.verdict,
             "reference": part.ceiling} for name, part in sorted(parts, key=lambda p: VERDICTS.index(p[1].verdict))]
    laid = dots(told, {"value": "measured", "reference": "ceiling"})
    return Block("Link by link", "The worst come first.", dots=laid)


def _histories(finding: Finding) -> Block | None:
    told = finding.details["histories"]
    laid = histories(told)
    if laid is None or not laid.columns:
        return None
    real, fake = (written(n, side) for n, side in zip(laid.counts, ("real", "synthetic"), strict=True))
    lead = told.get("say") or f"{real} and {fake}"
    lead = f"{lead.rstrip('.')}. Both sides share their axes; across: {laid.time}."
    if any(c.cut for c in laid.columns):
        lead += " Synthetic values far beyond the real ones are drawn at the edge."
    if laid.left:
        lead += f" {count(laid.left, 'more column')} {'is' if laid.left == 1 else 'are'} not drawn."
    return Block("Side by side", lead, histories=laid)


DRAWN: tuple[tuple[tuple[str, ...], Callable[[Finding], Block | None]], ...] = (
    (("schema",), _schema),
    (("histories",), _histories),
    (("links",), _links),
    (("columns",), _columns),
    (("names", "real", "fake"), _pairs),
    (("map",), _map),
    (("items",), _items),
    (("top",), _top),
    (("roc",), _roc),
    (("lines",), _lines),
)
"""Which details become which picture. Beside these, ``links`` makes a page for each link (``_database.link_pages``)."""
