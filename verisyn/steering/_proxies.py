"""Columns that tell much of sensitive ones: which they are, and what is wished of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from verisyn.drawing import Drawing
from verisyn.errors import UserError, did_you_mean
from verisyn.metrics._groups import crossed
from verisyn.metrics._tables import associations, left_out
from verisyn.modalities.table._views import TableCoder, coarse_of, scales_of

WAYS = ("remove", "repair")
_PROXY = 0.3
"""Cramér's V of 0.3 is a medium association (Cohen 1988); what describe() calls a proxy, too."""


@dataclass(frozen=True)
class Proxies:
    """What happens to proxies, and which columns they are; None: those that are found."""

    way: str
    columns: tuple[str, ...] | None = None

    @classmethod
    def read(cls, wish: Any, coder: TableCoder, taken: Collection[str]) -> Proxies | None:
        """Check ``"remove"``, ``"repair"``, or one of them with columns, such as ``{"remove": ["relationship"]}``.

        Raises
        ------
        UserError
            If it is none of these, or a column is unknown, sensitive or the outcome.
        """
        if wish is None:
            return None
        way, columns = (wish, None) if isinstance(wish, str) else (
            next(iter(wish.items())) if isinstance(wish, dict) and len(wish) == 1 else (None, None))
        if way not in WAYS:
            raise UserError(f"fair's proxies are {wish!r}; expected is 'remove', 'repair', or one of them with "
                            "columns, such as {'remove': ['relationship']}.")
        if columns is None:
            return cls(way)
        columns = (columns,) if isinstance(columns, str) else tuple(columns)
        for name in columns:
            if name not in coder.columns:
                raise UserError(f"fair names the proxy {name!r}, which is no column. "
                                f"{did_you_mean(str(name), coder.columns)}")
            if name in taken:
                raise UserError(f"fair names {name!r} as a proxy, but it is sensitive, or the outcome, or recomputed "
                                "from one of them.")
        return cls(way, columns)

    def found(self, own: pl.DataFrame, group: np.ndarray, drawing: Drawing, taken: Collection[str]) -> tuple[str, ...]:
        """Return the columns: those named, else those that describe() found or that tell much in the model's rows."""
        if self.columns is not None:
            return self.columns
        told = {c for c, strength in strengths(own, group, drawing).items() if strength >= _PROXY}
        told |= {b.columns[1] for b in drawing.table.biases if b.kind == "proxy" and b.columns[0] in taken}
        return tuple(c for c in drawing.coder.columns if c in told - set(taken))


def strengths(own: pl.DataFrame, group: np.ndarray, drawing: Drawing) -> dict[str, float]:
    """Return each modelled column's association with the groups: Cramér's V without its bias, on about ten bins."""
    features = drawing.coder.features(own)
    coarse = coarse_of(features, scales_of(features), own.height).values
    tables = [crossed(group, int(group.max()) + 1, code, int(code.max(initial=0)) + 1) for code in coarse.T]
    return {f.name: float(associations(left_out(t)[:1])[0]) for f, t in zip(features, tables, strict=True)}
