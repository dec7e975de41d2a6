"""What is asked: a mean, a share, a quantile or a regression; which columns hold the outcome, and its value."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from verisyn import conditions
from verisyn.conditions import Condition
from verisyn.errors import UserError, did_you_mean
from verisyn.inference import _formula
from verisyn.inference._formula import Formula

KINDS = ("mean", "share", "quantile", "linear", "logistic")


@dataclass(frozen=True)
class Asked:
    """One question about an outcome.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    words : str
        What is estimated, for sentences: ``the mean of 'income'``.
    columns : tuple of str
        The columns that hold the outcome.
    condition : Condition, optional
        Where the outcome is whether a condition holds.
    level : float
        Of a quantile.
    formula : Formula, optional
        Of a regression.
    """

    kind: str
    words: str
    columns: tuple[str, ...]
    condition: Condition | None = None
    level: float = 0.5
    formula: Formula | None = None

    @property
    def binary(self) -> bool:
        """Whether the outcome is 0 or 1 in each row."""
        return self.condition is not None

    @property
    def needed(self) -> list[str]:
        """The columns right of ``~``."""
        return self.formula.columns if self.formula else []

    def known(self, frame: pl.DataFrame) -> np.ndarray:
        """Return for each row whether it holds the outcome: no cell of it is missing."""
        if not set(self.columns) <= set(frame.columns):
            return np.zeros(frame.height, bool)
        return np.logical_and.reduce([frame[c].is_not_null().to_numpy() for c in self.columns])

    def outcome(self, frame: pl.DataFrame) -> np.ndarray:
        """Return the outcome of rows that hold it, float64 of shape (rows,)."""
        if self.condition is not None:
            return self.condition.holds(frame).astype(float)
        return frame[self.columns[0]].cast(pl.Float64, strict=False).to_numpy().astype(float)


def read(frame: pl.DataFrame, *, mean: str | None, share: str | None, quantile: Any, regression: str | None) -> Asked:
    """Return what is asked of the columns of `frame`.

    Raises
    ------
    UserError
        If not exactly one question is asked, or it cannot be read.
    """
    given = {"mean": mean, "share": share, "quantile": quantile, "regression": regression}
    asked = [name for name, value in given.items() if value is not None]
    if len(asked) != 1:
        said = f"{' and '.join(asked)} were" if asked else "none was"
        raise UserError(f"Of mean, share, quantile and regression, {said} given; exactly one is expected, such as "
                        "mean='income'.")
    if mean is not None:
        return Asked("mean", f"the mean of {mean!r}", (_number(frame, mean, "mean"),))
    if share is not None:
        condition = _condition(frame, share)
        return Asked("share", f"the share of rows with {share}", _columns_of(condition), condition)
    return _quantile(frame, quantile) if quantile is not None else _regression(frame, str(regression))


def _column(frame: pl.DataFrame, name: Any, what: str) -> str:
    if not isinstance(name, str) or name not in frame.columns:
        raise UserError(f"The {what} of {name!r} was asked, but there is no such column. "
                        f"{did_you_mean(str(name), frame.columns)}")
    return name


def _number(frame: pl.DataFrame, name: Any, what: str) -> str:
    dtype = frame.schema[_column(frame, name, what)]
    if not (dtype.is_numeric() or dtype == pl.Boolean):
        raise UserError(f"The {what} of {name!r} was asked, but that column holds {dtype}, not numbers. Ask for a "
                        f"share, such as share=\"{_plain(name)} == '…'\", or make a number of it beforehand.")
    return name


def _plain(name: str) -> str:
    return name if re.fullmatch(r"[^\W\d]\w*", name) else f"`{name}`"


def _condition(frame: pl.DataFrame, text: str) -> Condition:
    condition = conditions.parse(text, frame.columns)
    for part in condition.conjuncts:
        for node in ast.walk(part.node):
            if isinstance(node, ast.Constant) and node.value is None:
                raise UserError(f"The share of {text!r} asks for missing values. A row without the outcome is one that "
                                "the estimate makes up for, so missing cannot be the outcome. Compare with values.")
    if not _columns_of(condition):
        raise UserError(f"The condition {text!r} reads no column, so it is no outcome. Write: income == '>50K'.")
    condition.holds(frame.head(1))
    return condition


def _columns_of(condition: Condition) -> tuple[str, ...]:
    return tuple(sorted(set().union(*(c.columns for c in condition.conjuncts))))


def _quantile(frame: pl.DataFrame, wish: Any) -> Asked:
    if isinstance(wish, str):
        name, _, told = wish.rpartition(":")
        wish = (name, told)
    try:
        name, told = wish
        level = float(told)
    except (TypeError, ValueError):
        raise UserError(f"The quantile {wish!r} was not understood. Give a column and a level, such as ('income', "
                        "0.5), on the command line income:0.5, which is the median.") from None
    if not 0 < level < 1:
        raise UserError(f"The level of the quantile is {level:g}; between 0 and 1 was expected, such as 0.5 for the "
                        "median.")
    words = f"the median of {name!r}" if level == 0.5 else f"the {level:g} quantile of {name!r}"
    return Asked("quantile", words, (_number(frame, name, "quantile"),), level=level)


def _regression(frame: pl.DataFrame, text: str) -> Asked:
    formula = _formula.parse(text, frame.columns)
    name = formula.outcome[1:-1].replace("``", "`") if formula.outcome.startswith("`") else formula.outcome
    words = f"the regression {text}"
    if name in frame.columns:
        dtype = frame.schema[name]
        if dtype.is_numeric():
            return _checked(Asked("linear", words, (name,), formula=formula))
        condition = _condition(frame, _yes(frame[name], text))
    elif re.fullmatch(r"`(?:[^`]|``)*`|[^\W\d]\w*", formula.outcome):
        raise UserError(f"The regression {text!r} has the outcome {name!r}, and there is no such column. "
                        f"{did_you_mean(name, frame.columns)}")
    else:
        condition = _condition(frame, formula.outcome)
    return _checked(Asked("logistic", words, _columns_of(condition), condition, formula=formula))


def _yes(values: pl.Series, text: str) -> str:
    """The condition of a logistic regression on a column of two levels: that it is the second in order."""
    name = _plain(values.name)
    if values.dtype == pl.Boolean:
        return f"{name} == True"
    levels: Sequence[Any] = values.drop_nulls().unique().sort().to_list() if values.dtype == pl.String else ()
    if len(levels) != 2:
        raise UserError(f"The regression {text!r} has the outcome {values.name!r}, which is neither a number nor of "
                        f"two levels. Say which rows count as 1: {name} == '…' ~ …")
    return f"{name} == {levels[1]!r}"


def _checked(asked: Asked) -> Asked:
    both = [name for name in asked.columns if name in asked.needed]
    if both:
        raise UserError(f"{asked.words[0].upper()}{asked.words[1:]} has {both[0]!r} on both sides of '~'. Take it out "
                        "on the right.")
    return asked
