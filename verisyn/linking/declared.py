"""Links as they are in the data: whether optional, how many orphans, and the evidence as a sentence."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from verisyn.linking.evidence import repeats
from verisyn.linking.pointing import pointed
from verisyn.schema import Link


def measured(link: Link, tables: Mapping[str, pl.DataFrame], why: str = "") -> Link:
    """Return the link with whether it is optional, its share of orphans, and the evidence as a sentence.

    Parameters
    ----------
    link : Link
    tables : mapping of str to polars.DataFrame
    why : str, default ""
        What the names say; where it is empty, a catalogue declares the link.
    """
    child, parent = tables[link.table], tables[link.parent]
    at = pointed(child, parent, link).at
    pointing = int((at != -1).sum())
    orphans = int((at == -2).sum())
    missing = any(child[c].null_count() for c in link.columns)
    share = round(orphans / pointing, 6) if pointing else 0.0
    return link.model_copy(update={"optional": missing, "orphans": share,
                                   "evidence": _sentence(link, tables, why, pointing, orphans)})


def _sentence(link: Link, tables: Mapping[str, pl.DataFrame], why: str, pointing: int, orphans: int) -> str:
    rows = f"{'all' if not orphans else f'{pointing - orphans:,} of'} {pointing:,} rows"
    if link.where:
        value = next(iter(link.where.values()))
        rows += f" where {next(iter(link.where))!r} is {value!r}"
    said = f"{'Declared' if not why else why[0].upper() + why[1:]}, and {rows} hold a key of {link.parent!r}"
    if twice := repeats(tables[link.parent], link.key):
        rows = f"{twice:,} of its {tables[link.parent].height:,} rows"
        said += f"; {rows} repeat another's key, and the first is meant"
    return said + "."
