"""Models: frames come back as they went in, seeds, blocks, conditions, balance, disk."""

import json
import re

import numpy as np
import polars as pl
import pytest

import verisyn as vs
from verisyn.drawing import BLOCK
from verisyn.errors import UserError
from verisyn.model import Model


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(0)
    n = 3000
    age = rng.integers(18, 90, n)
    rich = rng.random(n) < 1 / (1 + np.exp(-(age - 60) / 8))
    return pl.DataFrame({
        "age": age, "income": np.where(rich, ">50K", "<=50K"), "weight": np.round(rng.normal(70, 12, n), 1),
        "since": pl.Series(np.datetime64("2015-01-01") + rng.integers(0, 2000, n)).cast(pl.Date),
    }).with_columns(pl.when(pl.col("age") > 70).then(None).otherwise(pl.col("weight")).alias("weight"))


@pytest.fixture(scope="module")
def model(people):
    return vs.fit(people, seed=0)


def test_dependence_is_learnt(people, model):
    fake = model.sample(5000, seed=1)
    assert fake.schema == people.schema
    for frame in (people, fake):
        by = frame.group_by("income").agg(pl.col("age").mean()).sort("income")["age"]
        assert by[1] - by[0] > 20
    assert fake.filter(pl.col("age") > 74)["weight"].is_null().mean() > 0.99
    assert fake.filter(pl.col("age") < 66)["weight"].is_null().mean() < 0.01


def test_same_seed_same_rows_whatever_the_threads(people):
    one, two = (vs.fit(people, seed=5, jobs=jobs).sample(BLOCK + 7, seed=3, jobs=jobs) for jobs in (1, 2))
    assert one.equals(two)
    assert not one.equals(vs.fit(people, seed=5).sample(BLOCK + 7, seed=4))


def test_more_rows_begin_with_the_same_rows_block_by_block(model):
    assert model.sample(2 * BLOCK, seed=1)[:BLOCK].equals(model.sample(BLOCK, seed=1))


@pytest.mark.parametrize("given", ["income == '>50K' and age < 40", "age in [30, 31, 32]", "weight is None",
                                   "since >= '2019-01-01'", "age < 30 or weight > 90"])
def test_given_is_met_by_every_row(model, given):
    from verisyn.conditions import parse

    rows = model.sample(400, seed=2, given=given)
    assert rows.height == 400
    assert parse(given, rows.columns).holds(rows).all()


def test_given_reweights_what_comes_before(people, model):
    real = people.filter(pl.col("income") == ">50K")["age"].mean()
    fake = model.sample(3000, seed=2, given="income == '>50K'")["age"].mean()
    assert abs(real - fake) < 1.5


def test_impossible_conditions_say_how_near_the_data_comes(model):
    with pytest.raises(UserError, match="each clause alone"):
        model.sample(10, given="age < 20 and income == 'none'")
    with pytest.raises(UserError, match="Did you mean 'income'"):
        model.sample(10, given="incom == '>50K'")


def test_balance(model):
    counts = model.sample(1001, seed=1, balance="income")["income"].value_counts()["count"]
    assert sorted(counts) == [500, 501]
    with pytest.raises(UserError, match="cannot be balanced"):
        model.sample(10, balance="since")


def test_log_prob_knows_likely_rows(people, model):
    typical = model.log_prob(people)
    shuffled = model.log_prob(people.with_columns(pl.col("income").shuffle(seed=1)))
    assert typical.mean() > shuffled.mean() + 0.2


def test_a_saved_model_samples_the_same_rows(model, tmp_path):
    model.save(tmp_path / "m")
    assert vs.load(tmp_path / "m").sample(500, seed=1).equals(model.sample(500, seed=1))
    with pytest.raises(UserError, match="--force"):
        model.save(tmp_path / "m")
    model.save(tmp_path / "m", force=True)
    first = (tmp_path / "m" / "arrays.npz").read_bytes()
    model.save(tmp_path / "again")
    assert (tmp_path / "again" / "arrays.npz").read_bytes() == first


def test_no_training_row_is_in_a_saved_model(tmp_path):
    secret = [f"secret-{i:04d}-{i * 7919 % 10007:05d}" for i in range(300)]
    amounts = np.round(np.random.default_rng(1).lognormal(9, 2, 300), 4)
    frame = pl.DataFrame({"code": secret, "amount": amounts, "note": [f"{s} lives here alone with a cat" for s in secret]})
    vs.fit(frame, seed=0).save(tmp_path / "m")
    text = (tmp_path / "m" / "model.json").read_text()
    with np.load(tmp_path / "m" / "arrays.npz") as arrays:
        numbers = np.concatenate([arrays[k].ravel().astype(float) for k in arrays.files if arrays[k].dtype.kind in "fiu"])
    assert not [s for s in secret if s in text]
    assert not np.isin(amounts, numbers).any()
    assert not [a for a in amounts if re.search(rf"(?<![\d.]){re.escape(repr(float(a)))}(?!\d)", text)]


def test_a_column_may_have_any_name(tmp_path):
    for names in (["__array__"], ["count", "rows", "value", "literal", "index", "__array__"]):
        frame = pl.DataFrame({name: ["a", "b", "b", "c"] * 30 for name in names})
        vs.fit(frame, seed=0).save(tmp_path / f"{len(names)}")
        assert vs.load(tmp_path / f"{len(names)}").sample(5).columns == names


def test_the_few_values_of_a_sparse_column_are_as_rare_as_any():
    nothing = [None] * 980
    frame = pl.DataFrame({"plain": range(1000), "cause": ["leprosy", "leprosy", *["a", "b"] * 9, *nothing],
                          "dose": [*[81.25] * 3, *range(17), *nothing], "level": [f"Qz {i}" for i in (1, 2, 3, 4)] + [None] * 996})
    model = vs.fit(frame, seed=0)
    assert model.schema.table.column("level").settings == {}
    fake = model.sample(50_000, seed=1)
    assert not fake["cause"].is_in(["leprosy"]).any()
    assert not fake["dose"].is_in([81.25]).any()
    assert not fake["level"].str.contains("Qz").any()


@pytest.mark.parametrize("damage", ["absent", "torn", "newer", "edited", "no object"])
def test_a_damaged_model_gets_a_sentence(model, tmp_path, damage):
    path = tmp_path / "m"
    model.save(path)
    if damage == "absent":
        (path / "arrays.npz").unlink()
    elif damage == "torn":
        (path / "arrays.npz").write_bytes((path / "arrays.npz").read_bytes()[:100])
    else:
        text = (path / "model.json").read_text()
        new = {"newer": text.replace('"format": 1', '"format": 2', 1), "no object": "[]",
               "edited": text.replace('"rows_train"', '"rows_trian"', 1)}
        (path / "model.json").write_text(new[damage])
    with pytest.raises(UserError, match=r"not a model|damaged|newer format"):
        Model.load(path)


def test_settings_and_generators_are_checked(people):
    with pytest.raises(UserError, match="no setting 'dept'"):
        vs.fit(people, dept=3)
    with pytest.raises(UserError, match="no generator called 'gan'"):
        vs.fit(people, generator="gan")


def test_a_column_that_the_schema_does_not_name_is_left_out(people):
    schema = vs.describe(people)
    table = schema.table.model_copy(update={"columns": schema.table.columns[1:]})
    fake = vs.fit(people, schema.model_copy(update={"tables": (table,)})).sample(5)
    assert fake.columns == people.columns[1:]


@pytest.mark.parametrize("rows", [1, 2, 20])
def test_tiny_tables(people, rows):
    assert vs.fit(people[:rows], seed=0).sample(10, seed=0).schema == people.schema


def test_wide_and_many_levels():
    rng = np.random.default_rng(0)
    wide = pl.DataFrame({f"c{i}": rng.integers(0, 5, 300) for i in range(400)})
    assert vs.fit(wide, seed=0).sample(100, seed=0).shape == (100, 400)
    levels = pl.DataFrame({"code": [f"level {i % 100_000}" for i in range(200_000)], "x": rng.random(200_000)})
    assert vs.fit(levels, seed=0).sample(1000, seed=0).schema == levels.schema


@pytest.mark.parametrize("field", ["left", "right", "perm", "mid", "root", "first_tree", "first_mask", "node_kid",
                                   "node_feature", "node_cut"])
def test_wrong_indices_in_a_model_file_are_refused(tmp_path, field):
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"x": rng.choice(list("abcd"), 900), "y": rng.integers(0, 9, 900)})
    frame = frame.with_columns(z=pl.col("y") + pl.col("x").is_in(["a", "c"]).cast(pl.Int64) * 3)
    vs.fit(frame, seed=0).save(tmp_path / "m")
    key = json.loads((tmp_path / "m" / "model.json").read_text())["generator"][field]["__array__"]
    with np.load(tmp_path / "m" / "arrays.npz") as archive:
        arrays = dict(archive)
    arrays[key][:] = np.iinfo(arrays[key].dtype).max // 2
    np.savez(tmp_path / "m" / "arrays.npz", **arrays)
    with pytest.raises(UserError, match="damaged"):
        vs.load(tmp_path / "m")
