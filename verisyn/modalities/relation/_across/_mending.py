"""Rows out of order between tables, mended by as few of the child's cells as can be."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from verisyn.modalities.relation._across import _scale
from verisyn.modalities.relation._across._between import Pair
from verisyn.modalities.relation._across._orders import Order
from verisyn.schema import Table

_ENDLESS = 2**62


@dataclass
class _Bounds:
    """Between what each row of the child may be, in ticks, and by which order (an index; -1 by none)."""

    low: np.ndarray
    high: np.ndarray
    by: tuple[np.ndarray, np.ndarray]


def mended(orders: Sequence[tuple[Order, Pair]], table: Table, rng: np.random.Generator, still: Collection[str] = ()
           ) -> pl.DataFrame:
    """Move the cells of one column that are out of order, and the moments that follow them in their rows.

    A cell is drawn again at a distance from its bound that is as in the data; where siblings stand in order, it stays
    before those that follow. A moment that must not be before it in its row (a delivery its order) moves along with it.

    Parameters
    ----------
    orders : sequence of (Order, Pair)
        All orders of one column of the child.
    table : Table
        The child.
    rng : numpy.random.Generator
    still : collection of str
        Columns of the child that do not move along, for another rule sets them.

    Returns
    -------
    polars.DataFrame
        The child. Rows whose bounds contradict one another are left as they are.
    """
    first, pair = orders[0]
    name, child = first.own[0], pair.child
    own, known = _scale.ticks(child[name], first.forms[0])
    bounds = _bounds(orders, own, rng)
    wrong = known & ((own < bounds.low) | (own > bounds.high)) & (bounds.low <= bounds.high)
    if not wrong.any():
        return child
    new = own.copy()
    for side in (0, 1):
        for i, (order, theirs) in enumerate(orders):
            beyond = (own > bounds.high) if side else (own < bounds.low)
            rows = np.flatnonzero(wrong & beyond & (bounds.by[side] == i))
            if len(rows):
                new[rows] = _drawn(rows, order, theirs, own, known & ~wrong, bounds, rng)
    new = _in_turn(new, wrong, bounds, [p for _, p in orders if _sorted(p, own)])
    columns = [_scale.written(new, child[name], known, first.forms[0])]
    if not child[name].dtype.is_numeric():
        later, sooner = np.maximum(new - own, 0), np.minimum(new - own, 0)
        beside = _beside(name, table, still)
        columns += [_along(child, c, table, sooner if leads else later) for c, leads in beside]
    return child.with_columns(columns)


def _bounds(orders: Sequence[tuple[Order, Pair]], own: np.ndarray, rng: np.random.Generator) -> _Bounds:
    rows = len(own)
    out = _Bounds(np.full(rows, -_ENDLESS, own.dtype), np.full(rows, _ENDLESS, own.dtype),
                  (np.full(rows, -1), np.full(rows, -1)))
    for i, (order, pair) in enumerate(orders):
        limit, told = order.bound(pair)
        able, broken = order.broken(pair)
        spared = rng.permutation(np.flatnonzero(broken))[:round(order.allowed * int(able.sum()))]
        told = told.copy()
        told[spared] = False
        limit = _snapped(limit, order).astype(own.dtype)
        if order.before:
            nearer = told & (limit < out.high)
            out.high = np.where(nearer, limit, out.high)
        else:
            nearer = told & (limit > out.low)
            out.low = np.where(nearer, limit, out.low)
        out.by[int(order.before)][nearer] = i
    return out


def _snapped(limit: np.ndarray, order: Order) -> np.ndarray:
    """The nearest value within bounds on the child's own steps."""
    step = int(order.step) if order.step >= 1 else order.step
    down, up = np.floor_divide(limit, step), -np.floor_divide(-limit, step)
    if isinstance(step, float):  # 0.3 is three steps of 0.1, float noise aside
        near = np.rint(limit / step)
        same = np.abs(limit / step - near) < 1e-6
        down, up = np.where(same, near, down), np.where(same, near, up)
    if order.open:
        down, up = np.where(down == up, down - 1, down), np.where(down == up, up + 1, up)
    return _steps(down if order.before else up, step)


def _steps(count: np.ndarray, step: float) -> np.ndarray:
    """So many steps; rounded to the decimals of the step, so that 3 steps of 0.1 are 0.3."""
    if isinstance(step, int):
        return np.asarray(count * step)
    return np.round(count * step, max(0, round(-np.log10(step))))


def _drawn(rows: np.ndarray, order: Order, pair: Pair, own: np.ndarray, sound: np.ndarray, bounds: _Bounds,
           rng: np.random.Generator) -> np.ndarray:
    """New values for rows: at a distance from their bound as in the data, but no farther than what comes next."""
    sign = -1 if order.before else 1
    start = (bounds.high if order.before else bounds.low)[rows].astype(np.float64)
    end = (bounds.low if order.before else bounds.high)[rows].astype(np.float64)
    if _sorted(pair, own):
        end = sign * np.minimum(sign * end, sign * _next(rows, pair, own, sound, order.before))
    room = np.floor(np.maximum(sign * (end - start), 0) / order.step)
    gap = np.interp(rng.random(len(rows)), np.linspace(0, 1, len(order.gaps)), order.gaps) if order.gaps else 0.0
    gap = np.floor(np.broadcast_to(gap, room.shape) / order.step)
    gap = np.where(gap > room, np.floor(rng.random(len(rows)) * (room + 1)), gap)
    if own.dtype == np.int64:
        value = (bounds.high if order.before else bounds.low)[rows] + sign * (gap * order.step).astype(np.int64)
    else:
        value = np.round(start + sign * gap * order.step, max(0, round(-np.log10(order.step))))
    return np.asarray(value)


def _in_turn(new: np.ndarray, wrong: np.ndarray, bounds: _Bounds, pairs: list[Pair]) -> np.ndarray:
    """Give earlier siblings the earlier of their new values, where their bounds let them."""
    for pair in pairs:
        rows = np.flatnonzero(wrong & pair.points)
        place, ranked = np.lexsort((rows, pair.at[rows])), np.lexsort((new[rows], pair.at[rows]))
        turned = new.copy()
        turned[rows[place]] = new[rows[ranked]]
        within = (turned >= bounds.low) & (turned <= bounds.high)
        stuck = np.isin(pair.at, pair.at[rows[~within[rows]]])
        new = np.where(stuck, new, turned)
    return new


def _sorted(pair: Pair, own: np.ndarray) -> bool:
    """Whether children of one parent stand in order in the file."""
    rows = np.flatnonzero(pair.points)
    rows = rows[np.argsort(pair.at[rows], kind="stable")]
    same = np.diff(pair.at[rows]) == 0
    return bool(same.any() and (np.diff(own[rows])[same] >= 0).all())


def _next(rows: np.ndarray, pair: Pair, own: np.ndarray, sound: np.ndarray, before: bool) -> np.ndarray:
    """The nearest sibling that is in order, for each row; endless where there is none."""
    least = np.full(pair.parent.height, -_ENDLESS if before else _ENDLESS, np.float64)
    there = np.flatnonzero(pair.points & sound)
    (np.maximum if before else np.minimum).at(least, pair.at[there], own[there])
    return least[pair.at[rows]]


def _beside(name: str, table: Table, still: Collection[str]) -> list[tuple[str, bool]]:
    """Columns that the table's own constraints put after `name` in a row, or (True) before it."""
    chains = [c.columns for c in table.constraints if c.kind == "inequality" and name in c.columns]
    found = {c: i < chain.index(name) for chain in chains for i, c in enumerate(chain)}
    return [(c, leads) for c, leads in found.items() if c != name and c not in still]


def _along(child: pl.DataFrame, name: str, table: Table, moved: np.ndarray) -> pl.Series:
    """Another moment of the rows, moved by as much, to its own steps."""
    form = _scale.form(table, name)
    values, known = _scale.ticks(child[name], form)
    step = int(_scale.step(values[known], child[name]))
    far = np.where(moved < 0, moved // step, -(-moved // step)) * step
    return _scale.written(values + far, child[name], known, form)
