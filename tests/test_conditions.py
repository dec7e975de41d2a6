"""Conditions: what can be written, what it means on rows, and what a mistake is told."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from verisyn.conditions import parse
from verisyn.errors import UserError

ROWS = pl.DataFrame({
    "age": [20, 35, None, 60], "job": ["a", "b", "b", None], "a b": [1.5, 2.5, 3.5, 4.5],
    "day": [date(2020, 1, 1), date(2021, 1, 1), None, date(2023, 6, 30)],
    "at": pl.Series([datetime(2020, 1, 1, 9), None, datetime(2021, 1, 1), datetime(2023, 1, 1)]).dt.replace_time_zone("UTC"),
})


@pytest.mark.parametrize(("text", "want"), [
    ("age < 30", [True, False, False, False]),
    ("age >= 35 and job == 'b'", [False, True, False, False]),
    ("age < 30 or job == 'b'", [True, True, True, False]),
    ("not age < 30", [False, True, False, True]),
    ("30 < age <= 60", [False, True, False, True]),
    ("job in ['a', 'c']", [True, False, False, False]),
    ("job not in ('a',)", [False, True, True, False]),
    ("job is None", [False, False, False, True]),
    ("age is not None", [True, True, False, True]),
    ("`a b` > 2", [False, True, True, True]),
    ("-1 < `a b` < 2", [True, False, False, False]),
    ("day >= '2021-01-01'", [False, True, False, True]),
    ("day in ['2020-01-01']", [True, False, False, False]),
    ("at < '2020-01-01 10:00'", [True, False, False, False]),
    ("'2020-06-01' < at", [False, False, True, True]),
])
def test_meaning(text, want):
    assert parse(text, ROWS.columns).holds(ROWS).tolist() == want


@pytest.mark.parametrize(("mapping", "text"), [
    ({"age": 20}, "age == 20"),
    ({"age": np.int64(20), "job": "a"}, "age == 20 and job == 'a'"),
    ({"age": (None, 35)}, "age <= 35"),
    ({"age": (20, 35)}, "20 <= age <= 35"),
    ({"job": ["a", None]}, "job == 'a' or job is None"),
    ({"job": None}, "job is None"),
    ({"a b": (2, None)}, "`a b` >= 2"),
    ({"day": (date(2021, 1, 1), None)}, "day >= '2021-01-01'"),
])
def test_a_mapping_means_what_the_expression_means(mapping, text):
    assert parse(mapping, ROWS.columns).holds(ROWS).tolist() == parse(text, ROWS.columns).holds(ROWS).tolist()


@pytest.mark.parametrize(("text", "words"), [
    ("agee < 30", "Did you mean 'age'"),
    ("age <", "could not be read"),
    ("__import__('os')", "neither a comparison nor a value"),
    ("age < exp(3)", "neither a comparison nor a value"),
    ("age == 'old'", "does not fit the data"),
    ("job in 'a'", "neither a comparison nor a value"),
    ("age in [1, 'a']", "not of one type"),
    ("age == 1j", "neither a comparison nor a value"),
    ("age == {[1]}", "neither a comparison nor a value"),
    ("age == ...", "neither a comparison nor a value"),
])
def test_mistakes_get_a_sentence(text, words):
    with pytest.raises(UserError, match=words):
        parse(text, ROWS.columns).holds(ROWS)


@given(st.text(max_size=40))
@example("\0")
def test_any_text_is_a_condition_or_a_sentence(text):
    try:
        parse(text, ROWS.columns).holds(ROWS)
    except UserError:
        pass


def test_a_mapping_takes_the_values_that_a_frame_gives():
    zone = ZoneInfo("Europe/Rome")
    frame = pl.DataFrame({"odd `name`": ["x", "y"], "span": [timedelta(minutes=90), timedelta(seconds=0.5)],
                          "price": pl.Series(["1.10", "2.20"]).cast(pl.Decimal(10, 2)),
                          "when": [datetime(2024, 5, 1, 12, tzinfo=zone), datetime(2024, 6, 1, 12, tzinfo=zone)]})
    for name in frame.columns:
        for i, value in enumerate(frame[name]):
            assert parse({name: value}, frame.columns).holds(frame).tolist() == [i == 0, i == 1], (name, value)


def test_equal_to_none_is_missing():
    frame = pl.DataFrame({"a": [1, None]})
    assert [parse(text, ["a"]).holds(frame).tolist() for text in ("a == None", "a != None")] == [[False, True], [True, False]]
