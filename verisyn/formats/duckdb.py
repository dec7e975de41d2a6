"""DuckDB database files, one table or one query, streamed through a temporary Parquet file."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import polars as pl

from verisyn.errors import UserError
from verisyn.formats import Content, Request, parquet
from verisyn.formats._lazy import damaged
from verisyn.formats._tables import choose, quoted

suffixes = (".duckdb", ".ddb")
compressible = False
has_tables = True
magic = (8, b"DUCK")

_NESTED = ("STRUCT", "MAP", "UNION")
_AS_TEXT = ("UUID", "INTERVAL", "BIT", "TIME WITH TIME ZONE", "UHUGEINT", "ENUM", "BIGNUM", "VARINT")


def read(path: Path, request: Request) -> Content:
    """Read a table (the one named, or the only one) or the rows of a query.

    The rows pass through Parquet, so that no dataframe library is needed and memory stays bounded.

    Raises
    ------
    UserError
        If the file is damaged or locked, the query wrong, or no single table is meant.
    """
    import duckdb

    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            return _read(connection, path, request)
    except duckdb.Error as e:
        if request.query and not isinstance(e, duckdb.IOException):
            raise UserError(f"The query on {str(path)!r} failed: {str(e).splitlines()[0]}.") from None
        raise damaged(path, "DuckDB", e) from None


def write(frame: pl.DataFrame, path: Path, settings: dict[str, Any]) -> None:
    """Write a new database file with one table; columns have the types of the table that was read."""
    import duckdb

    # A model folder made elsewhere brings these types along; what is no plain type must not become part of the query.
    types = {name: type_ for name, type_ in settings.get("types", {}).items() if re.fullmatch(r"[\w ,()]+", type_)}
    columns = ", ".join(f"{quoted(name)}::{types[name]} AS {quoted(name)}" if name in types else quoted(name)
                        for name in frame.columns)
    path.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
        rows = Path(folder) / "rows.parquet"
        frame.write_parquet(rows)
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"CREATE TABLE {quoted(settings.get('table', 'data'))} AS SELECT {columns} "
                               f"FROM read_parquet({_literal(rows)})")


def _read(connection: Any, path: Path, request: Request) -> Content:
    name, sql = None, request.query
    if not sql:
        found = connection.execute("SELECT table_name FROM information_schema.tables ORDER BY table_name").fetchall()
        name = choose([row[0] for row in found], request.table, path)
        sql = f"SELECT * FROM {quoted(name)}"
    sql = sql.strip().rstrip(";")
    types = {row[0]: row[1] for row in connection.execute(f"DESCRIBE {sql}").fetchall()}
    columns = ", ".join(_readable(column, type_) for column, type_ in types.items())
    nested = tuple(f"Column {column!r} holds nested values; they were kept as JSON text."
                   for column, type_ in types.items() if _is_nested(type_))
    with tempfile.TemporaryDirectory(prefix="verisyn-") as folder:
        rows = Path(folder) / "rows.parquet"
        connection.execute(f"COPY (SELECT {columns} FROM ({sql})) TO {_literal(rows)} (FORMAT parquet)")
        content = parquet.read(rows, request)
    kept = {column: type_ for column, type_ in types.items() if not _is_nested(type_) and not type_.startswith("ENUM")}
    return Content(content.frame, content.rows_total, {"types": kept} if name else {}, (*nested, *content.notes),
                   table=name, writes=None if name else "parquet")


def _readable(column: str, type_: str) -> str:
    """The column as Parquet and polars can both hold it."""
    if type_ == "BLOB":
        raise UserError(f"Column {column!r} holds binary data, which cannot be modelled in a table. Name the other "
                        "columns with --query.")
    name = quoted(column)
    if _is_nested(type_):
        return f"to_json({name})::VARCHAR AS {name}"
    return f"{name}::VARCHAR AS {name}" if type_.startswith(_AS_TEXT) else name


def _is_nested(type_: str) -> bool:
    return type_.endswith("]") or type_.startswith(_NESTED)


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
