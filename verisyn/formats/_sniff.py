"""Finds out how a text table is written: encoding, delimiter, quoting, header."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import IO, Any

from verisyn.errors import UserError
from verisyn.formats._streams import head_bytes

SAMPLE = 1 << 18
_LINES = 2000
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
         (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DELIMITERS = ",;\t|"
_NUMBER = re.compile(r"\s*[+-]?(\d{1,3}([.,]\d{3})+|\d+)?([.,]\d+|(?<=\d)[.,]?)([eE][+-]?\d+)?\s*")


@dataclass(frozen=True)
class Dialect:
    """How a text table is written.

    Parameters
    ----------
    encoding, delimiter, newline : str
    quote_all : bool
        Whether every field is in quotation marks.
    padded : bool
        Whether spaces stand between a delimiter and a quotation mark.
    header : bool
        Whether the first line names the columns.
    """

    encoding: str
    delimiter: str
    newline: str
    quote_all: bool
    padded: bool
    header: bool

    def reader(self, text: IO[str]) -> Any:
        """Return a csv reader of a text in this dialect; it raises csv.Error where quotation marks do not pair."""
        return csv.reader(text, delimiter=self.delimiter, skipinitialspace=self.padded, strict=True)


def encodings(path: Path) -> list[str]:
    """Return the encodings to try in turn: the one that a byte order mark or zero bytes show, or UTF-8, then Western.

    Raises
    ------
    UserError
        If the file holds no text.
    """
    head = head_bytes(path, 4096)
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return [encoding]
    if b"\0" in head:
        zeros = (head[0::2].count(0), head[1::2].count(0))
        if max(zeros) > 0.4 * len(head) / 2 and min(zeros) < 0.1 * len(head) / 2:
            return ["utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"]
    return ["utf-8", "cp1252", "latin-1"]


def sniff(text: str, path: Path, encoding: str) -> Dialect:
    """Return the dialect that the first part of a file shows; the ending ``.tsv`` decides for the tab."""
    newline = next((end for end in ("\r\n", "\n", "\r") if end in text), "\n")
    if len(text) >= SAMPLE:
        text = text[: text.rfind(newline) + 1] or text
    delimiter = "\t" if {".tsv", ".tab"} & {s.lower() for s in path.suffixes} and "\t" in text else _delimiter(text)
    rows = rows_of(text, delimiter)
    if not rows:
        raise UserError(f"{str(path)!r} is empty. A table with at least one row of data was expected.")
    fields = sum(map(len, rows))
    quote_all = text.count('"') >= 2 * fields
    return Dialect(encoding, delimiter, newline, quote_all, _padded(text, delimiter), _has_header(rows))


def rows_of(text: str, delimiter: str) -> list[list[str]]:
    """Return the first rows of a text, without blank lines."""
    rows = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=_padded(text, delimiter))
    with suppress(csv.Error):
        for row in islice(reader, _LINES):
            rows.append(row)
    return [row for row in rows if row]


def is_number(cell: str) -> bool:
    """Whether a cell reads as a number in some notation.

    Examples
    --------
    >>> [is_number(cell) for cell in ("3", "-2.5e3", "3,14", "1.234,5", "12:30", "", "1,2,3")]
    [True, True, True, True, False, False, False]
    """
    return bool(_NUMBER.fullmatch(cell)) and any(c.isdigit() for c in cell)


def _delimiter(text: str) -> str:
    """The delimiter under which most lines have the same number (over one) of clean fields.

    Where there is none the table has one column, and any delimiter that does not occur will do.
    """
    scores: dict[str, tuple[float, float, int]] = {}
    absent = []
    for delimiter in _DELIMITERS:
        widths = Counter(map(len, rows := rows_of(text, delimiter)))
        if not rows:
            continue
        width, lines = widths.most_common(1)[0]
        if width > 1:
            scores[delimiter] = (round(lines / len(rows), 2), _clean(rows[:200], delimiter), width)
        elif len(widths) == 1:
            absent.append(delimiter)
    return max(scores, key=lambda d: scores[d]) if scores else next(iter(absent), ",")


def _padded(text: str, delimiter: str) -> bool:
    return f'{delimiter} "' in text


def _clean(rows: Sequence[Sequence[str]], delimiter: str) -> float:
    """Share of fields without another delimiter in them (a decimal comma is none)."""
    others = set(_DELIMITERS) - {delimiter}
    cells = [cell for row in rows for cell in row]
    return round(sum(is_number(c) or not others & set(c) for c in cells) / len(cells), 1)


def _has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: not if it has a number where the rest of a column is all numbers.

    Numbers that count up by one (years, 0 1 2 …) are taken as names all the same.
    """
    first, rest = rows[0], rows[1:]
    numbers = [i for i, cell in enumerate(first) if is_number(cell)]
    if not rest:
        return len(numbers) < len(first) / 2
    alike = [i for i in numbers if all(is_number(row[i]) or not row[i].strip() for row in rest if i < len(row))]
    if len(alike) >= 3 and all(first[i].strip().isdigit() for i in alike):
        counting = [int(first[i]) for i in alike]
        return all(b - a == 1 for a, b in pairwise(counting))
    return not alike
