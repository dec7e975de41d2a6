"""Unique keys: numbers, UUIDs and patterned codes; made anew, never copied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
import polars as pl

from verisyn.errors import UserError
from verisyn.kinds import Declined, Draw, Recognised, _settings
from verisyn.kinds._checksums import CHECKS
from verisyn.kinds._freshkeys import alphanumeric, body
from verisyn.kinds._keyforms import complete, lacks, notes_on, rooms
from verisyn.kinds._keys import find, limits
from verisyn.kinds._patterns import Pattern, as_points, as_text, permute, scramble
from verisyn.kinds._regenerated import TEXTS, Regenerated, known, type_name, words_of
from verisyn.schema import Column

modelled = False

_NAMES = {"id", "ids", "key", "pk", "no", "nr", "num", "number", "uuid", "guid", "code", "index", "idx", "ref",
          "serial", "sku", "hash", "token", "identifier", "ean", "gtin", "upc", "isbn", "imei", "vin", "barcode", "#",
          "uid", "rowid"}
_NOT_NAMES = {"zip", "postal", "post", "postcode", "area", "country", "phone", "mobile", "fax"}
_SETTINGS = {"what": str, "start": int, "step": int, "low": int, "high": int, "prefix": str, "suffix": str,
             "width": int, "version": int, "form": str, "patterns": dict, "pattern": str, "check": str, "k": int}
_SPACE = 2**48
_TRIES, _LOOKED_AT, _SHARED = 5, 10_000, 0.01
"""Real keys of which so many are among the first new ones were made from the same seed, by an earlier generation."""


def says_id(name: str) -> bool:
    """Return whether a column's name says that it holds keys.

    Examples
    --------
    >>> says_id("CustomerId"), says_id("No"), says_id("zip_code"), says_id("paid"), says_id("number_of_reviews")
    (True, True, False, False, False)
    """
    words = words_of(name)
    return bool(words) and not _NOT_NAMES & {*words} and (words[-1] in _NAMES or words[0] in {"id", "uuid", "index"})


def recognise(values: pl.Series, name: str) -> Recognised:
    """Claim columns of unique keys.

    Raises
    ------
    Declined
        If values repeat, or look like measurements, dates or words.
    """
    rows, values = len(values), values.filter(known(values))
    if values.dtype not in TEXTS and not values.dtype.is_numeric():
        raise Declined(f"{values.dtype} values are not keys")
    if values.is_empty():
        raise Declined("no values")
    named = says_id(name)
    if values.dtype.is_float() and not (named and bool((values == values.round()).all())):
        raise Declined("keys are whole numbers or text")
    share = values.n_unique() / len(values)
    if share < (0.95 if named else 1):
        raise Declined(f"values repeat ({share:.2%} are different)")
    found, evidence = find(values, words_of(name), named, _settings.shared_by({}, rows))
    confidence = 0.95 if found["what"] == "uuid" else 0.92 if named else 0.86
    unique = "every value is different" if share == 1 else f"{share:.1%} of the values are different"
    return Recognised(confidence, f"{unique[0].upper()}{unique[1:]}, and {evidence}.", found)


class Coder(Regenerated):
    """Makes new keys of the learnt form; no two alike, from block to block."""

    kind = "id"

    @classmethod
    def learn(cls, frame: pl.DataFrame, columns: Sequence[Column], rng: np.random.Generator) -> Self:
        """Learn the form; what the settings say wins over what is found."""
        column = columns[0]
        settings = _settings.read(column, _SETTINGS)
        series = frame[column.name]
        values = series.filter(known(series))
        dtype = type_name(series, cls.kind)
        if "pattern" in settings:
            settings |= {"what": "pattern", "patterns": {settings["pattern"]: 1.0}}
        found = settings
        if lacks(settings):
            form, _ = find(values, words_of(column.name), True, _settings.shared_by(settings, len(series)), must=True)
            found = {**form, **settings} if form["what"] == settings.get("what", form["what"]) else settings
        state = complete(column.name, found, values, dtype)
        state |= {"missing": len(values) < len(series), "key": int(rng.integers(2**31))}
        coder = cls([column.name], state | {"notes": list(notes_on(column.name, settings, state, values))})
        for _ in range(_TRIES):
            if not coder._made_before(values):
                break
            coder.settings["key"] = int(rng.integers(2**31))
        return coder

    def _made_before(self, values: pl.Series) -> bool:
        """Whether the real keys were themselves made from this seed, so that the same ones would be made again."""
        if self.settings["what"] not in ("uuid", "pattern"):
            return False
        made = getattr(self, f"_{self.settings['what']}")(np.arange(min(len(values), _LOOKED_AT)))
        return int(made.is_in(values.cast(pl.String).implode()).sum()) > _SHARED * len(made)

    def make(self, draw: Draw) -> pl.Series:
        """Make a key for each row; it depends on the row's place in the whole sample alone."""
        index = draw.start + np.arange(draw.rows)
        return getattr(self, f"_{self.settings['what']}")(index)

    def _sequence(self, index: np.ndarray) -> pl.Series:
        s = self.settings
        up, down = rooms(s)
        turned = index >= up
        if len(index) and index.max() >= up + down:
            raise UserError(f"Column {self.columns[0]!r} is {s['dtype']}, which has no room for {index.max() + 1:,} "
                            f"new keys. Read the column as Int64, or ask for fewer rows.")
        numbers = np.empty(len(index), np.int64)
        for mine, start, step, at in ((~turned, s["start"], s["step"], index),
                                      (turned, s["turn"], -s["step"], index - up)):
            if mine.any():
                numbers[mine] = start + step * at[mine]
        return pl.Series(numbers)

    def _number(self, index: np.ndarray) -> pl.Series:
        low, high = self.settings["low"], self.settings["high"]
        size = min(high - low + 1, _SPACE)
        over = index >= size
        more = self.settings["more"] - size
        if over.any() and more + int(index.max()) > limits(self.settings["dtype"])[1]:
            raise UserError(f"Column {self.columns[0]!r} is {self.settings['dtype']}, which has no room for "
                            f"{index.max() + 1:,} new keys. Read the column as Int64, or ask for fewer rows.")
        numbers = permute(index % size, size, self.settings["key"]).astype(np.int64) + low
        if over.any():
            numbers[over] = index[over] + more
        return pl.Series(numbers)

    def _numbered(self, index: np.ndarray) -> pl.Series:
        s = self.settings
        numbers = pl.Series(s["start"] + s["step"] * index).cast(pl.String).str.zfill(s["width"])
        return s["prefix"] + numbers + s["suffix"]

    def _uuid(self, index: np.ndarray) -> pl.Series:
        key, version = self.settings["key"], self.settings["version"]
        high = scramble(scramble(index, key), key + 1) & np.uint64(0xFFFFFFFFFFFF0FFF) | np.uint64(version << 12)
        low = scramble(index, key + 2) & np.uint64(2**62 - 1) | np.uint64(2**63)
        made = [f"{h:016x}{w:016x}" for h, w in zip(high.tolist(), low.tolist(), strict=True)]
        form = self.settings["form"]
        if "-" in form:
            made = [f"{t[:8]}-{t[8:12]}-{t[12:16]}-{t[16:20]}-{t[20:]}" for t in made]
        made = [t.upper() for t in made] if "X" in form else made
        return pl.Series(made, dtype=pl.String)

    def _pattern(self, index: np.ndarray) -> pl.Series:
        texts, shares = zip(*self.settings["patterns"].items(), strict=True)
        key = self.settings["key"]
        at = np.cumsum(shares) / np.sum(shares)
        which = np.searchsorted(at[:-1], scramble(index, key + 9) / 2.0**64, side="right")
        made = np.empty(len(index), object)
        for number, text in enumerate(texts):
            mine = which == number
            made[mine] = self._of(Pattern.parse(text), index[mine], key + 16 * number)
        return pl.Series(made, dtype=pl.String)

    def _of(self, pattern: Pattern, index: np.ndarray, key: int) -> np.ndarray:
        check = CHECKS.get(self.settings.get("check", ""))
        free = body(pattern, check)
        size = min(free.size, _SPACE)
        rng = np.random.default_rng((key, int(index[0]) if len(index) else 0))
        made = free.values(permute(index % size, size, key), rng)
        if check:
            full = [check.complete(text) for text in made]
            made = _dress(full, pattern) if full else made
        over = index >= size
        made = made.astype(object)
        joiner, turns = self.settings["joiner"], index[over] // size
        made[over] = [f"{text}{joiner}{turn}" for text, turn in zip(made[over], turns, strict=True)]
        return made


def _dress(numbers: list[str], pattern: Pattern) -> np.ndarray:
    """Put the separators of a pattern back between the characters of numbers."""
    points = np.tile(np.array([ord(a[0]) for a in pattern.alphabets], np.uint32), (len(numbers), 1))
    points[:, alphanumeric(pattern)] = as_points(numbers)
    return as_text(points)
