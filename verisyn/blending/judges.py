"""Two samples told apart: a cross-fitted classifier, the area under its weighted ROC curve, a ratio of densities."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from verisyn.metrics._models import affordable
from verisyn.metrics._stats import Influence, effective

FOLDS = 3
_ROUNDS, _RATE, _LEAVES = 25, 0.2, 15
_COMMON = 0.99
_MORE = 3
_STEEPEST = 1.5
WORTH = 1 / 3


def boosted(x: np.ndarray, y: np.ndarray, categories: list[bool], weights: np.ndarray | None = None) -> Any:
    """Fit a small boosted classifier of two classes, with weights of rows."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=_ROUNDS, learning_rate=_RATE, max_leaf_nodes=_LEAVES, l2_regularization=1.0, early_stopping=False,
        random_state=0, min_samples_leaf=int(np.clip(len(y) // 20, 5, 20)),
        categorical_features=categories if any(categories) else None).fit(filled(x), y, sample_weight=weights)


def filled(x: np.ndarray) -> np.ndarray:
    """Return rows to learn from; a column without any value among them cannot be cut into bins, and becomes constant.

    Examples
    --------
    >>> filled(np.array([[1.0, np.nan], [np.nan, np.nan]])).tolist()
    [[1.0, 0.0], [nan, 0.0]]
    """
    return np.where(np.isnan(x).all(axis=0), 0.0, x)


def weighted_auc(score: np.ndarray, other: np.ndarray, weights: np.ndarray) -> Influence:
    """Return the chance that a row outscores a weighted other one, ties counting half, with each row's influence.

    Parameters
    ----------
    score : float array of shape (rows,)
        Of the rows that should score higher.
    other, weights : float arrays of shape (other rows,)
        Scores and weights, 0 or more, of the others.

    Examples
    --------
    >>> weighted_auc(np.array([0.9, 0.4]), np.array([0.5, 0.1]), np.array([1.0, 3.0])).value
    0.875
    """
    order = np.argsort(other, kind="stable")
    ranked, mass = other[order], np.concatenate([[0.0], np.cumsum(weights[order])])
    below = sum(mass[np.searchsorted(ranked, score, side)] for side in ("left", "right")) / (2 * mass[-1])
    own = np.sort(score)
    above = 1 - (np.searchsorted(own, other, "left") + np.searchsorted(own, other, "right")) / (2 * len(own))
    value, rows = float(below.mean()), len(score) + len(other)
    swayed = [(below - value) * rows / len(score), weights * (above - value) * rows / mass[-1]]
    return Influence(value, np.concatenate(swayed))


def told_apart(real: np.ndarray, other: np.ndarray, categories: list[bool], rng: np.random.Generator,
               weights: np.ndarray | None = None) -> Influence:
    """Return how well a judge tells real rows from weighted other ones: a cross-validated AUC, 0.5 where it cannot.

    The weights are those of the judge's learning and of its test alike. Folds share rows and so err alike: the interval
    is 1.6 times as wide as that of independent ones (Nadeau and Bengio 2003).
    """
    most = affordable(real.shape[1]) // 2
    chosen = [rng.permutation(len(x))[:most] for x in (real, other)]
    real, other = real[chosen[0]], other[chosen[1]]
    weights = np.ones(len(other)) if weights is None else weights[chosen[1]]
    weights = np.maximum(weights, 1e-12)
    fold, other_fold = np.arange(len(real)) % FOLDS, np.arange(len(other)) % FOLDS
    found = []
    for i in range(FOLDS):
        x = np.vstack([real[fold != i], other[other_fold != i]])
        y = np.arange(len(x)) < (fold != i).sum()
        w = np.concatenate([np.full(y.sum(), 1 / y.sum()), weights[other_fold != i] / weights[other_fold != i].sum()])
        model = boosted(x, y, categories, w * len(x) / 2)
        scores = [model.predict_proba(rows)[:, 1] for rows in (real[fold == i], other[other_fold == i])]
        found.append(weighted_auc(scores[0], scores[1], weights[other_fold == i]))
    return mean_of(found, alike=float(np.sqrt(1 + FOLDS / (FOLDS - 1))))


def mean_of(found: Sequence[Influence], alike: float = 1.0) -> Influence:
    """Return the mean of AUCs of different rows; `alike` widens its interval where they share what they learnt from."""
    rows = sum(len(f.rows) for f in found)
    swayed = np.concatenate([f.rows * (alike * rows / (len(found) * len(f.rows))) for f in found])
    return Influence(float(np.mean([f.value for f in found])), swayed)


@dataclass(frozen=True)
class Ratio:
    """How much likelier a row is among the real ones than in a source, up to a factor, and tempered.

    Parameters
    ----------
    models : tuple
        Judges of real against other rows, each learnt without one fold.
    slope : float
        What calibration leaves of the judges' log-odds: 0 where they could not tell unseen rows apart.
    power : float
        The ratio's exponent, 0 to 1: below 1 where the whole ratio would leave fewer than a third of the rows' worth.
    own : float array of shape (other rows,)
        The weights of the rows it was learnt from, each by the judge that did not see it.
    """

    models: tuple
    slope: float
    power: float
    own: np.ndarray

    def weights(self, x: np.ndarray) -> np.ndarray:
        """Return the weights of other rows of the source, their mean 1."""
        odds = np.mean([_log_odds(m, x) for m in self.models], axis=0)
        return stabilised(self.power * self.slope * odds)


def ratio_of(real: np.ndarray, other: np.ndarray, categories: list[bool], rng: np.random.Generator) -> Ratio:
    """Learn the ratio of the densities by a classifier, cross-fitted, calibrated and tempered.

    Notes
    -----
    Sugiyama, Suzuki and Kanamori (Density Ratio Estimation in Machine Learning, 2012, chapter 4); the exponent is that
    of Shimodaira (2000). A judge sees at most three times as many other rows as real ones. Its log-odds of rows that it
    has not seen are calibrated by Platt's logistic curve, whose slope is kept from 0 to 1.5.
    """
    fold, other_fold = rng.permutation(len(real)) % FOLDS, rng.permutation(len(other)) % FOLDS
    models, log_odds, other_odds = [], np.empty(len(real)), np.empty(len(other))
    most = affordable(real.shape[1]) // 2
    for i in range(FOLDS):
        a = np.flatnonzero(fold != i)[:most]
        b = np.flatnonzero(other_fold != i)
        b = b[rng.permutation(len(b))[:min(most, _MORE * len(a))]]
        y = np.arange(len(a) + len(b)) < len(a)
        even = np.where(y, len(y) / len(a), len(y) / len(b)) / 2
        model = boosted(np.vstack([real[a], other[b]]), y, categories, even)
        log_odds[fold == i] = _log_odds(model, real[fold == i])
        other_odds[other_fold == i] = _log_odds(model, other[other_fold == i])
        models.append(model)
    slope = _slope(log_odds, other_odds)
    power = tempered(slope * other_odds)
    return Ratio(tuple(models), slope, power, stabilised(power * slope * other_odds))


def tempered(log_weights: np.ndarray) -> float:
    """Return the greatest exponent, 0 to 1, by which weights keep a third of the effective number of rows.

    Examples
    --------
    >>> tempered(np.zeros(9)), 0 < tempered(np.log(np.r_[np.ones(90), np.full(10, 1e3)])) < 1
    (1.0, True)
    """
    if effective(stabilised(log_weights)) >= WORTH * len(log_weights):
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(20):
        middle = (low + high) / 2
        enough = effective(stabilised(middle * log_weights)) >= WORTH * len(log_weights)
        low, high = (middle, high) if enough else (low, middle)
    return low


def _log_odds(model: Any, x: np.ndarray) -> np.ndarray:
    chance = np.clip(model.predict_proba(x)[:, 1], 1e-6, 1 - 1e-6)
    return np.log(chance) - np.log1p(-chance)


def _slope(real: np.ndarray, other: np.ndarray) -> float:
    """Platt's slope, both samples counting alike."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    x, y = np.concatenate([real, other])[:, None], np.arange(len(real) + len(other)) < len(real)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = LogisticRegression(class_weight="balanced", C=10.0).fit(x, y).coef_[0, 0]
    return float(np.clip(found, 0.0, _STEEPEST))


def stabilised(log_weights: np.ndarray) -> np.ndarray:
    """Return weights whose mean is 1; the hundredth of them that are greatest are as great as the next.

    Examples
    --------
    >>> float(stabilised(np.log(np.r_[np.ones(199), 1e6])).max())
    1.0
    """
    weights = np.exp(log_weights - log_weights.max())
    weights = np.minimum(weights, np.quantile(weights, _COMMON, method="lower"))
    return weights / weights.mean()
