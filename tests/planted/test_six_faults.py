"""Six faults that generators are known for, planted in a clinic's rows: each is found by name; clean rows raise none."""

from __future__ import annotations

import numpy as np
import pytest
from faults import FAULTS, clinic, table_of

from verisyn.assessment import assess_frames
from verisyn.metrics import effort_of

ROWS, QUICK = 4000, effort_of("quick")
TRAIN, HOLDOUT, FRESH = (clinic(ROWS, seed) for seed in (101, 102, 103))
TABLE = table_of(TRAIN)
FINDERS = tuple(dict.fromkeys(name for fault in FAULTS.values() for name in fault.found_by))


@pytest.fixture(scope="module")
def clean():
    return assess_frames(FRESH, TRAIN, HOLDOUT, TABLE, effort=QUICK)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_by_name(name, clean):
    fault = FAULTS[name]
    fake = fault.plant(FRESH, TRAIN, np.random.default_rng(0))
    found = assess_frames(fake, TRAIN, HOLDOUT, TABLE, effort=QUICK, metrics=list(FINDERS))
    for finding in (found[n] for n in fault.found_by):
        assert finding.verdict == "poor", finding.reason
        assert all(word in finding.reason for word in fault.named), finding.reason
        assert finding.p < 1e-3 < clean[finding.name].p


def test_clean_rows_raise_nothing(clean):
    assert {f.name: f.reason for f in clean.findings if f.verdict == "poor"} == {}
