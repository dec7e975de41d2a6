"""describe() tells the biases of real data: what is planted is found by name, even data raise nothing."""

from __future__ import annotations

import time

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import verisyn as vs
from verisyn.bias import find_biases
from verisyn.cli import app
from verisyn.description import describe
from verisyn.schema import Schema


def even(rows: int, seed: int = 0) -> pl.DataFrame:
    """People whose sex, race and age tell nothing of anything."""
    rng = np.random.default_rng(seed)
    return pl.DataFrame({
        "sex": rng.choice(["female", "male"], rows), "race": rng.choice(["a", "b", "c", "d"], rows),
        "age": rng.integers(18, 80, rows), "height": rng.normal(170, 10, rows).round(1),
        "job": rng.choice(["cook", "clerk", "nurse"], rows), "hired": rng.choice(["yes", "no"], rows)})


def biases(frame: pl.DataFrame) -> dict[tuple[str, tuple[str, ...]], vs.schema.Bias]:
    return {(b.kind, b.columns): b for b in describe(frame, target="hired").table.biases}


@pytest.mark.parametrize("seed", range(10))
def test_even_data_have_none(seed):
    assert biases(even(800, seed)) == {}


FEMALE = pl.col("sex") == "female"


def test_a_gap_in_the_outcome():
    frame = even(2000)
    denied = FEMALE & (pl.int_range(2000) % 2 == 0)
    found = biases(frame.with_columns(hired=pl.when(denied).then(pl.lit("no")).otherwise(pl.col("hired"))))
    assert list(found) == [("outcome", ("sex", "hired"))]
    bias = found["outcome", ("sex", "hired")]
    assert bias.interval[0] < bias.figure < bias.interval[1] and abs(abs(bias.figure) - 0.25) < 0.06
    assert "have 'hired' = 'yes', of all others" in bias.evidence and "'sex' = " in bias.evidence


def test_the_gap_is_that_of_the_rows():
    frame = even(1500, 3).with_columns(hired=pl.when(FEMALE).then(pl.lit("no")).otherwise(pl.col("hired")))
    bias = biases(frame)["outcome", ("sex", "hired")]
    rates = {sex: (group["hired"] == "yes").mean() for (sex,), group in frame.group_by("sex")}
    assert abs(bias.figure) == pytest.approx(rates["male"] - rates["female"], abs=1e-6)
    assert f"{rates['male']:.1%}" in bias.evidence and "0.0%" in bias.evidence


def test_a_group_of_few_rows():
    rare = pl.when(pl.int_range(2000) < 40).then(pl.lit("e")).otherwise(pl.col("race"))
    found = biases(even(2000).with_columns(race=rare))
    bias = found["representation", ("race",)]
    assert bias.figure == 0.02 and bias.evidence == "'race' = 'e' is 2.0% of the rows."


def test_a_proxy():
    told = pl.when(FEMALE & (pl.int_range(2000) % 10 < 8)).then(pl.lit("nurse")).otherwise(pl.col("job"))
    found = biases(even(2000).with_columns(job=told))
    assert list(found) == [("proxy", ("sex", "job"))] and found["proxy", ("sex", "job")].figure > 0.5


def test_the_order_of_rows_hardly_moves_an_interval():
    told = pl.when(FEMALE & (pl.int_range(2000) % 10 < 8)).then(pl.lit("nurse")).otherwise(pl.col("job"))
    frame = even(2000).with_columns(job=told)
    half = {}
    for name, some in {"drawn": frame, "sorted": frame.sort("sex", "job"), "periodic": pl.concat(
            [frame.sort("job")[i::100] for i in range(100)])}.items():
        bias = biases(some)["proxy", ("sex", "job")]
        half[name] = bias.interval[1] - bias.figure
    assert max(half.values()) < 2 * min(half.values()), half


def test_values_missing_more_in_a_group():
    gone = pl.when((pl.col("race") == "c") & (pl.int_range(2000) % 3 == 0)).then(None).otherwise(pl.col("height"))
    found = biases(even(2000).with_columns(height=gone))
    bias = found["missing", ("race", "height")]
    assert list(found) == [("missing", ("race", "height"))] and "'race' = 'c'" in bias.evidence


def test_a_number_has_gaps_in_its_mean():
    frame = even(2000).with_columns(hired=pl.col("height") * 100 + pl.when(FEMALE).then(-800).otherwise(0))
    bias = biases(frame)["outcome", ("sex", "hired")]
    assert abs(bias.figure) > 0.5 and "The mean of 'hired' is 1" in bias.evidence


def test_it_round_trips_and_may_be_edited(tmp_path):
    frame = even(1500).with_columns(hired=pl.when(FEMALE).then(pl.lit("no")).otherwise(pl.col("hired")))
    schema = describe(frame, target="hired")
    assert schema.table.biases and Schema.from_yaml(schema.to_yaml()) == schema
    older = schema.to_yaml().split("  biases:")[0]
    assert Schema.from_yaml(older).table.biases == ()
    bare = Schema(tables=(schema.table.model_copy(update={"biases": ()}),))
    one, other = (vs.fit(frame, s, seed=0, generator="independent", audit=False).sample(200, seed=1) for s in (schema, bare))
    assert one.equals(other)


def test_nothing_is_asked_without_sensitive_columns_or_rows():
    plain = even(500).rename({"sex": "one", "race": "two", "age": "three"})
    assert biases(plain) == {}
    for rows in (0, 1, 40):
        frame = even(500).head(rows)
        assert find_biases(frame, describe(even(500)).table) == ()


@pytest.mark.parametrize("target", ["race", "age", "empty", "when", None])
def test_every_kind_works(target):
    rng = np.random.default_rng(0)
    frame = even(400).with_columns(
        empty=pl.lit(None, pl.Float64), one=pl.lit("same"), when=pl.Series(rng.integers(0, 2**31, 400) * 10**6).cast(pl.Datetime),
        race=pl.lit(None, pl.String), flag=pl.Series(rng.random(400) < 0.5))
    table = describe(frame).table
    columns = tuple(c.model_copy(update={"sensitive": True}) for c in table.columns)
    find_biases(frame, table.model_copy(update={"columns": columns, "target": target}))


def test_no_value_that_few_rows_share_is_told():
    lone = pl.when(pl.int_range(900) < 20).then(pl.lit("the only ones")).otherwise(pl.col("race"))
    frame = even(900).with_columns(race=lone, hired=pl.when(lone == "the only ones").then(pl.lit("no")).otherwise("hired"))
    assert not any("the only ones" in b.evidence for b in biases(frame).values())


def test_adult(real):
    frame = pl.read_parquet(real("adult"))
    table = describe(frame, target="income").table
    start = time.process_time()
    found = {(b.kind, b.columns): b for b in find_biases(frame, table)}
    assert time.process_time() - start < 1
    assert found["outcome", ("sex", "income")].evidence == (
        "Of the rows with 'sex' = 'Female', 10.9% have 'income' = '>50K', of all others 30.4%.")
    assert ("proxy", ("sex", "relationship")) in found and ("representation", ("race",)) in found


def test_the_command_line_shows_them(tmp_path):
    frame = even(1500).with_columns(hired=pl.when(FEMALE).then(pl.lit("no")).otherwise(pl.col("hired")))
    frame.write_csv(tmp_path / "people.csv")
    told = CliRunner().invoke(app, ["describe", str(tmp_path / "people.csv"), "-o", str(tmp_path / "people.yaml"),
                                    "--target", "hired"])
    assert told.exit_code == 0 and "bias" in told.output and "outcome" in told.output
    assert "'sex' =" in (tmp_path / "people.yaml").read_text(encoding="utf-8")
