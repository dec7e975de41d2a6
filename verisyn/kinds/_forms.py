"""How a column of personal data is written: its settings, learnt from the values and edited by the user."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from verisyn.errors import UserError, did_you_mean
from verisyn.kinds import _recognisers as look
from verisyn.kinds import _settings
from verisyn.kinds._invent import CODED, INVENT, SAID, masks_of, promise
from verisyn.kinds._numbers import NUMBERS
from verisyn.kinds._patterns import Pattern, learn_patterns
from verisyn.kinds._people import RESERVED_DOMAINS
from verisyn.kinds._regenerated import TEXTS, known, share, type_name, words_of, written
from verisyn.schema import Column

NAMING = ("name", "first_name", "last_name", "email")
_SETTINGS = {"what": str, "locale": str, "form": str, "domains": list, "masks": dict, "groups": list, "patterns": dict,
             "k": int}


def find(sample: pl.Series, name: str, text: bool) -> tuple[str, float] | None:
    """Return what personal data the values are, and the share that fits; None where nothing is seen."""
    words = words_of(name)
    joined = "".join(words)
    found = look.contact_in(sample, {*words}, joined, text) or look.number_in(sample, {*words})
    return found or (look.name_in(sample, {*words}, joined) if text else None)


def read_settings(column: Column, series: pl.Series) -> dict[str, Any]:
    """Check a column's settings and fill in what they leave out from its values."""
    settings = _settings.read(column, _SETTINGS)
    dtype = type_name(series, column.kind)
    values = written(series.filter(known(series)))
    text = series.dtype in TEXTS
    found = find(_settings.distinct(values), column.name, text) or ("name" if text else "phone", 0.0)
    what = settings.get("what", found[0])
    if what not in INVENT:
        raise UserError(f"The setting 'what' of column {column.name!r} (kind personal) is {what!r}. "
                        f"{did_you_mean(what, INVENT)}")
    if not text and what in ("name", "first_name", "last_name", "email", "address", "ipv4", "ipv6", "mac"):
        raise UserError(f"Column {column.name!r} is {dtype}, but its setting 'what' is {what!r}, which is text. "
                        "Correct the setting, or read the column as text.")
    _check_locale(column.name, settings.get("locale", "en_US"))
    learnt = dict(_forms(what, values, _settings.shared_by(settings, len(series))))
    for pattern in settings.get("patterns", {}):
        Pattern.parse(pattern)
    _check_form(column.name, what, settings.get("form"))
    upper = share(values, r"\p{Lu}") > 0.9 and share(values, r"\p{Ll}") < 0.1
    return {**learnt, **settings, "what": what, "dtype": dtype, "missing": len(values) < len(series), "upper": upper}


def _forms(what: str, values: pl.Series, k: int) -> Iterator[tuple[str, Any]]:
    """Yield how values of this sort are written."""
    number = NUMBERS.get(what)
    if what == "email":
        taken = set(values.str.extract("@(.*)$").str.to_lowercase().unique().to_list())
        yield "domains", [d for d in RESERVED_DOMAINS if d not in taken][:3] or list(RESERVED_DOMAINS)
    if what == "phone" or number:
        yield "masks", masks_of(values.str.replace(look.EXTENSION, ""), k)
    if number and len(number.bodies) > 1:
        width = len(next(iter(number.bodies)))
        counts = _settings.tally(values.str.slice(0, width))
        groups = [g for g, rows in counts.iter_rows() if rows >= k and g in number.bodies]
        yield "groups", sorted(groups) or [next(iter(number.bodies))]
    if what in CODED:
        plain = values.filter(values.str.contains(r"^[ -~]{1,40}$"))
        yield "patterns", learn_patterns(plain, k) if len(plain) else {CODED[what]: 1.0}
    if what == "address":
        yield "form", "{street}, {postcode} {city}" if share(values, ",.*,") > 0.5 else "{street}"
    if what == "name":
        comma, title = share(values, r"^[^,]+, "), share(values, r"(?i)\b(mr|mrs|ms|miss|dr|herr|frau|mme)\b")
        title_word = "{title} " if title > 0.5 else ""
        yield "form", f"{{last}}, {title_word}{{first}}" if comma > 0.5 else f"{title_word}{{first}} {{last}}"


def _check_form(name: str, what: str, form: str | None) -> None:
    fields = {"name": {"first", "last", "title"}, "address": {"street", "postcode", "city"}}.get(what, set())
    used = set(re.findall(r"\{(\w*)\}", form or ""))
    if form is not None and (not used or used - fields):
        raise UserError(f"The setting 'form' of column {name!r} (kind personal) is {form!r}, but for {what} it must "
                        f"hold {', '.join('{' + f + '}' for f in sorted(fields)) or 'nothing (remove it)'}.")


def _check_locale(name: str, locale: str) -> None:
    from faker.config import AVAILABLE_LOCALES

    if locale not in AVAILABLE_LOCALES:
        raise UserError(f"The setting 'locale' of column {name!r} (kind personal) is {locale!r}, which Faker does not "
                        f"know. {did_you_mean(locale, AVAILABLE_LOCALES)}")


def notes_on(names: list[str], read: list[dict[str, Any]], locale: str) -> Iterator[str]:
    """Yield what new values are, columns of one promise together."""
    together: dict[str, list[str]] = {}
    for name, spec in zip(names, read, strict=True):
        told = promise(spec["what"], spec, spec.get("locale", locale))
        together.setdefault(told, []).append(f"{SAID[spec['what']]} in column {name!r}")
    for told, held in together.items():
        yield f"New {', '.join(held)} {told}."


def locale_for(columns: Sequence[Column], read: list[dict[str, Any]]) -> str:
    """Return the locale of the person's names: the one that most naming columns have."""
    votes = [c.settings.get("locale", "en_US") for c, spec in zip(columns, read, strict=True)
             if spec["what"] in NAMING[:3]]
    votes = votes or [c.settings["locale"] for c in columns if "locale" in c.settings] or ["en_US"]
    return max(votes, key=votes.count)
