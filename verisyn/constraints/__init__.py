"""SHELF what must hold between columns: found with its evidence, kept as a guarantee, its cost told.

A constraint is one file. It holds

- a docstring whose first line says what the constraint is;
- ``find(frame, table) -> list[Constraint]``: what holds in all rows and is too unlikely by chance (`table` may lack
  columns of `frame` that need no constraint);
- a frozen dataclass ``Rule(BaseRule)`` that is learnt on training rows and keeps the constraint in synthetic ones;
- optionally ``exact = True`` where the rule recomputes columns from others; such constraints are sought first;
- optionally ``shrinks_to``: with how few of its columns it still says something, where others are left out.

A rule keeps its constraint in one of two ways. Best is not to learn what can be recomputed: it takes columns out
before learning (`derives`), puts helpers in their place if it needs any, and recomputes them after. Else it mends the
rows that break it, each by as few cells as it can; how many rows were mended is counted, and told.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from verisyn.schema import Column, Constraint, Table


@dataclass(frozen=True)
class BaseRule(ABC):
    """A constraint that was learnt on training rows. Its fields are JSON values, and hold no value that few rows share.

    Laws (``tests/laws/test_constraints.py`` runs them over every constraint): what `find` finds holds in the data;
    after mending nothing is broken, and mending again changes nothing; a planted constraint is found among columns
    of noise, and in noise nothing is found; `state` restores the same rule.

    Parameters
    ----------
    columns : tuple of str
        The columns that the constraint speaks of.
    derives : tuple of str
        Those of them that are not learnt but recomputed; empty where rows are mended instead.
    """

    whole: ClassVar[bool] = False
    """Whether a row alone cannot tell if it holds (uniqueness)."""

    columns: tuple[str, ...]
    derives: tuple[str, ...]

    @classmethod
    @abstractmethod
    def learn(cls, constraint: Constraint, frame: pl.DataFrame, table: Table) -> Self:
        """Check the settings, with a sentence for a mistake; learn from training rows."""

    @property
    @abstractmethod
    def sentence(self) -> str:
        """What holds, said to a person."""

    @abstractmethod
    def broken(self, frame: pl.DataFrame) -> np.ndarray:
        """Return a boolean per row; a row that lacks the values to tell is not broken."""

    @abstractmethod
    def mend(self, frame: pl.DataFrame, broken: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
        """Return the broken rows of `frame`, mended; the other rows may serve as examples."""

    # -- where columns are recomputed -------------------------------------------------------------------------------
    @property
    def sources(self) -> tuple[str, ...]:
        """What the derived columns are recomputed from: columns of the table, or helpers."""
        return tuple(c for c in self.columns if c not in self.derives)

    @property
    def helpers(self) -> tuple[Column, ...]:
        """Columns that are learnt in place of the derived ones."""
        return ()

    def help(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return `frame` with the helpers."""
        return frame

    def derive(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return `frame`, which has the sources, with the derived columns; called only where `derives` says so."""
        raise NotImplementedError

    def solved(self, frame: pl.DataFrame, column: str, drawn: pl.DataFrame | None) -> pl.Series | None:
        """Return what a source must be, by the row's other cells, and by how they relate in rows as they were drawn.

        The values are null where that cannot be told; None says that it never can.
        """
        return None

    def mending(self) -> Self:
        """Return the same rule, mending rows in place of recomputing columns."""
        return replace(self, derives=())

    # -- to and from disk -------------------------------------------------------------------------------------------
    def state(self) -> dict[str, Any]:
        """Return JSON values."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        return cls(**{**state, "columns": tuple(state["columns"]), "derives": tuple(state["derives"])})
