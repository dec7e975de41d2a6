"""Augmentation: derived rows against the papers' definitions, another library, and rows of every awkward sort."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors
from typer.testing import CliRunner
from wild import frame_of

import verisyn as vs
from verisyn.cli import app
from verisyn.constraints._rules import Rules
from verisyn.data import read
from verisyn.errors import UserError
from verisyn.progress import Progress
from verisyn.schema import Constraint
from verisyn.shelves import augmentations

METHODS = augmentations.names()
ROWS = 240


@pytest.fixture(scope="module")
def mixed():
    """Every sort of column: odd names, gaps, words, dates, zones, spans, places, ids, people, text, constants, sums."""
    rng = np.random.default_rng(0)
    start = [datetime(2023, 1, 1, 9) + timedelta(days=int(d), minutes=15 * int(m))
             for d, m in zip(rng.integers(0, 400, ROWS), rng.integers(0, 32, ROWS), strict=True)]
    length, net, tax = rng.integers(1, 9, ROWS), rng.gamma(3, 20, ROWS).round(2), rng.gamma(1, 5, ROWS).round(2)
    words = np.array(["übel", "gut", "sehr gut 👍", "egal"])[rng.choice(4, ROWS, p=[0.1, 0.5, 0.1, 0.3])]
    frame = pl.DataFrame({
        "customer id": [f"K-{i:06d}" for i in range(ROWS)],
        "e-mail": [f"person{i}@example.org" for i in range(ROWS)],
        "net `price`": net, "tax": tax, "total": (net + tax).round(2),
        "Urteil": words, "flag": rng.random(ROWS) < 0.3, "fine": np.where(rng.random(ROWS) < 0.8, 0, rng.integers(50, 900, ROWS)),
        "start": start, "end": [s + timedelta(minutes=15 * int(n)) for s, n in zip(start, length, strict=True)],
        "born": [date(1950, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 20_000, ROWS)],
        "took": [timedelta(minutes=int(m)) for m in rng.integers(1, 300, ROWS)],
        "lat": rng.uniform(48, 49, ROWS).round(4), "lon": rng.uniform(2, 3, ROWS).round(4),
        "amount": [f"${v:,.2f}" for v in rng.gamma(2, 900, ROWS)],
        "one": [7] * ROWS, "ill": np.where(rng.random(ROWS) < 0.15, "yes", "no"),
        "notes": [f"Customer {i} called about the invoice and will come back to it." for i in range(ROWS)]})
    gaps = {c: rng.random(ROWS) < 0.1 for c in ("Urteil", "born", "amount", "flag", "lat")}
    return frame.with_columns(frame[c].set(pl.Series(m), None) for c, m in gaps.items()).with_columns(
        start=pl.col("start").dt.replace_time_zone("Europe/Paris", ambiguous="earliest"),
        end=pl.col("end").dt.replace_time_zone("Europe/Paris", ambiguous="earliest"))


@pytest.fixture(scope="module")
def schema(mixed):
    return vs.describe(mixed)


# -- laws that every method keeps -------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", METHODS)
def test_types_range_and_constraints_stay(mixed, schema, method):
    new = vs.augment(mixed, method, target="ill", seed=1, schema=schema, progress=Progress())
    assert new.schema == mixed.schema and new.height
    rules = Rules.learn(mixed, schema.table)
    assert {c.kind for c in schema.table.constraints} >= {"formula", "inequality"}
    assert not rules.broken_rows(new).any()
    for name in ("net `price`", "fine", "born", "took", "lat", "start"):
        assert new[name].min() >= mixed[name].min() and new[name].max() <= mixed[name].max(), name
    assert (new["net `price`"] * 100).drop_nulls().map_elements(lambda v: abs(v - round(v)), pl.Float64).max() < 1e-6
    assert new["amount"].drop_nulls().str.contains(r"^\$[\d,]+\.\d\d$").all()
    assert set(new["Urteil"].drop_nulls()) <= set(mixed["Urteil"].drop_nulls())


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_bytes(mixed, schema, method):
    one, two, other = (vs.augment(mixed, method, seed=s, schema=schema, progress=Progress()) for s in (3, 3, 4))
    assert one.equals(two) and not one.equals(other)


@pytest.mark.parametrize("method", ["smote", "noise", "mixup"])
def test_ids_people_and_text_are_made_anew(mixed, schema, method):
    new = vs.augment(mixed, method, seed=1, schema=schema, progress=Progress())
    for name in ("customer id", "e-mail", "notes"):
        assert not set(new[name]) & set(mixed[name]), name
    assert new["customer id"].n_unique() == new.height


@pytest.mark.parametrize("method", METHODS)
def test_the_same_kind_of_frame_comes_back(mixed, schema, method):
    pandas, arrow = mixed.to_pandas(), mixed.to_arrow()
    want = vs.augment(mixed, method, seed=1, schema=schema, progress=Progress())
    got = vs.augment(pandas, method, seed=1, progress=Progress())
    assert list(got.columns) == mixed.columns and len(got) == want.height
    assert got["born"].dtype == pandas["born"].dtype and got["flag"].dtype == pandas["flag"].dtype
    assert vs.augment(arrow, method, seed=1, progress=Progress()).schema == arrow.schema


@pytest.mark.parametrize("method", METHODS)
def test_rows_that_are_derived_say_so(mixed, schema, method):
    new = vs.augment(mixed, method, seed=1, schema=schema, provenance=True, progress=Progress())
    assert set(new["verisyn_kind"]) == {"derived"} and set(new["verisyn_generator"]) == {method}
    again = read(new)
    assert again.frame.columns == mixed.columns and again.provenance.synthetic_share == 1
    for native in (mixed.to_pandas(), mixed.to_arrow()):
        assert read(vs.augment(native, method, seed=1, progress=Progress())).provenance.sources[0].kind == "derived"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_wild_frames(data):
    frame = frame_of(data)
    method = data.draw(st.sampled_from(METHODS))
    try:
        new = vs.augment(frame, method, seed=0, progress=Progress())
    except UserError as e:
        assert frame.height == 1 or "column" in str(e)
        return
    assert new.columns == frame.columns and new.height == frame.height
    assert all(n in (f, pl.String) for n, f in zip(new.dtypes, frame.dtypes, strict=True))


@pytest.mark.parametrize(("call", "words"), [
    ({"method": "smotte"}, "Did you mean 'smote'"),
    ({"method": "smote", "neighbors": 3}, "Did you mean 'neighbours'"),
    ({"method": "smote", "neighbours": 0}, "whole number of at least 1"),
    ({"method": "smote", "amount": 0}, "above 0, up to 1"),
    ({"method": "noise", "swap": 2}, "up to 1"),
    ({"method": "noise", "amount": "much"}, "a number above"),
    ({"method": "smote", "target": "il"}, "Did you mean 'ill'"),
    ({"method": "smote", "target": "total"}, "different values"),
    ({"method": "smote", "shares": {"yes": 0.5}}, "no target"),
    ({"method": "smote", "target": "ill", "shares": {"maybe": 0.5}}, "no level 'maybe'"),
    ({"method": "smote", "target": "ill", "shares": {"yes": 0.5, "no": 0.1}}, "sum to 0.6; 1 was expected"),
    ({"method": "smote", "target": "ill", "shares": {"yes": 1.0}}, "less than 1 was expected"),
    ({"method": "smote", "target": "ill", "shares": {"yes": -1}}, "above 0"),
    ({"method": "smote", "target": "ill", "rows": 0}, "at least 1"),
    ({"method": "mixup", "target": "ill", "shares": {"yes": 0.5}}, "lie between classes"),
    ({"method": "mixup", "soft": True}, "Name the target"),
    ({"method": "mixup", "amount": -1}, "above 0"),
    ({"method": "missing", "rows": 5}, "Leave them out"),
    ({"method": "missing", "amount": {"taxx": 0.2}}, "Did you mean 'tax'"),
    ({"method": "missing", "mechanism": "MCRA"}, "Did you mean 'MCAR'"),
    ({"method": "missing", "by": ["tax"]}, "for the mechanism MAR alone"),
    ({"method": "missing", "amount": {"tax": 0.2}, "columns": ["tax"]}, "name the columns already"),
    ({"method": "smote", "mask": True}, "takes nothing out"),
])
def test_what_cannot_be_done_gets_a_sentence(mixed, schema, call, words):
    with pytest.raises(UserError, match=words):
        vs.augment(mixed, schema=schema, progress=Progress(), **call)


# -- SMOTE ------------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def clouds():
    rng = np.random.default_rng(1)
    x = np.vstack([rng.normal(0, 1, (400, 3)), rng.normal(2, 0.5, (40, 3))]) * [1, 10, 100]
    return pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "label": ["common"] * 400 + ["rare"] * 40})


def test_smote_rows_lie_between_a_row_and_a_near_neighbour_of_its_class(clouds):
    new = vs.augment(clouds, "smote", target="label", seed=0, neighbours=4)
    assert new["label"].to_list() == ["rare"] * 360
    rare = clouds.filter(pl.col("label") == "rare").drop("label").to_numpy()
    scale = rare.std(axis=0)
    near = NearestNeighbors(n_neighbors=5).fit(rare / scale).kneighbors(return_distance=False, n_neighbors=4)
    starts, ends = np.repeat(rare, 4, axis=0) / scale, rare[near.ravel()] / scale
    way = ends - starts
    for row in new.drop("label").to_numpy() / scale:
        share = ((row - starts) * way).sum(axis=1) / (way**2).sum(axis=1)
        off = np.abs(row - starts - np.clip(share, 0, 1)[:, None] * way).max(axis=1)
        assert off.min() < 1e-6


def test_smote_is_smote_of_imbalanced_learn(clouds):
    over_sampling = pytest.importorskip("imblearn.over_sampling")
    rare = clouds.filter(pl.col("label") == "rare").drop("label").to_numpy()
    scale = rare.std(axis=0)
    x, y = over_sampling.SMOTE(random_state=0).fit_resample(clouds.drop("label").to_numpy() / scale, clouds["label"].to_numpy())
    theirs = x[clouds.height:] * scale
    assert (y[clouds.height:] == "rare").all()
    ours = vs.augment(clouds, "smote", target="label", seed=0).drop("label").to_numpy()
    assert len(ours) == len(theirs)
    spread = rare.std(axis=0) / np.sqrt(40)
    assert np.allclose(ours.mean(axis=0), theirs.mean(axis=0), atol=spread.max() / 4, rtol=0.05)
    assert np.allclose(ours.std(axis=0), theirs.std(axis=0), rtol=0.15)
    assert np.allclose(np.corrcoef(ours.T), np.corrcoef(theirs.T), atol=0.15)


def test_levels_are_voted_and_missing_values_take_part():
    rng = np.random.default_rng(0)
    x = np.repeat([0.0, 100.0], 50) + rng.normal(0, 1, 100)
    level = np.where(x < 50, "low", "high")
    level[3] = "odd"
    value = pl.Series(np.where(x < 50, 1.5, 9.5) + rng.normal(0, 0.01, 100)).set(pl.Series(x > 50), None)
    new = vs.augment(pl.DataFrame({"x": x, "level": level, "value": value}), "smote", rows=400, seed=0)
    assert new.filter((pl.col("x") < 50) != pl.col("level").is_in(["low", "odd"])).height == 0
    assert (new["level"] == "odd").sum() == 0
    assert (new["value"].is_null() == (new["x"] > 50)).all()


def test_no_tax_is_not_half_a_tax():
    rng = np.random.default_rng(0)
    tax = np.where(rng.random(500) < 0.6, 0, rng.integers(1000, 9000, 500))
    new = vs.augment(pl.DataFrame({"x": rng.normal(size=500), "tax": tax}), "smote", rows=2000, seed=0)
    assert not new["tax"].is_between(1, 999).any()
    assert (new["tax"] == 0).mean() == pytest.approx((tax == 0).mean(), abs=0.05)


def test_shares_rows_and_classes_of_one_row(clouds):
    def counts(**wishes):
        new = vs.augment(clouds, "smote", target="label", seed=0, **wishes)
        return dict(pl.concat([clouds, new])["label"].value_counts().iter_rows())

    assert counts() == {"common": 400, "rare": 400}
    assert counts(shares={"rare": 0.2}) == {"common": 400, "rare": 100}
    assert counts(shares={"rare": 0.05, "common": 0.95}) == {"common": 760, "rare": 40}
    assert counts(rows=100) == {"common": 400, "rare": 140}
    assert counts(rows=1000) == {"common": 720, "rare": 720}
    lonely = pl.concat([clouds, clouds[:1].with_columns(label=pl.lit("alone"))])
    progress = Progress()
    new = vs.augment(lonely, "smote", target="label", seed=0, progress=progress)
    assert set(new["label"]) == {"rare"} and any("'alone'" in note for note in progress.notes)
    with pytest.raises(UserError, match="Take noise for it"):
        vs.augment(lonely, "smote", target="label", shares={"alone": 0.1})
    assert vs.augment(lonely, "noise", target="label", shares={"alone": 0.1})["label"].unique().to_list() == ["alone"]
    with pytest.raises(UserError, match="shares that are wanted already"):
        vs.augment(pl.DataFrame({"x": range(20), "y": ["a", "b"] * 10}), "smote", target="y")


def test_one_row():
    row = pl.DataFrame({"x": [1.5], "y": ["a"]})
    for method in ("smote", "mixup"):
        with pytest.raises(UserError, match="only 1 row"):
            vs.augment(row, method)
    assert vs.augment(row, "noise", rows=3, seed=0).height == 3


def test_rows_that_copy_a_real_one_are_counted():
    progress = Progress()
    new = vs.augment(pl.DataFrame({"x": [1, 2] * 50, "y": ["a", "b"] * 50}), "smote", seed=0, progress=progress)
    assert new.height == 100 and "100 of 100 derived rows are the same as a real row" in progress.notes[0]


def test_a_rare_dependency_is_looked_up_in_the_real_rows():
    zone = ["N"] * 60 + ["S"] * 60 + ["tiny"] * 2
    frame = pl.DataFrame({"zone": zone, "town": ["A"] * 60 + ["B"] * 60 + ["C"] * 2, "x": np.arange(122.0) % 7})
    schema = vs.describe(frame)
    table = schema.table.model_copy(update={"constraints": (Constraint(kind="dependency", columns=("zone", "town")),)})
    new = vs.augment(frame, "noise", rows=1220, seed=0, swap=0.2, schema=schema.model_copy(update={"tables": (table,)}),
                     progress=Progress())
    assert {(z, t) for z, t, _ in new.iter_rows()} == {("N", "A"), ("S", "B"), ("tiny", "C")}


# -- noise, mixup -----------------------------------------------------------------------------------------------------
def test_noise_has_the_size_that_was_asked_for():
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"x": rng.normal(50, 20, 4000), "k": np.array(list("abcd"))[rng.choice(4, 4000, p=[.4, .3, .2, .1])]})
    new = vs.augment(frame, "noise", amount=0.25, swap=0.2, seed=0)
    assert (new["x"] - frame["x"]).std() == pytest.approx(5, rel=0.05)
    assert (new["k"] != frame["k"]).mean() == pytest.approx(0.2 * (1 - 0.3), abs=0.02)
    assert new["x"].is_between(frame["x"].min(), frame["x"].max()).all()
    none = vs.augment(frame, "noise", amount=0, swap=0, seed=0, progress=Progress())
    assert none.equals(frame)


def test_a_target_keeps_its_value_under_noise():
    frame = pl.DataFrame({"x": np.arange(200.0), "y": np.arange(200) % 37})
    assert vs.augment(frame, "noise", target="y", amount=1.0, seed=0)["y"].equals(frame["y"])


def test_mixup_is_convex_and_its_soft_label_is_the_weight():
    frame = pl.DataFrame({"x": [0.0, 2**0.5], "y": ["a", "b"]})
    new = vs.augment(frame, "mixup", target="y", rows=5000, amount=0.5, soft=True, seed=0, progress=Progress())
    assert new.columns == ["x", "y", "y=a", "y=b"]
    new = new.with_columns(pl.col("x") / 2**0.5)
    assert np.allclose(new["x"], new["y=b"]) and np.allclose(new["y=a"] + new["y=b"], 1)
    assert (new["y"] == "b").mean() == pytest.approx(new["y=b"].mean(), abs=0.02)
    assert new["x"].var() == pytest.approx(0.125, rel=0.05)  # Beta(½, ½)
    near = new.filter(pl.col("y=b") > 0.8)
    assert (near["y"] == "b").mean() == pytest.approx(near["y=b"].mean(), abs=0.03)


# -- missing ----------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(0)
    x = rng.normal(100, 15, 6000).round(1)
    return pl.DataFrame({"x": x, "y": (x + rng.normal(0, 5, 6000)).round(1), "z": rng.normal(0, 1, 6000).round(2),
                         "k": np.where(x > 100, "high", "low")})


def test_the_mask_says_what_was_taken_out_and_nothing_else_changed(scores):
    holed, mask = vs.augment(scores, "missing", amount=0.2, seed=0, mask=True)
    for name in scores.columns:
        assert (holed[name].is_null() == mask[name]).all()
        assert holed[name].filter(~mask[name]).equals(scores[name].filter(~mask[name]))
        assert mask[name].mean() == pytest.approx(0.2, abs=0.02)
    pandas = scores.to_pandas().set_index(np.arange(6000) * 2)
    holed, mask = vs.augment(pandas, "missing", seed=0, mask=True)
    assert holed.index.equals(pandas.index) and mask.index.equals(pandas.index)
    assert (holed.isna() == mask).all().all()


def test_completely_at_random_at_random_and_not_at_random(scores):
    def observed(**how):
        return vs.augment(scores, "missing", amount={"y": 0.4}, seed=1, **how, mask=True)

    holed, _ = observed()
    assert holed["y"].mean() == pytest.approx(100, abs=0.8)
    holed, _ = observed(mechanism="MNAR")
    assert holed["y"].mean() < 96 and holed["y"].null_count() / 6000 == pytest.approx(0.4, abs=0.02)
    holed, mask = observed(mechanism="mar", by="x")
    assert abs(holed["y"].mean() - 100) > 3 and holed["x"].null_count() == 0
    rest = (scores["y"] - scores["x"]).to_numpy()  # given x, whether y is missing says nothing of y
    assert abs(np.corrcoef(rest, mask["y"].to_numpy())[0, 1]) < 0.04
    assert abs(np.corrcoef(scores["x"], mask["y"].to_numpy())[0, 1]) > 0.5


def test_columns_that_are_missing_together_go_together():
    rng = np.random.default_rng(0)
    gone = rng.random(800) < 0.2
    frame = pl.DataFrame({"a": pl.Series(rng.normal(size=800)).set(pl.Series(gone), None), "c": rng.normal(size=800),
                          "b": pl.Series(rng.integers(0, 9, 800)).set(pl.Series(gone), None)})
    assert [c.kind for c in vs.describe(frame).table.constraints if c.kind == "nulls"] == ["nulls"]
    holed, mask = vs.augment(frame, "missing", amount=0.3, seed=0, mask=True, progress=Progress())
    assert (holed["a"].is_null() == holed["b"].is_null()).all()
    assert mask["a"].filter(pl.Series(~gone)).mean() == pytest.approx(0.3, abs=0.05)


# -- the command line, and real data ----------------------------------------------------------------------------------
def test_the_command(mixed, tmp_path):
    source, out, mask = tmp_path / "mixed.csv", tmp_path / "new.csv", tmp_path / "mask.csv"
    mixed.select("net `price`", "tax", "total", "Urteil", "ill", "born").write_csv(source)
    run = CliRunner().invoke
    done = run(app, ["augment", str(source), "--out", str(out), "--target", "ill", "--shares", "{yes: 0.4}", "--json"])
    assert done.exit_code == 0, done.output
    new, real = vs.read(out), pl.read_csv(source)
    assert new.provenance.sources[0].kind == "derived" and new.provenance.sources[0].generator == "smote"
    both = pl.concat([real["ill"], new.frame["ill"]])
    assert (both == "yes").mean() == pytest.approx(0.4, abs=0.01)
    assert run(app, ["augment", str(source), "--out", str(out)]).exit_code == 2
    done = run(app, ["augment", str(source), "--out", str(out), "--method", "missing", "--set", "mechanism=MNAR", "--set",
                     "columns=[tax]", "--amount", "0.3", "--mask", str(mask), "--force", "--provenance"])
    assert done.exit_code == 0 and "as confidential as the rows they were made from" in done.output
    same = run(app, ["augment", str(source), "--out", str(out), "--method", "missing", "--mask", str(out), "--force"])
    assert same.exit_code == 2 and "a file of its own" in " ".join(same.output.split())
    flags, holed = pl.read_csv(mask), pl.read_csv(out)
    assert flags["tax"].mean() == pytest.approx(0.3, abs=0.1) and set(holed["verisyn_kind"]) == {"derived"}
    for wrong, words in ((["--method", "smot"], "Did you mean 'smote'"), (["--set", "neighbours"], "could not be read"),
                         (["--shares", "0.5", "--target", "ill"], "could not be read"),
                         (["--mask", str(tmp_path / "m.csv")], "takes nothing out")):
        done = run(app, ["augment", str(source), "--out", str(tmp_path / "no.csv"), *wrong])
        assert done.exit_code == 2 and words in " ".join(done.output.split()), done.output
        assert not (tmp_path / "no.csv").exists()


@pytest.mark.parametrize("name", ["adult", "nyc_taxis", "bike_sharing"])
def test_real_data_keeps_its_constraints(real, name):
    frame = pl.read_parquet(real(name)).sample(3000, seed=0)
    schema = vs.describe(frame)
    assert schema.table.constraints
    for method in METHODS:
        new = vs.augment(frame, method, schema=schema, seed=0, progress=Progress())
        assert new.schema == frame.schema and new.height == frame.height
        rules = Rules.learn(frame, schema.table)
        about_gaps = [r for k, r in zip(rules.kinds, rules.rules, strict=True) if k in ("nulls", "required")]
        assert not replace(rules, rules=tuple(about_gaps) if method == "missing" else rules.rules).broken(new).any(), method
