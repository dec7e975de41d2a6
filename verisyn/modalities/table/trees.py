"""Columns in turn, each a chain of boosted yes-or-no questions on the columns before it: the flagship."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np

from verisyn.errors import UserError
from verisyn.kinds import Part
from verisyn.modalities.table import Allowed, BaseGenerator, Codes, Fitted, Tick, _boost
from verisyn.modalities.table._boost import CodeTree, Features, Forest, Scores
from verisyn.modalities.table._course import Course
from verisyn.modalities.table._sound import is_sound
from verisyn.running import Run

_FIXED = {"level_l2": 10, "min_gain": 2, "min_side": 5, "grow_rows": 1000}
"""Settings of the core that nobody has had reason to change: more ridge for splits on levels, least gain of a split,
fewest rows on a question's rarer side, fewest rows of a question whose trees may grow larger."""
_FEW = 3
_SLOW = {"rate": 0.25, "rounds": 6, "patience": 2}
"""A part of so few codes asks few questions, and is often what a table is used to predict: it affords small steps."""
_DIAL = {"privacy": (0.0, 0.5, 1.0), "seen": (1.0, 1.0, 0.0), "min_leaf": (0.4, 1.0, 3.0), "min_rows": (0.5, 1.0, 5.0)}
"""What the privacy dial turns, at three positions: how many of the other folds a booster sees (1: all, 0: one, so that
boosters share no row), and by how much fewest rows are multiplied."""
_REHEARSAL = 50_000
"""Rows that are drawn to see by how much a column's shares are off."""
_SCREEN_ROWS = 4_000
_TAIL = 1e-4
"""Scores go no further out than this share of the rows."""
_COARSE = 16


class Chain(Fitted):
    """p(row) as a product over parts of p(code | codes before it), each read off a code tree."""

    def __init__(self, parts: tuple[Part, ...], forests: list[Forest]):
        self.parts = parts
        self.forests = forests

    def sample(self, rows: int, rng: np.random.Generator,
               allowed: Allowed | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows, part by part; together they miss the model's shares by less than independent rows would."""
        codes = np.empty((rows, len(self.parts)), np.int32, order="F")
        seen, order, log_mass = self._blank(rows), np.arange(rows, dtype=np.int32), np.zeros(rows)
        for j, (part, forest) in enumerate(zip(self.parts, self.forests, strict=True)):
            mask, seed = (allowed or {}).get(j), _seed(rng)
            if mask is None or not mask.any():
                codes[:, j] = forest.draw(seen, seed, order)
                log_mass += 0 if mask is None else -np.inf
            else:
                codes[:, j], mass = forest.draw_within(seen, seed, mask)
                log_mass += mass
            seen[:, j] = _as_feature(codes[:, j], part)
        return codes, log_mass

    def calibrate(self, codes: Codes, seed: np.random.SeedSequence) -> None:
        """Draw rows, and shift every question on the way so that each part's codes are as frequent as in `codes`."""
        rows, rng = min(codes.rows, _REHEARSAL), np.random.default_rng(seed)
        seen, order = self._blank(rows), np.arange(rows, dtype=np.int32)
        for j, (part, forest) in enumerate(zip(self.parts, self.forests, strict=True)):
            share = forest.tree.shares(np.bincount(codes.values[:, j], minlength=part.size))
            seen[:, j] = _as_feature(forest.draw(seen, _seed(rng), order, share), part)

    def _blank(self, rows: int) -> np.ndarray:
        """What a row tells of itself: its codes so far, and the core's scratch."""
        return np.zeros((rows, len(self.parts) + _boost.DEPTHS), np.uint16)

    def log_prob(self, codes: np.ndarray) -> np.ndarray:
        """Return log p(code | codes before it)."""
        seen, out = self._blank(len(codes)), np.empty(codes.shape)
        for j, part in enumerate(self.parts):
            seen[:, j] = _as_feature(codes[:, j], part)
        for j, forest in enumerate(self.forests):
            out[:, j] = forest.log_prob(seen, codes[:, j])
        return out

    def complete(self, codes: np.ndarray, rng: np.random.Generator,
                 allowed: Allowed | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Draw the codes that are -1, part by part."""
        out, log_p = np.array(codes, np.int32, order="F"), np.zeros(codes.shape)
        seen = self._blank(len(codes))
        for j, (part, forest) in enumerate(zip(self.parts, self.forests, strict=True)):
            gone, mask = out[:, j] < 0, (allowed or {}).get(j, np.ones(part.size, bool))
            if gone.any():
                out[gone, j], log_p[gone, j] = forest.draw_within(seen[gone], _seed(rng), mask)
            if not gone.all():
                log_p[~gone, j] = forest.log_prob(seen[~gone], out[~gone, j])
            seen[:, j] = _as_feature(out[:, j], part)
        return out, log_p

    def state(self) -> dict[str, Any]:
        """Return one array a field, the parts one after the other, and each part's share of them."""
        pieces = [_pieces(forest) for forest in self.forests]
        lengths = [[len(a) for a in p.values()] for p in pieces]
        return {
            "lengths": np.array(lengths, np.int64).reshape(len(pieces), len(_FIELDS)),
            **{f: np.concatenate([np.empty(0, kind), *(p[f] for p in pieces)]) for f, kind in _FIELDS.items()},
            "scores": self.forests[0].scores.values if self.forests else np.empty(0, "<f4"),
        }

    @classmethod
    def restore(cls, parts: tuple[Part, ...], state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        ends = np.cumsum(state["lengths"], axis=0)
        split = {f: np.split(state[f].astype(kind, copy=False), ends[:-1, i])
                 for i, (f, kind) in enumerate(_FIELDS.items())}
        scores = Scores(state["scores"].astype("<f4", copy=False), _score_places(parts))
        forests = [_forest({f: split[f][j] for f in _FIELDS}, scores) for j in range(len(parts))]
        sound = all(is_sound(forest, j, parts) for j, forest in enumerate(forests))
        if not sound or len(scores.values) != _score_room(parts):
            raise UserError("The model is damaged: an index of its trees leads nowhere. Fit it again.")
        return cls(parts, forests)


@dataclass(frozen=True)
class Generator(BaseGenerator):
    """Settings of the chain.

    Parameters
    ----------
    folds : int, default 4
        Boosters a question. Each leaves out one fold, which says when to stop; their logits are averaged.
    rate : float, default 0.2
        Share of a tree's step that is taken.
    rounds : int, default 60
        Most trees a booster.
    leaves : int, default 8
        Most leaves a tree.
    growth : int, default 4
        A question that clearly gains from it, on a fold left out, has trees so many times as large (steps of 4).
    patience : int, default 4
        Trees without a gain on the left-out fold before a booster stops.
    min_rows : int, default 80
        A question that fewer rows reach keeps its base rate.
    tree_rows : int, default 300
        A question that fewer rows reach has a linear part, but no trees.
    min_leaf : int, default 10
        Fewest rows in a leaf.
    l2 : float, default 1
        Ridge on leaf values, in rows' worth of curvature.
    linear_l2 : float, default 2
        Ridge on the weights of a question's linear part, on scores of variance 1.
    max_rows : int, default 100_000
        A question that more rows reach is learnt from a uniform sample of so many.
    features : int, default 32
        Most parts a part is told of, where a table has more than twice as many: those with the highest mutual
        information with it.
    privacy : float, default 0.5
        Position of the privacy dial, 0 (low) to 1 (high): the higher, the fewer rows a booster sees and the coarser its
        questions are.
    """

    fitted: ClassVar = Chain

    folds: int = 4
    rate: float = 0.2
    rounds: int = 60
    leaves: int = 8
    growth: int = 4
    patience: int = 4
    min_rows: int = 80
    tree_rows: int = 300
    min_leaf: int = 10
    l2: float = 1.0
    linear_l2: float = 2.0
    max_rows: int = 100_000
    features: int = 32
    privacy: float = 0.5

    def _dialled(self) -> dict[str, float]:
        """Return all settings as the privacy dial turns them."""
        def turned(name: str) -> float:
            return float(np.interp(self.privacy, _DIAL["privacy"], _DIAL[name]))

        fewest = {name: max(1, round(getattr(self, name) * turned(name))) for name in ("min_leaf", "min_rows")}
        return {**asdict(self), **fewest, "seen": 1 + max(0, round((self.folds - 2) * turned("seen")))}

    def fit(self, codes: Codes, seed: np.random.SeedSequence, jobs: int = 1, tick: Tick = lambda done: None) -> Chain:
        """Learn each part from the parts before it; parts are learnt side by side."""
        return self.fit_within(Run(), codes, seed, jobs, tick)

    def fit_within(self, run: Run, codes: Codes, seed: np.random.SeedSequence, jobs: int = 1,
                   tick: Tick = lambda done: None) -> Chain:
        """Learn as `fit` does, with the time, the kept parts and the cancellation of `run`."""
        x = np.empty(codes.values.shape, np.uint16, order="F")
        for j, part in enumerate(codes.parts):
            x[:, j] = _as_feature(codes.values[:, j], part)
        screen, *seeds, rehearsal = seed.spawn(len(codes.parts) + 2)
        coarse = _coarse(codes, np.random.default_rng(screen)) if len(codes.parts) > 2 * self.features else None

        scores = _scores(codes)
        dialled = self._dialled()
        course = Course(run, codes, self.features if coarse is not None else len(codes.parts), jobs)

        def one(j: int) -> Forest:
            if (kept := course.kept(j)) and is_sound(known := _forest(kept, scores), j, codes.parts):
                return known
            part, own = codes.parts[j], np.ascontiguousarray(codes.values[:, j])
            tree = CodeTree.build(np.bincount(own, minlength=part.size), part.ordered, part.missing)
            told = np.arange(j)
            if coarse is not None and j > self.features:
                told = np.sort(np.argsort(-_boost.dependence(coarse, j), kind="stable")[: self.features])
            own_pace = {k: times * getattr(self, k) for k, times in _SLOW.items()} if part.size <= _FEW else {}
            settings = _boost.Settings(**{**dialled, **_FIXED, **own_pace, "doubt": part.size <= _FEW})
            number = int(seeds[j].generate_state(1, np.uint64)[0])
            limits = course.limits(j)
            forest = Forest.fit(settings, tree, own, _features(x, codes.parts, told, scores), number, limits)
            course.ended(j, limits, _pieces(forest))
            return forest

        forests: dict[int, Forest] = {}
        with ThreadPoolExecutor(max(1, jobs)) as pool, course.stopping():
            late_first = range(len(codes.parts) - 1, -1, -1)  # the costliest first, so that no thread is left waiting
            for j, forest in zip(late_first, pool.map(one, late_first), strict=True):
                forests[j] = forest
                tick(1)
        chain = Chain(codes.parts, [forests[j] for j in range(len(codes.parts))])
        chain.calibrate(codes, rehearsal)
        return chain


_FIELDS = {"left": "<i4", "right": "<i4", "mid": "<i4", "perm": "<i4", "base": "<f4", "shift": "<f4", "first_tree": "<i4",
           "first_mask": "<i4", "first_weight": "<i4", "root": "<i4", "mask": "<u8",
           **{f"node_{name}": kind for name, kind in _boost.NODE_FIELDS.items()},
           **{f"term_{name}": kind for name, kind in _boost.WEIGHT_FIELDS.items()}}


def _pieces(forest: Forest) -> dict[str, np.ndarray]:
    """Take a forest apart into flat arrays."""
    whole = {**vars(forest.tree), **vars(forest), "mask": forest.mask.ravel(),
             **{f"node_{n}": forest.node[n] for n in _boost.NODE_FIELDS},
             **{f"term_{n}": forest.weight[n] for n in _boost.WEIGHT_FIELDS}}
    return {f: whole[f] for f in _FIELDS}


def _forest(pieces: dict[str, np.ndarray], scores: Scores) -> Forest:
    """Put a forest together again."""
    def table(dtype: np.dtype, prefix: str) -> np.ndarray:
        out = np.zeros(len(pieces[prefix + (dtype.names or ("",))[0]]), dtype)
        for name in dtype.names or ():
            out[name] = pieces[prefix + name]
        return out

    tree = CodeTree(*(pieces[f] for f in ("left", "right", "mid", "perm")))
    flat = {f: pieces[f] for f in ("base", "shift", "first_tree", "first_mask", "first_weight", "root")}
    return Forest(tree, **flat, node=table(_boost.NODE, "node_"), mask=pieces["mask"].reshape(-1, 4),
                  weight=table(_boost.WEIGHT, "term_"), scores=scores)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(0, 2**63))


def _as_feature(codes: np.ndarray, part: Part) -> np.ndarray:
    return np.minimum(codes, 65535 if part.ordered else _boost.LEVELS - 1)


def _features(x: np.ndarray, parts: tuple[Part, ...], told: np.ndarray, scores: Scores) -> Features:
    sizes = [min(parts[f].size, 65536 if parts[f].ordered else _boost.LEVELS) for f in told]
    whole = len(told) == 0 or told[-1] == len(told) - 1
    return Features(x[:, : len(told)] if whole else np.asfortranarray(x[:, told]), told.astype(np.int32),
                    np.array(sizes, np.int32), np.array([parts[f].ordered for f in told], np.uint8), scores)


def _has_scores(part: Part) -> bool:
    return part.ordered or part.size <= 2


def _score_room(parts: tuple[Part, ...]) -> int:
    return sum(part.size for part in parts if _has_scores(part))


def _score_places(parts: tuple[Part, ...]) -> np.ndarray:
    sizes = np.array([part.size if _has_scores(part) else 0 for part in parts], np.int64)
    return np.where(sizes > 0, np.cumsum(sizes) - sizes, -1)


def _scores(codes: Codes) -> Scores:
    """Normal scores (van der Waerden) of the codes of ordered parts and of parts of two codes; missing is 0."""
    out = [_normal_scores(codes.values[:, j], part) for j, part in enumerate(codes.parts) if _has_scores(part)]
    return Scores(np.concatenate([np.empty(0, "<f4"), *out]), _score_places(codes.parts))


def _normal_scores(own: np.ndarray, part: Part) -> np.ndarray:
    from scipy.special import ndtri

    counts = np.bincount(own, minlength=part.size).astype(np.float64)
    if part.missing >= 0:
        counts[part.missing] = 0
    middle = (np.cumsum(counts) - counts / 2 + 0.5) / (counts.sum() + 1)
    score = ndtri(np.clip(middle, _TAIL, 1 - _TAIL))
    if part.missing >= 0:
        score[part.missing] = 0
    return score.astype("<f4")


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
