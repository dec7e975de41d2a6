"""Generations: what is mixed, what is measured, what is said, against generators whose loss is planted."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from typer.testing import CliRunner

import verisyn as vs
from verisyn.cli import app
from verisyn.errors import UserError
from verisyn.findings import Assessment
from verisyn.generations.answers import findings
from verisyn.generations.chain import Recipe
from verisyn.generations.measures import KINDS, Ruler
from verisyn.generations.plan import REGIMES, Track, tracks
from verisyn.generations.slopes import points, slope


def population(rows, rng):
    rare = rng.choice(["often", *(f"rare {i}" for i in range(10))], rows, p=[0.85, *[0.015] * 10])
    return pl.DataFrame({"x": rng.normal(0, 1, rows), "y": rng.gamma(2, 1, rows), "level": rare})


FRAME = population(1000, np.random.default_rng(0))


def perfect(self, frame, rows, seed):
    """Always draw from the truth, whatever is learnt from."""
    return population(rows, np.random.default_rng(seed))


def forgetful(self, frame, rows, seed):
    """Draw rows again, nearer to the mean, and never the rarest level."""
    drawn = frame[np.random.default_rng(seed).integers(0, frame.height, rows)]
    rarest = frame["level"].value_counts().sort("count", "level")["level"][0]
    return drawn.with_columns((pl.col("x", "y") - pl.col("x", "y").mean()) * 0.85 + pl.col("x", "y").mean(),
                              level=pl.when(pl.col("level") == rarest).then(pl.lit("often")).otherwise("level"))


def tried(monkeypatch, draw, frame=FRAME, **options):
    monkeypatch.setattr(Recipe, "draw", draw)
    schema = vs.describe(frame)
    schema = schema.model_copy(update={"tables": (schema.table.model_copy(update={"target": None}),)})
    return vs.collapse(frame, schema=schema, effort="quick", **{"generations": 4, "repeats": 3, "seed": 0, **options})


# -- what is mixed ---------------------------------------------------------------------------------------------------
@given(st.integers(1, 60), st.integers(1, 5), st.floats(0.01, 0.99), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_mixes_hold_what_they_say(rows, made, share, seed):
    real = pl.DataFrame({"from": [0] * rows, "row": range(rows)})
    later = [pl.DataFrame({"from": [g + 1] * rows, "row": range(rows)}) for g in range(made)]
    rng = np.random.default_rng(seed)
    assert Track("replace").mix(real, later, rng).equals(later[-1])
    assert Track("accumulate").mix(real, later, rng).height == rows * (made + 1)
    pooled = Track("budget").mix(real, later, rng)
    assert pooled.height == rows == pooled.unique().height
    mix = Track("share", share).mix(real, later, rng)
    assert mix.height == rows == mix.unique().height and set(mix["from"]) <= {0, made}
    assert (mix["from"] == 0).sum() == round(share * rows)


def test_tracks_are_read_once_and_in_order():
    assert [t.label for t in tracks(["replace", "replace"], (0.5, 0.1, 0.5))] == ["replace", "10 % real", "50 % real"]
    assert {t.name for t in tracks(REGIMES, ())} == {"replace", "accumulate", "budget"}


# -- what is said ------------------------------------------------------------------------------------------------------
@given(st.integers(2, 6), st.integers(2, 12), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_slopes_are_those_of_least_squares_and_student(repeats, generations, seed):
    measured = np.random.default_rng(seed).normal(size=(repeats, generations))
    found = slope(measured)
    each = [stats.linregress(np.arange(generations), row).slope for row in measured]
    interval = stats.t.interval(0.95, repeats - 1, np.mean(each), stats.sem(each))
    assert found.value == pytest.approx(np.mean(each)) and found.interval == pytest.approx(interval)
    drawn = points(measured)
    assert drawn[0]["y"] == pytest.approx(measured[:, 0].mean(), abs=1e-5) and len(drawn) == generations


def test_what_was_not_measured_says_nothing():
    nothing = np.full((3, 4), np.nan)
    assert slope(nothing) is None and points(nothing) == []
    short = np.array([[1.0, 2.0, np.nan], [1.0, 2.0, 3.0], [np.nan, np.nan, 1.0]])
    assert slope(short).value == pytest.approx(1.0) and slope(short[:1]) is None


def test_the_interval_holds_the_true_slope_as_often_as_it_says():
    rng, hits = np.random.default_rng(0), 0
    for _ in range(600):
        walks = 0.1 * np.arange(8) + rng.normal(0, 0.3, (4, 8)).cumsum(axis=1)  # generations follow each other
        low, high = slope(walks).interval
        hits += low <= 0.1 <= high
    assert 0.93 <= hits / 600 <= 0.97


# -- what is measured ----------------------------------------------------------------------------------------------------
def test_measures_know_a_loss_and_a_likeness():
    rng = np.random.default_rng(1)
    real, unseen = population(600, rng), population(600, rng)
    ruler = Ruler(real, unseen, vs.describe(real).table, "quick", 0)
    alike, narrow = ruler.measure(population(600, rng)), ruler.measure(population(600, rng).with_columns(
        pl.col("x", "y") * 0.4 + 0.3, level=pl.lit("often")))
    assert alike["rare"] >= 0.9 and narrow["rare"] == 0
    assert alike["tails"] == pytest.approx(1, abs=0.5) and narrow["tails"] < 0.2
    assert alike["c2st"] < 0.56 and narrow["c2st"] > 0.85
    assert alike["coverage"] > narrow["coverage"] + 0.2
    assert alike["marginals"] > 0.93 > narrow["marginals"] and alike["pairs"] > narrow["pairs"]
    assert set(alike) == set(KINDS)


def test_a_perfect_generator_loses_nothing(monkeypatch):
    found = tried(monkeypatch, perfect, regimes=("replace",), real_shares=(), generations=3)
    assert found["collapse.utility"].verdict == "not answered" and "target" in found["collapse.utility"].reason
    for name in ("c2st", "tails", "diversity", "marginals"):
        low, high = found[f"collapse.{name}"].interval
        assert low <= 0 <= high and found[f"collapse.{name}"].verdict != "poor"


def test_a_forgetful_generator_is_found_out_and_real_rows_help(monkeypatch):
    found = tried(monkeypatch, forgetful, regimes=("replace", "accumulate"), real_shares=(0.9,), repeats=2)
    slopes = {item["name"]: item["value"] for item in found["collapse.c2st"].details["items"]}
    assert slopes["replace"] > 3 * slopes["accumulate"] and slopes["replace"] > 0.05
    lost = {item["name"]: item for item in found["collapse.diversity"].details["items"]}
    assert lost["replace: rare levels"]["value"] < -0.05
    assert found["collapse.tails"].value < -0.03
    share = found["collapse.share"]
    rows = {row["real share"]: row for row in share.details["shares"]}
    assert rows["0 %"]["state"] != "keeps" and "rare levels" in rows["0 %"]["loses"] + rows["0 %"]["may lose"]
    assert share.value in (None, 0.9) and "could not be measured: a model's skill." in share.reason
    told = found["collapse.c2st"].reason
    assert told.startswith("Loses: replace.") or told.startswith("Cannot be told yet: replace")
    assert "where each replaces the last" in told and "up to +0.005 is stable" in told
    charts = found["collapse.c2st"].details["lines"]
    assert [{s["name"] for s in lines["series"]} for lines in charts] == [{"replace", "accumulate", "real rows"},
                                                                          {"90 % real", "real rows"}]
    assert all(p["low"] <= p["y"] <= p["high"] for lines in charts for s in lines["series"] for p in s["points"])


def test_a_generator_that_gives_up_is_told_of(monkeypatch):
    calls = []

    def weary(self, frame, rows, seed):
        calls.append(seed)
        if len(calls) % 4 == 3:
            raise UserError("no more")
        return perfect(self, frame, rows, seed)

    found = tried(monkeypatch, weary, FRAME[:160], regimes=("replace",), real_shares=())
    assert any("generation 3 could not be learnt (no more)" in note for note in found.about["notes"])
    assert found["collapse.marginals"].verdict == "poor"  # two good generations do not make up for the third
    assert json.loads(found.to_json())


def constructed(**slopes):
    """Results of four repetitions whose c2st changes by a slope of its own; all else stays as it is."""
    rng, found = np.random.default_rng(0), {}
    for name, per in slopes.items():
        track = Track(name) if name in REGIMES else Track("share", int(name[1:]) / 100)
        found[track] = [{k: np.full(10, 0.9) + (np.arange(10) * per + rng.normal(0, 1e-3, 10) if k == "c2st" else 0)
                         for k in KINDS} for _ in range(4)]
    return found


@pytest.mark.parametrize(("slopes", "c2st", "share", "value", "interval"), [
    ({"replace": 0.0, "accumulate": 0.0, "s50": 0.0}, "good", "good", 0.0, (0.0, 0.0)),
    ({"replace": 0.03, "accumulate": 0.0, "s10": 0.02, "s25": 0.001}, "fair", "good", 0.25, (0.1, 0.25)),
    ({"replace": 0.03, "budget": 0.02, "s25": 0.01, "s50": 0.0}, "poor", "fair", 0.5, (0.25, 0.5)),
    ({"replace": 0.03, "s25": 0.0, "s50": 0.02, "s75": 0.0}, "poor", "poor", 0.75, (0.5, 0.75)),
    ({"replace": 0.03, "s25": 0.01}, "poor", "poor", None, None),
    ({"replace": 0.03, "s50": 0.005}, "poor", "not answered", None, None),
    ({"s50": 0.0}, "good", "fair", 0.5, (0.0, 0.5))])
def test_verdicts_follow_their_rules(slopes, c2st, share, value, interval):
    results = constructed(**slopes)
    found = Assessment(findings(results, next(iter(results.values())), {}))
    assert found["c2st"].verdict == c2st and found["tails"].verdict == "good"
    assert (found["share"].verdict, found["share"].value, found["share"].interval) == (share, value, interval)
    assert Assessment.from_json(found.to_json()) == found
    if value is None:
        assert found["share"].reason.startswith("None of the shares tried (0 %,")
        assert "what a judge sees" in found["share"].reason


# -- to go on after a stop -------------------------------------------------------------------------------------------------
def test_an_interruption_loses_one_track_at_most(monkeypatch, tmp_path):
    options = {"frame": FRAME[:160], "regimes": ("replace", "budget"), "real_shares": (), "generations": 3, "repeats": 2}
    whole = tried(monkeypatch, forgetful, **options)
    calls = []

    def stopped(self, frame, rows, seed):
        calls.append(seed)
        if len(calls) == 7:
            raise KeyboardInterrupt
        return forgetful(self, frame, rows, seed)

    kept = tmp_path / "kept"
    with pytest.raises(KeyboardInterrupt):
        tried(monkeypatch, stopped, checkpoint=kept, **options)
    assert kept.exists() and not any("rare" in p.read_text("latin-1") for p in kept.rglob("*.npz"))
    with pytest.raises(UserError, match="belongs to another"):
        tried(monkeypatch, forgetful, checkpoint=kept, **{**options, "seed": 1})
    before = len(calls)
    again = tried(monkeypatch, lambda *a: calls.append(0) or forgetful(*a), checkpoint=kept, **options)
    assert again == whole and len(calls) - before < 10 and not kept.exists()


def test_the_same_seed_gives_the_same_findings_whatever_jobs_is():
    frame = pl.DataFrame({"a": np.arange(120) % 7, "b": [None, 1.5, 2.5, float("nan")] * 30, "c": ["x"] * 120,
                          "d `e` ü": [f"id-{i:04d}" for i in range(120)], "t": [True, False, None] * 40})
    options = {"generations": 2, "repeats": 2, "real_shares": (0.5,), "effort": "quick"}
    one = vs.collapse(frame, jobs=1, **options)
    two = vs.collapse(frame.to_pandas(), jobs=2, **options)
    assert one.findings == two.findings
    assert {f.name for f in one.findings} == {f"collapse.{n}" for n in (
        "c2st", "tails", "diversity", "utility", "marginals", "share")}


@pytest.mark.parametrize(("options", "words"), [
    ({"regimes": ("replaced",)}, "Did you mean 'replace'"), ({"real_shares": (1.0,)}, "numbers between 0 and 1"),
    ({"real_shares": (0,)}, "numbers between 0 and 1"), ({"regimes": (), "real_shares": ()}, "Give at least one"),
    ({"generations": 1}, "generations is 1"), ({"repeats": 1}, "repeats is 1"), ({"effort": "quik"}, "Did you mean"),
    ({"generator": "tres"}, "Did you mean"), ({"target": "z"}, "'z'"), ({"rows": 3}, "rows is 3")])
def test_mistakes_get_a_sentence(options, words):
    with pytest.raises(UserError, match=words):
        vs.collapse(FRAME[:60], **{"generations": 2, "repeats": 2, "effort": "quick", **options})


def test_too_few_rows_get_a_sentence():
    with pytest.raises(UserError, match="39 rows; at least 40"):
        vs.collapse(FRAME[:39])


def test_synthetic_data_is_said_not_to_be_real(monkeypatch):
    from verisyn.provenance import Source, with_columns

    monkeypatch.setattr(Recipe, "draw", perfect)
    frame = with_columns(FRAME[:60], Source("s", "synthetic", 60, "x", 1))
    found = vs.collapse(frame, generations=2, repeats=2, regimes=("replace",), real_shares=(), effort="quick")
    assert any("not all real" in note for note in found.about["notes"])


def test_the_command_writes_a_report(monkeypatch, tmp_path):
    monkeypatch.setattr(Recipe, "draw", forgetful)
    FRAME[:120].write_csv(tmp_path / "p.csv")
    words = ["collapse", str(tmp_path / "p.csv"), "--out", str(tmp_path / "o"), "--generations", "2", "--repeats", "2",
             "--regime", "replace", "--real-share", "0.5", "--effort", "quick"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert {p.name for p in (tmp_path / "o").iterdir()} == {"report.html", "assessment.json"}
    found = Assessment.load(tmp_path / "o")
    assert found.about["generations"] == 2 and "<title>" in (tmp_path / "o" / "report.html").read_text()
    assert CliRunner().invoke(app, words).exit_code == 2
    told = CliRunner().invoke(app, [*words, "--force", "--json"])
    assert json.loads(told.stdout)["findings"] == json.loads(found.to_json())["findings"]
    assert CliRunner().invoke(app, [*words[:-1], "nope", "--force"]).exit_code == 2


def test_real_rows_replaced_over_and_over_grow_easier_to_tell(real):
    found = vs.collapse(vs.read(real("adult")), rows=500, generations=4, regimes=("replace", "accumulate"),
                        real_shares=(), repeats=2, effort="quick", seed=0)
    slopes = {item["name"]: item["value"] for item in found["collapse.c2st"].details["items"]}
    assert slopes["replace"] > 0.02 > slopes["accumulate"]
