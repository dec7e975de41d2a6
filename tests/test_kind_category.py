"""Categories: which levels are published, and what stands in for the others."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from verisyn.errors import UserError
from verisyn.kinds import Declined, Draw, category
from verisyn.schema import Column


def coded(series: pl.Series, **settings):
    frame = series.alias("x").to_frame()
    column = Column(name="x", kind="category", settings=settings)
    coder = category.Coder.learn(frame, [column], np.random.default_rng(0))
    codes = coder.encode(frame)
    return coder, coder.decode(codes, Draw(np.random.default_rng(1), np.zeros(len(codes), np.int64)))["x"]


COLOURS = pl.Series(["red"] * 60 + ["blue"] * 30 + ["green"] * 6 + ["mauve", "teal", "ochre"] * 2 + [None] * 4)


def test_rare_levels_are_pooled_into_the_least_frequent_published_ones():
    coder, back = coded(COLOURS)
    assert coder.parts[0].size == 5
    assert dict(back.value_counts().iter_rows()) == {"red": 60, "blue": 30, "green": 12, None: 4}
    assert "3 levels (6 rows)" in coder.notes[0] and "mauve" not in coder.notes[0]


def test_a_label_for_rare_levels_can_be_given():
    _, back = coded(COLOURS, rare="(other)")
    assert (back == "(other)").sum() == 6


def test_levels_can_be_stated():
    _, back = coded(COLOURS, levels=["red", "mauve"], rare="?")
    assert dict(back.drop_nulls().value_counts().iter_rows()) == {"red": 60, "mauve": 2, "?": 40}


def test_an_unseen_level_shares_the_last_feature_level():
    coder, _ = coded(COLOURS)
    feature = coder.features(pl.DataFrame({"x": ["red", "pink", "mauve", None]}))[0]
    assert feature.labels == ("red", "blue", "green") and feature.levels == 4
    assert np.array_equal(feature.values, [0, 3, 3, np.nan], equal_nan=True)


def test_a_hundred_thousand_levels_are_capped():
    series = pl.Series([f"level {i % 100_000}" for i in range(600_000)])
    coder, back = coded(series)
    assert coder.parts[0].size == 5001
    assert back.n_unique() <= 5000


def test_whole_numbers_can_be_levels():
    _, back = coded(pl.Series([1, 2, 2, 9] * 20, dtype=pl.Int8))
    assert back.dtype == pl.Int8 and set(back.to_list()) == {1, 2, 9}


def test_free_text_is_declined():
    with pytest.raises(Declined):
        category.recognise(pl.Series([f"text {i}" for i in range(300)]), "x")


def test_an_enum_loses_categories_that_few_rows_have():
    _, back = coded(pl.Series(["a", "b"] * 50 + ["secret"], dtype=pl.Enum(["a", "b", "secret", "unused"])))
    assert back.dtype == pl.Enum(["a", "b", "unused"])


@pytest.mark.parametrize(("settings", "said"), [({"level": []}, "'levels'"), ({"rare": 3}, "text is expected")])
def test_a_mistaken_setting_is_told(settings, said):
    with pytest.raises(UserError, match=said):
        coded(COLOURS, **settings)


def test_a_column_of_dates_is_refused():
    with pytest.raises(UserError, match="another kind"):
        coded(pl.Series([1, 2]).cast(pl.Date))
