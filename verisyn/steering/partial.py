"""Rows of which a part is given: each is completed from the model's distribution given that part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from verisyn.answers import EVERY_ROW
from verisyn.conditions import typed
from verisyn.data import read
from verisyn.drawing import Drawing, child
from verisyn.errors import UserError, did_you_mean
from verisyn.imputation import impute, with_columns_of
from verisyn.modalities.table._views import TableCoder

_SLIM = 1e-4


@dataclass(frozen=True)
class Partial:
    """Partial rows, in the model's columns and types; a cell without a value is to be drawn."""

    frame: pl.DataFrame

    @classmethod
    def read(cls, native: Any, coder: TableCoder) -> Partial:
        """Check columns and values.

        Raises
        ------
        UserError
            If a column is unknown, a value does not fit it, or is a level that the model never saw.
        """
        frame = read(native, fit_rows=EVERY_ROW).frame
        for name in frame.columns:
            if name not in coder.columns:
                raise UserError(f"The rows to complete have a column {name!r}, which the model does not know. "
                                f"{did_you_mean(name, coder.columns)}")
        return cls(frame)

    def draw(self, rows: int, drawing: Drawing, root: np.random.SeedSequence,
             say: Callable[[str, bool], None]) -> pl.DataFrame:
        """Complete the rows in turn, as often as `rows` needs, in their order; what is given stays as it is."""
        given = self._fitting(drawing)
        given = given[np.arange(rows) % given.height]
        frame, = impute(given, drawing, 1, child(root, 0))
        codes = drawing.coder.encode(frame).values
        self._tell(frame, given, codes, drawing, say)
        own = drawing.decode(codes, child(root, 1))
        regenerated = [n for c in drawing.coder.coders if not c.learnt for n in c.columns]
        return frame.with_columns(pl.coalesce(frame[n], own[n]).alias(n) for n in regenerated).select(own.columns)

    def _fitting(self, drawing: Drawing) -> pl.DataFrame:
        """The rows in the model's types, their values checked."""
        blank = drawing.coder.blank()
        columns = []
        for column in self.frame:
            wanted = blank[column.name].dtype
            try:
                fitting = _cast(column, wanted)
                lost = _lost(column, fitting)
            except (pl.exceptions.PolarsError, TypeError):
                raise UserError(f"The rows to complete hold {column.dtype} in {column.name!r}, where the model has "
                                f"{wanted}. Give values of that type.") from None
            if len(lost):
                raise UserError(f"Row {lost[0] + 1} of the rows to complete has {column.name!r} = "
                                f"{column[int(lost[0])]!r}, which is no {wanted}, as the model has there. Give values "
                                "of that type.")
            columns.append(fitting)
        frame = with_columns_of(pl.DataFrame(columns), drawing).select(drawing.coder.columns)
        _check_levels(frame, drawing.coder)
        return frame

    def _tell(self, frame: pl.DataFrame, given: pl.DataFrame, codes: np.ndarray, drawing: Drawing,
              say: Callable[[str, bool], None]) -> None:
        """Say, as an alarm, in how many rows the model gives what is given hardly any chance."""
        log_p, slim, first = drawing.fitted.log_prob(codes), np.zeros(frame.height, bool), ""
        for coder, where in drawing.coder.slices():
            known = [name for name in coder.columns if given[name].null_count() < given.height]
            if not known or not coder.parts:
                continue
            here = given[known[0]].is_not_null().to_numpy() & (log_p[:, where].sum(axis=1) < np.log(_SLIM))
            if here.any() and not first:
                first = f"row {int(np.argmax(here)) + 1}: {known[0]} = {given[known[0]][int(np.argmax(here))]!r}"
            slim |= here
        if slim.any():
            say(f"In {slim.sum():,} of {len(slim):,} rows the model gives a value that was given a chance of less than "
                f"{_SLIM:.0e}, beside the others of its row (first {first}): the rest of such rows is extrapolated.",
                True)
        for rule in drawing.coder.rules.rules:
            broken = rule.broken(frame)
            if broken.any() and set(self.frame.columns) & set(rule.columns):
                say(f"In {broken.sum():,} of {len(broken):,} rows (first row {int(np.argmax(broken)) + 1}) it does not "
                    f"hold that {rule.sentence}: what was given overrules it.", True)


def _cast(column: pl.Series, wanted: pl.DataType) -> pl.Series:
    """Return values of the model's type; dates, times, yes and no may be spelt, as files have them."""
    if column.dtype == pl.String and (wanted.is_temporal() or wanted == pl.Boolean):
        return pl.Series(column.name, [typed(value, wanted) for value in column], dtype=wanted)
    return column.cast(wanted)


def _lost(column: pl.Series, fitting: pl.Series) -> np.ndarray:
    """Return the rows whose values another type does not hold: 1.7 as a whole number, a number as a date."""
    here, there = column.dtype, fitting.dtype
    if here == pl.Null or column.null_count() == len(column):
        return np.empty(0, int)
    if here.is_numeric() and there.is_temporal():
        return np.flatnonzero(column.is_not_null().to_numpy())
    if (here.is_numeric() and there.is_integer()) or (here.is_temporal() and there == pl.Date):
        return np.flatnonzero(fitting.cast(here).ne_missing(column).to_numpy())
    return np.empty(0, int)


def _check_levels(frame: pl.DataFrame, coder: TableCoder) -> None:
    for own in coder.coders:
        for feature in own.features(frame) if own.learnt else ():
            if not feature.levels or feature.name not in frame.columns:
                continue
            unknown = np.flatnonzero(feature.values >= len(feature.labels))
            if len(unknown) and len(feature.labels) == feature.levels - 1:
                row = int(unknown[0])
                raise UserError(f"Row {row + 1} of the rows to complete has {feature.name!r} = "
                                f"{frame[feature.name][row]!r}, a level that the model does not know. "
                                f"{did_you_mean(str(frame[feature.name][row]), feature.labels)}")
