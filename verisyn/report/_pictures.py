"""The charts of a report: from a finding's details, the rows that fill the chart templates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from verisyn.report._words import figure

MOST_LEVELS = 8
_DOTTED = 30
"""Lines of more points than this are drawn without dots."""
_DURATIONS = ((86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))


@dataclass(frozen=True)
class Picture:
    """One figure: a template, its rows (a list a field, to keep the page small), and words for who cannot see it."""

    template: str
    rows: dict[str, list[Any]]
    label: str
    height: int = 120
    name: str = ""


@dataclass(frozen=True)
class ColumnPicture:
    """The overlay of one column, with its heading and what the chart does not show."""

    name: str
    value: float | None
    remarks: tuple[str, ...]
    picture: Picture


def worst_first(column: Mapping[str, Any]) -> float:
    """Give the place of a column among others: the least alike first, those without a figure last."""
    value = column.get("value")
    return 2.0 if value is None else value


def column_picture(column: dict[str, Any], sides: tuple[str, str] = ("real", "synthetic")) -> ColumnPicture:
    """Draw one column: a histogram, or a bar a level; `sides` are what the two are called."""
    real, fake = column.get("missing_real") or 0.0, column.get("missing_fake") or 0.0
    remarks = [f"missing {real:.1%} {sides[0]}, {fake:.1%} {sides[1]}"] if real or fake else []
    make = _histogram if column.get("edges") else _bars
    picture, unit = make(column)
    return ColumnPicture(str(column["name"]), column.get("value"), (*([unit] if unit else []), *remarks), picture)


def _bars(column: dict[str, Any]) -> tuple[Picture, str]:
    """Draw the most frequent levels; the rest is one bar."""
    rows = [(str(label), r, f) for label, r, f in zip(column["labels"], column["real"], column["fake"], strict=True)]
    shown, rest = rows[:MOST_LEVELS], rows[MOST_LEVELS:]
    if len(rest) == 1:
        shown, rest = rows, []
    elif rest:
        shown.append((f"{len(rest)} more", sum(r for _, r, _ in rest), sum(f for _, _, f in rest)))
    labels, real, fake = ([row[i] for row in shown] for i in range(3))
    label = f"{column['name']}: share of each level, real and synthetic; {_told(column)}"
    return Picture("levels", {"label": labels, "real": real, "fake": fake}, label, max(40, 17 * len(shown))), ""


def _histogram(column: dict[str, Any]) -> tuple[Picture, str]:
    """Draw shares as areas: height is share per width. The end bins are open; far-reaching ones are cut short."""
    edges, write, unit = _drawn(column)
    starts, ends = _cut(edges)
    widths = [b - a for a, b in zip(starts, ends, strict=True)]
    real, fake = ([share / w for share, w in zip(column[side], widths, strict=True)] for side in ("real", "fake"))
    top = max([*real, *fake]) or 1.0
    bins = [f"{write(a)} to {write(b)}" for a, b in pairwise(edges)]
    if len(bins) > 2:
        bins[0], bins[-1] = f"up to {write(edges[1])}", f"from {write(edges[-2])}"
    shares = {title: [None, *(f"{s:.2%}" for s in column[side]), None]
              for side, title in (("real", "share"), ("fake", "synthetic"))}
    rows = {"x0": [starts[0], *starts, ends[-1]], "x1": [starts[0], *ends, ends[-1]],
            "real": [0.0, *(round(r / top, 4) for r in real), 0.0],
            "fake": [0.0, *(round(f / top, 4) for f in fake), 0.0],
            "order": list(range(len(starts) + 2)), "bin": [None, *bins, None], **shares}
    label = f"{column['name']}: histogram of real and synthetic values; {_told(column)}"
    return Picture("moments" if column["type"] == "time" else "numbers", rows, label), unit


def _cut(edges: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return where bins start and end: none without width, the first and the last not far wider than the rest."""
    starts, ends = list(edges[:-1]), list(edges[1:])
    whole = (edges[-1] - edges[0]) or abs(edges[0]) or 1.0
    inner = sorted(b - a for a, b in zip(starts[1:-1], ends[1:-1], strict=True)) or [whole / len(starts)]
    usual = inner[len(inner) // 2] or whole / len(starts)
    starts[0] = max(starts[0], ends[0] - 3 * usual)
    ends[-1] = min(ends[-1], starts[-1] + 3 * usual)
    least = max(whole / 1000, 4 * float(np.spacing(max(map(abs, edges)))), 1e-300)  # a width that survives the addition
    return starts, [max(end, start + least) for start, end in zip(starts, ends, strict=True)]


def _drawn(column: dict[str, Any]) -> tuple[list[float], Callable[[float], str], str]:
    """Return the edges in the units they are drawn in, how one is written, and the unit's name."""
    edges = column["edges"]
    if column["type"] == "time":
        return [1000 * e for e in edges], _moment, ""
    if column["type"] == "duration":
        size, unit = next((d for d in _DURATIONS if abs(edges[-1] - edges[0]) >= 2 * d[0]), _DURATIONS[-1])
        return [e / size for e in edges], figure, f"in {unit}"
    return list(edges), figure, ""


def _moment(milliseconds: float) -> str:
    return str(np.datetime64(int(milliseconds // 60_000), "m")).replace("T", " ")


def _told(column: dict[str, Any]) -> str:
    return f"similarity {figure(column.get('value'))}"


def heat_maps(pairs: Mapping[str, Any]) -> Iterator[Picture]:
    """Draw the strength of dependence of each pair: real, synthetic, and the difference."""
    names, real, fake = pairs["names"], pairs["real"], pairs["fake"]
    cells = [(a, b) for a in range(len(names)) for b in range(len(names)) if a != b]
    height = max(150, min(330, 15 * len(names)))
    values = {"real": [real[a][b] for a, b in cells], "fake": [fake[a][b] for a, b in cells]}
    values["gap"] = [f - r for r, f in zip(values["real"], values["fake"], strict=True)]
    for title, side in (("Real", "real"), ("Synthetic", "fake"), ("Difference", "gap")):
        rows = {"a": [str(names[a]) for a, _ in cells], "b": [str(names[b]) for _, b in cells],
                "v": [round(v, 3) for v in values[side]]}
        label = f"{title}: dependence of each pair of {len(names)} columns"
        yield Picture(side, rows, label, height, title)


def dial_of(curve: Mapping[str, Any]) -> Picture:
    """Draw the points of a privacy dial's curve; the chosen one stands out."""
    points, words = curve["points"], {0.0: "low", 0.5: "standard", 1.0: "high"}
    rows = {field: [p[field] for p in points] for field in ("privacy", "attack", "c2st")}
    rows |= {f"{field}_{end}": [p[f"{field}_interval"][i] for p in points]
             for field in ("attack", "c2st") for i, end in enumerate(("low", "high"))}
    rows["chosen"] = [p["privacy"] == curve["chosen"] for p in points]
    rows["label"] = [words.get(p["privacy"], "this model" if p["privacy"] == curve["chosen"] else "") for p in points]
    return Picture("dial", rows, f"What the privacy dial does. {curve['sentence']}", 260)


def lines(chart: Mapping[str, Any], *, shared: bool = False) -> Picture:
    """Draw series over a common axis, each with the band of its intervals where it has them.

    Where its axes are `shared` with the charts beside it, they are told there, and its title alone is its name.
    Bands that reach far beyond all lines are cut short, lest nothing but bands be seen.
    """
    points = [(series["name"], p) for series in sorted(chart["series"], key=_hue) for p in series["points"]]
    low, high = reach(chart)
    rows = {"series": [str(name) for name, _ in points], "x": [p["x"] for _, p in points],
            "y": [p["y"] for _, p in points], "low": [p.get("low", p["y"]) for _, p in points],
            "high": [p.get("high", p["y"]) for _, p in points]}
    rows |= {"from": [max(v, low) for v in rows["low"]], "to": [min(v, high) for v in rows["high"]]}
    steps = all(float(x).is_integer() for x in rows["x"]) and max(rows["x"]) > 1
    dotted = max(len(series["points"]) for series in chart["series"]) <= _DOTTED
    rows["size"] = [34 if dotted else 0] * len(points)
    told = f"{chart['y']} over {chart['x']}: {', '.join(dict.fromkeys(rows['series']))}"
    name = str(chart["title"]) if shared else f"{chart.get('title') or chart['y']}, by {chart['x']}"
    return Picture("steps" if steps else "lines", rows, told, 240, name)


def _hue(series: Mapping[str, Any]) -> int:
    """Give synthetic and real series the report's colours: the first is drawn in the one accent, the second in ink."""
    return {"synthetic": 0, "real": 1}.get(str(series["name"]), 2)


def reach(chart: Mapping[str, Any]) -> tuple[float, float]:
    """Return how far the bands of a line chart are drawn: as far again as its lines reach, on either side.

    Examples
    --------
    >>> reach({"series": [{"points": [{"y": 0.5, "low": -3, "high": 4}, {"y": 0.6}]}]})
    (0.4, 0.7)
    """
    values = [p["y"] for series in chart["series"] for p in series["points"]]
    least, most = min(values), max(values)
    more = max(most - least, 0.02 * max(abs(least), abs(most)))
    return round(least - more, 9), round(most + more, 9)


def roc(points: Sequence[Sequence[float]], label: str) -> Picture:
    """Draw a ROC curve."""
    return Picture("roc", {"fpr": [p[0] for p in points], "tpr": [p[1] for p in points]}, label, 240)


def gains(top: Sequence[Mapping[str, Any]]) -> Picture:
    """Draw columns by what they give a classifier."""
    rows = {"label": [str(t["name"]) for t in top], "gain": [t["gain"] for t in top]}
    return Picture("gains", rows, "Columns by how much they give away", 22 * len(top) + 20)


def place(cells: Sequence[Sequence[float]], most: int, top: float, side: str, name: str) -> Picture:
    """Draw one side of a map of `most` by `most` cells; `top` is the largest share on either side.

    Strength grows with the root of the share, so that cells with few rows are seen too. Two empty cells at the corners
    give both sides one frame.
    """
    drawn = [(x, y, max(0.1, round((share / top) ** 0.5, 3)), round(share, 6)) for x, y, share in cells]
    rows = [(0, 0, 0.0, 0.0), *drawn, (most - 1, most - 1, 0.0, 0.0)]
    told = {key: [row[i] for row in rows] for i, key in enumerate(("x", "y", "v", "share"))}
    return Picture(f"map_{side}", told, f"{name} rows on a map of two directions", 300, name)
