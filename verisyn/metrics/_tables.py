"""Tables of counts on coarse codes, by blocks of rows, so that every distance between them has a jackknife interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from verisyn.modalities.table._views import Coarse

_BLOCKS = 20


def block_counts(coarse: Coarse, columns: Sequence[int]) -> np.ndarray:
    """Count the joint codes of some columns in 20 interleaved blocks of rows.

    Returns
    -------
    int array of shape (20, cells)
    """
    cell = np.arange(len(coarse.values)) % _BLOCKS
    cells = 1
    for i in columns:
        cell = cell * coarse.sizes[i] + coarse.values[:, i]
        cells *= coarse.sizes[i]
    return np.bincount(cell, minlength=_BLOCKS * cells).reshape(_BLOCKS, cells)


def overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return 1 - total variation of two tables of block counts, whole and with blocks left out.

    Returns
    -------
    float array of shape (1 + 2 * blocks,)
        On all rows; without each block of `a`; without each block of `b`.
    """
    whole_a, whole_b = a.sum(axis=0), b.sum(axis=0)
    first = np.vstack([whole_a, whole_a - a, np.broadcast_to(whole_a, b.shape)])
    second = np.vstack([whole_b, np.broadcast_to(whole_b, a.shape), whole_b - b])
    return 1 - np.abs(_shares(first) - _shares(second)).sum(axis=1) / 2


def _shares(counts: np.ndarray) -> np.ndarray:
    return counts / counts.sum(axis=1, keepdims=True)


def association(table: np.ndarray) -> float:
    """Return the strength of dependence in a table of counts: Cramér's V without its bias (Bergsma 2013), 0 to 1.

    Examples
    --------
    >>> association(np.array([[50, 0], [0, 50]])) > 0.98, association(np.array([[25, 25], [25, 25]]))
    (True, 0.0)
    """
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    rows, (r, c) = table.sum(), table.shape
    if min(r, c) < 2 or rows < 2:
        return 0.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / rows
    phi2 = float(((table - expected) ** 2 / expected).sum()) / rows
    phi2 = max(0.0, phi2 - (r - 1) * (c - 1) / (rows - 1))
    fewest = min(r - (r - 1) ** 2 / (rows - 1), c - (c - 1) ** 2 / (rows - 1))
    return float(min(1.0, np.sqrt(phi2 / (fewest - 1)))) if fewest > 1 else 0.0
