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
    assert "by chance" in note(list(range(50)), what="sequence", start=10)
    assert "by chance" in note(TOKENS)
    assert "none is a real one" in note([f"A-{i}" for i in range(50)])


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
