"""Each row given its entity, the entity's profile and the rows before it, column by column: the flagship."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from verisyn._runs import starts_of
from verisyn.modalities.sequence import BaseGenerator, Entities, Fitted, Source, Wish
from verisyn.modalities.sequence._history import History, Rows
from verisyn.modalities.sequence._series import Series
from verisyn.modalities.sequence._statics import Statics
from verisyn.modalities.sequence._windows import Windows
from verisyn.modalities.table import Codes, Tick, trees
from verisyn.running import Run
from verisyn.schema import Column

_IS_LONG = "\0long"
"""The hidden static column that says whether an entity is a long series, where some are."""


class Histories(Fitted):
    """Entities, and their rows given them.

    Parameters
    ----------
    statics : Statics
    history : History, optional
        Of entities that are learnt whole.
    series : Series, optional
        Of those that are too long, or too few. One of the two is there.
    """

    def __init__(self, statics: Statics, history: History | None, series: Series | None):
        self.statics, self.history, self.series = statics, history, series
        self.notes = (*statics.notes, *(note for own in (series, history) if own for note in own.notes))

    def entities(self, count: int, seed: np.random.SeedSequence, given: Any = None, jobs: int = 1) -> Entities:
        """Draw entities; each meets the condition."""
        return self.statics.draw(count, seed, given, jobs)

    def rows(self, entities: Entities, seed: np.random.SeedSequence, wish: Wish | None = None,
             tick: Tick = lambda done: None, jobs: int = 1) -> Rows:
        """Draw the rows of entities; `tick` is told of entities."""
        wish, context, long = wish or Wish(), self.statics.encode(entities), self._long(entities)
        whole_seed, long_seed = seed.spawn(2)
        at, rest = np.flatnonzero(long), np.flatnonzero(~long)
        parts = []
        if self.history is not None and len(rest):
            own = wish.of(rest)
            parts.append((rest, self.history.sample(context[rest], whole_seed, counts=own.counts, prefix=own.prefix,
                                                    jobs=jobs, tick=tick)))
        if self.series is not None and len(at):
            own = wish.of(at)
            parts.append((at, self.series.draw(context[at], own.counts, long_seed, own.prefix, jobs)))
            tick(len(at))
        return parts[0][1] if len(parts) == 1 else _in_order(parts)

    def log_prob(self, entities: Entities, rows: Rows) -> np.ndarray | None:
        """Return the log-probability of each entity and its rows; those of long ones window by window."""
        if self._mixed and self.series is not None:
            entities = _marked(entities, rows, self.series.windows)
        context, long = self.statics.encode(entities), self._long(entities)
        out = self.statics.log_prob(context)
        for own, at in ((self.history, np.flatnonzero(~long)), (self.series, np.flatnonzero(long))):
            if own is not None and len(at):
                out[at] += own.log_prob(rows.take(at), context[at])
        return out

    @property
    def _mixed(self) -> bool:
        return self.history is not None and self.series is not None

    def _long(self, entities: Entities) -> np.ndarray:
        """Whether each entity is a long series."""
        if self._mixed:
            return entities.statics[_IS_LONG].to_numpy().astype(bool)
        return np.full(entities.count, self.series is not None)

    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        return {"statics": self.statics.state(), "history": self.history and self.history.state(),
                "series": self.series and self.series.state()}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        return cls(Statics.restore(state["statics"]), History.restore(state["history"]) if state["history"] else None,
                   Series.restore(state["series"]) if state["series"] else None)


@dataclass(frozen=True)
class Generator(trees.Boosting, BaseGenerator):
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
        static_seed, row_seed, series_seed = seed.spawn(3)
        windows, maker, rows, known = Windows.decide(source.rows), self.maker, source.rows, source.known
        fit: dict[str, Any] = {"jobs": jobs, "run": run, "tick": tick}
        entities = source.entities
        if windows and windows.mixed:
            entities = _marked(entities, rows, windows)
            flag = Column(name=_IS_LONG, kind="boolean", dtype="Boolean")
            known = known.model_copy(update={"columns": (*known.columns, flag)})
        statics = Statics.learn(entities, known, maker, static_seed, **fit)
        context = statics.codes(entities)
        cut = rows.counts >= windows.least if windows else np.zeros(entities.count, bool)
        history, series = None, None
        if not cut.all():
            at = np.flatnonzero(~cut)
            history = History.learn(rows.take(at) if cut.any() else rows, source.table, _some(context, at),
                                    time=source.time, maker=maker, seed=row_seed, **fit)
        if windows and cut.any():
            at = np.flatnonzero(cut)
            series = Series.learn(windows, rows.take(at), source.table, _some(context, at), source.time, maker,
                                  series_seed, **fit)
        return Histories(statics, history, series)


def _some(context: Codes, at: np.ndarray) -> Codes:
    return Codes(np.asfortranarray(context.values[at]), context.parts, context.names)


def _marked(entities: Entities, rows: Rows, windows: Windows) -> Entities:
    """Return entities with the hidden column that tells long ones."""
    long = pl.Series(_IS_LONG, rows.counts >= windows.least)
    shown = entities.statics.with_columns(long) if entities.statics.width else pl.DataFrame([long])
    return Entities(entities.count, shown)


def _in_order(parts: list[tuple[np.ndarray, Rows]]) -> Rows:
    """Put the rows of groups of entities into the entities' order."""
    counts = np.concatenate([rows.counts for _, rows in parts])
    times = [rows.time for _, rows in parts if rows.time is not None]
    both = Rows(pl.concat([rows.frame for _, rows in parts]), starts_of(counts),
                pl.concat(times) if times else None)
    return both.take(np.argsort(np.concatenate([at for at, _ in parts]), kind="stable"))
