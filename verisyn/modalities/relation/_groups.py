"""Rows in groups by likeness: k-means, deterministic for a generator."""

from __future__ import annotations

import numpy as np

_TURNS = 15
_SAMPLE = 20_000
_BLOCK = 50_000


def groups(points: np.ndarray, most: int, least: int, rng: np.random.Generator) -> np.ndarray:
    """Return the group of each point, numbered from 0.

    Parameters
    ----------
    points : float array of shape (rows, features)
    most : int
        Groups at most.
    least : int
        A group of fewer points joins the nearest that has more.
    rng : Generator
        Decides where groups begin (k-means++, Arthur and Vassilvitskii 2007), and of many points which are looked at.

    Examples
    --------
    >>> found = groups(np.array([[0.0], [0.1], [5.0], [5.1]]), 2, 1, np.random.default_rng(0))
    >>> bool(found[0] == found[1] != found[2] == found[3])
    True
    """
    rows = len(points)
    if most <= 1 or rows <= least or not points.shape[1]:
        return np.zeros(rows, np.int64)
    some = points if rows <= _SAMPLE else points[np.sort(rng.choice(rows, _SAMPLE, replace=False))]
    centres = _first(some, most, rng)
    for _ in range(_TURNS):
        of = _nearest(some, centres)
        counts = np.bincount(of, minlength=len(centres))
        sums = np.stack([np.bincount(of, some[:, j], len(centres)) for j in range(some.shape[1])], axis=1)
        moved = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], centres)
        if np.allclose(moved, centres):
            break
        centres = moved
    of = _nearest(points, centres)
    while len(counts := np.bincount(of, minlength=len(centres))) > 1 and (counts[counts > 0] < least).any():
        kept = np.flatnonzero(counts >= least)
        if not len(kept):
            return np.zeros(rows, np.int64)
        smallest = np.flatnonzero(counts > 0)[np.argmin(counts[counts > 0])]
        centres = np.delete(centres, smallest, axis=0)
        of = _nearest(points, centres)
    return np.unique(of, return_inverse=True)[1]


def _first(points: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Begin with points far from each other."""
    centres = [points[rng.integers(len(points))]]
    far = ((points - centres[0]) ** 2).sum(axis=1)
    while len(centres) < most and far.sum() > 1e-12:
        steps = np.cumsum(far)
        centres.append(points[min(np.searchsorted(steps, rng.random() * steps[-1], side="right"), len(points) - 1)])
        far = np.minimum(far, ((points - centres[-1]) ** 2).sum(axis=1))
    return np.array(centres)


def _nearest(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    own = (centres**2).sum(axis=1)
    blocks = [np.argmin(own - 2 * points[i:i + _BLOCK] @ centres.T, axis=1) for i in range(0, len(points), _BLOCK)]
    return np.concatenate(blocks) if blocks else np.empty(0, np.int64)
