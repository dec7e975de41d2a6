"""Tables of counts on coarse codes, by blocks of rows, so that every distance between them has a jackknife interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import prod

import numpy as np

from verisyn.metrics import Sides
from verisyn.modalities.table._views import Coarse

BLOCKS = 20
"""Blocks of rows that a jackknife leaves out, one at a time; row i is in block i modulo 20."""
ALL, DRAWN = 40, 500
"""Up to 40 columns every pair is looked at; of a wider table 500 pairs, drawn by a seed."""


def block_counts(coarse: Coarse, columns: Sequence[int]) -> np.ndarray:
    """Count the joint codes of some columns in 20 interleaved blocks of rows.

    Returns
    -------
    int array of shape (20, cells)
    """
    cells = BLOCKS * prod(coarse.sizes[i] for i in columns)
    kind = np.uint16 if cells < 2**16 else np.int64  # four times as many a cache line, and nearly twice as fast
    cell = _blocks(len(coarse.values), kind).copy()
    for i in columns:
        cell *= kind(coarse.sizes[i])
        cell += coarse.values[:, i]
    return np.bincount(cell, minlength=cells).reshape(BLOCKS, -1)


@lru_cache(8)
def _blocks(rows: int, kind: type) -> np.ndarray:
    return (np.arange(rows) % BLOCKS).astype(kind)


def overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return 1 - total variation of two tables of block counts, whole and with blocks left out.

    Returns
    -------
    float array of shape (1 + 2 * blocks,)
        On all rows; without each block of `a`; without each block of `b`.
    """
    held = np.flatnonzero(a.any(axis=0) | b.any(axis=0))
    less_a, less_b = (_shares(left_out(x[:, held])) for x in (a, b))
    gaps = np.concatenate([less_a - less_b[:1], less_a[:1] - less_b[1:]])
    return 1 - np.abs(gaps).sum(axis=1) / 2


def left_out(counts: np.ndarray) -> np.ndarray:
    """Return the counts of all blocks together, then without each block."""
    whole = counts.sum(axis=0)
    return np.concatenate([whole[None], whole - counts])


def _shares(counts: np.ndarray) -> np.ndarray:
    return counts / counts.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class Pair:
    """Two columns, and how often their codes occur together: int arrays of shape (20 blocks, codes, codes)."""

    a: int
    b: int
    fake: np.ndarray
    real: np.ndarray


def pair_tables(sides: Sides) -> list[Pair]:
    """Return the joint counts of pairs of columns, synthetic and holdout rows, counted once for all metrics."""
    return sides.shared("pair tables", lambda: _pair_tables(sides))


def _pair_tables(sides: Sides) -> list[Pair]:
    fake, real = sides.fake.coarse, sides.holdout.coarse

    def counted(coarse: Coarse, a: int, b: int) -> np.ndarray:
        return block_counts(coarse, (a, b)).reshape(BLOCKS, coarse.sizes[a], coarse.sizes[b]).astype(np.int32)

    return [Pair(a, b, counted(fake, a, b), counted(real, a, b)) for a, b in _pairs(len(fake.sizes))]


def strengths(sides: Sides) -> tuple[np.ndarray, np.ndarray]:
    """Return the association of each of `pair_tables`, synthetic and holdout rows: on all rows, without each block.

    Returns
    -------
    two float arrays of shape (pairs, 21)
    """
    return sides.shared("pair strengths", lambda: tuple(
        np.array([associations(left_out(getattr(p, side))) for p in pair_tables(sides)]) for side in ("fake", "real")))


def _pairs(width: int) -> list[tuple[int, int]]:
    if width <= ALL:
        return list(combinations(range(width), 2))
    first, second = np.triu_indices(width, 1)
    drawn = np.sort(np.random.default_rng(width).choice(len(first), DRAWN, replace=False))
    return [(int(first[i]), int(second[i])) for i in drawn]


def association(table: np.ndarray) -> float:
    """Return the strength of dependence in a table of counts: Cramér's V without its bias (Bergsma 2013), 0 to 1.

    Examples
    --------
    >>> association(np.array([[50, 0], [0, 50]])) > 0.98, association(np.array([[25, 25], [25, 25]]))
    (True, 0.0)
    """
    return float(associations(table[None])[0])


def associations(tables: np.ndarray) -> np.ndarray:
    """Return `association` of each of several tables, shape (tables, codes, codes)."""
    rows = tables.sum(axis=(1, 2))
    across, down = tables.sum(axis=2), tables.sum(axis=1)
    r, c = (across > 0).sum(axis=1), (down > 0).sum(axis=1)
    asked = (np.minimum(r, c) >= 2) & (rows >= 2)
    out = np.zeros(len(tables))
    tables, across, down, rows, r, c = (x[asked].astype(float) for x in (tables, across, down, rows, r, c))
    expected = across[:, :, None] * down[:, None, :]
    squares = np.divide(tables**2, expected, out=np.zeros_like(expected), where=expected > 0)
    phi2 = np.maximum(0.0, squares.sum(axis=(1, 2)) - 1 - (r - 1) * (c - 1) / (rows - 1))
    fewest = np.minimum(r - (r - 1) ** 2 / (rows - 1), c - (c - 1) ** 2 / (rows - 1)) - 1
    out[asked] = np.sqrt(np.minimum(1.0, np.divide(phi2, fewest, out=np.zeros_like(phi2), where=fewest > 0)))
    return out


def rank_correlations(tables: np.ndarray) -> np.ndarray:
    """Return Spearman's correlation of ordered codes, ties sharing their mean rank, of each of several tables.

    A table whose rows, or columns, are all in one code has none: 0.
    """
    rows = np.maximum(tables.sum(axis=(1, 2)), 1)[:, None]
    margins = [tables.sum(axis=axis) / rows for axis in (2, 1)]
    a, b = (np.cumsum(m, axis=1) - m / 2 - 0.5 for m in margins)
    spread = np.sqrt((margins[0] * a * a).sum(axis=1) * (margins[1] * b * b).sum(axis=1))
    together = np.einsum("tab,ta,tb->t", tables, a, b) / rows[:, 0]
    return np.divide(together, spread, out=np.zeros(len(tables)), where=spread > 1e-12)


def information(table: np.ndarray) -> float:
    """Return the mutual information of a table of counts over the lesser of its two entropies, 0 to 1.

    What chance alone gives, (rows - 1)(columns - 1) / 2n nats (Miller 1955), is taken off.

    Examples
    --------
    >>> round(information(np.array([[500, 0], [0, 500]])), 2), information(np.array([[25, 25], [25, 25]]))
    (1.0, 0.0)
    """
    rows = table.sum()
    if rows == 0:
        return 0.0
    across, down = table.sum(axis=1), table.sum(axis=0)
    entropies = [_entropy(x / rows) for x in (across, down, table.ravel())]
    chance = ((across > 0).sum() - 1) * ((down > 0).sum() - 1) / (2 * rows)
    least = min(entropies[:2])
    shared = entropies[0] + entropies[1] - entropies[2] - chance
    return float(np.clip(shared / least, 0.0, 1.0)) if least > 1e-12 else 0.0


def _entropy(shares: np.ndarray) -> float:
    held = shares[shares > 0]
    return float(-(held * np.log(held)).sum())
