"""Histories drawn side by side, real and synthetic: numbers as lines, categories as strips of colours.

A strip a history, its colour the state at that time, is the sequence index plot of Scherer (2001,
https://doi.org/10.1093/esr/17.2.119). Everything is plain SVG on an area of `WIDTH` by `HEIGHT`, which the page
stretches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Any

import numpy as np

from verisyn.report._words import figure

WIDTH, HEIGHT = 300, 100
MOST_COLUMNS, MOST_HISTORIES, MOST_LINES, MOST_STATES = 12, 30, 8, 6
_POINTS = 5_000
"""About so many points a side and column are drawn; of longer series, the extremes of each stretch."""
_ROUGH = 0.06
"""Lines that move by more than this share of their range from row to row are drawn one below the other."""
_LANES = 5
_REACH = 0.5
"""Synthetic values are drawn as far beyond the real ones as this share of their range."""

Series = tuple[list[float], list[Any]]
"""The times and the values of one history."""


@dataclass(frozen=True)
class Side:
    """One side of a column: a path and its class for each history, or for each state."""

    paths: tuple[tuple[str, str], ...]
    height: int


@dataclass(frozen=True)
class Drawn:
    """One column: both sides on the same axes, the ends of the axis of values, and the names of states.

    `lanes` says that lines stand below each other, `cut` that synthetic values reach beyond the axis, and `course` how
    much a value goes with the one before it.
    """

    name: str
    real: Side
    fake: Side
    low: str
    high: str
    states: tuple[str, ...]
    lanes: bool = False
    cut: bool = False
    course: float = 0.0


@dataclass(frozen=True)
class Histories:
    """All columns, with the ends of the time axis."""

    columns: tuple[Drawn, ...]
    time: str
    first: str
    last: str
    counts: tuple[int, int]
    left: int

    @property
    def some(self) -> Histories:
        """A few columns, for where there is little room: two numbers with the clearest course, one of categories."""
        numbers = sorted((c for c in self.columns if not c.states), key=lambda c: -c.course)
        states = [c for c in self.columns if c.states]
        shown = [*numbers[:max(2, 3 - len(states))], *states[:max(1, 3 - len(numbers))]]
        return replace(self, columns=tuple(c for c in self.columns if c in shown))


def histories(told: Mapping[str, Any]) -> Histories | None:
    """Lay out a finding's detail ``histories``; None where a side is empty.

    Parameters
    ----------
    told : mapping
        ``columns``: names; ``real`` and ``fake``: histories, each a list of one series a column (numbers, text for a
        category, None where missing); ``real_times`` and ``fake_times`` (optional): a list of numbers a history;
        ``time``: what the time is called; ``moments``: whether it is in seconds since 1970.

    Examples
    --------
    >>> laid = histories({"columns": ["wear", "mode"], "real": [[[1, 2, 4], ["a", "a", "b"]]],
    ...                   "fake": [[[1, 3, 3], ["a", "b", "b"]]], "time": "cycle"})
    >>> [(c.name, c.low, c.high, c.states) for c in laid.columns]
    [('wear', '1', '4', ()), ('mode', '', '', ('a', 'b'))]
    """
    sides = {side: list(told[side])[:MOST_HISTORIES] for side in ("real", "fake")}
    times = {side: _times(sides[side], told.get(f"{side}_times")) for side in sides}
    ends = [t for side in times.values() for series in side for t in series]
    if not all(sides.values()) or not ends:
        return None
    first, last = min(ends), max(ends)
    names = list(map(str, told["columns"]))
    series = {side: [[(t, list(map(_known, h[k]))) for t, h in zip(times[side], sides[side], strict=True)]
                     for k in range(len(names))] for side in sides}
    columns = [_column(name, series["real"][k], series["fake"][k], (first, last))
               for k, name in enumerate(names[:MOST_COLUMNS])]
    write = _moment(last - first) if told.get("moments") else _plain
    return Histories(tuple(filter(None, columns)), str(told.get("time") or "row"), write(first), write(last),
                     (len(sides["real"]), len(sides["fake"])), max(0, len(names) - MOST_COLUMNS))


def _known(value: Any) -> Any:
    return value if not isinstance(value, float) or np.isfinite(value) else None


def _times(entities: Sequence[Any], told: Any) -> list[list[float]]:
    """Return the time of each row; where it is not told, rows are counted."""
    given = list(told)[:len(entities)] if told else [None] * len(entities)
    return [[float(t) for t in own] if own else [float(t) for t in range(len(e[0]))]
            for own, e in zip(given, entities, strict=True)]


def _column(name: str, real: list[Series], fake: list[Series], over: tuple[float, float]) -> Drawn | None:
    values = [v for _, series in (*real, *fake) for v in series if v is not None]
    if not values:
        return None
    if any(isinstance(v, str | bool) for v in values):
        return _states(name, real, fake, over)
    own = [v for _, series in real for v in series if v is not None] or values
    rough = len(real) > 1 and _roughness(real, max(own) - min(own)) > _ROUGH
    lanes = min(_LANES, len(real), len(fake)) if rough else 1
    low, high = map(float, np.quantile(own, [0.005, 0.995] if rough else [0.0, 1.0]))
    more = _REACH * ((high - low) or abs(high) or 1.0) * (not rough)
    low, high = max(min(values), low - more), min(max(values), high + more)
    reach = max(own) - min(own)
    cut = min(values) < min(own) - _REACH * reach or max(values) > max(own) + _REACH * reach
    shown = [side[:MOST_LINES] if lanes == 1 else side[:lanes] for side in (real, fake)]
    a, b = (_lines(side, over, (low, high), lanes) for side in shown)
    written = [_plain(end) if float(end).is_integer() else figure(end, high - low) for end in (low, high)]
    return Drawn(name, a, b, written[0], written[1], (), lanes > 1, bool(cut), _course(real))


def _roughness(entities: list[Series], reach: float) -> float:
    """Return by which share of the range a value moves from row to row."""
    moves = [abs(b - a) for _, values in entities for a, b in pairwise(values) if a is not None and b is not None]
    return float(np.mean(moves)) / reach if moves and reach else 0.0


def _course(entities: list[Series]) -> float:
    """Return how much a value goes with the one before it, the mean over histories; 0 where nothing changes."""
    found = []
    for _, values in entities:
        x = np.array([v for v in values if v is not None], dtype=np.float64)
        moves = len(x) > 1 and np.ptp(x) > 0
        x = x - x.mean() if moves else x
        found.append(float((x[1:] * x[:-1]).sum() / (x * x).sum()) if moves else 0.0)
    return float(np.mean(found))


def _lines(entities: list[Series], over: tuple[float, float], reach: tuple[float, float], lanes: int) -> Side:
    """Draw one line a history: all on one another, or each in a lane of its own."""
    low, high = reach
    most = max(16, _POINTS // (2 * len(entities)))
    wide, tall = (over[1] - over[0]) or 1.0, (high - low) or 1.0
    paths, tall_lane = [], HEIGHT / lanes
    for row, (times, values) in enumerate(entities):
        pieces, foot = [], tall_lane * (row % lanes + 1) - 2
        for known, run in groupby(zip(times, values, strict=False), key=lambda p: p[1] is not None):
            if known:
                xs, ys = np.array(list(run), dtype=np.float64).T
                kept = _thinned(ys, max(2, most * len(ys) // max(1, len(values))))
                x = np.round((xs[kept] - over[0]) / wide * WIDTH, 1)
                y = np.round(foot - (np.clip(ys[kept], low, high) - low) / tall * (tall_lane - 4), 1)
                course = "L".join(f"{a:g} {b:g}" for a, b in zip(x, y, strict=True))
                pieces.append(f"M{course}{'h0' if len(x) == 1 else ''}")
        paths.append(("".join(pieces), "few" if lanes > 1 or len(entities) <= 3 else ""))
    return Side(tuple(p for p in paths if p[0]), HEIGHT)


def _thinned(values: np.ndarray, most: int) -> np.ndarray:
    """Return which points to draw: the first, the last, and the least and the greatest of each stretch."""
    if len(values) <= 2 * most:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), most + 1).astype(int)
    kept = {0, len(values) - 1}
    for a, b in pairwise(edges):
        kept |= {a + int(values[a:b].argmin()), a + int(values[a:b].argmax())}
    return np.array(sorted(kept))


def _states(name: str, real: list[Series], fake: list[Series], over: tuple[float, float]) -> Drawn:
    """Draw a strip a history, the longest at the top; rare states share a colour."""
    seen = Counter(str(v) for _, series in real for v in series if v is not None)
    seen.update(dict.fromkeys((str(v) for _, series in fake for v in series if v is not None), 0))
    names = [state for state, _ in seen.most_common()]
    shown = names[:MOST_STATES] if len(names) > MOST_STATES + 1 else names
    tones = {state: f"s{min(i, MOST_STATES)}" for i, state in enumerate(names)}
    a, b = (_strips(side, over, tones) for side in (real, fake))
    rest = (f"{len(names) - MOST_STATES} more",) if len(shown) < len(names) else ()
    return Drawn(name, a, b, "", "", (*shown, *rest))


def _strips(entities: list[Series], over: tuple[float, float], tones: Mapping[str, str]) -> Side:
    wide = over[1] - over[0]
    gaps = [b - a for times, _ in entities for a, b in pairwise(times)]
    step = float(np.median(gaps)) if gaps else 1.0  # the last row of a history lasts as long as rows usually do
    scale = WIDTH / ((wide + step) or 1.0)
    paths: dict[str, list[str]] = {}
    for row, (times, values) in enumerate(sorted(entities, key=lambda e: -len(e[0]))):
        ends = [*times[1:], times[-1] + step] if times else []
        at = 0
        for value, run in groupby(values):
            size = sum(1 for _ in run)
            if value is not None:
                x, end = (times[at] - over[0]) * scale, (ends[at + size - 1] - over[0]) * scale
                piece = f"M{x:.1f} {row * 10 + 1}h{max(0.3, end - x):.1f}v8h-{max(0.3, end - x):.1f}z"
                paths.setdefault(tones[str(value)], []).append(piece)
            at += size
    return Side(tuple(("".join(pieces), tone) for tone, pieces in sorted(paths.items())), 10 * len(entities))


def _plain(value: float) -> str:
    """Write an end of an axis: whole numbers in full."""
    return f"{value:,.0f}".replace("-", "−") if float(value).is_integer() and abs(value) < 1e15 else figure(value)


def _moment(span: float) -> Callable[[float], str]:
    """Return how a moment is written: the day, and the minute where all lie within a few days."""
    unit = "D" if span > 4 * 86_400 else "m"
    return lambda seconds: str(np.datetime64(int(seconds), "s").astype(f"M8[{unit}]")).replace("T", " ")
