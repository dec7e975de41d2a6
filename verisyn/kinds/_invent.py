"""Inventing one column of personal data from personas: names, contact data, numbers with checksums."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from verisyn.kinds._checksums import CHECKS
from verisyn.kinds._numbers import NUMBERS
from verisyn.kinds._patterns import as_points, as_text, permute, scramble
from verisyn.kinds._people import COUNTRY_CODES, FICTIONAL, People, emails, from_bodies, room
from verisyn.kinds._settings import tally

CODED = {"passport": r"[A-Z]{2}\d{7}", "plate": r"[A-Z]{3}-\d{4}"}


@dataclass(frozen=True)
class Ask:
    """What a column is made from: its settings, the pools, and the persona of each row.

    `first` and `last` are the personas whose names the row bears. `index` is the row in the whole sample where the
    values are to be all different, else None. `salt` is the column's own, so that two phones of a person differ.
    """

    settings: dict[str, Any]
    people: People
    persona: np.ndarray
    first: np.ndarray
    last: np.ndarray
    index: np.ndarray | None
    salt: int

    def drawn(self, size: int) -> np.ndarray:
        """Return a number below `size` for each row: all different as long as `size` allows, or by persona."""
        if self.index is None:
            return scramble(self.persona, self.salt) % np.uint64(size)
        return permute(self.index % size, size, self.salt)


def _first(ask: Ask) -> pl.Series:
    return ask.people.first(ask.first)


def _last(ask: Ask) -> pl.Series:
    return ask.people.last(ask.last)


def _name(ask: Ask) -> pl.Series:
    return _formed(ask.settings.get("form", "{first} {last}"),
                   {"first": _first(ask), "last": _last(ask), "title": ask.people.title(ask.first)})


def _formed(form: str, columns: dict[str, pl.Series]) -> pl.Series:
    """Fill a form such as ``{last}, {first}``; what stands between fields is kept, unknown fields stay as they are."""
    pieces = [pl.col(p[1:-1]) if p[1:-1] in columns and p[0] == "{" else pl.lit(p)
              for p in re.split(r"(\{\w+\})", form) if p]
    return pl.DataFrame(columns).select(pl.concat_str(pieces).alias("made")).to_series()


def _email(ask: Ask) -> pl.Series:
    first, last = ask.people.first(ask.first, plain=True), ask.people.last(ask.last, plain=True)
    return emails(first, last, ask.persona, ask.index, ask.settings["domains"])


def _address(ask: Ask) -> pl.Series:
    return _formed(ask.settings.get("form", "{street}"), {"street": ask.people.street(ask.persona),
                   "postcode": ask.people.postcode(ask.persona), "city": ask.people.city(ask.persona)})


def _postcode(ask: Ask) -> pl.Series:
    return ask.people.postcode(ask.persona)


def _ipv4(ask: Ask) -> pl.Series:
    n = ask.drawn(2**17)
    parts = [pl.Series((n >> np.uint64(s)) & np.uint64(255)).cast(pl.String) for s in (8, 0)]
    return "198." + pl.Series(18 + (n >> np.uint64(16))).cast(pl.String) + "." + parts[0] + "." + parts[1]


def _ipv6(ask: Ask) -> pl.Series:
    n = ask.drawn(2**48)
    return pl.Series([f"2001:db8::{v >> 32:x}:{v >> 16 & 65535:x}:{v & 65535:x}" for v in n.tolist()], dtype=pl.String)


def _coded(pattern: str) -> Callable[[Ask], pl.Series]:
    def make(ask: Ask) -> pl.Series:
        bodies = tuple(ask.settings.get("patterns", {pattern: 1.0}))
        return _text(from_bodies(bodies, ask.drawn(room(bodies))))

    return make


def _number(what: str) -> Callable[[Ask], pl.Series]:
    def make(ask: Ask) -> pl.Series:
        number = NUMBERS[what]
        bodies = tuple(number.bodies[group] for group in ask.settings.get("groups", list(number.bodies)[:1]))
        made = from_bodies(bodies, ask.drawn(room(bodies)))
        check = CHECKS.get(number.check)
        if check:
            made = np.array([check.complete(body) for body in made], object)
        return _text(_dressed(made, ask.settings.get("masks", {}), ask.persona))

    return make


def _phone(ask: Ask) -> pl.Series:
    masks = ask.settings.get("masks", {})
    code, trunk, bodies = phone_plan(ask.people.locale, masks)
    national = from_bodies(bodies, ask.drawn(room(bodies)))
    lengths = {len(n) for n in national[:1]}
    short, long = {len(trunk) + n for n in lengths}, {len(code) + n for n in lengths}
    fitting = {m: s for m, s in masks.items() if m.count("#") in (long if m.startswith("+") else short | long)}
    fitting = fitting or {_plain_mask(ask.people.locale, masks, len(code), max(lengths, default=9)): 1.0}
    which = _choose(fitting, ask.persona)
    out = np.empty(len(which), object)
    for at, mask in enumerate(fitting):
        mine = which == at
        abroad = mask.startswith("+") or (mask.count("#") in long - short)
        out[mine] = _fill((code if abroad else trunk) + national[mine], mask)
    return _text(out)


_MASKS = {"en_US": "(###) ###-####", "en_GB": "#### ### ####", "fr_FR": "## ## ## ## ##"}


def _plain_mask(locale: str, masks: dict[str, float], code: int, digits: int) -> str:
    """Return how numbers are written where no learnt mask fits them."""
    if sum(s for m, s in masks.items() if m.startswith("+")) > sum(masks.values()) / 2:
        return "+" + "#" * code + " " + "#" * digits
    return _MASKS.get(locale, "")


def phone_plan(locale: str, masks: dict[str, float]) -> tuple[str, str, tuple[str, ...]]:
    """Return country code, trunk prefix and patterns of national numbers; fictional ones where a range is set aside.

    Elsewhere national numbers have as many digits as the most frequent mask leaves room for.
    """
    if locale in FICTIONAL:
        return FICTIONAL[locale]
    code, trunk = COUNTRY_CODES.get(locale, ("999", ""))
    mask = max(masks, key=lambda m: masks[m]) if masks else ""
    digits = mask.count("#") - (len(code) if mask.startswith("+") else len(trunk))
    return code, trunk, (rf"[1-9]\d{{{(digits if 5 <= digits <= 13 else 9) - 1}}}",)


def _choose(shares: dict[str, float], persona: np.ndarray) -> np.ndarray:
    ends = np.cumsum(list(shares.values()))
    return np.searchsorted(ends[:-1] / ends[-1], scramble(persona, 16) / 2.0**64, side="right")


def _dressed(values: np.ndarray, masks: dict[str, float], persona: np.ndarray) -> np.ndarray:
    """Put separators between the characters of each value, by a mask with as many places."""
    lengths = np.array([len(v) for v in values], int)
    out = values.copy()
    for length in np.unique(lengths):
        fitting = {m: s for m, s in masks.items() if m.count("#") == length}
        if fitting:
            which = np.where(lengths == length, _choose(fitting, persona), -1)
            for at, mask in enumerate(fitting):
                out[which == at] = _fill(values[which == at], mask)
    return out


def _fill(values: np.ndarray, mask: str) -> np.ndarray:
    if not mask:
        return values
    points = np.tile(np.array([ord(c) for c in mask], np.uint32), (len(values), 1))
    if len(values):
        points[:, [at for at, c in enumerate(mask) if c == "#"]] = as_points(values.tolist())
    return as_text(points)


def _text(values: np.ndarray) -> pl.Series:
    return pl.Series(values.tolist(), dtype=pl.String)


def masks_of(values: pl.Series, k: int) -> dict[str, float]:
    """Return up to five ways in which values are written, each shared by at least `k` of them, with their counts."""
    marked = values.str.replace_all(r"\(0\)", "(\0)").str.replace_all(r"[\p{L}\d]", "#")
    masks = tally(marked.str.replace_all("\0", "0", literal=True)).head(5)
    return {mask: float(rows) for mask, rows in masks.iter_rows() if rows >= k}


INVENT: dict[str, Callable[[Ask], pl.Series]] = {
    "name": _name, "first_name": _first, "last_name": _last, "email": _email, "phone": _phone, "address": _address,
    "postcode": _postcode, "ipv4": _ipv4, "ipv6": _ipv6, "mac": _coded("[0-9a-f][26ae]" + ":[0-9a-f]{2}" * 5),
    **{what: _coded(pattern) for what, pattern in CODED.items()},
    **{what: _number(what) for what in NUMBERS},
}
SAID = {"name": "full names", "first_name": "first names", "last_name": "last names", "email": "e-mail addresses",
        "phone": "phone numbers", "address": "street addresses", "postcode": "postcodes", "ipv4": "IPv4 addresses",
        "ipv6": "IPv6 addresses", "mac": "MAC addresses", "passport": "passport numbers", "plate": "licence plates",
        **{what: number.said for what, number in NUMBERS.items()}}


def promise(what: str, settings: dict[str, Any], locale: str) -> str:  # noqa: PLR0911
    """Return how new values differ from real ones, as the end of a sentence that begins 'new ones …'."""
    if what == "email":
        return f"use domains that are reserved for examples ({', '.join(settings['domains'])}), so they reach nobody"
    if what == "phone" and locale in FICTIONAL:
        size = room(FICTIONAL[locale][2])
        return f"come from the {size:,} numbers that are set aside for fiction ({locale}); in longer tables they repeat"
    if what == "ipv4":
        return "come from 198.18.0.0/15, the range reserved for benchmarks (RFC 2544)"
    if what == "ipv6":
        return "come from 2001:db8::/32, the range reserved for documentation (RFC 3849)"
    if what == "mac":
        return "are locally administered addresses, which no maker hands out"
    number = NUMBERS.get(what)
    check = CHECKS[number.check].said if number and number.check else ""
    valid = f"carry the right {check} and " if check else ""
    if number and number.reserved:
        return valid + number.reserved
    if number or what == "phone" or what in CODED:
        return valid + "are random; no range of them is set aside, so one can be somebody's by chance"
    return "are invented; like any name or address, one can be a real person's by chance"
