"""Nearest neighbours by blocks of matrix products: exact distances, bounded memory, bounded work."""

from __future__ import annotations

import numpy as np

_BLOCK = 2**22
_ROUNDING, _HAIR = 1e-5, 1e-9
_WORK = 6e9
"""Products that one search may cost: 5 000 queries against 10 000 rows of 120 columns."""


def nearest(queries: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest of `rows` for every query.

    Parameters
    ----------
    queries : float32 array of shape (q, width)
    rows : float32 array of shape (n, width)

    Returns
    -------
    distance : float32 array of shape (q,)
        Euclidean; exactly 0 for a copy.
    index : int array of shape (q,)
    """
    norms = np.einsum("ij,ij->i", rows, rows)
    index = np.empty(len(queries), np.int64)
    step = max(1, _BLOCK // max(1, len(rows)))
    for start in range(0, len(queries), step):
        scores = queries[start:start + step] @ rows.T
        scores *= -2
        scores += norms
        index[start:start + step] = scores.argmin(axis=1)
    gap = queries - rows[index]
    return np.sqrt(np.einsum("ij,ij->i", gap, gap)), index


def affordable(width: int, rows: int, most: int = 5_000, least: int = 500) -> int:
    """Return how many queries against `rows` rows of `width` columns stay within the work one search may cost.

    Examples
    --------
    >>> affordable(width=100, rows=1_000), affordable(width=5_000, rows=1_000), affordable(width=10_000, rows=50_000)
    (5000, 1200, 500)
    """
    return int(np.clip(_WORK / (max(1, rows) * max(1, width)), least, most))


def neighbours(queries: np.ndarray, rows: np.ndarray, most: int, *, others: bool = False
               ) -> tuple[np.ndarray, np.ndarray]:
    """Find the `most` nearest of `rows` for every query.

    Parameters
    ----------
    queries, rows : float32 arrays of shape (q, width) and (n, width)
    most : int
        How many neighbours.
    others : bool, default False
        Whether the queries are the first of the rows themselves, and no row counts as its own neighbour.

    Returns
    -------
    distance : float32 array of shape (q, most)
        Euclidean, ascending; exactly 0 for a copy; infinite where there are fewer rows.
    index : int array of shape (q, most)
        Which rows these are; 0 where there are fewer.
    """
    distance, index = np.full((len(queries), most), np.inf, np.float32), np.zeros((len(queries), most), np.int64)
    count = min(most, len(rows) - others)
    if count < 1:
        return distance, index
    norms = np.einsum("ij,ij->i", rows, rows)
    step = max(1, _BLOCK // len(rows))
    for start in range(0, len(queries), step):
        asked = queries[start:start + step]
        here = np.arange(len(asked))
        scores = norms - 2 * (asked @ rows.T)
        if others:
            scores[here, start + here] = np.inf
        if len(np.unique(scores[0])) < len(rows) // 2:  # many ties make the selection slow; any order parts them
            scores = scores + np.linspace(0, _HAIR, len(rows))
        near = np.argpartition(scores, count - 1, axis=1)[:, :count]
        found = np.empty((len(asked), count), np.float32)
        for j in range(count):  # the products above lose digits; these distances are exact
            gap = asked - rows[near[:, j]]
            found[:, j] = np.sqrt(np.einsum("ij,ij->i", gap, gap))
        order = np.argsort(found, axis=1)
        index[start:start + step, :count] = np.take_along_axis(near, order, axis=1)
        distance[start:start + step, :count] = np.take_along_axis(found, order, axis=1)
    return distance, index


def balls(queries: np.ndarray, rows: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Count for every query the rows that have it within their own radius; the borders belong to the balls."""
    norms, reach = np.einsum("ij,ij->i", rows, rows), radii.astype(np.float32) ** 2
    counts = np.empty(len(queries), np.int64)
    step = max(1, _BLOCK // max(1, len(rows)))
    for start in range(0, len(queries), step):
        asked = queries[start:start + step]
        own = np.einsum("ij,ij->i", asked, asked)[:, None]
        gaps = norms - 2 * (asked @ rows.T) + own
        counts[start:start + step] = (gaps <= reach + _ROUNDING * (1 + own)).sum(axis=1)
    return counts
