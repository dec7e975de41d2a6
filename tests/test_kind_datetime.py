"""Moments: formats of text, steps, weekdays, zones and limits."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import polars as pl
import pytest

from verisyn.errors import UserError
from verisyn.kinds import Declined, Draw
from verisyn.kinds import datetime as moments
from verisyn.schema import Column

RNG = np.random.default_rng(0)
SECONDS = pl.Series(RNG.integers(1_420_000_000, 1_580_000_000, 3000) * 1_000_000).cast(pl.Datetime("us"))


def coded(series: pl.Series, name: str = "x", **settings):
    frame = series.alias(name).to_frame()
    column = Column(name=name, kind="datetime", settings=settings)
    coder = moments.Coder.learn(frame, [column], np.random.default_rng(0))
    codes = coder.encode(frame)
    return coder, coder.decode(codes, Draw(np.random.default_rng(1), np.zeros(len(codes), np.int64)))[name]


@pytest.mark.parametrize("form", [
    "%Y-%m-%d", "%d/%m/%Y", "%-m/%-d/%Y", "%d.%m.%Y %H:%M", "%Y/%m/%d", "%b %d, %Y", "%B %-d, %Y", "%d-%b-%y", "%Y-%m",
    "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S+02:00", "%-m/%-d/%Y %-I:%M %p", "%Y-%m-%d %H:%M:%S%.3f", "%H:%M",
    "%H:%M:%S"])
def test_text_is_read_and_written_in_its_own_format(form):
    texts = SECONDS.dt.to_string(form)
    found = moments.recognise(texts, "x")
    assert found.settings == {"format": form}
    coder, back = coded(texts, **found.settings)
    assert not coder.notes
    assert set(back.str.len_chars().unique()) <= set(texts.str.len_chars().unique())


@pytest.mark.parametrize(("form", "name"), [("%Y%m%d", "order_date"), ("epoch seconds", "timestamp"),
                                            ("epoch milliseconds", "created_ts")])
def test_whole_numbers_are_moments_where_the_name_says_so(form, name):
    if form == "%Y%m%d":
        numbers = SECONDS.dt.to_string(form).cast(pl.Int32)
    else:
        numbers = SECONDS.dt.epoch("s" if form == "epoch seconds" else "ms")
    found = moments.recognise(numbers, name)
    assert found.settings == {"format": form}
    _, back = coded(numbers, name, **found.settings)
    assert back.dtype == numbers.dtype and numbers.min() <= back.min() <= back.max() <= numbers.max()
    with pytest.raises(Declined):
        moments.recognise(numbers.head(20), "amount")


def test_an_ambiguous_order_of_day_and_month_is_said():
    found = moments.recognise(pl.Series([f"{a:02d}/{b:02d}/2020" for a, b in RNG.integers(1, 13, (300, 2))]), "x")
    assert found.settings == {"format": "%d/%m/%Y"} and "'%m/%d/%Y' fits as well" in found.evidence


@pytest.mark.parametrize(("step", "check"), [
    ("1h", lambda s: (s.dt.minute() == 0) & (s.dt.second() == 0)), ("15m", lambda s: s.dt.minute() % 15 == 0),
    ("1d", lambda s: s.dt.hour() == 0), ("1w", lambda s: s.dt.weekday() == 1), ("1mo", lambda s: s.dt.day() == 1),
    ("1q", lambda s: (s.dt.day() == 1) & (s.dt.month() % 3 == 1)), ("1y", lambda s: s.dt.ordinal_day() == 1)])
def test_the_column_keeps_its_step(step, check):
    _, back = coded(SECONDS.dt.truncate(step))
    assert check(back).all()


def test_weekdays_and_hours_keep_their_pattern():
    series = SECONDS.filter((SECONDS.dt.weekday() < 6) & SECONDS.dt.hour().is_between(8, 17))
    _, back = coded(series)
    assert (back.dt.weekday() > 5).mean() < 0.05  # 0.29 without the pattern
    assert back.dt.hour().is_between(8, 17).all()


def test_centuries_far_away_work():
    for shift in ("-1000y", "2000y"):
        series = SECONDS.dt.offset_by(shift)
        _, back = coded(series)
        assert series.min() <= back.min() <= back.max() <= series.max()


def test_a_zone_keeps_its_wall_clock():
    noon = SECONDS.dt.truncate("1d").dt.offset_by("12h").dt.replace_time_zone("America/New_York")
    _, back = coded(noon)
    assert back.dtype == noon.dtype and (back.dt.hour() == 12).all()
    skipped = pl.Series([datetime(2021, 3, 27, 2, 30), datetime(2021, 3, 29, 2, 30)] * 40)
    _, back = coded(skipped.dt.replace_time_zone("Europe/Berlin"))
    assert back.null_count() == 0


def test_first_and_last_day_are_not_published_for_one_row():
    days = pl.Series([date(1900, 1, 1), *[date(2000, 1, 1 + i % 28) for i in range(3000)], date(2099, 12, 31)])
    _, back = coded(days)
    assert date(1900, 1, 1) < back.min() and back.max() < date(2099, 12, 31)


def test_texts_that_do_not_parse_are_missing_and_said():
    texts = pl.concat([SECONDS.dt.to_string("%Y-%m-%d"), pl.Series(["soon"] * 3)])
    coder, back = coded(texts, **moments.recognise(texts, "x").settings)
    assert back.null_count() == 3 and "3 texts" in coder.notes[0]


def test_settings_are_honoured():
    texts = pl.Series([f"{a:02d}/{b:02d}/2020" for a, b in RNG.integers(1, 13, (300, 2))])
    _, back = coded(texts, format="%m/%d/%Y")
    assert back.str.to_date("%m/%d/%Y", strict=False).null_count() == 0
    _, back = coded(SECONDS, minimum="2018-01-01", maximum=date(2018, 12, 31))
    assert set(back.dt.year().to_list()) == {2018}


@pytest.mark.parametrize("settings", [{"format": "nonsense"}, {"minimum": "yesterday"}, {"formt": "%Y"}])
def test_a_mistaken_setting_is_told(settings):
    with pytest.raises(UserError, match=next(iter(settings))):
        coded(SECONDS.dt.to_string("%Y-%m-%d"), **settings)
