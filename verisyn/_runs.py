"""Rows that stand in runs, those of one entity after those of another: where runs begin, and which rows they are."""

from __future__ import annotations

import numpy as np


def starts_of(counts: np.ndarray) -> np.ndarray:
    """Return where runs of these lengths begin, and where the last one ends, int64 (runs + 1,).

    Examples
    --------
    >>> starts_of(np.array([2, 0, 3])).tolist()
    [0, 2, 2, 5]
    """
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def places(starts: np.ndarray) -> np.ndarray:
    """Return the place of each row within its run.

    Examples
    --------
    >>> places(np.array([0, 2, 2, 5])).tolist()
    [0, 1, 0, 1, 2]
    """
    return np.arange(starts[-1]) - np.repeat(starts[:-1], np.diff(starts))


def pieces(begins: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return so many rows from each of some rows on, and where each piece begins among them.

    Examples
    --------
    >>> rows, starts = pieces(np.array([7, 3]), np.array([2, 3]))
    >>> rows.tolist(), starts.tolist()
    ([7, 8, 3, 4, 5], [0, 2, 5])
    """
    starts = starts_of(counts)
    return places(starts) + np.repeat(begins, counts), starts
