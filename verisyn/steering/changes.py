"""Changes of a column, as a user writes them: ``+1``, ``-10%``, ``*1.1``, ``+1pp``, ``+30d``."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from verisyn.errors import UserError

_NUMBER = r"(\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)"
_SHIFT = re.compile(rf"\s*([-+])\s*{_NUMBER}\s*(?P<unit>%|pp)?\s*")
_SCALING = re.compile(rf"\s*([*/])\s*{_NUMBER}\s*")
_DELAY = re.compile(r"[-+](\d+(mo|y|q|w|d|h|m|s))+")


@dataclass(frozen=True)
class Change:
    """A shift of a number: ``values * factor + term``."""

    factor: float
    term: float
    said: str

    def of(self, values: pl.Series) -> pl.Series:
        """Return the changed values, in the column's own type."""
        changed = values * self.factor + self.term
        fitting = (changed.round() if values.dtype.is_integer() else changed).cast(values.dtype, strict=False)
        if fitting.null_count() > changed.null_count():
            low, high = (float(end) for end in (changed.min(), changed.max()))  # type: ignore[arg-type]
            raise UserError(f"do changes {values.name!r} by {self.said!r}, to between {low:g} and {high:g}, but its "
                            f"type ({values.dtype}) does not reach so far. Choose a smaller change.")
        return fitting

    def __str__(self) -> str:
        return self.said


@dataclass(frozen=True)
class Delay:
    """A shift of a date or time, such as ``+30d`` or ``-1mo``."""

    by: str

    def of(self, values: pl.Series) -> pl.Series:
        """Return the shifted values."""
        return values.dt.offset_by(self.by.removeprefix("+"))

    def __str__(self) -> str:
        return self.by


def change_of(wish: Any, values: pl.Series) -> Change | Delay | None:
    """Read a change of a number or a date; None where it is none.

    Parameters
    ----------
    wish : object
        Perhaps a change.
    values : Series
        Values of the column; they say what a percentage point is.

    Examples
    --------
    >>> rates = pl.Series([0.01, 0.2])
    >>> [change_of(wish, rates) for wish in ("+1pp", "-10%", "a lot")]
    [Change(factor=1.0, term=0.01, said='+1pp'), Change(factor=0.9, term=0.0, said='-10%'), None]
    """
    if not isinstance(wish, str):
        return None
    if values.dtype in (pl.Date, pl.Datetime):
        whole = values.dtype == pl.Datetime or not re.search(r"\d(h|m|s)(\d|$)", wish)  # a date has no hours
        return Delay(wish) if _DELAY.fullmatch(wish) and whole else None
    found = _SHIFT.fullmatch(wish) or _SCALING.fullmatch(wish)
    if not found or not values.dtype.is_numeric():
        return None
    sign, size, unit = found[1], float(found[2]), found["unit"] if "unit" in found.groupdict() else None
    if sign in "*/":
        return Change(size if sign == "*" else 1 / size, 0.0, wish) if size else None
    size = -size if sign == "-" else size
    if unit == "%":
        return Change(1 + size / 100, 0.0, wish)
    points = unit == "pp" and float(values.abs().max() or 0) <= 1  # type: ignore[arg-type]
    return Change(1.0, size / 100 if points else size, wish)


def read_do(texts: Sequence[str]) -> dict[str, Any]:
    """Read what the command line gives: ``smoker = 'no'``, ``rate += 1pp``, ``price *= 1.1``.

    Examples
    --------
    >>> read_do(["smoker = 'no'", "`monthly rate` += 1pp", "price *= 1.1", "day-no = None", "town=Bari"])
    {'smoker': 'no', 'monthly rate': '+1pp', 'price': '*1.1', 'day-no': None, 'town': 'Bari'}

    Raises
    ------
    UserError
        If a text is no such assignment.
    """
    out: dict[str, Any] = {}
    for text in texts:
        found = re.fullmatch(r"\s*(?:`([^`]+)`|(.+?))\s*([-+*/]?)=\s*(.+?)\s*", text)
        if not found:
            raise UserError(f"--do {text!r} could not be read. Write it like: smoker = 'no', rate += 1, price *= 1.1.")
        if found[4].startswith("="):
            raise UserError(f"--do {text!r} compares, but do sets a column: with one '=', such as smoker = 'no'.")
        value: Any = found[4]
        if found[3]:
            value = found[3] + value
        else:
            try:
                value = ast.literal_eval(value)
            except (ValueError, SyntaxError):  # a bare word
                pass
        out[found[1] or found[2]] = value
    return out
