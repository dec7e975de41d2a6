"""Tables of histories as judges see them: a sample of histories, or windows of few long series; and their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from verisyn.metrics import Effort, Side, Sides
from verisyn.metrics._histories import Histories, HistorySides
from verisyn.metrics._table_sides import drawn_alone
from verisyn.metrics._tables import BLOCKS
from verisyn.modalities.sequence._layout import Layout
from verisyn.modalities.sequence._seen import follows
from verisyn.modalities.table._views import TableCoder, scales_of
from verisyn.schema import Table

FEWEST = 40
"""Of fewer real histories, windows are judged: half of them would not make twenty blocks to leave out."""
HALVED = 100
"""With fewer in the holdout, fidelity is judged against one half of all real histories instead."""
_WINDOWS, _SHORTEST, _LONGEST, _CODED, _INNER = 80, 8, 256, 50_000, 0.2


@dataclass(frozen=True)
class Seen:
    """How a table of histories is seen, learnt on training rows.

    Parameters
    ----------
    layout : Layout
    coder : TableCoder
        Of columns that may change within an entity.
    about : TableCoder
        Of columns that do not, on any side.
    """

    layout: Layout
    coder: TableCoder
    about: TableCoder

    @classmethod
    def learn(cls, frames: Sequence[pl.DataFrame], table: Table, seed: np.random.SeedSequence) -> Seen:
        """Learn from the frames of all sides, the training rows first: what changes on one changes on all."""
        layout = Layout.learn(frames[0], table)
        parts = [layout.part(frame) for frame in frames]
        fixed = [c.name for c in layout.statics if c.name in table.names and
                 all(_still(part.sorted[c.name], part.rows.starts) for part in parts)]
        moves = [n for n in table.names if n not in (*table.entity, table.time, *fixed, *_followers(layout))]
        rows, first = parts[0].sorted, parts[0].sorted[parts[0].rows.starts[:-1]]
        some = np.sort(np.random.default_rng(seed).permutation(rows.height)[:_CODED])
        seeds = seed.spawn(2)
        return cls(layout, TableCoder.learn(rows[some].select(moves), _of(table, moves), seeds[0]),
                   TableCoder.learn(first.select(fixed), _of(table, fixed), seeds[1]))

    def histories(self, frame: pl.DataFrame) -> Histories:
        """See all rows of a frame."""
        part = self.layout.part(frame)
        starts, rows = part.rows.starts, part.sorted
        statics = rows[starts[:-1]].select(self.about.columns)
        time = part.rows.time
        return Histories(rows.drop(self.layout.table.entity), starts, None if time is None else _seconds(time),
                         self.coder.features(rows), self.about.features(statics) if statics.width else [])


def _followers(layout: Layout) -> list[str]:
    return [f.name for f in layout.followers]


def _of(table: Table, names: Sequence[str]) -> Table:
    return table.of(names).model_copy(update={"entity": (), "time": None, "key": (),
                                              "columns": tuple(c for c in table.columns if c.name in names)})


def _still(values: pl.Series, starts: np.ndarray) -> bool:
    """Whether a column never changes within an entity."""
    return bool(values.eq_missing(values.shift(1)).to_numpy()[follows(starts)].all())


def _seconds(time: pl.Series) -> np.ndarray:
    """Seconds since 1970, or the numbers as they are."""
    if time.dtype == pl.Date:
        return time.to_physical().cast(pl.Float64).to_numpy() * 86_400.0
    if time.dtype.is_temporal():
        return time.cast(pl.Datetime("us", getattr(time.dtype, "time_zone", None))).to_physical().to_numpy() / 1e6
    return time.cast(pl.Float64).to_numpy()


@dataclass(frozen=True)
class Stands:
    """Sides as they are, and with stand-ins for the synthetic data: the floor, training and holdout."""

    truth: Any
    floor: Any
    train: Any
    holdout: Any

    def ceiling(self, stand_in: str | None) -> Any:
        """The sides with real data in the synthetic data's place; None for None."""
        return {"train": self.train, "holdout": self.holdout, None: None}[stand_in]


@dataclass(frozen=True)
class Cut:
    """How many rows are judged, and of what: whole histories, or windows of so many rows.

    `window` is 0 where histories are judged as they are, or a stretch of `longest` rows of longer ones.
    """

    most: int
    longest: int
    window: int = 0

    @classmethod
    def of(cls, real: Histories, effort: Effort) -> Cut:
        """Windows where there are too few real histories; rows as the effort allows."""
        longest = max(_SHORTEST, effort.rows // 100)
        if real.entities >= FEWEST:
            return cls(effort.rows, longest)
        length = int(np.clip(real.rows // _WINDOWS, _SHORTEST, _LONGEST))
        return cls(effort.rows, longest, min(length, max(_SHORTEST, int(np.median(real.lengths)))))

    def drawn(self, histories: Histories, rng: np.random.Generator) -> Histories:
        """Return histories, or windows, in random order, as many as fit."""
        if self.window:
            count = histories.lengths // self.window
            entity = np.repeat(np.arange(histories.entities), count)
            nth = np.arange(len(entity)) - np.repeat(np.cumsum(count) - count, count)
            order = rng.permutation(len(entity))[:max(1, self.most // self.window)]
            begins = histories.starts[entity[order]] + nth[order] * self.window
            return histories.pieces(entity[order], begins, np.full(len(order), self.window))
        order = rng.permutation(histories.entities)
        held = np.minimum(histories.lengths[order], self.longest)
        order = order[:max(1, int(np.searchsorted(np.cumsum(held), self.most, "right")))]
        if (histories.lengths <= self.longest).all():
            return histories.take(order)
        held, spare = held[:len(order)], np.maximum(histories.lengths[order] - self.longest, 0)
        cut = histories.pieces(order, histories.starts[order] + rng.integers(0, spare + 1), held)
        return replace(cut, whole=histories.lengths[order])


def joined(a: Histories, b: Histories) -> Histories:
    """Return the histories of both, in this order."""
    features, about = ([replace(f, values=np.concatenate([f.values, g.values])) for f, g in zip(x, y, strict=True)]
                       for x, y in ((a.features, b.features), (a.about, b.about)))
    time = None if a.time is None or b.time is None else np.concatenate([a.time, b.time])
    whole = None if a.whole is None and b.whole is None else np.concatenate(
        [x.lengths if x.whole is None else x.whole for x in (a, b)])
    return Histories(pl.concat([a.frame, b.frame]), np.concatenate([a.starts, a.rows + b.starts[1:]]), time, features,
                     about, whole)


def parted(histories: Histories, share: float) -> tuple[Histories, Histories]:
    """Return all but a share of the histories, which stand in random order, and that share."""
    cut = histories.entities - round(share * histories.entities)
    return histories.take(np.arange(cut)), histories.take(np.arange(cut, histories.entities))


def stands(sides: HistorySides, rng: np.random.Generator) -> Stands:
    """Return the sides with their stand-ins; as many synthetic histories are compared as there are training ones."""
    sides = replace(sides, fake=sides.fake.take(np.arange(min(sides.fake.entities, sides.train.entities))))
    plain = replace(sides, pictured=False, full=None)
    alike = sides.train.take(rng.permutation(sides.train.entities)[:sides.fake.entities])
    half, other = parted(sides.holdout.take(rng.permutation(sides.holdout.entities)), 0.5)
    return Stands(sides, replace(plain, fake=sides.train.take(np.arange(sides.fake.entities)).shuffled(rng)),
                  replace(plain, fake=alike), replace(plain, fake=half, holdout=other))


# -- rows -------------------------------------------------------------------------------------------------------------
def rows_of(order: Stands, table: Table, effort: Effort, seed: np.random.SeedSequence) -> Stands:
    """Return the rows of the same histories as sides of a table.

    Rows of one history lean the same way. So that intervals, which come from leaving out every twentieth row, leave out
    whole histories, row i is one of the twentieth of histories that i modulo 20 says.
    """
    truth: HistorySides = order.truth
    names = [n for n in table.names if n in truth.train.frame.columns and (n != table.time or not truth.windows)]
    own = _of(table, names)
    rngs = [np.random.default_rng(s) for s in seed.spawn(4)]
    asked = (truth.fake, truth.train, truth.holdout, order.holdout.fake, order.holdout.holdout)
    frames = [interleaved(side, rng).select(names) for side, rng in zip(asked, [*rngs, rngs[0]], strict=True)]
    coder = TableCoder.learn(frames[1], own, seed)
    scales = scales_of(coder.features(frames[1]))
    fake, train, holdout, half, other = (Side.of(frame, coder, scales) for frame in frames)
    target = truth.target if truth.target in names else None
    sides = Sides(fake, train, holdout, target, False, (), (), own, coder, effort, truth.seed)
    plain = replace(sides, pictured=False)
    alone = Side.of(drawn_alone(frames[1], coder, fake.rows, rngs[3]), coder, scales)
    most = min(fake.rows, train.rows) // BLOCKS * BLOCKS
    alike = train.take(np.arange(most))
    return Stands(sides, replace(plain, fake=alone), replace(plain, fake=alike),
                  replace(plain, fake=half, holdout=other))


def interleaved(histories: Histories, rng: np.random.Generator) -> pl.DataFrame:
    """Return rows of which every twentieth is of the same twentieth of histories; equally many of each."""
    edges = histories.starts[np.linspace(0, histories.entities, BLOCKS + 1).astype(np.int64)]
    held = int(np.diff(edges).min())
    if held == 0:
        return histories.frame[rng.permutation(histories.rows)]
    order = np.column_stack([start + rng.permutation(end - start)[:held]
                             for start, end in pairwise(edges)])
    return histories.frame[order.ravel()]
