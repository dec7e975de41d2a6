"""Faults in what is reached: unrealistic rows, lost regions, tails, rare levels, gaps, constraints, bounds; by name."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pytest
from population import disjoint, independent, people, table_of

from verisyn.assessment import assess_frames
from verisyn.description import describe
from verisyn.metrics import EFFORTS

METRICS = ["alpha_precision", "beta_recall", "tails", "rare_categories", "missingness", "constraints", "boundaries"]
ROWS = 6000


def orders(rows: int, seed: int) -> pl.DataFrame:
    """Draw orders: a sum, extremes that come together, rare levels, a usual price, gaps together and by column."""
    rng = np.random.default_rng(seed)
    shock = np.where(rng.random(rows) < 0.03, rng.gamma(4, 20, rows), 0)
    goods = (rng.gamma(3, 10, rows) + shock).round(2)
    goods = np.where(rng.random(rows) < 0.03, 19.99, goods)
    post = (rng.gamma(2, 3, rows) + shock / 4).round(2)
    vip = rng.random(rows) < 0.25
    gone = rng.random(rows) < np.where(vip, 0.4, 0.02)
    rated = rng.random(rows) < 0.7
    return pl.DataFrame({
        "goods": goods, "post": post, "total": (goods + post).round(2), "vip": vip,
        "items": rng.poisson(3, rows) + 1,
        "land": rng.choice(["NO", "BE", "PT", "PL", "MT"], rows, p=[0.5, 0.3, 0.16, 0.035, 0.005]),
        "phone": [None if g else str(t) for g, t in zip(gone, rng.choice(["home", "work", "mobile"], rows), strict=True)],
        "stars": [int(s) if r else None for s, r in zip(rng.integers(1, 6, rows), rated, strict=True)],
        "mood": [str(m) if r else None for m, r in zip(rng.choice(["glad", "sad"], rows), rated, strict=True)],
    })


TRAIN, HOLDOUT, FRESH = (orders(ROWS, seed) for seed in (1, 2, 3))


@cache
def table():
    return describe(TRAIN).table


def found(fake: pl.DataFrame, metric: str):
    findings = assess_frames(fake, TRAIN, HOLDOUT, table(), metrics=[metric])
    return findings.findings[0]


def where(column: str, value, share: float = 1.0, seed: int = 0) -> pl.DataFrame:
    """Return fresh rows with a share of one column's values replaced."""
    chosen = pl.Series(np.random.default_rng(seed).random(ROWS) < share)
    return FRESH.with_columns(pl.when(chosen).then(value).otherwise(pl.col(column)).alias(column))


def shuffled_in_the_tail() -> pl.DataFrame:
    """Spread the high postage of costly orders over all costly and cheap ones: the bulk stays, extremes part."""
    high = pl.col("post") > FRESH["post"].quantile(0.94)
    other = FRESH.with_columns(goods=pl.when(high).then(pl.col("goods").shuffle(seed=1)).otherwise("goods"))
    return other.with_columns(total=(pl.col("goods") + pl.col("post")).round(2))


def stretched() -> pl.DataFrame:
    edge = FRESH["goods"].quantile(0.95)
    far = pl.when(pl.col("goods") > edge).then(edge + 5 * (pl.col("goods") - edge)).otherwise("goods").round(2)
    return FRESH.with_columns(goods=far).with_columns(total=(pl.col("goods") + pl.col("post")).round(2))


def gaps(column: str, share) -> pl.DataFrame:
    gone = pl.Series(np.random.default_rng(5).random(ROWS)) < share
    return FRESH.with_columns(pl.when(gone).then(None).otherwise(pl.col(column).fill_null("home")).alias(column))


NOISE = pl.Series(np.random.default_rng(6).random(ROWS))
FAULTS = {
    "clips at the outer 1 %": ("tails", FRESH.with_columns(pl.col("goods").clip(upper_bound=100)), ["high", "'goods'"]),
    "reaches too far": ("tails", stretched(), ["the high end of 'goods'", "further out"]),
    "lets extremes come alone": ("tails", shuffled_in_the_tail(), ["high 'goods' with high 'post'"]),
    "drops a 0.5 % category": ("rare_categories", orders(2 * ROWS, 3).filter(pl.col("land") != "MT")[:ROWS],
                               ["'land' = 'MT'", "none in place of"]),
    "inflates it": ("rare_categories", where("land", pl.lit("MT"), 0.02), ["'land' = 'MT'"]),
    "smears a usual price": ("rare_categories", FRESH.with_columns(goods=(pl.col("goods") + NOISE).round(2)),
                             ["'goods' = 19.99"]),
    "invents a level": ("rare_categories", where("land", pl.lit("XX"), 0.03), ["'land'", "'XX'"]),
    "fills gaps": ("missingness", FRESH.with_columns(pl.col("phone").fill_null("home")), ["'phone' missing: none"]),
    "invents gaps": ("missingness", where("land", None, 0.02), ["'land' missing"]),
    "parts gaps that come together": ("missingness", FRESH.with_columns(pl.col("mood").shuffle(seed=1)),
                                      ["'mood'", "'stars'"]),
    "scatters gaps at random": ("missingness", gaps("phone", 0.115), ["'phone' is missing depends on 'vip'"]),
    "breaks a sum in 3 % of rows": ("constraints", where("total", pl.col("total") + 1, 0.03),
                                    ["total = goods + post", "3."]),
    "goes below zero": ("boundaries", where("post", -pl.col("post"), 0.03), ["below", "'post'"]),
    "goes too high": ("boundaries", where("items", pl.col("items") + 60, 0.03), ["above", "'items'"]),
    "has fractions": ("boundaries", FRESH.with_columns(items=pl.col("items") + NOISE), ["fractions", "'items'"]),
    "has more decimals": ("boundaries", FRESH.with_columns(goods=pl.col("goods") + NOISE / 1000),
                          ["more than 2 decimals", "'goods'"]),
    "holds a level of its own": ("boundaries", where("land", pl.lit("XX"), 0.03), ["'XX'", "'land'"]),
    "draws columns alone": ("constraints", FRESH.select(FRESH[c].shuffle(seed=i) for i, c in enumerate(FRESH.columns)),
                            ["total = goods + post"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault_is_found_by_name(fault):
    metric, fake, words = FAULTS[fault]
    finding = found(fake.select(TRAIN.columns), metric)
    assert finding.verdict == "poor", finding.reason
    assert finding.p is not None and finding.p < 1e-3
    assert all(word in finding.reason for word in words), finding.reason


CROWD = people(1500, 11), people(1500, 12)


def seen(fake: pl.DataFrame, metric: str):
    return assess_frames(fake, *CROWD, table_of(CROWD[0]), metrics=[metric]).findings[0]


def test_unrealistic_rows_are_poor_and_the_columns_named():
    finding = seen(independent(CROWD[0], 0), "alpha_precision")
    assert finding.verdict == "poor" and finding.p < 1e-3 and "'income'" in finding.reason
    assert seen(disjoint(CROWD[1]), "alpha_precision").value < 0.1


def test_rows_that_crowd_into_typical_places_are_poor():
    common = people(12_000, 13).filter((pl.col("city") == "Oslo") & pl.col("income").is_not_null())[:1500]
    finding = seen(common, "alpha_precision")
    assert finding.verdict == "poor" and "crowd" in finding.reason


def test_a_lost_region_is_found_and_named():
    young = people(4000, 13).filter(pl.col("age") < 50)[:1500]
    finding = seen(young, "beta_recall")
    assert finding.verdict == "poor" and finding.p < 1e-3 and "high 'age'" in finding.reason
    without = people(2000, 14).filter(pl.col("city") != "Łódź")[:1500]
    finding = seen(without, "beta_recall")
    assert finding.verdict == "fair" and "'city' = 'Łódź'" in finding.reason


def test_copying_is_told_but_judged_elsewhere():
    finding = seen(CROWD[0], "beta_recall")
    assert finding.verdict == "good" and "follow those they were learnt from" in finding.reason


def test_the_map_names_its_axes_and_shows_no_single_row():
    details = seen(people(1500, 13), "beta_recall").details["map"]
    assert all(axis.startswith("mostly '") for axis in details["axes"]) and details["cells"] == 24
    assert 1 >= details["explained"][0] >= details["explained"][1] > 0
    assert all(share * 1500 > 4.99 for _, _, share in details["real"])
    assert sum(c[2] for c in details["real"]) + details["real_left_out"] == pytest.approx(1, abs=1e-4)
    assert sum(c[2] for c in details["fake"]) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_a_clean_sample_raises_no_alarm(seed):
    frames = [orders(1200, 100 * seed + i) for i in range(3)]
    findings = assess_frames(*frames, describe(frames[1]).table, metrics=METRICS, seed=seed).findings
    assert {f.name: f.reason for f in findings if f.verdict in ("poor", "not answered")} == {}


def test_what_cannot_be_asked_is_said():
    plain = [orders(600, seed).select("land", "vip") for seed in range(3)]
    findings = assess_frames(*plain, describe(plain[1]).table, metrics=METRICS)
    reasons = {f.name.split(".")[1]: f.reason for f in findings.findings if f.verdict == "not answered"}
    assert "no constraint between columns was found or given" in reasons["constraints"]
    assert "no value is missing" in reasons["missingness"] and "no column holds numbers" in reasons["tails"]
    even = [f.select("vip").with_columns(vip=pl.Series(np.arange(600) % 2 == 0)) for f in plain]
    finding = assess_frames(*even, describe(even[1]).table, metrics=["rare_categories"]).findings[0]
    assert "no level is held by fewer than 10%" in finding.reason


def test_no_bound_that_a_single_row_sets_is_told():
    rows = [orders(1500, seed) for seed in range(3)]
    fake = rows[0].with_columns(pl.col("goods") * 10)
    finding = assess_frames(fake, *rows[1:], describe(rows[1]).table, metrics=["boundaries"]).findings[0]
    top = rows[1]["goods"].max()
    assert finding.verdict == "poor" and "above the greatest real value" in finding.reason
    assert f"{top:,}" not in finding.reason and f"{top}" not in str(finding.details)
    shared = [f.with_columns(pl.col("goods").clip(upper_bound=60)) for f in rows[1:]]
    finding = assess_frames(fake, *shared, describe(shared[0]).table, metrics=["boundaries"]).findings[0]
    assert "above 60" in finding.reason


def test_a_copied_title_is_no_invented_level():
    """A value that a sample of the rows lacks may be a real one; neither it nor a lookalike is told as invented."""
    def titled(start: int) -> pl.DataFrame:
        titles = [f"Mayor of Village {start + i}" if i < 400 else f"Clerk {i % 7}" for i in range(12_000)]
        return pl.DataFrame({"title": titles, "vip": np.arange(12_000) % 3 == 0})

    train, holdout = titled(0), titled(1000)
    table = describe(train).table
    table = table.model_copy(update={"columns": tuple(
        c.model_copy(update={"kind": "category"}) if c.name == "title" else c for c in table.columns)})

    def told(fake: pl.DataFrame) -> str:
        findings = assess_frames(fake, train, holdout, table, metrics=["boundaries", "rare_categories"],
                                 effort=EFFORTS["quick"])
        return findings.to_json()

    assert "Village" not in told(train) and "VILLAGE" not in told(train.with_columns(pl.col("title").str.to_uppercase()))
    assert "Village" not in told(holdout)
    assert "Duke" in told(train.with_columns(title=pl.when(pl.int_range(12_000) % 20 == 0).then(
        pl.lit("Duke")).otherwise("title")))
