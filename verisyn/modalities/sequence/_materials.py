"""What a history is learnt from and drawn with: arrays of rows and entities, cut, joined and told."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from verisyn._runs import places, starts_of
from verisyn.modalities.sequence._bins import Bins
from verisyn.modalities.sequence._innovations import enough
from verisyn.modalities.sequence._past import Course, Past
from verisyn.modalities.sequence._rounds import Given
from verisyn.modalities.sequence._shape import Learnt, Shape
from verisyn.modalities.table._views import TableCoder

_LONG = 5
"""Rows an entity has on average from which on more than the last row is told."""


def past_of(learnt: Learnt, coder: TableCoder, codes: np.ndarray, shape: Shape) -> Past:
    """Learn what is told of the rows before."""
    counts, course = learnt.counts, learnt.course
    lively = counts[counts > 0]
    many, long = enough(learnt.starts), len(lively) > 0 and lively.mean() >= 1.5
    position = places(learnt.starts)
    numbers: dict[str, Bins] = {}
    if many:
        numbers["position"] = Bins.learn(position.astype(float))
        numbers["remaining"] = Bins.learn((np.repeat(counts, counts) - position).astype(float))
    if learnt.units is not None and course.start is not None and course.end is not None:
        units = learnt.units.astype(float)
        if many and len(np.unique(course.start)) > 1:
            numbers["when"] = Bins.learn(units)
        if shape.irregular:
            numbers["gap"] = Bins.learn(np.where(position > 0, np.diff(units, prepend=units[:1]), np.nan))
            if many:
                numbers["since"] = Bins.learn(units - np.repeat(course.start, counts))
                numbers["left"] = Bins.learn(np.repeat(course.end, counts) - units)
    ordered = [j for j, p in enumerate(coder.parts) if p.ordered and p.size > 2] if long else []
    smooth_parts = {where.start for c, where in coder.slices() if set(c.columns) & set(shape.smooth)}
    of = np.repeat(np.arange(len(counts)), counts)
    rough = [j for j in ordered if j not in smooth_parts]
    means = {j: Bins.learn(running_mean(codes[:, j], of, position), 16) for j in rough}
    so_far = {j: Bins.learn(codes[:, j].astype(float), 24) for j in rough} if long and lively.mean() >= _LONG else {}
    levels = tuple((Bins.learn(learnt.values[:, j], 48),
                    Bins.learn(learnt.values[:, j] - learnt.values[np.repeat(learnt.starts[:-1], counts), j], 24))
                   for j in range(learnt.values.shape[1]))
    lags = 0 if not long else 2 if lively.mean() >= _LONG else 1
    return Past(coder.parts, lags, numbers, means, so_far, levels, shape.season)


def running_mean(codes: np.ndarray, of: np.ndarray, position: np.ndarray) -> np.ndarray:
    """The mean of the codes before, in each row; NaN in the first."""
    sums = np.cumsum(codes, dtype=np.float64) - codes
    base = np.zeros(int(of[-1]) + 1 if len(of) else 0)
    first = position == 0
    base[of[first]] = sums[first]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(position > 0, (sums - base[of]) / position, np.nan) if len(of) else sums


def gaps_of(given: Given) -> tuple[np.ndarray, np.ndarray]:
    """Which rows follow a gap that is drawn, and the gaps: not the first row, nor the last one, whose time is known."""
    if given.units is None:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    position = places(given.starts)
    drawn = (position > 0) & (position < np.repeat(given.course.counts, given.counts) - 1)
    at = np.flatnonzero(drawn)
    return at, given.units[at] - given.units[at - 1]


def chosen(counts: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Return entities, in order, that have `most` rows together at most, but one at least."""
    if counts.sum() <= most:
        return np.arange(len(counts))
    order = rng.permutation(len(counts))
    return np.sort(order[:max(1, int((np.cumsum(counts[order]) <= most).sum()))])


def given_of(learnt: Learnt, codes: np.ndarray, some: np.ndarray) -> Given:
    whole = Given(codes, learnt.values, learnt.units, learnt.starts, learnt.course)
    return whole if len(some) == len(learnt.counts) else whole.take(some)


def course_of(counts: np.ndarray, units: np.ndarray | None) -> Course:
    """Return where entities begin and end whose rows' times are known."""
    starts = starts_of(counts)
    return Learnt(pl.DataFrame(), starts, np.empty((0, 0)), units).course


def joined(made: Sequence[Learnt]) -> Learnt:
    counts = np.concatenate([m.counts for m in made])
    units = None if made[0].units is None else np.concatenate([m.units for m in made if m.units is not None])
    return Learnt(made[0].frame, starts_of(counts),
                  np.concatenate([m.values for m in made]), units)


def filled(values: pl.Series, rng: np.random.Generator) -> np.ndarray:
    """Return values as float64; one that was drawn as missing becomes another one's."""
    known = values.drop_nulls().to_numpy().astype(np.float64)
    out = values.cast(pl.Float64).to_numpy().copy()
    gone = np.isnan(out)
    if gone.any():
        out[gone] = rng.choice(known, int(gone.sum())) if len(known) else 0.0
    return out
