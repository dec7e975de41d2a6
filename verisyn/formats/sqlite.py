"""SQLite database files, one table or one query, read in a stream."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl

from verisyn.errors import UserError
from verisyn.formats import Content, Request, sampled
from verisyn.formats._lazy import damaged
from verisyn.formats._rows import fetched
from verisyn.formats._tables import choose, quoted, unique_names

suffixes = (".sqlite", ".sqlite3", ".db", ".db3")
compressible = False
has_tables = True
magic = (0, b"SQLite format 3\0")

_TYPES = {pl.Boolean: "BOOLEAN", pl.String: "TEXT", pl.Date: "DATE", pl.Datetime: "TIMESTAMP", pl.Time: "TIME"}


def read(path: Path, request: Request) -> Content:
    """Read a table (the one named, or the only one) or the rows of a query.

    Raises
    ------
    UserError
        If the file is damaged, the query wrong, or no single table is meant.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            return _read(connection, path, request)
    except sqlite3.DatabaseError as e:
        if request.query and isinstance(e, sqlite3.OperationalError):
            raise UserError(f"The query on {str(path)!r} failed: {e}.") from None
        raise damaged(path, "SQLite", e) from None


def write(frame: pl.DataFrame, path: Path, settings: dict[str, Any]) -> None:
    """Write a new database file with one table; columns have the declared types of the table that was read."""
    table, declared = quoted(settings.get("table", "data")), settings.get("types", {})
    columns = ", ".join(f"{quoted(c.name)} {declared.get(c.name) or _type(c.dtype)}".strip() for c in frame)
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA journal_mode = OFF")  # a new file needs none, and none must stay behind
        connection.execute(f"CREATE TABLE {table} ({columns})")
        marks = ", ".join("?" * frame.width)
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", frame.select(map(_storable, frame)).iter_rows())


def _read(connection: sqlite3.Connection, path: Path, request: Request) -> Content:
    name, types = None, {}
    sql = request.query
    if not sql:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
                                   "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name")
        name = choose([row[0] for row in found], request.table, path)
        types = {row[1]: row[2] for row in connection.execute(f"PRAGMA table_info({quoted(name)})")}
        sql = f"SELECT * FROM {quoted(name)}"
    cursor = connection.execute(sql)
    names, notes = unique_names([column[0] for column in cursor.description or ()])
    reservoir = fetched(cursor, names, request, f"{repr(name) if name else 'The query'} of {str(path)!r}")
    frame = _truths(reservoir.frame(), types)
    return Content(frame, reservoir.total, {"types": types} if name else {},
                   (*notes, *sampled(reservoir.total, frame.height)), table=name, writes=None if name else "parquet")


def _truths(frame: pl.DataFrame, types: dict[str, str]) -> pl.DataFrame:
    """SQLite stores truth as 0 and 1; the declared type tells."""
    truths = [c.name for c in frame if types.get(c.name, "").upper().startswith("BOOL")
              and c.dtype == pl.Int64 and c.is_in([0, 1]).all()]
    return frame.with_columns(pl.col(truths).cast(pl.Boolean)) if truths else frame


def _type(dtype: pl.DataType) -> str:
    if dtype.is_integer():
        return "INTEGER"
    return "REAL" if dtype.is_numeric() else _TYPES.get(dtype.base_type(), "TEXT")


def _storable(column: pl.Series) -> pl.Series:
    """SQLite's own types are integer, real and text; a moment is ISO text."""
    if column.dtype.is_temporal():
        return column.dt.to_string("iso")
    return column.cast(pl.Int64) if column.dtype == pl.Boolean else column
