"""What a row is told of the rows of other tables that it points to: their codes, and numbers that are a multiple."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn.description import modelled
from verisyn.kinds import Part
from verisyn.modalities.table import Codes
from verisyn.modalities.table._views import TableCoder
from verisyn.schema import Constraint, Table

_MOST_LEVELS = 255
"""Levels above which a category is a name rather than a kind."""
_SAMPLE, _COARSE, _LEAST_TOLD = 4_000, 12, 0.03
"""Rows that are looked at, and bins of each part, to see what tells something; mutual information (in nats) below which
a parent's column tells nothing."""
_HITS, _RATIOS, _LEAST_ROWS = 0.3, 4, 100
"""A number is learnt as its ratio to a parent's where so few ratios are those of so large a share of rows."""
_FEWEST, _CROWD = 20, 50
"""Parents of which something can be told at least; rows that point to one on average from which on it is a category."""
_DIGITS = 4
_PLACES = 6


class Reference:
    """How the rows of a parent are told to those that point to them.

    A parent that is a kind of its own is told by its kind alone: of few parents that many rows point to, what these
    are like is no matter of the parents' columns, of which the synthetic ones have others.

    Parameters
    ----------
    columns : tuple of str
    coder : TableCoder
        Of these columns.
    kind : str, optional
        The parent's column that says what kind it is.
    alone : int
        So many kinds, the first, are of one parent each.
    """

    def __init__(self, columns: tuple[str, ...], coder: TableCoder, kind: str | None = None, alone: int = 0):
        self.columns, self.coder, self.kind, self.alone = columns, coder, kind, alone

    @classmethod
    def learn(cls, rows: pl.DataFrame, table: Table, told: Sequence[str], seed: np.random.SeedSequence, at: np.ndarray,
              own: Codes, most: int, kind: str | None = None, alone: int = 0) -> Self | None:
        """Learn how rows of a parent are told; None where nothing of them can be.

        Parameters
        ----------
        rows : polars.DataFrame
            Those of the parent, hidden columns among them.
        table : Table
            What is learnt of the parent.
        told : sequence of str
            Columns that its children have themselves.
        seed : SeedSequence
        at : int64 array
            The parent of each child.
        own : Codes
            What children are themselves; only what tells of it is told.
        most : int
            Parts that are told at most.
        kind : str, optional
        alone : int
            As above.
        """
        of = _shared(rows, kind, alone)
        some = np.flatnonzero(at >= 0)[of[at[at >= 0]]]
        if len(np.unique(at[some])) < max(_FEWEST, len(some) / _CROWD):
            return None
        kept = tuple(c for c in table.columns if modelled(c) and c.name not in told and c.name in rows.columns)
        columns: list[str] = []
        if kept:
            plain = table.model_copy(update={"columns": kept, "constraints": ()})
            whole, parts = TableCoder.learn(rows, plain, seed), 0
            some = some[np.random.default_rng(seed).permutation(len(some))[:_SAMPLE]]
            strength = _strength(whole.encode(rows).values[at[some]], own.values[some])
            for score, coder in sorted(((strength[where].max(initial=0), coder) for coder, where in whole.slices()),
                                       key=lambda found: -found[0]):
                fit = all(p.ordered or p.size <= _MOST_LEVELS for p in coder.parts) and score >= _LEAST_TOLD
                if fit and parts + len(coder.parts) <= most:
                    columns += coder.columns
                    parts += len(coder.parts)
        if not columns:
            return None
        few = table.of(set(columns)).model_copy(update={"constraints": ()})
        return cls(tuple(few.names), TableCoder.learn(rows, few, seed), kind, alone)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts that are told; one more code says that there is no such row."""
        return tuple(Part(p.size + 1, p.ordered, p.size) for p in self.coder.parts)

    def codes(self, rows: pl.DataFrame, at: np.ndarray) -> np.ndarray:
        """Return the codes of the parents at `at`, int32 (len(at), parts)."""
        out = np.empty((len(at), len(self.parts)), np.int32, order="F")
        known = at >= 0
        if rows.height:
            known &= _shared(rows, self.kind, self.alone)[np.maximum(at, 0)]
        own = self.coder.encode(rows.select(self.columns)).values if rows.height else np.empty((1, out.shape[1]))
        for j, part in enumerate(self.coder.parts):
            out[:, j] = np.where(known, own[np.maximum(at, 0), j], part.size)
        return out

    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        return {"columns": list(self.columns), "coder": self.coder.state(), "kind": self.kind, "alone": self.alone}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild from `state`."""
        return cls(tuple(state["columns"]), TableCoder.restore(state["coder"]), state["kind"], int(state["alone"]))


def _strength(parents: np.ndarray, children: np.ndarray) -> np.ndarray:
    """Return the most that each code of parents tells of one of their children, in nats, less what chance tells."""
    def coarse(codes: np.ndarray) -> list[np.ndarray]:
        edges = [np.unique(np.quantile(c, np.linspace(0, 1, _COARSE + 1)[1:-1])) for c in codes.T]
        return [np.searchsorted(e, c, side="right") for e, c in zip(edges, codes.T, strict=True)]

    out, mine, rows = np.zeros(parents.shape[1]), coarse(children), max(len(parents), 1)
    for j, theirs in enumerate(coarse(parents)):
        for own in mine:
            table = np.bincount(theirs * _COARSE + own, minlength=_COARSE**2).reshape(_COARSE, _COARSE) / rows
            sides = table.sum(axis=1), table.sum(axis=0)
            known = table > 0
            told = float((table[known] * np.log(table[known] / np.outer(*sides)[known])).sum())
            free = ((sides[0] > 0).sum() - 1) * ((sides[1] > 0).sum() - 1)
            out[j] = max(out[j], told - free / (2 * rows))
    return out


def _shared(rows: pl.DataFrame, kind: str | None, alone: int) -> np.ndarray:
    """Whether each parent shares its kind with others."""
    if kind is None or not alone:
        return np.ones(rows.height, bool)
    return ~rows[kind].is_in([str(i) for i in range(alone)]).to_numpy()


def beside(own: Sequence[np.ndarray], references: Sequence[Reference]) -> Codes:
    """Return codes of rows that are told beside a row, as one view."""
    parts = tuple(p for r in references for p in r.parts)
    values = np.hstack(own) if own else np.empty((0, 0), np.int32)
    return Codes(np.asfortranarray(values), parts, tuple(f"beside {i}" for i in range(len(parts))))


@dataclass(frozen=True)
class Ratio:
    """A child's number that mostly is its parent's, times one of a few numbers: a price, and the price less a discount.

    Parameters
    ----------
    column : str
        The child's.
    link : str
    parent : str
        The parent's column.
    places : int
        Decimal places of the child's numbers.
    """

    column: str
    link: str
    parent: str
    places: int

    def ahead(self, frame: pl.DataFrame, parents: pl.DataFrame, at: np.ndarray) -> pl.DataFrame:
        """Return rows with the ratio in the place of the number."""
        return frame.with_columns(_ratio(frame[self.column], parents[self.parent], at).alias(self.column))

    def back(self, frame: pl.DataFrame, parents: pl.DataFrame, at: np.ndarray) -> pl.DataFrame:
        """Return rows with the number in the place of the ratio."""
        base = parents[self.parent].cast(pl.Float64).gather(np.maximum(at, 0))
        return frame.with_columns((frame[self.column] * base).round(self.places).alias(self.column))


def ratios(frame: pl.DataFrame, table: Table, link: str, parents: pl.DataFrame, names: Sequence[str], at: np.ndarray
           ) -> list[Ratio]:
    """Find the numbers of a table that mostly are a multiple of a parent's, each once.

    `names` are columns of `parents` that are numbers. A number that a rule speaks of, beside its range, is none.
    """
    if (at < 0).any() or len(at) < _LEAST_ROWS:
        return []
    ruled = {c for rule in table.constraints if rule.kind != "range" for c in rule.columns}
    found = []
    for column in table.columns:
        own = frame[column.name] if column.name in frame.columns else None
        if own is None or column.name in ruled or not modelled(column) or not own.dtype.is_float():
            continue
        best = max(((_hits(own, parents[name], at), name) for name in names), default=(0.0, ""))
        if best[0] >= _HITS:
            found.append(Ratio(column.name, link, best[1], _places(own)))
    return found


def without(constraints: Sequence[Constraint], columns: Sequence[str]) -> tuple[Constraint, ...]:
    """Return constraints that do not speak of some columns; one on the range of each loses these."""
    kept = []
    for rule in constraints:
        left = tuple(c for c in rule.columns if c not in columns)
        if left == rule.columns or (left and rule.kind == "range"):
            kept.append(rule.model_copy(update={"columns": left}))
    return tuple(kept)


def _ratio(own: pl.Series, base: pl.Series, at: np.ndarray) -> pl.Series:
    return (own.cast(pl.Float64) / base.cast(pl.Float64).gather(np.maximum(at, 0))).round(_DIGITS)


def _hits(own: pl.Series, base: pl.Series, at: np.ndarray) -> float:
    """The share of rows whose ratio is one of the most frequent few; 0 where the numbers vary too little to tell."""
    values = base.cast(pl.Float64).fill_null(0.0).to_numpy()
    if (values <= 0).any() or base.n_unique() < _RATIOS * 2:
        return 0.0
    ratio = _ratio(own, base, at).drop_nulls()
    tops, plain = (int(np.sort(np.unique(v.to_numpy(), return_counts=True)[1])[-_RATIOS:].sum())
                   for v in (ratio, own.drop_nulls()))
    return tops / len(own) if tops > 1.5 * plain else 0.0


def _places(values: pl.Series) -> int:
    """How many decimal places numbers have, at most six."""
    known = values.drop_nulls().to_numpy().astype(float)
    return next((d for d in range(_PLACES) if np.mean(np.abs(known - known.round(d)) < 1e-9) > 0.99), _PLACES)
