"""Rows to choose from: the model's own, and more of a rare kind where much of it is wanted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from verisyn.conditions import Condition
from verisyn.drawing import Keep, child
from verisyn.errors import UserError
from verisyn.steering._where import Where
from verisyn.steering.conditional import Rows

_MOST_STREAMS = 20
_PLAIN = 0.2


@dataclass(frozen=True)
class Stream:
    """Where candidates come from.

    Parameters
    ----------
    rows : Rows
    share : float
        Of all candidates.
    condition : Condition, optional
        What its rows have that few rows of the model have.
    mass : float
        How often the model's rows have it, about.
    """

    rows: Rows
    share: float = 1.0
    condition: Condition | None = None
    mass: float = 1.0


@dataclass(frozen=True)
class Look:
    """Candidates that were drawn, the model's own rows among them.

    A mixture of the model with the model under rare conditions is a proposal as any other (Owen and Zhou 2000):
    `log_base` says what a row of it counts for. A rare kind's mass need not be known well: whoever wants more of that
    kind gives its rows a slope of their own, which makes up for it.

    Parameters
    ----------
    streams : tuple of Stream
    frames : tuple of DataFrame
        The candidates of each.
    root : SeedSequence
    next : int
        The index at which further rows may start.
    drawn : int
        How often candidates were drawn.
    """

    streams: tuple[Stream, ...]
    frames: tuple[pl.DataFrame, ...]
    root: np.random.SeedSequence
    next: int = 0
    drawn: int = 0

    @classmethod
    def at(cls, wished: Rows, rows: int, root: np.random.SeedSequence) -> Look:
        """Look at so many of the model's rows."""
        return cls((Stream(wished),), (), root).more(rows)

    @property
    def frame(self) -> pl.DataFrame:
        """All candidates."""
        return pl.concat(self.frames)

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(frame.height for frame in self.frames)

    def more(self, rows: int) -> Look:
        """Look at more rows."""
        counts = shared(rows, [s.share for s in self.streams])
        drawn, start = self.draw(counts, child(self.root, self.drawn), None, self.next)
        had = self.frames or tuple(frame.clear() for frame in drawn)
        frames = tuple(pl.concat(both) for both in zip(had, drawn, strict=True))
        return replace(self, frames=frames, next=start, drawn=self.drawn + 1)

    def draw(self, counts: Sequence[int], root: np.random.SeedSequence, keep: Keep | None, start: int
             ) -> tuple[list[pl.DataFrame], int]:
        """Draw so many rows of each stream that `keep` keeps; return them and where further rows may start."""
        frames = []
        for number, (stream, count) in enumerate(zip(self.streams, counts, strict=True)):
            if not count and self.frames:
                frames.append(self.frames[number].clear())
                continue
            rows = replace(stream.rows, keep=keep) if keep else stream.rows
            frame, start = rows.draw(max(count, 1), child(root, number), start=start)
            frames.append(frame[:count])
        return frames, start

    def log_base(self, frame: pl.DataFrame) -> np.ndarray:
        """Return the log of what a candidate counts for: how much likelier it is in the model than among candidates."""
        if len(self.streams) == 1:
            return np.zeros(frame.height)
        dense = np.zeros(frame.height)
        for stream in self.streams:
            holds = stream.condition.holds(frame) if stream.condition else 1.0
            dense += stream.share / stream.mass * holds
        return -np.log(dense)

    def with_rare(self, wanted: Iterable[tuple[Where, float, float]], rows: int) -> Look:
        """Add a stream for each rare condition (with its share among rows here, and the share wanted); look again.

        A condition that the model cannot be held to is left out.
        """
        plain = self.streams[0].rows
        given = Where((plain.condition,)) if plain.condition.conjuncts else Where()
        found: list[Stream] = []
        schema = self.frames[0].schema
        for where, share, wish in sorted(wanted, key=lambda w: w[1] / w[2])[:_MOST_STREAMS]:
            try:
                own = Rows.of(plain.drawing, plain.refitter, (given & where).condition(schema), plain.do)
                likely = own.probability(child(self.root, 1000 + len(found)))
            except UserError:
                continue
            if not likely:
                continue
            found.append(Stream(own, wish, where.condition(schema), share))
        if not found:
            return self
        whole = max(1.0, math.fsum(s.share for s in found) / (1 - _PLAIN))
        streams = [replace(s, share=s.share / whole) for s in found]
        streams.insert(0, Stream(plain, 1 - math.fsum(s.share for s in streams)))
        return replace(self, streams=tuple(streams), frames=()).more(rows)


def shared(rows: int, shares: Sequence[float]) -> list[int]:
    """Deal out so many rows in proportion to shares, by largest remainders.

    Examples
    --------
    >>> shared(10, [0.5, 0.26, 0.24])
    [5, 3, 2]
    """
    exact = rows * np.asarray(shares, float) / math.fsum(shares)
    counts = np.floor(exact).astype(int)
    last = np.argsort(-(exact - counts), kind="stable")[: rows - int(counts.sum())]
    counts[last] += 1
    return [int(count) for count in counts]
