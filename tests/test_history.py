"""The engine under databases and sequences: rows given their entity, its profile and the rows before them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import verisyn as vs
from verisyn import shelves
from verisyn.kinds import Part
from verisyn.modalities.sequence._history import History, Rows
from verisyn.modalities.sequence._innovations import begun, marks_of, pushed, regressors, remaining
from verisyn.modalities.table import Codes
from verisyn.modalities.table._conditional import nothing
from verisyn.schema import Column, Table


def walks(n, seed, *, smooth=True):
    """Machines that run to failure: a level that wanders, and a heat that rises over the last twenty steps."""
    rng = np.random.default_rng(seed)
    frames = []
    for unit in range(n):
        rows = int(rng.integers(40, 90))
        left = rows - 1 - np.arange(rows)
        level = np.cumsum(rng.normal(0, 0.05 if smooth else 1, rows)) + rng.normal(0, 2)
        heat = np.round(20 + 2.0 * np.maximum(0, 20 - left) + rng.normal(0, 1, rows), 2)
        crew = pl.Series(rng.choice([f"crew {i}" for i in range(12)], rows))
        changed = pl.Series(rng.random(rows) < 0.1)
        frames.append(pl.DataFrame({
            "unit": unit, "step": np.arange(rows), "level": level, "heat": heat,
            "shift": crew.zip_with(changed, pl.Series([None] * rows, dtype=pl.String)).forward_fill().fill_null(crew[0])}))
    return pl.concat(frames)


@pytest.fixture(scope="module")
def machines():
    real = walks(120, 0)
    return real, vs.fit(real, entity="unit", time="step", seed=0, audit=False).sample(seed=1)


def last_rows(frame, n):
    return frame.filter(pl.len().over("unit") - 1 - pl.int_range(pl.len()).over("unit") < n)


def test_heat_rises_before_the_end_and_only_then(machines):
    real, fake = machines
    for frame in (real, fake):
        assert last_rows(frame, 3)["heat"].mean() > 53
        early = frame.filter(pl.col("step") < 15)["heat"]
        assert abs(early.mean() - 20) < 1 and early.max() < 40


def test_smooth_columns_are_smooth_and_do_not_wander_off(machines):
    real, fake = machines

    def steps(frame):
        return frame.select(pl.col("level").diff().over("unit").abs().mean()).item()

    assert 0.7 < steps(fake) / steps(real) < 1.4
    assert 0.6 < fake["level"].std() / real["level"].std() < 1.5
    assert fake["level"].min() >= real["level"].min() and fake["level"].max() <= real["level"].max()


def test_what_stays_mostly_as_it_was_does_so(machines):
    real, fake = machines

    def kept(frame):
        return frame.select((pl.col("shift") == pl.col("shift").shift(1)).over("unit").mean()).item()

    assert abs(kept(fake) - kept(real)) < 0.04


def test_lengths_steps_and_types_are_those_of_the_source(machines):
    real, fake = machines
    assert fake.schema == real.schema
    assert fake.select((pl.col("step").diff().over("unit").drop_nulls() == 1).all()).item()
    lengths = [f.group_by("unit").len()["len"] for f in (real, fake)]
    assert abs(lengths[0].mean() - lengths[1].mean()) < 6 and lengths[1].max() <= 95


def test_a_row_more_likely_in_its_place_is_told_so():
    real = walks(60, 3, smooth=False)
    model = vs.fit(real, entity="unit", time="step", seed=0, audit=False)
    entities, rows = model.whole.layout.part(real).entities, model.whole.layout.part(real).rows
    usual = model.fitted.log_prob(entities, rows).mean()
    turned = real.with_columns(pl.col("heat").reverse().over("unit"))
    odd = model.fitted.log_prob(entities, model.whole.layout.part(turned).rows).mean()
    assert np.isfinite(usual) and odd < usual - 20


def test_what_is_told_of_the_past_is_the_same_over_rows_that_are_there_and_rows_being_drawn():
    rng = np.random.default_rng(0)
    starts = np.array([0, 5, 5, 12])
    z = rng.normal(size=(12, 2))
    told, known = regressors(z, starts)
    for begin, end in ((0, 5), (5, 12)):
        past = begun(z[begin:begin + 1])
        for row in range(begin + 1, end):
            np.testing.assert_allclose(told[row], past[0])
            past = pushed(past, z[row:row + 1])
    assert known.tolist() == [r not in (0, 5) for r in range(12)]
    assert remaining(starts).tolist() == [5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1]
    assert np.isnan(marks_of(z, starts, True)[1]).all()


def test_rows_follow_what_stands_beside_them_and_keep_the_times_that_are_given():
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 6, 400)
    starts = np.concatenate([[0], np.cumsum(counts)])
    kind = rng.integers(0, 3, starts[-1]).astype(np.int32)
    day = pl.Series("day", np.concatenate([np.sort(rng.integers(0, 500, n)) for n in counts]))
    value = pl.Series("value", np.array([0.0, 10.0, 30.0])[kind] + rng.normal(0, 1, len(kind)))
    rows = Rows(value.to_frame(), starts, day)
    table = Table(name="rows", columns=(Column(name="value", kind="number", dtype="Float64"),))
    beside = Codes(kind[:, None], (Part(3, False, -1),), ("kind",))
    model = History.learn(rows, table, nothing(400), beside=beside, time=Column(name="day", kind="number", dtype="Int64"),
                          maker=shelves.generators.take("table.trees").Generator(), seed=np.random.SeedSequence(0))
    model = History.restore(model.state())
    told = np.empty((400, 0), np.int32)
    drawn = [model.sample(told, np.random.SeedSequence(1), counts=counts, times=day, beside=beside.values, jobs=jobs)
             for jobs in (1, 2)]
    assert drawn[0].frame.equals(drawn[1].frame) and drawn[0].time.equals(day)
    means = [drawn[0].frame["value"].to_numpy()[kind == k].mean() for k in range(3)]
    np.testing.assert_allclose(means, [0, 10, 30], atol=3.5)  # told nothing, all are near 13
    right, wrong = (model.log_prob(rows, told, codes).sum() for codes in (beside.values, (beside.values + 1) % 3))
    assert np.isfinite(right) and wrong < right - 400


def test_a_history_is_as_likely_alone_as_among_others():
    real = walks(60, 5)
    model = vs.fit(real, entity="unit", time="step", seed=0, audit=False)
    parts, few = model.whole.layout.part(real), model.whole.layout.part(real.filter(pl.col("unit") < 5))
    together = model.fitted.log_prob(parts.entities, parts.rows)
    np.testing.assert_allclose(model.fitted.log_prob(few.entities, few.rows), together[:5])
