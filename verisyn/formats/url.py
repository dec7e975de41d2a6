"""Databases by URL (postgresql://…, mysql://…): all tables, one, or a query. Needs the extra ``sql``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import polars as pl

from verisyn import shelves
from verisyn.errors import UserError, did_you_mean
from verisyn.formats import Content, Contents, Request, needs, sampled
from verisyn.formats._catalogue import gather, left_out, link_of
from verisyn.formats._declared import Plan
from verisyn.formats._rows import fetched
from verisyn.formats._tables import choose, unique_names
from verisyn.schema import Link

suffixes: tuple[str, ...] = ()
compressible = False
has_tables = True
magic = None

_FILES = ("sqlite", "duckdb")
_WEB = ("http", "https", "ftp", "s3", "gs", "file")


def read(path: str, request: Request) -> Content:
    """Read a table or a query of the database at a URL; ``sqlite:///file`` and ``duckdb:///file`` need no extra.

    Raises
    ------
    UserError
        If the database cannot be reached, the query is wrong, or no single table is meant. The password never shows.
    """
    if scheme := _file_scheme(path):
        content = shelves.formats.take(scheme).read(_file(path), request)
        return replace(content, settings={}, writes="parquet")
    with _connected(path, "read") as (sqlalchemy, engine), engine.connect() as connection:
        return _read(sqlalchemy, connection.execution_options(stream_results=True), path, request)


def tables(path: str, request: Request) -> Contents:
    """Read all tables of the database at a URL, with the keys and links that are declared.

    With ``request.table`` of the form ``"name.*"``, those of the database's schema of that name.
    """
    if scheme := _file_scheme(path):
        found = shelves.formats.take(scheme).tables(_file(path), request)
        return replace(found, tables={n: replace(c, settings={}, writes="parquet") for n, c in found.tables.items()})
    with _connected(path, "read") as (sqlalchemy, engine), engine.connect() as connection:
        look = sqlalchemy.inspect(connection)
        schema = (request.table or "").rpartition(".")[0]
        names, views = sorted(look.get_table_names(schema or None)), sorted(look.get_view_names(schema or None))
        choose([*names, *views][:1], None, _shown(path))
        streaming = connection.execution_options(stream_results=True)

        def one(name: str) -> Content:
            asked = replace(request, table=f"{schema}.{name}" if schema else name)
            return _read(sqlalchemy, streaming, path, asked, _binary(sqlalchemy, look, name, schema))

        told = {n: look.get_pk_constraint(n, schema or None).get("constrained_columns") for n in names}
        keys = {n: tuple(key) for n, key in told.items() if key}
        return gather(names or views, one, keys=keys, links=_links(look, names, schema or None, keys),
                      views=views if names else [])


def write(frame: pl.DataFrame, path: Path, settings: dict[str, Any]) -> None:
    """Refuse: a single table is written to a file; several may go into a database (:func:`write_tables`)."""
    raise UserError("verisyn writes single tables to files, not into a database. Write a file, and load it from there.")


def write_tables(frames: dict[str, pl.DataFrame], path: str, plan: Plan, force: bool = False) -> None:
    """Make tables in the database at a URL, in one transaction, with the keys and links of `plan`.

    Raises
    ------
    UserError
        If a table is there already and `force` is not given, or the database refuses. Then it is as it was before
        (where it, as MySQL, keeps what was made so far, the new tables are taken away again).
    """
    from verisyn.formats._making import make

    with _connected(path, "written") as (sqlalchemy, engine):
        make(sqlalchemy, engine, frames, plan, force, _shown(path))


@contextmanager
def _connected(path: str, doing: str) -> Iterator[tuple[Any, Any]]:
    """Give SQLAlchemy and an engine; what goes wrong with the database becomes a sentence without the password."""
    scheme = urlsplit(path).scheme.split("+")[0].lower()
    if scheme in _WEB:
        raise UserError(f"{_shown(path)!r} is not a database. Fetch the file first, then give its path.")
    sqlalchemy = needs("sqlalchemy", "sql", "A database by URL")
    try:
        engine = sqlalchemy.create_engine(path)
        try:
            yield sqlalchemy, engine
        finally:
            engine.dispose()
    except sqlalchemy.exc.NoSuchModuleError:
        known = ("postgresql", "mysql", "mariadb", "mssql", "oracle", *_FILES)
        raise UserError(f"No kind of database is called {scheme!r}. {did_you_mean(scheme, known)}") from None
    except ModuleNotFoundError as e:
        raise UserError(f"The driver for {scheme} is not installed. Install it with: pip install {e.name}") from None
    except sqlalchemy.exc.SQLAlchemyError as e:
        first = str(getattr(e, "orig", None) or e).split("\n")[0]
        raise UserError(f"{_shown(path)!r} could not be {doing}: {first}") from None


def _read(sqlalchemy: Any, connection: Any, path: str, request: Request, leave: tuple[str, ...] = ()) -> Content:
    name = None
    if request.query:
        statement = sqlalchemy.text(request.query)
    else:
        schema, _, wanted = (request.table or "").rpartition(".")
        look = sqlalchemy.inspect(connection)
        names = [*look.get_table_names(schema or None), *look.get_view_names(schema or None)]
        name = choose(sorted(names), wanted or None, _shown(path))
        kept = [c["name"] for c in look.get_columns(name, schema or None) if c["name"] not in leave]
        columns = map(sqlalchemy.column, kept) if leave else [sqlalchemy.text("*")]
        statement = sqlalchemy.select(*columns).select_from(sqlalchemy.table(name, schema=schema or None))
    result = connection.execute(statement)
    names, notes = unique_names(list(result.keys()))
    reservoir = fetched(result, names, request, f"{repr(name) if name else 'The query'} at {_shown(path)!r}")
    frame = reservoir.frame()
    return Content(frame, reservoir.total, {}, (*notes, *left_out(leave), *sampled(reservoir.total, frame.height)),
                   table=name, writes="parquet")


def _binary(sqlalchemy: Any, look: Any, table: str, schema: str) -> tuple[str, ...]:
    binary = (sqlalchemy.types.LargeBinary, sqlalchemy.types.BINARY, sqlalchemy.types.VARBINARY)
    return tuple(c["name"] for c in look.get_columns(table, schema or None) if isinstance(c["type"], binary))


def _links(look: Any, names: list[str], schema: str | None, keys: dict[str, tuple[str, ...]]) -> list[Link]:
    columns = {n: [c["name"] for c in look.get_columns(n, schema)] for n in names}
    found = [link_of(n, key["constrained_columns"], key["referred_table"], key["referred_columns"], columns, keys)
             for n in names for key in look.get_foreign_keys(n, schema)
             if (key.get("referred_schema") or schema) == schema]
    return [link for link in found if link]


def _file_scheme(url: str) -> str:
    """The format of a database that is one file; empty for any other, and where the URL names a driver."""
    scheme = urlsplit(url).scheme.lower()
    return scheme if scheme in _FILES else ""


def _file(url: str) -> Path:
    path = Path(url.split(":///", 1)[-1])
    if not path.is_file():
        raise UserError(f"There is no file {str(path)!r}, which the URL names.")
    return path


def _shown(url: str) -> str:
    """The URL without user, password and query, which may hold secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
