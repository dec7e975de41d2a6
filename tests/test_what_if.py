"""What would change: causes told and proposed, against simulated causal models whose answers are known."""

import itertools
import json
import math

import numpy as np
import polars as pl
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import verisyn as vs
from verisyn.causality.classes import colliders, completed, directed
from verisyn.causality.told import Causes
from verisyn.cli import app
from verisyn.errors import Refused, UserError
from verisyn.progress import Progress
from verisyn.report.study import study
from verisyn.schema import Constraint, Schema
from verisyn.steering.intervention import Intervention

ROWS = 5000
run = CliRunner().invoke


def fit(frame, causes=None, **more):
    return vs.fit(frame, causes=causes, audit=False, progress=Progress(), **more)


def ask(model, do, rows=10_000, **more):
    return vs.what_if(model, do, rows, progress=more.pop("progress", Progress()), **more)


def change(found, column):
    told = found.assessment["steering.do"].details["changes"]
    return next(c for c in told if c["column"] == column)


# -- causes as a person gives them ------------------------------------------------------------------------------------
SAME = ({"income": ["age", "education"], "education": "age"}, "age -> education; age, education -> income",
        "age -> income\nage -> education -> income", "{income: [age, education], education: age}",
        [{"cause": "age", "effect": "education"}, {"cause": "age", "effect": "income"},
         {"cause": "education", "effect": "income"}])


@pytest.mark.parametrize("told", SAME)
def test_all_ways_of_telling_causes_say_the_same(told, tmp_path):
    want = {("age", "education"), ("age", "income"), ("education", "income")}
    assert {(c.cause, c.effect) for c in Causes.read(told).arrows} == want
    file = tmp_path / "mine.yaml"
    file.write_text(told if isinstance(told, str) else yaml.safe_dump(told))
    for where in (file, str(file)):
        assert {(c.cause, c.effect) for c in Causes.read(where).arrows} == want


def test_a_list_is_a_full_order():
    assert str(Causes.read(["age", "sex", "income"])) == "age -> sex; sex -> income"


@example(["0:", "0"])
@given(st.lists(st.text(min_size=1, max_size=8).filter(str.strip), min_size=2, max_size=5, unique=True))
@settings(max_examples=100, deadline=None)
def test_any_names_survive_text_and_yaml(names):
    causes = Causes.read({names[-1]: names[:-1]})
    assert Causes.read(causes.to_yaml()) == causes
    if not any("\n" in name or name != name.strip() for name in names):
        assert Causes.read(str(causes)) == causes


@given(st.text(max_size=30) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.sampled_from(["causes", "cause", "effect"]),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(
        st.text(max_size=4) | st.sampled_from(["causes", "confirmed", "notes", "cause", "effect"]), inside, max_size=3)))
@settings(max_examples=100, deadline=None)
def test_whatever_is_told_is_read_or_gets_a_sentence(told):
    for way in (told, yaml.safe_dump(told)):
        try:
            assert Causes.read(way).arrows
        except UserError as e:
            assert str(e).startswith(("The causes", "The causal order", "The arrow", "There is no causes' file"))


@pytest.mark.parametrize(("told", "words"), [
    ("age -> agee", "Did you mean 'age'"),
    ("age -> job -> income -> age", "circle: age -> job -> income -> age"),
    ({"age": "job", "job": ["age"]}, "circle: "),
    ("age -> age", "'age' as a cause of itself"),
    ("age -> ", "leads from or to nothing"),
    ("`age -> income", "in backticks"),
    ("age; income", "hold no arrow"),
    ([], "hold no arrow"),
    (["age", "job", "age"], "names 'age' twice"),
    ({"income": 3}, "a list of columns is expected"),
    ([{"cause": "age"}], "has a mistake at effect"),
    ([3], "has a mistake"),
    (3, "could not be read"),
    ("{income: [age", "could not be read as YAML"),
    ("nowhere.yaml", "no causes' file 'nowhere.yaml'"),
    ({"confirmed": True, "causes": 3}, "could not be read"),
])
def test_causes_that_make_no_sense_get_a_sentence(told, words):
    with pytest.raises(UserError, match=words):
        fit(pl.DataFrame({"age": [1, 2] * 20, "job": ["a", "b"] * 20, "income": [1.5, 2.5] * 20}), told)


def test_causes_travel_in_the_schema_and_with_the_model(tmp_path):
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"c": rng.random(300), "a": rng.random(300), "free": rng.random(300), "b": rng.random(300)})
    model = fit(frame, "a -> b -> c")
    assert model.order == ["a", "b", "c", "free"]  # what nobody names comes last, so that nothing rests on it
    assert Schema.from_yaml(model.schema.to_yaml()) == model.schema
    model.save(tmp_path / "m")
    again = vs.load(tmp_path / "m")
    assert again.schema.table.causes == model.schema.table.causes and again.order == model.order
    one, other = (m.sample(200, seed=1, do={"a": 0.5}, progress=Progress()) for m in (model, again))
    assert one.equals(other)
    assert fit(frame, schema=model.schema).sample(200, seed=1).equals(model.sample(200, seed=1))
    with pytest.raises(UserError, match="the causes say the order"):
        fit(frame, "a -> b", order="dependence")
    with pytest.raises(UserError, match="the causes say the order"):
        fit(frame, "a -> b", order=["b"])


def test_odd_names_are_put_in_order():
    rng = np.random.default_rng(0)
    names = ["a#1", "a", "x/y", "net price", "tick`s", "größe", "->", " "]
    frame = pl.DataFrame({name: rng.integers(0, 5, 200) for name in names})
    assert fit(frame, list(reversed(names))).order == names[::-1]


def test_what_is_learnt_together_counts_as_one():
    rng = np.random.default_rng(0)
    place = rng.normal(0, 0.05, (2, 600))
    frame = pl.DataFrame({"price": rng.normal(9, 1, 600).round(2), "latitude": (40.7 + place[0]).round(5),
                          "longitude": (-74 + place[1]).round(5)})
    model = fit(frame, "latitude -> price")
    moved = ask(model, {"latitude": "+0.01"}, 300)
    assert moved.before["longitude"].equals(moved.after["longitude"])
    assert moved.after["latitude"].to_numpy() - moved.before["latitude"].to_numpy() == pytest.approx(0.01, abs=1e-4)
    with pytest.raises(UserError, match="'latitude' and 'longitude' are learnt together and count as one"):
        fit(frame, "latitude -> price -> longitude")


def test_what_a_constraint_recomputes_follows_what_it_is_recomputed_from():
    rng = np.random.default_rng(0)
    hours, rate = rng.integers(10, 50, 3000), rng.integers(8, 30, 3000)
    frame = pl.DataFrame({"rate": rate, "hours": hours, "total": hours + rate,
                          "mood": np.round(hours / 10 + rng.normal(0, 1, 3000), 1)})
    table = vs.describe(frame).table.model_copy(update={"constraints": (
        Constraint(kind="formula", columns=("total", "hours", "rate"), settings={"equals": "hours + rate"}),)})
    model = fit(frame, "hours -> mood", schema=Schema(tables=(table,)))
    found = ask(model, {"hours": "+2"}, 2000)
    assert (found.after["total"] == found.after["hours"] + found.after["rate"]).all()
    assert found.after["rate"].equals(found.before["rate"])
    details = found.assessment["steering.do"].details
    assert "total" in details["responds"] and details["stays"] == "rate" and details["pairs"]
    with pytest.raises(UserError, match="'total' is recomputed from 'hours' in every row"):
        fit(frame, "total -> hours", schema=Schema(tables=(table,)))


# -- simulated causal models --------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def clinic():
    """Severity makes treatment likelier and recovery rarer; columns in an order that is of no use."""
    rng = np.random.default_rng(0)
    severe = rng.random(ROWS) < 0.5
    treated = rng.random(ROWS) < np.where(severe, 0.8, 0.2)
    well = rng.random(ROWS) < 0.6 + 0.3 * treated - 0.5 * severe
    ward = rng.choice(["A", "B", "C"], ROWS, p=[0.5, 0.35, 0.15])
    dose = np.round(rng.normal(10, 2, ROWS) + 3 * severe, 1)
    return pl.DataFrame({"well": well, "key": range(7, ROWS + 7), "treated": treated, "ward": ward, "dose": dose,
                         "severe": severe})


@pytest.fixture(scope="module")
def treating(clinic):
    return fit(clinic, "severe -> treated, dose; severe, treated -> well; ward -> dose")


def test_do_is_not_given(treating):
    found = ask(treating, {"treated": True})
    low, high = change(found, "well")["interval"]
    assert low <= 0.15 <= high and high - low < 0.12
    assert change(found, "well")["change"] == pytest.approx(0.15, abs=0.03)
    rows = treating.sample(10_000, seed=1, given="treated == True")
    assert rows["well"].mean() == pytest.approx(0.9 - 0.5 * 0.8, abs=0.03)  # no gain at all beside 0.5 of all rows
    assert found.after["well"].mean() == pytest.approx(0.9 - 0.5 * 0.5, abs=0.03)


def test_only_effects_respond_and_rows_are_pairs(treating):
    found = ask(treating, {"treated": True}, 6000, seed=4)
    before, after = found.before, found.after
    assert before.equals(treating.sample(6000, seed=4))
    for column in ("severe", "ward", "dose", "key"):
        assert before[column].equals(after[column])
    assert after["treated"].all() and not after["well"].equals(before["well"])
    was = before["treated"]
    assert after.filter(was).equals(before.filter(was))  # who was treated already is as before
    assert after.equals(treating.sample(6000, seed=4, do={"treated": True}, progress=Progress()))


def test_sample_draws_effects_only_too(treating):
    progress = Progress()
    rows = treating.sample(8000, seed=1, do={"treated": True}, progress=progress)
    assert rows["severe"].mean() == pytest.approx(0.5, abs=0.02)
    assert rows["well"].mean() == pytest.approx(0.65, abs=0.03)
    assert "By the causes given, these respond: 'well'. These stay as they are: " in progress.notes[0]
    assert progress.notes[-1] == ("For 'treated' the answer rests on effectively 33% of the rows that the model learnt "
                                  "from.")


def test_given_after_do_conditions_the_rows_so_changed(treating):
    rows = treating.sample(6000, seed=1, do={"treated": True}, given="well == False", progress=Progress())
    assert rows["treated"].all() and not rows["well"].any()
    assert rows["severe"].mean() == pytest.approx(0.5 * 0.6 / (0.5 * 0.6 + 0.5 * 0.1), abs=0.03)
    rows = treating.sample(6000, seed=1, do={"treated": True}, given="ward != 'C' and well == False",
                           progress=Progress())
    assert (rows["ward"] == "A").mean() == pytest.approx(0.5 / 0.85, abs=0.03)


@pytest.mark.parametrize("causes", [None, "severe -> treated, dose; severe, treated -> well; ward -> dose"])
def test_a_condition_on_what_stays_is_met_in_the_right_shares(clinic, causes):
    """Levels of different frequency before a change: each row is weighed by the condition's mass, once."""
    model = fit(clinic.select("ward", "severe", "treated", "dose", "well"), causes)
    rows = model.sample(6000, seed=1, do={"dose": "+1"}, given="ward != 'B'", progress=Progress())
    assert (rows["ward"] == "A").mean() == pytest.approx(0.5 / 0.65, abs=0.03)


def test_several_columns_and_a_change_of_what_responds(treating):
    found = ask(treating, {"severe": False, "dose": "+2"}, 6000)
    was = found.before.filter(~found.before["severe"])
    now = found.after.filter(~found.before["severe"])
    assert (now["dose"] - was["dose"]).to_numpy() == pytest.approx(2, abs=1e-6)
    assert not found.after["severe"].any()
    assert found.after["dose"].mean() == pytest.approx(12, abs=0.2)
    assert found.after["treated"].mean() == pytest.approx(0.2, abs=0.03)
    assert found.after["well"].mean() == pytest.approx(0.66, abs=0.03)


def test_the_bytes_depend_on_the_seed_alone(treating):
    one, three, other = (ask(treating, {"severe": True}, 45_000, seed=s, jobs=j, refit=False)
                         for s, j in ((2, 1), (2, 3), (3, 1)))
    assert one.after.equals(three.after) and not one.after.equals(other.after)
    assert one.assessment.to_json() == three.assessment.to_json()
    assert one.before.equals(treating.sample(45_000, seed=2)) and one.after["key"].n_unique() == 45_000


def test_a_linear_mediated_and_confounded_effect():
    rng = np.random.default_rng(1)
    z = rng.normal(0, 1, ROWS)
    x = 0.8 * z + rng.normal(0, 1, ROWS)
    m = 0.5 * x + rng.normal(0, 1, ROWS)
    y = m + 0.4 * x - 1.5 * z + rng.normal(0, 1, ROWS)
    c = x + y + rng.normal(0, 0.5, ROWS)  # a collider: to hold it would mislead
    frame = pl.DataFrame({"c": c, "y": y, "m": m, "x": x, "z": z}).with_columns(pl.all().round(3))
    found = ask(fit(frame, "z -> x -> m -> y -> c; z, x -> y; x -> c"), {"x": "+1"}, 20_000)
    for column, truth in (("m", 0.5), ("y", 0.9), ("c", 1.9)):
        low, high = change(found, column)["interval"]
        assert low <= truth <= high and high - low < 0.25, column
    assert found.before["z"].equals(found.after["z"])
    assert (found.after["x"] - found.before["x"]).to_numpy() == pytest.approx(1, abs=1e-6)


def test_the_order_of_the_table_alone_says_so_and_is_never_good(clinic):
    model = fit(clinic)
    found = ask(model, {"treated": True}, 3000).assessment["steering.do"]
    assert found.verdict == "fair" and "No causes were given" in found.reason
    assert not found.details["pairs"] and found.details["stays"].startswith("well")


def test_nothing_responds_to_an_effect_of_others(treating):
    progress = Progress()
    found = ask(treating, {"well": True}, 500, progress=progress)
    assert found.after.drop("well").equals(found.before.drop("well"))
    assert "No column responds: it is a cause of none" in progress.notes[0]
    assert "nothing responds" in found.assessment["steering.do"].reason


# -- support --------------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def trial():
    rng = np.random.default_rng(2)
    z = rng.normal(0, 1, ROWS).round(3)
    arm = rng.random(ROWS) < 0.3
    x = (z + rng.normal(0, 0.5, ROWS)).round(3)
    fixed = np.where(z > 0, "high", "low")
    frame = pl.DataFrame({"z": z, "arm": arm, "x": x, "fixed": fixed, "y": (x + arm + z).round(1)})
    return fit(frame, "z -> x, fixed; z, arm, x, fixed -> y")


def support(model, do):
    found = ask(model, do, 2000, refit=False).assessment["steering.do"]
    return found, found.details["support"][0]


def test_the_effective_share_is_what_theory_says(trial):
    assert support(trial, {"arm": True})[1]["effective_share_of_rows"] == pytest.approx(0.3, abs=0.03)
    for step in (0.25, 0.5):  # the variance of density ratios of a shifted normal distribution is exp(step²/s²) - 1
        told = support(trial, {"x": f"+{step}"})[1]
        assert told["effective_share_of_rows"] == pytest.approx(math.exp(-((step / 0.5) ** 2)), abs=0.12)
        assert told["supported"] > 0.9


def test_what_was_never_seen_has_no_support(trial):
    good, told = support(trial, {"arm": True})
    assert good.verdict == "good" and good.value == 1 and told["hardly_seen"] == 0
    poor, told = support(trial, {"fixed": "high"})  # half of the rows could never be so
    assert poor.verdict == "poor" and told["hardly_seen"] == pytest.approx(0.5, abs=0.05)
    poor, told = support(trial, {"x": "+100"})
    assert poor.verdict == "poor" and told["outside_range"] == 1 and told["effective_share_of_rows"] == 0
    far, told = support(trial, {"x": 2.0})  # seen, but not with a low z
    assert far.verdict == "poor" and told["outside_range"] == 0 and told["hardly_seen"] > 0.5
    progress = Progress()
    trial.sample(100, do={"x": 2.0}, progress=progress)
    assert any("a value near that a chance of less than 1%" in note for note in progress.notes)


def test_the_finding_is_json_and_a_page(trial):
    found = ask(trial, {"arm": True}, 2000, refit=False).assessment
    assert vs.findings.Assessment.from_json(found.to_json()) == found
    page = study(found, title="trial", kind="what if", lead="The arm is set.")
    assert "What would change?" in page and "the answer rests on effectively" in page
    details = found["steering.do"].details
    assert {c["name"] for c in details["columns"]} == {"y"} and details["items"][0]["name"] == "y: mean"


def test_a_finding_from_two_samples(trial):
    """As other parts of a report make it: after drawing, from the rows alone."""
    wish = Intervention.read({"arm": True}, trial.coder)
    with pytest.raises(ValueError, match="needs a model"):
        wish.finding(trial.sample(50), trial.sample(50))
    drawing = trial._drawing()
    before, after = wish.pair(1000, drawing, np.random.SeedSequence(0))
    assert json.dumps(wish.finding(before, after, drawing).to_dict(), allow_nan=False)


# -- no toys ---------------------------------------------------------------------------------------------------------------
def test_dates_missing_values_constants_and_pandas():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    start = np.datetime64("2020-01-01") + rng.integers(0, 700, 2000)
    end = start + rng.integers(5, 15, 2000)
    size = np.where(rng.random(2000) < 0.2, np.nan, rng.normal(5, 1, 2000).round(2))
    frame = pd.DataFrame({"my start": start, "end": end, "size": size, "weight": np.nan_to_num(size, nan=4) * 2
                          + rng.normal(0, 0.1, 2000).round(2), "same": 1, "flag": rng.random(2000) < 0.5})
    model = fit(frame, "`my start` -> end; size, flag -> weight")
    later = ask(model, {"my start": "+30d", "size": "*1.1"}, 1000)
    assert isinstance(later.after, pd.DataFrame) and (later.after.dtypes == later.before.dtypes).all()
    assert ((later.after["my start"] - later.before["my start"]).dt.days == 30).all()
    assert change(later, "end")["change"] == pytest.approx(30, abs=8) and change(later, "end")["unit"] == "days"
    gone = later.before["size"].isna()
    assert (gone == later.after["size"].isna()).all()
    still = gone & (later.before["my start"] == later.after["my start"])
    assert later.after[still].equals(later.before[still])
    none = ask(model, {"size": None}, 500)
    assert none.after["size"].isna().all() and none.after["weight"].mean() == pytest.approx(8, abs=0.3)


def test_a_single_row_and_columns_that_say_each_other():
    frame = pl.DataFrame({"a": [1, 2, 3, 4] * 20, "b": ["x", "y"] * 40})
    model, progress = fit(frame, "b -> a"), Progress()
    found = ask(model, {"b": "x"}, 1, progress=progress)
    assert found.after["b"].to_list() == ["x"] and found.after["a"][0] in (1, 3)
    assert "Learnt together with it, and so changed with it: 'a'" in progress.notes[0]


def test_a_generator_that_cannot_follow_the_causes_says_so():
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"b": rng.random(80), "a": rng.choice(["x", "y"], 80)})
    model = fit(frame, "a -> b", generator="independent")
    assert model.sample(20).height == 20
    with pytest.raises(UserError, match="does not draw the effects of 'a' after it"):
        model.sample(20, do={"a": "x"})


# -- what the causes leave open ------------------------------------------------------------------------------------------
def test_a_hidden_cause_is_noticed_where_the_data_show_it():
    rng = np.random.default_rng(0)
    hidden = rng.normal(0, 1, 3000)
    frame = pl.DataFrame({"a": rng.normal(0, 1, 3000), "x": hidden + rng.normal(0, 1, 3000),
                          "y": hidden + rng.normal(0, 1, 3000), "h": hidden, "free": rng.normal(0, 1, 3000)})
    frame = frame.with_columns((pl.col("a") + pl.col("x") + pl.Series(rng.normal(0, 1, 3000))).alias("b")).select(
        pl.all().round(3))
    told = fit(frame.drop("h"), "a -> b; x -> b; a -> y").info.notes
    assert "do not name 'free'" in told[0] and "'x' and 'y'" in told[1] and "'a' and 'x'" not in told[1]
    told = fit(frame.drop("free"), "a, x -> b; h -> x, y").info.notes
    assert not any("do not explain" in note for note in told)


# -- proposals -------------------------------------------------------------------------------------------------------------
def all_graphs(nodes):
    pairs = list(itertools.combinations(range(nodes), 2))
    for ways in itertools.product((None, 0, 1), repeat=len(pairs)):
        arrows = {pair if way else pair[::-1] for pair, way in zip(pairs, ways, strict=True) if way is not None}
        if acyclic(arrows, nodes):
            yield arrows


def acyclic(arrows, nodes):
    left = set(range(nodes))
    while roots := {n for n in left if not any(b == n and a in left for a, b in arrows)}:
        left -= roots
    return not left


def v_structures(arrows):
    joined = {frozenset(a) for a in arrows}
    return {(frozenset((a, c)), b) for a, b in arrows for c, d in arrows
            if b == d and a != c and frozenset((a, c)) not in joined}


def test_what_the_data_can_tell_is_what_all_equivalent_graphs_share():
    """Against brute force: all graphs of four columns that have the same joints and colliders."""
    graphs = list(all_graphs(4))
    alike = {}
    for graph in graphs:
        alike.setdefault((frozenset(map(frozenset, graph)), frozenset(v_structures(graph))), []).append(graph)
    for members in alike.values():
        shared = set.intersection(*members)
        assert all(completed(member, colliders(member)) == shared for member in members)
        assert directed(members[0], colliders(members[0]), range(4)) in members
        for known in itertools.islice(sorted(members[0] - shared), 2):  # a direction known from elsewhere
            able = [m for m in members if known in m]
            assert completed(members[0], colliders(members[0]) | {known}) == set.intersection(*able)


@pytest.mark.parametrize("kind", ["numbers", "levels", "mixed"])
def test_the_equivalence_class_of_a_simulated_model_is_found(kind):
    rng = np.random.default_rng(3)
    values, frame = {}, {}

    def add(name, score, as_level):
        values[name] = (score + rng.normal(0, 1, ROWS)).round(3)
        frame[name] = values[name]
        if as_level:
            code = np.digitize(score + rng.logistic(0, 0.6, ROWS), [-0.7, 0.8])
            values[name], frame[name] = 1.2 * (code - 1), np.array(["low", "mid", "high"])[code]

    some = {"numbers": (), "levels": "abcdef", "mixed": "bdf"}[kind]
    add("a", np.zeros(ROWS), "a" in some)
    add("b", np.zeros(ROWS), "b" in some)
    add("c", 1.1 * values["a"] + 1.1 * values["b"], "c" in some)
    add("d", 1.2 * values["c"], "d" in some)
    add("e", 1.2 * values["a"], "e" in some)
    add("f", np.zeros(ROWS), "f" in some)
    found = vs.causes(pl.DataFrame(frame).select("f", "e", "d", "c", "b", "a"))
    by = {(c.cause, c.effect): c.direction for c in found.arrows}
    assert {k for k, v in by.items() if v == "data"} == {("a", "c"), ("b", "c"), ("c", "d")}
    assert {frozenset(k) for k, v in by.items() if v == "open"} == {frozenset("ae")}
    assert not found.confirmed and all(0 < c.strength < 1 and c.gain > 0 for c in found.arrows)


def test_time_tells_what_the_data_cannot():
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, 3000)
    frame = pl.DataFrame({"outcome": x + rng.normal(0, 1, 3000), "x": x, "sex": np.where(x > rng.normal(0, 1, 3000), "f", "m")})
    assert str(vs.causes(frame)) in ("x -> outcome; sex -> x", "sex -> x; x -> outcome")
    found = vs.causes(frame, first=["outcome"], last=["sex"])
    assert {(c.cause, c.effect, c.direction) for c in found.arrows} == {
        ("outcome", "x", "background"), ("x", "sex", "background")}
    assert "Taken to come first: outcome; last: sex." in found.notes[0]
    for wrong, words in (({"first": ["y"]}, "no column 'y'"), ({"first": ["x"], "last": ["x"]}, "both first and last")):
        with pytest.raises(UserError, match=words):
            vs.causes(frame, **wrong)


def test_a_curved_dependence_is_found_and_independence_is_said():
    rng = np.random.default_rng(0)
    x, y = rng.normal(0, 1, 3000), rng.normal(0, 1, 3000)
    curved = pl.DataFrame({"x": x, "z": x**2 + 0.5 * y, "same": 1, "id": [f"K{i:05}" for i in range(3000)]})
    found = vs.causes(curved)
    assert str(found) == "x -> z" and found.arrows[0].direction == "open"
    assert "never vary: same, id" in found.notes[1]
    with pytest.raises(UserError, match="nothing to propose"):
        vs.causes(pl.DataFrame({"x": x, "z": y}))
    with pytest.raises(UserError, match="nothing to propose"):
        vs.causes(pl.DataFrame({"x": [1]}))


def test_nothing_set_gets_a_sentence_and_one_column_may_come_first_by_name(treating, clinic):
    model = treating[0] if isinstance(treating, tuple) else treating
    with pytest.raises(UserError, match="a mapping is expected"):
        vs.what_if(model, {}, 100)
    assert str(vs.causes(clinic, first="severe")) == str(vs.causes(clinic, first=["severe"]))


def test_nobody_confirmed_a_proposal(clinic):
    found = vs.causes(clinic, last=["well"])
    with pytest.raises(Refused, match="nobody has confirmed them"):
        fit(clinic, found)
    assert fit(clinic, found.confirm()).schema.table.causes == found.arrows


def test_the_command_line_proposes_and_fits(clinic, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    clinic.write_csv("clinic.csv")
    done = run(app, ["causes", "clinic.csv", "-o", "causes.yaml", "--first", "severe", "--last", "well"])
    assert done.exit_code == 0 and "An order from data is a guess" in done.output
    told = run(app, ["causes", "clinic.csv", "--json"])
    assert json.loads(told.output)["confirmed"] is False
    assert run(app, ["causes", "clinic.csv"]).output.startswith("# Which column is a cause of which.")
    command = ["fit", "clinic.csv", "--out", "model", "--no-audit", "--causes"]
    refused = run(app, [*command, "causes.yaml"])
    assert refused.exit_code == 3 and "nobody has confirmed" in refused.output
    assert run(app, [*command, "severe -> trated"]).exit_code == 2
    assert run(app, [*command, "causes.yaml", "--yes"]).exit_code == 0
    text = (tmp_path / "causes.yaml").read_text()
    (tmp_path / "causes.yaml").write_text(text.replace("confirmed: false", "confirmed: true"))
    assert run(app, [*command, "causes.yaml", "--force"]).exit_code == 0
    drawn = run(app, ["sample", "model", "--rows", "200", "--out", "x.csv", "--do", "treated = True"])
    assert drawn.exit_code == 0 and "By the causes given" in drawn.output
