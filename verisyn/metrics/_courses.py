"""Histories for a picture: typical ones, each the middle of five that are alike, so that no single one is shown."""

from __future__ import annotations

from typing import Any

import numpy as np

from verisyn.kinds import K
from verisyn.metrics import Side
from verisyn.metrics._histories import Histories, HistorySides
from verisyn.metrics._near import nearest, neighbours

_SHOWN, _COLUMNS, _ROWS, _LOOKED = 8, 12, 400, 2_000


def typical(sides: HistorySides, summaries: tuple[Side, Side], columns: list[int]) -> dict[str, Any]:
    """Return the detail ``histories``: up to eight typical ones of either side, drawn apart from each other.

    Parameters
    ----------
    summaries : pair of Side
        A row for each synthetic, and for each training history: what is alike is alike in these.
    columns : list of int
        Features to show.

    Returns
    -------
    dict
        Empty where there are too few histories. A value is the median of five histories' at the same row, of
        a category the most frequent level; a typical history ends with the shortest of its five.
    """
    columns = columns[:_COLUMNS]
    fake, real = (_drawn(side, summary, columns, sides.train) for side, summary in ((sides.fake, summaries[0]),
                                                                                     (sides.train, summaries[1])))
    if not fake or not real:
        return {}
    return {"columns": [sides.train.features[c].name for c in columns], "real": real, "fake": fake,
            "time": "row", "say": f"Each is the middle of {K} histories that are alike, as long as their shortest"}


def _drawn(side: Histories, summary: Side, columns: list[int], train: Histories) -> list[list[list[Any]]]:
    if side.entities < 2 * K:
        return []
    points = summary.vectors[:_LOOKED]
    near = neighbours(points, points, K)[1]
    return [[_middle(side, near[centre], c, train) for c in columns] for centre in _spread(points)]


def _spread(points: np.ndarray) -> list[int]:
    """Centres far from each other, from the one nearest to the mean on; outliers, the farthest tenth, are none."""
    middle = points.mean(axis=0, keepdims=True)
    away = np.linalg.norm(points - middle, axis=1)
    able = away <= np.quantile(away, 0.9)
    chosen = [int(away.argmin())]
    while len(chosen) < min(_SHOWN, int(able.sum()) // K):
        gap = np.where(able, nearest(points, points[chosen])[0], -1.0)
        chosen.append(int(gap.argmax()))
    return chosen


def _middle(side: Histories, which: np.ndarray, column: int, train: Histories) -> list[Any]:
    """The middle of five histories' values, row by row; None where one of them has none."""
    feature, labels = side.features[column], train.features[column].labels
    count = min(_ROWS, int(side.lengths[which].min()))
    values = np.array([feature.values[side.starts[e]:side.starts[e] + count] for e in which])
    if not feature.levels:
        return [None if np.isnan(v) else float(f"{v:.4g}") for v in np.median(values, axis=0)]
    most = [np.bincount(v[~np.isnan(v)].astype(np.int64), minlength=1).argmax() for v in values.T]
    return [labels[m] if m < len(labels) else "(another)" for m in most]
