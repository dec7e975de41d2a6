"""Combinations that no row has, and no constraint forbids: two valid levels that were never seen together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from verisyn.stresses import Case
from verisyn.stresses._counts import Counted
from verisyn.stresses._ground import Ground

needs_rows = True
most = 60
_CANDIDATES = 300


def cases(ground: Ground) -> Iterator[Case]:
    """Yield the pairs whose absence is least expected first: were the columns unrelated, most rows would have them."""
    counted = Counted(ground)
    found = []
    for i, j, rows in counted.pairs():
        expected = np.outer(counted.alone(i), counted.alone(j)) / counted.rows
        for a, b in np.argwhere(rows == 0):
            found.append((-float(expected[a, b]), ((i, int(a)), (j, int(b)))))
    taken = 0
    for less, which in sorted(found):
        cells = counted.cells(*which)
        if taken == _CANDIDATES:
            break
        if not _forbidden(ground, cells):
            taken += 1
            said = " with ".join(f"{name} = {value[0]!r}" for name, value in cells.items())
            yield Case(f"a pair of levels never seen together: {said}", cells, (
                f"none of {counted.rows:,} {ground.said} has it; were the columns unrelated, {-less:,.1f} would"))


def _forbidden(ground: Ground, cells: dict) -> bool:
    """Whether a constraint on these columns alone forbids the pair."""
    rules = ground.coder.rules
    about = [n for n, r in enumerate(rules.rules) if set(r.columns) <= set(cells)]
    own = replace(rules, rules=tuple(rules.rules[n] for n in about), kinds=tuple(rules.kinds[n] for n in about))
    return bool(own.broken_rows(ground.pool[:1].with_columns(v.alias(n) for n, v in cells.items())).any())
