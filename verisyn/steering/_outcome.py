"""The outcome that fairness speaks of: its classes, their chances given all else in the row, and how it is redrawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from verisyn.backticks import quoted
from verisyn.conditions import Condition, parse
from verisyn.drawing import Drawing
from verisyn.errors import UserError, did_you_mean
from verisyn.kinds import BaseCoder, Draw
from verisyn.modalities.table._views import TableCoder
from verisyn.steering import _redraw

_MOST, _DRAWS, _TRIES = 20, 64, 30
_MEANT = ("true", "1", "1.0", "yes", "y")


@dataclass(frozen=True)
class Outcome:
    """One column, and what its values amount to.

    Parameters
    ----------
    column : str
    coder : BaseCoder
        It has one part.
    part : int
        Which part of the table that is.
    classes : tuple of str
        What each class is called; where something is favourable, that is class 1, and all else class 0.
    members : float array of shape (codes, classes)
        Which share of each code's values belongs to each class; 0 for a missing value.
    told : Condition or Series
        What is favourable, or the value of each class.
    """

    column: str
    coder: BaseCoder
    part: int
    classes: tuple[str, ...]
    members: np.ndarray
    told: Condition | pl.Series

    @classmethod
    def read(cls, column: Any, favourable: Any, coder: TableCoder) -> Outcome:
        """Check the outcome and what is favourable.

        Parameters
        ----------
        column : str
        favourable : optional
            A value, a list of values, a range ``(low, high)`` or a comparison such as ``">= 50000"``.
        coder : TableCoder

        Raises
        ------
        UserError
            If there is no such column, it has one value only, or it is a number without what is favourable.
        """
        own, part = _home(column, coder)
        values = _values(own, column)
        if favourable is None:
            return cls(column, own, part, *_levels(own, values))
        level = str(favourable) in values.cast(pl.String)  # some levels are written as comparisons are: >50K
        compares = isinstance(favourable, str) and not level and favourable.strip()[:1] in {"<", ">", "=", "!"}
        favourable = tuple(favourable) if isinstance(favourable, list) and _is_range(favourable, values) else favourable
        condition = parse(f"{quoted(column)} {favourable}" if compares else {column: favourable}, coder.columns)
        share = condition.holds(values.to_frame()).reshape(-1, _DRAWS)
        known = values.is_not_null().to_numpy().reshape(-1, _DRAWS)
        members = np.column_stack([(known & ~share).mean(axis=1), (known & share).mean(axis=1)])
        if not (members.sum(axis=0) > 0).all():
            what = "every value" if members[:, 1].any() else "no value"
            raise UserError(f"fair calls {favourable!r} favourable, but that is {what} of {column!r}. Values of it "
                            f"are {_shown(values)}.")
        return cls(column, own, part, (f"not {favourable}", str(favourable)), members, condition)

    @property
    def favoured(self) -> int:
        """The class that figures of two classes speak of: the favourable one; what is usually meant; or the rarer."""
        meant = [i for i, c in enumerate(self.classes) if c.lower() in _MEANT]
        return meant[0] if meant and not isinstance(self.told, Condition) else 1

    @property
    def asked(self) -> tuple[int, ...]:
        """The classes that are made fair: of two the favoured one, else all."""
        return (self.favoured,) if len(self.classes) == 2 else tuple(range(len(self.classes)))

    def of(self, frame: pl.DataFrame) -> np.ndarray:
        """Return the class of each row, int (rows,); -1 where the outcome is missing or of no class."""
        if isinstance(self.told, Condition):
            return np.where(frame[self.column].is_null().to_numpy(), -1, self.told.holds(frame).astype(int))
        return _indices(frame[self.column], self.told)

    def chances(self, codes: np.ndarray, drawing: Drawing) -> np.ndarray:
        """Return the probability of each code of the outcome given all other columns of the row, (rows, codes)."""
        return _redraw.chances(codes, self.part, np.flatnonzero(self.members.any(axis=1)), drawing)

    def redrawn(self, frame: pl.DataFrame, wanted: np.ndarray, chances: np.ndarray, drawing: Drawing,
                rng: np.random.Generator) -> tuple[pl.DataFrame, np.ndarray]:
        """Give rows an outcome of the wanted class, drawn by the chances of its codes; all else stays as it is.

        Returns
        -------
        frame : DataFrame
        done : bool array of shape (rows,)
            Not where the row would break a constraint, or no code has such a class.
        """
        weight = chances * self.members[:, wanted].T
        possible = weight.any(axis=1)
        code = _redraw.drawn(weight, rng)
        new = _redraw.decoded(self.coder, code, rng)
        for _ in range(_TRIES):  # a bin may hold values of both classes
            off = np.flatnonzero(possible & (self.of(new) != wanted))
            if not len(off):
                break
            new = _redraw.exchanged(new, off, _redraw.decoded(self.coder, code[off], rng))
        changed, sound = _redraw.put(frame, new, drawing, rng)
        return changed, possible & sound & (self.of(changed) == wanted)


def _home(column: Any, coder: TableCoder) -> tuple[BaseCoder, int]:
    found = next(((c, w) for c, w in coder.slices() if column in c.columns), None)
    if found is None:
        raise UserError(f"fair names the outcome {column!r}, which is no column. {did_you_mean(column, coder.columns)}")
    own, where = found
    if own.needs:
        raise UserError(f"The outcome {column!r} is recomputed from {', '.join(map(repr, own.needs))}, so it cannot be "
                        "redrawn by itself. Name one of these columns, or take the constraint out of the schema.")
    if not own.learnt or len(own.parts) != 1:
        raise UserError(f"The outcome {column!r} cannot be made fair: its kind, {own.kind!r}, is not drawn as one "
                        "value. Choose a category, a yes/no column or a number.")
    return own, where.start


def _values(own: BaseCoder, column: str) -> pl.Series:
    """64 values of each code in turn."""
    rng, codes = np.random.default_rng(0), np.repeat(np.arange(own.parts[0].size, dtype=np.int32), _DRAWS)
    return own.decode(codes[:, None], Draw(rng, rng.integers(0, 2**62, len(codes))))[column]


def _levels(own: BaseCoder, values: pl.Series) -> tuple[tuple[str, ...], np.ndarray, pl.Series]:
    """The classes of a column by its values, which share of each code's values is of each, and the values."""
    column, classes = values.name, values.drop_nulls().unique(maintain_order=True)
    if len(classes) < 2:
        raise UserError(f"The outcome {column!r} has one value only, so there is nothing to be fair about. Choose "
                        "another column.")
    number = own.parts[0].ordered and len(classes) > 2
    if number or len(classes) > _MOST:
        what = "is no category" if number else f"has {len(classes)} levels, more than {_MOST}"
        raise UserError(f"The outcome {column!r} {what}, so say which of its values are favourable, for example "
                        f"'favourable': '>= 50000', or a list of values. Values of it are {_shown(values)}.")
    of = _indices(values, classes).reshape(-1, _DRAWS)
    members = np.column_stack([(of == i).mean(axis=1) for i in range(len(classes))])
    return tuple(map(str, classes)), members, classes


def _indices(values: pl.Series, classes: pl.Series) -> np.ndarray:
    """Which class each value is; -1 for none."""
    if not (values.dtype.is_numeric() or values.dtype == pl.Boolean):
        values, classes = values.cast(pl.String), classes.cast(pl.String)
    at = pl.Series(range(len(classes)), dtype=pl.Int64)
    return values.replace_strict(classes, at, default=-1, return_dtype=pl.Int64).fill_null(-1).to_numpy()


def _is_range(favourable: list[Any], values: pl.Series) -> bool:
    """Whether a list of two is a range, as YAML writes one: an end is open, or these are two numbers of many."""
    return len(favourable) == 2 and (None in favourable or (values.dtype.is_numeric() and values.n_unique() > _MOST))


def _shown(values: pl.Series) -> str:
    known = values.drop_nulls().unique(maintain_order=True)
    return ", ".join(map(repr, known.head(6).to_list())) + (", …" if len(known) > 6 else "")
