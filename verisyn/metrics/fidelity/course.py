"""Whether values run over a history, the day, the week and the year as in real ones: 1 - the mean difference.

Of each number the mean of its ranks among the training rows' (0 to 1), of each category the shares of its five most
frequent levels: in each tenth of a history from its first row to its last (in fewer parts where most have fewer rows;
not where histories are cut from longer ones); and in each hour of the day, day of the week and month of the year,
where times are moments that differ in these. The mean difference is over all of these, each weighed alike. The
interval, and the standard error of each difference, come from a delete-a-block jackknife over the histories of both
sides (20 blocks each). What differs by more than chance, at a false discovery rate of 5 % over all, is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered
from verisyn.metrics._aggregates import top_levels
from verisyn.metrics._histories import Histories, HistorySides
from verisyn.metrics._order import (
    BLOCKS,
    Compared,
    block_sums,
    bounds,
    chosen,
    compared,
    judged_items,
    ranks,
)

title = "Do values run over time, and with the seasons, as in real histories?"
needs = ("order",)
best, worst = 1.0, 0.0
stand_in = "train"
place = 5
references = ("https://otexts.com/fpp3/stl.html",)
GOOD, LOST = 0.02, 0.1
"""A mean that moved by a tenth of all values' ranks makes another course; halves of real sets differ by 0.01."""
rule = (f"poor: some mean moved by more than {LOST:.1f}, by more than chance (false discovery rate 5 %); good: none "
        f"did, and on average they are within {GOOD:.2f} of what real histories reach; fair: otherwise")
_TENTHS, _SHORTEST, _TOPS, _DRAWN, _FEWEST = 10, 3, 5, 6, 30
_DAY = 86_400.0
_MONDAY = 3 * _DAY
"""1970 began on a Thursday; counted from three days before, a week begins on a Monday, and a day as ever."""
_YEAR = 365.2425 * _DAY
_CALENDAR = (("hour of the day", _DAY, 24), ("day of the week", 7 * _DAY, 7), ("month of the year", _YEAR, 12))


def measure(sides: HistorySides, rng: np.random.Generator) -> Measure:
    """Compare the means of the synthetic histories with the holdout's, part by part."""
    compared(sides)
    columns, clocks = chosen(sides), [*_clocks(sides)]
    if not columns or not clocks:
        raise NotAnswered("histories are too short, or cut from longer ones, and their times tell no season")
    parts = [*_parts(sides, columns, clocks)]
    names = [f"{p.label} in {p.what} {i + 1} of {p.count}" for p in parts for i in range(p.count)]
    made, held = (np.concatenate([p.means[side] for p in parts]) for side in (0, 1))
    known = np.isfinite(made).all(axis=1) & np.isfinite(held).all(axis=1)
    if not known.any():
        raise NotAnswered("no part of a history holds enough rows")
    told = Compared(made[known], held[known], [n for n, k in zip(names, known, strict=True) if k])
    value, interval = told.value()
    return Measure(value, interval, {**told.told(LOST, "mean"), "lines": _lines(parts)} if sides.pictured else {})


@dataclass(frozen=True)
class _Parts:
    """One column, or one of its levels, over the parts of a history or of a clock.

    `means` are those of the synthetic and of the real histories, each of shape (count, 21), NaN of few rows.
    """

    label: str
    unit: str
    what: str
    count: int
    means: tuple[np.ndarray, np.ndarray]

    @property
    def gap(self) -> float:
        """The mean difference of the two sides."""
        gaps = np.abs(self.means[0][:, 0] - self.means[1][:, 0])
        return float(gaps[np.isfinite(gaps)].mean()) if np.isfinite(gaps).any() else 0.0


def _parts(sides: HistorySides, columns: list[int], clocks: list[tuple[str, int, Any]]) -> Iterator[_Parts]:
    for what, count, part in clocks:
        places = [part(side) for side in (sides.fake, sides.holdout)]
        for column in columns:
            seen = [_values(side, sides.train, column) for side in (sides.fake, sides.holdout)]
            unit = "share" if sides.train.features[column].levels else "mean rank"
            for (label, a), (_, b) in zip(*seen, strict=True):
                means = (_means(sides.fake, a, places[0], count), _means(sides.holdout, b, places[1], count))
                yield _Parts(label, unit, what, count, means)


def _clocks(sides: HistorySides) -> Iterator[tuple[str, int, Any]]:
    """What divides rows: its name, in how many parts, and what tells the part of each row of a side."""
    train = sides.train
    usual = min(_TENTHS, int(np.median(train.lengths)))
    if not sides.windows and train.whole is None and usual >= _SHORTEST:
        yield "part", usual, partial(_part, parts=usual)
    if not sides.moments or train.time is None:
        return
    for what, period, parts in _CALENDAR:
        part = partial(_of_clock, period=period, parts=parts)
        if np.bincount(part(train), minlength=parts).min() >= _FEWEST:
            yield what, parts, part


def _part(histories: Histories, parts: int) -> np.ndarray:
    place = np.arange(histories.rows) - histories.starts[:-1][histories.of]
    return parts * place // histories.lengths[histories.of]


def _of_clock(histories: Histories, period: float, parts: int) -> np.ndarray:
    assert histories.time is not None
    return np.minimum(parts - 1, _since(histories.time, period) % period / (period / parts)).astype(np.int64)


def _since(time: np.ndarray, period: float) -> np.ndarray:
    return time + _MONDAY if period < _YEAR else time


def _values(side: Histories, train: Histories, column: int) -> list[tuple[str, np.ndarray]]:
    """What is averaged of a column, by name: ranks, or whether it is at a level; NaN where missing."""
    feature = side.features[column]
    if not feature.levels:
        return [(repr(feature.name), ranks(side, train, [column])[:, 0] + 0.5)]
    gone = np.isnan(feature.values)
    return [(f"{feature.name!r} = {label!r}", np.where(gone, np.nan, feature.values == code))
            for code, label in top_levels(train.features[column], _TOPS)]


def _means(histories: Histories, values: np.ndarray, part: np.ndarray, parts: int) -> np.ndarray:
    """Means of known values in each part, on all histories and without each block; (parts, 21), NaN of few rows."""
    block = np.searchsorted(bounds(histories)[1:-1], np.arange(histories.rows), "right")
    known = ~np.isnan(values)
    cell = (block * parts + part)[known]
    count, total = (np.bincount(cell, w, BLOCKS * parts).reshape(BLOCKS, parts) for w in (None, values[known]))
    n, s = (block_sums(x.astype(float), np.arange(BLOCKS + 1)) for x in (count, total))
    return np.where(n >= _FEWEST / 2, s / np.maximum(n, 1), np.nan).T


def _lines(parts: list[_Parts]) -> list[dict[str, Any]]:
    """Means by part on either side, of those that differ most."""
    charts: list[dict[str, Any]] = []
    for p in sorted(parts, key=lambda p: -p.gap):
        series = [{"name": who, "points": _points(means)} for who, means in
                  (("real", p.means[1]), ("synthetic", p.means[0]))]
        if all(s["points"] for s in series) and len(charts) < _DRAWN:
            charts.append({"title": p.label, "x": p.what, "y": p.unit, "series": series})
    return charts


def _points(means: np.ndarray) -> list[dict[str, float]]:
    error = 2 * np.sqrt((BLOCKS - 1) * means[:, 1:].var(axis=1))
    return [{"x": i + 1, "y": round(float(m), 4), "low": round(float(max(0, m - e)), 4),
             "high": round(float(min(1, m + e)), 4)}
            for i, (m, e) in enumerate(zip(means[:, 0], error, strict=True)) if np.isfinite(m + e)]


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the greatest move that is no chance, and the mean."""
    return judged_items(measure, floor, ceiling, "The mean of a column in a part of time", GOOD)
