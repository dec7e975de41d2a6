"""Whether the columns of entity and time, of rows that are events or measurements, can be such."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from verisyn.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from verisyn.data import Dataset

_ZONE = r"(?:[Zz]|UTC|GMT|[+-]\d{2}:?\d{2})$"
_MOMENT = r"^\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}[T ]\d{1,2}:\d{2}"


ROW = "row"
"""Named as the time where no column is called so: rows stand in their order, and this column counts them."""


def in_their_order(dataset: Dataset, entity: tuple[str, ...], time: str | None) -> Dataset:
    """Return data with a column that counts an entity's rows, where that was named as the time and is not there."""
    if time != ROW or len(dataset.tables) > 1 or {ROW} & (have := set(dataset.frame.columns)) or set(entity) - have:
        return dataset
    count = pl.int_range(pl.len(), dtype=pl.Int64)
    frame = dataset.frame.with_columns((count.over(entity) if entity else count).alias(ROW))
    told = f"The rows stand in their order: {ROW!r}, which counts them, was added as the column of time."
    return replace(dataset, tables={dataset.table_name: frame}, notes=(*dataset.notes, told))


def check_order(frame: pl.DataFrame, entity: tuple[str, ...], time: str | None) -> None:
    """Raise a UserError if a column is not there, an entity or time is missing, or times cannot be put in order.

    Examples
    --------
    >>> check_order(pl.DataFrame({"engine": [1, 1], "cycle": [1, 2]}), ("engine",), "cycle")
    """
    for column in (*entity, *([time] if time else [])):
        if column not in frame.columns:
            order = f" Where rows stand in their order and none tells it, name {ROW!r}." if column == time else ""
            raise UserError(f"There is no column {column!r}. {did_you_mean(column, frame.columns)}{order}")
    if entity and not time:
        raise UserError(f"Rows belong to {', '.join(map(repr, entity))}, but no column tells their order. Name one "
                        f"with --time, or {ROW!r} where they stand in it.")
    if time in entity:
        raise UserError(f"{time!r} cannot be both the entity and the time. Name the column that orders its rows.")
    for column in entity:
        if gone := frame[column].null_count():
            raise UserError(f"The entity column {column!r} has no value in {gone:,} of {frame.height:,} rows, so it is "
                            "not known whose they are. Fill them in, or leave these rows out.")
    if time:
        check_time(frame[time])


def check_time(values: pl.Series) -> None:
    """Raise a UserError if a time is missing, or times cannot be put in order."""
    rows = f"{len(values):,} rows"
    if gone := values.null_count():
        raise UserError(f"The time column {values.name!r} has no value in {gone:,} of {rows}, so their place in the "
                        "order is not known. Fill them in, or leave these rows out.")
    if values.dtype in (pl.Boolean, pl.Binary) or values.dtype.is_nested():
        raise UserError(f"The time column {values.name!r} holds {values.dtype}, which has no order in time. Name a "
                        "column of dates, moments, or numbers that count steps.")
    if values.dtype == pl.String:
        _check_zones(values)


def _check_zones(values: pl.Series) -> None:
    moments = values.filter(values.str.contains(_MOMENT))
    zones = moments.str.extract(f"({_ZONE})").fill_null("none").value_counts(sort=True)
    if zones.height < 2:
        return
    told = ", ".join(f"{zone} ({rows:,} rows)" for zone, rows in zones.head(3).iter_rows())
    raise UserError(f"The time column {values.name!r} mixes time zones: {told}. Write all times in one zone, UTC for "
                    "example.")
