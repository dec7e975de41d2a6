"""The privacy dial and the audit of a model's memory: planted memory is found, the dial lessens it, a bound is kept."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from scipy.stats import mannwhitneyu
from typer.testing import CliRunner

import verisyn as vs
from verisyn import frontier, memory
from verisyn.cli import app
from verisyn.errors import Refused, UserError
from verisyn.report import render
from verisyn.story import tell

OVERFITTED = {"min_leaf": 1, "min_rows": 2, "tree_rows": 2, "leaves": 8, "folds": 20, "l2": 0.01, "linear_l2": 0.01}


def noisy(rows, seed, columns=6):
    """Make numbers that tell little of each other: there is little to learn but much to remember."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=rows)
    return pl.DataFrame({f"x{i}": np.round(common * (i % 2) + rng.normal(size=rows), 3) for i in range(columns)})


def plain(rows, seed):
    """Make a few levels, so many rows of each that there is nothing to remember."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 3, rows)
    return pl.DataFrame({"a": a, "b": (a + rng.integers(0, 2, rows)) % 3, "c": rng.choice(["u", "v", "w"], rows)})


def wavy(rows, seed):
    """Make numbers of which half bend with the others: there is much to learn, and the dial costs some of it."""
    rng = np.random.default_rng(seed)
    a, b, c = rng.uniform(0, 1, (3, rows))
    bent = {"d": np.sin(9 * a), "e": a * np.cos(9 * b), "f": b * c}
    return pl.DataFrame({"a": a, "b": b, "c": c} | {n: v + rng.normal(0, 0.1, rows) for n, v in bent.items()}).with_columns(
        pl.all().round(3))


SEEN, UNSEEN = noisy(2000, 1), noisy(2000, 2)


def leak(**settings):
    return memory.attacked(vs.fit(SEEN, audit=False, **settings), SEEN, UNSEEN)


def test_planted_memory_is_found():
    found = leak(**OVERFITTED)
    assert found.value > 0.85
    assert found.verdict == "poor"
    assert found.details["caught_interval"][0] > 0.05
    assert found.details["caught_of_1000"] < found.details["caught"] and "0.1 %" in found.rule
    assert not [key for key in found.details if key.startswith("_")]


def test_what_remembers_nothing_reads_as_a_coin():
    model = vs.fit(plain(4000, 1), generator="independent", audit=False)
    found = memory.attacked(model, plain(4000, 1), plain(4000, 2))
    low, high = found.interval
    assert low < 0.5 < high
    assert abs(found.value - 0.5) < 0.02
    assert found.verdict == "good"


def test_the_figure_is_that_of_the_rank_sum_test():
    model = vs.fit(SEEN, audit=False)
    inside, outside = model.log_prob(SEEN), model.log_prob(UNSEEN)
    oracle = mannwhitneyu(inside, outside).statistic / (len(inside) * len(outside))
    found = memory.attacked(model, SEEN, UNSEEN)
    assert found.value == pytest.approx(oracle, abs=1e-6)
    bound = np.sort(outside)[-21]
    assert found.details["caught"] == pytest.approx((inside > bound).mean(), abs=1e-6)


def varied(rows, seed):
    """Add levels that make some rows far more usual than others, whoever was learnt from."""
    rng = np.random.default_rng(seed + 10)
    levels = {f"c{i}": np.minimum(rng.geometric(0.2, rows), 12).astype(str) for i in range(8)}
    return noisy(rows, seed).with_columns(**{name: pl.Series(values) for name, values in levels.items()})


def test_comparing_with_another_model_tells_more():
    seen, unseen = varied(2000, 1), varied(2000, 2)
    recipe = memory.Recipe(vs.describe(seen), "table.trees", {}, 0, 1)
    plainly, compared = (memory.attacked(recipe.learn(seen), seen, unseen, rival) for rival in (None, recipe))
    assert compared.value == plainly.value and "compared" not in plainly.details
    assert compared.details["compared_interval"][0] > compared.interval[1]
    assert compared.details["compared_with_rows"] == 1000
    assert compared.details["compared_caught_of_1000"] is not None
    coin = memory.Recipe(vs.describe(plain(4000, 1)), "independent", {}, 0, 1)
    found = memory.attacked(coin.learn(plain(4000, 1)), plain(4000, 1), plain(4000, 2), coin)
    assert found.details["compared"] == pytest.approx(0.5, abs=0.03)


def test_the_dial_lessens_memory():
    low, standard, high = (leak(privacy=word).value for word in frontier.WORDS)
    assert low > standard > high and low > high + 0.02
    assert leak(privacy=0.5).value == standard == leak().value


def test_fit_audits_itself_with_and_without_a_holdout():
    with_holdout = vs.fit(pl.concat([SEEN, UNSEEN]), holdout=0.5).memory
    crossed = vs.fit(pl.concat([SEEN, UNSEEN])).memory
    assert with_holdout.details["learnt_from"] == crossed.details["learnt_from"] == 2000
    assert crossed.value == pytest.approx(with_holdout.value, abs=0.04)
    assert "second model" in crossed.reason and "second model" not in with_holdout.reason
    assert vs.fit(SEEN, audit=False).memory is None


def test_within_a_budget_a_model_is_audited_only_if_asked():
    assert vs.fit(SEEN[:600], budget="1h").memory is None
    assert vs.fit(SEEN[:600], budget="1h", audit=True).memory.value is not None


def test_the_audit_is_the_same_on_any_number_of_threads_and_survives_the_disk(tmp_path):
    one, two = (vs.fit(SEEN, jobs=jobs, seed=3) for jobs in (1, 2))
    assert one.memory == two.memory
    one.save(tmp_path / "model")
    assert vs.load(tmp_path / "model").memory == one.memory


def test_too_few_rows_are_said():
    found = vs.fit(SEEN[:150]).memory
    assert found.verdict == "not answered" and "150 rows" in found.reason
    assert vs.fit(SEEN[:300], holdout=0.1).memory.verdict == "not answered"


def test_a_very_wide_table_is_not_fitted_twice_unless_asked():
    rng = np.random.default_rng(0)
    wide = pl.DataFrame({f"c{i}": rng.integers(0, 2, 250) for i in range(memory.MOST_COLUMNS + 1)})
    schema = vs.describe(wide)
    model = vs.fit(wide, schema, generator="independent")
    assert model.memory.verdict == "not answered" and "audit=True" in model.memory.reason
    assert vs.fit(wide, schema, generator="independent", audit=True).memory.value is not None


def test_a_smaller_leak_asks_for_more_privacy():
    settings = [vs.fit(SEEN, max_leak=bound).info.settings["privacy"] for bound in (0.9, 0.568, 0.557)]
    assert settings == sorted(settings) and settings[0] < settings[-1]
    found = vs.fit(SEEN, max_leak=0.568).memory
    assert found.interval[1] <= 0.568
    assert "0.568" in found.reason


def test_the_choice_is_held_against_the_holdout():
    model = vs.fit(pl.concat([SEEN, UNSEEN]), holdout=0.4, max_leak=0.7)
    assert model.memory.details["learnt_from"] == 2400
    assert "dial was set" in model.memory.reason
    assert ("does not keep" in model.memory.reason) == (model.memory.interval[1] > 0.7)


def test_a_leak_out_of_reach_is_refused_with_the_nearest():
    with pytest.raises(Refused, match=r"nearest was 0\.\d+, at 1 \('high'\)"):
        vs.fit(SEEN, max_leak=0.501)
    with pytest.raises(Refused, match="only 120 rows"):
        vs.fit(SEEN[:120], max_leak=0.6)


@pytest.mark.parametrize(("options", "words"), [
    ({"privacy": "hihg"}, "'low', 'standard', 'high' or a number"), ({"privacy": 1.2}, "from 0 to 1"),
    ({"privacy": float("nan")}, "from 0 to 1"), ({"privacy": True}, "from 0 to 1"),
    ({"max_leak": 0.5}, "above 0.5"), ({"max_leak": "little"}, "above 0.5"),
    ({"max_leak": 0.6, "privacy": "high"}, "Give one of them"),
    ({"privacy": "high", "generator": "independent"}, "no privacy dial"),
    ({"max_leak": 0.6, "generator": "independent"}, "take 'table.trees'")])
def test_what_cannot_be_dialled_is_said(options, words):
    with pytest.raises(UserError, match=words):
        vs.fit(SEEN[:50], **options)


@pytest.fixture(scope="module")
def told():
    return tell(wavy(2000, 1), seed=5, holdout=0.4, privacy=0.6)


def test_the_curve_goes_from_low_to_high(told):
    points = told.dial.points
    assert [p.privacy for p in points] == [0, 0.25, 0.5, 0.6, 0.75, 1]
    assert points[0].attack > points[2].attack > points[-1].attack
    assert points[-1].c2st > points[0].c2st
    assert all(p.attack_interval[0] < p.attack < p.attack_interval[1] for p in points)
    assert told.dial.chosen == 0.6 and (told.dial.rows, told.dial.judged) == (1200, 800)


def test_the_curve_depends_on_the_seed_alone():
    schema = vs.describe(SEEN)
    curves = [frontier.curve(memory.Recipe(schema, "trees", {}, 1, jobs), SEEN[:300], UNSEEN[:300], 0.5)
              for jobs in (1, 2)]
    one, two = ([(p.privacy, p.c2st, p.attack, p.attack_interval) for p in c.points] for c in curves)
    assert one == two


def test_the_report_draws_the_curve_and_tells_the_memory(told):
    page = told.report()
    assert "What the model file tells" in page and told.model.memory.title in page
    assert "800 that it never saw" in page and '"template":"dial"' in page
    without = render(told.assessment, title="x", run={**told.run, "dial": None, "memory": None})
    assert "What the model file tells" not in without and '"template":"dial"' not in without
    assert json.loads(json.dumps(told.run, allow_nan=False))["dial"]["chosen"] == 0.6


def test_a_curve_that_is_not_drawn_says_why():
    small = tell(SEEN[:300])
    assert small.dial is None
    assert any("privacy dial" in note and "only 60 holdout rows" in note for note in small.notes)
    wide = pl.DataFrame({f"c{i}": np.random.default_rng(i).integers(0, 2, 1500) for i in range(80)})
    with pytest.raises(frontier.NotAnswered, match="80 columns"):
        frontier.curve(memory.Recipe(vs.describe(wide), "table.trees", {}, 0, 1), wide, wide, 0.5)


def cli(*args, ok=0):
    done = CliRunner().invoke(app, list(args))
    assert done.exit_code == ok, done.output
    return " ".join(done.output.split())


def test_the_command_line_has_the_dial(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    SEEN[:600].write_csv("x.csv")
    assert memory.TITLE in cli("fit", "x.csv", "--out", "m", "--privacy", "high")
    assert vs.load("m").info.settings["privacy"] == 1
    assert memory.TITLE not in cli("fit", "x.csv", "--out", "n", "--no-audit")
    assert "nearest" in cli("fit", "x.csv", "--out", "o", "--max-leak", "0.501", ok=3)
    assert "expected" in cli("fit", "x.csv", "--out", "o", "--privacy", "much", ok=2)
    said = cli("synth", "x.csv", "--out", "s", "--privacy", "0.8", "--no-curve")
    assert "The model file" in said
    run = json.loads((tmp_path / "s" / "run.json").read_text())
    assert run["settings"]["privacy"] == 0.8 and run["dial"] is None and run["memory"]["value"] > 0.5
