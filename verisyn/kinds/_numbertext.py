"""Numbers written as text: "$1,200", "12 %", "3,5 kg"; the form is found once, then read and written back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

_SHAPE = re.compile(r"(?P<minus>[+-]?)(?P<prefix>[^\d.,+-]{0,8})(?P<body>\d(?:[\d.,'’\u00a0\u202f ]*\d)?|[.,]\d+)"
                    r"(?P<suffix>[^\d]{0,16})")
_MARKS = (("", "."), (",", "."), ("", ","), (".", ","), (" ", ","), ("\u00a0", ","), ("\u202f", ","), (" ", "."),
          ("'", "."), ("’", "."))
"""Thousands and decimal marks in the order in which they are believed where several fit."""


@dataclass(frozen=True)
class NumberText:
    """How a column writes its numbers.

    Parameters
    ----------
    prefix, suffix : str
        What stands before each number (after a minus sign), and after it.
    thousands, decimal : str
        The marks; `thousands` is empty where there is none.
    fixed : int
        Decimals that every number has (2 for ``1.50``); 0 where each has as few as it needs.

    Examples
    --------
    >>> dollars, share = find(["$1,200.50", "-$3.00", "free", "$17.25"])
    >>> dollars, share
    (NumberText(prefix='$', suffix='', thousands=',', decimal='.', fixed=2), 0.75)
    >>> dollars.read(pl.Series(["$1,200.50", "-$3.00", "free"])).to_list()
    [1200.5, -3.0, None]
    >>> dollars.write(np.array([1200.5, -3.0]), decimals=2).to_list()
    ['$1,200.50', '-$3.00']
    """

    prefix: str = ""
    suffix: str = ""
    thousands: str = ""
    decimal: str = "."
    fixed: int = 0

    def read(self, series: pl.Series) -> pl.Series:
        """Return the numbers as Float64; null where a text is not a number in this form."""
        shape = f"^([+-]?){re.escape(self.prefix)}({_body(self.thousands, self.decimal)}){re.escape(self.suffix)}$"
        body = series.str.extract(shape, 2)
        if self.thousands:
            body = body.str.replace_all(self.thousands, "", literal=True)
        if self.decimal != ".":
            body = body.str.replace(self.decimal, ".", literal=True)
        value = body.cast(pl.Float64, strict=False)
        return value.zip_with(~series.str.starts_with("-").fill_null(False), -value)

    def write(self, values: np.ndarray, decimals: int | None) -> pl.Series:
        """Return texts for finite numbers with at most `decimals` decimals (None: as many as they have)."""
        distinct, at = np.unique(values, return_inverse=True)
        return pl.Series([self._text(v, decimals) for v in distinct.tolist()], dtype=pl.String).gather(at)

    def _text(self, value: float, decimals: int | None) -> str:
        body = f"{abs(value):,f}" if decimals is None else f"{abs(value):,.{max(decimals, self.fixed)}f}"
        if not self.fixed and "." in body:
            body = body.rstrip("0").removesuffix(".")
        body = body.translate({ord(","): self.thousands, ord("."): self.decimal})
        minus = "-" if value < 0 and any(c in "123456789" for c in body) else ""
        return f"{minus}{self.prefix}{body}{self.suffix}"


def find(texts: Iterable[str]) -> tuple[NumberText | None, float]:
    """Return the form in which most of `texts` are numbers, and the share of texts that are in it.

    None where no number is found, or where numbers begin with zeros, as in a post code or a telephone number.
    """
    texts = list(texts)
    shapes = [m for m in map(_SHAPE.fullmatch, texts) if m]
    if not shapes:
        return None, 0.0
    (prefix, suffix), _ = Counter((m["prefix"], m["suffix"]) for m in shapes).most_common(1)[0]
    bodies = [m["body"] for m in shapes if (m["prefix"], m["suffix"]) == (prefix, suffix)]
    fits = [[b for b in bodies if re.fullmatch(_body(*marks), b)] for marks in _MARKS]
    best = max(range(len(_MARKS)), key=lambda i: (len(fits[i]), -i))
    thousands, decimal = _MARKS[best]
    found = fits[best]
    if sum(len(b) > 1 and b[0] == "0" and b[1].isdigit() for b in found) > 0.01 * len(found):
        return None, 0.0
    if not any(thousands in b for b in found):
        thousands = ""
    tails = {len(b.partition(decimal)[2]) for b in found}
    form = NumberText(prefix, suffix, thousands, decimal, fixed=tails.pop() if len(tails) == 1 else 0)
    return form, len(found) / len(texts)


def _body(thousands: str, decimal: str) -> str:
    mark, point = re.escape(thousands), re.escape(decimal)
    grouped = rf"[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+|" if thousands else ""
    return rf"(?:{grouped}[0-9]+)(?:{point}[0-9]+)?|{point}[0-9]+"
