"""The report: one page that works offline, on a phone, in the dark and on paper, whatever the data are called."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from verisyn.findings import Assessment, Finding
from verisyn.report import render
from verisyn.report._pictures import pictures
from verisyn.report._strips import strip
from verisyn.report._words import answer
from verisyn.report.terminal import summary
from verisyn.schema import Column, Table

NASTY = "</script><script>window.broken=1</script><img src=x onerror=window.broken=1>&\u2028'\""
RUN = {"versions": {"verisyn": "0.1.0", "python": "3.12.1", "numpy": "2.1.0"}, "seed": 7, "generator": "table.trees",
       "rows": {"source": 48842, "train": 39073, "holdout": 9769, "synthetic": 48842},
       "stages": [{"name": "read", "cpu_seconds": 0.31, "wall_seconds": 0.3, "peak_mb": 180.4},
                  {"name": "fit", "cpu_seconds": 14.2, "wall_seconds": 7.9, "peak_mb": 612.0},
                  {"name": "assess", "cpu_seconds": 21.0, "wall_seconds": 13.2, "peak_mb": None}],
       "files": {"synthetic.csv": "9f" * 32, "model/model.json": "1c" * 32}}


def shares(rng, n):
    real = rng.gamma(2.0, size=n)
    fake = np.clip(real * rng.normal(1, 0.12, n), 0.001, None)
    return (real / real.sum()).tolist(), (fake / fake.sum()).tolist()


def column(i, name, rng):
    kind = ("number", "category", "time", "duration")[i % 4]
    made = {"name": name, "type": kind, "value": round(float(1 - rng.beta(1, 18)), 4), "ks": 0.02,
            "missing_real": 0.031 if i % 3 == 0 else 0.0, "missing_fake": 0.029 if i % 3 == 0 else 0.0}
    if kind == "category":
        made["labels"] = ["Married-civ-spouse", "Never-married", "Divorced", "Separated", "Widowed", "Absent", "AF",
                          "Craft-repair", "Sales", "Armed-Forces", "other"][:3 + i % 9]
        made["real"], made["fake"] = shares(rng, len(made["labels"]))
        return made
    inner = np.linspace(*{"number": (17, 90), "time": (9e8, 1.2e9), "duration": (0, 9e5)}[kind], 25)
    made["edges"] = [float(inner[0] - 20), *map(float, inner), float(inner[-1] * 9)]
    made["real"], made["fake"] = shares(rng, 26)
    return made


def assessment(columns=15, name=str, seed=0):
    """Make findings of the form that the metrics give, for a table of so many columns."""
    rng = np.random.default_rng(seed)
    base = ("age", "workclass", "hired", "tenure", "capital gain", "marital status", "last seen", "commute", "hours",
            "occupation", "first claim", "time to answer", "education", "income", "birth")
    names = [name(base[i] if i < 15 else f"column {i}") for i in range(columns)]
    told = [column(i, n, rng) for i, n in enumerate(names)]
    strength = rng.uniform(0, 1, (len(names), len(names))) ** 3
    real = ((strength + strength.T) / 2).round(3)
    fake = np.clip(real + rng.normal(0, 0.05, real.shape), 0, 1).round(3)
    curve = [[float(x), float(min(1.0, x ** 0.84))] for x in np.linspace(0, 1, 41)]
    worst = [{"a": names[0], "b": names[1], "value": 0.81}, {"a": names[2], "b": names[0], "value": 0.86}]
    return Assessment((
        Finding("fidelity.marginals", "Are the columns alike?", "good",
                "Columns agree on 98.6 % of rows, real rows on 99.1 %.",
                "Good where the gap to real rows is under 0.02.",
                0.986, (0.984, 0.988), 0.989, 0.991, {"columns": told}),
        Finding("fidelity.pairs", "Do columns hang together as in the real data?", "good",
                "Pairs agree on 96.4 % of rows, against 97.6 % between real rows.",
                "Good where the gap is small.", 0.964, (0.961, 0.967), 0.873, 0.976,
                {"names": names[:40], "real": real[:40, :40].tolist(), "fake": fake[:40, :40].tolist(),
                 "worst": worst}),
        Finding("fidelity.two_sample", "Can a classifier tell synthetic rows from real rows?", "fair",
                "A classifier ranks a synthetic row above a real one 57.3 % of the time; 50 % is guessing.",
                "Fair up to 0.65.", 0.573, (0.564, 0.582), 0.941, 0.501,
                {"top": [{"name": n, "gain": 0.04 / 2 ** i} for i, n in enumerate(names[:6])],
                 "roc": curve, "rows": 9769}),
        Finding("utility.tstr", "Does a model learnt on it work on real rows?", "good",
                "Trained on synthetic rows, a model predicts income with AUC 0.919; trained on real rows, 0.927.",
                "Good within 0.02 of real rows.", 0.919, (0.912, 0.925), 0.5, 0.927,
                {"target": "income", "task": "classification", "score_name": "AUC", "tstr": 0.919, "trtr": 0.927}),
        Finding("privacy.copies", "Are real rows copied?", "good",
                "0.04 % of synthetic rows equal a row the model saw; among real strangers it is 0.05 %.",
                "Good where no more.", 0.0004, (0.0002, 0.0007), 0.0, 0.0005, {"rows": 39073, "checks": [
                    {"what": "exact rows", "share": 0.0004, "strangers": 0.0005, "excess": -0.0001,
                     "interval": [-0.0004, 0.0003]}]}),
        Finding("privacy.nearest_record", "Do synthetic rows crowd around the rows that were seen?", "good",
                "50.3 % of synthetic rows lie nearer to a row that was seen than to one that was not.",
                "Good up to 0.52.", 0.503, (0.496, 0.510), 0.499, 0.5),
        Finding("privacy.membership", "Can an attacker tell who was in the data?", "good",
                "The attack ranks a row that was seen above one that was not 50.9 % of the time; 50 % is guessing.",
                "Good where the interval reaches 0.51.", 0.509, (0.499, 0.519), 0.5, 0.5,
                {"roc": [[x, min(1.0, x * 1.02)] for x in (0.0, 0.25, 0.5, 0.75, 1.0)], "caught": 0.011}),
        Finding("privacy.linkage", "Can half rows be joined?", "not answered",
                "Not answered, because fewer than 200 rows have both halves."),
    ), {"source": "adult", "target": "income", "notes": ["Judged by a sample of 10,000 rows."]})


def table(found):
    told = found["fidelity.marginals"].details["columns"]
    return Table(name="adult", columns=tuple(Column(name=c["name"], kind=c["type"]) for c in told))


@pytest.fixture(scope="module")
def page():
    found = assessment()
    return render(found, title="adult", table=table(found), run=RUN, notes=["Rare levels are pooled below 5 rows."])


class Outline(HTMLParser):
    """The tags, ids, links and addresses of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.links, self.fetched = [], set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.tags.append(tag)
        self.ids.add(told.get("id"))
        if tag == "a":
            self.links.add(told["href"].removeprefix("#"))
        elif told.get("src") or (tag == "link" and not told["href"].startswith("data:")):
            self.fetched.append((tag, told))


def test_the_outline_is_sound(page):
    outline = Outline(page)
    assert page.startswith("<!DOCTYPE html>")
    assert '<html lang="en">' in page
    assert outline.tags.count("h1") == 1
    assert outline.links <= outline.ids
    assert outline.fetched == []
    headings = [int(tag[1]) for tag in outline.tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(b - a <= 1 for a, b in pairwise(headings)), "a heading level is skipped"


def test_the_words_are_measured_ones(page):
    text = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.S)
    assert "In these tests" in text
    assert not re.search(r"\b(anonym\w*|safe|GDPR|guarantee\w*)\b", text, flags=re.I)


def test_everything_found_is_said(page):
    for finding in assessment().findings:
        for words in (finding.title, finding.reason, finding.rule):
            assert words.replace(" %", "\u00a0%") in page
    for words in ("9f" * 32, "table.trees", "39,073", "0.573", "0.564 to 0.582", "Rare levels are pooled below 5 rows.",
                  "Judged by a sample of 10,000 rows."):
        assert words in page


def test_nasty_names_are_text():
    found = assessment(name=lambda n: n + NASTY)
    run = {**RUN, "generator": NASTY, "files": {NASTY: NASTY}, "versions": {NASTY: NASTY}}
    page = render(found, title=NASTY, table=table(found), run=run, notes=[NASTY])
    assert NASTY not in page
    assert "<img src=x" not in page
    assert "<script>window" not in page
    assert "\u2028" not in re.findall(r"<script.*?</script>", page, flags=re.S)[0]
    charts = re.search(r'<script type="application/json" id="charts">(.*?)</script>', page, flags=re.S)
    if charts:
        assert any(NASTY in name for figure in json.loads(charts[1])["figures"].values()
                   for name in figure["rows"].get("a", ()))


def test_a_wide_table_stays_small():
    page = render(assessment(columns=75), title="wide", run=RUN)
    assert len(page.encode()) < 2_000_000
    assert "15 more columns" in page


def test_nothing_but_findings_is_needed():
    page = render(Assessment((Finding("novel.thing", "What is this?", "poor", "Unheard of.", value=3.2),)), title="x")
    assert "Unheard of." in page and "3.200" in page
    assert "Not as it is." in page


def test_an_empty_assessment_tells_nothing():
    assert "These tests cannot tell." in render(Assessment(()), title="x")


@pytest.mark.parametrize(("fidelity", "privacy", "expected"), [
    ("good", "good", "good"), ("good", "fair", "fair"), ("fair", "good", "fair"), ("good", "poor", "poor"),
    ("poor", "good", "poor"), ("good", "not answered", "not answered"), ("poor", "not answered", "poor")])
def test_the_answer_is_the_worst_of_use_and_privacy(fidelity, privacy, expected):
    found = Assessment((Finding("fidelity.a", "", fidelity, ""), Finding("privacy.b", "", privacy, "")))
    assert answer(found).verdict == expected


numbers = st.floats(-1e6, 1e6) | st.sampled_from([0.0, 0.5, 1.0])


@settings(deadline=None, max_examples=200)
@given(numbers, st.none() | st.tuples(numbers, numbers).map(sorted).map(tuple), st.none() | numbers,
       st.none() | numbers)
def test_a_strip_holds_whatever_it_is_given(value, interval, floor, ceiling):
    at = strip(Finding("a.b", "", "good", "", value=value, interval=interval, floor=floor, ceiling=ceiling))
    assert all(0 <= place <= 100 for place in (at.value, at.low, at.high, at.floor, at.ceiling) if place is not None)
    assert at.low <= at.high


@pytest.mark.parametrize(("value", "floor", "ceiling"), [(0.57, 0.94, 0.5), (0.919, 0.5, 0.927), (0.62, 0.5, 0.5)])
def test_right_is_better(value, floor, ceiling):
    at = strip(Finding("a.b", "", "fair", "", value=value, floor=floor, ceiling=ceiling))
    assert at.value < at.ceiling


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(-1e12, 1e12), min_size=2, max_size=30), st.sampled_from(["number", "time", "duration"]))
def test_any_edges_are_drawn(edges, kind):
    edges = sorted(edges)
    told = {"name": "x", "type": kind, "value": 0.9, "edges": edges, "real": [1 / (len(edges) - 1)] * (len(edges) - 1),
            "fake": [0.0] * (len(edges) - 1), "missing_real": 0, "missing_fake": 0}
    rows = pictures(Assessment((Finding("fidelity.marginals", "", "good", "", details={"columns": [told]}),))).columns
    places = [rows[0].picture.rows[field] for field in ("x0", "x1", "real", "fake")]
    assert np.isfinite(places).all()
    assert (np.diff(places[0]) >= 0).all()
    assert (np.array(places[2:]) <= 1).all()


def test_the_terminal_fits_80_columns():
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(summary(assessment(), RUN, report="adult-synthetic/report.html"))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80
    for words in ("With care.", "0.573", "0.564 to 0.582", "0.941", "Open adult-synthetic/report.html", "not answered"):
        assert words in text
    assert all(finding.title.split()[0] in text for finding in assessment().findings)


# --- in a real browser ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    playwright = pytest.importorskip("playwright.sync_api")
    if chromium is None:
        pytest.skip("no chromium, chromium-browser or google-chrome is on the path")
    with playwright.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser, tmp_path):
    contexts = []

    def visit(text, **options):
        contexts.append(browser.new_context(**options))
        sheet = contexts[-1].new_page()
        sheet.troubles = []
        sheet.on("pageerror", lambda e: sheet.troubles.append(str(e)))
        sheet.on("console", lambda m: sheet.troubles.append(m.text) if m.type in ("error", "warning") else None)
        sheet.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else sheet.troubles.append(r.url))
        path = Path(tmp_path / "report.html")
        path.write_text(text, encoding="utf-8")
        sheet.goto(path.as_uri())
        return sheet

    yield visit
    for context in contexts:
        context.close()


def scroll_through(sheet):
    sheet.evaluate("document.documentElement.style.scrollBehavior = 'auto'")
    for y in range(0, sheet.evaluate("document.body.scrollHeight"), 600):
        sheet.evaluate(f"scrollTo(0, {y})")
        sheet.wait_for_timeout(30)
    sheet.evaluate("scrollTo(0, 0)")


def charts(sheet):
    return sheet.evaluate("['.chart', '.chart svg'].map((which) => document.querySelectorAll(which).length)")


@pytest.fixture(scope="module")
def built(page):
    if "id=\"charts\"" not in page:
        pytest.skip("verisyn/report/vega.js is not built")
    return page


@pytest.mark.parametrize("width", [360, 1280])
def test_every_chart_is_drawn_and_nothing_sticks_out(visit, built, width):
    sheet = visit(built, viewport={"width": width, "height": 800}, offline=True)
    scroll_through(sheet)
    here, drawn = charts(sheet)
    assert here == drawn > 15
    assert sheet.evaluate("document.documentElement.scrollWidth") <= width
    assert sheet.evaluate("[...document.querySelectorAll('.scroll')].every((e) => e.scrollWidth <= e.clientWidth)")
    assert sheet.troubles == []


def test_charts_wait_until_they_are_seen_but_not_on_paper(visit, built):
    sheet = visit(built, viewport={"width": 1000, "height": 600})
    here, drawn = charts(sheet)
    assert drawn < here
    sheet.pdf(format="A4")
    assert charts(sheet) == [here, here]
    assert sheet.evaluate("document.querySelectorAll('details[open]').length") == 0


def test_dark_follows_the_system_and_the_button(visit, built):
    sheet = visit(built, color_scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = sheet.evaluate(paper)
    sheet.click("#theme")
    light = sheet.evaluate(paper)
    assert dark != light
    sheet.click("#theme")
    assert sheet.evaluate(paper) == dark


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(visit, built, scheme):
    """Every text has the contrast that WCAG 2 AA asks for: 4.5 to 1."""
    sheet = visit(built, color_scheme=scheme)
    low = sheet.evaluate("""() => {
      const lum = (c) => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map((v) => v / 255)
        .map((v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
      const ground = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
        if (!/, 0\\)$/.test(c)) return c; } return 'rgb(255, 255, 255)'; };
      return [...document.querySelectorAll('h1, h2, h3, h4, p, span, b, li, td, th, dt, dd, a, summary')]
        .filter((e) => e.checkVisibility() && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()))
        .map((e) => { const [a, b] = [lum(getComputedStyle(e).color), lum(ground(e))].sort((x, y) => y - x);
          return [(a + .05) / (b + .05), e.tagName, e.textContent.slice(0, 40)]; })
        .filter(([ratio]) => ratio < 4.5); }""")
    assert low == []


def test_nasty_names_run_nothing(visit, built):
    found = assessment(columns=4, name=lambda n: n + NASTY)
    sheet = visit(render(found, title=NASTY, table=table(found), run=RUN, notes=[NASTY]))
    scroll_through(sheet)
    here, drawn = charts(sheet)
    assert here == drawn
    assert sheet.evaluate("window.broken") is None
    assert sheet.troubles == []
    assert sheet.inner_text("h1") == NASTY
