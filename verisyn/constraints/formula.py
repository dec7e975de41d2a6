"""A column is computed from others: a sum, a difference, a multiple, a product or a quotient of columns."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from verisyn.constraints import BaseRule, _arithmetic, _columns
from verisyn.constraints._identities import linear, multiples, pairs
from verisyn.errors import UserError
from verisyn.kinds import _dtypes as dtypes
from verisyn.schema import Constraint, Table

exact = True
_MISSING = 0.2
_TOGETHER = 0.3
_DISTINCT = 8


def find(frame: pl.DataFrame, table: Table) -> list[Constraint]:
    """Find multiples, sums, products and quotients of two columns; then, among the others, longer linear identities.

    What is computed agrees with the column to half a unit of its last decimal, in every row without a missing value.
    """
    names = [n for n in _columns.numbers(frame, table) if frame[n].null_count() <= _MISSING * frame.height]
    names = _known_together(_columns.screen(frame.select(names)))
    look = _columns.screen(frame.select(names)).drop_nulls()
    names = [n for n in names if look[n].n_unique() >= _DISTINCT and look[n].cast(pl.Float64).is_finite().all()]
    if look.height < _columns.LEAST_ROWS or len(names) < 2:
        return []
    values = look.select(names).cast(pl.Float64).to_numpy()
    slack = np.array([_slack(_columns.lattice(look[n]).decimals, values[:, i]) for i, n in enumerate(names)])
    terms = [_arithmetic.name(n) for n in names]
    found = _Found(names)
    for at, text in [*multiples(values, slack, terms), *pairs(values, slack, terms)]:
        found.add(at, text)
    rest = [i for i, n in enumerate(names) if n not in found.behind]
    for at, text in linear(values[:, rest], slack[rest], [terms[i] for i in rest]):
        found.add(rest[at], text)
    rows = frame.select(names).drop_nulls().height
    return [Constraint(kind="formula", columns=columns, settings={"equals": text},
                       evidence=f"{columns[0]} = {text} in all {rows:,} rows that have them all.")
            for columns, text in found.formulas]


@dataclass
class _Found:
    """Formulas of which none computes a column from itself, not even by way of others."""

    names: list[str]
    behind: dict[str, set[str]] = field(default_factory=dict)
    formulas: list[tuple[tuple[str, ...], str]] = field(default_factory=list)

    def add(self, at: int, text: str) -> None:
        """Add a formula, unless its column is computed already, or stands behind the columns that it reads."""
        name, (_, used) = self.names[at], _arithmetic.read(text, self.names)
        behind = set(used).union(*(self.behind.get(c, ()) for c in used))
        if name not in self.behind and name not in behind:
            self.behind[name] = behind
            self.formulas.append(((name, *used), text))


def _known_together(look: pl.DataFrame) -> list[str]:
    """Columns, those with the fewest gaps first, as long as enough rows have a value in all of them."""
    known, kept = np.ones(look.height, bool), []
    for n in sorted(look.columns, key=lambda n: look[n].null_count()):
        both = known & look[n].is_not_null().to_numpy()
        if both.sum() >= max(_columns.LEAST_ROWS, _TOGETHER * look.height):
            known = both
            kept.append(n)
    return [n for n in look.columns if n in kept]


def _slack(decimals: int | None, values: np.ndarray) -> float:
    """Half a unit of the last decimal, or float noise where values keep to no decimals."""
    noise = 1e-9 * float(np.abs(values).max(initial=0.0))
    return noise if decimals is None else 0.5 * 10.0**-decimals * (1 + 1e-6) + noise


@dataclass(frozen=True)
class Rule(BaseRule):
    """The first column, computed; not learnt at all where it is missing just when one of the others is."""

    equals: str
    decimals: int | None
    dtype: dict

    @classmethod
    def learn(cls, constraint: Constraint, frame: pl.DataFrame, table: Table) -> Rule:
        """Read the formula; learn how many decimals the column has, and when it is missing."""
        text = _columns.settings(constraint, {"equals": (str,)}).get("equals")
        first, *others = constraint.columns
        if text is None:
            raise UserError(f"The constraint 'formula' on {_columns.spoken(constraint.columns)} lacks the setting "
                            "'equals', such as: price * quantity.")
        _, used = _arithmetic.read(text, others)
        for n in (first, *used):
            if not frame[n].dtype.is_numeric():
                raise UserError(f"The formula {first!r} = {text!r} needs numbers, but {n!r} holds {frame[n].dtype}.")
        gone = frame.select(pl.any_horizontal(pl.col(n).is_null() for n in used).alias("\0gone"))["\0gone"]
        as_missing = bool((gone == frame[first].is_null()).all())
        derives = (first,) if as_missing and _columns.alone(table.column(first)) and used else ()
        return cls((first, *used), derives, text, _columns.lattice(frame[first]).decimals,
                   dtypes.to_json(frame[first].dtype))

    @property
    def sentence(self) -> str:
        """What holds."""
        return f"{self.columns[0]} = {self.equals}"

    def _computed(self, frame: pl.DataFrame, rounded: bool = True) -> pl.Series:
        expression, _ = _arithmetic.read(self.equals, self.columns[1:])
        value = frame.select(expression.alias(self.columns[0])).to_series()
        value = value.set(~value.is_finite().fill_null(True), None)
        if rounded and self.decimals is not None:
            value = value.round(self.decimals)
        return value.cast(dtypes.from_json(self.dtype), strict=False) if rounded else value

    def derive(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Compute the column."""
        return frame.with_columns(self._computed(frame))

    def solved(self, frame: pl.DataFrame, column: str, drawn: pl.DataFrame | None) -> pl.Series | None:
        """Solve for a column in which the formula is linear: through its values there at 0, 1 and 2."""
        if column == self.columns[0]:
            return None
        wanted, dtype = frame[self.columns[0]].cast(pl.Float64), frame[column].dtype
        at = [self._computed(frame.with_columns(pl.lit(x, dtype=pl.Float64).alias(column)), rounded=False)
              for x in (0.0, 1.0, 2.0)]
        slope = at[1] - at[0]
        linear = ((at[2] - at[1] - slope).abs() <= 1e-9 * slope.abs()) & (slope != 0)
        value = ((wanted - at[0]) / slope).round(0 if dtype.is_integer() else 9)
        return value.set(~linear.fill_null(False) | ~value.is_finite().fill_null(False), None).cast(dtype, strict=False)

    def broken(self, frame: pl.DataFrame) -> np.ndarray:
        """Rows where the column differs by more than half a unit of its last decimal."""
        computed = self._computed(frame, rounded=False).to_numpy()
        there = frame[self.columns[0]].cast(pl.Float64).to_numpy()
        apart = np.abs(there - computed)
        noise = 2.0**-20 if dtypes.from_json(self.dtype) == pl.Float32 else 1e-9
        slack = 0.0 if self.decimals is None else 0.5 * 10.0**-self.decimals * (1 + 1e-6)
        return apart > slack + noise * np.maximum(np.abs(there), np.abs(computed))

    def mend(self, frame: pl.DataFrame, broken: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
        """Compute the column."""
        return self.derive(frame.filter(pl.Series(broken)))
