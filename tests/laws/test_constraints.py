"""Laws every constraint on the shelf must keep; a new one plants an instance of itself here."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from verisyn import shelves
from verisyn.constraints._rules import Rules
from verisyn.constraints._search import find_all
from verisyn.description import describe
from verisyn.schema import Schema, Table

NAMES = shelves.constraints.names()
every = pytest.mark.parametrize("name", NAMES)
ROWS = 1500
START = datetime(2024, 1, 1)


def noise(rows=ROWS, seed=0, width=3):
    """Columns of many kinds that have nothing to do with one another."""
    rng = np.random.default_rng(seed)
    columns = {}
    for i in range(width):
        columns[f"size {i}"] = np.round(rng.normal(0, 20, rows), 2)
        columns[f"count {i}"] = rng.integers(-9, 30, rows)
        columns[f"town {i}"] = rng.choice(["Oslo", "Ghent", "Porto", "Łódź"], rows, p=[0.4, 0.3, 0.2, 0.1])
        columns[f"rare {i}"] = rng.random(rows) < 0.02
        columns[f"seen {i}"] = [START + timedelta(minutes=int(m)) for m in rng.integers(0, 500_000, rows)]
    frame = pl.DataFrame(columns)
    holes = {f"{stem} 0": rng.random(rows) < share for stem, share in (("size", 0.1), ("town", 0.02), ("seen", 0.3))}
    return frame.with_columns(pl.when(pl.Series(gone)).then(None).otherwise(pl.col(n)).alias(n) for n, gone in holes.items())


def _dependency(rng, n):
    grade = rng.integers(1, 9, n)
    return pl.DataFrame({"grade": grade, "mark": np.array(list("hgfedcba"))[grade - 1]})


def _formula(rng, n):
    a, b, price = rng.integers(-40, 300, n), rng.integers(-9, 90, n), np.round(rng.normal(9, 3, n), 2)
    return pl.DataFrame({"a": a, "b": b, "total": a + b, "price": price, "to pay": np.round(price * a, 2)})


def _inequality(rng, n):
    low = np.round(rng.normal(0, 5, n), 1)
    middle = np.round(low + rng.exponential(4, n), 1)
    left = [START + timedelta(seconds=int(s)) for s in rng.integers(0, 10**7, n)]
    back = [t + timedelta(seconds=int(s)) for t, s in zip(left, rng.integers(60, 9000, n), strict=True)]
    return pl.DataFrame({"low": low, "middle": middle, "high": np.round(middle + rng.exponential(3, n), 1),
                         "left": left, "back": back})


def _range(rng, n):
    return pl.DataFrame({"stock": rng.poisson(2, n), "share (%)": np.round(rng.beta(0.5, 0.5, n) * 100, 1)})


def _combinations(rng, n):
    return pl.DataFrame({"sex": (sex := rng.choice(["m", "f"], n)),
                         "clinic": np.where(sex == "m", rng.choice(["eye", "skin"], n),
                                            rng.choice(["eye", "skin", "birth"], n))})


def _one_hot(rng, n):
    which = rng.choice(4, n, p=[0.5, 0.3, 0.15, 0.05])
    return pl.DataFrame({f"is_{color}": (which == i).astype(np.int8) for i, color in enumerate(("red", "blue", "teal", "tan"))})


def _unique(rng, n):
    slots = rng.permuted(np.tile(np.arange(120), (60, 1)), axis=1)[:, : n // 60]
    return pl.DataFrame({"desk": np.repeat(np.arange(60), n // 60), "slot": slots.ravel()})


def _required(rng, n):
    pet = rng.choice(["cat", "dog", "none"], n)
    return pl.DataFrame({"pet": pet, "weight": [None if p == "none" else float(w)
                                                for p, w in zip(pet, np.round(rng.gamma(4, 3, n), 1), strict=True)]})


def _nulls(rng, n):
    gone = rng.random(n) < 0.2
    return pl.DataFrame({"street": rng.choice(["High St", "Mill Ln", "Quay"], n), "floor": rng.integers(-3, 20, n)}).with_columns(
        pl.when(pl.Series(gone)).then(None).otherwise(pl.all()).name.keep())


PLANTED = {"dependency": (_dependency, {("grade", "mark")}), "formula": (_formula, {("total", "a", "b"), ("to pay", "a", "price")}),
           "inequality": (_inequality, {("low", "middle", "high"), ("left", "back")}),
           "range": (_range, {("stock",), ("share (%)",)}), "combinations": (_combinations, {("sex", "clinic")}),
           "one_hot": (_one_hot, {("is_red", "is_blue", "is_teal", "is_tan")}), "unique": (_unique, {("desk", "slot")}),
           "required": (_required, {("pet", "weight")}), "nulls": (_nulls, {("street", "floor")})}


def planted(name, seed=0):
    """A table of noise with an instance of a constraint among it."""
    make, _ = PLANTED[name]
    return make(np.random.default_rng(seed + 100), ROWS).hstack(noise(seed=seed))


@pytest.fixture(scope="module")
def noisy():
    """The columns of the noise."""
    return describe(noise()).table


@pytest.fixture(scope="module")
def tables(noisy):
    out = {}
    for name in NAMES:
        frame = planted(name)
        own = describe(frame.drop(noisy.names)).table.columns
        table = noisy.model_copy(update={"columns": (*own, *noisy.columns), "constraints": (), "target": None})
        out[name] = frame, table.model_copy(update={"constraints": find_all(frame, table)})
    return out


def only(table: Table, name: str) -> Table:
    return table.model_copy(update={"constraints": tuple(c for c in table.constraints if c.kind == name)})


def scrambled(frame, seed=5):
    """Each column shuffled by itself: most constraints are broken in most rows."""
    rng = np.random.default_rng(seed)
    return frame.select(pl.col(c).gather(rng.permutation(frame.height)) for c in frame.columns)


@every
def test_it_says_what_it_is(name):
    assert shelves.constraints.blurb(name)[0].isupper() and shelves.constraints.blurb(name).endswith((".", ")"))


@every
def test_a_planted_instance_is_found_with_its_evidence(name, tables):
    _, table = tables[name]
    found = {c.columns: c for c in table.constraints if c.kind == name}
    _, wanted = PLANTED[name]
    assert set(found) == wanted or (name == "range" and set(found) >= wanted - {("stock",)})
    assert all(c.evidence.endswith(".") and any(d.isdigit() for d in c.evidence) for c in found.values())


@every
def test_what_is_found_holds_in_the_data(name, tables):
    frame, table = tables[name]
    rules = Rules.learn(frame, only(table, name))
    assert not rules.broken(frame).any() and not rules.notes


def test_in_noise_nothing_is_found(noisy):
    wide = [c.model_copy(update={"name": f"{c.name.split()[0]} {i}"}) for i in range(8) for c in noisy.columns[:5]]
    table = noisy.model_copy(update={"columns": tuple(wide), "constraints": ()})
    for seed in range(20):
        assert find_all(noise(rows=(60, 200, 1000)[seed % 3], seed=seed, width=8), table) == ()


@every
def test_nothing_is_broken_after_and_mending_again_changes_nothing(name, tables):
    frame, table = tables[name]
    rules = Rules.learn(frame, only(table, name))
    for learnt in (rules, Rules(tuple(r.mending() for r in rules.rules), rules.kinds)):
        spoilt = scrambled(learnt.help(frame)).drop([c for r in learnt.rules for c in r.derives])
        settled = learnt.settle(spoilt, np.random.default_rng(0)).select(frame.columns)
        done = learnt.finish(settled, np.random.default_rng(1))
        assert done.schema == frame.schema and not learnt.broken(done).any()
        again = learnt.finish(learnt.settle(done, np.random.default_rng(2)), np.random.default_rng(3))
        assert again.equals(done)


@every
def test_mending_leaves_sound_rows_alone(name, tables):
    frame, table = tables[name]
    rules = Rules.learn(frame, only(table, name))
    assert rules.finish(rules.settle(frame, np.random.default_rng(0)), np.random.default_rng(1)).equals(frame)


@every
def test_it_comes_back_from_json(name, tables):
    frame, table = tables[name]
    rules = Rules.learn(frame, only(table, name))
    back = Rules.restore(json.loads(json.dumps(rules.state())))
    spoilt = scrambled(rules.help(frame)).drop([c for r in rules.rules for c in r.derives])
    one, two = (r.settle(spoilt, np.random.default_rng(0)) for r in (rules, back))
    assert one.equals(two) and [r.sentence for r in rules.rules] == [r.sentence for r in back.rules]
    assert Schema.from_yaml(Schema(tables=(table,)).to_yaml()).table == table


@every
def test_a_table_of_one_row_or_none_survives(name, tables):
    frame, table = tables[name]
    rules = Rules.learn(frame, only(table, name))
    for few in (frame[:0], frame[:1]):
        settled = rules.settle(rules.help(few).drop([c for r in rules.rules for c in r.derives]), np.random.default_rng(0))
        assert rules.finish(settled.select(frame.columns), np.random.default_rng(0)).equals(few)
