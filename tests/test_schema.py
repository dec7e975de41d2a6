"""Schemas: round trips, mistakes, newer formats."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verisyn.errors import UserError
from verisyn.schema import Column, Schema, Table

SETTINGS = st.dictionaries(st.text(min_size=1, max_size=8), st.none() | st.booleans() | st.integers() | st.text(max_size=9))
COLUMNS = st.lists(st.builds(Column, name=st.text(max_size=12), kind=st.text(min_size=1, max_size=9), settings=SETTINGS),
                   max_size=4)


@given(COLUMNS)
def test_yaml_round_trip(columns):
    schema = Schema(tables=(Table(name="t", columns=tuple(columns)),))
    assert Schema.from_yaml(schema.to_yaml()) == schema


@pytest.mark.parametrize(("text", "words"), [
    ("tables: [", "not valid YAML"),
    ("tables: 3", "a mistake at tables"),
    ("tables: [{name: t, columns: [{name: a, kind: number, kindd: x}]}]", "columns.0.kindd"),
])
def test_mistakes_name_the_place(text, words):
    with pytest.raises(UserError, match=words):
        Schema.from_yaml(text)


def test_a_newer_format_is_refused(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text("format: 99\ntables: []\n")
    with pytest.raises(UserError, match="newer than this version"):
        Schema.load(path)


def test_no_such_file(tmp_path):
    with pytest.raises(UserError, match="There is no schema file"):
        Schema.load(tmp_path / "absent.yaml")
