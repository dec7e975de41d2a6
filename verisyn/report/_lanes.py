"""The picture of a database for a narrow screen: tables one below the other, the lines of their links beside them."""

from __future__ import annotations

from collections.abc import Mapping

from verisyn.report._boxes import Drawing, Place, box, label, line
from verisyn.report._database import Database

_NARROW, _STEP, _APART = 340.0, 11.0, 18.0


def column(told: Database, rank: Mapping[str, int]) -> Drawing:
    """Draw one table below the other; the lines run beside them, one lane a parent."""
    names = sorted(rank, key=lambda n: (rank[n], [t.name for t in told.tables].index(n)))
    lanes = _lanes(told, {name: i for i, name in enumerate(names)})
    step = min(_STEP, 88.0 / max(1, len(set(lanes.values()))))
    left = 6.0 + step * (max(lanes.values(), default=-1) + 1) + (8.0 if lanes else 0.0)
    places, y = {}, 0.0
    for name in names:
        places[name] = Place(left, y, _NARROW - left - 1, tuple(told.of(name)))
        y += places[name].height + _APART
    lines = []
    for i, link in enumerate(told.links):
        child, parent = places[link.child], places[link.parent]
        x = left - 8.0 - step * (lanes[link.parent] + 0.5)
        from_y, to_y = parent.y + 16, child.row(i) + 14
        turn = 5.0 if to_y > from_y else -5.0
        path = (f"M{left:.1f} {from_y:.1f}H{x + 5:.1f}Q{x:.1f} {from_y:.1f} {x:.1f} {from_y + turn:.1f}"
                f"V{to_y - turn:.1f}Q{x:.1f} {to_y:.1f} {x + 5:.1f} {to_y:.1f}H{left:.1f}")
        foot = "" if link.single else f"M{left:.1f} {to_y - 5:.1f}l-8 5l8 5"
        lines.append(line(link, child, i, path, foot))
    return Drawing("narrow", _NARROW, round(y - _APART + 2), tuple(box(t, places[t.name]) for t in told.tables),
                   tuple(lines), label(told))


def _lanes(told: Database, order: Mapping[str, int]) -> dict[str, int]:
    """Return a lane for each parent, 0 next to the boxes; the shortest come first, and none share a stretch."""
    spans: dict[str, list[int]] = {}
    for link in told.links:
        ends = [order[link.child], order[link.parent], *spans.get(link.parent, [])]
        spans[link.parent] = [min(ends), max(ends)]
    lanes: dict[str, int] = {}
    for name, (first, last) in sorted(spans.items(), key=lambda s: (s[1][1] - s[1][0], s[1][0])):
        taken = {lanes[n] for n, (a, b) in spans.items() if n in lanes and a <= last and b >= first}
        lanes[name] = next(k for k in range(len(spans)) if k not in taken)
    return lanes
