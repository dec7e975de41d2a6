"""What a blend is good for, as a score on real rows: to predict a target, or to make unseen rows likely."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from verisyn.blending.judges import filled
from verisyn.blending.seen import Plain, Seen, binned
from verisyn.blending.taking import Taken
from verisyn.errors import UserError
from verisyn.kinds import Feature
from verisyn.metrics import Side
from verisyn.metrics._stats import Influence, auc
from verisyn.metrics._tasks import CLASSES, FEWEST, Task

_RIDGE_ROUNDS = 100
_ROUNDS, _RATE, _LEAVES = 50, 0.12, 15


def mean(rows: np.ndarray) -> Influence:
    """Return a score that is a mean over rows; what they do to it is freed of the bias of few rows."""
    value = float(rows.mean())
    return Influence(value, (rows - value) * _freed(len(rows)))


def _auc(truth: np.ndarray, score: np.ndarray) -> Influence:
    """An AUC; a fold holds few rows of the rarer class, whose variance is freed of its bias by itself."""
    found = auc(truth, score)
    return Influence(found.value, found.rows * np.where(truth, _freed(int(truth.sum())), _freed(int((~truth).sum()))))


def _freed(rows: int) -> float:
    return float(np.sqrt(rows / max(1, rows - 1)))


class Criterion(ABC):
    """A score, and how rows are prepared for it; sources are numbered, the real rows are 0.

    Laws: a higher score is better; `strata` has one entry a real row, -1 where a row cannot be tested on.
    """

    name: str
    strata: np.ndarray

    @abstractmethod
    def ready(self, sides: Sequence[Side]) -> Any:
        """Prepare all sources, the real rows first."""

    @abstractmethod
    def scores(self, ready: Any, mix: Sequence[Taken], tests: Sequence[np.ndarray]) -> list[Influence]:
        """Learn from a mix of rows and score it on several sets of real rows, with what each row does to the score."""


class Prediction(Criterion):
    """How well a model learnt from the blend predicts the target of unseen real rows: AUC, or R².

    `real` are the rows that may be learnt from, `tested` all that are learnt from or tested on.

    The model is the mean of two: gradient boosting, and a linear one (logistic or ridge regression, penalty 1) on
    standardised numbers and one-hot levels. So that rows are not praised for what a plainer model would do as well.

    Raises
    ------
    UserError
        If too few real rows hold two classes, or the target has one value.
    """

    def __init__(self, seen: Seen, target: str, real: Side, tested: Side):
        names = [f.name for f in real.features]
        if len(names) < 2:
            raise UserError(f"There is no column beside the target {target!r} to predict it from.")
        feature = real.features[names.index(target)]
        self.target, self.at = target, names.index(target)
        self.task, self._codes, self._scale = _task(feature)
        self.name = self.task.score_name
        self._spread = float(np.nanvar(self.truth(real)))
        self.strata = _strata(self.truth(tested), bool(self.task.classes))
        self._plain = Plain(seen.real, target)

    def truth(self, side: Side) -> np.ndarray:
        """Return the target as codes of classes or a standardised number; NaN where it is missing."""
        values = side.features[self.at].values
        if self._codes is None:
            return (values - self._scale[0]) / self._scale[1]
        known, codes = self._codes
        place = np.clip(np.searchsorted(known, values), 0, len(known) - 1)
        found = np.where(known[place] == values, codes[place], float(len(self.task.classes) - 1))
        return np.where(np.isnan(values), np.nan, found)

    def ready(self, sides: Sequence[Side]) -> Any:
        """Return features, plain codes and the target of each source, and which features are categories."""
        x, categories = binned(sides, omit=self.target)
        return [(a, self._plain.of(s), self.truth(s)) for a, s in zip(x, sides, strict=True)], categories

    def scores(self, ready: Any, mix: Sequence[Taken], tests: Sequence[np.ndarray]) -> list[Influence]:
        """Learn both models; score the mean of what they put out."""
        own = next(len(t.rows) for t in mix if t.source == 0)
        output, truth = self.output(ready, mix, np.concatenate(tests), own), ready[0][0][2]
        parts = np.split(output, np.cumsum([len(t) for t in tests])[:-1])
        return [self._score(truth[rows], part) for rows, part in zip(tests, parts, strict=True)]

    def output(self, ready: Any, mix: Sequence[Taken], where: np.ndarray, own: int) -> np.ndarray:
        """Return chances of classes, or guesses of a number, for real rows; `own` is how many real rows are learnt."""
        sources, categories = ready
        x, plain, y = (np.concatenate([sources[t.source][i][t.rows] for t in mix]) for i in range(3))
        weights, known = np.concatenate([t.weights for t in mix]), ~np.isnan(y)
        learnt = Learnt(x[known], plain[known], y[known], weights[known], categories, own)
        return (self._classes if self.task.classes else _numbers)(learnt, [a[where] for a in sources[0][:2]])

    def _classes(self, learnt: Learnt, test: list[np.ndarray]) -> np.ndarray:
        from sklearn.ensemble import HistGradientBoostingClassifier
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        seen, out = np.unique(learnt.y).astype(np.int64), np.zeros((len(test[0]), len(self.task.classes)))
        boosted = _boosted(HistGradientBoostingClassifier(), learnt, len(seen))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a hundred rounds are as good, and bound the cost
            linear = LogisticRegression(max_iter=_RIDGE_ROUNDS, tol=1e-3).fit(learnt.plain, learnt.y, learnt.weights)
        out[:, seen] = (boosted.predict_proba(test[0]) + linear.predict_proba(test[1])) / 2
        return out

    def _score(self, truth: np.ndarray, output: np.ndarray) -> Influence:
        if not self.task.classes:
            return mean(1 - (truth - output) ** 2 / self._spread)
        each = [_auc(truth == c, output[:, c]) for c in self.task.asked]
        return Influence(float(np.mean([e.value for e in each])), np.mean([e.rows for e in each], axis=0))


@dataclass(frozen=True)
class Learnt:
    """Rows to learn from: binned and plain features, the target, weights; which features are categories; real rows."""

    x: np.ndarray
    plain: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    categories: list[bool]
    own: int


def _numbers(learnt: Learnt, test: list[np.ndarray]) -> np.ndarray:
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.linear_model import Ridge

    boosted = _boosted(HistGradientBoostingRegressor(), learnt, 1)
    linear = Ridge(alpha=1.0).fit(learnt.plain, learnt.y, learnt.weights)
    return (boosted.predict(test[0]) + linear.predict(test[1])) / 2


def _boosted(model: Any, learnt: Learnt, classes: int) -> Any:
    """Small trees; how few rows a leaf may hold rests on the real rows alone, so that it is the same in every mix."""
    return model.set_params(
        max_iter=max(10, min(_ROUNDS, 3 * _ROUNDS // max(classes, 1))), learning_rate=_RATE, max_leaf_nodes=_LEAVES,
        l2_regularization=1.0, early_stopping=False, random_state=0,
        min_samples_leaf=int(np.clip(learnt.own // 15, 5, 20)),
        categorical_features=learnt.categories if any(learnt.categories) else None,
    ).fit(filled(learnt.x), learnt.y, learnt.weights)


def _task(feature: Feature) -> tuple[Task, tuple[np.ndarray, np.ndarray] | None, tuple[float, float]]:
    """Return the task, the classes' values with their codes, and what a number is standardised by."""
    values = feature.values[~np.isnan(feature.values)]
    known, counts = np.unique(values, return_counts=True)
    if len(known) < 2:
        raise UserError(f"The target {feature.name!r} has one value only in the real data, so there is nothing to "
                        "predict. Name another target.")
    if not feature.levels and len(known) > 2:
        return Task(feature.name), None, (float(values.mean()), float(values.std()))
    order = np.argsort(-counts, kind="stable")
    kept = order[counts[order] >= FEWEST][:CLASSES]
    if len(kept) < 2:
        rare = int(counts[order[1]])
        raise UserError(f"Of the target {feature.name!r}, no class but the most frequent one is held by {FEWEST} real "
                        f"rows (the next one by {rare}); too few to test on. Give more such rows, or name another "
                        "target.")
    codes = np.full(len(known), float(len(kept)))
    codes[kept] = np.arange(len(kept))
    told = [_label(feature, known[k]) for k in kept]
    asked = (1,) if len(kept) == 2 else tuple(range(len(kept)))
    task = Task(feature.name, "AUC", 0.5, (*told, "another value"), asked, len(known) - len(kept))
    return task, (known, codes), (0.0, 1.0)


def _label(feature: Feature, value: float) -> str:
    if not feature.levels:
        return f"{value:g}"
    return feature.labels[int(value)] if value < len(feature.labels) else "a rare value"


def _strata(truth: np.ndarray, classes: bool) -> np.ndarray:
    """Classes, or tenths of a number's range of ranks; -1 where the target is missing."""
    gone = np.isnan(truth)
    if classes:
        return np.where(gone, -1, np.nan_to_num(truth)).astype(np.int64)
    ranks = np.argsort(np.argsort(np.where(gone, np.inf, truth), kind="stable"), kind="stable")
    return np.where(gone, -1, 10 * ranks // max(1, (~gone).sum())).astype(np.int64)
