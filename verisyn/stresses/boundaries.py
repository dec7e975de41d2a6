"""The edges of each column: smallest, largest and just inside, zero, each level, leap days, odd texts, corners."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from verisyn.stresses import Case, cell
from verisyn.stresses._ground import Ground
from verisyn.stresses._points import as_case, points_of


def cases(ground: Ground) -> Iterator[Case]:
    """Yield a case for each telling value of each column."""
    for name in ground.table.names:
        yield from (as_case(name, point) for point in points_of(ground, name))
    yield from _corners(ground)


def _corners(ground: Ground) -> Iterator[Case]:
    """The corners of the map, and 0°, 0° where it lies in it."""
    from verisyn.kinds import geo

    for coder in dict.fromkeys(ground.coders.values()):
        if not isinstance(coder, geo.Coder) or coder.boxes is None:
            continue
        low, high = coder.boxes.low.min(axis=0), coder.boxes.high.max(axis=0)
        corners = [(low, "the smallest coordinates"), (high, "the largest coordinates")]
        if len(low) == 2:
            corners += [(np.array([low[0], high[1]]), "south-east corner"),
                        (np.array([high[0], low[1]]), "north-west corner")]
        if (low <= 0).all() and (high >= 0).all():
            corners.append((np.zeros(len(low)), "0°, 0°"))
        for point, case in corners:
            yield Case(case, {n: _placed(ground, n, f["decimals"], v)
                              for n, f, v in zip(coder.columns, coder.form, point, strict=True)},
                       "the edge of the map" if case[0] != "0" else "where places without a value end up")


def _placed(ground: Ground, name: str, decimals: int | None, value: float) -> pl.Series:
    return cell(value if decimals is None else round(float(value), decimals), ground.dtype(name))
