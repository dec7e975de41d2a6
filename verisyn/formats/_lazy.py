"""Reads columnar files, which polars opens lazily, whole or as a sample slice by slice."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from verisyn.errors import UserError
from verisyn.formats import Content, NoRows, Request, sampled
from verisyn.formats._sampling import Reservoir

_BATCH = 250_000


def read_lazily(scan: pl.LazyFrame, path: Path, request: Request, format_: str) -> Content:
    """Read a lazy frame: whole if it has at most ``request.fit_rows`` rows, else a uniform sample.

    Raises
    ------
    UserError
        If the file is damaged, or has no rows or no columns.
    """
    try:
        rows = int(scan.select(pl.len()).collect().item())
        frame = scan.collect() if rows <= request.fit_rows else _sample(scan, rows, request)
    except (pl.exceptions.PolarsError, OSError, ValueError, pl.exceptions.PanicException) as e:
        raise damaged(path, format_, e) from None
    if not rows:
        raise NoRows(f"{str(path)!r} has no rows. At least one row of data was expected.")
    return Content(frame, rows, {}, sampled(rows, frame.height))


def damaged(path: Path, format_: str, error: BaseException) -> UserError:
    """Return the sentence for a file that its library cannot read."""
    first = str(error).strip().split("\n")[0][:200]
    return UserError(f"{str(path)!r} cannot be read as {format_}: it is damaged, cut off or something else ({first}). "
                     "Fetch or export it again.")


def _sample(scan: pl.LazyFrame, rows: int, request: Request) -> pl.DataFrame:
    reservoir = Reservoir(request.fit_rows, request.seed)
    for start in range(0, rows, _BATCH):
        batch = scan.slice(start, _BATCH).collect()
        reservoir.add(batch[reservoir.pick(batch.height)])
    return reservoir.frame()
