"""What is seen of a table of histories: how its file is sorted, which columns never change within an entity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from verisyn._runs import places
from verisyn.description import describe_column, modelled
from verisyn.errors import UserError
from verisyn.modalities.sequence._history import Rows
from verisyn.schema import Column, Table

_LEAST = 20
"""Rows that follow another of their entity, before a column that never changes in them counts as static."""
_GONE = "\0missing "
NOTHING = "\0row"
"""The column of rows of which there is nothing to learn but that they are there."""


def gone(name: str) -> str:
    """Return the name of the hidden column that says where an invented column has no value."""
    return _GONE + name


def nothing(rows: int) -> pl.Series:
    """Return the column of rows of which there is nothing to learn."""
    return pl.Series(NOTHING, np.zeros(rows, bool))


def time_of(rows: Rows) -> pl.Series:
    """Return the time of rows, which is there."""
    assert rows.time is not None
    return rows.time


def follows(starts: np.ndarray) -> np.ndarray:
    """Return whether each row comes after another of its entity."""
    return places(starts) > 0


def numbered(frame: pl.DataFrame, entity: Sequence[str]) -> tuple[pl.DataFrame, np.ndarray]:
    """Return the different keys of entities in the order in which they come, and the number of each row's.

    Raises
    ------
    UserError
        If a row does not say whose it is.
    """
    if not entity:
        return pl.DataFrame(), np.zeros(frame.height, np.int64)
    keyless = frame.select(pl.any_horizontal(pl.col(*entity).is_null())).to_series()
    if keyless.any():
        raise UserError(f"{int(keyless.sum()):,} of {frame.height:,} rows do not say whose they are: "
                        f"{' or '.join(map(repr, entity))} is missing (the first is row "
                        f"{int(keyless.arg_max() or 0) + 1:,}). Fill it in, or leave these rows out.")
    keys = frame.select(entity).unique(maintain_order=True)
    places = keys.with_row_index("\0entity")
    number = frame.select(entity).join(places, on=list(entity), how="left", maintain_order="left")["\0entity"]
    return keys, number.to_numpy().astype(np.int64)


def standing(order: np.ndarray, rows: Rows, time: pl.Series, table: Table) -> tuple[bool, list[str]]:
    """Return whether a file has the rows of an entity together, and what is to be said of how it is sorted.

    `order` gives the file's row for each row as sorted by entity and time; `time` is the file's.
    """
    steps = np.diff(order)[follows(rows.starts)[1:]]
    if (steps == 1).all():
        return True, []
    if (steps > 0).all() and time.is_sorted():
        return False, []
    first = rows.starts[:-1]
    together = np.maximum.reduceat(order, first) - np.minimum.reduceat(order, first) == np.diff(rows.starts) - 1
    whose = f"by {', '.join(map(repr, table.entity))} and {table.time!r}" if table.entity else f"by {table.time!r}"
    told = f"The rows were not sorted; they were sorted {whose}, and so are the synthetic ones."
    return bool(together.all()) or not time.is_sorted(), [told]


def once(rows: Rows) -> bool:
    """Return whether no entity has two rows at one time."""
    ticks = time_of(rows).to_physical().to_numpy()
    return not (follows(rows.starts)[1:] & (ticks[1:] == ticks[:-1])).any()


def statics_of(frame: pl.DataFrame, columns: Sequence[Column], starts: np.ndarray) -> set[str]:
    """Return which columns never change within an entity, but differ between entities; `frame` is sorted by entity."""
    at = pl.Series(np.flatnonzero(follows(starts)))
    if len(at) < _LEAST or len(starts) < 3:
        return set()

    def still(values: pl.Series) -> bool:
        return values.n_unique() > 1 and bool(values.gather(at).eq_missing(values.gather(at - 1)).all())

    return {c.name for c in columns if still(frame[c.name])}


def as_static(column: Column, values: pl.Series) -> Column:
    """Return a column as it is in a table of entities, one row each: what repeats among rows may be a key there."""
    known = values.drop_nulls()
    if not modelled(column) or not len(known) or known.n_unique() < len(known) or len(known) < _LEAST:
        return column
    own = describe_column(values)
    return column if modelled(own) else own
