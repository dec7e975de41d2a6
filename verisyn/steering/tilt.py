"""The model's rows tilted towards targets, as little as that takes, and so many of them chosen that they are met."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from verisyn.drawing import child
from verisyn.steering._arithmetic import check
from verisyn.steering._balanced import choose
from verisyn.steering._candidates import Look, shared
from verisyn.steering._contradiction import refuse_absent, unreachable
from verisyn.steering._projection import Moments
from verisyn.steering._solver import FEWEST, Solver
from verisyn.steering.conditional import Rows
from verisyn.steering.figures import Seen, Share

if TYPE_CHECKING:
    from verisyn.steering.targets import Targets

_RARE = (50, 400)
_MANY = 400_000
_BATCH = 100_000
_TRIES = 4


@dataclass(frozen=True)
class Tilt:
    """Weights ``min(cap, exp(slopes · centred values))``: of all that meet the targets, the nearest to the model.

    The I-projection of the model onto the targets (Csiszár 1975), which raking approaches for margins (Deming and
    Stephan 1940), with a bound on any row's weight. The slopes minimise a convex function on the model's own rows; a
    row is then accepted in proportion to its weight, so that no row repeats. Of somewhat more rows than are asked for
    those that stay are chosen by balanced sampling (:mod:`verisyn.steering._balanced`), so that chance in the rows
    does not undo what the slopes reach.

    Parameters
    ----------
    targets : Targets
    slopes : float array of shape (targets,)
    bound : float
        Log of the largest weight.
    look : Look
        Rows of the model that the slopes were found on; they are candidates too.
    """

    targets: Targets
    slopes: np.ndarray
    bound: float
    look: Look

    @classmethod
    def towards(cls, targets: Targets, wished: Rows, rows: int, root: np.random.SeedSequence) -> Tilt:
        """Find the slopes on the model's own rows.

        Raises
        ------
        UserError
            If the targets contradict one another, or the model hardly draws such rows; with the nearest that it can do.
        """
        look = Look.at(wished, FEWEST, child(root, 0))
        seen = targets.seen(look.frame)
        look = look.with_rare(_rare(targets, seen, rows), int(np.clip(2 * rows, 5_000, FEWEST)))
        check(targets.figures, look.frame)
        targets = targets.placed(seen)
        while True:
            solver = Solver.of(targets, look)
            refuse_absent(targets, solver.seen, look.frame)
            found = solver.solved(range(len(targets.figures)))
            missing = solver.lacking(found)
            if not missing:
                break
            look = look.more(missing)
        if solver.worst(found) > 1:
            raise unreachable(targets, solver.thinned(FEWEST))
        found = solver.cheaper(found)
        top = float(f"{math.log(found.weights.max()):.9g}")
        return cls(targets, found.slopes, top - found.level, look)

    def keep(self, frame: pl.DataFrame, rng: np.random.Generator) -> np.ndarray:
        """Say which candidates stay."""
        return np.log(rng.random(frame.height)) < self._log_weight(frame) - self.bound

    def weights(self, frame: pl.DataFrame) -> np.ndarray:
        """Return a weight a row, mean 1: weighted, tilted rows are as those of the model.

        Proportional to the probability of a row in the model over that among tilted rows.
        """
        log_weight = self.look.log_base(frame) - np.minimum(self._log_weight(frame), self.bound)
        weights = np.exp(log_weight - log_weight.max(initial=-np.inf))
        return weights / weights.mean() if len(weights) else weights

    def _log_weight(self, frame: pl.DataFrame) -> np.ndarray:
        tilt = (self.targets.centred(self.targets.seen(frame)) * self.slopes).sum(axis=1)
        return self.look.log_base(frame) + tilt

    def draw(self, rows: int, root: np.random.SeedSequence, tick: Any = lambda done: None) -> pl.DataFrame:
        """Draw so many rows that meet the targets within their tolerances, as far as so many rows can."""
        pool = _Pool(self, child(root, 0))
        frames, sums = [], np.zeros(len(self.slopes))
        for number, start in enumerate(range(0, rows, _BATCH)):
            size = min(_BATCH, rows - start)
            frame, own = self._batch(size, pool, sums, np.random.default_rng(child(root, 1 + number)))
            frames.append(frame)
            sums = sums + own
            tick(size)
        return pl.concat(frames)

    def _batch(self, size: int, pool: _Pool, before: np.ndarray, rng: np.random.Generator
               ) -> tuple[pl.DataFrame, np.ndarray]:
        """Choose a batch of the pool; where chance was against it, of a larger pool."""
        spare, best = max(size / 10, 10 * math.sqrt(size)), (math.inf, pl.DataFrame(), before)
        frame = pl.DataFrame()
        for _ in range(_TRIES):
            frame = pool.filled(frame, size + int(spare))
            seen = self.targets.seen(frame)
            moments = Moments(self.targets.centred(seen), -before, size * self.targets.slack(seen, size))
            chosen = choose(size, moments, rng)
            own = moments.z[chosen].sum(axis=0)
            off = float((np.abs(own + before) / moments.slack).max())
            if off < best[0]:
                best = (off, frame.filter(chosen), own)
            if off <= 1:
                break
            spare += size / 2 + 100
        return best[1], best[2]


class _Pool:
    """Candidates that were accepted, the rows that the slopes were found on first."""

    def __init__(self, tilt: Tilt, root: np.random.SeedSequence):
        self.tilt, self.root, self.next, self.times = tilt, root, tilt.look.next, 0
        kept = [frame.filter(tilt.keep(frame, np.random.default_rng(child(root, i))))
                for i, frame in enumerate(tilt.look.frames)]
        self.shares = [max(k.height, 0.5) / f.height * s.share if f.height else 0.0
                       for k, f, s in zip(kept, tilt.look.frames, tilt.look.streams, strict=True)]
        self.left = self._mixed(kept, child(root, len(kept)))

    def filled(self, frame: pl.DataFrame, rows: int) -> pl.DataFrame:
        """Return `frame` with as many more rows as it takes to have so many."""
        parts = [frame] if frame.height else []
        missing = rows - frame.height
        parts.append(self.left[:missing])
        self.left = self.left[missing:]
        missing -= parts[-1].height
        if missing > 0:
            seed = child(self.root, 100 + self.times)
            drawn, self.next = self.tilt.look.draw(shared(missing, self.shares), child(seed, 0), self.tilt.keep,
                                                   self.next)
            self.times += 1
            parts.append(self._mixed(drawn, child(seed, 1)))
        return pl.concat(parts)

    @staticmethod
    def _mixed(frames: list[pl.DataFrame], seed: np.random.SeedSequence) -> pl.DataFrame:
        """Put rows of several streams in random order."""
        frame = pl.concat(frames)
        return frame if len(frames) == 1 else frame[np.random.default_rng(seed).permutation(frame.height)]


def _rare(targets: Targets, seen: tuple[Seen, ...], rows: int) -> list[Any]:
    """Return what is wanted so many times as often as the model has it that a stream of its own costs less.

    Where, how often the model has it, and how often it is wanted.
    """
    often, always = _RARE
    found = []
    for figure, own in zip(targets.figures, seen, strict=True):
        if isinstance(figure, Share) and not figure.within and len(own.values):
            share = (float(own.values.sum()) + 0.5) / len(own.values)
            times = figure.wanted / share
            if times > always or (times > often and times * rows > _MANY):
                found.append((figure.where, share, figure.wanted))
    return found


