"""Brings rows of another source to the real data's columns, types and levels, and says all that it took."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

import polars as pl

from verisyn.errors import UserError, did_you_mean
from verisyn.metrics._conform import conform
from verisyn.schema import Table

_CHANCE = 0.05
"""Rows of the real data may well occur elsewhere too; so much more often than among themselves says that they were
copied."""


@dataclass(frozen=True)
class Aligned:
    """Rows with the real data's columns and types.

    Parameters
    ----------
    frame : polars.DataFrame
    shared : tuple of str
        The columns for which the source has values; all others are missing throughout.
    notes : tuple of str
        What it took.
    """

    frame: pl.DataFrame
    shared: tuple[str, ...]
    notes: tuple[str, ...]


def align(frame: pl.DataFrame, real: pl.DataFrame, table: Table, what: str, target: str | None = None) -> Aligned:
    """Return the rows of `frame` with the columns and types of `real`.

    Columns are matched by name, then by name without regard to case, spaces, underscores, hyphens and dots.

    Parameters
    ----------
    table : Table
        What each real column is.
    what : str
        What `frame` is, for messages, for example ``"the open data 'census'"``.
    target : str, optional
        A column that must have values.

    Raises
    ------
    UserError
        If there are no rows, no column is shared, or the target has no values.

    Examples
    --------
    >>> from verisyn.description import describe
    >>> real = pl.DataFrame({"age": [31, 42], "Job title": ["cook", "clerk"]})
    >>> other = pl.DataFrame({"AGE": ["50", "61"], "job_title": ["cook", "pilot"], "city": ["Rome", "Oslo"]})
    >>> found = align(other, real, describe(real).table, "the open data 'x'")
    >>> found.frame.rows()
    [(50, 'cook'), (61, 'pilot')]
    >>> found.notes[0]
    "In the open data 'x', 'AGE' was taken for 'age' and 'job_title' for 'Job title'."
    """
    start = f"{what[0].upper()}{what[1:]}"
    if not frame.height:
        raise UserError(f"{start} has no rows, so there is nothing to blend. Give rows, or leave it out.")
    named = _matched(frame.columns, real.columns, what)
    if not named:
        raise UserError(f"{start} shares no column with the real data: it has {_listed(frame.columns)}; the real data "
                        f"has {_listed(real.columns)}. Rename its columns to the real data's names.")
    notes = _renamed(named, what)
    lacking = [name for name in real.columns if name not in named.values()]
    frame = frame.select(pl.exclude(lacking)).rename({old: new for old, new in named.items() if old != new})
    frame = frame.with_columns(pl.lit(None, dtype=real.schema[name]).alias(name) for name in lacking)
    typed, more = conform(frame, real, real.columns, what)
    rounded, rest = _typed(typed, real, what)
    other = [name for name in named.values() if not _held(rounded, name) and _held(frame, name)]
    shared = tuple(name for name in real.columns if name in named.values() and _held(rounded, name))
    notes += [_sentence(note) for note in [*more, *rest]]
    if lacking:
        are = "it is" if len(lacking) == 1 else "they are"
        notes.append(f"{start} has no {_listed(lacking)}; {are} missing in its rows, and neither its distance nor its "
                     "weights rest on that.")
    _must_be_shared(shared, other, real, start)
    if target is not None and target not in shared:
        raise UserError(f"{start} has no values for the target {target!r}, so its rows cannot help to predict it. "
                        f"{did_you_mean(target, frame.columns) if target in lacking else ''} Add them, or leave the "
                        "source out.".replace("  ", " "))
    return Aligned(rounded, shared, (*notes, *_unknown_levels(rounded, real, table, shared, start)))


def without_copies(found: Aligned, real: pl.DataFrame, what: str) -> Aligned:
    """Leave out rows that are rows of the real data, where they are too many for chance.

    Such a row would stand among those that a model learns from and those that it is tested on.
    """
    keys, own = (frame.select(found.shared).hash_rows(seed=0) for frame in (found.frame, real))
    same = keys.is_in(own.implode())
    doubles = float(own.is_duplicated().mean())  # type: ignore[arg-type]
    if same.mean() <= doubles + _CHANCE:  # type: ignore[operator]
        return found
    if same.all():
        raise UserError(f"All rows of {what} are rows of the real data, cell by cell, so it adds nothing. Leave it "
                        "out.")
    note = (f"{int(same.sum()):,} of {len(same):,} rows of {what} are rows of the real data, cell by cell, and were "
            "left out: a model would be tested on rows that it had learnt from.")
    return Aligned(found.frame.filter(~same), found.shared, (*found.notes, note))


def _plain(name: str) -> str:
    return re.sub(r"[\s_.\-]+", "", unicodedata.normalize("NFKC", name).casefold())


def _matched(names: list[str], real: list[str], what: str) -> dict[str, str]:
    """Which column of the source is which real one; a name that fits as it stands comes first."""
    same = {name: name for name in names if name in real}
    left = {name: _plain(name) for name in names if name not in same}
    wanted = {name: _plain(name) for name in real if name not in same}
    unclear = Counter(wanted.values())
    for name, plain in wanted.items():
        fits = [other for other, p in left.items() if p == plain]
        if len(fits) > 1 and unclear[plain] == 1:
            raise UserError(f"In {what}, {_listed(fits)} could each be the real data's {name!r}. Rename one of them to "
                            f"{name!r}, and leave out the others.")
        if len(fits) == 1 and unclear[plain] == 1:
            same[fits[0]] = name
    return same


def _renamed(named: dict[str, str], what: str) -> list[str]:
    other = [(old, new) for old, new in named.items() if old != new]
    if not other:
        return []
    first = f"{other[0][0]!r} was taken for {other[0][1]!r}"
    rest = [f"{old!r} for {new!r}" for old, new in other[1:6]]
    more = [f"{len(other) - 6} more likewise"] if len(other) > 6 else []
    told = [first, *rest, *more]
    return [f"In {what}, {' and '.join([', '.join(told[:-1]), told[-1]] if len(told) > 1 else told)}."]


def _typed(frame: pl.DataFrame, real: pl.DataFrame, what: str) -> tuple[pl.DataFrame, list[str]]:
    """Give every column the real type; fractions in a column of whole numbers are rounded, and said."""
    columns, notes = [], []
    for column in frame:
        dtype = real.schema[column.name]
        if column.dtype != dtype and dtype.is_integer():
            column = column.fill_nan(None)
            broken = int(((column % 1) != 0).sum())
            notes.append(f"{broken:,} values of {column.name!r} in {what} have fractions, where the real data has "
                         "whole numbers; they were rounded")
            column = column.round()
        columns.append(column.cast(dtype, strict=False) if column.dtype != dtype else column)
    return pl.DataFrame(columns), notes


def _held(frame: pl.DataFrame, name: str) -> bool:
    return frame[name].null_count() < frame.height


def _must_be_shared(shared: tuple[str, ...], other: list[str], real: pl.DataFrame, start: str) -> None:
    if shared:
        return
    if not other:
        raise UserError(f"{start} shares only columns without any value with the real data. Give rows with values, or "
                        "leave it out.")
    raise UserError(f"{start} shares {_listed(other)} with the real data by name, but holds values of another type "
                    f"there: {other[0]!r} is {real.schema[other[0]]} in the real data. Convert its columns, or leave "
                    "it out.")


def _unknown_levels(frame: pl.DataFrame, real: pl.DataFrame, table: Table, shared: tuple[str, ...],
                    start: str) -> list[str]:
    """Count the levels that the real data does not have, in columns of few levels."""
    notes = []
    for column in table.columns:
        if column.name not in shared or frame.schema[column.name] not in (pl.String, pl.Boolean):
            continue
        known, values = real[column.name].drop_nulls().unique(), frame[column.name].drop_nulls()
        if known.len() > max(20, real.height // 5):
            continue  # names or text: new values are what is to be expected
        new = values.filter(~values.is_in(known.implode()))
        if new.len():
            levels = sorted(map(str, new.unique().to_list()))
            number = f"{len(levels)} levels" if len(levels) > 1 else "1 level"
            notes.append(f"{start} holds {number} of {column.name!r} that the real data does not have, in "
                         f"{new.len():,} rows: {_listed(levels)}.")
    return notes


def _listed(names: list[str]) -> str:
    more = f", … ({len(names)} in all)" if len(names) > 6 else ""
    return f"{', '.join(map(repr, names[:6]))}{more}"


def _sentence(note: str) -> str:
    return f"{note[0].upper()}{note[1:]}{'' if note.endswith('.') else '.'}"
