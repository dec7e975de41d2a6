"""A span of time; also text such as "01:30:00", "2 days" or "1h 30m"."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl

from verisyn.errors import UserError
from verisyn.kinds import Declined, Recognised, _durationtext, _settings
from verisyn.kinds._calendar import TICKS, usual_step
from verisyn.kinds._durationtext import DurationText
from verisyn.kinds._ordered import OrderedCoder
from verisyn.schema import Column

SETTINGS = {"k": int, "text": dict}
_NAMES = ("duration", "elapsed", "length", "runtime", "taken", "lap", "dauer", "interval", "uptime", "wait")


def recognise(values: pl.Series, name: str) -> Recognised:
    """Claim Duration columns, and texts of which nearly all are spans of time in one form."""
    if values.dtype == pl.Duration:
        return Recognised(1.0, f"The data type is {values.dtype}.")
    if values.dtype != pl.String:
        raise Declined(f"the values are {values.dtype}, not spans of time or text")
    texts = _settings.distinct(values).to_list()
    form, share = _durationtext.find(texts) if texts else (None, 0.0)
    if form is None or share < 0.99 or len(texts) < 2:
        raise Declined("the texts are not spans of time in one form")
    seconds = form.read(pl.Series(texts, dtype=pl.String))
    beyond_a_day = bool((seconds.abs() >= 86_400).any())
    if form.clock and not beyond_a_day and not any(hint in name.casefold() for hint in _NAMES):
        raise Declined("the texts may as well be times of day")
    if len("".join(form.words)) == 1 and not any(hint in name.casefold() for hint in _NAMES):
        raise Declined(f"the letter {form.words[0]!r} may as well be another unit")
    shown = form.clock or "numbers of " + " and ".join(form.words)
    return Recognised(0.96, f"{share:.0%} of the distinct texts are spans of time, written as {shown}.",
                      {"text": asdict(form)})


class Coder(OrderedCoder):
    """Codes a span of time on a grid of its steps (whole seconds, minutes … as training keeps to)."""

    kind = "duration"
    unit = "seconds"

    @classmethod
    def _learn_form(cls, series: pl.Series, column: Column) -> dict[str, Any]:
        settings = _settings.read(column, SETTINGS)
        text = settings.get("text")
        if series.dtype != pl.Duration and text is None:
            found, _ = _durationtext.find(_settings.distinct(series.cast(pl.String)).to_list())
            text = asdict(found or DurationText("h:mm"))
        form = {"text": text, "step": 1}
        ticks, known = cls(column.name, series.dtype, form)._to_units(series)
        return form | {"step": _step(ticks[known], _per_second(series.dtype))}

    def _to_units(self, series: pl.Series) -> tuple[np.ndarray, np.ndarray]:
        if self.form["text"] is None:
            ticks = series.to_physical()
        else:
            ticks = (self._text().read(series.cast(pl.String)) * 1000).round().cast(pl.Int64)
        return ticks.fill_null(0).to_numpy() // self.form["step"], ticks.is_not_null().to_numpy()

    def _from_units(self, units: np.ndarray) -> pl.Series:
        ticks = units * self.form["step"]
        return pl.Series(ticks) if self.form["text"] is None else self._text().write(ticks / 1000)

    def _measures(self, series: pl.Series) -> np.ndarray:
        units, known = self._to_units(series)
        return np.where(known, units * (self.form["step"] / _per_second(self.dtype)), np.nan)

    def _text(self) -> DurationText:
        try:
            return DurationText(**self.form["text"])
        except TypeError:
            raise UserError(f"The setting 'text' of column {self.columns[0]!r} has unknown parts: "
                            f"{sorted(self.form['text'])}. It may have {sorted(DurationText.__dataclass_fields__)}."
                            ) from None


def _per_second(dtype: pl.DataType) -> int:
    """Ticks a second: of a Duration's unit; texts are read to the millisecond."""
    return TICKS[dtype.time_unit] // 86_400 if isinstance(dtype, pl.Duration) else 1000


def _step(ticks: np.ndarray, per_second: int) -> int:
    """The longest usual step, in ticks, of which all spans are multiples; one or two spans tell of none."""
    distinct = np.unique(ticks)
    return usual_step(distinct, per_second) if len(distinct) > 2 else 1
