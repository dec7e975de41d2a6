"""The picture of a database: a box a table, parents above their children, and a line a link.

Two drawings are made of it, and the page shows the one that fits: layers for a wide screen, and one table below the
other with the lines beside them for a narrow one. Both are plain SVG, so that they need no script and print well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from verisyn.report._boxes import HEAD, ROW, Drawing, Place, box, label, line
from verisyn.report._database import Database
from verisyn.report._lanes import column
from verisyn.report._layers import Node, layered, ranks, spread

_WIDE, _ACROSS, _GAP = 188.0, 5, 18.0
_BETWEEN = 52.0
_WHOLE = _ACROSS * _WIDE + (_ACROSS - 1) * _GAP


def drawings(told: Database) -> tuple[Drawing, ...]:
    """Return the picture of a database for a wide and for a narrow screen.

    Examples
    --------
    >>> from verisyn.report._database import LinkTold, TableTold
    >>> tables = tuple(TableTold(name, 9, 9, ("id",), ("id",), False) for name in ("orders", "people"))
    >>> link = LinkTold("orders.who", "orders", "people", ("who",), False, True, "1", "1", False)
    >>> wide, narrow = drawings(Database(tables, (link,)))
    >>> [box.title.split(":")[0] for box in wide.boxes], wide.boxes[0].y > wide.boxes[1].y
    (['orders', 'people'], True)
    """
    pairs = [(link.child, link.parent) for link in told.links]
    rank = ranks([t.name for t in told.tables], pairs, _ACROSS)
    return _layers(told, pairs, rank), column(told, rank)


def _layers(told: Database, pairs: Sequence[tuple[str, str]], rank: Mapping[str, int]) -> Drawing:
    layers = layered(rank, pairs)
    at = spread(layers, {t.name: _WIDE for t in told.tables}, _GAP, min(_WHOLE, _whole(layers.rows)))
    ends = _ends(told, at, rank)
    listed = {name: tuple(sorted(told.of(name), key=lambda i: ends.get((i, name), (9e9, 0)))) for name in rank}
    tops, y = [], 0.0
    for row in layers.rows:
        tops.append(y)
        y += HEAD + ROW * max((len(listed[n]) for i, n in row if i < 0), default=0) + _BETWEEN
    places = {name: Place(at[-1, name] - _WIDE / 2, tops[k], _WIDE, listed[name]) for name, k in rank.items()}
    between = [(tops[k], (tops[k + 1] if k + 1 < len(tops) else y) - _BETWEEN) for k in range(len(tops))]
    lines = []
    for i, link in enumerate(told.links):
        child, parent = places[link.child], places[link.parent]
        if link.child == link.parent:
            path, foot = _loop(child, i)
        else:
            passed = [(at[i, str(k)], *between[k]) for k in range(len(tops)) if (i, str(k)) in at]
            path, foot = _fall(child, parent, ends[i, link.child][0], ends[i, link.parent][0], passed)
        lines.append(line(link, child, i, path, "" if link.single else foot))
    right = max(*(p.x + p.width + 18 for p in places.values()), *(x + 4 for x in at.values()))
    return Drawing("wide", round(right), round(y - _BETWEEN + 2),
                   tuple(box(t, places[t.name]) for t in told.tables), tuple(lines), label(told))


def _whole(rows: Sequence[Sequence[Node]]) -> float:
    """Return how wide the picture may be: as wide as its fullest layer, and half a box for lines to lean."""
    most = max(sum(i < 0 for i, _ in row) for row in rows)
    return most * (_WIDE + _GAP) + (_WIDE / 2 if most < _ACROSS else 0.0)


def _ends(told: Database, at: Mapping[Node, float], rank: Mapping[str, int]
          ) -> dict[tuple[int, str], tuple[float, int]]:
    """Return for each link and table at its end where the line meets the box, and whether from below (1) or above."""
    sides: dict[tuple[str, int], list[tuple[float, int]]] = {}
    for i, link in enumerate(told.links):
        for name, other in ((link.child, link.parent), (link.parent, link.child)):
            if name != other:
                under = int(rank[other] > rank[name])
                step = rank[name] + (1 if under else -1)
                sides.setdefault((name, under), []).append((at.get((i, str(step)), at[-1, other]), i))
    found = {}
    for (name, under), met in sides.items():
        apart = min(24.0, (_WIDE - 36) / max(1, len(met) - 1))
        for k, (_, i) in enumerate(sorted(met)):
            found[i, name] = (at[-1, name] + apart * (k - (len(met) - 1) / 2), under)
    return found


def _fall(child: Place, parent: Place, child_x: float, parent_x: float,
          passed: Sequence[tuple[float, float, float]]) -> tuple[str, str]:
    """Draw a line between the layers from parent to child, straight through the layers it passes."""
    down = child.y > parent.y
    start = (parent_x, parent.y + parent.height if down else parent.y)
    end = (child_x, child.y if down else child.y + child.height)
    points = [start]
    for x, top, bottom in passed if down else reversed(passed):
        points += [(x, top), (x, bottom)] if down else [(x, bottom), (x, top)]
    points.append(end)
    path = f"M{start[0]:.1f} {start[1]:.1f}"
    for n, ((ax, ay), (bx, by)) in enumerate(pairwise(points)):
        middle = (ay + by) / 2
        path += f"L{bx:.1f} {by:.1f}" if n % 2 else f"C{ax:.1f} {middle:.1f} {bx:.1f} {middle:.1f} {bx:.1f} {by:.1f}"
    x, y, away = end[0], end[1], -9 if down else 9
    return path, f"M{x - 5:.1f} {y:.1f}L{x:.1f} {y + away:.1f}L{x + 5:.1f} {y:.1f}"


def _loop(place: Place, link: int) -> tuple[str, str]:
    """Draw the line of a table that points to itself, at its right."""
    x, top, row = place.x + place.width, place.y + 16, place.row(link) + 14
    path = f"M{x:.1f} {top:.1f}h7a5 5 0 0 1 5 5V{row - 5:.1f}a5 5 0 0 1 -5 5h-7"
    return path, f"M{x:.1f} {row - 5:.1f}l9 5l-9 5"
