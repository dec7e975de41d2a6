"""What kinds of ordered values share: a grid, words among the values, a code for missing."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn.kinds import BaseCoder, Draw, Feature, Part, _settings
from verisyn.kinds import _dtypes as dtypes
from verisyn.kinds._grid import Grid
from verisyn.schema import Column


class OrderedCoder(BaseCoder):
    """Codes one column of ordered values; a kind says how values become units (int64 or float64) and back.

    The codes are those of a :class:`~verisyn.kinds._grid.Grid`, then one for each word that stands among the values
    (``"unknown"``), then, where training had missing values, the code of a missing one.
    """

    unit = ""

    def __init__(self, name: str, dtype: pl.DataType, form: dict[str, Any], grid: Grid | None = None,
                 *, words: Sequence[str] = (), missing: bool = True, usual: int = 0):
        self.columns = (name,)
        self.dtype, self.form, self.grid, self.words, self.usual = dtype, form, grid, tuple(words), usual
        self._values = grid.size if grid else 0
        size = self._values + len(self.words)
        missing = missing or not size
        self.parts = (Part(size + missing, ordered=True, missing=size if missing else -1),)

    # -- what a kind says -------------------------------------------------------------------------------------------
    @classmethod
    @abstractmethod
    def _learn_form(cls, series: pl.Series, column: Column) -> dict[str, Any]:
        """Check the settings; return what `_to_units` and `_from_units` need, as JSON values."""

    @abstractmethod
    def _to_units(self, series: pl.Series) -> tuple[np.ndarray, np.ndarray]:
        """Return units (int64 or float64) and which of them are known; an unreadable value is not."""

    @abstractmethod
    def _from_units(self, units: np.ndarray) -> pl.Series:
        """Return values of the column's own type."""

    @abstractmethod
    def _measures(self, series: pl.Series) -> np.ndarray:
        """Return float64 values at full precision, NaN where not known."""

    # -- what all share ---------------------------------------------------------------------------------------------
    @classmethod
    def learn(cls, frame: pl.DataFrame, columns: Sequence[Column], rng: np.random.Generator) -> Self:
        """Learn a column from training rows."""
        column = columns[0]
        series = frame[column.name]
        form = cls._learn_form(series, column)
        reader = cls(column.name, series.dtype, form)
        units, known = reader._to_units(series)
        k = _settings.shared_by(column.settings, len(series))
        grid = Grid.learn(units[known], k, rng) if known.any() else None
        odd = series.filter(pl.Series(~known)).drop_nulls()
        words = _words(odd, k)
        missing = int((~known).sum()) - (int(odd.is_in(words).sum()) if words else 0)
        coder = cls(column.name, series.dtype, form, grid, words=words, missing=missing > 0)
        codes = coder.encode(frame)[:, 0]
        coder.usual = int(np.bincount(codes).argmax()) if len(codes) else 0
        unread = missing - series.null_count()
        if unread:
            rare = f" and are shared by fewer than {k} rows" if series.dtype == pl.String else ""
            number = "1 value that is" if unread == 1 else f"{unread} values that are"
            coder.notes = (f"Column {column.name!r} has {number} not a finite {cls.kind}"
                           f"{rare if unread > 1 else ''}; treated as missing.",)
        return coder

    def encode(self, frame: pl.DataFrame) -> np.ndarray:
        """Return codes, int32 (rows, 1); a missing value where training had none takes the most frequent code."""
        series = frame[self.columns[0]]
        units, known = self._to_units(series)
        part = self.parts[0]
        codes = np.full(len(series), part.missing if part.missing >= 0 else self.usual, np.int32)
        if self.grid:
            codes[known] = self.grid.encode(units[known])
        for i, word in enumerate(self.words):
            codes[(series.cast(pl.String) == word).fill_null(False).to_numpy()] = self._values + i
        return codes[:, None]

    def decode(self, codes: np.ndarray, draw: Draw) -> pl.DataFrame:
        """Draw a value inside each code."""
        name, flat = self.columns[0], codes[:, 0]
        known = flat < self._values
        if not self.grid:
            values = pl.Series(name, [None] * len(flat), self.dtype)
        else:
            units = self.grid.decode(np.where(known, flat, 0), draw.rng)
            values = self._from_units(units).cast(self.dtype, strict=False)
        odd = pl.repeat(None, len(flat), dtype=self.dtype, eager=True)
        if self.words:
            odd = pl.Series([*self.words, None]).gather(np.clip(flat - self._values, 0, len(self.words)))
        return pl.DataFrame({name: values.zip_with(pl.Series(known), odd)})

    def features(self, frame: pl.DataFrame) -> list[Feature]:
        """Return the values as floats."""
        name = self.columns[0]
        return [Feature(name, self._measures(frame[name]), unit=self.unit)]

    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        return {"dtype": dtypes.to_json(self.dtype), "form": self.form, "words": list(self.words), "usual": self.usual,
                "grid": self.grid.state() if self.grid else None, "missing": self.parts[0].missing >= 0}

    @classmethod
    def restore(cls, columns: Sequence[str], state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        grid = Grid.restore(state["grid"]) if state["grid"] else None
        return cls(columns[0], dtypes.from_json(state["dtype"]), state["form"], grid, words=state["words"],
                   missing=state["missing"], usual=state["usual"])


def _words(odd: pl.Series, k: int) -> list[str]:
    """Texts among the values that at least k rows share, most frequent first."""
    if odd.dtype != pl.String:
        return []
    return _settings.tally(odd).filter(pl.col("rows") >= k)["value"].to_list()
