"""Databases by URL (postgresql://…, mysql://…), one table or one query, read in a stream. Needs the extra ``sql``."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import polars as pl

from verisyn import shelves
from verisyn.errors import UserError, did_you_mean
from verisyn.formats import Content, Request, needs, sampled
from verisyn.formats._rows import fetched
from verisyn.formats._tables import choose, unique_names

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
    scheme = urlsplit(path).scheme.split("+")[0].lower()
    if scheme in _WEB:
        raise UserError(f"{_shown(path)!r} is not a database. Fetch the file first, then give its path.")
    if scheme in _FILES:
        return _read_file(scheme, path, request)
    sqlalchemy = needs("sqlalchemy", "sql", "Reading a database by URL")
    try:
        engine = sqlalchemy.create_engine(path)
        with engine.connect().execution_options(stream_results=True) as connection:
            return _read(sqlalchemy, connection, path, request)
    except sqlalchemy.exc.NoSuchModuleError:
        known = ("postgresql", "mysql", "mariadb", "mssql", "oracle", *_FILES)
        raise UserError(f"No kind of database is called {scheme!r}. {did_you_mean(scheme, known)}") from None
    except ModuleNotFoundError as e:
        raise UserError(f"The driver for {scheme} is not installed. Install it with: pip install {e.name}") from None
    except sqlalchemy.exc.SQLAlchemyError as e:
        first = str(getattr(e, "orig", None) or e).split("\n")[0]
        raise UserError(f"{_shown(path)!r} could not be read: {first}") from None


def write(frame: pl.DataFrame, path: Path, settings: dict[str, Any]) -> None:
    """Refuse: verisyn never writes into a database that others use; a URL source gives Parquet files."""
    raise UserError("verisyn does not write into a database. Write a file, and load it from there.")


def _read(sqlalchemy: Any, connection: Any, path: str, request: Request) -> Content:
    name = None
    if request.query:
        statement = sqlalchemy.text(request.query)
    else:
        schema, _, wanted = (request.table or "").rpartition(".")
        look = sqlalchemy.inspect(connection)
        names = [*look.get_table_names(schema or None), *look.get_view_names(schema or None)]
        name = choose(sorted(names), wanted or None, _shown(path))
        statement = sqlalchemy.select(sqlalchemy.text("*")).select_from(sqlalchemy.table(name, schema=schema or None))
    result = connection.execute(statement)
    names, notes = unique_names(list(result.keys()))
    reservoir = fetched(result, names, request, f"{repr(name) if name else 'The query'} at {_shown(path)!r}")
    frame = reservoir.frame()
    return Content(frame, reservoir.total, {}, (*notes, *sampled(reservoir.total, frame.height)), table=name,
                   writes="parquet")


def _read_file(scheme: str, url: str, request: Request) -> Content:
    path = Path(url.split(":///", 1)[-1])
    if not path.is_file():
        raise UserError(f"There is no file {str(path)!r}, which the URL names.")
    content = shelves.formats.take(scheme).read(path, request)
    return Content(content.frame, content.rows_total, {}, content.notes, content.table, writes="parquet")


def _shown(url: str) -> str:
    """The URL without user, password and query, which may hold secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
