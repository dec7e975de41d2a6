"""SHELF what we ask of synthetic data: fidelity, utility, privacy, fairness.

A metric is one file. It holds

- a docstring: its first line says what is measured, the rest how, with the paper or source;
- ``title``: the question in a person's words;
- ``needs``: the views it reads, a tuple of names: properties of :class:`Side` for rows of a table; ``"order"`` for rows
  in time (:mod:`verisyn.metrics._histories`); ``"links"`` for tables that point to each other
  (:mod:`verisyn.metrics._linked`);
- ``best`` and ``worst``: the values between which it is judged; chance may carry a measure a little beyond;
- ``stand_in``: which real rows play the synthetic data for the ceiling, ``"train"`` or ``"holdout"`` (one half of the
  holdout; the other half stays holdout), or None where the measure itself gives its ceiling (``details["ceiling"]``);
- ``rule``: the rule of the verdict, one sentence;
- ``measure(sides, rng) -> Measure``: the value with its 95 % interval; raises ``NotAnswered`` with the reason; details
  whose keys begin with an underscore are for ``judge`` alone, and told to nobody;
- ``judge(measure, floor, ceiling) -> Judged``, where `floor` and `ceiling` are values or None;
- optionally ``floor = False`` where measuring columns drawn alone would say nothing, or cost too much
  (``details["floor"]`` may then give it);
- optionally ``effort``, the least of :data:`EFFORTS` at which it is asked (``"quick"`` by default);
- optionally ``place``, a number by which findings of one question are ordered (0 by default), and ``sanity = True``
  for a mere sanity check, which is told last;
- optionally ``references``: addresses of the papers or definitions that it follows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from typing import Any, ClassVar, Self
from zlib import crc32

import numpy as np
import polars as pl

from verisyn import shelves
from verisyn.constraints._rules import Rules
from verisyn.errors import UserError, did_you_mean
from verisyn.findings import NotAnswered
from verisyn.kinds import Feature
from verisyn.modalities.table._views import Coarse, TableCoder, coarse_of, vectors_of
from verisyn.schema import Table

COLUMNS = 200
"""A wider table is judged, by classifiers and distances, on a seeded choice of this many columns."""


@dataclass(frozen=True)
class Effort:
    """How much an assessment may cost.

    Parameters
    ----------
    name : str
        ``"quick"``, ``"standard"`` or ``"thorough"``.
    rows : int
        Every side is judged on at most so many rows.
    learnt : int
        Rows, of all sides together, that one judge or model learns from at most.
    attacked : int
        Real rows that an attack by distance is tried on at most.
    tries : int
        How often an attack on chosen rows or predicates is tried.
    shadows : int
        Generators that a shadow attack fits.
    """

    name: str
    rows: int
    learnt: int
    attacked: int
    tries: int
    shadows: int


EFFORTS = {e.name: e for e in (Effort("quick", 10_000, 6_000, 1_000, 500, 0),
                               Effort("standard", 50_000, 20_000, 5_000, 2_000, 0),
                               Effort("thorough", 200_000, 60_000, 20_000, 5_000, 32))}
"""From the cheapest to the dearest."""


def effort_of(name: str) -> Effort:
    """Return the effort of a name.

    Raises
    ------
    UserError
        If there is none of that name.
    """
    if name not in EFFORTS:
        raise UserError(f"There is no effort {name!r}. {did_you_mean(name, EFFORTS)}")
    return EFFORTS[name]


def able(views: Collection[str]) -> list[str]:
    """Return the names of the metrics that can be asked where there are these views."""
    return [name for name in shelves.metrics.names() if {*shelves.metrics.take(name).needs} <= {*views}]


@dataclass(frozen=True)
class Side:
    """One table seen through views that were learnt on the training rows.

    Parameters
    ----------
    frame : polars.DataFrame
        The rows as they are.
    features : sequence of Feature
        Every modelled column at full precision.
    scales : sequence of arrays
        What ``scales_of`` learnt from the training rows, one entry a feature: bins, top levels and ranks rest on it.
    whole : polars.DataFrame, optional
        All rows that were read, where `frame` is a sample of them.
    """

    frame: pl.DataFrame
    features: Sequence[Feature]
    scales: Sequence[np.ndarray]
    whole: pl.DataFrame | None = None

    @classmethod
    def of(cls, frame: pl.DataFrame, coder: TableCoder, scales: Sequence[np.ndarray]) -> Self:
        """See `frame` as `coder` sees it."""
        return cls(frame, coder.features(frame), scales)

    @cached_property
    def coarse(self) -> Coarse:
        """Codes in about ten bins a column: equal-mass bins, the most frequent levels, missing."""
        return coarse_of(self.features, self.scales, self.rows)

    @cached_property
    def vectors(self) -> np.ndarray:
        """Rows as points, float32: ranks in [0, 1], one-hot levels; a mismatch of levels costs 1."""
        return vectors_of(self.features, self.scales, self.rows)

    @property
    def blocks(self) -> list[slice]:
        """Which columns of `vectors` are each feature's, known without making them."""
        wide = [len(s) + 2 if f.levels else 1 for f, s in zip(self.features, self.scales, strict=True)]
        return [slice(end - width, end) for width, end in zip(wide, accumulate(wide), strict=True)]

    @property
    def width(self) -> int:
        """Columns of `vectors`."""
        return max((block.stop for block in self.blocks), default=0)

    @property
    def rows(self) -> int:
        """Rows of this side."""
        return self.frame.height

    def take(self, rows: np.ndarray) -> Side:
        """Return the rows with these indices."""
        return Side(self.frame[rows], [replace(f, values=f.values[rows]) for f in self.features], self.scales)

    def only(self, columns: Sequence[int]) -> Side:
        """Return the features with these indices; `frame` stays whole."""
        return Side(self.frame, [self.features[i] for i in columns], [self.scales[i] for i in columns], self.whole)

    def some(self, most: int, rng: np.random.Generator) -> Side:
        """Return at most `most` rows, drawn without replacement; all of them, in order, where there are no more."""
        return self if self.rows <= most else self.take(np.sort(rng.choice(self.rows, most, replace=False)))


class Shared:
    """Work that metrics share, of sides that have a `seed` and a `_memo`."""

    seed: int
    _memo: dict[Hashable, Any]

    def shared(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return what `make` makes, made once for all metrics that ask these sides under the same key.

        It must not depend on which metric asks first: take randomness from :meth:`rng`, not from a metric's own.
        """
        if key not in self._memo:
            self._memo[key] = make()
        return self._memo[key]

    def rng(self, what: str) -> np.random.Generator:
        """Return the randomness of shared work: the same for the same seed and words."""
        return np.random.default_rng([self.seed, crc32(what.encode())])


@dataclass(frozen=True)
class Sides(Shared):
    """What a metric compares: synthetic rows, the rows the generator saw, and real rows to hold them against.

    Parameters
    ----------
    fake, train, holdout : Side
        Synthetic rows; rows the generator saw; real rows to hold the synthetic ones against.
    target : str, optional
        The column that models are asked to predict.
    unseen : bool
        Whether the generator never saw the holdout; privacy can be measured only against such rows.
    regenerated : tuple of str
        Columns whose values are made afresh and so should not be found in training rows.
    sensitive : tuple of str
        Columns that fairness and attribute inference are asked of; only those that are modelled.
    table : Table, optional
        What each column is.
    coder : TableCoder, optional
        What the views rest on, learnt on the training rows; its ``rules`` are what must hold between columns.
    effort : Effort
        How much this may cost.
    seed : int
        Decides what :meth:`shared` work draws.
    pictured : bool
        Whether details are wanted; of the floor and the ceiling only the value is.
    """

    fake: Side
    train: Side
    holdout: Side
    target: str | None = None
    unseen: bool = True
    regenerated: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()
    table: Table | None = None
    coder: TableCoder | None = None
    effort: Effort = EFFORTS["standard"]
    seed: int = 0
    pictured: bool = True
    _memo: dict[Hashable, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    views: ClassVar = frozenset({"frame", "whole", "features", "scales", "coarse", "vectors"})
    """What metrics may ask for here."""

    @property
    def rules(self) -> Rules:
        """What must hold between columns; empty where nothing is known."""
        return self.coder.rules if self.coder else Rules()

    def index(self, column: str) -> int | None:
        """Return which feature a column is, or None where its values are not modelled as one feature."""
        names = [f.name for f in self.train.features]
        return names.index(column) if column in names else None

    @property
    def strangers(self) -> Side:
        """The holdout, where the generator never saw it.

        Raises
        ------
        NotAnswered
            If the generator may have seen it.
        """
        if not self.unseen:
            raise NotAnswered("there is no holdout that the generator has not seen")
        return self.holdout

    def only(self, columns: Sequence[int]) -> Sides:
        """Return all sides with these features alone."""
        return replace(self, fake=self.fake.only(columns), train=self.train.only(columns),
                       holdout=self.holdout.only(columns))

    def narrowed(self, rng: np.random.Generator, most: int = COLUMNS) -> Sides:
        """Return at most `most` columns, drawn without replacement, the target always among them."""
        features = self.train.features
        if len(features) <= most:
            return self
        drawn = rng.permutation(len(features))
        first = [i for i, f in enumerate(features) if f.name == self.target]
        chosen = list(dict.fromkeys([*first, *(int(i) for i in drawn)]))[:most]
        return self.only(sorted(chosen))


def has_columns(sides: Sides) -> None:
    """Check that there is a column to measure.

    Raises
    ------
    NotAnswered
        If every column holds values that are made afresh.
    """
    if not sides.train.features:
        raise NotAnswered("no column holds values that are modelled")


def enough(rows: dict[str, int], least: int) -> None:
    """Check that no side has too few rows.

    Raises
    ------
    NotAnswered
        Naming the side with the fewest rows, their number and how many are needed.

    Examples
    --------
    >>> enough({"synthetic": 7}, 20)
    Traceback (most recent call last):
        ...
    verisyn.findings.NotAnswered: there are only 7 synthetic rows, and it takes 20
    """
    # Of equally few, the real ones: synthetic rows are judged as many as there are rows to learn from, at most.
    side, count = min(rows.items(), key=lambda told: (told[1], told[0] == "synthetic"))
    if count < least:
        there = f"is only 1 {side} row" if count == 1 else f"are only {count} {side} rows"
        raise NotAnswered(f"there {there}, and it takes {least}")
