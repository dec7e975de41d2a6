"""The telling values of one column, by what its coder knows: ends, zero, the last step before a digit is added."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from verisyn.kinds._levels import LevelsCoder
from verisyn.kinds._ordered import OrderedCoder
from verisyn.stresses import Case, cell
from verisyn.stresses._ground import Ground


@dataclass(frozen=True)
class Point:
    """A telling value: where it stands in the column's order, what it is in words, and why it matters."""

    value: pl.Series
    case: str
    why: str


def points_of(ground: Ground, name: str) -> Iterator[Point]:
    """Yield the telling values of a column, each once, and only such as the schema allows."""
    from verisyn.kinds import datetime, personal, text
    from verisyn.stresses._moments import moments
    from verisyn.stresses._texts import people, texts

    coder = ground.coders[name]
    found: Iterator[Point] = iter(())
    if isinstance(coder, OrderedCoder):
        found = _ordered(ground, name, coder)
    elif isinstance(coder, datetime.Coder):
        found = moments(ground, name, coder)
    elif isinstance(coder, LevelsCoder):
        found = _levels(ground, name)
    elif isinstance(coder, text.Coder):
        found = texts(ground, name, coder)
    elif isinstance(coder, personal.Coder):
        found = people(ground, name, coder)
    seen: set[Any] = set()
    for point in found:
        key = (point.value.to_physical()[0], str(point.value[0]))  # minus zero is not zero
        if key not in seen and point.value.null_count() == 0:
            seen.add(key)
            yield point


def as_case(name: str, point: Point) -> Case:
    """Return a telling value of one column as a case."""
    return Case(point.case, {name: point.value}, point.why)


def ends_of(ground: Ground, name: str) -> tuple[pl.Series, pl.Series] | None:
    """Return the smallest and largest value of an ordered column, as they may be shown; None for any other."""
    from verisyn.kinds import datetime
    from verisyn.stresses._moments import ends

    coder = ground.coders[name]
    if isinstance(coder, OrderedCoder) and coder.grid:
        low, high = (_written(coder, unit, ground.dtype(name)) for unit in coder.grid.bounds)
        return low, high
    return ends(coder) if isinstance(coder, datetime.Coder) and coder.grids else None


# -- numbers and spans ------------------------------------------------------------------------------------------------
def _written(coder: OrderedCoder, unit: Any, dtype: pl.DataType) -> pl.Series:
    assert coder.grid is not None
    return coder._from_units(np.array([unit], dtype=coder.grid.bounds.dtype)).cast(dtype, strict=False)


def _ordered(ground: Ground, name: str, coder: OrderedCoder) -> Iterator[Point]:
    dtype = ground.dtype(name)
    for word in coder.words:
        yield Point(cell(word, dtype), f"the word {word!r} among the values", "a value that is no number")
    if coder.grid is None:
        return
    whole = coder.grid.bounds.dtype == np.int64
    low, high = coder.grid.bounds
    limits = _allowed(ground, name, coder)
    least, most = limits[0] if limits[0] is not None else low, limits[1] if limits[1] is not None else high
    for unit, case, why in _units(coder, (low, high), limits, whole):
        if not least <= unit <= most:
            continue
        value = _written(coder, unit, dtype)
        back, known = coder._to_units(value)
        if known[0] and (back[0] == unit or not whole):
            yield Point(value, case, why)
            if unit == 0 and dtype.is_float() and not coder.unit:
                yield Point(cell(-0.0, dtype), "minus zero", "equal to zero, but written and hashed otherwise")


def _units(coder: OrderedCoder, seen: tuple[Any, Any], limits: tuple[Any, Any], whole: bool
           ) -> Iterator[tuple[Any, str, str]]:
    """Units on the column's own lattice, in words."""
    def inside(unit: Any, way: int) -> Any:
        return unit + way if whole else np.nextafter(unit, np.inf * way)

    for unit, way, end, side in ((limits[0], 1, "smallest", "above"), (limits[1], -1, "largest", "below")):
        if unit is not None:
            yield unit, f"the {end} value allowed", "the schema's limit"
            yield inside(unit, way), f"one step {side} the {end} value allowed", "just inside the schema's limit"
    for unit, way, end, side in ((seen[0], 1, "smallest", "above"), (seen[1], -1, "largest", "below")):
        yield unit, f"the {end} value", "the end of what is usual"
        yield inside(unit, way), f"one step {side} the {end} value", "just inside the end of what is usual"
    zero = np.int64(0) if whole else 0.0
    yield zero, "zero", "divisors, logarithms and 'is it set?' trip over it"
    if whole:
        yield 1, "one step above zero", "the smallest amount that is not nothing"
        yield -1, "one step below zero", "the first value with a sign"
    yield from _rollovers(coder, seen[1], whole)


def _rollovers(coder: OrderedCoder, high: Any, whole: bool) -> Iterator[tuple[Any, str, str]]:
    """The largest power of ten, and the step before it; for spans, a day and the step before it."""
    if not whole:
        return
    size = float(coder._measures(_written(coder, 1, coder.dtype))[0])
    top = float(coder._measures(_written(coder, high, coder.dtype))[0])
    if not np.isfinite(size) or size <= 0 or not np.isfinite(top) or top < 10:
        return
    at, what = (86_400.0, "one day") if coder.unit else (10.0 ** np.floor(np.log10(top)), "")
    unit = round(at / size)
    if abs(unit * size - at) <= 1e-9 * at:
        yield unit, what or f"{at:,.0f}", "a day is full" if what else "a digit, or a separator, is added here"
        yield unit - 1, f"one step below {what or f'{at:,.0f}'}", (
            "the last span before a day is full" if what else "all nines: the widest value before a digit is added")


def _allowed(ground: Ground, name: str, coder: OrderedCoder) -> tuple[Any, Any]:
    """The stated limits as units inside them; None where none is stated, or the values are no numbers."""
    stated = ground.allowed(name) if not coder.unit else (None, None)
    out: list[Any] = []
    for value, way in zip(stated, (1, -1), strict=True):
        if value is None:
            out.append(None)
            continue
        unit = coder._lattice.units(np.array([float(value)]))[0]  # type: ignore[attr-defined]
        at = float(coder._lattice.values(np.array([unit]))[0])  # type: ignore[attr-defined]
        out.append(unit + way if (value - at) * way > 1e-9 * max(1.0, abs(at)) else unit)
    return out[0], out[1]


# -- levels -----------------------------------------------------------------------------------------------------------
_EMPTY = {"", "-", "--", "?", ".", "n/a", "na", "nan", "nil", "none", "null", "unknown", "undefined", "(other)"}
_MOST = 50


def _levels(ground: Ground, name: str) -> Iterator[Point]:
    levels = ground.levels.get(name)
    if levels is None:
        return
    texts = levels.cast(pl.String)
    sizes = texts.str.len_chars()
    for i in range(len(levels)):
        text, told = texts[i], []
        if ground.seen is not None and len(levels) > 1:
            told += {0: ["the most frequent"], len(levels) - 1: ["the rarest that may be shown"]}.get(i, [])
        if levels.dtype == pl.String:
            told += ["the longest"] if sizes[i] == sizes.max() and len(levels) > 2 else []
            told += list(_odd(text))
        if told or i < _MOST:
            yield Point(levels[i: i + 1], f"level {text!r}", "; ".join(told) or "each level once")


def _odd(text: str) -> Iterator[str]:
    """What is odd about a text, for software."""
    if text.strip().lower() in _EMPTY:
        yield "looks empty, but is a value"
    if text != text.strip():
        yield "begins or ends with a space"
    if not text.isascii():
        yield "has characters beyond ASCII"
    if len(text) > 1 and text[0] == "0" and text.isdigit():
        yield "has leading zeros"
    if any(c in text for c in ",;\t\n\"'|\\"):
        yield "has a separator or a quote"
    if text.lower() in ("true", "false", "yes", "no", "on", "off") or text.replace(".", "", 1).isdigit():
        yield "looks like another type"


