"""Steering: interventions, targets and rare conditions, against populations whose answers are known."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

import verisyn as vs
from verisyn import shelves
from verisyn.cli import app
from verisyn.errors import UserError
from verisyn.kinds import Part
from verisyn.modalities.table import Codes
from verisyn.progress import Progress
from verisyn.schema import Constraint

ROWS = 12_000


@pytest.fixture(scope="module")
def causes():
    """Severity makes treatment likelier and recovery rarer; treatment helps: given and do differ."""
    rng = np.random.default_rng(0)
    severe = rng.random(ROWS) < 0.5
    treated = rng.random(ROWS) < np.where(severe, 0.8, 0.2)
    well = rng.random(ROWS) < 0.6 + 0.3 * treated - 0.5 * severe
    dose = np.round(rng.normal(10 + 4 * severe, 2), 1)
    effect = np.round(2 * dose + rng.normal(0, 1, ROWS), 1)
    return pl.DataFrame({"severe": severe, "treated": treated, "well": well, "dose": dose, "effect": effect,
                         "ward": np.where(severe ^ (rng.random(ROWS) < 0.05), "A", "B")})


@pytest.fixture(scope="module")
def model(causes):
    return vs.fit(causes, seed=0)


def test_columns_are_drawn_in_a_known_order(model, causes):
    assert model.order == causes.columns


def test_given_looks_and_do_sets(model):
    given = model.sample(8000, seed=1, given="treated == True")
    done = model.sample(8000, seed=1, do={"treated": True})
    assert given["treated"].all() and done["treated"].all()
    assert given["severe"].mean() == pytest.approx(0.8, abs=0.02)
    assert done["severe"].mean() == pytest.approx(0.5, abs=0.02)
    assert given["well"].mean() == pytest.approx(0.9 - 0.5 * 0.8, abs=0.03)
    assert done["well"].mean() == pytest.approx(0.9 - 0.5 * 0.5, abs=0.03)


def test_a_change_moves_only_what_comes_after(model):
    usual, more = (model.sample(8000, seed=1, do=do) for do in (None, {"dose": "+1"}))
    assert more["dose"].mean() - usual["dose"].mean() == pytest.approx(1, abs=0.1)
    assert more["effect"].mean() - usual["effect"].mean() == pytest.approx(2, abs=0.2)
    assert abs(more["severe"].mean() - usual["severe"].mean()) < 0.02
    assert np.corrcoef(more["dose"], more["effect"])[0, 1] > 0.9


@pytest.mark.parametrize(("change", "want"), [("*2", 24), ("-50%", 6), (10.5, 10.5), ("/2", 6), ("+1pp", 13)])
def test_values_and_changes(model, change, want):
    rows = model.sample(3000, seed=1, do={"dose": change}, progress=Progress())
    assert rows["dose"].mean() == pytest.approx(want, abs=0.3)


def test_a_change_that_the_type_cannot_hold_is_refused():
    frame = pl.DataFrame({"count": pl.Series([1, 2, 3, 4] * 100, dtype=pl.Int8),
                          "day": pl.date_range(pl.date(2020, 1, 1), pl.date(2021, 2, 3), eager=True)[:400]})
    model = vs.fit(frame, seed=0, audit=False)
    with pytest.raises(UserError, match=r"its type \(Int8\) does not reach"):
        model.sample(10, do={"count": "*100"})
    with pytest.raises(UserError, match="no value of that column"):
        model.sample(10, do={"day": "+2h"})


def test_columns_may_be_called_as_a_count_is():
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"count": rng.integers(0, 5, 400), "len": rng.choice(["a", "b"], 400), "rows": rng.random(400)})
    frame = frame.with_columns(proportion=pl.col("len") + "!")
    rows = vs.fit(frame, seed=0, audit=False).sample(100, balance="len", weights="w")
    assert (rows["proportion"] == rows["len"] + "!").all() and (rows["len"] == "a").sum() == 50


def test_an_alarm_is_a_warning_where_nobody_listens(model):
    with pytest.warns(UserWarning, match="leaves the range"):
        model.sample(100, seed=1, do={"dose": "*2"})


def test_do_says_who_responds_and_where_it_extrapolates(model):
    progress = Progress()
    model.sample(500, seed=1, do={"dose": 40.0}, progress=progress)
    assert "respond: 'effect', 'ward'" in progress.notes[0] and "do not: 'severe', 'treated', 'well'" in progress.notes[0]
    assert "100.0% of rows 'dose' leaves the range" in progress.notes[1]


def test_dates_are_shifted():
    start = np.datetime64("2020-01-01") + np.random.default_rng(0).integers(0, 700, 2000)
    frame = pl.DataFrame({"start": start, "end": start + np.random.default_rng(1).integers(5, 15, 2000)})
    model = vs.fit(frame.cast(pl.Date), seed=0)
    usual, later = (model.sample(2000, seed=1, do=do) for do in (None, {"start": "+1mo"}))
    for column in ("start", "end"):
        shift = later[column].cast(pl.Int32).mean() - usual[column].cast(pl.Int32).mean()
        assert shift == pytest.approx(30, abs=12 if column == "end" else 6)


def test_given_after_do_conditions_the_rows_so_changed(model):
    rows = model.sample(4000, seed=1, do={"treated": True}, given="well == False")
    assert rows["treated"].all() and not rows["well"].any()
    assert rows["severe"].mean() == pytest.approx(0.5 * 0.6 / (0.5 * 0.6 + 0.5 * 0.1), abs=0.03)


@pytest.mark.parametrize(("wishes", "words"), [
    ({"do": {"tretted": True}}, "Did you mean 'treated'"),
    ({"do": {"ward": "C"}}, "a level that the model does not know"),
    ({"do": {"dose": "high"}}, "no value of that column"),
    ({"do": {"dose": None}}, "never saw it missing"),
    ({"do": {"dose": float("nan")}}, "never saw it missing"),
    ({"targets": {"ward": {}}}, "no level of 'ward'"),
    ({"targets": [{"table": ["ward"], "cells": {}}]}, "Target 1: .*no level"),
    ({"targets": [{"shares": {"ward": {}}}]}, "Target 1: .*no level"),
    ({"do": {"dose": 1.0}, "balance": "ward"}, "cannot be combined"),
    ({"given": {"dose": (1, 2, 3)}}, "low, high"),
    ({"given": {"dosis": 3}}, "Did you mean 'dose'"),
    ({"targets": {"ward": {"A": 0.8, "B": 0.4}}}, "sum to 1.2, more than 1"),
    ({"targets": {"ward": {"A": -0.1}}}, "between 0 and 1"),
    ({"targets": {"ward": {"C": 0.1}}}, "of 20,000 rows of the model, none meets it"),
    ({"targets": {"dose": 1000}}, "is ever drawn"),
    ({"targets": {"ward": 3}}, "Give shares"),
    ({"targets": {"dose": "high"}}, "a number is expected"),
    ({"targets": {"dosis": 3}}, "Did you mean 'dose'"),
])
def test_ill_posed_wishes_get_a_sentence(model, wishes, words):
    with pytest.raises(UserError, match=words):
        model.sample(100, seed=0, **wishes)


def test_contradictory_targets_are_told_with_the_nearest(model):
    with pytest.raises(UserError, match=r"share of dose < 8: wanted 0.9, nearest 0\.\d+; mean of dose: wanted 14"):
        model.sample(1000, seed=0, targets={"dose < 8": 0.9, "dose": 14})


def test_targets_are_met_and_what_depends_on_them_follows(model):
    wanted = {"severe": {True: 0.7}, "dose": 11.5, "effect > 30": 0.1}
    progress = Progress()
    rows = model.sample(6000, seed=1, targets=wanted, progress=progress)
    assert rows["severe"].mean() == pytest.approx(0.7, abs=0.03)
    assert rows["dose"].mean() == pytest.approx(11.5, abs=0.15)
    assert (rows["effect"] > 30).mean() == pytest.approx(0.1, abs=0.02)
    assert (rows["ward"] == "A").mean() == pytest.approx(0.7, abs=0.03)
    assert len(progress.notes) == 3 and all(note.startswith("Target met") for note in progress.notes)


def test_a_tilted_normal_is_the_shifted_normal():
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, ROWS)
    frame = pl.DataFrame({"x": x, "y": 0.8 * x + 0.6 * rng.normal(0, 1, ROWS)})
    rows = vs.fit(frame, seed=0).sample(5000, seed=1, targets={"y": 0.5})
    assert stats.kstest(rows["y"], stats.norm(0.5, 1).cdf).statistic < 0.03
    assert stats.kstest(rows["x"], stats.norm(0.4, 1).cdf).statistic < 0.03


def test_targets_hold_under_a_condition(model):
    rows = model.sample(3000, seed=1, given="ward == 'A'", targets={"treated": {True: 0.5}})
    assert (rows["ward"] == "A").all() and rows["treated"].mean() == pytest.approx(0.5, abs=0.04)
    assert rows["well"].mean() == pytest.approx(0.297, abs=0.04)  # by Bayes' rule, as for the others


@pytest.mark.parametrize("wishes", [
    {"given": "well == False and dose > 13"}, {"do": {"dose": "+1"}}, {"targets": {"dose": 11.0}}, {"balance": "well"}])
def test_the_bytes_do_not_depend_on_the_threads(model, wishes):
    one, three = (model.sample(9000, seed=2, jobs=jobs, **wishes) for jobs in (1, 3))
    assert one.equals(three)
    assert not one.equals(model.sample(9000, seed=3, **wishes))


def test_a_mapping_says_what_the_expression_says(model):
    text = "dose >= 9 and dose <= 11.5 and ward in ['A', 'B'] and well == True"
    mapping = {"dose": (9, 11.5), "ward": ["A", "B"], "well": True}
    assert model.sample(300, seed=1, given=mapping).equals(model.sample(300, seed=1, given=text))


def test_ids_do_not_repeat_under_any_steering():
    frame = pl.DataFrame({"key": range(1, 2001), "ward": ["A", "B", "B", "C"] * 500,
                          "age": np.random.default_rng(0).integers(20, 80, 2000)})
    model = vs.fit(frame, seed=0)
    for wishes in ({"given": "age < 30 or ward == 'C'"}, {"balance": "ward"}, {"targets": {"age": 40}}):
        assert model.sample(3000, seed=1, **wishes)["key"].n_unique() == 3000


@pytest.mark.parametrize("name", ["trees", "independent"])
def test_a_generator_completes_codes_and_tells_their_probability(name):
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.integers(0, 3, 4000), rng.integers(0, 4, 4000), rng.integers(0, 3, 4000)])
    values[:, 1] = np.where(rng.random(4000) < 0.6, values[:, 0], values[:, 1])
    parts = (Part(3, ordered=False), Part(4, ordered=True), Part(3, ordered=False))
    table = Codes(np.asfortranarray(values, np.int32), parts, ("a", "b", "c"))
    fitted = shelves.generators.take(name).Generator().fit(table, np.random.SeedSequence(0))
    holes, mask = values[:2000].copy().astype(np.int32), np.array([True, True, False, False])
    holes[:, 1] = -1
    codes, log_p = fitted.complete(holes, np.random.default_rng(1), {1: mask})
    np.testing.assert_array_equal(codes[:, [0, 2]], values[:2000, [0, 2]])
    np.testing.assert_allclose(log_p[:, [0, 2]], fitted.log_prob(codes)[:, [0, 2]])
    each = np.exp([fitted.log_prob(np.column_stack([holes[:, 0], np.full(2000, b), holes[:, 2]]))[:, 1] for b in (0, 1)])
    np.testing.assert_allclose(np.exp(log_p[:, 1]), each.sum(axis=0), rtol=1e-5)
    assert (codes[:, 1] == 0).mean() == pytest.approx((each[0] / each.sum(axis=0)).mean(), abs=0.03)


# -- rare conditions ------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def rare():
    """A mark that few rows have, and only where two earlier columns allow it."""
    rng = np.random.default_rng(1)
    x, group = np.round(rng.normal(0, 1, 20_000), 4), rng.choice(list("abcdefgh"), 20_000)
    mark = rng.random(20_000) < np.where((group == "c") & (x > 0.5), 0.25, 0.001)
    return pl.DataFrame({"x": x, "group": group, "size": np.round(x + rng.normal(0, 0.3, 20_000), 4),
                         "mark": np.where(mark, "yes", "no")})


def test_a_rare_condition_is_met_by_a_model_learnt_from_own_rows(rare, monkeypatch, tmp_path):
    model, progress, given = vs.fit(rare, seed=0), Progress(), "mark == 'yes' and x > 1"
    exact = model.sample(3000, seed=9, given=given)  # accepted by its mass: the model's own conditional distribution
    monkeypatch.setattr("verisyn.steering.refit._FIT_COST", 1)  # so that the test can do with few rows
    monkeypatch.setattr("verisyn.steering.refit._RARE_DRAWS", 20_000)
    rows = model.sample(6000, seed=1, given=given, progress=progress)
    assert "own rows" in progress.notes[0]
    assert (rows["mark"] == "yes").all() and rows["x"].min() > 1 and rows.unique().height > 5990
    assert (rows["group"] == "c").mean() == pytest.approx((exact["group"] == "c").mean(), abs=0.04)
    assert stats.ks_2samp(rows["x"], exact["x"]).statistic < 0.06
    assert stats.ks_2samp(rows["size"] - rows["x"], exact["size"] - exact["x"]).statistic < 0.08
    assert model.sample(6000, seed=1, given=given, jobs=1).equals(rows)  # by the model that was kept
    model.save(tmp_path / "m")
    assert vs.load(tmp_path / "m").sample(6000, seed=1, given=given, jobs=3).equals(rows)  # by one fitted again


def test_a_condition_that_is_never_met_is_told_at_once(rare):
    frame = rare.with_columns(pl.when(pl.col("x") > 0).then(pl.lit("up")).otherwise(pl.lit("down")).alias("sign"))
    with pytest.raises(UserError, match=r"is met by .*each clause alone"):
        vs.fit(frame, seed=0).sample(2000, seed=1, given="x < -2.5 and sign == 'up' and mark == 'yes'")


def test_a_condition_on_many_columns_is_improbable_but_no_contradiction(rare):
    given = {"x": (0.9, 0.92), "group": "c", "size": (0.9, 0.92), "mark": "yes"}
    rows = vs.fit(rare, seed=0).sample(50, seed=1, given=given)
    assert rows.height == 50 and rows["size"].is_between(0.9, 0.92).all()


# -- the command line -----------------------------------------------------------------------------------------------
def test_the_command_line_steers(model, tmp_path):
    from typer.testing import CliRunner

    model.save(tmp_path / "m")
    out = str(tmp_path / "rows.parquet")
    base = ["sample", str(tmp_path / "m"), "--rows", "2000", "--out", out, "--force"]
    done = CliRunner().invoke(app, [*base, "--do", "treated = True", "--do", "dose += 1"])
    assert done.exit_code == 0 and "respond" in done.output
    assert pl.read_parquet(out)["treated"].all()
    done = CliRunner().invoke(app, [*base, "--targets", "{dose: 11, ward: {A: 0.6}}", "--json"])
    assert done.exit_code == 0 and "Target met" in done.output
    assert CliRunner().invoke(app, [*base, "--do", "treated"]).exit_code == 2
    for wish, said in (("--do", "treated == True"), "with one '='"), (("--given", "nofile.csv"), "no file 'nofile.csv'"):
        done = CliRunner().invoke(app, [*base, *wish])
        assert done.exit_code == 2 and said in " ".join(done.output.split())
    again = CliRunner().invoke(app, base[:-1])
    assert again.exit_code == 2 and "rows.parquet' exists already" in " ".join(again.output.split())
    assert CliRunner().invoke(app, [*base, "--targets", "[1"]).exit_code == 2


def test_what_do_sets_overrules_a_constraint_and_says_so(causes):
    schema = vs.describe(causes)
    limit = Constraint(kind="range", columns=("dose",), settings={"maximum": 20})
    table = schema.table.model_copy(update={"constraints": (limit,)})
    limited = vs.fit(causes, schema.model_copy(update={"tables": (table,)}), seed=0, audit=False)
    with pytest.warns(UserWarning, match="100.0% of rows it does not hold that 'dose' is at most 20"):
        done = limited.sample(200, seed=1, do={"dose": 25.0})
    assert (done["dose"] == 25).all()


@pytest.mark.parametrize("wish", [{"given": 3}, {"given": ["dose"]}, {"do": "dose = 3"}, {"targets": 5}, {"jobs": 0},
                                  {"given": "ward is 'A'"}, {"given": "not ward"}])
def test_what_is_no_wish_gets_a_sentence(model, wish):
    with pytest.raises(UserError):
        model.sample(10, **wish)
