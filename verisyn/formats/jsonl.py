"""JSON Lines: one JSON object a line; nested values are kept as JSON text."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from verisyn.errors import UserError
from verisyn.formats import Content, NoRows, Request, sampled
from verisyn.formats._rows import series
from verisyn.formats._sampling import Reservoir
from verisyn.formats._streams import reading_text, writing_text

suffixes = (".jsonl", ".ndjson")
compressible = True
has_tables = False
magic = None

_BATCH = 20_000
_LINE = {"number": pl.Int64, "line": pl.String}


def read(path: Path, request: Request) -> Content:
    """Read JSON Lines; where an object lacks a column its value is missing.

    Raises
    ------
    UserError
        If there are no lines, or one of them is no JSON object.
    """
    reservoir = Reservoir(request.fit_rows, request.seed)
    for lines in _batches(path):
        picked = reservoir.pick(len(lines))
        reservoir.add(pl.DataFrame([lines[i] for i in picked], schema=_LINE, orient="row"))
    if not reservoir.total:
        raise NoRows(f"{str(path)!r} is empty. At least one line with a JSON object was expected.")
    kept = reservoir.frame()
    objects = [_object(line, number, path) for number, line in kept.iter_rows()]
    names = list(dict.fromkeys(name for o in objects for name in o))
    nested = [name for name in names if any(isinstance(o.get(name), list | dict) for o in objects)]
    notes = [f"Column {name!r} holds lists or objects; they were kept as JSON text." for name in nested]
    frame = pl.DataFrame([series(name, [o.get(name) for o in objects]) for name in names])
    return Content(frame, reservoir.total, {"nested": nested}, (*notes, *sampled(reservoir.total, kept.height)))


def write(frame: pl.DataFrame, path: Path, settings: dict[str, Any]) -> None:
    """Write JSON Lines; columns that were nested are written as JSON values again where their text allows it."""
    nested = set(settings.get("nested", ())) & set(frame.columns)
    with writing_text(path, "utf-8") as text:
        for row in frame.iter_rows(named=True):
            for name in nested:
                row[name] = _unnest(row[name])
            plain = {name: _plain(value) for name, value in row.items()}
            text.write(json.dumps(plain, ensure_ascii=False) + "\n")


def _batches(path: Path) -> Iterator[list[tuple[int, str]]]:
    """Yield batches of (line number, line), without blank lines."""
    try:
        with reading_text(path, "utf-8-sig", newline="\n") as text:
            numbered = ((n, line) for n, line in enumerate(text, 1) if not line.isspace())
            while lines := list(islice(numbered, _BATCH)):
                yield lines
    except UnicodeDecodeError as e:
        raise UserError(f"{str(path)!r} is not UTF-8, as JSON Lines must be (byte {e.start} of a block). Save it "
                        "again as UTF-8.") from None


def _object(line: str, number: int, path: Path) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError as e:
        raise UserError(f"Line {number} of {str(path)!r} is not valid JSON: {e}.") from None
    if not isinstance(found, dict):
        raise UserError(f"Line {number} of {str(path)!r} holds a JSON {type(found).__name__}, where an object with the "
                        "column names was expected.")
    return found


def _unnest(value: Any) -> Any:
    try:
        return value if value is None else json.loads(value)
    except ValueError:
        return value


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value) if isinstance(value, dt.timedelta) else value
