"""The attacks' numbers against scipy's, scikit-learn's and counts by hand, and their intervals against simulation."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from population import people, sides_of, table_of
from scipy import stats
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from verisyn.assessment import assess_frames
from verisyn.findings import Measure
from verisyn.kinds import Feature
from verisyn.metrics._attack import attack, leaked, nearer, rates, residual
from verisyn.metrics._kinds_of_record import FEWEST, _kinds, most_exposed
from verisyn.metrics._near import nearest
from verisyn.metrics._stats import auc
from verisyn.metrics.privacy import attribute_inference, linkage, membership, membership_nearest, singling_out
from verisyn.metrics.privacy.membership_shadow import likelihood_ratio
from verisyn.metrics.privacy.outlier_exposure import unusual

RNG = np.random.default_rng


def numbers(rows, seed, columns=6):
    """Make correlated numbers without ties."""
    rng = RNG(seed)
    common = rng.normal(size=rows)
    return pl.DataFrame({f"x{i}": common * (i % 2) + rng.normal(size=rows) for i in range(columns)})


def nearest_by_sklearn(queries, rows):
    return NearestNeighbors(n_neighbors=1, algorithm="brute").fit(rows).kneighbors(queries)


def test_the_membership_attacks_are_those_of_brute_force():
    train, holdout, fake = numbers(600, 1), numbers(500, 2), numbers(600, 3)
    fake = pl.concat([train[:150] + 1e-3, fake[150:]])
    sides = sides_of(fake, train, holdout, None, None)
    made = attack(sides)
    assert made.members.rows == made.strangers.rows == 500 and made.reference == 250
    rows = np.vstack([made.members.vectors, made.strangers.vectors])
    to_fake = nearest_by_sklearn(rows, sides.fake.vectors)[0][:, 0]
    assert made.to_fake == pytest.approx(to_fake, abs=1e-4)
    first, second = np.split(made.strangers.vectors, 2)
    references = [second, first, second, first]
    to_reference = [nearest_by_sklearn(part, reference)[0][:, 0] for part, reference in
                    zip(np.split(rows, 4), references, strict=True)]
    assert made.to_reference == pytest.approx(np.concatenate(to_reference), abs=1e-4)
    truth = np.arange(1000) < 500
    plain = membership_nearest.measure(sides, RNG(0))
    assert plain.value == pytest.approx(roc_auc_score(truth, -made.to_fake), abs=1e-9)
    stronger = membership.measure(sides, RNG(0))
    assert stronger.value == pytest.approx(roc_auc_score(truth, nearer(made.to_reference, made.to_fake) + made.odds))
    assert stronger.value > 0.6


@pytest.mark.parametrize(("key", "rate", "strangers"), [("caught", 0.01, 2000), ("caught_of_1000", 0.001, 6000)])
def test_rates_are_counts_between_exact_ends(key, rate, strangers):
    rng = RNG(0)
    truth = np.arange(2000 + strangers) < 2000
    score = rng.normal(truth * 1.0)
    found, down = rates(truth, score), np.sort(score[~truth])[::-1]

    def hits(let_pass):
        return int((score[truth] > down[let_pass]).sum())

    few, many = stats.binom.ppf([0.0125, 0.9875], strangers, rate).astype(int)
    ends = [stats.binomtest(hits(k), 2000).proportion_ci(0.975, method="exact") for k in (few - 1, many)]
    assert found[key] == pytest.approx(hits(int(rate * strangers)) / 2000, abs=1e-6)
    assert found[f"{key}_interval"] == pytest.approx([ends[0].low, ends[1].high], abs=1e-6)


def test_rates_that_too_few_strangers_tell_are_left_out():
    truth, score = np.arange(1600) < 800, RNG(0).normal(size=1600)
    few = rates(truth, score)
    assert few["caught"] is not None and few["caught_of_1000"] is None and "1,000 strangers" in few["not_measured"][0]
    many = rates(np.arange(3000) < 1500, np.arange(3000, 0, -1.0))  # all are caught, but the threshold may be beyond
    assert many["caught_of_1000"] == 1 and many["caught_of_1000_interval"] == [0, 1] and many["_caught_of_1000_p"] > 0.2


@pytest.mark.parametrize(("shift", "rows"), [(0, 500), (1, 500), (1, 1500), (2, 1500), (0, 6000), (1, 6000)])
def test_intervals_of_rates_cover_though_strangers_set_the_threshold(shift, rows):
    truth, trials = np.arange(2 * rows) < rows, 300 if rows < 6000 else 100
    made = [rates(truth, RNG(seed).normal(truth * float(shift))) for seed in range(trials)]
    for key, rate in (("caught", 0.01), ("caught_of_1000", 0.001)):
        known = stats.norm.sf(stats.norm.isf(rate) - shift)
        intervals = [m[f"{key}_interval"] for m in made if m[key] is not None]
        assert not intervals or np.mean([low <= known <= high for low, high in intervals]) >= 0.95


def test_the_chance_of_rates_agrees_with_their_interval():
    truth = np.arange(3000) < 1500
    for seed in range(40):
        found = rates(truth, RNG(seed).normal(truth * 0.9))
        assert (found["caught_interval"][0] > 0.03) == (found["_caught_p"] < 0.025)
    shift = stats.norm.isf(0.01) - stats.norm.isf(0.03)  # 3 % are caught in truth
    p = [rates(truth, RNG(seed).normal(truth * shift))["_caught_p"] for seed in range(200)]
    assert np.mean(np.array(p) < 0.05) <= 0.05


@pytest.mark.parametrize("epsilon", [0.5, 1.5, 3.0])
def test_the_bound_on_epsilon_stays_below_the_truth_and_comes_near(epsilon):
    truth = np.arange(6000) % 2 < 1
    keep = np.exp(epsilon) / (1 + np.exp(epsilon))  # randomised response tells the truth so often, and is ε-private

    def draw(seed):
        rng = RNG(seed)
        order = rng.permutation(6000)
        said = np.where(rng.random(6000) < keep, truth, ~truth)
        return leaked(truth[order], said[order] + 0.0)

    bounds = np.array([draw(seed) for seed in range(60)])
    assert (bounds <= epsilon).mean() >= 0.93
    assert np.median(bounds) > 0.7 * epsilon


def test_a_score_that_tells_nothing_bounds_nothing():
    truth = np.arange(3000) % 2 < 1
    assert np.mean([leaked(truth, RNG(seed).normal(size=3000)) == 0 for seed in range(60)]) >= 0.93


def test_the_residual_risk_by_hand():
    found = residual(60, 100, 20, 80)
    assert found["risk"] == pytest.approx(1 - (40 / 100) / (60 / 80), abs=1e-6)
    assert (found["attack"], found["control"]) == (0.6, 0.25)
    ratio = stats.contingency.relative_risk(40, 100, 60, 80).confidence_interval()  # Katz, without the halves
    assert found["interval"] == pytest.approx([1 - ratio.high, 1 - ratio.low], abs=0.02)
    assert residual(100, 100, 0, 100)["interval"][1] == 1.0 and residual(50, 100, 80, 80) is None


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 3000), st.floats(0, 1), st.integers(1, 3000), st.floats(0, 1))
@example(500, 0.5, 500, 0.95)
@example(500, 0.0, 500, 0.998)
def test_a_residual_risk_lies_within_its_interval_and_both_within_one(rows, share, control_rows, control):
    found = residual(round(share * rows), rows, round(control * control_rows), control_rows)
    if found is None:
        return
    assert -1 <= found["interval"][0] <= found["risk"] <= found["interval"][1] <= 1
    for key in ("attack", "control"):
        assert 0 <= found[f"{key}_interval"][0] <= found[key] <= found[f"{key}_interval"][1] <= 1


@pytest.mark.parametrize(("attacked", "control", "rows"), [(0.3, 0.2, 300), (0.9, 0.85, 400), (0.02, 0.0, 500),
                                                           (0.99, 0.1, 200), (0.5, 0.5, 100)])
def test_residual_intervals_cover(attacked, control, rows):
    rng, truth = RNG(1), (attacked - control) / (1 - control)
    intervals = [residual(*(x for p in (attacked, control) for x in (float(rng.binomial(rows, p)), rows)))["interval"]
                 for _ in range(500)]
    held = np.mean([low - 1e-6 <= truth <= high + 1e-6 for low, high in intervals])
    assert 0.925 <= held <= 1.0


def test_the_likelihood_ratio_reaches_what_theory_gives():
    rng, shift, spread, rows = RNG(0), 1.0, 1.0, 4000
    own = rng.normal(0, 5, rows)  # how near synthetic rows come to each row anyway
    inside = np.array([rng.permutation(rows) < rows // 2 for _ in range(40)])
    scores = own + shift * inside + rng.normal(0, spread, (40, rows))
    truth = np.arange(rows) < rows // 2
    seen = own + shift * truth + rng.normal(0, spread, rows)
    known = stats.norm.cdf(shift / (spread * np.sqrt(2)))
    assert roc_auc_score(truth, likelihood_ratio(seen, scores, inside)) == pytest.approx(known, abs=0.025)
    assert roc_auc_score(truth, seen) < 0.6  # without the shadows
    alike = likelihood_ratio(seen + 3, scores, inside)  # what sets all rows apart alike tells nothing
    assert roc_auc_score(truth, alike) == pytest.approx(known, abs=0.025)
    weaker = own + 0.0 * inside + rng.normal(0, spread, (40, rows))  # shadows that do not leak still serve
    assert roc_auc_score(truth, likelihood_ratio(seen, weaker, inside)) == pytest.approx(known, abs=0.025)


def test_singling_out_of_one_column_counts_as_a_person_would():
    fake = Feature("x", np.array([1, 1, 2, 5, np.nan]))
    low, high = singling_out._descriptions(fake)
    said = [f"{a:g} to {b:g}" for a, b in zip(low, high, strict=True)]
    assert said == ["2 to 2", "5 to 5", "-inf to 1", "5 to inf", "nan to nan"]
    real = Feature("x", np.array([0, 0.5, 2, 5, 6, 7, np.nan, np.nan]))
    assert singling_out._held(real, low, high).tolist() == [1, 1, 2, 3, 2]
    levels = Feature("c", np.array([0, 0, 1, 3.0]), levels=4, labels=("a", "b", "c"))  # the last: values unseen
    assert [x.tolist() for x in singling_out._descriptions(levels)] == [[1], [1]]


def test_singling_out_of_several_columns_counts_as_brute_force_does():
    fake, train, holdout = (people(300, seed) for seed in (1, 2, 3))
    sides = sides_of(pl.concat([train[:100], fake[100:]]), train, holdout)
    made = [np.column_stack([f.values for f in side.features]) for side in (sides.fake, sides.train)]
    ends = list(zip(*map(singling_out._window, sides.fake.features), strict=True))
    low, high = (np.column_stack(e) for e in ends)
    rng = RNG(0)
    for row in range(0, 300, 10):
        columns = rng.permutation(made[0].shape[1])[:4]
        bounds = (low[row], high[row])
        for x, side in zip(made, (sides.fake, sides.train), strict=True):
            fits = [all((np.isnan(r[i]) and np.isnan(low[row, i])) or low[row, i] <= r[i] <= high[row, i] for i in columns)
                    for r in x]
            values = [f.values for f in side.features]
            assert singling_out._fitting(values, columns, bounds).tolist() == np.flatnonzero(fits).tolist()
        assert row in singling_out._fitting([f.values for f in sides.fake.features], columns, bounds)
    age = sides.index("age")
    ages = np.sort(sides.fake.features[age].values)
    within = ((ages[None] >= low[:, [age]]) & (ages[None] <= high[:, [age]])).sum(axis=1)
    assert within.min() >= 15 and within.max() <= 60  # 5 % to either side, and ties


def test_linkage_is_that_of_brute_force():
    train, holdout, fake = numbers(300, 1), numbers(300, 2), numbers(400, 3)
    sides = sides_of(pl.concat([train[:100], fake[100:]]), train, holdout, None, None)
    halves = [np.array([0, 2, 4]), np.array([1, 3, 5])]
    near = [nearest_by_sklearn(sides.train.vectors[:, h], sides.fake.vectors[:, h])[1][:, 0] for h in halves]
    linked = linkage._linked(sides.train, sides.fake, halves)
    assert (linked == (near[0] == near[1])).mean() > 0.99
    assert linked[:100].all() and linked[100:].mean() < 0.2
    ties = sides_of(*(f.with_columns(pl.all().round(0)) for f in (train, train, holdout)), None, None)
    assert linkage._linked(ties.train, ties.fake, np.split(np.arange(ties.train.width), 2)).all()


def test_attribute_inference_is_that_of_the_nearest_neighbour():
    train, holdout, fake = people(400, 1), people(400, 2), people(400, 3)
    sides = sides_of(pl.concat([train[:200], fake[200:]]), train, holdout)
    found = attribute_inference.measure(sides, RNG(0))
    check = next(c for c in found.details["checks"] if c["column"] == "member")
    at = sides.index("member")
    others = np.delete(np.arange(sides.fake.vectors.shape[1]), sides.train.blocks[at])
    model = KNeighborsClassifier(1, algorithm="brute").fit(sides.fake.vectors[:, others], sides.fake.features[at].values)
    for key, side in (("attack", sides.train), ("control", sides.holdout)):
        right = model.predict(side.vectors[:, others]) == side.features[at].values
        assert check[key] == pytest.approx(right.mean(), abs=0.02)  # ties may fall otherwise


@pytest.mark.parametrize("change", [lambda c: -c, lambda c: c * 1e6 - 5, lambda c: c - 1e5, lambda c: c.exp()])
def test_guessed_numbers_are_judged_whatever_their_unit_zero_and_sign(change):
    train, holdout, fake = (numbers(500, seed) for seed in (1, 2, 3))
    frames = [pl.concat([train[:250], fake[250:]]), train, holdout]
    values = []
    for scaled in (False, True):
        made = [f.with_columns(change(pl.col("x1"))) if scaled else f for f in frames]
        found = attribute_inference.measure(sides_of(*made, None, "x1"), RNG(0))
        values.append([(c["attack"], c["control"]) for c in found.details["checks"]])
    assert values[1][0] == pytest.approx(values[0][0], abs=0.005) and 0 < values[0][0][1] < 0.2


@pytest.mark.parametrize(("risk", "low", "high", "verdict"), [(0.02, -0.04, 0.08, "good"), (0.093, -0.02, 0.19, "fair"),
                                                              (0.03, -0.2, 0.25, "fair"), (0.3, 0.2, 0.4, "poor")])
def test_uncertainty_makes_no_risk_good(risk, low, high, verdict):
    check = {"column": "x", "attack": 0.5, "control": 0.4, "risk": risk, "interval": [low, high]}
    assert attribute_inference.judge(Measure(risk, (low, high), {"checks": [check]}), None, 0.0).verdict == verdict


def test_unusual_rows_by_hand():
    reference = [Feature("x", np.array([1.0, 2, 3, 4])), Feature("c", np.array([0, 0, 0, np.nan]), levels=2)]
    asked = [Feature("x", np.array([2.5, 9, 1, np.nan])), Feature("c", np.array([0, 1, np.nan, 0]), levels=2)]
    rare = np.array([[4, 0, 2, 0], [3, 0, 1, 3]]) + 0.5  # twice the smaller tail; rows of the level; missing rows
    assert unusual(asked, reference) == pytest.approx(-np.log(rare / 4.5).sum(axis=0))
    train = sides_of(*(people(400, seed) for seed in (1, 2, 3)))
    plain = unusual(train.fake.features, train.train.features)
    turned = [Feature(f.name, f.values if f.levels else -f.values, f.levels) for f in train.fake.features]
    other = [Feature(f.name, f.values if f.levels else -f.values, f.levels) for f in train.train.features]
    assert unusual(turned, other) == pytest.approx(plain)


def test_kinds_have_the_auc_that_sklearn_gives():
    rng = RNG(0)
    truth, score = rng.random(800) < 0.5, rng.normal(size=800)
    flags = rng.random((800, 6)) < 0.3
    kinds, values, counts = _kinds(np.array([0, 0, 1, 1, 2, 2]), flags, truth, score, 0.5)
    assert set(kinds) == {(i,) for i in range(6)} | {(a, b) for a, b in combinations(range(6), 2) if a // 2 != b // 2}
    for kind, value, count in zip(kinds, values, counts, strict=True):
        here = flags[:, list(kind)].all(axis=1)
        assert value == pytest.approx(roc_auc_score(truth[here], score[here]))
        assert count.tolist() == [(here & truth).sum(), (here & ~truth).sum()] and count.min() >= FEWEST


def test_clean_kinds_are_not_called_exposed():
    alarms = 0
    for seed in range(6):
        sides = sides_of(*(people(600, 70 + 3 * seed + i) for i in range(3)))
        found = most_exposed(sides, 0.6)
        alarms += found["_exposed_say"].startswith("More")
        assert found["_kinds_p"] > 0.05 and len(found["exposed"]) == 10
        assert all(e["rows"] >= FEWEST and e["strangers"] >= FEWEST for e in found["exposed"])
    assert alarms <= 1


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_intervals_of_an_auc_cover(shift):
    truth, known = np.arange(600) < 300, stats.norm.cdf(shift / np.sqrt(2))
    made = [auc(truth, RNG(seed).normal(truth * shift)).interval() for seed in range(600)]
    assert 0.93 <= np.mean([low <= known <= high for low, high in made]) <= 0.98


def test_an_attack_by_the_ratio_of_distances_covers_an_even_chance():
    held, truth = [], np.arange(400) < 200
    for seed in range(300):  # as the attack does it: one half of the strangers is the reference of the other
        train, first, second, fake = RNG(seed).normal(size=(800, 5)).astype(np.float32).reshape(4, 200, 5)
        asked = np.split(np.vstack([train, first[:100], second[:100]]), 4)
        score = [nearer(nearest(rows, other)[0], nearest(rows, fake)[0])
                 for rows, other in zip(asked, (second, first, second, first), strict=True)]
        low, high = auc(truth, np.concatenate(score)).interval()
        held.append(low <= 0.5 <= high)
    assert np.mean(held) >= 0.93


def test_risks_of_clean_samples_lie_within_their_intervals():
    held = []
    for seed in range(6):
        train, holdout, fake = (people(400, 300 + 3 * seed + i) for i in range(3))
        found = assess_frames(fake, train, holdout, table_of(train), metrics=["linkage", "singling_out"])
        held += [f.interval[0] <= 0 <= f.interval[1] for f in found.findings]
    assert np.mean(held) >= 10 / 12


def test_the_seed_decides_the_attack():
    frames = [people(500, seed) for seed in (1, 2, 3)]
    one, again, other = (attack(replace(sides_of(*frames), seed=seed)).ratio for seed in (0, 0, 1))
    assert (one == again).all() and not (one == other).all()


def test_auc_of_the_ratio_is_the_best_there_is_where_densities_are_known():
    # Members are drawn from N(1, 1), strangers from N(0, 1): the log ratio of densities is x - 1/2.
    rng = RNG(0)
    truth = np.arange(4000) < 2000
    x = rng.normal(truth * 1.0)
    assert auc(truth, x - 0.5).value == pytest.approx(stats.norm.cdf(1 / np.sqrt(2)), abs=0.02)
