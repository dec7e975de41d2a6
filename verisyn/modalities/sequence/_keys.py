"""Names of entities, made anew: no real one is handed out, and no two entities share one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn import shelves
from verisyn.errors import UserError
from verisyn.kinds import BaseCoder, Draw
from verisyn.schema import Column

_KIND = "id"


class Keys:
    """New values of the columns that tell entities apart.

    Where it takes several columns, which of them entities share (machines of one site, say) is taken over from the
    source, over and over where more entities are drawn; the values are new.

    Parameters
    ----------
    coders : sequence of BaseCoder
        One a column; each makes as many different values as it is asked for.
    shared : int64 array of shape (entities, columns)
        For each entity of the source, which of a column's different values it has.
    """

    def __init__(self, coders: Sequence[BaseCoder], shared: np.ndarray):
        self.coders, self.shared = tuple(coders), shared

    @classmethod
    def learn(cls, keys: pl.DataFrame, columns: Sequence[Column], rng: np.random.Generator) -> Self:
        """Learn the form of keys, one row an entity.

        Raises
        ------
        UserError
            If a column can hold no keys.
        """
        coders = [_coder(keys[c.name].unique(maintain_order=True), c, rng) for c in columns]
        shared = [keys[c.name].rank("dense").to_numpy().astype(np.int64) - 1 for c in columns]
        return cls(coders, np.column_stack(shared) if shared else np.empty((keys.height, 0), np.int64))

    def make(self, count: int, seed: np.random.SeedSequence) -> pl.DataFrame:
        """Return `count` new keys, one row an entity."""
        if not self.coders:
            return pl.DataFrame()
        if len(self.coders) == 1:
            index = np.arange(count)[:, None]
        else:
            turn, which = np.divmod(np.arange(count), len(self.shared))
            index = self.shared[which] + turn[:, None] * (self.shared.max(axis=0) + 1)
        made = []
        for coder, own, child in zip(self.coders, index.T, seed.spawn(len(self.coders)), strict=True):
            size = int(own.max()) + 1 if count else 0
            draw = Draw(np.random.default_rng(child), np.arange(size))
            made.append(coder.decode(np.zeros((size, len(coder.parts)), np.int32), draw).to_series().gather(own))
        return pl.DataFrame(made)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the report should say of the new keys."""
        return tuple(note for coder in self.coders for note in coder.notes)

    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays; of a single column nothing is kept of who shared what."""
        return {"columns": [list(c.columns) for c in self.coders], "coders": [c.state() for c in self.coders],
                "shared": self.shared if len(self.coders) > 1 else self.shared[:0]}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        coder = shelves.kinds.take(_KIND).Coder
        return cls([coder.restore(c, s) for c, s in zip(state["columns"], state["coders"], strict=True)],
                   np.asarray(state["shared"]))


def _coder(values: pl.Series, column: Column, rng: np.random.Generator) -> BaseCoder:
    if not (values.dtype == pl.String or values.dtype.is_numeric()):
        raise UserError(f"The entity column {column.name!r} holds {values.dtype}, but an entity is told by text or by "
                        "a number. Turn it into text, or name another column.")
    own = column.settings if column.kind == _KIND else {}
    told = Column(name=column.name, kind=_KIND, dtype=column.dtype, settings=own)
    return shelves.kinds.take(_KIND).Coder.learn(values.to_frame(), [told], rng)
