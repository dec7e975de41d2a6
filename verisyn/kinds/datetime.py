"""A date, a time of day or a moment, with its zone; also text in any usual format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn.kinds import BaseCoder, Declined, Draw, Feature, Part, Recognised, _calendar, _datetext, _settings
from verisyn.kinds import _dtypes as dtypes
from verisyn.kinds._grid import Grid
from verisyn.kinds._moments import Moments
from verisyn.schema import Column

SETTINGS = {"k": int, "format": str, "minimum": str, "maximum": str}
_EPOCH_NAMES = ("epoch", "unix", "timestamp", "_ts", "time")
_DATE_NAMES = ("date", "day", "_dt", "datum", "fecha", "dob", "birth", "time")
_SURE, _HINTED = 0.95, 0.9
_TELLING = 50
"""So many different whole numbers are not all days of the calendar by chance: 1 in 27 is."""


def recognise(values: pl.Series, name: str) -> Recognised:
    """Claim temporal columns, texts nearly all in one format, and whole numbers that the name calls moments."""
    if values.dtype in (pl.Date, pl.Datetime, pl.Time):
        return Recognised(1.0, f"The data type is {values.dtype}.")
    small = name.casefold()
    if values.dtype.is_integer():
        return _whole_numbers(_settings.distinct(values).cast(pl.Int64, strict=False).drop_nulls(), small)
    if values.dtype != pl.String:
        raise Declined(f"the values are {values.dtype}")
    found = _datetext.find(_settings.distinct(values), packed=any(hint in small for hint in _DATE_NAMES))
    if found is None:
        raise Declined("the texts are in no usual format of dates and times")
    doubt = f" {found.rival!r} fits as well: edit 'format' if the month stands first." if found.rival else ""
    return Recognised(_SURE, f"{found.share:.0%} of the distinct texts read as {found.format!r}.{doubt}",
                      {"format": found.format})


def _whole_numbers(sample: pl.Series, name: str) -> Recognised:
    if not len(sample):
        raise Declined("there is no value")
    named = any(hint in name for hint in _DATE_NAMES)
    dated = (named or len(sample) >= _TELLING) and sample.is_between(15000101, 22991231).all()
    if dated and not _datetext.parse(sample.cast(pl.String), "%Y%m%d").null_count():
        return Recognised(_HINTED, f"{'The name and the' if named else 'All'} numbers tell of dates like 20201231.",
                          {"format": "%Y%m%d"})
    if any(hint in name for hint in _EPOCH_NAMES):
        for form, low in (("epoch seconds", 10**8), ("epoch milliseconds", 10**11)):
            if sample.is_between(low, 42 * low).all():
                return Recognised(_HINTED, f"The name and the numbers tell of {form}.", {"format": form})
    raise Declined("the values are whole numbers, and nothing tells that they are moments")


class Coder(BaseCoder):
    """Codes moments in up to two parts: the day, and the time of day where there is one.

    A column that keeps to weeks, months, quarters or years, or to whole hours or minutes, does so again. Days inside
    a code of several are drawn by the weekdays' pattern. A row is missing where its first part says so; should a
    model pair a known day with a missing time, a time is drawn as often as training had it.
    """

    kind = "datetime"

    def __init__(self, name: str, form: Moments, grids: Sequence[Grid] = (), missing: bool = True,
                 learnt: dict[str, np.ndarray] | None = None):
        self.columns = (name,)
        self.form, self.grids = form, tuple(grids)
        missing = missing or not grids
        parts = tuple(Part(g.size + missing, True, g.size if missing else -1) for g in grids)
        self.parts = parts or (Part(1, True, 0),)
        rows = {f"rows{i}": np.ones(p.size) for i, p in enumerate(self.parts)}
        self._learnt = learnt or {"weekdays": np.ones(7), **rows}

    @classmethod
    def learn(cls, frame: pl.DataFrame, columns: Sequence[Column], rng: np.random.Generator) -> Self:
        """Learn a column from training rows."""
        column = columns[0]
        series = frame[column.name]
        settings = _settings.read(column, SETTINGS)
        form = Moments.learn(series, column, settings)
        periods, steps, known = form.units(series)
        k = _settings.shared_by(settings, len(series))
        wanted = [u for u, has in ((periods, form.has_days), (steps, form.has_ticks)) if has]
        grids = [Grid.learn(u[known], k, rng) for u in wanted] if known.any() else []
        coder = cls(column.name, form, grids, not known.all())
        for i, codes in enumerate(coder.encode(frame)[known].T if grids else ()):
            coder._learnt[f"rows{i}"] = np.bincount(codes, minlength=coder.parts[i].size)
        coder._learnt["weekdays"] = _weekdays(periods[known], form)
        unread = len(series) - series.null_count() - int(known.sum())
        if unread:
            coder.notes = (f"Column {column.name!r} has {unread} texts that do not read as {form.format!r}; they were "
                           "treated as missing.",)
        return coder

    def encode(self, frame: pl.DataFrame) -> np.ndarray:
        """Return codes, int32 (rows, parts); a missing value where training had none has the most frequent codes."""
        periods, steps, known = self.form.units(frame[self.columns[0]])
        units = [u for u, has in ((periods, self.form.has_days), (steps, self.form.has_ticks)) if has]
        codes = np.zeros((len(known), len(self.parts)), np.int32)
        for i, grid in enumerate(self.grids):
            gone = self.parts[i].missing
            instead = gone if gone >= 0 else int(np.argmax(self._learnt[f"rows{i}"]))
            codes[:, i] = np.where(known, grid.encode(units[i]), instead)
        return codes

    def decode(self, codes: np.ndarray, draw: Draw) -> pl.DataFrame:
        """Draw a moment inside each row's codes."""
        name = self.columns[0]
        nothing = pl.repeat(None, len(codes), dtype=self.form.dtype, eager=True)
        if not self.grids:
            return pl.DataFrame({name: nothing})
        units = [self._draw(i, codes[:, i], draw.rng) for i in range(len(self.grids))]
        periods = units[0] if self.form.has_days else np.zeros(len(codes), np.int64)
        steps = units[-1] if self.form.has_ticks else np.zeros(len(codes), np.int64)
        values = self.form.series(periods, steps)
        known = codes[:, 0] != self.parts[0].missing
        return pl.DataFrame({name: values.zip_with(pl.Series(known), nothing)})

    def _draw(self, i: int, codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        gone = codes == self.parts[i].missing
        rows = self._learnt[f"rows{i}"][: self.grids[i].size]
        if gone.any():
            codes = codes.copy()
            codes[gone] = rng.choice(len(rows), int(gone.sum()), p=rows / rows.sum())
        weekly = i == 0 and self.form.has_days and self.form.day_step == "day"
        return self.grids[i].decode(codes, rng, (lambda days: self._learnt["weekdays"][days % 7]) if weekly else None)

    def features(self, frame: pl.DataFrame) -> list[Feature]:
        """Return seconds since 1970, or since midnight where there is only a time of day."""
        moments = self.form.moments(frame[self.columns[0]])
        days, ticks, known = _calendar.split(moments)
        values = days * 86400.0 + ticks * (86400 / _calendar.ticks_per_day(self.form.inner))
        unit = "seconds since 1970" if self.form.has_days else "seconds"
        return [Feature(self.columns[0], np.where(known, values, np.nan), unit=unit)]

    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        return {"dtype": dtypes.to_json(self.form.dtype), "form": self.form.settings(), "learnt": self._learnt,
                "grids": [g.state() for g in self.grids], "missing": self.parts[0].missing >= 0}

    @classmethod
    def restore(cls, columns: Sequence[str], state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        form = Moments(dtypes.from_json(state["dtype"]), **state["form"])
        learnt = {name: np.asarray(values) for name, values in state["learnt"].items()}
        return cls(columns[0], form, [Grid.restore(g) for g in state["grids"]], state["missing"], learnt)


def _weekdays(days: np.ndarray, form: Moments) -> np.ndarray:
    """The share of each weekday (day since 1970, modulo 7), relative to the most usual; one row is added to each."""
    if not form.has_days or form.day_step != "day" or len(days) < 70:
        return np.ones(7)
    rows = np.bincount(days % 7, minlength=7) + 1.0
    return rows / rows.max()
