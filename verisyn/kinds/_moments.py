"""How a column writes moments: its data type or text format, and the steps of days and times that it keeps to."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn.errors import UserError
from verisyn.kinds import _calendar, _datetext
from verisyn.schema import Column

EPOCHS = {"epoch seconds": 1_000_000, "epoch milliseconds": 1000}
"""Formats of whole numbers that count from 1970: microseconds of one unit."""


@dataclass(frozen=True)
class Moments:
    """Reads a column as whole numbers (periods of days, steps of the time of day) and writes it back.

    Parameters
    ----------
    dtype : polars data type
        Of the column.
    format : str, optional
        Text format (``"%d/%m/%Y"``), or one of `EPOCHS`; None for temporal columns.
    day_step, weekday : str, int
        See :func:`verisyn.kinds._calendar.day_step`; `weekday` is the day's remainder by 7 where the step is a week.
    tick_step : int
        Ticks of a step of the time of day.
    minimum, maximum : str, optional
        Limits in ISO form.
    """

    dtype: pl.DataType
    format: str | None = None
    day_step: str = "day"
    weekday: int = 0
    tick_step: int = 1
    minimum: str | None = None
    maximum: str | None = None

    @classmethod
    def learn(cls, series: pl.Series, column: Column, settings: dict[str, Any]) -> Self:
        """Find how `series` writes its moments, as far as `settings` do not say."""
        form = settings.get("format")
        if series.dtype in (pl.Duration, pl.Boolean) or series.dtype.is_nested():
            raise UserError(f"Column {column.name!r} holds {series.dtype}, which kind 'datetime' cannot code: it takes "
                            "dates, times, text and whole numbers. Give another kind in the schema.")
        if series.dtype.is_temporal():
            form = None
        elif form is None and series.dtype == pl.String:
            found = _datetext.find(series.drop_nulls().unique(maintain_order=True).head(10_000), packed=True)
            form = found.format if found else "%Y-%m-%d"
        elif form is None:
            form = "epoch seconds"
        bare = cls(series.dtype, form, minimum=settings.get("minimum"), maximum=settings.get("maximum"))
        bare._check(column)
        days, ticks, known = _calendar.split(bare.moments(series))
        step = _calendar.day_step(days[known])
        return replace(bare, day_step=step, weekday=int(days[known][0] % 7) if step == "week" else 0,
                       tick_step=_calendar.tick_step(ticks[known], _calendar.ticks_per_day(bare.inner)))

    def _check(self, column: Column) -> None:
        if self.format and self.format not in EPOCHS and not (
                _datetext.has_date(self.format) or _datetext.has_time(self.format)):
            raise UserError(f"The setting 'format' of column {column.name!r} is {self.format!r}, which holds neither a "
                            f"year nor an hour. Give a format such as '%d/%m/%Y %H:%M', or one of {list(EPOCHS)}.")
        for limit in ("minimum", "maximum"):
            try:
                self._limit(getattr(self, limit))
            except ValueError:
                raise UserError(f"The setting {limit!r} of column {column.name!r} is {getattr(self, limit)!r}, but "
                                "an ISO date or time such as '2020-01-31' or '13:45' is expected.") from None

    @property
    def inner(self) -> pl.DataType:
        """Date, Datetime or Time: what the column's values stand for."""
        if self.format is None:
            return self.dtype
        if self.format in EPOCHS or (_datetext.has_date(self.format) and _datetext.has_time(self.format)):
            return pl.Datetime("us")
        return pl.Date() if _datetext.has_date(self.format) else pl.Time()

    @property
    def has_days(self) -> bool:
        """Whether the values have a day."""
        return self.inner != pl.Time

    @property
    def has_ticks(self) -> bool:
        """Whether the values have a time of day other than midnight."""
        return self.inner == pl.Time or self.tick_step < _calendar.ticks_per_day(self.inner)

    def moments(self, series: pl.Series) -> pl.Series:
        """Return the values as Date, Datetime or Time; what cannot be read is null."""
        if self.format is None:
            return series
        if self.format in EPOCHS:
            return (series.cast(pl.Int64, strict=False) * EPOCHS[self.format]).cast(pl.Datetime("us"))
        return _datetext.parse(series.cast(pl.String), self.format)

    def units(self, series: pl.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return periods, steps of the time of day, and which rows are known."""
        days, ticks, known = _calendar.split(self.moments(series))
        return _calendar.to_periods(days, self.day_step, self.weekday), ticks // self.tick_step, known

    def series(self, periods: np.ndarray, steps: np.ndarray) -> pl.Series:
        """Return values of the column's own type and format."""
        ticks = np.clip(steps * self.tick_step, 0, max(_calendar.ticks_per_day(self.inner) - 1, 0))
        out = _calendar.join(_calendar.to_days(periods, self.day_step, self.weekday), ticks, self.inner)
        if self.minimum or self.maximum:
            out = out.clip(self._limit(self.minimum), self._limit(self.maximum))
        if self.format in EPOCHS:
            out = out.to_physical() // EPOCHS[self.format]  # type: ignore[index]
        elif self.format:
            out = _datetext.write(out, self.format)
        return out.cast(self.dtype)

    def _limit(self, text: str | None) -> Any:
        if text is None:
            return None
        if not self.has_days:
            return time.fromisoformat(text)
        moment = datetime.fromisoformat(text)
        return date.fromisoformat(text[:10]) if self.inner == pl.Date else moment

    def settings(self) -> dict[str, Any]:
        """Return all fields but `dtype`, as JSON values."""
        return {name: value for name, value in asdict(self).items() if name != "dtype"}
