"""SHELF what we ask of synthetic data: fidelity, utility, privacy.

A metric is one file. It holds

- a docstring: its first line says what is measured, the rest how, with the paper or source;
- ``title``: the question in a person's words;
- ``needs``: the views it reads, a tuple of names of :class:`Side` properties;
- ``stand_in``: which real rows play the synthetic data for the ceiling, ``"train"`` or ``"holdout"`` (one half of the
  holdout; the other half stays holdout), or None where the best value is known (``ceiling = …`` then states it);
- ``rule``: the rule of the verdict, one sentence;
- ``measure(sides, rng) -> Measure``: the value with its 95 % interval; raises ``NotAnswered`` with the reason;
- ``judge(measure, floor, ceiling) -> (verdict, sentence)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from verisyn.kinds import Feature
from verisyn.modalities.table._views import Coarse, TableCoder


@dataclass(frozen=True)
class Side:
    """One table seen through views that were learnt on the training rows."""

    frame: pl.DataFrame
    coder: TableCoder

    @cached_property
    def features(self) -> list[Feature]:
        """Every modelled column at full precision."""
        return self.coder.features(self.frame)

    @cached_property
    def coarse(self) -> Coarse:
        """Codes in about ten bins a column: equal-mass bins, the most frequent levels, missing."""
        return self.coder.coarse(self.frame)

    @cached_property
    def vectors(self) -> np.ndarray:
        """Rows as points, float32: ranks in [0, 1], one-hot levels; a mismatch of levels costs 1."""
        return self.coder.vectors(self.frame)

    @property
    def rows(self) -> int:
        """Rows of this side."""
        return self.frame.height


@dataclass(frozen=True)
class Sides:
    """What a metric compares: synthetic rows, the rows the generator saw, and rows it never saw."""

    fake: Side
    train: Side
    holdout: Side | None
    target: str | None = None
