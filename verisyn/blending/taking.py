"""Which rows of which sources are learnt from, and with what weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from verisyn.blending.judges import ratio_of
from verisyn.blending.seen import Seen, two
from verisyn.blending.sources import Part
from verisyn.metrics import Side
from verisyn.metrics._stats import effective

_LEAST_TO_WEIGH = 30


@dataclass(frozen=True)
class Mix:
    """Which sources are added, and the mass of their rows for each real one; 0 adds none."""

    sources: tuple[int, ...]
    proportion: float


NONE = Mix((), 0.0)


@dataclass(frozen=True)
class Taken:
    """Rows of one source to learn from: which source (0: the real rows), which of its rows, and their weights."""

    source: int
    rows: np.ndarray
    weights: np.ndarray


def mixes_of(parts: int, proportions: Sequence[float]) -> tuple[Mix, ...]:
    """Return nothing, each source alone, and all together, in every proportion, the smaller ones first."""
    groups = [*((i,) for i in range(parts)), *([tuple(range(parts))] if parts > 1 else [])]
    return (NONE, *(Mix(g, p) for p in sorted(set(proportions)) if p > 0 for g in groups))


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
