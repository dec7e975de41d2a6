"""Several tables come from a folder, dataframes, a database or a workbook, with what a catalogue tells, and go back."""

from __future__ import annotations

import datetime as dt
import sqlite3

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

from verisyn._writing import check_target
from verisyn.data import read, write, write_tables
from verisyn.description import describe
from verisyn.errors import UserError
from verisyn.provenance import Provenance, Source
from verisyn.schema import Schema

PEOPLE = pl.DataFrame({"id": [3, 1, 2], "name": ["Ann", None, "Zoë; \"z\""], "boss": [None, 3, 3], "born": [
    dt.date(1990, 1, 1), dt.date(1985, 5, 6), None]})
ORDERS = pl.DataFrame({"order_no": [10, 11, 12, 13], "people_id": [1, 1, 3, 2], "paid": [True, False, None, True],
                       "amount": [1.5, 2.25, 3.0, 4.75]})
LINES = pl.DataFrame({"order_no": [10, 10, 11, 13], "line": [1, 2, 1, 1], "what": list("abca")})
TABLES = {"lines": LINES, "orders": ORDERS, "people": PEOPLE}
SCHEMA = Schema.model_validate({
    "tables": [{"name": n, "columns": [{"name": c, "kind": "number"} for c in f.columns], "key": key}
               for (n, f), key in zip(TABLES.items(), (("order_no", "line"), ("order_no",), ("id",)), strict=True)],
    "links": [{"table": t, "columns": c, "parent": p, "key": k} for t, c, p, k in (
        ("lines", ("order_no",), "orders", ("order_no",)), ("orders", ("people_id",), "people", ("id",)),
        ("people", ("boss",), "people", ("id",)))]})


def pointing(schema_or_data):
    return {(k.table, k.columns, k.parent, k.key) for k in schema_or_data.links}


@pytest.mark.parametrize("name", ["shop.sqlite", "shop.duckdb"])
def test_a_database_gives_its_keys_and_links_and_takes_them_back(name, tmp_path):
    write_tables(TABLES, tmp_path / name, schema=SCHEMA)
    for turn in range(2):  # as it was written, and as it was written back in the manner of the source
        data = read(tmp_path / name)
        assert set(data.tables) == set(TABLES) and data.name.startswith("shop")
        assert data.keys == {"lines": ("order_no", "line"), "orders": ("order_no",), "people": ("id",)}
        assert pointing(data) == pointing(SCHEMA)
        assert data.tables["people"].sort("id")["name"].to_list() == [None, "Zoë; \"z\"", "Ann"]
        name = f"shop{turn}.{data.extension}"
        write_tables(data.tables, tmp_path / name, settings=data.format_settings, schema=describe(data))
    with pytest.raises(UserError, match="exists already"):
        write_tables(TABLES, tmp_path / name)


def test_sqlite_declares_what_its_own_check_confirms(tmp_path):
    write_tables(TABLES, tmp_path / "shop.db", schema=SCHEMA)
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("INSERT INTO orders VALUES (99, 77, 1, 1.0)")
    orphaned = {**TABLES, "orders": ORDERS.with_columns(people_id=pl.Series([1, 1, 3, 99]))}
    write_tables(orphaned, tmp_path / "orphans.duckdb", schema=SCHEMA)  # what rows break is not declared, but found
    data = read(tmp_path / "orphans.duckdb")
    assert len(data.links) == 2 and pointing(describe(data)) == pointing(SCHEMA)
    assert {k.name: k.orphans for k in describe(data).links}["orders.people_id"] == 0.25


def test_a_catalogue_in_the_wild(tmp_path):
    with sqlite3.connect(tmp_path / "wild.db") as connection:
        connection.executescript("""
            CREATE TABLE Author (AuthorId INTEGER PRIMARY KEY, Photo BLOB, Name TEXT);
            CREATE TABLE book (isbn TEXT, written_by INTEGER REFERENCES AUTHOR, editor INT REFERENCES author(authorid));
            CREATE TABLE empty (a INTEGER); CREATE VIEW both AS SELECT * FROM book;
            INSERT INTO Author VALUES (1, x'00ff', 'A'), (2, NULL, 'B');
            INSERT INTO book VALUES ('x', 1, NULL), ('y', 2, 1);""")
    data = read(tmp_path / "wild.db")
    assert pointing(data) == {("book", (c,), "Author", ("AuthorId",)) for c in ("written_by", "editor")}
    assert data.tables["Author"].columns == ["AuthorId", "Name"]
    said = " ".join(data.notes)
    assert all(word in said for word in ("'Photo'", "binary", "'empty' has no rows", "'both'"))
    assert read(tmp_path / "wild.db", table="both").frame.height == 2
    by_url = read(f"sqlite+pysqlite:///{tmp_path / 'wild.db'}")
    assert pointing(by_url) == pointing(data)
    assert (by_url.tables["book"].height, by_url.extension) == (2, "")


def test_a_folder_is_read_and_written_in_its_own_manner(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "people.csv").write_bytes("id;name;weight\n1;Zoë;1,5\n2;Åsa;2,5\n".encode("cp1252"))
    write(ORDERS, folder / "orders.jsonl.gz")
    write(LINES, folder / "lines.parquet")
    for name, text in {"README.txt": "hello, world\nfoo, bar\n", "meta.json": "{}", "none.csv": "a,b\n", "zero.csv": ""}.items():
        (folder / name).write_text(text)
    (folder / "deeper").mkdir()
    data = read(folder)
    assert list(data.tables) == ["lines", "orders", "people"] and data.name == "shop" and data.extension == ""
    said = " ".join(data.notes)
    assert all(f"'{name}'" in said for name in ("README.txt", "meta.json", "none.csv", "zero.csv", "deeper", "people"))
    made = Provenance((Source("shop", "synthetic", 9, "relation.ancestral", 1),))
    write_tables(data.tables, tmp_path / "out", settings=data.format_settings, provenance=made)
    assert (tmp_path / "out/people.csv").read_bytes() == (folder / "people.csv").read_bytes()
    back = read(tmp_path / "out")
    for name, frame in data.tables.items():
        assert_frame_equal(back.tables[name], frame)
    assert back.provenance.generation == 1 and back.provenance.rows == 10
    write_tables(data.tables, tmp_path / "out", settings=data.format_settings, force=True)
    (tmp_path / "out/mine.txt").write_text("not to be lost")
    with pytest.raises(UserError, match=r"mine\.txt"):
        write_tables(data.tables, tmp_path / "out", force=True)
    assert read(folder, table="people").frame.height == 2
    with pytest.raises(UserError, match="Did you mean 'people'"):
        read(folder, table="peple")
    write(LINES, folder / "people.parquet")
    with pytest.raises(UserError, match="would both be the table 'people'"):
        read(folder)


def test_dataframes_of_any_kind_stand_side_by_side():
    native = {"people": PEOPLE.to_pandas(), "orders": ORDERS, "lines": pa.table(LINES.to_dict(as_series=False))}
    data = read(native)
    assert [type(data.give_back(f, n)) for n, f in data.tables.items()] == [pd.DataFrame, pl.DataFrame, pa.Table]
    assert data.rows_total == {"people": 3, "orders": 4, "lines": 4}
    assert pointing(describe(native)) == pointing(SCHEMA)  # pandas keeps a key with gaps as fractions
    with pytest.raises(UserError, match=r"3 tables: 'people', 'orders', 'lines'.*--table"):
        data.frame  # noqa: B018
    assert read(native, table="orders").frame.height == 4
    for wrong in ({}, {1: ORDERS}, {"": ORDERS}):
        with pytest.raises(UserError, match="dict of dataframes"):
            read(wrong)
    with pytest.raises(UserError, match="Table 'b'"):
        read({"a": ORDERS, "b": 7})


def test_a_workbook_has_a_sheet_for_each_table(tmp_path):
    tables = {**TABLES, "a name that is: longer than thirty-one letters": LINES}
    write_tables(tables, tmp_path / "shop.xlsx")
    data = read(tmp_path / "shop.xlsx")
    assert [len(n) <= 31 for n in data.tables] == [True] * 4 and data.extension == "xlsx"
    assert data.tables["orders"]["order_no"].to_list() == [10, 11, 12, 13]
    assert data.tables["people"]["born"].cast(pl.Date).to_list() == PEOPLE["born"].to_list()
    assert read(tmp_path / "shop.xlsx", table="lines").frame.height == 4


def test_a_database_by_url_takes_all_or_nothing(tmp_path):
    url = f"sqlite+pysqlite:///{tmp_path / 'shop.db'}"
    assert write_tables(TABLES, url, schema=SCHEMA) == url
    data = read(url)
    assert pointing(data) == pointing(SCHEMA) and data.keys["lines"] == ("order_no", "line")
    assert data.tables["orders"].sort("order_no")["amount"].to_list() == ORDERS["amount"].to_list()
    with pytest.raises(UserError, match=r"has the tables 'orders', 'people', 'lines' already|already.*--force"):
        write_tables(TABLES, url)
    write_tables({"people": PEOPLE.head(1)}, url, force=True)  # others' tables stay
    assert (read(url, table="people").frame.height, read(url, table="orders").frame.height) == (1, 4)
    bad = {"first": LINES, "second": pl.DataFrame({"a": pl.Series([[1]], dtype=pl.List(pl.Int64))})}
    with pytest.raises(Exception):  # noqa: B017  # what the driver says differs
        write_tables(bad, url)
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        assert not connection.execute("SELECT name FROM sqlite_master WHERE name = 'first'").fetchall()


def test_duckdb_takes_a_tree_of_any_depth(tmp_path):
    staff = pl.DataFrame({"id": range(40), "boss": [min(39, i + 1) if i < 39 else None for i in range(40)]})
    schema = Schema.model_validate({"tables": [{"name": "staff", "columns": [], "key": ("id",)}], "links": [
        {"table": "staff", "columns": ("boss",), "parent": "staff", "key": ("id",)}]})
    write_tables({"staff": staff, "other": LINES}, tmp_path / "t.duckdb", schema=schema)
    with duckdb.connect(str(tmp_path / "t.duckdb")) as connection:
        assert connection.execute("SELECT count(*) FROM staff s JOIN staff b ON s.boss = b.id").fetchone() == (39,)
        with pytest.raises(duckdb.ConstraintException):
            connection.execute("INSERT INTO staff VALUES (99, 77)")


def test_large_sources_are_thinned_without_tearing_apart_what_belongs_together(tmp_path):
    people = pl.DataFrame({"id": range(200)})
    orders = pl.DataFrame({"id": range(3000), "people_id": [i % 200 for i in range(3000)]})
    lines = pl.DataFrame({"order_id": [i // 3 for i in range(9000)], "n": [i % 3 for i in range(9000)]})
    data = read({"people": people, "orders": orders, "lines": lines}, fit_rows=3000)
    kept = data.tables
    assert kept["people"].height == 66 and kept["lines"].height == 9 * kept["orders"].height / 3
    assert kept["orders"]["people_id"].value_counts()["count"].to_list() == [15] * 66
    assert set(kept["lines"]["order_id"]) == set(kept["orders"]["id"])
    assert data.rows_total["lines"] == 9000 and any("'people'" in note for note in data.notes)
    events = pl.DataFrame({"who": [f"p{i % 50}" for i in range(1000)], "at": range(1000)})
    whole = read(events, entity=["who"], time="at", fit_rows=333).frame
    assert whole["who"].value_counts()["count"].to_list() == [20] * 16
    assert read(events, time="at", fit_rows=100).frame["at"].to_list() == list(range(900, 1000))
    assert read(events, fit_rows=100).frame.height == 100


def test_several_tables_are_one_or_the_other_place(tmp_path):
    with pytest.raises(UserError, match=r"several.*\.sqlite"):
        write_tables(TABLES, tmp_path / "shop.csv")
    with pytest.raises(UserError, match=r"several.*\.sqlite"):
        check_target(tmp_path / "shop.csv", force=True)
    for place in ("shop.sqlite", "shop"):
        check_target(tmp_path / place, force=False)
        write_tables(TABLES, tmp_path / place)
        with pytest.raises(UserError, match="exists already"):  # before the work of drawing them, too
            check_target(tmp_path / place, force=False)
        check_target(tmp_path / place, force=True)
    with pytest.raises(UserError, match="cannot be queried"):
        (tmp_path / "a").mkdir()
        write(LINES, tmp_path / "a/lines.csv")
        read(tmp_path / "a", query="SELECT 1")
    assert read(tmp_path / "a").frame.height == 4  # a folder with one table is that table
    with pytest.raises(UserError, match="not a database"):
        write_tables(TABLES, "https://example.org/x")
