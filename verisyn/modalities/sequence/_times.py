"""A column of time as moments, dates or numbers that can be ordered, and back to how the data write it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import polars as pl

from verisyn.errors import UserError
from verisyn.kinds import _datetext
from verisyn.kinds import _dtypes as dtypes
from verisyn.kinds._moments import EPOCHS, Moments
from verisyn.linking.ordering import check_time
from verisyn.schema import Column

_SPANS = (pl.Duration, pl.Time)


@dataclass(frozen=True)
class Times:
    """How a column of time is written.

    Parameters
    ----------
    name : str
    dtype : polars data type
        As the data have it.
    format : str, optional
        Text format, or one of :data:`verisyn.kinds._moments.EPOCHS`; None where the values can be ordered as they are.
    """

    name: str
    dtype: pl.DataType
    format: str | None = None

    @classmethod
    def learn(cls, series: pl.Series, column: Column) -> Self:
        """See how `series` is written; every value must be known.

        Raises
        ------
        UserError
            If values are missing, cannot be read, or cannot be ordered.
        """
        check_time(series)
        form = column.settings.get("format")
        if series.dtype == pl.String:
            form = form or _format_of(series, column.name)
        elif not series.dtype.is_integer():
            form = None
        found = cls(column.name, series.dtype, form)
        unread = found.read(series).is_null()
        if unread.any():
            row = int(unread.arg_max() or 0)
            raise UserError(f"The time column {column.name!r} reads as {form!r}, but row {row + 1:,} holds "
                            f"{series[row]!r}. Write all times in one format and one time zone.")
        return found

    def read(self, series: pl.Series) -> pl.Series:
        """Return moments, dates or numbers."""
        if series.dtype in _SPANS:
            return series.to_physical().cast(pl.Int64)
        if self.format is None:
            return series
        moments = Moments(self.dtype, self.format).moments(series)
        return moments.to_physical().cast(pl.Int64) if moments.dtype == pl.Time else moments

    def write(self, times: pl.Series) -> pl.Series:
        """Return times as the data write them."""
        if self.format is None:
            return times.cast(self.dtype).alias(self.name)
        if self.format in EPOCHS:
            written = times.to_physical() // EPOCHS[self.format]
        else:
            written = _datetext.write(times if times.dtype.is_temporal() else times.cast(pl.Time), self.format)
        return written.cast(self.dtype).alias(self.name)

    def moment(self, value: Any) -> Any:
        """Return one time that a user wrote, such as ``"2024-01-31"`` or 17, as a value of :meth:`read`.

        Raises
        ------
        UserError
            If it is no such time.
        """
        from verisyn.conditions import typed

        try:
            told = pl.Series([value]) if isinstance(value, str) and self.dtype == pl.String else pl.Series(
                [typed(value, self.dtype)]).cast(self.dtype)
            found = self.read(told)
        except (pl.exceptions.PolarsError, TypeError, ValueError):
            found = pl.Series([None])
        if found.is_null().any():
            raise UserError(f"The start {value!r} is no time of the column {self.name!r}, which holds "
                            f"{self.format or self.dtype}. Write it as the data write their times.")
        return found

    def state(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"name": self.name, "dtype": dtypes.to_json(self.dtype), "format": self.format}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        return cls(state["name"], dtypes.from_json(state["dtype"]), state["format"])


def _format_of(series: pl.Series, name: str) -> str:
    texts = series.unique(maintain_order=True).head(10_000)
    zones = texts.str.extract(r"([+-]\d{2}:?\d{2}|[Zz])$", 1).unique().drop_nulls().sort().to_list()
    found = _datetext.find(texts, packed=True)
    if found is None:
        told = f" (zones {', '.join(map(repr, zones[:4]))} are mixed)" if len(zones) > 1 else ""
        raise UserError(f"The time column {name!r} holds texts such as {texts[0]!r} that read as no usual format of "
                        f"dates and times{told}. Write all times in one format and one time zone, or name another "
                        "column.")
    return found.format
