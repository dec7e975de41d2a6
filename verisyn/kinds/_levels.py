"""What kinds of unordered values share: a code for each published level, one for rare levels, one for missing."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn.errors import UserError
from verisyn.kinds import BaseCoder, Draw, Feature, Part
from verisyn.kinds import _dtypes as dtypes
from verisyn.schema import Column


@dataclass(frozen=True)
class Levels:
    """The levels that may be published, and what stands for the others.

    Parameters
    ----------
    names : list
        JSON values, the most frequent first.
    pooled : bool
        Whether training had levels that are not published.
    stand_in : dict of str to float
        What a pooled row is decoded to, each with its share.
    """

    names: list[Any]
    pooled: bool = False
    stand_in: dict[Any, float] = field(default_factory=dict)


class LevelsCoder(BaseCoder):
    """Codes one column of levels; a kind says which levels are published."""

    def __init__(self, name: str, dtype: pl.DataType, levels: Levels, missing: bool):
        self.columns = (name,)
        self.dtype, self.levels = dtype, levels
        size = len(levels.names) + levels.pooled
        missing = missing or not size
        self.parts = (Part(size + missing, ordered=False, missing=size if missing else -1),)

    @classmethod
    @abstractmethod
    def _choose(cls, values: pl.Series, column: Column) -> tuple[Levels, tuple[str, ...]]:
        """Check the settings; return the levels of `values` (as `_raw` gives them, None where missing) and notes."""

    @classmethod
    def learn(cls, frame: pl.DataFrame, columns: Sequence[Column], rng: np.random.Generator) -> Self:
        """Learn a column from training rows."""
        column = columns[0]
        series = frame[column.name]
        if series.dtype.is_temporal() or series.dtype.is_nested() or series.dtype == pl.Binary:
            raise UserError(f"Column {column.name!r} holds {series.dtype}, which kind {cls.kind!r} cannot code: it "
                            "takes text, numbers and booleans. Give another kind in the schema, or convert the column.")
        levels, notes = cls._choose(_raw(series), column)
        coder = cls(column.name, _given_back(series, levels), levels, series.null_count() > 0)
        coder.notes = notes
        return coder

    def encode(self, frame: pl.DataFrame) -> np.ndarray:
        """Return codes, int32 (rows, 1).

        A level that is not published has the pool's code or, where training had no pool, that of the least frequent
        level; a missing value where training had none has the code of the most frequent level.
        """
        last = max(len(self.levels.names) - (not self.levels.pooled), 0)
        codes, missing = self._indices(frame, last)
        codes[missing] = max(self.parts[0].missing, 0)
        return codes[:, None]

    def decode(self, codes: np.ndarray, draw: Draw) -> pl.DataFrame:
        """Return each code's level; a pooled row gets one of the levels that stand for the pool."""
        names, stand_in = self.levels.names, self.levels.stand_in
        labels = [*names, *stand_in, None]
        at = codes[:, 0].astype(np.int64)
        pooled = (at == len(names)) & self.levels.pooled
        at = np.where(at < len(names), at, len(labels) - 1)
        if pooled.any():
            shares = np.cumsum(list(stand_in.values()))
            at[pooled] = len(names) + np.searchsorted(shares, draw.rng.random(int(pooled.sum())) * shares[-1], "right")
        return pl.DataFrame({self.columns[0]: _typed(labels, self.dtype).gather(at)})

    def features(self, frame: pl.DataFrame) -> list[Feature]:
        """Return the level of each row; all levels that are not published share the last one."""
        codes, missing = self._indices(frame, len(self.levels.names))
        values = np.where(missing, np.nan, codes)
        labels = tuple(map(str, self.levels.names))
        return [Feature(self.columns[0], values, levels=len(labels) + 1, labels=labels)]

    def _indices(self, frame: pl.DataFrame, other: int) -> tuple[np.ndarray, np.ndarray]:
        """Index of each row's level, `other` for a level that is not published; and which rows are missing."""
        raw = _raw(frame[self.columns[0]])
        if not self.levels.names or raw.dtype == pl.Null:
            codes = np.full(len(raw), other, np.int32)
        else:
            names = _typed(self.levels.names, raw.dtype)
            order = pl.Series(range(len(names)), dtype=pl.Int32)
            codes = raw.replace_strict(names, order, default=other, return_dtype=pl.Int32).to_numpy(writable=True)
        return codes, raw.is_null().to_numpy()

    def state(self) -> dict[str, Any]:
        """Return JSON values."""
        stand_in = self.levels.stand_in
        return {"dtype": dtypes.to_json(self.dtype), "names": self.levels.names, "pooled": self.levels.pooled,
                "stand_in": [list(stand_in), list(stand_in.values())], "missing": self.parts[0].missing >= 0}

    @classmethod
    def restore(cls, columns: Sequence[str], state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        levels = Levels(state["names"], state["pooled"], dict(zip(*state["stand_in"], strict=True)))
        return cls(columns[0], dtypes.from_json(state["dtype"]), levels, state["missing"])


def _raw(series: pl.Series) -> pl.Series:
    """The values in a type that JSON has: numbers and booleans as they are, all others as text."""
    plain = series.dtype.is_integer() or series.dtype in (pl.Boolean, pl.Float64, pl.Null)
    return series if plain else series.cast(pl.String)


def _typed(labels: list[Any], dtype: pl.DataType) -> pl.Series:
    """Labels in a column's own type; one that does not fit becomes missing."""
    if dtype.is_numeric() or dtype in (pl.Boolean, pl.Null):
        return pl.Series(labels, dtype=dtype, strict=False)
    return pl.Series(labels, dtype=pl.String, strict=False).cast(dtype, strict=False)


def _given_back(series: pl.Series, levels: Levels) -> pl.DataType:
    """The column's type; an Enum loses the categories that only few rows have, for its list would tell them."""
    if not isinstance(series.dtype, pl.Enum):
        return series.dtype
    shown = {*levels.names, *levels.stand_in}
    unshown = set(series.drop_nulls().unique().cast(pl.String).to_list()) - shown
    declared = series.dtype.categories.to_list()
    return pl.Enum([c for c in declared if c not in unshown] + sorted(shown - set(declared)))
