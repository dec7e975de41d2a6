"""Conditions on rows: an expression such as ``income == '>50K' and age < 30``, checked against the columns there are."""

from __future__ import annotations

import ast
import functools
import operator
import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from verisyn.errors import UserError, did_you_mean
from verisyn.kinds import BaseCoder, Draw
from verisyn.modalities.table import Allowed
from verisyn.modalities.table._views import TableCoder

_DRAWS = 64
_COMPARE = {ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
            ast.Gt: operator.gt, ast.GtE: operator.ge}


@dataclass(frozen=True)
class Conjunct:
    """One clause that must hold: a polars expression and the columns it reads."""

    expression: pl.Expr
    columns: frozenset[str]


@dataclass(frozen=True)
class Condition:
    """Clauses that must all hold."""

    text: str
    conjuncts: tuple[Conjunct, ...]

    def holds(self, frame: pl.DataFrame) -> np.ndarray:
        """Return a boolean per row; a clause on a missing value does not hold, unless it asks for missing."""
        both = functools.reduce(operator.and_, (c.expression for c in self.conjuncts), pl.lit(True))
        try:
            return frame.with_columns(both.fill_null(False).alias("\0holds"))["\0holds"].to_numpy()
        except pl.exceptions.PolarsError as e:
            raise UserError(f"The condition {self.text!r} does not fit the data: {str(e).splitlines()[0]}. Compare "
                            "numbers with numbers and text with quoted text.") from None


def parse(text: str, columns: list[str]) -> Condition:
    """Read a condition.

    Clauses compare a column with a value (``==``, ``!=``, ``<``, ``<=``, ``>``, ``>=``), a set (``in``, ``not in``) or
    ``None`` (``is``, ``is not``), joined by ``and``, ``or``, ``not``. A name that is not a Python identifier stands in
    backticks.

    Examples
    --------
    >>> import polars as pl
    >>> rows = pl.DataFrame({"age": [25, 40, None], "native-country": ["Cuba", "Peru", "Cuba"]})
    >>> parse("18 <= age < 30 and `native-country` in ['Cuba', 'Peru']", rows.columns).holds(rows).tolist()
    [True, False, False]

    Raises
    ------
    UserError
        If the text is not such an expression or names an unknown column.
    """
    quoted: dict[str, str] = {}

    def placeholder(found: re.Match) -> str:
        key = f"_column_{len(quoted)}_"
        quoted[key] = found.group(1)
        return key

    try:
        tree = ast.parse(re.sub(r"`([^`]*)`", placeholder, text).strip(), mode="eval").body
    except SyntaxError:
        raise UserError(f"The condition {text!r} could not be read. Write it like: income == '>50K' and age < 30; a "
                        "column name with spaces or signs stands in backticks.") from None
    clauses = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]
    reader = _Reader(text, columns, quoted)
    return Condition(text, tuple(reader.conjunct(c) for c in clauses))


class _Reader:
    """Turns a syntax tree into polars expressions."""

    def __init__(self, text: str, columns: list[str], quoted: dict[str, str]):
        self.text, self.columns, self.quoted = text, columns, quoted

    def conjunct(self, node: ast.expr) -> Conjunct:
        expression = self._read(node)
        return Conjunct(expression, frozenset(self._column(n) for n in ast.walk(node) if isinstance(n, ast.Name)))

    def _column(self, node: ast.Name) -> str:
        name = self.quoted.get(node.id, node.id)
        if name not in self.columns:
            raise UserError(f"The condition {self.text!r} names the column {name!r}, which is not there. "
                            f"{did_you_mean(name, self.columns)}")
        return name

    def _read(self, node: ast.expr) -> pl.Expr:
        match node:
            case ast.BoolOp(op=ast.And(), values=values):
                return functools.reduce(operator.and_, map(self._read, values))
            case ast.BoolOp(op=ast.Or(), values=values):
                return functools.reduce(operator.or_, map(self._read, values))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ~self._read(operand)
            case ast.Compare(left=left, ops=ops, comparators=rights):
                sides = [left, *rights]
                pairs = zip(sides, ops, rights, strict=False)
                return functools.reduce(operator.and_, (self._compare(a, op, b) for a, op, b in pairs))
            case ast.Name():
                return pl.col(self._column(node)) == True  # noqa: E712 - a polars expression
            case _:
                raise self._unreadable(node)

    def _compare(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> pl.Expr:
        if isinstance(op, (ast.Is, ast.IsNot)):
            missing = self._value(left).is_null()
            return missing if isinstance(op, ast.Is) else ~missing
        if isinstance(op, (ast.In, ast.NotIn)):
            inside = self._value(left).is_in(self._literal(right))
            return inside if isinstance(op, ast.In) else ~inside
        return _COMPARE[type(op)](self._value(left), self._value(right))

    def _value(self, node: ast.expr) -> pl.Expr:
        return pl.col(self._column(node)) if isinstance(node, ast.Name) else pl.lit(self._literal(node))

    def _literal(self, node: ast.expr) -> object:
        try:
            value = ast.literal_eval(node)
        except ValueError:
            raise self._unreadable(node) from None
        return list(value) if isinstance(value, (set, tuple)) else value

    def _unreadable(self, node: ast.expr) -> UserError:
        return UserError(f"In the condition {self.text!r}, {ast.unparse(node)!r} is neither a comparison nor a value. "
                         "Use ==, !=, <, <=, >, >=, in, not in, is None, joined by and, or, not.")


def allowed_codes(condition: Condition, coder: TableCoder, rng: np.random.Generator) -> Allowed:
    """Return, for each part that a one-column clause restricts, the codes that can meet it.

    A code stands for a bin of values: it is allowed if any of 64 values drawn from the bin meets the clause, so that a
    bin is dropped only when hardly any of it qualifies. Rows are checked again after decoding.
    """
    masks: Allowed = {}
    for own, where in coder.slices():
        clauses = [c for c in condition.conjuncts if c.columns <= set(own.columns) and c.columns]
        if clauses and own.parts:
            mask = _mask(own, Condition(condition.text, tuple(clauses)), rng)
            masks[where.start] = mask
    return masks


def _mask(coder: BaseCoder, condition: Condition, rng: np.random.Generator) -> np.ndarray:
    size = coder.parts[0].size
    codes = np.empty((size * _DRAWS, len(coder.parts)), np.int32)
    codes[:, 0] = np.repeat(np.arange(size), _DRAWS)
    for i, part in enumerate(coder.parts[1:], start=1):
        codes[:, i] = rng.integers(0, part.size, len(codes))
    frame = coder.decode(codes, Draw(rng, rng.integers(0, 2**62, len(codes))))
    return condition.holds(frame).reshape(size, _DRAWS).any(axis=1)
