"""What personal data looks like: numbers with checksums, contact data, names; by content and by column name."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from importlib import import_module

import polars as pl

from verisyn.kinds._checksums import CHECKS
from verisyn.kinds._numbers import NUMBERS
from verisyn.kinds._regenerated import share
from verisyn.kinds._settings import tally

_EMAIL = r"^[\w.+'-]+@[\w-]+(\.[\w-]+)*\.\p{L}{2,}$"
_IPV4 = r"^((25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(25[0-5]|2[0-4]\d|1?\d?\d)$"
_IPV6 = (r"(?i)^([0-9a-f]{1,4}:){7}[0-9a-f]{1,4}$|"
         r"^([0-9a-f]{1,4}:){0,6}[0-9a-f]{0,4}::([0-9a-f]{1,4}:){0,6}[0-9a-f]{0,4}$")
_MAC = r"(?i)^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$"
EXTENSION = r"\s*(x|ext\.?)\s*\d{1,5}$"
_PHONE = r"^\+?[\d\s().\-/]{6,22}(\s*(x|ext\.?)\s*\d{1,5})?$"
_ABROAD = r"^\+[\d\s().-]{8,}$"
_NANP = r"^(\+?1[-. ])?(\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}"
_SSN = r"^(00[1-9]|0[1-9]\d|[1-578]\d\d|6[0-57-9]\d|66[0-57-9])-\d\d-\d{4}$"
_MOMENT = r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}"
_POSTCODE = r"^[A-Za-z0-9][A-Za-z0-9 -]{1,9}$"
_PLACES = {"address", "adresse", "street", "strasse", "direccion", "indirizzo", "addr", "anschrift", "adres", "ulica"}
_STREET = (r"(?i)\b(street|st|avenue|ave|av|road|rd|lane|ln|drive|dr|boulevard|blvd|way|court|rue|via|calle|rua|"
           r"avenida|avda|plaza|piazza|place|platz|weg|ul|ulica|jalan|square|sq|suite|apt)\b|stra(ß|ss)e\b|str\.|"
           r"(gatan|laan|straat|gasse|allee|vej|gade|katu|veien|gata)\b")
_NAME = r"^[\p{L}'’.,() -]*\p{L}[\p{L}'’.,() -]*$"
_TITLES = (r"(?i)\b(mr|mrs|ms|miss|mme|mlle|master|dr|prof|rev|sir|lady|col|major|capt|don|herr|frau|jr|sr|ii|iii|phd|"
           r"md)\b\.?")
LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "pt_BR", "pt_PT", "sv_SE", "da_DK",
           "fi_FI", "cs_CZ", "tr_TR", "ru_RU", "ja_JP", "zh_CN")

PREFIXES = {"1": "en_US", "44": "en_GB", "49": "de_DE", "33": "fr_FR", "34": "es_ES", "39": "it_IT", "31": "nl_NL",
            "48": "pl_PL", "55": "pt_BR", "351": "pt_PT", "46": "sv_SE", "45": "da_DK", "358": "fi_FI", "420": "cs_CZ",
            "90": "tr_TR", "7": "ru_RU", "81": "ja_JP", "86": "zh_CN", "61": "en_AU", "91": "en_IN"}
_DOMAINS = {"uk": "en_GB", "de": "de_DE", "at": "de_DE", "ch": "de_DE", "fr": "fr_FR", "es": "es_ES", "it": "it_IT",
            "nl": "nl_NL", "pl": "pl_PL", "br": "pt_BR", "pt": "pt_PT", "se": "sv_SE", "dk": "da_DK", "fi": "fi_FI",
            "cz": "cs_CZ", "tr": "tr_TR", "ru": "ru_RU", "jp": "ja_JP", "cn": "zh_CN", "au": "en_AU", "in": "en_IN"}


_CODED = {"passport": {"passport", "passeport", "reisepass"}, "plate": {"plate", "kennzeichen", "licence", "license"}}


@cache
def names_of(locale: str, stem: str) -> frozenset[str]:
    """Return Faker's names of a locale whose lists begin with `stem` (first_name, last_name), in lower case."""
    provider = import_module(f"faker.providers.person.{locale}").Provider
    lists = [getattr(provider, a) for a in dir(provider) if a.startswith(stem)]
    return frozenset(str(name).lower() for names in lists if isinstance(names, (list, tuple, dict)) for name in names)


def number_in(sample: pl.Series, words: set[str]) -> tuple[str, float] | None:
    """Return which numbers the values are, and the share that passes shape and checksum."""
    bare = sample.str.replace_all(r"[ .\-/]", "").str.to_uppercase()
    for what, number in NUMBERS.items():
        hint = bool(number.hints & words)
        if (number.hinted and not hint) or (len(sample) < 20 and not hint) or share(bare, number.shape) < 0.95:
            continue
        check = CHECKS.get(number.check)
        passing = sum(check.passes(v) for v in bare.to_list()) / len(bare) if check else share(bare, number.shape)
        if passing >= 0.95:
            return what, passing
    if len(sample) >= 20 and share(sample, _SSN) >= 0.98:
        return "us_ssn", 1.0
    return None


def contact_in(  # noqa: PLR0911
    sample: pl.Series, words: set[str], joined: str, text: bool,
) -> tuple[str, float] | None:
    """Return whether values are e-mails, addresses of the network, phones, postcodes, streets, and in what share."""
    for what, pattern in (("email", _EMAIL), ("ipv4", _IPV4), ("ipv6", _IPV6)):
        if (found := share(sample, pattern)) >= 0.95:
            return what, found
    for what, hints in _CODED.items():
        if hints & words and (found := share(sample, r"^[A-Za-z0-9 -]{4,12}$")) >= 0.9 and share(sample, r"\d") > 0.8:
            return what, found
    if "mac" in words and (found := share(sample, _MAC)) >= 0.95:
        return "mac", found
    if (found := share(sample, _PHONE)) >= 0.9 and _is_phone(sample, words, text):
        return "phone", found
    if {"zip", "postcode", "plz", "postal"} & words or "postcode" in joined or "zipcode" in joined:
        if (found := share(sample, _POSTCODE)) >= 0.9 and share(sample, r"\d") > 0.8:
            return "postcode", found
        return None
    streets, digits = share(sample, _STREET), share(sample, r"\d") * share(sample, r"\p{L}{3}")
    hint = bool(_PLACES & words)
    if text and ((hint and digits >= 0.5) or (streets >= 0.8 and digits >= 0.8 and share(sample, r"^.{6,80}$") > 0.9)):
        return "address", max(streets, digits)
    return None


def _is_phone(sample: pl.Series, words: set[str], text: bool) -> bool:
    hint = bool({"phone", "telephone", "tel", "mobile", "cell", "cellphone", "fax", "handy", "telefon", "phonenumber",
                 "telefono"} & words)
    counted = sample.str.replace(EXTENSION, "").str.replace_all(r"\D", "").str.len_chars().is_between(6, 15).mean()
    if share(sample, _MOMENT) > 0.5 or (counted or 0.0) < 0.9:  # type: ignore[operator]
        return False
    plain = max(share(sample, _ABROAD), share(sample, _NANP)) >= 0.9
    return hint or (text and plain and len(sample) >= 10)


def name_in(sample: pl.Series, words: set[str], joined: str) -> tuple[str, float] | None:
    """Return whether values are first, last or full names, and the share that is on Faker's lists."""
    if share(sample, _NAME) < 0.9 or share(sample, r"^.{2,60}$") < 0.9 or _NOT_PEOPLE & words:
        return None
    plain = sample.str.to_lowercase().str.replace_all(_TITLES, " ").str.replace_all(r"\([^)]*\)", " ").str.strip_chars()
    first_hint, last_hint = (any(h in joined for h in hints) for hints in (_FIRST, _LAST))
    firsts, lasts = _on_lists(plain, "first_name"), _on_lists(plain, "last_name")
    many = len(sample) >= 20
    if (first_hint and firsts >= 0.1) or (many and not last_hint and firsts >= 0.75):
        return "first_name", firsts
    if (last_hint and lasts >= 0.05) or (many and lasts >= 0.7):
        return "last_name", lasts
    several = plain.str.count_matches(r"[\p{L}'’.-]+").is_between(2, 5).mean() or 0.0
    given = plain.str.extract(r"^[^,]+,\s*([\p{L}'’-]+)").fill_null(plain.str.extract(r"^([\p{L}'’-]+)"))
    full = _on_lists(given.drop_nulls(), "first_name")
    wanted = 0.3 if {*_PEOPLE} & words else 0.55 if "name" in words else 0.65
    if several >= 0.85 and full >= wanted and (many or {"name", *_PEOPLE} & words):  # type: ignore[operator]
        return "name", full
    return None


_FIRST = ("firstname", "forename", "givenname", "vorname", "prenom", "prénom", "namefirst", "fname", "imie", "imię")
_LAST = ("lastname", "surname", "familyname", "nachname", "apellido", "cognome", "nazwisko", "namelast", "lname",
         "sobrenome")
_PEOPLE = ("fullname", "contact", "customer", "client", "employee", "patient", "passenger", "author", "owner", "person",
           "student", "teacher", "doctor", "manager", "applicant", "holder", "member", "guest", "candidate", "surname")
_NOT_PEOPLE = {"company", "product", "file", "city", "country", "brand", "hotel", "street", "store", "shop", "school",
               "team", "category", "model", "domain", "neighbourhood", "neighborhood", "zone", "state", "place",
               "birthplace"}


def _on_lists(values: pl.Series, stem: str) -> float:
    return _hits(values, _all_names(stem))


def _hits(values: pl.Series, names: Collection[str]) -> float:
    return float(values.is_in(list(names)).mean() or 0.0) if len(values) else 0.0  # type: ignore[arg-type]


@cache
def _all_names(stem: str) -> list[str]:
    return sorted(frozenset().union(*(names_of(locale, stem) for locale in LOCALES)))


def locale_of(what: str, sample: pl.Series) -> str:
    """Return the locale that fits best: by name lists, ends of e-mail addresses or phone prefixes; else en_US."""
    if what in NUMBERS and NUMBERS[what].locale:
        return NUMBERS[what].locale
    if what == "email":
        found = sample.str.extract(r"\.(\p{L}+)$").str.to_lowercase().replace_strict(_DOMAINS, default=None)
        return _most(found, 0.5)
    if what == "phone":
        digits = sample.str.extract(r"^(?:\+|00)\s?(\d{1,3})")
        codes = sorted(PREFIXES, key=len, reverse=True)
        found = digits.str.extract(f"^({'|'.join(codes)})").replace_strict(PREFIXES, default=None)
        return _most(found, 0.3)
    if what not in ("name", "first_name", "last_name"):
        return "en_US"
    words = sample.str.to_lowercase().str.extract_all(r"[\p{L}'’-]+").explode().drop_nulls()
    hits = {loc: _hits(words, names_of(loc, "first_name") | names_of(loc, "last_name")) for loc in LOCALES}
    best = max(hits, key=lambda loc: hits[loc])
    return best if hits[best] > 1.2 * hits["en_US"] else "en_US"


def _most(found: pl.Series, at_least: float) -> str:
    known = found.drop_nulls()
    if len(known) < at_least * max(len(found), 1):
        return "en_US"
    return tally(known)["value"][0]
