"""Rows from a fitted model: in blocks whose bytes do not depend on who draws them, accepted by their weights."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import polars as pl

from verisyn.constraints._rules import Ledger
from verisyn.errors import UserError
from verisyn.modalities.table import Fitted
from verisyn.modalities.table._views import TableCoder
from verisyn.schema import Table

BLOCK = 20_000
PILOT = 10_000
_GIVE_UP = 400_000
_MOST = 200_000_000
_WAVE = 4
_SETTLED = 2**31
"""Number of the child seed that settles a block, past those of its coders."""


@dataclass(frozen=True)
class Batch:
    """Drawn codes, the log of each row's weight, and the columns whose values are settled before decoding."""

    codes: np.ndarray
    log_weight: np.ndarray
    settled: pl.DataFrame

    def take(self, which: np.ndarray) -> Batch:
        """Return some of the rows."""
        settled = self.settled.filter(which) if self.settled.width else self.settled
        return Batch(self.codes[which], self.log_weight[which], settled)


Source = Callable[[int, np.random.Generator], Batch]
"""Draws so many candidates."""

Keep = Callable[[pl.DataFrame, np.random.Generator], np.ndarray]
"""Says which decoded candidates stay."""


@dataclass(frozen=True)
class Pilot:
    """A first batch of candidates, from which the weights' bound is known."""

    batch: Batch
    bound: float

    @property
    def acceptance(self) -> float:
        """The share of candidates that their weights let through."""
        return float(np.exp(self.batch.log_weight - self.bound).mean()) if np.isfinite(self.bound) else 0.0

    @property
    def mass(self) -> float:
        """The mean weight: under a condition, the probability of meeting it."""
        return float(np.exp(self.batch.log_weight).mean())


@dataclass(frozen=True)
class Drawing:
    """What drawing needs of a model."""

    table: Table
    coder: TableCoder
    fitted: Fitted
    seed: int
    jobs: int = 1
    ledger: Ledger = field(default_factory=Ledger)

    def decode(self, codes: np.ndarray, seed: np.random.SeedSequence, start: int = 0,
               settled: pl.DataFrame | None = None) -> pl.DataFrame:
        """Turn codes into rows; every row that is drawn passes through here.

        Parameters
        ----------
        codes : int32 array of shape (rows, parts)
        seed : SeedSequence
            The same seed gives the same rows.
        start : int, default 0
            Index of the first row in the whole sample, so that ids run on.
        settled : DataFrame, optional
            Columns whose values stand already, whatever their codes.
        """
        frame = self.coder.decode(codes, seed, start, self.ledger)
        if settled is None or not settled.width:
            return frame
        return self.coder.rules.changed(frame, settled, np.random.default_rng(child(seed, _SETTLED)))

    def finish(self, frame: pl.DataFrame, root: np.random.SeedSequence, overruled: Collection[str] = ()
               ) -> pl.DataFrame:
        """Keep the constraints of the whole sample, but those on overruled columns."""
        rules = self.coder.rules.without(overruled)
        return rules.finish(frame, np.random.default_rng(child(root, _SETTLED)), self.ledger)

    def tell(self, say: Callable[[str, bool], None]) -> None:
        """Say what keeping the constraints cost."""
        for note in self.ledger.notes():
            say(note, False)

    def blocks(self, rows: int, root: np.random.SeedSequence, tick: Any = lambda done: None) -> pl.DataFrame:
        """Draw in blocks of a fixed size with a seed each, so that the bytes do not depend on who draws which block."""

        def block(start: int) -> pl.DataFrame:
            draw, decode = child(root, start // BLOCK).spawn(2)
            codes, _ = self.fitted.sample(min(BLOCK, rows - start), np.random.default_rng(draw))
            return self.decode(codes, decode, start)

        frames = []
        with ThreadPoolExecutor(self.jobs) as pool:
            for frame in pool.map(block, range(0, rows, BLOCK)):
                frames.append(frame)
                tick(frame.height)
        return pl.concat(frames)

    def pilot(self, source: Source, root: np.random.SeedSequence) -> Pilot:
        """Draw the first batch of a sample."""
        batch = source(PILOT, np.random.default_rng(child(root, 0).spawn(1)[0]))
        return Pilot(batch, float(batch.log_weight.max()))

    def accepted(self, rows: int, source: Source, keep: Keep, root: np.random.SeedSequence, *, pilot: Pilot,
                 tick: Any, unmet: Callable[[int, int], UserError], start: int = 0) -> tuple[pl.DataFrame, int]:
        """Draw candidates, accept each in proportion to its weight, decode those, and keep what `keep` keeps.

        Blocks are drawn side by side and used in their order, so that the bytes do not depend on the threads.
        `unmet` (candidates drawn, rows got) is raised where hardly any candidate stays. The rows are returned with the
        index at which further ones may start.
        """
        size = int(np.clip(1.2 * rows / max(pilot.acceptance, 1e-9), 1000, BLOCK))

        def draw(number: int) -> Batch:
            seeds = child(root, number).spawn(2)
            batch = source(size, np.random.default_rng(seeds[0])) if number else pilot.batch
            chance = np.random.default_rng(seeds[1]).random(len(batch.log_weight))
            return batch.take(np.log(chance) < batch.log_weight - pilot.bound)

        def finish(number: int, batch: Batch, start: int) -> pl.DataFrame:
            seeds = child(root, number).spawn(4)
            frame = self.decode(batch.codes, seeds[2], start, batch.settled)
            return frame.filter(keep(frame, np.random.default_rng(seeds[3])))

        frames, got, number = [], 0, 0
        with ThreadPoolExecutor(self.jobs) as pool:
            while got < rows:
                drawn = PILOT + size * (number - 1) if number else 0
                if not np.isfinite(pilot.bound) or drawn > (_MOST if got else _GIVE_UP):
                    raise unmet(max(drawn, PILOT), got)
                wave = range(number, number + self._wave(rows - got, got / drawn if got else pilot.acceptance, size))
                for frame, used in _in_order(pool, draw, finish, wave, start):
                    if got >= rows:  # how long a wave is depends on the threads, where further rows start must not
                        break
                    frames.append(frame[: rows - got])
                    got += frames[-1].height
                    start += used
                    tick(frames[-1].height)
                number = wave.stop
        return pl.concat(frames), start

    def _wave(self, missing: int, share: float, size: int) -> int:
        """How many blocks to draw next: about as many as the rows still missing need, if such a share stays."""
        return int(np.clip(np.ceil(missing / (share * size + 1e-9)), 1, _WAVE * self.jobs))


def _in_order(pool: Executor, draw: Any, finish: Any, wave: range, start: int) -> list[tuple[pl.DataFrame, int]]:
    """Draw all blocks of a wave, then decode them: where a block's rows begin depends on those before it."""
    batches = list(pool.map(draw, wave))
    sizes = [len(b.codes) for b in batches]
    starts = [a for a, _ in pairwise(accumulate(sizes, initial=start))]
    return list(zip(pool.map(finish, wave, batches, starts), sizes, strict=True))


def child(root: np.random.SeedSequence, number: int) -> np.random.SeedSequence:
    """Return the child `number` of a seed without spawning those before it."""
    return np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, number))
