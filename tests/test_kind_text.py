"""Free text: claimed last, filled with placeholder words of like length, no word of the training text kept."""

from __future__ import annotations

import json
import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verisyn.errors import UserError
from verisyn.kinds import Declined, Draw, text
from verisyn.kinds._placeholder import SCRIPTS, words_in
from verisyn.schema import Column


def learn(values, **settings_):
    frame = pl.DataFrame({"t": values})
    return text.Coder.learn(frame, [Column(name="t", kind="text", settings=settings_)], np.random.default_rng(0))


def make(values, rows=1000, **settings_):
    coder = learn(values, **settings_)
    codes = np.zeros((rows, len(coder.parts)), np.int32)
    return coder.decode(codes, Draw(np.random.default_rng(1), np.arange(rows)))["t"]


def test_confidence_rises_with_length_and_variety():
    long = pl.Series([f"a text that is number {i}" for i in range(50)])
    assert text.recognise(long, "x").confidence == 0.5
    assert text.recognise(pl.Series(["a", "b"] * 50), "x").confidence == 0.1
    assert text.recognise(pl.Series(["word"] * 5), "x").confidence == 0.1
    assert text.recognise(pl.Series([None], dtype=pl.String), "x").confidence == 0.1
    with pytest.raises(Declined):
        text.recognise(pl.Series([1]), "x")


def test_real_texts_keep_their_lengths_and_no_word(real):
    for data, column in (("airbnb_london_titles", "title"), ("sms_spam", "text")):
        frame = pl.read_parquet(real(data)).select(column).head(5000)
        coder = text.Coder.learn(frame, [Column(name=column, kind="text")], np.random.default_rng(0))
        made = coder.decode(coder.encode(frame), Draw(np.random.default_rng(1), np.arange(frame.height)))[column]
        assert made.null_count() == frame[column].null_count()
        counts = [s.drop_nulls().str.count_matches(r"\S+") for s in (frame[column], made)]
        assert abs(counts[0].median() - counts[1].median()) <= 1
        assert abs(counts[0].quantile(0.9) - counts[1].quantile(0.9)) <= 1
        real_words = {w.lower() for v in frame[column].drop_nulls() for w in v.split()}
        placeholders = set(words_in("latin")[0])
        assert {re.sub(r"\W", "", w.lower()) for v in made.drop_nulls() for w in v.split()} <= placeholders
        kept = json.dumps(coder.state())
        assert not [w for w in real_words - {column, "text", "title"} if len(w) > 8 and w in kept.lower() and w not in
                    ("meaning.", "placeholder", "sentence", "carries")]


@pytest.mark.parametrize(("values", "pattern"), [
    (["LOUD WORDS HERE", "AND MORE OF THEM"], r"^[A-Z ]+$"),
    (["quiet words here", "and more of them"], r"^[a-z ]+$"),
    (["Every Word Rises", "In This Column Too"], r"^([A-Z][a-z]* ?)+$"),
    (["It ends.", "This one too."], r"^[A-Z][a-z ]*\.$"),
    (["Привет большой мир", "Как твои дела"], r"^[А-Яа-я ]+$"),
    (["东京很大的城市", "北京也很大"], r"^[一-鿿]+$"),
    (["  ", ""], r"^$"),
])
def test_shape_is_kept(values, pattern):
    assert make(values * 20).str.contains(pattern).all()


def test_every_script_can_be_written():
    for name, script in SCRIPTS.items():
        words, _ = words_in(name)
        assert len(words) >= 26 and all(re.match(script.recognise, word) for word in words)


def test_settings_are_honoured_and_mistakes_told():
    assert make(["a b c"], lengths=[7]).str.count_matches(r"\S+").unique().to_list() == [7]
    assert make(["a b c"], case="upper", script="greek").str.contains("^[Α-Ω ]+$").all()
    for wrong in ({"case": "uper"}, {"script": "latn"}, {"lengths": [3, 1]}, {"lengths": ["x"]}, {"words": 3}):
        with pytest.raises(UserError):
            make(["a"], **wrong)


def test_told_in_the_notes():
    (note,) = learn(["a b"]).notes
    assert note.startswith("Column 't' holds free text; it was filled with placeholder text of similar length, which ")
    assert note.endswith("carries no meaning.")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.none() | st.text(max_size=40), max_size=20))
def test_wild_text_survives(values):
    frame = pl.DataFrame({"t": pl.Series(values, dtype=pl.String)})
    coder = text.Coder.learn(frame, [Column(name="t", kind="text")], np.random.default_rng(0))
    out = coder.decode(coder.encode(frame), Draw(np.random.default_rng(1), np.arange(len(values))))
    assert out["t"].is_null().to_list() == frame["t"].is_null().to_list()
    again = text.Coder.restore(["t"], json.loads(json.dumps(coder.state())))
    assert again.decode(coder.encode(frame), Draw(np.random.default_rng(1), np.arange(len(values)))).equals(out)
