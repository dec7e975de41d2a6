"""Where a grid cuts ordered values: cells of equal mass or single spikes, the edges between them, the outer bounds."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

INT_LIMIT = 9.2e18
"""Floats beyond it are not turned into int64."""


def cut_cells(counts: np.ndarray, k: int, codes: int) -> list[tuple[int, int]]:
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


def place_edges(distinct: np.ndarray, cells: list[tuple[int, int]], rng: np.random.Generator) -> np.ndarray:
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


def place_bounds(distinct: np.ndarray, counts: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
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
        bound = np.clip(np.floor(bound) if outer[0] >= mean else np.ceil(bound), -INT_LIMIT, INT_LIMIT)
    return outer.dtype.type(bound)


def limits(edges: np.ndarray, bounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest value of each code."""
    below = edges - 1 if edges.dtype == np.int64 else np.nextafter(edges, -np.inf)
    return np.append(bounds[:1], np.maximum(edges, bounds[0])), np.append(np.minimum(below, bounds[1]), bounds[1:])
