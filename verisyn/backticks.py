"""Expressions in which a name that is no Python identifier stands in backticks; a backtick of its own is doubled."""

from __future__ import annotations

import ast
import re


def parse(text: str) -> tuple[ast.expr, dict[str, str]]:
    """Return the syntax tree of an expression, and what the placeholders in it stand for.

    Examples
    --------
    >>> tree, names = parse("`net price` + 1")
    >>> ast.unparse(tree), names
    ('_column_0_ + 1', {'_column_0_': 'net price'})

    Raises
    ------
    SyntaxError
        If the text is no expression.
    """
    if "\0" in text:  # some versions of Python raise ValueError for it
        raise SyntaxError("a null character")
    names: dict[str, str] = {}

    def placeholder(found: re.Match) -> str:
        key = f"_column_{len(names)}_"
        names[key] = found.group(1).replace("``", "`")
        return key

    return ast.parse(re.sub(r"`((?:[^`]|``)*)`", placeholder, text).strip(), mode="eval").body, names


def quoted(name: str) -> str:
    """Return a name in backticks.

    Examples
    --------
    >>> quoted("net price")
    '`net price`'
    """
    return f"`{name.replace('`', '``')}`"
