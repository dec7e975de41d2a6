"""Values keep to limits: a minimum, a maximum, or both (no count below 0, no percentage above 100)."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from verisyn.constraints import BaseRule, _columns
from verisyn.errors import UserError
from verisyn.schema import Constraint, Table

shrinks_to = 1
_PERCENT = re.compile(r"%|percent|(?:^|[^a-z])(pct|perc)(?:$|[^a-z])", re.IGNORECASE)


def find(frame: pl.DataFrame, table: Table) -> list[Constraint]:
    """Find only natural limits, which tell nothing of any row: nothing below 0, percentages up to 100."""
    if frame.height < _columns.LEAST_ROWS:
        return []
    names = [n for n in _columns.numbers(frame, table) if frame[n].count()]
    names = [n for n in names if frame[n].min() >= 0 and frame[n].n_unique() > 1]  # type: ignore[operator]
    percents = [n for n in names if _PERCENT.search(n) and frame[n].max() <= 100]  # type: ignore[operator]
    others = [n for n in names if n not in percents]
    said = f"in all {frame.height:,} rows"
    return [Constraint(kind="range", columns=tuple(ns), settings=limits, evidence=f"{what} {said}.")
            for ns, limits, what in ((others, {"minimum": 0}, "Nothing is below 0"),
                                     (percents, {"minimum": 0, "maximum": 100}, "Percentages lie between 0 and 100"))
            if ns]


@dataclass(frozen=True)
class Rule(BaseRule):
    """The limits; a value beyond one is set to it."""

    minimum: float | int | None
    maximum: float | int | None

    @classmethod
    def learn(cls, constraint: Constraint, frame: pl.DataFrame, table: Table) -> Rule:
        """Read the limits."""
        number = (int, float)
        given = _columns.settings(constraint, {"minimum": number, "maximum": number})
        low, high = given.get("minimum"), given.get("maximum")
        where = f"The constraint 'range' on {_columns.spoken(constraint.columns)}"
        if low is None and high is None:
            raise UserError(f"{where} has neither 'minimum' nor 'maximum'. Give at least one in the schema.")
        if low is not None and high is not None and low > high:
            raise UserError(f"{where} has minimum {low} above maximum {high}. Correct them in the schema.")
        for n in constraint.columns:
            if not frame[n].dtype.is_numeric():
                raise UserError(f"{where} speaks of {n!r}, which holds {frame[n].dtype}; limits are for numbers. "
                                "Correct it in the schema.")
        return cls(constraint.columns, (), low, high)

    @property
    def sentence(self) -> str:
        """What holds."""
        low, high = self.minimum, self.maximum
        limits = f"between {low} and {high}" if None not in (low, high) else \
            f"at least {low}" if high is None else f"at most {high}"
        verb = "is" if len(self.columns) == 1 else "are"
        names = self.columns if len(self.columns) <= 4 else (*self.columns[:3], f"{len(self.columns) - 3} more columns")
        return f"{_columns.spoken(names)} {verb} {limits}"

    def broken(self, frame: pl.DataFrame) -> np.ndarray:
        """Rows with a value beyond a limit."""
        out = np.zeros(frame.height, bool)
        for n in self.columns:
            beyond = pl.repeat(False, frame.height, eager=True)
            if self.minimum is not None:
                beyond = beyond | (frame[n] < self.minimum)
            if self.maximum is not None:
                beyond = beyond | (frame[n] > self.maximum)
            out |= beyond.fill_null(False).to_numpy()
        return out

    def mend(self, frame: pl.DataFrame, broken: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
        """Set what is beyond a limit to it."""
        rows = frame.filter(pl.Series(broken))
        whole = {n for n in self.columns if rows[n].dtype.is_integer()}
        low, high = self.minimum, self.maximum
        return rows.with_columns(
            pl.col(n).clip(int(np.ceil(low)) if low is not None and n in whole else low,
                           int(np.floor(high)) if high is not None and n in whole else high) for n in self.columns)
