"""Points cut in boxes of about equal mass by a k-d tree; a point is drawn inside its box, never copied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

BOXES = 1024
_GAP = 0.4


@dataclass(frozen=True)
class Boxes:
    """A k-d tree (J. L. Bentley, "Multidimensional binary search trees", CACM 18(9), 1975) whose leaves are codes.

    Neighbouring codes are neighbours in the tree. In a leaf, a point that at least k rows share is an entry of its own;
    the other rows are one entry: the box in which uniform rows would have the same mean k outermost rows on each side.
    It does not reach beyond its leaf, nor, on the outside, beyond a random place between the outermost row and that
    mean.

    Parameters
    ----------
    dims : int8 array (nodes,)
        The coordinate that a node splits; -1 for a leaf.
    splits : float64 array (nodes,)
        Smallest coordinate that goes right; for a leaf, its code.
    right : int32 array (nodes,)
        The right child; the left child is the next node.
    keys : float64 array (entries,)
        Code plus cumulative share inside the code.
    low, high : float64 arrays (entries, coordinates)
        Corners of each entry's box.
    """

    dims: np.ndarray
    splits: np.ndarray
    right: np.ndarray
    keys: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def size(self) -> int:
        """Number of codes."""
        return int((self.dims < 0).sum())

    @classmethod
    def learn(cls, points: np.ndarray, k: int, rng: np.random.Generator, boxes: int = BOXES) -> Self:
        """Learn from finite points of shape (rows, coordinates), rows >= 1; a box holds at least 2 k rows if it can."""
        grower = _Grower(k, rng, 0.01 * np.subtract(*np.percentile(points, (95, 5), axis=0)))
        everywhere = np.full(points.shape[1], np.inf)
        grower.grow(points, max(2 * k, -(-len(points) // boxes)), (-everywhere, everywhere))
        nodes = zip(*grower.nodes, strict=True)
        dims, splits, right = (np.array(v, t) for v, t in zip(nodes, (np.int8, float, np.int32), strict=True))
        keys, low, high = (np.concatenate(v) for v in zip(*grower.entries, strict=True))
        return cls(dims, splits, right, keys, low, high)

    def encode(self, points: np.ndarray) -> np.ndarray:
        """Return the code of each point, int32."""
        at = np.zeros(len(points), np.int64)
        rows = np.arange(len(points))
        while (inner := self.dims[at] >= 0).any():
            right = points[rows, self.dims[at]] >= self.splits[at]
            at = np.where(inner, np.where(right, self.right[at], at + 1), at)
        return self.splits[at].astype(np.int32)

    def decode(self, codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw a point inside each code."""
        entry = np.searchsorted(self.keys, codes + rng.random(len(codes)), side="right")
        entry = np.minimum(entry, len(self.keys) - 1)
        share = rng.random((len(codes), self.low.shape[1]))
        return self.low[entry] + (self.high[entry] - self.low[entry]) * share

    def state(self) -> dict[str, Any]:
        """Return the arrays."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        return cls(**{name: np.asarray(state[name]) for name in cls.__dataclass_fields__})


class _Grower:
    """Grows the tree, left before right, so that leaves are numbered in order; no gap under `wide` is sought out."""

    def __init__(self, k: int, rng: np.random.Generator, wide: np.ndarray):
        self.k, self.rng, self.wide = k, rng, wide
        self.nodes: list[list[float]] = []
        self.entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def grow(self, points: np.ndarray, least: int, cell: tuple[np.ndarray, np.ndarray]) -> None:
        node: list[float] = [-1, len(self.entries), 0]
        self.nodes.append(node)
        found = self._split(points, least)
        if found is None:
            self.entries.append(self._leaf(points, len(self.entries), cell))
            return
        dim, split = found
        right = points[:, dim] >= split
        here = np.arange(points.shape[1]) == dim
        node[0], node[1] = found
        self.grow(points[~right], least, (cell[0], np.where(here, split, cell[1])))
        node[2] = len(self.nodes)
        self.grow(points[right], least, (np.where(here, split, cell[0]), cell[1]))

    def _split(self, points: np.ndarray, least: int) -> tuple[int, float] | None:
        """Where to cut: a wide gap with k rows on both sides, else near the median of the wider coordinate."""
        if len(points) < 2 * self.k:
            return None
        spread = np.subtract(*np.percentile(points, (90, 10), axis=0))
        for dim in np.argsort(-spread, kind="stable"):
            ordered = np.sort(points[:, dim])
            gaps = np.diff(ordered)
            cut = self.k + int(np.argmax(gaps[self.k - 1 : len(gaps) - self.k + 1]))
            if gaps[cut - 1] <= max(_GAP * (ordered[-self.k] - ordered[self.k - 1]), self.wide[dim]):
                cuts = np.flatnonzero(gaps) + 1
                cuts = cuts[(cuts >= least) & (cuts <= len(ordered) - least)]
                cut = cuts[np.argmin(np.abs(cuts - len(ordered) / 2))] if len(cuts) else 0
            if cut:
                a, b = ordered[cut - 1], ordered[cut]
                split = a + (b - a) * self.rng.uniform(0.25, 0.75)
                return int(dim), float(split if a < split <= b else b)
        return None

    def _leaf(self, points: np.ndarray, code: int, cell: tuple[np.ndarray, np.ndarray]
              ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        distinct, which, counts = np.unique(points, axis=0, return_inverse=True, return_counts=True)
        atom = counts >= self.k
        rest = points[~atom[which.reshape(-1)]]
        low, high, weights = distinct[atom], distinct[atom], counts[atom].astype(float)
        if len(rest) >= self.k or not len(weights):
            bottom, top = self._box(rest, cell)
            low, high = np.vstack([low, bottom]), np.vstack([high, top])
            weights = np.append(weights, len(rest))
        keys = code + np.cumsum(weights) / weights.sum()
        keys[-1] = code + 1
        return keys, low, high

    def _box(self, points: np.ndarray, cell: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        if len(points) < self.k:
            middle = np.array([float(f"{m:.1g}") for m in points.mean(axis=0)])
            return middle, middle
        ordered = np.sort(points, axis=0)
        low, high = ordered[: self.k].mean(axis=0), ordered[-self.k :].mean(axis=0)
        share = self.rng.uniform(0.25, 0.75, (2, points.shape[1]))
        bottom = np.where(np.isinf(cell[0]), low + (ordered[0] - low) * share[0], cell[0])
        top = np.where(np.isinf(cell[1]), high + (ordered[-1] - high) * share[1], cell[1])
        outer = (self.k + 1) / (len(points) + 1) / 2  # where the mean of the k outermost of uniform rows lies
        reach = (high - low) * outer / max(1 - 2 * outer, outer)
        return np.maximum(low - reach, bottom), np.minimum(high + reach, top)
