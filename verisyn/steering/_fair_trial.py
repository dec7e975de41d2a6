"""Models trained on several tables and tested on the same unseen real rows: how evenly they treat groups of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from verisyn.metrics._models import classifier, predicted
from verisyn.metrics._stats import Influence, auc
from verisyn.metrics.fairness.model_gaps import chosen
from verisyn.steering._sight import _matrix

BOOSTED, LINEAR = "boosted", "logistic"
RULES = ("usual threshold", "equal share of yes")
_AGAIN, _STEPS = 400, 200


@dataclass(frozen=True)
class Table:
    """Rows that models learn from or are tested on.

    Parameters
    ----------
    features : sequence of Feature
        The columns at full precision, the outcome's left out.
    points : float array of shape (rows, width)
        The same for linear models: ranks, and levels one-hot.
    blocks : dict of str to slice
        Which columns of `points` are each feature's.
    y : bool array of shape (rows,)
        Whether a row has the outcome.
    """

    features: Sequence[Any]
    points: np.ndarray
    blocks: Mapping[str, slice]
    y: np.ndarray

    def seen(self, kind: str, hidden: Sequence[str]) -> tuple[np.ndarray, list[bool]]:
        """Return what models of a kind see, and which columns hold categories."""
        if kind == BOOSTED:
            return _matrix([f for f in self.features if f.name not in hidden])
        kept = [np.arange(b.start, b.stop) for name, b in self.blocks.items() if name not in hidden]
        return self.points[:, np.concatenate(kept)], []

    def asked(self, y: np.ndarray) -> Table:
        """Return the same rows with another outcome."""
        return replace(self, y=y)

    def take(self, rows: np.ndarray) -> Table:
        """Return some of the rows."""
        features = [replace(f, values=f.values[rows]) for f in self.features]
        return replace(self, features=features, points=self.points[rows], y=self.y[rows])


@dataclass(frozen=True)
class Judge:
    """The rows that all models are tested on.

    Parameters
    ----------
    table : Table
    group : int array of shape (rows,)
        -1 is none.
    members : list of int arrays
        The rows of each group that groups are compared on: all, or those that have the outcome.
    share : float
        Of yes, where all models shall say it equally often.
    again : list of float arrays of shape (times, rows of the group)
        Each group's rows drawn again with replacement: the weight of each row in the group's mean.
    """

    table: Table
    group: np.ndarray
    members: list[np.ndarray]
    share: float
    again: list[np.ndarray]

    @classmethod
    def of(cls, table: Table, group: np.ndarray, counted: np.ndarray, share: float, rng: np.random.Generator) -> Judge:
        """Draw the rows of each group again."""
        members = [np.flatnonzero(counted & (group == g)) for g in np.unique(group[counted & (group >= 0)])]
        again = [(rng.multinomial(n, np.full(n, 1 / n), _AGAIN) / n).astype(np.float32) for n in map(len, members)]
        return cls(table, group, members, share, again)

    def decisions(self, score: np.ndarray) -> list[np.ndarray]:
        """Return yes (1) or no (0) by each of :data:`RULES`; rows that tie at the border share the yeses left."""
        return [(score > 0.5).astype(float), chosen(score, self.share)]

    def rates(self, decision: np.ndarray) -> np.ndarray:
        """Return each group's share of yes."""
        return np.array([decision[m].mean() for m in self.members])

    def rates_again(self, decision: np.ndarray) -> np.ndarray:
        """Return the same for the rows drawn again, shape (times, groups)."""
        return np.column_stack([w @ decision[m].astype(np.float32) for w, m in zip(self.again, self.members,
                                                                                   strict=True)])

    def by_chance(self, share: float, rng: np.random.Generator) -> float:
        """Return the gap that is to be expected among so many rows if all groups got a yes equally often."""
        rows = np.array([len(m) for m in self.members])
        return float(np.ptp(rng.binomial(rows, share, (_AGAIN, len(rows))) / rows, axis=1).mean())


@dataclass(frozen=True)
class Trial:
    """One kind of model, trained on one table and tested.

    Parameters
    ----------
    score : float array of shape (rows,)
        Chances that it gives to the test rows.
    halves : list of two float arrays
        Those of two models, each trained on one half of the rows.
    """

    judge: Judge
    score: np.ndarray
    halves: list[np.ndarray]

    @cached_property
    def gaps(self) -> np.ndarray:
        """The widest difference between two groups' shares of yes, by each rule."""
        return np.array([np.ptp(self.judge.rates(d)) for d in self.judge.decisions(self.score)])

    @property
    def unsteady(self) -> float:
        """The variance of a group's share of yes, beside the other groups', that comes of what was learnt.

        Models of two halves differ with twice the variance of one; a whole model's is taken to be as large.
        """
        found = []
        for one, other in zip(*(map(self.judge.rates, self.judge.decisions(h)) for h in self.halves), strict=True):
            apart = (one - one.mean()) - (other - other.mean())
            found.append(float((apart**2).sum() / 2 / max(1, len(apart) - 1)))
        return float(np.mean(found))

    def gaps_again(self, unsteady: float, rng: np.random.Generator) -> np.ndarray:
        """Return the gaps for rows drawn again and models that learnt otherwise, shape (times, rules)."""
        again = [self.judge.rates_again(d) for d in self.judge.decisions(self.score)]
        return np.column_stack([np.ptp(r + unsteady**0.5 * rng.normal(size=r.shape), axis=1) for r in again])

    @cached_property
    def auc(self) -> Influence:
        """The area under the ROC curve on the test rows."""
        return auc(self.judge.table.y, self.score)

    @property
    def auc_noise(self) -> float:
        """The standard error of the AUC that comes of what was learnt."""
        one, other = (auc(self.judge.table.y, h).value for h in self.halves)
        return abs(one - other) / 2**0.5

    @property
    def accuracy(self) -> float:
        """The share of decisions at the usual threshold that are as the outcome was."""
        return float(((self.score > 0.5) == self.judge.table.y).mean())

    def gap_at(self, share: float) -> tuple[float, float, float]:
        """Return the gap where such a share gets a yes, and its 95 % interval over test rows."""
        decision = chosen(self.score, share)
        again = np.ptp(self.judge.rates_again(decision), axis=1)
        low, high = np.quantile(again, [0.025, 0.975])
        return float(np.ptp(self.judge.rates(decision))), float(low), float(high)


def trial(kind: str, hidden: Sequence[str], train: Table, judge: Judge) -> Trial:
    """Train a model that does not see the hidden columns, once on all rows and once on each half; test them."""
    x, levels = train.seen(kind, hidden)
    test, _ = judge.table.seen(kind, [*hidden, *({f.name for f in judge.table.features} - {
        f.name for f in train.features})])
    half = np.arange(len(x)) % 2 == 0
    scores = [_scores(kind, x[rows], train.y[rows], levels, test) for rows in (np.ones(len(x), bool), half, ~half)]
    return Trial(judge, scores[0], scores[1:])


def _scores(kind: str, x: np.ndarray, y: np.ndarray, levels: list[bool], test: np.ndarray) -> np.ndarray:
    if y.all() or not y.any():
        return np.full(len(test), float(y.mean()))
    if kind == BOOSTED:
        return predicted(classifier(x, y, levels), test)[:, 1]
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        return LogisticRegression(max_iter=_STEPS).fit(x.astype(float), y).predict_proba(test.astype(float))[:, 1]
