"""Columns that are learnt and never shown: what kind of parent a row points to, and what kind it is to others."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from verisyn.schema import Column, Link

MARK = "\0"
"""Hidden columns begin with it, so that no column of a user has such a name."""
ROW = f"{MARK}row"
"""Numbers the rows of a frame that may have no other column."""

CLASS = f"{MARK}class"
"""Tells which other rows of the table a row is like, by its columns and by what points to it."""


def trait(table: str, what: str) -> str:
    """Name the column that holds what a root's rows of a table are like on the whole, by one of their columns."""
    return f"{MARK}trait {table}.{what}"


def says(link: Link) -> str:
    """Name the column that holds what kind of parent a child row points to, or how deep it stands."""
    return f"{MARK}points {link.name}"


def kind(link: Link) -> str:
    """Name the column that holds what kind of parent a row is by a link."""
    return f"{MARK}kind {link.name}"


def shown(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame without the hidden columns."""
    return frame.select(c for c in frame.columns if not c.startswith(MARK))


def column(name: str, levels: Iterable[str]) -> Column:
    """Return the schema of a hidden column."""
    return Column(name=name, kind="category", dtype="String", settings={"levels": list(levels)})


def numbered(frame: pl.DataFrame, rows: int) -> pl.DataFrame:
    """Return a frame with the rows' numbers, whose height is right whatever its columns."""
    index = pl.Series(ROW, range(rows), dtype=pl.Int64)
    return frame.with_columns(index) if frame.width else pl.DataFrame([index])
