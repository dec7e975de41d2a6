"""Files that cannot be read get a sentence: what, where, what to do."""

from __future__ import annotations

import gzip
import os

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from verisyn.data import read, write
from verisyn.errors import UserError
from verisyn.formats._streams import zstd

LINES = b"a,b\n1,x\n2,y\n" * 500
BAD = {
    "empty.csv": (b"", "empty"),
    "blank.csv": (b"\n \n", "empty"),
    "header.csv": (b"a,b,c\n", "no rows"),
    "short.csv": (b"a,b,c\n1,2,3\n4,5\n", r"Line 3 of .*short.csv.* has 2 fields where 3 were expected"),
    "long.csv": (b'a,b\n"x\ny",1\n1,2,3\n4,5,6\n', r"Line 4 .* has 3 fields where 2 were expected \(1 more nearby\)"),
    "quote.csv": (b'a,b\n1,"x\n2,y\n', "quotation mark"),
    "pair.csv": (b'a,b\n"1"x,2\n', "line 2"),
    "zero.csv": (b"a,b\n1,x\0y\n", "zero bytes"),
    "late zero.csv": (b"a,b\n" + b"1,xxxxxxxx\n" * 40_000 + b"2,\0\n", "zero bytes"),
    "noise.csv": (bytes(range(256)) * 20, "zero bytes"),
    "wide.csv": (b"\xff\xfea\0,\0b", "UTF-8|no rows|starts like"),
    "cut.csv.gz": (gzip.compress(LINES)[:-12], "damaged or cut off"),
    "cut.csv.zst": (zstd.compress(LINES)[:-5], "damaged or cut off"),
    "plain.csv.gz": (LINES, "not gz-compressed"),
    "packed.csv": (gzip.compress(LINES), "is gz-compressed"),
    "really.csv": (b"PAR1....PAR1", "holds parquet"),
    "bad.parquet": (b"PAR1....PAR1", "damaged"),
    "text.parquet": (b"a,b\n1,2\n", "damaged"),
    "bad.arrow": (b"ARROW1....", "damaged"),
    "bad.sqlite": (b"SQLite format 3\0" + b"x" * 5000, "damaged"),
    "bad.duckdb": (b"12345678DUCK" + b"x" * 5000, "damaged"),
    "bad.xlsx": (b"PK\x03\x04" + b"x" * 500, "damaged"),
    "bad.jsonl": (b'{"a": 1}\n{"a": \n', r"Line 2 .* not valid JSON"),
    "list.jsonl": (b"[1]\n", "JSON list"),
    "latin.jsonl": ('{"a": "Zoë"}\n'.encode("cp1252"), "UTF-8"),
    "blank.jsonl": (b"\n\n", "empty"),
    "table.cvs": (b"a\n1\n", "Did you mean '.csv'"),
    "table": (b"a\n1\n", "no ending"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_gets_a_sentence(name, tmp_path):
    content, said = BAD[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=said) as caught:
        read(tmp_path / name)
    assert name in str(caught.value) and str(caught.value).endswith((".", "?"))


def test_places_that_are_no_file(tmp_path):
    with pytest.raises(UserError, match="no file with a table"):
        read(tmp_path)
    (tmp_path / "patients.csv").write_text("a\n1\n")
    with pytest.raises(UserError, match=r"Did you mean 'patients\.csv'"):
        read(tmp_path / "patient.csv")
    with pytest.raises(UserError, match="no folder"):
        read(tmp_path / "nowhere" / "patients.csv")
    with pytest.raises(UserError, match="Fetch the file first"):
        read("https://example.org/patients.csv")
    with pytest.raises(UserError, match="There is no file"):
        read(f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(UserError, match="Did you mean 'postgresql'"):
        read("postgres://user:secret@host/db")


def test_a_password_never_shows():
    with pytest.raises(UserError) as caught:
        read("mssql+nonsense://user:secret@host/db")
    assert "secret" not in str(caught.value)


def test_choices_that_contradict(tmp_path):
    (tmp_path / "t.csv").write_text("a\n1\n")
    with pytest.raises(UserError, match="Give one of them"):
        read(tmp_path / "t.csv", table="a", query="SELECT 1")
    with pytest.raises(UserError, match="fit_rows"):
        read(tmp_path / "t.csv", fit_rows=0)
    with pytest.raises(UserError, match="no tables to choose"):
        read(pl.DataFrame({"a": [1]}), table="t")
    with pytest.raises(UserError, match="is one table"):
        read(tmp_path / "t.csv", table="t")


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".jsonl", ".xlsx"])
def test_a_table_without_rows(suffix, tmp_path):
    write(pl.DataFrame({"a": pl.Series([], dtype=pl.Int64)}), tmp_path / f"t{suffix}")
    with pytest.raises(UserError, match=r"no rows|empty"):
        read(tmp_path / f"t{suffix}")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path):
    (tmp_path / "t.csv").write_text("a\n1\n")
    (tmp_path / "t.csv").chmod(0)
    with pytest.raises(UserError, match="permission denied"):
        read(tmp_path / "t.csv")


def test_small_and_odd_tables_just_work(tmp_path):
    wide = ",".join(f"c{i}" for i in range(1000)) + "\n" + ",".join(map(str, range(1000))) + "\n"
    tables = {"one row": ("a,b\n1,x\n", (1, 2)), "one column": ("a\n1\n2\n", (2, 1)), "wide": (wide, (1, 1000)),
              "no line end": ("a,b\n1,x", (1, 2)), "blank lines": ("\na,b\n\n1,x\n\n", (1, 2))}
    for name, (text, shape) in tables.items():
        (tmp_path / f"{name}.csv").write_text(text)
        assert read(tmp_path / f"{name}.csv").frame.shape == shape, name
    many = "\n".join(f"level {i}" for i in range(100_000))
    (tmp_path / "many.csv").write_text("c\n" + many)
    assert read(tmp_path / "many.csv").frame["c"].n_unique() == 100_000


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200),
       suffix=st.sampled_from([".csv", ".tsv", ".jsonl", ".csv.gz", ".csv.zst", ".sqlite"]))
def test_any_bytes_give_a_table_or_a_sentence(content, suffix, tmp_path):
    (tmp_path / f"t{suffix}").write_bytes(content)
    try:
        assert read(tmp_path / f"t{suffix}").frame.height > 0
    except UserError as e:
        assert str(e)
