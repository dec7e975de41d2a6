"""What a finding's page shows of its details. No metric is known here by name.

A detail with one of the keys of `DRAWN` becomes a picture; any other list of flat entries becomes a table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from verisyn.findings import Finding
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
from verisyn.report._tables import Dots, Sheet, dots, sheets
from verisyn.report._words import count

MOST_COLUMNS = 60


@dataclass(frozen=True)
class Block:
    """One part of a finding's page: a heading, a sentence that tells how to read it, and what is shown."""

    title: str
    lead: str = ""
    columns: tuple[ColumnPicture, ...] = ()
    charts: tuple[Picture, ...] = ()
    dots: Dots | None = None
    sheet: Sheet | None = None
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
    lead = f"Bands are 95 % intervals{'; what reaches far beyond the lines is cut short' if cut else ''}."
    return Block("Step by step", lead, charts=tuple(map(lines, told)))


DRAWN: tuple[tuple[tuple[str, ...], Callable[[Finding], Block | None]], ...] = (
    (("columns",), _columns),
    (("names", "real", "fake"), _pairs),
    (("map",), _map),
    (("items",), _items),
    (("top",), _top),
    (("roc",), _roc),
    (("lines",), _lines),
)
"""Which details become which picture."""
