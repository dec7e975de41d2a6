"""Keys of several columns, and links to them by columns of the same names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import polars as pl

from verisyn.linking import declared
from verisyn.linking.evidence import repeats
from verisyn.linking.pointing import pointed
from verisyn.schema import Link

_MOST_COLUMNS, _BESIDE, _SCREEN = 6, 8, 3_000
_REPEATS = 1 / 2000
"""Share of rows whose key may repeat another's: a clock that is put back repeats an hour."""
_ENOUGH = 0.8
_EXPECTED = 20.0
"""Pairs of equal rows that there would be by chance, so that none is evidence."""


def keys(tables: Mapping[str, pl.DataFrame], known: Mapping[str, tuple[str, ...]], links: Sequence[Link]
         ) -> dict[str, tuple[str, ...]]:
    """Return the known keys, and for tables without one the links (and a column beside them) that tell rows apart."""
    found = dict(known)
    for table, frame in tables.items():
        if table not in found and (key := _key(frame, [k for k in links if k.table == table and not k.where])):
            found[table] = key
    return {t: found[t] for t in tables if t in found}


def links(tables: Mapping[str, pl.DataFrame], known: Mapping[str, tuple[str, ...]], single: Sequence[Link]
          ) -> list[Link]:
    """Return links by several columns that two tables share, and that together tell the rows of one of them apart."""
    found: list[Link] = []
    for parent, keyed in tables.items():
        for child, frame in tables.items():
            shared = [] if child == parent else _shared(frame, keyed, known.get(parent, ()))
            key = _least(keyed, shared)
            key = tuple(c for c in shared if key and (c in key or _same_throughout(frame[c], keyed[c])))
            if not key or _linked(child, parent, single, key) or (
                    frame.height > keyed.height and not repeats(frame, key)):  # one to one: the other is the child
                continue
            link = Link(table=child, columns=key, parent=parent, key=key)
            at = pointed(frame, keyed, link).at
            if (at >= 0).mean() >= _ENOUGH and not any(o.table == parent and o.parent == child for o in found):
                found.append(declared.measured(link, tables, f"the {len(key)} columns have the same names in both, and "
                                                             "tell its rows apart"))
    return found


def _linked(child: str, parent: str, single: Sequence[Link], key: tuple[str, ...]) -> bool:
    """Whether the two are linked as it is, by one of the columns."""
    return any({k.table, k.parent} == {child, parent} and set(k.columns) & set(key) for k in single)


def _same_throughout(some: pl.Series, others: pl.Series) -> bool:
    """Whether a column has one value in both: the year of a year's data belongs to the moment all the same."""
    return some.n_unique() == 1 and others.n_unique() == 1 and some[0] == others[0]


def _shared(child: pl.DataFrame, parent: pl.DataFrame, key: tuple[str, ...]) -> list[str]:
    def able(name: str) -> bool:
        return name in child.columns and child.schema[name] == parent.schema[name] and not (
            parent.schema[name].is_float() or parent[name].null_count())

    names = [c for c in parent.columns if able(c)]
    return [] if len(key) == 1 and key[0] in names else names


def _least(frame: pl.DataFrame, names: Sequence[str]) -> tuple[str, ...]:
    """Return the fewest of these columns that tell rows apart (nearly); the last ones go first."""
    if len(names) < 2 or repeats(frame.head(_SCREEN), tuple(names)) > _SCREEN * 0.01:
        return ()
    most = frame.height * _REPEATS
    left = list(names)
    if repeats(frame, tuple(left)) > most:
        return ()
    for name in reversed(names):
        rest = tuple(n for n in left if n != name)
        if rest and repeats(frame, rest) <= most:
            left = list(rest)
    return tuple(left) if 2 <= len(left) <= _MOST_COLUMNS else ()


def _key(frame: pl.DataFrame, links: Sequence[Link]) -> tuple[str, ...] | None:
    """Two or three columns, a link among them, that never repeat though they would by chance."""
    pointing = list(dict.fromkeys(k.columns[0] for k in links if len(k.columns) == 1))
    pointing = [c for c in pointing if not frame[c].null_count()]
    beside = [c for c in frame.columns if c not in pointing and not frame[c].null_count()
              and not frame.schema[c].is_float() and frame.schema[c] != pl.Boolean][:_BESIDE]
    whole = set(pointing) == set(frame.columns)
    if len(pointing) > 1 and _apart(frame, tuple(pointing)) and (whole or _by_no_chance(frame, tuple(pointing))):
        return tuple(pointing)
    for more in (1, 2):
        for first in pointing:
            for others in combinations(beside, more):
                if _apart(frame, (first, *others)) and _by_no_chance(frame, (first, *others)):
                    return tuple(c for c in frame.columns if c in (first, *others))
    return None


def _apart(frame: pl.DataFrame, names: tuple[str, ...]) -> bool:
    return not repeats(frame.head(_SCREEN), names) and not repeats(frame, names)


def _by_no_chance(frame: pl.DataFrame, names: tuple[str, ...]) -> bool:
    agree = [float((np.square(c := frame[n].value_counts()["count"].to_numpy().astype(float)) - c).sum())
             / frame.height / max(frame.height - 1, 1) for n in names]
    return frame.height**2 / 2 * float(np.prod(agree)) >= _EXPECTED
