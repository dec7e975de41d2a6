"""Rows of one table as the sides that metrics compare, with what stands in for the synthetic rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from verisyn.description import modelled
from verisyn.metrics import Effort, Side, Sides
from verisyn.modalities.table._views import TableCoder, scales_of
from verisyn.schema import Table

MOST_CELLS = 10_000_000
"""Every side is judged on at most so many cells, and on the rows that the effort allows, drawn by the seed."""
_INNER_HOLDOUT = 0.2

@dataclass(frozen=True)
class TableSides:
    """The sides as they are, and with stand-ins for the synthetic rows: columns drawn alone, real rows."""

    truth: Sides
    floor: Sides
    train_stands_in: Sides
    holdout_stands_in: Sides

    @property
    def judged(self) -> dict[str, int]:
        """Rows of each side that are judged."""
        return {name: getattr(self.truth, side).rows
                for name, side in (("synthetic", "fake"), ("train", "train"), ("holdout", "holdout"))}

    @property
    def sampled(self) -> bool:
        """Whether fewer rows are judged than there are."""
        sides = (self.truth.fake, self.truth.train, self.truth.holdout)
        return any(side.whole is not None and side.rows < side.whole.height for side in sides)

    def ceiling(self, stand_in: str | None) -> Sides | None:
        """The sides with real rows in the synthetic rows' place; None for None."""
        return {"train": self.train_stands_in, "holdout": self.holdout_stands_in, None: None}[stand_in]


def table_sides(frames: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame | None], table: Table, coder: TableCoder | None,
                effort: Effort, seed: int) -> TableSides:
    """Return the sides of synthetic rows, training rows and held-out rows; each a sample in random order.

    Without held-out rows, a part of the training rows plays these; a `coder` is learnt where none is given.
    """
    fake, train, holdout = frames
    *seeds, coder_seed = np.random.SeedSequence(seed).spawn(6)
    rngs = [np.random.default_rng(s) for s in seeds]
    coder = coder or TableCoder.learn(train, table, coder_seed)
    unseen = holdout is not None
    if holdout is None:
        train, holdout = _parted(train, _INNER_HOLDOUT, rngs[0])
    most = min(effort.rows, max(1_000, MOST_CELLS // max(1, train.width)))
    wholes = (train, holdout, fake)
    # In random order: intervals come from leaving out every twentieth row, and files may be sorted or periodic.
    train, holdout = _drawn(train, most, rngs[1]), _drawn(holdout, most, rngs[2])
    fake = _drawn(fake, min(most, train.height), rngs[3])
    scales = scales_of(coder.features(train))
    seen, other, made, alone = (Side.of(f, coder, scales) for f in
                                (train, holdout, fake, drawn_alone(train, coder, fake.height, rngs[4])))
    seen, other, made = (replace(side, whole=whole) for side, whole in zip((seen, other, made), wholes, strict=True))
    regenerated = tuple(c.name for c in table.columns if not modelled(c))
    sensitive = tuple(c.name for c in table.columns if c.sensitive and modelled(c))
    truth = Sides(made, seen, other, table.target, unseen, regenerated, sensitive, table, coder, effort, seed)
    order = rngs[0].permutation(other.rows)
    halves = [other.take(np.sort(half)) for half in np.array_split(order, 2)]
    plain = replace(truth, pictured=False)
    return TableSides(truth, replace(plain, fake=alone), replace(plain, fake=seen.some(made.rows, rngs[0])),
                  replace(plain, fake=halves[0], holdout=halves[1]))


def drawn_alone(frame: pl.DataFrame, coder: TableCoder, rows: int, rng: np.random.Generator) -> pl.DataFrame:
    """Return rows whose columns are drawn from `frame` each alone (columns that belong together, together).

    This is what the `independent` generator makes, short of its coding: the floor that any generator must beat.
    """
    if frame.height == 0:
        return frame
    drawn = [frame.select(c.columns)[rng.integers(0, frame.height, rows)] for c in coder.coders]
    return pl.concat(drawn, how="horizontal").select(coder.columns) if drawn else frame


def _drawn(frame: pl.DataFrame, most: int, rng: np.random.Generator) -> pl.DataFrame:
    """Return at most `most` rows, in random order."""
    return frame[rng.permutation(frame.height)[:most]]


def _parted(frame: pl.DataFrame, share: float, rng: np.random.Generator) -> tuple[pl.DataFrame, pl.DataFrame]:
    order = rng.permutation(frame.height)
    cut = round(share * frame.height)
    return frame[np.sort(order[cut:])], frame[np.sort(order[:cut])]


