"""Who is whose kin: rows that share a parent, or a parent's parent, have its columns in common."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from verisyn.metrics._linked import Database, DatabaseSides
from verisyn.schema import Link

KINS = 20
"""So many parents must be pointed to, for rows to be judged by others' rows."""
_DEPTH = 3


def known(sides: DatabaseSides, link: Link) -> bool:
    """Tell whether enough parents are pointed to by a link, on both sides, or their rows are the real ones."""
    real = sides.real(link.table)
    return sides.fixed(link.parent, real) or min(_used(side, link) for side in (sides.fake, real)) >= KINS


def climbed(sides: DatabaseSides, link: Link) -> tuple[Link, ...]:
    """Return a link and those that lead on from its parent, as far up as there are enough parents, owners first.

    Parents whose rows are the real ones lead on to such alone, others to others.
    """
    return sides.shared(("climbed", link.name), lambda: _climbed(sides, link))


def _climbed(sides: DatabaseSides, link: Link) -> tuple[Link, ...]:
    real, chain, seen = sides.real(link.table), [link], {link.table, link.parent}
    both, fixed = (sides.fake, real), sides.fixed(link.parent, real)
    while len(chain) < _DEPTH:
        above = next((k for k in sorted(sides.schema.links_from(chain[-1].parent), key=lambda k: not k.owner)
                      if k.parent not in seen and sides.fixed(k.parent, real) == fixed
                      and (fixed or min(_used(side, k) for side in both) >= KINS)), None)
        if above is None:
            break
        chain.append(above)
        seen.add(above.parent)
    return tuple(chain)


def clan(side: Database, chain: Sequence[Link]) -> np.ndarray:
    """Return for each row the number of what it leads to at the end of a chain; one that leads nowhere has its own."""
    link, *rest = chain
    at = side.links[link.name].at
    ends = clan(side, rest) if rest else np.arange(side.rows(link.parent))
    own = -2 - np.arange(len(at))
    return np.where(at >= 0, ends[at], own) if len(ends) else own


def kin_of(sides: DatabaseSides, side: Database, table: str, links: Sequence[Link] = ()) -> np.ndarray:
    """Return what rows of a table share with most others, by these links or by the table's owner; int of shape (rows,).

    The fewest kins decide, of those that are 20 at least.
    """
    real = sides.real(table)
    ways = [k for k in sides.schema.links_from(table) if (k in links or k.owner) and not sides.fixed(k.parent, real)
            and known(sides, k)]
    clans = [clan(side, climbed(sides, link)) for link in ways]
    return min(clans, key=lambda one: len(np.unique(one)), default=np.arange(side.rows(table)))


def keys(side: Database, table: str) -> np.ndarray:
    """Return a number for each row, the same on both sides where the rows are the same."""
    return side.frames[table].hash_rows(seed=0).to_numpy().view(np.int64)


def numbered(kin: Sequence[np.ndarray], shared: Sequence[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Give the kins of the two sides different numbers, by each way in which they are not the same.

    Examples
    --------
    >>> ones, others = numbered([np.array([7, 7, 9]), np.array([7])], [False])
    >>> ones.ravel().tolist(), others.ravel().tolist()
    ([0, 0, 1], [4])
    """
    ways = [way[:, None] if way.ndim == 1 else way for way in kin]
    out = [np.empty(way.shape, np.int64) for way in ways]
    for j, same in enumerate(shared):
        _, of = np.unique(np.concatenate([way[:, j] for way in ways]), return_inverse=True)
        parts = np.split(of, [len(ways[0])])
        out[0][:, j], out[1][:, j] = parts[0], parts[1] if same else parts[1] + len(of)
    return out[0], out[1]


def _used(side: Database, link: Link) -> int:
    at = side.links[link.name].at
    return len(np.unique(at[at >= 0]))
