"""A grid learnt on ordered values: value ↔ code, and back without handing out a value that few rows share.

A code is an interval of values. Inside it, a value that at least k rows share is an *atom*, published with its share;
the remaining rows are described by a *curve*: a piecewise-linear quantile curve through the means of blocks of at
least k neighbouring rows. So nothing that is kept was the value of fewer than k rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from verisyn.kinds._cells import INT_LIMIT, cut_cells, limits, place_bounds, place_edges
from verisyn.kinds._curves import describe_cells

CODES = 256
_RETRIES = 12
_SPARSE = 3
"""Points in the range, as a multiple of the atoms, from which on a column has no values between its atoms."""
_OFTEN = 0.9


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
        cells = cut_cells(counts, k, codes)
        edges = place_edges(distinct, cells, rng)
        bounds = place_bounds(distinct, counts, k, rng)
        return cls(edges, bounds, *describe_cells(distinct, counts, k, edges, bounds))

    @classmethod
    def _leading_digit(cls, distinct: np.ndarray, counts: np.ndarray) -> Self:
        """Fewer than k rows in all: only their mean survives, to one significant digit."""
        mean = float(np.sum(distinct * (counts / counts.sum())))
        rough = float(f"{mean:.0e}")
        if distinct.dtype == np.int64:
            rough = np.clip(rough, -INT_LIMIT, INT_LIMIT)
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

    def settled(self, values: np.ndarray) -> np.ndarray:
        """Return values that something else made, each at its nearest atom where hardly any others occur about it.

        A thermometer that tells whole degrees, but for one reading of 9.333, has no 9.1.
        """
        alone = self.starts[1:] == self.starts[:-1]
        atoms = np.unique(self.atoms[alone])
        if not len(atoms) or (atoms.dtype == np.int64 and float(self.bounds[1]) - float(self.bounds[0])
                              < _SPARSE * len(atoms)):
            return values
        entry = np.ceil(self.keys).astype(np.int64) - 1
        share = np.bincount(entry, np.diff(self.keys, prepend=0) * alone, self.size)
        above = np.clip(np.searchsorted(atoms, values), 1, max(len(atoms) - 1, 1))
        below = atoms[above - 1]
        above = atoms[np.minimum(above, len(atoms) - 1)]
        nearest = np.where(values - below <= above - values, below, above)
        if atoms.dtype == np.int64 and len(atoms) > 2:
            step = max(int(np.gcd.reduce(atoms - atoms[0])), 1)
            values = atoms[0] + (values - atoms[0] + step // 2) // step * step
        return np.where(share[self.encode(values)] >= _OFTEN, nearest, values)

    def _draw(self, codes: np.ndarray, entry: np.ndarray, rng: np.random.Generator,
              keep: Callable[[np.ndarray], np.ndarray] | None) -> np.ndarray:
        out = self._inside(codes, self.atoms[entry], self._offset(entry, rng))
        if keep is None:
            return out
        for _ in range(_RETRIES):
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
        lows, highs = limits(self.edges, self.bounds)
        if self.atoms.dtype == np.int64:
            rough = base + offset
            out = base + np.rint(np.clip(offset, -INT_LIMIT, INT_LIMIT)).astype(np.int64)
            out = np.where(rough > INT_LIMIT, highs[codes], np.where(rough < -INT_LIMIT, lows[codes], out))
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
