"""Frames as wild as hypothesis makes them, for verbs that must take any."""

from datetime import date

import polars as pl
from hypothesis import strategies as st


def frame_of(data):
    """Draw a frame of 1 to 12 rows and 1 to 4 columns, of numbers, booleans, texts or dates, with gaps."""
    rows = data.draw(st.integers(1, 12))
    column = st.one_of(
        st.lists(st.one_of(st.none(), st.integers(-2**62, 2**62)), min_size=rows, max_size=rows),
        st.lists(st.one_of(st.none(), st.floats(allow_infinity=True, allow_nan=True)), min_size=rows, max_size=rows),
        st.lists(st.one_of(st.none(), st.booleans()), min_size=rows, max_size=rows),
        st.lists(st.one_of(st.none(), st.text(max_size=6)), min_size=rows, max_size=rows),
        st.lists(st.one_of(st.none(), st.dates(date(1, 1, 1), date(9999, 12, 31))), min_size=rows, max_size=rows))
    names = data.draw(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=4, unique=True))
    return pl.DataFrame({n: pl.Series(n, data.draw(column), strict=False) for n in names})
