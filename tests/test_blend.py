"""Blending: alignment, gaps, weights and proportions against populations whose answers are known."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

import verisyn as vs
from verisyn.blending import gains, taking
from verisyn.blending.aligning import align
from verisyn.blending.distances import distances, largest_gap
from verisyn.blending.judges import ratio_of, stabilised, tempered, told_apart, weighted_auc
from verisyn.blending.likelihood import whole
from verisyn.blending.plan import nested, validated
from verisyn.cli import app
from verisyn.errors import UserError
from verisyn.kinds import Feature
from verisyn.metrics._stats import effective
from verisyn.progress import Progress
from verisyn.provenance import COLUMNS, Source, of_rows, with_columns, without_columns

FAST = {"effort": "quick", "seed": 0, "jobs": 1}


def clinic(n, seed, *, older=0.0, noise=1.0, flip=0.0):
    """People whose illness rests on age and job; `older` moves the ages, `flip` swaps labels."""
    rng = np.random.default_rng(seed)
    age = rng.normal(45 + 10 * older, 12, n).round().clip(18, 90).astype(int)
    job = rng.choice(["cook", "clerk", "pilot"], n, p=[0.5, 0.3, 0.2])
    ill = 0.12 * (age - 45) + 1.5 * (job == "pilot") + rng.normal(0, noise, n) > 0.5
    pay = (1000 + 20 * age + rng.normal(0, 100, n)).round(1)
    pay = pl.Series(np.where(rng.random(n) < 0.1, np.nan, pay)).fill_nan(None)
    return pl.DataFrame({"age": age, "job title": job, "pay": pay, "ill": np.where(ill ^ (rng.random(n) < flip), "yes", "no")})


def blend(real, *args, **options):
    return vs.blend(real, *args, **{**FAST, "progress": Progress(), **options})


COLUMNS_ = list("abcdefgh")


def crossed(n, seed):
    """A target that rests on two columns together, which few rows cannot show."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (n, 8)).round(2)
    yes = (x[:, 0] > 0) ^ (x[:, 1] > 0) ^ (rng.random(n) < 0.02)
    return pl.DataFrame({**dict(zip(COLUMNS_, x.T, strict=True)), "y": np.where(yes, "yes", "no")})


LICENCE = {"licences": {"register": "CC-BY-4.0"}}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    import sklearn.ensemble  # noqa: F401
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def helped():
    """Few real rows; many rows from elsewhere that follow the same law."""
    return blend(crossed(100, 1), open={"register": crossed(2000, 2)}, target="y", proportions=(0, 0.5, 2), **LICENCE)


# -- the proportion ---------------------------------------------------------------------------------------------------
def test_rows_that_help_are_added_with_their_provenance(helped):
    assert helped.proportion == 2 and helped.assessment["proportion"].verdict == "good"
    assert helped.assessment["proportion"].interval[0] > 0
    told = of_rows(helped.data)
    assert [(s.name, s.kind, s.licence) for s in told.sources] == [("real", "real", ""), ("register", "open", "CC-BY-4.0")]
    assert told == helped.provenance
    added = (helped.data["verisyn_kind"] == "open").to_numpy()
    assert (helped.weights[~added] == 1).all() and helped.weights[added].sum() == pytest.approx(200)
    assert helped.shares["register"] == pytest.approx(2) and helped.data.height == 300
    assert without_columns(helped.data[:100]).equals(crossed(100, 1))


def test_the_gain_is_real_for_another_model_on_rows_nobody_saw(helped):
    from sklearn.ensemble import RandomForestClassifier

    test = crossed(3000, 9)

    def auc(frame, weights):
        model = RandomForestClassifier(100, random_state=0).fit(frame.select(COLUMNS_), frame["y"], weights)
        return roc_auc_score(test["y"] == "yes", model.predict_proba(test.select(COLUMNS_))[:, 1])

    assert auc(helped.data, helped.weights) > auc(crossed(100, 1), None) + 0.05


def test_rows_that_mislead_are_not_added():
    found = blend(clinic(200, 0), open={"flipped": clinic(500, 1, flip=0.9)}, target="ill", proportions=(0.5, 2))
    assert found.proportion == 0 and found.data.height == 200 and found.provenance.generation == 0
    assert "Use no synthetic or open rows" in found.assessment["proportion"].reason
    assert found.assessment["proportion"].verdict in ("fair", "poor")
    assert len(found.weights) == 200 and (found.weights == 1).all()


def test_a_generator_is_fitted_anew_in_each_fold_and_its_rows_seldom_help():
    real, progress = clinic(120, 0), Progress()
    found = blend(real, generator="trees", target="ill", proportions=(0, 1), progress=progress)
    assert any("fitted 10 times" in note for note in progress.notes)
    assert not any("inflated" in note for note in progress.notes)
    assert found.proportion == 0


class Copier:
    """A generator that hands out noisy copies of its rows."""

    def __init__(self, rows):
        self.rows = rows

    def sample_frame(self, rows, *, seed, **_):
        rng = np.random.default_rng(seed)
        some = self.rows[rng.integers(0, self.rows.height, rows)]
        return some.with_columns(pl.col("age") + pl.Series(rng.integers(-1, 2, rows)))


def test_a_generator_that_copies_gains_nothing_where_it_never_saw_the_test(monkeypatch):
    from verisyn.memory import Recipe

    seen = []
    monkeypatch.setattr(Recipe, "learn", lambda self, rows, **_: seen.append(rows.height) or Copier(rows))
    found = blend(clinic(150, 0), generator="trees", target="ill", proportions=(0, 2))
    told = found.assessment["proportion"]
    assert found.proportion == 0 and told.details["lines"][0]["series"][0]["points"][1]["y"] < told.details["score_of_real_rows_alone"] + 0.02
    assert seen[0] == 150 and max(seen[1:]) <= 113 and min(seen) >= 74  # all rows for the blend, then without one or two folds


def test_rows_made_from_the_rows_that_test_them_prove_nothing():
    """Noisy copies of the real rows: what they seem to gain is what they leak."""
    real, rng = clinic(150, 0), np.random.default_rng(0)
    copies = pl.concat([real, real]).with_columns(pl.col("age") + pl.Series(rng.integers(-1, 2, 300)),
                                                  pl.col("pay") + pl.Series(rng.normal(0, 1, 300).round(1)))
    with pytest.warns(UserWarning, match=r"may be inflated and was not acted on.*'synthetic'.*validation="):
        found = blend(real, copies, target="ill", proportions=(0, 2), progress=None)
    told = found.assessment["proportion"]
    assert found.proportion == 0 and told.verdict == "fair" and "inflated" in told.reason
    assert told.details["lines"][0]["series"][0]["points"][1]["low"] > told.details["score_of_real_rows_alone"]
    with pytest.warns(UserWarning) as said:
        found = blend(real, copies, target="ill", proportions=2.0, progress=None)
    assert found.proportion == 2 and found.assessment["proportion"].verdict == "fair"
    assert found.provenance.synthetic_share == pytest.approx(2 / 3) and found.assessment["mixture"].verdict == "poor"
    assert [str(s.message).split(":")[0][:30] for s in said] == ["Its gain may be inflated", "67% of the blend is synthetic."]


def test_what_made_a_source_is_known_from_its_provenance():
    real = clinic(120, 0)
    fake = with_columns(vs.fit(real, seed=0, audit=False).sample(200, seed=1), Source("twin", "synthetic", 200, "table.trees", 1))
    found = blend(real, {"twin": fake}, target="ill", proportions=(0, 1))
    assert "inflated" not in found.assessment["proportion"].reason
    assert any("names the generator 'table.trees'" in note for note in found.assessment.about["notes"])


def test_copies_of_real_rows_are_left_out_for_they_would_test_themselves():
    real = clinic(150, 0)
    found = blend(real, open={"copy": pl.concat([real[:100], clinic(100, 5)])}, target="ill", proportions=0.5)
    assert any("of 200 rows" in note and "left out" in note for note in found.assessment.about["notes"])
    with pytest.raises(UserError, match="adds nothing"):
        blend(real, open=real, target="ill")


def test_validation_rows_judge_alone():
    real, fake = clinic(120, 0), clinic(400, 3)
    found = blend(real, fake, target="ill", validation=clinic(200, 7), proportions=(0, 1))
    reason = found.assessment["proportion"].reason
    assert "inflated" not in reason and found.assessment["proportion"].details["real_rows_used"] == 120
    assert found.data.height in (120, 240)
    with pytest.raises(UserError, match="no validation data"):
        blend(real, fake, target="ill", validation=real)
    with pytest.raises(UserError, match="at least 50"):
        blend(real, fake, target="ill", validation=clinic(30, 7))


def test_a_number_is_predicted_too_and_a_single_proportion_is_taken():
    real = clinic(150, 0)
    found = blend(real, open={"other": clinic(500, 1)}, target="pay", proportions=0.5, licences={"other": "CC0"})
    told = found.assessment["proportion"]
    assert found.proportion == 0.5 and found.data.height == 225 and told.details["score"] == "R²"
    assert "was given" in told.reason and len(told.details["lines"][0]["series"][0]["points"]) == 2


def test_without_a_target_unseen_rows_are_to_be_likely():
    found = blend(clinic(100, 0), open={"same": clinic(600, 1), "other": clinic(600, 2, older=3)}, proportions=(0, 3))
    told = found.assessment["proportion"]
    assert told.details["score"] == "log-likelihood" and told.interval[0] > 0
    assert found.shares["same"] > 0 and any("No target was named" in n for n in found.assessment.about["notes"])
    assert found.provenance.sources[0].rows == 100


def test_the_same_seed_gives_the_same_blend(helped):
    again = blend(crossed(100, 1), open={"register": crossed(2000, 2)}, target="y", proportions=(0, 0.5, 2), **LICENCE)
    assert again.data.equals(helped.data) and (again.weights == helped.weights).all()
    assert again.assessment == helped.assessment


# -- intervals and folds ----------------------------------------------------------------------------------------------
def test_corrected_interval_is_that_of_nadeau_and_bengio():
    d, ratio = np.array([0.01, 0.03, -0.01, 0.02, 0.04]), 0.25
    found = gains.corrected(d, ratio)
    half = stats.t.ppf(0.975, 4) * np.sqrt((1 / 5 + ratio) * d.var(ddof=1))
    assert found.interval == pytest.approx((d.mean() - half, d.mean() + half))


@given(st.integers(20, 80), st.integers(3, 6), st.integers(1, 3), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_no_row_is_learnt_from_where_it_is_tested(rows, folds, repeats, seed):
    rng = np.random.default_rng(seed)
    plan = nested(rng.integers(0, 2, rows), folds, repeats, rng)
    for outer in plan.outer:
        learnt = set(plan.learn[outer.key])
        assert not learnt & set(plan.tests[outer.test]) and len(outer.inner) == folds - 1
        for key, test in outer.inner:
            inner = set(plan.learn[key])
            assert not inner & set(plan.tests[test]) and not inner & set(plan.tests[outer.test])
            assert not set(plan.tests[test]) & set(plan.tests[outer.test])
    assert sorted(np.concatenate([plan.tests[o.test] for o in plan.outer])) == sorted([*range(rows)] * repeats)


def test_validation_rows_are_never_learnt_from():
    plan = validated(np.repeat([0, 1], 30), 100, 10, np.random.default_rng(0))
    assert all(rows.min() >= 100 for rows in plan.tests.values()) and plan.learn[0,].max() == 99
    assert not any(set(plan.tests[o.test]) & set(plan.tests[o.inner[0][1]]) for o in plan.outer)


# -- weights ----------------------------------------------------------------------------------------------------------
@given(st.lists(st.floats(0, 5), min_size=3, max_size=40).filter(lambda w: sum(w) > 0.1), st.floats(0.5, 60),
       st.integers(0, 50))
@settings(max_examples=80, deadline=None)
def test_drawn_rows_have_the_mass_that_was_asked(weights, mass, seed):
    rows, w = taking.drawn(np.array(weights), mass, np.random.default_rng(seed))
    assert w.sum() == pytest.approx(mass) and len(set(rows)) == len(rows) <= max(1, round(mass)) + 1
    assert (w >= 0).all()


def test_drawn_rows_stand_for_all_weighted_rows_without_bias():
    rng = np.random.default_rng(0)
    weights, value = rng.gamma(0.5, 1, 300), rng.normal(0, 1, 300)
    value += weights
    means = []
    for seed in range(400):
        rows, w = taking.drawn(weights, 60, np.random.default_rng(seed))
        means.append((w * value[rows]).sum() / 60)
    truth = (weights * value).sum() / weights.sum()
    assert np.mean(means) == pytest.approx(truth, abs=4 * np.std(means) / 20)


def test_weighted_auc_against_an_oracle():
    rng = np.random.default_rng(0)
    a, b, w = rng.normal(0.5, 1, 200).round(1), rng.normal(0, 1, 300).round(1), rng.random(300)
    truth = np.r_[np.ones(200), np.zeros(300)]
    want = roc_auc_score(truth, np.r_[a, b], sample_weight=np.r_[np.ones(200), w])
    assert weighted_auc(a, b, w).value == pytest.approx(want)


def test_weights_close_a_shift_that_a_classifier_sees():
    rng = np.random.default_rng(0)
    real, other = rng.normal(0.7, 1, (1500, 2)), rng.normal(0, 1, (1500, 2))
    ratio = ratio_of(real, other, [False, False], rng)
    fresh = rng.normal(0, 1, (4000, 2))
    true, found = stabilised(0.7 * fresh.sum(axis=1)), ratio.weights(fresh)
    assert stats.spearmanr(true, found).statistic > 0.8
    assert (found @ fresh / found.sum()) == pytest.approx([0.7, 0.7], abs=0.2)
    judged = [told_apart(rng.normal(0.7, 1, (1500, 2)), fresh[:1500], [False, False], np.random.default_rng(1), w).value
              for w in (None, found[:1500])]
    assert judged[0] > 0.72 and judged[1] < 0.58


def test_weights_of_the_same_population_are_even():
    rng = np.random.default_rng(0)
    ratio = ratio_of(rng.normal(0, 1, (600, 3)), rng.normal(0, 1, (900, 3)), [False] * 3, rng)
    assert ratio.power == 1 and effective(ratio.own) > 850


def test_weights_that_would_rest_on_few_rows_are_tempered():
    logs = np.r_[np.zeros(900), np.full(30, 9.0)]
    power = tempered(logs)
    assert 0 < power < 1 and effective(stabilised(power * logs)) >= len(logs) / 3 - 1


@given(st.lists(st.floats(0, 4), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_whole_copies_keep_the_sum(weights):
    found = whole(np.array(weights))
    assert abs(found.sum() - sum(weights)) <= 0.5 + 1e-6 and (np.abs(found - weights) < 1 + 1e-6).all()


# -- the gap ----------------------------------------------------------------------------------------------------------
def test_distances_against_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, 300), rng.normal(0.4, 1, 500)
    assert largest_gap(a, b) == pytest.approx(stats.ks_2samp(a, b).statistic)
    weights = rng.random(500)
    grid = np.r_[a, b]
    want = max(abs((a <= g).mean() - weights[b <= g].sum() / weights.sum()) for g in grid)
    assert largest_gap(a, b, weights) == pytest.approx(want)
    x, y = rng.integers(0, 3, 300).astype(float), rng.integers(0, 3, 500).astype(float)
    y[:100] = np.nan
    found = {(d.name, d.what): d for d in distances(
        [Feature("n", a), Feature("l", x, 3, ("p", "q", "r"))], [Feature("n", b), Feature("l", y, 3, ("p", "q", "r"))], rng)}
    assert found["n", "values"].p < 0.001 and found["l", "levels"].p > 0.05
    assert found["l", "missing"].value == pytest.approx(0.2) and found["l", "missing"].interval[0] > 0.1
    low, high = found["n", "values"].interval
    assert low < stats.norm.cdf(0.2) - stats.norm.cdf(-0.2) < high


def test_equal_samples_seldom_differ():
    rng = np.random.default_rng(1)
    wrong = 0
    for _ in range(40):
        sides = [[Feature("n", rng.normal(0, 1, 200)), Feature("l", rng.integers(0, 12, 200).astype(float), 12)]
                 for _ in range(2)]
        found = distances(*sides, rng)
        wrong += any(d.p < 0.05 for d in found)
        assert all(d.interval[0] <= 0.02 for d in found if d.p > 0.2)
    assert wrong <= 6


def test_the_gap_names_the_columns_and_weights_close_it():
    found = blend(clinic(300, 0), open={"old": clinic(600, 1, older=1.0)}, target="ill", proportions=0.5)
    gap, weights = found.assessment["gap"], found.assessment["weights"]
    assert gap.value > 0.6 and "'age'" in gap.reason and gap.details["items"][0]["name"] in ("age", "pay")
    assert weights.value < gap.value - 0.05
    age = next(i for i in weights.details["items"] if i["name"] == "age")
    assert age["value"] < 0.7 * age["reference"]
    assert {c["name"] for c in gap.details["columns"]} >= {"age"} and gap.details["sides"]["fake"] == "old"


# -- alignment --------------------------------------------------------------------------------------------------------
def other(rows=300):
    frame = clinic(rows, 4).rename({"age": "AGE", "job title": "Job_Title"}).drop("pay")
    return frame.with_columns(pl.lit("Rome").alias("city"), pl.col("AGE").cast(pl.String),
                              pl.col("Job_Title").replace("cook", "chef"))


def test_sources_are_aligned_and_all_is_said():
    found = blend(clinic(100, 0), open={"elsewhere": other()}, target="ill", proportions=0.5)
    notes = " ".join(found.assessment.about["notes"])
    for said in ("'AGE' was taken for 'age' and 'Job_Title' for 'job title'", "left out: 'city'", "has no 'pay'",
                 "1 level of 'job title' that the real data does not have", "'chef'", "licence of the open data 'elsewhere'"):
        assert said in notes
    assert found.data.columns == [*clinic(1, 0).columns, *COLUMNS]
    added = found.data.filter(pl.col("verisyn_source") == "elsewhere")
    assert added["pay"].null_count() == added.height == 50 and added.schema["age"] == pl.Int64
    assert found.assessment["mixture"].verdict == "fair"


REAL = clinic(100, 0)


@pytest.mark.parametrize(("bad", "says"), [
    (pl.DataFrame({"town": ["a"], "rain": [1]}), "shares no column"),
    (clinic(50, 1).drop("ill"), "no values for the target 'ill'"),
    (pl.DataFrame({"age": ["old", "young"]}), "values of another type"),
    (clinic(60, 1).rename({"age": "A ge"}).with_columns(pl.lit(1).alias("a_ge")), "could each be"),
    (clinic(60, 1).clear(), "0 rows"),
    (clinic(1, 1), "only 1 rows of the open data 'open'"),
    (clinic(60, 1).with_columns(pl.lit(None, pl.String).alias("ill")), "no values for the target"),
])
def test_sources_that_cannot_be_aligned_get_a_sentence(bad, says):
    with pytest.raises(UserError, match=says):
        blend(REAL, open=bad, target="ill")


def test_fractions_in_whole_numbers_are_rounded_and_said():
    from verisyn.description import describe

    frame = pl.DataFrame({"age": [40.25, 41.0, None], "ill": ["no", "yes", "no"]})
    found = align(frame, REAL, describe(REAL).table, "the open data 'x'")
    assert found.frame["age"].to_list() == [40, 41, None]
    assert any("1 values of 'age'" in n and "rounded" in n for n in found.notes)


@pytest.mark.parametrize(("options", "says"), [
    ({"open": clinic(60, 1), "target": "il"}, "Did you mean 'ill'"),
    ({"target": "ill"}, "nothing to blend"),
    ({"open": clinic(60, 1), "target": "ill", "proportions": (0, -1)}, "The proportion -1"),
    ({"open": clinic(60, 1), "target": "ill", "proportions": (0,)}, "No proportion above 0"),
    ({"open": clinic(60, 1), "target": "ill", "proportions": "0.5"}, "The proportion '0.5'"),
    ({"open": clinic(60, 1), "target": "ill", "licences": {"opne": "CC0"}}, "Did you mean 'open'"),
    ({"open": clinic(60, 1), "target": "ill", "effort": "hard"}, "no effort 'hard'"),
    ({"open": clinic(60, 1), "target": "ill", "generator": "tres"}, "tres"),
    ({"synthetic": [clinic(60, 1), clinic(60, 2)], "target": "ill", "generator": "trees"}, "only one of them"),
])
def test_bad_requests_get_a_sentence(options, says):
    with pytest.raises(UserError, match=says):
        blend(REAL, **options)


def test_real_rows_that_cannot_answer_get_a_sentence():
    with pytest.raises(UserError, match="only 40 real rows"):
        blend(clinic(40, 0), open=clinic(60, 1), target="ill")
    with pytest.raises(UserError, match="one value only"):
        blend(REAL.with_columns(pl.lit("no").alias("ill")), open=clinic(60, 1), target="ill")
    rare = REAL.with_columns(pl.Series("ill", ["yes"] * 4 + ["no"] * 96))
    with pytest.raises(UserError, match=r"no class but the most frequent one.*by 4"):
        blend(rare, open=clinic(60, 1), target="ill")
    made = with_columns(REAL, Source("twin", "synthetic", 100, "trees", 1))
    with pytest.raises(UserError, match="100% of the rows given as real are synthetic"):
        blend(made, open=clinic(60, 1), target="ill")
    gone = REAL.with_columns(pl.when(pl.int_range(100) < 30).then(pl.col("ill")))
    with pytest.raises(UserError, match="Only 30 real rows have a value of the target"):
        blend(gone, open=clinic(60, 1), target="ill")


def test_columns_that_only_few_rows_fill_are_no_trouble():
    def sparse(n, seed):
        values = [None] * n
        values[::40] = ["a"] * len(values[::40])
        return clinic(n, seed).with_columns(pl.Series("rare", values, dtype=pl.String), pl.lit(2.5).alias("constant"))

    found = blend(sparse(60, 0), open=sparse(60, 1), target="ill", proportions=1.0)
    assert found.data.height == 120
    names = clinic(60, 2).with_columns(pl.Series("e-mail", [f"p{i}@example.org" for i in range(60)]))
    with pytest.raises(UserError, match="values are not learnt"):
        blend(names, open=pl.DataFrame({"e-mail": [f"q{i}@example.org" for i in range(60)]}))


def test_odd_tables_are_no_trouble():
    """Ids, dates, booleans, constants, unicode, weird names, a column without any value, missing targets."""
    rng = np.random.default_rng(0)

    def odd(n, start):
        return pl.DataFrame({
            "id": np.arange(start, start + n), "wann ` ø": pl.Series(np.datetime64("2024-01-01") + rng.integers(0, 90, n)),
            "ok?": rng.random(n) < 0.5, "always": ["x"] * n, "never": pl.Series([None] * n, dtype=pl.Float64),
            "Größe 📏": rng.normal(0, 1, n).round(2), "e-mail": [f"p{i}@example.org" for i in range(n)],
            "y": [None if r < 0.1 else "ja" if r < 0.5 else "nein" for r in rng.random(n)]})

    found = blend(odd(120, 0), odd(200, 1000), [odd(200, 2000), odd(150, 3000)], target="y", proportions=1.0)
    assert set(found.shares) == {"synthetic", "open", "open 2"} and sum(found.shares.values()) == pytest.approx(1)
    assert found.data.schema["wann ` ø"] == pl.Date and abs(found.data.height - 240) <= 2 and found.data.width == 8 + 5


# -- kinds of frames, files, the command line -------------------------------------------------------------------------
def test_what_came_in_comes_out():
    real = clinic(80, 0).to_pandas()
    real["job title"] = real["job title"].astype("category")
    real.columns = [0, "job title", 2, "ill"]
    other_ = clinic(100, 1).rename({"age": "0", "pay": "2"})
    found = blend(real, open={"o": other_}, target="ill", proportions=0.5).data
    assert type(found) is type(real) and list(found.columns) == [*real.columns, *COLUMNS] and len(found) == 120
    assert str(found.dtypes["job title"]) == "category" and str(found.dtypes["verisyn_generation"]) == "int64"
    arrow = clinic(80, 0).to_arrow()
    found = blend(arrow, open={"o": clinic(100, 1)}, target="ill", proportions=0.5).data
    assert type(found) is type(arrow) and found.schema.field("age").type == arrow.schema.field("age").type


def test_saved_rows_carry_their_provenance(helped, tmp_path):
    file = helped.save(tmp_path / "out")
    back = vs.read(file)
    assert back.provenance == helped.provenance and back.frame.columns == [*COLUMNS_, "y"]
    assert pl.read_csv(tmp_path / "out" / "weights.csv")["weight"].to_numpy() == pytest.approx(helped.weights)
    assert (tmp_path / "out" / (file.name + ".provenance.json")).is_file()
    told = json.loads((tmp_path / "out" / "assessment.json").read_text())
    assert [f["name"] for f in told["findings"]] == ["blend.gap", "blend.weights", "blend.proportion", "blend.mixture"]
    page = (tmp_path / "out" / "report.html").read_text()
    assert "register" in page and "CC-BY-4.0" in page
    with pytest.raises(UserError, match="exists already"):
        helped.save(tmp_path / "out")
    again = blend(crossed(80, 5), file, target="y", proportions=0.5)  # a blend is a source like any other
    assert again.provenance.sources[1].generation == 1


def run(*args, ok=0):
    result = CliRunner().invoke(app, [str(a) for a in args])
    assert result.exit_code == ok, result.output
    return result.stdout, " ".join(result.output.split())


def test_the_command(tmp_path):
    clinic(100, 0).write_csv(tmp_path / "clinic.csv")
    other().write_parquet(tmp_path / "census.parquet")
    vs.fit(clinic(100, 0), seed=0, audit=False).save(tmp_path / "model")
    common = ("blend", tmp_path / "clinic.csv", "--target", "ill", "--effort", "quick", "--out", tmp_path / "out")
    stdout, _ = run(*common, "--open", tmp_path / "census.parquet", "--licence", "census=CC0", "--proportion", 0.5,
                    "--model", tmp_path / "model", "--json")
    told = json.loads(stdout)
    assert told["proportion"] == 0.5 and set(told["shares"]) == {"synthetic", "census"}
    assert {s["licence"] for s in told["findings"][3]["details"]["sources"]} == {"not known", "CC0"}
    assert vs.read(tmp_path / "out" / "blend.csv").provenance.generation == 1
    _, said = run(*common, "--open", tmp_path / "census.parquet", "--proportion", 0.5, "--proportion", 1, "--force")
    assert "How far is each source" in said and "report.html" in said and (tmp_path / "out" / "weights.csv").is_file()
    assert "NAME=LICENCE" in run(*common, "--open", tmp_path / "census.parquet", "--licence", "CC0", "--force", ok=2)[1]
    assert "nothing to blend" in run(*common, "--force", ok=2)[1]
    assert "exists already" in run(*common, ok=2)[1]
