"""Which parent: each row gets one of the kind it says, so that every parent has the children drawn for it."""

from __future__ import annotations

import numpy as np

_ROUNDS = 40
_CHANCE = 2.0
"""Standard deviations by which what rows say may differ from what parents have."""
_CROWDED = 0.34
"""A group that wants more than this share of the parents of a kind chooses first."""


def matched(said: np.ndarray, of: np.ndarray, quotas: np.ndarray, near: np.ndarray, rng: np.random.Generator, *,
            apart: np.ndarray | None = None) -> np.ndarray:
    """Return a parent for each row, int64; -1 for a row that none is left for.

    Parameters
    ----------
    said : int64 array of shape (rows,)
        The kind of parent that each row says; all are 0 or more.
    of : int64 array of shape (parents,)
        The kind of each parent.
    quotas : float64 array of shape (parents,)
        Children that were drawn for each parent; those of a kind count beside each other.
    near : array of shape (kinds, kinds)
        For each kind, all kinds from the nearest on.
    rng : Generator
    apart : int64 array of shape (rows,), optional
        Rows of the same number must have different parents.

    Examples
    --------
    >>> said, of = np.array([0, 0, 0, 1]), np.array([0, 0, 1])
    >>> found = matched(said, of, np.array([2.0, 1.0, 5.0]), np.array([[0, 1], [1, 0]]), np.random.default_rng(0))
    >>> np.bincount(found).tolist(), int(found[3])
    ([2, 1, 1], 2)
    """
    out = np.full(len(said), -1, np.int64)
    if not len(of) or not len(said):
        return out
    said = _balanced(_there(said, of, near), of, quotas, near, rng)
    for kind in np.unique(said):
        rows, parents = np.flatnonzero(said == kind), np.flatnonzero(of == kind)
        slots = slots_of(parents, quotas[parents], len(rows), rng)
        if apart is None:
            out[rows] = rng.permutation(slots)
        else:
            out[rows] = _apart(apart[rows], slots, rng)
    return out if apart is None else _elsewhere(out, said, of, near, apart, rng)


def _there(said: np.ndarray, of: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Say the nearest kind that some parent is of."""
    held = np.zeros(len(near), bool)
    held[of] = True
    nearest = np.array([next((k for k in row if held[k]), 0) for row in near])
    return nearest[said]


def _balanced(said: np.ndarray, of: np.ndarray, quotas: np.ndarray, near: np.ndarray, rng: np.random.Generator
              ) -> np.ndarray:
    """Let rows that say a kind whose parents have far fewer children in all say the nearest that has some to spare.

    Kinds of parents and what rows say are drawn apart; what chance alone makes them differ by stays.
    """
    room = np.bincount(of, np.maximum(quotas, 0), len(near))
    if not room.sum():
        return said
    room *= len(said) / room.sum()
    wanted = np.bincount(said, minlength=len(near)).astype(float)
    spare = np.where(room > 0, np.floor(room - wanted), 0)
    said = said.copy()
    for kind in np.flatnonzero(wanted > room + _CHANCE * np.sqrt(np.maximum(room, 1))):
        rows = rng.permutation(np.flatnonzero(said == kind))[:int(wanted[kind] - room[kind])]
        for other in near[kind]:
            take = int(min(spare[other], len(rows))) if other != kind else 0
            if take > 0:
                said[rows[:take]], rows = other, rows[take:]
                spare[other] -= take
    return said


def slots_of(parents: np.ndarray, quotas: np.ndarray, rows: int, rng: np.random.Generator) -> np.ndarray:
    """Return the parents as often as each is to have a child, `rows` in all.

    Numbers stay as they are drawn as far as possible: what is too much is taken from, and what is lacking is added to,
    parents in proportion to their numbers; the last child is taken only where there are fewer rows than parents.
    """
    quotas = np.maximum(quotas, 0)
    if not quotas.sum():
        quotas = np.ones(len(parents))
    scale = rows / quotas.sum()
    if not 0.8 < scale < 1.25:
        quotas = quotas * scale
    order, whole = rng.permutation(len(quotas)), np.zeros(len(quotas), np.int64)
    ends = np.floor(np.cumsum(quotas[order]) + rng.random() + 1e-9)
    whole[order] = np.diff(ends, prepend=0).astype(np.int64)  # each is rounded up or down, and their sum is too
    whole = np.where((whole == 0) & (quotas > 0) & (rows >= (quotas > 0).sum()), 1, whole)
    slots = np.repeat(parents, whole)
    first = np.concatenate([[True], slots[1:] != slots[:-1]]) if len(slots) else np.zeros(0, bool)
    over = len(slots) - rows
    if over > 0:
        order = np.concatenate([rng.permutation(np.flatnonzero(~first)), rng.permutation(np.flatnonzero(first))])
        slots = np.delete(slots, order[:over])
    elif over < 0:
        some, each = parents[quotas > 0], quotas[quotas > 0] / quotas.sum()
        turns, rest = divmod(-over, len(some))  # no parent gets two more before all have one
        more = rng.choice(some, rest, replace=False, p=each) if rest else some[:0]
        slots = np.concatenate([slots, np.repeat(some, turns), more])
    return slots


def _apart(apart: np.ndarray, slots: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Deal out slots so that rows of one group have different parents; -1 where that could not be had."""
    out = np.full(len(apart), -1, np.int64)
    parents, left = np.unique(slots, return_counts=True)
    groups, sizes = np.unique(apart, return_counts=True)
    crowded = groups[sizes > _CROWDED * len(parents)]
    for group in crowded[np.argsort(-sizes[np.isin(groups, crowded)], kind="stable")]:
        rows = np.flatnonzero(apart == group)
        most = np.argsort(-(left + rng.random(len(left))), kind="stable")[:len(rows)]
        most = most[left[most] > 0]
        out[rows[:len(most)]] = rng.permutation(parents[most])
        left[most] -= 1
    rest = np.flatnonzero((out < 0) & ~np.isin(apart, crowded))
    deal = rng.permutation(np.repeat(parents, left))[:len(rest)]
    out[rest[:len(deal)]] = deal
    return _swapped(out, apart, rng)


def _swapped(out: np.ndarray, apart: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Swap parents between rows until no group has one twice, a few rounds at most; then leave a row without."""
    width = int(out.max(initial=0)) + 2
    for _ in range(_ROUNDS):
        again = repeated(apart * width + out) & (out >= 0)
        rows = np.flatnonzero(again)
        if not len(rows):
            return out
        taken = np.unique(apart * width + out)
        others = rng.choice(np.flatnonzero(out >= 0), len(rows))
        usable = np.isin(others, rows, invert=True) & ~repeated(others)
        rows, others = rows[usable], others[usable]
        mine, theirs = apart[rows] * width + out[others], apart[others] * width + out[rows]
        new = np.concatenate([mine, theirs])
        good = ~np.isin(new, taken) & ~(repeated(new) | repeated(new[::-1])[::-1])
        good = good[:len(rows)] & good[len(rows):]
        rows, others = rows[good], others[good]
        out[rows], out[others] = out[others], out[rows]
    out[repeated(apart * width + out) & (out >= 0)] = -1
    return out


def parted(out: np.ndarray, others: np.ndarray, of: np.ndarray, apart: np.ndarray | None, rng: np.random.Generator
           ) -> np.ndarray:
    """Swap parents between rows, of one kind where that can be had, until no row has one that it has otherwise too.

    Parameters
    ----------
    out : int64 array of shape (rows,)
        The parent of each row, -1 for none.
    others : int64 array of shape (links, rows)
        The parents that it has by other links.
    of : int64 array of shape (parents,)
        The kind of each parent.
    apart : int64 array of shape (rows,), optional
        Rows of the same number have different parents, and keep to that.
    rng : Generator
    """
    out, width, held = out.copy(), len(of) + 1, np.flatnonzero(out >= 0)
    if not len(held):
        return out
    group = np.arange(len(out)) if apart is None else apart
    for turn in range(_ROUNDS):
        rows = np.flatnonzero((out == others).any(axis=0) & (out >= 0))
        if not len(rows):
            break
        kinds = of[out[held]] if turn < _ROUNDS // 2 else np.zeros(len(held), np.int64)
        order = held[np.argsort(kinds, kind="stable")]
        wanted = of[out[rows]] if turn < _ROUNDS // 2 else np.zeros(len(rows), np.int64)
        low, high = (np.searchsorted(np.sort(kinds), wanted, side) for side in ("left", "right"))
        partners = order[(low + rng.random(len(rows)) * (high - low)).astype(np.int64)]
        mine, theirs = out[partners], out[rows]
        good = (mine != others[:, rows]).all(axis=0) & (theirs != others[:, partners]).all(axis=0)
        good &= ~np.isin(partners, rows) & ~repeated(partners)
        new = np.concatenate([group[rows] * width + mine, group[partners] * width + theirs])
        fresh = ~np.isin(new, group[held] * width + out[held]) & ~(repeated(new) | repeated(new[::-1])[::-1])
        good &= fresh[:len(rows)] & fresh[len(rows):]
        out[rows[good]], out[partners[good]] = mine[good], theirs[good]
    return out


def repeated(values: np.ndarray) -> np.ndarray:
    """Return whether a value stood there before."""
    again = np.ones(len(values), bool)
    again[np.unique(values, return_index=True)[1]] = False
    return again


def _elsewhere(out: np.ndarray, said: np.ndarray, of: np.ndarray, near: np.ndarray, apart: np.ndarray,
               rng: np.random.Generator) -> np.ndarray:
    """Give rows that are left a parent that their group has not, of the nearest kind that has one."""
    left = np.flatnonzero(out < 0)
    by_kind = {k: np.flatnonzero(of == k) for k in np.unique(of)}
    order = np.argsort(apart, kind="stable")
    ordered = apart[order]
    for row in left:
        low, high = np.searchsorted(ordered, apart[row], "left"), np.searchsorted(ordered, apart[row], "right")
        has = out[order[low:high]]
        for kind in near[said[row]]:
            free = np.setdiff1d(by_kind.get(int(kind), np.empty(0, np.int64)), has)
            if len(free):
                out[row] = rng.choice(free)
                break
    return out
