"""What would be a link but for one thing that the source can mend: the types differ, or a key is there twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from verisyn.errors import listed
from verisyn.linking.evidence import inclusion, plain, repeats
from verisyn.linking.names import is_generic, likeness, says_key
from verisyn.schema import Link

_ALIKE, _SHARE, _REPEATS = 3, 0.9, 0.05
_MOST = 3

Frames = Mapping[str, pl.DataFrame]


def notes(tables: Frames, keys: Mapping[str, tuple[str, ...]], links: Sequence[Link]) -> tuple[str, ...]:
    """Return sentences about columns that are called like the key of a table, hold its values, and are no link.

    Parameters
    ----------
    tables : mapping of str to polars.DataFrame
    keys : mapping
        The keys that were found.
    links : sequence of Link
        The links that were found; their columns need no more.

    Examples
    --------
    >>> found = notes({"shops": pl.DataFrame({"id": ["1", "2", "3"]}), "sales": pl.DataFrame({"shop_id": [1, 3, 3]})},
    ...               {"shops": ("id",)}, ())
    >>> found[0].partition(', ')[0]
    'sales.shop_id looks as if it pointed to shops.id'
    """
    linked = {(link.table, c) for link in links for c in link.columns}
    found = list(_found(tables, keys, linked))
    if len(found) > _MOST:
        return (*found[:_MOST], f"{len(found) - _MOST} more columns are nearly links in the same way.")
    return tuple(found)


def _found(tables: Frames, keys: Mapping[str, tuple[str, ...]], linked: set[tuple[str, str]]) -> Iterator[str]:
    for parent, frame in tables.items():
        own = keys.get(parent, ())
        for key in own if len(own) == 1 else (c for c in frame.columns if says_key(c) or is_generic(c)):
            known = plain(frame[key])
            if known is None or (parent, key) in linked:
                continue
            twice = repeats(frame, (key,))
            if twice > _REPEATS * frame.height:
                continue
            pointing = [f"{table}.{column}" for table, column in _pointing(tables, parent, key, known, bool(twice))
                        if (table, column) not in linked]
            if pointing:
                yield _sentence(pointing, f"{parent}.{key}", known.dtype == pl.String, twice)


def _pointing(tables: Frames, parent: str, key: str, known: pl.Series, twice: bool) -> Iterator[tuple[str, str]]:
    """Yield columns that are called like the key and hold its values: of its type where it repeats, else of another."""
    for table, frame in tables.items():
        for column in frame.columns if table != parent else ():
            values = plain(frame[column])
            if values is None or (values.dtype == known.dtype) != twice:
                continue
            if likeness(column, parent, key, table)[0] < _ALIKE:
                continue
            seen = inclusion(values.cast(pl.String), known.cast(pl.String))
            if seen and seen.share >= _SHARE:
                yield table, column


def _sentence(pointing: Sequence[str], key: str, text: bool, twice: int) -> str:
    many = len(pointing) > 1
    named = listed(pointing) if many else pointing[0]
    begun = f"{named} look{'' if many else 's'} as if {'they' if many else 'it'} pointed to {key}, but "
    if twice:
        rows = "rows repeat" if twice > 1 else "row repeats"
        return f"{begun}that is no key: {twice:,} {rows} another's. So no link was made; mend that in the source."
    kinds = ("whole numbers", "text") if text else ("text", "whole numbers")
    return f"{begun}one holds {kinds[0]} and the other {kinds[1]}, so no link was made. Make them alike in the source."
