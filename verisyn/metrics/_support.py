"""Where synthetic and real rows lie, each seen from the other: neighbours, typical places, the columns that part them.

The embedding is that of the sides' vectors: a number as its rank among training values, a category one-hot. The places
where a share of the rows lies most densely (their minimum-volume set) are told by the distance to the k-th nearest row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verisyn.metrics import Side, Sides, enough, has_columns
from verisyn.metrics._near import affordable, neighbours
from verisyn.metrics._stats import jackknife, wilson
from verisyn.metrics._tables import BLOCKS

K_TYPICAL = 10
"""Neighbours by which a place counts as dense: enough that one row's chance place, or its copy, sways little."""
K_BALL = 5
"""Neighbours that a row's neighbourhood holds, as Naeem et al. advise."""
GRID = (np.arange(200) + 0.5) / 200
CHANCE = 0.05
"""A gap to real rows that chance gives this often, or oftener, is no finding."""
_LEAST = 50


@dataclass(frozen=True)
class Support:
    """Synthetic and real rows in random order, with the distances to their nearest `K_TYPICAL` rows.

    `fake_real[i, j]` is the distance of synthetic row i to its (j+1)-th nearest real row, and so on; a row is not its
    own neighbour. The fields that end in `_at` say which rows these are.
    """

    fake: Side
    real: Side
    fake_real: np.ndarray
    real_real: np.ndarray
    real_fake: np.ndarray
    fake_fake: np.ndarray
    fake_real_at: np.ndarray
    real_real_at: np.ndarray
    real_fake_at: np.ndarray


def support(sides: Sides) -> Support:
    """Return where synthetic and holdout rows lie; found once for all metrics that ask."""
    enough({"synthetic": sides.fake.rows, "real": sides.holdout.rows}, _LEAST)
    has_columns(sides)
    return sides.shared("support", lambda: _found(sides))


def _found(sides: Sides) -> Support:
    rng = sides.rng("support")
    rows = rows_of(sides)
    sides = sides.narrowed(rng)
    fake, real = (shuffled(side, rows, rng) for side in (sides.fake, sides.holdout))
    fake_real, fake_real_at = neighbours(fake.vectors, real.vectors, K_TYPICAL)
    real_real, real_real_at = neighbours(real.vectors, real.vectors, K_TYPICAL, others=True)
    real_fake, real_fake_at = neighbours(real.vectors, fake.vectors, K_TYPICAL)
    fake_fake, _ = neighbours(fake.vectors, fake.vectors, K_TYPICAL, others=True)
    return Support(fake, real, fake_real, real_real, real_fake, fake_fake, fake_real_at, real_real_at,
                   real_fake_at)


def rows_of(sides: Sides) -> int:
    """Return how many rows of a side are compared, by the effort and by the width of the table."""
    most = sides.effort.attacked * 2 // 5
    return affordable(sides.train.width, most, most)


def shuffled(side: Side, most: int, rng: np.random.Generator) -> Side:
    """Return at most `most` rows in random order."""
    return side.take(rng.permutation(side.rows)[:most])


def curve(asked: np.ndarray, own: np.ndarray, at: np.ndarray = GRID) -> np.ndarray:
    """Return which share of `asked` lies where the densest share `at` of the other rows does.

    Parameters
    ----------
    asked : float array of shape (n,)
        Distances of rows to their k-th nearest row of another kind.
    own : float array of shape (m,)
        Distances of those other rows to the k-th nearest of themselves.

    Examples
    --------
    >>> curve(np.array([1.0, 2.0, 3.0, 9.0]), np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.5, 1.0])).tolist()
    [0.5, 0.75]
    """
    places, counts = np.unique(own, return_counts=True)
    asked = np.sort(asked)
    reached = np.searchsorted(asked, places, "right") / len(asked)
    first = np.searchsorted(asked, places[0], "left") / len(asked)
    return np.interp(at, np.append(0.0, np.cumsum(counts) / len(own)), np.append(first, reached))


def integrated(asked: np.ndarray, own: np.ndarray) -> tuple[float, tuple[float, float]]:
    """Return 1 - 2 times the area between the curve and the diagonal, with its jackknife interval over blocks of rows.

    It is 1 where both kinds of row lie alike, 0 where none of the asked rows lies where the others do.
    """
    value = _area(asked, own)
    block, other = np.arange(len(asked)) % BLOCKS, np.arange(len(own)) % BLOCKS
    without = np.array([_area(asked[block != i], own) for i in range(BLOCKS)])
    other_without = np.array([_area(asked, own[other != i]) for i in range(BLOCKS)])
    return value, jackknife(value, without, other_without)


def _area(asked: np.ndarray, own: np.ndarray) -> float:
    return float(1 - 2 * np.abs(curve(asked, own) - GRID).mean())


def coverage(found: Support) -> tuple[np.ndarray, tuple[float, float]]:
    """Return which real rows have a synthetic row in their neighbourhood, and the jackknife interval of their share.

    Neighbours are missed together, so a share of independent rows would have too narrow an interval.
    """
    reached = found.real_fake[:, 0] <= found.real_real[:, K_BALL - 1]
    block = np.arange(len(reached)) % BLOCKS
    without_fake = np.array([(_kept(found.real_fake, found.real_fake_at, i, 1)
                              <= found.real_real[:, K_BALL - 1]).mean() for i in range(BLOCKS)])
    without_real = np.array([(found.real_fake[:, 0] <= _kept(found.real_real, found.real_real_at, i, K_BALL)
                              )[block != i].mean() for i in range(BLOCKS)])
    share = float(reached.mean())
    low, high = jackknife(share, without_fake, without_real)
    least = wilson(float(reached.sum()), len(reached))
    return reached, (min(low, least[0]), max(high, least[1]))


def _kept(distance: np.ndarray, index: np.ndarray, block: int, k: int) -> np.ndarray:
    """The distance of the k-th nearest row that is not of a block; of the last known, where too few are known."""
    count = np.cumsum(index % BLOCKS != block, axis=1)
    at = np.where(count[:, -1] >= k, (count >= k).argmax(axis=1), distance.shape[1] - 1)
    return distance[np.arange(len(distance)), at]


def parting(found: Support) -> list[tuple[str, float]]:
    """Return columns in which synthetic rows part from their nearest real row more than real rows do, worst first.

    The figure is the mean squared gap in that column beyond the real rows' own; a mismatch of levels is 1.
    """
    def gaps(rows: np.ndarray, nearest: np.ndarray) -> np.ndarray:
        mean = ((rows - nearest) ** 2).mean(axis=0)
        return np.array([mean[block].sum() for block in found.real.blocks])

    real = found.real.vectors
    excess = gaps(found.fake.vectors, real[found.fake_real_at[:, 0]]) - gaps(real, real[found.real_real_at[:, 0]])
    names = [f.name for f in found.real.features]
    return [(names[i], round(float(excess[i]), 6)) for i in np.argsort(-excess) if excess[i] > 0]
