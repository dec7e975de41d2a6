"""Tails beyond the greatest observed value: a column ends with a fitted generalised Pareto distribution."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from verisyn.drawing import Drawing
from verisyn.errors import UserError, did_you_mean
from verisyn.findings import Finding, Verdict
from verisyn.modalities.table._views import TableCoder

Asked = str | Sequence[str] | Mapping[str, float]
"""Columns, each perhaps with the share of rows that its tail is fitted to and drawn anew in; ``-name`` is a low end."""

_SHARE, _LEAST, _OWN_ROWS = 0.05, 50, 100_000
_POOR_FIT, _LEVELS = 0.05, (0.99, 0.999, 0.9999)
MARK = "{}_extrapolated"
"""The name of the column that marks values beyond all that the model draws."""


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

    @property
    def most(self) -> float:
        """The greatest value that the model draws, times `sign`."""
        return float(self.own[-1])

    def lengthened(self, values: pl.Series, rng: np.random.Generator) -> tuple[pl.Series, np.ndarray]:
        """Replace values beyond the threshold by those of the same rank in the fit; say which lie beyond all."""
        from scipy.stats import genpareto

        x = self.sign * values.cast(pl.Float64).fill_null(math.nan).to_numpy()
        beyond = np.flatnonzero(x > self.threshold)
        low, high = (np.searchsorted(self.own, x[beyond], side) for side in ("left", "right"))
        rank = (low + rng.random(len(beyond)) * np.maximum(high - low, 1)) / (len(self.own) + 1)
        new = self.threshold + genpareto.ppf(np.clip(rank, 0, 1 - 1e-12), self.shape, scale=self.scale)
        x[beyond] = new
        out = pl.Series(values.name, self.sign * x).fill_nan(None)
        out = out.round(0 if values.dtype.is_integer() else _decimals(values))
        return out.cast(values.dtype, strict=False), self.sign * out.fill_null(math.nan).to_numpy() > self.most

    def level(self, p: float) -> tuple[float, tuple[float, float]]:
        """Return the quantile `p` of the column by the fitted tail, with its 95 % interval (delta method)."""
        def at(shape: float, scale: float) -> float:
            ratio = (1 - p) / self.share
            grown = -math.log(ratio) if abs(shape) < 1e-9 else (ratio ** -shape - 1) / shape
            return self.threshold + scale * grown

        value, step = at(self.shape, self.scale), 1e-4
        slopes = [(at(self.shape + step, self.scale) - value) / step,
                  (at(self.shape, self.scale * math.exp(step)) - value) / step]
        half = 1.96 * math.hypot(*(s * e for s, e in zip(slopes, self.errors, strict=True)))
        return value, (value - half, value + half)


@dataclass(frozen=True)
class Tails:
    """The tails that were asked for: columns, ends, and shares of rows."""

    asked: tuple[tuple[str, int, float], ...]

    @classmethod
    def read(cls, wish: Asked, coder: TableCoder) -> Tails:
        """Check columns.

        Examples
        --------
        >>> import verisyn as vs
        >>> model = vs.fit(pl.DataFrame({"loss": [float(i * i) for i in range(200)]}), audit=False)
        >>> Tails.read(["loss"], model.coder).asked
        (('loss', 1, 0.05),)

        Raises
        ------
        UserError
            If a column is unknown, or a share is not between 0 and a half.
        """
        wish = [wish] if isinstance(wish, str) else wish
        pairs = wish.items() if isinstance(wish, Mapping) else [(name, _SHARE) for name in wish]
        found = []
        for name, share in pairs:
            low = name not in coder.columns and str(name).startswith("-")
            column = str(name)[1:] if low else str(name)
            if column not in coder.columns:
                raise UserError(f"tails names the column {column!r}, which is not there. "
                                f"{did_you_mean(column, coder.columns)}")
            if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 0.5:
                raise UserError(f"The tail of {column!r} shall hold {share!r} of the rows; a number above 0 and up to "
                                "0.5 was expected, such as 0.05.")
            found.append((column, -1 if low else 1, float(share)))
        return cls(tuple(found))

    @property
    def columns(self) -> frozenset[str]:
        """The columns that get longer tails."""
        return frozenset(column for column, _, _ in self.asked)

    def learn(self, drawing: Drawing, rows: int) -> list[Tail]:
        """Fit the tails to the model's own rows; `rows` is how many it learnt from.

        Raises
        ------
        UserError
            If a column holds no numbers, or too few different ones lie beyond the threshold.
        """
        own = drawing.blocks(_OWN_ROWS, np.random.SeedSequence([drawing.seed, 0x7A11]))
        return [_fitted(own[column], sign, share, rows) for column, sign, share in self.asked]


def lengthened(frame: pl.DataFrame, tails: Sequence[Tail], rng: np.random.Generator) -> pl.DataFrame:
    """Return the rows with longer tails, and a column for each that marks values beyond all that the model draws."""
    marks: dict[str, np.ndarray] = {}
    for tail in tails:
        column, beyond = tail.lengthened(frame[tail.column], rng)
        frame = frame.with_columns(column)
        marks[tail.column] = marks.get(tail.column, False) | beyond
    return frame.with_columns(pl.Series(MARK.format(name), mark) for name, mark in marks.items())


def tell(frame: pl.DataFrame, tails: Sequence[Tail], say: Callable[[str, bool], None]) -> None:
    """Say what the tails are, how many values lie beyond all that the model draws, and where a fit is doubtful."""
    for tail in tails:
        count = int(frame[MARK.format(tail.column)].sum())
        end = "greatest" if tail.sign > 0 else "least"
        heavy = " Its mean is infinite: sums and means of it do not settle." if tail.shape >= 1 else ""
        poor = f" It fits badly (p = {tail.p:.2g}): what lies beyond is doubtful." if tail.p < _POOR_FIT else ""
        say(f"The tail of {tail.column!r} beyond {tail.sign * tail.threshold:.6g} is a generalised Pareto distribution "
            f"of shape {tail.shape:.2f} (standard error {tail.errors[0]:.2f}). {count:,} of {frame.height:,} values "
            f"lie beyond {tail.sign * tail.most:.6g}, the {end} that the model draws; they are extrapolated, and "
            f"marked in {MARK.format(tail.column)!r}.{heavy}{poor}", bool(heavy or poor))


def finding(tails: Sequence[Tail], frame: pl.DataFrame) -> Finding:
    """Return what the tails are: quantiles by the fit, with intervals, beside those that the model draws."""
    rows, items = [], []
    for tail in tails:
        own_share = tail.share
        for p in _LEVELS:
            if 1 - p >= own_share:
                continue
            value, (low, high) = sorted_level(tail, p)
            place = 1 - (1 - p) / own_share
            own = tail.sign * float(np.quantile(tail.own, place))
            items.append({"name": f"{tail.column}: quantile {p if tail.sign > 0 else round(1 - p, 6)}", "value": value,
                          "reference": own, "interval": [low, high], "note": f"one row in {1 / (1 - p):,.0f}"})
        rows.append({"column": tail.column, "threshold": tail.sign * tail.threshold, "shape": tail.shape,
                     "scale": tail.scale, "p_of_the_fit": tail.p,
                     "extrapolated": int(frame[MARK.format(tail.column)].sum())})
    doubtful = [t.column for t in tails if t.p < _POOR_FIT or t.shape >= 1]
    verdict: Verdict = "fair" if doubtful else "good"
    said = "; ".join(f"{t.column!r}: shape {t.shape:.2f}, {r['extrapolated']:,} of {frame.height:,} values beyond all "
                     f"that the model draws" for t, r in zip(tails, rows, strict=True))
    said += f". Doubtful: {', '.join(map(repr, doubtful))}." if doubtful else "."
    return Finding(
        "steering.tails", "What lies beyond the observed extremes?", verdict, said,
        "good: the generalised Pareto form is not rejected at 5 % and its mean is finite; fair: otherwise. Nothing "
        "beyond the data can be verified by the data.",
        details={"tails": rows, "items": items, "items_say": {"value": "quantile by the fitted tail",
                                                              "reference": "quantile of the model's rows", "lead": ""}},
        definition="A generalised Pareto distribution is fitted by maximum likelihood to the values of the model's own "
                   "rows beyond a threshold; values beyond it are replaced by those of the same rank in that "
                   "distribution. Intervals are for as many rows as the model learnt from.",
        references=("https://doi.org/10.1007/978-1-4471-3675-0",))


def sorted_level(tail: Tail, p: float) -> tuple[float, tuple[float, float]]:
    """Return a quantile by the fitted tail in the column's own units, with its interval in order."""
    value, ends = tail.level(p)
    low, high = sorted(tail.sign * e for e in ends)
    return tail.sign * value, (low, high)


def _fitted(values: pl.Series, sign: int, share: float, rows: int) -> Tail:
    from scipy.stats import genpareto, kstest

    if not values.dtype.is_numeric():
        raise UserError(f"The tail of {values.name!r} cannot be lengthened: it holds {values.dtype}, not numbers.")
    x = np.sort(sign * values.cast(pl.Float64).drop_nulls().drop_nans().to_numpy())
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
    errors = ((1 + shape) / math.sqrt(seen), math.sqrt(2 * (1 + max(shape, 0)) / seen))  # Smith 1987, shape above -1/2
    return Tail(values.name, sign, threshold, len(own) / len(values), float(shape), float(scale), own, p, errors)


def _grid(values: np.ndarray) -> float:
    """The least step between values."""
    steps = np.diff(np.unique(values))
    return float(steps.min()) if len(steps) else 0.0


def _decimals(values: pl.Series) -> int:
    """How many decimals the values are written with, at most ten."""
    known = values.drop_nulls()[:2_000].to_numpy()
    return next((d for d in range(11) if np.allclose(known, np.round(known, d), rtol=0, atol=1e-12)), 10)
