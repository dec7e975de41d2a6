"""Wanted shares and means: the model's rows are tilted towards them, as little as that takes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from verisyn.conditions import Condition, parse
from verisyn.errors import UserError
from verisyn.steering.conditional import Rows

Wanted = Mapping[str, Any]
"""A column with its mean, a column with the shares of some of its levels, or a condition with its share."""

_LOOKED_AT = (20_000, 100_000)
_STEEPEST = 30.0
_LEAST_ACCEPTANCE = 2e-3


@dataclass(frozen=True)
class Target:
    """A share of rows that meet a condition, or the mean of a column's known values."""

    name: str
    wanted: float
    condition: Condition | None = None

    def values(self, frame: pl.DataFrame) -> np.ndarray:
        """Return what is to be averaged, float64 (rows,): NaN where a number is missing."""
        if self.condition:
            return self.condition.holds(frame).astype(float)
        column = frame[self.name]
        if not column.dtype.is_numeric():
            raise UserError(f"A mean is wanted of {self.name!r}, which holds {column.dtype}, not numbers. Give shares "
                            f"of its values, such as {{{self.name!r}: {{value: 0.5}}}}.")
        return column.cast(pl.Float64).fill_null(math.nan).to_numpy()

    def __str__(self) -> str:
        return f"share of {self.name}" if self.condition else f"mean of {self.name}"


@dataclass(frozen=True)
class Outcome:
    """How a target was met."""

    target: Target
    got: float
    tolerance: float

    @property
    def met(self) -> bool:
        """Whether it was met within the tolerance."""
        return abs(self.got - self.target.wanted) <= self.tolerance

    def __str__(self) -> str:
        return (f"Target {'met' if self.met else 'NOT met'}: {self.target}: wanted {self.target.wanted:.4g}, got "
                f"{self.got:.4g} (tolerance {self.tolerance:.2g}).")


@dataclass(frozen=True)
class Targets:
    """What is wanted of all rows together."""

    targets: tuple[Target, ...]

    @classmethod
    def read(cls, wanted: Wanted, columns: Sequence[str]) -> Targets:
        """Check targets.

        Examples
        --------
        >>> wanted = {"age": 45, "income": {">50K": 0.5}, "age < 30": 0.2}
        >>> [str(t) for t in Targets.read(wanted, ["age", "income"]).targets]
        ['mean of age', "share of `income` == '>50K'", 'share of age < 30']

        Raises
        ------
        UserError
            If a target names an unknown column, is no number, or is a share below 0 or above 1.
        """
        if not isinstance(wanted, Mapping):
            raise UserError(f"The targets are {wanted!r}, but a mapping is expected, such as {{'age': 45, 'income': "
                            "{'>50K': 0.5}, 'age < 30': 0.2}.")
        found: list[Target] = []
        for name, wish in wanted.items():
            if isinstance(wish, Mapping):
                shares = [_share({name: level}, share, columns) for level, share in wish.items()]
                total = sum(t.wanted for t in shares)
                if total > 1 + 1e-9:
                    raise UserError(f"The shares wanted of {name!r} sum to {total:g}, more than 1. Lower them; levels "
                                    "that are not named share the rest.")
                found += shares
            elif name in columns:
                found.append(Target(name, _number(name, wish)))
            else:
                found.append(_share(name, wish, columns))
        return cls(tuple(found))

    def outcomes(self, frame: pl.DataFrame) -> list[Outcome]:
        """Say how rows meet the targets; the tolerance is three standard errors of the rows and of finding the tilt."""
        noise = math.sqrt(1 / max(frame.height, 1) + 1 / _LOOKED_AT[0])
        values = [t.values(frame) for t in self.targets]
        return [Outcome(t, float(np.nanmean(v)), 3 * float(np.nanstd(v)) * noise)
                for t, v in zip(self.targets, values, strict=True)]

    def centred(self, frame: pl.DataFrame) -> np.ndarray:
        """Return (rows, targets): values less what is wanted, 0 where missing; their means are to be 0."""
        return np.column_stack([np.nan_to_num(t.values(frame) - t.wanted) for t in self.targets])


@dataclass(frozen=True)
class Tilt:
    """Weights ``exp(slopes · centred values)``: of all that meet the targets, the nearest to the model.

    The I-projection of the model onto the targets (Csiszár 1975), which raking approaches for margins (Deming and
    Stephan 1940). The slopes minimise a convex function on the model's own rows; a row is then accepted in proportion
    to its weight, so that no row repeats.
    """

    targets: Targets
    slopes: np.ndarray
    bound: float

    @classmethod
    def towards(cls, targets: Targets, wished: Rows, rows: int, root: np.random.SeedSequence) -> Tilt:
        """Find the slopes on the model's own rows.

        Raises
        ------
        UserError
            If the targets contradict one another, or the model hardly draws such rows; with the nearest that it can do.
        """
        frame, _ = wished.draw(int(np.clip(2 * rows, *_LOOKED_AT)), root)
        _refuse_absent(targets, frame)
        centred = targets.centred(frame)
        slopes = _solved(centred)
        near = _bearable(centred, slopes)
        if not np.array_equal(near, slopes) or not _meets(centred, slopes):
            raise _unreachable(targets, frame, centred @ near)
        return cls(targets, slopes, float((centred * slopes).sum(axis=1).max()))

    def keep(self, frame: pl.DataFrame, rng: np.random.Generator) -> np.ndarray:
        """Say which rows stay."""
        tilt = (self.targets.centred(frame) * self.slopes).sum(axis=1)
        return np.log(rng.random(frame.height)) < tilt - self.bound


def _share(given: Any, share: Any, columns: Sequence[str]) -> Target:
    condition = parse(given, columns)
    number = _number(condition.text, share)
    if not 0 <= number <= 1:
        raise UserError(f"The share wanted of {condition.text} is {number:g}. Shares lie between 0 and 1.")
    return Target(condition.text, number, condition)


def _number(name: str, wish: Any) -> float:
    if isinstance(wish, bool) or not isinstance(wish, int | float) or not math.isfinite(wish):
        raise UserError(f"The target for {name} is {wish!r}, but a number is expected: the mean of a column, or the "
                        "share of a condition or level.")
    return float(wish)


def _refuse_absent(targets: Targets, frame: pl.DataFrame) -> None:
    """Refuse what no row of the model is near."""
    for target in targets.targets:
        values = target.values(frame)
        low, high = (np.nanmin(values), np.nanmax(values)) if np.isfinite(values).any() else (math.nan, math.nan)
        if target.condition and not low <= target.wanted <= high:
            raise UserError(f"The {target} cannot be {target.wanted:g}: of {frame.height:,} rows of the model, "
                            f"{'every one' if low else 'none'} meets it.")
        if not low <= target.wanted <= high:
            told = "a value is ever drawn" if math.isnan(low) else f"a value outside {low:g} to {high:g} is ever drawn"
            raise UserError(f"The {target} cannot be {target.wanted:g}: among {frame.height:,} rows of the model, not "
                            f"{told}.")


def _solved(centred: np.ndarray) -> np.ndarray:
    """Minimise log mean exp(slopes · centred): where its gradient is 0, the tilted means are 0."""
    from scipy.optimize import minimize

    scale = np.maximum(centred.std(axis=0), 1e-12)
    z = centred / scale

    def loss(slopes: np.ndarray) -> tuple[float, np.ndarray]:
        log_weight = (z * slopes).sum(axis=1)
        top = log_weight.max()
        weight = np.exp(log_weight - top)
        return top + math.log(weight.mean()), (z * weight[:, None]).sum(axis=0) / weight.sum()

    start = np.zeros(centred.shape[1])
    bounds = [(-_STEEPEST, _STEEPEST)] * len(start)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-13, "gtol": 1e-6})
    return np.array([float(f"{slope:.9g}") for slope in found.x / scale])  # the same bytes on every machine


def _acceptance(log_weight: np.ndarray) -> float:
    return float(np.exp(log_weight - log_weight.max()).mean())


def _bearable(centred: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Shorten the slopes until enough rows would be accepted; they stay as they are where that is so already."""
    for share in np.linspace(1, 0, 101):
        if _acceptance((centred * slopes).sum(axis=1) * share) >= _LEAST_ACCEPTANCE:
            return slopes * share
    return slopes * 0


def _meets(centred: np.ndarray, slopes: np.ndarray) -> bool:
    """Whether the tilted means are what is wanted, within a hundredth of a standard deviation."""
    weight = np.exp((centred * slopes).sum(axis=1) - (centred * slopes).sum(axis=1).max())
    means = (centred * weight[:, None]).sum(axis=0) / weight.sum()
    return bool((np.abs(means) <= 0.01 * np.maximum(centred.std(axis=0), 1e-12)).all())


def _unreachable(targets: Targets, frame: pl.DataFrame, log_weight: np.ndarray) -> UserError:
    weight = np.exp(log_weight - log_weight.max())
    told = []
    for target in targets.targets:
        values = target.values(frame)
        known = np.isfinite(values)
        told.append(f"{target}: wanted {target.wanted:.4g}, nearest "
                    f"{np.average(values[known], weights=weight[known]):.4g}")
    return UserError("The targets cannot be met together by rows that the model draws (at least one candidate in "
                     f"{1 / _LEAST_ACCEPTANCE:,.0f} must stay). Ask for the nearest possible, or less: "
                     f"{'; '.join(told)}.")


def read_targets(text: str) -> dict[str, Any]:
    """Read what the command line gives: YAML, inline or in a file.

    Examples
    --------
    >>> read_targets("{income: {'>50K': 0.5}, age: 45}")
    {'income': {'>50K': 0.5}, 'age': 45}

    Raises
    ------
    UserError
        If it is no mapping.
    """
    path = Path(text)
    try:
        inside = path.read_text(encoding="utf-8") if path.suffix in {".yaml", ".yml", ".json"} else text
        found = yaml.safe_load(inside)
    except OSError as e:
        raise UserError(f"The targets' file {text!r} cannot be read: {e.strerror}.") from None
    except yaml.YAMLError:
        found = None
    if not isinstance(found, dict):
        raise UserError(f"The targets {text!r} could not be read. Write them like: {{age: 45, income: {{'>50K': 0.5}}, "
                        "'age < 30': 0.2}, or give a YAML file.")
    return {str(name): wish for name, wish in found.items()}
