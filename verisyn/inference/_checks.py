"""What the intervals rest on, as far as rows can tell: labels unseen, labelled rows like the others, no heavy tail."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from verisyn.inference._rows import Rows, Seen

SAME = 0.01
"""Where so large a share of labelled rows stands among the synthetic ones, cell by cell, the generator saw them."""
_FOLDS, _LEAST, _MOST = 3, 50, 4_000
_TIMES, _ROUNDS = 5, 30
"""The few rows of one side decide how much can be found: five times as many of the other are enough."""
_COCHRAN = 25


class Shift(NamedTuple):
    """How well a judge tells labelled from unlabelled rows: an AUC with its interval, and what gives them away."""

    auc: float
    low: float
    high: float
    column: str | None

    @property
    def found(self) -> bool:
        """Whether chance is no explanation."""
        return self.low > 0.5


def shift(seen: Seen, seed: int) -> Shift | None:
    """Ask a judge to tell labelled from unlabelled rows by their covariates; None where there are too few to ask.

    A classifier two-sample test (Lopez-Paz and Oquab 2017) as in ``fidelity.two_sample``, on 4 000 rows of each at
    most. """
    from verisyn.metrics._models import classifier, predicted
    from verisyn.metrics._stats import auc

    rng, few = np.random.default_rng([seed, 4]), min(len(seen.labelled), len(seen.unlabelled))
    if few < _LEAST or not seen.names:
        return None
    most = min(_MOST, max(1_000, _TIMES * few))
    near, far = (x[np.sort(rng.permutation(len(x))[:most])] for x in (seen.labelled, seen.unlabelled))
    x, truth = np.vstack([near, far]), np.arange(len(near) + len(far)) < len(near)
    fold = np.concatenate([rng.permutation(len(near)) % _FOLDS, rng.permutation(len(far)) % _FOLDS])
    found, falls = [], np.zeros(x.shape[1])
    for i in range(_FOLDS):
        model = classifier(x[fold != i], truth[fold != i], seen.categories, _ROUNDS)
        rows, told = x[fold == i], truth[fold == i]
        found.append(auc(told, predicted(model, rows)[:, 1]))
        falls += found[-1].value - _shuffled(model, rows, told, rng)
    value = float(np.mean([f.value for f in found]))
    # folds learn from each other's rows, so their mean errs more than independent ones would (Nadeau and Bengio 2003)
    error = np.sqrt((1 + _FOLDS / (_FOLDS - 1)) * np.mean([f.rows.var() / len(f.rows) for f in found]) / _FOLDS)
    low, high = max(0.0, value - 1.96 * error), min(1.0, value + 1.96 * error)
    return Shift(value, float(low), float(high), seen.names[int(falls.argmax())] if falls.max() > 0 else None)


def _shuffled(model: object, rows: np.ndarray, told: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The AUC with each column shuffled in turn."""
    from verisyn.metrics._models import predicted, shuffled
    from verisyn.metrics._stats import auc

    some = rng.permutation(len(rows))[:1_000]
    rows, told = rows[some], told[some]
    if told.all() or not told.any():
        return np.ones(rows.shape[1])
    order = rng.permutation(len(rows))
    scores = shuffled(lambda x: predicted(model, x)[:, 1], rows, order, range(rows.shape[1]))
    return np.array([auc(told, score).value for score in scores])


def overlap(rows: Rows) -> float:
    """Return the share of labelled rows that stand among the synthetic ones, cell by cell in all columns they share."""
    if rows.synthetic is None:
        return 0.0
    shared = sorted(c for c in rows.labelled.columns if c in rows.synthetic.columns)
    near, fake = (_same_types(frame.select(shared)).hash_rows(seed=0) for frame in (rows.labelled, rows.synthetic))
    return float(near.is_in(fake.implode()).mean())  # type: ignore[arg-type]


def _same_types(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col(c).cast(pl.Float64) for c, t in frame.schema.items() if t.is_numeric())


def heavy(y: np.ndarray) -> bool:
    """Whether a mean of these rows may be too skewed for its interval: n below 25 times the squared skewness.

    The rule of thumb of Cochran (*Sampling Techniques*, 1977, section 2.15).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> heavy(rng.normal(size=100)), heavy(rng.lognormal(0, 1.5, 100))
    (False, True)
    """
    spread = y.std()
    skewness = float((((y - y.mean()) / spread) ** 3).mean()) if spread > 0 else 0.0
    return len(y) < _COCHRAN * skewness**2
