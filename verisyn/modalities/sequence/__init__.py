"""Rows in order: histories of entities, and long series.

A generator is one file. It holds a docstring whose first line says what it is, and a frozen dataclass ``Generator``
whose fields are its settings. `Generator.fit` learns from a :class:`Source` and returns a :class:`Fitted`, of the class
that ``Generator.fitted`` names.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl

from verisyn.modalities.table import Tick
from verisyn.running import Run

if TYPE_CHECKING:
    from verisyn.conditions import Condition
    from verisyn.modalities.sequence._history import Rows
    from verisyn.schema import Column, Schema, Table

flagship = "sequence.history"


def claims(schema: Schema) -> bool:
    """One table whose rows have a time is a table of histories, or one long series."""
    return len(schema.tables) == 1 and schema.tables[0].time is not None


def home() -> ModuleType:
    """Return what learns, splits, assesses and restores."""
    from verisyn.modalities.sequence import _home

    return _home


@dataclass(frozen=True)
class Entities:
    """Entities before their rows: how many, and what does not change within each.

    `statics` has one row an entity; where there is nothing to tell it has no columns, and so no rows.
    """

    count: int
    statics: pl.DataFrame

    def take(self, which: np.ndarray) -> Entities:
        """Return these entities, in this order."""
        return Entities(len(which), self.statics[which] if self.statics.width else self.statics)


@dataclass(frozen=True)
class Source:
    """What a generator of sequences learns from.

    Parameters
    ----------
    entities : Entities
    known : Table
        The schema of the statics.
    rows : Rows
        Of these entities, in their order.
    table : Table
        The schema of ``rows.frame``; its constraints may also name the column of time.
    time : Column
        The column of ``rows.time``, of the data type that it has there.
    """

    entities: Entities
    known: Table
    rows: Rows
    table: Table
    time: Column


@dataclass(frozen=True)
class Wish:
    """What is wished of rows beyond the model's own.

    Parameters
    ----------
    counts : int64 array of shape (entities,), optional
        Rows of each entity, those of the prefix among them; drawn where not given.
    prefix : Rows, optional
        The first rows of each entity, at least one, which are kept as they are.
    """

    counts: np.ndarray | None = None
    prefix: Rows | None = None

    def of(self, entities: np.ndarray) -> Wish:
        """Return what is wished of some entities."""
        return Wish(None if self.counts is None else self.counts[entities],
                    None if self.prefix is None else self.prefix.take(entities))


class Fitted(ABC):
    """What a generator of sequences learnt."""

    notes: tuple[str, ...] = ()

    @abstractmethod
    def entities(self, count: int, seed: np.random.SeedSequence, given: Condition | None = None,
                 jobs: int = 1) -> Entities:
        """Draw entities; each meets the condition.

        Raises
        ------
        UserError
            If hardly any does.
        """

    @abstractmethod
    def rows(self, entities: Entities, seed: np.random.SeedSequence, wish: Wish | None = None,
             tick: Tick = lambda done: None, jobs: int = 1) -> Rows:
        """Draw the rows of entities, in their order within each; `tick` is told of entities."""

    def log_prob(self, entities: Entities, rows: Rows) -> np.ndarray | None:
        """Return the log-probability of each entity and its rows, float64 (entities,); None where there is none."""
        return None

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Return JSON values and NumPy arrays (no object arrays)."""

    @classmethod
    @abstractmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""


class BaseGenerator(ABC):
    """Settings of a generator of sequences, as the fields of a frozen dataclass."""

    fitted: ClassVar[type[Fitted]]

    @abstractmethod
    def fit(self, source: Source, seed: np.random.SeedSequence, jobs: int = 1, run: Run | None = None,
            tick: Callable[[int], None] = lambda done: None) -> Fitted:
        """Learn; the result does not depend on `jobs`."""
