"""Conditions: what can be written, what it means on rows, and what a mistake is told."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verisyn.conditions import parse
from verisyn.errors import UserError

ROWS = pl.DataFrame({"age": [20, 35, None, 60], "job": ["a", "b", "b", None], "a b": [1.5, 2.5, 3.5, 4.5]})


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
])
def test_meaning(text, want):
    assert parse(text, ROWS.columns).holds(ROWS).tolist() == want


@pytest.mark.parametrize(("text", "words"), [
    ("agee < 30", "Did you mean 'age'"),
    ("age <", "could not be read"),
    ("__import__('os')", "neither a comparison nor a value"),
    ("age < exp(3)", "neither a comparison nor a value"),
    ("age == 'old'", "does not fit the data"),
])
def test_mistakes_get_a_sentence(text, words):
    with pytest.raises(UserError, match=words):
        parse(text, ROWS.columns).holds(ROWS)


@given(st.text(max_size=40))
def test_any_text_is_a_condition_or_a_sentence(text):
    try:
        parse(text, ROWS.columns).holds(ROWS)
    except UserError:
        pass
