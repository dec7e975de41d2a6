"""Links of one column to the key of another table, or of its own; and which columns are keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from verisyn.linking import declared, polymorphic
from verisyn.linking.evidence import Inclusion, inclusion, plain
from verisyn.linking.names import PLAIN, is_generic, likeness, says_key, stems, table_words
from verisyn.schema import Link

_NAMED, _ENOUGH, _NEARLY_ALL, _ALL = 0.5, 0.8, 0.95, 0.999
"""Shares of rows that must point to a key: names the same, much alike, somewhat alike, not alike and numbers."""
_SOME, _MUCH = 3.0, 8.0
"""How unlikely by chance (10 to the minus so much) it must be where a name hints at it, and where none does."""
_SHARE_OF_KEYS = 0.9
_KEY = 2.5
_VALUES = "its values tell so without its name"
_MEASURES = {"year", "month", "day", "hour", "minute", "second", "week", "quarter", "date", "time", "age", "price",
             "amount", "quantity", "qty", "rank", "size", "weight", "height", "score", "value", "count", "rate",
             "level"}
"""What is a number even where no two rows have the same."""


def candidates(tables: Mapping[str, pl.DataFrame]) -> dict[str, str]:
    """Return the column of each table that is most likely its key, where one may be: no value missing, none twice."""
    found = {}
    for table, frame in tables.items():
        rated = [(_rating(frame, i, table, tables), -i, c) for i, c in enumerate(frame.columns) if _unique(frame[c])]
        best = max(rated, default=(0.0, 0, ""))
        if best[0] >= _KEY:
            found[table] = best[2]
    return found


def links(tables: Mapping[str, pl.DataFrame], targets: Mapping[str, str], told: Sequence[Link] = ()) -> list[Link]:
    """Return the links of single columns to those keys, one a column at most, and those of pairs (type, id).

    Columns that have a `told` link get none beside it, and it is not turned round.
    """
    taken = {(k.table, k.columns[0]) for k in told if len(k.columns) == 1}
    told_back = {(k.parent, k.key[0], k.table) for k in told if len(k.columns) == 1}
    keys = {t: k for t, c in targets.items() if (k := plain(tables[t][c])) is not None}
    several = [k for k in polymorphic.links(tables, {t: targets[t] for t in keys})
               if (k.table, k.columns[0]) not in taken]
    taken = taken | {(link.table, link.columns[0]) for link in several}
    best: dict[tuple[str, str], _Claim] = {}
    for claim in _claims(tables, targets, keys, taken):
        place = (claim.table, claim.column)
        if (*place, claim.parent) in told_back:
            continue
        if place not in best or claim.rank > best[place].rank:
            best[place] = claim
    kept = [c for c in best.values() if not _turned_round(c, best, tables) and not _rather_a_place(c, best, tables)]
    found = [declared.measured(Link(table=c.table, columns=(c.column,), parent=c.parent, key=(targets[c.parent],)),
                               tables, c.why) for c in kept]
    return [*found, *several]


def main_keys(tables: Mapping[str, pl.DataFrame], found: Sequence[Link]) -> dict[str, tuple[str, ...]]:
    """Return the columns that are primary keys: what links point to, or what is called so."""
    keys: dict[str, tuple[str, ...]] = {}
    for link in found:
        if len(link.key) == 1 and _unique(tables[link.parent][link.key[0]]):
            keys.setdefault(link.parent, link.key)
    for table, column in candidates(tables).items():
        joins = {k.columns[0] for k in found if k.table == table} >= set(tables[table].columns) and len(
            tables[table].columns) > 1  # a table that joins others has the whole row as its key
        if table not in keys and not joins and (says_key(column) or is_generic(column)):
            keys[table] = (column,)
    return keys


@dataclass(frozen=True)
class _Claim:
    """That a column points to the key of a table."""

    table: str
    column: str
    parent: str
    likeness: int
    inclusion: Inclusion
    why: str

    @property
    def rank(self) -> tuple[Any, ...]:
        return self.likeness, round(self.inclusion.share, 2), self.inclusion.covered


def _claims(tables: Mapping[str, pl.DataFrame], targets: Mapping[str, str], keys: Mapping[str, pl.Series],
            taken: set[tuple[str, str]]) -> Iterator[_Claim]:
    for table, frame in tables.items():
        for column in frame.columns:
            values = plain(frame[column]) if (table, column) not in taken else None
            if values is None:
                continue
            for parent, key in keys.items():
                if (parent, targets[parent]) == (table, column) or values.dtype != key.dtype:
                    continue
                like, named = likeness(column, parent, targets[parent], table)
                own = targets.get(table) == column
                if (own and like < 3) or (parent == table and not like):
                    continue
                seen = inclusion(values, key)
                if seen and _believed(like, seen, column, values):
                    yield _Claim(table, column, parent, like, seen, named or _VALUES)


def _believed(like: int, seen: Inclusion, column: str, values: pl.Series) -> bool:
    """Whether names and values together are enough."""
    text = values.dtype == pl.String
    if set(stems(column)) & _MEASURES and like < 4:
        return False
    if like == 4:
        return seen.share >= _NAMED
    if like == 3:
        return seen.share >= (_NAMED if text or seen.surprise >= _MUCH else _ENOUGH)
    if seen.share < _NEARLY_ALL:
        return seen.share >= _ENOUGH and seen.surprise >= _MUCH and text and seen.distinct >= 20
    if like == 1:
        return says_key(column) or seen.surprise >= _SOME or (seen.covered >= _SHARE_OF_KEYS and seen.distinct >= 3)
    return seen.surprise >= _MUCH and seen.distinct >= 5 and (text or seen.share >= _ALL)


def _rather_a_place(claim: _Claim, best: Mapping[tuple[str, str], _Claim], tables: Mapping[str, pl.DataFrame]) -> bool:
    """Whether whole numbers called ``order`` rather put rows in order, for ``order_id`` points to the orders."""
    if says_key(claim.column) or claim.likeness < 4 or tables[claim.table].schema[claim.column] == pl.String:
        return False
    return any(c.table == claim.table and c.parent == claim.parent and says_key(c.column) for c in best.values())


def _turned_round(claim: _Claim, best: Mapping[tuple[str, str], _Claim], tables: Mapping[str, pl.DataFrame]) -> bool:
    """Whether the other of two tables that point to each other, one to one, is rather the child."""
    back = next((c for c in best.values() if c.table == claim.parent and c.parent == claim.table != c.table
                 and c.column in (claim.column, *tables[claim.parent].columns)
                 and tables[c.table][c.column].n_unique() == tables[c.table].height), None)
    if back is None or tables[claim.table][claim.column].n_unique() < tables[claim.table].height:
        return False
    return (back.rank[:2], _named_after(claim.table, claim.column), tables[claim.table].height, claim.table) > (
        claim.rank[:2], _named_after(back.table, back.column), tables[back.table].height, back.table)


def _named_after(table: str, column: str) -> bool:
    return table_words(table) == tuple(w for w in stems(column) if w not in PLAIN)


def _unique(values: pl.Series) -> bool:
    known = values.dtype == pl.String or values.dtype.is_integer()
    return known and not values.null_count() and values.n_unique() == len(values)


def _rating(frame: pl.DataFrame, place: int, table: str, tables: Mapping[str, pl.DataFrame]) -> float:
    """How much a column of different values looks like a key."""
    column = frame.columns[place]
    told, of = stems(column), table_words(table)
    core = tuple(w for w in told if w not in PLAIN)
    if set(told) & _MEASURES:
        return 0.0
    elsewhere = any(column.casefold() in map(str.casefold, f.columns) for n, f in tables.items() if n != table)
    rating = 1.5 * (place == 0) + 2.0 * (elsewhere and not is_generic(column)) + 2.0 * says_key(column)
    if says_key(column):
        rating += 2.0 * (not core or core == of or core == of[-1:])
    values = frame[column]
    if values.dtype == pl.String:
        coded = not values.str.contains(r"\s").any() and int(values.str.len_chars().max() or 0) <= 40  # type: ignore[arg-type]
        return rating + (1.0 if coded else -3.0)
    return rating + 1.0
