"""Rows that a regular series lacks here and there: a sensor that was off, an hour that was skipped."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn._runs import places, starts_of
from verisyn.modalities.sequence._clock import Scale
from verisyn.modalities.sequence._history import Rows
from verisyn.modalities.sequence._seen import follows, time_of

_REGULAR = 0.98
"""Share of equal gaps from which on a series is regular but for holes."""
_MOST = 0.5
"""Rows that are lacking at most, as a share of those that are there; of more, holes are made smaller."""


@dataclass(frozen=True)
class Holes:
    """How rows are lacking in regular series.

    Parameters
    ----------
    scale : Scale
    step : int
        Units from row to row.
    sizes : list of int
        Rows lacking in each hole.
    rate : float
        Holes a row.
    """

    scale: Scale
    step: int
    sizes: list[int]
    rate: float

    @classmethod
    def learn(cls, rows: Rows) -> Self | None:
        """See what is lacking; None where nothing is, or where series are not regular at all."""
        scale = Scale.learn(time_of(rows))
        units = scale.units(time_of(rows))
        if len(units) < 3:
            return None
        gaps = np.diff(units, prepend=0)[follows(rows.starts)]
        distinct, often = np.unique(gaps, return_counts=True)
        step = int(distinct[np.argmax(often)])
        if len(distinct) < 2 or often.max() < _REGULAR * len(gaps) or distinct[0] < step or step <= 0:
            return None
        sizes = -(-gaps[gaps > step] // step) - 1
        shrink = min(1.0, _MOST * len(units) / sizes.sum())
        return cls(scale, step, np.maximum(np.rint(sizes * shrink), 1).astype(int).tolist(), len(sizes) / len(units))

    def filled(self, rows: Rows) -> Rows:
        """Return rows with the times they would have if none were lacking after the first of each entity."""
        time = time_of(rows)
        units = self.scale.units(time)
        begun = np.repeat(units[np.minimum(rows.starts[:-1], len(units) - 1)], rows.counts)
        return replace(rows, time=self.scale.times(begun + places(rows.starts) * self.step).alias(time.name))

    def draw(self, counts: np.ndarray, had: np.ndarray, rng: np.random.Generator
             ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Draw, for each series of so many rows, after which rows (from `had` on) some are lacking, and how many."""
        drawn = []
        for count, first in zip(counts.tolist(), had.tolist(), strict=True):
            free = max(count - max(first, 1), 0)
            many = min(free, int(np.floor(self.rate * count + rng.random())))
            after = np.sort(rng.permutation(free)[:many]) + max(first, 1)
            drawn.append((after, rng.choice(self.sizes, many)))
        return drawn

    @staticmethod
    def made(rows: Rows, holes: list[tuple[np.ndarray, np.ndarray]]) -> Rows:
        """Return series without the rows that are to be lacking."""
        kept = np.ones(rows.frame.height, bool)
        for begin, (after, sizes) in zip(rows.starts[:-1], holes, strict=True):
            shifted = after + np.cumsum(sizes) - sizes
            for at, size in zip(shifted, sizes, strict=True):
                kept[begin + at:begin + at + size] = False
        of = np.repeat(np.arange(len(rows.counts)), rows.counts)
        counts = np.bincount(of[kept], minlength=len(rows.counts))
        at = pl.Series(np.flatnonzero(kept))
        time = None if rows.time is None else rows.time.gather(at)
        return Rows(rows.frame[at.to_numpy()], starts_of(counts), time)

    def state(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        return cls(**{**state, "scale": Scale(**state["scale"])})
