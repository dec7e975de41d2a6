"""The telling moments of a column: ends, leap days, ends of months and years, changes of the clocks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from verisyn.kinds import _calendar
from verisyn.stresses._ground import Ground
from verisyn.stresses._points import Point

if TYPE_CHECKING:
    from verisyn.kinds.datetime import Coder

_EPOCH = date(1970, 1, 1)
_FAR = 4 * 366
"""Days beyond what was seen within which a leap day, or a change of the clocks, is still taken."""
_DAYS = (
    (lambda d: d.month == 2 and d.day == 29, "29 February", "a day that three years in four lack"),
    (lambda d: d.month == 2 and d.day == 28 and not _leap(d.year), "28 February of a common year",
     "the day before 1 March"),
    (lambda d: d.month == 12 and d.day == 31, "31 December", "the last day of a year"),
    (lambda d: d.month == 1 and d.day == 1, "1 January", "the first day of a year"),
    (lambda d: d.month == 1 and d.day < 4 and d.isocalendar().week > 51, "a day of January in the old year's last week",
     "the ISO week belongs to another year"),
    (lambda d: d.day == 31 and d.month not in (1, 12), "the 31st of a month", "adding a month has no such day"),
    (lambda d: d.day == 30 and (d + timedelta(1)).day == 1, "the 30th, the last day of its month", "there is no 31st"),
)


_CHANGES = (
    (3, -1, 2, "02:30 on the last Sunday in March", "clocks in the EU skip it"),
    (10, -1, 2, "02:30 on the last Sunday in October", "clocks in the EU show it twice"),
    (3, 1, 2, "02:30 on the second Sunday in March", "clocks in the US skip it"),
    (11, 0, 1, "01:30 on the first Sunday in November", "clocks in the US show it twice"),
)


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def ends(coder: Coder) -> tuple[pl.Series, pl.Series]:
    """Return the earliest and the latest moment that may be shown."""
    low, high = (_at(coder, *units) for units in _bounds(coder))
    return low, high


def _bounds(coder: Coder) -> tuple[tuple[int, int], tuple[int, int]]:
    """(period, step) of the earliest and of the latest moment."""
    form, grids = coder.form, list(coder.grids)
    periods = grids.pop(0).bounds if form.has_days else (0, 0)
    steps = grids.pop(0).bounds if form.has_ticks else (0, 0)
    return (int(periods[0]), int(steps[0])), (int(periods[1]), int(steps[1]))


def _at(coder: Coder, period: int, step: int) -> pl.Series:
    return coder.form.series(np.array([period]), np.array([step]))


def moments(ground: Ground, name: str, coder: Coder) -> Iterator[Point]:
    """Yield telling moments in the column's own format and steps."""
    if not coder.grids:
        return
    limits = _limits(ground, name, coder)
    for value, case, why in _all(coder, ground.dtype(name)):
        inner = coder.form.moments(value)
        if value.null_count() or inner.null_count():
            continue
        back = coder.form.series(*coder.form.units(value)[:2])
        stays = isinstance(coder.form.inner, pl.Datetime) and coder.form.inner.time_zone is not None
        if (stays or back[0] == value[0]) and _within(inner, limits):
            yield Point(value, case, why)


def _limits(ground: Ground, name: str, coder: Coder) -> list[Any]:
    return [coder.form._limit(text) for text in ground.allowed(name)]


def _within(inner: pl.Series, limits: list[Any]) -> bool:
    low, high = limits
    if isinstance(inner.dtype, pl.Datetime) and inner.dtype.time_zone:
        inner = inner.dt.replace_time_zone(None)
    return (low is None or bool((inner >= low).all())) and (high is None or bool((inner <= high).all()))


def _all(coder: Coder, dtype: pl.DataType) -> Iterator[tuple[pl.Series, str, str]]:
    (first, early), (last, late) = _bounds(coder)
    form, middle = coder.form, (early + late) // 2
    for text, end in ((form.minimum, "earliest"), (form.maximum, "latest")):
        if text is not None:
            yield _limit_at(coder, text), f"the {end} value allowed", "the schema's limit"
    low, high = ends(coder)
    yield low.cast(dtype), "the earliest value", "the end of what is usual"
    yield high.cast(dtype), "the latest value", "the end of what is usual"
    if form.has_days:
        yield _at(coder, first + 1, middle), f"one {form.day_step} after the earliest", "just inside"
        yield _at(coder, last - 1, middle), f"one {form.day_step} before the latest", "just inside"
        yield from ((_at(coder, p, middle), case, why) for p, case, why in _calendar_days(coder, first, last))
    if form.has_ticks:
        yield from _times(coder, last)
    if form.has_days and form.has_ticks:
        yield from _clocks(coder, first, last)


def _limit_at(coder: Coder, text: str) -> pl.Series:
    inner = pl.Series([coder.form._limit(text)])
    if isinstance(coder.form.inner, pl.Datetime):
        inner = inner.cast(pl.Datetime(coder.form.inner.time_unit))
    days, ticks, _ = _calendar.split(inner)
    return coder.form.series(_calendar.to_periods(days, coder.form.day_step, coder.form.weekday),
                             ticks // coder.form.tick_step)


def _calendar_days(coder: Coder, first: int, last: int) -> Iterator[tuple[int, str, str]]:
    """The latest such day within what was seen, or else the nearest beyond it."""
    form = coder.form
    low, high = (int(_calendar.to_days(np.array([p]), form.day_step, form.weekday)[0]) for p in (first, last))
    low, high = max(low, -719_000), min(high, 2_932_000)
    span = [*range(high, max(low, high - 3 * _FAR) - 1, -1), *range(high + 1, high + _FAR),
            *range(low - 1, low - _FAR, -1)]
    days = [_EPOCH + timedelta(days=d) for d in span if -719_162 <= d < 2_932_896]
    for fits, case, why in _DAYS:
        day = next((d for d in days if fits(d)), None)
        if day is None:
            continue
        number = np.array([(day - _EPOCH).days])
        period = _calendar.to_periods(number, form.day_step, form.weekday)
        if _calendar.to_days(period, form.day_step, form.weekday)[0] == number[0]:
            beyond = "" if low <= number[0] <= high else "; beyond what was seen"
            yield int(period[0]), f"{case} ({day.isoformat()})", why + beyond


def _times(coder: Coder, period: int) -> Iterator[tuple[pl.Series, str, str]]:
    step, per_day = coder.form.tick_step, _calendar.ticks_per_day(coder.form.inner)
    if per_day % step:
        return
    yield _at(coder, period, 0), "midnight", "the first moment of a day; a bare date reads as it"
    yield _at(coder, period, per_day // step - 1), "the last moment of a day", "the next one is tomorrow"
    if per_day // 2 % step == 0:
        yield _at(coder, period, per_day // 2 // step), "noon", "12 pm, which is not midnight"


# -- the clocks -------------------------------------------------------------------------------------------------------
def _clocks(coder: Coder, first: int, last: int) -> Iterator[tuple[pl.Series, str, str]]:
    form = coder.form
    assert isinstance(form.inner, pl.Datetime)
    if form.day_step != "day":
        return
    if form.inner.time_zone and form.format is None:
        yield from _changes(form.inner, form.tick_step, first, last)
        return
    year = (_EPOCH + timedelta(days=min(max(last, -719_000), 2_932_000))).year
    minutes = _calendar.ticks_per_day(form.inner) // 1440
    for month, nth, half_past, case, why in _CHANGES:
        ticks = (half_past * 60 + 30) * minutes
        if ticks % form.tick_step == 0:
            day = _sunday(year, month, nth)
            yield _at(coder, (day - _EPOCH).days, ticks // form.tick_step), f"{case} ({day.isoformat()})", why


def _sunday(year: int, month: int, nth: int) -> date:
    """The first Sunday of a month (0), the second (1), or the last (-1)."""
    first = date(year, month, 1)
    sundays = [first + timedelta(days=d) for d in range(31) if (first + timedelta(days=d)).month == month
               and (first + timedelta(days=d)).weekday() == 6]
    return sundays[nth]


def _changes(dtype: pl.Datetime, step: int, first: int, last: int) -> Iterator[tuple[pl.Series, str, str]]:
    """The moments about the latest changes of the zone's own clocks, forward and back."""
    from zoneinfo import ZoneInfo

    zone, found = ZoneInfo(str(dtype.time_zone)), set()
    tick = _calendar.ticks_per_day(dtype) // 86_400
    for day in range(min(last, 2_900_000), max(first - 366, last - _FAR), -1):
        change = _change_on(zone, day)
        if change is None or change[1] in found:
            continue
        at, forward = change
        found.add(forward)
        said = "forward" if forward else "back"
        for ticks, case in ((at * tick - step, "the last moment before"), (at * tick, "the first moment after")):
            utc = pl.Series([ticks]).cast(pl.Datetime(dtype.time_unit, "UTC"))
            yield utc.dt.convert_time_zone(str(dtype.time_zone)), f"{case} the clocks go {said}", (
                "an hour is missing" if forward else "an hour comes twice")
        if len(found) == 2:
            return


def _change_on(zone: Any, day: int) -> tuple[int, bool] | None:
    """Second since 1970 at which clocks change on a day, and whether they go forward; None if they do not."""
    start = datetime(1970, 1, 1) + timedelta(days=day)

    def offset(hour: int) -> Any:
        return (start + timedelta(hours=hour)).replace(tzinfo=UTC).astimezone(zone).utcoffset()

    if offset(0) == offset(24):
        return None
    hour = next(h for h in range(1, 25) if offset(h) != offset(0))
    return day * 86_400 + hour * 3600, offset(hour) > offset(0)
