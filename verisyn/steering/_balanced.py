"""So many of the rows that were drawn, chosen by chance yet balanced: their sums are what they shall be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from verisyn.steering._projection import Moments, project

_TAIL = (500, 10, 8)
_MOST_MOMENTS = 250
_SPARE = 100
_NIL = 1e-9
_SWAPS = 300


def choose(rows: int, moments: Moments, rng: np.random.Generator) -> np.ndarray:
    """Choose `rows` of the rows at random so that sums of moments come out as they shall, to within a few rows.

    First every row gets a chance, all as equal as the goal allows (:func:`project`, capped at 1). Most rows are then
    taken or left by that chance alone; the last ones by the cube method (Deville and Tillé 2004, in the fast order of
    Chauvet and Tillé 2006), which keeps every row's chance and makes up for what the others left.

    Parameters
    ----------
    rows : int
        How many, at most as many as there are.
    moments : Moments
        `goal` is the sum that the chosen rows shall have, `slack` how far off a sum may be.
    rng : Generator

    Returns
    -------
    bool array of shape (rows there are,)

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(0.02, 1, (1500, 1))
    >>> chosen = choose(1000, Moments(z, np.zeros(1), np.ones(1)), rng)
    >>> int(chosen.sum()), bool(abs(z[chosen].sum()) < 2)
    (1000, True)
    """
    chance = _chances(rows, moments)
    start = max(0, len(chance) - _tail(rows, moments))
    chosen = rng.random(len(chance)) < chance
    tail = np.arange(start, len(chance))
    missing = rows - int(chosen[:start].sum())
    if not 0 <= missing <= len(tail):  # far beyond chance
        tail, missing = np.arange(len(chance)), rows
    left = Moments(moments.z[tail], moments.goal - moments.z[:tail[0]][chosen[:tail[0]]].sum(axis=0), moments.slack)
    chosen[tail] = _cube(_chances(missing, left), left, rng)
    return _mended(chosen, moments, tail)


def _tail(rows: int, moments: Moments) -> int:
    """Return how many rows are left to the cube method: enough to make up for chance in the rarest of the moments."""
    least, each, root = _TAIL
    top = np.maximum(np.abs(moments.z).max(axis=0, initial=0), 1e-300)
    rarest = max(float(((moments.z / top) ** 2).mean(axis=0).min(initial=1)), 1e-6)
    return int(least + each * len(moments.goal) + root * (rows / rarest) ** 0.5)


def _chances(rows: int, moments: Moments) -> np.ndarray:
    """Return each row's chance, so that the expected sums are the goal as nearly as chances up to 1 allow."""
    here = len(moments.z)
    if rows in (0, here):
        return np.full(here, rows / max(here, 1))
    found = project(Moments(moments.z, moments.goal / rows, moments.slack / rows), np.zeros(here), float(rows), 1.0)
    chance = np.round(np.minimum(found.weights, 1.0), 7)
    for _ in range(50):  # so that they sum to a whole number in spite of rounding
        gap = rows - math.fsum(chance)
        room = math.fsum(1 - chance if gap > 0 else chance)
        if abs(gap) < _NIL or not room:
            break
        chance = chance + gap / room * (1 - chance if gap > 0 else chance)
    return chance


# -- the cube method ------------------------------------------------------------------------------------------------
def _cube(chance: np.ndarray, moments: Moments, rng: np.random.Generator) -> np.ndarray:
    """Turn chances into yes and no; sums of `z` over the chosen are those expected, as long as there is room."""
    tightness = moments.slack / np.maximum(np.abs(moments.z).max(axis=0, initial=0), 1e-300)
    kept = np.argsort(tightness, kind="stable")[:_MOST_MOMENTS]
    scale = np.maximum(np.abs(moments.z[:, kept]).max(axis=0, initial=0), 1e-300)
    columns = np.vstack([np.ones(len(chance)), (moments.z[:, kept] / scale).T])
    chance = chance.copy()
    while True:
        _flight(chance, columns, rng)
        if len(columns) == 1:
            return chance > 0.5
        columns = columns[: max(1, int(0.7 * len(columns)))]  # the tightest first; the size to the last


def _flight(chance: np.ndarray, columns: np.ndarray, rng: np.random.Generator) -> None:
    """Move chances to 0 or 1, keeping `columns @ chance`, until only as many are open as there are columns."""
    while True:
        open_ = np.flatnonzero((chance > _NIL) & (chance < 1 - _NIL))
        block = open_[: len(columns) + _SPARE]
        if not _Tableau.of(columns[:, block]).walk(chance, block, rng) or len(block) == len(open_) <= len(columns):
            return


@dataclass
class _Tableau:
    """Reduced columns of a block: each free column in terms of the basic ones (as in the simplex method).

    Elementwise operations only, so that every machine takes the same steps.
    """

    reduced: np.ndarray
    basic: np.ndarray

    @classmethod
    def of(cls, columns: np.ndarray) -> _Tableau:
        """Reduce by Gauss-Jordan elimination; rows that depend on others fall out."""
        reduced, basic, rank = columns.copy(), [], 0
        for _ in range(len(columns)):
            rest = np.abs(reduced[rank:])
            pivots = np.round(rest.max(axis=1), 7) if rest.size else np.zeros(1)
            row = rank + int(np.argmax(pivots))
            if not rest.size or pivots.max() < 1e-7:
                break
            column = int(np.argmax(np.round(np.abs(reduced[row]), 7)))
            reduced[[rank, row]] = reduced[[row, rank]]
            _pivot(reduced, rank, column)
            basic.append(column)
            rank += 1
        return cls(reduced[:rank], np.array(basic, int))

    def walk(self, chance: np.ndarray, block: np.ndarray, rng: np.random.Generator) -> bool:
        """Move along one free column after the other, each until some chance is 0 or 1; say whether any was free."""
        free = np.setdiff1d(np.arange(len(block)), self.basic)
        for column, draw in zip(free.tolist(), rng.random(len(free)).tolist(), strict=True):
            direction = -self.reduced[:, column]
            held, own = chance[block[self.basic]], chance[block[column]]
            with np.errstate(divide="ignore", invalid="ignore"):
                up = np.where(direction > _NIL, (1 - held) / direction,
                              np.where(direction < -_NIL, held / -direction, np.inf))
                down = np.where(direction > _NIL, held / direction,
                                np.where(direction < -_NIL, (1 - held) / -direction, np.inf))
            far_up, far_down = (np.round(max(0.0, min(one, other)), 10) for one, other in
                                ((up.min(initial=np.inf), 1 - own), (down.min(initial=np.inf), own)))
            whole = far_up + far_down
            move = far_up if whole == 0 or draw < far_down / whole else -far_down
            chance[block[self.basic]] = _snapped(held + move * direction)
            chance[block[column]] = _snapped(own + move)
            if _NIL < chance[block[column]] < 1 - _NIL:
                self._enter(column, up if move > 0 or (move == 0 and far_up == 0) else down)
        return bool(len(free))

    def _enter(self, column: int, reach: np.ndarray) -> None:
        """Let a column into the basis, in place of the one that came to its end first."""
        row = int(np.argmin(np.round(reach, 9)))
        _pivot(self.reduced, row, column)
        self.basic[row] = column


def _pivot(reduced: np.ndarray, row: int, column: int) -> None:
    reduced[row] /= reduced[row, column]
    factor = reduced[:, column].copy()
    factor[row] = 0.0
    touched = np.flatnonzero(factor)
    reduced[touched] -= factor[touched, None] * reduced[row]


def _snapped(chance: np.ndarray | float) -> np.ndarray:
    chance = np.asarray(chance)
    return np.where(chance < 1e-8, 0.0, np.where(chance > 1 - 1e-8, 1.0, chance))


# -- the last rows --------------------------------------------------------------------------------------------------
def _mended(chosen: np.ndarray, moments: Moments, among: Sequence[int] | np.ndarray) -> np.ndarray:
    """Swap a row for another as long as some sum is off by more than its slack and that brings it nearer."""
    z, among = moments.z / moments.slack, np.asarray(among)
    off = (moments.z[chosen].sum(axis=0) - moments.goal) / moments.slack
    for _ in range(_SWAPS):
        if not len(off) or np.abs(off).max() <= 1:
            break
        leaving, entering = among[chosen[among]], among[~chosen[among]]
        if not len(leaving) or not len(entering):
            break
        out = leaving[_nearest(off, -z[leaving])]
        into = entering[_nearest(off - z[out], z[entering])]
        after = off - z[out] + z[into]
        if (after**2).sum() >= (off**2).sum() - 1e-9:
            break
        chosen[out], chosen[into], off = False, True, after
    return chosen


def _nearest(off: np.ndarray, steps: np.ndarray) -> int:
    return int(np.argmin(np.round(((off + steps) ** 2).sum(axis=1), 6)))
