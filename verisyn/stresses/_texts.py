"""Texts that are hard on software, and yet texts: empty-looking, long, in many scripts, with quotes and formulas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from verisyn.kinds._placeholder import CASES, words_in
from verisyn.stresses import cell
from verisyn.stresses._ground import Ground
from verisyn.stresses._points import Point

if TYPE_CHECKING:
    from verisyn.kinds import personal, text

_LONG = 10
_TEXTS = (
    ("", "an empty text", "not the same as a missing one"),
    (" ", "a single space", "looks empty, and is not"),
    ("null", "the word null", "a reader may take it for a missing value"),
    ("N/A", "the word N/A", "a reader may take it for a missing value"),
    ("0", "the text 0", "false, in some languages"),
    ("007", "leading zeros", "lost where a text is read as a number"),
    ("1e5", "a number in scientific form", "a reader may take it for 100,000"),
    ("  spaces around  ", "spaces at both ends", "compared as they are, or stripped"),
    ("O'Brien said \"no\"; then, left", "quotes, a comma and a semicolon", "must be quoted in a CSV file and in SQL"),
    ("first line\nsecond line", "two lines", "one cell, not two rows"),
    ("tab\there", "a tab", "a separator in TSV"),
    ("back\\slash and 100 %", "a backslash and a percent sign", "signs that escape others"),
    ("=1+1", "a formula", "a spreadsheet computes it"),
    ("<b>bold</b> & more", "mark-up", "must be escaped in a page"),
    ("Zoë Ångström, naïve café", "accents", "two bytes a letter"),
    ("Zoe\u0308", "a combining accent", "two characters that look like one"),
    ("Straße STRASSE İı", "letters whose case changes their number", "upper and lower case do not round-trip"),
    ("漢字かな交じり文", "East Asian script", "three bytes a letter, no spaces"),
    ("مرحبا שלום", "right-to-left script", "written the other way"),
    ("😀👩‍👩‍👧", "emoji", "beyond the basic plane; several code points, one sign"),
    ("zero\u200bwidth", "a character without a width", "two texts that look alike and differ"),
)
_NAMES = {
    "name": ("O'Brien-Smith", "Zoë Ångström", "Li", "María José de la Cruz y García-López", "Nuñez, Jr.", "李小龍",
             "Null"),
    "first_name": ("Zoë", "Bo", "Jean-Luc", "D'Arcy", "李", "Null"),
    "last_name": ("O'Brien", "Ng", "Smith-Jones", "van der Meer", "Ångström", "李", "Null"),
    "email": ("a@example.com", "first.last+tag@mail.example.org", "o'brien@example.com", "UPPER.Case@Example.COM",
              f"{'x' * 64}@example.com"),
}


def texts(ground: Ground, name: str, coder: text.Coder) -> Iterator[Point]:
    """Yield hard texts for a column of free text."""
    dtype = ground.dtype(name)
    for value, case, why in _TEXTS:
        yield Point(cell(value, dtype), case, why)
    state = coder.settings
    pool, joint = words_in(state["script"])
    words = max(1, round(state["lengths"][-1]))
    for times, case, why in ((1, "the longest text", "the end of what is usual"),
                             (_LONG, f"{_LONG} times the longest text", "no limit is stated")):
        many = [str(pool[i % len(pool)]) for i in range(words * times)]
        yield Point(cell(CASES[state["case"]](joint.join(many), state["sentence"], joint), dtype), case, why)


def people(ground: Ground, name: str, coder: personal.Coder) -> Iterator[Point]:
    """Yield hard names and addresses: invented, and such as people have."""
    spec = dict(zip(coder.columns, coder.state()["columns"], strict=True))[name]
    if ground.dtype(name) != pl.String:
        return
    for value in _NAMES.get(spec["what"], ()):
        yield Point(cell(value, pl.String()), repr(value), "valid, though unlike most")
