"""Long series drawn in lanes side by side: each runs on window by window, and its end meets the next one's start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from verisyn._runs import places, starts_of
from verisyn.modalities.sequence._history import History, Rows
from verisyn.modalities.sequence._start import Start
from verisyn.modalities.sequence._windows import Windows

_CELLS = 60_000
"""Rows of a lane times columns at most: a round costs about the same however many lanes run side by side."""
_RUN = 5_000
"""Rows of a lane at most."""
_TAIL = 24
"""Last rows of a lane from which it goes on."""
_END = 40
"""Rows at the end of a lane that are drawn several times, for one that meets the next lane."""
_GUESSES = (4, 32)
_ENDS = 96
"""Ends to choose from: so many a lane, and so many of all lanes together."""


@dataclass(frozen=True)
class Lanes:
    """The lanes of long series.

    Parameters
    ----------
    history : History
        Learnt on pieces; the last part of its context is a piece's place.
    windows : Windows
    start : Start, optional
        Of the row with which a lane begins, where series are few.
    jobs : int
    """

    history: History
    windows: Windows
    start: Start | None = None
    jobs: int = 1

    def draw(self, context: np.ndarray, counts: np.ndarray, seed: np.random.SeedSequence, prefix: Rows | None = None
             ) -> Rows:
        """Draw series of so many rows, each given its row of `context` (series, parts but the place).

        Of a series with a `prefix` there is one lane, which goes on from it.
        """
        of, lengths = self._laid_out(counts, prefix is not None)
        stride = max(self.windows.length - _TAIL, self.windows.length // 2, 1)
        begin, end, *seeds = seed.spawn(-(-int(lengths.max(initial=1)) // stride) + self.windows.places + 2)
        lanes = _Run(self, context, counts, of, lengths)
        tail = lanes.begin(begin) if prefix is None else lanes.go_on(prefix)
        first = lanes.first()
        spared = _END * lanes.followed if self.start else np.zeros(len(of), np.int64)
        for child in seeds:
            more = np.minimum(np.maximum(lanes.left - spared, 0), lanes.here)
            tail = lanes.run(tail, np.minimum(more, np.maximum(self.windows.length - tail.counts, stride)), child)
        lanes.meet(tail, first, end)
        return lanes.joined()

    def _laid_out(self, counts: np.ndarray, one: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the series and the rows of each lane."""
        run = min(_RUN, _CELLS // max(1, len(self.history.coder.columns))) if self.start else self.windows.length
        many = np.ones(len(counts), np.int64) if one else np.maximum(-(-counts // run), 1)
        of = np.repeat(np.arange(len(counts)), many)
        number = np.arange(len(of)) - np.repeat(np.cumsum(many) - many, many)
        return of, counts[of] * (number + 1) // many[of] - counts[of] * number // many[of]


class _Run:
    """Lanes while they are drawn."""

    def __init__(self, lanes: Lanes, context: np.ndarray, counts: np.ndarray, of: np.ndarray, lengths: np.ndarray):
        self.lanes, self.context, self.counts, self.of, self.lengths = lanes, context, counts, of, lengths
        self.begins = np.cumsum(lengths) - lengths - (np.cumsum(counts) - counts)[of]
        self.done = np.zeros(len(of), np.int64)
        self.pieces: list[tuple[np.ndarray, Rows]] = []

    @property
    def left(self) -> np.ndarray:
        """Rows that lanes still lack."""
        return self.lengths - self.done

    @property
    def here(self) -> np.ndarray:
        """Rows until the place in the series changes."""
        at, counts, places = self.begins + self.done, self.counts[self.of], self.lanes.windows.places
        place = self.lanes.windows.place(at, counts)
        return np.where(place + 1 >= places, np.iinfo(np.int64).max, -(-(place + 1) * counts // places) - at)

    @property
    def followed(self) -> np.ndarray:
        """Whether another lane of the same series comes after each."""
        return np.append(self.of[1:] == self.of[:-1], False)[:len(self.of)]

    def told(self, lanes: np.ndarray) -> np.ndarray:
        """Return the context of the next rows of lanes."""
        place = self.lanes.windows.place((self.begins + self.done)[lanes], self.counts[self.of[lanes]])
        return np.asfortranarray(np.hstack([self.context[self.of[lanes]], place[:, None]]), np.int32)

    def begin(self, seed: np.random.SeedSequence) -> Rows:
        """Draw the first row of each lane, or all rows where pieces are entities like others."""
        lanes, nothing = np.arange(len(self.of)), np.zeros(len(self.of), np.int64)
        start, windows = self.lanes.start, self.lanes.windows
        if start is None:
            return self._kept(lanes, self._sample(lanes, self.lengths, seed), nothing, self.lengths)
        base = start.units(windows.begins)[np.arange(len(self.counts)) % len(windows.begins)]
        wanted = base[self.of] + np.rint(self.begins * windows.pace / start.scale.ticks).astype(np.int64)
        return self._kept(lanes, start.draw(self.told(lanes), wanted, seed), nothing, nothing + 1)

    def go_on(self, prefix: Rows) -> Rows:
        """Begin with rows that are given."""
        self.pieces.append((np.arange(len(self.of)), prefix))
        self.done = prefix.counts.copy()
        return _last(prefix, _TAIL)

    def run(self, tail: Rows, more: np.ndarray, seed: np.random.SeedSequence) -> Rows:
        """Draw so many more rows of each lane; return the last ones of all."""
        which = np.flatnonzero(more > 0)
        if not len(which):
            return tail
        given = tail.take(which)
        drawn = self._sample(which, given.counts + more[which], seed, given)
        kept = self._kept(which, drawn, given.counts, more[which])
        rest = np.setdiff1d(np.arange(len(self.of)), which)
        return _merged([(which, kept), (rest, tail.take(rest))])

    def meet(self, tail: Rows, first: Rows, seed: np.random.SeedSequence) -> None:
        """Draw the rows that lanes still lack, several times; keep those that meet the next lane best."""
        which = np.flatnonzero(self.left > 0)
        if not len(which):
            return
        again = np.repeat(which, int(np.clip(_ENDS // len(which), *_GUESSES)))
        given = tail.take(again)
        drawn = self._sample(again, given.counts + self.left[again], seed, given)
        chosen = drawn.take(self._nearest(drawn, given.counts + self.left[again], first, again))
        self._kept(which, chosen, tail.counts[which], self.left[which])

    def _sample(self, lanes: np.ndarray, counts: np.ndarray, seed: np.random.SeedSequence, prefix: Rows | None = None
                ) -> Rows:
        return self.lanes.history.sample(self.told(lanes), seed, counts=counts, prefix=prefix, jobs=self.lanes.jobs)

    def _kept(self, which: np.ndarray, drawn: Rows, had: np.ndarray, more: np.ndarray) -> Rows:
        """Keep so many new rows of lanes; return the last ones of each."""
        self.pieces.append((which, _cut(drawn, had, more)))
        self.done[which] += more
        return _last(_cut(drawn, np.zeros_like(had), had + more), _TAIL)

    # -- lanes that meet --------------------------------------------------------------------------------------------
    def first(self) -> Rows:
        """Return the first row of each lane."""
        _, rows = self.pieces[0]
        return _cut(rows, np.zeros(len(rows.counts), np.int64), np.minimum(rows.counts, 1))

    def _nearest(self, drawn: Rows, counts: np.ndarray, first: Rows, lanes: np.ndarray) -> np.ndarray:
        """Return, for each lane, which of its endings after so many rows is nearest to the next lane's first row."""
        numbers = drawn.frame.select(pl.selectors.numeric())
        ends = _matrix(numbers[drawn.starts[:-1] + counts - 1])
        begins = _matrix(first.frame.select(numbers.columns))[np.minimum(lanes + 1, len(self.of) - 1)]
        usual = np.nanmean(np.abs(np.diff(_matrix(numbers), axis=0)), axis=0) if numbers.width else np.ones(0)
        apart = np.nan_to_num(np.abs(ends - begins) / np.maximum(usual, 1e-12)).sum(axis=1)
        order = np.lexsort((apart, lanes))
        return order[np.unique(lanes[order], return_index=True)[1]]

    # -- together ---------------------------------------------------------------------------------------------------
    def joined(self) -> Rows:
        """Return the series."""
        rows = _merged(self.pieces)
        lengths = np.bincount(self.of, rows.counts, len(self.counts)).astype(np.int64)
        starts = starts_of(lengths)
        return Rows(rows.frame, starts, self._timed(rows, starts))

    def _timed(self, rows: Rows, starts: np.ndarray) -> pl.Series | None:
        """Return the time of all rows: of regular series, step by step; else lanes moved so that they follow on."""
        shape = self.lanes.history.shape
        if rows.time is None or shape.scale is None:
            return rows.time
        scale, counts = shape.scale, np.diff(starts)
        if not shape.irregular:
            begun = scale.units(rows.time[starts[:-1]])
            return scale.times(np.repeat(begun, counts) + places(starts) * shape.step).alias(rows.time.name)
        ticks = rows.time.to_physical().to_numpy().copy()
        for lane in np.flatnonzero(self.of[1:] == self.of[:-1]) + 1:
            before, after = rows.starts[lane], rows.starts[lane + 1]
            gaps = np.diff(ticks[rows.starts[lane - 1]:before])
            move = ticks[before - 1] + (np.median(gaps) if len(gaps) else 0) - ticks[before]
            ticks[before:after] += np.asarray(move).astype(ticks.dtype)
        return pl.Series(rows.time.name, ticks).cast(rows.time.to_physical().dtype).cast(rows.time.dtype)


def _cut(rows: Rows, begins: np.ndarray, lengths: np.ndarray) -> Rows:
    """Return some rows of each entity: so many, from so many after its first on."""
    return rows.pieces(rows.starts[:-1] + begins, lengths)


def _last(rows: Rows, most: int) -> Rows:
    """Return the last rows of each entity."""
    lengths = np.minimum(rows.counts, most)
    return _cut(rows, rows.counts - lengths, lengths)


def _merged(pieces: list[tuple[np.ndarray, Rows]]) -> Rows:
    """Put pieces of lanes together, lane by lane, those of a lane in the order in which they came."""
    of = np.concatenate([np.repeat(which, rows.counts) for which, rows in pieces])
    order = np.argsort(of, kind="stable")
    frame = pl.concat([rows.frame for _, rows in pieces])[order]
    times = [rows.time for _, rows in pieces if rows.time is not None]
    lanes = max(int(which.max(initial=-1)) for which, _ in pieces) + 1
    starts = starts_of(np.bincount(of, minlength=lanes))
    return Rows(frame, starts, pl.concat(times)[order] if times else None)


def _matrix(frame: pl.DataFrame) -> np.ndarray:
    return frame.select(pl.all().cast(pl.Float64).fill_null(np.nan)).to_numpy() if frame.width else np.empty(
        (frame.height, 0))
