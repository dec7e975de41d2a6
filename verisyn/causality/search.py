"""The order of columns that explains their correlations with the fewest arrows, within the tiers that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from verisyn.causality.embedding import Embedded

_PASSES, _IDLE = 20, 2
_LEAST = 1e-6
Parents = frozenset[int]


@dataclass
class Scores:
    """How well causes explain an effect: the BIC of Gaussian regressions of one set of numbers on others.

    A category is so many numbers of 0 and 1 (the degenerate Gaussian score; Andrews, Ramsey and Cooper 2019). Two
    graphs that say the same of the data have the same score.

    Parameters
    ----------
    embedded : Embedded
    candidates : sequence of frozenset of int
        For each column, those that may be direct causes of it or effects.
    """

    embedded: Embedded
    candidates: Sequence[Parents]
    _volumes: dict[Parents, float] = field(default_factory=dict)
    _locals: dict[tuple[int, Parents], float] = field(default_factory=dict)
    _best: dict[tuple[int, Parents], tuple[float, Parents]] = field(default_factory=dict)

    @classmethod
    def of(cls, embedded: Embedded, most: int) -> Scores:
        """Prepare scores in which a column may have an arrow only with the `most` that it goes with most."""
        columns = range(len(embedded.places))
        if len(columns) - 1 <= most:
            return cls(embedded, [frozenset(columns) - {j} for j in columns])
        free = cls(embedded, ())
        alone = [free.local(j, frozenset()) for j in columns]
        gains = np.array([[free.local(j, frozenset([i])) - alone[j] if i != j else -np.inf for i in columns]
                          for j in columns])
        near = [set(np.argsort(-own, kind="stable")[:most].tolist()) for own in gains]
        return cls(embedded, [frozenset(i for i in columns if i in near[j] or j in near[i]) - {j} for j in columns])

    def _volume(self, columns: Parents) -> float:
        """The log-determinant of some columns' correlations."""
        if columns not in self._volumes:
            at = np.concatenate([np.empty(0, int), *(self.embedded.places[j] for j in sorted(columns))])
            self._volumes[columns] = float(np.linalg.slogdet(self.embedded.correlation[np.ix_(at, at)])[1])
        return self._volumes[columns]

    def likelihood(self, effect: int, causes: Parents) -> float:
        """Return the log-likelihood of a column given others, in nats, up to a constant."""
        return -self.embedded.rows / 2 * (self._volume(causes | {effect}) - self._volume(causes))

    def local(self, effect: int, causes: Parents) -> float:
        """Return the likelihood less what its parameters cost."""
        key = (effect, causes)
        if key not in self._locals:
            size, told = len(self.embedded.places[effect]), sum(len(self.embedded.places[c]) for c in causes)
            cost = np.log(self.embedded.rows) / 2 * size * told
            self._locals[key] = self.likelihood(effect, causes) - cost
        return self._locals[key]

    def strength(self, effect: int, cause: int, others: Parents) -> float:
        """Return how strongly two columns go together given others, 0 to 1: for two numbers a partial correlation."""
        more = self.likelihood(effect, others | {cause}) - self.likelihood(effect, others)
        return float(np.sqrt(max(0.0, 1 - np.exp(-2 * more / self.embedded.rows))))

    def best(self, effect: int, before: Sequence[int]) -> tuple[float, Parents]:
        """Return the best causes among the columns before, and their score: grown one by one, then shrunk."""
        able = self.candidates[effect] & frozenset(before)
        key = (effect, able)
        if key not in self._best:
            causes, score = frozenset[int](), self.local(effect, frozenset())
            for grow in (True, False):
                while options := [causes | {c} if grow else causes - {c}
                                  for c in sorted(able - causes if grow else causes)]:
                    option = max(options, key=lambda o: self.local(effect, o))
                    if self.local(effect, option) <= score + _LEAST:
                        break
                    causes, score = option, self.local(effect, option)
            self._best[key] = (score, causes)
        return self._best[key]


def best_order(scores: Scores, tiers: Sequence[Sequence[int]]) -> list[int]:
    """Return an order of columns whose best causes score highest.

    Each column in turn is moved to where it serves best, within its tier, until that gains no more (best order score
    search; Andrews, Ramsey, Sanchez-Romero, Camchong and Kummerfeld 2023). Many places serve equally well: passes take
    the last and the first of these by turns, since a later column may gain by the one or the other.
    """
    order = [column for tier in tiers for column in tier]
    bounds = {column: (start, start + len(tier)) for tier, start in zip(tiers, _starts(tiers), strict=True)
              for column in tier}
    total = sum(scores.best(column, order[:at])[0] for at, column in enumerate(order))
    idle = 0
    for number in range(_PASSES):
        before = total
        for column in list(order):
            order, total = _moved(scores, order, column, bounds[column], last=number % 2 == 0)
        idle = idle + 1 if total <= before + _LEAST else 0
        if idle == _IDLE:
            break
    return order


def _starts(tiers: Sequence[Sequence[int]]) -> list[int]:
    return [sum(map(len, tiers[:i])) for i in range(len(tiers))]


def _moved(scores: Scores, order: list[int], column: int, bounds: tuple[int, int], *,
           last: bool) -> tuple[list[int], float]:
    """Return the order with one column at its best place, the last or first of several, and the score of all."""
    others = [other for other in order if other != column]
    without = [scores.best(other, others[:at])[0] for at, other in enumerate(others)]
    behind = [scores.best(other, [*others[:at], column])[0] for at, other in enumerate(others)]
    totals = {at: sum(without[:at]) + scores.best(column, others[:at])[0] + sum(behind[at:])
              for at in range(bounds[0], bounds[1])}
    best = max(totals.values())
    able = [place for place, total in totals.items() if total >= best - _LEAST]
    at = able[-1 if last else 0]
    return [*others[:at], column, *others[at:]], totals[at]
