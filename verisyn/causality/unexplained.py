"""What the causes that a person gave leave open: columns not named, and dependence that no arrow accounts for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from verisyn.causality.embedding import Embedded
from verisyn.causality.graph import CausalOrder
from verisyn.causality.search import Scores
from verisyn.errors import listed
from verisyn.frames import some
from verisyn.modalities.table._views import TableCoder
from verisyn.schema import Table

_MOST_ROWS, _SEED = 10_000, 0xCA5F
_STRONG, _SHOWN = 0.1, 3


def unexplained(frame: pl.DataFrame, table: Table, coder: TableCoder) -> list[str]:
    """Return what should be said of a table's causes, beside its data; nothing where it has no causes.

    Two columns of which neither is a cause of the other must be independent given all that causes either (the local
    Markov property). Where they are not, an arrow is missing, or a common cause is no named column.
    """
    order = CausalOrder.of(table, coder)
    if order is None:
        return []
    rows = some(frame, _MOST_ROWS, np.random.default_rng(_SEED))
    units = [[f for f in own.features(rows) if f.name not in own.recomputed] if set(own.columns) & order.named else []
             for own in coder.coders]
    scores = Scores(Embedded.of(units, rows.height), ())
    found = sorted(((strength, a, b) for a, b, causes in order.unrelated()
                    if (strength := _left(scores, a, b, frozenset(causes))) >= _STRONG), reverse=True)
    regenerated = {name for own in coder.coders if not own.learnt for name in own.columns}
    unnamed = [name for name in order.unnamed if name not in regenerated]
    return [*_not_named(unnamed), *_too_strong([(s, order.units[a][0], order.units[b][0]) for s, a, b in found])]


def _left(scores: Scores, one: int, other: int, causes: frozenset[int]) -> float:
    """How strongly two columns go together given the causes of both, where that is more than chance; else 0."""
    if scores.local(one, causes | {other}) <= scores.local(one, causes):
        return 0.0
    return scores.strength(one, other, causes)


def _not_named(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    return [f"The causes do not name {listed(names)}: taken to be no cause of anything. If one of these is a "
            "cause of two columns that are named, name it too, or what do() says will be wrong."]


def _too_strong(found: Sequence[tuple[float, str, str]]) -> list[str]:
    if not found:
        return []
    told = "; ".join(f"{a!r} and {b!r} (by {strength:.2f} of 1)" for strength, a, b in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more pairs" if len(found) > _SHOWN else ""
    return [f"The causes do not explain why these go together: {told}{more}. An arrow is missing, or a common cause is "
            "not named; what do() says of them may be wrong."]
