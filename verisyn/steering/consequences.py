"""What an intervention changes: rows with the columns set beside rows without, each figure with its interval."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from verisyn.errors import listed
from verisyn.findings import Finding, Verdict
from verisyn.kinds import Feature
from verisyn.metrics._pictures import picture
from verisyn.metrics._stats import wilson
from verisyn.modalities.table._views import TableCoder
from verisyn.steering.reach import Reach
from verisyn.steering.support import ENOUGH, Support

if TYPE_CHECKING:
    from verisyn.steering.intervention import Intervention

_FAIR, _Z = 0.8, 1.96
_TIMES = 2
"""What a refit shows to be smoothed away is counted twice: what codes cut off at the ends is not lost a second time."""
_LEVELS = 5
_DRAWN = 20
SIDES = {"real": "as they are", "fake": "with it set"}
RULE = (f"good: what is set has support in at least {ENOUGH:.0%} of rows, and the causes were given; fair: in "
        f"{_FAIR:.0%}, or only the order in which columns are drawn is known; poor: in fewer")


@dataclass(frozen=True)
class Precision:
    """From how many rows an effect is known.

    Parameters
    ----------
    paired : bool
        Whether rows before and after are pairs.
    learnt : int
        Rows that the model learnt from; 0 where that is not known.
    effective : float
        The share of them on which the answer effectively rests.
    """

    paired: bool
    learnt: int
    effective: float

    def half_width(self, before: np.ndarray, after: np.ndarray, changed: np.ndarray) -> float:
        """Return half of the 95 % interval of a change of means; NaN values are left out.

        It adds what the drawn rows leave open to what the rows learnt from do: at best the semiparametric bound for
        the effect of what was set (Hahn 1998), with the spread that the other columns leave, v, and the effective
        share, e, in place of the propensity scores: (v (1/e - 1) + what the share of changed rows leaves open) / n.
        """
        known = np.isfinite(before) & np.isfinite(after)
        gap, moved = (after - before)[known], changed[known]
        if len(gap) < 2:
            return math.nan
        own = gap[moved] if self.paired and moved.sum() > 1 else gap
        spread = float(own.var()) / 2  # of a pair, each is drawn anew given what stays
        drawn = float(gap.var() if self.paired else before[known].var() + after[known].var()) / len(gap)
        share = float(moved.mean()) if self.paired else 1.0
        shift = share * (1 - share) * float(own.mean()) ** 2
        learnt = (spread * (1 / max(self.effective, 1e-9) - 1) + shift) / self.learnt if self.learnt else 0.0
        return _Z * math.sqrt(drawn + learnt)


@dataclass(frozen=True)
class Shift:
    """How one figure of a column changes: a mean, or the share of a level."""

    column: str
    figure: str
    before: float
    after: float
    half: float
    scale: float
    unit: str = ""
    smoothed: float = 0.0

    @property
    def change(self) -> float:
        """The figure after, less that before."""
        return self.after - self.before

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the change, widened to where it would be without the model's own smoothing."""
        if not math.isfinite(self.half):
            return None
        ends = (self.change, self.change - _TIMES * self.smoothed)
        return min(ends) - self.half, max(ends) + self.half

    @property
    def clear(self) -> bool:
        """Whether the interval of the change leaves out 0."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values: the figure before and after, and its change with the interval."""
        told = {"column": self.column, "figure": self.figure, "before": _said(self.before, self.unit),
                "after": _said(self.after, self.unit), **self._spread("change", _per(self.unit))}
        return {**told, **({"unit": "days"} if self.unit.startswith("seconds since") else {})}

    def item(self) -> dict[str, Any]:
        """Return a point of the dot plot: the change in standard deviations of a number, or as a share of rows."""
        note = f"{_shown(self.before, self.unit)} became {_shown(self.after, self.unit)}"
        return {"name": f"{self.column}: {self.figure}", **self._spread("value", self.scale), "reference": 0.0,
                "note": note}

    def _spread(self, key: str, per: float) -> dict[str, Any]:
        interval = {"interval": [_rounded(end / per) for end in self.interval]} if self.interval else {}
        return {key: _rounded(self.change / per), **interval}


def finding(do: Intervention, before: pl.DataFrame, after: pl.DataFrame, coder: TableCoder, learnt: int,
            again: tuple[pl.DataFrame, pl.DataFrame] | None = None) -> Finding:
    """Return the finding ``steering.do``; see :meth:`Intervention.finding`."""
    reach: Reach = do.kept["reach"]
    supports: list[Support] = do.kept["supports"]
    rows = min(before.height, after.height)
    before, after = before[:rows], after.select(before.columns)[:rows]
    supported = min(s.supported for s in supports)
    staying = do.held(reach, coder)
    paired = reach.causal and all(before[name].equals(after[name]) for name in staying)
    precision = Precision(paired, learnt, min(s.effective for s in supports))
    shifts = list(_shifts(do, reach, before, after, coder, precision))
    if again:
        refitted = {(s.column, s.figure): s.change for s in _shifts(do, reach, *again, coder, precision, every=True)}
        shifts = [replace(s, smoothed=refitted.get((s.column, s.figure), s.change) - s.change) for s in shifts]
    shifts = _worst_first(shifts)
    drawn = [picture(a, b) for a, b in _features(reach, before, after, coder)][:_DRAWN]
    verdict: Verdict = "good" if supported >= ENOUGH and reach.causal else "fair" if supported >= _FAIR else "poor"
    responding = reach.columns(coder)
    details = {
        "value_says": "of the rows have support", "items": [shift.item() for shift in shifts],
        "items_say": {"value": "change, in standard deviations or as a share of rows", "reference": "no change"},
        "changes": [shift.to_dict() for shift in shifts], "support": [s.to_dict() for s in supports],
        "responds": ", ".join(responding) or "none", "stays": ", ".join(staying) or "none",
        "pairs": paired, "rows": rows, "rows_learnt_from": learnt,
        "effective_rows": round(precision.effective * learnt), "smoothing_counted": again is not None,
        "columns": drawn, "sides": SIDES}
    hits = supported * supports[0].rows
    low, high = wilson(hits, supports[0].rows)
    reason = _reason(do, supports, shifts, responding, causal=reach.causal) + _caution(reach, paired)
    return Finding("steering.do", "What would change?", verdict, reason, RULE,
                   value=round(supported, 4), interval=(round(low, 4), round(high, 4)),
                   details=details, best=1.0, worst=0.0, definition=_DEFINITION,
                   references=("https://doi.org/10.1017/CBO9780511803161", "https://doi.org/10.2307/2998560"))


_DEFINITION = (
    "The value is the share of rows in which what is set has support: it lies in the range that the model draws, and "
    "such a value (for a number: one within the tenth of all rows around it) has a chance of at least 1 %, or a tenth "
    "of its usual one, given the columns before it. Intervals of changes add the chance of the draw to that of the "
    "rows learnt from, effectively as many as the support allows (Hahn 1998); where the model was fitted again to its "
    "own rows, they reach to where the change would be without twice the loss seen there. They hold if the causes are "
    "right and leave no common cause out.")


def _features(reach: Reach, before: pl.DataFrame, after: pl.DataFrame,
              coder: TableCoder) -> Iterator[tuple[Feature, Feature]]:
    """The columns that respond, as features of both sides."""
    units = sorted(frozenset().union(*reach.of.values()))
    for own in (coder.coders[i] for i in units):
        yield from zip(own.features(before), own.features(after), strict=True)


def _shifts(do: Intervention, reach: Reach, before: pl.DataFrame, after: pl.DataFrame, coder: TableCoder,
            precision: Precision, *, every: bool = False) -> Iterator[Shift]:
    changed = np.any([before[c].ne_missing(after[c]).to_numpy() for c in sorted(do.columns)], axis=0)
    for one, other in _features(reach, before, after, coder):
        figures = _shares(one, other, every) if one.levels else [("mean", one.values, other.values)]
        for figure, was, becomes in figures:
            if np.isfinite(was).any() and np.isfinite(becomes).any():
                scale = 1.0 if one.levels else float(np.nanstd(was)) or 1.0
                yield Shift(one.name, figure, float(np.nanmean(was)), float(np.nanmean(becomes)),
                            precision.half_width(was, becomes, changed), scale, one.unit)
        gone = [np.isnan(f.values).astype(float) for f in (one, other)]
        if gone[0].any() or gone[1].any():
            yield Shift(one.name, "share missing", float(gone[0].mean()), float(gone[1].mean()),
                        precision.half_width(gone[0], gone[1], changed), 1.0)


def _shares(one: Feature, other: Feature, every: bool) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Whether each row has a level: every one, or those whose shares change most; of two the second says it all."""
    sides = [(f.values[:, None] == np.arange(len(f.labels))).astype(float) for f in (one, other)]
    moved = np.abs(sides[1].mean(axis=0) - sides[0].mean(axis=0))
    order = np.argsort(-moved, kind="stable").tolist()
    kept = order if every else [1] if len(one.labels) == 2 else order[:_LEVELS]
    return [(f"share of {one.labels[i]}", sides[0][:, i], sides[1][:, i]) for i in kept]


def _worst_first(shifts: list[Shift]) -> list[Shift]:
    """The clear changes first, the largest of them before the others."""
    return sorted(shifts, key=lambda s: (not s.clear, -abs(s.change) / s.scale))


def _reason(do: Intervention, supports: Sequence[Support], shifts: Sequence[Shift], responding: list[str], *,
            causal: bool) -> str:
    said = f"If {' and '.join(map(str, do.settings))}: "
    clear = [s for s in shifts if s.clear]
    told = [f"{s.figure} of {s.column!r} from {_shown(s.before, s.unit)} to {_shown(s.after, s.unit)}"
            for s in clear[:3]]
    more = f", and {len(clear) - 3} more figures change" if len(clear) > 3 else ""
    if not responding:
        said += f"nothing responds{', by the causes given' if causal else ': no column is drawn after'}."
    elif told:
        said += f"{'; '.join(told)}{more}."
    else:
        said += f"no change that chance does not explain, among {listed(responding)}."
    weakest = min(supports, key=lambda s: s.supported)
    return f"{said} What is set has support in {weakest.supported:.1%} of rows. {weakest.rests_on}"


def _caution(reach: Reach, paired: bool) -> str:
    """What makes the change something else than the effect of what was set."""
    if not reach.causal:
        return (" No causes were given: this follows the order in which columns are drawn, and is an effect only as "
                "far as that follows the causes.")
    return "" if paired else " The rows before and after are no pairs: another wish, too, makes them differ."


def _per(unit: str) -> float:
    """Changes of moments and durations are told in days, and in seconds."""
    return 86400.0 if unit.startswith("seconds since") else 1.0


def _said(value: float, unit: str) -> float | str:
    return _shown(value, unit) if unit.startswith("seconds since") else _rounded(value)


def _shown(value: float, unit: str) -> str:
    if not unit.startswith("seconds since"):
        return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value)
    return moment.strftime("%Y-%m-%d")


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
