"""Findings and assessments: to JSON and back, their schema, as Markdown, in a notebook, beside an earlier one."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest
from findings_made import NASTY, assessment, many
from markdown_it import MarkdownIt
from population import SENSITIVE, TARGET, people

import verisyn
from verisyn.errors import UserError
from verisyn.findings import Assessment, Finding, json_schema
from verisyn.policy import Policy
from verisyn.since import Changes

SCHEMA = Path(__file__).resolve().parents[1] / "docs" / "assessment.schema.json"


@pytest.fixture(scope="module")
def found():
    return verisyn.assess(*(people(300, seed) for seed in range(3)), target=TARGET, sensitive=[SENSITIVE], effort="quick")


def test_json_and_back(found):
    again = Assessment.from_json(found.to_json())
    assert again.to_json() == found.to_json() and again["fidelity.pairs"] == found["fidelity.pairs"]


def test_a_newer_version_may_say_more_and_an_older_one_less(found):
    told = found.to_dict()
    told["findings"][0] |= {"mood": "sunny"}
    del told["findings"][0]["worst"]
    assert Assessment.from_dict({**told, "extra": 1}).findings[0].name == found.findings[0].name


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"findings": 3}', '{"findings": [{"name": "a"}]}', "none", '"a"'])
def test_what_is_no_assessment_is_refused(text, tmp_path):
    (tmp_path / "assessment.json").write_text(text)
    with pytest.raises(UserError, match=r"assessment\.json' is no assessment"):
        Assessment.load(tmp_path)


def test_a_newer_format_and_an_absent_file_are_sentences(tmp_path):
    with pytest.raises(UserError, match="Upgrade verisyn"):
        Assessment.from_json('{"format": 99, "findings": 7}')
    with pytest.raises(UserError, match="There is no assessment at"):
        Assessment.load(tmp_path / "none")


def test_the_schema_is_published_and_holds(found):
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == json_schema(), (
        "run python -m verisyn._json_schema > docs/assessment.schema.json")
    jsonschema.Draft202012Validator.check_schema(json_schema())
    policy = Policy.from_yaml("privacy.*: good").check(found).to_dict()
    changes = Changes.between(assessment(), found, "another").to_dict()
    check = jsonschema.Draft202012Validator(json_schema())
    for one in (found, found.told(policy=policy, changes=changes), many(("not answered",))):
        assert [e.message for e in check.iter_errors(json.loads(one.to_json()))] == []
    spoilt = json.loads(found.to_json())
    spoilt["findings"][0]["verdict"] = "splendid"
    assert not check.is_valid(spoilt)


def test_the_schema_describes_every_part():
    told = json_schema()
    parts = [told["properties"]["about"], *told["$defs"].values()]
    assert {"Finding", "Change", "Changes", "Checked", "Outcome"} <= set(told["$defs"])
    assert all(p["description"] and all("description" in x for x in p["properties"].values()) for p in parts)


def test_markdown_is_compact_and_says_what_is_not_good(found):
    text = many(("good", "fair", "not answered")).to_markdown()
    assert text.startswith("**? These tests cannot tell.**") or text.startswith("**~ With care.**")
    assert text.count("\n| ✓ good |") + text.count("\n| ~ fair |") == 22 and text.count("**fair**") == 10
    assert text.index("What is not good") < text.index("Not answered**")
    assert "| question | value | 95 % interval | best | floor | real rows |" in found.to_markdown()


def test_nasty_words_stay_words_in_markdown():
    nasty = NASTY + " a|b *c* [d](e) `f` _g_\nh"
    told = Finding("odd.`x`", nasty, "poor", nasty, value=0.5)
    shown = MarkdownIt("commonmark", {"html": True}).enable("table").render(Assessment((told,)).to_markdown())
    assert "<script" not in shown and "<img" not in shown and "<em>" not in shown and "<a " not in shown
    assert shown.count("<tr>") == 2 and "a|b *c* [d](e) `f` _g_ h" in shown


class Text(HTMLParser):
    """The tags and the text of a piece of HTML."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text = set(), ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.text += data


def test_a_notebook_shows_a_small_escaped_table():
    page = assessment(name=lambda n: n + NASTY)._repr_html_()
    assert len(page) < 20_000 and NASTY not in page
    nasty = Text(Assessment((Finding("a.b", NASTY, "poor", NASTY, value=0.1),))._repr_html_())
    assert not nasty.tags & {"script", "img", "link", "iframe"} and nasty.text.count(NASTY) == 2


# --- beside an earlier one -----------------------------------------------------------------------------------------


def one(verdict="good", value=0.9, width=0.01, **more):
    return Finding("fidelity.x", "Alike?", verdict, "They are.", value=value, interval=(value - width, value + width),
                   best=1.0, worst=0.0, **more)


@pytest.mark.parametrize(("before", "now", "what", "better"), [
    (one(), one("poor", 0.5), "verdict", False), (one("poor", 0.5), one(), "verdict", True),
    (one(), one(value=0.93), "value", True), (one(), one(value=0.87), "value", False),
    (one("good", 0.6), replace(one("good", 0.55), best=0.5, worst=1.0), "value", True),
    (one(), Finding("fidelity.x", "Alike?", "not answered", "Not answered, because no."), "verdict", None)])
def test_what_changed_is_found_with_its_direction(before, now, what, better):
    change, = Assessment((now,)).changes(Assessment((before,)))
    assert (change.what, change.better, change.name) == (what, better, "fidelity.x")
    assert "Alike?" in change.sentence and change.sentence.endswith(".")


def test_what_stays_within_its_intervals_is_no_change():
    assert Assessment((one(value=0.91),)).changes(Assessment((one(value=0.9),))) == []
    assert assessment().changes(assessment()) == []


def test_questions_that_come_and_go_and_settings_are_told_last():
    before = Assessment((one(), Finding("fidelity.old", "Old?", "good", "Yes.")), {"effort": "quick", "target": "a"})
    now = Assessment((one("poor", 0.2), Finding("fidelity.new", "New?", "fair", "So.")), {"effort": "standard", "target": "a"})
    told = now.changes(before)
    assert [c.what for c in told] == ["verdict", "appeared", "vanished", "setting"]
    assert "'quick' and is 'standard'" in told[-1].sentence
