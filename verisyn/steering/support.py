"""Where an intervention leaves what the model has seen, and on how many rows its answer effectively rests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from verisyn.drawing import Drawing
from verisyn.steering.settings import Setting

_NEAR = 0.05
"""A number's neighbourhood: the values within this share of all rows to either side."""
_SLIM, _THIN = 0.01, 0.1
"""What is set has no support in a row if such a value has a chance of less than this, and of less than a tenth of its
usual one, given the columns before it."""
_LEAST = 1e-9
ENOUGH = 0.95
"""With support in fewer rows an intervention raises an alarm."""


@dataclass(frozen=True)
class Support:
    """How far the model has seen the like of what is set.

    Parameters
    ----------
    column : str
    rows : int
        Rows of the model that were looked at.
    outside, slim, supported : float
        Shares of them: beyond the range that the model draws; with hardly a chance of such a value given the columns
        before it; neither.
    effective : float
        Of the rows learnt from, the share on which the answer effectively rests, 0 to 1: the effective sample size
        (Kish 1965) of learnt rows weighted to have what is set as their value. Only where there is support.
    span : str
        The range that the model draws, in words.
    level : bool
        Whether it is a level, or missing, rather than a number.
    """

    column: str
    rows: int
    outside: float
    slim: float
    supported: float
    effective: float
    span: str
    level: bool

    @property
    def said(self) -> list[str]:
        """Where there is no support, in words."""
        found = []
        if self.outside:
            found.append(f"In {self.outside:.1%} of rows {self.column!r} leaves the range that the model draws "
                         f"({self.span}): the others respond as to the end of that range.")
        if self.slim:
            value = "such a value" if self.level else "a value near that"
            found.append(f"In {self.slim:.1%} of rows the model gives {self.column!r} {value} a chance of less than "
                         f"{_SLIM:.0%}, given the columns before it: how the others respond there is extrapolated.")
        return found

    @property
    def rests_on(self) -> str:
        """The figure in words."""
        if not self.supported:
            return f"For {self.column!r} the answer rests on no row that the model learnt from."
        where = f"For {self.column!r}" if self.supported > 1 - _LEAST else f"Where {self.column!r} has support,"
        return (f"{where} the answer rests on effectively {self.effective:.0%} of the rows that the model learnt from.")

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"column": self.column, "supported": round(self.supported, 4), "outside_range": round(self.outside, 4),
                "hardly_seen": round(self.slim, 4), "effective_share_of_rows": round(self.effective, 4)}


def support_of(setting: Setting, codes: np.ndarray, before: np.ndarray | None, settled: pl.DataFrame,
               usual: pl.DataFrame, drawing: Drawing) -> Support:
    """Look at rows in which a column is set.

    Parameters
    ----------
    setting : Setting
    codes : int32 array of shape (rows, parts)
        With the column set.
    before : int32 array of shape (rows, own parts), optional
        The codes that a changed column had.
    settled : DataFrame
        The values that were set.
    usual : DataFrame
        As many rows that the model draws by itself.
    drawing : Drawing
    """
    known, rows = setting.feature(usual), len(codes)
    look = _Look(setting, drawing, np.asarray(setting.coder.encode(usual)[:, 0]), known.values, _finest(known.values))
    level = bool(known.levels) or setting.wish is None or not look.ordered
    outside, span = np.zeros(rows, bool), ""
    if not level:
        values = setting.feature(usual.with_columns(settled.get_columns())).values
        low, high = np.nanmin(known.values), np.nanmax(known.values)
        outside, span = (values < low) | (values > high), _span(usual[setting.column])
    chance, share, width = look.near(codes, codes[:, setting.where.start])
    slim = (chance < _SLIM) & (chance < _THIN * share) & ~outside
    ratio = 1 / np.maximum(chance, _LEAST)
    if setting.is_change and before is not None:
        was, _, was_width = look.near(codes, before[:, 0])
        ratio = ratio * was * width / was_width
        still = before[:, 0] == look.missing
        slim, ratio = slim & ~still, np.where(still, 1.0, ratio)
    good = ~slim & ~outside
    effective = min(1.0, 1 / float(ratio[good].mean())) if good.any() else 0.0
    return Support(setting.column, rows, float(outside.mean()), float(slim.mean()), float(good.mean()), effective,
                   span, level)


@dataclass(frozen=True)
class _Look:
    """A column's first part: how likely codes near a code are, given the columns before it."""

    setting: Setting
    drawing: Drawing
    usual: np.ndarray
    values: np.ndarray
    finest: float

    @property
    def part(self) -> int:
        return self.setting.where.start

    @property
    def ordered(self) -> bool:
        return self.drawing.coder.parts[self.part].ordered

    @property
    def missing(self) -> int:
        missing = self.drawing.coder.parts[self.part].missing
        return missing if missing >= 0 else -2

    def near(self, codes: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return for each row the chance of a code near its own, that chance on average, and how wide 'near' is."""
        chance, share, width = (np.zeros(len(own)) for _ in range(3))
        for code in np.unique(own):
            rows, mask = np.flatnonzero(own == code), self._mask(int(code))
            blank = codes[rows]
            blank[:, self.part] = -1
            _, log_p = self.drawing.fitted.complete(blank, np.random.default_rng(0), {self.part: mask})
            chance[rows] = np.exp(log_p[:, self.part])
            share[rows], width[rows] = mask[self.usual].mean(), self._width(mask)
        return chance, share, width

    def _mask(self, code: int) -> np.ndarray:
        """The codes near one: of a number those of the rows next to it, else the code alone, or those that give it."""
        if self.part in self.setting.allowed:
            return self.setting.allowed[self.part]
        size = self.drawing.coder.parts[self.part].size
        mask = np.arange(size) == code
        if self.ordered and code != self.missing:
            mass = np.bincount(self.usual[self.usual != self.missing], minlength=size) / max(len(self.usual), 1)
            middle = np.cumsum(mass) - mass / 2
            mask |= (np.abs(middle - middle[code]) <= _NEAR) & (np.arange(size) != self.missing)
        return mask

    def _width(self, mask: np.ndarray) -> float:
        """How far apart the values of some codes lie."""
        inside = self.values[mask[self.usual] & np.isfinite(self.values)]
        return float(np.ptp(inside) if len(inside) else 0.0) + self.finest


def _finest(values: np.ndarray) -> float:
    steps = np.diff(np.unique(values[np.isfinite(values)]))
    return float(steps.min()) if len(steps) else 1.0


def _span(values: pl.Series) -> str:
    inside = values.drop_nulls().sort()
    return " to ".join(map(str, (inside.first(), inside.last())))
