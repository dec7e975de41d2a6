"""Values for gaps that a constraint forbids: those of other synthetic rows."""

from __future__ import annotations

import numpy as np
import polars as pl


def filled(values: pl.Series, donors: pl.Series, rng: np.random.Generator) -> pl.Series:
    """Fill the gaps of `values` with known values of `donors`, drawn at random; with nothing if there are none."""
    known = donors.drop_nulls()
    if not len(known) or not values.null_count():
        return values
    return values.zip_with(values.is_not_null(), known.gather(rng.integers(0, len(known), len(values))))
