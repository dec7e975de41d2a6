"""Keys and links of tables: told by a catalogue, or found in names and data, with the evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from verisyn.schema import Link


@dataclass(frozen=True)
class Found:
    """The keys and links of several tables.

    Parameters
    ----------
    keys : dict
        The columns of each table's primary key, where it has one.
    links : tuple of Link
        With whether they are optional, the share of orphans, and the evidence.
    """

    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    links: tuple[Link, ...] = ()


def found_in(tables: Mapping[str, pl.DataFrame], keys: Mapping[str, tuple[str, ...]] | None = None,
             links: Sequence[Link] = ()) -> Found:
    """Return the keys and links of tables.

    What a catalogue declares is taken; beside it, links are sought among columns that no declared link has: the values
    of a column, or of several, are (nearly) all among those of a unique key, and the names say so too, or it is too
    unlikely by chance. Numbers from 1 on are always among the keys of a larger table: for them names must speak.

    Parameters
    ----------
    tables : mapping of str to polars.DataFrame
    keys : mapping, optional
        The primary keys that a catalogue declares.
    links : sequence of Link, optional
        The links that a catalogue declares.

    Examples
    --------
    >>> shop = {"customers": pl.DataFrame({"id": [1, 2, 3]}),
    ...         "orders": pl.DataFrame({"id": [1, 2, 3, 4], "customer_id": [2, 2, None, 3], "pieces": [1, 2, 1, 1]})}
    >>> found = found_in(shop)
    >>> found.keys["orders"], [(link.name, link.parent, link.optional) for link in found.links]
    (('id',), [('orders.customer_id', 'customers', True)])
    """
    from verisyn.linking import composite, declared, single

    told = [declared.measured(link, tables) for link in links]
    targets = {**single.candidates(tables), **{t: key[0] for t, key in (keys or {}).items() if len(key) == 1}}
    found = told + single.links(tables, targets, told)
    main = single.main_keys(tables, found) | dict(keys or {})
    found += [k for k in composite.links(tables, main, found) if not any(_same(k, other) for other in told)]
    return Found(composite.keys(tables, main, found), tuple(_in_order(found, tables)))


def _same(link: Link, other: Link) -> bool:
    return link.table == other.table and set(link.columns) == set(other.columns)


def _in_order(links: Sequence[Link], tables: Mapping[str, Any]) -> list[Link]:
    at = {(t, c): (i, j) for i, t in enumerate(tables) for j, c in enumerate(tables[t].columns)}
    return sorted(links, key=lambda link: (at[link.table, link.columns[0]], len(link.columns)))
