"""The slopes that take the model's rows to their targets, and when rows do not suffice to tell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from verisyn.steering._candidates import Look
from verisyn.steering._projection import Moments, Projection, project
from verisyn.steering.figures import Seen

if TYPE_CHECKING:
    from verisyn.steering.targets import Targets

FEWEST, _MOST = 20_000, 160_000
"""Rows of the model to look at."""

_ENOUGH = (4_000, 60)
_GROUP = 100
_CAP = 500.0
_LEAST_CAP = 1.5
_DEARER = 1.01
_TRIES = 8


@dataclass(frozen=True)
class Solver:
    """Finds slopes for some of the targets, on rows that were looked at.

    Parameters
    ----------
    targets : Targets
    seen : tuple of Seen
        What each target sees of the rows.
    z : float64 array of shape (rows, targets)
    base : float64 array of shape (rows,)
        Log of what each row counts for.
    """

    targets: Targets
    seen: tuple[Seen, ...]
    z: np.ndarray
    base: np.ndarray

    @classmethod
    def of(cls, targets: Targets, look: Look) -> Solver:
        """Look at the rows through the targets."""
        frame = look.frame
        seen = targets.seen(frame)
        return cls(targets, seen, targets.centred(seen), look.log_base(frame))

    def thinned(self, rows: int) -> Solver:
        """Return a solver on about so many of the rows."""
        step = max(1, len(self.base) // rows)
        seen = tuple(Seen(own.values[::step], own.counted[::step]) for own in self.seen)
        return Solver(self.targets, seen, self.z[::step], self.base[::step])

    def solved(self, which: Any) -> Projection:
        """Return the weights nearest to the model that meet some of the targets, as nearly as they can."""
        return self._projected(list(which))

    def cheaper(self, found: Projection) -> Projection:
        """Lower the bound on weights as long as that takes the rows hardly further from the model.

        A few rows of huge weight decide how many candidates it takes, and say little: 1 % more relative entropy may
        halve the cost. How low is tried on fewer rows.
        """
        fewer, cap = self.thinned(FEWEST), float(found.weights.max())
        tried = last = project(fewer.moments(), fewer.base, float(len(fewer.base)), cap, found)
        most = _DEARER * tried.entropy(fewer.base) + 1e-4
        while tried.entropy(fewer.base) <= most and fewer.worst(tried) <= 1:
            last, cap = tried, cap / 2
            if cap < _LEAST_CAP:
                break
            tried = project(fewer.moments(), fewer.base, float(len(fewer.base)), cap, last)
        again = project(self.moments(), self.base, float(len(self.base)), float(last.weights.max()), last)
        return again if self.worst(again) <= max(1.0, self.worst(found)) else found

    def moments(self) -> Moments:
        """Return all targets as moments that shall be 0."""
        plain = np.exp(self.base)
        return Moments.zero(self.z, np.array([f.slack(own, plain) for f, own in
                                              zip(self.targets.figures, self.seen, strict=True)]))

    def nearest(self, which: list[int]) -> Projection:
        """Return weights that come near to targets that cannot be met, groups staying about as large as they are.

        Without that a group's figure would be reached by hardly any rows of the group.
        """
        figures, plain = [self.targets.figures[k] for k in which], np.exp(self.base)
        slack = [10 * f.slack(self.seen[k], plain) for k, f in zip(which, figures, strict=True)]
        groups = [self.seen[k].counted.astype(float) for k, f in zip(which, figures, strict=True) if f.within]
        sizes = [float(np.average(group, weights=plain)) for group in groups]
        z = np.column_stack([self.z[:, which], *(group - size for group, size in zip(groups, sizes, strict=True))])
        moments = Moments.zero(z, np.array([*slack, *(size / 2 for size in sizes)]))
        return project(moments, self.base, float(len(self.base)), _CAP)

    def _projected(self, which: list[int]) -> Projection:
        """Project; where some are met with room to spare and others not at all, weigh those more."""
        total = float(len(self.base))
        plain = np.exp(self.base)
        slack = np.array([self.targets.figures[k].slack(self.seen[k], plain) for k in which])
        best = None
        for _ in range(_TRIES):
            found = project(Moments.zero(self.z[:, which], slack), self.base, total, _CAP)
            off = np.array([self._off(k, found) for k in which])
            worst = float(off.max(initial=0))
            stuck = best is not None and worst > 0.95 * best[0]
            if best is None or worst < best[0]:
                best = (worst, found)
            if stuck or not 1 < worst < math.inf or (off > 1).all():
                break
            slack = slack / np.clip(off, 1, 3)
        assert best is not None
        return best[1]

    def _off(self, k: int, found: Projection) -> float:
        return self.targets.figures[k].off(self.seen[k], found.weights)

    def worst(self, found: Projection, which: Any = None) -> float:
        """Return how far the target that is furthest off is off, in tolerances."""
        return max((self._off(k, found) for k in which or range(len(self.seen))), default=0.0)

    def lacking(self, found: Projection) -> int:
        """Return how many more rows to look at."""
        here = len(self.base)
        if here >= _MOST:
            return 0
        if self.worst(found) > 1:
            return 2 * here if here <= FEWEST else 0
        fewest = min((int(seen.counted.sum()) for seen in self.seen), default=here)
        needed = max((_ENOUGH[0] + _ENOUGH[1] * len(self.seen)) / found.effective, _GROUP / max(fewest, 1))
        return min(_MOST, math.ceil(here * needed * 1.1)) - here if needed > 1 else 0
