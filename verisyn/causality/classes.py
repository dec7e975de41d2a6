"""Which arrows the data can tell: of all graphs that explain them equally well, what is the same in each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations

Arrow = tuple[int, int]


def colliders(arrows: Collection[Arrow]) -> set[Arrow]:
    """Return the arrows into an effect of two causes that no arrow joins: data tell these apart from all else."""
    joined = {frozenset(arrow) for arrow in arrows}
    causes: dict[int, list[int]] = {}
    for cause, effect in arrows:
        causes.setdefault(effect, []).append(cause)
    return {(c, effect) for effect, own in causes.items() for pair in combinations(own, 2)
            if frozenset(pair) not in joined for c in pair}


def completed(arrows: Collection[Arrow], known: Collection[Arrow]) -> set[Arrow]:
    """Return the known directions and all that follow from them (the four rules of Meek 1995).

    Parameters
    ----------
    arrows : collection of (int, int)
        A graph; of those not known only that the two columns are joined is used.
    known : collection of (int, int)
        Arrows whose direction is known.

    Examples
    --------
    >>> sorted(completed([(0, 1), (1, 2)], known=[(0, 1)]))
    [(0, 1), (1, 2)]
    """
    told, near = set(known), _neighbours(arrows)
    sides = [(a, b) for arrow in sorted(arrows) for a, b in (arrow, arrow[::-1])]
    while True:
        new = {(a, b) for a, b in sides if not {(a, b), (b, a)} & told and _follows(a, b, told, near)}
        if not new:
            return told
        told |= new


def _neighbours(arrows: Collection[Arrow]) -> dict[int, set[int]]:
    near: dict[int, set[int]] = {}
    for a, b in arrows:
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    return near


def _follows(a: int, b: int, told: set[Arrow], near: dict[int, set[int]]) -> bool:
    """Whether a -> b follows: else there would be a new collider, or a circle."""
    if any((c, a) in told and b not in near[c] for c in near[a]):
        return True
    if any((a, c) in told and (c, b) in told for c in near[a] & near[b]):
        return True
    between = [c for c in near[a] & near[b] if (c, b) in told and (a, c) not in told and (c, a) not in told]
    if any(d not in near[c] for c, d in combinations(between, 2)):
        return True
    return any((d, c) in told and (c, b) in told and b not in near[d] and (a, d) not in told and (d, a) not in told
               for c in near[b] & near[a] for d in near[a] if d != b and d in near[c])


def directed(arrows: Collection[Arrow], known: Collection[Arrow], rank: Sequence[int]) -> set[Arrow]:
    """Return a graph of the same class: what is not known points from the column of lower rank, as far as it may."""
    told = completed(arrows, known)
    for a, b in sorted(((min(arrow, key=rank.__getitem__), max(arrow, key=rank.__getitem__)) for arrow in arrows),
                       key=lambda ab: (rank[ab[0]], rank[ab[1]])):
        if not {(a, b), (b, a)} & told:
            told = completed(arrows, told | {(a, b)})
    return told
