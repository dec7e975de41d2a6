"""Names, contact data and personal numbers; replaced by invented people, alike within a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn.kinds import BaseCoder, Declined, Draw, Feature, Part, Recognised, _settings
from verisyn.kinds import _recognisers as look
from verisyn.kinds._forms import NAMING, find, locale_for, notes_on, read_settings
from verisyn.kinds._invent import INVENT, SAID, Ask
from verisyn.kinds._patterns import scramble
from verisyn.kinds._people import People, people
from verisyn.kinds._regenerated import MISSING, TEXTS, as_type, gone_feature, known, share, words_of, written
from verisyn.schema import Column

modelled = False
of_people = True

_REPEATED = 0.9
_LABELS = 100
_CONFIDENT = {"name": 0.92, "first_name": 0.92, "last_name": 0.92, "address": 0.92, "postcode": 0.93}


def recognise(values: pl.Series, name: str) -> Recognised:
    """Claim personal data, found by content first and by the column's name where content alone would be a guess.

    Raises
    ------
    Declined
        If nothing personal is seen.
    """
    text = values.dtype in TEXTS
    if not text and not values.dtype.is_integer() and not values.dtype.is_float():
        raise Declined(f"{values.dtype} values are not personal data")
    sample = written(_settings.distinct(values)).drop_nulls()
    if sample.is_empty() or (values.dtype.is_float() and share(sample, r"\.") > 0):
        raise Declined("no whole numbers and no text")
    found = find(sample, name, text)
    if not found:
        raise Declined("nothing personal was seen")
    what, fit = found
    if what == "postcode" and values.n_unique() < 0.2 * len(values):
        raise Declined("postcodes that many rows share tell of places, not of people")
    locale = look.locale_of(what, sample)
    settings = {"what": what} | ({"locale": locale} if locale != "en_US" else {})
    checked = f"{fit:.0%} are on lists of names" if what in NAMING[:3] else f"{fit:.0%} of the different values fit"
    return Recognised(_CONFIDENT.get(what, 0.97), f"Holds {SAID[what]}: {checked}.", settings)


def group(columns: list[Column]) -> list[list[Column]]:
    """Put the columns that tell of one person together.

    Where two columns hold the same part of a name or an e-mail address (a sender's and a receiver's), columns go
    together by the rest of their names; those that fit none join the first person.
    """
    naming = [c.settings.get("what") for c in columns if c.settings.get("what") in NAMING]
    if len(naming) == len(set(naming)):
        return [columns]
    people: dict[str, list[Column]] = {}
    for column in columns:
        if column.settings.get("what") in NAMING:
            people.setdefault(_role(column.name), []).append(column)
    for column in columns:
        if column.settings.get("what") not in NAMING:
            people.get(_role(column.name), next(iter(people.values()))).append(column)
    return list(people.values())


def _role(name: str) -> str:
    said = {"name", "first", "last", "full", "email", "mail", "e", "surname", "forename", "phone", "mobile", "address"}
    return "".join(w for w in words_of(name) if w not in said)


class Coder(BaseCoder):
    """Invents people: one persona a row, or one for each value where values repeat.

    In a column whose values repeat, a value that at least k rows share has a code of its own and an invented stand-in
    that never changes; rarer values share one code and as many stand-ins as their mean repeat count asks for. Which
    value has which code is known only while the coder lives: it is not in the state, so a restored coder encodes
    every value as rare.
    """

    kind = "personal"

    def __init__(self, columns: Sequence[str], state: dict[str, Any]):
        self.columns = tuple(columns)
        self._state = state
        self._codes: dict[str, dict[str, int]] = {}
        self.notes = tuple(state["notes"])
        self.parts = tuple(p for s in state["columns"] if (p := _part(s)))
        self._people = people(state["locale"], state["seed"])

    @classmethod
    def learn(cls, frame: pl.DataFrame, columns: Sequence[Column], rng: np.random.Generator) -> Self:
        """Learn forms, locale and how values repeat; keeps no real value."""
        read = [read_settings(c, frame[c.name]) for c in columns]
        locale = locale_for(columns, read)
        names = [c.name for c in columns]
        repeats = {n: r for n in names if (r := _repeats(frame[n])) < _REPEATED}
        lead = max(repeats, key=lambda n: (repeats[n], -names.index(n))) if repeats else None
        codes: dict[str, dict[str, int]] = {}
        for column, spec in zip(columns, read, strict=True):
            name = column.name
            follows = lead is not None and name != lead and _follows(frame, lead, name)
            spec |= {"follows": follows, "unique": name not in repeats and not follows}
            if name in repeats and not follows:
                codes[name] = _code(spec, frame[name], rng)
        notes = list(notes_on(names, read, locale))
        coder = cls(names, {"columns": read, "locale": locale, "seed": int(rng.integers(2**31)), "lead": lead,
                            "notes": notes})
        coder._codes = codes
        return coder

    def encode(self, frame: pl.DataFrame) -> np.ndarray:
        """Return the code of the value where values repeat, and whether it is missing."""
        out = []
        for name, spec in zip(self.columns, self._state["columns"], strict=True):
            part = _part(spec)
            if part:
                codes = np.zeros(frame.height, np.int32)
                if "labels" in spec:
                    table, rare = self._codes.get(name, {}), len(spec["labels"])
                    found = written(frame[name]).replace_strict(table, default=rare, return_dtype=pl.Int32)
                    codes[:] = found.fill_null(rare).to_numpy()
                codes[~known(frame[name]).to_numpy()] = max(part.missing, 0)
                out.append(codes)
        return np.column_stack(out) if out else np.empty((frame.height, 0), np.int32)

    def decode(self, codes: np.ndarray, draw: Draw) -> pl.DataFrame:
        """Return invented people."""
        specs = dict(zip(self.columns, self._state["columns"], strict=True))
        rows = scramble(draw.personas, self._state["seed"])
        mine, gone, at = {}, {}, 0
        for name, spec in specs.items():
            part = _part(spec)
            if part:
                gone[name] = codes[:, at] == part.missing
                if "labels" in spec:
                    mine[name] = _personas(codes[:, at], spec, rows, draw.start)
                at += 1
        lead = self._state["lead"]
        for name, spec in specs.items():
            followed = mine[lead] if spec["follows"] else rows
            mine.setdefault(name, np.where(gone[lead], rows, followed) if lead in gone else followed)
        first, last = (self._bearer(specs, mine, what, rows) for what in ("first_name", "last_name"))
        index = draw.start + np.arange(draw.rows)
        made = []
        for salt, (name, spec) in enumerate(specs.items(), self._state["seed"]):
            rows_of = index if spec["unique"] else None
            ask = Ask(spec, self._people_of(spec), mine[name], first, last, rows_of, salt)
            made.append(self._column(name, spec, ask, gone.get(name)))
        return pl.DataFrame(made)

    @staticmethod
    def _bearer(specs: dict, mine: dict[str, np.ndarray], what: str, rows: np.ndarray) -> np.ndarray:
        """Return whose first or last name a row bears: its own column decides, else the full name, else the e-mail."""
        found = {spec["what"]: mine[name] for name, spec in specs.items()}
        return found.get(what, found.get("name", found.get("email", rows)))

    def _people_of(self, spec: dict[str, Any]) -> People:
        """Names come from the person's locale, numbers and addresses from the column's own."""
        locale = self._people.locale
        return self._people if spec["what"] in NAMING else people(spec.get("locale", locale), self._people.seed)

    def _column(self, name: str, spec: dict[str, Any], ask: Ask, gone: np.ndarray | None) -> pl.Series:
        made = INVENT[spec["what"]](ask)
        made = as_type(made.str.to_uppercase() if spec["upper"] else made, spec["dtype"])
        if gone is not None and gone.any():
            made = made.zip_with(pl.Series(~gone), pl.Series([None], dtype=made.dtype))
        return made.alias(name)

    def features(self, frame: pl.DataFrame) -> list[Feature]:
        """Return whether values are missing, where training had missing values."""
        return [gone_feature(frame[name]) for name, spec in zip(self.columns, self._state["columns"], strict=True)
                if spec["missing"]]

    def state(self) -> dict[str, Any]:
        """Return forms, locale and stand-ins."""
        return self._state

    @classmethod
    def restore(cls, columns: Sequence[str], state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        return cls(columns, state)


def _part(spec: dict[str, Any]) -> Part | None:
    if "labels" not in spec:
        return MISSING if spec["missing"] else None
    size = len(spec["labels"]) + 1
    return Part(size + 1, False, missing=size) if spec["missing"] else Part(size, False)


def _repeats(series: pl.Series) -> float:
    """Return the share of known values that are different; 1 for fewer than 20 values."""
    values = series.filter(known(series))
    return values.n_unique() / len(values) if len(values) >= 20 else 1.0


def _follows(frame: pl.DataFrame, lead: str, name: str) -> bool:
    """Return whether the value in `lead` decides the value in `name`."""
    both = frame.select(lead, name).drop_nulls()
    return both.height > 0 and both.unique().height <= 1.02 * both[lead].n_unique()


def _code(spec: dict[str, Any], series: pl.Series, rng: np.random.Generator) -> dict[str, int]:
    """Give codes and stand-ins to values that at least k rows share; return which value has which code."""
    counts = _settings.tally(written(series.filter(known(series))))
    shared = counts.filter(pl.col("rows") >= _settings.shared_by(spec, len(series))).head(_LABELS)
    rare = counts.tail(counts.height - shared.height)["rows"]
    spec["labels"] = rng.integers(0, 2**62, shared.height).tolist()
    spec["repeat"] = round(float(rare.mean() or 1.0), 3)  # type: ignore[arg-type]
    return {value: code for code, value in enumerate(shared["value"].to_list())}


def _personas(codes: np.ndarray, spec: dict[str, Any], rows: np.ndarray, start: int) -> np.ndarray:
    """Return the personas behind codes: the stand-in of a value, or one of a few that rare rows of this block share."""
    labels = np.array([*spec["labels"], 0], np.uint64)
    rare = codes == len(spec["labels"])
    few = max(1, round(int(rare.sum()) / spec["repeat"]))
    shared = scramble(rows % np.uint64(few) + np.uint64(start) * np.uint64(2**20), 17)
    return np.where(rare, shared, labels[np.minimum(codes, len(spec["labels"]))])
