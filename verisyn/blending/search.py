"""The proportion is found: nested cross-validation on real rows chooses among mixes and values the choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from verisyn.blending.criteria import Criterion, Taken
from verisyn.blending.judges import effective, ratio_of
from verisyn.blending.plan import Key, Plan
from verisyn.blending.seen import Seen, two
from verisyn.blending.sources import Part
from verisyn.metrics import Side
from verisyn.metrics._stats import Influence, Z

_LEAST_TO_WEIGH = 30


@dataclass(frozen=True)
class Mix:
    """Which sources are added, and the mass of their rows for each real one; 0 adds none."""

    sources: tuple[int, ...]
    proportion: float


NONE = Mix((), 0.0)


@dataclass(frozen=True)
class Gain:
    """A mean difference to real rows alone over outer folds, with its 95 % interval."""

    value: float
    interval: tuple[float, float]

    @property
    def sure(self) -> bool:
        """Whether chance is no explanation for it."""
        return self.interval[0] > 0


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
    """

    mixes: tuple[Mix, ...]
    scores: np.ndarray
    swayed: np.ndarray
    choices: np.ndarray
    chosen: np.ndarray
    ratio: float

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
        """The mix with the highest mean score over all folds; the smaller proportion where two are alike."""
        return int(self.scores.mean(axis=0).argmax())


def gain_of(value: float, swayed: np.ndarray) -> Gain:
    """Return a mean over folds with the interval that its test rows give: a sum of what each of them does to it."""
    tested = swayed[swayed != 0]
    half = Z * float(np.sqrt((tested**2).sum() * len(tested) / max(1, len(tested) - 1)))
    return Gain(value, (value - half, value + half))


def corrected(differences: np.ndarray, ratio: float) -> Gain:
    """Return the mean of paired differences over folds with its interval: Student's t, corrected for shared rows.

    Notes
    -----
    Nadeau and Bengio (Machine Learning 2003): the variance of the mean is (1/J + test/train) s², for folds learn from
    each other's rows; with repeated folds as Bouckaert and Frank (2004) have it.

    Examples
    --------
    >>> corrected(np.array([0.02, 0.03, 0.01, 0.02, 0.02]), 0.25).sure
    True
    """
    from scipy.stats import t

    folds, mean = len(differences), float(differences.mean())
    spread = float(differences.std(ddof=1))
    half = float(t.ppf(0.975, folds - 1)) * spread * (1 / folds + ratio) ** 0.5
    return Gain(mean, (mean - half, mean + half))


def mixes_of(parts: int, proportions: Sequence[float]) -> tuple[Mix, ...]:
    """Return nothing, each source alone, and all together, in every proportion, the smaller ones first."""
    groups = [*((i,) for i in range(parts)), *([tuple(range(parts))] if parts > 1 else [])]
    return (NONE, *(Mix(g, p) for p in sorted(set(proportions)) if p > 0 for g in groups))


@dataclass(frozen=True)
class Bench:
    """Everything that scores are made of.

    Parameters
    ----------
    seen : Seen
    criterion : Criterion
    real : Side
        All real rows that are learnt from or tested on.
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
    parts: Sequence[Part]
    sides: Sequence[Side]
    refit: Callable[[Part, np.ndarray], Side]
    seed: int

    def scores(self, plan: Plan, key: Key, mixes: Sequence[Mix]) -> list[list[Influence]]:
        """Return the score of each mix, on each test of a key."""
        learn = plan.learn[key]
        pools = [self.refit(part, learn) if plan.refit and part.recipe else side
                 for part, side in zip(self.parts, self.sides, strict=True)]
        rng = np.random.default_rng([self.seed, *key, len(key)])
        weights = [weights_of(self.seen, self.real.take(learn), pool, part, rng)
                   for part, pool in zip(self.parts, pools, strict=True)]
        starts = rng.integers(0, 2**32, len(pools)).tolist()
        ready, own = self.criterion.ready([self.real, *pools]), Taken(0, learn, np.ones(len(learn)))
        tests = [plan.tests[number] for number in plan.of(key)]
        return [self.criterion.scores(ready, [own, *taken(mix, weights, len(learn), starts)], tests) for mix in mixes]


def weights_of(seen: Seen, real: Side, pool: Side, part: Part, rng: np.random.Generator) -> np.ndarray:
    """Return the importance weight of each row of a pool, learnt from `real` rows only; their mean is 1."""
    if min(real.rows, pool.rows) < _LEAST_TO_WEIGH:
        return np.ones(pool.rows)
    a, b, categories = two(real, pool, seen.common(part.shared))
    return ratio_of(a, b, categories, rng).own


def taken(mix: Mix, weights: Sequence[np.ndarray], real: int, starts: Sequence[int]) -> list[Taken]:
    """Return the rows that a mix takes from each source for `real` real rows, by their importance weights.

    Sources that are taken together share the mass by how much of them is of use: their effective share of rows.
    """
    use = np.array([effective(weights[i]) / len(weights[i]) for i in mix.sources])
    found = []
    for i, share in zip(mix.sources, use / use.sum(), strict=True):
        rows, w = drawn(weights[i], mix.proportion * float(share) * real, np.random.default_rng(starts[i]))
        found.append(Taken(i + 1, rows, w))
    return found


def drawn(weights: np.ndarray, mass: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw rows without replacement, likelier the greater their weight, and weigh them so that their mass is `mass`.

    Returns
    -------
    rows, weights
        As many rows as the mass says, if there are so many. Sums over them estimate those over all weighted rows
        without bias: systematic sampling with chances proportional to size; a row that is sure to be drawn keeps the
        weight that it has in excess (Horvitz and Thompson 1952).
    """
    count = int(min(len(weights), max(1, round(mass))))
    chance = _chances(weights, count)
    order = rng.permutation(len(weights))
    sums = np.concatenate([[0.0], np.cumsum(chance[order])])
    steps = np.floor(sums + rng.random())
    rows = np.sort(order[np.diff(steps) > 0])
    kept = weights[rows] / chance[rows]
    return rows, kept * (mass / kept.sum())


def _chances(weights: np.ndarray, count: int) -> np.ndarray:
    """Chances of being drawn that sum to `count`, proportional to the weights, none above 1."""
    if count >= len(weights):
        return np.ones(len(weights))
    sure = np.zeros(len(weights), bool)
    while True:
        chance = np.where(sure, 1.0, weights * ((count - sure.sum()) / max(weights[~sure].sum(), 1e-300)))
        if not ((chance > 1) & ~sure).any():
            return np.clip(chance, 0.0, 1.0)
        sure |= chance >= 1


def searched(bench: Bench, plan: Plan, mixes: Sequence[Mix], tick: Callable[[int], None]) -> Search:
    """Score all mixes on all folds; let the inner folds choose for each outer one."""
    found: dict[tuple[Key, int], tuple[Influence, ...]] = {}
    for key in plan.learn:
        by_test = zip(*bench.scores(plan, key, mixes), strict=True)
        found |= {(key, test): scores for test, scores in zip(plan.of(key), by_test, strict=True)}
        tick(1)
    values = {told: np.array([s.value for s in scores]) for told, scores in found.items()}
    outer = np.array([values[o.key, o.test] for o in plan.outer])
    chosen = [int(np.mean([values[told] for told in o.inner], axis=0).argmax()) for o in plan.outer]
    swayed, choices = np.zeros((len(mixes), bench.real.rows)), np.zeros(bench.real.rows)
    for o, c in zip(plan.outer, chosen, strict=True):
        rows = plan.tests[o.test]
        share = np.array([s.rows for s in found[o.key, o.test]]) / (len(rows) * len(plan.outer))
        swayed[:, rows] += share
        choices[rows] += share[c]
    return Search(tuple(mixes), outer, swayed, choices, np.array(chosen), plan.ratio)
