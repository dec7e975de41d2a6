"""A grid learnt on ordered values: value ↔ code, and back without handing out a value that few rows share.

A code is an interval of values. Inside it, a value that at least k rows share is an *atom*, published with its share;
the remaining rows are described by a *curve*: a piecewise-linear quantile curve through the means of blocks of at
least k neighbouring rows. So nothing that is kept was the value of fewer than k rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np

CODES = 256
_BLOCKS = 16
_ATOMS = 4096
_RETRIES = 12
_INT_LIMIT = 9.2e18


@dataclass(frozen=True)
class Grid:
    """Codes of ordered values, int64 or float64.

    Parameters
    ----------
    edges : array (codes - 1,)
        First value that belongs to the next code. An edge lies at a random place in the gap between two neighbours.
    bounds : array (2,)
        Smallest and largest value that can be drawn. The outermost real value where k rows share it; otherwise a
        random point between it and the mean of the k outermost rows.
    keys : float64 array (entries,)
        Code plus cumulative share inside the code: entries are the atoms and curves, ordered by code.
    atoms : array (entries,)
        The value of an atom; for a curve the whole-valued base to which its knots are added.
    starts : int32 array (entries + 1,)
        Where the knots of an entry begin; an atom has none.
    knots : float64 array
        Ends and block means of the curves, relative to their base.
    """

    edges: np.ndarray
    bounds: np.ndarray
    keys: np.ndarray
    atoms: np.ndarray
    starts: np.ndarray
    knots: np.ndarray

    @property
    def size(self) -> int:
        """Number of codes."""
        return len(self.edges) + 1

    @classmethod
    def learn(cls, values: np.ndarray, k: int, rng: np.random.Generator, codes: int = CODES) -> Self:
        """Learn from known values.

        Parameters
        ----------
        values : int64 or float64 array (rows,), rows >= 1
            Finite values, in any order.
        k : int
            Rows that must share a value before it is published.
        rng : numpy Generator
            Places edges and bounds at random inside their gaps.
        codes : int
            About how many codes; at most a quarter more are made.
        """
        distinct, counts = np.unique(values, return_counts=True)
        if len(values) < k:
            return cls._leading_digit(distinct, counts)
        cells = _cells(counts, k, codes)
        edges = _edges(distinct, cells, rng)
        bounds = _bounds(distinct, counts, k, rng)
        return cls(edges, bounds, *_entries(distinct, counts, k, edges, bounds))

    @classmethod
    def _leading_digit(cls, distinct: np.ndarray, counts: np.ndarray) -> Self:
        """Fewer than k rows in all: only their mean survives, to one significant digit."""
        mean = float(np.sum(distinct * (counts / counts.sum())))
        rough = float(f"{mean:.0e}")
        if distinct.dtype == np.int64:
            rough = np.clip(rough, -_INT_LIMIT, _INT_LIMIT)
        atom = np.array([rough]).astype(distinct.dtype)
        return cls(atom[:0], np.repeat(atom, 2), np.ones(1), atom, np.zeros(2, np.int32), np.empty(0))

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Return the code of each value, int32; a value out of range gets the first or the last code."""
        return np.searchsorted(self.edges, values, side="right").astype(np.int32)

    def decode(self, codes: np.ndarray, rng: np.random.Generator,
               keep: Callable[[np.ndarray], np.ndarray] | None = None) -> np.ndarray:
        """Draw a value inside each code.

        Parameters
        ----------
        codes : int array (rows,)
        rng : numpy Generator
        keep : function, optional
            Tells for values drawn from a curve the chance, 0 to 1, that each is kept; the others are drawn again, a
            few times.
        """
        entry = np.searchsorted(self.keys, codes + rng.random(len(codes)), side="right")
        entry = np.minimum(entry, len(self.keys) - 1)
        out = self.atoms[entry]
        drawn = self.starts[entry + 1] > self.starts[entry]
        if drawn.any():
            out[drawn] = self._draw(codes[drawn], entry[drawn], rng, keep)
        return out

    def _draw(self, codes: np.ndarray, entry: np.ndarray, rng: np.random.Generator,
              keep: Callable[[np.ndarray], np.ndarray] | None) -> np.ndarray:
        out = self._inside(codes, self.atoms[entry], self._offset(entry, rng))
        for _ in range(_RETRIES if keep else 0):
            again = np.flatnonzero(rng.random(len(out)) >= keep(out))
            if not len(again):
                break
            out[again] = self._inside(codes[again], self.atoms[entry[again]], self._offset(entry[again], rng))
        return out

    def _offset(self, entry: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A point of each entry's quantile curve, at a uniform random rank; a curve of g + 2 knots has g blocks."""
        blocks = self.starts[entry + 1] - self.starts[entry] - 2
        rank = rng.random(len(entry)) * blocks
        knot = np.floor(rank + 0.5).astype(np.int64)
        left, right = np.maximum(knot - 0.5, 0), np.minimum(knot + 0.5, blocks)
        share = (rank - left) / (right - left)
        low, high = self.knots[self.starts[entry] + knot], self.knots[self.starts[entry] + knot + 1]
        return low * (1 - share) + high * share

    def _inside(self, codes: np.ndarray, base: np.ndarray, offset: np.ndarray) -> np.ndarray:
        lows, highs = _limits(self.edges, self.bounds)
        if self.atoms.dtype == np.int64:
            rough = base + offset
            out = base + np.rint(np.clip(offset, -_INT_LIMIT, _INT_LIMIT)).astype(np.int64)
            out = np.where(rough > _INT_LIMIT, highs[codes], np.where(rough < -_INT_LIMIT, lows[codes], out))
        else:
            out = base + offset
        return np.clip(out, lows[codes], highs[codes])

    def state(self) -> dict[str, Any]:
        """Return the arrays."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        return cls(**{name: np.asarray(state[name]) for name in cls.__dataclass_fields__})


# -- learning -------------------------------------------------------------------------------------------------------
def _cells(counts: np.ndarray, k: int, codes: int) -> list[tuple[int, int]]:
    """Cut the distinct values into cells (first, last + 1).

    A spike is a cell of its own: any value of k rows where there are few distinct values, else one that outweighs an
    equal-mass bin. The runs between spikes are cut in about equal masses; a run of fewer than k rows joins no cell,
    and its rows take the code of the nearer spike.
    """
    rows = int(counts.sum())
    few = len(counts) <= codes
    spike = counts >= (k if few else max(k, -(-rows // codes)))
    rest = int(counts[~spike].sum())
    target = k if few else max(k, rest / max(codes // 4, codes - int(spike.sum())))
    cells = []
    for first, last in _runs(spike):
        if spike[first]:
            cells += [(i, i + 1) for i in range(first, last)]
        elif counts[first:last].sum() >= k:
            outer = (first == 0, last == len(counts))
            cuts = first + _cut(counts[first:last], target, k, outer)
            cells += list(pairwise(cuts.tolist()))
    return cells


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """First and last + 1 of each run of equal flags."""
    cuts = np.flatnonzero(np.diff(flags)) + 1
    bounds = [0, *cuts.tolist(), len(flags)]
    return list(pairwise(bounds))


def _cut(counts: np.ndarray, target: float, k: int, outer: tuple[bool, bool]) -> np.ndarray:
    """Cut a run in cells of about `target` rows, none under k; outer cells are halved outwards while they hold 2k."""
    mass = np.cumsum(counts)
    rows = int(mass[-1])
    marks = np.linspace(0, rows, max(1, round(rows / target)) + 1)
    width = marks[1]
    finer = width / 2.0 ** np.arange(1, 8)
    finer = finer[finer >= 2 * k]
    marks = np.concatenate([marks, finer if outer[0] else [], rows - finer if outer[1] else []])
    cuts = [0]
    for mark in np.unique(marks)[1:-1]:
        at = int(np.searchsorted(mass, mark)) + 1
        before = mass[cuts[-1] - 1] if cuts[-1] else 0
        if at < len(counts) and mass[at - 1] - before >= k and rows - mass[at - 1] >= k:
            cuts.append(at)
    return np.array([*cuts, len(counts)])


def _edges(distinct: np.ndarray, cells: list[tuple[int, int]], rng: np.random.Generator) -> np.ndarray:
    """A random place in the gap between each two neighbouring cells; Python's whole numbers do not overflow."""
    out = np.empty(len(cells) - 1, distinct.dtype)
    shares = rng.uniform(0.25, 0.75, len(out)).tolist()
    for i, share in enumerate(shares):
        a, b = distinct[cells[i][1] - 1].item(), distinct[cells[i + 1][0]].item()
        if isinstance(a, int):
            out[i] = a + max(1, int((b - a) * share))
        else:
            edge = a * (1 - share) + b * share
            out[i] = edge if a < edge <= b else b
    return out


def _bounds(distinct: np.ndarray, counts: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """The smallest and the largest value that may be drawn."""
    shares = rng.uniform(0.25, 0.75, 2)
    low = _bound(distinct[: k + 1], counts[: k + 1], k, shares[0])
    high = _bound(distinct[::-1][: k + 1], counts[::-1][: k + 1], k, shares[1])
    return np.array([min(low, high), max(low, high)], distinct.dtype)


def _bound(outer: np.ndarray, counts: np.ndarray, k: int, share: float) -> Any:
    if counts[0] >= k:
        return outer[0]
    taken = np.diff(np.minimum(np.cumsum(counts), k), prepend=0)
    mean = float(np.sum(outer * (taken / taken.sum())))
    bound = mean * (1 - share) + float(outer[0]) * share
    if outer.dtype == np.int64:  # towards the mean, so that the outermost value itself is not it
        bound = np.clip(np.floor(bound) if outer[0] >= mean else np.ceil(bound), -_INT_LIMIT, _INT_LIMIT)
    return outer.dtype.type(bound)


def _limits(edges: np.ndarray, bounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest value of each code."""
    below = edges - 1 if edges.dtype == np.int64 else np.nextafter(edges, -np.inf)
    return np.append(bounds[:1], np.maximum(edges, bounds[0])), np.append(np.minimum(below, bounds[1]), bounds[1:])


def _entries(distinct: np.ndarray, counts: np.ndarray, k: int, edges: np.ndarray, bounds: np.ndarray
             ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Atoms and curves of every code: keys, atoms, starts, knots; a remainder of fewer than k rows is left out."""
    enough = k if np.count_nonzero(counts >= k) <= _ATOMS else max(k, int(np.sort(counts)[-_ATOMS]) + 1)
    codes = np.searchsorted(edges, distinct, side="right")
    atom = counts >= enough
    rest = np.bincount(codes[~atom], counts[~atom], len(edges) + 1)
    curved = np.flatnonzero(rest >= k)
    kept = ~atom & (rest[codes] >= k)
    bases, lengths, knots = _curves(distinct[kept], counts[kept], codes[kept], k, _limits(edges, bounds))

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
    block = np.cumsum(np.append(0, blocks[:-1]))[curve] + (np.arange(len(rows)) - first[curve]) * blocks[curve] // sizes[curve]
    held = np.bincount(block)
    begin = np.cumsum(held) - held
    means = np.add.reduceat(offsets / held[block], begin)
    reach = 2 * np.add.reduceat(np.abs(offsets / held[block] - means[block] / held[block]), begin)

    last = np.cumsum(blocks) - 1
    here = of[first]
    half = 0.5 if values.dtype == np.int64 else 0.0
    lows, highs = (_minus(limit[here], base) for limit in limits)
    left = np.where(here == 0, lows - half, np.maximum(lows - half, means[last - blocks + 1] - reach[last - blocks + 1]))
    right = np.where(here == len(limits[0]) - 1, highs + half, np.minimum(highs + half, means[last] + reach[last]))
    at = np.arange(len(first))
    knots = np.insert(means, last + 1, np.maximum(right, means[last]))
    knots = np.insert(knots, last - blocks + 1 + at, np.minimum(left, means[last - blocks + 1]))
    return base, blocks + 2, knots


def _relative(rows: np.ndarray, first: np.ndarray, curve: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The base of each curve (a whole number near its mean; 0 for floats), and its rows relative to it."""
    if rows.dtype != np.int64:
        return np.zeros(len(first)), rows
    sizes = np.bincount(curve)
    means = np.add.reduceat(rows / sizes[curve], first)
    base = np.clip(means, -_INT_LIMIT, _INT_LIMIT).astype(np.int64)
    return base, _minus(rows, base[curve])


def _minus(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Difference as float64; exact for whole numbers that lie less than 2**53 apart."""
    rough = a.astype(float) - b.astype(float)
    if a.dtype != np.int64:
        return rough
    return np.where(np.abs(rough) < 2.0**62, (a - b).astype(float), rough)
