"""Completing missing cells, and how unusual a row is: against populations whose answers are known."""

import itertools

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import stats
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

import verisyn as vs
from verisyn.cli import app
from verisyn.errors import UserError


def bits(rows: int, seed: int) -> pl.DataFrame:
    """Three dependent answers: each cell's distribution given the other two is known."""
    rng = np.random.default_rng(seed)
    a = rng.random(rows) < 0.4
    b = rng.random(rows) < np.where(a, 0.8, 0.3)
    c = rng.random(rows) < np.where(a != b, 0.9, 0.2)
    return pl.DataFrame({"a": a, "b": b, "c": c}).select(pl.all().replace_strict({True: "yes", False: "no"}))


def points(rows: int, seed: int) -> pl.DataFrame:
    """Two normal columns that correlate at 0.9, and a group that shifts both."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 3, rows)
    x = rng.normal(2 * group, 1)
    y = 2 * group + 0.9 * (x - 2 * group) + np.sqrt(1 - 0.81) * rng.normal(0, 1, rows)
    return pl.DataFrame({"x": x.round(3), "group": np.array(["u", "v", "w"])[group], "y": y.round(3)})


@pytest.fixture(scope="module")
def of_bits():
    return vs.fit(bits(20_000, 0), seed=0)


@pytest.fixture(scope="module")
def of_points():
    return vs.fit(points(12_000, 0), seed=0)


def holed(frame: pl.DataFrame, column: str, where: np.ndarray) -> pl.DataFrame:
    return frame.with_columns(pl.when(pl.Series(where)).then(None).otherwise(pl.col(column)).alias(column))


# -- impute ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("column", ["a", "b", "c"])
def test_one_cell_is_drawn_given_all_others_also_those_after_it(of_bits, column):
    rows = bits(20_000, 1)
    done = of_bits.impute(rows.with_columns(pl.lit(None, dtype=pl.String).alias(column)))
    others = [c for c in rows.columns if c != column]
    for values in itertools.product(["yes", "no"], repeat=2):
        same = pl.all_horizontal(pl.col(c) == v for c, v in zip(others, values, strict=True))
        truth, drawn = ((frame.filter(same)[column] == "yes").mean() for frame in (rows, done))
        assert drawn == pytest.approx(truth, abs=0.04)


def test_two_cells_are_drawn_together(of_bits):
    rows = bits(20_000, 2)
    done = of_bits.impute(rows.with_columns(pl.lit(None, dtype=pl.String).alias(c) for c in "ab"))
    for value in ("yes", "no"):
        truth, drawn = (frame.filter(pl.col("c") == value).group_by("a", "b").len().sort("a", "b")["len"]
                        for frame in (rows, done))
        assert np.abs(truth / truth.sum() - drawn / drawn.sum()).max() < 0.03


@pytest.mark.parametrize("column", ["x", "y"])
def test_holes_that_depend_on_other_columns_keep_mean_spread_and_dependence(of_points, column):
    rows, rng = points(6000, 1), np.random.default_rng(2)
    other = "y" if column == "x" else "x"
    where = rng.random(6000) < 1 / (1 + np.exp(-(rows[other].to_numpy() - 2)))
    draws = of_points.impute(holed(rows, column, where), draws=3, seed=1)
    truth = rows.filter(pl.Series(where))
    for done in draws:
        drawn = done.filter(pl.Series(where))
        assert drawn[column].mean() == pytest.approx(truth[column].mean(), abs=0.06)
        assert drawn[column].std() == pytest.approx(truth[column].std(), rel=0.05)
        residual = (drawn[column] - 0.9 * drawn[other]).to_numpy() - (truth[column] - 0.9 * truth[other]).to_numpy()
        assert abs(residual.mean()) < 0.05
        assert np.corrcoef(drawn["x"], drawn["y"])[0, 1] == pytest.approx(np.corrcoef(truth["x"], truth["y"])[0, 1],
                                                                        abs=0.02)
    spread = np.std([done.filter(pl.Series(where))[column] for done in draws], axis=0)
    assert np.median(spread) == pytest.approx(0.35, abs=0.12)  # the conditional sd is 0.44; of three draws, less


def test_intervals_from_draws_cover(of_points):
    rows, rng = points(800, 5), np.random.default_rng(3)
    where = rng.random(800) < 0.5
    draws = of_points.impute(holed(rows, "y", where), draws=20, seed=1)
    values = np.column_stack([done["y"].to_numpy()[where] for done in draws])
    low, high = values.min(axis=1), values.max(axis=1)
    truth = rows["y"].to_numpy()[where]
    assert ((low <= truth) & (truth <= high)).mean() == pytest.approx(19 / 21, abs=0.05)


def test_observed_cells_types_and_other_columns_stay(of_points):
    frame = pd.DataFrame({"note": ["keep", "this", None], "y": np.array([1.5, np.nan, 2.25]),
                          "group": pd.Categorical(["u", None, "w"]), "x": [1.0, 2.0, np.nan]}, index=[7, 8, 9])
    done = of_points.impute(frame)
    assert isinstance(done, pd.DataFrame) and list(done.columns) == list(frame.columns)
    assert done[["y", "group", "x"]].notna().all().all()
    assert done["note"].tolist()[:2] == ["keep", "this"] and done["group"].dtype == "category"
    assert done["y"].tolist()[::2] == [1.5, 2.25] and done["x"].tolist()[:2] == [1.0, 2.0]


def test_a_column_that_is_not_there_is_completed(of_points):
    done = of_points.impute(points(500, 3).drop("group"))
    assert set(done["group"].unique()) <= {"u", "v", "w"}
    assert done.filter(pl.col("y") > 4)["group"].mode()[0] == "w"


def test_missing_is_never_drawn_even_where_it_is_usual():
    rows = points(4000, 0)
    model = vs.fit(holed(rows, "y", np.random.default_rng(0).random(4000) < 0.6), seed=0)
    assert model.sample(2000, seed=1)["y"].null_count() > 1000
    done = model.impute(rows.with_columns(pl.lit(None, dtype=pl.Float64).alias("y")))
    assert done["y"].null_count() == 0
    assert np.corrcoef(done["x"], done["y"])[0, 1] > 0.93


def test_the_seed_decides_and_draws_differ(of_points):
    rows = holed(points(300, 4), "y", np.arange(300) % 2 == 0)
    one, two = of_points.impute(rows, draws=2, seed=5)
    assert not one.equals(two)
    assert one.equals(of_points.impute(rows, draws=2, seed=5)[0])
    assert of_points.impute(points(50, 4)).equals(points(50, 4))
    with pytest.raises(UserError, match="draws is 0"):
        of_points.impute(rows, draws=0)


def test_what_follows_from_other_columns_follows(of_points):
    towns = {"Rome": "IT", "Bari": "IT", "Lyon": "FR", "Nice": "FR"}
    town = np.random.default_rng(0).choice(list(towns), 3000)
    frame = pl.DataFrame({"x": np.random.default_rng(1).normal(0, 1, 3000), "town": town,
                          "country": [towns[t] for t in town]})
    model = vs.fit(frame, seed=0)
    for column in ("town", "country"):
        done = model.impute(holed(frame, column, np.arange(3000) % 3 == 0))
        assert done["country"].to_list() == [towns[t] for t in done["town"]]
        kept = "town" if column == "country" else "country"
        assert done[kept].equals(frame[kept])
    torn = pl.DataFrame({"x": [0.0, 0.0], "town": ["Rome", "Rome"], "country": ["IT", "FR"]})
    assert model.outlier_score(torn)[0] < 0.9 and model.outlier_score(torn)[1] > 0.99
    done = model.sample(400, seed=1, do={"country": "FR"})
    assert set(done["country"]) == {"FR"} and set(done["town"]) == {"Lyon", "Nice"}


def test_better_than_columns_drawn_alone(real):
    frame = pl.read_parquet(real("adult")).sample(9000, seed=1)
    train, test = frame[:6000], frame[6000:]
    models = [vs.fit(train, generator=g, seed=0) for g in ("trees", "independent")]
    for column in ("marital-status", "income"):
        hit = [(m.impute(test.with_columns(pl.lit(None, dtype=pl.String).alias(column)))[column] == test[column]).mean()
               for m in models]
        assert hit[0] > hit[1] + 0.1
    gone = test.with_columns(pl.lit(None, dtype=pl.Int64).alias("age"))
    away = [(m.impute(gone)["age"] - test["age"]).abs().mean() for m in models]
    assert away[0] < 0.85 * away[1]


# -- outlier_score --------------------------------------------------------------------------------------------------
def test_scores_of_ordinary_rows_are_uniform(of_points):
    assert stats.kstest(of_points.outlier_score(points(5000, 7)), stats.uniform.cdf).statistic < 0.06


def test_planted_outliers_stand_out_and_say_why(of_points):
    ordinary = points(2000, 8)
    torn = ordinary.with_columns(pl.col("y").reverse())[:100].filter((pl.col("x") - pl.col("y")).abs() > 3)
    far = pl.DataFrame({"x": [2.0, 60.0, 2.0], "group": ["u", "v", "nowhere"], "y": [-40.0, 2.0, 2.0]})
    odd = pl.concat([torn, far])
    both, truth = pl.concat([ordinary, odd]), np.r_[np.zeros(2000), np.ones(odd.height)]
    ours = roc_auc_score(truth, of_points.outlier_score(both))
    numbers = both.to_dummies("group").to_numpy()
    theirs = roc_auc_score(truth, -IsolationForest(random_state=0).fit(numbers).score_samples(numbers))
    assert ours > 0.99 and ours >= theirs
    assert (of_points.outlier_score(far) > 0.99).all()
    reasons = of_points.outlier_reasons(far)
    assert reasons["column"].to_list()[0] == "y" and reasons["column"].to_list()[2] == "group"
    assert reasons.columns == ["score", "column", "x", "group", "y"]


def test_a_score_needs_the_columns(of_points):
    with pytest.raises(UserError, match="lack the column 'y'"):
        of_points.outlier_score(points(10, 0).drop("y"))


# -- the command line -----------------------------------------------------------------------------------------------
def test_the_command_line_completes_files(of_points, tmp_path):
    from typer.testing import CliRunner

    of_points.save(tmp_path / "m")
    holed(points(200, 9), "y", np.arange(200) < 50).write_csv(tmp_path / "in.csv")
    command = ["impute", str(tmp_path / "m"), str(tmp_path / "in.csv"), "-o", str(tmp_path / "out.csv")]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0 and "Completed 50 cells of 200 rows" in done.output
    assert pl.read_csv(tmp_path / "out.csv")["y"].null_count() == 0
    done = vs.read(tmp_path / "out.csv").provenance
    assert [(s.kind, s.rows, s.generation) for s in done.sources] == [("real", 150, 0), ("derived", 50, 1)]
    with pytest.raises(UserError, match="Only real rows can be counted"):  # what was drawn is no observation
        vs.infer(tmp_path / "out.csv", mean="y")
    assert CliRunner().invoke(app, command).exit_code == 2
    assert CliRunner().invoke(app, [*command, "--draws", "2"]).exit_code == 0
    assert (tmp_path / "out-1.csv").read_bytes() != (tmp_path / "out-2.csv").read_bytes()


def test_what_a_constraint_tells_is_computed_rather_than_drawn():
    rng = np.random.default_rng(0)
    code, a, q = rng.integers(0, 30, 1500), rng.integers(0, 50, 1500), rng.integers(1, 9, 1500)
    whole = pl.DataFrame({"day": code, "week": code // 7, "a": a, "b": rng.integers(0, 50, 1500), "q": q,
                          "price": rng.gamma(2, 3, 1500).round(2)})
    whole = whole.with_columns(sum=pl.col("a") + pl.col("b"), cost=(pl.col("price") * pl.col("q")).round(2))
    model = vs.fit(whole, seed=0, audit=False)
    assert {c.kind for c in model.schema.table.constraints} >= {"dependency", "formula"}
    for column in ("a", "b", "sum", "q", "cost", "week"):
        lacking = whole.head(200).with_columns(pl.lit(None, dtype=pl.Int64).cast(whole[column].dtype).alias(column))
        assert model.impute(lacking, seed=1)[column].equals(whole.head(200)[column]), column


def test_a_town_is_drawn_from_the_observed_region_also_through_a_chain():
    town = np.random.default_rng(0).integers(0, 40, 4000)
    names = {"town": np.array([f"t{i}" for i in range(40)])[town], "county": np.array([f"c{i // 5}" for i in range(40)])[town],
             "region": np.array([f"r{i // 20}" for i in range(40)])[town]}
    whole = pl.DataFrame({**names, "people": np.random.default_rng(1).poisson(20 + town)})
    model = vs.fit(whole, seed=0, audit=False)
    for lacking in (["town"], ["town", "county"], ["town", "region"]):
        done = model.impute(whole.with_columns(pl.lit(None, dtype=pl.String).alias(c) for c in lacking), seed=1)
        kept = done.join(whole.unique(["town", "county", "region"]), on=["town", "county", "region"], how="semi")
        assert kept.height == whole.height, lacking


def test_a_start_is_drawn_by_the_gap_to_its_end():
    rng = np.random.default_rng(0)
    start = rng.integers(0, 100_000, 1500)
    trips = pl.DataFrame({"start": start, "end": start + rng.integers(5, 60, 1500)})
    model = vs.fit(trips, seed=0, audit=False)
    for column in ("start", "end"):
        done = model.impute(trips.with_columns(pl.lit(None, dtype=pl.Int64).alias(column)), seed=1)
        gap = done["end"] - done["start"]
        assert gap.min() >= 4 and gap.max() <= 60 and gap.mean() == pytest.approx(32, abs=2)


def test_one_hot_columns_are_completed_by_their_shares_and_by_each_other():
    rng = np.random.default_rng(0)
    which, x = rng.choice(3, 3000, p=[0.2, 0.5, 0.3]), rng.normal(size=3000).round(2)
    whole = pl.DataFrame({"x": x, **{name: (which == i).astype(int) for i, name in enumerate(("van", "bus", "cab"))}})
    model = vs.fit(whole, seed=0, audit=False)
    for name in ("van", "bus", "cab"):
        lacking = whole.with_columns(pl.lit(None, dtype=pl.Int64).alias(name))
        assert model.impute(lacking, seed=1).equals(whole)
    done = model.impute(whole.select("x"), seed=1)
    assert (done["van"] + done["bus"] + done["cab"] == 1).all()
    assert done.select("van", "bus", "cab").mean().row(0) == pytest.approx((0.2, 0.5, 0.3), abs=0.03)


def test_pandas_rows_keep_their_index(of_bits):
    rows = bits(50, 1).to_pandas()
    rows.index = rows.index * 7 + 3
    rows.loc[3, "a"] = None
    assert of_bits.impute(rows).index.equals(rows.index)


def test_an_infinite_value_is_an_outlier(of_points):
    row = points(1, 1)
    assert of_points.outlier_score(row.with_columns(x=pl.lit(float("inf"))))[0] > 0.99


def test_rows_of_another_table_are_refused():
    """Rows that share no column with the model would come back with made-up columns beside theirs."""
    model = vs.fit(pl.DataFrame({"a": [1.0, 2.0, 3.0] * 30, "b": ["x", "y", "z"] * 30}), audit=False)
    with pytest.raises(UserError, match="None of the columns of these rows is known to the model, which learnt 'a', 'b'"):
        model.impute(pl.DataFrame({"c": [1, None]}))
