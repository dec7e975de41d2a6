"""Calibration to published figures: every kind is met within its tolerance, contradictions are named, weights undo it."""

import json
import math
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from typer.testing import CliRunner

import verisyn as vs
from verisyn.cli import app
from verisyn.errors import UserError
from verisyn.progress import Progress
from verisyn.report.study import study
from verisyn.steering._balanced import choose
from verisyn.steering._contradiction import smallest
from verisyn.steering._projection import Moments, project
from verisyn.steering.targets import Targets, read_targets

ROWS = 8_000


@pytest.fixture(scope="module")
def people():
    """Age makes smoking rarer and income higher; names, types and gaps as they come."""
    rng = np.random.default_rng(0)
    age = rng.integers(18, 90, ROWS)
    sex = rng.choice(["F", "M"], ROWS)
    smoker = rng.random(ROWS) < np.where(age < 40, 0.4, 0.2)
    income = np.round(np.exp(rng.normal(9.8 + 0.005 * age, 0.6)), 2)
    hours = np.where(rng.random(ROWS) < 0.5, 40, rng.integers(1, 80, ROWS))
    region = np.where(rng.random(ROWS) < 0.15, None, rng.choice(["1", "2", "north"], ROWS, p=[0.5, 0.3, 0.2]))
    return pl.DataFrame({
        "age": age, "sex": sex, "smoker": np.where(smoker, "yes", "no"), "member": rng.random(ROWS) < 0.3,
        "net income": [None if gone else x for gone, x in zip(rng.random(ROWS) < 0.1, income, strict=True)],
        "hours": hours, "région": region,
        "since": (np.datetime64("2015-01-01") + rng.integers(0, 3000, ROWS)).astype("datetime64[D]"),
        "rare": np.where(rng.random(ROWS) < 0.002, "x", "o")})


@pytest.fixture(scope="module")
def model(people):
    return vs.fit(people, seed=0, audit=False)


def drawn(model, rows, targets, **wishes):
    progress = Progress()
    frame = model.sample(rows, seed=1, targets=targets, progress=progress, **wishes)
    return frame, [note for note in progress.notes if "target" in note.lower()]


PUBLISHED = """
title: Adults of Utopia, 2024
source: Statistical Office, Yearbook 2024
tolerance: {share: 0.5pp, mean: 1%, quantile: 1%}
targets:
  - share: smoker == 'yes'
    by: {age: {18-39: 25%, 40-64: 0.2, 65+: 0.1}}
  - share: smoker == 'yes'
    is: 0.3
    within: sex == 'M'
    source: Health survey 2023, table 4
  - {mean: net income, is: 36000}
  - {mean: age, by: {sex: {F: 55, M: 50}}}
  - {median: hours, is: 38, tolerance: 1}
  - {quantile: 0.9, of: net income, is: 60000}
  - shares:
      région: {1: 0.4, 2: 0.4, north: 0.2}
      member: {yes: 0.45}
  - {share: since >= '2020-01-01', is: 0.5}
"""


def test_a_file_of_published_figures_is_met_within_its_tolerances(model, tmp_path):
    file = tmp_path / "figures.yaml"
    file.write_text(PUBLISHED, encoding="utf-8")
    rows, notes = drawn(model, 4000, file)
    assert len(notes) <= 2 and "14 of 14 targets met" in notes[0]
    ages = [(18, 39), (40, 64), (65, 90)]
    for (low, high), wanted in zip(ages, (0.25, 0.2, 0.1), strict=True):
        group = rows.filter(pl.col("age").is_between(low, high))
        assert (group["smoker"] == "yes").mean() == pytest.approx(wanted, abs=0.005)
    assert (rows.filter(pl.col("sex") == "M")["smoker"] == "yes").mean() == pytest.approx(0.3, abs=0.005)
    assert rows["net income"].mean() == pytest.approx(36_000, rel=0.01)
    assert rows.group_by("sex").agg(pl.col("age").mean()).sort("sex")["age"].to_list() == pytest.approx([55, 50], rel=0.01)
    assert rows["hours"].median() == pytest.approx(38, abs=1)
    assert rows["net income"].quantile(0.9) == pytest.approx(60_000, rel=0.01)
    known = rows["région"].drop_nulls()
    assert (known == "1").mean() == pytest.approx(0.4, abs=0.005) and rows["région"].null_count() > 200
    assert rows["member"].mean() == pytest.approx(0.45, abs=0.005)
    assert (rows["since"] >= date(2020, 1, 1)).mean() == pytest.approx(0.5, abs=0.005)


def test_chance_does_not_undo_what_the_tilt_reaches(model):
    wanted = [{"shares": {"sex": {"F": 0.5137}}, "tolerance": 0.0006}, {"mean": "age", "is": 52.5, "tolerance": 0.02},
              {"share": "smoker == 'yes'", "by": {"sex": {"F": 0.2, "M": 0.3}}, "tolerance": 0.001}]
    for seed in range(5):  # three standard errors of 1 000 rows would be 0.05 of a share, and 2 years
        rows = model.sample(1000, seed=seed, targets=wanted)
        assert all(outcome.met for outcome in Targets.read(wanted, rows.columns).outcomes(rows))


def test_a_table_and_its_margins(model):
    table = {"table": ["sex", "smoker"], "cells": {"F": {"yes": 0.1, "no": 0.42}, "M": {"yes": 0.15, "no": 0.33}}}
    listed = {"table": ["sex", "smoker"], "cells": [
        {"sex": "F", "smoker": "yes", "share": 0.1}, {"values": ["F", "no"], "share": 0.42},
        {"values": ["M", "yes"], "share": 0.15}, {"values": ["M", "no"], "share": 0.33}]}
    counted = {"table": ["sex", "smoker"], "counts": {"F": {"yes": 100, "no": 420}, "M": {"yes": 150, "no": 330}}}
    frames = [drawn(model, 1000, [entry])[0] for entry in (table, listed, counted)]
    assert frames[0].equals(frames[1]) and frames[0].equals(frames[2])
    assert frames[0].group_by("sex", "smoker").len().sort("sex", "smoker")["len"].to_list() == pytest.approx(
        [420, 100, 330, 150], abs=3)


def test_a_hundred_cells_of_a_table(model):
    rng = np.random.default_rng(1)
    bands = [f"{low}-{low + 7}" for low in range(18, 90, 8)]
    cells = [{"age": band, "hours": hours, "share": 0} for band in bands for hours in
             ("1-9", "10-19", "20-29", "30-39", "40", "41-49", "50-59", "60-69", "70+", "0")][:90]
    cells = [cell for cell in cells if cell["hours"] not in ("0", "40")]
    for cell, share in zip(cells, 0.5 * rng.dirichlet(np.full(len(cells), 50.0)), strict=True):
        cell["share"] = float(share)
    entries = [{"table": ["age", "hours"], "cells": cells, "tolerance": 0.001},
               {"share": "hours == 40", "by": {"age": dict.fromkeys(bands, 0.5)}, "tolerance": 0.01}]
    rows, notes = drawn(model, 8000, entries)
    figures = len(Targets.read(entries, rows.columns).figures)
    assert figures == 81 and notes == [f"{figures} of {figures} targets met within their tolerances."]


def test_counts_and_totals_are_of_the_population(model):
    entries = {"population": 2_000_000, "targets": [
        {"count": "smoker == 'yes'", "is": 500_000, "tolerance": 0.005}, {"total": "net income", "is": 7e10},
        {"counts": {"sex": {"F": 52, "M": 48}}, "tolerance": 0.005}]}
    rows, _ = drawn(model, 2000, entries)
    assert (rows["smoker"] == "yes").mean() == pytest.approx(0.25, abs=0.005)
    assert rows["net income"].fill_null(0).mean() == pytest.approx(35_000, rel=0.01)
    assert (rows["sex"] == "F").mean() == pytest.approx(0.52, abs=0.005)


def test_a_heavy_value_at_the_quantile_is_no_reason_to_tilt(model):
    usual = model.sample(4000, seed=1)
    rows, notes = drawn(model, 4000, [{"median": "hours", "is": 40}])
    assert "met" in notes[0] and rows["hours"].median() == 40
    assert abs((rows["hours"] == 40).mean() - (usual["hours"] == 40).mean()) < 0.02
    assert abs((rows["hours"] < 40).mean() - (usual["hours"] < 40).mean()) < 0.02


def test_figures_hold_under_a_condition_and_after_an_intervention(model):
    rows, _ = drawn(model, 1000, [{"share": "smoker == 'yes'", "is": 0.5, "tolerance": 0.002}], given="age > 60")
    assert rows["age"].min() > 60 and (rows["smoker"] == "yes").mean() == pytest.approx(0.5, abs=0.002)
    rows, _ = drawn(model, 1000, [{"share": "smoker == 'yes'", "is": 0.5, "tolerance": 0.002}], do={"sex": "F"})
    assert (rows["sex"] == "F").all() and (rows["smoker"] == "yes").mean() == pytest.approx(0.5, abs=0.002)


def test_what_the_model_hardly_draws_is_drawn_under_its_condition(model, people):
    rows, notes = drawn(model, 2000, [{"shares": {"rare": {"x": 0.9}}, "tolerance": 0.001},
                                      {"shares": {"sex": {"F": 0.6}}, "tolerance": 0.001}])
    assert all(note.startswith("Target met") for note in notes) and rows.unique().height == 2000
    assert abs(rows["age"].mean() - people["age"].mean()) < 2


@pytest.mark.parametrize("rows", [1, 3, 20])
def test_few_rows_come_as_near_as_they_can_and_say_how_many_it_takes(model, rows):
    frame, notes = drawn(model, rows, [{"shares": {"sex": {"F": 0.513}}, "tolerance": 0.001}])
    assert frame.height == rows and abs((frame["sex"] == "F").sum() - 0.513 * rows) <= 1
    assert "NOT met" in notes[0] and "draw at least 500" in notes[0]


def test_the_rows_are_those_of_the_nearest_distribution():
    """Tilting a normal's mean shifts it (its density times exp(slope x)), and what depends on it follows."""
    from scipy import stats

    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, 12_000)
    frame = pl.DataFrame({"x": x, "y": 0.8 * x + 0.6 * rng.normal(0, 1, 12_000)})
    rows = vs.fit(frame, seed=0, audit=False).sample(5000, seed=1, targets=[{"mean": "y", "is": 0.5, "tolerance": 0.001}])
    assert stats.kstest(rows["y"], stats.norm(0.5, 1).cdf).statistic < 0.03
    assert stats.kstest(rows["x"], stats.norm(0.4, 1).cdf).statistic < 0.03


def test_weights_give_back_what_the_model_draws_without_wishes(model):
    usual = model.sample(20_000, seed=5)
    for targets in ({"age": 60, "smoker": {"yes": 0.5}}, {"rare": {"x": 0.3}, "sex": {"F": 0.7}}):
        rows = model.sample(8000, seed=1, targets=targets, weights="w")
        weights = rows["w"].to_numpy()
        assert weights.mean() == pytest.approx(1) and weights.min() > 0
        for column, level in (("smoker", "yes"), ("sex", "F"), ("rare", "x")):
            here, there = ((frame[column] == level).to_numpy() for frame in (rows, usual))
            noise = 4 * math.sqrt(np.var(weights * here) / 8000 + there.var() / 20_000) + 1e-3
            assert np.average(here, weights=weights) == pytest.approx(there.mean(), abs=noise)
        assert np.average(rows["age"], weights=weights) == pytest.approx(usual["age"].mean(), abs=1.5)


@pytest.mark.parametrize("targets", [{"age": 50}, {"rare": {"x": 0.5}}])
def test_the_same_seed_gives_the_same_bytes_on_any_threads(model, targets):
    one, three = (model.sample(3000, seed=4, targets=targets, jobs=jobs) for jobs in (1, 3))
    assert one.equals(three) and not one.equals(model.sample(3000, seed=5, targets=targets))


def test_a_biased_source_is_calibrated_to_real_published_figures(real):
    frame = pl.read_parquet(real("law_school"))
    order = np.random.default_rng(0).permutation(frame.height)
    half, population = frame[order[: frame.height // 2]], frame[order[frame.height // 2:]]
    score = 1.2 * (half["race"] == "White") + 0.8 * (half["lsat"] > 38) + 0.6 * (half["pass_bar"] == 1)
    source = half.filter(np.random.default_rng(1).random(half.height) < np.exp((score - score.max()).to_numpy()))
    passed = dict(population.group_by("race").agg((pl.col("pass_bar") == 1).mean()).iter_rows())
    entries = [{"shares": {name: dict(population.group_by(name).agg(pl.len() / population.height).iter_rows())
                           for name in ("race", "tier", "male")}, "tolerance": "0.2pp"},
               {"share": "pass_bar == 1", "by": {"race": passed}, "tolerance": "1pp"},
               {"mean": "lsat", "is": population["lsat"].mean(), "tolerance": "0.1%"}]
    model = vs.fit(source, seed=0, audit=False)
    before, (after, notes) = model.sample(4000, seed=1), drawn(model, 4000, entries)
    assert len(notes) == 1 and notes[0].endswith("targets met within their tolerances.")
    for column in ("decile1b", "decile3", "ugpa"):  # no figure speaks of them
        truth = population[column].mean()
        assert abs(after[column].mean() - truth) < 0.5 * abs(before[column].mean() - truth)


# -- contradictions ---------------------------------------------------------------------------------------------------
FILL = [{"mean": "age", "is": 50}, {"shares": {"région": {1: 0.4}}}]


@pytest.mark.parametrize(("entries", "words"), [
    ([{"shares": {"sex": {"F": 0.7, "M": 0.5}}}], "Target 1: .* sum to 1.2, more than 1"),
    ([*FILL, {"shares": {"sex": {"F": 0.6}}},
      {"table": ["sex", "smoker"], "cells": {"F": {"yes": 0.3, "no": 0.4}}}],
     r"Targets 3 and 4 contradict one another, whatever the rows.*could only lie between 0\.69"),
    ([{"shares": {"smoker": {"yes": 0.5}}}, *FILL, {"share": "smoker == 'yes'", "by": {"sex": {"F": 0.2, "M": 0.3}}}],
     "Targets 1 and 4 contradict one another, whatever the rows"),
    ([*FILL, {"mean": "hours", "is": 60}, {"share": "hours <= 40", "is": 0.9}],
     r"Targets 3 and 4 contradict one another: no rows.*mean of hours: wanted 60, nearest \d+\.\d+; share of hours <= 40: "
     r"wanted 0.9, nearest 0\.\d+"),
    ([*FILL, {"mean": "age", "is": 200}], "Target 3 cannot be met. The mean of age cannot be 200: .* 18 to 89 is ever"),
    ([{"quantile": 0.1, "of": "age", "is": 5}], "quantile 0.1 of age cannot be 5: .* outside 18 to 89"),
    ([{"shares": {"région": {"nord": 0.2}}}], "none meets it.*never takes the value 'nord'. Did you mean 'north'"),
    ([{"share": "sex == 'Female'", "is": 0.5}], "none meets it.*Known: 'F', 'M'"),
    ([{"share": "sex == 'F'", "is": 0.5, "within": "age > 150"}], "none counts for it"),
    ([{"share": "age < 150", "is": 0.5}], "every one meets it"),
])
def test_contradictions_are_named(model, entries, words):
    with pytest.raises(UserError, match=words):
        model.sample(500, seed=0, targets=entries)


def test_a_tolerance_makes_room_for_figures_that_differ_a_little(model):
    """Two sources, one mean: exact they contradict one another, within their tolerances they do not."""
    entries = [{"mean": "age", "is": age, "tolerance": 0.5} for age in (50, 50.8)]
    rows, notes = drawn(model, 2000, entries)
    assert all(note.startswith("Target met") for note in notes) and 50.3 < rows["age"].mean() < 50.5
    with pytest.raises(UserError, match="contradict"):
        model.sample(100, targets=[{**entry, "tolerance": 0.1} for entry in entries])


def test_rounded_shares_that_sum_to_a_little_more_than_one_are_taken_as_meant(model):
    rows, _ = drawn(model, 999, [{"shares": {"région": {1: 0.34, 2: 0.33, "north": 0.34}}}])
    assert rows["région"].drop_nulls().value_counts()["count"].to_list() == pytest.approx(
        [rows["région"].count() / 3] * 3, abs=6)


@given(st.sets(st.integers(0, 19), min_size=1, max_size=4), st.permutations(range(20)))
@settings(max_examples=50, deadline=None)
def test_a_smallest_contradiction_is_found(culprits, order):
    assert set(smallest(order, lambda some: not culprits <= set(some))) == culprits


# -- reading ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("entries", "words"), [
    ([{"share": "sex == 'F'", "is": 0.5, "whithin": "age > 3"}], "Target 1: 'whithin' means nothing beside 'share'. Did "
                                                                 "you mean 'within'"),
    ([{"mean": "age", "is": 40}, {"maen": "age", "is": 5}], "Target 2: .* Did you mean 'mean'"),
    ([{"share": "sex == 'F'", "mean": "age", "is": 5}], "exactly one of"),
    ([{"mean": "agee", "is": 5}], "no column 'agee'. Did you mean 'age'"),
    ([{"share": "sexx == 'F'", "is": 0.5}], "Target 1: .*Did you mean 'sex'"),
    ([{"mean": "age"}], "Say either what the mean 'is', or what it is 'by' group"),
    ([{"mean": "age", "is": "old"}], "a number is expected"),
    ([{"mean": "sex", "is": 5}], "Target 1: A mean is wanted of 'sex', which holds String"),
    ([{"share": "sex == 'F'", "is": 51}], "Shares lie between 0 and 1"),
    ([{"share": "sex == 'F'", "is": 0.5, "tolerance": 0}], "a number above 0 is expected"),
    ([{"share": "sex == 'F'", "is": 0.5, "tolerance": "narrow"}], "a number above 0 is expected"),
    ([{"quantile": 1.5, "of": "age", "is": 5}], "between 0 and 1"),
    ([{"count": "sex == 'F'", "is": 5}], "Give 'population' at the top"),
    ([{"table": ["sex", "nope"], "cells": {}}], "no column 'nope'"),
    ([{"table": ["sex"], "cells": {"F": 0.2}, "counts": {"F": 2}}], "'cells' with shares, or 'counts'"),
    ([{"table": ["sex", "smoker"], "cells": {"F": 0.2}}], "levels of 'smoker' are expected"),
    ([{"table": ["sex", "smoker"], "cells": [{"sex": "F", "share": 0.2}]}], "was not understood"),
    ([{"share": "sex == 'F'", "by": {"age": {"18-29": 0.5, "old": 0.5}}}], "'18-29' is a band, but another level"),
    ([{"shares": {"age": {"old": 0.5}}}], "neither a number nor a band"),
    ([{"shares": {"member": {"perhaps": 0.5}}}], "holds true and false"),
    ([{"shares": {"sex": 0.5}}], "columns with their levels are expected"),
    ([5], "Target 1: It is 5"),
    ({"targets": []}, "a list of figures is expected"),
    ({"targets": [{"mean": "age", "is": 50}], "tolerence": 1}, "Did you mean 'tolerance'"),
    ({"targets": [{"mean": "age", "is": 50}], "tolerance": {"meen": 1}}, "Did you mean 'mean'"),
    ({"targets": [{"mean": "age", "is": 50}], "population": -1}, "above 0 is expected"),
    ("no-such-file.yaml", "There is no targets' file"),
    ("[1", "could not be read"),
])
def test_mistakes_are_told_with_their_entry(model, entries, words):
    with pytest.raises(UserError, match=words):
        model.sample(50, targets=entries)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["share", "mean", "is", "by", "within", "table", "cells", "targets", "age", "sex",
                                         "shares", "counts", "tolerance", "quantile", "of", "values"]), inner, max_size=4),
                    max_leaves=8))
@settings(max_examples=100, deadline=None)
def test_whatever_is_written_is_read_or_refused_with_a_sentence(wanted):
    try:
        Targets.read(wanted, ["age", "sex"])
    except UserError as e:
        assert len(str(e)) > 20


def test_a_file_means_what_the_list_means(people, tmp_path):
    listed = [{"share": "smoker == 'yes'", "is": 0.2, "within": "age >= 65", "source": "survey"}]
    for name, text in (("a.yaml", "- {share: smoker == 'yes', is: 0.2, within: age >= 65, source: survey}"),
                       ("a.json", json.dumps(listed))):
        (tmp_path / name).write_text(text, encoding="utf-8")
        here, there = (Targets.read(wanted, people.columns).figures[0] for wanted in (tmp_path / name, listed))
        assert (str(here), here.wanted, here.source) == (str(there), there.wanted, there.source)
    assert read_targets("{owner: {yes: 0.2, no: 0.8}}") == {"owner": {"yes": 0.2, "no": 0.8}}


# -- telling ----------------------------------------------------------------------------------------------------------
def test_the_finding_tells_what_was_wanted_got_and_by_whom_it_was_published(model):
    targets = Targets.read(read_targets(PUBLISHED), model.order)
    before = model.sample(4000, seed=2)
    after, _ = drawn(model, 4000, read_targets(PUBLISHED))
    good, poor = targets.finding(before, after), targets.finding(after, before)
    assert good.verdict == "good" and good.name == "steering.targets" and 0 < good.value <= 1
    assert "All 14 figures are met" in good.reason and "Adults of Utopia" in good.reason
    assert poor.verdict == "poor" and poor.value > 1 and "Furthest off" in poor.reason
    rows = {row["target"]: row for row in good.details["targets"]}
    told = rows["share of smoker == 'yes' within sex == 'M'"]
    assert told["wanted"] == 0.3 and told["source"] == "Health survey 2023, table 4" and told["outcome"] == "met"
    assert told["before"] == pytest.approx((before.filter(pl.col("sex") == "M")["smoker"] == "yes").mean())
    assert told["got"] == pytest.approx((after.filter(pl.col("sex") == "M")["smoker"] == "yes").mean())
    assert all(abs(item["value"] - item["reference"]) < 0.01 for item in good.details["items"])
    json.dumps(good.to_dict(), allow_nan=False)
    page = study(vs.findings.Assessment((good, poor), {}), title="people", kind="steering")
    assert "Health survey 2023, table 4" in page


def test_an_outcome_without_rows_is_not_met_and_says_so(people):
    targets = Targets.read([{"mean": "age", "is": 99, "within": "age > 95"}], people.columns)
    outcome = targets.outcomes(people)[0]
    assert not outcome.met and outcome.to_dict()["got"] is None and "No row counts for it" in str(outcome)
    assert targets.finding(people, people.clear()).verdict == "poor"


def test_the_command_line_takes_a_file(model, tmp_path):
    model.save(tmp_path / "m")
    (tmp_path / "figures.yaml").write_text(PUBLISHED, encoding="utf-8")
    base = ["sample", str(tmp_path / "m"), "--rows", "4000", "--out", str(tmp_path / "rows.parquet"), "--force"]
    done = CliRunner().invoke(app, [*base, "--targets", str(tmp_path / "figures.yaml")])
    assert done.exit_code == 0 and "14 of 14 targets met" in done.output
    done = CliRunner().invoke(app, [*base, "--targets", "[{share: sex == 'F', is: 0.5, tolerances: 1}]"])
    assert done.exit_code == 2 and "Did you mean 'tolerance'" in done.output.replace("\n", " ")


# -- inside: against linear programming, and the chances of the cube method -------------------------------------------
def test_the_projection_finds_weights_exactly_where_linear_programming_does():
    rng, found = np.random.default_rng(0), {True: 0, False: 0}
    for _ in range(80):
        rows, count, cap = int(rng.integers(20, 300)), int(rng.integers(1, 6)), float(rng.choice([3, 10, 500]))
        shares = rng.random(count) < 0.6
        x = np.where(shares, rng.normal(size=(rows, count)) > rng.normal(), rng.normal(size=(rows, count)))
        z = x - np.where(shares, rng.random(count), rng.normal(0, 1.2, count))
        weights = project(Moments.zero(z, np.full(count, 0.001)), np.zeros(rows), float(rows), cap).weights
        assert weights.sum() == pytest.approx(rows)
        off = np.abs(weights @ z / rows).max()
        sides = np.vstack([np.hstack([sign * z.T / rows, -np.ones((count, 1))]) for sign in (1, -1)])
        least = linprog(np.append(np.zeros(rows), 1), A_ub=sides, b_ub=np.zeros(2 * count), b_eq=[rows],
                        A_eq=[np.append(np.ones(rows), 0)], bounds=[(0, cap)] * rows + [(0, None)]).fun
        if not 0.002 < least < 0.02:
            found[least < 0.01] += 1
            assert (off < 0.01) == (least < 0.01)
            assert least > 0.01 or weights.max() <= cap * (1 + 1e-6)
    assert min(found.values()) > 12


def test_every_row_keeps_its_chance_and_sums_come_out():
    rng = np.random.default_rng(0)
    z = np.column_stack([rng.normal(0.1, 1, 40), rng.random(40) < 0.3, rng.random(40)])
    z -= z.mean(axis=0)
    moments = Moments(z, np.zeros(3), np.full(3, 1.5))
    times, off = np.zeros(40), []
    for _ in range(400):
        chosen = choose(16, moments, rng)
        times += chosen
        off.append(np.abs(z[chosen].sum(axis=0)).max())
        assert chosen.sum() == 16
    assert np.abs(times / 400 - 0.4).max() < 4.5 * math.sqrt(0.24 / 400) + 0.01
    assert np.mean(off) < 0.75  # 16 rows by chance alone: 2.4
