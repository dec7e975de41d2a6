"""Histories and long series through the public door: what they keep, what they are asked, and wild input."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import verisyn as vs
from verisyn import shelves
from verisyn.data import read
from verisyn.description import resolve_schema
from verisyn.errors import UserError
from verisyn.modalities import of

START = datetime(2024, 1, 1)
GENERATORS = [name for name in shelves.generators.names() if name.startswith("sequence.")]


def patients(n, seed=0):
    """Stays of patients: a fever that falls day by day, a ward by the group, a count of days left, an id of each row."""
    rng = np.random.default_rng(seed)
    frames = []
    for i in range(n):
        rows, group = int(rng.integers(3, 14)), str(rng.choice(["mild", "severe"], p=[0.7, 0.3]))
        rows += 6 * (group == "severe")
        at = START + timedelta(days=int(rng.integers(0, 300)))
        frames.append(pl.DataFrame({
            "visit_id": [f"V-{i:04d}-{t:02d}" for t in range(rows)], "patient": f"P{i + 1000}", "group": group,
            "at": [at + timedelta(hours=12 * t) for t in range(rows)],
            "fever": (40.0 - 0.2 * np.arange(rows) + rng.normal(0, 0.1, rows)).round(1),
            "ward": rng.choice(["A", "B"] if group == "mild" else ["B", "ICU"], rows),
            "left": rows - 1 - np.arange(rows)}))
        frames[-1] = frames[-1].with_columns(hour=pl.col("at").dt.hour().cast(pl.Int64), site=pl.lit(i % 3))
    return pl.concat(frames)


def load(rows, seed=0):
    """An hourly load with a day's rhythm, and a state that lasts."""
    rng = np.random.default_rng(seed)
    wave = np.zeros(rows)
    for t in range(1, rows):
        wave[t] = 0.9 * wave[t - 1] + rng.normal(0, 1)
    state = (np.cumsum(rng.random(rows) < 0.02) % 2).astype(bool)
    hours = np.arange(rows)
    return pl.DataFrame({"when": [START + timedelta(hours=int(h)) for h in hours], "on": state,
                         "load": (50 + 10 * np.sin(hours * np.pi / 12) + 3 * wave + 20 * state).round(1)})


def fitted(frame, entity, time, **settings):
    return vs.fit(frame, entity=entity, time=time, seed=0, **{"audit": False, **settings})


@pytest.fixture(scope="module")
def stays():
    real = patients(250)
    model = fitted(real, "patient", "at")
    return real, model, model.sample(seed=1)


@pytest.fixture(scope="module")
def series():
    real = load(3000)
    model = fitted(real, (), "when")
    return real, model, model.sample(seed=1)


def lag(values, steps):
    x = values.to_numpy().astype(float)
    return np.corrcoef(x[steps:], x[:-steps])[0, 1]


# -- histories ------------------------------------------------------------------------------------------------------
def test_columns_types_and_order_are_those_of_the_source(stays):
    real, _, fake = stays
    assert fake.schema == real.schema
    assert fake["patient"].n_unique() == real["patient"].n_unique()
    assert fake["patient"].rle().len() == fake["patient"].n_unique()  # the rows of a patient stand together
    assert fake.select(pl.col("at").is_sorted().over("patient")).to_series().all()


def test_no_key_is_a_real_one_and_each_row_has_its_own_id(stays):
    real, _, fake = stays
    assert not set(fake["patient"]) & set(real["patient"])
    assert fake["visit_id"].n_unique() == fake.height
    assert not set(fake["visit_id"]) & set(real["visit_id"])


def test_what_does_not_change_within_an_entity_does_not(stays):
    _, _, fake = stays
    assert (fake.group_by("patient").agg(pl.col("group", "site").n_unique()).drop("patient").to_numpy() == 1).all()


def test_steps_counts_and_calendar_hold_in_every_row(stays):
    _, _, fake = stays
    gaps = fake.select((pl.col("at") - pl.col("at").shift(1)).over("patient")).to_series().drop_nulls()
    assert set(gaps) == {timedelta(hours=12)}
    assert (fake["hour"] == fake["at"].dt.hour()).all()
    rest = fake.select(pl.len().over("patient") - 1 - pl.int_range(pl.len()).over("patient")).to_series()
    assert (fake["left"] == rest).all()


def test_length_follows_the_group_and_the_ward_does_too(stays):
    real, _, fake = stays
    for frame in (real, fake):
        by = frame.group_by("group", "patient").len().group_by("group").agg(pl.col("len").mean())
        means = dict(by.iter_rows())
        assert means["severe"] - means["mild"] > 4
        assert set(frame.filter(pl.col("group") == "mild")["ward"].unique()) == {"A", "B"}
    # the floor of columns drawn alone would have severe patients in A
    assert (fake.filter(pl.col("group") == "severe")["ward"] == "A").mean() < 0.02


def test_the_fever_falls_as_it_does(stays):
    real, _, fake = stays
    fell = [f.select((pl.col("fever") - pl.col("fever").shift(1)).over("patient")).to_series().drop_nulls()
            for f in (real, fake)]
    assert abs(fell[0].mean() - fell[1].mean()) < 0.04
    assert abs(fell[0].std() - fell[1].std()) < 0.06


def test_the_same_seed_gives_the_same_rows_on_any_number_of_threads(stays):
    real, model, fake = stays
    assert model.sample(seed=1, jobs=1).equals(fake)
    assert fitted(real, "patient", "at", jobs=1).sample(seed=1, jobs=2).equals(fake)
    assert not model.sample(seed=2).equals(fake)


def test_entities_meet_a_condition(stays):
    _, model, _ = stays
    fake = model.sample(entities=40, given="group == 'severe' and site == 1", seed=3)
    assert fake["patient"].n_unique() == 40
    assert set(fake["group"]) == {"severe"}
    assert set(fake["site"]) == {1}


def test_a_condition_on_rows_is_refused_with_what_may_be_asked(stays):
    with pytest.raises(UserError, match=r"'group'.*'site'"):
        stays[1].sample(given="fever > 39")


def test_so_many_entities_or_about_so_many_rows(stays):
    _, model, _ = stays
    assert model.sample(entities=7)["patient"].n_unique() == 7
    assert 0.7 < model.sample(rows=2000).height / 2000 < 1.4
    with pytest.raises(UserError, match="Give one of them"):
        model.sample(rows=3, entities=2)
    with pytest.raises(UserError, match=r"prefx.*prefix"):
        model.sample(prefx=None)


def test_first_rows_go_on(stays):
    real, model, _ = stays
    first = real.filter(pl.int_range(pl.len()).over("patient") < 2).head(60).drop("left", "visit_id")
    fake = model.sample(prefix=first, seed=0)
    kept = fake.filter(pl.int_range(pl.len()).over("patient") < 2)
    assert kept.select(first.columns).equals(first)
    assert fake.height > 2 * first.height
    gaps = fake.select((pl.col("at") - pl.col("at").shift(1)).over("patient")).to_series().drop_nulls()
    assert set(gaps) == {timedelta(hours=12)}
    third = fake.filter(pl.int_range(pl.len()).over("patient") == 2).join(
        kept.group_by("patient").agg(before=pl.col("fever").last()), on="patient")
    assert ((third["fever"] - third["before"]).abs() < 1.0).mean() > 0.9  # a fever goes on from where it was
    with pytest.raises(UserError, match="lack the column 'fever'"):
        model.sample(prefix=first.drop("fever"))


def test_all_begin_at_a_start(stays):
    _, model, _ = stays
    assert model.sample(entities=5, start="2030-06-01")["at"].min() == datetime(2030, 6, 1)
    with pytest.raises(UserError, match="no time of the column 'at'"):
        model.sample(start="soon")


def test_a_model_comes_back_from_disk_without_a_real_row(stays, tmp_path):
    _, model, fake = stays
    model.save(tmp_path / "model")
    assert vs.load(tmp_path / "model").sample(seed=1).equals(fake)
    written = (tmp_path / "model" / "model.json").read_text()
    assert "P1000" not in written


def test_entities_are_set_aside_whole(stays):
    real, _, _ = stays
    dataset = read(real.sample(fraction=1, shuffle=True, seed=0))
    schema = resolve_schema(None, dataset, entity="patient", time="at")
    train, unseen = of(schema).home().split(dataset, schema, 0.2, 0)
    assert unseen.frame["patient"].n_unique() == 50
    assert not set(train.frame["patient"]) & set(unseen.frame["patient"])
    assert train.frame.height + unseen.frame.height == real.height


def test_a_model_that_remembers_its_entities_is_found_out():
    asked = {"holdout": 0.3, "audit": None}
    careful = fitted(patients(250), "patient", "at", privacy=1.0, **asked)
    greedy = fitted(patients(250), "patient", "at", privacy=0.0, min_leaf=2, min_rows=10, tree_rows=20, l2=0.01,
                    leaves=64, patience=60, **asked)
    assert careful.memory.details["members"] == 175
    assert greedy.memory.value > careful.memory.value + 0.05
    copied = fitted(patients(250), "patient", "at", generator="bootstrap", **asked)
    assert copied.memory.verdict == "not answered"


# -- one long series ------------------------------------------------------------------------------------------------
def test_a_long_series_keeps_its_step_its_rhythm_and_its_memory(series):
    real, _, fake = series
    assert fake.height == real.height
    assert fake["when"].to_list() == real["when"].to_list()
    for steps, most in ((1, 0.05), (12, 0.15), (24, 0.25)):
        assert abs(lag(real["load"], steps) - lag(fake["load"], steps)) < most
    assert abs((real["on"] != real["on"].shift(1)).mean() - (fake["on"] != fake["on"].shift(1)).mean()) < 0.02


def test_a_long_series_depends_on_its_state_and_hour(series):
    real, _, fake = series
    for frame in (real, fake):
        hourly = frame.group_by(pl.col("when").dt.hour()).agg(pl.col("load").mean()).sort("when")["load"]
        assert hourly.arg_max() in range(4, 9)
        assert frame.filter("on")["load"].mean() - frame.filter(~pl.col("on"))["load"].mean() > 12


def test_so_many_rows_of_a_series_and_on_from_its_end(series):
    real, model, _ = series
    assert model.sample(rows=500, seed=4).height == 500
    last = real.tail(60)
    on = model.sample(prefix=last, rows=100, seed=4)
    assert on.height == 160
    assert on.head(60).equals(last)
    assert (on["when"].diff().drop_nulls() == timedelta(hours=1)).all()
    assert model.sample(rows=50, start="2030-01-01")["when"][0] == datetime(2030, 1, 1)
    with pytest.raises(UserError, match="one long series"):
        model.sample(entities=3)


def test_the_last_part_of_a_series_is_set_aside(series):
    real, _, _ = series
    dataset = read(real)
    schema = resolve_schema(None, dataset, time="when")
    train, unseen = of(schema).home().split(dataset, schema, 0.2, 0)
    assert unseen.frame.height == 600
    assert train.frame["when"].max() < unseen.frame["when"].min()
    assert "later than what was learnt from" in train.notes[-1]


def test_holes_of_a_regular_series_stay_holes():
    real = load(2000).filter(~pl.int_range(2000).is_in([300, 301, 302, 900, 1500]))
    fake = fitted(real, (), "when").sample(seed=0)
    assert fake.height == real.height
    gaps = fake["when"].diff().drop_nulls() / timedelta(hours=1)
    assert set(gaps.unique()) <= {1.0, 2.0, 4.0}
    assert (gaps > 1).sum() >= 1


# -- the shelf ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", GENERATORS)
def test_every_generator_draws_sound_tables(name, tmp_path):
    real = patients(80)
    model = fitted(real, "patient", "at", generator=name)
    fake = model.sample(seed=0, entities=90)
    assert fake.schema == real.schema
    assert fake["patient"].n_unique() == 90
    assert fake.select(pl.col("at").is_sorted().over("patient")).to_series().all()
    assert fake.group_by("patient", "at").len()["len"].max() == 1
    model.save(tmp_path / "model")
    assert vs.load(tmp_path / "model").sample(seed=0, entities=90).equals(fake)
    assert set(model.sample(entities=20, given={"group": "severe"})["group"]) == {"severe"}
    long = fitted(load(400), (), "when", generator=name)
    assert long.sample(rows=300, seed=0)["when"].to_list() == load(300)["when"].to_list()


def test_the_floor_that_copies_says_so():
    real = patients(80)
    model = fitted(real, "patient", "at", generator="bootstrap")
    assert any("real row" in note for note in model.notes)
    fake = model.sample(seed=0)
    assert fake.join(real, on=["group", "at", "fever", "ward", "left"], how="anti").height == 0


def test_the_autoregression_is_the_one_that_statsmodels_fits():
    vector = pytest.importorskip("statsmodels.tsa.api").VAR
    from verisyn.modalities.sequence.autoregressive import _fit

    rng = np.random.default_rng(0)
    z = np.zeros((2000, 2))
    for t in range(2, 2000):
        z[t] = [[0.5, 0.2], [-0.1, 0.6]] @ z[t - 1] + 0.2 * z[t - 2] + rng.normal(0, 1, 2)
    weights, spread, _ = _fit(z, np.array([0, 2000]), 2)
    oracle = vector(z).fit(2)
    np.testing.assert_allclose(weights, np.vstack([oracle.params[1:], oracle.params[:1]]), atol=2e-3)
    np.testing.assert_allclose(spread, oracle.sigma_u_mle, atol=5e-3)


def test_a_table_generator_is_refused_for_rows_in_order():
    with pytest.raises(UserError, match=r"sequence\.history"):
        fitted(patients(20), "patient", "at", generator="independent")


# -- wild input -----------------------------------------------------------------------------------------------------
def test_unsorted_rows_are_sorted_and_it_is_said():
    real = patients(60).sample(fraction=1, shuffle=True, seed=0)
    model = fitted(real, "patient", "at")
    assert any("not sorted" in note for note in model.notes)
    assert model.sample(seed=0).select(pl.col("at").is_sorted().over("patient")).to_series().all()


def test_a_log_sorted_by_time_stays_sorted_by_time():
    real = patients(60).sort("at", maintain_order=True)
    model = fitted(real, "patient", "at")
    assert model.sample(seed=0)["at"].is_sorted()
    assert not any("not sorted" in note for note in model.notes)


@pytest.mark.parametrize("at", ["date", "text", "number", "decimal", "zoned", "epoch"])
def test_times_of_every_kind_come_back_as_they_were(at):
    real = patients(40).drop("hour")
    hours = (pl.col("at") - START).dt.total_hours()
    as_it = {"date": pl.col("at").dt.date(), "text": pl.col("at").dt.to_string("%d/%m/%Y %H:%M"), "number": hours // 12,
             "decimal": hours / 10, "zoned": pl.col("at").dt.replace_time_zone("Europe/Berlin", ambiguous="earliest",
                                                                              non_existent="null"),
             "epoch": pl.col("at").dt.epoch("s")}[at]
    real = real.with_columns(as_it.alias("at")).drop_nulls()
    fake = fitted(real, "patient", "at").sample(seed=0)
    assert fake.schema == real.schema
    assert fake["at"].null_count() == 0
    if at == "date":
        assert (fake.group_by("patient", "at").len()["len"].max() or 0) > 1  # two rows a day are two rows a day
    if at == "text":
        assert fake["at"].str.to_datetime("%d/%m/%Y %H:%M").null_count() == 0


def test_bad_columns_of_time_and_entity_get_a_sentence():
    real = patients(30)
    gone = pl.when(pl.int_range(pl.len()) == 4).then(None)
    with pytest.raises(UserError, match=r"'at'.*1 of"):
        fitted(real.with_columns(gone.otherwise(pl.col("at")).alias("at")), "patient", "at")
    with pytest.raises(UserError, match="'patient'"):
        fitted(real.with_columns(gone.otherwise(pl.col("patient")).alias("patient")), "patient", "at")
    with pytest.raises(UserError, match="'ward'"):
        fitted(real, "patient", "ward")
    with pytest.raises(UserError, match="patent"):
        fitted(real, "patent", "at")
    mixed = real.with_columns(pl.col("at").dt.to_string("%Y-%m-%dT%H:%M") + pl.Series(
        ["+02:00", "+01:00", ""] * real.height)[:real.height])
    with pytest.raises(UserError, match="zone"):
        fitted(mixed, "patient", "at")


@pytest.mark.parametrize("frame", [
    pl.DataFrame({"who": range(40), "at": range(40), "x": [1.5, 2.5] * 20}),
    pl.DataFrame({"who": [1] * 5 + [2], "at": range(6)}),
    pl.DataFrame({"who": sorted([*range(30)] * 9), "at": [*range(9)] * 30}),
    pl.DataFrame({"who": sorted([*range(30)] * 9), "at": [0, 0, 0, 1, 1, 2, 2, 2, 3] * 30, "x": ["12", "7", None] * 90}),
    pl.DataFrame({"who": ["a"] * 300 + ["b"] * 2, "at": [date(2024, 1, 1) + timedelta(days=i) for i in range(302)],
                  "x": [None] * 302}, schema_overrides={"x": pl.Float64}),
], ids=["one row each", "hardly any", "nothing but time", "duplicate times", "a long one and a short one"])
def test_odd_tables_are_learnt_and_drawn(frame):
    fake = fitted(frame, "who", "at").sample(seed=0)
    assert fake.schema == frame.schema
    assert fake["who"].n_unique() == frame["who"].n_unique()
    assert fake.select(pl.col("at").is_sorted().over("who")).to_series().all()
    once = not frame.select("who", "at").is_duplicated().any()
    assert fake.select("who", "at").is_duplicated().any() != once


@given(st.lists(st.tuples(st.integers(0, 25), st.integers(-3, 12), st.sampled_from([None, "", "x", "é", "0"]),
                          st.one_of(st.none(), st.floats(-1e6, 1e6))), min_size=2, max_size=120), st.booleans())
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_wild_rows_are_learnt_and_drawn(rows, whose):
    frame = pl.DataFrame(rows, schema={"who": pl.Int64, "at": pl.Int64, "text": pl.String, "x": pl.Float64}, orient="row")
    fake = fitted(frame, "who" if whose else (), "at").sample(seed=0)
    assert fake.schema == frame.schema
    assert fake["at"].null_count() == 0
    if whose:
        assert fake["who"].n_unique() == frame["who"].n_unique()
        assert not set(fake["who"]) & set(frame["who"])
    else:
        assert fake.height == frame.height
        assert fake["at"].is_sorted()


def test_several_columns_tell_an_entity_and_keep_who_shares_what():
    real = pl.DataFrame({"site": sorted([*"abcde"] * 60), "machine": [*range(1, 7)] * 50}).sort("site", "machine")
    real = real.with_columns(at=pl.int_range(pl.len()).over("site", "machine"),
                             x=pl.Series(np.random.default_rng(0).normal(size=300)))
    fake = fitted(real, ["site", "machine"], "at").sample(seed=0, entities=45)
    keys = fake.select("site", "machine").unique()
    assert keys.height == 45
    assert keys.group_by("site").len()["len"].max() == 6
    assert not set(fake["site"]) & set(real["site"])


def test_one_giant_among_many_runs_in_stretches():
    rng = np.random.default_rng(0)
    sizes = [30_000, *[12] * 40]
    real = pl.DataFrame({"who": np.repeat(np.arange(41), sizes), "at": np.concatenate([np.arange(s) for s in sizes]),
                         "x": rng.choice(["a", "b"], sum(sizes))})
    model = fitted(real, "who", "at")
    assert any("learnt in pieces" in note for note in model.notes)
    sizes = model.sample(seed=2, entities=60).group_by("who").len()["len"]
    assert sizes.n_unique() <= 2
    assert sizes.min() == 12


# -- real data ------------------------------------------------------------------------------------------------------
def test_speakers_keep_their_voices(real):
    path = real("japanese_vowels")
    labels = pl.read_parquet(path.parent / "series.parquet").select("series", "label")
    frame = pl.read_parquet(path).select("series", "step", "dim_0", "dim_1", "dim_7").join(labels, on="series")
    frame = frame.sort("series", "step")
    fake = fitted(frame, "series", "step").sample(seed=0)
    means = [f.group_by("label").agg(pl.col("dim_0", "dim_1", "dim_7").mean()).sort("label").drop("label").to_numpy()
             for f in (frame, fake)]
    assert all(np.corrcoef(means[0][:, j], means[1][:, j])[0, 1] > 0.8 for j in range(3))
