"""Real histories, whole or in blocks, put together anew: a floor for what follows what, and it copies."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from verisyn._runs import starts_of
from verisyn.conditions import Condition
from verisyn.errors import UserError
from verisyn.modalities.sequence import BaseGenerator, Entities, Fitted, Source, Wish
from verisyn.modalities.sequence._history import Rows
from verisyn.modalities.sequence._windows import Windows
from verisyn.modalities.table import Tick
from verisyn.running import Run

_OF = "\0entity"
"""The hidden static column that says which real entity was drawn."""
_COPIES = ("Every synthetic row is a real row: this generator draws real histories again, whole or in blocks. It is a "
           "floor to hold other generators beside, and its rows, and the model file, are as confidential as the data.")


class Blocks(Fitted):
    """The real entities and their rows.

    Parameters
    ----------
    statics : polars.DataFrame
        One row an entity; it may have no columns.
    source : Rows
    block : int
        Rows of a block on average, where series are put together from blocks; 0 where entities are drawn whole.
    """

    notes = (_COPIES,)

    def __init__(self, statics: pl.DataFrame, source: Rows, block: int):
        self.statics, self.source, self.block = statics, source, block

    def entities(self, count: int, seed: np.random.SeedSequence, given: Condition | None = None,
                 jobs: int = 1) -> Entities:
        """Draw real entities, each as often as chance has it."""
        able = np.arange(len(self.source.counts))
        if given is not None:
            able = able[given.holds(self.statics)] if self.statics.width else able[:0]
            if not len(able):
                raise UserError(f"No entity of the data meets the condition {given.text!r}, and this generator makes "
                                "no others. Loosen it.")
        drawn = np.random.default_rng(seed).choice(able, count)
        told = pl.Series(_OF, drawn)
        return Entities(count, self.statics[drawn].with_columns(told) if self.statics.width else pl.DataFrame([told]))

    def rows(self, entities: Entities, seed: np.random.SeedSequence, wish: Wish | None = None,
             tick: Tick = lambda done: None, jobs: int = 1) -> Rows:
        """Draw rows again."""
        wish, of = wish or Wish(), entities.statics[_OF].to_numpy()
        if wish.prefix is not None:
            raise UserError("The generator sequence.bootstrap cannot go on from rows that are given. Fit with "
                            "sequence.history.")
        tick(entities.count)
        if wish.counts is None and not self.block:
            return self.source.take(of)
        counts = self.source.counts[of] if wish.counts is None else wish.counts
        return self._blocks(of, counts, np.random.default_rng(seed))

    def _blocks(self, of: np.ndarray, counts: np.ndarray, rng: np.random.Generator) -> Rows:
        """Put series together from blocks of random length (the stationary bootstrap)."""
        starts = starts_of(counts)
        own = self.source.counts[of]
        first = np.zeros(starts[-1], bool)
        first[starts[:-1][counts > 0]] = True
        jump = first | (rng.random(starts[-1]) < 1 / max(self.block, 1) if self.block else first)
        wide, base = np.repeat(own, counts), np.repeat(self.source.starts[:-1][of], counts)
        place = np.where(first & (self.block == 0), 0, rng.integers(0, np.maximum(wide, 1)))
        last = np.maximum.accumulate(np.where(jump, np.arange(starts[-1]), 0))
        at = base + (place[last] + np.arange(starts[-1]) - last) % np.maximum(wide, 1)
        return Rows(self.source.frame[at], starts, self._times(at, of, starts))

    def _times(self, at: np.ndarray, of: np.ndarray, starts: np.ndarray) -> pl.Series | None:
        """Return times: a series begins when the real one does, and each row comes as long after the last as it did."""
        time = self.source.time
        if time is None:
            return None
        ticks = time.to_physical().to_numpy()
        gaps = np.diff(ticks, prepend=ticks[:1])
        begins = self.source.starts[:-1][self.source.counts > 0]
        ends = np.minimum(begins + 1, len(gaps) - 1)
        gaps[begins] = gaps[ends] if len(gaps) > 1 else 0
        gaps[begins[self.source.counts[self.source.counts > 0] < 2]] = 0
        steps = gaps[at]
        some = np.diff(starts) > 0
        steps[starts[:-1][some]] = 0
        total = np.cumsum(steps)
        base = np.repeat(total[starts[:-1][some]], np.diff(starts)[some])
        begun = np.repeat(ticks[self.source.starts[:-1][of[some]]], np.diff(starts)[some])
        made = pl.Series(time.name, (total - base + begun).astype(ticks.dtype))
        return made.cast(time.to_physical().dtype).cast(time.dtype)

    def state(self) -> dict[str, Any]:
        """Return the real rows."""
        time = pl.DataFrame() if self.source.time is None else self.source.time.alias("time").to_frame()
        return {"statics": _packed(self.statics), "frame": _packed(self.source.frame), "time": _packed(time),
                "starts": self.source.starts, "block": self.block}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        time = _unpacked(state["time"])
        rows = Rows(_unpacked(state["frame"]), np.asarray(state["starts"]), time["time"] if time.width else None)
        return cls(_unpacked(state["statics"]), rows, int(state["block"]))


@dataclass(frozen=True)
class Generator(BaseGenerator):
    """Settings of the bootstrap.

    Parameters
    ----------
    block : int, default 0
        Rows of a block on average, where long series are put together from blocks that follow each other in the data
        (Politis and Romano 1994); 0 takes the cube root of a series' rows, four times over. Where there are entities
        enough, 0 draws them whole.
    """

    fitted: ClassVar = Blocks

    block: int = 0

    def fit(self, source: Source, seed: np.random.SeedSequence, jobs: int = 1, run: Run | None = None,
            tick: Tick = lambda done: None) -> Blocks:
        """Remember everything."""
        windows, counts = Windows.decide(source.rows), source.rows.counts
        tick(1)
        usual = 4 * round(float(counts.max()) ** (1 / 3)) if windows and windows.few else 0
        return Blocks(source.entities.statics, source.rows, self.block or usual)


def _packed(frame: pl.DataFrame) -> np.ndarray:
    """Return a frame as bytes of the Arrow format."""
    if not frame.width:
        return np.empty(0, np.uint8)
    frame.write_ipc(out := io.BytesIO())
    return np.frombuffer(out.getvalue(), np.uint8)


def _unpacked(content: np.ndarray) -> pl.DataFrame:
    return pl.read_ipc(io.BytesIO(np.asarray(content).tobytes())) if len(content) else pl.DataFrame()
