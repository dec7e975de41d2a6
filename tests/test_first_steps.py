"""What a newcomer does wrong, or differently, in the first hour: each gets a sentence, or just works."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import verisyn as vs
from verisyn.cli import app
from verisyn.errors import UserError


@pytest.fixture
def people() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    return pl.DataFrame({"height": rng.normal(1.7, 0.1, 300).round(3), "room": rng.choice(list("abc"), 300)})


def run(*args: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(a) for a in args])
    return result.exit_code, " ".join(result.output.split())


@pytest.mark.parametrize("place", [".", ".."])
def test_the_folder_one_is_in_is_never_replaced(place, people, tmp_path, monkeypatch):
    inner = tmp_path / "inner"
    inner.mkdir()
    people.write_parquet(inner / "people.parquet")
    monkeypatch.chdir(inner)
    code, said = run("synth", "people.parquet", "--out", place, "--force")
    assert code == 2 and "the folder you are in" in said
    assert [p.name for p in inner.iterdir()] == ["people.parquet"]


@pytest.mark.parametrize("text", ["just text", "", "a,b\n1,2\n"])
def test_a_file_that_is_no_schema(text, people, tmp_path):
    people.write_parquet(tmp_path / "people.parquet")
    (tmp_path / "schema.yaml").write_text(text)
    code, said = run("synth", tmp_path / "people.parquet", "--schema", tmp_path / "schema.yaml", "--out", tmp_path / "o")
    assert code == 2 and "is not a schema" in said
    code, said = run("synth", tmp_path / "people.parquet", "--schema", tmp_path / "none.yaml", "--out", tmp_path / "o")
    assert code == 2 and "There is no schema file" in said and "Errno" not in said


def test_seeds_and_rows_that_are_no_whole_numbers(people):
    with pytest.raises(UserError, match="seed is -1"):
        vs.fit(people, seed=-1)
    model = vs.fit(people, seed=np.int64(0), generator="independent")
    for rows in (1.5, "a", 0, True):
        with pytest.raises(UserError, match="rows is"):
            model.sample(rows)
    with pytest.raises(UserError, match="seed is"):
        model.sample(5, seed=0.5)


def test_a_holdout_that_was_seen_is_refused(people):
    with pytest.raises(UserError, match="100% of the holdout's rows"):
        vs.assess(people, people, people.tail(80))
    few = people.select("room")  # rows that coincide because there are only three of them are no fault
    assert vs.assess(few, few.head(200), few.tail(100)).findings


def test_balance_spreads_over_the_levels_that_a_condition_leaves(people):
    model = vs.fit(people, seed=0, generator="independent")
    drawn = model.sample(100, balance="room", given="room != 'a'")
    assert dict(drawn["room"].value_counts().rows()) == {"b": 50, "c": 50}


@pytest.mark.parametrize("prefix,kind", [("Ward ", "category"), ("x", "category"), ("$", "number"), ("€ ", "number"),
                                         ("EUR ", "number"), ("Rs ", "number"), ("US$", "number")])
def test_numbered_names_are_categories_and_amounts_are_numbers(prefix, kind):
    values = pl.DataFrame({"what": [f"{prefix}{i % 12 + 1}" for i in range(300)]})
    assert vs.describe(values).table.columns[0].kind == kind


def test_whole_numbers_that_are_all_days_are_days():
    days = pl.date_range(pl.date(2021, 1, 1), pl.date(2021, 12, 31), eager=True).dt.strftime("%Y%m%d").cast(pl.Int64)
    frame = pl.DataFrame({"key": days.sample(400, with_replacement=True, seed=0)})
    made = vs.synth(frame, seed=1)["key"]
    assert made.dtype == pl.Int64
    assert made.cast(pl.String).str.to_date("%Y%m%d", strict=False).null_count() == 0


def test_spans_keep_their_zeros():
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"stay": [f"{h}h {m}m" for h, m in zip(rng.integers(0, 3, 300), rng.integers(0, 60, 300),
                                                                  strict=True)]})
    assert vs.synth(frame)["stay"].str.contains(r"^\d+h \d+m$").all()


def test_a_title_above_the_header_is_named(tmp_path):
    (tmp_path / "t.csv").write_text("# exported\n" + "a,b\n" + "1,2\n" * 50)
    with pytest.raises(UserError, match=re.escape("before the header")):
        vs.describe(tmp_path / "t.csv")


def test_a_fair_finding_about_copies_says_what_is_unsure(people):
    rng = np.random.default_rng(1)
    fresh = pl.DataFrame({"height": rng.normal(1.7, 0.1, 360).round(3), "room": rng.choice(list("abc"), 360)})
    found = vs.assess(fresh.head(300), people, fresh.tail(60))["privacy.copies"]
    assert found.verdict == "fair" and "least sure: " in found.reason
