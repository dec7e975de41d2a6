"""assess(): the door to the metrics, for data made anywhere."""

from __future__ import annotations

import json

import polars as pl
import pytest
from population import people, table_of

import verisyn
from verisyn.assessment import assess_frames
from verisyn.errors import UserError
from verisyn.schema import Schema

REAL, FAKE, UNSEEN = people(300, 1), people(300, 2), people(150, 3)
SCHEMA = Schema(tables=(table_of(REAL),))


@pytest.fixture(scope="module")
def found():
    return verisyn.assess(FAKE, REAL, UNSEEN, schema=SCHEMA)


def test_files_and_frames_give_the_same(found, tmp_path):
    paths = [tmp_path / f"{name}.parquet" for name in ("fake", "real", "unseen")]
    for frame, path in zip((FAKE, REAL, UNSEEN), paths, strict=True):
        frame.write_parquet(path)
    again = verisyn.assess(*map(str, paths), schema=SCHEMA)
    assert again.to_dict()["findings"] == found.to_dict()["findings"]


def test_the_dictionary_is_what_scripts_rely_on(found):
    entries = json.loads(found.to_json())["findings"]
    assert {e["name"] for e in entries} >= {"fidelity.marginals", "utility.tstr", "privacy.membership"}
    for entry in entries:
        assert {"name", "value", "interval", "floor", "ceiling", "verdict", "reason"} <= set(entry)
        assert entry["reason"].endswith(".") and entry["rule"]
        if entry["verdict"] != "not answered":
            assert entry["interval"][0] <= entry["value"] <= entry["interval"][1]


def test_floor_and_ceiling_frame_the_value(found):
    pairs = found["fidelity.pairs"]
    assert pairs.floor < pairs.value <= pairs.ceiling + 0.02
    told = found["fidelity.two_sample"]
    assert abs(told.ceiling - 0.5) < 0.1 < told.floor - 0.5


def test_text_types_are_brought_to_the_real_ones(found):
    text = FAKE.with_columns(pl.all().cast(pl.String)).with_columns(extra=pl.lit("x"))
    again = verisyn.assess(text, REAL, UNSEEN, schema=SCHEMA)
    assert [f.value for f in again.findings] == [f.value for f in found.findings]
    assert any("'extra'" in note for note in again.about["notes"])


def test_values_that_do_not_fit_are_missing_and_said():
    age = pl.col("age")
    spoilt = FAKE.with_columns(age=pl.when(age > 70).then(pl.lit("old")).otherwise(age.cast(pl.String)))
    found = verisyn.assess(spoilt, REAL, UNSEEN, schema=SCHEMA)
    assert any("'age' in the synthetic data" in note and "missing" in note for note in found.about["notes"])
    column = found["fidelity.marginals"].details["columns"][0]
    assert (column["name"], column["missing_real"]) == ("age", 0) and column["missing_fake"] > 0.05


def test_a_missing_column_is_a_sentence():
    with pytest.raises(UserError, match=r"The synthetic data has no column 'income'.*Did you mean 'incomes'"):
        verisyn.assess(FAKE.rename({"income": "incomes"}), REAL)
    with pytest.raises(UserError, match="The holdout has no column 'age'"):
        verisyn.assess(FAKE, REAL, UNSEEN.drop("age"))
    with pytest.raises(UserError, match=r"Did you mean 'fidelity\.pairs'"):
        assess_frames(FAKE, REAL, None, SCHEMA.table, metrics=["fidelity.pair"])


def test_a_model_tells_which_rows_it_did_not_see():
    model = verisyn.fit(REAL, SCHEMA, generator="independent", holdout=0.4, seed=5)
    found = verisyn.assess(model.sample(200, seed=1), REAL, model=model)
    assert found.about["rows"] == {"synthetic": 200, "train": 180, "holdout": 120}
    assert found["privacy.membership"].verdict in ("good", "fair")


def test_a_wide_table_is_bounded():
    import numpy as np

    def wide(seed):
        rng = np.random.default_rng(seed)
        return pl.DataFrame({f"c{i}": rng.integers(0, 50, 200) for i in range(300)})

    frames = [wide(seed) for seed in range(3)]
    found = assess_frames(*frames, table_of(frames[1], None), metrics=["pairs", "nearest_record", "copies"])
    pairs = found["fidelity.pairs"].details
    assert (pairs["pairs"], pairs["pairs_in_all"], len(pairs["names"])) == (500, 44850, 40)
    assert {f.verdict for f in found.findings} == {"good"}


def test_a_number_of_two_values_is_scored_as_two_classes():
    sides = [frame.with_columns(grade=pl.when(pl.col("age") > 50).then(2.0).otherwise(1.0)) for frame in (FAKE, REAL, UNSEEN)]
    found = verisyn.assess(*sides, target="grade")
    assert found["utility.tstr"].details["score_name"] == "AUC" and found["utility.tstr"].value > 0.9


def test_a_holdout_that_is_the_synthetic_data_is_refused():
    with pytest.raises(UserError, match="also among the synthetic data"):
        verisyn.assess(FAKE, REAL, FAKE[:200].sample(fraction=1, shuffle=True, seed=1), schema=SCHEMA)


def test_what_was_guessed_and_what_is_the_same_is_said():
    found = verisyn.assess(REAL, REAL, effort="quick")
    assert any("100% of the synthetic rows are rows of the real data" in note for note in found.about["notes"])
    assert any("'income' was guessed" in note for note in found.about["notes"])


def test_one_sensitive_column_may_be_a_word():
    found = verisyn.assess(FAKE, REAL, UNSEEN, schema=SCHEMA, sensitive="city", effort="quick")
    assert found.about["sensitive"] == ["city"]
    with pytest.raises(UserError, match=r"no column 'citty'.*Did you mean 'city'"):
        verisyn.assess(FAKE, REAL, UNSEEN, schema=SCHEMA, sensitive=["citty"])


def test_an_unknown_effort_is_a_sentence():
    with pytest.raises(UserError, match="Did you mean 'thorough'"):
        verisyn.assess(FAKE, REAL, effort="thorogh")


def test_findings_are_had_by_their_last_name(found):
    assert found["membership"] is found["privacy.membership"]
    assert repr(found["pairs"]).startswith("<fidelity.pairs: good, 0.")
    with pytest.raises(KeyError, match=r"Did you mean 'privacy\.membership"):
        found["privacy.memberhsip"]


def test_all_rows_are_not_a_sample(found):
    assert found.about["judged"] == {"synthetic": 300, "train": 300, "holdout": 150} and not found.about["sampled"]
    few = assess_frames(FAKE, REAL, None, SCHEMA.table, metrics=["marginals"])
    assert few.about["sampled"] and few.about["judged"]["synthetic"] == 240  # no more than rows to hold them against
