"""The engine under databases and sequences: rows given their entity, its profile and the rows before them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import verisyn as vs
from verisyn.modalities.sequence._innovations import begun, marks_of, pushed, regressors, remaining


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
    assert np.isnan(marks_of(z, starts)[1]).all()
