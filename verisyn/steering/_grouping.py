"""Groups of people, as fairness sees them: levels, bands, or where they cross, of sensitive columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from verisyn.kinds import Feature
from verisyn.metrics._groups import LEAST, Groups, _names, groups_of


@dataclass(frozen=True)
class Grouping:
    """How rows fall into groups by one or several sensitive columns.

    Parameters
    ----------
    each : tuple of Groups
        Those of each column.
    code : int array
        The group of each combination of them, the last column's changing fastest; -1 is none, for it has too few rows.
    names : tuple of str
    left_out : int
        Rows of those it was learnt from that are in no group.
    """

    each: tuple[Groups, ...]
    code: np.ndarray
    names: tuple[str, ...]
    left_out: int

    @classmethod
    def learn(cls, features: Sequence[Feature], columns: Sequence[str], bands: Mapping[str, Sequence[float]],
              least: int = LEAST) -> Grouping:
        """Learn groups of at least so many rows; `bands` are where bands of a number begin, if it is not to be guessed.

        Examples
        --------
        >>> age, sex = Feature("age", np.arange(20.0, 60)), Feature("sex", np.arange(40.0) % 2, 2, ("f", "m"))
        >>> Grouping.learn([age, sex], ["age", "sex"], {"age": [40]}, least=5).names[0]
        "'age' under 40 and 'sex' = 'f'"
        """
        by_name = {f.name: f for f in features}
        each = tuple(_banded(by_name[c], bands[c]) if c in bands else groups_of(by_name[c], least) for c in columns)
        crossed = cls(each, np.arange(int(np.prod([len(g.names) for g in each]))), (), 0).of(features)
        counts = np.bincount(crossed + 1, minlength=int(np.prod([len(g.names) for g in each])) + 1)
        kept, code = np.flatnonzero(counts[1:] >= least), np.full(len(counts) - 1, -1)
        code[kept] = np.arange(len(kept))
        names = reduce(lambda left, g: [f"{a} and {b}" for a in left for b in g.names], each[1:], [*each[0].names])
        return cls(each, code, tuple(names[i] for i in kept), int(counts.sum() - counts[1:][kept].sum()))

    def of(self, features: Sequence[Feature]) -> np.ndarray:
        """Return the group of each row, int (rows,); -1 for none."""
        by_name = {f.name: f for f in features}
        parts = [g.of(by_name[g.column]) for g in self.each]
        at = reduce(lambda one, other: one * len(other[1].names) + other[0], zip(parts[1:], self.each[1:], strict=True),
                    parts[0])
        known = np.all([p >= 0 for p in parts], axis=0)
        return np.where(known, self.code[np.where(known, at, 0)] if len(self.code) else -1, -1)


def _banded(feature: Feature, edges: Sequence[float]) -> Groups:
    whole = bool(np.all(np.mod(feature.values[np.isfinite(feature.values)], 1) == 0))
    names = tuple(_names(feature, np.array(edges, float), whole))
    return replace(Groups(feature.name, names, np.append(np.arange(len(names)), -1)), edges=np.array(edges, float))
