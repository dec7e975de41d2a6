"""What ids, text and personal data share: their values are made anew, only whether one is missing is modelled."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from verisyn.errors import UserError
from verisyn.kinds import BaseCoder, Draw, Feature, Part

TEXTS = (pl.String, pl.Categorical)
MISSING = Part(size=2, ordered=False, missing=1)
_TYPES = {str(t): t for t in (pl.String, pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32,
                              pl.UInt64, pl.Float32, pl.Float64)}


def words_of(name: str) -> list[str]:
    """Split a column name into lower-case words (``Straße`` is ``strasse``).

    Examples
    --------
    >>> words_of("CustomerID"), words_of("shipPostalCode"), words_of("e-mail_2")
    (['customer', 'id'], ['ship', 'postal', 'code'], ['e', 'mail', '2'])
    """
    return [w.casefold() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+|#", name)]


def known(series: pl.Series) -> pl.Series:
    """Return which values are there: neither null nor NaN."""
    there = series.is_not_null()
    return there & series.is_not_nan().fill_null(False) if series.dtype.is_float() else there


def written(series: pl.Series) -> pl.Series:
    """Return values as text; whole numbers that are stored as floats lose their '.0'."""
    if series.dtype.is_float():
        numbers = series.drop_nans()
        if bool(((numbers == numbers.round()) & (numbers.abs() < 2**53)).all()):
            return series.fill_nan(None).cast(pl.Int64).cast(pl.String)
    return series.cast(pl.String)


def share(values: pl.Series, pattern: str) -> float:
    """Return the share of texts that match a pattern; 0 where there is none."""
    return float(values.str.contains(pattern).mean() or 0.0)  # type: ignore[arg-type]


def type_name(series: pl.Series, kind: str) -> str:
    """Return the name under which a data type is stored.

    Raises
    ------
    UserError
        If values of this type cannot be made by a kind that invents values.
    """
    name = "Categorical" if series.dtype == pl.Categorical else str(series.dtype)
    if name not in _TYPES and name != "Categorical":
        raise UserError(f"Column {series.name!r} has the type {name}, but kind {kind} invents text or whole numbers. "
                        "Give the column another kind in the schema (for example category).")
    return name


def as_type(values: pl.Series, name: str) -> pl.Series:
    """Turn invented values into the type stored as `name`; text becomes a number by its digits, cut to what fits."""
    dtype = pl.Categorical if name == "Categorical" else _TYPES[name]
    if values.dtype == pl.String and dtype not in TEXTS:
        digits = values.str.replace_all(r"\D", "").str.slice(0, 18).cast(pl.Int64, strict=False).fill_null(0)
        values = digits % min(np.iinfo(name.lower()).max, 2**63 - 1) if dtype.is_integer() else digits
    return values.cast(dtype, strict=False)


class Regenerated(BaseCoder):
    """One column whose values are invented: `make` gives a value for each row, missing ones are blanked after."""

    def __init__(self, columns: Sequence[str], state: dict[str, Any]):
        self.columns = tuple(columns)
        self.settings = state
        self.notes = tuple(state["notes"])
        self.parts = (MISSING,) if state["missing"] else ()

    @abstractmethod
    def make(self, draw: Draw) -> pl.Series:
        """Invent one value a row."""

    def encode(self, frame: pl.DataFrame) -> np.ndarray:
        """Return 1 where the value is missing, else 0; no columns at all where training had every value."""
        there = known(frame[self.columns[0]]).to_numpy()
        return (~there).astype(np.int32)[:, None][:, :len(self.parts)]

    def decode(self, codes: np.ndarray, draw: Draw) -> pl.DataFrame:
        """Return the column, invented."""
        made = as_type(self.make(draw), self.settings["dtype"])
        if self.parts:
            made = made.zip_with(pl.Series(codes[:, 0] == 0, dtype=pl.Boolean), pl.Series([None], dtype=made.dtype))
        return pl.DataFrame([made.alias(self.columns[0])])

    def features(self, frame: pl.DataFrame) -> list[Feature]:
        """Return whether the value is missing, where training had missing values."""
        return [gone_feature(frame[self.columns[0]])] if self.parts else []

    def state(self) -> dict[str, Any]:
        """Return what was learnt."""
        return self.settings

    @classmethod
    def restore(cls, columns: Sequence[str], state: dict[str, Any]) -> Regenerated:  # type: ignore[override]
        """Rebuild from `state`."""
        return cls(columns, state)


def gone_feature(series: pl.Series) -> Feature:
    """Return whether values are missing, as a category of two levels."""
    return Feature(f"{series.name} is missing", (~known(series)).to_numpy().astype(float), 2, ("there", "missing"))
