"""Each row given its entity, the entity's profile and the rows before it, column by column: the flagship."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from verisyn.modalities.sequence import BaseGenerator, Entities, Fitted, Source, Wish
from verisyn.modalities.sequence._history import History, Rows
from verisyn.modalities.sequence._holes import Holes
from verisyn.modalities.sequence._lanes import Lanes
from verisyn.modalities.sequence._start import Start
from verisyn.modalities.sequence._statics import Statics
from verisyn.modalities.sequence._windows import Windows
from verisyn.modalities.table import Codes, Tick, trees
from verisyn.modalities.table._conditional import beside
from verisyn.running import Run
from verisyn.schema import Column

_IS_LONG = "\0long"
"""The hidden static column that says whether an entity is a long series, where some are."""


class Histories(Fitted):
    """Entities, and their rows given them.

    Parameters
    ----------
    statics : Statics
    history : History
        Of entities, or of pieces of long ones.
    windows : Windows, optional
    start : Start, optional
        Of few long series.
    holes : Holes, optional
        What regular ones of them lack.
    """

    def __init__(self, statics: Statics, history: History, windows: Windows | None = None, start: Start | None = None,
                 holes: Holes | None = None):
        self.statics, self.history, self.windows, self.start, self.holes = statics, history, windows, start, holes
        self.notes = (*statics.notes, *(windows.notes if windows else ()), *history.notes)

    def entities(self, count: int, seed: np.random.SeedSequence, given: Any = None, jobs: int = 1) -> Entities:
        """Draw entities; each meets the condition."""
        return self.statics.draw(count, seed, given, jobs)

    def rows(self, entities: Entities, seed: np.random.SeedSequence, wish: Wish | None = None,
             tick: Tick = lambda done: None, jobs: int = 1) -> Rows:
        """Draw the rows of entities; `tick` is told of entities."""
        wish, windows, context = wish or Wish(), self.windows, self.statics.encode(entities)
        if windows is None:
            return self.history.sample(context, seed, counts=wish.counts, prefix=wish.prefix, jobs=jobs, tick=tick)
        whole_seed, long_seed, count_seed = seed.spawn(3)
        long = self._long(entities, wish)
        at, rest = np.flatnonzero(long), np.flatnonzero(~long)
        counts = windows.draw_counts(len(at), np.random.default_rng(count_seed)) if wish.counts is None else \
            wish.counts[at]
        prefix = None if wish.prefix is None else wish.prefix.take(at)
        if prefix is not None:
            counts = np.maximum(counts, prefix.counts)
        drawn = self._series(context[at], counts, long_seed, prefix, jobs)
        tick(len(at))
        if not len(rest):
            return drawn
        place = np.full((len(rest), 1), windows.places, np.int32)
        told = np.hstack([context[rest], place])
        others = self.history.sample(told, whole_seed, jobs=jobs, tick=tick,
                                     counts=None if wish.counts is None else wish.counts[rest],
                                     prefix=None if wish.prefix is None else wish.prefix.take(rest))
        return _in_order(at, drawn, rest, others)

    def _series(self, context: np.ndarray, counts: np.ndarray, seed: np.random.SeedSequence, prefix: Rows | None,
                jobs: int) -> Rows:
        """Draw long series."""
        assert self.windows is not None
        lanes = Lanes(self.history, self.windows, self.start, jobs)
        if self.holes is None:
            return lanes.draw(context, counts, seed, prefix)
        hole_seed, lane_seed = seed.spawn(2)
        had = np.zeros(len(counts), np.int64) if prefix is None else prefix.counts
        holes = self.holes.draw(counts, had, np.random.default_rng(hole_seed))
        wider = counts + np.array([int(sizes.sum()) for _, sizes in holes], np.int64)
        return self.holes.made(lanes.draw(context, wider, lane_seed, prefix), holes)

    def log_prob(self, entities: Entities, rows: Rows) -> np.ndarray | None:
        """Return the log-probability of each entity and its rows; those of long ones piece by piece."""
        entities = self._marked(entities, rows)
        context = self.statics.encode(entities)
        own = self.statics.log_prob(context)
        if self.windows is None:
            return own + self.history.log_prob(rows, context)
        pieces, of, places = self.windows.cut(rows)
        pieces = self.holes.filled(pieces) if self.holes else pieces
        told = np.hstack([context[of], places.values])
        return own + np.bincount(of, self.history.log_prob(pieces, told), len(own))

    def _long(self, entities: Entities, wish: Wish) -> np.ndarray:
        """Whether each entity is a long series."""
        assert self.windows is not None
        if not self.windows.mixed:
            return np.ones(entities.count, bool)
        long = entities.statics[_IS_LONG].to_numpy().astype(bool)
        known = wish.counts if wish.counts is not None else wish.prefix and wish.prefix.counts
        return long if known is None else long | (known >= self.windows.least)

    def _marked(self, entities: Entities, rows: Rows) -> Entities:
        return _marked(entities, rows, self.windows)

    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        return {"statics": self.statics.state(), "history": self.history.state(),
                "windows": self.windows and self.windows.state(), "start": self.start and self.start.state(),
                "holes": self.holes and self.holes.state()}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        windows = Windows(**state["windows"]) if state["windows"] else None
        start = Start.restore(state["start"]) if state["start"] else None
        holes = Holes(**state["holes"]) if state["holes"] else None
        return cls(Statics.restore(state["statics"]), History.restore(state["history"]), windows, start, holes)


@dataclass(frozen=True)
class Generator(BaseGenerator):
    """Settings of the flagship.

    Parameters
    ----------
    features : int, default 20
        Most numbers that a column is told of, of all that is known of the entity, the rows before and the row itself:
        those that tell most of it.
    folds, rate, rounds, leaves, growth, patience, min_rows, tree_rows, min_leaf, l2, linear_l2, max_rows
        As in ``table.trees``, by which each column is learnt.
    privacy : float, default 0.5
        Position of the privacy dial, 0 (low) to 1 (high): the higher, the smaller and the more shrunken the trees
        are.
    """

    fitted: ClassVar = Histories

    folds: int = 4
    rate: float = 0.3
    rounds: int = 60
    leaves: int = 6
    growth: int = 4
    patience: int = 4
    min_rows: int = 80
    tree_rows: int = 300
    min_leaf: int = 20
    l2: float = 10.0
    linear_l2: float = 2.0
    max_rows: int = 100_000
    features: int = 20
    privacy: float = 0.5

    @property
    def maker(self) -> trees.Generator:
        """The generator of tables that learns each column."""
        own = {f.name for f in fields(trees.Generator)}
        return trees.Generator(**{name: value for name, value in asdict(self).items() if name in own})

    def fit(self, source: Source, seed: np.random.SeedSequence, jobs: int = 1, run: Run | None = None,
            tick: Tick = lambda done: None) -> Histories:
        """Learn entities, then their rows given them."""
        static_seed, row_seed, start_seed = seed.spawn(3)
        windows = Windows.decide(source.rows)
        entities, known = _marked(source.entities, source.rows, windows), source.known
        if windows and windows.mixed:
            known = known.model_copy(update={"columns": (*known.columns, Column(name=_IS_LONG, kind="boolean",
                                                                                dtype="Boolean"))})
        statics = Statics.learn(entities, known, self.maker, static_seed, jobs=jobs, run=run, tick=tick)
        context, rows, start, holes = statics.codes(entities), source.rows, None, None
        if windows:
            holes = Holes.learn(rows) if windows.few else None
            rows, of, places = windows.cut(rows)
            rows = holes.filled(rows) if holes else rows
            context = beside(Codes(np.asfortranarray(context.values[of]), context.parts, context.names), places)
        history = History.learn(rows, source.table, context, time=source.time, maker=self.maker, seed=row_seed,
                                jobs=jobs, run=run, tick=tick)
        if windows and windows.few and history.shape.scale:
            start = Start.learn(rows, source.table, context, history.shape.scale, self.maker, start_seed, jobs=jobs,
                                run=run, tick=tick)
        return Histories(statics, history, windows, start, holes)


def _marked(entities: Entities, rows: Rows, windows: Windows | None) -> Entities:
    """Return entities with the hidden column that tells long ones, where some are."""
    if windows is None or not windows.mixed:
        return entities
    long = pl.Series(_IS_LONG, rows.counts >= windows.least)
    shown = entities.statics.with_columns(long) if entities.statics.width else pl.DataFrame([long])
    return Entities(entities.count, shown)


def _in_order(at: np.ndarray, rows: Rows, rest: np.ndarray, others: Rows) -> Rows:
    """Put the rows of two groups of entities into the entities' order."""
    starts = np.concatenate([rows.starts, rows.starts[-1] + others.starts[1:]])
    time = None if rows.time is None or others.time is None else pl.concat([rows.time, others.time])
    both = Rows(pl.concat([rows.frame, others.frame]), starts, time)
    return both.take(np.argsort(np.concatenate([at, rest]), kind="stable"))
