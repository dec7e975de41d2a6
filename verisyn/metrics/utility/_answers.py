"""Aggregate queries that two tables are both asked: shares of groups, and means by group, each with its error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from verisyn.kinds import Feature
from verisyn.metrics import Side, Sides
from verisyn.metrics._groups import LEAST, Groups, groups_of
from verisyn.metrics._tables import BLOCKS

KINDS = ("shares by one column", "shares by two columns", "means by one column")
_COLUMNS, _BANDS, _LEVELS = 40, 6, 12
_GROUPINGS, _QUERIES = 25, 150


@dataclass(frozen=True)
class Query:
    """One cell of a group-by: what is asked, and on both sides the answers, whole and without each block, with errors.

    Parameters
    ----------
    name : str
    unit : str
        Of a mean, the unit of its column.
    kind : str
        One of `KINDS`: shares are of all rows.
    fake, real : float arrays of shape (1 + blocks, 2)
        Answers and their standard errors.
    """

    name: str
    unit: str
    kind: str
    fake: np.ndarray
    real: np.ndarray

    @property
    def share(self) -> bool:
        """Whether the answer is a share of all rows."""
        return self.kind != KINDS[2]


def chosen(sides: Sides, rng: np.random.Generator) -> list[Query]:
    """Return a seeded choice of queries, of each kind at most 150 from 25 group-bys."""
    sides = sides.narrowed(rng, _COLUMNS)
    features = sides.train.features
    groups = [groups_of(f, bands=_BANDS, levels=_LEVELS) for f in features]
    codes = [[g.of(side.features[i]) for i, g in enumerate(groups)] for side in (sides.fake, sides.holdout)]
    usable = [i for i, g in enumerate(groups) if len(g.names) > 1]
    numbers = [i for i, f in enumerate(features) if not f.levels and len(groups[i].names) > 2]
    plans = ([(i,) for i in usable], [(i, j) for i in usable for j in usable if i < j],
             [(i, ~m) for i in usable for m in numbers if i != m])
    found = []
    for plan in plans:
        order = [plan[i] for i in rng.permutation(len(plan))[:_GROUPINGS]]
        mine = [query for by in order for query in _asked(by, groups, codes, (sides.fake, sides.holdout))]
        found += [mine[i] for i in np.sort(rng.permutation(len(mine))[:_QUERIES])]
    return found


def _asked(by: Sequence[int], groups: list[Groups], codes: list[list[np.ndarray]],
           both: tuple[Side, Side]) -> Iterator[Query]:
    """The queries of one group-by: `by` are its columns, a last negative one (~m) the number that is averaged."""
    columns, mean = [i for i in by if i >= 0], ~by[-1] if by[-1] < 0 else None
    names = groups[columns[0]].names
    for i in columns[1:]:
        names = tuple(f"{a} and {b}" for a in names for b in groups[i].names)
    answers, counts = [], []
    for code, side in zip(codes, both, strict=True):
        at = code[columns[0]]
        for i in columns[1:]:
            at = np.where((at >= 0) & (code[i] >= 0), at * len(groups[i].names) + code[i], -1)
        told, held = (_shares(at, len(names)) if mean is None else _means(at, side.features[mean], len(names)))
        answers.append(told)
        counts.append(held)
    feature = both[1].features[mean] if mean is not None else None
    for cell in np.flatnonzero(counts[1] >= LEAST):
        if feature is not None and counts[0][cell] < 2:
            continue  # nothing to average: that the rows are missing is said by the shares
        name = f"share of {names[cell]}" if feature is None else f"mean of {feature.name!r} where {names[cell]}"
        kind = KINDS[2 if feature else len(columns) - 1]
        yield Query(name, feature.unit if feature else "", kind, answers[0][cell], answers[1][cell])


def _blocks(at: np.ndarray, cells: int, weights: np.ndarray | None = None) -> np.ndarray:
    """Sums by cell, of all rows and without each of 20 interleaved blocks, shape (1 + blocks, cells)."""
    index = (np.arange(len(at)) % BLOCKS) * (cells + 1) + np.where(at < 0, cells, at)
    each = np.bincount(index, weights, minlength=BLOCKS * (cells + 1)).reshape(BLOCKS, -1)[:, :cells]
    whole = each.sum(axis=0)
    return np.vstack([whole, whole - each])


def _shares(at: np.ndarray, cells: int) -> tuple[np.ndarray, np.ndarray]:
    counts = _blocks(at, cells)
    rows = np.full((len(counts), 1), len(at)) - np.append(0, np.bincount(np.arange(len(at)) % BLOCKS))[:, None]
    share = counts / rows
    error = np.sqrt((counts + 0.5) * (rows - counts + 0.5) / (rows + 1)) / rows
    return np.stack([share, error], axis=-1).transpose(1, 0, 2), counts[0]


def _means(at: np.ndarray, number: Feature, cells: int) -> tuple[np.ndarray, np.ndarray]:
    known = np.isfinite(number.values)
    at, values = np.where(known, at, -1), np.where(known, number.values, 0.0)
    size = max(1e-300, float(np.abs(values).max(initial=0.0)))
    centre = float(values[known].mean() / size) if known.any() else 0.0
    scaled = values / size - centre
    counts, total, squares = _blocks(at, cells), _blocks(at, cells, scaled), _blocks(at, cells, scaled**2)
    held = np.maximum(counts, 1)
    mean = total / held
    spread = np.maximum(squares - held * mean**2, 0.0) / np.maximum(held - 1, 1)
    return np.stack([(mean + centre) * size, np.sqrt(spread / held) * size], axis=-1).transpose(1, 0, 2), counts[0]
