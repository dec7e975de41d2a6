"""A table that points to itself: how deep each row stands, and a parent one level up for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn.linking.pointing import Linked
from verisyn.modalities.relation._matching import slots_of
from verisyn.modalities.relation._roles import quantiles_of

_DEEPEST = 30
_BANDS = 4
_QUANTILES = 17
NOWHERE, ITSELF, RING, ORPHAN = "nowhere", "itself", "ring", "orphan"
_CHANCE = 3.0
"""Standard deviations up to which chance may make the rows of a level more or fewer than in the source."""
_TOP = (NOWHERE, ITSELF, ORPHAN)


@dataclass(frozen=True)
class Loop:
    """The trees of rows that a link to its own table makes.

    Parameters
    ----------
    levels : tuple of str
        What a row may say: ``"1"`` and so on, so many rows above it; or that it points nowhere, to itself, to a key
        that no row has, or that it is in a ring, whose rows point in a circle.
    shares : float64 array of shape (levels,)
        The share of the rows that say each.
    bands : float64 array of shape (bands, 17)
        Quantiles of the number of children, of rows with many or few.
    depths : float64 array of shape (depths, 33)
        Quantiles of the number of children of rows that so many rows stand above.
    top : str
        What a row without a parent says where one must.
    """

    levels: tuple[str, ...]
    shares: np.ndarray
    bands: np.ndarray
    depths: np.ndarray
    top: str

    @classmethod
    def learn(cls, linked: Linked) -> tuple[Self, pl.Series, pl.Series]:
        """Return the loop, what each row says, and the band of each row's number of children."""
        said = pl.Series(levels_of(linked.at))
        counts = linked.counts - np.bincount(np.flatnonzero(linked.at == np.arange(len(linked.at))),
                                             minlength=linked.parents)
        some = counts[counts > 0]
        busy = np.unique(np.quantile(some, np.linspace(0, 1, _BANDS)[1:-1])) if len(some) else np.empty(0)
        band = np.where(counts > 0, 1 + np.searchsorted(busy, counts, side="right"), 0)
        band = np.unique(band, return_inverse=True)[1]
        bands = np.array([np.quantile(counts[band == b], np.linspace(0, 1, _QUANTILES)) for b in range(band.max() + 1)])
        tops = [level for level in _TOP[:2] if (said == level).any()]
        numbered = ~said.is_in((*_TOP, RING)).to_numpy()
        depth = said.cast(pl.Int64, strict=False).fill_null(0).to_numpy()
        below = np.bincount(linked.at[numbered], minlength=linked.parents)  # those in a ring are drawn otherwise
        depths = np.array([quantiles_of(below[depth == d]) for d in range(int(depth.max(initial=0)) + 1)])
        levels = tuple(sorted(said.unique().to_list()))
        shares = np.array([float((said == level).mean()) for level in levels])  # type: ignore[arg-type]
        loop = cls(levels, shares, bands, depths, tops[0] if tops else ITSELF)
        return loop, said, pl.Series(band).cast(pl.String)

    def matched(self, said: pl.Series, band: pl.Series, rng: np.random.Generator) -> np.ndarray:
        """Return the parent of each row, int64: -1 nowhere, -2 an orphan.

        There is no circle but among rows that say they are in one.
        """
        rows, level = len(said), self._evened(said.to_numpy(), rng)
        out = np.full(rows, -1, np.int64)
        out[level == ORPHAN] = -2
        own = level == ITSELF
        out[own] = np.flatnonzero(own)
        ring = np.flatnonzero(level == RING)
        out[ring] = _circle(ring, rng)
        quota = self._quotas(band.cast(pl.Int64).to_numpy(), rng)
        numbered = ~np.isin(level, (*_TOP, RING))
        depth = np.zeros(rows, np.int64)
        depth[numbered] = level[numbered].astype(np.int64)
        if numbered.any() and not (~numbered).any():
            first = int(rng.choice(np.flatnonzero(depth == depth.min())))  # of rows that all stand below one, one leads
            out[first] = first if self.top == ITSELF else -1
            numbered[first] = False
        above = np.flatnonzero(~numbered)
        for step in np.unique(depth[numbered]):
            mine = np.flatnonzero(numbered & (depth == step))
            slots = slots_of(above, self._at_depth(int(step) - 1, quota[above], rng), len(mine), rng)
            out[mine] = rng.permutation(slots)
            above = mine
        return out

    def _evened(self, level: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Let levels have their shares where chance alone made them differ: of few rows, the top ones bear the rest."""
        wanted = self.shares * len(level)
        had = np.array([(level == name).sum() for name in self.levels])
        spread = _CHANCE * np.sqrt(np.maximum(wanted * (1 - self.shares), 1))
        if had.sum() < len(level) or (np.abs(had - wanted) > spread).any():
            return level
        order = rng.permutation(len(level))
        steps = np.floor(np.cumsum(wanted) + 0.5).astype(np.int64)
        more = np.diff(steps, prepend=0) - had
        free = [order[level[order] == name][:max(-gap, 0)]
                for name, gap in zip(self.levels, more, strict=True)]
        level = level.copy()
        level[rng.permutation(np.concatenate(free))] = np.repeat(self.levels, np.maximum(more, 0))
        return level

    def _at_depth(self, depth: int, quota: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return numbers of children as rows of a depth have them; rows with more by their band have more."""
        at = (np.arange(len(quota)) + rng.random(len(quota))) / max(len(quota), 1)
        known = self.depths[min(max(depth, 0), len(self.depths) - 1)]
        out = np.empty(len(quota))
        out[np.lexsort((rng.random(len(quota)), quota))] = np.interp(at, np.linspace(0, 1, len(known)), known)
        return out

    def _quotas(self, band: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        out = np.zeros(len(band))
        for b, quantiles in enumerate(self.bands):
            mine = np.flatnonzero(band == b)
            at = (rng.permutation(len(mine)) + rng.random(len(mine))) / max(len(mine), 1)
            out[mine] = np.interp(at, np.linspace(0, 1, _QUANTILES), quantiles)
        return out

    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        return {"levels": list(self.levels), "shares": self.shares, "bands": self.bands, "depths": self.depths,
                "top": self.top}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild from `state`."""
        return cls(tuple(state["levels"]), state["shares"], state["bands"], state["depths"], state["top"])


def _circle(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return, for each of these rows, the next in a circle of them all."""
    order = rng.permutation(len(rows))
    out = np.empty(len(rows), np.int64)
    out[order] = rows[np.roll(order, -1)]
    return out


def levels_of(at: np.ndarray) -> list[str]:
    """Say of each row how many rows stand above it."""
    rows = np.arange(len(at))
    depth = np.full(len(at), -1)
    top = (at < 0) | (at == rows)
    depth[top] = 0
    ring = _on_rings(at)
    depth[ring] = 0
    for step in range(1, len(at)):
        below = (depth < 0) & (at >= 0) & (depth[np.maximum(at, 0)] == step - 1)
        if not below.any():
            break
        depth[below] = step
    names = {-1: NOWHERE, -2: ORPHAN}
    return [RING if r else str(min(d, _DEEPEST)) if d else names.get(int(a), ITSELF)
            for r, d, a in zip(ring, depth, at, strict=True)]


def _on_rings(at: np.ndarray) -> np.ndarray:
    """Return which rows are part of a circle of several: those that a row many steps below still leads to."""
    rows = len(at)
    up = np.append(np.where(at >= 0, at, rows), rows)  # one place more, at which all that end come together
    for _ in range(max(rows, 2).bit_length()):
        up = up[up]
    out = np.zeros(rows + 1, bool)
    out[up[:rows]] = True
    return out[:rows] & (at != np.arange(rows)) & (at >= 0)
