"""Judges that learn: gradient boosting on features, numbers at full precision and categories as categories."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from verisyn.metrics import Side

_LEVELS = 200
_CELLS = 1_500_000
_ROUNDS, _RATE, _RIDGE = 60, 0.15, 1.0
_WIDE, _SMALL = 60, {"max_leaf_nodes": 15, "max_bins": 63}
"""Trees of a table with more than 60 columns: what they cost goes by leaves and bins, hardly by rows."""
_AT_ONCE = 20


def affordable(columns: int, most: int = 20_000, least: int = 1_000) -> int:
    """Return how many rows of `columns` columns a judge learns from.

    Examples
    --------
    >>> affordable(14), affordable(200)
    (20000, 7500)
    """
    return int(np.clip(_CELLS / max(1, columns), least, most))


def matrices(sides: Sequence[Side], omit: str | None = None) -> tuple[list[np.ndarray], list[bool]]:
    """Return one matrix a side, float64 of shape (rows, features), and which columns hold categories.

    Categories with more than 200 levels keep their most frequent ones (over all sides together) apart; the rest
    share one. NaN is missing. The column called `omit` is left out.
    """
    kept = [i for i, f in enumerate(sides[0].features) if f.name != omit]
    columns = [_aligned([side.features[i].values for side in sides], sides[0].features[i].levels) for i in kept]
    made = [np.column_stack([c[s] for c in columns]) for s in range(len(sides))] if kept else [
        np.empty((side.rows, 0)) for side in sides]
    return made, [sides[0].features[i].levels > 0 for i in kept]


def _aligned(values: list[np.ndarray], levels: int) -> list[np.ndarray]:
    if levels <= _LEVELS:
        return values
    known = [v[~np.isnan(v)].astype(np.int64) for v in values]
    counts = np.bincount(np.concatenate(known), minlength=levels)
    code = np.full(levels, float(_LEVELS))
    code[np.argsort(-counts, kind="stable")[:_LEVELS]] = np.arange(_LEVELS)
    return [np.where(np.isnan(v), np.nan, code[np.nan_to_num(v).astype(np.int64)]) for v in values]


def classifier(x: np.ndarray, y: np.ndarray, categories: list[bool], rounds: int = _ROUNDS,
               weights: np.ndarray | None = None) -> Any:
    """Fit a boosted classifier; about as many trees in all for many classes as for two."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    rounds = max(10, min(rounds, 3 * rounds // len(np.unique(y))))
    return _fit(HistGradientBoostingClassifier(max_iter=rounds), x, y, categories, weights)


def regressor(x: np.ndarray, y: np.ndarray, categories: list[bool]) -> Any:
    """Fit a boosted regressor on squared error."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    return _fit(HistGradientBoostingRegressor(max_iter=_ROUNDS), x, y, categories)


def _fit(model: Any, x: np.ndarray, y: np.ndarray, categories: list[bool], weights: np.ndarray | None = None) -> Any:
    from threadpoolctl import threadpool_limits

    # One thread: the same figures on every machine, and no CPU burnt by threads that wait for each other in a spin.
    with threadpool_limits(1, user_api="openmp"):
        # A column without any value cannot be cut into bins; as a constant it tells the model as little.
        x = np.where(np.isnan(x).all(axis=0), 0.0, x)
        # Without a ridge, the leaves of classes that are told apart perfectly grow without bound, and the model fails.
        return model.set_params(learning_rate=_RATE, l2_regularization=_RIDGE, early_stopping=False, random_state=0,
                                categorical_features=categories or None,
                                **(_small(x, categories) if x.shape[1] > _WIDE else {})).fit(x, y, weights)


def _small(x: np.ndarray, categories: list[bool]) -> dict[str, int]:
    """The settings of small trees; a category needs a bin for each of its levels."""
    flags = np.asarray(categories, bool)
    most = int(np.nan_to_num(x[:, flags]).max(initial=0)) + 1
    return _SMALL if most <= _SMALL["max_bins"] else {**_SMALL, "max_bins": 255}


def predicted(model: Any, x: np.ndarray) -> np.ndarray:
    """Return probabilities, shape (rows, classes), of a classifier, or the guesses, shape (rows,), of a regressor."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="openmp"):
        return model.predict_proba(x) if hasattr(model, "predict_proba") else model.predict(x)


def shuffled(output: Callable[[np.ndarray], np.ndarray], x: np.ndarray, order: np.ndarray,
             columns: Sequence[int]) -> Iterator[np.ndarray]:
    """Yield what `output` says of the rows of `x` when one of the columns holds its values in another `order`.

    Examples
    --------
    >>> x = np.array([[1.0, 10.0], [2.0, 20.0]])
    >>> [said.tolist() for said in shuffled(lambda rows: rows.sum(axis=1), x, np.array([1, 0]), [0, 1])]
    [[12.0, 21.0], [21.0, 12.0]]
    """
    for start in range(0, len(columns), _AT_ONCE):  # many columns in one call: each call costs as much as many rows
        some = columns[start:start + _AT_ONCE]
        copies = np.tile(x, (len(some), 1, 1))
        for copy, i in zip(copies, some, strict=True):
            copy[:, i] = x[order, i]
        yield from np.split(output(copies.reshape(-1, x.shape[1])), len(some))
