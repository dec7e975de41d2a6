"""The interplay of three columns beyond their pairs: dense tables of three columns on two sides, and what fits them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chndtr
from scipy.stats import chi2

GROUPS = 4
"""Groups a column at most: 64 cells a triple."""
_CUTS = {2: (0.5,), 3: (1 / 3, 2 / 3), 4: (0.2, 0.5, 0.8)}
"""Where ordered codes are cut, in shares of rows: alike from both ends, and of four groups at the middle."""
_THIN, _OWN = 0.02, 0.1
"""A group of less than 2 % of the rows joins the largest; a level of 10 % or more is a group of its own."""
_ROUNDS, _CLOSE = 300, 0.01


def merged(counts: np.ndarray, ordered: bool, most: int) -> np.ndarray:
    """Return the group of each code, so that no group is thin; the last code is 'missing'.

    Parameters
    ----------
    counts : int array
        How many rows hold each code.
    ordered : bool
        Whether the codes, but for the last, follow the order of values.
    most : {3, 4}
        Groups at most, one of them of missing values where there are enough.

    Examples
    --------
    >>> merged(np.array([10] * 10 + [0, 0]), True, 4).tolist()
    [0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 1]
    >>> merged(np.array([50, 30, 12, 4, 3, 1, 0]), False, 4).tolist()
    [0, 1, 2, 3, 3, 3, 0]
    """
    shares = counts / max(1, counts.sum())
    most -= int(shares[-1] >= _THIN)
    if ordered:
        known = shares[:-1] / max(1e-12, shares[:-1].sum())
        group = np.searchsorted(_CUTS[most], np.cumsum(known) - known / 2)
    else:
        group = np.full(len(counts) - 1, most - 1)
        largest = np.argsort(-shares[:-1], kind="stable")[:most - 1]
        own = largest[shares[largest] >= _OWN]
        group[own] = np.arange(len(own))
    group = np.append(group, most)
    mass = np.bincount(group, shares, minlength=most + 1)
    group[mass[group] < _THIN] = np.argmax(mass)
    _, dense = np.unique(group, return_inverse=True)
    return dense


def tables(groups: np.ndarray, triples: np.ndarray) -> np.ndarray:
    """Count the rows of each cell of each triple of columns.

    Parameters
    ----------
    groups : int array of shape (rows, columns)
        Values below 4.
    triples : int array of shape (triples, 3)

    Returns
    -------
    float array of shape (triples, 4, 4, 4)
    """
    place = [np.ascontiguousarray(groups.T, np.int64) * GROUPS**k for k in (2, 1, 0)]
    pairs: dict[tuple[int, int], np.ndarray] = {}
    found = np.empty((len(triples), GROUPS**3))
    for row, (a, b, c) in zip(found, triples.tolist(), strict=True):
        if (a, b) not in pairs:
            pairs = {(a, b): place[0][a] + place[1][b]}
        row[:] = np.bincount(pairs[a, b] + place[2][c], minlength=GROUPS**3)
    return found.reshape(-1, GROUPS, GROUPS, GROUPS)


@dataclass(frozen=True)
class Fit:
    """How far two sides differ in what three columns do together, beyond what any two of them do.

    Parameters
    ----------
    x2 : float array of shape (triples,)
        Pearson's statistic of the loglinear model without the four-way interaction.
    freedom : float array of shape (triples,)
        Its degrees of freedom.
    rows : float
        Rows of both sides together, were they equally many.
    """

    x2: np.ndarray
    freedom: np.ndarray
    rows: float

    @property
    def squares(self) -> np.ndarray:
        """Cohen's w squared, less what chance gives the worst of so many triples; below 0 where chance explains it."""
        return (self.x2 - chi2.isf(0.05 / len(self.x2), self.freedom)) / self.rows

    @property
    def strength(self) -> np.ndarray:
        """Cohen's w of each triple, beyond what chance gives the worst of so many; 0 to 1."""
        return np.sqrt(np.clip(self.squares, 0.0, 1.0))

    def p(self, border: float) -> np.ndarray:
        """The chance of differences so great if in truth their strength were `border`."""
        if border == 0:
            return chi2.sf(self.x2, self.freedom)
        return np.clip(1 - chndtr(self.x2, self.freedom, self.rows * border**2), 0.0, 1.0)

    def agreement(self, i: int) -> tuple[float, float]:
        """The 95 % interval of 1 - strength of triple `i`, wide enough for all triples at once (Bonferroni)."""
        chance = 0.025 / len(self.x2)
        ends = [_noncentrality(float(self.x2[i]), float(self.freedom[i]), p) for p in (chance, 1 - chance)]
        low, high = (1 - float(np.sqrt(min(1.0, end / self.rows))) for end in ends)
        value = 1 - float(self.strength[i])
        return min(low, value), max(high, value)


def _noncentrality(x2: float, freedom: float, below: float) -> float:
    """The noncentrality at which X² falls below `x2` with this chance, by halving; 0 where none is so small."""
    low, high = 0.0, x2 + 40 * np.sqrt(x2) + 400
    for _ in range(60):
        middle = (low + high) / 2
        if chndtr(x2, freedom, middle) > below:
            low = middle
        else:
            high = middle
    return low


def compare(fake: np.ndarray, real: np.ndarray) -> Fit:
    """Fit the tables of both sides, shape (triples, 4, 4, 4), by the model that gives both the same interplay.

    Iterative proportional fitting (Bishop, Fienberg and Holland 1975) to each side's pairs and the joint triples. Cells
    where fewer than one row is expected are left out of X², which makes it the smaller.
    """
    seen = np.stack([fake, real], axis=1)
    expected = _fitted(seen)
    told = expected >= 1
    part = np.divide((seen - expected) ** 2, expected, out=np.zeros_like(seen), where=told)
    pooled = fake + real
    groups = np.array([(pooled.sum(axis=axes) > 0).sum(axis=1) for axes in ((2, 3), (1, 3), (1, 2))])
    share = told.sum(axis=(1, 2, 3, 4)) / (2 * np.prod(groups, axis=0))
    freedom = np.maximum(1.0, np.prod(np.maximum(groups - 1, 1), axis=0) * share)
    rows = [float(side[0].sum()) for side in (fake, real)]
    return Fit(part.sum(axis=(1, 2, 3, 4)), freedom, 4 * rows[0] * rows[1] / sum(rows))


def _fitted(seen: np.ndarray) -> np.ndarray:
    out = np.ones_like(seen)
    busy = np.arange(len(seen))
    for _ in range(_ROUNDS):
        target, now = seen[busy], out[busy]
        before = now
        for axis in (2, 3, 4, 1):
            have, want = now.sum(axis=axis, keepdims=True), target.sum(axis=axis, keepdims=True)
            now = now * np.divide(want, have, out=np.zeros_like(want), where=have > 0)
        out[busy] = now
        busy = busy[np.abs(now - before).max(axis=(1, 2, 3, 4)) > _CLOSE]
        if not len(busy):
            break
    return out
