"""Fair rows: parity, opportunity, proxies and shares of groups, against populations whose truth is known."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import verisyn as vs
from verisyn.cli import app
from verisyn.errors import UserError
from verisyn.findings import Assessment
from verisyn.progress import Progress
from verisyn.steering._fair_map import moved
from verisyn.steering._parity import EVERY, Chances, Parity, expected_auc
from verisyn.steering.fair_finding import Tables, fairness_finding

ROWS = 6_000
WISH = {"sensitive": "sex", "outcome": "hired"}


def people(rows=ROWS, seed=0):
    """Men are hired more often: by their skill, which is higher, and by their sex; a club tells who is a man."""
    rng = np.random.default_rng(seed)
    man = rng.random(rows) < 0.6
    skill = np.round(rng.normal(0.6 * man, 1), 2)
    club = np.where(rng.random(rows) < 0.85, np.where(man, "golf", "yoga"), np.where(man, "yoga", "golf"))
    hired = rng.random(rows) < 1 / (1 + np.exp(1 - 1.5 * skill - man))
    age = pl.Series(rng.integers(18, 70, rows)).set(pl.Series(rng.random(rows) < 0.03), None)
    return pl.DataFrame({"sex": np.where(man, "m", "f"), "skill": skill, "club": club,
                         "age": age, "hired": np.where(hired, "yes", "no"),
                         "net pay": np.round(1000 + 300 * skill + 800 * hired + rng.normal(0, 50, rows))})


@pytest.fixture(scope="module")
def model():
    return vs.fit(people().drop("net pay"), seed=0, audit=False)


def sample(model, rows, fair, **more):
    """Draw rows quietly; return them with what was said."""
    progress = Progress()
    return model.sample(rows, fair=fair, progress=progress, **{"seed": 1, **more}), " ".join(progress.notes)


def share(frame, of="hired", value="yes", by="sex"):
    return {tuple(group): mean for *group, mean in frame.group_by(by).agg((pl.col(of) == value).mean()).iter_rows()}


def apart(frame, **more):
    return float(np.ptp(list(share(frame, **more).values())))


# -- what chances become --------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def chances():
    rng = np.random.default_rng(3)
    group = (rng.random(30_000) < 0.4).astype(int)
    x = rng.normal(0.9 * group, 1, 30_000)
    return 1 / (1 + np.exp(1 - x)), group, x


def test_parity_is_the_barycentre_of_the_groups(chances):
    p, group, _ = chances
    fair = Parity.learn(Chances(p, group, np.ones(len(p))), EVERY, 1.0).of(Chances(p, group, np.ones(len(p))))
    for q in (0.05, 0.3, 0.5, 0.8, 0.95):  # at every standing the mean of the groups' own quantiles (Chzhen et al. 2020)
        want = sum(np.quantile(p[group == g], q) * (group == g).mean() for g in (0, 1))
        for g in (0, 1):
            assert np.quantile(fair[group == g], q) == pytest.approx(want, abs=0.01)
    for g in (0, 1):  # whoever stood higher in their group still does
        order = np.argsort(p[group == g])
        assert (np.diff(fair[group == g][order]) >= -1e-9).all()
    assert fair.mean() == pytest.approx(p.mean(), abs=0.003)


def test_equal_opportunity_is_among_those_who_have_the_outcome(chances):
    p, group, _ = chances
    fair = Parity.learn(Chances(p, group, p), EVERY, 1.0).of(Chances(p, group, p))
    has = np.random.default_rng(0).random(len(p)) < p
    for cut in np.quantile(fair, [0.2, 0.5, 0.8, 0.95]):
        found = [(fair[has & (group == g)] > cut).mean() for g in (0, 1)]
        assert found[0] == pytest.approx(found[1], abs=0.025)
    assert abs((fair[group == 1] > 0.4).mean() - (fair[group == 0] > 0.4).mean()) > 0.04  # no parity among all


def test_who_does_not_see_the_group_is_fair_by_what_they_see(chances):
    group, x = chances[1][:8000], chances[2][:8000]
    told = 1 / (1 + np.exp(0.405 - 0.9 * x + np.log(0.6 / 0.4)))  # P(group 1 | x)
    p, z = 1 / (1 + np.exp(1 - x - np.random.default_rng(1).normal(0, 1, len(x)))), np.ones(len(x))
    rows = Chances(p, group, z, np.column_stack([1 - told, told]) / [0.6, 0.4] - 1)
    parity = Parity.learn(rows, EVERY, 1.0)
    fair = parity.of(rows)
    for cut in np.quantile(fair, [0.3, 0.6, 0.9]):
        assert (fair[group == 0] > cut).mean() == pytest.approx((fair[group == 1] > cut).mean(), abs=0.02)
    twins = Chances(p, 1 - group, z, rows.tilt)  # the same people in the other group
    assert np.array_equal(parity.of(twins), fair)


def test_parity_reaches_as_far_as_its_cost_allows(chances):
    p, group, _ = chances
    rows, found = Chances(p, group, np.ones(len(p))), {}
    for most in (0.006, 0.012, 0.5):
        found[most] = Parity.learn(rows, None, most)
        fair = found[most].of(rows)
        cost = expected_auc(p, p) - expected_auc(p, found[most].standing.of(rows))
        assert cost <= most + 1e-9 and cost == pytest.approx(found[most].cost)
        assert expected_auc(p, fair) == pytest.approx(expected_auc(p, p) - cost, abs=0.003)
    narrow, wide = found[0.006].kept, found[0.012].kept
    assert found[0.5].kept is None and wide[0] < narrow[0] < narrow[1] < wide[1]


def test_expected_auc_is_the_auc_of_drawn_outcomes(chances):
    from sklearn.metrics import roc_auc_score

    p, _, x = chances
    drawn = np.random.default_rng(0).random(len(p)) < p
    assert expected_auc(p, -x**2) == pytest.approx(roc_auc_score(drawn, -x**2), abs=0.01)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(-1, 2)), min_size=2, max_size=60).filter(
    lambda rows: {g for _, g in rows} >= {0, 1, 2}), st.sampled_from([EVERY, None, (0.1, 0.4)]), st.booleans())
def test_any_chances_become_chances(rows, at, weighted):
    p, group = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    wild = Chances(p, group, p if weighted else np.ones(len(p)))
    fair = Parity.learn(wild, at, 0.02).of(wild)
    assert ((fair >= 0) & (fair <= 1)).all() and np.array_equal(fair[group < 0], p[group < 0])


def test_as_few_rows_as_possible_change():
    rng = np.random.default_rng(0)
    before, after = (rng.dirichlet([1, 2, 3], 20_000) for _ in range(2))
    had = (np.cumsum(before, axis=1) < rng.random((20_000, 1))).sum(axis=1)
    now = moved(had, before, after, rng)
    assert (now != had).mean() == pytest.approx(0.5 * np.abs(before - after).sum(axis=1).mean(), abs=0.01)
    for c in range(3):
        assert (now == c).mean() == pytest.approx(after[:, c].mean(), abs=0.01)


# -- rows -----------------------------------------------------------------------------------------------------------
def test_only_the_outcome_is_drawn_anew(model):
    plain, (fair, notes) = model.sample(4000, seed=1), sample(model, 4000, WISH)
    assert fair.drop("hired").equals(plain.drop("hired")) and fair.schema == plain.schema
    changed = (fair["hired"] != plain["hired"]).mean()
    assert 0.01 < changed < 0.2 and f"{changed:.1%} of the outcomes changed" in notes
    assert "'sex' = 'f'" in notes and "points of AUC" in notes


def test_at_every_decision_groups_have_the_outcome_equally_often(model):
    plain, (fair, notes) = model.sample(20_000, seed=1), sample(model, 20_000, {**WISH, "at": "every"})
    assert apart(plain) > 0.25 and apart(fair) < 0.02 and "of every decision" in notes
    assert (fair["hired"] == "yes").mean() == pytest.approx((plain["hired"] == "yes").mean(), abs=0.01)
    men = fair.filter(pl.col("sex") == "m")  # skill counts as before
    assert men.filter(pl.col("skill") > 1)["hired"].eq("yes").mean() > 2 * men.filter(
        pl.col("skill") < -1)["hired"].eq("yes").mean()


def test_between_a_range_of_decisions(model):
    fair, notes = sample(model, 4000, {**WISH, "at": [0.1, 0.4]})
    assert "decisions that say yes to 6% to 55% of the rows" in notes and 0.02 < apart(fair) < 0.3


def test_rows_that_differ_in_the_sensitive_value_alone_are_treated_alike(model):
    fair, _ = sample(model, 20_000, {**WISH, "aware": False, "at": "every"})
    assert apart(fair) < 0.03
    likeness = fair.with_columns(pl.col("skill").round(0), pl.col("club")).group_by("skill", "club", "sex").agg(
        pl.col("hired").eq("yes").mean().alias("share"), pl.len()).filter(pl.col("len") > 300)
    twins = likeness.pivot(on="sex", index=["skill", "club"], values="share").drop_nulls()
    assert twins.height >= 3 and (twins["m"] - twins["f"]).abs().max() < 0.1


def test_equal_opportunity_of_models(model):
    from sklearn.linear_model import LogisticRegression

    def seen(frame):
        return frame.select(pl.col("sex") == "m", "skill", pl.col("club") == "golf").cast(float).to_numpy()

    test, gaps = people(20_000, seed=9), []
    has, man = (test["hired"] == "yes").to_numpy(), (test["sex"] == "m").to_numpy()
    wish = {**WISH, "criterion": "equal_opportunity", "at": "every"}
    for frame in (model.sample(20_000, seed=1), sample(model, 20_000, wish)[0]):
        yes = LogisticRegression().fit(seen(frame), frame["hired"] == "yes").predict(seen(test))
        gaps.append(yes[has & man].mean() - yes[has & ~man].mean())
    assert gaps[0] > 0.2 and abs(gaps[1]) < 0.06


def test_the_same_seed_gives_the_same_rows_whatever_the_threads(model):
    wish = {**WISH, "proxies": {"remove": ["club"]}}
    (one, _), (two, _) = (sample(model, 20_500, wish, jobs=jobs) for jobs in (1, 2))
    assert one.equals(two) and not one[:50].equals(sample(model, 50, wish, seed=2)[0])


def test_intersections_and_bands(model):
    wish = {**WISH, "sensitive": ["sex", "age"], "bands": {"age": [40]}, "at": "every"}
    fair, notes = sample(model, 12_000, wish)
    groups = fair.drop_nulls("age").with_columns((pl.col("age") < 40).alias("young"))
    assert apart(groups, by=["sex", "young"]) < 0.06 and "'age' under 40" in notes


def test_a_missing_sensitive_value_is_a_group_and_a_missing_outcome_stays():
    rng, frame = np.random.default_rng(0), people(4000)
    frame = frame.drop("net pay", "age", "club").with_columns(
        pl.when(pl.Series(rng.random(4000) < 0.1)).then(None).otherwise(pl.col(c)).alias(c) for c in ("sex", "hired"))
    model = vs.fit(frame, seed=0, audit=False)
    plain, (fair, notes) = model.sample(8000, seed=1), sample(model, 8000, {**WISH, "at": "every"})
    assert fair["hired"].is_null().equals(plain["hired"].is_null()) and fair["hired"].null_count() > 500
    assert "'sex' missing" in notes and apart(fair.drop_nulls("hired")) < 0.05


def test_several_classes_and_a_threshold_of_a_number():
    rng, frame = np.random.default_rng(0), people(5000).drop("age")
    grade = np.clip(np.round(frame["skill"].to_numpy() + (frame["sex"] == "m").to_numpy() + rng.normal(0, 1, 5000)), 0, 2)
    frame = frame.with_columns(pl.Series("grade", np.array(["low", "middle", "höchst"])[grade.astype(int)]))
    model = vs.fit(frame, seed=0, audit=False)
    plain = model.sample(8000, seed=1)
    fair, _ = sample(model, 8000, {"sensitive": "sex", "outcome": "grade", "at": "every"})
    for level in ("low", "höchst"):
        assert apart(fair, of="grade", value=level) < 0.06
        assert apart(plain, of="grade", value=level) > 0.15
    fair, notes = sample(model, 2000, {"sensitive": "sex", "outcome": "net pay", "favourable": ">= 1500", "at": "every"})
    rich = [f.with_columns((pl.col("net pay") >= 1500).alias("rich")) for f in (plain, fair)]
    assert apart(rich[1], of="rich", value=True) < 0.08 and apart(rich[0], of="rich", value=True) > 0.2
    assert "'net pay' is '>= 1500'" in notes and fair.drop("net pay").equals(model.sample(2000, seed=1).drop("net pay"))


# -- constraints ----------------------------------------------------------------------------------------------------
def test_what_must_hold_still_holds_and_what_follows_from_the_outcome_follows():
    frame = people(5000).drop("age", "net pay").with_columns(
        pl.when(pl.col("skill") < -1).then(pl.lit("no")).otherwise(pl.col("hired")).alias("hired"))
    level = (pl.col("skill") < -1).replace_strict({True: "novice", False: "able"}, return_dtype=pl.String)
    frame = frame.with_columns(level.alias("level"), pl.col("hired").replace_strict(
        {"yes": "H1", "no": "N0"}).alias("code"))
    model = vs.fit(frame, seed=0, audit=False)
    kinds = {c.kind for c in model.schema.table.constraints}
    assert {"dependency", "combinations"} <= kinds
    plain, (fair, _) = model.sample(6000, seed=1), sample(model, 6000, {**WISH, "at": "every"})
    assert (fair["hired"] != plain["hired"]).sum() > 200
    assert fair.select((pl.col("code") == "H1") == (pl.col("hired") == "yes"))["code"].all()
    assert not fair.filter((pl.col("level") == "novice") & (pl.col("hired") == "yes")).height
    follows, _ = sample(model, 3000, {"sensitive": "sex", "outcome": "code", "at": "every"})
    assert follows.select((pl.col("code") == "H1") == (pl.col("hired") == "yes"))["code"].all()


# -- proxies and shares of groups -----------------------------------------------------------------------------------
def test_proxies_are_left_out_or_redrawn(model):
    plain = model.sample(8000, seed=1)
    assert apart(plain, of="club", value="golf") > 0.6
    left, notes = sample(model, 8000, {**WISH, "proxies": "remove"})
    assert left.columns == ["sex", "skill", "age", "hired"] and "Left out as proxies of 'sex': 'club'" in notes
    moved, notes = sample(model, 8000, {**WISH, "proxies": {"repair": ["club", "skill"]}})
    assert apart(moved, of="club", value="golf") < 0.04 and "'skill', 'club'" in notes
    ranks = [moved.filter(pl.col("sex") == sex)["skill"].quantile(q) for q in (0.1, 0.5, 0.9) for sex in "mf"]
    assert np.abs(np.diff(ranks)[::2]).max() < 0.12 and moved.columns == plain.columns
    within = moved.filter(pl.col("sex") == "f")["skill"].rank().to_numpy()
    before = plain.filter(pl.col("sex") == "f")["skill"].rank().to_numpy()
    assert np.corrcoef(within, before)[0, 1] > 0.98  # ranks within a group stay


def test_groups_can_have_other_shares(model):
    fair, _ = sample(model, 4000, {**WISH, "groups": "balanced", "at": "every"})
    assert fair["sex"].value_counts()["count"].to_list() == [2000, 2000] and apart(fair) < 0.05
    fair, _ = sample(model, 4000, {**WISH, "groups": {"f": 0.7}})
    assert (fair["sex"] == "f").mean() == pytest.approx(0.7)


def test_with_a_condition_the_rows_that_meet_it_are_fair(model):
    fair, _ = sample(model, 6000, {**WISH, "at": "every"}, given="skill > 0.5")
    assert fair["skill"].min() > 0.5 and apart(fair) < 0.04


def test_real_rows_can_tell_how_chances_spread(model, tmp_path):
    file = tmp_path / "people.csv"
    people(seed=5).drop("net pay").write_csv(file)
    fair, _ = sample(model, 5000, {**WISH, "at": "every", "population": str(file)})
    assert apart(fair) < 0.06
    with pytest.raises(UserError, match="The population has no column 'skill'"):
        sample(model, 10, {**WISH, "population": people().drop("skill")})


# -- doors ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", [pd.DataFrame, pa.Table])
def test_the_same_kind_comes_back(kind):
    frame = people(800).drop("age", "net pay").rename({"sex": "the `sex`", "hired": "hired?"}).with_columns(
        pl.lit("c").alias("constant"), pl.Series("id", range(800)), pl.Series("mail", [f"a{i}@b.no" for i in range(800)]))
    native = frame.to_pandas() if kind is pd.DataFrame else frame.to_arrow()
    fair, _ = sample(vs.fit(native, seed=0, audit=False), 500, {"sensitive": "the `sex`", "outcome": "hired?"})
    assert isinstance(fair, kind) and (list(fair.columns) if kind is pd.DataFrame else fair.column_names) == frame.columns


def test_on_the_command_line(model, tmp_path):
    folder, out = tmp_path / "model", tmp_path / "fair.csv"
    model.save(folder)
    wish = "{sensitive: sex, outcome: hired, at: every, proxies: remove}"
    run = CliRunner().invoke(app, ["sample", str(folder), "--rows", "3000", "--out", str(out), "--fair", wish, "--json"])
    assert run.exit_code == 0, run.output
    assert "Made fair for models that see 'sex'" in json.loads(run.stdout)["notes"][0]
    assert apart(pl.read_csv(out)) < 0.05 and "club" not in pl.read_csv(out).columns
    steer = tmp_path / "wishes.yaml"
    steer.write_text("fair:\n  sensitive: sex\n  outcome: hird\n")
    run = CliRunner().invoke(app, ["sample", str(folder), "--out", str(out), "--steer", str(steer), "--force"])
    assert run.exit_code == 2 and "Did you mean 'hired'?" in run.stderr and "Traceback" not in run.output


@pytest.mark.parametrize(("wish", "said"), [
    ("sex", "a mapping is expected"),
    ({"sensitive": "sex"}, "does not say what is outcome"),
    ({**WISH, "sensitive": "sx"}, "Did you mean 'sex'"),
    ({**WISH, "outcome": "hird"}, "Did you mean 'hired'"),
    ({**WISH, "outcome": "sex"}, "as the outcome and as sensitive"),
    ({**WISH, "criterium": "x"}, "Did you mean 'criterion'"),
    ({**WISH, "criterion": "equal opportunity"}, "Did you mean 'equal_opportunity'"),
    ({**WISH, "favourable": "maybe"}, "no value of 'hired'"),
    ({**WISH, "favourable": ["yes", "no"]}, "every value of 'hired'"),
    ({**WISH, "outcome": "skill"}, "say which of its values are favourable"),
    ({**WISH, "at": "usually"}, "'every'"),
    ({**WISH, "at": [0.5, 0.1]}, "shares of rows"),
    ({**WISH, "at": "every", "cost": 0.1}, "Leave one out"),
    ({**WISH, "cost": 2}, "0 to 0.5"),
    ({**WISH, "aware": "no"}, "true"),
    ({**WISH, "bands": {"age": [30]}}, "not sensitive"),
    ({**WISH, "sensitive": "age", "bands": {"age": [50, 30]}}, "rising numbers"),
    ({**WISH, "proxies": "drop"}, "'remove', 'repair'"),
    ({**WISH, "proxies": {"remove": ["clubb"]}}, "Did you mean 'club'"),
    ({**WISH, "proxies": {"remove": ["sex"]}}, "it is sensitive"),
    ({**WISH, "groups": 3}, "'balanced'"),
    ({**WISH, "sensitive": ["sex", "club"], "groups": "balanced"}, "one sensitive column only"),
])
def test_a_wish_that_cannot_be_read_is_a_sentence(model, wish, said):
    with pytest.raises(UserError, match=said):
        model.sample(10, fair=wish)


def test_what_cannot_be_fair_is_a_sentence(model):
    for more, said in (({"given": "sex == 'f'"}, "takes two groups"), ({"given": "hired == 'yes'"}, "draws 'hired' anew"),
                       ({"balance": "hired"}, "draws 'hired' anew"), ({"given": people(3).select("sex")}, "cannot be combined")):
        with pytest.raises(UserError, match=said):
            sample(model, 50, WISH, **more)
    with pytest.raises(UserError, match="No column is left"):
        sample(model, 50, {**WISH, "proxies": {"remove": ["skill", "club", "age"]}})
    one = vs.fit(people(400).drop("age", "net pay").with_columns(pl.lit("yes").alias("hired")), audit=False)
    with pytest.raises(UserError, match="one value only"):
        one.sample(5, fair=WISH)
    single = vs.fit(people(1), audit=False)
    with pytest.raises(UserError):
        single.sample(5, fair=WISH)


def test_too_dear_a_parity_raises_an_alarm(model):
    with pytest.warns(UserWarning, match="more than the 0.0 allowed"):
        model.sample(500, seed=1, fair={**WISH, "cost": 0.0})


# -- the measure ----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def finding(model):
    train, wish = people().drop("net pay"), {**WISH, "at": "every"}
    plain, (fair, _) = model.sample(ROWS, seed=1), sample(model, ROWS, wish)
    tables = Tables(fair, plain, train, people(5000, seed=9).drop("net pay"))
    return fairness_finding(tables, model.schema.table, wish, coder=model.coder, seed=0)


def test_the_gap_of_models_is_measured_before_and_after(finding):
    assert finding.value > 0.8 and finding.interval[0] > 0.5 and finding.verdict in ("good", "fair")
    assert Assessment.from_json(Assessment((finding,), {}).to_json()).findings[0] == finding
    models = {(m["models"], m["trained_on"]): m for m in finding.details["models"]}
    real, plain, fair = (models["boosted models that see 'sex'", on] for on in (
        "real rows", "plain synthetic rows", "fair synthetic rows"))
    assert real["gap_at_equal_share"] == pytest.approx(plain["gap_at_equal_share"], abs=0.08)
    assert fair["gap_at_equal_share"] < 0.1 and plain["gap_at_equal_share"] > 0.25 and fair["AUC"] < plain["AUC"]
    assert {line["name"] for line in finding.details["lines"][0]["series"]} == {f"trained on {on}" for on in (
        "real rows", "plain synthetic rows", "fair synthetic rows")}
    assert len(finding.details["cuts"]) == 4 and 0 < finding.details["gap_that_chance_alone_gives"] < 0.05


def test_plain_rows_called_fair_cut_nothing(model):
    train, plain, again = people().drop("net pay"), model.sample(ROWS, seed=1), model.sample(ROWS, seed=2)
    tables = Tables(again, plain, train, people(4000, seed=9).drop("net pay"))
    found = fairness_finding(tables, model.schema.table, WISH, coder=model.coder, rows=1500)
    assert found.verdict == "poor" and found.interval[0] <= 0


def test_without_a_gap_nothing_is_answered():
    rng = np.random.default_rng(0)
    even = people(3000).drop("net pay").with_columns(pl.Series("sex", rng.choice(["f", "m"], 3000)))
    model = vs.fit(even[:1500], seed=0, audit=False)
    rows = model.sample(1500, seed=1)
    found = fairness_finding(Tables(rows, rows, even[:1500], even[1500:]), model.schema.table, WISH, rows=500)
    assert found.verdict == "not answered" and "no gap to cut" in found.reason and found.value is None
    few = fairness_finding(Tables(rows, rows, even[:1500], even[1500:1520]), model.schema.table, WISH)
    assert few.verdict == "not answered" and "unseen real ones" in few.reason


def test_on_real_data_the_gap_is_cut(real):
    frame = pl.read_parquet(real("adult"))
    frame = frame[np.random.default_rng(0).permutation(frame.height)[:12_000]]
    train, unseen = frame[:7000], frame[7000:]
    model = vs.fit(train, seed=0, audit=False)
    wish = {"sensitive": "sex", "outcome": "income", "population": train}
    plain, (fair, _) = model.sample(7000, seed=1), sample(model, 7000, wish)
    found = fairness_finding(Tables(fair, plain, train, unseen), model.schema.table, wish, coder=model.coder)
    assert found.interval[0] > 0.3 and found.details["cuts"][0]["AUC_cost"] < 0.04
