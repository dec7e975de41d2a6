"""The blend itself: real rows and what was taken from each source, every row with its provenance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from verisyn.blending.sources import Part, Stock
from verisyn.blending.taking import Taken
from verisyn.frames import Origin, from_polars
from verisyn.provenance import COLUMNS, Provenance, with_columns

SOME = 0.5
"""A blend of more synthetic rows than this share is mostly synthetic."""


@dataclass(frozen=True)
class Mixture:
    """Rows that were put together.

    Parameters
    ----------
    frame : polars.DataFrame
        With the provenance columns.
    weights : float64 array of shape (rows,)
        1 for a real row.
    provenance : Provenance
    """

    frame: pl.DataFrame
    weights: np.ndarray
    provenance: Provenance


def mixed(stock: Stock, taken: Sequence[Taken]) -> Mixture:
    """Put the real rows and those taken from each part together; the real ones come first."""
    frames, weights = [with_columns(stock.real, stock.source)], [np.ones(stock.real.height)]
    sources = [stock.source]
    for t in taken:
        part = stock.parts[t.source - 1]
        sources.append(replace(part.source, rows=len(t.rows)))
        frames.append(with_columns(part.frame[t.rows], sources[-1]))
        weights.append(t.weights)
    return Mixture(pl.concat(frames), np.concatenate(weights), Provenance(tuple(sources)))


def native(frame: pl.DataFrame, origin: Origin) -> Any:
    """Return rows with provenance columns as the kind of dataframe that the real data came in."""
    extra = dict(origin.extra)
    if "pandas" in extra:
        types = {name: {"dtype": "int64" if frame.schema[name].is_integer() else "object"} for name in COLUMNS}
        extra["pandas"] = {**extra["pandas"], **types}
        if "names" in extra:
            extra["names"] = [*extra["names"], *COLUMNS]
    return from_polars(frame, replace(origin, extra=extra))


def shares(parts: Sequence[Part], taken: Sequence[Taken], real: int) -> dict[str, float]:
    """Return the mass of each source's rows for each real one."""
    mass = {part.name: 0.0 for part in parts}
    for t in taken:
        mass[parts[t.source - 1].name] = float(t.weights.sum()) / real
    return mass
