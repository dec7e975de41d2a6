"""Booleans: which pairs are one, and that labels come back as they were."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from verisyn.errors import UserError
from verisyn.kinds import Declined, Draw, boolean
from verisyn.schema import Column


def coded(series: pl.Series, **settings):
    frame = series.alias("x").to_frame()
    coder = boolean.Coder.learn(frame, [Column(name="x", kind="boolean", settings=settings)], np.random.default_rng(0))
    return coder.decode(coder.encode(frame), Draw(np.random.default_rng(1), np.zeros(len(series), np.int64)))["x"]


@pytest.mark.parametrize("values", [[True, False], ["Yes", "No"], ["J", "N"], ["t", "f"], ["ON", "OFF"], ["sí", "no"],
                                    ["oui", "non"], ["да", "нет"], ["0", "1"], [0, 1], [0.0, 1.0], [True, True]])
def test_pairs_of_yes_and_no_come_back_as_they_were(values):
    series = pl.Series([*values, None] * 10)
    assert boolean.recognise(series, "x").confidence >= 0.95
    assert coded(series).equals(series.alias("x"))


def test_a_late_second_value_is_seen():
    assert boolean.recognise(pl.Series([0] * 5000 + [1]), "x")


@pytest.mark.parametrize("values", [["Male", "Female"], [1, 2], [0, 1, 2], ["yes"], ["yes", "YES", "no"], [0.0, 0.5]])
def test_other_columns_are_declined(values):
    with pytest.raises(Declined):
        boolean.recognise(pl.Series(values * 9), "x")


def test_labels_can_be_stated():
    assert set(coded(pl.Series(["up", "down", "?"] * 9), labels=["down", "up"]).to_list()) == {"up", "down"}


@pytest.mark.parametrize("settings", [{"labels": ["a"]}, {"label": ["a", "b"]}, {}])
def test_a_mistake_is_told(settings):
    with pytest.raises(UserError, match="label"):
        coded(pl.Series(["a", "b", "c"] * 9), **settings)
