"""Which rows a figure speaks of: those that meet a condition, that have a level of a column, or are in a band."""

from __future__ import annotations

import ast
import functools
import itertools
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from verisyn import backticks
from verisyn.conditions import Condition, parse
from verisyn.errors import UserError

_NUMBER = r"([-+]?\d[\d,_ ]*(?:\.\d+)?)"
_BANDS = (  # what a table's head says of numbers; "low", "high" (not belonging to it), or both
    (re.compile(rf"^{_NUMBER}\s*(?:-|–|—|to)\s*{_NUMBER}$"), "both"),
    (re.compile(rf"^{_NUMBER}\s*(?:\+|and (?:over|above|older|more)|or (?:over|older|more))$"), "low"),
    (re.compile(rf"^>=\s*{_NUMBER}$"), "low"),
    (re.compile(rf"^(?:<|under|below|less than)\s*{_NUMBER}$"), "high"),
)
_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")
_YES, _NO = {"yes", "true", "y", "t", "1"}, {"no", "false", "n", "f", "0"}


@dataclass(frozen=True)
class Band:
    """Numbers from `low` on and below `high`, or up to it where it belongs to the band."""

    low: float = -math.inf
    high: float = math.inf
    closed: bool = False


@dataclass(frozen=True)
class Level:
    """One value of a column, as whoever published a figure spells it; None is missing.

    What it means depends on the column's type: in a column of text ``1`` is ``'1'``; in a column of numbers
    ``18-29`` is a band, and in a yes/no column ``yes`` is true.
    """

    column: str
    level: Any
    band: Band | None = None

    @property
    def text(self) -> str:
        """The level in words."""
        name = backticks.quoted(self.column)
        return f"{name} in {self.level}" if self.band else parse({self.column: self.level}, [self.column]).text

    def condition(self, dtype: pl.DataType) -> Condition:
        """Return the condition that says it of a column of this type."""
        return _condition(self, type(self.level).__name__, dtype)

    def holds(self, frame: pl.DataFrame) -> np.ndarray:
        """Return a boolean per row."""
        return self.condition(frame.schema[self.column]).holds(frame)


Clause = Condition | Level


@dataclass(frozen=True)
class Where:
    """Rows that meet all of some clauses; every row where there is none."""

    clauses: tuple[Clause, ...] = ()

    @property
    def text(self) -> str:
        """The clauses in words."""
        return " and ".join(c.text for c in self.clauses)

    def __bool__(self) -> bool:
        return bool(self.clauses)

    def __and__(self, other: Where) -> Where:
        return Where((*self.clauses, *other.clauses))

    def condition(self, schema: Mapping[str, pl.DataType]) -> Condition:
        """Return one condition that says all of it."""
        said = [c.condition(schema[c.column]) if isinstance(c, Level) else c for c in self.clauses]
        return parse(" and ".join(f"({text})" for c in said for text in _spelt(c)), list(schema))


@dataclass
class Masks:
    """What rows of a frame meet; each clause is asked once.

    Parameters
    ----------
    frame : DataFrame
    """

    frame: pl.DataFrame
    _found: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)

    def of(self, where: Where) -> np.ndarray:
        """Return a boolean per row."""
        found = np.ones(self.frame.height, bool)
        for clause in where.clauses:
            found &= self._asked(("clause", clause.text), functools.partial(clause.holds, self.frame))
        return found

    def known(self, columns: Iterable[str]) -> np.ndarray:
        """Say in which rows all these columns have a value."""
        found = np.ones(self.frame.height, bool)
        for name in columns:
            found &= self._asked(("known", name), lambda name=name: self.frame[name].is_not_null().to_numpy())
        return found

    def _asked(self, key: tuple[str, str], ask: Any) -> np.ndarray:
        if key not in self._found:
            self._found[key] = ask()
        return self._found[key]


def levels(column: str, named: Sequence[Any]) -> list[Level]:
    """Return the levels that a table's head names; where all of them read as bands of numbers, with those.

    A band ``18-29`` reaches up to where the next begins, so that 29.5 is in it if ``30-64`` follows; where none does,
    its end belongs to it.

    Examples
    --------
    >>> [level.band.high for level in levels("age", ["18-29", "30-64", "65+"])]
    [30.0, 65.0, inf]
    >>> [level.band for level in levels("sex", ["F", "M"])]
    [None, None]
    """
    bands = [_band(level) for level in named if level is not None]
    if not bands or None in bands:
        return [Level(column, level) for level in named]
    starts = sorted(band.low for band in bands if band)
    return [Level(column, level, None if level is None else _reaching(_band(level) or Band(), starts))
            for level in named]


def apart(bands: Collection[Band]) -> bool:
    """Say whether no number is in two of the bands."""
    ordered = sorted(bands, key=lambda band: band.low)
    return all(a.high <= b.low and not (a.closed and a.high == b.low) for a, b in itertools.pairwise(ordered))


def _band(level: Any) -> Band | None:
    if not isinstance(level, str):
        return None
    for pattern, says in _BANDS:
        if found := pattern.match(level.strip()):
            numbers = [float(re.sub(r"[,_ ]", "", number)) for number in found.groups()]
            if says == "low":
                return Band(low=numbers[0])
            if says == "high":
                return Band(high=numbers[0])
            return Band(numbers[0], numbers[1], closed=True) if numbers[0] <= numbers[1] else None
    return None


def _reaching(band: Band, starts: Sequence[float]) -> Band:
    """Let a band whose end belongs to it reach up to the next, if that begins where it ends or one later."""
    following = next((start for start in starts if start > band.low), math.inf)
    return Band(band.low, following) if band.closed and 0 <= following - band.high <= 1 else band


@functools.lru_cache(maxsize=4096)
def _condition(asked: Level, _spelling: str, dtype: pl.DataType) -> Condition:
    """Read a level beside a column of a type; `_spelling` keeps 1 and True apart, which are equal to Python."""
    column, level = asked.column, asked.level
    if level is None:
        return parse({column: None}, [column])
    if asked.band and dtype.is_numeric():
        return _within(column, asked.band)
    return parse({column: _fitting(column, level, dtype)}, [column])


def _within(column: str, band: Band) -> Condition:
    name, below = backticks.quoted(column), "<=" if band.closed else "<"
    ends = [f"{name} >= {band.low!r}"] if band.low > -math.inf else []
    ends += [f"{name} {below} {band.high!r}"] if band.high < math.inf else []
    return parse(" and ".join(ends), [column])


def _fitting(column: str, level: Any, dtype: pl.DataType) -> Any:
    """Return a level as a value of a column's type, or the values that may be meant."""
    if dtype == pl.Boolean:
        said = str(level).lower()
        if said not in _YES | _NO:
            raise UserError(f"{column!r} holds true and false, and {level!r} is neither.")
        return said in _YES
    if dtype.is_numeric():
        return _numeric(column, level)
    if isinstance(level, str) or dtype.is_temporal():
        return level
    if isinstance(level, bool):  # YAML reads more words so than a person means
        return [spelt for word in (_TRUE if level else _FALSE) for spelt in (word, word.title(), word.upper())]
    return [str(level), f"{level:g}"] if isinstance(level, float) else str(level)


def _numeric(column: str, level: Any) -> Any:
    if not isinstance(level, str):
        return int(level) if isinstance(level, bool) else level
    if _band(level):
        raise UserError(f"{column!r} holds numbers, and {level!r} is a band, but another level named beside it is none."
                        " Write all of them as bands, such as '18-29', '65+' or 'under 18'.")
    try:
        number = float(level)
    except ValueError:
        raise UserError(f"{column!r} holds numbers, and {level!r} is neither a number nor a band such as '18-29', "
                        "'65+' or 'under 18'.") from None
    return int(number) if number.is_integer() else number


def _spelt(condition: Condition) -> list[str]:
    """Write each clause of a condition so that it can be read again."""
    texts = []
    for conjunct in condition.conjuncts:
        text = ast.unparse(conjunct.node)
        for key, name in condition.quoted.items():
            text = backticks.quoted(name).join(re.split(rf"\b{key}\b", text))
        texts.append(text)
    return texts


def atoms(where: Where) -> Iterator[Clause]:
    """Yield the clauses of conditions one by one; equality with a value as a level."""
    for clause in where.clauses:
        if isinstance(clause, Level):
            yield clause
            continue
        for conjunct in clause.conjuncts:
            yield _level(clause, conjunct.node) or Condition(ast.unparse(conjunct.node), (conjunct,), clause.quoted)


def _level(condition: Condition, node: ast.expr) -> Level | None:
    match node:
        case ast.Compare(left=ast.Name(id=name), ops=[ast.Eq()], comparators=[ast.Constant(value=value)]):
            return Level(condition.quoted.get(name, name), value)
    return None
