"""rare(): whether synthetic events help, told with intervals, and plainly where nothing does."""

import json

import numpy as np
import polars as pl
import pytest
from scipy import stats
from typer.testing import CliRunner

import verisyn as vs
from verisyn.cli import app
from verisyn.errors import UserError
from verisyn.rarity import ALONE, BALANCED, EVENTS, gain


@pytest.fixture(scope="module")
def faults():
    rng = np.random.default_rng(0)
    heat, load = rng.normal(size=(2, 3000))
    fault = heat + load + rng.normal(size=3000) > 3
    site = rng.choice(["a", "b", None], 3000)
    return pl.DataFrame({"heat": heat.round(3), "load": load.round(3), "site": site, "fault": np.where(fault, "ja", "nein")})


@pytest.fixture(scope="module")
def found(faults):
    return vs.rare(faults, "fault", repeats=3)


def test_every_way_is_tested_on_the_same_rows_and_the_real_rows_are_the_reference(found, faults):
    items = {i["name"]: i for i in found["rare.auc"].details["items"]}
    assert found.about["event"] == "ja" and found.about["events"] == (faults["fault"] == "ja").sum()
    assert 0.9 < items[ALONE]["value"] < 1 and 0.8 < items[BALANCED]["value"] < 1
    for name in set(items) - {ALONE}:
        low, high = items[name]["interval"]
        assert low <= items[name]["value"] <= high and items[name]["reference"] == items[ALONE]["value"]
    json.dumps(found.to_dict(), allow_nan=False)


def test_no_help_is_claimed_where_the_interval_crosses_zero(found):
    for finding in found.findings:
        alone = finding.details["items"][0]["value"]
        low, high = finding.interval
        assert finding.verdict == ("good" if low > alone else "poor" if high < alone else "fair")
        assert ("helps" in finding.reason) == (low > alone)


def test_the_interval_is_that_of_the_corrected_resampled_t_test():
    score, alone = np.array([0.80, 0.84, 0.79, 0.82]), np.array([0.78, 0.80, 0.79, 0.79])
    mean, (low, high) = gain(score, alone)
    apart = score - alone
    half = stats.t.ppf(0.975, 3) * np.sqrt((1 / 4 + 0.3 / 0.7) * apart.var(ddof=1))
    assert (mean, low, high) == pytest.approx((apart.mean(), apart.mean() - half, apart.mean() + half))


def test_the_same_seed_gives_the_same_findings(faults):
    one, two = (vs.rare(faults[:1200], "fault", repeats=2, seed=3, share=0.3) for _ in range(2))
    assert one.to_dict() == two.to_dict()
    assert one.to_dict() != vs.rare(faults[:1200], "fault", repeats=2, seed=4, share=0.3).to_dict()


@pytest.mark.parametrize(("options", "words"), [
    ({"target": "falt"}, "Did you mean 'fault'"),
    ({"target": "heat"}, "levels; between 2 and 100"),
    ({"target": "fault", "event": "jaa"}, "Did you mean 'ja'"),
    ({"target": "fault", "share": 1.0}, "between 0 and 1"),
    ({"target": "fault", "share": "half"}, "between 0 and 1"),
    ({"target": "fault", "repeats": 1}, "at least 2"),
])
def test_ill_posed_questions_get_a_sentence(faults, options, words):
    with pytest.raises(UserError, match=words):
        vs.rare(faults, **options)


def test_a_target_may_have_any_name_and_two_levels_as_frequent(faults):
    even = pl.concat([faults.filter(pl.col("fault") == level)[:60] for level in ("ja", "nein")])
    found = vs.rare(even.rename({"fault": "rows"}), "rows", repeats=2)
    assert found.about["events"] == 60 and found.about["event"] == "nein"


def test_too_few_events_are_refused(faults):
    few = faults.filter((pl.col("fault") == "nein") | (pl.col("heat") > 2.4))
    with pytest.raises(UserError, match="at least 20 are needed"):
        vs.rare(few, "fault")


def test_the_command_line_writes_a_report(faults, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    faults[:1500].write_csv("line 3.csv")
    run = CliRunner().invoke(app, ["rare", "line 3.csv", "--target", "fault", "--repeats", "2", "--json"])
    assert run.exit_code == 0, run.output
    told = json.loads(run.stdout)
    assert [f["name"] for f in told["findings"]] == ["rare.average_precision", "rare.auc", "rare.recall_at_1_percent"]
    assert EVENTS in (tmp_path / "line 3-rare" / "report.html").read_text(encoding="utf-8")
    again = CliRunner().invoke(app, ["rare", "line 3.csv", "--target", "fault"])
    assert again.exit_code == 2 and "exists already" in again.output


def test_the_interval_of_a_gain_ends_where_no_score_could_be():
    """Two splits that differ: Student's interval alone would have an average precision of 2."""
    from verisyn.rarity import gain

    mean, (low, high) = gain(np.array([0.1, 0.5]), np.array([0.4, 0.2]))
    assert mean == pytest.approx(0) and low == pytest.approx(-0.3) and high == pytest.approx(0.7)
