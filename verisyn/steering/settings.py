"""One column of an intervention: which it is, and what it is set to; checked."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any

import numpy as np
import polars as pl

from verisyn.conditions import allowed_codes, parse, typed
from verisyn.errors import UserError, did_you_mean, listed
from verisyn.kinds import BaseCoder, Draw, Feature
from verisyn.modalities.table import Allowed
from verisyn.modalities.table._views import TableCoder
from verisyn.steering.changes import Change, Delay, change_of


@dataclass(frozen=True)
class Setting:
    """One column of an intervention: its coder, where its parts are, and the value or change.

    A column that is recomputed from another is set through that one: `allowed` says by which of its codes.
    """

    column: str
    coder: BaseCoder
    where: slice
    wish: Any
    allowed: Allowed = field(default_factory=dict)

    @property
    def parts(self) -> list[int]:
        """The column's parts."""
        return list(range(self.where.start, self.where.stop))

    @property
    def is_change(self) -> bool:
        """Whether the value is changed rather than replaced."""
        return isinstance(self.wish, Change | Delay)

    @property
    def changes(self) -> bool:
        """Whether what is set depends on what would have been drawn."""
        return self.is_change or len(self.coder.columns) > 1

    def drawn(self, codes: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
        """Return the values of the coder's columns."""
        return self.coder.decode(codes, Draw(rng, rng.integers(0, 2**62, len(codes))))

    def applied(self, drawn: pl.DataFrame) -> pl.DataFrame:
        """Return the coder's columns, this one set or changed."""
        own = drawn[self.column]
        if isinstance(self.wish, Change | Delay):
            return drawn.with_columns(self.wish.of(own).alias(self.column))
        return drawn.with_columns(pl.lit(self.wish, dtype=own.dtype).alias(self.column))

    def feature(self, frame: pl.DataFrame) -> Feature:
        """Return the set column among those of its coder."""
        found = self.coder.features(frame)
        return next((f for f in found if f.name == self.column), found[0])

    def __str__(self) -> str:
        return f"{self.column!r} is " + (f"changed by {self.wish}" if self.is_change else f"set to {self.wish!r}")


def setting_of(column: str, wish: Any, coder: TableCoder) -> Setting:
    """Check a column and what it is to be.

    Raises
    ------
    UserError
        If the column is unknown or not drawn, the value does not fit it or is one the model never saw.
    """
    own, where = next(((c, w) for c, w in coder.slices() if column in c.columns), (None, slice(0)))
    if own is None:
        raise UserError(f"do names the column {column!r}, which is not there. {did_you_mean(column, coder.columns)}")
    if column in own.recomputed:
        return _through_its_source(column, wish, own, where, coder)
    if not own.learnt or (wish is not None and all(p.size - (p.missing >= 0) < 2 for p in own.parts)):
        raise UserError(f"do cannot set the column {column!r}: nothing responds to it, because the model learnt "
                        "nothing of its values. Change that column after sampling instead.")
    wish = None if isinstance(wish, float) and math.isnan(wish) else wish
    values = each_code(own)[column]
    if change := change_of(wish, values):
        return Setting(column, own, where, change)
    value = typed(wish.isoformat() if isinstance(wish, date | time) else wish, values.dtype)
    _check(column, value, own, values.dtype)
    return Setting(column, own, where, value)


def each_code(coder: BaseCoder) -> pl.DataFrame:
    """Return a row for each code of the coder's first part, for types and sizes."""
    codes = np.zeros((coder.parts[0].size, len(coder.parts)), np.int32)
    codes[:, 0] = np.arange(len(codes))
    return coder.decode(codes, Draw(np.random.default_rng(0), np.zeros(len(codes), np.int64)))


def _through_its_source(column: str, wish: Any, own: BaseCoder, where: slice, coder: TableCoder) -> Setting:
    """Set a recomputed column by the codes of its source that give the value."""
    allowed: Allowed = {}
    if not own.needs and not change_of(wish, each_code(own)[column]):
        allowed = allowed_codes(parse({column: wish}, coder.columns), coder, np.random.default_rng(0))
    if not any(mask.any() for mask in allowed.values()):
        others = [name for name in own.columns if name not in own.recomputed] + list(own.needs)
        raise UserError(f"do cannot set {column!r} to {wish!r}: it is recomputed from {listed(others)}, and no value "
                        "there is known to give that. Set those columns instead.")
    return Setting(column, own, where, wish, allowed)


def _check(column: str, value: Any, coder: BaseCoder, dtype: pl.DataType) -> None:
    """Refuse a value of another type, a level that the model never saw, missing where nothing was."""
    try:
        series = pl.Series(column, [value], dtype=dtype)
    except (TypeError, pl.exceptions.PolarsError):
        raise UserError(f"do sets {column!r} to {value!r}, which is no value of that column ({dtype}).") from None
    if value is None:
        if all(part.missing < 0 for part in coder.parts):
            raise UserError(f"do sets {column!r} to missing, but the model never saw it missing, so how the other "
                            "columns would respond is not known.")
        return
    if len(coder.columns) > 1:
        return
    feature = coder.features(series.to_frame())[0]
    if feature.levels and feature.values[0] >= len(feature.labels):
        raise UserError(f"do sets {column!r} to {value!r}, a level that the model does not know, so how the other "
                        f"columns would respond is not known. {did_you_mean(str(value), feature.labels)}")
