"""One row for each history, or for each parent: what its rows are, added up. A table that judges of tables can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from verisyn._runs import starts_of
from verisyn.kinds import Feature, K

_LEVELS = 5
"""Of a category, the shares of so many levels are told, and how many different ones there are."""


@dataclass(frozen=True)
class Aggregates:
    """How the rows of an entity are added up: learnt on training rows, then applied to every side alike.

    Parameters
    ----------
    tops : mapping of str to tuple of int
        The levels of each category whose shares are told, the most frequent first.
    gaps : tuple of str
        Features that have missing values; the share missing is told of these.

    Examples
    --------
    >>> amount = Feature("amount", np.array([2.0, 4.0, 9.0]))
    >>> paid = Feature("paid", np.array([0.0, 1.0, 1.0]), 2, ("no", "yes"))
    >>> made = Aggregates.learn([amount, paid], least=1).of([amount, paid], np.array([0, 2, 2, 3]))
    >>> made.select("rows", "amount mean", "paid = yes").rows()
    [(2.0, 3.0, 0.5), (0.0, None, None), (1.0, 9.0, 1.0)]
    """

    tops: Mapping[str, tuple[int, ...]]
    gaps: tuple[str, ...] = ()

    @classmethod
    def learn(cls, features: Sequence[Feature], *, levels: int = _LEVELS, least: int = K) -> Self:
        """Learn from the training rows' features: at most `levels` of a category, held by `least` rows each."""
        tops = {f.name: _top(f, levels, least) for f in features if f.levels}
        return cls(tops, tuple(f.name for f in features if np.isnan(f.values).any()))

    def of(self, features: Sequence[Feature], starts: np.ndarray, time: np.ndarray | None = None) -> pl.DataFrame:
        """Add up the rows of every entity.

        Parameters
        ----------
        features : sequence of Feature
            Of rows that stand entity after entity, each entity's in their order.
        starts : int64 array of shape (entities + 1,)
            Rows ``starts[e]:starts[e + 1]`` are those of entity `e`; it may have none (see :func:`grouped`).
        time : float64 array of shape (rows,), optional
            When each row is.

        Returns
        -------
        polars.DataFrame
            A row an entity, all Float64, null where there is nothing to add up: ``rows``; of each number its mean,
            sd (null for less than two values), least, most, first and last; of each category the shares of its top
            levels, how many different ones there are, and whether the last row's is the first's; shares missing;
            with `time` the span from the first row to the last, and the mean gap.
        """
        found = {"rows": np.diff(starts).astype(float)}
        for feature in features:
            found |= self._category(feature, starts) if feature.levels else _number(feature, starts)
            if feature.name in self.gaps:
                found[f"{feature.name} missing"] = means(np.isnan(feature.values).astype(float), starts)
        if time is not None:
            span = _ends(time, starts, last=True) - _ends(time, starts, last=False)
            found["span"] = span
            steps = found["rows"] - 1
            found["mean gap"] = np.divide(span, steps, out=np.full(len(span), np.nan), where=steps > 0)
        return pl.DataFrame(found).fill_nan(None)

    def _category(self, feature: Feature, starts: np.ndarray) -> dict[str, np.ndarray]:
        name, values = feature.name, feature.values
        gone = np.isnan(values)
        shares = {f"{name} = {feature.labels[i]}": means(np.where(gone, np.nan, values == i), starts)
                  for i in self.tops.get(name, ())}
        same = _ends(values, starts, last=True) == _ends(values, starts, last=False)
        return {**shares, f"{name} different": _different(values, starts, feature.levels),
                f"{name} ends as it began": np.where(np.diff(starts) > 0, same.astype(float), np.nan)}


def grouped(at: np.ndarray, parents: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the order that puts children parent after parent, and where each parent's begin.

    Children that point nowhere (below 0) are left out; those of one parent keep their order.

    Examples
    --------
    >>> order, starts = grouped(np.array([2, 0, -1, 2]), 3)
    >>> order.tolist(), starts.tolist()
    ([1, 0, 3], [0, 1, 1, 3])
    """
    order = np.argsort(at, kind="stable")[int((at < 0).sum()):]
    counts = np.bincount(at[order], minlength=parents)
    return order, starts_of(counts)


def features_of(frame: pl.DataFrame) -> list[Feature]:
    """Return aggregates as features of numbers, null as NaN, to nine digits.

    The last digits go by the order in which rows were added up, which may tell nothing; a judge would find them.
    """
    return [Feature(name, _nine_digits(frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy()))
            for name in frame.columns]


def _nine_digits(values: np.ndarray) -> np.ndarray:
    part, power = np.frexp(values)
    return np.ldexp(np.round(part * 2**30), power - 30)


def top_levels(feature: Feature, most: int, least: int = K) -> list[tuple[int, str]]:
    """Return the codes and names of a category's most frequent levels, of those that `least` rows hold."""
    known = feature.values[~np.isnan(feature.values)].astype(np.int64)
    counts = np.bincount(known, minlength=feature.levels)[:len(feature.labels)]
    return [(int(i), feature.labels[i]) for i in np.argsort(-counts, kind="stable")[:most] if counts[i] >= least]


def _top(feature: Feature, levels: int, least: int) -> tuple[int, ...]:
    """The most frequent levels that have a name; where there are two in all, one says what the other does."""
    found = [i for i, _ in top_levels(feature, levels, least)]
    two = len(found) == 2 and bool((np.isnan(feature.values) | np.isin(feature.values, found)).all())
    return (max(found),) if two else tuple(found)


def _number(feature: Feature, starts: np.ndarray) -> dict[str, np.ndarray]:
    name, values = feature.name, feature.values
    known = np.bincount(_entities(starts), (~np.isnan(values)).astype(float), len(starts) - 1)
    # By each entity's own mean, and nothing else: the same rows must give the same figures to the last bit on either
    # side, for a judge finds the least difference.
    mean = means(values, starts)
    square = means((values - np.repeat(mean, np.diff(starts))) ** 2, starts)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt(square * known / (known - 1))
    return {f"{name} mean": mean, f"{name} sd": np.where(known > 1, spread, np.nan),
            f"{name} least": extremes(values, starts, np.fmin), f"{name} most": extremes(values, starts, np.fmax),
            f"{name} first": _ends(values, starts, last=False), f"{name} last": _ends(values, starts, last=True)}


def _entities(starts: np.ndarray) -> np.ndarray:
    return np.repeat(np.arange(len(starts) - 1), np.diff(starts))


def means(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the mean of each entity's known values; NaN where there are none."""
    of, known = _entities(starts), ~np.isnan(values)
    count = np.bincount(of, known.astype(float), len(starts) - 1)
    total = np.bincount(of, np.where(known, values, 0.0), len(starts) - 1)
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)


def extremes(values: np.ndarray, starts: np.ndarray, way: np.ufunc) -> np.ndarray:
    """Return the least, or the greatest, of each entity's values; NaN where it has no rows."""
    out, held = np.full(len(starts) - 1, np.nan), np.diff(starts) > 0
    if held.any():
        out[held] = way.reduceat(values, starts[:-1][held])
    return out


def _ends(values: np.ndarray, starts: np.ndarray, *, last: bool) -> np.ndarray:
    out, held = np.full(len(starts) - 1, np.nan), np.diff(starts) > 0
    out[held] = values[(starts[1:] - 1 if last else starts[:-1])[held]]
    return out


def _different(values: np.ndarray, starts: np.ndarray, levels: int) -> np.ndarray:
    """How many different levels each entity has; NaN where it has no rows."""
    of, known = _entities(starts), ~np.isnan(values)
    pairs = np.unique(of[known] * max(levels, 1) + values[known].astype(np.int64))
    counts = np.bincount(pairs // max(levels, 1), minlength=len(starts) - 1).astype(float)
    return np.where(np.diff(starts) > 0, counts, np.nan)
