"""What is read from each format is what was written, in the manner of the source, and samples are fair."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import sqlite3
from decimal import Decimal

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from verisyn import shelves
from verisyn.data import Dataset, read, write
from verisyn.errors import UserError
from verisyn.formats._streams import zstd

ROWS = pl.DataFrame({
    "n": [1, None, -3],
    "x": [0.5, 2.25, None],
    "word": ["a", None, "Zoë, \"z\"\n2"],
    "yes": [True, False, None],
})


def again(data: Dataset, folder):
    """Write the data in the manner of its source; return the path."""
    path = folder / f"again.{data.extension}"
    write(data.give_back(data.frame), path, settings=data.format_settings, table_name=data.table_name)
    return path


def file_formats():
    return [f for f in shelves.formats.names() if shelves.formats.take(f).suffixes]


@pytest.mark.parametrize("suffix", [s for f in file_formats() for s in shelves.formats.take(f).suffixes])
def test_every_format_gives_back_what_it_was_given(suffix, tmp_path):
    write(ROWS, tmp_path / f"t{suffix}")
    data = read(tmp_path / f"t{suffix}")
    assert_frame_equal(data.frame, ROWS)
    assert_frame_equal(read(again(data, tmp_path)).frame, ROWS)
    assert data.rows_total == {data.table_name: 3}
    assert data.name == "t"


@pytest.mark.parametrize("format_", file_formats())
def test_every_format_writes_every_type_and_the_same_bytes_twice(format_, tmp_path):
    suffix = shelves.formats.take(format_).suffixes[0]
    frame = ROWS.with_columns(
        day=pl.Series([dt.date(1650, 1, 2), None, dt.date(2020, 2, 29)]),
        at=pl.Series([dt.datetime(2020, 1, 2, 3, 4, 5), None, dt.datetime(1999, 1, 1)]),
        clock=pl.Series([dt.time(1, 2, 3), None, dt.time(4, 5)]),
        took=pl.Series([dt.timedelta(hours=1), None, dt.timedelta(seconds=1)]),
        none=pl.Series([None, None, None], dtype=pl.String),
    )
    frame = frame if format_ != "excel" else frame.drop("day", "took")  # Excel's calendar begins in 1900
    write(frame, tmp_path / f"a{suffix}")
    write(frame, tmp_path / f"b{suffix}")
    if format_ not in ("excel", "duckdb"):  # these two write the time of day into the file
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    assert read(tmp_path / f"a{suffix}").frame.columns == frame.columns


@pytest.mark.parametrize(("text", "encoding", "schema"), [
    ("a,b\n1,x\n2,y\n", "utf-8", {"a": pl.Int64, "b": pl.String}),
    ("a\tb\r\n1\tx\r\n", "utf-16", {"a": pl.Int64, "b": pl.String}),
    ("\ufeffa|b\n1.50|True\n2.25|False\n", "utf-8", {"a": pl.Float64, "b": pl.Boolean}),
    ("Größe;Preis\n1;1.234,50\n2;3,14\n", "cp1252", {"Größe": pl.Int64, "Preis": pl.Float64}),
    ("1,5;2,5\n3,5;4,5\n", "utf-8", {"column_1": pl.Float64, "column_2": pl.Float64}),
    ("5.1,3.5,fox\n4.9,3.0,fox\n", "utf-8", {"column_1": pl.Float64, "column_2": pl.Float64, "column_3": pl.String}),
    ("at,2019,2020,2021\nFR,1,2,3\n", "utf-8", {"at": pl.String, **dict.fromkeys(("2019", "2020", "2021"), pl.Int64)}),
    ("zip,phone,key\n00712,+491511,99999999999999999999\n", "utf-8", dict.fromkeys(("zip", "phone", "key"), pl.String)),
    ("a,b\n\"1,234\",-inf\n\"12,345,678\",2.5\n", "utf-8", {"a": pl.Int64, "b": pl.Float64}),
    ("day,v\n2020-01-01,NA\n2020-01-02,7\n", "utf-8", {"day": pl.String, "v": pl.Int64}),
    ("\"a\",\"b\"\n\"1\",\"x, y\"\n", "utf-8", {"a": pl.Int64, "b": pl.String}),
    ("note\nhello, world\nbye\n", "utf-8", {"note": pl.String}),
])
def test_the_manner_of_a_text_table_is_found_and_kept(text, encoding, schema, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode(encoding))
    data = read(path)
    assert dict(data.frame.schema) == schema
    assert again(data, tmp_path).read_bytes() == path.read_bytes()


def test_what_was_found_is_said(tmp_path):
    (tmp_path / "t.csv").write_bytes("Größe;;Größe\n1,5;?;x\n2,5;3;y\n".encode("cp1252"))
    data = read(tmp_path / "t.csv")
    said = " ".join(data.notes)
    for word in ("cp1252", "semicolon", "decimal comma", "'?'", "'column_2'", "'Größe_2'"):
        assert word in said
    assert data.frame.rows() == [(1.5, None, "x"), (2.5, 3, "y")]


CELLS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r"), max_size=8)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(CELLS, CELLS, st.integers()), min_size=1, max_size=8),
       delimiter=st.sampled_from(",;\t|"))
def test_any_quoted_table_is_read_as_the_csv_module_reads_it(rows, delimiter, tmp_path):
    path = tmp_path / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerows([("first", "second", "third"), *rows])
    data = read(path)
    assert data.frame.columns == ["first", "second", "third"]
    assert data.frame.height == len(rows)
    for name, cells in zip(data.frame.columns, zip(*rows, strict=True), strict=True):
        column = data.frame[name]
        for was, now in zip(cells, column.to_list(), strict=True):
            if isinstance(now, str):
                assert str(was).lstrip(" ") == now.lstrip(" ")
    assert_frame_equal(read(again(data, tmp_path)).frame, data.frame)


@pytest.mark.parametrize("pack", [(".gz", gzip.compress), (".zst", zstd.compress)])
def test_compressed_text_comes_back_compressed(pack, tmp_path):
    suffix, compress = pack
    path = tmp_path / f"people.csv{suffix}"
    path.write_bytes(compress(b"a,b\n1,x\n") + compress(b"2,y\n"))
    data = read(path)
    assert data.frame.rows() == [(1, "x"), (2, "y")]
    assert (data.name, data.extension) == ("people", f"csv{suffix}")
    written = again(data, tmp_path)
    assert written.read_bytes()[:2] == path.read_bytes()[:2]
    assert_frame_equal(read(written).frame, data.frame)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".jsonl", ".parquet", ".arrow", ".sqlite", ".duckdb", ".xlsx"])
def test_a_sample_is_uniform_seeded_and_in_order_whatever_the_format(suffix, tmp_path):
    frame = pl.DataFrame({"i": np.arange(50_000), "w": ["x"] * 50_000}).head(50_000 if suffix != ".xlsx" else 5_000)
    write(frame, tmp_path / f"t{suffix}")
    one, same, other = (read(tmp_path / f"t{suffix}", fit_rows=1_000, seed=s) for s in (1, 1, 2))
    assert_frame_equal(one.frame, same.frame)
    assert not one.frame.equals(other.frame)
    kept = one.frame["i"].to_numpy()
    assert len(kept) == 1_000 == len(np.unique(kept))
    assert (np.diff(kept) > 0).all()
    from scipy.stats import kstest

    assert kstest(kept / frame.height, "uniform").pvalue > 1e-4
    assert one.rows_total == {one.table_name: frame.height}
    assert f"{frame.height:,} rows" in one.notes[-1]
    assert_frame_equal(one.frame, read(frame, fit_rows=1_000, seed=1).frame)


def test_nested_values_become_json_text_and_json_again(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"a": 1, "tags": ["x", {"y": 2}]}\n{"a": 2.5, "tags": null}\n')
    data = read(path)
    assert data.frame.rows() == [(1.0, '["x", {"y": 2}]'), (2.5, None)]
    assert "'tags'" in data.notes[0]
    assert '"tags": ["x", {"y": 2}]' in again(data, tmp_path).read_text()
    pl.DataFrame({"l": [[1, 2], None], "s": [{"k": 1}, {"k": None}]}).write_parquet(tmp_path / "t.parquet")
    assert read(tmp_path / "t.parquet").frame.rows() == [("[1, 2]", '{"k": 1}'), (None, '{"k": null}')]


def test_a_database_gives_one_table_or_a_query(tmp_path):
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE people (name TEXT, member BOOLEAN, born DATE)")
        connection.execute("CREATE TABLE sales (amount REAL)")
        connection.executemany("INSERT INTO people VALUES (?, ?, ?)", [("Ann", 1, "1990-01-01"), ("Bo", 0, None)])
        connection.execute("INSERT INTO sales VALUES (1.5)")
    with pytest.raises(UserError, match=r"2 tables: 'people', 'sales'.*--table"):
        read(path).frame  # noqa: B018  # of several tables none is meant
    with pytest.raises(UserError, match="Did you mean 'people'"):
        read(path, table="peple")
    people = read(path, table="people")
    assert people.frame.rows() == [("Ann", True, "1990-01-01"), ("Bo", False, None)]
    with sqlite3.connect(again(people, tmp_path)) as connection:
        assert connection.execute("SELECT type FROM pragma_table_info('people')").fetchall() == \
            [("TEXT",), ("BOOLEAN",), ("DATE",)]
    asked = read(path, query="SELECT upper(name) AS who FROM people")
    assert (asked.frame["who"].to_list(), asked.extension) == (["ANN", "BO"], "parquet")
    with pytest.raises(UserError, match="no such column"):
        read(path, query="SELECT shoe FROM people")
    assert_frame_equal(read(f"sqlite:///{path}", table="people").frame, people.frame)


def test_a_database_url_is_read_through_sqlalchemy(tmp_path):
    with sqlite3.connect(tmp_path / "t.db") as connection:
        connection.execute("CREATE TABLE t (a INTEGER, b NUMERIC(6, 2))")
        connection.executemany("INSERT INTO t VALUES (?, ?)", [(i, i / 4) for i in range(100)])
    data = read(f"sqlite+pysqlite:///{tmp_path / 't.db'}", fit_rows=10)
    assert (data.frame.height, data.rows_total, data.extension) == (10, {"t": 100}, "parquet")
    with pytest.raises(UserError, match="no such table"):
        read(f"sqlite+pysqlite:///{tmp_path / 't.db'}", query="SELECT * FROM shoes")


def test_duckdb_types_come_back(tmp_path):
    path = tmp_path / "t.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1::TINYINT a, 1.50::DECIMAL(5, 2) d, uuid() u, INTERVAL 1 DAY i, "
                           "[1, 2] l, 'x'::ENUM('x', 'y') e, TIMESTAMPTZ '2020-01-01 00:00:00+00' t, 5::HUGEINT h")
    data = read(path)
    assert [str(t.base_type()) for t in data.frame.dtypes] == \
        ["Int8", "Float64", "String", "String", "String", "String", "Datetime", "Float64"]
    with duckdb.connect(str(again(data, tmp_path))) as connection:
        types = dict(row[:2] for row in connection.execute("DESCRIBE t").fetchall())
    assert [types[name] for name in "adui"] == ["TINYINT", "DECIMAL(5,2)", "UUID", "INTERVAL"]


def test_parquet_keeps_its_types(tmp_path):
    frame = pl.DataFrame({"d": pl.Series([Decimal("1.50"), None], dtype=pl.Decimal(9, 2)),
                          "small": pl.Series([1, 2], dtype=pl.UInt8),
                          "c": pl.Series(["x", "y"], dtype=pl.Categorical)})
    frame.write_parquet(tmp_path / "t.parquet")
    data = read(tmp_path / "t.parquet")
    assert data.frame.dtypes == [pl.Float64, pl.UInt8, pl.String]
    assert_frame_equal(pl.read_parquet(again(data, tmp_path)), frame)


def test_another_format_than_the_source_ignores_its_manner(tmp_path):
    (tmp_path / "t.csv").write_text("a;b\n1,5;x\n")
    data = read(tmp_path / "t.csv")
    write(data.frame, tmp_path / "t.duckdb", settings=data.format_settings, table_name="mine")
    assert read(tmp_path / "t.duckdb").table_name == "mine"
    write(data.frame, tmp_path / "t.tsv", settings=data.format_settings)
    assert (tmp_path / "t.tsv").read_text() == "a\tb\n1,5\tx\n"


def test_text_the_encoding_cannot_hold_is_written_as_utf8(tmp_path):
    (tmp_path / "t.csv").write_bytes("name\nZoë\nÅsa\n".encode("cp1252"))
    data = read(tmp_path / "t.csv")
    write(pl.DataFrame({"name": ["東京"]}), tmp_path / "out.csv", settings=data.format_settings)
    assert read(tmp_path / "out.csv").frame["name"].to_list() == ["東京"]


@pytest.mark.parametrize("name", ["adult", "shoppers", "magic", "beijing", "bank_marketing", "telco_churn", "titanic"])
def test_real_tables_survive_the_way_through_text(name, real, tmp_path):
    frame = read(real(name)).frame.head(3_000)
    write(frame, tmp_path / "t.csv")
    back = read(tmp_path / "t.csv").frame
    assert back.columns == frame.columns
    for column in frame:
        if column.dtype.is_numeric() and column.null_count() < len(column):
            assert back[column.name].cast(column.dtype).equals(column), column.name


def test_split_is_seeded_disjoint_and_complete():
    data = read(pl.DataFrame({"i": np.arange(101)}))
    train, holdout = data.split(0.2, seed=3)
    assert (train.frame.height, holdout.frame.height) == (81, 20)
    assert sorted([*train.frame["i"], *holdout.frame["i"]]) == list(range(101))
    assert train.frame["i"].is_sorted() and holdout.frame["i"].is_sorted()
    assert data.split(0.2, seed=3)[1].frame.equals(holdout.frame)
    assert not data.split(0.2, seed=4)[1].frame.equals(holdout.frame)
    assert read(pl.DataFrame({"i": [1]})).split(0.2, seed=0)[1].frame.height == 0
    with pytest.raises(UserError, match="less than 1"):
        data.split(1.0, seed=0)


def test_reading_a_dataset_gives_it_back():
    data = read(pl.DataFrame({"i": [1]}))
    assert read(data) is data
