"""A dataframe of any kind comes back as it went in: its kind, its data types, its labels; and no rare level with it."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from polars.testing.parametric import dataframes

from verisyn.errors import UserError
from verisyn.frames import Origin, from_polars, to_polars

N = 12
MOMENTS = pd.Series(pd.to_datetime(["2020-03-29 01:30", None] * 6))
PANDAS = {
    "int8": np.arange(N, dtype="int8"),
    "uint64": np.arange(N, dtype="uint64"),
    "float32": np.r_[np.nan, np.arange(N - 1)].astype("float32"),
    "bool": np.arange(N) % 2 == 0,
    "Int64": pd.array([1, None] * 6, dtype="Int64"),
    "UInt8": pd.array([1, None] * 6, dtype="UInt8"),
    "boolean": pd.array([True, None] * 6, dtype="boolean"),
    "Float64": pd.array([1.5, None] * 6, dtype="Float64"),
    "string": pd.array(["a", None] * 6, dtype="string"),
    "string[python]": pd.array(["a", None] * 6, dtype="string[python]"),
    "plain text": ["a", None] * 6,
    "object text": pd.Series(["a", None] * 6, dtype=object),
    "object ints": pd.Series([1, None] * 6, dtype=object),
    "object truth": pd.Series([True, None] * 6, dtype=object),
    "object dates": pd.Series([dt.date(1650, 1, 1), None] * 6, dtype=object),
    "object decimals": pd.Series([Decimal("1.50"), None] * 6, dtype=object),
    "ns": MOMENTS.astype("datetime64[ns]"),
    "s": MOMENTS.astype("datetime64[s]"),
    "zone": MOMENTS.dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin"),
    "offset": pd.Series(pd.to_datetime(["2020-01-01T00:00+02:00", None] * 6)),
    "timedelta": pd.Series(pd.to_timedelta([1, None] * 6, unit="s")),
    "period": pd.Series(pd.PeriodIndex(["2020-01", "2020-02"] * 6, freq="M")),
    "category": pd.Categorical(["x", "y", None] * 4),
    "category of ints": pd.Categorical([1, 2] * 6),
    "category of ints and holes": pd.Categorical([1, None] * 6),
    "category of truth": pd.Categorical([True, False] * 6),
    "category of moments": pd.Categorical(pd.to_datetime(["2020-01-01", "2021-01-01"] * 6)),
    "sparse": pd.arrays.SparseArray([0, 1] * 6),
    "int64[pyarrow]": pd.array([1, None] * 6, dtype="int64[pyarrow]"),
    **{str(type_): pd.Series(pd.arrays.ArrowExtensionArray(pa.array(values, type=type_))) for type_, values in (
        (pa.string(), ["a", None] * 6),
        (pa.timestamp("us", "UTC"), [dt.datetime(2020, 1, 1, tzinfo=dt.UTC), None] * 6),
        (pa.decimal128(10, 2), [Decimal("1.50"), None] * 6),
        (pa.date32(), [dt.date(2020, 1, 1), None] * 6),
        (pa.dictionary(pa.int8(), pa.string()), ["a", "b"] * 6),
        (pa.duration("ns"), [dt.timedelta(1), None] * 6),
    )},
}


def there_and_back(native):
    """Through the door and out again, the origin by way of JSON as a model on disk has it."""
    frame, origin = to_polars(native)
    return from_polars(frame, Origin.from_dict(json.loads(json.dumps(origin.to_dict()))))


@pytest.mark.parametrize("name", PANDAS)
def test_pandas_types_come_back(name):
    frame = pd.DataFrame({name: PANDAS[name]})
    pd.testing.assert_frame_equal(there_and_back(frame), frame, check_categorical=False)


def test_pandas_needs_no_pyarrow():
    code = ("import sys; sys.modules['pyarrow'] = None\n"
            "import pandas as pd\n"
            "from verisyn.frames import to_polars, from_polars\n"
            "df = pd.DataFrame({'s': ['a', None], 'i': pd.array([1, None], dtype='Int64'), \n"
            "                   'c': pd.Categorical(['x', 'y']), 't': pd.to_datetime(['2020-01-01', None])})\n"
            "pd.testing.assert_frame_equal(from_polars(*to_polars(df)), df)\n")
    subprocess.run([sys.executable, "-c", code], check=True)


def test_labels_come_back_and_a_named_index_is_told_of():
    frame = pd.DataFrame(np.zeros((2, 3)), columns=[0, 1.5, ("a", "b")], index=pd.Index([7, 8], name="key"))
    inside, origin = to_polars(frame)
    assert inside.columns == ["0", "1.5", "a / b"]
    assert "'key'" in origin.notes[0]
    assert list(there_and_back(frame).columns) == [0, 1.5, ("a", "b")]
    levels = pd.DataFrame(np.zeros((1, 2)), columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")]))
    assert there_and_back(levels).columns.equals(levels.columns)


def test_mixed_objects_become_text_with_a_note():
    inside, origin = to_polars(pd.DataFrame({"m": pd.Series([1, "x", None, 2.5], dtype=object)}))
    assert inside["m"].to_list() == ["1", "x", None, "2.5"]
    assert "'m'" in origin.notes[0]


RARE = ["lo"] * 6 + ["hi"] * 6 + ["secret"]


@pytest.mark.parametrize("native", [
    pd.DataFrame({"c": pd.Categorical(RARE, categories=["lo", "secret", "hi", "never"], ordered=True)}),
    pl.DataFrame({"c": pl.Series(RARE, dtype=pl.Enum(["lo", "secret", "hi", "never"]))}),
    pl.DataFrame({"c": pl.Series(RARE, dtype=pl.Categorical)}),
    pa.table({"c": pa.array(RARE).dictionary_encode()}),
], ids=["pandas ordered", "polars enum", "polars categorical", "arrow dictionary"])
def test_no_level_comes_back_that_the_synthetic_rows_do_not_have(native):
    frame, origin = to_polars(native)
    assert "secret" not in json.dumps(origin.to_dict())
    back = from_polars(frame.filter(pl.col("c") != "secret"), origin)
    assert type(back) is type(native)
    if isinstance(back, pd.DataFrame):
        assert list(back["c"].cat.categories) == ["lo", "hi"] and back["c"].cat.ordered
    elif isinstance(back, pa.Table):
        assert back["c"].type == native["c"].type
        assert back["c"].chunk(0).dictionary.to_pylist() == ["lo", "hi"]
    else:
        assert back["c"].dtype in (pl.Categorical, pl.Enum(["lo", "hi"]))
        assert back["c"].dtype.base_type() == native["c"].dtype.base_type()


@settings(max_examples=40, deadline=None)
@given(dataframes(min_cols=1, max_cols=4, min_size=1, max_size=6,
                  allowed_dtypes=[pl.Int8, pl.UInt64, pl.Float32, pl.Float64, pl.Boolean, pl.String, pl.Date, pl.Time,
                                  pl.Datetime("ms"), pl.Datetime("us", "Asia/Tokyo"), pl.Duration("ns"), pl.Categorical,
                                  pl.Null]))
def test_any_polars_frame_comes_back(frame):
    assert_frame_equal(there_and_back(frame), frame, categorical_as_str=True)


@given(st.lists(st.decimals(-10**6, 10**6, places=2), min_size=1, max_size=5))
def test_decimals_keep_their_scale(values):
    frame = pl.DataFrame({"d": pl.Series(values, dtype=pl.Decimal(12, 2))})
    assert_frame_equal(there_and_back(frame), frame)


def test_arrow_tables_come_back():
    table = pa.table({
        "i": pa.array([1, None], pa.int16()),
        "s": pa.array(["a", None], pa.large_string()),
        "d": pa.array(["x", "y"]).dictionary_encode(),
        "t": pa.array([dt.datetime(2020, 1, 1), None], pa.timestamp("s")),
        "n": pa.array([Decimal("1.10"), None], pa.decimal128(9, 2)), "f": pa.array([1.5, None], pa.float32()),
    })
    assert there_and_back(table).equals(table)


def test_other_frames_come_back_as_polars():
    duckdb = pytest.importorskip("duckdb")
    frame, origin = to_polars(duckdb.sql("SELECT 1 AS a"))
    assert frame.rows() == [(1,)] and "polars" in origin.notes[0]
    assert isinstance(there_and_back(pl.LazyFrame({"a": [1]})), pl.DataFrame)


@pytest.mark.parametrize(("native", "said"), [
    (pd.DataFrame(np.zeros((1, 2)), columns=["a", "a"]), "called 'a'"),
    (pd.DataFrame([[1, 2]], columns=[1, "1"]), "called '1'"),
    (pd.DataFrame({"a": []}), "0 rows"),
    (pl.DataFrame(), "0 columns"),
    (pd.DataFrame({"a": [b"x"]}), "binary"),
    (pl.DataFrame({"a": [b"x"]}), "binary"),
    (pd.DataFrame({"a": [1j]}), "complex"),
    (pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), "called 'a'"),
    ([1, 2], "'list'"),
    (np.zeros(3), "'ndarray'"),
    (None, "'NoneType'"),
])
def test_what_is_no_table_gets_a_sentence(native, said):
    with pytest.raises(UserError, match=said):
        to_polars(native)


def test_a_value_its_type_cannot_hold_keeps_a_wider_one():
    _, origin = to_polars(pl.DataFrame({"i": pl.Series([1], dtype=pl.Int8)}))
    assert from_polars(pl.DataFrame({"i": [1000]}), origin)["i"].to_list() == [1000]
    _, origin = to_polars(pd.DataFrame({"i": [1, 2]}))
    assert str(from_polars(pl.DataFrame({"i": [1, None]}), origin)["i"].dtype) == "Int64"
