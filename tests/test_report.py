"""The report: one file that works offline, on a phone, in the dark and on paper, whatever the data are called."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from findings_made import NASTY, RUN, assessment, many, table
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from verisyn.findings import Assessment, Finding
from verisyn.policy import Policy
from verisyn.report import render
from verisyn.report._blocks import blocks
from verisyn.report._strips import strip
from verisyn.report._use import answer, leads
from verisyn.report.terminal import summary
from verisyn.since import Changes


@pytest.fixture(scope="module")
def page():
    found = told()
    return render(found, title="adult", table=table(found), run=RUN, notes=["Rare levels are pooled below 5 rows."])


def told(**options):
    """An assessment that knows of an earlier one and of a policy."""
    found, before = assessment(**options), assessment(**options)
    worse = (replace(before.findings[0], verdict="poor", value=0.9, interval=(0.89, 0.91)), *before.findings[1:-1])
    policy = Policy.from_yaml("privacy.*: good\nfidelity.reach: {at_least: 0.9, reason: partners count on it}", "p.yaml")
    return found.told(changes=Changes.between(Assessment(worse, before.about), found, "the report of March").to_dict(),
                      policy=policy.check(found).to_dict())


class Outline(HTMLParser):
    """The tags, ids, links and addresses of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.links, self.left, self.fetched = [], [], set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.tags.append(tag)
        self.ids += [told["id"]] if "id" in told else []
        if tag == "a":
            (self.links if told["href"].startswith("#") else self.left).add(told["href"].removeprefix("#"))
        elif told.get("src") or (tag == "link" and not told["href"].startswith("data:")):
            self.fetched.append((tag, told))


def test_the_outline_is_sound(page):
    outline = Outline(page)
    assert page.startswith("<!DOCTYPE html>")
    assert '<html lang="en">' in page
    assert outline.tags.count("h1") == 1
    assert outline.links <= set(outline.ids)
    assert len(outline.ids) == len(set(outline.ids))
    assert outline.left == {"https://doi.org/10.1000/182"}, "a reference that is no address on the web is no link"
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
            assert words.replace(" %", "\u00a0%").replace("'", "&#39;") in page
    for words in ("9f" * 32, "table.trees", "39,073", "0.573", "0.564 to 0.582", "Rare levels are pooled below 5 rows.",
                  "Judged by a sample of 10,000 rows.", "Bins hold equal shares of the rows.", "in 20 of 100 cases",
                  "of 40 rows", "0.009 to 0.013", "age of 90 or more", "0.550 to 0.670", "the report of March",
                  "From poor to good: Are the columns alike?", "partners count on it", "is poor, 0.710 [0.690 to 0.730]",
                  "Fit for training models on &#39;income&#39;.", "Benjamini and Hochberg",
                  "Where a question needs it, models were asked to predict &#39;income&#39;."):
        assert words in page, words


def test_nasty_names_are_text():
    found = told(name=lambda n: n + NASTY)
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
    assert len(render(many(("good", "poor")), title="many").encode()) < 300_000
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
    rows = blocks(Finding("a.b", "", "good", "", details={"columns": [told]}))[0].columns
    places = [rows[0].picture.rows[field] for field in ("x0", "x1", "real", "fake")]
    assert np.isfinite(places).all()
    assert (np.diff(places[0]) >= 0).all()
    assert (np.array(places[2:]) <= 1).all()


def printed(found, run=None):
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(summary(found, run, report="adult-synthetic/report.html"))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80
    return text


def test_the_terminal_fits_80_columns():
    text = printed(told(), RUN)
    for words in ("Not as it is.", "0.573", "0.564 to 0.582", "0.941", "Open adult-synthetic/report.html", "not answered",
                  "linkage: not answered, because fewer", "What changed since the report of March: none worse, 1 better",
                  "1 of 5 requirements of p.yaml is not met", "privacy.linkage good: was not answered", "Fit for training models on 'income'."):
        assert words in " ".join(text.split()), words
    assert all(finding.title.split()[0] in text for finding in assessment().findings if finding.value is not None)


@pytest.mark.parametrize(("verdicts", "full"), [(("good",), 4), (("poor", "good"), 12), (("poor",), 12)])
def test_many_findings_are_short_in_the_terminal(verdicts, full):
    text = printed(many(verdicts))
    assert text.count("real rows reach") <= full and len(text.splitlines()) < 120
    assert len(set(re.findall(r"[✓✗] Is the (\d+)th thing that (\w+)", text))) == 31


def test_what_matters_most_comes_first():
    found = many(("good", "fair", "poor"))
    verdicts = [f.verdict for f in leads(found)]
    assert verdicts == sorted(verdicts, key=["poor", "fair", "good"].index)
    assert {f.question for f in leads(found)} == {"fidelity", "utility", "privacy", "fairness"} and len(verdicts) == 5


def test_bands_that_reach_far_are_cut_short_and_steps_are_whole():
    def chart(low, high, xs):
        told = [{"x": x, "y": y, "low": low, "high": high} for x, y in zip(xs, (0.5, 0.6), strict=True)]
        return {"title": "AUC", "x": "generation", "y": "AUC", "series": [{"name": "a", "points": told}]}

    for low, high, xs, template, said in ((-3, 4, (1, 2), "steps", True), (0.45, 0.65, (0, 0.5), "lines", False)):
        finding = Finding("study.lines", "?", "fair", "So.", details={"lines": [chart(low, high, xs)]})
        block = blocks(finding)[0]
        rows = block.charts[0].rows
        assert block.charts[0].template == template and ("cut short" in block.lead) is said
        assert min(rows["from"]) >= 0.4 and max(rows["to"]) <= 0.7 and rows["low"] == [low] * 2


def test_a_metric_of_a_stranger_gets_its_pictures():
    details = {"items": [{"name": "x" + NASTY, "value": 2, "reference": None, "interval": None, "note": None}],
               "columns": ["a", "b"], "top": {"share": 0.1, "of": "x"}, "map": {"real": 3}, "roc": "none",
               "kinds": [{"kind": "k", "rows": 3, "odd": [1], "gone": None}], "words": ["a"], "count": 3, "yes": True}
    finding = Finding("novel.thing", "What?", "fair", "Unheard of.", value=3.2, details=details)
    assert [block.title for block in blocks(finding)] == ["One by one", "Kinds"]
    page = render(Assessment((finding, Finding("odd name", "And?", "good", "Yes."))), title="x")
    for words in ("Top: share", ">k<", ">3<", "2.000", 'id="finding.odd-name"'):
        assert words in page
    assert NASTY not in page


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
    """Turn to every page, and scroll through it."""
    sheet.evaluate("""async () => {
      const wait = (time) => new Promise((done) => setTimeout(done, time));
      document.documentElement.style.scrollBehavior = 'auto';
      for (const page of document.querySelectorAll('.sheet')) {
        location.hash = page.id;
        await wait(30);
        for (let y = 0; y < document.body.scrollHeight; y += 600) { scrollTo(0, y); await wait(25); }
        for (let i = 0; i < 40 && page.querySelector('[data-chart]'); i++) await wait(25);
        window.widest = Math.max(window.widest || 0, document.documentElement.scrollWidth);
        window.cut = (window.cut || []).concat([...page.querySelectorAll('.scroll')].filter((e) => e.scrollWidth > e.clientWidth)
          .map((e) => page.id));
      }
      await wait(100);
    }""")


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
    assert here == drawn > 20
    assert sheet.evaluate("window.widest") <= width
    assert sheet.evaluate("window.cut") == []
    assert sheet.troubles == []


def test_charts_wait_until_they_are_seen_but_not_on_paper(visit, built):
    sheet = visit(built, viewport={"width": 1000, "height": 600})
    here, drawn = charts(sheet)
    assert drawn < here
    sheet.pdf(format="A4")
    assert charts(sheet) == [here, here]
    assert sheet.evaluate("Math.min(...[...document.querySelectorAll('.chart svg')].map((e) => e.width.baseVal.value))") > 100
    assert sheet.evaluate("document.querySelectorAll('details[open]').length") == 0
    assert shown(sheet) == ["overview"]
    sheet.emulate_media(media="print")
    assert shown(sheet) == [*map(str, sheet.evaluate("[...document.querySelectorAll('.sheet')].map((s) => s.id)"))]


def shown(sheet):
    sheet.wait_for_function("(document.getElementById(decodeURIComponent(location.hash.slice(1))) || document.body)"
                            ".checkVisibility()")  # the address changes before the page turns
    return sheet.evaluate("[...document.querySelectorAll('.sheet')].filter((s) => s.checkVisibility()).map((s) => s.id)")


def test_every_finding_has_a_page_that_one_can_turn_to_and_back(visit, page):
    sheet = visit(page, viewport={"width": 1280, "height": 860}, reduced_motion="reduce")
    assert shown(sheet) == ["overview"]
    sheet.click("#in-fidelity\\.two_sample h4 a")
    assert shown(sheet) == ["fidelity.two_sample"] and sheet.evaluate("scrollY") == 0
    assert sheet.evaluate("document.activeElement.id") == "fidelity.two_sample-title"
    assert sheet.title().startswith("Can a classifier tell")
    sheet.click("#fidelity\\.two_sample a[rel=next]")
    sheet.click("#fidelity\\.reach a[rel=next]")
    assert shown(sheet) == ["utility.tstr"]
    for _ in range(3):
        sheet.go_back()
    assert shown(sheet) == ["overview"] and sheet.evaluate("scrollY") > 200, "the reader's place is kept"
    sheet.go_forward()
    sheet.click("#fidelity\\.two_sample .crumb a")
    assert shown(sheet) == ["overview"] and sheet.locator("#in-fidelity\\.two_sample").is_visible()
    assert 0 < sheet.evaluate("document.getElementById('in-fidelity.two_sample').getBoundingClientRect().top") < 800
    assert sheet.evaluate("document.title") == "adult – synthetic data report"
    sheet.goto(sheet.url.split("#")[0] + "#privacy.linkage")
    assert shown(sheet) == ["privacy.linkage"]


def test_the_first_screen_tells_whether_to_use_it(visit):
    sheet = visit(render(many(("good", "fair")), title="adult"), viewport={"width": 1280, "height": 860})
    for part in (".words", ".cards", ".leads li:first-child", ".leads li:nth-child(3)"):
        assert sheet.evaluate(f"document.querySelector('{part}').getBoundingClientRect().bottom") < 860, part
    assert sheet.evaluate("new Set([...document.querySelectorAll('.card')].map((e) => e.offsetTop)).size") == 1


def test_without_scripts_all_pages_follow_one_another(visit, page):
    sheet = visit(page, java_script_enabled=False)
    assert all(sheet.locator(f"[id='{f.name}']").is_visible() for f in assessment().findings)
    assert sheet.locator("noscript").count() == 1 and not sheet.locator("#theme").is_visible()
    sheet.goto(sheet.url + "#fidelity.reach")
    assert sheet.locator("[id='fidelity.reach-title']").is_visible() and sheet.troubles == []


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
    sheet.evaluate("document.documentElement.classList.remove('paged')")
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
    found = told(columns=4, name=lambda n: n + NASTY)
    sheet = visit(render(found, title=NASTY, table=table(found), run=RUN, notes=[NASTY]))
    scroll_through(sheet)
    here, drawn = charts(sheet)
    assert here == drawn
    assert sheet.evaluate("window.broken") is None
    assert sheet.troubles == []
    assert sheet.inner_text("h1") == NASTY
