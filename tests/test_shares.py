"""Shares, partial rows, tails, weights, steering files: populations whose answers are known."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import stats
from typer.testing import CliRunner

import verisyn as vs
from verisyn.cli import app
from verisyn.errors import UserError
from verisyn.progress import Progress
from verisyn.schema import Constraint

ROWS = 12_000


@pytest.fixture(scope="module")
def claims():
    """Fraud is 2 %, likelier at night; losses are Pareto with shape 1/3, larger for fraud; 5 % have no region."""
    rng = np.random.default_rng(0)
    night = rng.random(ROWS) < 0.3
    fraud = rng.random(ROWS) < np.where(night, 0.05, 0.007)
    loss = stats.genpareto(1 / 3, scale=np.where(fraud, 300, 100)).rvs(ROWS, random_state=1).round(2)
    region = np.where(rng.random(ROWS) < 0.05, None, rng.choice(["nord", "süd", "ö st"], ROWS, p=[0.6, 0.3, 0.1]))
    return pl.DataFrame({"claim no": [f"C-{i:06d}" for i in range(ROWS)], "night": night, "region": region,
                         "fraud": np.where(fraud, "yes", "no"), "loss": loss,
                         "day": np.datetime64("2024-01-01") + rng.integers(0, 366, ROWS)})


@pytest.fixture(scope="module")
def model(claims):
    return vs.fit(claims, seed=0, audit=False)


def test_shares_are_met_to_the_row_and_weights_bring_the_rates_back(model):
    rows = model.sample(4000, seed=1, shares={"fraud": {"yes": 0.3}}, weights="w")
    fraud, weight = (rows["fraud"] == "yes").to_numpy(), rows["w"].to_numpy()
    assert fraud.sum() == 1200 and weight.mean() == pytest.approx(1)
    usual = model.sample(40_000, seed=2)
    assert (fraud * weight).mean() == pytest.approx((usual["fraud"] == "yes").mean(), rel=0.15)
    assert rows["night"].mean() > 0.4, "what goes with fraud is more frequent too"
    assert np.average(rows["night"], weights=weight) == pytest.approx(usual["night"].mean(), abs=0.03)
    assert rows["claim no"].n_unique() == 4000


def test_shares_of_a_condition_cut_at_a_value_inside_a_bin(model):
    rows = model.sample(3000, seed=1, shares={"loss > 512.34": 0.5}, weights="w")
    beyond = (rows["loss"] > 512.34).to_numpy()
    assert beyond.sum() == 1500
    usual = model.sample(60_000, seed=2)
    assert (beyond * rows["w"].to_numpy()).mean() == pytest.approx((usual["loss"] > 512.34).mean(), rel=0.15)


def test_weights_are_right_for_a_rare_condition_on_several_columns(model):
    rare = "loss > 900 or day == '2024-02-29' and night == True"
    usual = model.sample(200_000, seed=2)
    truth = ((usual["loss"] > 900) | ((usual["day"].cast(pl.Date).cast(pl.String) == "2024-02-29") & usual["night"])).mean()
    rows = model.sample(2000, seed=1, shares={rare: 0.5}, weights="w")
    here = (rows["loss"] > 900) | ((rows["day"].cast(pl.Date).cast(pl.String) == "2024-02-29") & rows["night"])
    assert here.sum() == 1000 and (here * rows["w"]).mean() == pytest.approx(truth, rel=0.12)


def test_levels_that_are_not_named_and_missing_share_the_rest(model):
    rows = model.sample(2000, seed=1, shares={"region": {"ö st": 0.5, "süd": 0.25}})
    counts = dict(rows["region"].value_counts().iter_rows())
    assert counts["ö st"] == 1000 and counts["süd"] == 500
    assert counts[None] / (counts[None] + counts["nord"]) == pytest.approx(0.05 / (0.05 + 0.95 * 0.6), abs=0.04)


def test_shares_within_a_condition(model):
    rows = model.sample(1000, seed=1, shares={"fraud": {"yes": 0.5}}, given="night == True")
    assert rows["night"].all() and (rows["fraud"] == "yes").sum() == 500


def test_weights_say_what_they_cannot_bring_back(model):
    for wishes, gone in (({"shares": {"fraud": {"yes": 1}}}, "all other rows"), ({"balance": "region"}, "missing values"),
                         ({"shares": {"region": {"nord": 0}}}, "'nord'")):
        progress = Progress()
        steered = model.steered(100, seed=1, weights="w", progress=progress, **wishes)
        assert any("do not bring these back" in note and gone in note for note in progress.notes)
        assert "do not bring these back" in model.effects(steered)["steering.shares"].reason
    progress = Progress()
    model.sample(100, seed=1, weights="w", shares={"fraud": {"yes": 0.5, "no": 0.5}}, progress=progress)
    assert not any("bring" in note for note in progress.notes)


def test_levels_are_spelt_as_a_person_spells_them(model, limited, tmp_path):
    (tmp_path / "wishes.yaml").write_text("shares: {fraud: {yes: 0.3}}\n", encoding="utf-8")
    assert (model.sample(100, steer=tmp_path / "wishes.yaml")["fraud"] == "yes").sum() == 30
    assert model.sample(100, shares={"night": {"yes": 0.3}})["night"].sum() == 30
    assert model.sample(100, given={"night": "no"})["night"].sum() == 0
    assert model.sample(100, do={"night": "yes"})["night"].all()
    rows = limited.sample(100, shares={"level": {"under 100": 0.3, "100-149": 0.2}})["level"]
    assert (rows < 100).sum() == 30 and ((rows >= 100) & (rows < 150)).sum() == 20


@pytest.mark.parametrize(("wishes", "words"), [
    ({"shares": {"fraude": {"yes": 0.3}}}, "Did you mean 'fraud'"),
    ({"shares": {"fraud": {"yess": 0.3}}}, "Did you mean 'yes'"),
    ({"shares": {"fraud": {"yes": 0.8, "no": 0.4}}}, "sum to 1.2, more than 1"),
    ({"shares": {"fraud": {"yes": -0.1}}}, "a number from 0 to 1"),
    ({"shares": {"fraud": {"yes": True}}}, "a number from 0 to 1"),
    ({"shares": {"fraud": {"yes": 0.1}, "night": {True: 0.2}}}, "Shares of several columns are targets"),
    ({"shares": {"fraud": {"yes": 0.1}}, "do": {"night": True}}, "cannot be combined"),
    ({"shares": {"fraud": {"yes": 0.1}}, "balance": "fraud"}, "Give one of them"),
    ({"shares": {"loss > 1e12": 0.1}}, "loss"),
    ({"shares": {"fraud": {"yes": 0.3}}, "given": "fraud == 'yes'"}, "no such row can meet the condition"),
    ({"shares": {"loss": {"0-100": 0.3, "50-200": 0.1}}}, "overlap"),
    ({"weights": "w"}, "none of them was given"),
    ({"weights": 5, "balance": "fraud"}, "name of a column to add"),
    ({"weights": "loss_extrapolated", "balance": "fraud", "tails": "loss"}, "has that name"),
    ({"tails": 5}, "number columns are expected"),
    ({"tails": ["loss", "loss"]}, "high end of 'loss' twice"),
    ({"tails": ["claim no"]}, "made anew"),
    ({"tails": "loss", "do": {"loss": 100.0}}, "do sets 'loss'"),
    ({"tails": "loss", "given": pl.DataFrame({"loss": [5.0]})}, "hold 'loss'"),
    ({"steer": ["given"]}, "a YAML file or a mapping"),
    ({"given": ""}, "could not be read"),
    ({"given": pl.DataFrame({"day": [5]})}, "Row 1 .* 'day' = 5"),
    ({"weights": "loss", "balance": "fraud"}, "has that name"),
    ({"tails": ["los"]}, "Did you mean 'loss'"),
    ({"tails": {"loss": 0.9}}, "up to 0.5"),
    ({"tails": ["region"]}, "not numbers"),
    ({"given": pl.DataFrame({"fraude": ["yes"]})}, "Did you mean 'fraud'"),
    ({"given": pl.DataFrame({"fraud": ["maybe"]})}, "does not know"),
    ({"given": pl.DataFrame({"loss": ["a lot"]})}, "Give values of that type"),
    ({"given": pl.DataFrame({"fraud": ["yes"]}), "balance": "night"}, "Rows to complete cannot be combined"),
    ({"steer": {"gven": "loss > 1"}}, "Did you mean 'given'"),
    ({"steer": {"given": "loss > 1"}, "given": "loss > 2"}, "given twice"),
])
def test_ill_posed_wishes_get_a_sentence(model, wishes, words):
    with pytest.raises(UserError, match=words):
        model.sample(100, seed=0, **wishes)


def test_partial_rows_are_completed_in_turn(model):
    asked = pd.DataFrame({"fraud": ["yes", "no"], "loss": [1000.0, np.nan]})
    rows = model.sample(3000, seed=1, given=asked)
    assert rows.columns == model.sample(1, seed=0).columns and rows["claim no"].n_unique() == 3000
    first, second = rows[::2], rows[1::2]
    assert (first["fraud"] == "yes").all() and (first["loss"] == 1000).all() and (second["fraud"] == "no").all()
    assert first["night"].mean() == pytest.approx(0.05 * 0.3 / (0.05 * 0.3 + 0.007 * 0.7), abs=0.06)
    assert second["loss"].null_count() == 0 and second["loss"].n_unique() > 1000
    assert model.sample(seed=1, given=asked).height == 2


def test_partial_rows_may_spell_dates_and_a_dataset_will_do(model):
    asked = pl.DataFrame({"day": ["2024-03-01", None], "night": ["yes", "false"]})
    rows = model.sample(seed=1, given=vs.read(asked))
    assert str(rows["day"][0]) == "2024-03-01" and rows["night"].to_list() == [True, False]


def test_whole_numbers_are_not_made_of_others(limited):
    with pytest.raises(UserError, match=r"Row 2 .*'level' = 20.5, which is no UInt8"):
        limited.sample(seed=1, given=pl.DataFrame({"level": [20.0, 20.5]}))


def test_a_partial_row_that_the_model_hardly_believes_is_told(claims):
    always = claims.with_columns(pl.when(pl.col("night")).then(pl.lit("dark")).otherwise(pl.lit("bright")).alias("light"))
    model, progress = vs.fit(always.select("night", "light", "loss"), seed=0, audit=False), Progress()
    model.sample(seed=1, given=pl.DataFrame({"night": [True, True], "light": ["dark", "bright"]}), progress=progress)
    assert any("In 1 of 2 rows" in note and "row 2" in note for note in progress.notes)


def test_tails_reach_beyond_what_was_seen_and_are_marked(claims, model):
    rows = model.sample(60_000, seed=3, tails=["loss"])
    usual = model.sample(60_000, seed=3)
    marked = rows["loss_extrapolated"]
    assert 0 < marked.sum() < 60 and rows.filter(marked)["loss"].min() > rows.filter(~marked)["loss"].max()
    below = (usual["loss"] < usual["loss"].quantile(0.94)).to_numpy()
    assert (rows["loss"].to_numpy()[below] == usual["loss"].to_numpy()[below]).all(), "only the tail is drawn anew"
    assert (np.argsort(rows["loss"].to_numpy())[-5:] >= 0).all()
    wanted = stats.genpareto(1 / 3, scale=100).isf(1e-4)
    assert wanted / 2 < rows["loss"].quantile(0.9999) < 2 * wanted


@pytest.fixture(scope="module")
def limited():
    """Columns that a longer tail could break: a byte, a sum, an order, multiples of 50, very small numbers."""
    rng = np.random.default_rng(0)
    low, one, two = rng.normal(50, 10, 3000).round(1), rng.gamma(2, 90, 3000).round(1), rng.gamma(2, 9, 3000).round(1)
    return vs.fit(pl.DataFrame({
        "level": pl.Series(np.clip(rng.gamma(9, 15, 3000), 0, 255).astype(int), dtype=pl.UInt8),
        "low": low, "high": (low + rng.gamma(2, 3, 3000)).round(1), "one": one, "two": two, "sum": (one + two).round(1),
        "pack": rng.gamma(2, 25, 3000).astype(int) * 50, "tiny": rng.pareto(3, 3000) * 1e-13}), seed=0, audit=False)


def test_a_longer_tail_keeps_constraints_and_types(limited):
    progress = Progress()
    rows = limited.sample(20_000, seed=1, tails=["low", "-low", "one", "pack", "tiny"], progress=progress)
    usual = limited.sample(20_000, seed=1)
    assert (rows["low"] <= rows["high"]).all() and ((rows["one"] + rows["two"] - rows["sum"]).abs() < 0.06).all()
    assert (rows["pack"] % 50 == 0).all() and rows["pack"].max() > usual["pack"].max()
    assert rows["tiny"].max() > usual["tiny"].max() and rows["tiny"].null_count() == 0
    told = {n.split("'")[1]: n for n in progress.notes if "beyond -" not in n and "generalised" in n}
    marked = int((rows["low"] > usual["low"].max()).sum()), int(rows["low_extrapolated"].sum())
    assert marked[1] > marked[0] >= 0 and "pack" in told, "each end is counted by itself, the mark is of both"


def test_a_longer_tail_never_leaves_the_type(limited):
    progress = Progress()
    rows = limited.sample(20_000, seed=1, tails={"level": 0.2}, progress=progress)
    assert rows["level"].dtype == pl.UInt8 and rows["level"].null_count() == 0
    assert any("no tail was lengthened, because else UInt8 has no such value" in note for note in progress.notes)


def test_a_tail_that_a_constraint_cuts_off_says_so(limited):
    table = limited.schema.table
    cap = Constraint(kind="range", columns=("one",), settings={"maximum": 900})
    schema = limited.schema.model_copy(update={"tables": (table.model_copy(update={"constraints": (cap,)}),)})
    model, progress = vs.fit(limited.sample(3000, given="one < 880"), schema, seed=0, audit=False), Progress()
    rows = model.sample(40_000, seed=1, tails={"one": 0.1}, progress=progress)
    assert rows["one"].max() <= 900 and any("'one' is at most 900" in n and "rows no tail" in n for n in progress.notes)


def test_a_longer_tail_keeps_conditions_and_shares(model):
    rows = model.sample(2000, seed=1, given="loss < 700", tails={"loss": 0.2})
    assert rows["loss"].max() < 700
    rows = model.sample(2000, seed=1, shares={"loss > 600": 0.3}, tails={"loss": 0.2}, weights="w")
    assert (rows["loss"] > 600).sum() == 600


def test_targets_are_judged_after_the_tail_was_lengthened(model):
    progress = Progress()
    rows = model.sample(3000, seed=1, tails={"loss": 0.3}, progress=progress,
                        targets=[{"mean": "loss", "is": 150, "tolerance": 1e-4}])
    assert any("Target NOT met" in note and f"got {rows['loss'].mean():.4g}" in note for note in progress.notes)


def test_the_fitted_shape_holds_the_truth(model):
    steered = model.steered(1000, seed=1, tails={"loss": 0.1})
    tail, = steered.tails
    assert abs(tail.shape - 1 / 3) < 3 * tail.errors[0]
    low, high = tail.level(0.9995)[1]
    assert low < stats.genpareto(1 / 3, scale=104).isf(5e-4) < high


def test_findings_show_before_and_after(model):
    steered = model.steered(2000, seed=1, shares={"fraud": {"yes": 0.3}}, tails=["loss"])
    found = model.effects(steered)
    assert [f.name for f in found.findings] == ["steering.shares", "steering.tails", "steering.rows"]
    assert found["steering.shares"].details["shares"][0]["got"] == 0.3
    assert found["steering.rows"].details["columns"][0]["name"] == "fraud"
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_steering_report_asks_first_and_calls_neither_side_real():
    from verisyn.report.study import study

    frame = pl.DataFrame({"a": [1.0, None, 3.0, 4.0] * 50, "b": ["x", "x", "y", "y"] * 50})
    model = vs.fit(frame, audit=False)
    found = model.effects(model.steered(400, seed=1, shares={"b": {"x": 0.8}}))
    page = study(found, title="t", kind="steering report", lead="", notes=())
    assert "<b>Are the shares what was wished for?</b>" in page
    assert "% without the wishes, " in page and "% with them" in page and "% synthetic" not in page


def test_from_the_command_line_and_from_a_file_alike(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model.save("claims-model")
    (tmp_path / "wishes.yaml").write_text("shares: {fraud: {'yes': 0.3}}\nweights: w\n", encoding="utf-8")
    pl.DataFrame({"fraud": ["yes", "no"]}).write_csv("partial.csv")
    run = CliRunner().invoke
    one = run(app, ["sample", "claims-model", "--rows", "500", "--out", "a.csv", "--shares", "{fraud: {'yes': 0.3}}",
                    "--weights", "w", "--report", "a.html", "--json"])
    assert one.exit_code == 0, one.output
    assert json.loads(one.stdout)["findings"][0]["name"] == "steering.shares"
    assert "without the wishes" in (tmp_path / "a.html").read_text(encoding="utf-8")
    assert run(app, ["sample", "claims-model", "--rows", "500", "--out", "b.csv", "--steer", "wishes.yaml"]).exit_code == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert run(app, ["sample", "claims-model", "--out", "c.csv", "--given", "partial.csv"]).exit_code == 0
    assert pl.read_csv("c.csv")["fraud"].to_list() == ["yes", "no"]
    bad = run(app, ["sample", "claims-model", "--out", "d.csv", "--shares", "fraud"])
    assert bad.exit_code == 2 and "could not be read" in bad.output and not (tmp_path / "d.csv").exists()
