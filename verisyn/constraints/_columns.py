"""How constraints see columns: which are measured, which have levels, and their values as numbers."""

from __future__ import annotations

import numpy as np
import polars as pl

from verisyn import shelves
from verisyn.errors import UserError, did_you_mean
from verisyn.kinds import _datetext
from verisyn.kinds._lattice import Lattice, find
from verisyn.kinds._levels import LevelsCoder
from verisyn.schema import Column, Constraint, Table

LEAST_ROWS = 50
"""Fewer rows tell of no constraint."""
CHANCE = 1e-6
"""How likely a finding of one kind of constraint in a whole table of unrelated columns may be."""
_SCREEN = 2_000


def alone(column: Column) -> bool:
    """Whether a column is learnt (not regenerated, as ids are), and by itself (not as half of a place)."""
    kind = shelves.kinds.take(column.kind)
    return getattr(kind, "modelled", True) and not hasattr(kind, "group")


def has_levels(column: Column) -> bool:
    """Whether a column's kind gives it levels without an order."""
    return issubclass(shelves.kinds.take(column.kind).Coder, LevelsCoder)


def numbers(frame: pl.DataFrame, table: Table) -> list[str]:
    """Names of the learnt columns that hold measured or counted numbers."""
    return [c.name for c in table.columns
            if alone(c) and not has_levels(c) and "format" not in c.settings and frame[c.name].dtype.is_numeric()]


def moments(frame: pl.DataFrame, table: Table) -> list[str]:
    """Names of the learnt columns that hold dates, times or moments, also written as text."""
    return [c.name for c in table.columns if alone(c) and not frame[c.name].dtype.is_numeric()
            and (isinstance(c.settings.get("format"), str) or frame[c.name].dtype in (pl.Date, pl.Datetime))]


def order(series: pl.Series, form: str | None = None) -> np.ndarray:
    """Return values as float64 in their order (NaN is missing); `form` is the format of moments written as text."""
    return plain(series, form).cast(pl.Float64, strict=False).to_numpy()


def parsed(series: pl.Series, form: str | None) -> pl.Series:
    """Return moments written as text, in a format, as moments; other values as they are."""
    return _datetext.parse(series, form) if series.dtype == pl.String and form else series


def plain(series: pl.Series, form: str | None) -> pl.Series:
    """Return values as the numbers they are kept as; `form` is the format of moments written as text."""
    return parsed(series, form).to_physical()


def typed(values: pl.Series, like: pl.Series, form: str | None) -> pl.Series:
    """Return what :func:`plain` made in the type, or the written form, of `like`."""
    if like.dtype == pl.String and form:
        kind = _datetext.parse(like, form).dtype
        return _datetext.write(typed(values, pl.Series([], dtype=kind), None), form)
    return values.cast(like.to_physical().dtype).cast(like.dtype)


def screen(frame: pl.DataFrame, rows: int = _SCREEN) -> pl.DataFrame:
    """Evenly spaced rows, for a first look."""
    return frame.gather_every(max(1, frame.height // rows)).head(rows)


def codes(series: pl.Series) -> np.ndarray:
    """Return a code from 1 on for each distinct value, 0 where it is missing; int64."""
    if series.dtype == pl.String:
        series = series.cast(pl.Categorical)
    return series.to_physical().cast(pl.Int64 if series.dtype == pl.Boolean else series.to_physical().dtype).rank(
        "dense").fill_null(0).cast(pl.Int64).to_numpy()


def lattice(series: pl.Series) -> Lattice:
    """The decimals that a numeric column keeps to."""
    if series.dtype.is_integer():
        return Lattice(0)
    values = series.drop_nulls().cast(pl.Float64).to_numpy()
    known = values[np.isfinite(values)]
    return Lattice(find(known, 2.0**-23 if series.dtype == pl.Float32 else 2.0**-52).decimals)


def settings(constraint: Constraint, known: dict[str, tuple[type, ...]]) -> dict:
    """Return the settings of a constraint after checking their names and types."""
    for name, value in constraint.settings.items():
        where = f"The setting {name!r} of the constraint {constraint.kind!r} on {spoken(constraint.columns)}"
        if name not in known:
            raise UserError(f"{where} is not known. {did_you_mean(name, known)} Correct it, or take it out.")
        if not isinstance(value, known[name]):
            wanted = " or ".join(t.__name__ for t in known[name])
            raise UserError(f"{where} is {value!r}, but {wanted} is expected. Correct it in the schema.")
    return constraint.settings


def at_least(constraint: Constraint, columns: int) -> None:
    """Refuse a constraint that names too few columns."""
    if len(constraint.columns) < columns:
        raise UserError(f"The constraint {constraint.kind!r} names {spoken(constraint.columns)}, but it speaks of at "
                        f"least {columns} columns. Correct it in the schema.")


def spoken(names: tuple[str, ...] | list[str]) -> str:
    """Names for a sentence.

    Examples
    --------
    >>> spoken(["a", "b", "c"])
    "'a', 'b' and 'c'"
    """
    quoted = [repr(n) for n in names]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
