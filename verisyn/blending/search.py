"""The proportion is found: nested cross-validation on real rows chooses among mixes and values the choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from verisyn.blending.criteria import Criterion
from verisyn.blending.gains import Gain, corrected, gain_of
from verisyn.blending.plan import Key, Plan
from verisyn.blending.seen import Seen
from verisyn.blending.sources import Part
from verisyn.blending.taking import Mix, Taken, taken, weights_of
from verisyn.metrics import Side
from verisyn.metrics._stats import Influence


@dataclass(frozen=True)
class Search:
    """What was tried, and what came of it.

    Parameters
    ----------
    mixes : tuple of Mix
        The first adds nothing.
    scores : float array of shape (outer folds, mixes)
    swayed : float array of shape (mixes, real rows)
        What each real row, as a test row, does to the mean score of each mix over all folds.
    choices : float array of shape (real rows,)
        The same of the mixes that the inner folds chose.
    chosen : int array of shape (outer folds,)
        What the inner folds chose for each outer one.
    ratio : float
        Test rows for each learnt row.
    sound : bool array of shape (mixes,)
        Whether a mix may be chosen: none of its rows may have been made from the rows that test it.
    """

    mixes: tuple[Mix, ...]
    scores: np.ndarray
    swayed: np.ndarray
    choices: np.ndarray
    chosen: np.ndarray
    ratio: float
    sound: np.ndarray

    @property
    def base(self) -> float:
        """The mean score of real rows alone."""
        return float(self.scores[:, 0].mean())

    @property
    def nested(self) -> Gain:
        """What choosing gains, on rows that nothing was chosen by."""
        folds = np.arange(len(self.scores))
        value = float((self.scores[folds, self.chosen] - self.scores[:, 0]).mean())
        return gain_of(value, self.choices - self.swayed[0])

    @property
    def corrected(self) -> Gain:
        """The same with the interval of folds as wholes."""
        folds = np.arange(len(self.scores))
        return corrected(self.scores[folds, self.chosen] - self.scores[:, 0], self.ratio)

    def gain(self, i: int) -> Gain:
        """Return what one mix gains over real rows alone."""
        return gain_of(float((self.scores[:, i] - self.scores[:, 0]).mean()), self.swayed[i] - self.swayed[0])

    def of_one(self, i: int) -> Search:
        """Return the search as if every fold had chosen this mix."""
        return replace(self, chosen=np.full_like(self.chosen, i), choices=self.swayed[i])

    @property
    def best(self) -> int:
        """The mix, of those that may be chosen, with the highest mean score; the smaller one where two are alike."""
        return int(np.where(self.sound, self.scores.mean(axis=0), -np.inf).argmax())

    @property
    def flattered(self) -> int | None:
        """The mix with the highest mean score of those that may not be chosen; None where all may."""
        return None if self.sound.all() else int(np.where(self.sound, -np.inf, self.scores.mean(axis=0)).argmax())


@dataclass(frozen=True)
class Bench:
    """Everything that scores are made of.

    Parameters
    ----------
    seen : Seen
    criterion : Criterion
    real : Side
        All real rows that are learnt from or tested on.
    rows : int
        How many of them, the first, may be learnt from.
    parts : sequence of Part
    sides : sequence of Side
        The parts, seen.
    refit : callable
        Makes a part anew from some of the real rows.
    seed : int
    """

    seen: Seen
    criterion: Criterion
    real: Side
    rows: int
    parts: Sequence[Part]
    sides: Sequence[Side]
    refit: Callable[[Part, pl.DataFrame], Side]
    seed: int

    def scores(self, plan: Plan, key: Key, mixes: Sequence[Mix]) -> list[list[Influence]]:
        """Return the score of each mix, on each test of a key."""
        learn = plan.learn[key]
        pools = [self.refit(part, self.real.frame[learn]) if plan.refit and part.recipe else side
                 for part, side in zip(self.parts, self.sides, strict=True)]
        rng = np.random.default_rng([self.seed, *key, len(key)])
        weights = [weights_of(self.seen, self.real.take(learn), pool, part, rng)
                   for part, pool in zip(self.parts, pools, strict=True)]
        starts = rng.integers(0, 2**32, len(pools)).tolist()
        ready, own = self.criterion.ready([self.real, *pools]), Taken(0, learn, np.ones(len(learn)))
        tests = [plan.tests[number] for number in plan.of(key)]
        return [self.criterion.scores(ready, [own, *taken(mix, weights, len(learn), starts)], tests) for mix in mixes]


def searched(bench: Bench, plan: Plan, mixes: Sequence[Mix], sound: np.ndarray,
             tick: Callable[[int], None]) -> Search:
    """Score all mixes on all folds; let the inner folds choose, among those that are sound, for each outer one."""
    found: dict[tuple[Key, int], tuple[Influence, ...]] = {}
    for key in plan.learn:
        by_test = zip(*bench.scores(plan, key, mixes), strict=True)
        found |= {(key, test): scores for test, scores in zip(plan.of(key), by_test, strict=True)}
        tick(1)
    values = {told: np.array([s.value for s in scores]) for told, scores in found.items()}
    outer = np.array([values[o.key, o.test] for o in plan.outer])
    inner = [np.mean([values[told] for told in o.inner], axis=0) for o in plan.outer]
    chosen = [int(np.where(sound, scores, -np.inf).argmax()) for scores in inner]
    swayed, choices = np.zeros((len(mixes), bench.real.rows)), np.zeros(bench.real.rows)
    for o, c in zip(plan.outer, chosen, strict=True):
        rows = plan.tests[o.test]
        share = np.array([s.rows for s in found[o.key, o.test]]) / (len(rows) * len(plan.outer))
        swayed[:, rows] += share
        choices[rows] += share[c]
    return Search(tuple(mixes), outer, swayed, choices, np.array(chosen), plan.ratio, sound)
