"""First rows of histories that are to go on: read, checked, and taken apart as the source was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

from verisyn.answers import EVERY_ROW
from verisyn.data import read
from verisyn.errors import UserError
from verisyn.kinds import _dtypes as dtypes
from verisyn.modalities.sequence import Entities
from verisyn.modalities.sequence._layout import Parts
from verisyn.modalities.sequence._whole import Whole


def read_prefix(prefix: Any, whole: Whole) -> Parts:
    """Read first rows.

    Parameters
    ----------
    prefix : Dataset, dataframe, path or URL
        With the columns of entity and time and all that are learnt of rows; others may be absent.

    Raises
    ------
    UserError
        If a column that is needed is absent, or does not hold what the source's does.
    """
    frame, layout = read(prefix, fit_rows=EVERY_ROW).frame, whole.layout
    table = layout.table
    needed = [*table.entity, layout.times.name, *layout.learnt]
    absent = [c for c in needed if c not in frame.columns]
    if absent:
        raise UserError(f"The first rows lack the column {absent[0]!r}. To go on from them it takes "
                        f"{', '.join(map(repr, needed))}.")
    frame = frame.select([c for c in table.names if c in frame.columns])
    for name in frame.columns:
        dtype = dtypes.from_json(whole.types[name])
        try:
            frame = frame.with_columns(pl.col(name).cast(dtype))
        except pl.exceptions.PolarsError:
            raise UserError(f"The column {name!r} of the first rows holds {frame[name].dtype}, that of the source "
                            f"{dtype}. Turn it into that.") from None
    parts = layout.part(frame)
    if frame[layout.times.name].null_count() or parts.rows.time is None or parts.rows.time.null_count():
        raise UserError(f"The time column {layout.times.name!r} of the first rows has values that are missing or "
                        "cannot be read. Write them as the source does.")
    ends = [f.hidden for f in layout.followers if f.hidden in parts.entities.statics.columns and not f.begins]
    known = parts.entities.statics.drop(ends)  # first rows do not tell how the last one will be
    return replace(parts, entities=Entities(parts.entities.count, known))
