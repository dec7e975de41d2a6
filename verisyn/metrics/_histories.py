"""Rows in order, seen by metrics of the view ``"order"``: histories of entities, or windows of one long series."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import polars as pl

from verisyn._runs import pieces
from verisyn.findings import NotAnswered
from verisyn.kinds import Feature
from verisyn.metrics import EFFORTS, Effort, Shared
from verisyn.schema import Table


@dataclass(frozen=True)
class Histories:
    """One side: the rows of each entity in their order, the entities one after the other.

    Parameters
    ----------
    frame : polars.DataFrame
        The rows without the columns of entity.
    starts : int64 array of shape (entities + 1,)
        Rows ``starts[e]:starts[e + 1]`` are those of entity `e`; each has one at least.
    time : float64 array of shape (rows,), optional
        When each row is, in seconds since 1970 or in steps; None where only the order is known.
    features : sequence of Feature
        Every modelled column of rows that may change within an entity, but the time, at full precision, by a coder
        learnt on the training rows.
    about : sequence of Feature
        Every modelled column that does not change within an entity, one value each.
    whole : int64 array of shape (entities,), optional
        How many rows each entity has in all, where some of them are only a stretch of it.
    """

    frame: pl.DataFrame
    starts: np.ndarray
    time: np.ndarray | None
    features: Sequence[Feature]
    about: Sequence[Feature] = ()
    whole: np.ndarray | None = None

    @property
    def entities(self) -> int:
        """How many there are."""
        return len(self.starts) - 1

    @property
    def rows(self) -> int:
        """Rows of all entities together."""
        return self.frame.height

    @property
    def lengths(self) -> np.ndarray:
        """Rows of each entity, int64 (entities,)."""
        return np.diff(self.starts)

    @property
    def of(self) -> np.ndarray:
        """The entity of each row, int64 (rows,)."""
        return np.repeat(np.arange(self.entities), self.lengths)

    def take(self, entities: np.ndarray) -> Histories:
        """Return the entities with these indices, in this order; an entity may be taken twice."""
        taken = self.pieces(entities, self.starts[:-1][entities], self.lengths[entities])
        return taken if self.whole is None else replace(taken, whole=self.whole[entities])

    def pieces(self, entities: np.ndarray, begins: np.ndarray, held: np.ndarray) -> Histories:
        """Return so many rows from each of some places on, each piece of one entity, as histories of their own."""
        rows, starts = pieces(begins, held)
        time = None if self.time is None else self.time[rows]
        features, about = ([replace(f, values=f.values[at]) for f in found]
                           for found, at in ((self.features, rows), (self.about, entities)))
        return Histories(self.frame[rows], starts, time, features, about)

    def shuffled(self, rng: np.random.Generator) -> Histories:
        """Return the same lengths and times with rows drawn at random from all: a floor that knows no order."""
        rows = rng.integers(0, max(self.rows, 1), self.rows)
        features = [replace(f, values=f.values[rows]) for f in self.features]
        return replace(self, frame=self.frame[rows], features=features)


@dataclass(frozen=True)
class HistorySides(Shared):
    """What a metric of the view ``"order"`` compares; the fields are as in :class:`verisyn.metrics.Sides`.

    `windows` says that entities are windows cut from few long series, so that they are no independent subjects;
    `moments` that the time is in seconds since 1970. `full` are the synthetic, the training and the holdout histories
    with all their rows, where the others are a sample. Entities stand in random order on every side, as intervals come
    from leaving out every twentieth part of them.
    """

    fake: Histories
    train: Histories
    holdout: Histories
    table: Table
    target: str | None = None
    unseen: bool = True
    windows: bool = False
    effort: Effort = EFFORTS["standard"]
    seed: int = 0
    pictured: bool = True
    moments: bool = False
    full: tuple[Histories, Histories, Histories] | None = None
    _memo: dict[Hashable, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    views: ClassVar = frozenset({"order"})
    says: ClassVar = {"floor_says": "rows in random order", "ceiling_says": "real histories in their place"}

    @property
    def strangers(self) -> Histories:
        """Real histories that the generator never saw.

        Raises
        ------
        NotAnswered
            If it may have seen all there are.
        """
        if not self.unseen:
            raise NotAnswered("there is no holdout that the generator has not seen")
        return self.holdout
