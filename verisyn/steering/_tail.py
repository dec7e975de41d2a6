"""One tail of a column: a generalised Pareto distribution of what lies beyond a threshold, fitted and drawn from."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from verisyn.errors import UserError
from verisyn.kinds import _lattice as lattices

_LEAST = 50


@dataclass(frozen=True)
class Tail:
    """Peaks over a threshold (Pickands 1975; Coles 2001, chapter 4).

    Parameters
    ----------
    column : str
    sign : int
        1 for the high end, -1 for the low end.
    threshold : float
        Where the tail begins, in the column's units times `sign`.
    share : float
        Of rows beyond the threshold.
    shape, scale : float
        Of the generalised Pareto distribution of what lies beyond.
    own : float array
        The model's own values beyond the threshold, sorted.
    p : float
        Of a Kolmogorov-Smirnov test of the fit, on as many of them as there were training rows.
    errors : (float, float)
        Standard errors of shape and log scale, for as many training rows.
    lattice : Lattice
        The decimals, or the coarser step, that the column's values keep to.
    """

    column: str
    sign: int
    threshold: float
    share: float
    shape: float
    scale: float
    own: np.ndarray
    p: float
    errors: tuple[float, float]
    lattice: lattices.Lattice

    @property
    def most(self) -> float:
        """The greatest value that the model draws, times `sign`."""
        return float(self.own[-1])

    def lengthened(self, values: pl.Series, rng: np.random.Generator) -> pl.Series:
        """Replace values beyond the threshold by those of the same rank in the fit; missing where the type has none."""
        from scipy.stats import genpareto

        x = self.sign * _numbers(values)
        beyond = np.flatnonzero(x > self.threshold)
        low, high = (np.searchsorted(self.own, x[beyond], side) for side in ("left", "right"))
        rank = (low + rng.random(len(beyond)) * np.maximum(high - low, 1)) / (len(self.own) + 1)
        new = self.threshold + genpareto.ppf(np.clip(rank, 0, 1 - 1e-12), self.shape, scale=self.scale)
        new = self.lattice.values(self.lattice.units(self.sign * new))
        return values.clone().scatter(beyond, pl.Series(new).cast(values.dtype, strict=False))

    def beyond_all(self, values: pl.Series) -> np.ndarray:
        """Say which values lie beyond all that the model draws."""
        return self.sign * _numbers(values) > self.most

    def level(self, p: float) -> tuple[float, tuple[float, float]]:
        """Return the value that a share ``1 - p`` lies beyond, by the fit, with its 95 % interval (delta method)."""
        def at(shape: float, scale: float) -> float:
            ratio = (1 - p) / self.share
            grown = -math.log(ratio) if abs(shape) < 1e-9 else (ratio ** -shape - 1) / shape
            return self.threshold + scale * grown

        value, step = at(self.shape, self.scale), 1e-4
        slopes = [(at(self.shape + step, self.scale) - value) / step,
                  (at(self.shape, self.scale * math.exp(step)) - value) / step]
        half = 1.96 * math.hypot(*(s * e for s, e in zip(slopes, self.errors, strict=True)))
        low, high = sorted(self.sign * end for end in (value - half, value + half))
        return self.sign * value, (low, high)


def fitted(values: pl.Series, sign: int, share: float, rows: int) -> Tail:
    """Fit a tail to a model's values by maximum likelihood; `rows` is how many the model learnt from.

    Raises
    ------
    UserError
        If they are no numbers, or too few different ones lie beyond the threshold.
    """
    from scipy.stats import genpareto, kstest

    if not values.dtype.is_numeric():
        raise UserError(f"The tail of {values.name!r} cannot be lengthened: it holds {values.dtype}, not numbers.")
    known = _numbers(values)
    x = np.sort(sign * known[np.isfinite(known)])
    threshold = float(np.quantile(x, 1 - share)) if len(x) else math.nan
    own = x[x > threshold]
    seen = round(rows * len(own) / max(1, len(values)))
    if len(np.unique(own)) < _LEAST or seen < _LEAST:
        raise UserError(f"The tail of {values.name!r} cannot be lengthened: about {seen:,} training rows with "
                        f"{len(np.unique(own)):,} different values lie beyond {sign * threshold:g}, and {_LEAST} of "
                        "both are needed. Give a larger share, or another column.")
    excess = own - threshold
    mean, spread = float(excess.mean()), float(excess.var())
    start = 0.5 * (1 - mean * mean / spread)
    shape, _, scale = genpareto.fit(excess, start, floc=0, scale=max(mean * (1 - start), 1e-9))
    some = np.random.default_rng(0).choice(excess, min(seen, len(excess)), replace=False)
    some = some + _grid(some) * (np.random.default_rng(1).random(len(some)) - 0.5)  # ties of a grid are no misfit
    p = float(kstest(np.maximum(some, 0), genpareto(shape, scale=scale).cdf).pvalue)
    firm = max(float(shape), -0.5)  # Smith 1987 is for shapes above -1/2; below, the estimates settle faster than that
    errors = ((1 + firm) / math.sqrt(seen), math.sqrt(2 * (1 + max(firm, 0)) / seen))
    return Tail(values.name, sign, threshold, len(own) / len(values), float(shape), float(scale), own, p, errors,
                _lattice(values))


def _grid(values: np.ndarray) -> float:
    """The least step between values."""
    steps = np.diff(np.unique(values))
    return float(steps.min()) if len(steps) else 0.0


def _numbers(values: pl.Series) -> np.ndarray:
    """The values as float64, NaN where missing."""
    return values.cast(pl.Float64).fill_null(math.nan).to_numpy()


def _lattice(values: pl.Series) -> lattices.Lattice:
    """The decimals or the step that the values keep to."""
    known = _numbers(values)
    known = known[np.isfinite(known)]
    whole = values.dtype.is_integer()
    return lattices.find(known.astype(np.int64) if whole else known, 2**-23 if values.dtype == pl.Float32 else 2**-52)
