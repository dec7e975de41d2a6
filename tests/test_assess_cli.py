"""`verisyn assess` and `verisyn synth`: efforts, earlier reports, policies, Markdown, exit codes."""

from __future__ import annotations

import json
import shutil

import polars as pl
import pytest
from population import SENSITIVE, TARGET, people
from typer.testing import CliRunner

import verisyn as vs
from verisyn.cli import app
from verisyn.findings import Assessment, Finding
from verisyn.since import compared


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("data")
    for seed, name in enumerate(("real", "unseen", "fake")):
        people(300, seed).write_parquet(home / f"{name}.parquet")
    shuffled = [c.sample(fraction=1.0, shuffle=True, seed=i) for i, c in enumerate(people(300, 2))]
    pl.DataFrame(shuffled).write_parquet(home / "bad.parquet")
    return home


def run(*args, ok=0):
    result = CliRunner().invoke(app, [str(a) for a in args])
    assert result.exit_code == ok, result.output
    return result.stdout, " ".join(result.output.split())


def assess(home, fake, *args, ok=0):
    return run("assess", home / f"{fake}.parquet", home / "real.parquet", "--holdout", home / "unseen.parquet", "--target",
               TARGET, "--effort", "quick", *args, ok=ok)


@pytest.fixture(scope="module")
def first(home):
    """An assessment of the bad rows, and what was printed."""
    stdout, _ = assess(home, "bad", "--sensitive", SENSITIVE, "--sensitive", "city", "--out", home / "first", "--json")
    return json.loads(stdout)


def test_options_reach_the_assessment(first, home):
    assert first["about"]["effort"] == "quick" and first["about"]["target"] == TARGET
    assert first["about"]["sensitive"] == ["city", SENSITIVE]
    assert json.loads((home / "first" / "assessment.json").read_text())["findings"] == first["findings"]
    assert "changes" not in first["about"] and "policy" not in first["about"]


@pytest.fixture
def policy(tmp_path):
    (tmp_path / "release.yaml").write_text("fidelity.two_sample: {at_most: 0.62, reason: models shall be trained on it}\n"
                                           "utility.tstr: poor\n")
    return tmp_path / "release.yaml"


def test_the_folder_has_a_name_of_its_own_and_what_it_replaces_is_compared_with(first, home, policy, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(home / "first", tmp_path / "fake-assessment")
    assert "'fake-assessment' exists already" in assess(home, "fake", ok=2)[1]
    about = json.loads(assess(home, "fake", "--force", "--json", "--fail-under", policy)[0])["about"]
    changes = about["changes"]
    assert changes["since"] == "the report that was replaced" and changes["compared"] > 5
    assert {"fidelity.pairs", "fidelity.two_sample"} & {c["name"] for c in changes["found"] if c["better"]}
    assert "What changed" in (tmp_path / "fake-assessment" / "report.html").read_text()
    assert about["policy"]["passed"] and len(about["policy"]["requirements"]) == 2


def test_since_names_the_earlier_one_and_markdown_is_all_that_is_printed(first, home, tmp_path):
    stdout, _ = assess(home, "fake", "--since", home / "first", "--markdown", "--out", tmp_path / "now")
    assert stdout.startswith("**") and "| question | value |" in stdout
    assert "What changed since" in stdout and "- From poor to " in stdout
    assert (tmp_path / "now" / "report.html").exists()
    assert "There is no assessment at" in assess(home, "fake", "--since", tmp_path / "no", "--out", tmp_path / "x", ok=2)[1]
    assert not (tmp_path / "x").exists()


def test_a_report_of_another_source_or_without_sense_is_not_compared_with(tmp_path):
    now = Assessment((Finding("a.b", "?", "good", "Yes.", value=1.0),), {"source": "here"})
    for text in (json.dumps({**now.to_dict(), "about": {"source": "there"}}), "{}", "no"):
        (tmp_path / "assessment.json").write_text(text)
        assert compared(now, None, tmp_path) == now
    (tmp_path / "assessment.json").write_text(now.to_json())
    assert compared(now, None, tmp_path).about["changes"]["found"] == []


def test_a_policy_is_enforced_after_the_report_is_written(home, policy, tmp_path):
    stdout, said = assess(home, "bad", "--fail-under", policy, "--out", tmp_path / "bad", ok=3)
    assert "1 of 2 requirements of 'release.yaml' were not met" in said
    assert "at most 0.62 (models shall be trained on it)" in said and "The policy" in stdout
    checked = json.loads((tmp_path / "bad" / "assessment.json").read_text())["about"]["policy"]
    assert [(r["name"], r["passed"]) for r in checked["requirements"]] == [("fidelity.two_sample", False),
                                                                           ("utility.tstr", True)]
    assert "1 of 2 requirements of release.yaml is not met" in (tmp_path / "bad" / "report.html").read_text()


@pytest.mark.parametrize(("text", "words"), [("fidelity.two_sampl: good", "Did you mean 'fidelity.two_sample'"),
                                             ("fidelity.pairs: goood", "line 1"), ("x: [", "not valid YAML")])
def test_a_mistaken_policy_ends_before_any_work(home, tmp_path, text, words):
    (tmp_path / "p.yaml").write_text(text)
    for command in (("assess", home / "fake.parquet", home / "real.parquet"), ("synth", home / "real.parquet")):
        _, said = run(*command, "--fail-under", tmp_path / "p.yaml", "--out", tmp_path / "out", ok=2)
        assert words in said and not (tmp_path / "out").exists()


def test_an_unknown_effort_or_column_is_a_sentence(home, tmp_path):
    assert "Did you mean 'quick'" in assess(home, "fake", "--effort", "quik", "--out", tmp_path / "o", ok=2)[1]
    assert "Did you mean 'quick'" in run("synth", home / "real.parquet", "--effort", "quik", "--out", tmp_path / "o", ok=2)[1]
    assert "Did you mean 'city'" in assess(home, "fake", "--sensitive", "citty", "--out", tmp_path / "o", ok=2)[1]
    assert not (tmp_path / "o").exists()


def test_synth_takes_effort_and_policy_and_tells_what_changed(home, tmp_path):
    (tmp_path / "p.yaml").write_text("model.memory: {verdict: poor, unanswered: allow}\nfidelity.marginals: {at_least: 2}")
    options = ("--out", tmp_path / "out", "--effort", "quick", "--no-curve", "--generator", "independent")
    run("synth", home / "real.parquet", *options)
    stdout, said = run("synth", home / "real.parquet", *options, "--rows", 100, "--force", "--json", "--fail-under",
                       tmp_path / "p.yaml", ok=3)
    about = json.loads(stdout)["about"]
    assert about["effort"] == "quick" and about["changes"]["since"] == "the report that was replaced"
    assert [(r["name"], r["passed"]) for r in about["policy"]["requirements"]] == [("fidelity.marginals", False),
                                                                                   ("model.memory", True)]
    assert "fidelity.marginals is" in said and (tmp_path / "out" / "synthetic.parquet").exists()
    assert json.loads((tmp_path / "out" / "assessment.json").read_text())["about"] == about
    vs.synth(home / "real.parquet", rows=50, out=tmp_path / "out", effort="quick", generator="independent", curve=False,
             force=True)
    told = json.loads((tmp_path / "out" / "assessment.json").read_text())["about"]
    assert told["effort"] == "quick" and told["changes"]["since"] == "the report that was replaced" and "policy" not in told
