"""Dates and times written as text: the format is found by trying those in use, then read and written back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product

import polars as pl

_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y.%m.%d", "%d-%m-%Y", "%m-%d-%Y",
          "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%d-%b-%Y", "%a, %d %b %Y",
          "%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d-%b-%y", "%Y-%m")
_TIMES = ("%H:%M:%S", "%H:%M", "%H:%M:%S%.f", "%I:%M:%S %p", "%I:%M %p", "%I:%M%p", "%H.%M")
_PACKED = ("%Y%m%d", "%Y%m%d%H%M%S", "%Y%m%dT%H%M%S")
_ZONE = r"( ?(?:[Zz]|UTC|GMT|[+-]\d{2}:?\d{2}))$"
_LIKELY = r"^[\p{L}\d .,:/+-]{4,40}$"
_ENOUGH = 0.99
_MOST_TRIED = 60


@dataclass(frozen=True)
class Found:
    """A format, the share of texts it reads, and what else would read as many."""

    format: str
    share: float
    rival: str | None = None


def parse(series: pl.Series, form: str) -> pl.Series:
    """Return Date, Datetime("us") or Time by what `form` holds; null where a text is not in it.

    Examples
    --------
    >>> parse(pl.Series(["31/12/1580", "none"]), "%d/%m/%Y").to_list()
    [datetime.date(1580, 12, 31), None]
    """
    if not has_date(form):
        return series.str.to_time(form, strict=False)
    if not has_time(form):
        return series.str.to_date(form, strict=False)
    out = series.str.to_datetime(form, strict=False, time_unit="us")
    return out.dt.replace_time_zone(None)


def has_date(form: str) -> bool:
    """Whether a format holds a year."""
    return bool(re.search("%-?[YyDFc]", form))


def has_time(form: str) -> bool:
    """Whether a format holds an hour."""
    return bool(re.search("%-?[HITRc]", form))


def write(moments: pl.Series, form: str) -> pl.Series:
    """Return texts; a format with an offset writes moments in UTC."""
    if "%z" in form or "%:z" in form:
        moments = moments.dt.replace_time_zone("UTC")
    return moments.dt.to_string(form)


def find(texts: pl.Series, packed: bool = False) -> Found | None:
    """Return the format that reads nearly all of the distinct `texts`, or None.

    Parameters
    ----------
    texts : String series
        Distinct known texts.
    packed : bool
        Whether ``20201231`` may be a date, which takes a hint by the column's name.

    Examples
    --------
    >>> find(pl.Series(["31/12/2020 13:45", "01/02/2021 00:10"])).format
    '%d/%m/%Y %H:%M'
    >>> find(pl.Series(["1/2/2020", "3/4/2020"]))
    Found(format='%-d/%-m/%Y', share=1.0, rival='%-m/%-d/%Y')
    """
    likely = texts.str.contains(_LIKELY) & texts.str.contains(r"\d")
    if not len(texts) or likely.mean() < _ENOUGH:  # type: ignore[operator]
        return None
    few = texts.gather_every(max(1, len(texts) // _MOST_TRIED)).head(_MOST_TRIED)
    hopeful = [f for f in _candidates(texts, packed) if _share(few, f) >= 0.9]
    shares = {f: _share(texts, f) for f in hopeful}
    good = sorted((f for f in shares if shares[f] >= _ENOUGH), key=lambda f: (-round(shares[f], 3), hopeful.index(f)))
    if not good:
        return None
    spelled = [max(_spellings(f), key=lambda s: _echo(few, s)) for f in good]
    best = max(range(len(good)), key=lambda i: (_echo(few, spelled[i]), -i))
    rivals = [s for i, s in enumerate(spelled) if i != best and _echo(few, s) == _echo(few, spelled[best])
              and not parse(few, s).equals(parse(few, spelled[best]))]
    return Found(spelled[best], shares[good[best]], rivals[0] if rivals else None)


def _candidates(texts: pl.Series, packed: bool) -> list[str]:
    """Formats to try, the more usual first; those with a time only where there are colons or am/pm."""
    out = list(_DATES) + (list(_PACKED) if packed else [])
    if texts.str.contains(r":|\d\.\d\d$|[AaPp][Mm]").mean() > 0.5:  # type: ignore[operator]
        out += [*_TIMES[:-1], *(d + joint + t for d, joint, t in product(_DATES[:-1], (" ", "T", ", "), _TIMES))]
        zones = texts.str.extract(_ZONE, 1)
        if zones.null_count() < 0.01 * len(texts):
            known = zones.unique().to_list()
            tails = [known[0]] if len(known) == 1 else ["%:z", "%z"]
            out = [f + tail for f in out for tail in tails if has_time(f)]
    return out


def _share(texts: pl.Series, form: str) -> float:
    return 1 - parse(texts, form).null_count() / len(texts)


def _spellings(form: str) -> list[str]:
    """The format as it is, and without leading zeros in dates, hours or both."""
    bare = re.sub("%([dm])", r"%-\1", form)
    early = [re.sub("%([HI])", r"%-\1", f) for f in (form, bare)]
    exact = [re.sub(r"%\.f", "%.3f", form), re.sub(r"%\.f", "%.6f", form)]
    return list(dict.fromkeys([form, bare, *early, *exact]))


def _echo(texts: pl.Series, form: str) -> float:
    """Share of texts that come back as they were."""
    return float((write(parse(texts, form), form) == texts).fill_null(False).mean())  # type: ignore[arg-type]
