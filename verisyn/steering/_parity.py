"""Chances made alike between groups: where each row stands, whatever its group, and the chance that belongs there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

EVERY = "every"
At = str | tuple[float, float] | None
"""Of which decisions parity is asked: every one, or those that say yes to such shares of the rows. None: of the usual
ones, and of as many others as a given cost allows."""

_LEVELS, _PRICED = 100, 40
_OUTERMOST, _RAREST = 6.5, 0.01
_TAPER = 0.3
"""In log odds of the share of yes: so soft are the ends of a range. A model smooths what it learns, so that parity at a
single threshold would be lost on it."""
_NARROWEST, _WIDEST, _HALVINGS = 0.3, 6.0, 8
_STEPS, _STEP, _SHRINK = 45, 0.5, 0.95
_KNOTS, _FAINT = 200, 1e-12


@dataclass(frozen=True)
class Chances:
    """Rows that parity is learnt from.

    Parameters
    ----------
    chance : float array of shape (rows,)
        Of having the outcome, as far as models may know it.
    group : int array of shape (rows,)
        -1 is none.
    weight : float array of shape (rows,)
        How much a row counts where groups are compared: 1, or its chance of having the outcome.
    tilt : float array of shape (rows, groups), optional
        For models that do not see the group: how much each row counts for a group, by what they see, beyond how much it
        counts for all; 0 where the two are alike.
    """

    chance: np.ndarray
    group: np.ndarray
    weight: np.ndarray
    tilt: np.ndarray | None = None


class Standing(Protocol):
    """Where rows stand among all rows: 0 is the first to be refused by every decision, 1 the last."""

    def of(self, rows: Chances) -> np.ndarray:
        """Return the standing of each row."""
        ...


@dataclass(frozen=True)
class Thresholds:
    """Each group has its own threshold at each level; the way of models that see the group.

    Parameters
    ----------
    levels : float array
        Shares of rows to say yes to, rising.
    cuts : float array of shape (levels, groups + 1)
        The least chance that gets a yes; last that of rows in no group.
    """

    levels: np.ndarray
    cuts: np.ndarray

    @classmethod
    def learn(cls, rows: Chances) -> Thresholds:
        """Learn those of parity at every level."""
        levels, groups = _share(np.linspace(-_OUTERMOST, _OUTERMOST, _LEVELS)), int(rows.group.max(initial=-1)) + 1
        inner = np.linspace(0, 1, 8 * _LEVELS + 1)
        own = np.array([_tail_quantiles(rows, g, inner) for g in range(groups)]).T
        mine = [np.sort(rows.chance[rows.group == g]) for g in range(groups)]
        rates = np.array([1 - np.searchsorted(m, own[:, g], "left") / len(m) for g, m in enumerate(mine)]).T
        reached = np.interp(levels, np.maximum.accumulate(rates @ [len(m) for m in mine]) / sum(map(len, mine)), inner)
        cuts = [np.interp(reached, inner, own[:, g]) for g in range(groups)]
        return cls(levels, np.column_stack([*cuts, np.quantile(rows.chance, 1 - levels)]))

    def tapered(self, strength: np.ndarray, rows: Chances) -> Thresholds:
        """Return thresholds that are those of parity only as far as `strength` says, level by level."""
        common = self.cuts[:, -1:]
        return Thresholds(self.levels, np.minimum.accumulate(common + strength[:, None] * (self.cuts - common), axis=0))

    def of(self, rows: Chances) -> np.ndarray:
        """Return the standing of each row."""
        out, last = np.empty(len(rows.chance)), self.cuts.shape[1] - 1
        at = np.where(rows.group < 0, last, rows.group)
        for g in range(last + 1):
            out[at == g] = np.interp(rows.chance[at == g], self.cuts[::-1, g], 1 - self.levels[::-1])
        return out


@dataclass(frozen=True)
class Prices:
    """One threshold a level, on chances less a price for telling of a group; for models that do not see the group.

    Parameters
    ----------
    levels : float array
        Shares of rows to say yes to, rising.
    prices : float array of shape (levels, groups)
        What is taken off a row's chance for each unit of its tilt.
    cuts : float array of shape (levels,)
    """

    levels: np.ndarray
    prices: np.ndarray
    cuts: np.ndarray

    @classmethod
    def learn(cls, rows: Chances) -> Prices:
        """Learn those of parity at every level."""
        levels, found = _share(np.linspace(-_OUTERMOST, _OUTERMOST, _PRICED)), []
        price = np.zeros(int(rows.group.max(initial=-1)) + 1)
        for level in levels:
            price = _price(rows, level, price)
            found.append(price)
        return cls(levels, np.array(found), np.empty(0)).tapered(np.ones(len(levels)), rows)

    def tapered(self, strength: np.ndarray, rows: Chances) -> Prices:
        """Return prices that are those of parity only as far as `strength` says, level by level."""
        prices = self.prices * strength[:, None]
        cuts = [np.quantile(_priced(rows, p), 1 - level) for p, level in zip(prices, self.levels, strict=True)]
        return Prices(self.levels, prices, np.array(cuts))

    def of(self, rows: Chances) -> np.ndarray:
        """Return the standing of each row."""
        out = np.ones(len(rows.chance))
        for step, price, cut in zip(np.diff(self.levels, prepend=0.0), self.prices, self.cuts, strict=True):
            out -= step * (_priced(rows, price) <= cut)
        return out


@dataclass(frozen=True)
class Parity:
    """What a chance becomes.

    Rows keep their order within what models may know of them, and groups get the same chances at the same standing: the
    barycentre of the groups' distributions, which of all fair chances is the nearest to the true ones (Chzhen et al.
    2020). For models that do not see the group, a row's standing is found by its chance less a price for what it tells
    of the group (the dual of the best decision under parity; Menon and Williamson 2018).

    Parameters
    ----------
    standing : Standing
    knots, values : float arrays
        Standings, and the chance that belongs there.
    kept : (float, float), optional
        Parity is of decisions that say yes to such shares of the rows; of every one where it is None.
    cost : float
        What it costs in AUC, by the chances themselves.
    """

    standing: Standing
    knots: np.ndarray
    values: np.ndarray
    kept: tuple[float, float] | None
    cost: float

    @classmethod
    def learn(cls, rows: Chances, at: At, most: float) -> Parity:
        """Learn on rows of the population that the map is for; without `at`, as wide as a cost of `most` allows."""
        full = Thresholds.learn(rows) if rows.tilt is None else Prices.learn(rows)
        every = cls._of(full, rows, None)
        if at == EVERY or (at is None and every.cost <= most):
            return every
        if isinstance(at, tuple):
            low, high = (_log_odds(share, 1e-6) for share in at)
            return cls._of(full, rows, (low - 2 * _TAPER, high + 2 * _TAPER))
        ends = sorted(map(_log_odds, (float(rows.chance.mean()), float((rows.chance > 0.5).mean()))))
        best = cls._of(full, rows, (ends[0] - _NARROWEST, ends[1] + _NARROWEST))
        low, high = _NARROWEST, _WIDEST
        for _ in range(_HALVINGS):
            pad = (low + high) / 2
            wider = cls._of(full, rows, (ends[0] - pad, ends[1] + pad))
            if wider.cost <= most:
                best, low = wider, pad
            else:
                high = pad
        return best

    @classmethod
    def _of(cls, full: Thresholds | Prices, rows: Chances, odds: tuple[float, float] | None) -> Parity:
        """Parity between two shares of yes, as log odds."""
        levels = np.log(full.levels / (1 - full.levels))
        soft = np.ones(len(levels)) if odds is None else (
            _share((levels - odds[0]) / _TAPER) * _share((odds[1] - levels) / _TAPER))
        standing = full.tapered(soft, rows)
        at = standing.of(rows)
        kept = None if odds is None else (float(_share(np.array(odds[0]))), float(_share(np.array(odds[1]))))
        return cls(standing, *_curve(at, rows.chance), kept, expected_auc(rows.chance, rows.chance) - expected_auc(
            rows.chance, at))

    def of(self, rows: Chances) -> np.ndarray:
        """Return the fair chance of each row; where models see groups, a row of none keeps its own."""
        fair = np.interp(self.standing.of(rows), self.knots, self.values)
        return fair if rows.tilt is not None else np.where(rows.group < 0, rows.chance, fair)


def expected_auc(chance: np.ndarray, score: np.ndarray) -> float:
    """Return the AUC that a score is expected to have where rows have the outcome by chance.

    Examples
    --------
    >>> chance = np.array([0.0, 0.5, 0.5, 1.0])
    >>> expected_auc(chance, np.arange(4)), expected_auc(chance, -np.arange(4))
    (0.875, 0.125)
    """
    order = np.argsort(score, kind="stable")
    yes, no = chance[order], 1 - chance[order]
    total = yes.sum() * no.sum()
    return float((yes * (np.cumsum(no) - no / 2)).sum() / total) if total > 0 else 0.5


def _share(odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-odds))


def _log_odds(share: float, least: float = _RAREST) -> float:
    share = float(np.clip(share, least, 1 - least))
    return float(np.log(share / (1 - share)))


def _tail_quantiles(rows: Chances, group: int, shares: np.ndarray) -> np.ndarray:
    """The chance above which such shares of a group's weight lie."""
    mine = rows.group == group
    order = np.argsort(-rows.chance[mine], kind="stable")
    chance, weight = rows.chance[mine][order], rows.weight[mine][order] + _FAINT
    return np.interp(shares, (np.cumsum(weight) - weight / 2) / weight.sum(), chance)


def _priced(rows: Chances, price: np.ndarray) -> np.ndarray:
    assert rows.tilt is not None
    return rows.chance - rows.tilt @ price


def _price(rows: Chances, level: float, start: np.ndarray) -> np.ndarray:
    """Raise the price of the groups that get too many yeses, by ever smaller steps, until all get as many."""
    price, step, known = start.copy(), _STEP, rows.group >= 0
    held = np.bincount(rows.group[known], rows.weight[known], minlength=len(price)) + _FAINT
    for _ in range(_STEPS):
        score = _priced(rows, price)
        chosen = known & (score > np.quantile(score, 1 - level))
        got = np.bincount(rows.group[chosen], rows.weight[chosen], minlength=len(price))
        price += step * (got / held - got.sum() / held.sum()) * held / held.sum()
        step *= _SHRINK
    return price


def _curve(standing: np.ndarray, chance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean chance at each standing, rising, at knots that part rows evenly."""
    from sklearn.isotonic import IsotonicRegression

    order = np.argsort(standing, kind="stable")
    parts = np.array_split(order, min(_KNOTS, len(order)))
    at = np.array([standing[p].mean() for p in parts])
    mean, size = np.array([chance[p].mean() for p in parts]), np.array([len(p) for p in parts])
    return at, IsotonicRegression().fit(np.arange(len(at)), mean, sample_weight=size).predict(np.arange(len(at)))
