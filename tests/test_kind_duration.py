"""Spans of time: the forms of text, and the step that is kept."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import ks_2samp

from verisyn.errors import UserError
from verisyn.kinds import Declined, Draw, duration
from verisyn.schema import Column

SPANS = np.random.default_rng(0).exponential(9000, 3000).astype(int).tolist()


def coded(series: pl.Series, **settings):
    frame = series.alias("x").to_frame()
    column = Column(name="x", kind="duration", settings=settings)
    coder = duration.Coder.learn(frame, [column], np.random.default_rng(0))
    codes = coder.encode(frame)
    return coder, coder.decode(codes, Draw(np.random.default_rng(1), np.zeros(len(codes), np.int64))).to_series()


WRITERS = {
    "25:01:09": lambda s: f"{s // 3600 + 20:02d}:{s // 60 % 60:02d}:{s % 60:02d}",
    "3 days 01:02:03": lambda s: f"{s // 3600} days {s // 60 % 24:02d}:{s // 60 % 60:02d}:{s % 60:02d}",
    "1h 5m": lambda s: f"{s // 3600 + 1}h {s // 60 % 59 + 1}m",
    "90 min": lambda s: f"{s // 60} min",
    "1 day": lambda s: f"{s // 3600} day{'' if s // 3600 == 1 else 's'}",
}


@pytest.mark.parametrize("example", WRITERS)
def test_text_is_read_and_written_in_its_own_form(example):
    texts = pl.Series([WRITERS[example](s) for s in SPANS])
    found = duration.recognise(texts, "x")
    coder, back = coded(texts, **found.settings)
    assert not coder.notes
    real, fake = (coder.features(s.alias("x").to_frame())[0].values for s in (texts, back))
    assert ks_2samp(real, fake, method="asymp").statistic < 0.02
    common = [s for s, count in texts.value_counts().iter_rows() if count >= 5]
    assert set(common) <= set(back.to_list())


@pytest.mark.parametrize("texts", [["12 kg", "5 m"], ["08:15:00", "09:30:00"], ["5m", "7m"], ["soon", "late"]])
def test_other_texts_are_declined(texts):
    with pytest.raises(Declined):
        duration.recognise(pl.Series(texts), "x")


def test_times_are_spans_where_the_name_says_so():
    assert duration.recognise(pl.Series(["08:15:00", "09:30:00"]), "lap_duration")


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_whole_minutes_stay_whole(unit):
    series = (pl.Series(SPANS) // 60 * 60_000).cast(pl.Duration("ms")).cast(pl.Duration(unit))
    coder, back = coded(series)
    assert back.dtype == series.dtype
    assert (back.dt.total_milliseconds() % 60_000 == 0).all()
    assert coder.features(series.alias("x").to_frame())[0].values[:3].tolist() == [s // 60 * 60 for s in SPANS[:3]]


def test_a_mistaken_setting_is_told():
    with pytest.raises(UserError, match="clok"):
        coded(pl.Series(["1:00", "2:00"]), text={"clok": "h:mm"})
