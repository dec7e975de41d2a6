"""Long series: learnt in windows, drawn in lanes, with the holes that regular ones have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn.modalities.sequence._history import History, Rows
from verisyn.modalities.sequence._holes import Holes
from verisyn.modalities.sequence._lanes import Lanes
from verisyn.modalities.sequence._start import Start
from verisyn.modalities.sequence._windows import Windows
from verisyn.modalities.table import BaseGenerator, Codes
from verisyn.modalities.table._conditional import beside
from verisyn.schema import Column, Table


class Series:
    """What was learnt of long series.

    Parameters
    ----------
    windows : Windows
    history : History
        Of windows; the last part of its context is the place in the series.
    start : Start, optional
        Where there are few series.
    holes : Holes, optional
        What regular ones of few lack.
    """

    def __init__(self, windows: Windows, history: History, start: Start | None = None, holes: Holes | None = None):
        self.windows, self.history, self.start, self.holes = windows, history, start, holes
        self.notes = (*windows.notes, *(note.replace(" entities, drawn", " windows, drawn") for note in history.notes))

    @classmethod
    def learn(cls, windows: Windows, rows: Rows, table: Table, context: Codes, time: Column, maker: BaseGenerator,
              seed: np.random.SeedSequence, **fit: Any) -> Self:
        """Learn from series; `fit` are ``jobs``, ``run`` and ``tick``."""
        row_seed, start_seed = seed.spawn(2)
        holes = Holes.learn(rows) if windows.few else None
        pieces, of, places = windows.cut(rows)
        pieces = holes.filled(pieces) if holes else pieces
        told = beside(Codes(np.asfortranarray(context.values[of]), context.parts, context.names), places)
        history = History.learn(pieces, table, told, time=time, maker=maker, seed=row_seed, **fit)
        start, scale = None, history.shape.scale
        if windows.few and scale:
            start = Start.learn(pieces, table, told, scale, maker, start_seed, **fit)
        return cls(windows, history, start, holes)

    def draw(self, context: np.ndarray, counts: np.ndarray | None, seed: np.random.SeedSequence,
             prefix: Rows | None = None, jobs: int = 1) -> Rows:
        """Draw a series for each row of `context`; how long each is is drawn where `counts` does not say."""
        count_seed, hole_seed, lane_seed, open_seed = seed.spawn(4)
        if counts is None:
            counts = self.windows.draw_counts(len(context), np.random.default_rng(count_seed))
        had = np.zeros(len(counts), np.int64) if prefix is None else prefix.counts
        counts = np.maximum(counts, had)
        lanes = Lanes(self.history, self.windows, self.start, jobs)
        if self.holes is None:
            drawn, opens = lanes.draw(context, counts, lane_seed, prefix), self.windows.opens
            if prefix is None and opens:
                return self._opened(drawn, self.windows.draw_opens(len(counts), np.random.default_rng(open_seed)))
            return drawn
        holes = self.holes.draw(counts, had, np.random.default_rng(hole_seed))
        wider = counts + np.array([int(sizes.sum()) for _, sizes in holes], np.int64)
        return self.holes.made(lanes.draw(context, wider, lane_seed, prefix), holes)

    def _opened(self, rows: Rows, opens: np.ndarray) -> Rows:
        """Move series that were drawn as pieces are to where whole ones begin, season for season."""
        scale, some = self.history.shape.scale, rows.counts > 0
        if rows.time is None or scale is None or not some.any():
            return rows
        units, at = scale.units(rows.time), rows.starts[:-1][some]
        ticks = pl.Series(np.rint(opens[some]) if rows.time.dtype != pl.Float64 else opens[some])
        wanted = scale.units(ticks.cast(rows.time.to_physical().dtype).cast(rows.time.dtype))
        turn = max(round(12 if scale.monthly else 7 * scale.per_day), 1)
        move = np.rint((wanted - units[at]) / turn).astype(np.int64) * turn
        moved, was = (scale.times(u).to_physical() for u in (units + np.repeat(move, rows.counts[some]), units))
        ticks = rows.time.to_physical() + (moved - was)  # a unit may be a day, and time have an hour
        return replace(rows, time=ticks.cast(rows.time.dtype).alias(rows.time.name))

    def log_prob(self, rows: Rows, context: np.ndarray) -> np.ndarray:
        """Return the log-probability of series, window by window."""
        pieces, of, places = self.windows.cut(rows)
        pieces = self.holes.filled(pieces) if self.holes else pieces
        told = np.hstack([context[of], places.values])
        return np.bincount(of, self.history.log_prob(pieces, told), len(context))

    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        return {"windows": self.windows.state(), "history": self.history.state(),
                "start": self.start and self.start.state(), "holes": self.holes and self.holes.state()}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        return cls(Windows(**state["windows"]), History.restore(state["history"]),
                   Start.restore(state["start"]) if state["start"] else None,
                   Holes.restore(state["holes"]) if state["holes"] else None)
