"""Laws every generator on the shelf must keep; a new one is found by itself."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verisyn import shelves
from verisyn.kinds import Part
from verisyn.modalities.table import Codes

TABLE = [name for name in shelves.generators.names() if name.startswith("table.")]
every = pytest.mark.parametrize("name", TABLE)


def generator(name, **settings):
    return shelves.generators.take(name).Generator(**settings)


def codes_of(values, parts):
    return Codes(np.asfortranarray(values, np.int32), tuple(parts), tuple(f"c{j}" for j in range(len(parts))))


def dependent_table(rows=3000):
    """Return a small table with dependence, a missing code, unseen codes and an unordered part."""
    rng = np.random.default_rng(0)
    a = rng.integers(0, 3, rows)
    b = np.where(rng.random(rows) < 0.7, a, rng.integers(0, 4, rows))
    b = np.where(rng.random(rows) < 0.1, 4, b)
    c = (2 * a + b + rng.integers(0, 2, rows)) % 7
    parts = (Part(3, ordered=False), Part(5, ordered=True, missing=4), Part(8, ordered=True))
    return codes_of(np.column_stack([a, b, c]), parts)


def intricate_table(rows=4000):
    """Return a table with a pair that tells only together, and a finely cut column."""
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 4, rows), rng.integers(0, 4, rows)
    both = np.where(rng.random(rows) < 0.05, rng.integers(0, 4, rows), (a + b) % 4)
    fine = 12 * a + 3 * b + rng.integers(0, 11, rows)
    return codes_of(np.column_stack([a, b, both, fine]), (*[Part(4, ordered=False)] * 3, Part(61, ordered=True)))


def all_rows(parts):
    return np.array(list(itertools.product(*(range(p.size) for p in parts))), np.int32)


@pytest.fixture(scope="module", params=TABLE)
def fitted(request):
    table = dependent_table()
    return table, generator(request.param).fit(table, np.random.SeedSequence(0))


def bytes_of(fitted, rows=500):
    return fitted.sample(rows, np.random.default_rng(1))[0].tobytes()


@every
def test_same_seed_same_bytes_whatever_the_jobs(name):
    table = dependent_table()
    one, again, two = (generator(name).fit(table, np.random.SeedSequence(5), jobs=jobs) for jobs in (1, 1, 2))
    assert bytes_of(one) == bytes_of(again) == bytes_of(two)
    assert one.sample(500, np.random.default_rng(2))[0].tobytes() != bytes_of(one)


@every
def test_ticks_once_a_part(name):
    ticks = []
    generator(name).fit(dependent_table(200), np.random.SeedSequence(0), tick=ticks.append)
    assert ticks == [1, 1, 1]


def test_probabilities_sum_to_one_and_are_those_of_the_sample(fitted):
    table, model = fitted
    rows = all_rows(table.parts)
    p = np.exp(model.log_prob(rows).sum(axis=1))
    assert p.sum() == pytest.approx(1, abs=1e-9)
    drawn, log_mass = model.sample(100_000, np.random.default_rng(0))
    shape = [part.size for part in table.parts]
    seen = np.bincount(np.ravel_multi_index(drawn.T, shape), minlength=len(p)) / len(drawn)
    assert np.abs(seen - p).max() < 0.006
    assert not log_mass.any()


def test_a_code_nobody_had_is_not_drawn_but_has_a_finite_log_probability(fitted):
    table, model = fitted
    drawn, _ = model.sample(20_000, np.random.default_rng(0))
    assert (drawn[:, 2] < 7).all()
    assert np.isfinite(model.log_prob(all_rows(table.parts))).all()


def test_a_condition_is_met_exactly_and_its_mass_is_told(fitted):
    table, model = fitted
    allowed = {1: np.array([0, 1, 0, 0, 1], bool), 2: np.array([1, 0, 1, 1, 0, 0, 1, 1], bool)}
    drawn, log_mass = model.sample(5000, np.random.default_rng(0), allowed)
    assert all(mask[drawn[:, j]].all() for j, mask in allowed.items())
    shape = [p.size for p in table.parts]
    each = np.exp(model.log_prob(all_rows(table.parts))).reshape(*shape, 3)
    second = (each[:, :, 0, 1] * allowed[1]).sum(axis=1)
    third = (each[:, :, :, 2] * allowed[2]).sum(axis=2)
    expected = second[drawn[:, 0]] * third[drawn[:, 0], drawn[:, 1]]
    np.testing.assert_allclose(np.exp(log_mass), expected, rtol=1e-6)
    given_first = drawn[drawn[:, 0] == 0, 1]
    share = each[0, 4, 0, 1] / second[0]
    assert (given_first == 4).mean() == pytest.approx(share, abs=0.04)


def test_a_condition_nobody_can_meet_is_told(fitted):
    _, model = fitted
    drawn, log_mass = model.sample(10, np.random.default_rng(0), {1: np.zeros(5, bool)})
    assert drawn.shape == (10, 3)
    assert (log_mass == -np.inf).all()


def test_a_restored_model_is_the_same_model(fitted, tmp_path):
    table, model = fitted
    state = model.state()
    assert all(isinstance(v, np.ndarray) and v.dtype != object for v in state.values())
    np.savez(tmp_path / "model.npz", **state)
    with np.load(tmp_path / "model.npz", allow_pickle=False) as loaded:
        again = type(model).restore(table.parts, dict(loaded))
    assert bytes_of(again) == bytes_of(model)
    np.testing.assert_array_equal(again.log_prob(table.values), model.log_prob(table.values))


def others(value):
    """List settings worth trying instead of `value`."""
    if isinstance(value, str):
        return ["dependence"]
    return [2 * value, value / 2] if isinstance(value, float) else [2, 1, value * 2, value * 10]


@every
def test_every_setting_changes_something(name):
    table = intricate_table()
    usual = generator(name)
    before = usual.fit(table, np.random.SeedSequence(0)).log_prob(table.values)
    for field in dataclasses.fields(usual):
        changed = (dataclasses.replace(usual, **{field.name: v}) for v in others(getattr(usual, field.name)))
        assert any(not np.array_equal(before, g.fit(table, np.random.SeedSequence(0)).log_prob(table.values))
                   for g in changed), field.name


@every
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_survives_any_small_table(name, data):
    rows = data.draw(st.sampled_from([0, 1, 2, 20, 200]))
    parts = data.draw(st.lists(st.builds(
        lambda size, ordered, missing: Part(size, ordered, size - 1 if missing and ordered else -1),
        st.sampled_from([1, 2, 3, 40, 3000]), st.booleans(), st.booleans()), max_size=5))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    values = np.column_stack([rng.integers(0, min(p.size, data.draw(st.integers(1, 50))), rows) for p in parts]
                             or [np.empty((rows, 0))])
    table = codes_of(values, parts)
    model = generator(name).fit(table, np.random.SeedSequence(0))
    drawn, _ = model.sample(7, np.random.default_rng(0))
    assert drawn.shape == (7, len(parts))
    assert drawn.dtype == np.int32
    assert ((drawn >= 0) & (drawn < [p.size for p in parts] if parts else True)).all()
    assert np.isfinite(model.log_prob(table.values)).all()
    if rows:
        assert all(set(drawn[:, j]) <= set(values[:, j]) for j in range(len(parts)))


@every
def test_an_all_missing_and_a_constant_part_come_back_as_they_are(name):
    values = np.column_stack([np.full(300, 4), np.zeros(300), np.arange(300) % 3])
    table = codes_of(values, (Part(5, ordered=True, missing=4), Part(1, ordered=False), Part(3, ordered=False)))
    drawn, _ = generator(name).fit(table, np.random.SeedSequence(0)).sample(50, np.random.default_rng(0))
    assert (drawn[:, 0] == 4).all()
    assert (drawn[:, 1] == 0).all()


def test_no_rows_may_be_asked_for(fitted):
    drawn, log_mass = fitted[1].sample(0, np.random.default_rng(0))
    assert drawn.shape == (0, 3)
    assert log_mass.shape == (0,)
