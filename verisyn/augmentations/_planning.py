"""How many rows are to be derived from rows of which class, and from which of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from verisyn.augmentations import BaseMethod, Wanted
from verisyn.augmentations._real import Real
from verisyn.errors import UserError, did_you_mean, whole_number


@dataclass(frozen=True)
class Plan:
    """Which real row each new row is derived from, int (rows,), and what is to be said of it."""

    base: np.ndarray
    notes: tuple[str, ...] = ()


def planned(method: BaseMethod, real: Real, wanted: Wanted, rng: np.random.Generator) -> Plan:
    """Choose the rows to derive from.

    Raises
    ------
    UserError
        If shares are asked for that cannot be met, or there are too few rows.
    """
    rows = None if wanted.rows is None else whole_number("rows", wanted.rows, 1)
    height = real.rows.height
    if wanted.shares is not None and not method.shares:
        raise UserError("Rows of this method lie between classes, so shares of classes cannot be asked for. Leave "
                        "shares out, or take smote or noise.")
    if wanted.shares is not None and real.target is None:
        raise UserError("Shares were given, but no target. Name the column whose levels they are of.")
    if height < method.least:
        raise UserError(f"There is only {height} row, and this method lies between two. Give more rows, or take noise.")
    if real.target is None or not (wanted.shares is not None or method.balances):
        return Plan(_spread(np.arange(height), rows or height, rng))
    return _by_class(method, real, wanted.shares, rows, rng)


def _by_class(method: BaseMethod, real: Real, shares: Mapping[Any, float] | None, rows: int | None,
              rng: np.random.Generator) -> Plan:
    counts = real.classes()
    name = real.target or ""
    levels, held = counts["level"].to_list(), counts["rows"].to_numpy().astype(np.float64)
    if not len(held):
        raise UserError(f"The target {name!r} has no value at all.")
    wish = _wish(name, levels, held, shares)
    able = held >= method.least
    notes = []
    asked = {_text(level) for level in shares or ()}
    for level, known in zip(levels, able, strict=True):
        if not known and _text(level) in asked:
            raise UserError(f"Only one row has {name!r} = {level!r}, and this method lies between two rows of a "
                            "class. Take noise for it, or leave it out of the shares.")
        if not known:
            notes.append(f"Only one row has {name!r} = {level!r}, so none was derived for it: it has no "
                         "neighbour.")
    new = np.zeros(len(held), np.int64)
    new[able] = _counts(held[able], wish[able] / wish[able].sum(), rows)
    if not new.sum():
        raise UserError(f"The levels of {name!r} have the shares that are wanted already. Give rows, or other "
                        "shares.")
    values = real.rows[name]
    base = [_spread(np.flatnonzero((values == level).fill_null(False).to_numpy()), int(n), rng)
            for level, n in zip(levels, new, strict=True) if n]
    return Plan(np.concatenate(base), tuple(notes))


def _wish(target: str, levels: list[Any], held: np.ndarray, shares: Mapping[Any, float] | None) -> np.ndarray:
    """The share of each level that is wanted; levels that are not named keep to their own proportions."""
    if shares is None:
        return np.full(len(levels), 1 / len(levels))
    if not isinstance(shares, Mapping) or not shares:
        raise UserError(f"The shares are {shares!r}; a mapping from levels of {target!r} to numbers was expected.")
    by_text = {_text(level): level for level in levels}
    wish = np.zeros(len(levels))
    for level, value in shares.items():
        if _text(level) not in by_text:
            raise UserError(f"{target!r} has no level {level!r}. {did_you_mean(_text(level), by_text)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
            raise UserError(f"The share of {level!r} is {value!r}; a number above 0, up to 1, was expected.")
        wish[levels.index(by_text[_text(level)])] = value
    named, rest = wish > 0, 1 - wish.sum()
    if rest < -1e-9 or (named.all() and rest > 1e-9) or (not named.all() and rest <= 1e-9):
        what = "all levels" if named.all() else "the levels named, which leave others"
        raise UserError(f"The shares of {what} of {target!r} sum to {wish.sum():g}; "
                        f"{'1' if named.all() else 'less than 1'} was expected.")
    wish[~named] = rest * held[~named] / held[~named].sum()
    return wish


def _text(level: Any) -> str:
    """A level as it is written on the command line."""
    return str(level).lower() if isinstance(level, bool) else str(level)


def _counts(held: np.ndarray, wish: np.ndarray, rows: int | None) -> np.ndarray:
    """New rows of each class: as few as bring them to their shares, or `rows` that come as near to them as they can.

    Examples
    --------
    >>> _counts(np.array([90.0, 10.0]), np.array([0.5, 0.5]), None).tolist()
    [0, 80]
    >>> _counts(np.array([90.0, 10.0]), np.array([0.5, 0.5]), 100).tolist()
    [10, 90]
    """
    total = float(np.max(held / wish)) if rows is None else held.sum() + rows
    short = np.maximum(wish * total - held, 0)
    exact = short if rows is None else short * rows / short.sum()
    new = np.floor(exact + 1e-9).astype(np.int64)
    left = (round(exact.sum()) if rows is None else rows) - int(new.sum())
    new[np.argsort(new - exact, kind="stable")[:left]] += 1
    return new


def _spread(members: np.ndarray, rows: int, rng: np.random.Generator) -> np.ndarray:
    """Each member as often as any other, in order; those that come once more are drawn."""
    whole, rest = divmod(rows, len(members))
    more = rng.choice(len(members), rest, replace=False)
    return np.sort(np.concatenate([np.repeat(members, whole), members[more]]), kind="stable")
