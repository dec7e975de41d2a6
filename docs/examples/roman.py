"""Roman numerals: XIV, coded in the order of the numbers they stand for."""

import re

import numpy as np
import polars as pl

from verisyn.kinds import BaseCoder, Declined, Feature, Part, Recognised

_NUMERAL = re.compile(r"M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})")
_SIGNS = [(1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"),
          (9, "IX"), (5, "V"), (4, "IV"), (1, "I")]


def recognise(values, name):
    """Claim a text column in which every value is a Roman numeral."""
    if values.dtype != pl.String:
        raise Declined("not text")
    levels = values.drop_nulls().unique()
    if levels.is_empty() or not all(level and _NUMERAL.fullmatch(level) for level in levels):
        raise Declined("not all values are Roman numerals")
    return Recognised(0.9, f"all {len(levels)} distinct values are Roman numerals")


class Coder(BaseCoder):
    """One code a number from 1 to the largest seen; a missing value is the last code."""

    kind = "roman"

    def __init__(self, columns, largest):
        self.columns, self.largest = tuple(columns), largest
        self.parts = (Part(largest + 1, ordered=True, missing=largest),)

    @classmethod
    def learn(cls, frame, columns, rng):
        """Learn the largest number."""
        numbers = [_number(v) for v in frame[columns[0].name].drop_nulls()]
        return cls([columns[0].name], max(numbers, default=1))

    def encode(self, frame):
        """Return the number minus one; larger ones than seen become the largest."""
        codes = [self.largest if v is None else min(_number(v), self.largest) - 1 for v in frame[self.columns[0]]]
        return np.array(codes, np.int32).reshape(-1, 1)

    def decode(self, codes, draw):
        """Write the numbers as numerals."""
        texts = [None if c == self.largest else _numeral(int(c) + 1) for c in codes[:, 0]]
        return pl.DataFrame({self.columns[0]: pl.Series(texts, dtype=pl.String)})

    def features(self, frame):
        """Judges see the numbers."""
        values = [np.nan if v is None else _number(v) for v in frame[self.columns[0]]]
        return [Feature(self.columns[0], np.array(values, float))]

    def state(self):
        """One number is all there is to keep."""
        return {"largest": self.largest}

    @classmethod
    def restore(cls, columns, state):
        """Rebuild from that number."""
        return cls(columns, state["largest"])


def _number(numeral):
    total = 0
    for value, sign in _SIGNS:
        while numeral.startswith(sign):
            total, numeral = total + value, numeral[len(sign):]
    return max(total, 1)


def _numeral(number):
    text = ""
    for value, sign in _SIGNS:
        text += sign * (number // value)
        number %= value
    return text
