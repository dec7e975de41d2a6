"""A whole table from entities and their rows: keys and invented columns made anew, what must hold across them kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn._runs import places
from verisyn.constraints._rules import Rules
from verisyn.kinds import _dtypes as dtypes
from verisyn.modalities.sequence import Entities
from verisyn.modalities.sequence._history import Rows
from verisyn.modalities.sequence._keys import Keys
from verisyn.modalities.sequence._layout import Layout, Parts
from verisyn.modalities.sequence._seen import follows, gone, time_of
from verisyn.modalities.table._views import TableCoder
from verisyn.schema import Table


@dataclass(frozen=True)
class Whole:
    """What makes a table of what was drawn.

    Parameters
    ----------
    layout : Layout
    keys : Keys
    invented : TableCoder
        Of the columns of rows that are made anew.
    across : Rules
        What holds between columns that are drawn apart.
    types : mapping of str to data type
        Of the source's columns, as JSON.
    tick : float
        The least gap between two rows of an entity that are not at one time, in the time's own ticks.
    """

    layout: Layout
    keys: Keys
    invented: TableCoder
    across: Rules
    types: dict[str, Any]
    tick: float

    @classmethod
    def learn(cls, layout: Layout, parts: Parts, seed: np.random.SeedSequence) -> Self:
        """Learn from a table that was taken apart."""
        key_seed, coder_seed = seed.spawn(2)
        table = layout.table
        keys = Keys.learn(parts.keys, [table.column(c) for c in table.entity], np.random.default_rng(key_seed))
        own = Table(name=table.name, columns=tuple(table.column(c) for c in layout.invented), rows=table.rows)
        invented = TableCoder.learn(parts.sorted.select(own.names), own, coder_seed)
        across = Rules.learn(parts.sorted, layout.across)
        kept = [(r, k) for r, k in zip(across.rules, across.kinds, strict=True) if not r.whole]
        types = {c: dtypes.to_json(t) for c, t in parts.sorted.schema.items()}
        return cls(layout, keys, invented, replace(across, rules=tuple(r for r, _ in kept), kinds=tuple(
            k for _, k in kept)), types, _least_gap(parts.rows))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the report should say."""
        return (*self.keys.notes, *self.invented.notes, *self.across.said())

    def made(self, entities: Entities, rows: Rows, seed: np.random.SeedSequence, given: Parts | None = None
             ) -> pl.DataFrame:
        """Return a table in the order of the source; of `given` first rows, the keys and all cells stand."""
        key_seed, coder_seed, rule_seed = seed.spawn(3)
        layout = self.layout
        rows = _apart(rows, self.tick) if layout.once and self.tick else rows
        keys = self.keys.make(entities.count, key_seed) if given is None else given.keys
        frame = layout.whole(keys, entities, rows)
        if layout.invented:
            drawn = self.invented.decode(self._gaps(frame), coder_seed)
            frame = pl.concat([frame.drop([g for g in map(gone, layout.invented) if g in frame.columns]), drawn],
                              how="horizontal")
        frame = frame.select(layout.table.names)
        if self.across.rules and frame.height:
            stand = [*layout.table.entity, layout.times.name, *(c.name for c in layout.statics),
                     *(f.name for f in layout.followers)]
            frame = self.across.changed(frame, frame.select(stand), np.random.default_rng(rule_seed))
        frame = frame.cast({c: dtypes.from_json(t) for c, t in self.types.items()})
        if given is not None:
            frame = _kept(frame, rows, given)
        return layout.ordered(frame, time_of(rows))

    def _gaps(self, frame: pl.DataFrame) -> np.ndarray:
        """Return the codes of invented columns: they say only where there is no value."""
        columns = []
        for name in self.layout.invented:
            filled = pl.Series(name, [0 if dtypes.from_json(self.types[name]).is_numeric() else ""]).cast(
                dtypes.from_json(self.types[name])).new_from_index(0, frame.height)
            there = ~frame[gone(name)] if gone(name) in frame.columns else pl.repeat(True, frame.height, eager=True)
            columns.append(pl.select(pl.when(there).then(filled).otherwise(None).alias(name)).to_series())
        return self.invented.encode(pl.DataFrame(columns)).values

    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        return {"layout": self.layout.state(), "keys": self.keys.state(), "invented": self.invented.state(),
                "across": self.across.state(), "types": self.types, "tick": self.tick}

    @classmethod
    def restore(cls, table: Table, state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        return cls(Layout.restore(table, state["layout"]), Keys.restore(state["keys"]),
                   TableCoder.restore(state["invented"]), Rules.restore(state["across"]), dict(state["types"]),
                   state["tick"])


def _least_gap(rows: Rows) -> float:
    """The least gap within an entity that is not 0, in ticks; 0 where there is none."""
    ticks = time_of(rows).to_physical().to_numpy()
    gaps = np.diff(ticks)[follows(rows.starts)[1:]]
    some = gaps[gaps > 0]
    return float(some.min()) if len(some) else 0.0


def _apart(rows: Rows, tick: float) -> Rows:
    """Move rows of an entity that fell on one time apart, by the least gap."""
    time = time_of(rows)
    ticks = time.to_physical().to_numpy().copy()
    same = np.flatnonzero(ticks[1:] <= ticks[:-1]) + 1
    of = np.searchsorted(rows.starts, same, side="right") - 1
    for entity in np.unique(of[same > rows.starts[of]]):
        at = slice(int(rows.starts[entity]), int(rows.starts[entity + 1]))
        steps = (np.arange(at.stop - at.start) * tick).astype(ticks.dtype)
        ticks[at] = np.maximum.accumulate(ticks[at] - steps) + steps
    return replace(rows, time=pl.Series(time.name, ticks).cast(time.to_physical().dtype).cast(time.dtype))


def _kept(frame: pl.DataFrame, rows: Rows, given: Parts) -> pl.DataFrame:
    """Return a table with the cells of the first rows that were given."""
    had = given.rows.counts
    at = places(given.rows.starts) + np.repeat(rows.starts[:-1], had)
    index = np.arange(frame.height)
    index[at] = frame.height + np.arange(len(at))
    known = [c for c in frame.columns if c in given.sorted.columns]
    return frame.with_columns(pl.concat([frame[c], given.sorted[c].cast(frame[c].dtype)]).gather(index) for c in known)
