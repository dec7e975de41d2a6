"""How targets were met: what was wanted, what was got, and the finding that tells it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from verisyn.findings import Finding
from verisyn.steering.figures import Figure, Share, told

NAME = "steering.targets"
_ITEMS = 15
_RULE = "good where every figure is met within its tolerance, poor where one is not"
_DEFINITION = (
    "Each figure is computed on the rows that were drawn, and set beside what is wanted. Without a tolerance of its "
    "own a figure may be off by three standard errors of so many rows. 'before' is the same figure of rows that the "
    "model draws without wishes. The value is the largest deviation, in tolerances.")
_PAPERS = ("https://doi.org/10.1214/aop/1176996454", "https://doi.org/10.1093/biomet/91.4.893")


@dataclass(frozen=True)
class Outcome:
    """How a target was met.

    Parameters
    ----------
    target : Figure
    got : float
        NaN where no row counts for it.
    tolerance : float
    rows : int
        How many rows there were.
    counted : int
        How many of them count for it.
    before : float, optional
        The figure of the model's rows without wishes.
    """

    target: Figure
    got: float
    tolerance: float
    rows: int = 0
    counted: int = 0
    before: float | None = None

    @property
    def met(self) -> bool:
        """Whether it was met within the tolerance."""
        return abs(self.got - self.target.wanted) <= self.tolerance * (1 + 1e-9)

    @property
    def off(self) -> float:
        """How far off it is, in tolerances."""
        miss = abs(self.got - self.target.wanted)
        if math.isnan(miss):
            return math.inf
        return miss / self.tolerance if self.tolerance else (math.inf if miss else 0.0)

    @property
    def rows_needed(self) -> int | None:
        """How many rows it takes at least; None where so many were enough, or that cannot be told.

        One row more moves the share of m rows by 1 / m, so it can be off by half of that.
        """
        if not isinstance(self.target, Share) or not self.tolerance or not self.rows:
            return None
        share = max(self.counted, 1) / self.rows
        needed = math.ceil(1 / (2 * self.tolerance * share) - 1e-9)
        return needed if needed > self.rows else None

    def __str__(self) -> str:
        said = (f"Target {'met' if self.met else 'NOT met'}: {self.target}: wanted {told(self.target.wanted)}, got "
                f"{told(self.got)} (tolerance {_short(self.tolerance)}).")
        if math.isnan(self.got):
            return f"{said} No row counts for it: draw more rows, or speak of a larger group."
        if self.met or not self.rows_needed:
            return said
        return (f"{said} {self.counted:,} of {self.rows:,} rows count for it, and one more or less moves it by "
                f"{1 / max(self.counted, 1):.2g}: draw at least {self.rows_needed:,}.")

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values only."""
        return {"target": str(self.target), "entry": self.target.entry, "before": _known(self.before),
                "wanted": self.target.wanted, "got": _known(self.got), "tolerance": self.tolerance, "met": self.met,
                "rows_counted": self.counted, "rows_needed": self.rows_needed, "source": self.target.source}


def notes(outcomes: Sequence[Outcome], most: int = 12) -> list[tuple[str, bool]]:
    """Return a sentence for each outcome, and whether it needs attention; of many that were met, one for all."""
    if len(outcomes) <= most:
        return [(str(o), not o.met) for o in outcomes]
    failed = sorted((o for o in outcomes if not o.met), key=lambda o: -o.off)
    head = f"{len(outcomes) - len(failed)} of {len(outcomes)} targets met within their tolerances."
    told = [(head, False), *((str(o), True) for o in failed[:most])]
    more = len(failed) - most
    return [*told, (f"{more} more targets are NOT met.", True)] if more > 0 else told


def finding(outcomes: Sequence[Outcome], title: str = "") -> Finding:
    """Return what a report says of the targets."""
    ordered = sorted(outcomes, key=lambda o: (o.met, -o.off))
    failed = [o for o in ordered if not o.met]
    worst = max((o.off for o in ordered), default=0.0)
    count = f"{len(ordered) - len(failed)} of" if failed else "All"
    many = f"{count} {len(ordered)} figures are met within their tolerances"
    reason = f"{'The figure is met within its tolerance' if len(ordered) == 1 and not failed else many}"
    reason += f" ({title})." if title else "."
    if failed:
        first = failed[0]
        reason += f" Furthest off: {first.target}, wanted {told(first.target.wanted)}, got {told(first.got)}."
    return Finding(NAME, "Are the published figures met?", "poor" if failed else "good", reason, _RULE,
                   value=_known(worst), best=0.0, details=_details(ordered), definition=_DEFINITION, references=_PAPERS)


def _details(ordered: Sequence[Outcome]) -> dict[str, Any]:
    kinds = ("target", "before", "wanted", "got", "tolerance", "source")
    table = [{**{key: o.to_dict()[key] for key in kinds}, "outcome": "met" if o.met else "NOT met"} for o in ordered]
    alike = [o for o in ordered if isinstance(o.target, Share)] or list(ordered[:1])
    items = [{"name": str(o.target), "value": _known(o.got), "reference": o.target.wanted,
              "note": "" if o.met else "not met"} for o in alike[:_ITEMS] if not math.isnan(o.got)]
    return {"targets": table, "items": items, "items_say": {"value": "share got", "reference": "share wanted"},
            "value_says": "tolerances off, where it is furthest", "figures": len(ordered),
            "met": sum(o.met for o in ordered)}


def _short(tolerance: float) -> str:
    return told(tolerance) if tolerance >= 100 else f"{tolerance:.2g}"


def _known(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else float(number)
