"""SQLite database files: all tables with their keys and links, or one table, or a query; read in a stream."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from verisyn.errors import UserError
from verisyn.formats import Content, Contents, Request, sampled
from verisyn.formats._catalogue import gather, left_out, link_of
from verisyn.formats._declared import Plan
from verisyn.formats._lazy import damaged
from verisyn.formats._rows import fetched
from verisyn.formats._tables import choose, quoted, unique_names
from verisyn.schema import Link

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
        with _open(path) as connection:
            return _read(connection, path, request)
    except sqlite3.DatabaseError as e:
        if request.query and isinstance(e, sqlite3.OperationalError):
            raise UserError(f"The query on {str(path)!r} failed: {e}.") from None
        raise damaged(path, "SQLite", e) from None


def tables(path: Path, request: Request) -> Contents:
    """Read all tables (all views, where there are no tables) with the keys and links that are declared."""
    try:
        with _open(path) as connection:
            names = _names(connection, "table") or _names(connection, "view")
            choose(names[:1], None, path)
            keys = {n: key for n in names if (key := _key(connection, n))}
            return gather(names, lambda name: _without_blobs(connection, path, request, name), keys=keys,
                          links=_links(connection, names, keys),
                          views=_names(connection, "view") if _names(connection, "table") else [])
    except sqlite3.DatabaseError as e:
        raise damaged(path, "SQLite", e) from None


def write(frame: pl.DataFrame, path: Path, settings: dict[str, Any]) -> None:
    """Write a new database file with one table; columns have the declared types of the table that was read."""
    table = settings.get("table", "data")
    write_tables({table: frame}, path, {"tables": {table: settings}}, Plan((table,)))


def write_tables(frames: dict[str, pl.DataFrame], path: Path, settings: dict[str, Any], plan: Plan) -> None:
    """Write a new database file; columns have the declared types of the tables that were read."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA journal_mode = OFF")  # a new file needs none, and none must stay behind
        for name in plan.order:
            frame, types = frames[name], settings.get("tables", {}).get(name, {}).get("types", {})
            columns = [f"{quoted(c.name)} {types.get(c.name) or _type(c.dtype)}".strip() for c in frame]
            connection.execute(f"CREATE TABLE {quoted(name)} ({', '.join([*columns, *_clauses(name, plan)])})")
            marks = ", ".join("?" * frame.width)
            connection.executemany(f"INSERT INTO {quoted(name)} VALUES ({marks})",
                                   frame.select(map(_storable, frame)).iter_rows())


def _open(path: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True))


def _names(connection: sqlite3.Connection, *types: str) -> list[str]:
    found = connection.execute(f"SELECT name FROM sqlite_master WHERE type IN ({', '.join('?' * len(types))}) "
                               "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name", types)
    return [row[0] for row in found]


def _key(connection: sqlite3.Connection, table: str) -> tuple[str, ...]:
    info = connection.execute(f"PRAGMA table_info({quoted(table)})").fetchall()
    return tuple(row[1] for row in sorted((r for r in info if r[5]), key=lambda r: r[5]))


def _links(connection: sqlite3.Connection, names: list[str], keys: dict[str, tuple[str, ...]]) -> list[Link]:
    """The declared foreign keys of all tables."""
    columns = {n: [row[1] for row in connection.execute(f"PRAGMA table_info({quoted(n)})")] for n in names}
    links = []
    for table in names:
        found: dict[int, list[tuple]] = {}
        for row in connection.execute(f"PRAGMA foreign_key_list({quoted(table)})"):
            found.setdefault(row[0], []).append(row)
        for number in sorted(found, reverse=True):  # they are told last first
            rows = sorted(found[number], key=lambda r: r[1])
            links.append(link_of(table, [r[3] for r in rows], rows[0][2], [r[4] for r in rows], columns, keys))
    return [link for link in links if link]


def _clauses(table: str, plan: Plan) -> list[str]:
    """The keys and links that are declared of a table."""
    spelt = lambda columns: f"({', '.join(map(quoted, columns))})"  # noqa: E731
    said = [f"PRIMARY KEY {spelt(plan.keys[table])}"] if table in plan.keys else []
    said += [f"UNIQUE {spelt(columns)}" for columns in plan.unique.get(table, ())]
    return said + [f"FOREIGN KEY {spelt(link.columns)} REFERENCES {quoted(link.parent)} {spelt(link.key)}"
                   for link in plan.of(table)]


def _without_blobs(connection: sqlite3.Connection, path: Path, request: Request, table: str) -> Content:
    """Read a table less its columns of binary data, which no table model can learn."""
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({quoted(table)})")]
    binary = [c for c in columns if connection.execute(f"SELECT EXISTS (SELECT 1 FROM {quoted(table)} WHERE "
                                                       f"typeof({quoted(c)}) = 'blob')").fetchone()[0]]
    return _read(connection, path, replace(request, table=table), leave=binary)


def _read(connection: sqlite3.Connection, path: Path, request: Request, leave: Sequence[str] = ()) -> Content:
    name, types = None, {}
    sql = request.query
    if not sql:
        name = choose(_names(connection, "table", "view"), request.table, path)
        info = connection.execute(f"PRAGMA table_info({quoted(name)})").fetchall()
        types = {row[1]: row[2] for row in info if row[1] not in leave}
        sql = f"SELECT {', '.join(map(quoted, types)) if leave else '*'} FROM {quoted(name)}"
    cursor = connection.execute(sql)
    names, notes = unique_names([column[0] for column in cursor.description or ()])
    reservoir = fetched(cursor, names, request, f"{repr(name) if name else 'The query'} of {str(path)!r}")
    frame = _truths(reservoir.frame(), types)
    return Content(frame, reservoir.total, {"types": types} if name else {},
                   (*notes, *left_out(leave), *sampled(reservoir.total, frame.height)), table=name,
                   writes=None if name else "parquet")


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
