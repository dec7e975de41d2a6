"""A measured or counted number, also when written as text with units, currency or a few words among the numbers."""

from __future__ import annotations

import unicodedata
from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl

from verisyn.errors import UserError
from verisyn.kinds import Declined, Recognised, _settings
from verisyn.kinds import _lattice as lattice
from verisyn.kinds._lattice import Lattice
from verisyn.kinds._numbertext import NumberText, find
from verisyn.kinds._ordered import OrderedCoder
from verisyn.schema import Column

SETTINGS = {"k": int, "decimals": int, "step": float, "minimum": float, "maximum": float, "text": dict}
_FEW_WORDS = 20
_CURRENCIES = {"rs", "kr", "fr", "sfr"}


def recognise(values: pl.Series, name: str) -> Recognised:
    """Claim numeric columns, and text columns most of whose distinct values are numbers in one form."""
    if values.dtype.is_numeric():
        return Recognised(0.8, f"The values are numbers ({values.dtype}).")
    if values.dtype != pl.String:
        raise Declined(f"the values are {values.dtype}, not numbers or text")
    texts = _settings.distinct(values).to_list()
    form, share = find(texts)
    if form is None or share < 0.5 or (share < 0.98 and round((1 - share) * len(texts)) > _FEW_WORDS):
        raise Declined("most texts are not numbers in one form")
    if len(texts) < 3 or not _may_tell(form, values, {}):
        raise Declined("there are too few texts to tell numbers from names")
    odd = round((1 - share) * len(texts))
    shown = form.write(np.array([1234.5]), 1)[0]
    sure = 0.55 if _is_word(form.prefix) else 0.85  # "Ward 7" is a name, "EUR 7" an amount
    return Recognised(sure, f"{f'All but {odd}' if odd else 'All'} of the {len(texts):,} distinct texts looked at are "
                            f"numbers written like {shown!r}.", {"text": asdict(form)})


def _is_word(prefix: str) -> bool:
    """Whether a prefix has letters that are not those of a currency."""
    letters = "".join(filter(str.isalpha, prefix))
    money = (any(unicodedata.category(c) == "Sc" for c in prefix) or letters.casefold() in _CURRENCIES
             or (letters.isupper() and len(letters) == 3))
    return bool(letters) and not money


def _may_tell(form: NumberText, series: pl.Series, settings: dict[str, Any]) -> bool:
    """Whether enough rows share the unit of `form` for it to be published."""
    k = _settings.shared_by(settings, len(series))
    return not (form.prefix or form.suffix) or form.read(series).count() >= k


class Coder(OrderedCoder):
    """Codes a number; units are points of the column's lattice, or the values where it has none."""

    kind = "number"

    @classmethod
    def _learn_form(cls, series: pl.Series, column: Column) -> dict[str, Any]:
        settings = _settings.read(column, SETTINGS)
        low, high = settings.get("minimum"), settings.get("maximum")
        if low is not None and high is not None and low > high:
            raise UserError(f"Column {column.name!r} has minimum {low} above maximum {high}. Correct them in "
                            "the schema.")
        form: dict[str, Any] = {"minimum": low, "maximum": high, "text": settings.get("text")}
        if series.dtype == pl.String and form["text"] is None:
            found, _ = find(_settings.distinct(series).to_list())
            form["text"] = asdict(found if found and _may_tell(found, series, settings) else NumberText())
        values = _numbers(series, form["text"], column.name)
        precision = 2.0**-23 if series.dtype == pl.Float32 else 2.0**-52
        known = values if values.dtype == np.int64 else values[np.isfinite(values)]
        kept = lattice.from_settings(settings, lattice.find(known, precision))
        return form | asdict(kept) | {"noise": _noise(known, kept, _settings.shared_by(settings, len(series)))}

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._lattice = Lattice(self.form["decimals"], self.form["step"])

    def _to_units(self, series: pl.Series) -> tuple[np.ndarray, np.ndarray]:
        values = _numbers(series, self.form["text"], self.columns[0])
        if values.dtype == np.int64:
            return self._lattice.units(values), series.is_not_null().to_numpy()
        known = np.isfinite(values)
        return self._lattice.units(np.where(known, values, 0.0)), known

    def _from_units(self, units: np.ndarray) -> pl.Series:
        values = self._lattice.values(units)
        if noise := self.form.get("noise"):
            at = np.minimum(np.searchsorted(noise["units"], units), len(noise["units"]) - 1)
            values = np.where(np.asarray(noise["units"])[at] == units, np.asarray(noise["values"])[at], values)
        if self.form["minimum"] is not None or self.form["maximum"] is not None:
            values = np.clip(values, self.form["minimum"], self.form["maximum"])
        if self.form["text"] is not None:
            return NumberText(**self.form["text"]).write(values, self.form["decimals"])
        if self.dtype.is_integer():
            info = np.iinfo(str(self.dtype).lower())
            values = np.clip(np.rint(values), info.min, info.max) if values.dtype != np.int64 else \
                np.clip(values, max(info.min, -2**63), min(info.max, 2**63 - 1))
        return pl.Series(values)

    def written(self, values: np.ndarray) -> pl.Series:
        """Return numbers, float64 without NaN, in the column's own form: its lattice, its bounds and its data type.

        Where nearly all rows share a few values, they are of those.
        """
        units = self._lattice.units(values)
        return self._from_units(self.grid.settled(units) if self.grid else units).cast(self.dtype, strict=False)

    def _measures(self, series: pl.Series) -> np.ndarray:
        values = _numbers(series, self.form["text"], self.columns[0]).astype(np.float64)
        return np.where(series.is_not_null().to_numpy() & np.isfinite(values), values, np.nan)


def _noise(values: np.ndarray, kept: Lattice, k: int) -> dict[str, list] | None:
    """Return the floats that at least k rows share beside a lattice point: 9.2062 may be 9.206199999999999 in the data.

    A reader sees no difference, but a program that compares, or joins, does.
    """
    if values.dtype == np.int64 or not kept.decimals:
        return None
    units = kept.units(values)
    off = values != kept.values(units)
    if not off.any():
        return None
    pairs = pl.DataFrame({"unit": units, "value": values}).group_by("unit", "value").len().sort(
        "unit", "len", "value", descending=[False, True, False]).unique("unit", keep="first", maintain_order=True)
    found = pairs.filter((pl.col("len") >= k) & pl.Series(pairs["value"].to_numpy() != kept.values(
        pairs["unit"].to_numpy())))
    return {"units": found["unit"].to_list(), "values": found["value"].to_list()} if found.height else None


def _numbers(series: pl.Series, text: dict[str, Any] | None, name: str) -> np.ndarray:
    """Int64 (0 where missing) for whole numbers that fit it, else float64 with NaN."""
    if text is not None:
        try:
            form = NumberText(**text)
        except TypeError:
            raise UserError(f"The setting 'text' of column {name!r} has unknown parts: {sorted(text)}. It may have "
                            f"{sorted(NumberText.__dataclass_fields__)}.") from None
        return form.read(series.cast(pl.String)).to_numpy()
    if series.dtype.is_integer():
        whole = series.cast(pl.Int64, strict=False)
        if whole.null_count() == series.null_count():
            return whole.fill_null(0).to_numpy()
    return series.cast(pl.Float64, strict=False).to_numpy()
