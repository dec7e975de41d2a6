"""Nearest neighbours by blocks of matrix products: exact distances, bounded memory, bounded work."""

from __future__ import annotations

import numpy as np

_BLOCK = 2**22
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
