"""A file or folder appears only when it is whole; whatever goes wrong, nothing is left behind."""

from __future__ import annotations

import errno
import hashlib
import resource
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from verisyn import shelves
from verisyn.data import read, write
from verisyn.errors import UserError
from verisyn.outputs import sha256, writing_file, writing_folder


def everything(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, UserError])
def test_an_exception_leaves_nothing(error, tmp_path):
    with pytest.raises(error), writing_file(tmp_path / "new" / "deep" / "a.txt") as draft:
        draft.write_text("half")
        raise error("stop")
    with pytest.raises(error), writing_folder(tmp_path / "out") as draft:
        (draft / "part").write_text("half")
        raise error("stop")
    assert everything(tmp_path) == []


def test_what_is_there_stays_unless_forced(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(UserError, match="--force"), writing_file(tmp_path / "a.txt"):
        pass
    with pytest.raises(ValueError), writing_file(tmp_path / "a.txt", force=True) as draft:
        draft.write_text("new")
        raise ValueError
    assert (tmp_path / "a.txt").read_text() == "old"
    with writing_file(tmp_path / "a.txt", force=True) as draft:
        draft.write_text("new")
    assert (tmp_path / "a.txt").read_text() == "new"
    assert everything(tmp_path) == ["a.txt"]


def test_a_folder_is_replaced_only_by_its_like(tmp_path):
    out = tmp_path / "out"
    for text in ("first", "second"):
        with writing_folder(out, force=True) as draft:
            (draft / "run.json").write_text(text)
    assert (out / "run.json").read_text() == "second"
    with pytest.raises(UserError, match="--force"), writing_folder(out):
        pass
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match=r"thesis\.txt"), writing_folder(out, force=True) as draft:
        (draft / "run.json").write_text("third")
    assert everything(tmp_path) == ["out", "out/run.json", "out/thesis.txt"]
    assert (out / "run.json").read_text() == "second"


def test_a_file_in_the_place_of_a_folder(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(UserError, match="is a file"), writing_folder(tmp_path / "a"):
        pass
    with pytest.raises(UserError, match="is a folder"), writing_file(tmp_path):
        pass
    with pytest.raises(UserError, match="part of the path is a file"), writing_file(tmp_path / "a" / "b"):
        pass


@pytest.mark.parametrize(("code", "said"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "permission denied"),
                                            (errno.EROFS, "read-only")])
def test_errors_of_the_system_become_sentences(code, said, tmp_path):
    with pytest.raises(UserError, match=said), writing_file(tmp_path / "a.csv") as draft:
        draft.write_text("half")
        raise OSError(code, "said the system")
    assert everything(tmp_path) == []


FULL = """
import resource, signal, sys
import numpy as np, polars as pl
from verisyn.data import write
from verisyn.errors import UserError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
frame = pl.DataFrame({"x": np.random.default_rng(0).random(200_000)})
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write(frame, sys.argv[1])
except UserError as e:
    print(e)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="the system cannot limit the size of files")
@pytest.mark.parametrize("format_", ["csv", "jsonl", "parquet", "arrow", "sqlite", "duckdb", "excel"])
def test_a_file_that_cannot_grow_leaves_nothing(format_, tmp_path):
    path = tmp_path / f"t{shelves.formats.take(format_).suffixes[0]}"
    done = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True)
    assert "could not be written" in done.stdout or "left behind" in done.stdout
    assert everything(tmp_path) == []


def test_an_unknown_ending_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(UserError, match=r"Did you mean '\.parquet'"):
        write(pl.DataFrame({"a": [1]}), tmp_path / "t.parquets")
    assert everything(tmp_path) == []


def test_a_format_may_be_named_and_the_database_is_never_written_to(tmp_path):
    write(pl.DataFrame({"a": [1]}), tmp_path / "t.unknown", format="csv")
    assert (tmp_path / "t.unknown").read_text() == "a\n1\n"
    with pytest.raises(UserError, match="not into a database"):
        write(pl.DataFrame({"a": [1]}), tmp_path / "t", format="url")


def test_replacing_is_whole(tmp_path):
    for value in (1, 2):
        write(pl.DataFrame({"a": [value]}), tmp_path / "t.sqlite")
        assert read(tmp_path / "t.sqlite").frame["a"].to_list() == [value]
    assert everything(tmp_path) == ["t.sqlite"]


def test_sha256_is_that_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc" * 100_000)
    assert sha256(tmp_path / "a") == hashlib.sha256(b"abc" * 100_000).hexdigest()
