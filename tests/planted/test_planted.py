"""Faults planted in samples of a population: each is found, by name; clean samples raise no alarm."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from population import TARGET, independent, people, table_of

from verisyn.assessment import assess_frames

ROWS = 1500
TRAIN, HOLDOUT, FRESH = people(ROWS, 11), people(ROWS, 12), people(ROWS, 13)
TABLE = table_of(TRAIN)


def copies(share: float) -> pl.DataFrame:
    count = round(share * ROWS)
    return pl.concat([FRESH[count:], TRAIN[100:100 + count]])


def jittered() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    some = TRAIN[:150].with_columns((pl.col("income") * pl.Series(rng.uniform(0.9999, 1.0001, 150))).round(2))
    return pl.concat([FRESH[150:], some])


def dropped() -> pl.DataFrame:
    return pl.concat([FRESH, people(ROWS, 14)]).filter(pl.col("city") != "Łódź")[:ROWS]


def shuffled_label() -> pl.DataFrame:
    return FRESH.with_columns(pl.col(TARGET).shuffle(seed=1))


PRIVACY = ("privacy.copies", "privacy.membership", "privacy.nearest_record")
FAULTS = {
    "copies 2 % of training rows": (copies(0.02), {"privacy.copies": "poor"}),
    "copies everything": (TRAIN, dict.fromkeys(PRIVACY, "poor")),
    "moves a tenth of the rows a little": (jittered(), {"privacy.copies": "poor", "privacy.membership": "poor"}),
    "drops a level": (dropped(), {"fidelity.rare_categories": "poor"}),
    "shuffles the label": (shuffled_label(), {"utility.tstr": "poor"}),
    "draws columns alone": (independent(TRAIN, 0), {"fidelity.two_sample": "poor", "utility.tstr": "poor"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault_is_found(fault):
    fake, expected = FAULTS[fault]
    found = assess_frames(fake, TRAIN, HOLDOUT, TABLE, metrics=[*{*expected, *PRIVACY}])
    assert {name: found[name].verdict for name in expected} == expected, [f.reason for f in found.findings]
    others = [f for f in found.findings if f.question == "privacy" and f.name not in expected]
    assert not [f.reason for f in others if f.verdict == "poor"]


def test_the_lost_level_is_named():
    name = "fidelity.rare_categories"
    reason = assess_frames(dropped(), TRAIN, HOLDOUT, TABLE, metrics=[name])[name].reason
    assert "'Łódź'" in reason and "'city'" in reason


def test_copied_texts_are_found():
    def with_notes(frame, seed):
        numbers = np.random.default_rng(seed).integers(1 << 50, size=frame.height)
        notes = [f"Patient {i} reports pain in the {i % 97}th week, see letter {i // 97}." for i in numbers]
        return frame.with_columns(note=pl.Series(notes))

    train, holdout = with_notes(TRAIN, 1), with_notes(HOLDOUT, 2)
    table = table_of(train)
    fake = with_notes(FRESH, 3)
    leaking = fake.with_columns(note=pl.concat([fake["note"][50:], train["note"][:50]]))
    clean, finding = (assess_frames(f, train, holdout, table, metrics=["copies"])["privacy.copies"]
                      for f in (fake, leaking))
    assert clean.verdict == "good"
    assert finding.verdict == "poor" and "texts of 'note'" in finding.reason


@pytest.mark.parametrize("seed", range(3))
def test_a_clean_sample_raises_no_alarm(seed):
    frames = [people(500, 100 * seed + i) for i in range(3)]
    found = assess_frames(*frames, table_of(frames[1]), seed=seed)
    asked = [f for f in found.findings if "'thorough'" not in f.reason]
    assert {f.name: f.reason for f in asked if f.verdict in ("poor", "not answered")} == {}
