"""Which real rows models learn from and which they are tested on: nested cross-validation, each model learnt once.

Of K folds, one is the outer test; each of the others is once the inner validation. Rows without folds j and k are
learnt from once, and serve twice: as an inner model of the outer fold j, and of k.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

Key = tuple[int, ...]
"""The repetition, and the folds left out."""


@dataclass(frozen=True)
class Outer:
    """One outer fold.

    Parameters
    ----------
    key : tuple of int
        Which rows its models learn from.
    test : int
        The set of rows that nothing was chosen by.
    inner : tuple of (key, int)
        Which rows are learnt from, and which set of rows then validates, to choose.
    """

    key: Key
    test: int
    inner: tuple[tuple[Key, int], ...]


@dataclass(frozen=True)
class Plan:
    """All folds.

    Parameters
    ----------
    learn : dict of int arrays
        Rows to learn from, by key.
    tests : dict of int arrays
        Rows to test on, by number.
    outer : tuple of Outer
    ratio : float
        Test rows for each learnt row, in an outer fold.
    refit : bool
        Whether a generator is to be fitted anew to the rows of each key.
    """

    learn: dict[Key, np.ndarray]
    tests: dict[int, np.ndarray]
    outer: tuple[Outer, ...]
    ratio: float
    refit: bool

    def of(self, key: Key) -> list[int]:
        """Return the numbers of all sets of rows that models of a key are tested on."""
        return [o.test for o in self.outer if o.key == key] + [t for o in self.outer for k, t in o.inner if k == key]

    def among(self, rows: np.ndarray) -> Plan:
        """Return this plan of positions among `rows` as a plan of rows."""
        return replace(self, learn={k: rows[at] for k, at in self.learn.items()},
                       tests={k: rows[at] for k, at in self.tests.items()})


def nested(strata: np.ndarray, folds: int, repeats: int, rng: np.random.Generator) -> Plan:
    """Return nested folds of all rows; each fold has its share of every stratum.

    Examples
    --------
    >>> plan = nested(np.zeros(20, int), 5, 1, np.random.default_rng(0))
    >>> len(plan.learn), len(plan.outer), plan.ratio
    (15, 5, 0.25)
    """
    learn: dict[Key, np.ndarray] = {}
    tests: dict[int, np.ndarray] = {}
    outer = []
    for r in range(repeats):
        fold = folded(strata, folds, rng)
        for left in [*combinations(range(folds), 1), *combinations(range(folds), 2)]:
            learn[(r, *left)] = np.flatnonzero(~np.isin(fold, left))
        tests |= {r * folds + k: np.flatnonzero(fold == k) for k in range(folds)}
        for k in range(folds):
            inner = tuple(((r, *sorted((j, k))), r * folds + j) for j in range(folds) if j != k)
            outer.append(Outer((r, k), r * folds + k, inner))
    return Plan(learn, tests, tuple(outer), 1 / (folds - 1), True)


def validated(strata: np.ndarray, rows: int, folds: int, rng: np.random.Generator) -> Plan:
    """Return folds of validation rows; before them stand `rows` real ones that are all learnt from."""
    fold, key = folded(strata, folds, rng), (0,)
    tests = {k: rows + np.flatnonzero(fold == k) for k in range(folds)}
    rest = {folds + k: rows + np.flatnonzero(fold != k) for k in range(folds)}
    outer = tuple(Outer(key, k, ((key, folds + k),)) for k in range(folds))
    return Plan({key: np.arange(rows)}, tests | rest, outer, len(strata) / folds / rows, False)


def folded(strata: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """Return the fold of each row: within each stratum, folds are as even as can be."""
    order = rng.permutation(len(strata))
    order = order[np.argsort(strata[order], kind="stable")]
    fold = np.empty(len(strata), np.int64)
    fold[order] = np.arange(len(strata)) % folds
    return fold
