"""Equally many rows of each level of a column."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from verisyn.drawing import child
from verisyn.errors import UserError
from verisyn.kinds import BaseCoder, Draw
from verisyn.modalities.table._views import TableCoder
from verisyn.steering.conditional import Rows

_LEVELS = 100


def balanced(rows: int, column: str, wished: Rows, root: np.random.SeedSequence, tick: Any) -> pl.DataFrame:
    """Draw equally many rows of each level, then shuffle; a level that the condition excludes has no share.

    Raises
    ------
    UserError
        If the column is not there, or has too few or too many levels.
    """
    wished.drawing.table.column(column)
    part, levels = _levels(column, wished.drawing.coder)
    if part in wished.allowed:
        levels = [level for level in levels if wished.allowed[part][level].any()] or levels
    shares = np.full(len(levels), rows // len(levels))
    shares[: rows % len(levels)] += 1
    frames, start = [], 0
    for i, (level, share) in enumerate(zip(levels, shares, strict=True)):
        mask = np.zeros(wished.drawing.coder.parts[part].size, bool)
        mask[level] = True
        if share:
            level_rows = wished.within({part: mask}, f"{column} at one level")
            frame, start = level_rows.draw(int(share), child(root, i), tick, start)
            frames.append(frame)
    order = np.random.default_rng(child(root, len(levels))).permutation(rows)
    return pl.concat(frames)[order]


def _levels(column: str, coder: TableCoder) -> tuple[int, list[list[int]]]:
    """The column's part, and the codes of each level, but that of a missing value."""
    own, where = next(((c, w) for c, w in coder.slices() if column in c.columns), (None, slice(0)))
    part = coder.parts[where.start] if own and len(own.parts) == 1 and not own.needs else None
    levels = [[code] for code in range(part.size) if code != part.missing] if part else []
    if own and column in own.recomputed and levels:
        levels = _grouped(column, own)
    if not 2 <= len(levels) <= _LEVELS:
        raise UserError(f"Column {column!r} cannot be balanced: it has {len(levels)} levels, and between 2 and "
                        f"{_LEVELS} are needed. Choose a category or a yes/no column.")
    return where.start, levels


def _grouped(column: str, own: BaseCoder) -> list[list[int]]:
    """The codes that give each value of a column that is recomputed from another."""
    codes = np.arange(own.parts[0].size, dtype=np.int32)
    values = own.decode(codes[:, None], Draw(np.random.default_rng(0), np.zeros(len(codes), np.int64)))[column]
    found: dict[Any, list[int]] = {}
    for code, value in zip(codes.tolist(), values.to_list(), strict=True):
        found.setdefault(value, []).append(code)
    found.pop(None, None)
    return list(found.values())
