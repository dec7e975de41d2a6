"""Excel workbooks (.xlsx): each sheet is a table. Needs the extra ``excel``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from verisyn.errors import UserError
from verisyn.formats import Content, Contents, NoRows, Request, needs, sampled
from verisyn.formats._catalogue import gather
from verisyn.formats._declared import Plan
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
    if request.query:
        raise UserError("An Excel workbook cannot be queried; name a sheet with --table.")
    sheets = _sheets(path)
    filled = [name for name, sheet in sheets.items() if sheet.width]
    return _read(path, sheets, choose(filled or list(sheets), request.table, path, "sheet"), request)


def tables(path: Path, request: Request) -> Contents:
    """Read all sheets that have anything in them."""
    sheets = _sheets(path)
    filled = [name for name, sheet in sheets.items() if sheet.width]
    return gather(filled or list(sheets), lambda name: _read(path, sheets, name, request))


def _sheets(path: Path) -> dict[str, Any]:
    fastexcel = needs("fastexcel", "excel", "Reading Excel files")
    try:
        book = fastexcel.read_excel(path)
        return {name: book.load_sheet(name) for name in book.sheet_names}
    except Exception as e:  # the library raises errors of its own, of several kinds
        raise damaged(path, "Excel", e) from None


def _read(path: Path, sheets: dict[str, Any], name: str, request: Request) -> Content:
    frame, notes = _named(_whole_numbers(sheets[name].to_polars()))
    if not frame.height:
        raise NoRows(f"The sheet {name!r} of {str(path)!r} has no rows. At least one was expected.")
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
    name = settings.get("table", "data")
    write_tables({name: frame}, path, settings, Plan((name,)))


def write_tables(frames: dict[str, pl.DataFrame], path: Path, settings: dict[str, Any], plan: Plan) -> None:
    """Write a workbook with a sheet for each table, in their order; a workbook declares no keys."""
    xlsxwriter = needs("xlsxwriter", "excel", "Writing Excel files")
    large = max(frames, key=lambda name: frames[name].height)
    if frames[large].height > _ROWS:
        raise UserError(f"An Excel sheet holds at most {_ROWS:,} rows under its header; there are "
                        f"{frames[large].height:,}. Write fewer rows, or another format.")
    with xlsxwriter.Workbook(path) as book:
        taken: set[str] = set()
        for name, frame in frames.items():
            frame.write_excel(book, worksheet=_sheet_name(name, taken), table_style="Table Style Light 1")


def _sheet_name(name: str, taken: set[str]) -> str:
    """A name that a sheet may have: 31 characters, some of them not allowed, no two names alike."""
    plain = re.sub(r"[\[\]:*?/\\]", "_", name).strip("'")[:31] or "data"
    new, n = plain, 2
    while new.lower() in taken:
        new, n = f"{plain[:28]}_{n}", n + 1
    taken.add(new.lower())
    return new


def _named(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Name the columns without a name, which the library calls ``__UNNAMED__0`` and so on."""
    names, notes = unique_names(["" if name.startswith("__UNNAMED__") else name for name in frame.columns])
    return frame.rename(dict(zip(frame.columns, names, strict=True))), notes


def _whole_numbers(frame: pl.DataFrame) -> pl.DataFrame:
    """Excel knows floats only: columns without a fraction become integers."""
    whole = [column.name for column in frame.select(pl.col(pl.Float64))
             if (v := column.drop_nulls().to_numpy()).size and np.all(v == np.floor(v)) and np.all(np.abs(v) < 2**53)]
    return frame.with_columns(pl.col(whole).cast(pl.Int64)) if whole else frame
