"""Excel workbooks (.xlsx): one sheet is a table. Needs the extra ``excel``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from verisyn.errors import UserError
from verisyn.formats import Content, Request, needs, sampled
from verisyn.formats._lazy import damaged
from verisyn.formats._sampling import Reservoir
from verisyn.formats._tables import choose, unique_names

suffixes = (".xlsx",)
compressible = False
has_tables = True
magic = (0, b"PK\x03\x04")

_ROWS = 1_048_575


def read(path: Path, request: Request) -> Content:
    """Read one sheet: the one called ``request.table``, or the only one that has anything in it.

    Raises
    ------
    UserError
        If the workbook is damaged, several sheets hold data and none is named, or the sheet has no rows.
    """
    fastexcel = needs("fastexcel", "excel", "Reading Excel files")
    if request.query:
        raise UserError("An Excel workbook cannot be queried; name a sheet with --table.")
    try:
        book = fastexcel.read_excel(path)
        sheets = {name: book.load_sheet(name) for name in book.sheet_names}
    except Exception as e:  # the library raises errors of its own, of several kinds
        raise damaged(path, "Excel", e) from None
    filled = [name for name, sheet in sheets.items() if sheet.width]
    name = choose(filled or list(sheets), request.table, path, "sheet")
    frame, notes = _named(_whole_numbers(sheets[name].to_polars()))
    if not frame.height:
        raise UserError(f"The sheet {name!r} of {str(path)!r} has no rows. At least one was expected.")
    reservoir = Reservoir(request.fit_rows, request.seed)
    reservoir.add(frame[reservoir.pick(frame.height)])
    kept = reservoir.frame()
    return Content(kept, frame.height, {}, (*notes, *sampled(frame.height, kept.height)), table=name)


def write(frame: pl.DataFrame, path: Path, settings: dict[str, Any]) -> None:
    """Write a workbook with one sheet.

    Raises
    ------
    UserError
        If there are more rows than a sheet can hold.
    """
    needs("xlsxwriter", "excel", "Writing Excel files")
    if frame.height > _ROWS:
        raise UserError(f"An Excel sheet holds at most {_ROWS:,} rows under its header; there are {frame.height:,}. "
                        "Write fewer rows, or another format.")
    frame.write_excel(path, worksheet=settings.get("table", "data")[:31], table_style="Table Style Light 1")


def _named(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Name the columns without a name, which the library calls ``__UNNAMED__0`` and so on."""
    names, notes = unique_names(["" if name.startswith("__UNNAMED__") else name for name in frame.columns])
    return frame.rename(dict(zip(frame.columns, names, strict=True))), notes


def _whole_numbers(frame: pl.DataFrame) -> pl.DataFrame:
    """Excel knows floats only: columns without a fraction become integers."""
    whole = [column.name for column in frame.select(pl.col(pl.Float64))
             if (v := column.drop_nulls().to_numpy()).size and np.all(v == np.floor(v)) and np.all(np.abs(v) < 2**53)]
    return frame.with_columns(pl.col(whole).cast(pl.Int64)) if whole else frame
