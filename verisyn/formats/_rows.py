"""Builds columns from Python values of any type, as JSON and database drivers give them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from verisyn.errors import UserError
from verisyn.formats import NoRows, Request
from verisyn.formats._sampling import Reservoir

_BATCH = 20_000

_PLAIN = (bool, int, float, str, dt.datetime, dt.date, dt.time, dt.timedelta)


def series(name: str, values: Sequence[Any]) -> pl.Series:
    """Return a column of the narrowest type that holds all values: a type of their own, or text where types are mixed.

    Nested values (lists, objects) become JSON text.

    Raises
    ------
    UserError
        If the values are bytes.

    Examples
    --------
    >>> series("a", [1, None, 2.5]).to_list()
    [1.0, None, 2.5]
    >>> series("a", [1, "x", True, {"b": []}]).to_list()
    ['1', 'x', 'true', '{"b": []}']
    """
    types = {type(v) for v in values} - {type(None)}
    if not types:
        return pl.Series(name, values, dtype=pl.String)
    if types <= {int, float, Decimal} and (number := _number(name, values, types)) is not None:
        return number
    if len(types) == 1 and (only := next(iter(types))) in _PLAIN and only is not int:
        return pl.Series(name, values, strict=False)
    if types <= {dt.datetime, dt.date}:
        return pl.Series(name, [_moment(v) for v in values])
    return pl.Series(name, [_text(name, v) for v in values], dtype=pl.String)


def frame(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pl.DataFrame:
    """Return the frame of some rows."""
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return pl.DataFrame([series(name, column) for name, column in zip(names, columns, strict=True)])


def fetched(cursor: Any, names: Sequence[str], request: Request, what: str) -> Reservoir:
    """Read a database cursor to its end, batch by batch, and keep a uniform sample of its rows.

    Raises
    ------
    UserError
        If there is no row; `what` begins the sentence.
    """
    reservoir = Reservoir(request.fit_rows, request.seed)
    while rows := cursor.fetchmany(_BATCH):
        reservoir.add(frame(names, [rows[i] for i in reservoir.pick(len(rows))]))
    if not reservoir.total:
        raise NoRows(f"{what} has no rows. At least one was expected.")
    return reservoir


def _number(name: str, values: Sequence[Any], types: set[type]) -> pl.Series | None:
    if types == {int}:
        fits = all(v is None or -(2**63) <= v < 2**63 for v in values)
        return pl.Series(name, values, dtype=pl.Int64) if fits else None
    return pl.Series(name, [None if v is None else float(v) for v in values], dtype=pl.Float64)


def _moment(value: dt.date | None) -> dt.datetime | None:
    return value if value is None or isinstance(value, dt.datetime) else dt.datetime(value.year, value.month, value.day)


def _text(name: str, value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        raise UserError(f"Column {name!r} holds binary data, which cannot be modelled in a table. Leave that "
                        "column out.")
    if isinstance(value, bool | list | dict | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
