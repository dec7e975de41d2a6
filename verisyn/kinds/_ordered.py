"""What kinds of ordered values share: a grid, words among the values, a code for missing."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn.kinds import BaseCoder, Draw, Feature, Part
from verisyn.kinds import _dtypes as dtypes
from verisyn.kinds import _settings
from verisyn.kinds._grid import Grid
from verisyn.schema import Column


class OrderedCoder(BaseCoder):
    """Codes one column of ordered values; a kind says how values become units (int64 or float64) and back.

    The codes are those of a :class:`~verisyn.kinds._grid.Grid`, then one for each word that stands among the values
    (``"unknown"``), then, where training had missing values, the code of a missing one.
    """

    unit = ""

    def __init__(self, name: str, dtype: pl.DataType, form: dict[str, Any], grid: Grid | None, words: tuple[str, ...],
                 missing: bool):
        self.columns = (name,)
        self.dtype, self.form, self.grid, self.words = dtype, form, grid, words
        self._values = grid.size if grid else 0
        size = self._values + len(words)
        self._has_missing = missing or not size
        self.parts = (Part(size + self._has_missing, True, size if self._has_missing else -1),)
        self._usual = 0

    # -- what a kind says -------------------------------------------------------------------------------------------
    @classmethod
    @abstractmethod
    def _learn_form(cls, series: pl.Series, column: Column) -> tuple[dict[str, Any], list[str]]:
        """Return what `_to_units` and `_from_units` need (JSON values), and notes; settings are checked here."""

    @abstractmethod
    def _to_units(self, series: pl.Series) -> np.ndarray:
        """Return float64 with NaN, or a masked int64 array, for the values of a column; unreadable ones are missing."""

    @abstractmethod
    def _from_units(self, units: np.ndarray) -> pl.Series:
        """Return values of the column's own type."""
