"""How a long series stands at some place and season: one row, from which it goes on."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import polars as pl

from verisyn.kinds import _dtypes as dtypes
from verisyn.modalities.sequence._clock import Scale, Season
from verisyn.modalities.sequence._history import Rows
from verisyn.modalities.sequence._seen import time_of
from verisyn.modalities.table import BaseGenerator, Codes, Tick
from verisyn.modalities.table._conditional import Conditional, beside
from verisyn.running import Run
from verisyn.schema import Table

_ROWS = 20_000
"""Rows that it is learnt from at most."""


class Start:
    """The distribution of single rows, given their series, its place and the season.

    Parameters
    ----------
    model : Conditional
    scale : Scale
    season : Season
    """

    def __init__(self, model: Conditional, scale: Scale, season: Season):
        self.model, self.scale, self.season = model, scale, season

    @classmethod
    def learn(cls, pieces: Rows, table: Table, context: Codes, scale: Scale, maker: BaseGenerator,
              seed: np.random.SeedSequence, *, jobs: int = 1, run: Run | None = None,
              tick: Tick = lambda done: None) -> Self:
        """Learn from the rows of pieces; `context` is told of each piece."""
        pick, fit = seed.spawn(2)
        rows = pieces.frame.height
        some = np.sort(np.random.default_rng(pick).permutation(rows)[:_ROWS])
        season = Season.learn(scale, scale.units(time_of(pieces)))
        of = np.repeat(np.arange(len(pieces.counts)), pieces.counts)[some]
        told = Codes(np.asfortranarray(context.values[of]), context.parts, context.names)
        seasonal = Codes(_season(season, scale.units(time_of(pieces)[some])), season.parts, season.names)
        model = Conditional.learn(pieces.frame[some], table.of(pieces.frame.columns), beside(told, seasonal), maker,
                                  fit, jobs=jobs, run=run, tick=tick)
        return cls(model, scale, season)

    def units(self, ticks: list[float]) -> np.ndarray:
        """Return ticks of the column of time as units."""
        dtype = dtypes.from_json(self.scale.dtype)
        return self.scale.units(pl.Series(ticks).cast(pl.Series([], dtype=dtype).to_physical().dtype).cast(dtype))

    def draw(self, context: np.ndarray, units: np.ndarray, seed: np.random.SeedSequence) -> Rows:
        """Draw a row at these times, given the context of each."""
        draw, decode = seed.spawn(2)
        told = np.asfortranarray(np.hstack([context, _season(self.season, units)]), np.int32)
        codes, _ = self.model.draw(told, np.random.default_rng(draw))
        frame = self.model.decode(codes, decode)
        return Rows(frame, np.arange(len(context) + 1), self.scale.times(units))

    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        return {"model": self.model.state(), "scale": self.scale.state(), "season": list(self.season.names)}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        scale = Scale(**state["scale"])
        return cls(Conditional.restore(state["model"]), scale, Season(scale, tuple(state["season"])))


def _season(season: Season, units: np.ndarray) -> np.ndarray:
    return np.asfortranarray(season.codes(units), np.int32)


