"""Ways through a database of one link or two, and how columns at their two ends depend on each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, permutations

import numpy as np

from verisyn.kinds import Feature
from verisyn.metrics._families import ROWS, at_end, taken
from verisyn.metrics._kin import kin_of, known
from verisyn.metrics._linked import Database, DatabaseSides
from verisyn.metrics._tables import BLOCKS, associations, left_out, rank_correlations
from verisyn.modalities.table._views import Coarse, coarse_of, scales_of
from verisyn.schema import Link

_MOST = 200
_MISSING = -1


@dataclass(frozen=True)
class Path:
    """Rows of a table, and what they lead to: columns at the end of `first` are held against those at `second`'s.

    An empty chain stays at the row itself.
    """

    table: str
    first: tuple[Link, ...]
    second: tuple[Link, ...]

    @property
    def links(self) -> tuple[Link, ...]:
        """All links that are followed."""
        return self.first + self.second

    @property
    def ends(self) -> tuple[str, str]:
        """The tables at the two ends."""
        return (self.first[-1].parent if self.first else self.table), self.second[-1].parent


@dataclass(frozen=True)
class Strengths:
    """Strengths of dependence of the pairs of one path on one side, each on all rows and without each block.

    `association` and `rank` are float arrays of shape (pairs, 21); `rank` is 0 for a pair without an order. `kins`
    counts the families that the rows are of, dealt out to 20 blocks.
    """

    association: np.ndarray
    rank: np.ndarray
    kins: int


@dataclass(frozen=True)
class Compared:
    """One path: the names of its pairs of columns, which pairs have an order, and the strengths on both sides."""

    path: Path
    names: Sequence[str]
    ordered: np.ndarray
    fake: Strengths
    real: Strengths


def paths(sides: DatabaseSides) -> list[Path]:
    """Return the ways of one link, of two in a row, and from a parent, or its parent, to another by a child."""
    schema, found = sides.schema, []
    for link in schema.links:
        found += [Path(link.table, (), (link,)),
                  *(Path(link.table, (), (link, above)) for above in schema.links_from(link.parent))]
    for table in schema.tables:
        own = schema.links_from(table.name)
        found += [Path(table.name, (a,), (b,)) for a, b in combinations(own, 2)]
        found += [Path(table.name, (a, above), (b,)) for a, b in permutations(own, 2) for above in
                  schema.links_from(a.parent) if above.parent != b.parent]
    return found


def followed(sides: DatabaseSides, path: Path) -> Compared | None:
    """Return the strengths of dependence along a path; None where too few rows, or no columns, are at an end of it."""
    real = sides.real(path.table)
    both = (sides.fake, real)
    if real is sides.fake or min(side.rows(path.table) for side in both) < ROWS:
        return None
    if not all(known(sides, link) for link in path.links):
        return None
    rng = sides.rng(f"path {path.table} {[link.name for link in path.links]}")
    seen = [_seen(sides, side, path, rng) for side in both]
    if not (seen[0][0] and seen[0][1]):
        return None
    scales = [scales_of(features) for features in seen[1][:2]]
    pairs = [(a, b) for a in range(len(scales[0])) for b in range(len(scales[1]))]
    pairs = [pairs[i] for i in np.sort(rng.permutation(len(pairs))[:_MOST])]
    ordered = np.array([not (seen[0][0][a].levels or seen[0][1][b].levels) for a, b in pairs])
    strengths = []
    for first, second, kin in seen:
        coarse = [coarse_of(f, s, len(kin)) for f, s in zip((first, second), scales, strict=True)]
        strengths.append(_strengths(coarse, pairs, ordered, kin, rng))
    names = [f"{seen[0][0][a].name} and {seen[0][1][b].name}" for a, b in pairs]
    return Compared(path, names, ordered, *strengths)


def _seen(sides: DatabaseSides, side: Database, path: Path, rng: np.random.Generator
          ) -> tuple[list[Feature], list[Feature], np.ndarray]:
    """The columns at both ends for some rows, and the kin of each row."""
    count = side.rows(path.table)
    rows = np.sort(rng.permutation(count)[:sides.effort.learnt])
    return (_end(sides, side, path, path.first, rows), _end(sides, side, path, path.second, rows),
            kin_of(sides, side, path.table, path.links)[rows])


def _end(sides: DatabaseSides, side: Database, path: Path, chain: tuple[Link, ...], rows: np.ndarray) -> list[Feature]:
    """The columns at the end of a chain: what is modelled, and which row it is or how many children it has."""
    table, rows = (chain[-1].parent if chain else path.table), at_end(side, chain, rows)
    found = taken(side.features(table), rows)
    if chain:
        found += taken(_which(sides, side, table) or _number(sides, side, path.table, chain[-1]), rows)
    return [replace(f, name=f"{table}.{f.name}") for f in found]


def _which(sides: DatabaseSides, side: Database, table: str) -> list[Feature]:
    """Which row it is, for a table whose rows are the same on all sides."""
    if sides.held_out(table) or not sides.fixed(table, sides.train):
        return []
    names = np.sort(sides.train.frames[table].hash_rows(seed=0).to_numpy())
    own = side.frames[table].hash_rows(seed=0).to_numpy()
    place = np.minimum(np.searchsorted(names, own), len(names) - 1)
    return [Feature("row", np.where(names[place] == own, place, len(names)).astype(float), len(names) + 1)]


def _number(sides: DatabaseSides, side: Database, table: str, link: Link) -> list[Feature]:
    """How many children each parent has, where as many were held out with it as it has."""
    if sides.partly(link) or (sides.real(table) is not sides.train and not sides.held_out(link.parent)):
        return []
    return [Feature(f"number of {link.table}", side.links[link.name].counts.astype(float))]


def _strengths(coarse: Sequence[Coarse], pairs: Sequence[tuple[int, int]], ordered: np.ndarray, kin: np.ndarray,
               rng: np.random.Generator) -> Strengths:
    names, of = np.unique(kin, return_inverse=True)
    block = (rng.permutation(len(names)) % BLOCKS)[of]
    first, second = coarse
    found, ranks = np.zeros((len(pairs), 1 + BLOCKS)), np.zeros((len(pairs), 1 + BLOCKS))
    for i, (a, b) in enumerate(pairs):
        shape = (BLOCKS, first.sizes[a], second.sizes[b])
        cell = (block * shape[1] + first.values[:, a]) * shape[2] + second.values[:, b]
        tables = left_out(np.bincount(cell, minlength=int(np.prod(shape))).reshape(shape))
        found[i] = associations(tables)
        if ordered[i]:
            ranks[i] = rank_correlations(tables[:, :_MISSING, :_MISSING])
    return Strengths(found, ranks, len(names))
