"""Inference from real and synthetic rows: coverage by simulation, against oracles, and what is said where it fails."""

import json
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit
from typer.testing import CliRunner

import verisyn as vs
from verisyn import backticks
from verisyn.cli import app
from verisyn.errors import UserError
from verisyn.findings import Assessment
from verisyn.inference import _formula
from verisyn.inference._coefficients import coefficients
from verisyn.inference._powered import Guesses, cut_of, mean, quantile, share
from verisyn.provenance import COLUMNS, Source, with_columns

REPLICATES, UNLABELLED = 500, 1500
SURE = 0.999


def covers(hits, replicates=REPLICATES):
    """The binomial interval in which a count of covering 95 % intervals lies in 999 of 1000 simulations."""
    low, high = stats.binom.interval(SURE, replicates, 0.95)
    return low <= hits <= high


def covers_at_least(hits, replicates=REPLICATES):
    return hits >= stats.binom.ppf((1 - SURE) / 2, replicates, 0.95)


PREDICTORS = {"good": lambda x, rng: x, "useless": lambda x, rng: rng.normal(size=len(x)),
              "harmful": lambda x, rng: 40 - 3 * x, "biased": lambda x, rng: np.where(x > 0, 5 + x, x)}


def simulated(estimate, truth, n, replicates=REPLICATES, seed=0):
    """Count the intervals that hold the truth, powered and classical; the mean ratio of their widths."""
    rng, held, alone, ratio = np.random.default_rng(seed), 0, 0, []
    for _ in range(replicates):
        found = estimate(n, rng)
        held += found.interval[0] <= truth <= found.interval[1]
        alone += found.classical_interval[0] <= truth <= found.classical_interval[1]
        ratio.append(np.divide(*(float(np.diff(i)[0]) for i in (found.interval, found.classical_interval))))
    return held, alone, float(np.mean(ratio))


def drawn(n, rng):
    """An outcome with mean 0 and variance 1.25, and what explains four fifths of it."""
    x = rng.normal(size=n + UNLABELLED)
    return x, x + 0.5 * rng.normal(size=n + UNLABELLED)


# -- coverage -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("n", [30, 300])
@pytest.mark.parametrize("predictor", PREDICTORS)
def test_intervals_of_a_mean_cover(predictor, n):
    def once(n, rng):
        x, y = drawn(n, rng)
        f = PREDICTORS[predictor](x, rng)
        return mean("y", y[:n], Guesses(f[:n], f[n:]), 0.05)

    held, alone, ratio = simulated(once, 0.0, n)
    assert covers(held) and covers(alone)
    assert ratio < (0.65 if predictor in ("good", "harmful") else 1.06)


@pytest.mark.parametrize("lacking", [1, 3, 25])
def test_few_rows_without_the_outcome_move_nothing(lacking):
    """The predictions of a few rows that are alike seem to have no spread; what they say is luck all the same."""
    def once(n, rng):
        x, y = drawn(n, rng)
        few = np.full(lacking, x[n])
        return mean("y", y[:n], Guesses(x[:n], few), 0.05)

    held, _, ratio = simulated(once, 0.0, 400, replicates=200)
    assert covers_at_least(held, 200) and 0.9 < ratio < 1.5


@pytest.mark.parametrize("asked", [{"mean": "y"}, {"quantile": ("y", 0.5)}, {"regression": "y ~ x"}])
def test_one_row_that_lacks_the_outcome_changes_nothing(asked):
    x, y = drawn(300, np.random.default_rng(3))
    frame = pl.DataFrame({"x": x[:300], "y": [None, *y[1:300]]})
    found, alone = vs.infer(frame, **asked), vs.infer(frame[1:], **asked)
    assert [f.interval for f in found.figures] == [f.interval for f in alone.figures]
    assert not found.predictor and ("Only 1 real row lacks the outcome" in found.reason or "regression" in asked)


@pytest.mark.parametrize(("n", "level"), [(60, 0.3), (400, 0.06)])
def test_intervals_of_a_share_cover(n, level):
    cut = stats.norm.ppf(1 - level) * 1.25**0.5

    def once(n, rng):
        x, y = drawn(n, rng)
        f = stats.norm.sf((cut - x) / 0.5)
        return share("y", (y[:n] > cut).astype(float), Guesses(f[:n], f[n:]), 0.05)

    held, _, ratio = simulated(once, level, n)
    assert covers(held) and ratio < 0.9


@pytest.mark.parametrize("predictor", ["good", "useless", "harmful"])
@pytest.mark.parametrize(("n", "level"), [(200, 0.5), (300, 0.9)])
def test_intervals_of_a_quantile_cover(predictor, n, level):
    truth = stats.norm.ppf(level) * 1.25**0.5

    def once(n, rng):
        x, y = drawn(n, rng)
        chance = stats.norm.cdf((cut_of(y[:n], level) - x) / 0.5)
        f = {"good": chance, "useless": rng.random(len(x)), "harmful": 1 - 5 * chance}[predictor]
        return quantile("y", y[:n], level, Guesses(f[:n], f[n:]), 0.05)

    held, alone, ratio = simulated(once, truth, n)
    assert covers_at_least(held) and covers_at_least(alone)
    assert ratio < (1.12 if predictor == "useless" else 0.9)


def regressed(n, rng, binary):
    """Rows whose spread grows with a covariate, and the best prediction of their outcome."""
    a, b, u = rng.normal(size=n), (rng.random(n) < 0.3).astype(float), rng.normal(size=n)
    best = 0.5 + 0.8 * a - b + 1.2 * u
    x = np.column_stack([np.ones(n), a, b])
    if binary:
        return x, (rng.random(n) < expit(best)).astype(float), expit(best)
    return x, best + rng.normal(size=n) * (0.3 + 0.5 * np.abs(a)), best


@pytest.mark.parametrize(("binary", "n", "replicates"), [(False, 50, 400), (False, 300, 300), (True, 250, 200)])
@pytest.mark.parametrize("predictor", ["good", "useless", "harmful"])
def test_intervals_of_coefficients_cover(binary, n, replicates, predictor):
    x, _, best = regressed(400_000, np.random.default_rng(1), binary)
    truth = [f.value for f in coefficients("iab", x, best, x[:0], None, binary=binary, alpha=0.05)]
    rng, held, gain = np.random.default_rng(2), np.zeros(3), []
    for _ in range(replicates):
        x, y, f = regressed(n + UNLABELLED, rng, binary)
        f = {"good": f, "useless": rng.random(len(f)), "harmful": 1 - f if binary else 3 - 2 * f}[predictor]
        found = coefficients("iab", x[:n], y[:n], x[n:], Guesses(f[:n], f[n:]), binary=binary, alpha=0.05)
        held += [q.interval[0] <= t <= q.interval[1] for q, t in zip(found, truth, strict=True)]
        gain.append([q.gain for q in found])
    assert all(covers_at_least(h, replicates) for h in held), held / replicates
    assert np.median(gain) > (0.93 if predictor == "useless" else 1.15)


def test_synthetic_rows_of_the_same_rows_are_no_rows():
    """Counting a generator's rows as real: it learnt mean and spread from the 100 rows themselves."""
    rng, held, pooled = np.random.default_rng(0), 0, 0
    for _ in range(REPLICATES):
        y = rng.normal(size=100)
        both = np.concatenate([y, rng.normal(y.mean(), y.std(), 1000)])
        low, high = mean("y", both, None, 0.05).interval
        pooled += low <= 0 <= high
        low, high = mean("y", y, None, 0.05).interval
        held += low <= 0 <= high
    assert covers(held) and pooled / REPLICATES < 0.6


# -- oracles --------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(5)

    def some(m):
        x, u = rng.normal(size=m), rng.normal(size=m)
        y = 1 + 0.5 * x + u + 0.6 * rng.normal(size=m)
        return np.column_stack([np.ones(m), x]), y, 0.9 + 0.5 * x + u + 0.2 * rng.normal(size=m)

    return some(400), some(8000)


def test_classical_answers_are_those_of_scipy(rows):
    (_, y, _), _ = rows
    found = mean("y", y, None, 0.1)
    assert found.interval == pytest.approx(stats.t.interval(0.9, 399, y.mean(), stats.sem(y)))
    flags = y > 1.5
    wilson = stats.binomtest(int(flags.sum()), 400).proportion_ci(0.9, "wilson")
    assert share("y", flags.astype(float), None, 0.1).interval == pytest.approx(tuple(wilson))
    exact = stats.quantile_test(y, p=0.3).confidence_interval(0.95)
    found = quantile("y", y, 0.3, None, 0.05)
    assert found.interval == pytest.approx((exact.low, exact.high))


def test_powered_answers_are_near_those_of_ppi_python(rows):
    """Numbers of ppi-python 0.2.3 (ppi_mean_ci, and ppi_ols_ci with one coordinate's weight)."""
    (x, y, f), (other, _, g) = rows
    found = mean("y", y, Guesses(f, g), 0.05)
    assert found.value == pytest.approx(1.07776, abs=0.001)
    assert found.interval == pytest.approx((1.01353, 1.14198), abs=0.002)
    slope = coefficients("ix", x, y, other, Guesses(f, g), binary=False, alpha=0.05)[1]
    assert slope.value == pytest.approx(0.50355, abs=0.002)
    assert slope.interval == pytest.approx((0.44307, 0.56403), abs=0.01)


@pytest.mark.parametrize("binary", [False, True])
def test_classical_coefficients_are_those_of_statsmodels(rows, binary):
    models = pytest.importorskip("statsmodels.api")
    (x, y, _), _ = rows
    y = (y > 1).astype(float) if binary else y
    found = coefficients("ix", x, y, x[:0], None, binary=binary, alpha=0.05)
    fitted = models.GLM(y, x, family=models.families.Binomial()).fit() if binary else models.OLS(y, x).fit()
    assert [f.value for f in found] == pytest.approx(fitted.params, rel=1e-6)
    if not binary:
        robust = fitted.get_robustcov_results("HC3")
        assert [f.interval for f in found] == [pytest.approx(tuple(i)) for i in robust.conf_int()]


def test_the_scale_of_predictions_does_not_matter(rows):
    (x, y, f), (other, _, g) = rows
    near, far = (mean("y", y, Guesses(a + b * f, a + b * g), 0.05) for a, b in ((0, 1), (-7, 30)))
    assert near.interval == pytest.approx(far.interval) and near.weight == pytest.approx(30 * far.weight)
    near, far = (coefficients("ix", x, y, other, Guesses(a + b * f, a + b * g), binary=False, alpha=0.05)[1]
                 for a, b in ((0, 1), (-7, 30)))
    assert near.interval == pytest.approx(far.interval)


# -- through the public door ----------------------------------------------------------------------------------------
def clinic(n, seed, *, labelled=None):
    """Patients; the cost is known of the first `labelled` only."""
    rng = np.random.default_rng(seed)
    age, sex = rng.integers(20, 80, n), rng.choice(["f", "m"], n)
    stay = rng.poisson(1 + age / 20).astype(float)
    cost = np.round(50 * stay + 5 * age + 100 * (sex == "m") + rng.normal(0, 40, n), 1)
    frame = pl.DataFrame({"patient id": [f"P{i:06d}" for i in rng.permutation(n)], "age": age, "Geschlecht ♀♂": sex,
                          "stay": stay, "cost": cost, "dear": cost > 500,
                          "seen": pl.Series(np.datetime64("2024-01-01") + rng.integers(0, 300, n))})
    if labelled is None:
        return frame
    known = pl.int_range(pl.len()) < labelled
    return frame.with_columns(pl.when(known).then(pl.col(c)).otherwise(None).alias(c) for c in ("cost", "dear"))


REAL = partial(clinic, 1500, 1, labelled=200)
TRUTH = clinic(200_000, 99)


@pytest.fixture(scope="module")
def fake():
    return clinic(1600, 2)


@pytest.mark.parametrize(("asked", "truth"), [
    ({"mean": "cost"}, TRUTH["cost"].mean()), ({"share": "dear == True"}, TRUTH["dear"].mean()),
    ({"quantile": ("cost", 0.5)}, TRUTH["cost"].median()),
    ({"quantile": "cost:0.8"}, TRUTH["cost"].quantile(0.8))])
def test_synthetic_rows_sharpen_an_estimate(fake, asked, truth):
    found = vs.infer(REAL(), fake, **asked)
    assert found.labelled == 200 and found.unlabelled == 1300 and not found.broken
    assert found.interval[0] <= truth <= found.interval[1]
    assert found.gain > 1.2 and found.effective_rows == pytest.approx(200 * found.gain)
    assert "1,600 synthetic rows" in found.reason and "taken on trust" in " ".join(found.notes)
    assert found.finding.verdict == "good" and found.finding.name == f"inference.{found.kind}"
    assert np.diff(found.figures[0].naive_interval) < np.diff(found.interval)


def test_a_shifted_source_misleads_whoever_pools_and_nobody_else(fake):
    dear = fake.with_columns(pl.col("cost") * 1.5 + 200)
    found, truth = vs.infer(REAL(), dear, mean="cost"), TRUTH["cost"].mean()
    low, high = found.figures[0].naive_interval
    assert not low <= truth <= high
    assert found.interval[0] <= truth <= found.interval[1] and found.gain > 3


@pytest.fixture(scope="module")
def crossed():
    return vs.infer(REAL(), mean="cost")


def test_without_synthetic_rows_it_is_cross_fitted(crossed):
    found = crossed
    assert found.gain > 2 and "each learnt from the labelled rows that it does not predict" in found.reason
    assert found.interval[0] <= TRUTH["cost"].mean() <= found.interval[1]


def test_a_regression_tells_all_coefficients(fake):
    found = vs.infer(REAL(), fake, regression="cost ~ age*`Geschlecht ♀♂`")
    other = "m" if "[m]" in found.table["name"][2] else "f"
    assert found.table["name"].to_list() == ["intercept", "age", f"Geschlecht ♀♂[{other}]", f"age:Geschlecht ♀♂[{other}]"]
    slope = found["age"]
    assert slope.interval[0] <= 7.5 <= slope.interval[1] and slope.gain > 1.2
    assert "most frequent level" in found.notes[0] and found.finding.details["coefficients"][0]["coefficient"] == "intercept"
    with pytest.raises(UserError, match="4 coefficients"):
        assert found.value
    with pytest.raises(KeyError, match="Did you mean 'age'"):
        assert found["aged"]


@pytest.mark.parametrize("formula", ["dear ~ age + stay", "cost > 500 ~ age + stay", "`dear` ~ stay + age"])
def test_a_yes_or_no_outcome_is_regressed_by_log_odds(fake, formula):
    frame = REAL().with_columns((pl.col("cost") > 500).alias("dear"))
    found = vs.infer(frame, fake, regression=formula)
    x = np.column_stack([np.ones(TRUTH.height), TRUTH["age"], TRUTH["stay"]])
    truth = coefficients(["intercept", "age", "stay"], x, TRUTH["dear"].to_numpy().astype(float), x[:0], None, binary=True,
                         alpha=0.05)
    for figure in truth:
        assert found[figure.name].interval[0] <= figure.value <= found[figure.name].interval[1]
    assert found.kind == "logistic" and "log odds" in found.notes[0]


def test_a_second_file_of_unlabelled_rows_does_as_well(fake):
    one = vs.infer(REAL(), fake, mean="cost")
    labelled, rest = REAL()[:200], REAL()[200:].drop("cost", "dear")
    two = vs.infer(labelled, fake, mean="cost", unlabelled=rest)
    assert two.interval == pytest.approx(one.interval, rel=0.02) and two.unlabelled == 1300


def test_any_dataframe_gives_the_same(fake):
    want = vs.infer(REAL(), fake, mean="cost")
    assert vs.infer(REAL(), fake, mean="cost") == want
    assert vs.infer(REAL().to_pandas(), fake.to_arrow(), mean="cost").interval == pytest.approx(want.interval)
    holes = pd.DataFrame({"y": [1.0, 2.0, np.nan, 4.0], "flag": [True, False, True, None]})
    assert vs.infer(holes, mean="y").labelled == 3
    gaps = REAL().with_columns(pl.col("cost").fill_null(float("nan")))
    same = vs.infer(REAL(), mean="cost")
    assert vs.infer(gaps, mean="cost").interval == same.interval  # NaN is missing: no predictor sees the outcome by it


def test_within_asks_of_some_rows(fake):
    found = vs.infer(REAL(), fake, mean="cost", within="age >= 40 and `Geschlecht ♀♂` == 'm'")
    truth = TRUTH.filter((pl.col("age") >= 40) & (pl.col("Geschlecht ♀♂") == "m"))["cost"].mean()
    assert found.interval[0] <= truth <= found.interval[1] and found.labelled < 200 and found.gain > 2
    assert abs(found.figures[0].naive - truth) < 20
    with pytest.raises(UserError, match="part of the outcome"):
        vs.infer(REAL(), fake, mean="cost", within="cost > 100")


def test_a_column_of_predictions_is_used_as_it_is():
    frame = REAL().with_columns((5 * pl.col("age") + 50 * pl.col("stay")).alias("guess"))
    found = vs.infer(frame, mean="cost", predicted="guess")
    y, f = frame["cost"][:200].to_numpy(), frame["guess"].to_numpy()
    want = mean("", y, Guesses(f[:200], f[200:]), 0.05)
    assert found.interval == pytest.approx(want.interval) and found.weight == pytest.approx(want.weight)
    assert vs.infer(frame, quantile="cost:0.5", predicted="guess").gain > 1.2
    for name, words in (("guss", "Did you mean 'guess'"), ("Geschlecht ♀♂", "numbers were expected"),
                        ("dear", "Every row needs a prediction")):
        with pytest.raises(UserError, match=words):
            vs.infer(frame, mean="cost", predicted=name)


@pytest.fixture(scope="module")
def model(fake):
    return vs.fit(fake, seed=0, audit=False)


def test_a_model_of_the_labelled_rows_alone_is_set_aside():
    known = REAL().filter(pl.col("cost").is_not_null())
    found = vs.infer(REAL(), model=vs.fit(known, seed=0, audit=False), mean="cost")
    assert "that it does not predict" in found.predictor and "as many as hold the outcome" in " ".join(found.notes)


@pytest.mark.parametrize("asked", [{"mean": "cost"}, {"share": "cost > 500"}, {"regression": "cost ~ age"}])
def test_a_model_predicts_by_draws(model, asked):
    found = vs.infer(REAL(), model=model, **asked)
    truth = {"mean": TRUTH["cost"].mean(), "share": (TRUTH["cost"] > 500).mean()}
    figure = found.figures[-1]
    want = truth.get(next(iter(asked)), np.polyfit(TRUTH["age"], TRUTH["cost"], 1)[0])
    assert figure.interval[0] <= want <= figure.interval[1] and figure.gain > 1.5
    assert "20 draws" in found.reason


# -- what it rests on -----------------------------------------------------------------------------------------------
def test_without_unlabelled_rows_nothing_is_gained(fake):
    found = vs.infer(REAL()[:200], fake, mean="cost")
    assert found.interval == found.classical_interval and found.gain == 1 and found.weight == 0
    assert "synthetic rows cannot narrow this interval" in found.reason and found.finding.verdict == "fair"


def test_synthetic_rows_that_hold_the_labelled_ones_are_set_aside(fake, crossed):
    real = REAL()
    copied = pl.concat([fake, real[:200]])
    found = vs.infer(real, copied, mean="cost")
    assert "100% of the labelled rows stand among the synthetic rows" in found.notes[0]
    assert "does not predict" in found.predictor and found.interval == crossed.interval
    assert "synthetic rows" in vs.infer(real, copied, mean="cost", predictor_saw_labels=False).predictor
    assert vs.infer(real[:300], fake, mean="cost", predictor_saw_labels=True).predictor == found.predictor


def test_a_model_of_the_same_rows_is_set_aside(fake, model):
    real = clinic(1600, 1, labelled=120)
    found = vs.infer(real, model=model, mean="cost")
    assert "as many as the real data has" in found.notes[0] and "does not predict" in found.predictor


def test_labelled_rows_that_are_no_random_sample_are_told(fake):
    frame = clinic(1500, 1).with_columns(pl.when(pl.col("age") > 55).then(pl.col("cost")).otherwise(None).alias("cost"))
    found = vs.infer(frame.drop("dear"), fake, mean="cost")
    assert found.broken and found.finding.verdict == "poor"
    assert "no random sample" in found.cautions[0] and "'age'" in found.cautions[0]


def test_a_column_that_only_labelled_rows_have_is_not_predicted_from(fake):
    """`follow-up` is as good as the outcome where it is there, and never there without it."""
    real = REAL().with_columns((pl.col("cost") + 1).alias("follow-up"))
    found = vs.infer(real, fake.with_columns((pl.col("cost") + 1).alias("follow-up")), mean="cost")
    assert "'follow-up'" in found.notes[0] and not found.broken
    assert found.interval[0] <= TRUTH["cost"].mean() <= found.interval[1]


def test_skewed_outcomes_and_few_rows_are_told():
    rng = np.random.default_rng(0)
    found = vs.infer(pl.DataFrame({"pay": rng.lognormal(8, 1.6, 100)}), mean="pay")
    assert "so skewed" in found.cautions[0]
    few = pl.DataFrame({"x": rng.normal(size=60), "y": [1.0, 2.0, 3.0, *[None] * 57]})
    assert "So few rows" in vs.infer(few, mean="y").reason
    rare = pl.DataFrame({"x": rng.normal(size=400), "y": [*["a"] * 4, *["b"] * 96, *[None] * 300]})
    assert "too few rows" in vs.infer(rare, share="y == 'a'").reason
    alone = pl.DataFrame({"y": [*rng.normal(size=50), *[None] * 50]})
    assert "No column is left" in vs.infer(alone, mean="y").reason
    flat = pl.DataFrame({"x": [1] * 90, "y": [2.0] * 60 + [None] * 30})
    assert vs.infer(flat, mean="y").interval == (2, 2)


@pytest.mark.parametrize(("asked", "words"), [
    ({}, "none was given"), ({"mean": "cost", "share": "dear"}, "mean and share were given"),
    ({"mean": "cots"}, "Did you mean 'cost'"), ({"mean": "Geschlecht ♀♂"}, "not numbers"),
    ({"mean": "cost", "alpha": 1.5}, "alpha is 1.5"), ({"mean": "cost", "seed": -1}, "seed is -1"),
    ({"quantile": ("cost", 1.0)}, "between 0 and 1"), ({"quantile": "cost"}, "not understood"),
    ({"quantile": ("cost", 0.999)}, "cannot be bounded from 200 rows"), ({"quantile": ("seen", 0.5)}, "not numbers"),
    ({"share": "cost is None"}, "asks for missing"), ({"share": "1 == 1"}, "reads no column"),
    ({"share": "cost > 'a'"}, "does not fit the data"), ({"share": "cost >"}, "could not be read"),
    ({"regression": "cost"}, "one '~'"), ({"regression": "cost ~"}, "one '~'"),
    ({"regression": "cost ~ age ~ stay"}, "one '~'"), ({"regression": "cost ~ log(age)"}, "made beforehand"),
    ({"regression": "cost ~ age - 1"}, "no column nor columns"), ({"regression": "cost ~ agee"}, "Did you mean 'age'"),
    ({"regression": "costs ~ age"}, "Did you mean 'cost'"), ({"regression": "cost ~ seen"}, "days since"),
    ({"regression": "cost ~ cost + age"}, "on both sides"), ({"regression": "cost ~ `patient id`"}, "levels"),
    ({"regression": "`patient id` ~ age"}, "neither a number nor of two levels"),
    ({"mean": "cost", "within": "age > 200"}, "at least 2 are needed"),
    ({"mean": "cost", "within": "agee > 2"}, "Did you mean 'age'"),
])
def test_what_cannot_be_asked_gets_a_sentence(asked, words):
    with pytest.raises(UserError, match=words):
        vs.infer(REAL(), **asked)


def test_what_data_cannot_answer_gets_a_sentence(fake):
    real = REAL()
    bad = [({"real": real[200:]}, "Only 0 of the 1,300 real rows hold 'cost'"),
           ({"unlabelled": real}, "holds 'cost' in some rows"),
           ({"unlabelled": pl.DataFrame({"q": [1]})}, "No column of the unlabelled data"),
           ({"synthetic": fake.drop("cost")}, "No synthetic row holds 'cost'"),
           ({"synthetic": pl.DataFrame({"q": [1]})}, "No column of the synthetic data"),
           ({"real": real.with_columns(cost=pl.lit(float("inf")))}, "infinite"),
           ({"real": with_columns(real, Source("twin", "synthetic", real.height))}, "100% of the rows of the real data")]
    assert COLUMNS
    for given_, words in bad:
        with pytest.raises(UserError, match=words):
            vs.infer(**{"real": real, "mean": "cost", **given_})
    for frame, formula, words in [
            (real.with_columns(twice=2 * pl.col("age")), "cost ~ age + twice", "follows from the other columns"),
            (real.with_columns(same=pl.lit(1)), "cost ~ same", "'same' is constant"),
            (real.with_columns(odd=pl.Series([*["a"] * 199, "b", *["a"] * 1300])), "cost ~ odd", "One single row"),
            (real.with_columns(odd=pl.Series([*["a"] * 1400, *["z"] * 100])), "cost ~ odd", "The level 'z' of 'odd'"),
            (real, "cost > 500 ~ cost2", "Did you mean"),
            (real.with_columns(cost2=pl.col("age") * 1.0), "age > 50 ~ cost2", "perfectly"),
            (real[:4], "cost ~ age + stay", "at least 5 are needed")]:
        with pytest.raises(UserError, match=words):
            vs.infer(frame, regression=formula)


def test_rows_that_lack_a_covariate_are_left_out(fake):
    frame = REAL().with_columns(pl.when(pl.int_range(pl.len()) % 10 == 0).then(None).otherwise(pl.col("stay")).alias("stay"))
    found = vs.infer(frame, fake, regression="cost ~ stay")
    assert found.labelled == 180 and found.unlabelled == 1170 and "150 real rows lack" in found.notes[0]
    assert not found.cautions
    uneven = REAL().with_columns(pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.col("stay")).otherwise(None).alias("stay"),
                                 stay2=pl.col("stay"))
    uneven = uneven.with_columns(pl.when(pl.col("cost").is_null()).then("stay").otherwise("stay2").alias("stay"))
    assert "'stay'" in vs.infer(uneven.drop("stay2"), fake, regression="cost ~ stay").cautions[0]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=6).filter(lambda s: "\0" not in s and s.isprintable()), min_size=2, max_size=4,
                unique=True))
def test_any_column_name_can_stand_in_a_formula(names):
    quoted = [backticks.quoted(name) for name in names]
    found = _formula.parse(f"{quoted[0]} ~ {' + '.join(quoted[1:])} + {quoted[1]}:{quoted[-1]}", names)
    assert found.columns == names[1:] and found.terms[:len(names) - 1] == tuple((n,) for n in names[1:])


# -- the command, the report ----------------------------------------------------------------------------------------
def test_the_command(fake, tmp_path):
    real, made, out = tmp_path / "real.csv", tmp_path / "fake.parquet", tmp_path / "told"
    REAL().write_csv(real)
    fake.write_parquet(made)
    run = partial(CliRunner().invoke, app)
    done = run(["infer", str(real), "--synthetic", str(made), "--mean", "cost", "--out", str(out)])
    assert done.exit_code == 0 and "real rows that lack it" in " ".join(done.output.split()), done.output
    assert Assessment.load(out)["inference.mean"].verdict == "good"
    assert "not valid" in (out / "report.html").read_text(encoding="utf-8")
    assert run(["infer", str(real), "--mean", "cost", "--out", str(out)]).exit_code == 2
    told = run(["infer", str(real), "--synthetic", str(made), "--regression", "cost ~ age + stay", "--json", "--alpha", "0.1"])
    figures = json.loads(told.stdout)["figures"]
    assert [f["name"] for f in figures] == ["intercept", "age", "stay"]
    shown = run(["infer", str(real), "--synthetic", str(made), "--regression", "cost ~ age", "--unseen-labels"])
    assert "90 % interval" not in shown.output and "95 % interval" in shown.output and "gain" in shown.output
    levels = run(["infer", str(real), "--regression", "cost ~ `Geschlecht ♀♂`", "--out", str(tmp_path / "levels")])
    assert levels.exit_code == 0 and any(f"[{level}]" in levels.output for level in "mfw"), levels.output
    assert "not valid" not in " ".join(Assessment.load(tmp_path / "levels").about["notes"])  # it is not shown there
    wrong = run(["infer", str(real), "--mean", "cots"])
    assert wrong.exit_code == 2 and "Did you mean 'cost'" in wrong.output


def test_other_levels_are_not_shown_as_95(fake):
    found = vs.infer(REAL(), fake, mean="cost", alpha=0.2)
    assert "80 % interval" in found.reason and found.finding.interval is None and "ways" in found.finding.details
    assert np.diff(found.interval) < np.diff(vs.infer(REAL(), fake, mean="cost").interval)


def test_real_rows(real):
    frame = pl.read_parquet(real("adult")).sample(fraction=1, shuffle=True, seed=3)
    truth = (frame["income"] == ">50K").mean()
    part = frame[:3000].with_columns(pl.when(pl.int_range(pl.len()) < 400).then(pl.col("income")).otherwise(None).alias("income"))
    found = vs.infer(part, vs.fit(frame[10_000:14_000], seed=0, audit=False).sample(4000, seed=0), share="income == '>50K'")
    assert found.interval[0] <= truth <= found.interval[1] and found.gain > 1.2
