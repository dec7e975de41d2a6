"""In which order siblings stand: by a column of time, else as in the file; and the file's own order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from verisyn.description import modelled
from verisyn.schema import Table

_SURE = 0.98
_PAIRS = 100
_STEPS = 0.5
"""Share of pairs of siblings in which a whole number that counts time rises."""
RUNS, TIME, MIXED = "runs", "time", "mixed"


def time_of(table: Table, frame: pl.DataFrame, at: np.ndarray, left_out: Sequence[str]) -> str | None:
    """Return the column that orders the rows of one parent, if there is one.

    The table's own `time`; else a moment or a date that every row has, rather one that rises in the file; else a whole
    number that never falls from one sibling to the next and mostly rises, such as a year.
    """
    able = [c.name for c in table.columns if c.name not in left_out and modelled(c) and not frame[c.name].null_count()]
    if table.time in able:
        return table.time
    order = np.argsort(at, kind="stable")
    pairs = at[order][1:] == at[order][:-1]
    moments = [name for name in able if frame[name].dtype in (pl.Date, pl.Datetime)]
    rising = {name: _rises(frame[name], order, pairs) for name in moments}
    if moments:
        return max(moments, key=lambda name: (rising[name][0] >= _SURE, -moments.index(name)))
    if pairs.sum() < _PAIRS:
        return None
    for name in able:
        if frame[name].dtype.is_integer():
            kept, up = _rises(frame[name], order, pairs)
            if kept >= _SURE and up >= _STEPS:
                return name
    return None


def _rises(values: pl.Series, order: np.ndarray, pairs: np.ndarray) -> tuple[float, float]:
    """The shares of pairs of siblings in which a column does not fall, and in which it rises."""
    steps = np.diff(values.to_physical().to_numpy()[order])[pairs]
    return (float((steps >= 0).mean()), float((steps > 0).mean())) if len(steps) else (1.0, 0.0)


def layout_of(frame: pl.DataFrame, at: np.ndarray | None, time: str | None) -> str:
    """Say how the rows of a file stand: in runs of one parent, by time, or mixed."""
    if at is not None and len(at) > 1:
        changes = int((np.diff(at) != 0).sum()) + 1
        if changes <= 1.1 * len(np.unique(at)):
            return RUNS
    if time is not None and frame.height > 1:
        steps = np.diff(frame[time].to_physical().to_numpy())
        if (steps >= 0).mean() >= _SURE:
            return TIME
    return MIXED if at is not None else RUNS


def moment_of(table: Table, frame: pl.DataFrame, left_out: Sequence[str]) -> str | None:
    """Return the moment or date by which the rows of a file are sorted, if they are."""
    for column in table.columns:
        values = frame[column.name]
        if column.name in left_out or values.dtype not in (pl.Date, pl.Datetime) or values.null_count():
            continue
        if frame.height > 1 and layout_of(frame, None, column.name) == TIME and values.n_unique() > 1:
            return column.name
    return None
