"""The charts of a report: a few Altair templates, and for each figure the rows that fill one.

A template is written once in the page however many figures use it; the page compiles it with Vega-Lite and fills in the
rows when the figure scrolls into view. Colours are CSS variables, so that charts follow dark mode and paper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from verisyn.findings import Assessment
from verisyn.report._words import figure

MOST_COLUMNS = 60
MOST_LEVELS = 8
MOST_LABELS = 24
_EPOCH = datetime(1970, 1, 1)
_DURATIONS = ((86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))
_REAL, _FAKE = "var(--real)", "var(--fake)"


@dataclass(frozen=True)
class Picture:
    """One figure: a template, its rows (column by column, to keep the page small), and words for all who cannot see it."""

    template: str
    rows: dict[str, list[Any]]
    label: str
    height: int = 120


@dataclass(frozen=True)
class ColumnPicture:
    """The overlay of one column, with its heading and what the chart does not show."""

    name: str
    value: float | None
    remarks: tuple[str, ...]
    picture: Picture


@dataclass(frozen=True)
class Pictures:
    """Everything a report draws."""

    columns: tuple[ColumnPicture, ...] = ()
    columns_left_out: int = 0
    pairs: tuple[tuple[str, Picture], ...] = ()
    worst_pairs: tuple[dict[str, Any], ...] = ()
    telling: tuple[tuple[str, Picture], ...] = ()
    attack: Picture | None = None
    all: dict[str, Picture] = field(default_factory=dict)


def pictures(assessment: Assessment) -> Pictures:
    """Collect the pictures that the findings' details hold; details of another form are left alone."""
    details = {f.name: f.details for f in assessment.findings}
    told = sorted(details.get("fidelity.marginals", {}).get("columns", []), key=_worst_first)
    columns = tuple(map(_column, told[:MOST_COLUMNS]))
    pairs = details.get("fidelity.pairs", {})
    heat = tuple(_heat(pairs)) if pairs.get("names") else ()
    telling = tuple(_telling(details.get("fidelity.two_sample", {})))
    roc = details.get("privacy.membership", {}).get("roc")
    attack = _roc(roc, "Membership attack: rows found out among rows seen, against false alarms among rows never seen") \
        if roc else None
    everything = [c.picture for c in columns] + [p for _, p in (*heat, *telling)] + ([attack] if attack else [])
    return Pictures(columns, len(told) - len(columns), heat, tuple(pairs.get("worst", ())[:8]), telling, attack,
                    {f"chart-{i}": p for i, p in enumerate(everything)})


def _worst_first(column: dict[str, Any]) -> float:
    value = column.get("value")
    return 2.0 if value is None else value


def _column(column: dict[str, Any]) -> ColumnPicture:
    real, fake = column.get("missing_real") or 0.0, column.get("missing_fake") or 0.0
    remarks = [f"missing {real:.1%} real, {fake:.1%} synthetic"] if real or fake else []
    make = _histogram if column.get("edges") else _bars
    picture, unit = make(column)
    return ColumnPicture(str(column["name"]), column.get("value"), (*([unit] if unit else []), *remarks), picture)


def _bars(column: dict[str, Any]) -> tuple[Picture, str]:
    """Draw the most frequent levels; the rest is one bar."""
    rows = [(str(label), r, f) for label, r, f in zip(column["labels"], column["real"], column["fake"], strict=True)]
    shown, rest = rows[:MOST_LEVELS], rows[MOST_LEVELS:]
    if len(rest) == 1:
        shown, rest = rows, []
    if rest:
        shown.append((f"{len(rest)} more", sum(r for _, r, _ in rest), sum(f for _, _, f in rest)))
    labels, real, fake = ([row[i] for row in shown] for i in range(3))
    label = f"{column['name']}: share of each level, real and synthetic; {_told(column)}"
    return Picture("levels", {"label": labels, "real": real, "fake": fake}, label, max(40, 17 * len(shown))), ""


def _histogram(column: dict[str, Any]) -> tuple[Picture, str]:
    """Draw shares as areas: height is share per width. Far-reaching end bins are cut short, and said to be."""
    edges, write, unit = _drawn(column)
    inner = sorted(b - a for a, b in zip(edges[1:-2], edges[2:-1], strict=True)) or [edges[-1] - edges[0]]
    usual = inner[len(inner) // 2] or (edges[-1] - edges[0]) / max(1, len(edges) - 1) or 1.0
    starts, ends = list(edges[:-1]), list(edges[1:])
    cut = ends[0] - starts[0] > 3 * usual, ends[-1] - starts[-1] > 3 * usual
    starts[0] = ends[0] - usual if cut[0] else starts[0]
    ends[-1] = starts[-1] + usual if cut[1] else ends[-1]
    ends = [max(e, s + usual / 50) for s, e in zip(starts, ends, strict=True)]
    widths = [e - s for s, e in zip(starts, ends, strict=True)]
    real, fake = ([share / w for share, w in zip(column[side], widths, strict=True)] for side in ("real", "fake"))
    top = max([*real, *fake, 0.0]) or 1.0
    rows = {"x0": [starts[0], *starts, ends[-1]], "x1": [starts[0], *ends, ends[-1]],
            "real": [0.0, *(r / top for r in real), 0.0], "fake": [0.0, *(f / top for f in fake), 0.0],
            "order": list(range(len(starts) + 2)),
            "bin": ["", *(f"{write(a)} to {write(b)}" for a, b in zip(edges[:-1], edges[1:], strict=True)), ""],
            "share": ["", *(f"{r:.2%} real, {f:.2%} synthetic"
                            for r, f in zip(column["real"], column["fake"], strict=True)), ""]}
    template = "moments" if column["type"] == "time" else "numbers"
    unit = "; ".join(filter(None, [unit, "the outermost bins hold everything beyond" if any(cut) else ""]))
    return Picture(template, rows, f"{column['name']}: histogram of real and synthetic values; {_told(column)}"), unit


def _drawn(column: dict[str, Any]) -> tuple[list[float], Callable[[float], str], str]:
    """Return the edges in the units they are drawn in, how one is written, and the unit's name."""
    edges = column["edges"]
    if column["type"] == "time":
        return [1000 * e for e in edges], lambda ms: f"{_EPOCH + timedelta(milliseconds=ms):%Y-%m-%d %H:%M}", ""
    if column["type"] == "duration":
        size, unit = next((d for d in _DURATIONS if abs(edges[-1] - edges[0]) >= 2 * d[0]), _DURATIONS[-1])
        return [e / size for e in edges], figure, f"in {unit}"
    return list(edges), figure, ""


def _told(column: dict[str, Any]) -> str:
    return f"similarity {figure(column.get('value'))}"


def _heat(pairs: dict[str, Any]) -> Iterator[tuple[str, Picture]]:
    names, real, fake = pairs["names"], pairs["real"], pairs["fake"]
    cells = [(a, b) for a in range(len(names)) for b in range(len(names)) if a != b]
    axis = "labelled" if len(names) <= MOST_LABELS else "bare"
    height = max(150, min(330, 15 * len(names)))
    for title, side, value in (("Real", "real", lambda a, b: real[a][b]), ("Synthetic", "fake", lambda a, b: fake[a][b]),
                               ("Difference", "gap", lambda a, b: fake[a][b] - real[a][b])):
        rows = {"a": [str(names[a]) for a, _ in cells], "b": [str(names[b]) for _, b in cells],
                "v": [round(value(a, b), 3) for a, b in cells]}
        yield title, Picture(f"{side}-{axis}", rows, f"{title}: dependence of each pair of {len(names)} columns", height)


def _telling(details: dict[str, Any]) -> Iterator[tuple[str, Picture]]:
    if details.get("roc"):
        yield "Real or synthetic?", _roc(details["roc"], "ROC curve of a classifier that tells synthetic rows from real rows")
    if details.get("top"):
        top = details["top"][:MOST_LEVELS]
        rows = {"label": [str(t["name"]) for t in top], "gain": [t["gain"] for t in top]}
        yield "What gives it away", Picture("gains", rows, "Columns by how much they help the classifier", 22 * len(top))


def _roc(points: Sequence[Sequence[float]], label: str) -> Picture:
    return Picture("roc", {"fpr": [p[0] for p in points], "tpr": [p[1] for p in points]}, label, 240)


def templates(names: set[str]) -> dict[str, dict[str, Any]]:
    """Return the Vega-Lite specifications of the named templates."""
    makers = {"numbers": lambda: _overlay("quantitative"), "moments": lambda: _overlay("temporal"), "levels": _levels,
              "roc": _curve, "gains": _gains}
    makers |= {f"{side}-{axis}": lambda s=side, a=axis: _cells(s, a == "labelled")  # type: ignore[misc]
               for side in ("real", "fake", "gap") for axis in ("labelled", "bare")}
    return {name: _styled(makers[name]()) for name in sorted(names)}


def _styled(chart: Any) -> dict[str, Any]:
    """Give a chart the house style; every colour is a variable of the page."""
    axis = {"labelColor": "var(--quiet)", "titleColor": "var(--quiet)", "domainColor": "var(--line)",
            "tickColor": "var(--line)", "gridColor": "var(--hair)", "labelFontSize": 11, "titleFontSize": 11,
            "titleFontWeight": "normal", "tickSize": 4, "labelPadding": 4}
    chart = chart.properties(width="container").configure(font="system-ui, sans-serif", background="transparent")
    spec = chart.configure_view(stroke=None).configure_axis(**axis).to_dict()
    spec.pop("$schema", None)
    return spec


def _overlay(kind: str) -> Any:
    """Real values as a grey area of bars, synthetic values as a line over it."""
    import altair as alt

    base = alt.Chart(alt.NamedData("rows")).encode(
        x=alt.X(f"x0:{kind[0].upper()}", title=None, axis=alt.Axis(grid=False, tickCount=4, labelFlush=True),
                scale=alt.Scale(zero=False, nice=False, **({"type": "utc"} if kind == "temporal" else {}))))
    height = alt.Scale(domain=[0, 1.04])
    bars = base.mark_rect(color=_REAL).encode(x2="x1", y=alt.Y("real:Q", axis=None, scale=height), y2=alt.datum(0))
    line = base.mark_line(interpolate="step-after", color=_FAKE, strokeWidth=1.75).encode(
        y=alt.Y("fake:Q", axis=None, scale=height), order="order:Q")
    hover = base.mark_rect(opacity=0).encode(x2="x1", y=alt.datum(0), y2=alt.datum(1.04), tooltip=["bin:N", "share:N"])
    return alt.layer(bars, line, hover)


def _levels() -> Any:
    """Real shares as wide grey bars, synthetic shares as slim ones inside them."""
    import altair as alt

    base = alt.Chart(alt.NamedData("rows")).encode(
        y=alt.Y("label:N", sort=None, title=None,
                axis=alt.Axis(labelLimit=110, ticks=False, domain=False, labelColor="var(--ink)")),
        tooltip=["label:N", alt.Tooltip("real:Q", format=".2%"), alt.Tooltip("fake:Q", title="synthetic", format=".2%")])
    share = {"axis": alt.Axis(format=".0%", tickCount=3, grid=False), "title": None}
    bars = base.mark_bar(color=_REAL, height={"band": 0.86}).encode(x=alt.X("real:Q", **share))
    return alt.layer(bars, base.mark_bar(color=_FAKE, height={"band": 0.3}).encode(x=alt.X("fake:Q", **share)))


def _cells(side: str, labelled: bool) -> Any:
    """One heat map: strength is opacity, so that one hue serves a light and a dark page."""
    import altair as alt

    label = alt.Axis(labels=labelled, ticks=False, domain=False, labelLimit=78, labelFontSize=10, title=None)
    colour = {"real": alt.value("var(--ink)"), "fake": alt.value(_FAKE),
              "gap": alt.condition("datum.v < 0", alt.value("var(--less)"), alt.value(_FAKE))}[side]
    full = 0.5 if side == "gap" else 1.0
    return alt.Chart(alt.NamedData("rows")).transform_calculate(size="abs(datum.v)").mark_rect().encode(
        x=alt.X("a:N", sort=None, axis=None), y=alt.Y("b:N", sort=None, axis=label), color=colour,
        opacity=alt.Opacity("size:Q", legend=None, scale=alt.Scale(domain=[0, full], range=[0.04, 1], clamp=True)),
        tooltip=["a:N", "b:N", alt.Tooltip("v:Q", format=".3f", title="difference" if side == "gap" else "dependence")])


def _curve() -> Any:
    """A ROC curve over the diagonal of guessing."""
    import altair as alt

    share = {"scale": alt.Scale(domain=[0, 1]), "axis": alt.Axis(format=".0%", tickCount=5)}
    line = alt.Chart(alt.NamedData("rows")).mark_line(color=_FAKE, strokeWidth=2).encode(
        x=alt.X("fpr:Q", title="false alarms", **share), y=alt.Y("tpr:Q", title="found", **share))
    chance = line.mark_line(color="var(--quiet)", strokeDash=[3, 4], strokeWidth=1).encode(y=alt.Y("fpr:Q", title="found", **share))
    return alt.layer(chance, line)


def _gains() -> Any:
    """Columns by what they give a classifier."""
    import altair as alt

    return alt.Chart(alt.NamedData("rows")).mark_bar(color=_FAKE, height={"band": 0.55}).encode(
        x=alt.X("gain:Q", title=None, axis=alt.Axis(grid=False, tickCount=4)), tooltip=["label:N", "gain:Q"],
        y=alt.Y("label:N", sort=None, title=None,
                axis=alt.Axis(labelLimit=130, ticks=False, domain=False, labelColor="var(--ink)")))

