"""Judges that must not fail by themselves: clean halves of a real table whose classes are told apart almost perfectly."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from conftest import DATA
from population import table_of

from verisyn.assessment import assess_frames

TAXIS = DATA / "nyc_taxis" / "data.parquet"


@pytest.mark.skipif(not TAXIS.exists(), reason="the real data sets are not beside the checkout")
@pytest.mark.parametrize("seed", range(2))
def test_a_task_that_is_solved_almost_altogether_is_no_trap(seed):
    frame = pl.read_parquet(TAXIS)
    fake, train, holdout = (frame[part] for part in np.array_split(np.random.default_rng(seed).permutation(frame.height), 3))
    found = assess_frames(fake, train, holdout, table_of(train, "dropoff_borough", None),
                          metrics=["tstr", "linear", "augmentation"])
    told = found["utility.tstr"].details
    assert min(told["tstr"], told["trtr"]) > 0.96
    assert {f.name: f.reason for f in found.findings if f.verdict != "good"} == {}
