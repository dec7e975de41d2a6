"""Conditions on rows: an expression such as ``income == '>50K' and age < 30``, read, checked, and met."""

from __future__ import annotations

import ast
import functools
import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from verisyn import backticks
from verisyn.errors import UserError, did_you_mean
from verisyn.kinds import BaseCoder, Draw
from verisyn.modalities.table import Allowed
from verisyn.modalities.table._views import TableCoder

_DRAWS = 64
_SAID = {"yes": True, "true": True, "no": False, "false": False}
_COMPARE = {ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
            ast.Gt: operator.gt, ast.GtE: operator.ge}


@dataclass(frozen=True)
class Conjunct:
    """One clause that must hold, as a syntax tree, and the columns it reads."""

    node: ast.expr
    columns: frozenset[str]


@dataclass(frozen=True)
class Condition:
    """Clauses that must all hold."""

    text: str
    conjuncts: tuple[Conjunct, ...] = ()
    quoted: Mapping[str, str] = field(default_factory=dict)

    def holds(self, frame: pl.DataFrame) -> np.ndarray:
        """Return a boolean per row; a clause on a missing value does not hold, unless it asks for missing."""
        reader = _Reader(self.text, frame.schema, self.quoted)
        try:
            both = functools.reduce(operator.and_, (reader.read(c.node) for c in self.conjuncts), pl.lit(True))
            return frame.with_columns(both.fill_null(False).alias("\0holds"))["\0holds"].to_numpy()
        except (pl.exceptions.PolarsError, TypeError, OverflowError) as e:
            raise UserError(f"The condition {self.text!r} does not fit the data: {str(e).splitlines()[0]}. Compare "
                            "numbers with numbers, text with quoted text, and dates with '2024-12-31'.") from None

    def only(self, conjuncts: Iterable[Conjunct]) -> Condition:
        """Return the condition with these clauses alone."""
        return Condition(self.text, tuple(conjuncts), self.quoted)


Given = str | Mapping[str, Any]
"""A condition as a user writes it."""


def parse(given: Given, columns: Sequence[str]) -> Condition:
    """Read a condition.

    Parameters
    ----------
    given : str or mapping
        An expression, or a mapping from columns to what is wanted of them: a value, a list of values, a range
        ``(low, high)`` with both ends included and None for an open end, or None for missing.
    columns : sequence of str
        The columns that may be named.

    Clauses compare a column with a value (``==``, ``!=``, ``<``, ``<=``, ``>``, ``>=``), a set (``in``, ``not in``) or
    ``None`` (``is``, ``is not``), joined by ``and``, ``or``, ``not``. A name that is not a Python identifier stands in
    backticks; a backtick inside it is doubled.

    Examples
    --------
    >>> import polars as pl
    >>> rows = pl.DataFrame({"age": [25, 40, None], "native-country": ["Cuba", "Peru", "Cuba"]})
    >>> parse("18 <= age < 30 and `native-country` in ['Cuba', 'Peru']", rows.columns).holds(rows).tolist()
    [True, False, False]
    >>> parse({"age": (30, None), "native-country": ["Cuba", "Peru"]}, rows.columns).holds(rows).tolist()
    [False, True, False]

    Raises
    ------
    UserError
        If the text is not such an expression or names an unknown column.
    """
    if not isinstance(given, str | Mapping):
        raise UserError(f"The condition {given!r} is neither an expression, such as \"income == '>50K' and age < 30\", "
                        "nor a mapping from columns to what is wanted of them.")
    text = given if isinstance(given, str) else " and ".join(_clause(name, wish) for name, wish in given.items())
    try:
        tree, quoted = backticks.parse(text)
    except SyntaxError:
        raise UserError(f"The condition {text!r} could not be read. Write it like: income == '>50K' and age < 30; a "
                        "column name with spaces or signs, or a word such as class, stands in backticks.") from None
    clauses = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]
    reader = _Reader(text, dict.fromkeys(columns), quoted)
    return Condition(text, tuple(reader.conjunct(c) for c in clauses), quoted)


def _clause(name: str, wish: Any) -> str:
    """One entry of a mapping, as an expression."""
    column = backticks.quoted(str(name))
    if isinstance(wish, tuple):
        if len(wish) != 2 or wish == (None, None):
            raise UserError(f"The range {wish!r} for column {name!r} was not understood. Give (low, high), with None "
                            "for one open end; a list for a set of values.")
        ends = zip((">=", "<="), wish, strict=True)
        return " and ".join(f"{column} {sign} {_spelt(end)}" for sign, end in ends if end is not None)
    if isinstance(wish, list | set | frozenset):
        inside = f"{column} in [{', '.join(_spelt(v) for v in wish if v is not None)}]"
        return f"({inside} or {column} is None)" if None in wish else inside
    return f"{column} is None" if wish is None else f"{column} == {_spelt(wish)}"


def _spelt(value: Any) -> str:
    """A value as it stands in an expression."""
    if isinstance(value, date | time):
        return repr(value.isoformat())
    if isinstance(value, timedelta):
        return repr(f"{value / timedelta(seconds=1)!r}s")
    if isinstance(value, Decimal):
        return str(value)
    return repr(value.item() if isinstance(value, np.generic) else value)


class _Reader:
    """Turns a syntax tree into polars expressions; `columns` maps names to data types (None: not known yet)."""

    def __init__(self, text: str, columns: Mapping[str, pl.DataType | None], quoted: Mapping[str, str]):
        self.text, self.columns, self.quoted = text, columns, quoted

    def conjunct(self, node: ast.expr) -> Conjunct:
        self.read(node)
        return Conjunct(node, frozenset(self._column(n) for n in ast.walk(node) if isinstance(n, ast.Name)))

    def _column(self, node: ast.Name) -> str:
        name = self.quoted.get(node.id, node.id)
        if name not in self.columns:
            raise UserError(f"The condition {self.text!r} names the column {name!r}, which is not there. "
                            f"{did_you_mean(name, self.columns)}")
        return name

    def read(self, node: ast.expr) -> pl.Expr:
        match node:
            case ast.BoolOp(op=ast.And(), values=values):
                return functools.reduce(operator.and_, map(self.read, values))
            case ast.BoolOp(op=ast.Or(), values=values):
                return functools.reduce(operator.or_, map(self.read, values))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ~self.read(operand)
            case ast.Compare(left=left, ops=ops, comparators=rights):
                sides = [left, *rights]
                pairs = zip(sides, ops, rights, strict=False)
                return functools.reduce(operator.and_, (self._compare(a, op, b) for a, op, b in pairs))
            case ast.Name():
                dtype = self._dtype(node)
                if dtype is not None and dtype != pl.Boolean:
                    raise UserError(f"In the condition {self.text!r}, {self._column(node)!r} stands alone, but it "
                                    f"holds {dtype}, not true or false. Compare it with a value.")
                return pl.col(self._column(node)) == True  # noqa: E712 - a polars expression
            case _:
                raise self._unreadable(node)

    def _compare(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> pl.Expr:
        if isinstance(op, (ast.Is, ast.IsNot)) or _is_none(right):
            if not _is_none(right) or not isinstance(op, (ast.Is, ast.IsNot, ast.Eq, ast.NotEq)):
                raise self._unreadable(right)
            missing = self._value(left).is_null()
            return missing if isinstance(op, (ast.Is, ast.Eq)) else ~missing
        if isinstance(op, (ast.In, ast.NotIn)):
            values = self._literal(right)
            if not isinstance(values, list):
                raise self._unreadable(right)
            try:
                inside = self._value(left).is_in([typed(v, self._dtype(left)) for v in values])
            except (TypeError, OverflowError):  # numbers and texts
                raise UserError(f"In the condition {self.text!r}, the values {ast.unparse(right)} are not of one type. "
                                "Give numbers alone, or quoted texts alone.") from None
            return inside if isinstance(op, ast.In) else ~inside
        return _COMPARE[type(op)](self._value(left, right), self._value(right, left))

    def _value(self, node: ast.expr, beside: ast.expr | None = None) -> pl.Expr:
        if isinstance(node, ast.Name):
            return pl.col(self._column(node))
        return pl.lit(typed(self._literal(node), self._dtype(beside)))

    def _dtype(self, node: ast.expr | None) -> pl.DataType | None:
        return self.columns.get(self._column(node)) if isinstance(node, ast.Name) else None

    def _literal(self, node: ast.expr) -> object:
        try:
            value = ast.literal_eval(node)
        except (ValueError, TypeError):
            raise self._unreadable(node) from None
        if not isinstance(value, str | bytes | int | float | list | set | tuple):
            raise self._unreadable(node)
        return list(value) if isinstance(value, (set, tuple)) else value

    def _unreadable(self, node: ast.expr) -> UserError:
        return UserError(f"In the condition {self.text!r}, {ast.unparse(node)!r} is neither a comparison nor a value. "
                         "Use ==, !=, <, <=, >, >=, in, not in, is None, joined by and, or, not.")


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def typed(value: object, dtype: pl.DataType | None) -> object:
    """A quoted date, time, span (``'90.5s'``), yes or no beside a column of that type, as one; all else as it is."""
    if isinstance(value, str) and dtype == pl.Boolean:
        return _SAID.get(value.strip().lower(), value)
    if not isinstance(value, str) or dtype is None or not dtype.is_temporal():
        return value
    if isinstance(dtype, pl.Duration):
        seconds = re.fullmatch(r"(-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)s", value)
        return timedelta(seconds=float(seconds[1])) if seconds else value
    for read in (date.fromisoformat, datetime.fromisoformat, time.fromisoformat):
        try:
            found = read(value)
        except ValueError:
            continue
        zone = getattr(dtype, "time_zone", None)
        if zone and isinstance(found, date):
            found = datetime.fromisoformat(value)
            return found.astimezone(ZoneInfo(zone)) if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))
        return found
    return value


def allowed_codes(condition: Condition, coder: TableCoder, rng: np.random.Generator, unmet: bool = False) -> Allowed:
    """Return, for each part that a one-column clause restricts, the codes that can meet it; with `unmet`, fail it.

    A code stands for a bin of values: it is allowed if any of 64 values drawn from the bin meets (fails) the clause, so
    that a bin is dropped only when hardly any of it qualifies. Rows are checked again after decoding.
    """
    masks: Allowed = {}
    for own, where in coder.slices():
        clauses = [c for c in condition.conjuncts if c.columns <= set(own.columns) and c.columns]
        if clauses and own.parts and not own.needs:
            masks[where.start] = _mask(own, condition.only(clauses), rng, unmet)
    return masks


def _mask(coder: BaseCoder, condition: Condition, rng: np.random.Generator, unmet: bool) -> np.ndarray:
    size = coder.parts[0].size
    codes = np.empty((size * _DRAWS, len(coder.parts)), np.int32)
    codes[:, 0] = np.repeat(np.arange(size), _DRAWS)
    for i, part in enumerate(coder.parts[1:], start=1):
        codes[:, i] = rng.integers(0, part.size, len(codes))
    frame = coder.decode(codes, Draw(rng, rng.integers(0, 2**62, len(codes))))
    return np.any((condition.holds(frame) != unmet).reshape(size, _DRAWS), axis=1)
