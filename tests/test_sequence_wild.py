"""Histories and series as people have them: markets' days, ends of months, marked last rows, no column of time."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import verisyn as vs
from verisyn.cli import app
from verisyn.errors import UserError


def walk(rows, seed=0):
    return np.round(100 + np.cumsum(np.random.default_rng(seed).normal(0, 1, rows)), 2)


def days(first, rows, kept):
    every = pl.date_range(first, first + dt.timedelta(days=40 * rows), eager=True)
    return every.filter(pl.Series([kept(day) for day in every])).head(rows)


def month_end(day):
    return (day + dt.timedelta(days=1)).day == 1


MARKET = days(dt.date(2015, 1, 1), 300, lambda day: day.weekday() < 5)
ENDS = days(dt.date(2001, 1, 31), 120, month_end)


@pytest.mark.parametrize(("times", "kept", "start"), [
    (MARKET, lambda day: day.weekday() < 5, "2022-03-07"),
    (days(dt.date(2015, 1, 1), 300, lambda day: day.weekday() in (0, 2, 4)), lambda day: day.weekday() in (0, 2, 4),
     "2022-03-09"),
    (ENDS, month_end, "2020-02-29"),
    (ENDS.filter(pl.Series([day.month % 3 == 0 for day in ENDS])), month_end, "2020-06-30"),
    (days(dt.date(2001, 1, 1), 120, lambda day: day.day == 1), lambda day: day.day == 1, "2020-03-01"),
], ids=["market", "three weekdays", "ends of months", "ends of quarters", "months"])
def test_a_calendar_that_leaves_days_out_is_kept_also_from_another_start(times, kept, start):
    series = pl.DataFrame({"day": times, "price": walk(len(times))})
    model = vs.fit(series, time="day", audit=False)
    for more in ({}, {"start": start}):
        made = model.sample(seed=1, **more)["day"]
        assert all(map(kept, made))
        assert made.n_unique() == len(made) == len(times)
        assert made[0] == dt.date.fromisoformat(more.get("start", str(times[0])))
        gaps = set(times.diff().drop_nulls())
        assert kept is not month_end or {g.days // 28 for g in gaps} == {g.days // 28 for g in made.diff().drop_nulls()}


def test_holidays_are_holes_in_a_markets_days():
    holiday = np.random.default_rng(1).random(len(MARKET)) < 0.02
    some = pl.DataFrame({"day": MARKET, "price": walk(len(MARKET))}).filter(~pl.Series(holiday))
    model = vs.fit(some, time="day", audit=False)
    made = model.sample(seed=1)["day"]
    assert made.n_unique() == len(made)
    assert set(made.dt.weekday()) == {1, 2, 3, 4, 5}
    assert 0 < (made.diff().dt.total_days().is_in([2, 4])).sum() < 3 * holiday.sum() + 5


@pytest.fixture(scope="module")
def machines():
    rng, rows = np.random.default_rng(0), []
    for i in range(60):
        count, dies = int(rng.integers(10, 40)), rng.random() < 0.5
        for k in range(count):
            ends = k == count - 1
            rows.append((f"u{i}", k, float(rng.normal(k * (1 + dies))), k == 0,
                         "failed" if ends and dies else "stopped" if ends else "runs", count - 1 - k))
    return pl.DataFrame(rows, schema=["unit", "t", "heat", "new", "state", "left"], orient="row")


def test_what_marks_first_and_last_rows_still_does(machines, tmp_path):
    model = vs.fit(machines, entity="unit", time="t", audit=False)
    model.save(tmp_path / "model")
    made = vs.load(tmp_path / "model").sample(seed=1)
    assert made.schema == machines.schema
    first, last = pl.col("t") == 0, pl.col("left") == 0
    assert (made["new"] == made.select(first)["t"]).all()
    assert (made.filter(~last)["state"] == "runs").all()
    ends = made.filter(last)["state"]
    assert set(ends) == {"failed", "stopped"}
    assert 15 < (ends == "failed").sum() < 45


def test_first_rows_do_not_tell_how_the_last_one_is(machines):
    model = vs.fit(machines, entity="unit", time="t", audit=False)
    begun = machines.filter(pl.col("t") < 5)
    made = model.sample(seed=2, prefix=begun)
    ends = made.group_by("unit").agg(pl.col("state").last())["state"]
    assert set(ends) <= {"failed", "stopped"}
    assert (ends == "failed").sum() > 10


def test_a_sensor_of_whole_degrees_stays_one_though_two_readings_are_odd():
    rng = np.random.default_rng(3)
    heat = np.rint(15 + 20 * np.sin(np.arange(4000) / 300) + np.cumsum(rng.normal(0, 0.1, 4000)))
    heat[[700, 2900]] += 0.333333333
    series = pl.DataFrame({"t": np.arange(4000), "heat": heat})
    made = vs.fit(series, time="t", audit=False).sample(seed=1)["heat"]
    assert (made == made.round()).mean() > 0.99


def test_infinite_readings_are_missing_and_said():
    rng = np.random.default_rng(4)
    values = np.cumsum(rng.normal(size=600))
    values[::40] = np.inf
    made = vs.fit(pl.DataFrame({"t": np.arange(600), "x": values}), time="t", audit=False).sample(seed=1)
    assert made["x"].drop_nulls().is_finite().all()
    assert made["x"].null_count() > 0


def test_one_long_history_among_short_ones_begins_when_it_did():
    counts = [26_000, *[40] * 25]
    frame = pl.DataFrame({"who": np.repeat([f"m{i}" for i in range(26)], counts),
                          "t": np.concatenate([np.arange(c) for c in counts]), "x": walk(sum(counts))})
    made = vs.fit(frame, entity="who", time="t", audit=False).sample(seed=5, entities=60)
    spans = made.group_by("who").agg(pl.col("t").min().alias("first"), pl.len())
    assert spans["len"].max() == 26_000
    assert (spans["first"] == 0).all()


def test_rows_in_their_order_need_no_column_of_time(tmp_path):
    rng = np.random.default_rng(5)
    signal = pl.DataFrame({"lead": np.rint(200 * np.sin(np.arange(600) / 9) + rng.normal(0, 3, 600)).astype(int)})
    made = vs.fit(signal, time="row", audit=False).sample(seed=1)
    assert made["row"].to_list() == list(range(600))
    now, soon = made["lead"][:-1], made["lead"][1:]
    assert pl.select(pl.corr(now, soon)).item() > 0.9
    many = signal.with_columns(pl.Series("who", np.repeat(range(30), 20)))
    rows = vs.fit(many, entity="who", time="row", audit=False).sample(seed=1)
    assert (rows.group_by("who").agg(pl.col("row").min())["row"] == 0).all()
    path = tmp_path / "signal.parquet"
    signal.write_parquet(path)
    for ask, told in (("sample", "name 'row'"), ("row", "stand in their order")):
        out = CliRunner().invoke(app, ["fit", str(path), "--time", ask, "--out", str(tmp_path / ask), "--no-audit"])
        assert told in out.output
    with pytest.raises(UserError, match="'row' where they stand"):
        vs.fit(many, entity="who", audit=False)


def test_a_recomputed_column_may_follow_one_that_is_learnt_as_a_gap():
    rng = np.random.default_rng(6)
    low = np.round(np.exp(np.cumsum(rng.normal(0, 0.05, 600))) * 50, 2)
    close = np.round(low + rng.gamma(2, 0.2, 600), 2)
    bars = pl.DataFrame({"low": low, "close": close, "adjusted": close, "volume": rng.integers(1, 999, 600)})
    for more in ({}, {"time": "row"}):
        made = vs.fit(bars, audit=False, **more).sample(seed=1)
        assert (made["close"] == made["adjusted"]).all()
        assert (made["close"] >= made["low"]).all()


def test_names_of_entities_keep_their_form_in_any_script():
    for form in ("Gerät-{:03d}", "東京{}"):
        frame = pl.DataFrame({"name": [form.format(i) for i in range(40) for _ in range(5)], "t": list(range(5)) * 40})
        made = vs.fit(frame, entity="name", time="t", audit=False).sample(seed=0)["name"].unique()
        assert set(made) == {form.format(i) for i in range(40, 80)}
