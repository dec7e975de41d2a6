"""Rows of a database with their kin: parents with what children add up to, children with their parents' columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from verisyn.findings import NotAnswered
from verisyn.kinds import Feature
from verisyn.metrics._aggregates import Aggregates, features_of, grouped
from verisyn.metrics._kin import KINS, clan, climbed, keys, kin_of, known, numbered
from verisyn.metrics._linked import Database, DatabaseSides
from verisyn.metrics._models import affordable
from verisyn.schema import Link

ROWS = 100
"""Rows of each side that a judge takes at least."""
_MOMENT = "seconds since 1970"
_WAYS = 3


@dataclass(frozen=True)
class Family:
    """Rows of both sides, equally many, and what each shares with others (see ``told_apart``)."""

    fake: Sequence[Feature]
    real: Sequence[Feature]
    kin: tuple[np.ndarray, np.ndarray]


def with_children(sides: DatabaseSides, link: Link, rng: np.random.Generator) -> Family:
    """Return rows of a link's parent, with what their children by this link add up to.

    Where the parents' rows are the real ones (a public table), or their children were held out in part, as many
    children a parent are looked at on either side, for how many there are goes by how many were asked for.
    """
    real = sides.real(link.parent)
    both = _two(sides, real, link.parent)
    columns, at = sides.train.features(link.table), [side.links[link.name].at for side in both]
    fixed = sides.fixed(link.parent, real)
    if fixed or sides.partly(link):
        at = thinned(at, [side.rows(link.parent) for side in both], rng)
    adds = Aggregates.learn(columns)
    wide = len(both[0].features(link.parent)) + 6 * len(columns) + 1
    rows = _affordable(sides, wide, [side.rows(link.parent) for side in both])
    made, kin = [], []
    for side, points in zip(both, at, strict=True):
        chosen = np.sort(rng.choice(side.rows(link.parent), rows, replace=False))
        own = taken(side.features(link.parent), chosen)
        made.append([*own, *added_up(side, link.table, _among(points, chosen, side.rows(link.parent)), rows, adds)])
        kin.append((keys(side, link.parent) if fixed else kin_of(sides, side, link.parent))[chosen])
    return Family(made[0], made[1], numbered(kin, [fixed]))


def with_parents(sides: DatabaseSides, table: str, rng: np.random.Generator) -> tuple[Family, list[Link]]:
    """Return rows of a table with the columns of all that they lead to, and the links that were followed.

    A parent of whom fewer than 20 rows are pointed to is left out, unless its rows are the real ones.
    """
    real = sides.real(table)
    both = _two(sides, real, table)
    links = [link for link in sides.schema.links_from(table) if known(sides, link)]
    if not links:
        raise NotAnswered(f"no table that {table!r} points to has {KINS} rows that are pointed to")
    chains = [climbed(sides, link) for link in links]
    wide = sum(len(both[0].features(name)) for name in (table, *(k.parent for chain in chains for k in chain)))
    rows = _affordable(sides, wide, [side.rows(table) for side in both])
    made, ways = [], [chain for chain in chains if not sides.fixed(chain[0].parent, real)][:_WAYS]
    fixed = sides.fixed(table, real)
    kin: list[np.ndarray] = []
    for side in both:
        chosen = np.sort(rng.choice(side.rows(table), rows, replace=False))
        own = taken(side.features(table), chosen)
        made.append([*own, *(f for chain in chains for f in _beside(side, chain, chosen))])
        found = [clan(side, chain)[chosen] for chain in ways]
        found += [keys(side, table)[chosen]] if fixed else [] if found else [np.arange(rows)]
        kin.append(np.column_stack(found))
    shared = [*[False] * len(ways), *([fixed] if fixed or not ways else [])]
    return Family(made[0], made[1], numbered(kin, shared)), links


def thinned(at: Sequence[np.ndarray], parents: Sequence[int], rng: np.random.Generator) -> list[np.ndarray]:
    """Let rows of the side with more children a parent point nowhere, until both have as many."""
    means = [(points >= 0).sum() / max(count, 1) for points, count in zip(at, parents, strict=True)]
    least = min(means)
    return [points if mean == least else np.where(rng.random(len(points)) < least / mean, points, -1)
            for points, mean in zip(at, means, strict=True)]


def taken(features: Sequence[Feature], rows: np.ndarray) -> list[Feature]:
    """Return the features of these rows; NaN for a row below 0."""
    def value(f: Feature) -> np.ndarray:
        return np.where(rows >= 0, f.values[rows], np.nan) if len(f.values) else np.full(len(rows), np.nan)

    return [replace(f, values=value(f)) for f in features]


def at_end(side: Database, chain: Sequence[Link], rows: np.ndarray) -> np.ndarray:
    """Follow links one after the other from some rows; -1 where a row leads nowhere."""
    for link in chain:
        at = np.append(np.maximum(side.links[link.name].at, -1), -1)
        rows = at[rows]  # -1 is the last, and leads nowhere
    return rows


def _beside(side: Database, chain: Sequence[Link], rows: np.ndarray) -> list[Feature]:
    """The columns of all that a chain of links leads to, named after their tables; NaN where a row leads nowhere."""
    first, found = chain[0], []
    many = sum(k.link.table == first.table and k.link.parent == first.parent for k in side.links.values()) > 1
    by = f" by {'+'.join(first.columns)}" if many else ""
    for i, link in enumerate(chain):
        own = taken(side.features(link.parent), at_end(side, chain[:i + 1], rows))
        found += [replace(f, name=f"{link.parent}.{f.name}{by}") for f in own]
    return found


def _two(sides: DatabaseSides, real: Database, table: str) -> tuple[Database, Database]:
    """Both sides, where they can be told apart at all."""
    if real is sides.fake:
        raise NotAnswered("there are no other real rows")
    for name, side in (("synthetic", sides.fake), ("real", real)):
        if side.rows(table) < ROWS:
            raise NotAnswered(f"there are only {side.rows(table):,} {name} rows of {table!r}, and it takes {ROWS}")
    return sides.fake, real


def _affordable(sides: DatabaseSides, wide: int, rows: Sequence[int]) -> int:
    return min(*rows, affordable(wide, sides.effort.learnt) // 2)


def _among(at: np.ndarray, chosen: np.ndarray, parents: int) -> np.ndarray:
    """Number the chosen parents afresh; children of others point nowhere."""
    place = np.full(parents + 1, -1)
    place[chosen] = np.arange(len(chosen))
    return place[np.where(at >= 0, at, parents)]


def added_up(side: Database, table: str, at: np.ndarray, parents: int, adds: Aggregates) -> list[Feature]:
    """Return what the children of each parent add up to; nothing that goes by order where no moment orders them."""
    columns = side.features(table)
    time = _moment(columns)
    order, starts = grouped(at, parents)
    if time is not None:
        held = int((at < 0).sum())
        order = np.lexsort((time, at))[held:]
    made = adds.of(taken(columns, order), starts, None if time is None else time[order])
    if time is None:
        ends = ("first", "last", "ends as it began")
        made = made.drop([f"{f.name} {end}" for f in columns for end in ends], strict=False)
    return [replace(f, name=f"{table}: {f.name}") for f in features_of(made)]


def _moment(columns: Sequence[Feature]) -> np.ndarray | None:
    """What orders rows in time: their first column of moments that is known of every row."""
    dated = [f for f in columns if f.unit == _MOMENT and not np.isnan(f.values).any()]
    return dated[0].values if dated else None
