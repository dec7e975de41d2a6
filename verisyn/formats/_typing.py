"""Gives columns of text their types, losing nothing that the text says; and turns values back into such text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?")
_TRUTH = (("true", "false"), ("True", "False"), ("TRUE", "FALSE"))
_NOT_A_COUNT = r"^[+-]?0\d|^\+|^-0$|_"
_FLOAT = r"^(-?(0|[1-9]\d*)(\.\d*)?|[+-]?\.\d+|\+(0|[1-9]\d*)\.\d*)([eE][+-]?\d+)?$"
_INFINITE = r"(?i)^[+-]?inf(inity)?$"
_COMMA_DECIMAL = r"^[+-]?(\d{1,3}(\.\d{3})+|\d+)?(,\d+)?$"
_POINT_DECIMAL = r"^[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d+)?$"
_AMBIGUOUS = r"^[+-]?\d{1,3},\d{3}$"


class Typed:
    """The columns of a text table with types, and how each was written.

    `style` has, by column name and only where needed: ``missing`` (the token for a missing value), ``truth`` (the
    words for true and false), ``decimals`` (a fixed number of them), ``grouped`` (digits in threes).

    Parameters
    ----------
    frame : pl.DataFrame
        Columns of strings.
    delimiter : str
        Of the file; where it is no comma, ``1,234`` is rather a decimal comma than a thousand.
    """

    def __init__(self, frame: pl.DataFrame, delimiter: str):
        self.style: dict[str, dict[str, Any]] = {name: {} for name in frame.columns}
        self._tokens: dict[str, None] = {}
        frame = frame.select(self._find_missing(column) for column in frame)
        self.decimal_comma = _uses_decimal_comma(frame, delimiter)
        self.frame = frame.select(self._type(column) for column in frame)
        self.style = {name: style for name, style in self.style.items() if style}

    @property
    def notes(self) -> list[str]:
        """What was found, in sentences."""
        notes = []
        if self._tokens:
            notes.append(f"Cells that read {', '.join(map(repr, self._tokens))} were taken as missing values.")
        if self.decimal_comma:
            notes.append("Numbers have a decimal comma.")
        grouped = [name for name, style in self.style.items() if style.get("grouped")]
        if grouped:
            notes.append(f"Numbers in {', '.join(map(repr, grouped))} have their digits grouped in thousands.")
        return notes

    def _find_missing(self, column: pl.Series) -> pl.Series:
        stripped = column.str.strip_chars()
        gone = stripped.is_in(MISSING)
        if gone.any():
            counts = Counter(stripped.filter(gone).to_list())
            self._tokens.update(dict.fromkeys(sorted(word for word in counts if word)))
            if commonest := max(sorted(counts), key=lambda word: counts[word]):
                self.style[column.name]["missing"] = commonest
            column = pl.select(pl.when(~gone).then(column).alias(column.name)).to_series()
        if len(column) > column.null_count() and column.str.starts_with(" ").all():
            column = column.str.strip_chars_start(" ")
        return column

    def _type(self, column: pl.Series) -> pl.Series:
        text = column.str.strip_chars()
        style = self.style[column.name]
        if text.null_count() == len(text):
            return column
        for words in _TRUTH:
            if text.is_in([*words]).all():
                if words != _TRUTH[0]:
                    style["truth"] = list(words)
                return (text == words[0]).alias(column.name)
        number = self._number(text, style)
        if number is None:
            style.pop("grouped", None)
        return column if number is None else number

    def _number(self, text: pl.Series, style: dict[str, Any]) -> pl.Series | None:
        mark, group = (",", ".") if self.decimal_comma else (".", ",")
        if text.str.contains(group, literal=True).any():
            if not text.str.contains(_COMMA_DECIMAL if self.decimal_comma else _POINT_DECIMAL).all():
                return None
            style["grouped"] = True
            text = text.str.replace_all(group, "", literal=True)
        if self.decimal_comma:
            text = text.str.replace_all(mark, ".", literal=True)
        if (counts := _as_counts(text)) is not None:
            return counts
        infinite = text.str.contains(_INFINITE)
        finite = text.filter(~infinite)
        if not finite.drop_nulls().len() or not finite.str.contains(_FLOAT).all():
            return None
        if not finite.str.contains(r"[.eE]").any():
            return None if not infinite.any() else text.cast(pl.Float64)
        places = finite.drop_nulls().str.extract(r"\.(\d+)$").str.len_bytes()
        if not places.null_count() and places.min() == places.max():
            style["decimals"] = int(str(places.max()))
        return text.cast(pl.Float64)


def _as_counts(text: pl.Series) -> pl.Series | None:
    """The column as Int64 if that loses nothing: no leading zero or plus sign, nothing beyond 64 bits."""
    counts = text.cast(pl.Int64, strict=False)
    if counts.null_count() > text.null_count() or text.str.contains(_NOT_A_COUNT).any():
        return None
    return counts


def _uses_decimal_comma(frame: pl.DataFrame, delimiter: str) -> bool:
    """Whether columns that can be read in one way only have a decimal comma; doubt is settled by the delimiter."""
    votes = {"comma": 0, "point": 0, "doubt": 0}
    for column in frame:
        text = column.drop_nulls().str.strip_chars()
        if not text.str.contains(",", literal=True).any():
            continue
        comma, point = text.str.contains(_COMMA_DECIMAL).all(), text.str.contains(_POINT_DECIMAL).all()
        if comma and point:
            certain = not text.filter(text.str.contains(",", literal=True)).str.contains(_AMBIGUOUS).all()
            votes["point" if certain else "doubt"] += 1
        elif comma or point:
            votes["comma" if comma else "point"] += 1
    if votes["comma"] or votes["point"]:
        return votes["comma"] > votes["point"]
    return bool(votes["doubt"]) and delimiter != ","


def as_text(column: pl.Series, style: dict[str, Any], decimal_comma: bool) -> list[str]:
    """Return a column as the cells of a text table, in the style in which such a column was read."""
    missing = style.get("missing", "")
    if column.dtype == pl.Boolean:
        true, false = style.get("truth", _TRUTH[0])
        cells: Iterable[str | None] = (None if v is None else true if v else false for v in column.to_list())
    elif column.dtype.is_float():
        cells = _floats(column, style, decimal_comma)
    elif column.dtype.is_integer() and style.get("grouped"):
        cells = (None if v is None else _marks(f"{v:,}", decimal_comma) for v in column.to_list())
    elif column.dtype.is_nested() or column.dtype == pl.Object:
        cells = (None if v is None else str(v) for v in column.to_list())
    elif column.dtype == pl.Duration:
        cells = column.dt.to_string("iso").to_list()
    else:
        cells = column.cast(pl.String).to_list()
    return [missing if cell is None else cell for cell in cells]


def _floats(column: pl.Series, style: dict[str, Any], decimal_comma: bool) -> Iterable[str | None]:
    spec = ("," if style.get("grouped") else "") + (f".{style['decimals']}f" if "decimals" in style else "")
    write = (lambda v: format(v, spec)) if spec else repr
    for value in column.to_list():
        if value is None or np.isnan(value):
            yield None
        elif np.isinf(value):
            yield "inf" if value > 0 else "-inf"
        else:
            text = write(value)
            yield _marks(text, True) if decimal_comma else text


def _marks(text: str, decimal_comma: bool) -> str:
    return text.translate(str.maketrans(",.", ".,")) if decimal_comma else text
