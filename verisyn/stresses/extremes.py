"""Extremes together: every column at its smallest, its largest, its longest; one smallest and all others largest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from verisyn.stresses import Case
from verisyn.stresses._ground import Ground
from verisyn.stresses._points import ends_of

_TURNED = 20


def cases(ground: Ground) -> Iterator[Case]:
    """Yield rows in which as many columns as can be stand at an end; what is recomputed follows."""
    ends = {n: found for n in ground.table.names if n not in ground.derived and (found := ends_of(ground, n))}
    low, high = ({n: e[i] for n, e in ends.items()} for i in (0, 1))
    if len(ends) > 1:
        yield Case("everything at its smallest", low, "sums, ratios and ranges at their least", loose=True)
        yield Case("everything at its largest", high, "sums, products and widths at their most", loose=True)
        for name in list(ends)[:_TURNED]:
            yield Case(f"{name!r} at its smallest, all others at their largest", {**high, name: low[name]},
                       "a ratio or a difference at its end", loose=True)
    longest = _longest(ground)
    if len(longest) > 1:
        yield Case("every level at its longest", longest, "the widest row: labels, columns and buffers", loose=True)


def _longest(ground: Ground) -> Mapping[str, pl.Series]:
    out = {}
    for name, levels in ground.levels.items():
        if levels.dtype == pl.String and name not in ground.derived:
            at = int(levels.str.len_chars().arg_max() or 0)
            out[name] = levels[at: at + 1]
    return out
