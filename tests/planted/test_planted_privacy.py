"""Leaks planted in samples of a population: each attack finds its own, by name; clean samples raise no alarm."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from population import independent, people, table_of
from sklearn.tree import DecisionTreeRegressor

from verisyn.assessment import assess_frames
from verisyn.metrics import EFFORTS

ROWS = 2000
TRAIN, HOLDOUT, FRESH = people(ROWS, 21), people(ROWS, 22), people(ROWS, 23)
TABLE = table_of(TRAIN)
ATTACKS = ("copies", "membership", "membership_nearest", "attribute_inference", "singling_out", "linkage",
           "outlier_exposure", "nearest_record")


def ask(fake, *metrics, train=TRAIN, holdout=HOLDOUT, table=TABLE, **settings):
    found = assess_frames(fake, train, holdout, table, metrics=[f"privacy.{m}" for m in metrics], **settings)
    json.loads(found.to_json())
    return {m: found[f"privacy.{m}"] for m in metrics}


def is_found(finding, *words):
    assert finding.verdict == "poor" and finding.p < 1e-3, (finding.reason, finding.p)
    assert all(word in finding.reason for word in words), finding.reason


def shaken(frame, seed, by=0.002):
    """Move the numbers a little."""
    rng = np.random.default_rng(seed)
    return frame.with_columns((pl.col("income") * pl.Series(rng.uniform(1 - by, 1 + by, frame.height))).round(2))


def test_two_per_cent_of_copies_are_found_though_only_a_sample_is_judged():
    train, holdout, fresh = people(20_000, 1), people(5_000, 2), people(20_000, 3)
    fake = pl.concat([train[:400], fresh[400:]])
    effort = replace(EFFORTS["quick"], rows=1_000)
    clean, found = (ask(f, "copies", train=train, holdout=holdout, table=table_of(train), effort=effort)["copies"]
                    for f in (fresh, fake))
    assert clean.verdict == "good"
    is_found(found, "exact rows")
    assert found.details["rows"] == 20_000 and found.value == pytest.approx(0.02, abs=2e-3)


def test_copied_texts_are_looked_for_in_all_rows():
    def noted(frame, seed):
        numbers = np.random.default_rng(seed).integers(1 << 50, size=frame.height)
        return frame.with_columns(note=pl.Series([f"Patient {i} reports pain, see letter {i // 97}." for i in numbers]))

    train, holdout, fake = noted(TRAIN, 1), noted(HOLDOUT, 2), noted(FRESH, 3)
    fake = fake.with_columns(note=pl.concat([train["note"][:60], fake["note"][60:]]))
    found = ask(fake, "copies", train=train, holdout=holdout, table=table_of(train),
                effort=replace(EFFORTS["quick"], rows=1_000))["copies"]
    is_found(found, "Copied beyond coincidence: texts of 'note'")
    assert found.value == pytest.approx(60 / ROWS) and found.interval[0] < found.value < found.interval[1]
    assert found.ceiling == 0 and found.details["decides"] == "texts of 'note'"


def test_all_copied_columns_are_named_and_the_value_is_the_worst_one():
    def noted(frame, seed):
        numbers = np.random.default_rng(seed).integers(1 << 50, size=(3, frame.height))
        texts = {"Patient-Nr": "P{}", "E-Mail": "person.{}@example.org", "Notiz": "Patient {} reports pain at night."}
        made = [pl.Series(name, [text.format(i) for i in row])
                for (name, text), row in zip(texts.items(), numbers, strict=True)]
        return frame.with_columns(made)

    train, holdout, clean = noted(TRAIN, 1), noted(HOLDOUT, 2), noted(FRESH, 3)
    columns = ("Patient-Nr", "E-Mail", "Notiz")
    fake = clean.with_columns(pl.concat([train[c][:rows], clean[c][rows:]])
                              for c, rows in zip(columns, (200, 400, 1200), strict=True))
    quiet, found = (ask(f, "copies", train=train, holdout=holdout, table=table_of(train))["copies"] for f in (clean, fake))
    is_found(found, "Copied beyond coincidence: texts of 'Notiz'", *map(repr, columns))
    assert found.reason.index("'Notiz'") < found.reason.index("'E-Mail'") < found.reason.index("'Patient-Nr'")
    assert found.value == pytest.approx(0.6) and found.interval[0] > 0.57
    assert quiet.verdict == "good" and quiet.value < 0.01 and abs(quiet.value - quiet.ceiling) < 0.01


def test_near_copies_give_the_value():
    rng = np.random.default_rng(1)
    told = TRAIN.with_columns(pl.col("income") * pl.Series(rng.uniform(0.9999, 1.0001, ROWS)))
    found = ask(pl.concat([told[:600], FRESH[600:]]), "copies")["copies"]
    is_found(found, "Copied beyond coincidence: near rows")
    assert 0.2 < found.value < 0.4 and found.ceiling < 0.05


@pytest.mark.parametrize("leaked", [1.0, 0.5])
def test_a_holdout_that_leaked_or_was_swapped_is_told(leaked):
    fake = pl.concat([HOLDOUT[:int(leaked * ROWS)], FRESH[int(leaked * ROWS):]])
    found = ask(fake, "membership", "membership_nearest", "attribute_inference", "singling_out", "linkage")
    for name in ("membership", "membership_nearest"):
        is_found(found[name], "the attack finds the holdout, not the rows it learnt from", "swapped")
        assert found[name].interval[1] < 0.45
    for finding in found.values():
        low, high = finding.interval or (-1, 1)
        assert -1 <= low <= (finding.value or 0) <= high <= 1


@pytest.mark.parametrize("rows", [150, 300])
def test_a_small_clean_sample_is_not_taken_for_a_swap(rows):
    for seed in range(8):
        train, holdout, fake = (people(rows, 900 + 10 * seed + i) for i in range(3))
        found = ask(fake, "membership", "membership_nearest", train=train, holdout=holdout, table=table_of(train))
        assert not [f.reason for f in found.values() if f.verdict == "poor" or "swapped" in f.reason]


def test_copies_are_singled_out_linked_and_told():
    found = ask(pl.concat([TRAIN[:ROWS // 4], FRESH[ROWS // 4:]]), *ATTACKS[:-1])
    for name in ("copies", "membership", "singling_out", "linkage", "outlier_exposure"):
        is_found(found[name])
    whole = ask(TRAIN, *ATTACKS)
    for name in ATTACKS:
        is_found(whole[name])
    assert whole["linkage"].value > 0.95 and whole["singling_out"].value > 0.95
    assert whole["membership"].details["epsilon_at_least"] > 3
    assert "or one by several columns" in whole["singling_out"].reason
    few = whole["outlier_exposure"]
    assert few.details["caught"] is None and "catches" not in few.reason and "500 strangers" in few.details["not_measured"][0]


def test_a_leak_of_outliers_alone_is_found_though_the_average_is_quiet():
    train, holdout, fresh = people(4000, 31), people(4000, 32), people(4000, 33)
    far = (train["income"].log() - train["income"].log().mean()).abs().fill_null(0) + (train["city"] == "Cork") * 0.5
    told = shaken(train[far.arg_sort(descending=True)[:40]], 0)
    fake = pl.concat([told, fresh[40:]])
    found = ask(fake, "outlier_exposure", "membership", train=train, holdout=holdout, table=table_of(train))
    is_found(found["outlier_exposure"], "most unusual", "found before all but 1 of the 100 strangers")
    assert "catches" not in found["outlier_exposure"].reason
    assert found["membership"].verdict != "poor"


def test_an_exposed_kind_of_record_is_named_and_no_record_is_shown():
    told = shaken(TRAIN.filter(pl.col("city") == "Cork"), 1)
    found = ask(pl.concat([told, FRESH.filter(pl.col("city") != "Cork")]), "outlier_exposure")["outlier_exposure"]
    is_found(found, "More exposed than the rest: 'city' = 'Cork'")
    first = found.details["exposed"][0]
    assert first["kind"] == "'city' = 'Cork'" and first["rows"] >= 10 and first["interval"][0] > 0.8
    assert found.details["items"][0]["name"] == "'city' = 'Cork'"
    assert len(found.details["exposed"]) <= 10
    values = {str(v) for v in TRAIN["income"].drop_nulls().to_list()}
    assert not values & {word for e in found.details["exposed"] for word in e["kind"].replace(",", "").split()}


def wide(rows, seed):
    """Make eight numbers that tell something of each other."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=rows)
    return pl.DataFrame({f"x{i}": np.round(common * (i % 3) + rng.normal(size=rows), 3) for i in range(8)})


def grown(frame, seed, leaf=2):
    """Make rows as sequential trees do: each column is drawn from the leaf of a fully grown tree on those before."""
    rng = np.random.default_rng(seed)
    real = frame.to_numpy()
    made = real[rng.integers(0, len(real), len(real))][:, :1]
    for i in range(1, real.shape[1]):
        tree = DecisionTreeRegressor(min_samples_leaf=leaf, random_state=0).fit(real[:, :i], real[:, i])
        leaves, mine = tree.apply(real[:, :i]), tree.apply(made)
        order = np.argsort(leaves, kind="stable")
        low, high = (np.searchsorted(leaves[order], mine, side) for side in ("left", "right"))
        made = np.column_stack([made, real[order[low + (rng.random(len(mine)) * (high - low)).astype(int)], i]])
    return pl.DataFrame(made, schema=frame.columns)


def test_trees_that_memorise_are_told():
    train, holdout = wide(ROWS, 1), wide(ROWS, 2)
    found = ask(grown(train, 3), "membership", "singling_out", train=train, holdout=holdout,
                table=table_of(train, None, None))
    is_found(found["membership"])
    assert found["membership"].details["caught_interval"][0] > 0.03
    is_found(found["singling_out"], "Rare exact values of 'x", "are reused", "fits one real person")


def test_a_generator_that_tells_a_sensitive_value_is_found_by_its_name():
    rng = np.random.default_rng(0)
    told = shaken(TRAIN, 2, by=0.01).with_columns(
        pl.col("age") + pl.Series(rng.integers(-1, 2, ROWS)), pl.Series("member", TRAIN["member"]))
    found = ask(told, "attribute_inference", "copies")["attribute_inference"]
    is_found(found, "'member'")
    least = next(c for c in found.details["checks"] if c["column"] == "member")
    assert least["attack"] > 0.8 and least["control"] < 0.75
    turned = told.with_columns(pl.Series("member", FRESH["member"]))
    other = ask(turned, "attribute_inference")["attribute_inference"]
    assert not [c for c in other.details["checks"] if c["column"] == "member" and c["interval"][0] > 0.05]


def test_values_handed_out_single_people_out_by_their_column():
    found = ask(independent(TRAIN, 0), "singling_out", "linkage")
    is_found(found["singling_out"], "Rare exact values of 'income' and 'joined' are reused", "alone fits one real person")
    assert found["singling_out"].details["reused"] == ["income", "joined"]
    assert found["singling_out"].details["items"][0]["name"] == "income"
    assert {c["what"] for c in found["singling_out"].details["checks"]} == {"one column", "several columns"}
    assert found["linkage"].verdict == "good"


SHADOWS = replace(EFFORTS["thorough"], shadows=4)


def imitated(fake, train, holdout, **settings):
    return ask(fake, "membership_shadow", train=train, holdout=holdout, table=table_of(train), effort=SHADOWS,
               **settings)["membership_shadow"]


def test_shadows_obey_the_laws_of_every_metric():
    frames = [people(600, seed) for seed in (43, 41, 42)]
    fresh, train, holdout = frames
    clean, worst = imitated(*frames), imitated(train, train, holdout)
    assert clean.verdict in ("good", "fair") and clean.interval[0] <= 0.5 and abs(clean.value - 0.5) < 0.08
    is_found(worst)
    assert worst.value > clean.value + 0.1 and worst.details["shadows"] == 4 and "stand in" in worst.reason
    assert worst.details["caught"] is not None and worst.details["caught_of_1000"] is None
    assert "1,000 strangers" in worst.details["not_measured"][0]
    is_found(imitated(pl.concat([shaken(train[:300], 1), fresh[300:]]), train, holdout))
    assert imitated(*frames) == clean and imitated(*frames, seed=1).value != clean.value
    for change in (lambda f: f.rename({"city": "town", "income": "pay"}), lambda f: f.with_columns(-pl.col("income")),
                   lambda f: f.select(f.columns[::-1])):
        changed = imitated(*map(change, frames))
        assert changed.value == pytest.approx(clean.value, abs=0.01 + (clean.interval[1] - clean.interval[0]) / 2)


def test_shadows_say_what_they_cannot_measure():
    train, holdout, fresh = (people(600, seed) for seed in (41, 42, 43))
    for rows in (0, 1, 10):
        found = imitated(fresh[:rows], train, holdout)
        assert found.verdict == "not answered" and "synthetic row" in found.reason
    few = ask(fresh, "membership_shadow", train=train, holdout=holdout, table=table_of(train),
              effort=replace(SHADOWS, shadows=2))["membership_shadow"]
    assert few.reason.startswith("Not answered, because it takes 4")


def texts_of(told):
    """All texts in details, the keys of dicts among them."""
    if isinstance(told, dict):
        return [*told, *(text for value in told.values() for text in texts_of(value))]
    return [text for value in told for text in texts_of(value)] if isinstance(told, list) else [str(told)] * isinstance(told, str)


def test_no_value_that_fewer_than_five_people_share_is_told():
    names = pl.Series([f"Seldom {i // 4}" for i in range(40)] + ["Common"] * (ROWS - 40))
    train = TRAIN.with_columns(guild=names)
    holdout, fresh = (f.with_columns(guild=names.shuffle(seed=1)) for f in (HOLDOUT, FRESH))
    rare = {str(v) for v in train["income"].drop_nulls().to_list()}  # all but unlike each other, and none of them round
    for fake in (train, fresh):
        found = ask(fake, *ATTACKS, train=train, holdout=holdout, table=table_of(train))
        for finding in found.values():
            assert not [key for key in finding.details if key.startswith("_")]
            for text in [finding.reason, *texts_of(finding.details)]:
                assert "Seldom" not in text and not rare & {word.strip("'.,;()") for word in text.split()}, text


@pytest.mark.parametrize("seed", range(6))
def test_a_clean_sample_raises_no_alarm(seed):
    train, holdout, fake = (people(700, 500 + 10 * seed + i) for i in range(3))
    found = ask(fake, *ATTACKS, train=train, holdout=holdout, table=table_of(train), seed=seed)
    assert {f.name: f.reason for f in found.values() if f.verdict in ("poor", "not answered")} == {}
    assert sum(f.verdict == "good" for f in found.values()) >= 5


def test_what_cannot_be_measured_is_said():
    plain = table_of(TRAIN, sensitive=None)
    plain = plain.model_copy(update={"columns": tuple(c.model_copy(update={"sensitive": False}) for c in plain.columns)})
    assert "no column is marked as sensitive" in ask(FRESH, "attribute_inference", table=plain)["attribute_inference"].reason
    one = TRAIN.select("age")
    table = table_of(one, None, "age")
    for name, words in (("attribute_inference", "no column beside"), ("linkage", "two columns")):
        found = ask(FRESH.select("age"), name, train=one, holdout=HOLDOUT.select("age"), table=table)[name]
        assert found.verdict == "not answered" and words in found.reason
    levels = TRAIN.select("city", "member")
    few = ask(FRESH.select("city", "member"), "singling_out", train=levels, holdout=HOLDOUT.select("city", "member"),
              table=table_of(levels, None))["singling_out"]
    assert few.verdict == "not answered" and "fewer than 20" in few.reason
    small = ask(FRESH, "membership", holdout=HOLDOUT[:300])["membership"]
    assert small.details["caught"] is None and len(small.details["not_measured"]) == 2


def test_a_sensitive_value_that_follows_from_others_is_no_leak():
    frames = [f.with_columns(town=pl.col("city").replace({"Oslo": "A"})).drop("member") for f in (TRAIN, TRAIN, HOLDOUT)]
    table = table_of(frames[1], sensitive="town")
    columns = (c.model_copy(update={"sensitive": c.name == "town"}) for c in table.columns)
    table = table.model_copy(update={"columns": tuple(columns)})
    found = ask(frames[0], "attribute_inference", train=frames[1], holdout=frames[2], table=table)["attribute_inference"]
    assert found.verdict == "not answered" and "for strangers too" in found.reason
