"""The chart templates of a report, made with Altair.

A template is written once in the page however many figures use it; the page hands it to Vega-Lite together with a
figure's rows when the figure scrolls into view. Colours are CSS variables, so that charts follow dark mode and paper.
"""

from __future__ import annotations

from typing import Any

_REAL, _FAKE = "var(--real)", "var(--fake)"
_HUES = ["var(--fake)", "var(--ink)", "var(--less)", "var(--quiet)", "var(--good)", "var(--poor)"]
_DASHES = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [1, 3], [10, 4]]
_QUIET_AXIS = {"labelColor": "var(--quiet)", "titleColor": "var(--quiet)", "domainColor": "var(--line)",
               "tickColor": "var(--line)", "gridColor": "var(--hair)", "labelFontSize": 11, "titleFontSize": 11,
               "titleFontWeight": "normal", "tickSize": 4, "labelPadding": 4}


def templates(names: set[str]) -> dict[str, dict[str, Any]]:
    """Return the Vega-Lite specifications of the named templates."""
    makers = {"numbers": lambda: _overlay(moments=False), "moments": lambda: _overlay(moments=True), "levels": _levels,
              "roc": _curve, "gains": _gains, "real": lambda: _heat("real"), "fake": lambda: _heat("fake"),
              "gap": lambda: _heat("gap"), "dial": _dial, "map_real": lambda: _map("var(--ink)"),
              "map_fake": lambda: _map(_FAKE), "lines": lambda: _lines(steps=False),
              "steps": lambda: _lines(steps=True)}
    return {name: _styled(makers[name]()) for name in sorted(names)}


def _styled(chart: Any) -> dict[str, Any]:
    """Give a chart the house style; every colour is a variable of the page."""
    chart = chart.properties(width="container").configure(font="system-ui, sans-serif", background="transparent")
    spec = chart.configure_view(stroke=None).configure_axis(**_QUIET_AXIS).to_dict()
    spec.pop("$schema", None)
    return spec


def _overlay(moments: bool) -> Any:
    """Draw real values as a grey area, synthetic values as a line over it."""
    import altair as alt

    scale = alt.Scale(type="utc", nice=False) if moments else alt.Scale(zero=False, nice=False)
    axis = alt.Axis(grid=False, tickCount=4, labelFlush=True)
    base = alt.Chart(alt.NamedData("rows")).encode(
        x=alt.X("x0", type="temporal" if moments else "quantitative", title=None, axis=axis, scale=scale))

    def height(side: str) -> Any:
        return alt.Y(side, type="quantitative", axis=None, scale=alt.Scale(domain=[0, 1.04]))

    area = base.mark_area(interpolate="step-after", color=_REAL).encode(y=height("real"), order="order:Q")
    line = base.mark_line(interpolate="step-after", color=_FAKE, strokeWidth=1.75).encode(
        y=height("fake"), order="order:Q")
    told = [alt.Tooltip("bin:N", title="values"), alt.Tooltip("share:N", title="real"), alt.Tooltip("synthetic:N")]
    hover = base.mark_rect(opacity=0).encode(x2="x1", y=alt.datum(0), y2=alt.datum(1.04), tooltip=told)
    return alt.layer(area, line, hover)


def _levels() -> Any:
    """Draw real shares as wide grey bars, synthetic shares as slim ones inside them."""
    import altair as alt

    told = [alt.Tooltip("label:N", title="level"), alt.Tooltip("real:Q", format=".2%"),
            alt.Tooltip("fake:Q", title="synthetic", format=".2%")]
    base = alt.Chart(alt.NamedData("rows")).encode(y=_names(110), tooltip=told)

    def share(side: str) -> Any:
        return alt.X(side, type="quantitative", title=None, axis=alt.Axis(format=".0%", tickCount=3, grid=False))

    real = base.mark_bar(color=_REAL, height={"band": 0.86}).encode(x=share("real"))
    fake = base.mark_bar(color=_FAKE, height={"band": 0.3}).encode(x=share("fake"))
    return alt.layer(real, fake)


def _heat(side: str) -> Any:
    """Draw one heat map: strength is opacity, so that one hue serves a light and a dark page."""
    import altair as alt

    colour = {"real": alt.value("var(--ink)"), "fake": alt.value(_FAKE),
              "gap": alt.condition("datum.v < 0", alt.value("var(--less)"), alt.value(_FAKE))}[side]
    names = alt.Axis(ticks=False, domain=False, labelLimit=78, labelFontSize=10, title=None, labelOverlap=True)
    scale = alt.Scale(domain=[0, 0.5 if side == "gap" else 1], range=[0.04, 1], clamp=True)
    told = [alt.Tooltip("a:N", title="column"), alt.Tooltip("b:N", title="with"),
            alt.Tooltip("v:Q", format=".3f", title="difference" if side == "gap" else "dependence")]
    return alt.Chart(alt.NamedData("rows")).transform_calculate(size="abs(datum.v)").mark_rect().encode(
        x=alt.X("a:N", sort=None, axis=None), y=alt.Y("b:N", sort=None, axis=names), color=colour,
        opacity=alt.Opacity("size:Q", legend=None, scale=scale), tooltip=told)


def _map(colour: str) -> Any:
    """Draw rows on a grid of cells: strength is opacity, as on the heat maps."""
    import altair as alt

    scale = alt.Scale(zero=False, nice=False)
    ends = {way: alt.X2(f"{way}_end:Q") if way == "x" else alt.Y2(f"{way}_end:Q") for way in ("x", "y")}
    told = [alt.Tooltip("share:Q", format=".2%", title="of all rows")]
    chart = alt.Chart(alt.NamedData("rows"), view=alt.ViewConfig(stroke="var(--line)"))
    return chart.transform_calculate(x_end="datum.x + 1", y_end="datum.y + 1").mark_rect(color=colour).encode(
        x=alt.X("x:Q", axis=None, scale=scale), y=alt.Y("y:Q", axis=None, scale=scale), x2=ends["x"], y2=ends["y"],
        opacity=alt.Opacity("v:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=[0, 1])), tooltip=told)


def _curve() -> Any:
    """Draw a ROC curve over the diagonal of guessing."""
    import altair as alt

    def share(field: str) -> dict[str, Any]:
        return {"shorthand": field, "type": "quantitative", "scale": alt.Scale(domain=[0, 1]),
                "axis": alt.Axis(format=".0%", tickCount=5)}

    base = alt.Chart(alt.NamedData("rows")).encode(x=alt.X(**share("fpr"), title="false alarms"))
    chance = base.mark_line(color="var(--quiet)", strokeDash=[3, 4], strokeWidth=1).encode(
        y=alt.Y(**share("fpr"), title="found"))
    found = base.mark_line(color=_FAKE, strokeWidth=2).encode(y=alt.Y(**share("tpr"), title="found"))
    return alt.layer(chance, found)


def _lines(steps: bool) -> Any:
    """Draw a line a series, with its band; series differ in colour and in dashes. Steps are whole numbers."""
    import altair as alt

    domain: dict[str, Any] = {"scale": alt.Scale(zero=False, padding=8)}
    hues = alt.Color("series:N", title=None, sort=None, scale=alt.Scale(range=_HUES),
                     legend=alt.Legend(orient="top", labelColor="var(--ink)", symbolType="stroke", symbolOpacity=1,
                                      symbolStrokeWidth=2, labelLimit=260))
    dashes = alt.StrokeDash("series:N", legend=None, sort=None, scale=alt.Scale(range=_DASHES))
    ticks = alt.Axis(tickMinStep=1, format="d") if steps else alt.Axis(tickMinStep=0.01, tickCount=6)
    base = alt.Chart(alt.NamedData("rows")).encode(
        x=alt.X("x:Q", title=None, axis=ticks, **domain), color=hues)
    band = base.mark_area(opacity=0.12).encode(y=alt.Y("from:Q", title=None, **domain), y2="to:Q")
    told = [alt.Tooltip("series:N"), alt.Tooltip("x:Q"), alt.Tooltip("y:Q", format=".3f"),
            alt.Tooltip("low:Q", format=".3f"), alt.Tooltip("high:Q", format=".3f")]
    line = base.mark_line(strokeWidth=2).encode(y=alt.Y("y:Q", title=None, **domain), strokeDash=dashes)
    points = base.mark_point(filled=True, opacity=1).encode(
        y=alt.Y("y:Q", title=None, **domain), size=alt.Size("size:Q", scale=None, legend=None), tooltip=told)
    return alt.layer(band, line, points)


def _dial() -> Any:
    """Draw fidelity against leak along the privacy dial, with intervals; best is the lower left corner."""
    import altair as alt

    def auc(field: str, title: str) -> dict[str, Any]:
        return {"shorthand": field, "type": "quantitative", "title": title,
                "scale": alt.Scale(zero=False, padding=12), "axis": alt.Axis(format=".2f", tickCount=5)}

    told = [alt.Tooltip("privacy:Q", format=".2f"), alt.Tooltip("attack:Q", title="attack", format=".3f"),
            alt.Tooltip("c2st:Q", title="judge", format=".3f")]
    across, up = "likelihood attack on the model file (AUC)", "judge of its rows (AUC)"
    base = alt.Chart(alt.NamedData("rows")).encode(x=alt.X(**auc("attack", across)), y=alt.Y(**auc("c2st", up)))
    spans = [base.mark_rule(color="var(--line)", strokeWidth=1.5).encode(**ends) for ends in (
        {"x": alt.X(**auc("attack_low", across)), "x2": "attack_high"},
        {"y": alt.Y(**auc("c2st_low", up)), "y2": "c2st_high"})]
    line = base.mark_line(color=_REAL, strokeWidth=2).encode(order="privacy:Q")
    points = base.mark_point(filled=True, opacity=1).encode(
        color=alt.condition("datum.chosen", alt.value(_FAKE), alt.value("var(--quiet)")),
        size=alt.condition("datum.chosen", alt.value(130), alt.value(45)), tooltip=told)
    names = base.mark_text(align="left", dx=8, dy=-8, fontSize=11, color="var(--ink)").encode(text="label:N")
    return alt.layer(*spans, line, points, names)


def _gains() -> Any:
    """Draw columns by what they give a classifier."""
    import altair as alt

    told = [alt.Tooltip("label:N", title="column"), alt.Tooltip("gain:Q", format=".3f")]
    return alt.Chart(alt.NamedData("rows")).mark_bar(color=_FAKE, height={"band": 0.55}).encode(
        x=alt.X("gain:Q", title=None, axis=alt.Axis(grid=False, tickCount=4)), y=_names(130), tooltip=told)


def _names(limit: int) -> Any:
    import altair as alt

    axis = alt.Axis(labelLimit=limit, ticks=False, domain=False, labelColor="var(--ink)")
    return alt.Y("label:N", sort=None, title=None, axis=axis)
