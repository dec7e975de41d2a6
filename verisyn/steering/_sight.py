"""What models can know that do not see every column: chances of the outcome, and how much is told of a group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from verisyn.kinds import Feature
from verisyn.metrics._models import classifier, predicted, regressor

_LEVELS = 200
_EDGE = 1e-4


@dataclass(frozen=True)
class Sight:
    """Boosted models of the columns that are seen, learnt on the model's own rows.

    Parameters
    ----------
    columns : tuple of str
        Those that are seen.
    chances : tuple of models
        One for each class that is asked about: its chance.
    tells : tuple of models
        The same for the group, among rows weighted as groups are compared; empty where the group is seen itself.
    means : float array of shape (classes, groups)
        The mean weight times membership of each group: what is compared with.
    parity : bool
        Whether every row counts alike (or else by its chance of the outcome).
    """

    columns: tuple[str, ...]
    chances: tuple[Any, ...]
    tells: tuple[Any, ...]
    means: np.ndarray
    parity: bool

    @classmethod
    def learn(cls, features: Sequence[Feature], chances: np.ndarray, group: np.ndarray, aware: bool,
              parity: bool) -> Sight:
        """Learn from features of own rows, the exact chances of the classes, (rows, classes), and the groups."""
        x, levels = _matrix(features)
        weights = [np.ones(len(x)) if parity else chance for chance in chances.T]
        known, groups = group >= 0, int(group.max(initial=-1)) + 1
        means = np.array([np.bincount(group[known], w[known], minlength=groups) / len(x) for w in weights])
        tells = () if aware else tuple(classifier(x[known], group[known], levels, weights=w[known])
                                       for w in (weights[:1] if parity else weights))
        return cls(tuple(f.name for f in features), tuple(regressor(x, c, levels) for c in chances.T), tells, means,
                   parity)

    def of(self, features: Sequence[Feature]) -> tuple[np.ndarray, list[np.ndarray | None]]:
        """Return chances, (rows, classes), and for each class the tilt towards each group, (rows, groups)."""
        by_name = {f.name: f for f in features}
        x, _ = _matrix([by_name[c] for c in self.columns])
        chances = np.column_stack([np.clip(predicted(m, x), _EDGE, 1 - _EDGE) for m in self.chances])
        if not self.tells:
            return chances, [None] * len(self.chances)
        told = [_told(m, x, self.means.shape[1]) for m in self.tells]
        return chances, [self._tilt(told[0 if self.parity else i], chances[:, i], self.means[i])
                         for i in range(chances.shape[1])]

    def _tilt(self, told: np.ndarray, chance: np.ndarray, means: np.ndarray) -> np.ndarray:
        """How much a row is expected to count for each group, beyond how much it counts for all."""
        weight = np.ones(len(chance)) if self.parity else chance
        return weight[:, None] * (told / means - 1 / means.sum())


def _told(model: Any, x: np.ndarray, groups: int) -> np.ndarray:
    """The chance of each group; of one that was never learnt from it is 0."""
    out = np.zeros((len(x), groups))
    out[:, model.classes_.astype(np.int64)] = predicted(model, x)
    return out


def _matrix(features: Sequence[Feature]) -> tuple[np.ndarray, list[bool]]:
    """Columns side by side; of a category with very many levels, the rarer ones share a code."""
    columns = [np.minimum(f.values, _LEVELS) if f.levels else f.values for f in features]
    return np.column_stack(columns), [f.levels > 0 for f in features]
