"""What kind of row a link points to: a heavily used parent is a kind of its own, others are grouped by likeness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn.kinds import Feature
from verisyn.linking.pointing import Linked
from verisyn.modalities.relation._groups import groups
from verisyn.modalities.table._views import scales_of, vectors_of

NOWHERE, ORPHAN = "nowhere", "orphan"
_HEAVY_ROWS, _HEAVY_SHARE = 50, 0.01
"""A parent that so many child rows, and this share of them, point to is a kind of its own."""
_ROWS_A_KIND, _PARENTS_A_KIND = 60, 5
"""Child rows, and parents, that a kind of several parents has at least."""
_QUANTILES = 33
_NORMAL = np.array([NormalDist().inv_cdf(p) for p in np.clip(np.linspace(0, 1, _QUANTILES), 0.015, 0.985)])
_WEIGHT, _NUMBER = 2.0, 0.3
"""Of what a parent's children are like, and of how many there are, beside what the parent itself is like."""
_FAINT = 0.2
"""Of a column of parents that tells nothing of their children; one that tells all has this and one more."""
_TOPS = 6
_SHARED = 5


@dataclass(frozen=True)
class Roles:
    """The kinds of parents of one link.

    Parameters
    ----------
    counts : float64 array of shape (kinds, 33)
        Quantiles of the number of children of a parent of each kind; 0 of one that no row points to. The numbers
        of one kind matter beside each other alone.
    near : int32 array of shape (kinds, kinds)
        For each kind, all kinds from the nearest (itself) to the farthest.
    lonely : float64 array of shape (33,)
        Quantiles of the number of rows that share the key of an orphan; empty without orphans.
    single : bool
        Whether no parent has more than one child.
    optional : bool
        Whether a row may point nowhere.
    alone : int
        How many of the kinds, the first, are of one parent that many rows point to.
    unlike : tuple of str
        Other links of the child to the same table; no row points to one parent by both.
    """

    counts: np.ndarray
    near: np.ndarray
    lonely: np.ndarray
    single: bool = False
    optional: bool = False
    alone: int = 0
    unlike: tuple[str, ...] = ()

    @property
    def kinds(self) -> int:
        """How many kinds of parents there are."""
        return len(self.counts)

    @property
    def levels(self) -> list[str]:
        """What a child row may say: a kind, nowhere, or an orphan's key."""
        nowhere, orphan = [NOWHERE] * self.optional, [ORPHAN] * bool(len(self.lonely))
        return [*(str(i) for i in range(self.kinds)), *nowhere, *orphan]

    @classmethod
    def learn(cls, linked: Linked, points: np.ndarray, keys: pl.DataFrame, most: int, rng: np.random.Generator,
              reach: np.ndarray | None = None) -> tuple[Self, np.ndarray]:
        """Learn the kinds; return them, and the kind of each parent.

        Parameters
        ----------
        linked : Linked
            Which parent each child points to.
        points : float array of shape (parents, features)
            What parents, and their children, are like.
        keys : polars.DataFrame
            The child's columns that point.
        most : int
            Kinds of several parents at most, and kinds of one.
        rng : Generator
        reach : int64 array of shape (parents,), optional
            How many rows point to the children of each: one of few children that many point to is heavily used too.
        """
        counts = linked.counts
        of = np.full(len(counts), -1, np.int64)
        total = max(int(counts.sum()), 1)
        many = counts >= max(_HEAVY_ROWS, _HEAVY_SHARE * total)
        if reach is not None:
            many |= (counts >= _PARENTS_A_KIND) & (reach >= max(_HEAVY_ROWS, _HEAVY_SHARE * int(reach.sum())))
        heavy = np.flatnonzero(many)
        heavy = heavy[np.argsort(-counts[heavy], kind="stable")][:most]
        of[heavy] = np.arange(len(heavy))
        rest = np.flatnonzero((of < 0) & (counts > 0))
        kinds = min(most, len(rest) // _PARENTS_A_KIND, int(counts[rest].sum()) // _ROWS_A_KIND)
        of[rest] = len(heavy) + groups(points[rest], kinds, _PARENTS_A_KIND, rng)
        idle = of < 0
        of[idle] = of.max(initial=-1) + 1
        size = int(of.max(initial=0)) + 1
        quantiles = np.array([quantiles_of(counts[of == k]) for k in range(size)]).reshape(size, _QUANTILES)
        orphans = keys.filter(linked.at == -2)
        shared = orphans.group_by(orphans.columns, maintain_order=True).len()["len"].to_numpy()
        lonely = quantiles_of(shared) if orphans.height else np.empty(0)
        single = bool(counts.max(initial=0) == 1 and total > 2 * _SHARED)
        centres = np.array([points[of == k].mean(axis=0) if (of == k).any() else np.zeros(points.shape[1])
                            for k in range(size)])
        near = np.argsort(((centres[:, None] - centres[None]) ** 2).sum(axis=2), axis=1, kind="stable")
        near = _first_itself(near)
        return cls(quantiles, near.astype(np.int32), lonely, single, bool((linked.at == -1).any()), len(heavy)), of

    def said(self, at: np.ndarray, of: np.ndarray) -> pl.Series:
        """Return what each child row says, given which parent it points to and the kinds of the parents."""
        names = np.array([*(str(i) for i in range(self.kinds)), ORPHAN, NOWHERE])
        return pl.Series(names[np.where(at >= 0, of[np.maximum(at, 0)] if len(of) else 0, at)])

    def read(self, said: pl.Series) -> np.ndarray:
        """Return kinds as numbers; -1 for nowhere, -2 for an orphan."""
        return said.replace_strict({str(i): i for i in range(self.kinds)} | {NOWHERE: -1, ORPHAN: -2},
                                   return_dtype=pl.Int64).to_numpy()

    def quotas(self, of: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw the number of children of each parent, float64; spread evenly over the quantiles of its kind."""
        out = np.zeros(len(of))
        for kind in range(self.kinds):
            mine = np.flatnonzero(of == kind)
            at = (rng.permutation(len(mine)) + rng.random(len(mine))) / max(len(mine), 1)
            out[mine] = np.interp(at, np.linspace(0, 1, _QUANTILES), self.counts[kind])
        return out

    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        return {"counts": self.counts, "near": self.near, "lonely": self.lonely, "single": self.single,
                "optional": self.optional, "alone": self.alone, "unlike": list(self.unlike)}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild from `state`."""
        return cls(state["counts"], state["near"], state["lonely"], bool(state["single"]), bool(state["optional"]),
                   int(state["alone"]), tuple(state["unlike"]))


def quantiles_of(counts: np.ndarray) -> np.ndarray:
    """Return 33 quantiles of numbers of children, float64."""
    if len(counts) < _SHARED:  # one parent's own number is nobody else's: spread as a normal distribution is
        mean, sd = (float(counts.mean()), float(counts.std())) if len(counts) else (0.0, 0.0)
        return np.maximum(mean + sd * _NORMAL, min(mean, 1.0))
    return np.quantile(counts, np.linspace(0, 1, _QUANTILES))


def _first_itself(near: np.ndarray) -> np.ndarray:
    """Put each kind before all others, where some are at the same place."""
    return np.array([[k, *row[row != k]] for k, row in enumerate(near)], np.int64).reshape(near.shape)


# -- what parents are like --------------------------------------------------------------------------------------------
def likeness(own: list[Feature], children: Sequence[tuple[list[Feature], Linked]], rows: int) -> np.ndarray:
    """Return rows as points: what they are, how many children they have, and what these are like.

    Columns of parents weigh as much as they tell of their children. A mean of few children is drawn to the mean of
    all, as far as parents differ no more than chance has it (the best linear unbiased prediction of a random effect,
    its variance by moments).

    Parameters
    ----------
    own : list of Feature
        Their columns at full precision.
    children : sequence of (list of Feature, Linked)
        By link: the children's columns, and which row each child points to.
    rows : int
    """
    known = vectors_of(own, scales_of(own), rows).astype(float)
    blocks, weight = [known], np.zeros(known.shape[1])
    for features, linked in children:
        number = np.log1p(linked.counts)[:, None]
        blocks.append(number / max(float(number.std()), 1e-9) * _NUMBER)
        means = [drawn_in(values, linked)[0][:, None] for f in features for values in numbers_of(f)]
        told = np.hstack([blocks[-1], *means])
        weight = np.maximum(weight, _strength(known, told, linked.counts > 0))
        blocks += [_WEIGHT * m for m in means]
    if children:
        blocks[0] = known * (_FAINT + weight)
    return np.hstack(blocks)


def _strength(known: np.ndarray, told: np.ndarray, some: np.ndarray) -> np.ndarray:
    """Return how much of what children are like each column of their parents tells: its largest correlation."""
    if some.sum() < _SHARED:
        return np.zeros(known.shape[1])
    sides = [(x[some] - x[some].mean(axis=0)) / np.maximum(x[some].std(axis=0), 1e-9) for x in (known, told)]
    return np.abs(sides[0].T @ sides[1] / some.sum()).max(axis=1, initial=0.0)


def numbers_of(feature: Feature) -> list[np.ndarray]:
    """A number as its rank, 0 to 1; a category as one number for each of its most frequent levels."""
    known = ~np.isnan(feature.values)
    if feature.levels:
        counts = np.bincount(feature.values[known].astype(np.int64), minlength=feature.levels)
        tops = [k for k in np.argsort(-counts, kind="stable")[:_TOPS] if counts[k]]
        return [np.where(known, (feature.values == k).astype(float), np.nan) for k in tops]
    scale = np.sort(feature.values[known])
    ranks = (np.searchsorted(scale, feature.values, "left") + np.searchsorted(scale, feature.values, "right")) / 2
    return [np.where(known, ranks / max(len(scale), 1), np.nan)]


def drawn_in(values: np.ndarray, linked: Linked) -> tuple[np.ndarray, float]:
    """Return each parent's mean, drawn to the mean of all, less that; and the share of the variance between parents."""
    use = (linked.at >= 0) & ~np.isnan(values)
    at, values = linked.at[use], values[use]
    n = np.bincount(at, minlength=linked.parents).astype(float)
    held = n > 0
    if not held.any() or held.sum() == len(values):
        return np.zeros(linked.parents), 0.0
    overall = values.mean()
    means = np.divide(np.bincount(at, values, linked.parents), n, out=np.full(len(n), overall), where=held)
    within = float(((values - means[at]) ** 2).sum() / (len(values) - held.sum()))
    spread = float((n * (means - overall) ** 2).sum())
    between = max(0.0, (spread - (held.sum() - 1) * within) / max(len(values) - (n**2).sum() / len(values), 1e-9))
    drawn = (means - overall) * between / (between + within / np.maximum(n, 1) + 1e-12)
    return drawn, between / (between + within + 1e-12)
