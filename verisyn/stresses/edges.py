"""The edges of each constraint: an order at equality, parts of a sum at zero, what must be missing or there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import polars as pl

from verisyn.stresses import Case, cell
from verisyn.stresses._ground import Ground
from verisyn.stresses._points import ends_of

_COMBINATIONS = 50


def cases(ground: Ground) -> Iterator[Case]:
    """Yield the cases at which each constraint just holds."""
    rules = ground.coder.rules
    for kind, rule in zip(rules.kinds, rules.rules, strict=True):
        if kind in _EDGES:
            yield from _EDGES[kind](ground, rule)


def _order(ground: Ground, rule: Any) -> Iterator[Case]:
    """As near as the order lets them be, from a plausible row; and as far apart as they go."""
    whole = ground.pool.filter(pl.all_horizontal(pl.col(c).is_not_null() for c in rule.columns))
    if whole.height:
        row = whole[0]
        first = row[rule.columns[0]]
        said = "one step apart" if rule.strict else "equal"
        level = row.with_columns(first.cast(row[c].dtype).alias(c) for c in rule.columns)
        if rule.strict:
            level = rule.mend(level, np.ones(1, bool), np.random.default_rng(0))
        yield Case(f"{' and '.join(map(repr, rule.columns))} {said}", {c: level[c] for c in rule.columns},
                   f"the border of {rule.sentence}")
    low, high = ends_of(ground, rule.columns[0]), ends_of(ground, rule.columns[-1])
    if low and high:
        yield Case(f"{rule.columns[0]!r} and {rule.columns[-1]!r} as far apart as they go",
                   {rule.columns[0]: low[0], rule.columns[-1]: high[1]}, f"the widest {rule.sentence}")


def _sum(ground: Ground, rule: Any) -> Iterator[Case]:
    """Each part zero, and all of them."""
    parts = [c for c in rule.columns[1:] if c not in ground.derived]
    zeros = {c: cell(0, ground.dtype(c)) for c in parts}
    for name in parts:
        yield Case(f"{name!r} zero in {rule.sentence}", {name: zeros[name]}, "a part that adds nothing")
    if len(parts) > 1:
        yield Case(f"all parts zero in {rule.sentence}", zeros, "nothing adds up to nothing")


def _limits(ground: Ground, rule: Any) -> Iterator[Case]:
    for limit, end in ((rule.minimum, "smallest"), (rule.maximum, "largest")):
        if limit is not None and len(rule.columns) > 1:
            yield Case(f"all at the {end} value allowed", {c: cell(limit, ground.dtype(c)) for c in rule.columns},
                       f"the border of {rule.sentence}", loose=True)


def _one_hot(ground: Ground, rule: Any) -> Iterator[Case]:
    for name, share in zip(rule.columns, rule.shares, strict=True):
        if share:
            flags = {c: cell(int(c == name), pl.Int64()).cast(ground.dtype(c)) for c in rule.columns}
            yield Case(f"{name!r} is the one that is set", flags, f"each of {rule.sentence}")


def _combinations(ground: Ground, rule: Any) -> Iterator[Case]:
    """The only combinations that may be; or those that share a level with one that may not be."""
    beside = [c for c in rule.usual if any(a == b for never in rule.never for a, b in zip(c, never, strict=True))]
    for levels in (rule.only or beside)[:_COMBINATIONS]:
        cells = {c: cell(v, ground.dtype(c)) for c, v in zip(rule.columns, levels, strict=True)}
        said = ", ".join(f"{c} = {v!r}" for c, v in zip(rule.columns, levels, strict=True))
        why = "one of the combinations that may occur" if rule.only else "allowed, beside combinations that are not"
        yield Case(f"allowed: {said}", cells, why)


def _required(ground: Ground, rule: Any) -> Iterator[Case]:
    first, last = rule.columns
    for level in rule.missing_when:
        yield Case(f"{last!r} missing because {first!r} is {level!r}",
                   {first: cell(level, ground.dtype(first)), last: cell(None, ground.dtype(last))}, rule.sentence)
    for level in rule.present_when:
        yield Case(f"{last!r} there because {first!r} is {level!r}", {first: cell(level, ground.dtype(first))},
                   rule.sentence)


def _together(ground: Ground, rule: Any) -> Iterator[Case]:
    yield Case("missing together", {c: cell(None, ground.dtype(c)) for c in rule.columns}, rule.sentence)


def _twins(ground: Ground, rule: Any) -> Iterator[Case]:
    """Two rows that differ in the last column alone, by as little as may be."""
    row = ground.pool[0]
    if rule.ordered is None or row[rule.ordered].is_null().any():
        return
    value = row[rule.ordered]
    step = rule.step if value.to_physical().dtype.is_float() else int(rule.step)
    other = (value.to_physical() + step).cast(value.to_physical().dtype).cast(value.dtype)
    for moved, which in ((value, "first"), (other, "second")):
        cells = {c: moved if c == rule.ordered else row[c] for c in rule.columns}
        yield Case(f"the {which} of two rows that differ by one step in {rule.ordered!r}", cells,
                   f"the border of {rule.sentence}")


_EDGES: dict[str, Callable[[Ground, Any], Iterator[Case]]] = {
    "inequality": _order, "formula": _sum, "range": _limits, "one_hot": _one_hot, "combinations": _combinations,
    "required": _required, "nulls": _together, "unique": _twins}
