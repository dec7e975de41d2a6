"""Unique keys: numbers, UUIDs and patterned codes; made anew, never copied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn.errors import UserError, did_you_mean
from verisyn.kinds import Declined, Draw, Recognised, _settings
from verisyn.kinds._checksums import CHECKS
from verisyn.kinds._keys import WHATS, find
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
    values = values.filter(known(values))
    if values.dtype not in TEXTS and not values.dtype.is_numeric():
        raise Declined(f"{values.dtype} values are not keys")
    if values.is_empty():
        raise Declined("no values")
    named = says_id(name)
    if values.dtype.is_float() and not (named and bool((values == values.round()).all())):
        raise Declined("keys are whole numbers or text")
    share = values.n_unique() / len(values)
    if share < (0.95 if named else 1):
        raise Declined(f"only {share:.0%} of the values are different")
    found, evidence = find(values, words_of(name), named, _settings.shared_by({}, len(values)))
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
        if _lacks(settings):
            form, _ = find(values, words_of(column.name), True, _settings.shared_by(settings, len(values)), must=True)
            found = {**form, **settings} if form["what"] == settings.get("what", form["what"]) else settings
        state = _complete(column.name, found, values)
        state |= {"dtype": dtype, "missing": len(values) < len(series), "key": int(rng.integers(2**31))}
        return cls([column.name], state | {"notes": list(_notes(column.name, state, values))})

    def make(self, draw: Draw) -> pl.Series:
        """Make a key for each row; it depends on the row's place in the whole sample alone."""
        index = draw.start + np.arange(draw.rows)
        return getattr(self, f"_{self.settings['what']}")(index)

    def _sequence(self, index: np.ndarray) -> pl.Series:
        s = self.settings
        lowest, highest = _limits(s["dtype"])
        start, step = s["start"], s["step"]
        room = ((highest - start) // step if step > 0 else (start - lowest) // -step) + 1
        numbers = start + step * np.minimum(index, max(room, 0))
        over = index >= room
        if over.any():
            numbers[over] = s["below"] - abs(step) * (index[over] - max(room, 0))
            if numbers[over].min() < max(lowest, 0):
                raise UserError(f"Column {self.columns[0]!r} is {s['dtype']}, which has no room for "
                                f"{index.max() + 1:,} new keys. Read it as Int64, or ask for fewer rows.")
        return pl.Series(numbers)

    def _number(self, index: np.ndarray) -> pl.Series:
        low, high = self.settings["low"], self.settings["high"]
        size = min(high - low + 1, _SPACE)
        within = permute(index % size, size, self.settings["key"]) + (index // size).astype(np.uint64) * np.uint64(size)
        return pl.Series(within.astype(np.int64) + low)

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
        places = [at for at, letters in enumerate(pattern.alphabets) if letters[0].isalnum()]
        if check:
            pattern, keep = _without_check(pattern, check.at if check.at >= 0 else len(places) - check.width, places)
        size = min(pattern.size, _SPACE)
        rng = np.random.default_rng((key, int(index[0]) if len(index) else 0))
        made = pattern.values(permute(index % size, size, key), rng)
        if check:
            full = [check.complete(body) for body in made]
            made = _dress(full, keep, places) if full else made
        over = index >= size
        made = made.astype(object)
        made[over] = [f"{text}-{turn}" for text, turn in zip(made[over], index[over] // size, strict=True)]
        return made


def _without_check(pattern: Pattern, at: int, places: list[int]) -> tuple[Pattern, tuple[str, ...]]:
    """Return the pattern of the alphanumeric body without its check character, and the whole pattern's alphabets."""
    body = [pattern.alphabets[p] for i, p in enumerate(places) if i != at]
    plain = [a.translate(str.maketrans("", "", "IOQ")) or "0" for a in body]
    return Pattern(tuple(plain)), pattern.alphabets


def _dress(numbers: list[str], alphabets: tuple[str, ...], places: list[int]) -> np.ndarray:
    """Put the separators of a pattern back between the characters of numbers."""
    points = np.tile(np.array([ord(a[0]) for a in alphabets], np.uint32), (len(numbers), 1))
    points[:, places] = as_points(numbers)
    return as_text(points)


def _limits(dtype: str) -> tuple[int, int]:
    if dtype.startswith(("Int", "UInt")):
        info = np.iinfo(dtype.lower())
        return int(info.min), min(int(info.max), 2**63 - 1)
    return -(2**53), 2**53


def _lacks(settings: dict[str, Any]) -> bool:
    return "what" not in settings or any(name not in settings for name in WHATS.get(settings["what"], ()))


def _complete(name: str, found: dict[str, Any], values: pl.Series) -> dict[str, Any]:
    """Check the form and fill in what a user left out.

    Raises
    ------
    UserError
        If the form is unknown or cannot be made.
    """
    where = f"of column {name!r} (kind id)"
    what = found["what"]
    if what not in WHATS:
        raise UserError(f"The setting 'what' {where} is {what!r}. {did_you_mean(what, WHATS)}")
    if found.get("check") and found["check"] not in CHECKS:
        raise UserError(f"The setting 'check' {where} is {found['check']!r}. {did_you_mean(found['check'], CHECKS)}")
    state = {**WHATS[what], **found}
    for text, share in state.get("patterns", {}).items():
        if not isinstance(share, (int, float)) or share < 0:
            raise UserError(f"The setting 'patterns' {where} gives {text!r} the share {share!r}; "
                            "give a number from 0 on.")
        Pattern.parse(text)
    if what == "pattern" and not sum(state["patterns"].values()):
        raise UserError(f"The setting 'patterns' {where} is empty. Give at least one, "
                        r"such as '[A-Z]{2}-\d{6}: 1'.")
    if what == "number" and state["high"] < state["low"]:
        raise UserError(f"The settings {where} give no numbers: 'high' {state['high']} is below 'low' {state['low']}.")
    if what in ("sequence", "numbered") and not state["step"]:
        raise UserError(f"The setting 'step' {where} is 0, so keys would repeat. Give another step.")
    if what == "sequence":
        smallest: Any = values.min() if len(values) and values.dtype.is_numeric() else state["start"]
        state["below"] = min(int(smallest), state["start"]) - abs(state["step"])
    return state


def _notes(name: str, state: dict[str, Any], values: pl.Series):
    yield f"Column {name!r} holds keys; they were made anew, none is a real one{_but(state, len(values))}."
    if values.n_unique() < len(values):
        yield f"Some keys of column {name!r} repeat in the real data; the new ones are all different."
    if state.get("check"):
        yield f"The new keys of column {name!r} carry the right {CHECKS[state['check']].said}."
    room = _limits(state["dtype"])[1] - state.get("start", 0)
    if state["what"] == "sequence" and room < 20 * len(values) * abs(state["step"]):
        yield f"Column {name!r} is {state['dtype']}: where its numbers run out, keys go on below the smallest real one."


def _but(state: dict[str, Any], rows: int) -> str:
    """Say how often a key meets a real one by chance, where the pattern is narrow enough for it to matter."""
    if state["what"] != "pattern":
        return ""
    size = min(Pattern.parse(text).size for text in state["patterns"])
    if size > 1000 * rows:
        return ""
    return (f" except by chance (the narrowest pattern has {size:,} values; beyond them a key gets one more number, "
            "as in '…-1')")
