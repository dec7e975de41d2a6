"""Keys with data in them: no two rows alike, and rows that point to such a key point to one that is there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from verisyn.linking.pointing import pointed
from verisyn.schema import Link

_ROUNDS = 50
_WIDE = 20
"""A range of whole numbers, days or moments is filled where that makes no more than so many times the rows."""


def apart(frame: pl.DataFrame, made: Sequence[str], data: Sequence[str]) -> tuple[pl.DataFrame, np.ndarray]:
    """Move rows whose key another row has to the nearest free place; return the rows, and which of them stay without.

    Parameters
    ----------
    frame : polars.DataFrame
    made, data : sequences of str
        The parts of the key that are keys of other rows, which stay, and those that hold data, which may move.

    Examples
    --------
    >>> frame = pl.DataFrame({"site": [1, 1, 1, 2], "day": [3, 3, 5, 3]})
    >>> moved, without = apart(frame, ["site"], ["day"])
    >>> moved.rows(), without.any()
    ([(1, 3), (1, 4), (1, 5), (2, 3)], np.False_)
    """
    again = frame.select(pl.struct([*made, *data]).is_first_distinct()).to_series().to_numpy()
    rows = np.flatnonzero(~again)
    if not len(rows):
        return frame, np.zeros(frame.height, bool)
    places = _places(frame, made, data)
    free = places.join(frame, on=[*made, *data], how="anti", nulls_equal=True).sort([*made, *data])
    wanted = frame[rows].select(*made, *data)
    to = _nearest(wanted, free, [*made], [*data])
    without = np.zeros(frame.height, bool)
    without[rows[to < 0]] = True
    rows, to = rows[to >= 0], to[to >= 0]
    moved = frame.with_columns(frame[c].scatter(rows, free[c][to]) for c in data)
    return moved, without


def _places(frame: pl.DataFrame, made: Sequence[str], data: Sequence[str]) -> pl.DataFrame:
    """All places that rows could have: what stands before the last part of the key, with all that the last can be."""
    *before, last = data
    values = frame[last].drop_nulls()
    kinds = pl.DataFrame({last: values.unique().sort()})
    if len(values) and (values.dtype.is_integer() or values.dtype in (pl.Date, pl.Datetime)):
        known = kinds[last].to_physical().cast(pl.Int64).to_numpy()
        step = int(np.gcd.reduce(np.diff(known))) if values.dtype == pl.Datetime and len(known) > 1 else 1
        if (known[-1] - known[0]) // step < _WIDE * frame.height:
            every = pl.Series(last, np.arange(known[0], known[-1] + 1, step))
            kinds = pl.DataFrame([every.cast(kinds[last].to_physical().dtype).cast(values.dtype)])
    heads = frame.select(before).unique(maintain_order=True) if before else None
    groups = frame.select(made).unique(maintain_order=True) if made else None
    out = kinds if heads is None else heads.join(kinds, how="cross")
    return out if groups is None else groups.join(out, how="cross")


def _nearest(wanted: pl.DataFrame, free: pl.DataFrame, made: list[str], data: list[str]) -> np.ndarray:
    """Return a free place of the same `made` parts for each row, near by `data`, each once; -1 for none."""
    both = pl.concat([wanted, free.select(wanted.columns)])
    place = _order(both, data)
    width = int(place.max(initial=0)) + 1
    order = (_order(both, made) if made else np.zeros(both.height, np.int64)) * 2 * width + place
    mine, theirs = order[:wanted.height], order[wanted.height:]
    out = np.full(wanted.height, -1, np.int64)
    left = np.arange(len(theirs))  # `theirs` rises: free places are sorted by made parts, then data
    for _ in range(_ROUNDS):
        todo = np.flatnonzero(out < 0)
        if not len(todo) or not len(left):
            break
        at = np.searchsorted(theirs[left], mine[todo])
        low, high = np.maximum(at - 1, 0), np.minimum(at, len(left) - 1)
        nearer = np.abs(theirs[left[low]] - mine[todo]) <= np.abs(theirs[left[high]] - mine[todo])
        pick = np.where(nearer, low, high)
        good = np.abs(theirs[left[pick]] - mine[todo]) < width
        first = np.zeros(len(pick), bool)
        first[np.unique(np.where(good, pick, -1), return_index=True)[1]] = True
        take = good & first
        if not take.any():
            break
        out[todo[take]] = left[pick[take]]
        left = np.delete(left, pick[take])
    return out


def _order(frame: pl.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Number the different rows in the order of some columns, int64."""
    known = frame.select(names).unique().sort(names).with_row_index("\0place")
    return frame.select(names).join(known, on=names, how="left", nulls_equal=True, maintain_order="left")[
        "\0place"].cast(pl.Int64).to_numpy()


def mended(child: pl.DataFrame, parent: pl.DataFrame, link: Link, made: Sequence[str], rng: np.random.Generator
           ) -> pl.DataFrame:
    """Let rows whose key no parent has point to the nearest there is, but for as many orphans as the source has.

    `made` are those of the child's columns that stay.
    """
    at = pointed(child, parent, link).at
    lost = np.flatnonzero(at == -2)
    keep = round(link.orphans * int((at != -1).sum()))
    rows = np.sort(rng.permutation(lost)[:max(len(lost) - keep, 0)])
    data = [c for c in link.columns if c not in made]
    if not len(rows) or not data:
        return child
    names = dict(zip(link.key, link.columns, strict=True))
    there = parent.select(pl.col(k).cast(child.schema[c], strict=False).alias(c) for k, c in names.items())
    there = there.drop_nulls().unique(maintain_order=True)
    stay = [c for c in link.columns if c in made]
    there = there.sort([*stay, *data])
    to = _nearest_of(child[rows].select(*stay, *data), there, stay, data)
    rows, to = rows[to >= 0], to[to >= 0]
    return child.with_columns(child[c].scatter(rows, there[c][to]) for c in data)


def _nearest_of(wanted: pl.DataFrame, there: pl.DataFrame, stay: list[str], data: list[str]) -> np.ndarray:
    """Return the nearest row of `there`, which several may share; -1 for none."""
    kinds, which = np.unique(_order(wanted, [*stay, *data]), return_inverse=True)
    some = np.empty(len(kinds), np.int64)
    some[which] = np.arange(len(which))
    out = np.full(len(kinds), -1, np.int64)
    todo = np.arange(len(kinds))
    for _ in range(_ROUNDS):  # each round, rows that want the same place leave it to one of them
        if not len(todo):
            break
        found = _nearest(wanted[some[todo]], there, stay, data)
        out[todo[found >= 0]] = found[found >= 0]
        if not (found >= 0).any():
            break
        todo = todo[found < 0]
    return out[which]
