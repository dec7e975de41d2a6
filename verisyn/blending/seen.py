"""How rows are seen here: features for boosted judges, and a plain coding for a linear model; learnt on real rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from verisyn.errors import UserError
from verisyn.kinds import Feature
from verisyn.metrics import COLUMNS, Side
from verisyn.metrics._models import matrices
from verisyn.modalities.table._views import TableCoder
from verisyn.schema import Table

_LEVELS, _WIDTH = 30, 600
_BINS = 200


@dataclass(frozen=True)
class Seen:
    """The real rows and how they, and any others, are seen.

    Parameters
    ----------
    coder : TableCoder
    kept : tuple of int
        The features that are looked at: 200 at most, drawn by the seed, the target always among them.
    real : Side
    target : str, optional
    """

    coder: TableCoder
    kept: tuple[int, ...]
    real: Side
    target: str | None = None

    @classmethod
    def of(cls, frame: pl.DataFrame, table: Table, target: str | None, seed: int) -> Seen:
        """Learn the view on real rows.

        Raises
        ------
        UserError
            If no column is modelled, or the target is not.
        """
        coder = TableCoder.learn(frame, table, np.random.SeedSequence(seed))
        names = [f.name for f in coder.features(frame[:1])]
        if not names:
            raise UserError("Every column of the real data holds ids, personal data or free text, which no model "
                            "learns. There is nothing to compare sources by.")
        if target is not None and target not in names:
            raise UserError(f"The target {target!r} is of the kind {table.column(target).kind!r}, whose values are not "
                            "learnt. Name another target, or correct its kind in a schema.")
        order = np.random.default_rng(seed).permutation(len(names)).tolist()
        first = [names.index(target)] if target is not None else []
        kept = tuple(sorted(dict.fromkeys([*first, *order][:COLUMNS + len(first)])))
        return cls(coder, kept, _side(frame, coder, kept), target)

    def side(self, frame: pl.DataFrame) -> Side:
        """See rows as the real ones are seen."""
        return _side(frame, self.coder, self.kept)

    def common(self, shared: Sequence[str]) -> list[int]:
        """Return which features rest on columns that a source has values for."""
        owner = {f.name: columns for columns, f in self._owned()}
        return [i for i, f in enumerate(self.real.features) if any(c in shared for c in owner[f.name])]

    def _owned(self) -> list[tuple[tuple[str, ...], Feature]]:
        none = self.real.frame[:1]
        return [(coder.columns, f) for coder in self.coder.coders for f in coder.features(none)]


def _side(frame: pl.DataFrame, coder: TableCoder, kept: Sequence[int]) -> Side:
    features = coder.features(frame)
    return Side(frame, [features[i] for i in kept], [np.empty(0)] * len(kept))


def two(real: Side, other: Side, common: Sequence[int]) -> tuple[np.ndarray, np.ndarray, list[bool]]:
    """Return two sides as matrices of the features that both have, and which columns hold categories."""
    (a, b), categories = binned([real.only(common), other.only(common)])
    return a, b, categories


def binned(sides: Sequence[Side], omit: str | None = None) -> tuple[list[np.ndarray], list[bool]]:
    """Return sides as matrices for boosted models, and which columns hold three or more categories.

    Numbers are ranks in at most 200 bins, cut where all sides together have their quantiles: fine enough, and a model
    whose rows have weights need not look for bins at each fit, which would cost more than all else.
    """
    made, categories = matrices(sides, omit)
    ends = np.cumsum([len(x) for x in made])[:-1]
    x = np.vstack(made)
    for i in np.flatnonzero(~np.array(categories, bool)):
        x[:, i] = _ranks(x[:, i])
    many = [c and len(np.unique(x[~np.isnan(x[:, i]), i])) > 2 for i, c in enumerate(categories)]
    return np.split(x, ends), many


def _ranks(values: np.ndarray) -> np.ndarray:
    known = ~np.isnan(values)
    cuts = np.unique(values[known])
    if len(cuts) > _BINS:
        cuts = np.unique(np.quantile(values[known], np.linspace(0, 1, _BINS + 1)[1:-1], method="inverted_cdf"))
    return np.where(known, np.searchsorted(cuts, values, "right"), np.nan)


class Plain:
    """Codes features for a linear model: numbers cut at the 1st and 99th percentile and standardised, levels one-hot.

    A missing value is the mean and an indicator. Learnt on real rows; the target is left out.
    """

    def __init__(self, real: Side, omit: str):
        self._kept = [i for i, f in enumerate(real.features) if f.name != omit]
        categories = sum(real.features[i].levels > 0 for i in self._kept)
        levels = int(np.clip(_WIDTH // max(1, categories), 2, _LEVELS))
        self._codes: list[Callable[[np.ndarray], np.ndarray]] = []
        for i in self._kept:
            feature = real.features[i]
            known = feature.values[~np.isnan(feature.values)]
            self._codes.append(_one_hot(known, levels) if feature.levels else _standard(known))

    def of(self, side: Side) -> np.ndarray:
        """Return the coded rows, float64 of shape (rows, width)."""
        made = [code(side.features[i].values) for i, code in zip(self._kept, self._codes, strict=True)]
        return np.hstack(made) if made else np.zeros((side.rows, 1))


def _one_hot(known: np.ndarray, levels: int) -> Callable[[np.ndarray], np.ndarray]:
    values, counts = np.unique(known, return_counts=True)
    top = values[np.argsort(-counts, kind="stable")[:levels]]
    return lambda column: np.hstack([column[:, None] == top, np.isnan(column)[:, None]]).astype(float)


def _standard(known: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    low, high = np.quantile(known, [0.01, 0.99]) if len(known) else (0.0, 0.0)
    cut = np.clip(known, low, high) if len(known) else np.zeros(1)
    centre, scale = float(cut.mean()), float(cut.std())
    if not 0 < scale < np.inf:
        return lambda column: np.isnan(column)[:, None].astype(float)

    def code(column: np.ndarray) -> np.ndarray:
        value = np.nan_to_num((np.clip(column, low, high) - centre) / scale)
        return np.column_stack([value, np.isnan(column)])

    return code
