"""Published figures: the share of a condition, the mean of a column, a quantile; each a moment that is to be 0."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import polars as pl

from verisyn.errors import UserError
from verisyn.steering._where import Masks, Where

EVERYONE = Where()
_SLACK = 0.01
_ATOM = (0.25, 0.75)


@dataclass(frozen=True)
class Seen:
    """What a figure sees of a frame: a value a row (float64), and which rows count for it (bool)."""

    values: np.ndarray
    counted: np.ndarray

    def share(self, weights: np.ndarray) -> float:
        """Return the share of the rows that count."""
        return float(weights[self.counted].sum() / weights.sum())

    def of(self, rows: int) -> float:
        """Return how many of so many rows would count, at least 1."""
        return max(1.0, rows * float(self.counted.mean()) if len(self.counted) else 0.0)


@dataclass(frozen=True)
class Figure(ABC):
    """What is wanted of all rows together, or of a group of them.

    Parameters
    ----------
    wanted : float
    within : Where
        The group it speaks of; all rows by default.
    known : tuple of str
        Columns that must have a value for a row to count.
    tolerance : float, optional
        How far off is near enough, in the figure's own unit.
    source : str
        Who published it, where and when.
    entry : int
        Which entry of the list of targets it comes from, from 1.
    """

    kind: ClassVar[str]

    wanted: float
    within: Where = EVERYONE
    known: tuple[str, ...] = ()
    tolerance: float | None = None
    source: str = ""
    entry: int = 0

    @property
    @abstractmethod
    def name(self) -> str:
        """The figure in words, without its group."""

    def __str__(self) -> str:
        return f"{self.name} within {self.within.text}" if self.within else self.name

    @abstractmethod
    def seen(self, masks: Masks) -> Seen:
        """Look at a frame."""

    @abstractmethod
    def centred(self, seen: Seen) -> np.ndarray:
        """Return float64 (rows,), 0 where a row does not count; its mean is 0 where the figure is as wanted."""

    @abstractmethod
    def got(self, seen: Seen, weights: np.ndarray) -> float:
        """Return the figure of weighted rows; NaN where no row counts."""

    @abstractmethod
    def margin(self, seen: Seen, rows: int) -> float:
        """Return three standard errors of the figure over so many rows like those that were seen."""

    def slack(self, seen: Seen, weights: np.ndarray) -> float:
        """Return how far from 0 the mean of `centred` may be: by the tolerance, else a hundredth of the spread."""
        spread = float(seen.values[seen.counted].std()) if seen.counted.any() else 0.0
        own = self.tolerance if self.tolerance is not None else max(_SLACK * spread, 1e-3 * abs(self.wanted), 1e-9)
        return own * seen.share(weights)

    def off(self, seen: Seen, weights: np.ndarray) -> float:
        """Return how far weighted rows are from what is wanted, in tolerances (or hundredths of the spread)."""
        if not weights[seen.counted].sum() > 0:
            return math.inf
        return abs(float(self.centred(seen) @ weights) / weights.sum()) / self.slack(seen, weights)

    def placed(self, _seen: Seen) -> Self:
        """Return the figure as it is to be asked of a model whose rows were seen."""
        return self

    def step(self) -> float | None:
        """Return by how much one row more moves the figure, times the rows that count; None where that depends."""
        return None


@dataclass(frozen=True)
class Share(Figure):
    """The share of rows, or of a group's rows, that meet a condition."""

    kind = "share"

    where: Where = EVERYONE

    @property
    def name(self) -> str:
        """The figure in words."""
        return f"share of {self.where.text}"

    def seen(self, masks: Masks) -> Seen:
        """Look at a frame."""
        return Seen(masks.of(self.where).astype(float), masks.of(self.within) & masks.known(self.known))

    def centred(self, seen: Seen) -> np.ndarray:
        """Return what averages to 0."""
        return np.where(seen.counted, seen.values - self.wanted, 0.0)

    def got(self, seen: Seen, weights: np.ndarray) -> float:
        """Return the share of weighted rows."""
        return _mean(seen, weights)

    def margin(self, seen: Seen, rows: int) -> float:
        """Return three standard errors."""
        return 3 * math.sqrt(self.wanted * (1 - self.wanted) / seen.of(rows))

    def step(self) -> float | None:
        """One row is one row."""
        return 1.0


@dataclass(frozen=True)
class Mean(Figure):
    """The mean of a column's known values; with `empty`, missing values count as that."""

    kind = "mean"

    column: str = ""
    empty: float | None = None

    @property
    def name(self) -> str:
        """The figure in words."""
        return f"mean of {self.column}" + ("" if self.empty is None else f", missing as {self.empty:g}")

    def seen(self, masks: Masks) -> Seen:
        """Look at a frame."""
        values = _numbers(self.column, masks, "mean")
        if self.empty is not None:
            values = np.where(np.isnan(values), self.empty, values)
        return Seen(np.nan_to_num(values), masks.of(self.within) & masks.known(self.known) & ~np.isnan(values))

    def centred(self, seen: Seen) -> np.ndarray:
        """Return what averages to 0."""
        return np.where(seen.counted, seen.values - self.wanted, 0.0)

    def got(self, seen: Seen, weights: np.ndarray) -> float:
        """Return the mean of weighted rows."""
        return _mean(seen, weights)

    def margin(self, seen: Seen, rows: int) -> float:
        """Return three standard errors."""
        values = seen.values[seen.counted]
        return 3 * float(values.std()) / math.sqrt(seen.of(rows)) if len(values) else 0.0


@dataclass(frozen=True)
class Quantile(Figure):
    """The value below which a share `at` of a column's known values lies.

    A value that many rows share may be the quantile of several shares. `part` says which part of the rows at the
    wanted value lies below it: half of them, or what the model has of itself, where that is neither few nor many.
    """

    kind = "quantile"

    column: str = ""
    at: float = 0.5
    part: float = 0.5

    @property
    def name(self) -> str:
        """The figure in words."""
        return f"median of {self.column}" if self.at == 0.5 else f"quantile {self.at:g} of {self.column}"

    def seen(self, masks: Masks) -> Seen:
        """Look at a frame."""
        values = _numbers(self.column, masks, "quantile")
        return Seen(np.nan_to_num(values), masks.of(self.within) & masks.known(self.known) & ~np.isnan(values))

    def centred(self, seen: Seen) -> np.ndarray:
        """Return what averages to 0."""
        below = (seen.values < self.wanted) + self.part * (seen.values == self.wanted)
        return np.where(seen.counted, below - self.at, 0.0)

    def got(self, seen: Seen, weights: np.ndarray) -> float:
        """Return the quantile of weighted rows: where it may be several values, the one nearest to what is wanted."""
        order = np.argsort(seen.values[seen.counted], kind="stable")
        values, mass = seen.values[seen.counted][order], np.cumsum(weights[seen.counted][order])
        if not len(values) or not mass[-1] > 0:
            return math.nan
        ends = [np.searchsorted(mass / mass[-1], self.at + sign * 1e-9) for sign in (-1, 1)]
        low, high = (float(values[min(end, len(values) - 1)]) for end in ends)
        return min(max(self.wanted, low), high)

    def margin(self, seen: Seen, rows: int) -> float:
        """Return half the width of the interval between order statistics, at three standard errors."""
        values = seen.values[seen.counted]
        if not len(values):
            return 0.0
        noise = 3 * math.sqrt(self.at * (1 - self.at) / seen.of(rows))
        low, high = np.quantile(values, np.clip([self.at - noise, self.at + noise], 0, 1), method="inverted_cdf")
        return float(high - low) / 2

    def slack(self, seen: Seen, weights: np.ndarray) -> float:
        """Return half the share of rows within the tolerance of what is wanted."""
        own = _SLACK * math.sqrt(self.at * (1 - self.at)) * seen.share(weights)
        if self.tolerance is None:
            return own
        near = seen.counted & (np.abs(seen.values - self.wanted) <= self.tolerance)
        return max(own, float(weights[near].sum() / weights.sum()) / 2)

    def off(self, seen: Seen, weights: np.ndarray) -> float:
        """Return how far weighted rows are from what is wanted, in tolerances."""
        if self.tolerance is None:
            return super().off(seen, weights)
        off = abs(self.got(seen, weights) - self.wanted)
        return math.inf if math.isnan(off) else off / self.tolerance

    def placed(self, seen: Seen) -> Self:
        """Ask no more of a heavy value than the model gives of itself, but keep off its ends."""
        values = seen.values[seen.counted]
        mass = float((values == self.wanted).mean()) if len(values) else 0.0
        below = float((values < self.wanted).mean()) if mass else 0.0
        return replace(self, part=float(np.clip((self.at - below) / mass, *_ATOM))) if mass else self


def _mean(seen: Seen, weights: np.ndarray) -> float:
    mass = weights[seen.counted]
    return float(seen.values[seen.counted] @ mass / mass.sum()) if mass.sum() > 0 else math.nan


def _numbers(name: str, masks: Masks, what: str) -> np.ndarray:
    """Return a column as float64, NaN where missing."""
    column = masks.frame[name]
    if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
        raise UserError(f"A {what} is wanted of {name!r}, which holds {column.dtype}, not numbers. Give shares of its "
                        f"values, such as {{{name!r}: {{value: 0.5}}}}, or the share of a condition.")
    return column.cast(pl.Float64).fill_null(math.nan).to_numpy()


def told(number: float) -> str:
    """Write a figure for a person.

    Examples
    --------
    >>> told(0.21), told(34999.6), told(math.nan)
    ('0.21', '35,000', 'none')
    """
    if math.isnan(number):
        return "none"
    return f"{number:,.0f}" if abs(number) >= 10_000 else f"{number:.4g}"
