"""Predictions of the outcome: learnt from synthetic rows, drawn by a generator, or cross-fitted on labelled rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from verisyn.errors import UserError, did_you_mean
from verisyn.frames import some
from verisyn.inference._asked import Asked
from verisyn.inference._powered import Guesses
from verisyn.inference._rows import Rows, Seen

if TYPE_CHECKING:
    from verisyn.model import Model

_LEARNT, _FOREST = 50_000, 3_000
_FOLDS, _FEW = 5, 100
_DRAWS, _COMPLETED = 20, 20_000
Target = Callable[[pl.DataFrame], np.ndarray]
"""What is predicted of a row that holds the outcome: its value, or whether a condition on it holds (0 or 1)."""


@dataclass(frozen=True)
class Predictions:
    """Predictions for all real rows; who made them, in words; whether they were learnt from the labelled rows."""

    guesses: Guesses
    words: str
    crossed: bool = False


def of_column(rows: Rows, name: str, cut: float | None) -> Predictions:
    """Take predictions that stand in a column; for a quantile, whether they are at most `cut`.

    Raises
    ------
    UserError
        If the column is not there, does not hold numbers, or lacks some.
    """
    found = []
    for frame, what in ((rows.labelled, "the real data"), (rows.unlabelled, "the unlabelled rows")):
        if name not in frame.columns:
            raise UserError(f"There is no column {name!r} of predictions in {what}. "
                            f"{did_you_mean(name, frame.columns)}")
        values = frame[name]
        if not (values.dtype.is_numeric() or values.dtype == pl.Boolean):
            raise UserError(f"The column {name!r} of predictions holds {values.dtype}; numbers were expected: "
                            "predicted values, or chances from 0 to 1 where the outcome is a condition.")
        numbers = values.cast(pl.Float64).to_numpy()
        if not np.isfinite(numbers).all():
            raise UserError(f"The column {name!r} of predictions is missing in {int((~np.isfinite(numbers)).sum()):,} "
                            f"rows of {what}. Every row needs a prediction.")
        found.append(numbers if cut is None else (numbers <= cut).astype(float))
    return Predictions(Guesses(*found), f"the predictions in {name!r}")


def of_synthetic(rows: Rows, seen: Seen, asked: Asked, target: Target, seed: int) -> Predictions:
    """Learn the outcome from synthetic rows."""
    fake = rows.synthetic
    assert fake is not None and seen.synthetic is not None
    known = np.flatnonzero(asked.known(fake))
    if not len(known):
        raise UserError(f"No synthetic row holds {' and '.join(map(repr, asked.columns))}, so nothing can be learnt "
                        "of it there. Give synthetic rows that hold it, or none.")
    rng = np.random.default_rng([seed, 1])
    known = known if len(known) <= _LEARNT else np.sort(rng.choice(known, _LEARNT, replace=False))
    guess = _learnt(seen.synthetic[known], target(fake[known]), seen.categories, seed)
    return Predictions(Guesses(guess(seen.labelled), guess(seen.unlabelled)),
                       f"a model learnt from {len(known):,} synthetic rows")


def crossed(rows: Rows, seen: Seen, target: Target, seed: int) -> Predictions:
    """Learn the outcome from labelled rows, each predicted by a model that has not seen it.

    Unlabelled rows get the mean of the models (cross-prediction; Zrnic and Candès 2024).
    """
    n = rows.labelled.height
    folds = _FOLDS if n >= _FEW else min(n, 2 * _FOLDS)
    fold = np.random.default_rng([seed, 2]).permutation(n) % folds
    y, near, far = target(rows.labelled), np.empty(n), np.zeros(rows.unlabelled.height)
    for i in range(folds):
        guess = _learnt(seen.labelled[fold != i], y[fold != i], seen.categories, seed)
        near[fold == i] = guess(seen.labelled[fold == i])
        far += guess(seen.unlabelled) / folds
    words = f"{folds} models, each learnt from the labelled rows that it does not predict"
    return Predictions(Guesses(near, far), words, crossed=True)


def of_model(rows: Rows, columns: list[str], model: Model, asked: Asked, target: Target,
             seed: int) -> tuple[Predictions, Rows]:
    """Predict by the mean over 20 draws of the outcome from a generator, given what the row holds in `columns`.

    Returns
    -------
    predictions, rows
        At most 20 000 unlabelled rows are completed; the rows that were.
    """
    absent = [name for name in asked.columns if name not in model.coder.columns]
    if absent:
        raise UserError(f"The model does not know the column {absent[0]!r}. "
                        f"{did_you_mean(absent[0], model.coder.columns)} Fit it on rows that hold it.")
    rows = replace(rows, unlabelled=some(rows.unlabelled, _COMPLETED, np.random.default_rng([seed, 3])))
    told = [c for c in model.coder.columns if c in columns]
    bare = pl.concat([frame.select(told) for frame in (rows.labelled, rows.unlabelled)], how="vertical_relaxed")
    drawn = np.mean([target(f) for f in model.impute_frames(bare, _DRAWS, seed=seed)], axis=0)
    n = rows.labelled.height
    return Predictions(Guesses(drawn[:n], drawn[n:]), f"{_DRAWS} draws of the outcome from {model!r}"), rows


def _learnt(x: np.ndarray, y: np.ndarray, categories: list[bool], seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """Fit what predicts well at this many rows: small boosted trees and a forest, or larger boosted trees."""
    from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
    from threadpoolctl import threadpool_limits

    few = len(y) <= _FOREST
    size = {"max_iter": 60, "max_leaf_nodes": 6, "min_samples_leaf": max(5, len(y) // 50)} if few else {"max_iter": 150}
    models = [HistGradientBoostingRegressor(**size, learning_rate=0.08, l2_regularization=1.0, early_stopping=False,
                                            random_state=seed, categorical_features=categories or None)]
    if few:
        models.append(RandomForestRegressor(60, min_samples_leaf=5, max_features=0.5, random_state=seed))
    empty = np.isnan(x).all(axis=0)  # a column without any value tells a model nothing, and cannot be cut into bins
    with threadpool_limits(1):
        fitted = [model.fit(np.where(empty, 0.0, x), y) for model in models]

    def guess(rows: np.ndarray) -> np.ndarray:
        if not len(rows):
            return np.empty(0)
        with threadpool_limits(1):
            return np.clip(np.mean([m.predict(np.where(empty, 0.0, rows)) for m in fitted], axis=0), y.min(), y.max())

    return guess
