"""Laws that hold for every metric of databases."""

from __future__ import annotations

import json
import re

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shop import LINKS, disjoint, found, rekeyed, scattered, schema_of, shop, sides_of

from verisyn import shelves
from verisyn.findings import Judged, NotAnswered
from verisyn.metrics import EFFORTS, able
from verisyn.metrics._linked import DatabaseSides
from verisyn.schema import Link

NAMES = able(DatabaseSides.views)
FRESH, TRAIN, HOLDOUT = (shop(600, seed) for seed in (1, 2, 3))
SCHEMA = schema_of(TRAIN)
SEVENTH = pl.int_range(pl.len()) == 7
ORPHANED = {**FRESH, "lines": FRESH["lines"].with_columns(order=pl.when(SEVENTH).then(-1).otherwise("order"))}
FEW = {**FRESH, "orders": FRESH["orders"].with_columns(customer=FRESH["customers"]["id"].gather(
    np.arange(FRESH["orders"].height) % 200))}
WORST = {"fidelity": scattered(FRESH, "orders", "customer", by_chance=True), "privacy": TRAIN,
         "fidelity.integrity": ORPHANED, "fidelity.cardinality": FEW, "fidelity.tables": disjoint(FRESH)}
"""What is as bad as can be, by question or by metric; one for which its question's worst is not bad says here what is."""


@pytest.fixture(scope="module")
def fresh():
    return found(FRESH, TRAIN, HOLDOUT, SCHEMA, effort="quick")


def measured(name, fake, train=TRAIN, holdout=HOLDOUT, schema=SCHEMA):
    sides = sides_of(fake, train, holdout, schema, "quick").truth
    return shelves.metrics.take(name).measure(sides, np.random.default_rng(0))


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is(name):
    metric = shelves.metrics.take(name)
    assert shelves.metrics.blurb(name).endswith(".") and metric.title.endswith("?") and "good:" in metric.rule
    assert metric.best != metric.worst and getattr(metric, "effort", "quick") in EFFORTS
    assert metric.stand_in in ("train", None)
    assert metric.references and all(address.startswith("https://") for address in metric.references)


@pytest.mark.parametrize("name", NAMES)
def test_a_real_database_is_good(name, fresh):
    finding = fresh[name]
    assert finding.verdict == "good", finding.reason
    low, high = finding.interval
    assert low <= finding.value <= high and high - low < 0.2
    if "floor" not in vars(shelves.metrics.take(name)):
        assert badness(name, finding.floor) > badness(name, finding.value) + 0.01
    for entry in finding.details.get("links", ()):
        assert {"link", "child", "parent", "title", "verdict", "reason", "value", "interval"} <= set(entry)
        assert entry["verdict"] in ("good", "fair") and entry["link"] in {link.name for link in LINKS}


@pytest.mark.parametrize("name", NAMES)
def test_the_worst_is_poor(name, fresh):
    metric, fake = shelves.metrics.take(name), WORST.get(name, WORST[name.split(".")[0]])
    judged = Judged(*metric.judge(measured(name, fake), fresh[name].floor, fresh[name].ceiling))
    assert judged.verdict == "poor", judged.reason
    assert judged.p < 1e-3


def badness(name, value):
    """How far a value lies from the best, towards the worst."""
    metric = shelves.metrics.take(name)
    return max(0.0, (value - metric.best) * np.sign(metric.worst - metric.best))


CHANGES = {
    "order of rows": lambda f: {name: t.sample(fraction=1, shuffle=True, seed=5) for name, t in f.items()},
    "order of columns": lambda f: {name: t.select(t.columns[::-1]) for name, t in f.items()},
    "order of tables": lambda f: dict(reversed(f.items())),
    "keys": rekeyed,
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_tells_nothing_changes_nothing(change, fresh):
    fake, train, holdout = map(CHANGES[change], (FRESH, TRAIN, HOLDOUT))
    schema = schema_of(train)
    for name in (name for name in NAMES if name != "fidelity.tables"):  # what it asks has laws of its own
        low, high = fresh[name].interval
        value = measured(name, fake, train, holdout, schema).value
        assert value == pytest.approx(fresh[name].value, abs=0.01 + (high - low) / 2), name


def test_same_seed_same_findings(fresh):
    cheap = [name for name in NAMES if name.split(".")[1] not in ("parent_child", "joined", "tables")]
    again = found(FRESH, TRAIN, HOLDOUT, SCHEMA, cheap, effort="quick")
    assert [f.to_dict() for f in again.findings] == [{**fresh[f.name].to_dict(), "verdict": f.verdict,
                                                      "reason": f.reason} for f in again.findings]


@pytest.mark.parametrize("rows", [0, 1, 10])
def test_too_little_is_not_answered(rows):
    few = {name: frame[:rows] for name, frame in FRESH.items()}
    for name in sorted({*NAMES} - {"fidelity.integrity", "fidelity.across"}):
        with pytest.raises(NotAnswered):
            measured(name, few)


def test_no_holdout_no_privacy():
    cheap = ["cardinality", "hops", "integrity", "across", *(n for n in NAMES if n.startswith("privacy"))]
    told = found(FRESH, TRAIN, None, SCHEMA, cheap, effort="quick")
    for finding in told.findings:
        assert (finding.verdict == "not answered") == (finding.question == "privacy"), finding
        assert finding.ceiling is None or finding.name in ("fidelity.integrity", "fidelity.across")
    assert any("no holdout" in note for note in told.about["notes"])
    assert told.about["tables"]["customers"] == {"synthetic": 600, "train": 600, "holdout": 0}


# -- no single real row's value is told -----------------------------------------------------------------------------
def marked(seed: int) -> tuple[dict[str, pl.DataFrame], set[str]]:
    """A shop in which a few rows hold values of their own, and one customer has a number of orders of his own."""
    frames, one, first = shop(600, seed), 387 + seed, pl.col("id") == pl.col("id").first()
    customers = frames["customers"].with_columns(home=pl.when(first).then(pl.lit(f"Zanzibar{seed}")).otherwise("home"),
                                                 age=pl.when(first).then(98_765 + seed).otherwise("age"))
    orders = frames["orders"]
    more = orders[:1].select(pl.all().repeat_by(one).explode()).with_columns(
        order=pl.int_range(one) + 50_000_000 + seed * 1_000, customer=pl.lit(customers["id"][0], pl.Int64),
        sent_to=pl.lit(f"Zanzibar{seed}"), placed=pl.lit(customers["since"].max()))
    return {**frames, "customers": customers, "orders": pl.concat([orders.filter(
        pl.col("customer") != customers["id"][0]), more])}, {f"Zanzibar{seed}", str(98_765 + seed), str(one)}


def test_nothing_that_few_real_rows_hold_is_told():
    (train, told), (holdout, more) = marked(4), marked(5)
    assessment = found(train, train, holdout, schema_of(train), effort="quick")
    words = json.dumps([f.to_dict() for f in assessment.findings], ensure_ascii=False)
    counts = set(re.findall(r"\d+", json.dumps(assessment["integrity"].details)))  # rows, whatever they are
    said = set(re.findall(r"\d+", words)) - counts
    assert [value for value in told | more if (value in said if value.isdigit() else value in words)] == []
    assert max(link["real"]["most"] for link in assessment["integrity"].details["schema"]["links"]) < 200


# -- whatever the tables are ----------------------------------------------------------------------------------------
def wild(seed: int, rows: tuple[int, int], keys: str) -> dict[str, pl.DataFrame]:
    """Two tables that point to each other and to themselves, by keys that are there, missing, repeated or orphans."""
    rng = np.random.default_rng(seed)

    def pointers(count: int, to: int) -> list[int | None]:
        found = rng.integers(-2 if keys == "any" else 0, max(to, 1), count)
        return [None if x == -1 or keys == "missing" else int(x) for x in found]

    a, b = rows
    ids = np.zeros(a, int) if keys == "repeated" else np.arange(a)
    return {"a": pl.DataFrame({"id": ids, "up": pointers(a, a), "other": pointers(a, b), "x": rng.normal(size=a)},
                              schema_overrides={"up": pl.Int64, "other": pl.Int64}),
            "b": pl.DataFrame({"id": np.arange(b), "owner": pointers(b, a), "word": rng.choice(["p", "q"], b)},
                              schema_overrides={"owner": pl.Int64})}


WILD = (Link(table="a", columns=("up",), parent="a", key=("id",), optional=True),
        Link(table="a", columns=("other",), parent="b", key=("id",), optional=True),
        Link(table="b", columns=("owner",), parent="a", key=("id",), optional=True))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 99), st.tuples(*[st.sampled_from([0, 1, 3, 60, 130])] * 2),
       st.sampled_from(["sound", "any", "missing", "repeated"]), st.booleans())
def test_any_database_is_assessed(seed, rows, keys, apart):
    train = wild(seed, (130, 130), keys)
    told = found(wild(seed + 1, rows, keys), train, wild(seed + 2, (130, 60), keys) if apart else None,
                 schema_of(train, WILD, {"a": ("id",), "b": ("id",)}), effort="quick")
    assert {f.name for f in told.findings} == {*NAMES} and json.loads(told.to_json())
    for finding in told.findings:
        assert finding.reason and (finding.value is None) == (finding.verdict == "not answered")
