"""Keys: what is claimed and what is not, and that new keys are new, distinct, of the same form and type."""

from __future__ import annotations

import json
import uuid

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verisyn.errors import UserError
from verisyn.kinds import Declined, Draw, id
from verisyn.kinds._checksums import CHECKS
from verisyn.kinds._patterns import Pattern, learn_patterns, permute
from verisyn.schema import Column

RNG = np.random.default_rng(0)
TOKENS = ["".join(RNG.choice(list("ABCDEFGHJKMNPQRSTVWXYZ23456789"), 8)) for _ in range(400)]


def make(values, name="id", rows=None, start=0, **settings_):
    """Learn from values and make as many keys (or `rows`), as one block that begins at `start`."""
    frame = pl.DataFrame({name: values})
    coder = id.Coder.learn(frame, [Column(name=name, kind="id", settings=settings_)], np.random.default_rng(1))
    rows = frame.height if rows is None else rows
    codes = np.zeros((rows, len(coder.parts)), np.int32)
    return coder.decode(codes, Draw(np.random.default_rng(2), np.arange(rows), start))[name]


CLAIMED = {
    "sequence": ("order_id", list(range(10, 60)), "sequence"),
    "sequence without a name": ("row", list(range(100)), "sequence"),
    "gaps": ("userId", sorted({int(x) for x in RNG.integers(0, 10**7, 300)}), "sequence"),
    "numbers": ("id", [int(x) for x in RNG.integers(10**9, 9 * 10**9, 300)], "number"),
    "numbered": ("code", [f"CUST-{i:05d}" for i in range(1, 200)], "numbered"),
    "telco": ("customerID", [f"{RNG.integers(10**4):04d}-{''.join(RNG.choice(list('ABCDEFG'), 5))}"
                             for _ in range(300)], "pattern"),
    "tokens": ("token", TOKENS, "pattern"),
    "tokens without a name": ("x", [t + "1" for t in TOKENS], "pattern"),
    "uuid": ("x", [str(uuid.UUID(int=int.from_bytes(RNG.bytes(16)), version=4)) for _ in range(50)], "uuid"),
    "sha": ("digest", [RNG.bytes(20).hex() for _ in range(100)], "pattern"),
    "ean": ("barcode", [CHECKS["ean"].complete(f"40063{i:07d}") for i in RNG.integers(0, 10**7, 200)], "pattern"),
}


@pytest.mark.parametrize("case", CLAIMED)
def test_keys_are_claimed_and_made_anew(case):
    name, values, what = CLAIMED[case]
    found = id.recognise(pl.Series(values), name)
    assert found.settings["what"] == what
    assert 0.85 <= found.confidence <= 0.95
    made = pl.concat([make(values, name, 5000, 0), make(values, name, 5000, 5000)])
    assert made.n_unique() == 10_000
    assert made.dtype == pl.Series(values).dtype
    assert len(set(made.to_list()) & set(values)) <= 1
    if made.dtype == pl.String and what != "numbered":
        assert made.str.len_chars().is_in(pl.Series(values).str.len_chars().unique().to_list()).all()


DECLINED = {
    "weights": ("weight", [float(x) for x in RNG.normal(70, 9, 200)]),
    "prices as whole numbers": ("price", [int(x) for x in RNG.permutation(10**6)[:200]]),
    "prices as text": ("price", [f"${i},{j:03d}" for i, j in zip(range(200), RNG.integers(0, 1000, 200), strict=True)]),
    "years": ("year", list(range(1960, 2020))),
    "foreign key": ("customer_id", [1, 2, 3] * 50),
    "few levels": ("id", ["a", "b"] * 50),
    "dates": ("day", [f"2020-01-{i:02d}" for i in range(1, 29)]),
    "names": ("name", ["Anna", "Bert", "Carl", "Dora"]),
    "sentences": ("title", [f"A flat with {i} rooms" for i in range(100)]),
    "e-mails": ("mail", [f"a{i}@b.org" for i in range(100)]),
    "nothing": ("id", []),
    "only missing": ("id", [None, None]),
}


@pytest.mark.parametrize("case", DECLINED)
def test_what_is_no_key_is_declined(case):
    name, values = DECLINED[case]
    with pytest.raises(Declined):
        id.recognise(pl.Series(name, values, dtype=pl.Int64 if case == "nothing" else None), name)


def test_real_columns(real):
    claims = {}
    for data in ("adult", "telco_churn", "titanic", "beijing", "kc_house", "airbnb_nyc", "german_credit"):
        frame = pl.read_parquet(real(data))
        for name in frame.columns:
            try:
                claims[data, name] = id.recognise(frame[name], name).settings["what"]
            except Declined:
                pass
    assert claims == {("telco_churn", "customerID"): "pattern", ("beijing", "No"): "sequence",
                      ("kc_house", "id"): "number"}


def test_sequence_runs_on_with_its_step():
    assert make([10, 20, 30]).to_list() == [40, 50, 60]
    assert make([9, 6, 3], rows=2).to_list() == [0, -3]
    assert make(["A-08", "A-09", "A-10", "A-11", "A-12"], "code", 2).to_list() == ["A-13", "A-14"]


def test_a_small_type_is_kept_and_its_end_is_told():
    made = make(pl.Series(list(range(60, 120)), dtype=pl.Int8), rows=60)
    assert made.dtype == pl.Int8 and made.n_unique() == 60 and made.null_count() == 0
    assert not set(made.to_list()) & set(range(60, 120))
    with pytest.raises(UserError, match="no room for 500"):
        make(pl.Series(list(range(120)), dtype=pl.Int8), rows=500)


def test_a_sequence_that_runs_down_turns_at_the_end_of_its_type():
    made = make(pl.Series(list(range(-100, -128, -1)), dtype=pl.Int8), rows=150)
    assert made.n_unique() == 150 and made.null_count() == 0
    assert not set(made.to_list()) & set(range(-127, -99))


def test_uuids_are_valid():
    values = CLAIMED["uuid"][1]
    assert {(uuid.UUID(v).version, uuid.UUID(v).variant) for v in make(values, rows=200)} == {(4, uuid.RFC_4122)}
    assert make([v.replace("-", "").upper() for v in values], rows=9).str.contains("^[0-9A-F]{32}$").all()


def test_check_digits_are_kept():
    assert all(CHECKS["ean"].passes(v) for v in make(CLAIMED["ean"][1], "barcode", 500))
    isbns = [CHECKS["isbn10"].complete(f"{i:09d}") for i in range(9999, 999_999, 9999)]
    hyphened = [f"{b[0]}-{b[1:4]}-{b[4:9]}-{b[9]}" for b in isbns]
    assert all(CHECKS["isbn10"].passes(v.replace("-", "")) for v in make(hyphened, "isbn", 300))


def test_a_full_pattern_is_widened():
    made = make(["A1", "B2", "C3"], rows=1000, pattern=r"[AB]\d")
    assert made.n_unique() == 1000
    assert made[:20].str.contains(r"^[AB]\d$").all()


def test_notes_promise_only_what_holds():
    def note(values, **settings_):
        column = Column(name="id", kind="id", settings=settings_)
        return id.Coder.learn(pl.DataFrame({"id": values}), [column], np.random.default_rng(0)).notes[0]

    assert "none is a real one" in note(list(range(50)))
    assert "none is a real one" in note(list(range(50)), what="sequence", start=10)
    assert "by chance (about 1 in 2)" in note(list(range(50)), what="number", low=0, high=99)
    assert "by chance (about 1 in 5)" in note([f"{i:02d}" for i in range(20)], pattern=r"\d{2}")
    assert "by chance" in note(TOKENS)
    assert "none is a real one" in note([f"A-{i}" for i in range(50)])


def test_a_start_in_the_schema_moves_beyond_larger_real_keys():
    def first(values, **settings_):
        column = Column(name="id", kind="id", settings={"what": "sequence", "start": 51, "step": 1, **settings_})
        coder = id.Coder.learn(pl.DataFrame({"id": values}), [column], np.random.default_rng(0))
        return coder.make(Draw(RNG, np.arange(2))).to_list(), " ".join(coder.notes)

    made, notes = first([3, 1, 900])
    assert made == [901, 902]
    assert "start at 901, not at 51" in notes
    assert first([5, 90, 7], step=10)[0] == [91, 101]
    assert first([5, 90, -7], step=-10)[0] == [-9, -19]
    assert first([1.0, 50.0, 2.0])[0] == [51, 52]
    assert "not at 51" not in first([1, 2])[1]
    assert first(["A-07", "A-60", "B-99"], what="numbered", prefix="A-", suffix="", width=2)[0] == ["A-61", "A-62"]


def test_real_dense_keys_do_not_come_back(real):
    values = pl.read_parquet(real("ai4i2020"))["Product ID"]
    made = pl.concat([make(values, "Product ID", 10_000), make(values, "Product ID", 40_000, 10_000)])
    assert made.n_unique() == 50_000
    assert made.str.contains(r"^[HLM]\d{5}$").all()
    assert not made.is_in(values.implode()).any()


def _gapped(rng, pattern, rows):
    """Draw different keys of a pattern."""
    pattern = Pattern.parse(pattern)
    return pattern.values(permute(np.arange(rows), pattern.size, int(rng.integers(2**31)))).tolist()


DENSE = {
    "an unused digit": (_gapped(RNG, r"[12]\d{4}-[AB]", 2000), r"^\d{5}-[AB]$"),
    "all digits used": (_gapped(RNG, r"C-\d{5}", 3000), r"^C-[1-9]\d{5}$"),
    "letters": (_gapped(RNG, "[A-Z]{3}", 800), "^[A-Z]{4}$"),
    "short hexadecimal": (_gapped(RNG, "[0-9a-f]{4}:[0-9a-f]{3}", 900), "^[0-9a-f]{5}:[0-9a-f]{3}$"),
    "two lengths, of which the longer is taken": (
        _gapped(RNG, r"[1-9]\d{4}", 400) + _gapped(RNG, r"[1-9]\d{5}", 400), r"^[1-9]\d{6}$"),
    "a code and its parts": (_gapped(RNG, r"K\d{3}", 150) + _gapped(RNG, r"K\d{3}-\d", 600), r"^K[1-9]?\d+-?\d$"),
}


@pytest.mark.parametrize("case", DENSE)
def test_dense_codes_make_room_for_new_ones(case):
    values, form = DENSE[case]
    made = make(values, "code", 3 * len(values))
    assert made.n_unique() == len(made)
    assert not set(made) & set(values)
    assert made.str.contains(form).all()


def test_long_random_keys_keep_their_form():
    values = CLAIMED["telco"][1]
    assert id.recognise(pl.Series(values), "customerID").settings["patterns"] == {r"\d{4}-[A-Z]{5}": 1.0}


@pytest.mark.parametrize("check, name, values", [
    ("ean", "barcode", [f"40063{i:07d}" for i in range(0, 10**7, 9973)]),
    ("ean", "ean", [f"{i:07d}" for i in range(10**6, 10**7, 9973)]),
    ("isbn10", "isbn", [f"3{i:08d}" for i in range(0, 10**8, 99_991)]),
    ("imei", "imei", [f"35209900{i:06d}" for i in range(0, 10**6, 997)]),
    ("vin", "vin", [f"1HGCM8263A{i:06d}" for i in range(0, 10**6, 997)]),
])
def test_dense_keys_with_check_digits_are_new_and_valid(check, name, values):
    texts = pl.Series([CHECKS[check].complete(v) for v in values])
    for real in [texts, texts.cast(pl.Int64)] if check in ("ean", "imei") else [texts]:
        made = make(real, name, 3000)
        assert made.dtype == real.dtype and made.n_unique() == 3000
        assert not made.is_in(real.implode()).any()
        assert all(CHECKS[check].passes(v) for v in made.cast(pl.String))


NUMBERS = {
    "all of a small type": (pl.Int16, RNG.permutation(30_000)[:1000]),
    "up to the end of a type": (pl.Int32, np.append(RNG.integers(0, 2**31 - 1, 3000), 2**31 - 1)),
    "unsigned to the end": (pl.UInt32, RNG.integers(2**20, 2**32 - 10**6, 3000)),
    "negative": (pl.Int64, RNG.integers(-(10**6), -10, 3000)),
    "seven digits": (pl.Int64, RNG.integers(10**6, 10**7, 3000)),
    "whole floats": (pl.Float64, RNG.integers(10**6, 10**7, 3000)),
}


@pytest.mark.parametrize("case", NUMBERS)
def test_random_numbers_are_new(case):
    dtype, numbers = NUMBERS[case]
    real = pl.Series(np.unique(numbers), dtype=pl.Int64).sample(fraction=1, shuffle=True, seed=1).cast(dtype)
    made = pl.concat([make(real, "id", 3000), make(real, "id", 2000, 3000)])
    assert made.dtype == dtype and made.n_unique() == 5000 and made.null_count() == 0
    assert not made.is_in(real.implode()).any()


def test_numbers_beyond_their_range_meet_no_real_one():
    made = make([5000, 7001, 6500], what="number", low=100, high=199, rows=300)
    assert made.n_unique() == 300 and not set(made) & {5000, 7001, 6500}
    with pytest.raises(UserError, match="no room for 500"):
        make(pl.Series([1, 90], dtype=pl.Int8), what="number", low=100, high=120, rows=500)


def test_missing_keys_stay_missing_and_near_keys_are_told():
    frame = pl.DataFrame({"id": [*range(100), *range(3), None, None]})
    coder = id.Coder.learn(frame, [Column(name="id", kind="id")], np.random.default_rng(0))
    codes = coder.encode(frame)
    assert codes[:, 0].tolist() == [0] * 103 + [1] * 2
    out = coder.decode(codes, Draw(np.random.default_rng(0), np.arange(105)))
    assert out["id"].null_count() == 2
    assert any("repeat" in note for note in coder.notes)
    assert len(coder.features(frame)) == 1


def test_settings_are_honoured_and_mistakes_told():
    assert make([1, 2, 3], what="sequence", step=5).to_list() == [4, 9, 14]
    assert make(["a"], what="numbered", prefix="P", width=4, rows=1).to_list() == ["P0001"]
    for wrong in ({"what": "sequenze"}, {"pattrn": "x"}, {"pattern": "[A-"},
                  {"what": "sequence", "step": 0, "start": 1},
                  {"pattern": r"[A-Z]\d{12}", "check": "ean"}, {"pattern": r"\d{9}", "check": "ean"},
                  {"what": "pattern", "patterns": {}}, {"what": "pattern", "check": "eaan", "patterns": {"a": 1}}):
        with pytest.raises(UserError):
            make([1, 2, 3], **wrong)


def test_no_literal_of_few_rows_is_kept():
    values = [f"AB-{i:04d}" for i in range(0, 9000, 9)] + ["SECRET-7"]
    coder = id.Coder.learn(pl.DataFrame({"id": values}), [Column(name="id", kind="id")], np.random.default_rng(0))
    state = json.dumps(coder.state())
    assert "SECRET" not in state and "AB-" in state
    assert id.Coder.restore(["id"], json.loads(state)).make(Draw(RNG, np.arange(9))).equals(
        coder.make(Draw(RNG, np.arange(9))))


@given(st.integers(1, 3000), st.integers(0, 2**31))
def test_permutation(size, key):
    assert sorted(permute(np.arange(size), size, key).tolist()) == list(range(size))


@settings(max_examples=50)
@given(st.lists(st.from_regex(r"\A[A-Za-z0-9 \[\]{}\\.^$_/-]{1,12}\Z"), min_size=1, max_size=30), st.integers(1, 6))
def test_learnt_patterns_are_read_back_and_match_a_training_value(values, k):
    for text in learn_patterns(pl.Series(values), k):
        pattern = Pattern.parse(text)
        assert pattern.text == text
        assert any(len(v) == len(pattern.alphabets) and all(c in a for c, a in zip(v, pattern.alphabets, strict=True))
                   for v in values)


@settings(max_examples=60)
@given(st.lists(st.from_regex(r"\A[ABC]?[0-3]{2,3}(-[0-9xy]{0,2})?\Z"), min_size=1, max_size=200, unique=True),
       st.integers(0, 1000))
def test_new_codes_are_never_real_ones(values, start):
    made = make(values, "code", 300, start)
    assert made.n_unique() == 300
    assert not set(made) & set(values)


@settings(max_examples=60)
@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=200, unique=True),
       st.sampled_from([pl.Int32, pl.Int64, pl.Float64, pl.String]))
def test_new_numbers_are_never_real_ones(values, dtype):
    values = pl.Series(values).cast(dtype)
    values = values.str.strip_suffix(".0") if dtype == pl.String else values
    made = make(values, "id", 300)
    assert made.n_unique() == 300 and made.null_count() == 0
    assert not made.is_in(values.implode()).any()


def test_a_column_may_have_any_name_and_a_constant_hexadecimal_prefix():
    keys = [f"DE000{i * 7919 % 100003:06d}" for i in range(400)]
    found = id.recognise(pl.Series("count", keys), "count").settings
    made = make(keys, "count", **found)
    assert made.str.contains(r"^DE\d+$").all() and not set(made) & set(keys)
