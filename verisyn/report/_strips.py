"""The strip beside a finding: its value and interval, between the floor and the ceiling."""

from __future__ import annotations

from dataclasses import dataclass

from verisyn.findings import Finding

_MARGIN = 0.07
_LEAST_SPAN = 0.05
"""A strip spans at least this share of 1 (or of the largest value), lest noise fill it from end to end."""


@dataclass(frozen=True)
class Strip:
    """Positions on a strip, in percent of its width; further right is better."""

    value: float
    low: float
    high: float
    floor: float | None
    ceiling: float | None


def strip(finding: Finding) -> Strip | None:
    """Lay out the strip of a finding; None where there is nothing to place.

    Where a finding does not tell its best and worst value, the ceiling is drawn on the better side; where floor and
    ceiling are too close to tell which side that is, the value is drawn on the worse side of the ceiling, since nothing
    but luck is better than real rows.

    Examples
    --------
    >>> laid = strip(Finding("a.b", "?", "good", "", value=0.6, interval=(0.58, 0.62), floor=0.9, ceiling=0.5))
    >>> laid.floor < laid.value < laid.ceiling
    True
    """
    value, interval, floor, ceiling = finding.value, finding.interval, finding.floor, finding.ceiling
    if value is None:
        return None
    low, high = interval or (value, value)
    points = [p for p in (value, low, high, floor, ceiling) if p is not None]
    least, most = min(points), max(points)
    width = max(most - least, _LEAST_SPAN * max(1.0, *map(abs, points)))
    start, width = (least + most - width) / 2 - _MARGIN * width, width * (1 + 2 * _MARGIN)
    down = _lower_is_better(finding, width)

    def place(point: float | None) -> float | None:
        share = None if point is None else (point - start) / width
        return None if share is None else round(100 * (1 - share if down else share), 2)

    ends = sorted((place(low) or 0.0, place(high) or 0.0))
    return Strip(place(value) or 0.0, ends[0], ends[1], place(floor), place(ceiling))


def _lower_is_better(finding: Finding, width: float) -> bool:
    if finding.best is not None and finding.worst is not None:
        return finding.best < finding.worst
    if finding.ceiling is None or finding.value is None:
        return False
    if finding.floor is not None and abs(finding.floor - finding.ceiling) > width / 4:
        return finding.floor > finding.ceiling
    return finding.value > finding.ceiling
