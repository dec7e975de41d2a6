"""A policy: read with every mistake a sentence, held against an assessment, refused in figures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from verisyn.errors import Refused, UserError
from verisyn.findings import Assessment, Finding
from verisyn.policy import Checked, Policy, known_names

FOUND = Assessment((
    Finding("fidelity.two_sample", "?", "fair", "So so.", value=0.64, interval=(0.61, 0.67)),
    Finding("privacy.copies", "?", "good", "None.", value=0.001, interval=(0.0, 0.004)),
    Finding("privacy.membership", "?", "poor", "Found.", value=0.61, interval=(0.58, 0.64)),
    Finding("privacy.shadow", "?", "not answered", "Not answered, because it is slow."),
    Finding("utility.tstr", "?", "not answered", "Not answered, because no column is named as the target."),
))


def failed(text, found=FOUND):
    return [outcome.name for outcome in Policy.from_yaml(text).check(found).failed]


@pytest.mark.parametrize(("text", "names"), [
    ("fidelity.two_sample: {at_most: 0.65}", []),
    ("fidelity.two_sample: {at_most: 0.63}", ["fidelity.two_sample"]),
    ("fidelity.two_sample: {at_most: 0.65, sure: true}", ["fidelity.two_sample"]),
    ("fidelity.two_sample: {at_least: 0.62}", []),
    ("fidelity.two_sample: {at_least: 0.62, sure: true}", ["fidelity.two_sample"]),
    ("fidelity.two_sample: {at_least: 0.6, at_most: 0.7, sure: true}", []),
    ("fidelity.two_sample: fair", []),
    ("fidelity.two_sample: good", ["fidelity.two_sample"]),
    ("fidelity.two_sample: {verdict: fair, at_most: 0.1}", ["fidelity.two_sample"]),
    ("'*': poor", []),
    ("privacy.*: fair", ["privacy.membership"]),
    ("privacy.*: fair\nprivacy.membership: poor", []),
    ("privacy.*: {verdict: fair, unanswered: refuse}", ["privacy.membership", "privacy.shadow"]),
    ("privacy.*: fair\nunanswered: refuse", ["privacy.membership", "privacy.shadow"]),
    ("utility.tstr: poor", ["utility.tstr"]),
    ("utility.*: poor", ["utility.tstr"]),
    ("utility.tstr: {at_least: 0.9, unanswered: allow}", []),
    ("utility.*: good\nunanswered: allow", []),
    ("model.memory: good", ["model.memory"]),
    ("model.memory: good\nunanswered: allow", []),
    ("utility.*: good\nutility.tstr: {unanswered: allow}", [])])
def test_what_passes_and_what_does_not(text, names):
    assert failed(text) == names


def test_a_refusal_names_each_failure_with_its_figures_and_reason():
    checked = Policy.from_yaml("privacy.*: {verdict: good, reason: it leaves the house.}\nutility.tstr: {at_least: 0.9}",
                               "release.yaml").check(FOUND)
    assert Checked.from_dict(checked.to_dict()) == checked and not checked.passed
    with pytest.raises(Refused) as refusal:
        checked.enforce()
    assert str(refusal.value).splitlines() == [
        "2 of 4 requirements of 'release.yaml' were not met.",
        "- privacy.membership is poor, 0.610 [0.580 to 0.640]; the policy asks for good (it leaves the house).",
        "- utility.tstr was not answered, because no column is named as the target; the policy asks for at least 0.9."]
    Policy.from_yaml("'*': poor").check(FOUND).enforce()


@pytest.mark.parametrize(("text", "words"), [
    ("", "asks for nothing"),
    ("unanswered: allow", "asks for nothing"),
    ("just words", "is no policy"),
    ("- a\n- b", "is no policy"),
    ("privacy.*: good\n  x: [", "line 2"),
    ("privacy.*: god", r"line 1.*asks for the verdict 'god'. Did you mean 'good'"),
    ("a.b: good\nc.d: 0.65", r"line 2.*asks for 0.65; expected a verdict"),
    ("a.b: {}", "line 1.*expected a verdict"),
    ("a.b: [good]", "line 1.*expected a verdict"),
    ("a.b: {at_mst: 0.65}", r"the setting 'at_mst'.*Did you mean 'at_most'"),
    ("a.b: {at_most: high}", "at_most is 'high'; a number"),
    ("a.b: {at_most: true}", "a number was expected"),
    ("a.b: {at_most: .nan}", "a number was expected"),
    ("a.b: {at_most: 1, sure: 1}", "true or false"),
    ("a.b: {at_most: 1, reason: [x]}", "text was expected"),
    ("a.b: {verdict: [good]}", "asks for the verdict"),
    ("a.b: {unanswered: maybe}", "'allow' or 'refuse'"),
    ("unanswered: maybe\na.b: good", "'allow' or 'refuse'"),
    ("a.b: good\na.b: fair", r"line 2.*a second time")])
def test_a_mistake_is_a_sentence_with_its_place(text, words):
    with pytest.raises(UserError) as error:
        Policy.from_yaml(text, "p.yaml")
    assert re.search(words, str(error.value)) and str(error.value).startswith("p.yaml")


def test_a_question_that_there_is_not_gets_a_suggestion():
    for name, near in {"privacy.membershp": "'privacy.membership'", "privcy.*": "'privacy.*'", "x": "Known"}.items():
        with pytest.raises(UserError, match=near.replace("*", r"\*").replace(".", r"\.")):
            Policy.from_yaml(f"{name}: good").must_name(known_names())
    Policy.from_yaml("privacy.*: good\nmodel.memory: good\nfidelity.two_sample: good").must_name(known_names())


def test_a_policy_that_cannot_be_read(tmp_path):
    with pytest.raises(UserError, match="There is no policy file"):
        Policy.load(tmp_path / "none.yaml")
    with pytest.raises(UserError, match="could not be read"):
        Policy.load(tmp_path)
    (tmp_path / "odd.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="could not be read"):
        Policy.load(tmp_path / "odd.yaml")


def test_the_policy_in_the_guide_is_one():
    guide = (Path(__file__).resolve().parents[1] / "docs" / "guide.md").read_text(encoding="utf-8")
    policy = Policy.from_yaml(re.search(r"```yaml\n(privacy.*?)```", guide, re.S)[1])
    policy.must_name(known_names())
    assert len(policy.requirements) == 5
