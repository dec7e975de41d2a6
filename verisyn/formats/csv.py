"""Text tables (CSV, TSV): delimiter, encoding, decimal mark and header are found, said, and kept for writing."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from verisyn.errors import UserError
from verisyn.formats import Content, NoRows, Request, sampled
from verisyn.formats._sampling import Reservoir
from verisyn.formats._sniff import SAMPLE, Dialect, encodings, rows_of, sniff
from verisyn.formats._streams import reading_text, writing_text
from verisyn.formats._tables import unique_names
from verisyn.formats._typing import Typed, as_text

suffixes = (".csv", ".tsv", ".txt", ".tab", ".data")
compressible = True
has_tables = False
magic = None

_BATCH = 20_000
_DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def read(path: Path, request: Request) -> Content:
    """Read a text table; numbers and truth values are recognised where that loses nothing, all else stays text.

    Raises
    ------
    UserError
        If the file is empty, has a header only, has lines of different lengths or is not text.
    """
    tried = encodings(path)
    for encoding in tried:
        try:
            return _read(path, request, encoding, first_choice=encoding == tried[0])
        except UnicodeDecodeError:
            continue
    raise UserError(f"{str(path)!r} starts like {tried[0]} text but is not. Save it again as UTF-8.")


def write(frame: pl.DataFrame, path: Path, settings: dict[str, Any]) -> None:
    """Write a text table in the manner in which one was read (`settings`); by default as RFC 4180 says, in UTF-8.

    Text that the encoding of the source cannot express is written in UTF-8 instead.
    """
    try:
        _write(frame, path, settings, settings.get("encoding", "utf-8"))
    except UnicodeEncodeError:
        _write(frame, path, settings, "utf-8")


def _read(path: Path, request: Request, encoding: str, first_choice: bool) -> Content:
    with reading_text(path, encoding) as text:
        dialect, names, notes = _first_look(text.read(SAMPLE), path, encoding)
    if not first_choice:
        notes.insert(0, f"The file is not UTF-8; it was read as {encoding}. If letters look wrong, save it as UTF-8.")
    reservoir = Reservoir(request.fit_rows, request.seed)
    for rows in _batches(path, dialect, len(names)):
        picked = reservoir.pick(len(rows))
        kept = rows if len(picked) == len(rows) else [rows[i] for i in picked]
        reservoir.add(_strings(kept, names))
    if not reservoir.total:
        raise NoRows(f"{str(path)!r} has a header but no rows. At least one row of data was expected.")
    frame = reservoir.frame()
    if any(column.str.contains("\0", literal=True).any() for column in frame):
        raise _zero_bytes(path)
    typed = Typed(frame, dialect.delimiter)
    settings = {**asdict(dialect), "decimal_comma": typed.decimal_comma, "style": typed.style}
    return Content(typed.frame, reservoir.total, settings,
                   (*notes, *typed.notes, *sampled(reservoir.total, frame.height)))


def _first_look(sample: str, path: Path, encoding: str) -> tuple[Dialect, list[str], list[str]]:
    """Find the dialect and the column names; say what was found."""
    if not sample.strip("\r\n \t\0"):
        raise NoRows(f"{str(path)!r} is empty. A table with at least one row of data was expected.")
    if "\0" in sample:
        raise _zero_bytes(path)
    dialect = sniff(sample, path, encoding)
    rows = rows_of(sample, dialect.delimiter)
    first = rows[0]
    fields = "one column" if len(first) == 1 else f"fields separated by a {_DELIMITER_NAMES[dialect.delimiter]}"
    notes = [f"Text table in {encoding}, {fields}."]
    if not dialect.header:
        notes.append("No header was found; the columns are called column_1, column_2, …")
        return dialect, [f"column_{i + 1}" for i in range(len(first))], notes
    if len(rows) > 1 and all(len(row) == len(first) + 1 for row in rows[1:]):
        at_end = all(not row[-1] for row in rows[1:])
        if at_end or len(first) > 1:  # a lone first field is a title above the header, not a header of row names
            first = [*first, ""] if at_end else ["", *first]
    names, changed = unique_names(first)
    return dialect, names, notes + changed


def _zero_bytes(path: Path) -> UserError:
    return UserError(f"{str(path)!r} holds zero bytes, so it is not a text table. If it comes from a spreadsheet or "
                     "a database, export it again as CSV in UTF-8.")


def _batches(path: Path, dialect: Dialect, width: int) -> Iterator[list[list[str]]]:
    with reading_text(path, dialect.encoding) as text:
        reader = dialect.reader(text)
        try:
            header = dialect.header
            while rows := list(islice(reader, _BATCH)):
                if set(map(len, rows)) != {width}:
                    rows = _mend(rows, width, header, path, dialect)
                yield rows[1:] if header else rows
                header = False
        except csv.Error as e:
            raise UserError(f"{str(path)!r} cannot be read as a table near line {reader.line_num}: {e}. A quotation "
                            "mark that does not pair is the usual cause.") from None


def _mend(rows: list[list[str]], width: int, header: bool, path: Path, dialect: Dialect) -> list[list[str]]:
    """Leave out blank lines; refuse lines that are too short or too long."""
    rows = [row for row in rows if row]
    wrong = [row for row in rows[int(header):] if len(row) != width]
    if not wrong:
        return rows
    line, seen = _line_of(wrong[0], path, dialect)
    if len(wrong) > len(rows) / 2:
        raise UserError(f"The first line of {str(path)!r} has {width} field{'s' * (width > 1)}, but most others have "
                        f"more or fewer (line {line} has {seen}). Take away what stands before the header, such as a "
                        "title or comments.")
    others = f" ({len(wrong) - 1} more nearby)" if len(wrong) > 1 else ""
    fields = "1 field" if seen == 1 else f"{seen} fields"
    raise UserError(f"Line {line} of {str(path)!r} has {fields} where {width} were expected{others}. "
                    f"Put values that contain the {_DELIMITER_NAMES[dialect.delimiter]} in quotation marks, or mend "
                    "the line.")


def _line_of(row: list[str], path: Path, dialect: Dialect) -> tuple[int, int]:
    """The number of the line on which a row begins, and the row's number of fields."""
    with reading_text(path, dialect.encoding) as text:
        reader = dialect.reader(text)
        before = 0
        for found in reader:
            if found == row:
                break
            before = reader.line_num
    return before + 1, len(row)


def _strings(rows: list[list[str]], names: list[str]) -> pl.DataFrame:
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return pl.DataFrame([pl.Series(name, column, dtype=pl.String) for name, column in zip(names, columns, strict=True)])


def _write(frame: pl.DataFrame, path: Path, settings: dict[str, Any], encoding: str) -> None:
    tab = {".tsv", ".tab"} & {s.lower() for s in path.suffixes}
    style, comma = settings.get("style", {}), settings.get("decimal_comma", False)
    with writing_text(path, encoding) as text:
        writer = csv.writer(text, delimiter="\t" if tab else settings.get("delimiter", ","),
                            lineterminator=settings.get("newline", "\n"),
                            quoting=csv.QUOTE_ALL if settings.get("quote_all") else csv.QUOTE_MINIMAL)
        if settings.get("header", True):
            writer.writerow(frame.columns)
        for block in frame.iter_slices(_BATCH):
            cells = (as_text(column, style.get(column.name, {}), comma) for column in block)
            writer.writerows(zip(*cells, strict=True))
