"""The report of databases and histories: the picture of the schema, a page a link, histories side by side, spectra."""

from __future__ import annotations

import re
from itertools import combinations, pairwise

import numpy as np
import pytest
from findings_made import NASTY
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from test_report import Outline, browser, scroll_through, shown, visit  # noqa: F401

from verisyn.findings import Assessment, Finding
from verisyn.report import render
from verisyn.report._blocks import blocks
from verisyn.report._database import database, link_pages
from verisyn.report._histories import HEIGHT, WIDTH, histories
from verisyn.report._schema import drawings
from verisyn.report.terminal import summary
from verisyn.schema import Column, Schema, Table

SHOP = {"regions": [], "territories": ["regions"], "employees": ["employees", "territories"], "customers": [],
        "shippers": [], "categories": [], "suppliers": [], "products": ["suppliers", "categories"],
        "orders": ["customers", "employees", "shippers"], "order_details": ["orders", "products"],
        "employee_territories": ["employees", "territories"], "notes": []}


def schema(tables, name=str):
    """The detail ``schema`` of tables that point to others."""
    links = [{"name": name(f"{child}.{parent}_id"), "from": name(child), "to": name(parent),
              "columns": [name(f"{parent}_id")], "optional": child == parent, "owner": k == 0,
              "real": {"mean": 9.31 + 91 * k, "least": 0, "most": 31 + 300 * k},
              "fake": {"mean": 8.7 + 94 * k, "least": 0, "most": 29 + 311 * k}}
             for child, parents in tables.items() for k, parent in enumerate(parents)]
    return {"tables": [{"name": name(t), "rows": 1234 * i, "fake": 1200 * i, "columns": ["a", "b"], "key": ["a"],
                        "public": t == "regions"} for i, t in enumerate(tables)], "links": links}


def shop(name=str):
    """What metrics of links tell of a shop with 12 tables and 12 links."""
    told = schema(SHOP, name)
    verdicts = ("good", "good", "fair", "good", "poor")
    def part(link, i, **more):
        return {"link": link["name"], "child": link["from"], "parent": link["to"], "verdict": verdicts[i % 5],
                "reason": f"Counts of link {i} differ by 0.2.", "value": 0.9, "interval": [0.88, 0.92], **more}
    counts = [part(link, i, title=f"How many are there at {i}?", floor=0.4, ceiling=0.97, columns=[
        {"name": "children", "type": "number", "value": 0.9, "edges": [-0.5, 0.5, 1.5, 2.5], "real": [0.2, 0.5, 0.3],
         "fake": [0.3, 0.4, 0.3]}]) for i, link in enumerate(told["links"])]
    judged = [part(link, i + 2, top=[{"name": name("mean of freight"), "gain": 0.1}], checks=[
        {"what": "orphans", "share": 0.0, "real": 0.0}], _p=0.5) for i, link in enumerate(told["links"])]
    return Assessment((
        Finding("fidelity.integrity", "Does every key lead somewhere?", "good", "All hold.", value=1.0,
                interval=(0.99, 1.0), floor=0.2, best=1.0, worst=0.0,
                details={"schema": told, "links": counts, "floor_says": "links drawn at random", "items": [
                    {"name": link["name"], "value": 0.9, "reference": 1.0} for link in told["links"]]}),
        Finding("fidelity.parent_child", "Do parents have the children of real ones?", "poor", "They do not.", value=0.7,
                interval=(0.68, 0.72), floor=0.9, ceiling=0.5, best=0.5, worst=1.0, details={"links": judged})),
        {"source": "shop", "rows": {"synthetic": 900, "train": 800, "holdout": 90}, "tables": dict.fromkeys(SHOP)})


def engines(entities=20, name=str):
    """What metrics of order tell of engines: a smooth sensor, a rough one, a state."""
    rng = np.random.default_rng(1)
    def side():
        lengths = rng.integers(40, 200, entities)
        return [[np.linspace(1, 3, n).round(3).tolist(), rng.normal(size=n).round(3).tolist(),
                 [name(state) for state in rng.choice(["cold", "warm", "hot"], n)]] for n in lengths]
    real, fake = side(), side()
    real[0][0][5] = None
    told = {"columns": [name(c) for c in ("wear", "noise", "state")], "real": real, "fake": fake, "time": name("cycle"),
            "real_times": [[5.0 * t for t in range(len(e[0]))] for e in real]}
    told["fake_times"] = [[5.0 * t for t in range(len(e[0]))] for e in fake]
    xs = np.linspace(0.01, 0.5, 60)
    spectra = [{"title": name(c), "x": "cycles per step", "y": "share of variance", "series": [
        {"name": who, "points": [{"x": float(x), "y": float(np.exp(-x * k))} for x in xs]}
        for who, k in (("real", 9), ("synthetic", 8))]} for c in ("wear", "noise")]
    return Assessment((Finding("fidelity.spectrum", "Have they the rhythms of real ones?", "good", "They have.", value=0.98,
                               interval=(0.97, 0.99), floor=0.5, ceiling=0.99, best=1.0, worst=0.0, details={
                                   "histories": told, "lines": spectra, "floor_says": "rows in random order",
                                   "lines_say": {"title": "Spectra", "lead": "Where the variance lies."}}),),
                      {"source": "engines", "rows": {"synthetic": 2100, "train": 2000},
                       "entities": {"synthetic": 20, "train": 18}})


# --- the picture of the schema -------------------------------------------------------------------------------------

graphs = st.integers(1, 13).flatmap(lambda n: st.lists(
    st.lists(st.integers(0, n - 1), max_size=4), min_size=n, max_size=n))


@settings(deadline=None, max_examples=150)
@given(graphs)
def test_any_schema_is_drawn_without_overlaps(graph):
    """Circles, self-references, several links between the same tables, tables without a link."""
    tables = {f"t{i}": [f"t{k}" for k in parents] for i, parents in enumerate(graph)}
    told = database(Assessment((Finding("a.b", "", "good", "", details={"schema": schema(tables)}),)))
    for drawing in drawings(told):
        boxes = {t.name: box for t, box in zip(told.tables, drawing.boxes, strict=True)}
        for box in drawing.boxes:
            assert box.x >= -0.01 and box.x + box.width <= drawing.width and box.y >= 0
            assert box.y + box.height <= drawing.height
        for a, b in combinations(drawing.boxes, 2):
            assert a.x + a.width <= b.x + 0.01 or b.x + b.width <= a.x + 0.01 or (
                a.y + a.height <= b.y + 0.01 or b.y + b.height <= a.y + 0.01)
        assert len(drawing.lines) == sum(map(len, graph))
        for line in drawing.lines:
            x, y = map(float, re.match(r"M([-\d.]+) ([-\d.]+)", line.path).groups())
            parent = boxes[line.link.parent]
            assert parent.x - 0.1 <= x <= parent.x + parent.width + 0.1, "it begins at its parent"
            assert parent.y - 0.1 <= y <= parent.y + parent.height + 0.1
            ends = [float(n) for n in re.findall(r"[-\d.]+", line.foot)[:2]]
            child = boxes[line.link.child]
            assert child.x - 5.1 <= ends[0] <= child.x + child.width + 5.1, "its foot is at its child"
            assert child.y - 0.1 <= ends[1] <= child.y + child.height + 0.1
            assert child.y <= line.words[0].y <= child.y + child.height, "its words stand in its child"


@settings(deadline=None, max_examples=60)
@given(graphs)
def test_parents_stand_above_their_children(graph):
    tables = {f"t{i}": [f"t{k}" for k in parents if k > i] for i, parents in enumerate(graph)}  # no circle
    told = database(Assessment((Finding("a.b", "", "good", "", details={"schema": schema(tables)}),)))
    for drawing in drawings(told):
        at = {t.name: box for t, box in zip(told.tables, drawing.boxes, strict=True)}
        assert all(at[line.link.parent].y + at[line.link.parent].height < at[line.link.child].y for line in drawing.lines)
    wide = drawings(told)[0]
    assert max(np.unique([box.y for box in wide.boxes], return_counts=True)[1]) <= 5, "no layer is wider than a page"


# --- a page a link --------------------------------------------------------------------------------------------------


def test_all_that_is_said_of_a_link_is_on_its_page():
    found = shop()
    pages = link_pages(found)
    assert len(pages) == 12 and [p.verdict for p in pages] == sorted(
        (p.verdict for p in pages), key=["poor", "fair", "good"].index)
    text = render(found, title="shop")
    page = text.split('id="link.orders.customers_id"')[1].split('<section class="sheet')[0]
    for words in ("Rows of <b>orders</b> point to rows of <b>customers</b>", "9.31 (0–31) in the real data",
                  "8.70 (0–29) in the synthetic", "How many are there at", 'href="#fidelity.integrity"',
                  'href="#fidelity.parent_child"', 'title="links drawn at random"', "They are drawn as its children",
                  "Do parents have the children of real ones?", "orphans", "data-chart"):
        assert words in page, words
    assert "<dt>P</dt>" not in page, "what is kept for the judge is not shown"
    assert text.count('href="#link.orders.customers_id"') >= 5, "the picture, the table, and each finding's items lead there"
    assert "or nowhere" in text.split('id="link.employees.employees_id"')[1].split('<section class="sheet')[0]


def test_the_outline_is_sound():
    tables = Schema(tables=tuple(Table(name=t, columns=(Column(name="id", kind="id"), Column(name=t, kind="number")))
                                 for t in SHOP))
    for found in (shop(), engines()):
        text = render(found, title="x", table=tables)
        outline = Outline(text)
        assert outline.links <= set(outline.ids) and len(outline.ids) == len(set(outline.ids)) and not outline.left
        headings = [int(tag[1]) for tag in outline.tags if re.fullmatch(r"h[1-6]", tag)]
        assert all(b - a <= 1 for a, b in pairwise(headings)), "a heading level is skipped"
        assert len(text.encode()) < 1_700_000
    text = render(shop(), title="x", table=tables)
    assert "12 tables, 900 synthetic rows, made from 800 real rows" in text and "What each table holds" in text
    assert "floor: links drawn at random, or each column drawn alone" in text
    assert "20 synthetic histories with 2,100 rows, made from 18 real histories with 2,000 rows" in render(
        engines(), title="x")


def test_details_that_mean_something_else_are_left_alone():
    wrong = {"schema": {"tables": [3]}, "links": ["a", {"link": 3}], "histories": {"real": 3}, "lines_say": {}, "count": 3}
    also = {"schema": "none", "links": {"a": 1}, "histories": [1], "links_say": {}}
    found = Assessment(tuple(Finding(f"novel.{i}", "What?", "fair", "Unheard of.", details=d)
                             for i, d in enumerate((wrong, also))))
    assert database(found) is None and link_pages(found) == [] and "Unheard of." in render(found, title="x")
    loose = {"schema": {"tables": [{"name": "a"}], "links": [{"from": "a", "to": "gone", "columns": ["x"]}]}}
    assert database(Assessment((Finding("a.b", "", "good", "", details=loose),))).links == ()


def test_the_terminal_tells_of_tables_and_links():
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(summary(shop(lambda n: n if n.startswith("orders") else n + "_of_a_very_long_name_indeed")))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80
    for words in ("12 tables, 900 synthetic rows", "9.31 (0–31)", "8.70 (0–29)", "and 4 more links in the report", "✗ "):
        assert words in text, words


# --- histories ------------------------------------------------------------------------------------------------------


def test_histories_are_drawn_as_what_they_are():
    laid = histories(engines().findings[0].details["histories"])
    wear, noise, state = laid.columns
    assert not wear.lanes and noise.lanes and state.states and not wear.states
    assert [len(c.real.paths) for c in laid.columns] == [8, 5, 3], "lines, lanes, and one path a state"
    assert wear.real.paths[0][0].count("M") == 2, "a missing value is a gap"
    assert (laid.first, laid.time, laid.counts) == ("0", "cycle", (20, 20))
    lines = blocks(engines().findings[0])[1]
    assert lines.title == "Spectra" and lines.lead == ("Where the variance lies. Up: share of variance; across: cycles per "
                                                       "step.")
    assert lines.charts[0].rows["series"][0] == "synthetic" and set(lines.charts[0].rows["size"]) == {0}


values = st.none() | st.floats(-1e9, 1e9) | st.sampled_from([0, 1, float("nan")])
series = st.lists(values, max_size=300) | st.lists(st.none() | st.sampled_from("abcdefghij"), max_size=40)


@settings(deadline=None, max_examples=150)
@given(st.lists(series, min_size=1, max_size=4), st.lists(series, min_size=1, max_size=4), st.booleans())
def test_any_histories_stay_on_their_area(real, fake, moments):
    told = {"columns": ["x"], "real": [[s] for s in real], "fake": [[s] for s in fake], "moments": moments}
    laid = histories(told)
    for column in laid.columns if laid else ():
        for side in (column.real, column.fake):
            for path, _ in side.paths:
                points = [(float(x), float(y)) for x, y in re.findall(r"[ML]([-\d.e]+) ([-\d.e]+)", path)]
                assert points and all(-0.1 <= x <= WIDTH + 0.1 for x, _ in points)
                assert all(0 <= y <= max(HEIGHT, side.height) for _, y in points)
                assert "nan" not in path and "inf" not in path


def test_long_series_keep_their_extremes_and_stay_small():
    rng = np.random.default_rng(0)
    long = rng.normal(size=100_000).cumsum()
    long[54_321] = 4 * np.abs(long).max()
    told = {"columns": ["x"], "real": [[long.tolist()]], "fake": [[(long * 30).tolist()]]}
    column = histories(told).columns[0]
    drawn = np.array(re.findall(r"[ML]([-\d.]+) ([-\d.]+)", column.real.paths[0][0]), dtype=float)
    assert len(drawn) < 6_000 and abs(drawn[drawn[:, 1].argmin(), 0] - 0.54321 * WIDTH) < 0.2
    assert column.cut and "at the edge" in blocks(Finding("a.b", "", "good", "", details={"histories": told}))[0].lead


# --- in a real browser ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_sticks_out_and_words_stay_in_their_boxes(visit, width):  # noqa: F811
    for found in (shop(lambda n: n if n != "orders" else "orders_with_a_name_that_is_too_long"), engines()):
        sheet = visit(render(found, title="x"), viewport={"width": width, "height": 800}, offline=True)
        scroll_through(sheet)
        assert sheet.evaluate("window.widest") <= width
        assert sheet.evaluate("window.cut") == [] and sheet.troubles == []
        sheet.evaluate("location.hash = 'overview'")
        shown(sheet)
        seen = sheet.evaluate("""() => [...document.querySelectorAll('#links .schema')].filter((s) => s.checkVisibility())
          .map((svg) => { const box = (e) => e.getBoundingClientRect(); let out = 0, met = 0;
            for (const line of svg.querySelectorAll('.line, .table')) {
              const at = box(line.querySelector('rect')), texts = [...line.querySelectorAll('text')].map(box);
              out += texts.filter((t) => t.left < at.left || t.right > at.right || t.top < at.top - 1 ||
                t.bottom > at.bottom + 1).length;
              for (const a of texts) for (const b of texts) met += a !== b && a.left < b.right - 1 && b.left < a.right - 1 &&
                a.top < b.bottom - 3 && b.top < a.bottom - 3 ? 1 : 0; }
            const letters = [...svg.querySelectorAll('text')].map((t) => box(t).height);
            return [svg.classList[1], out, met, Math.min(...letters) > 9]; })""")
        assert seen == ([[{360: "narrow", 1280: "wide"}[width], 0, 0, True]] if found.about["source"] == "shop" else [])


def test_the_picture_leads_to_the_pages(visit):  # noqa: F811
    sheet = visit(render(shop(), title="shop"), viewport={"width": 1280, "height": 860}, reduced_motion="reduce")
    sheet.locator("#links .schema.wide a[href='#link.orders.customers_id'] .link").click()
    assert shown(sheet) == ["link.orders.customers_id"] and sheet.title().startswith("orders.customers_id")
    sheet.locator("[id='link.orders.customers_id'] .more a").first.click()
    assert shown(sheet)[0].startswith("fidelity.")
    sheet.go_back()
    sheet.locator("[id='link.orders.customers_id'] .crumb a").click()
    assert shown(sheet) == ["overview"] and sheet.locator("#links-title").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_of_the_picture_stand_out(visit, scheme):  # noqa: F811
    sheet = visit(render(shop(), title="shop"), color_scheme=scheme, viewport={"width": 1280, "height": 860})
    low = sheet.evaluate("""() => { const lum = (c) => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map((v) => v / 255)
        .map((v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
      const ground = lum(getComputedStyle(document.querySelector('.schema .table rect')).fill);
      return [...document.querySelectorAll('#links .schema.wide text')].map((t) => {
        const [a, b] = [lum(getComputedStyle(t).fill), ground].sort((x, y) => y - x);
        return [(a + .05) / (b + .05), t.textContent]; }).filter(([ratio]) => ratio < 4.5); }""")
    assert low == []


def test_nasty_names_are_text(visit):  # noqa: F811
    for found in (shop(lambda n: n + NASTY), engines(name=lambda n: n + NASTY)):
        text = render(found, title="x")
        assert NASTY not in text
        sheet = visit(text)
        scroll_through(sheet)
        assert sheet.evaluate("window.broken") is None and sheet.troubles == []
