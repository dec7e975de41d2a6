"""Numbers: their lattices, bounds, spikes, texts and settings."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import ks_2samp

import verisyn as vs
from verisyn.errors import UserError
from verisyn.kinds import Declined, Draw, number
from verisyn.schema import Column


def coded(series: pl.Series, rows: int | None = None, **settings):
    """Learn a column; return its coder and what it decodes to."""
    frame = series.alias("x").to_frame()
    coder = number.Coder.learn(frame, [Column(name="x", kind="number", settings=settings)], np.random.default_rng(0))
    codes = coder.encode(frame)
    codes = codes if rows is None else np.random.default_rng(2).choice(codes, rows)
    return coder, coder.decode(codes, Draw(np.random.default_rng(1), np.zeros(len(codes), np.int64)))["x"]


RNG = np.random.default_rng(0)


@pytest.mark.parametrize("step", [5, 1000, 0.25, 0.01, 0.5])
def test_the_column_keeps_its_step(step):
    units = RNG.integers(0, 3000, 4000)
    _, back = coded(pl.Series(units * step))
    assert np.allclose(back.to_numpy() / step, np.rint(back.to_numpy() / step))
    assert back.n_unique() > 1500


def test_noise_of_floats_does_not_hide_the_decimals():
    _, back = coded(pl.Series(RNG.integers(0, 5000, 3000) * 0.1 + 0.2))
    assert all(v == round(v, 1) for v in back.to_list())


def test_a_wide_bin_yields_all_its_whole_numbers():
    _, back = coded(pl.Series(np.repeat(np.arange(1000), 3)), rows=100_000)
    assert set(range(5, 995)) <= set(back.to_list())


def test_values_that_five_rows_share_keep_their_exact_share():
    values = np.concatenate([np.full(700, 1.5), np.full(6, 77.25), RNG.normal(20, 5, 4000)])
    _, back = coded(pl.Series(values), rows=50_000)
    assert (back == 1.5).mean() == pytest.approx(700 / 4706, abs=0.01)
    assert 0 < (back == 77.25).mean() < 0.005


def test_an_outlier_is_neither_copied_nor_outdone():
    values = np.append(RNG.normal(0, 1, 5000), 1e6)
    _, back = coded(pl.Series(values), rows=100_000)
    assert values[-2] < back.max() < 1e6


def test_copies_of_rare_values_are_chance():
    values = RNG.lognormal(5, 2, 5000)
    _, back = coded(pl.Series(values), rows=20_000)
    assert not set(values) & set(back.to_list())


def test_a_heavy_tail_keeps_its_shape():
    values = RNG.pareto(1.1, 40_000)
    _, back = coded(pl.Series(values))
    top = values > np.quantile(values, 0.999)
    assert ks_2samp(np.log(values[top]), np.log(back.to_numpy()[top]), method="asymp").statistic < 0.25
    assert ks_2samp(values, back.to_numpy(), method="asymp").statistic < 0.003


def test_numbers_of_64_bits_stay_exact():
    _, back = coded(pl.Series([2**62 + 1, 2**62 + 3, -(2**63)] * 10))
    assert set(back.to_list()) == {2**62 + 1, 2**62 + 3, -(2**63)}
    _, back = coded(pl.Series(RNG.integers(10**18, 10**18 + 10**6, 3000)))
    assert back.min() >= 10**18 and len({v % 128 for v in back.to_list()}) == 128


def test_huge_spreads_do_not_overflow():
    with np.errstate(all="raise", under="ignore"):
        _, back = coded(pl.Series(np.append(10 ** RNG.uniform(-300, 300, 3000), [5e-324, -1.7e308, 1.7e308])))
    assert back.is_finite().all()


def test_infinities_are_missing_and_said():
    coder, back = coded(pl.Series([1.0, np.inf, -np.inf, np.nan, None] * 20))
    assert back.null_count() == 80
    assert "60 values" in coder.notes[0]


@pytest.mark.parametrize("texts", [
    ["$1,200", "$85", "-$3,000,000"], ["12 %", "7 %", "100 %"], ["3,5 kg", "10,25 kg", "1 kg"],
    ["1.234,50 €", "7,00 €", "-12,30 €"], ["1 200", "15", "2 345 678"], ["+5", "-3", "2"], [".5", "1.25", "-.75"],
])
def test_numbers_in_text_are_read_as_numbers(texts):
    series = pl.Series(texts * 10)
    found = number.recognise(series, "x")
    coder, back = coded(series, **found.settings)
    assert not coder.notes
    plus = {t.lstrip("+").replace("-.", "-0.") for t in texts}
    assert {t if t[0] != "." else "0" + t for t in plus} == set(back.to_list())


def test_words_among_numbers_are_codes_of_their_own():
    series = pl.Series([f"{v} kg" for v in range(100)] * 2 + ["unknown"] * 30 + ["oops"] + [None] * 9)
    _, back = coded(series, **number.recognise(series, "x").settings)
    assert (back == "unknown").sum() == 30
    assert "oops" not in back.to_list()
    assert back.null_count() == 10


@pytest.mark.parametrize("texts", [["00123", "04561", "90210"], ["red", "blue", "green"], ["12 kg", "a", "b", "c"]])
def test_texts_that_are_no_numbers_are_declined(texts):
    with pytest.raises(Declined):
        number.recognise(pl.Series(texts), "x")


def test_settings_are_honoured():
    series = pl.Series(RNG.normal(50, 20, 3000))
    _, back = coded(series, decimals=1, minimum=20, maximum=80.0)
    assert back.min() == 20 and back.max() == 80 and all(v == round(v, 1) for v in back.to_list())
    _, back = coded(series, step=0.5)
    assert set((back * 2 % 1).to_list()) == {0.0}


@pytest.mark.parametrize(("settings", "said"), [
    ({"decimal": 1}, "Did you mean 'decimals'"), ({"decimals": "two"}, "whole number"), ({"k": 0}, "1 or more"),
    ({"minimum": 5, "maximum": 1}, "above maximum"), ({"text": {"prefx": "$"}}, "prefx"),
    ({"minimum": float("-inf")}, "a number is expected"),
])
def test_a_mistaken_setting_is_told(settings, said):
    with pytest.raises(UserError, match=said):
        coded(pl.Series([1.0, 2.0] * 9), **settings)


def test_k_is_honoured():
    values = np.repeat(np.arange(0, 40_000, 1000), 7)
    coder, _ = coded(pl.Series(values), k=7)
    assert coder.parts[0].size == 40
    coder, _ = coded(pl.Series(values), k=8)
    assert coder.parts[0].size < 25


def test_real_columns_keep_their_distribution(real):
    frame = pl.read_parquet(real("adult"), columns=["fnlwgt", "capital-gain", "age"])
    for series in frame:
        _, back = coded(series)
        assert ks_2samp(series.to_numpy(), back.to_numpy(), method="asymp").statistic < 0.002


def test_floats_that_many_rows_share_come_back_to_the_last_bit():
    speeds = pl.Series("speed", np.random.default_rng(0).integers(3, 30, 4000) * 1.15078)
    assert (speeds != speeds.round(5)).any()
    fake = vs.fit(speeds.to_frame(), audit=False, seed=0).sample(2000, seed=1)["speed"]
    assert fake.is_in(speeds.implode()).mean() > 0.99
