"""What kinds share in reading a column: its settings, each checked; its distinct values, and how many rows have one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from math import isfinite
from typing import Any

import polars as pl

from verisyn.errors import UserError, did_you_mean
from verisyn.kinds import K
from verisyn.schema import Column

_WORDS = {int: "a whole number", float: "a number", str: "text", list: "a list", dict: "a mapping"}


def read(column: Column, known: Mapping[str, type]) -> dict[str, Any]:
    """Return the settings of `column` after checking their names and types.

    Parameters
    ----------
    column : Column
    known : mapping of str to type
        The settings the kind knows; ``float`` accepts whole numbers too.

    Raises
    ------
    UserError
        If a setting is unknown or has the wrong type.

    Examples
    --------
    >>> read(Column(name="age", kind="number", settings={"k": 3}), {"k": int})
    {'k': 3}
    """
    settings = {name: v.isoformat() if isinstance(v, (date, time)) else v for name, v in column.settings.items()}
    for name, value in settings.items():
        where = f"The setting {name!r} of column {column.name!r} (kind {column.kind})"
        if name not in known:
            raise UserError(f"{where} is not known. {did_you_mean(name, known)} Correct it, or take it out; each "
                            "kind has settings of its own.")
        wanted = known[name]
        allowed = (int, float) if wanted is float else wanted
        endless = isinstance(value, float) and not isfinite(value)
        if not isinstance(value, allowed) or isinstance(value, bool) or endless:
            raise UserError(f"{where} is {value!r}, but {_WORDS[wanted]} is expected. Correct it in the schema.")
    if settings.get("k", K) < 1:  # type: ignore[operator]
        raise UserError(f"The setting 'k' of column {column.name!r} is {settings['k']}, but it is the number of rows "
                        "that must share a value before it is published: give 1 or more (5 is usual).")
    return settings


def shared_by(settings: Mapping[str, Any], rows: int) -> int:
    """Return k: how many of a table's `rows` must share a value before it may be published.

    It is the setting ``k`` (default 5); where the user set none and the table has fewer than 50 rows it is a tenth of
    them, and at least 2, so that a table of twenty rows still has more than a few codes. Rows without a value count
    too: the few known values of a sparse column of a large table are the most telling of all.

    Examples
    --------
    >>> shared_by({}, 1000), shared_by({}, 20), shared_by({"k": 10}, 20)
    (5, 2, 10)
    """
    return settings["k"] if "k" in settings else max(2, min(K, rows // 10))


def distinct(values: pl.Series, rows: int = 50_000, limit: int = 10_000) -> pl.Series:
    """Return up to `limit` distinct known values of evenly spaced `rows`, in order: cheap on any length."""
    stride = max(1, len(values) // rows)
    return values.gather_every(stride).drop_nulls().unique(maintain_order=True).head(limit)


def tally(values: pl.Series) -> pl.DataFrame:
    """Return each known value with the number of rows that have it, most frequent first, ties in the order of values.

    Examples
    --------
    >>> tally(pl.Series("count", ["b", "a", None, "c", "c"])).rows()
    [('c', 2), ('a', 1), ('b', 1)]
    """
    counts = values.drop_nulls().alias("value").value_counts(name="rows")
    return counts.sort(["rows", "value"], descending=[True, False])
