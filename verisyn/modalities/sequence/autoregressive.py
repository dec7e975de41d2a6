"""Numbers by a linear vector autoregression, categories by a Markov chain each: the classic floor."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from verisyn._runs import places, starts_of
from verisyn.conditions import Condition
from verisyn.errors import UserError
from verisyn.kinds import Part
from verisyn.modalities.sequence import BaseGenerator, Entities, Fitted, Source, Wish
from verisyn.modalities.sequence._clock import Scale
from verisyn.modalities.sequence._history import Rows
from verisyn.modalities.sequence._seen import follows, time_of
from verisyn.modalities.sequence._statics import Statics
from verisyn.modalities.table import Tick, independent
from verisyn.modalities.table._views import TableCoder
from verisyn.running import Run

_RIDGE = 1e-3
_STABLE = 0.999
"""The largest factor by which a deviation may live on from row to row."""
_MOST_LAGS = 10


class Linear(Fitted):
    """A vector autoregression of normal scores, and Markov chains.

    Parameters
    ----------
    statics : Statics
        Drawn column by column, each alone; rows know nothing of them.
    coder : TableCoder
        Of rows.
    learnt : dict
        Arrays: ``weights`` (lags * columns + 1, columns), ``spread`` (columns, columns), ``first`` (columns, columns)
        for the numbers; ``chain j`` for each other part and for the gaps of each number; ``counts``, ``begins``,
        ``gaps``.
    scale : Scale
        Of the time.
    """

    notes = ("Numbers are linear in the rows before, categories know only their own last value, and rows know nothing "
             "of what does not change within an entity: a floor to hold other generators beside.",)

    def __init__(self, statics: Statics, coder: TableCoder, learnt: dict[str, np.ndarray], scale: Scale):
        self.statics, self.coder, self.learnt, self.scale = statics, coder, learnt, scale

    def entities(self, count: int, seed: np.random.SeedSequence, given: Condition | None = None,
                 jobs: int = 1) -> Entities:
        """Draw entities; each meets the condition."""
        return self.statics.draw(count, seed, given, jobs)

    def rows(self, entities: Entities, seed: np.random.SeedSequence, wish: Wish | None = None,
             tick: Tick = lambda done: None, jobs: int = 1) -> Rows:
        """Draw rows, round by round."""
        wish = wish or Wish()
        if wish.prefix is not None:
            raise UserError("The generator sequence.autoregressive cannot go on from rows that are given. Fit with "
                            "sequence.history.")
        draw, decode = seed.spawn(2)
        rng = np.random.default_rng(draw)
        counts = wish.counts
        if counts is None:
            counts = np.rint(np.quantile(self.learnt["counts"], rng.random(entities.count))).astype(np.int64)
        starts = starts_of(counts)
        codes = np.empty((starts[-1], len(self.coder.parts)), np.int32, order="F")
        order = np.argsort(-counts, kind="stable")
        self._fill(codes, starts[:-1][order], counts[order], rng)
        tick(entities.count)
        return Rows(self.coder.decode(codes, decode), starts, self._times(counts, starts, rng))

    def _fill(self, codes: np.ndarray, begins: np.ndarray, counts: np.ndarray, rng: np.random.Generator) -> None:
        """Draw the codes of entities that stand from the longest to the shortest."""
        numbers, chains = _kinds(self.coder.parts)
        weights, columns = self.learnt["weights"], len(numbers)
        lags = (len(weights) - 1) // max(columns, 1) if columns else 0
        noise, first = (_root(self.learnt[name]) for name in ("spread", "first"))
        past = np.tile(rng.standard_normal((len(counts), columns)) @ first.T, (1, lags))
        state = {j: np.full(len(counts), -1) for j in chains}
        for t in range(int(counts[0]) if len(counts) else 0):
            m = int(np.searchsorted(-counts, -t, side="left"))
            at = begins[:m] + t
            for j, key in chains.items():
                state[j] = _next(self.learnt[f"chain {key}"], state[j][:m], rng)
            if columns:
                past = past[:m]
                z = past[:, :columns] if t == 0 else np.hstack([past, np.ones((m, 1))]) @ weights + \
                    rng.standard_normal((m, columns)) @ noise.T
                past = np.hstack([z, past[:, :-columns]]) if lags > 1 else z
                for i, j in enumerate(numbers):
                    own = _codes_of(z[:, i], self.learnt[f"scores {j}"])
                    codes[at, j] = np.where(state[-1 - j] == 1, self.coder.parts[j].missing, own) if -1 - j in state \
                        else own
            for j in chains:
                if j >= 0:
                    codes[at, j] = state[j]

    def _times(self, counts: np.ndarray, starts: np.ndarray, rng: np.random.Generator) -> pl.Series:
        """Return times: a start and gaps as often as they were, each alone."""
        begins, gaps = self.learnt["begins"], self.learnt["gaps"]
        steps = np.rint(np.quantile(gaps, rng.random(starts[-1]), method="inverted_cdf")).astype(np.int64)
        some = counts > 0
        steps[starts[:-1][some]] = 0
        total = np.cumsum(steps)
        base = np.repeat(total[starts[:-1][some]], counts[some])
        begun = np.rint(np.quantile(begins, rng.random(int(some.sum())))).astype(np.int64)
        return self.scale.times(total - base + np.repeat(begun, counts[some]))

    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        return {"statics": self.statics.state(), "coder": self.coder.state(), "learnt": self.learnt,
                "scale": self.scale.state()}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        return cls(Statics.restore(state["statics"]), TableCoder.restore(state["coder"]),
                   {name: np.asarray(a) for name, a in state["learnt"].items()}, Scale(**state["scale"]))


@dataclass(frozen=True)
class Generator(BaseGenerator):
    """Settings of the autoregression.

    Parameters
    ----------
    lags : int, default 0
        Rows before that a number is linear in; 0 takes, of 1 to 10, those with the least Bayesian information
        criterion (Lütkepohl 2005, section 4.3).
    """

    fitted: ClassVar = Linear

    lags: int = 0

    def fit(self, source: Source, seed: np.random.SeedSequence, jobs: int = 1, run: Run | None = None,
            tick: Tick = lambda done: None) -> Linear:
        """Regress every row on the rows before it, over all entities together."""
        static_seed, coder_seed = seed.spawn(2)
        statics = Statics.learn(source.entities, source.known, independent.Generator(), static_seed, jobs=jobs, run=run,
                                tick=tick)
        table = source.table.of(source.rows.frame.columns)
        coder = TableCoder.learn(source.rows.frame, table, coder_seed)
        codes, starts, counts = coder.encode(source.rows.frame).values, source.rows.starts, source.rows.counts
        numbers, chains = _kinds(coder.parts)
        learnt: dict[str, np.ndarray] = {"counts": np.quantile(counts, np.linspace(0, 1, 33))}
        z = np.empty((len(codes), len(numbers)))
        for i, j in enumerate(numbers):
            z[:, i], learnt[f"scores {j}"] = _scores(codes[:, j], coder.parts[j])
        for j, key in chains.items():
            own = codes[:, j] if j >= 0 else (codes[:, -1 - j] == coder.parts[-1 - j].missing).astype(np.int32)
            learnt[f"chain {key}"] = _chain(own, starts, coder.parts[j].size if j >= 0 else 2)
        learnt |= _regressed(z, starts, self.lags)
        scale = Scale.learn(time_of(source.rows))
        units = scale.units(time_of(source.rows))
        gaps = np.diff(units, prepend=units[:1])[follows(starts)]
        learnt["begins"] = np.quantile(units[starts[:-1][counts > 0]], np.linspace(0, 1, 33))
        learnt["gaps"] = np.quantile(gaps if len(gaps) else [1], np.linspace(0, 1, 129), method="inverted_cdf")
        return Linear(statics, coder, learnt, scale)


def _kinds(parts: tuple[Part, ...]) -> tuple[list[int], dict[int, str]]:
    """Return the parts that are numbers, and the chains: other parts, and -1 - j for whether number `j` is missing."""
    numbers = [j for j, p in enumerate(parts) if p.ordered and p.size > 2]
    chains = {j: f"{j}" for j in range(len(parts)) if j not in numbers}
    chains |= {-1 - j: f"gone {j}" for j in numbers if parts[j].missing >= 0}
    return numbers, chains


def _scores(codes: np.ndarray, part: Part) -> tuple[np.ndarray, np.ndarray]:
    """Return codes as normal scores (0 where missing), and the score up to which each code reaches."""
    size = part.size - (part.missing >= 0)
    rows = np.bincount(codes[codes < size], minlength=size)
    share = rows / max(rows.sum(), 1)
    ends = np.cumsum(share)
    normal = NormalDist()
    middle = [normal.inv_cdf(float(np.clip(m, 1e-6, 1 - 1e-6))) for m in ends - share / 2]
    reach = [normal.inv_cdf(float(np.clip(e, 1e-9, 1 - 1e-9))) for e in ends]
    return np.append(middle, np.zeros(part.size - size))[codes], np.array(reach)


def _codes_of(z: np.ndarray, reach: np.ndarray) -> np.ndarray:
    return np.minimum(np.searchsorted(reach, z, side="left"), len(reach) - 1)


def _chain(codes: np.ndarray, starts: np.ndarray, size: int) -> np.ndarray:
    """Return shares of each code after each: float64 (size + 1, size); the last row is that of first rows."""
    before = np.concatenate([[size], codes[:-1]])
    begins = starts[:-1][np.diff(starts) > 0]
    before[begins] = size
    pairs = np.bincount(before.astype(np.int64) * size + codes, minlength=(size + 1) * size).reshape(size + 1, size)
    usual = np.bincount(codes, minlength=size) + 1e-9
    smooth = pairs + usual / usual.sum()
    return smooth / smooth.sum(axis=1, keepdims=True)


def _next(chain: np.ndarray, state: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the code after each; -1 is before the first row."""
    steps = np.cumsum(chain, axis=1)[state]
    return np.minimum((steps < rng.random(len(state))[:, None]).sum(axis=1), chain.shape[1] - 1)


def _regressed(z: np.ndarray, starts: np.ndarray, lags: int) -> dict[str, np.ndarray]:
    """Fit the autoregression by least squares with a slight ridge."""
    columns = z.shape[1]
    most = max(1, min(lags or _MOST_LAGS, int(np.median(np.diff(starts))) - 1, len(z) // (10 * max(columns, 1) + 10)))
    tried = [_fit(z, starts, p) for p in ([most] if lags else range(1, most + 1))]
    weights, spread, _ = min(tried, key=lambda fit: fit[2])
    first = np.cov(z, rowvar=False).reshape(columns, columns) if len(z) > 1 else np.eye(columns)
    return {"weights": _stable(weights, columns), "spread": spread, "first": first}


def _fit(z: np.ndarray, starts: np.ndarray, lags: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Return weights, the covariance of what they leave, and the information criterion per row."""
    columns = z.shape[1]
    at = np.flatnonzero(places(starts) >= lags)
    x = np.hstack([*(z[at - lag] for lag in range(1, lags + 1)), np.ones((len(at), 1))])
    if not len(at) or not columns:
        return np.zeros((lags * columns + 1, columns)), np.eye(columns), 0.0
    gram = x.T @ x + _RIDGE * len(at) * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, x.T @ z[at])
    left = z[at] - x @ weights
    spread = left.T @ left / len(at) + 1e-9 * np.eye(columns)
    return weights, spread, float(np.linalg.slogdet(spread)[1] + np.log(len(at)) * weights.size / len(at))


def _stable(weights: np.ndarray, columns: int) -> np.ndarray:
    """Return weights under which nothing grows without end: shrunken, where something would."""
    if not columns:
        return weights
    lags = (len(weights) - 1) // columns
    companion = np.zeros((lags * columns, lags * columns))
    companion[:columns] = weights[:-1].T
    companion[np.arange(columns, lags * columns), np.arange((lags - 1) * columns)] = 1
    radius = np.abs(np.linalg.eigvals(companion)).max()
    if radius <= _STABLE:
        return weights
    shrink = np.repeat((_STABLE / radius) ** np.arange(1, lags + 1), columns)
    return np.vstack([weights[:-1] * shrink[:, None], weights[-1:]])


def _root(matrix: np.ndarray) -> np.ndarray:
    """Return a square root of a covariance."""
    if not matrix.size:
        return matrix
    values, vectors = np.linalg.eigh(matrix)
    return vectors * np.sqrt(np.maximum(values, 0))
