"""Makes tables in a database that others use, through SQLAlchemy: all of them, or none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import polars as pl

from verisyn.errors import UserError, listed
from verisyn.formats._declared import Plan

_BATCH = 5_000
_KEY_LENGTH = 255
"""A key of text needs a length in some databases; a longer value of the data raises it."""


def make(sqlalchemy: Any, engine: Any, frames: Mapping[str, pl.DataFrame], plan: Plan, force: bool, shown: str) -> None:
    """Make the tables in one transaction; links are declared when all rows are in.

    Raises
    ------
    UserError
        If one is there already, and `force` is not given.
    """
    metadata = sqlalchemy.MetaData()
    made = {name: _table(sqlalchemy, metadata, name, frames[name], plan) for name in plan.order}
    later = bool(engine.dialect.supports_alter)  # SQLite has no other place for a link than the table itself
    with _transaction(sqlalchemy, engine) as connection:
        _make_room(sqlalchemy, connection, list(made), force, shown)
        try:
            for name, table in made.items():
                connection.execute(sqlalchemy.schema.CreateTable(
                    table, include_foreign_key_constraints=[] if later else None))
                for batch in frames[name].iter_slices(_BATCH):
                    connection.execute(table.insert(), batch.rows(named=True))
            for table in made.values() if later else ():
                for link in table.foreign_key_constraints:
                    connection.execute(sqlalchemy.schema.AddConstraint(link))
        except BaseException:
            connection.rollback()
            _take_away(sqlalchemy, engine, list(made) if not force else [])
            raise


def _make_room(sqlalchemy: Any, connection: Any, names: list[str], force: bool, shown: str) -> None:
    there = [n for n in names if n in set(sqlalchemy.inspect(connection).get_table_names())]
    if there and not force:
        raise UserError(f"{shown!r} has the table{'s' * (len(there) > 1)} {listed(there)} already. Give the URL of an "
                        "empty database, or --force to replace them.")
    if there:
        old = sqlalchemy.MetaData()
        old.reflect(connection, only=there)
        old.drop_all(connection, [old.tables[n] for n in there])


def _take_away(sqlalchemy: Any, engine: Any, names: list[str]) -> None:
    """Drop what a database that makes tables outside of transactions kept of a failed one."""
    if not names:
        return
    with engine.begin() as connection:
        there = [n for n in names if n in set(sqlalchemy.inspect(connection).get_table_names())]
        half = sqlalchemy.MetaData()
        half.reflect(connection, only=there)
        half.drop_all(connection, [half.tables[n] for n in there])


@contextmanager
def _transaction(sqlalchemy: Any, engine: Any) -> Iterator[Any]:
    """One transaction; Python's driver for SQLite would make tables outside of it, unless told to leave that alone."""
    if engine.dialect.name == "sqlite":
        @sqlalchemy.event.listens_for(engine, "connect")
        def _quiet(connection: Any, *_: Any) -> None:
            connection.isolation_level = None

        @sqlalchemy.event.listens_for(engine, "begin")
        def _begin(connection: Any) -> None:
            connection.exec_driver_sql("BEGIN")
    with engine.begin() as connection:
        yield connection


def _table(sqlalchemy: Any, metadata: Any, name: str, frame: pl.DataFrame, plan: Plan) -> Any:
    keyed = {*plan.keys.get(name, ()), *(c for link in plan.of(name) for c in link.columns),
             *(c for columns in plan.unique.get(name, ()) for c in columns)}
    columns = [sqlalchemy.Column(c.name, _type(sqlalchemy, c, c.name in keyed), autoincrement=False) for c in frame]
    said = [sqlalchemy.PrimaryKeyConstraint(*plan.keys[name])] if name in plan.keys else []
    said += [sqlalchemy.UniqueConstraint(*c) for c in plan.unique.get(name, ())]
    for link in plan.of(name):
        said.append(sqlalchemy.ForeignKeyConstraint(
            link.columns, [f"{link.parent}.{k}" for k in link.key], name=_name_of(link.table, link.columns)))
    return sqlalchemy.Table(name, metadata, *columns, *said)


def _name_of(table: str, columns: tuple[str, ...]) -> str:
    """A foreign key's name: databases allow 63 characters or more, and none twice."""
    return f"fk_{table}_{'_'.join(columns)}"[:60]


def _type(sqlalchemy: Any, column: pl.Series, key: bool) -> Any:
    dtype = column.dtype
    if dtype.is_integer():
        return sqlalchemy.BigInteger()
    if dtype.is_numeric():
        return sqlalchemy.Double()
    if isinstance(dtype, pl.Datetime):
        return sqlalchemy.DateTime(timezone=dtype.time_zone is not None)
    plain = {pl.Boolean: sqlalchemy.Boolean, pl.Date: sqlalchemy.Date, pl.Time: sqlalchemy.Time,
             pl.Duration: sqlalchemy.Interval}
    if dtype.base_type() in plain:
        return plain[dtype.base_type()]()
    if key:
        return sqlalchemy.String(max(_KEY_LENGTH, int(column.str.len_chars().max() or 0)))  # type: ignore[arg-type]
    return sqlalchemy.Text()
