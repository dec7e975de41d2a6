"""One column says whether another must, or must not, be missing: if A is such-and-such, B is (not) missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from verisyn.constraints import BaseRule, _columns
from verisyn.constraints._donors import filled
from verisyn.errors import UserError
from verisyn.kinds._settings import shared_by
from verisyn.schema import Constraint, Table

_LEVELS = 50


def find(frame: pl.DataFrame, table: Table) -> list[Constraint]:
    """Find for each column with gaps the one whose levels say most about them, level by level.

    A level says that B is missing (or present) if all its rows agree, and were B's gaps scattered at random, all of
    them would not.
    """
    gappy = [c.name for c in table.columns
             if _columns.alone(c) and 0 < frame[c.name].null_count() < frame.height]
    if frame.height < _columns.LEAST_ROWS or not gappy:
        return []
    sayers = list(_sayers(frame, table))
    chance = np.log(_columns.CHANCE / max(1, len(gappy) * sum(len(labels) for _, _, labels in sayers)))
    gone = np.column_stack([frame[b].is_null().to_numpy() for b in gappy])
    lacks, share = gone.astype(np.float32), gone.mean(axis=0)
    log_present, log_missing = np.log1p(-share), np.log(share)
    best: dict[str, tuple[int, Constraint]] = {}
    for a, codes, labels in sayers:
        hot = np.eye(len(labels) + 1, dtype=np.float32)[codes][:, 1:]
        rows = hot.sum(axis=0, dtype=np.float64)[:, None]
        lacking = hot.T @ lacks
        never = (lacking == 0) & (rows * log_present < chance)
        always = (lacking == rows) & (rows * log_missing < chance)
        for i in np.flatnonzero(always.any(axis=0)):
            covered = int(rows[never[:, i] | always[:, i]].sum())
            together = np.array_equal(frame[a].is_null().to_numpy(), gone[:, i])  # found as such
            if not together and covered > best.get(gappy[i], (0,))[0]:
                best[gappy[i]] = covered, _constraint(a, gappy[i], labels, always[:, i], never[:, i], covered)
    return [c for _, c in best.values()]


def _constraint(a: str, b: str, labels: list, always: np.ndarray, never: np.ndarray, rows: int) -> Constraint:
    settings = {"missing_when": [v for v, yes in zip(labels, always, strict=True) if yes],
                "present_when": [v for v, yes in zip(labels, never, strict=True) if yes]}
    return Constraint(kind="required", columns=(a, b), settings={k: v for k, v in settings.items() if v},
                      evidence=f"{a!r} says whether {b!r} is missing, in all the {rows:,} rows concerned.")


def _sayers(frame: pl.DataFrame, table: Table) -> Iterator[tuple[str, np.ndarray, list[Any]]]:
    """Columns of few values, with a code for each value (missing too) that k rows share; 0 is any other."""
    k, look = shared_by({}, frame.height), _columns.screen(frame)
    for column in table.columns:
        values = _plain(frame[column.name])
        able = values.dtype in (pl.String, pl.Boolean) or values.dtype.is_numeric()
        if able and _columns.alone(column) and 1 < look[column.name].n_unique() <= _LEVELS:
            codes = _columns.codes(values)
            counts = pl.DataFrame({"code": codes, "value": values}).group_by("code").agg(
                pl.col("value").first(), pl.len()).filter(pl.col("len") >= k).sort("value", nulls_last=True)
            places = np.zeros(codes.max() + 1, np.int64)
            places[counts["code"].to_numpy()] = np.arange(1, counts.height + 1)
            yield column.name, places[codes], counts["value"].to_list()


def _plain(series: pl.Series) -> pl.Series:
    """Values that JSON has."""
    return series.cast(pl.String) if series.dtype in (pl.Categorical, pl.Enum) else series


@dataclass(frozen=True)
class Rule(BaseRule):
    """What each level says. A value that must be there is another synthetic row's, of the same level if it can be."""

    missing_when: list[Any]
    present_when: list[Any]

    @classmethod
    def learn(cls, constraint: Constraint, frame: pl.DataFrame, table: Table) -> Rule:
        """Check the settings."""
        given = _columns.settings(constraint, {"missing_when": (list,), "present_when": (list,)})
        gone, there = given.get("missing_when", []), given.get("present_when", [])
        where = f"The constraint 'required' on {_columns.spoken(constraint.columns)}"
        if len(constraint.columns) != 2:
            raise UserError(f"{where} needs two columns: the one that says, and the one that is missing or not.")
        if not gone and not there:
            raise UserError(f"{where} has neither 'missing_when' nor 'present_when'. Give at least one in the schema.")
        if both := [v for v in gone if v in there]:
            raise UserError(f"{where} wants a value both missing and present when {constraint.columns[0]!r} is "
                            f"{both[0]!r}. Correct it in the schema.")
        return cls(constraint.columns, (), gone, there)

    @property
    def sentence(self) -> str:
        """What holds."""
        first, last = self.columns
        return "; ".join(f"{last!r} is {what} when {first!r} is {' or '.join(map(repr, levels))}"
                         for what, levels in (("missing", self.missing_when), ("not missing", self.present_when))
                         if levels)

    def _among(self, frame: pl.DataFrame, levels: list[Any]) -> pl.Series:
        values = _plain(frame[self.columns[0]])
        wanted = pl.Series(levels, strict=False).cast(values.dtype, strict=False) if levels else \
            pl.Series([], dtype=values.dtype)
        return values.is_in(wanted.implode(), nulls_equal=True)

    def broken(self, frame: pl.DataFrame) -> np.ndarray:
        """Rows with a value that must not be there, or without one that must."""
        gone = frame[self.columns[1]].is_null()
        wrong = (self._among(frame, self.missing_when) & ~gone) | (self._among(frame, self.present_when) & gone)
        return wrong.to_numpy()

    def mend(self, frame: pl.DataFrame, broken: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
        """Take the value out, or put one in; where no row has one to give, the first column gives way."""
        first, last = self.columns
        rows, donors = frame.filter(pl.Series(broken)), frame.filter(pl.Series(~broken))
        for level in self.present_when:
            alike = donors.filter(self._among(donors, [level]))[last]
            here = self._among(rows, [level])
            rows = rows.with_columns(filled(rows[last], alike, rng).zip_with(here, rows[last]).alias(last))
        rows = rows.with_columns(filled(rows[last], donors[last], rng).zip_with(
            self._among(rows, self.present_when), rows[last]).alias(last))
        rows = rows.with_columns(rows[last].set(self._among(rows, self.missing_when), None))
        lacking = self._among(rows, self.present_when) & rows[last].is_null()
        other = pl.Series(first, self.missing_when[:1] or [None], dtype=rows[first].dtype).gather([0] * rows.height)
        return rows.with_columns(other.zip_with(lacking, rows[first]))
