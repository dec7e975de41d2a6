"""DuckDB database files: all tables with their keys and links, or one table, or a query; through temporary Parquet."""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from verisyn.errors import UserError
from verisyn.formats import Content, Contents, Request, parquet
from verisyn.formats._catalogue import gather, left_out
from verisyn.formats._declared import Plan
from verisyn.formats._lazy import damaged
from verisyn.formats._tables import choose, quoted
from verisyn.schema import Link

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


def tables(path: Path, request: Request) -> Contents:
    """Read all tables (all views, where there are no tables) with the keys and links that are declared."""
    import duckdb

    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            names, views = _names(connection, "BASE TABLE"), _names(connection, "VIEW")
            choose([*names, *views][:1], None, path)
            keys, links = _declared(connection)
            return gather(names or views, lambda name: _read(connection, path, replace(request, table=name), True),
                          keys=keys, links=links, views=views if names else [])
    except duckdb.Error as e:
        raise damaged(path, "DuckDB", e) from None


def write(frame: pl.DataFrame, path: Path, settings: dict[str, Any]) -> None:
    """Write a new database file with one table; columns have the types of the table that was read."""
    table = settings.get("table", "data")
    write_tables({table: frame}, path, {"tables": {table: settings}}, Plan((table,)))


def write_tables(frames: dict[str, pl.DataFrame], path: Path, settings: dict[str, Any], plan: Plan) -> None:
    """Write a new database file; columns have the types of the tables that were read."""
    import duckdb

    path.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder, duckdb.connect(str(path)) as connection:
        connection.execute("BEGIN")
        for name in plan.order:
            _write(connection, name, frames[name], settings.get("tables", {}).get(name, {}), plan, Path(folder))
        connection.execute("COMMIT")


def _write(connection: Any, name: str, frame: pl.DataFrame, settings: dict[str, Any], plan: Plan, folder: Path
           ) -> None:
    rows = folder / "rows.parquet"
    # A model folder made elsewhere brings these types along; what is no plain type must not become part of the query.
    types = {name: type_ for name, type_ in settings.get("types", {}).items() if re.fullmatch(r"[\w ,()]+", type_)}
    columns = ", ".join(f"{quoted(name)}::{types[name]} AS {quoted(name)}" if name in types else quoted(name)
                        for name in frame.columns)
    levels = _levels(frame, name, plan)
    for number, level in enumerate(levels):
        level.write_parquet(rows)
        select = f"SELECT {columns} FROM read_parquet({_literal(rows)})"
        if not number and not (clauses := _clauses(name, plan)):
            connection.execute(f"CREATE TABLE {quoted(name)} AS {select}")
            continue
        if not number:
            found = connection.execute(f"DESCRIBE {select}").fetchall()
            connection.execute(f"CREATE TABLE {quoted(name)} "
                               f"({', '.join([*(f'{quoted(r[0])} {r[1]}' for r in found), *clauses])})")
        connection.execute(f"INSERT INTO {quoted(name)} {select}")


def _clauses(table: str, plan: Plan) -> list[str]:
    """The keys and links that are declared of a table; DuckDB cannot point to a table that is yet to be made."""
    said = [f"PRIMARY KEY {_spelt(plan.keys[table])}"] if table in plan.keys else []
    said += [f"UNIQUE {_spelt(columns)}" for columns in plan.unique.get(table, ())]
    return said + [f"FOREIGN KEY {_spelt(link.columns)} REFERENCES {quoted(link.parent)} {_spelt(link.key)}"
                   for link in plan.of(table, backwards=False)]


def _spelt(columns: tuple[str, ...]) -> str:
    return f"({', '.join(map(quoted, columns))})"


def _levels(frame: pl.DataFrame, table: str, plan: Plan) -> list[pl.DataFrame]:
    """Rows in portions, so that each points to rows of earlier ones: DuckDB checks a link before its statement ends."""
    own = [link for link in plan.of(table) if link.parent == table]
    if not own:
        return [frame]
    levels, left = [], frame
    while left.height:
        blocked = pl.Series([False] * left.height)
        for link in own:
            waiting = left.select(pl.struct(link.key).alias("key"))["key"]
            points = left.select(pl.struct(link.columns).struct.rename_fields(list(link.key)).alias("key"))["key"]
            blocked |= points.is_in(waiting.implode())
        level = left.filter(~blocked) if not blocked.all() else left  # a circle: DuckDB says so
        levels.append(level)
        left = left.filter(blocked) if not blocked.all() else left.clear()
    return levels


def _names(connection: Any, type_: str) -> list[str]:
    found = connection.execute("SELECT table_name FROM information_schema.tables WHERE table_type = ? "
                               "ORDER BY table_name", [type_]).fetchall()
    return list(dict.fromkeys(row[0] for row in found))


def _declared(connection: Any) -> tuple[dict[str, tuple[str, ...]], list[Link]]:
    """Primary and foreign keys; older versions of DuckDB do not tell of the latter."""
    found = connection.execute("SELECT * FROM duckdb_constraints()")
    names = [column[0] for column in found.description]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    keys = {r["table_name"]: tuple(r["constraint_column_names"]) for r in rows
            if r["constraint_type"] == "PRIMARY KEY"}
    links = [Link(table=r["table_name"], columns=tuple(r["constraint_column_names"]), parent=r["referenced_table"],
                  key=tuple(r["referenced_column_names"])) for r in rows
             if r["constraint_type"] == "FOREIGN KEY" and r.get("referenced_table")]
    return keys, links


def _read(connection: Any, path: Path, request: Request, without_blobs: bool = False) -> Content:
    name, sql, binary = None, request.query, []
    if not sql:
        name = choose(sorted({*_names(connection, "BASE TABLE"), *_names(connection, "VIEW")}), request.table, path)
        sql = f"SELECT * FROM {quoted(name)}"
    sql = sql.strip().rstrip(";")
    types = {row[0]: row[1] for row in connection.execute(f"DESCRIBE {sql}").fetchall()}
    if without_blobs:
        binary = [column for column, type_ in types.items() if type_ == "BLOB"]
        types = {column: type_ for column, type_ in types.items() if column not in binary}
    columns = ", ".join(_readable(column, type_) for column, type_ in types.items())
    nested = tuple(f"Column {column!r} holds nested values; they were kept as JSON text."
                   for column, type_ in types.items() if _is_nested(type_))
    with tempfile.TemporaryDirectory(prefix="verisyn-") as folder:
        rows = Path(folder) / "rows.parquet"
        connection.execute(f"COPY (SELECT {columns} FROM ({sql})) TO {_literal(rows)} (FORMAT parquet)")
        content = parquet.read(rows, request)
    kept = {column: type_ for column, type_ in types.items() if not _is_nested(type_) and not type_.startswith("ENUM")}
    return Content(content.frame, content.rows_total, {"types": kept} if name else {},
                   (*nested, *left_out(binary), *content.notes), table=name, writes=None if name else "parquet")


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
