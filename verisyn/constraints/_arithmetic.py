"""Formulas over columns, such as ``casual + registered`` or ``2 * `net price` / 100``: read, checked, computed."""

from __future__ import annotations

import ast
import operator
from collections.abc import Iterable

import polars as pl

from verisyn import backticks
from verisyn.errors import UserError, did_you_mean

_SIGNS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def read(text: str, columns: Iterable[str]) -> tuple[pl.Expr, tuple[str, ...]]:
    """Return a formula as a polars expression in Float64, and the columns that it reads.

    Examples
    --------
    >>> expression, used = read("a + 2 * `b c`", ["a", "b c"])
    >>> pl.DataFrame({"a": [1, 2], "b c": [10, 20]}).select(expression)["a"].to_list(), used
    ([21.0, 42.0], ('a', 'b c'))

    Raises
    ------
    UserError
        If the text is no such formula or names another column.
    """
    try:
        tree, quoted = backticks.parse(text)
    except SyntaxError:
        raise UserError(f"The formula {text!r} could not be read. Write it like: price * quantity - discount; a name "
                        "with spaces or signs stands in backticks.") from None
    used: dict[str, None] = {}

    def build(node: ast.expr) -> pl.Expr:
        match node:
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _SIGNS:
                return _SIGNS[type(op)](build(left), build(right))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -build(operand)
            case ast.Constant(value=int() | float() as value):
                return pl.lit(float(value))
            case ast.Name(id=name):
                name = quoted.get(name, name)
                if name not in columns:
                    raise UserError(f"The formula {text!r} names the column {name!r}, which is not there. "
                                    f"{did_you_mean(name, columns)}")
                used[name] = None
                return pl.col(name).cast(pl.Float64)
            case _:
                raise UserError(f"In the formula {text!r}, {ast.unparse(node)!r} is neither a number, a column, nor a "
                                "sum, difference, product or quotient of them.")

    return build(tree), tuple(used)


def name(column: str) -> str:
    """Return a column's name as it stands in a formula.

    Examples
    --------
    >>> name("price"), name("net price")
    ('price', '`net price`')
    """
    return column if column.isidentifier() and not column.startswith("_column_") else backticks.quoted(column)
