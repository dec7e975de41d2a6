"""Histories, and stretches of them, told in one row of figures each: what judges of histories learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from verisyn._runs import starts_of
from verisyn.kinds import Feature
from verisyn.metrics import Side, Sides
from verisyn.metrics._aggregates import Aggregates, extremes, features_of, means
from verisyn.metrics._histories import Histories, HistorySides
from verisyn.metrics._order import apart
from verisyn.modalities.table._views import scales_of


def summarised(sides: HistorySides, *, strangers: bool = False) -> Sides:
    """Return the sides as tables with a row a history: what does not change in it, and what its rows add up to.

    Parameters
    ----------
    strangers : bool, default False
        Whether the holdout shall be histories that the generator never saw, as attacks ask; NotAnswered without.
        Then all rows that there are are added up, not those of a sample.
    """
    shown = (sides.fake, sides.train, sides.strangers if strangers else sides.holdout)
    if strangers and sides.full is not None:
        shown = sides.full
    aggregates = Aggregates.learn(shown[1].features)
    told = [whole_rows(side, aggregates) for side in shown]
    scales = scales_of(told[1])
    fake, train, held = (Side(_frame(features), features, scales) for features in told)
    return Sides(fake, train, held, unseen=sides.unseen, effort=sides.effort, seed=sides.seed, pictured=sides.pictured)


def whole_rows(histories: Histories, aggregates: Aggregates) -> list[Feature]:
    """Return what does not change within each history, and what its rows add up to."""
    added = aggregates.of(histories.features, histories.starts, histories.time)
    if histories.whole is not None:
        added = added.with_columns(rows=pl.Series(histories.whole, dtype=pl.Float64))
    return [*histories.about, *features_of(added)]


def _frame(features: Sequence[Feature]) -> pl.DataFrame:
    return pl.DataFrame({str(i): f.values for i, f in enumerate(features)})


def stretches(histories: Histories, length: int, most: int, rng: np.random.Generator) -> tuple[Histories, np.ndarray]:
    """Cut histories into stretches of at most `length` rows; return `most` of them, drawn, and the entity of each.

    Where a history is longer, its stretches follow each other from a place drawn at random, so that no stretch is known
    by its place; a shorter one is a stretch of its own.
    """
    shift = np.where(histories.lengths > length, rng.integers(0, histories.lengths % length + 1), 0)
    count = np.maximum(1, histories.lengths // length)
    entity = np.repeat(np.arange(histories.entities), count)
    nth = np.arange(len(entity)) - np.repeat(np.cumsum(count) - count, count)
    drawn = np.sort(rng.permutation(len(entity))[:most])
    entity, nth = entity[drawn], nth[drawn]
    begins = histories.starts[entity] + shift[entity] + nth * length
    return histories.pieces(entity, begins, np.minimum(length, histories.lengths[entity])), entity


def told_in_figures(part: Histories, aggregates: Aggregates) -> list[Feature]:
    """Return a row of figures for each stretch: what its rows add up to, and how they follow each other.

    Of each number, beside its aggregates, the mean size of its changes, their standard deviation, the share of steps
    without a change, and how the change of one step goes with that of the next; of each category the share of steps
    with a change, and the first and the last level; of the time the spread of the gaps and the longest.
    """
    told = whole_rows(part, aggregates)
    rows = apart(part.starts, 1)
    starts = starts_of(np.maximum(part.lengths - 1, 0))
    for feature in part.features:
        before, after = feature.values[rows], feature.values[rows + 1]
        stays = ((before == after) | (np.isnan(before) & np.isnan(after))).astype(float)
        told.append(Feature(f"{feature.name} stays", means(stays, starts)))
        if feature.levels:
            told += [replace(feature, name=f"{feature.name} {which}", values=feature.values[at])
                     for which, at in (("first", part.starts[:-1]), ("last", part.starts[1:] - 1))]
            continue
        step = after - before
        told += [Feature(f"{feature.name} step", means(np.abs(step), starts)),
                 Feature(f"{feature.name} step squared", means(step**2, starts)),
                 Feature(f"{feature.name} turns", _turns(step, starts))]
    if part.time is not None:
        gaps = part.time[rows + 1] - part.time[rows]
        told += [Feature("gap squared", means(gaps**2, starts)),
                 Feature("longest gap", extremes(gaps, starts, np.maximum))]
    return told


def _turns(step: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """How often a rise follows a fall, or a fall a rise."""
    rows = apart(starts, 1)
    turned = np.where(np.isnan(step[rows] * step[rows + 1]), np.nan, step[rows] * step[rows + 1] < 0)
    return means(turned, starts_of(np.maximum(np.diff(starts) - 1, 0)))
