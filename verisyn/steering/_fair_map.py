"""What fairness makes of rows: learnt on the model's own rows, applied to any rows of the same kind."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from verisyn.drawing import BLOCK, Drawing, child
from verisyn.kinds import Feature
from verisyn.steering import _redraw
from verisyn.steering._grouping import Grouping
from verisyn.steering._outcome import Outcome
from verisyn.steering._parity import Chances, Parity
from verisyn.steering._repair import Repair
from verisyn.steering._sight import Sight

if TYPE_CHECKING:
    from verisyn.steering.fair import Fair

_JITTER = 1e-7
"""Chances that tie are parted by chance, by so little, so that a group whose rows all tie is not moved as one."""


@dataclass(frozen=True)
class Tally:
    """What was done: counts of rows by group (last: none) and class, before and after; rows changed, and rows that
    a constraint kept from it."""

    before: np.ndarray
    after: np.ndarray
    changed: int = 0
    kept: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.before + other.before, self.after + other.after, self.changed + other.changed,
                     self.kept + other.kept)


@dataclass(frozen=True)
class FairMap:
    """What the outcome's chances become, group by group.

    Parameters
    ----------
    outcome : Outcome
    grouping : Grouping
    parities : tuple of Parity
        One for each class that is asked about.
    repair : Repair
    sight : Sight, optional
        What models can know, where they do not see every column.
    weighted : bool
        Whether groups are compared among rows that have the outcome.
    """

    outcome: Outcome
    grouping: Grouping
    parities: tuple[Parity, ...]
    repair: Repair
    sight: Sight | None
    weighted: bool

    @classmethod
    def learn(cls, fair: Fair, grouping: Grouping, repair: Repair, own: pl.DataFrame, drawing: Drawing,
              rng: np.random.Generator, real: bool = False) -> FairMap:
        """Learn on rows; where models do not see every column, from half of them what those that they see tell.

        Of `real` rows those count as having the outcome that have it; of the model's own, each by its chance.
        """
        features = drawing.coder.features(own)
        group, weighted = grouping.of(features), fair.criterion == "equal_opportunity"
        known = cls(fair.outcome, grouping, (), repair, None, weighted)
        exact = known.exact(own, drawing)
        asked, learn_from = exact[:, fair.outcome.asked], np.arange(own.height) % 2 == 0
        held = (fair.outcome.of(own)[:, None] == fair.outcome.asked).astype(float) if real else asked
        hidden = {*repair.removed, *fair.outcome.coder.columns, *(() if fair.aware else fair.sensitive)}
        if not fair.aware or repair.removed:
            seen = [f for f in features if f.name not in hidden]
            sight = Sight.learn([_some(f, learn_from) for f in seen], asked[learn_from], group[learn_from], fair.aware,
                                not weighted)
            known, features = replace(known, sight=sight), [_some(f, ~learn_from) for f in features]
            asked, held, group = asked[~learn_from], held[~learn_from], group[~learn_from]
        rows = known._rows(asked, held, group, features, rng)
        return replace(known, parities=tuple(Parity.learn(r, fair.at, fair.cost) for r in rows))

    def exact(self, frame: pl.DataFrame, drawing: Drawing) -> np.ndarray:
        """Return the chances of all classes given all other columns, (rows, classes), drawn upon block by block."""
        def block(start: int) -> np.ndarray:
            codes = drawing.coder.encode(frame[start:start + BLOCK]).values
            return self.outcome.chances(codes, drawing) @ self.outcome.members

        with ThreadPoolExecutor(drawing.jobs) as pool:
            return np.concatenate(list(pool.map(block, range(0, frame.height, BLOCK))))

    def _rows(self, asked: np.ndarray, held: np.ndarray, group: np.ndarray, features: Sequence[Feature],
              rng: np.random.Generator) -> list[Chances]:
        """What each class's parity is asked of: exact chances, and how far rows have it, (rows, classes asked)."""
        weights = held if self.weighted else np.ones_like(asked)
        chances, tilts = (asked, [None] * asked.shape[1]) if self.sight is None else self.sight.of(features)
        jitter = _JITTER * rng.random(len(asked))
        return [Chances(chances[:, i] + jitter, group, weights[:, i], tilts[i]) for i in range(asked.shape[1])]

    def wanted(self, exact: np.ndarray, group: np.ndarray, features: Sequence[Feature],
               rng: np.random.Generator) -> np.ndarray:
        """Return the fair chances of all classes, (rows, classes)."""
        asked = self.outcome.asked
        rows = self._rows(exact[:, asked], exact[:, asked], group, features, rng)
        fair = np.column_stack([np.clip(p.of(r), 0, 1) for p, r in zip(self.parities, rows, strict=True)])
        if len(asked) == 1:
            fair = np.column_stack([fair, 1 - fair] if asked[0] == 0 else [1 - fair, fair])
        total = fair.sum(axis=1, keepdims=True)
        return np.where(total > 0, fair / np.maximum(total, 1e-300), exact)

    def applied(self, frame: pl.DataFrame, drawing: Drawing,
                root: np.random.SeedSequence) -> tuple[pl.DataFrame, Tally]:
        """Return the rows made fair, block by block with a seed each, with what was done; no column is left out yet."""
        def block(start: int) -> tuple[pl.DataFrame, Tally]:
            return self._block(frame[start:start + BLOCK], drawing, np.random.default_rng(child(root, start // BLOCK)))

        with ThreadPoolExecutor(drawing.jobs) as pool:
            frames, tallies = zip(*pool.map(block, range(0, frame.height, BLOCK)), strict=True)
        return pl.concat(frames), sum(tallies[1:], tallies[0])

    def _block(self, frame: pl.DataFrame, drawing: Drawing, rng: np.random.Generator) -> tuple[pl.DataFrame, Tally]:
        group = self.grouping.of(drawing.coder.features(frame))
        frame = self.repair.applied(frame, group, drawing, rng)
        codes = self.outcome.chances(drawing.coder.encode(frame).values, drawing)
        exact, features = codes @ self.outcome.members, drawing.coder.features(frame)
        had = self.outcome.of(frame)
        gets = moved(had, exact, self.wanted(exact, group, features, rng), rng)
        rows = np.flatnonzero(gets != had)
        new, done = self.outcome.redrawn(frame[rows], gets[rows], codes[rows], drawing, rng)
        fair = _redraw.exchanged(frame, rows[done], new.filter(done))
        before, after = (self._counted(group, c) for c in (had, self.outcome.of(fair)))
        return fair, Tally(before, after, int(done.sum()), int((~done).sum()))

    def _counted(self, group: np.ndarray, of: np.ndarray) -> np.ndarray:
        groups, classes = len(self.grouping.names) + 1, len(self.outcome.classes)
        at = np.where(group < 0, groups - 1, group)[of >= 0]
        return np.bincount(at * classes + of[of >= 0], minlength=groups * classes).reshape(groups, classes)


def moved(had: np.ndarray, before: np.ndarray, after: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the class of each row after its chances changed; as few rows as possible change (maximal coupling).

    Parameters
    ----------
    had : int array of shape (rows,)
        Drawn by the chances `before`; -1, which is none, stays.
    before, after : float arrays of shape (rows, classes)
    rng : Generator

    Examples
    --------
    >>> before, after = np.array([[0.5, 0.5]] * 4), np.array([[0.0, 1.0], [0.5, 0.5]] * 2)
    >>> moved(np.array([0, 0, 1, -1]), before, after, np.random.default_rng(0)).tolist()
    [1, 0, 1, -1]
    """
    at = np.maximum(had, 0)[:, None]
    old, new = (np.take_along_axis(x, at, 1)[:, 0] for x in (before, after))
    excess = np.maximum(after - before, 0)
    leaves = (had >= 0) & (rng.random(len(had)) * old >= new) & excess.any(axis=1)
    out = had.copy()
    out[leaves] = _redraw.drawn(excess[leaves], rng)
    return out


def _some(feature: Feature, rows: np.ndarray) -> Feature:
    return replace(feature, values=feature.values[rows])
