"""Columns in turn, each a chain of boosted yes-or-no questions on the columns before it: the flagship."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np

from verisyn.kinds import Part
from verisyn.modalities.table import BaseGenerator, Carry, Codes, Tick, _boost
from verisyn.modalities.table._boost import CodeTree, Features, Forest, Scores
from verisyn.modalities.table._chain import Chain, as_feature, forest_of, pieces_of, rest_of
from verisyn.modalities.table._course import Course
from verisyn.modalities.table._order import links_of
from verisyn.modalities.table._scores import scores_of
from verisyn.modalities.table._sound import is_sound
from verisyn.running import Run

_FIXED = {"level_l2": 10, "min_gain": 2, "min_side": 5, "grow_rows": 1000}
"""Settings of the core that nobody has had reason to change: more ridge for splits on levels, least gain of a split,
fewest rows on a question's rarer side, fewest rows of a question whose trees may grow larger."""
_FEW = 3
_SLOW = {"rate": 0.25, "rounds": 6, "patience": 2}
"""A part of so few codes asks few questions, and is often what a table is used to predict: it affords small steps."""
_DIAL = {"leaves": (1.33, 1, 0.67), "growth": (4, 1, 1), "min_leaf": (0.5, 1, 3), "l2": (0.1, 1, 30),
         "rate": (1, 1, 1.33)}
"""What the privacy dial multiplies at low, standard and high; between them geometrically. The ridge is the
strong lever: it weighs on questions of few rows, where a model remembers; faster steps make up for it."""
_SCREEN_ROWS = 4_000
_COARSE = 16


@dataclass(frozen=True)
class Boosting:
    """How each question is learnt, whatever it is told; the settings are those of :class:`Generator`."""

    folds: int = 4
    rate: float = 0.3
    rounds: int = 60
    leaves: int = 6
    growth: int = 4
    patience: int = 4
    min_rows: int = 80
    tree_rows: int = 300
    min_leaf: int = 20
    l2: float = 10.0
    linear_l2: float = 2.0
    max_rows: int = 100_000


@dataclass(frozen=True)
class Generator(Boosting, BaseGenerator):
    """Settings of the chain.

    Parameters
    ----------
    folds : int, default 4
        Boosters a question. Each leaves out one fold, which says when to stop; their logits are averaged.
    rate : float, default 0.3
        Share of a tree's step that is taken.
    rounds : int, default 60
        Most trees a booster.
    leaves : int, default 6
        Most leaves a tree.
    growth : int, default 4
        A question that clearly gains from it, on a fold left out, has trees so many times as large (steps of 4).
    patience : int, default 4
        Trees without a gain on the left-out fold before a booster stops.
    min_rows : int, default 80
        A question that fewer rows reach keeps its base rate.
    tree_rows : int, default 300
        A question that fewer rows reach has a linear part, but no trees.
    min_leaf : int, default 20
        Fewest rows in a leaf.
    l2 : float, default 10
        Ridge on leaf values, in rows' worth of curvature.
    linear_l2 : float, default 2
        Ridge on the weights of a question's linear part, on scores of variance 1.
    max_rows : int, default 100_000
        A question that more rows reach is learnt from a uniform sample of so many.
    features : int, default 32
        Most parts a part is told of, where a table has more than twice as many: those with the highest mutual
        information with it.
    order : str or sequence of str, default "given"
        Order in which columns are learnt and drawn: ``"given"`` is the table's; ``"dependence"`` puts columns with the
        most mutual information with the others first; a list of columns puts these first, in this order.
    privacy : float, default 0.5
        Position of the privacy dial, 0 (low) to 1 (high): the higher, the smaller and the more shrunken the trees
        are.
    """

    fitted: ClassVar = Chain

    features: int = 32
    order: str | Sequence[str] = "given"
    privacy: float = 0.5

    def _dialled(self) -> dict[str, float]:
        """Return all settings as the privacy dial turns them."""
        def turned(name: str) -> float:
            value = getattr(self, name) * float(np.exp(np.interp(self.privacy, (0, 0.5, 1), np.log(_DIAL[name]))))
            return max(1, round(value)) if isinstance(getattr(Generator, name), int) else value

        return {**asdict(self), **{name: turned(name) for name in _DIAL}}

    def fit(self, codes: Codes, seed: np.random.SeedSequence, jobs: int = 1, tick: Tick = lambda done: None) -> Chain:
        """Learn each part from the parts before it; parts are learnt side by side."""
        return self.fit_within(Run(), codes, seed, jobs, tick)

    def fit_within(self, run: Run, codes: Codes, seed: np.random.SeedSequence, jobs: int = 1,
                   tick: Tick = lambda done: None) -> Chain:
        """Learn as `fit` does, with the time, the kept parts and the cancellation of `run`."""
        screen, *seeds, rehearsal = seed.spawn(len(codes.parts) + 2)
        wide = len(codes.parts) > 2 * self.features
        coarse = _coarse(codes, np.random.default_rng(screen)) if wide or self.order == "dependence" else None
        links = links_of("given" if codes.carries else self.order, codes, coarse)  # what says so comes first
        chained = Codes(np.asfortranarray(codes.values[:, links]), tuple(codes.parts[j] for j in links),
                        tuple(codes.names[j] for j in links), codes.told,
                        tuple(place for place, j in enumerate(links) if j in codes.kept),
                        tuple(Carry(links.index(c.says), c.yes, links.index(c.own), links.index(c.before))
                              for c in codes.carries))
        coarse = np.asfortranarray(coarse[:, links]) if coarse is not None and wide else None
        forests = self._fit_chain(run, chained, coarse, seeds, jobs, tick)
        chain = Chain(codes.parts, forests, links, codes.told, codes.carries)
        chain.calibrate(codes, rehearsal)
        return chain

    def _fit_chain(self, run: Run, codes: Codes, coarse: np.ndarray | None, seeds: list[np.random.SeedSequence],
                   jobs: int, tick: Tick) -> list[Forest]:
        """Learn each part from those before it; `coarse` codes choose which, where there are many."""
        x = np.empty(codes.values.shape, np.uint16, order="F")
        for j, part in enumerate(codes.parts):
            x[:, j] = as_feature(codes.values[:, j], part)
        scores, dialled = scores_of(codes), self._dialled()
        course = Course(run, codes, self.features if coarse is not None else len(codes.parts), jobs)

        def one(j: int) -> Forest:
            if (kept := course.kept(j)) and is_sound(known := forest_of(kept, scores), j, codes.parts):
                return known
            part, own, shown = codes.parts[j], np.ascontiguousarray(codes.values[:, j]), x
            says = [c.says for c in codes.carries if c.own == j]
            if len(rest := rest_of(codes.carries, j, codes.values, part.size)) < len(own):
                own, shown = own[rest], np.asfortranarray(x[rest])
            tree = CodeTree.build(np.bincount(own, minlength=part.size), part.ordered, part.missing)
            told = np.arange(j)
            if coarse is not None and j > self.features:
                best = np.argsort(-_boost.dependence(coarse, j), kind="stable")[: self.features]
                told = np.union1d(best, [f for f in (*codes.kept, *says) if f < j]).astype(np.int64)
            own_pace = {k: times * dialled[k] for k, times in _SLOW.items()} if part.size <= _FEW else {}
            settings = _boost.Settings(**{**dialled, **_FIXED, **own_pace, "doubt": part.size <= _FEW})
            number = int(seeds[j].generate_state(1, np.uint64)[0])
            limits = course.limits(j)
            forest = Forest.fit(settings, tree, own, _features(shown, codes.parts, told, scores), number, limits)
            course.ended(j, limits, pieces_of(forest))
            return forest

        forests: dict[int, Forest] = {}
        with ThreadPoolExecutor(max(1, jobs)) as pool, course.stopping():
            # the costliest first, so that no thread is left waiting
            late_first = range(len(codes.parts) - 1, codes.told - 1, -1)
            for j, forest in zip(late_first, pool.map(one, late_first), strict=True):
                forests[j] = forest
                tick(1)
        return [forests[j] for j in range(codes.told, len(codes.parts))]


def _features(x: np.ndarray, parts: tuple[Part, ...], told: np.ndarray, scores: Scores) -> Features:
    sizes = [min(parts[f].size, 65536 if parts[f].ordered else _boost.LEVELS) for f in told]
    whole = len(told) == 0 or told[-1] == len(told) - 1
    return Features(x[:, : len(told)] if whole else np.asfortranarray(x[:, told]), told.astype(np.int32),
                    np.array(sizes, np.int32), np.array([parts[f].ordered for f in told], np.uint8), scores)


def _coarse(codes: Codes, rng: np.random.Generator) -> np.ndarray:
    """Cut every part to fewer than 16 codes, over a sample of rows: equal mass, or the most frequent levels."""
    rows = np.sort(rng.permutation(codes.rows)[:_SCREEN_ROWS])
    out = np.empty((len(rows), len(codes.parts)), np.uint8, order="F")
    for j, part in enumerate(codes.parts):
        own = codes.values[rows, j]
        counts = np.bincount(own, minlength=part.size)
        if part.ordered:
            middle = (np.cumsum(counts) - counts / 2) / max(len(rows), 1)
            place = np.minimum(middle * (_COARSE - 1), _COARSE - 2)
            if part.missing >= 0:
                place[part.missing] = _COARSE - 1
        else:
            place = np.empty(part.size)
            place[np.argsort(-counts, kind="stable")] = np.minimum(np.arange(part.size), _COARSE - 1)
        out[:, j] = place.astype(np.uint8)[own]
    return out
