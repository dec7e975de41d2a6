"""What a grid keeps of the rows inside each code: atoms that k rows share, and a curve for the rest."""

from __future__ import annotations

import numpy as np

from verisyn.kinds._cells import INT_LIMIT
from verisyn.kinds._cells import limits as limits_of

_BLOCKS = 16
_ATOMS = 4096


def describe_cells(distinct: np.ndarray, counts: np.ndarray, k: int, edges: np.ndarray, bounds: np.ndarray
             ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Atoms and curves of every code: keys, atoms, starts, knots; a remainder of fewer than k rows is left out."""
    enough = k if np.count_nonzero(counts >= k) <= _ATOMS else max(k, int(np.sort(counts)[-_ATOMS]) + 1)
    codes = np.searchsorted(edges, distinct, side="right")
    atom = counts >= enough
    rest = np.bincount(codes[~atom], counts[~atom], len(edges) + 1)
    curved = np.flatnonzero(rest >= k)
    kept = ~atom & (rest[codes] >= k)
    bases, lengths, knots = _curves(distinct[kept], counts[kept], codes[kept], k, limits_of(edges, bounds))

    of = np.concatenate([codes[atom], curved])
    order = np.argsort(of, kind="stable")
    of = of[order]
    weights = np.concatenate([counts[atom], rest[curved]])[order]
    keys = np.cumsum(weights / np.bincount(of, weights)[of])
    last = np.append(of[1:] != of[:-1], True)
    keys[last] = of[last] + 1
    starts = np.concatenate([[0], np.cumsum(np.concatenate([np.zeros(int(atom.sum()), int), lengths])[order])])
    return keys, np.concatenate([distinct[atom], bases])[order], starts.astype(np.int32), knots


def _curves(values: np.ndarray, counts: np.ndarray, codes: np.ndarray, k: int, limits: tuple[np.ndarray, np.ndarray]
            ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The quantile curves of the rows of each code that occurs: bases, numbers of knots, knots relative to the base.

    The ends of a curve reach as far as its outermost block would if it were uniform (a uniform block of width w has
    mean absolute deviation w/4), or to the column's bound in the first and the last code.
    """
    if not len(values):
        return values, np.empty(0, int), np.empty(0)
    rows, of = np.repeat(values, counts), np.repeat(codes, counts)
    first = np.flatnonzero(np.append(True, of[1:] != of[:-1]))
    sizes = np.diff(np.append(first, len(rows)))
    curve = np.repeat(np.arange(len(first)), sizes)
    base, offsets = _relative(rows, first, curve)
    blocks = np.clip(sizes // k, 1, _BLOCKS)
    rank = np.arange(len(rows)) - first[curve]
    block = np.cumsum(np.append(0, blocks[:-1]))[curve] + rank * blocks[curve] // sizes[curve]
    held = np.bincount(block)
    begin = np.cumsum(held) - held
    means = np.add.reduceat(offsets / held[block], begin)
    reach = 2 * np.add.reduceat(np.abs(offsets / held[block] - means[block] / held[block]), begin)

    last = np.cumsum(blocks) - 1
    begins, here = last - blocks + 1, of[first]
    half = 0.5 if values.dtype == np.int64 else 0.0
    lows, highs = (_minus(limit[here], base) for limit in limits)
    left = np.where(here == 0, lows - half, np.maximum(lows - half, means[begins] - reach[begins]))
    right = np.where(here == len(limits[0]) - 1, highs + half, np.minimum(highs + half, means[last] + reach[last]))
    at = np.arange(len(first))
    knots = np.insert(means, last + 1, np.maximum(right, means[last]))
    knots = np.insert(knots, begins + at, np.minimum(left, means[begins]))
    return base, blocks + 2, knots


def _relative(rows: np.ndarray, first: np.ndarray, curve: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The base of each curve (a whole number near its mean; 0 for floats), and its rows relative to it."""
    if rows.dtype != np.int64:
        return np.zeros(len(first)), rows
    sizes = np.bincount(curve)
    means = np.add.reduceat(rows / sizes[curve], first)
    base = np.clip(means, -INT_LIMIT, INT_LIMIT).astype(np.int64)
    return base, _minus(rows, base[curve])


def _minus(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Difference as float64; exact for whole numbers that lie less than 2**53 apart."""
    rough = a.astype(float) - b.astype(float)
    if a.dtype != np.int64:
        return rough
    return np.where(np.abs(rough) < 2.0**62, (a - b).astype(float), rough)
