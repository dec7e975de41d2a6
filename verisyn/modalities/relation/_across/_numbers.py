"""Numbers of children and of their parents: aggregates, and whether two agree."""

from __future__ import annotations

import numpy as np
import polars as pl

from verisyn.modalities.relation._across._between import Pair


def aggregated(values: np.ndarray, known: np.ndarray, pair: Pair, how: str) -> tuple[np.ndarray, np.ndarray]:
    """Return an aggregate of each parent's children, and whether it has one with a value.

    Parameters
    ----------
    values : int64 or float64 array (child rows,)
    known : bool array (child rows,)
    pair : Pair
    how : str
        ``"sum"``, ``"mean"``, ``"least"`` or ``"greatest"``.
    """
    rows = np.flatnonzero(pair.points & known)
    rows = rows[np.argsort(pair.at[rows], kind="stable")]
    parents, starts = np.unique(pair.at[rows], return_index=True)
    out = np.zeros(pair.parent.height, np.float64 if how == "mean" else values.dtype)
    if len(rows):
        reduce = {"least": np.minimum, "greatest": np.maximum}.get(how, np.add)
        out[parents] = reduce.reduceat(values[rows], starts)  # in the rows' own order, so the same on any machine
        if how == "mean":
            out[parents] /= np.diff(np.append(starts, len(rows)))
    have = np.zeros(pair.parent.height, bool)
    have[parents] = True
    return out, have


def close(there: pl.Series, values: np.ndarray, decimals: int | None) -> np.ndarray:
    """Return whether physical values are the computed ones, to half a unit of the last decimal; a missing one is not.

    Examples
    --------
    >>> close(pl.Series([1.98, 2.0, None]), np.array([1.9799999, 2.01, 0.0]), 2).tolist()
    [True, False, False]
    """
    known = there.is_not_null().to_numpy()
    if there.dtype.is_integer() and values.dtype == np.int64:
        return np.asarray(known & (there.fill_null(0).cast(pl.Int64).to_numpy() == values))
    own = there.fill_null(0).cast(pl.Float64).to_numpy()
    slack = 0.0 if decimals is None else 0.5 * 10.0**-decimals * (1 + 1e-6)
    noise = (2.0**-20 if there.dtype == pl.Float32 else 1e-9) * np.maximum(np.abs(own), np.abs(values))
    return np.asarray(known & (np.abs(own - values) <= slack + noise))


def whole_or_float(series: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers as int64 or float64, and which are known."""
    exact = series.dtype.is_integer() and series.dtype != pl.UInt64
    values = series.fill_null(0).cast(pl.Int64 if exact else pl.Float64).to_numpy()
    return values, series.is_not_null().to_numpy()
