"""A regression as a user writes it, ``income ~ age + sex``, and the matrix that it makes of rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import polars as pl

from verisyn.errors import UserError, did_you_mean

_NAME = r"`(?:[^`]|``)*`|[^\W\d]\w*"
_TERM = re.compile(rf"\s*(?:{_NAME})(?:\s*[:*]\s*(?:{_NAME}))*\s*")
_OUTSIDE = re.compile(r"""`(?:[^`]|``)*`|'[^']*'|"[^"]*"|(~)|(\+)""")
_LEVELS = 50
_LIKE = ("Write it like: income ~ age + sex, with a:b for an interaction; a column name with spaces or signs stands "
         "in backticks.")


@dataclass(frozen=True)
class Formula:
    """What is regressed on what: the text left of ``~``, and the terms right of it, each a tuple of columns."""

    text: str
    outcome: str
    terms: tuple[tuple[str, ...], ...]

    @property
    def columns(self) -> list[str]:
        """The columns right of ``~``, each once."""
        return list(dict.fromkeys(name for term in self.terms for name in term))


def parse(text: str, columns: Sequence[str]) -> Formula:
    """Read a formula.

    Parameters
    ----------
    text : str
        An outcome (a column, or a condition such as ``income == '>50K'``), ``~``, and terms joined by ``+``: columns,
        ``a:b`` for their product, ``a*b`` for both and their product.
    columns : sequence of str
        The columns that may be named.

    Examples
    --------
    >>> parse("pay ~ age*sex + `job title`", ["pay", "age", "sex", "job title"]).terms
    (('age',), ('sex',), ('age', 'sex'), ('job title',))

    Raises
    ------
    UserError
        If it is no such formula or names an unknown column.
    """
    outcome, *rest = _split(str(text), group=1)
    if len(rest) != 1 or not outcome.strip() or not rest[0].strip():
        raise UserError(f"The regression {text!r} has no outcome and columns on the two sides of one '~'. {_LIKE}")
    terms: dict[tuple[str, ...], None] = {}
    for part in _split(rest[0], group=2):
        for term in _terms(part, text, columns):
            terms[term] = None
    return Formula(str(text), outcome.strip(), tuple(terms))


def _split(text: str, group: int) -> list[str]:
    """Split at ``~`` (group 1) or ``+`` (group 2) outside backticks and quotes."""
    cuts = [m.start() for m in _OUTSIDE.finditer(text) if m.group(group)]
    return [text[a:b] for a, b in zip([0, *(c + 1 for c in cuts)], [*cuts, len(text)], strict=True)]


def _terms(part: str, text: str, columns: Sequence[str]) -> list[tuple[str, ...]]:
    if not _TERM.fullmatch(part):
        raise UserError(f"In the regression {text!r}, {part.strip()!r} is no column nor columns joined by ':' or '*'. "
                        f"{_LIKE} A transformed column is made beforehand, as a column of its own.")
    names = [n[1:-1].replace("``", "`") if n.startswith("`") else n for n in re.findall(_NAME, part)]
    for name in names:
        if name not in columns:
            raise UserError(f"The regression {text!r} names the column {name!r}, which is not there. "
                            f"{did_you_mean(name, columns)}")
    if "*" in re.sub(_NAME, "", part):
        return [c for size in range(1, len(names) + 1) for c in combinations(names, size)]
    return [tuple(dict.fromkeys(names))]


@dataclass(frozen=True)
class Design:
    """How rows become numbers: for each column its levels, the reference first; none for a number.

    Parameters
    ----------
    terms : tuple of tuples of str
    levels : dict
        For each column of text or of booleans its levels; the first, the most frequent, is the reference.
    """

    terms: tuple[tuple[str, ...], ...]
    levels: dict[str, list[str]]

    @classmethod
    def learn(cls, formula: Formula, frame: pl.DataFrame) -> Design:
        """Learn the levels from the rows that hold the outcome.

        Raises
        ------
        UserError
            If a column holds dates or the like, or more than 50 levels.
        """
        levels = {}
        for name in formula.columns:
            values = frame[name]
            if values.dtype.is_numeric():
                continue
            if values.dtype not in (pl.String, pl.Boolean):
                raise UserError(f"In the regression {formula.text!r}, the column {name!r} holds {values.dtype}. "
                                "Numbers, text and booleans are expected: make a number of it beforehand, such as "
                                "days since a date.")
            told = _words(values).drop_nulls().value_counts(name="\0rows")
            told = told.sort(["\0rows", name], descending=[True, False])
            if told.height > _LEVELS:
                raise UserError(f"In the regression {formula.text!r}, the column {name!r} has {told.height:,} levels; "
                                f"at most {_LEVELS} are taken. Merge levels, or leave it out.")
            levels[name] = told[name].to_list()
        return cls(formula.terms, levels)

    @property
    def names(self) -> list[str]:
        """The coefficients' names, the intercept first."""
        parts = [[self._names(name) for name in term] for term in self.terms]
        return ["intercept", *(":".join(p) for names in parts for p in product(*names))]

    def _names(self, name: str) -> list[str]:
        return [f"{name}[{level}]" for level in self.levels[name][1:]] if name in self.levels else [name]

    def matrix(self, frame: pl.DataFrame) -> np.ndarray:
        """Return the rows as numbers, shape (rows, coefficients); NaN where a column is missing, or a level new."""
        blocks = [np.ones((frame.height, 1))]
        for term in self.terms:
            block = np.ones((frame.height, 1))
            for name in term:
                own = self._columns(frame[name])
                block = (block[:, :, None] * own[:, None, :]).reshape(frame.height, block.shape[1] * own.shape[1])
            blocks.append(block)
        return np.hstack(blocks)

    def _columns(self, values: pl.Series) -> np.ndarray:
        if values.name not in self.levels:
            return values.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()[:, None]
        words, levels = _words(values), self.levels[values.name]
        out = np.column_stack([np.zeros((len(values), 0)), *((words == level).fill_null(False).to_numpy().astype(float)
                                                             for level in levels[1:])])
        out[~words.is_in(levels).fill_null(False).to_numpy()] = np.nan
        return out

    @property
    def references(self) -> str:
        """Which level each column's coefficients are beside, as a sentence; empty where there is none."""
        told = [f"{levels[0]!r} of {name!r}" for name, levels in self.levels.items() if levels]
        said = f"Coefficients of levels are beside the reference, the most frequent level: {', '.join(told)}."
        return said if told else ""

    def unseen(self, frame: pl.DataFrame) -> tuple[str, str, int] | None:
        """Return a column, a level of it that no labelled row holds, and in how many rows of `frame` it occurs."""
        for name, levels in self.levels.items():
            strange = _words(frame[name]).drop_nulls().filter(~_words(frame[name]).drop_nulls().is_in(levels))
            if len(strange):
                return name, str(strange[0]), int((strange == strange[0]).sum())
        return None


def _words(values: pl.Series) -> pl.Series:
    return values.cast(pl.String) if values.dtype == pl.Boolean else values
