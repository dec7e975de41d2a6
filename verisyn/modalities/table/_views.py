"""How a table is seen: codes for generators; features, coarse codes and vectors for judges; learnt on training rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn import shelves
from verisyn.constraints._recomputed import joined, restored, spec
from verisyn.constraints._rules import Ledger, Rules
from verisyn.kinds import BaseCoder, Draw, Feature, Part
from verisyn.modalities.table import Codes
from verisyn.schema import Column, Table

_BINS = 10
_FINEST = 640
_LEVELS = 50


@dataclass(frozen=True)
class Coarse:
    """About ten bins a feature: `values` uint8 (rows, features), `sizes` per feature, `names`."""

    values: np.ndarray
    sizes: tuple[int, ...]
    names: tuple[str, ...]


def groups(table: Table) -> Iterator[tuple[str, list[Column]]]:
    """Yield (kind, columns that belong together), in table order."""
    taken: set[str] = set()
    by_kind: dict[str, list[list[Column]]] = {}
    for kind in dict.fromkeys(c.kind for c in table.columns):
        mine = [c for c in table.columns if c.kind == kind]
        group = getattr(shelves.kinds.take(kind), "group", None)
        by_kind[kind] = group(mine) if group else [[c] for c in mine]
    for column in table.columns:
        if column.name not in taken:
            members = next(g for g in by_kind[column.kind] if column in g)
            taken.update(c.name for c in members)
            yield column.kind, members


class TableCoder:
    """All coders of one table: frame ↔ codes, and the judges' views."""

    def __init__(self, columns: tuple[str, ...], coders: list[BaseCoder], rules: Rules | None = None):
        self.columns = columns
        self.coders = coders
        self.rules = rules or Rules()
        self.parts: tuple[Part, ...] = tuple(p for c in coders for p in c.parts)
        self.names = tuple(
            "/".join(c.columns) + (f"#{i}" if len(c.parts) > 1 else "") for c in coders for i in range(len(c.parts))
        )

    @classmethod
    def learn(cls, frame: pl.DataFrame, table: Table, seed: np.random.SeedSequence) -> Self:
        """Learn every column of `table`, and its constraints, from training rows."""
        rules = Rules.learn(frame, table)
        helped = rules.help(frame)

        def learnt(table: Table, seed: np.random.SeedSequence) -> list[BaseCoder]:
            found = list(groups(table))
            return [shelves.kinds.take(kind).Coder.learn(helped.select([c.name for c in members]), members,
                                                         np.random.default_rng(child))
                    for (kind, members), child in zip(found, seed.spawn(len(found)), strict=True)]

        coders = learnt(rules.learnt(table), seed)
        judged = learnt(rules.recomputed(table), seed)
        return cls(tuple(table.names), joined(coders, rules.rules, {c.columns[0]: c for c in judged}), rules)

    @property
    def notes(self) -> list[str]:
        """What the coders and the constraints want said in the report."""
        return [*(note for coder in self.coders for note in coder.notes), *self.rules.said()]

    def slices(self) -> Iterator[tuple[BaseCoder, slice]]:
        """Yield each coder with the slice of parts that is its own."""
        at = 0
        for coder in self.coders:
            yield coder, slice(at, at + len(coder.parts))
            at += len(coder.parts)

    def encode(self, frame: pl.DataFrame) -> Codes:
        """Return the codes of a frame."""
        values = np.empty((frame.height, len(self.parts)), np.int32, order="F")
        for coder, where in self.slices():
            values[:, where] = coder.encode(frame)
        return Codes(values, self.parts, self.names)

    def decode(self, codes: np.ndarray, seed: np.random.SeedSequence, start: int = 0,
               ledger: Ledger | None = None) -> pl.DataFrame:
        """Return a frame with the table's columns in order, that keeps the rules; the same seed gives the same frame.

        What keeping the rules cost is booked in `ledger`.
        """
        children = np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key).spawn(len(self.coders) + 2)
        personas = np.random.default_rng(children[-2]).integers(0, 2**62, len(codes))
        frames = [
            coder.decode(codes[:, where], Draw(np.random.default_rng(child), personas, start))
            for (coder, where), child in zip(self.slices(), children, strict=False)
        ]
        if not frames:
            return pl.DataFrame()
        frame = pl.concat(frames, how="horizontal")
        return self.rules.settle(frame, np.random.default_rng(children[-1]), ledger).select(self.columns)

    def blank(self) -> pl.DataFrame:
        """Return one row, for the columns' data types."""
        return self.decode(np.zeros((1, len(self.parts)), np.int32), np.random.SeedSequence(0))

    # -- what judges see (with `scales_of`, `coarse_of` and `vectors_of` below) -------------------------------------
    def features(self, frame: pl.DataFrame) -> list[Feature]:
        """Return every modelled column at full precision."""
        return [feature for coder in self.coders for feature in coder.features(frame)]

    # -- to and from disk -------------------------------------------------------------------------------------------
    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        return {"columns": list(self.columns), "rules": self.rules.state(), "coders": [spec(c) for c in self.coders]}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        rules = Rules.restore(state.get("rules", ()))
        return cls(tuple(state["columns"]), [restored(c, rules.rules) for c in state["coders"]], rules)


def scales_of(features: Sequence[Feature]) -> list[np.ndarray]:
    """Learn from training rows what `coarse_of` and `vectors_of` need: sorted values, or the most frequent levels."""
    return [_levels(f) if f.levels else np.sort(f.values[~np.isnan(f.values)]) for f in features]


def coarse_of(features: Sequence[Feature], scales: Sequence[np.ndarray], rows: int) -> Coarse:
    """Return about ten bins a feature; the last two codes are 'other or unseen' and 'missing'."""
    columns = [_bin(f, scale) for f, scale in zip(features, scales, strict=True)]
    values = np.column_stack(columns) if columns else np.empty((rows, 0), np.uint8)
    return Coarse(values, (_BINS + 2,) * len(features), tuple(f.name for f in features))


def vectors_of(features: Sequence[Feature], scales: Sequence[np.ndarray], rows: int) -> np.ndarray:
    """Return rows as points: a number's rank among training values (missing is -1), levels one-hot over sqrt 2."""
    blocks = [_point(f, scale) for f, scale in zip(features, scales, strict=True)]
    return np.hstack(blocks) if blocks else np.empty((rows, 0), np.float32)


def _levels(feature: Feature) -> np.ndarray:
    """The most frequent levels, most frequent first."""
    known = feature.values[~np.isnan(feature.values)].astype(np.int64)
    counts = np.bincount(known, minlength=feature.levels)
    return np.argsort(-counts, kind="stable")[:_LEVELS]


def _bin(feature: Feature, scale: np.ndarray) -> np.ndarray:
    gone = np.isnan(feature.values)
    if feature.levels:
        code = np.full(feature.levels + 1, _BINS, np.uint8)
        code[scale[:_BINS]] = np.arange(min(_BINS, len(scale)))
        out = code[np.where(gone, feature.levels, feature.values).astype(np.int64)]
    else:
        out = np.searchsorted(cuts(scale), feature.values, side="right").astype(np.uint8)
    out[gone] = _BINS + 1
    return out


def cuts(scale: np.ndarray) -> np.ndarray:
    """Return at most nine values at which sorted training values are cut; a value belongs to the bin above its cut.

    Ten bins of equal mass would be one where nine rows in ten hold the same value (zeros, say). Such a column is cut at
    ever finer shares, and just above its heavy values, as long as it has no more than ten bins.

    Examples
    --------
    >>> cuts(np.r_[np.zeros(90), np.arange(1, 11)]).tolist()
    [1.0, 2.0, 3.0, 4.0, 6.0, 7.0, 8.0, 9.0]
    """
    if not len(scale):
        return np.empty(0)
    found = np.unique(np.quantile(scale, np.linspace(0, 1, _BINS + 1)[1:-1]))
    if len(found) == _BINS - 1:
        return found
    found, shares = np.empty(0), _BINS
    while shares <= _FINEST:
        edges, times = np.unique(_at(scale, shares), return_counts=True)
        above = np.searchsorted(scale, edges[times > 1], side="right")
        edges = np.union1d(edges, scale[above[above < len(scale)]])
        edges = edges[edges > scale[0]]
        if len(edges) > _BINS - 1:
            break
        found, shares = edges, 2 * shares
    return found


def _at(scale: np.ndarray, shares: int) -> np.ndarray:
    """The sorted values that part equal shares of the rows."""
    return scale[np.ceil(np.linspace(0, len(scale) - 1, shares + 1)[1:-1]).astype(np.int64)]


def _point(feature: Feature, scale: np.ndarray) -> np.ndarray:
    gone = np.isnan(feature.values)
    if feature.levels:
        column = np.full(feature.levels + 1, len(scale))
        column[scale] = np.arange(len(scale))
        column = column[np.where(gone, feature.levels, feature.values).astype(np.int64)]
        column = np.where(gone, len(scale) + 1, column)
        out = np.zeros((len(gone), len(scale) + 2), np.float32)
        out[np.arange(len(gone)), column] = 2**-0.5
        return out
    ranks = np.searchsorted(scale, feature.values, "left") + np.searchsorted(scale, feature.values, "right")
    out = (ranks / (2 * max(len(scale), 1))).astype(np.float32)
    out[gone] = -1
    return out[:, None]
