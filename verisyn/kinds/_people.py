"""Invented people: pools of names and streets from Faker, and contact data in ranges that belong to nobody."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import polars as pl

from verisyn.kinds._patterns import Pattern, permute, scramble

_POOL = 2000
RESERVED_DOMAINS = ("example.org", "example.com", "example.net", "mail.example", "post.example", "web.example")
_TITLES = {"de": ("Frau", "Herr"), "fr": ("Mme", "M."), "es": ("Sra.", "Sr."), "it": ("Sig.ra", "Sig."),
           "pt": ("Sra.", "Sr."), "nl": ("Mevr.", "Dhr.")}
_FOLD = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "đ": "d", "ı": "i", "ä": "ae", "ö": "oe",
                       "ü": "ue"})

FICTIONAL = {
    "en_US": ("1", "", (r"[2-9][02-8]\d55501\d{2}",)),
    "en_GB": ("44", "0", (r"2079460\d{3}", r"7700900\d{3}", r"11[345678]4960\d{3}", r"1[23456]14960\d{3}",
                          r"1914980\d{3}")),
    "de_DE": ("49", "0", (r"3023125\d{3}", r"6990009\d{3}", r"4066969\d{3}", r"2214710\d{3}", r"8999998\d{3}")),
    "fr_FR": ("33", "0", (r"19900\d{4}", r"26191\d{4}", r"35301\d{4}", r"46571\d{4}", r"53649\d{4}", r"63998\d{4}")),
    "en_AU": ("61", "0", (r"[2378]5550\d{4}", r"[2378]7010\d{4}")),
}
"""Phone numbers that regulators set aside for fiction: country code, trunk prefix, national numbers.

NANPA (555-0100 to 555-0199), Ofcom, Bundesnetzagentur, ARCEP, ACMA.
"""

COUNTRY_CODES = {
    "es_ES": ("34", ""), "it_IT": ("39", ""), "nl_NL": ("31", "0"), "pl_PL": ("48", ""), "pt_BR": ("55", ""),
    "pt_PT": ("351", ""), "sv_SE": ("46", "0"), "da_DK": ("45", ""), "fi_FI": ("358", "0"), "cs_CZ": ("420", ""),
    "tr_TR": ("90", "0"), "ru_RU": ("7", ""), "ja_JP": ("81", "0"), "zh_CN": ("86", ""), "en_IN": ("91", ""),
}


@dataclass(frozen=True)
class People:
    """Pools of one locale; a persona is a 64-bit number, and everything about an invented person follows from it."""

    locale: str
    seed: int

    def _pool(self, *methods: str) -> np.ndarray:
        from faker import Faker

        faker = Faker(self.locale)
        faker.seed_instance(self.seed)
        make = next((getattr(faker, m) for m in methods if hasattr(faker, m)), None)
        return np.array([make() if make else "1" for _ in range(_POOL)], object)

    @cached_property
    def _firsts(self) -> tuple[np.ndarray, np.ndarray]:
        return self._pool("first_name_female", "first_name"), self._pool("first_name_male", "first_name")

    @cached_property
    def _lasts(self) -> np.ndarray:
        return self._pool("last_name")

    @cached_property
    def _plain(self) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
        """First and last names as they stand in an e-mail address; of en_US where a script is not Latin."""
        if not folded(self._lasts[0]):
            return people("en_US", self.seed)._plain
        fold = np.frompyfunc(lambda name: folded(name) or "x", 1, 1)
        return (fold(self._firsts[0]), fold(self._firsts[1])), fold(self._lasts)

    def first(self, persona: np.ndarray, plain: bool = False) -> pl.Series:
        """Return first names."""
        female, male = self._plain[0] if plain else self._firsts
        return _text(np.where(_is_female(persona), female[_pick(persona, 2)], male[_pick(persona, 2)]))

    def last(self, persona: np.ndarray, plain: bool = False) -> pl.Series:
        """Return last names."""
        return _text((self._plain[1] if plain else self._lasts)[_pick(persona, 3)])

    def title(self, persona: np.ndarray) -> pl.Series:
        """Return forms of address."""
        female, male = _TITLES.get(self.locale[:2], ("Ms.", "Mr."))
        return _text(np.where(_is_female(persona), female, male).astype(object))

    @cached_property
    def _streets(self) -> tuple[np.ndarray, np.ndarray]:
        full = pl.Series(self._pool("street_address", "address").tolist(), dtype=pl.String).str.replace_all("\n", ", ")
        parts = full.str.extract_groups(r"^(\D*)\d*(.*)$").struct.unnest()
        return parts.to_series(0).to_numpy().astype(object), parts.to_series(1).to_numpy().astype(object)

    def street(self, persona: np.ndarray) -> pl.Series:
        """Return street addresses with house numbers of their own."""
        before, after = (half[_pick(persona, 4)] for half in self._streets)
        number = pl.Series(scramble(persona, 5) % np.uint64(180) + np.uint64(1)).cast(pl.String)
        return _text(before) + number + _text(after)

    @cached_property
    def _cities(self) -> np.ndarray:
        return self._pool("city")

    def city(self, persona: np.ndarray) -> pl.Series:
        """Return towns of the locale."""
        return _text(self._cities[_pick(persona, 9)])

    @cached_property
    def _postcodes(self) -> np.ndarray:
        return self._pool("postcode", "zipcode")

    def postcode(self, persona: np.ndarray) -> pl.Series:
        """Return postcodes of the locale."""
        return _text(self._postcodes[_pick(persona, 6)])


@cache
def people(locale: str, seed: int) -> People:
    """Return the pools of a locale; they are filled when first asked."""
    return People(locale, seed)


def folded(name: str) -> str:
    """Return the Latin letters and digits of a name, in lower case without accents.

    Examples
    --------
    >>> folded("Łukasz-Öz"), folded("Ольга")
    ('lukaszoez', '')
    """
    plain = unicodedata.normalize("NFKD", name.lower().translate(_FOLD)).encode("ascii", "ignore").decode()
    return "".join(c for c in plain if c.isalnum())


def _pick(persona: np.ndarray, salt: int) -> np.ndarray:
    return (scramble(persona, salt) % np.uint64(_POOL)).astype(np.int64)


def _is_female(persona: np.ndarray) -> np.ndarray:
    return scramble(persona, 1) % np.uint64(2) == 0


def _text(values: np.ndarray) -> pl.Series:
    return pl.Series(values.tolist(), dtype=pl.String)


def emails(first: pl.Series, last: pl.Series, persona: np.ndarray, index: np.ndarray | None,
           domains: list[str]) -> pl.Series:
    """Return addresses that fit the names; with `index` (the row in the whole sample) no two are alike."""
    if index is None:
        numbers = scramble(persona, 7) % np.uint64(1000)
    else:
        within = permute(index % 10_000, 10_000, 7)
        numbers = (index // 10_000).astype(np.uint64) * np.uint64(10_000) + within
    domain = np.array(domains, object)[(scramble(persona, 8) % np.uint64(len(domains))).astype(np.int64)]
    return first + "." + last + pl.Series(numbers).cast(pl.String) + "@" + _text(domain)


def from_bodies(bodies: tuple[str, ...], numbers: np.ndarray) -> np.ndarray:
    """Return members of the union of patterns; numbers below :func:`room` give different ones."""
    patterns = [Pattern.parse(body) for body in bodies]
    ends = np.cumsum([min(p.size, 2**48) for p in patterns])
    numbers = numbers % np.uint64(ends[-1])
    which = np.searchsorted(ends, numbers.astype(np.int64), side="right")
    out = np.empty(len(numbers), object)
    for at, pattern in enumerate(patterns):
        mine = which == at
        out[mine] = pattern.values(numbers[mine].astype(np.int64) - (ends[at] - min(pattern.size, 2**48)))
    return out


def room(bodies: tuple[str, ...]) -> int:
    """Return how many different numbers the patterns give."""
    return sum(min(Pattern.parse(body).size, 2**48) for body in bodies)

