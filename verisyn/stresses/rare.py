"""Rare combinations: two or three levels that few rows hold, yet k or more, in a row that is none of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from verisyn.stresses import Case
from verisyn.stresses._counts import Counted
from verisyn.stresses._ground import Ground

needs_rows = True
_SHARE = 0.001
_PAIRS, _TRIPLES = 60, 20
_COLUMNS, _COMMON = 8, 10
_FEW = 2
"""In a small table, fewer rows than twice k are few."""


def cases(ground: Ground) -> Iterator[Case]:
    """Yield the rarest pairs, and triples that are rare though each two of their levels are common together."""
    counted = Counted(ground)
    for count, which in [*_pairs(counted)[:_PAIRS], *_triples(counted)[:_TRIPLES]]:
        cells = counted.cells(*which)
        size = "pair" if len(which) == 2 else "triple"
        why = f"{count:,} of {counted.rows:,} {ground.said} have it"
        yield Case(f"a rare {size} of levels: {_said(cells)}", cells, why, fresh=True)


def _said(cells: dict) -> str:
    return ", ".join(f"{name} = {value[0]!r}" for name, value in cells.items())


def _pairs(counted: Counted) -> list[tuple[int, tuple]]:
    """Pairs that few rows hold, fewer than 2 k or one in a thousand: the least expected rarity first.

    That fewer than k rows hold a pair is not published, as no value is that fewer than k rows share.
    """
    found = []
    most = max(_FEW * counted.k - 1, _SHARE * counted.rows)
    for i, j, rows in counted.pairs():
        expected = np.outer(counted.alone(i), counted.alone(j)) / counted.rows
        for a, b in np.argwhere((rows >= counted.k) & (rows <= most)):
            found.append((rows[a, b] / max(expected[a, b], 1e-9), int(rows[a, b]), ((i, int(a)), (j, int(b)))))
    return [(count, which) for _, count, which in sorted(found)]


def _triples(counted: Counted) -> list[tuple[int, tuple]]:
    """Triples that k rows hold but fewer than 2 k, though many hold each two of their levels."""
    sizes = [len(counted.levels[n]) for n in counted.names]
    columns = sorted(np.argsort(sizes, kind="stable")[:_COLUMNS].tolist())
    free = {(i, j) for i, j, _ in counted.pairs()}
    found = []
    for i, j, m in combinations(columns, 3):
        if not {(i, j), (i, m), (j, m)} <= free:
            continue
        known = (counted.codes[:, [i, j, m]] >= 0).all(axis=1)
        triple = np.zeros((sizes[i], sizes[j], sizes[m]), np.int64)
        np.add.at(triple, tuple(counted.codes[known][:, c] for c in (i, j, m)), 1)
        least = np.minimum(np.minimum(triple.sum(axis=2)[:, :, None], triple.sum(axis=1)[:, None, :]),
                           triple.sum(axis=0)[None])
        few = (triple >= counted.k) & (triple < _FEW * counted.k)
        for a, b, c in np.argwhere(few & (least >= _COMMON * counted.k)):
            found.append((-int(least[a, b, c]), int(triple[a, b, c]), ((i, int(a)), (j, int(b)), (m, int(c)))))
    return [(count, which) for _, count, which in sorted(found)]
