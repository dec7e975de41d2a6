"""Databases as people have them: what went wrong with one once, and does not again."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import verisyn as vs
from verisyn.cli import app
from verisyn.data import write_tables
from verisyn.errors import UserError
from verisyn.progress import Progress
from verisyn.schema import Link

ROWS = 600


def stays(seed=0):
    """Patients, and stays of a few days over years, some not yet ended; moments as SQLite has them: text."""
    rng = np.random.default_rng(seed)
    begin = rng.integers(0, 5 * 365 * 24, ROWS)
    end = begin + 1 + rng.gamma(2, 48, ROWS).astype(int)
    paid = end + rng.integers(24, 24 * 14, ROWS)
    said = [[str(datetime(2019, 1, 1) + timedelta(hours=int(h))) for h in hours] for hours in (begin, end, paid)]
    ended = rng.random(ROWS) < 0.9
    return {"patients": pl.DataFrame({"id": np.arange(200) + 1, "sex": rng.choice(["f", "m"], 200)}),
            "stays": pl.DataFrame({"id": np.arange(ROWS) + 1, "patient_id": np.sort(rng.integers(1, 201, ROWS)),
                                   "admitted": said[0],
                                   "discharged": [t if e else None for t, e in zip(said[1], ended, strict=True)],
                                   "billed": [t if e else None for t, e in zip(said[2], ended, strict=True)]})}


def hours(frame, one, two):
    return ((frame[two].str.to_datetime() - frame[one].str.to_datetime()).dt.total_minutes() / 60).drop_nulls()


def test_a_stay_of_days_stays_one_of_days_though_moments_are_text_and_the_last_is_missing():
    real = stays()
    schema = vs.describe(real)
    assert [c.columns for c in schema.of("stays").constraints if c.kind == "inequality"] == [
        ("admitted", "discharged"), ("discharged", "billed")]
    fake = vs.fit(real, schema, seed=1).sample(seed=2)["stays"]
    for one, two in (("admitted", "discharged"), ("discharged", "billed")):
        ours, theirs = hours(fake, one, two), hours(real["stays"], one, two)
        assert ours.min() > 0
        assert ours.mean() == pytest.approx(theirs.mean(), rel=0.15)
        assert ours.std() == pytest.approx(theirs.std(), rel=0.25)
    assert (fake["discharged"].is_null() == fake["billed"].is_null()).all()
    assert fake["discharged"].null_count() / fake.height == pytest.approx(0.1, abs=0.05)


def test_times_of_day_in_order_are_sorted_not_added_up_past_midnight():
    rng = np.random.default_rng(0)
    opens = rng.integers(0, 23 * 60, ROWS)
    closes = opens + rng.integers(1, 60, ROWS)
    shown = [[f"{m // 60:02d}:{m % 60:02d}" for m in times] for times in (opens, closes)]
    frame = pl.DataFrame({"opens": shown[0], "closes": shown[1]})
    fake = vs.synth(frame, seed=0)
    assert fake["closes"].str.to_time("%H:%M").null_count() == 0
    assert (fake["opens"] < fake["closes"]).all()


def test_a_dataframe_without_rows_stays_out_as_an_empty_table_does():
    frames = {**stays(), "log": pl.DataFrame({"id": []})}
    data = vs.read(frames)
    assert list(data.tables) == ["patients", "stays"]
    assert "'log' has no rows, and stayed out." in data.notes
    with pytest.raises(UserError, match="0 rows"):
        vs.read({"log": frames["log"]})


def test_a_link_that_values_alone_tell_is_not_said_to_be_declared():
    codes = [f"{'AXZ'[i % 3]}{i * 7919 % 99991:05d}" for i in range(300)]
    rng = np.random.default_rng(0)
    link, = vs.describe({"goods": pl.DataFrame({"code": codes, "weight": rng.normal(size=300)}),
                         "sales": pl.DataFrame({"code": rng.choice(codes, 900), "pieces": rng.poisson(3, 900)})}).links
    assert (link.parent, "eclared" in link.evidence) == ("goods", False)


def test_a_link_told_twice_is_one_and_one_that_never_holds_gets_a_sentence():
    frames = {**stays(), "notes": pl.DataFrame({"about": ["patient", "stay"] * 40, "about_id": list(range(1, 81))})}
    schema = vs.describe(frames)
    link = schema.links[0]
    twice = schema.model_copy(update={"links": (*schema.links, link)})
    assert [k.name for k in vs.fit(frames, twice, seed=0).schema.links] == [k.name for k in schema.links]
    never = Link(table="notes", columns=("about_id",), parent="patients", key=("id",), where={"about": "patent"})
    with pytest.raises(UserError, match=r"no row of 'notes' has 'patent' in 'about'. Did you mean 'patient'\?"):
        vs.fit(frames, schema.model_copy(update={"links": (link, never)}))
    wrong = never.model_copy(update={"where": {"about": 1}})
    with pytest.raises(UserError, match="no row of 'notes' has 1"):
        vs.fit(frames, schema.model_copy(update={"links": (link, wrong)}))


@pytest.mark.filterwarnings("ignore:100 % of the rows")
def test_new_keys_are_new_though_the_real_ones_were_made_from_the_same_seed():
    rng = np.random.default_rng(0)
    keys = [f"{a:08x}-{b:04x}-4{c:03x}-a{d:03x}-{e:012x}" for a, b, c, d, e in zip(
        *(rng.integers(0, 16**w, 200) for w in (8, 4, 3, 3, 12)), strict=True)]
    first = vs.synth(pl.DataFrame({"id": keys, "x": rng.normal(size=200)}), seed=0)
    second = vs.synth(first, seed=0)
    assert not set(first["id"]) & set(second["id"])


def synth(source, out, *more):
    told = CliRunner().invoke(app, ["synth", str(source), "--out", str(out), "--effort", "quick", *more])
    return told.exit_code, " ".join(told.output.split())


def test_force_replaces_what_an_earlier_run_wrote_and_nothing_else(tmp_path):
    source, csv, out = tmp_path / "clinic.sqlite", tmp_path / "patients.csv", tmp_path / "made"
    write_tables(stays(), source)
    with sqlite3.connect(source) as connection:
        connection.execute("CREATE VIEW women AS SELECT * FROM patients WHERE sex = 'f'")
    stays()["patients"].write_csv(csv)
    code, told = synth(source, out)
    assert (code, "Left out, for it follows from tables: the view 'women'." in told) == (0, True)
    assert synth(csv, out, "--force")[0] == 0
    assert not (out / "synthetic.sqlite").exists()
    (out / "mine.txt").write_text("mine")
    assert synth(source, out, "--force")[0] == 2
    assert (out / "synthetic.csv").exists()
    (out / "mine.txt").unlink()
    (out / "synthetic.csv").write_text("id,sex\n1,f\n")  # edited since
    assert synth(source, out, "--force")[0] == 2


def told_of(frames):
    progress = Progress()
    links = vs.describe(frames, progress=progress).links
    return links, [note for note in progress.notes if "pointed to" in note]


def test_what_is_nearly_a_link_is_told_and_what_is_none_is_not():
    rng = np.random.default_rng(0)
    shops = pl.DataFrame({"id": [str(i) for i in range(50)], "size": rng.normal(size=50)})
    sales = pl.DataFrame({"shop_id": rng.integers(0, 50, 200), "pieces": rng.integers(0, 40, 200)})
    links, notes = told_of({"shops": shops, "sales": sales})
    assert (links, len(notes)) == ((), 1)
    assert "sales.shop_id looks as if it pointed to shops.id, but one holds whole numbers and the other" in notes[0]
    twice = shops.with_columns(id=pl.Series([*range(49), 48]))
    links, notes = told_of({"shops": twice, "sales": sales.with_columns(shop_id=pl.col("shop_id") % 49)})
    assert (links, len(notes)) == ((), 1)
    assert "that is no key: 1 row repeats another's" in notes[0]
    assert told_of({"shops": shops.with_columns(id=pl.col("id").cast(int)), "sales": sales})[1] == []
    assert told_of(stays())[1] == []
