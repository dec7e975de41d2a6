"""No value, or no combination of values, occurs twice in the whole table."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import polars as pl

from verisyn.constraints import BaseRule, _columns
from verisyn.errors import UserError
from verisyn.schema import Constraint, Table

_EXPECTED = 20.0
_ROOM = 4
"""Rows that nearly fill what is possible (each hour of a year) are not proposed: most rows would have to be moved."""
_DISTINCT = 8
_CANDIDATES = 12


def find(frame: pl.DataFrame, table: Table) -> list[Constraint]:
    """Find whole numbers, moments, and pairs of columns that never repeat, though at random they would.

    Values drawn at random from as wide a range would make about ``n² / 2m`` pairs of equal rows among `m` possible
    values; for two columns about ``n² / 2`` times the chance that two rows agree in each.
    """
    if frame.height < _columns.LEAST_ROWS:
        return []
    names = [n for n in (*_columns.numbers(frame, table), *_columns.moments(frame, table))
             if not frame[n].null_count() and not frame[n].dtype.is_float()]
    alone = [n for n in names if frame[n].n_unique() == frame.height and _crowded(frame[n])]
    found = [Constraint(kind="unique", columns=(n,), evidence=f"{n!r} has {frame.height:,} different values in "
                                                              f"{frame.height:,} rows.") for n in alone]
    levels = [c.name for c in table.columns if _columns.alone(c) and c.name not in alone
              and not frame[c.name].null_count() and not frame[c.name].dtype.is_float()
              and frame[c.name].n_unique() >= _DISTINCT][:_CANDIDATES]
    counts = {n: np.bincount(_columns.codes(frame[n])).astype(np.float64) for n in levels}
    agree = {n: float((c * (c - 1)).sum()) / frame.height / (frame.height - 1) for n, c in counts.items()}
    for i, a in enumerate(levels):
        for b in levels[i + 1:]:
            expected = frame.height**2 / 2 * agree[a] * agree[b]
            roomy = frame[a].n_unique() * frame[b].n_unique() >= _ROOM * frame.height
            if roomy and expected >= _EXPECTED and not frame.select(a, b).is_duplicated().any():
                found.append(Constraint(kind="unique", columns=(a, b),
                                        evidence=f"No two of {frame.height:,} rows have the same {a!r} and {b!r}; were "
                                                 f"the columns unrelated, about {expected:,.0f} pairs would."))
    return found


def _crowded(values: pl.Series) -> bool:
    """Whether values at random from the same range would repeat."""
    places = _columns.order(values)
    if np.isnan(places).any():
        return False
    step = np.gcd.reduce(np.diff(np.sort(places)).astype(np.int64))
    possible = (places.max() - places.min()) / max(1, step) + 1
    return possible >= _ROOM * len(places) and len(places) ** 2 / 2 / possible >= _EXPECTED


@dataclass(frozen=True)
class Rule(BaseRule):
    """No repeats. A repeated row's last ordered column moves to the nearest free value; else another level is taken.

    Missing values repeat freely.
    """

    whole = True

    step: float
    ordered: str | None

    @classmethod
    def learn(cls, constraint: Constraint, frame: pl.DataFrame, table: Table) -> Rule:
        """Learn which column can move, and by how much."""
        _columns.settings(constraint, {})
        able = [n for n in constraint.columns if frame[n].dtype.is_numeric() or frame[n].dtype.is_temporal()]
        ordered = able[-1] if able else None
        return cls(constraint.columns, (), _step(frame[ordered]) if ordered else 1.0, ordered)

    @property
    def sentence(self) -> str:
        """What holds."""
        return f"no two rows have the same {_columns.spoken(self.columns)}"

    def broken(self, frame: pl.DataFrame) -> np.ndarray:
        """Rows that repeat an earlier row's values."""
        rows = frame.select(self.columns)
        known = rows.select(~pl.any_horizontal(pl.all().is_null())).to_series()
        return (~rows.select(pl.struct(pl.all()).is_first_distinct()).to_series() & known).to_numpy()

    def mend(self, frame: pl.DataFrame, broken: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
        """Move each repeated row to the nearest free value, or to levels that no row has."""
        moved = self._moved(frame, self.ordered, broken) if self.ordered else self._relevelled(frame, broken)
        return frame.filter(pl.Series(broken)).with_columns(moved)

    def _moved(self, frame: pl.DataFrame, moving: str, broken: np.ndarray) -> list[pl.Series]:
        others = [c for c in self.columns if c != moving]
        keys = frame.select(others).rows() if others else [()] * frame.height
        values = frame[moving].to_physical()
        step = self.step if values.dtype.is_float() else int(self.step)
        places = [None if v is None else round(v / step) for v in values.to_list()]
        known = [p for p in places if p is not None]
        low, high = min(known, default=0), max(known, default=0)
        free: dict[tuple, _Free] = {}
        for key, place in zip(keys, places, strict=True):
            if place is not None:
                free.setdefault(key, _Free(low, high)).take(place)
        moved = []
        for i in np.flatnonzero(broken):
            place = free[keys[i]].nearest(places[i])  # type: ignore[arg-type]
            free[keys[i]].take(place)
            moved.append(place * step)
        return [pl.Series(moving, moved, dtype=values.dtype).cast(frame[moving].dtype)]

    def _relevelled(self, frame: pl.DataFrame, broken: np.ndarray) -> list[pl.Series]:
        rows = frame.select(self.columns).rows()
        taken, levels = set(rows), [frame[c].drop_nulls().unique().sort().to_list() for c in self.columns]
        unused, moved = (c for c in product(*levels) if c not in taken), []
        for i in np.flatnonzero(broken):
            near = ((*rows[i][:-1], level) for level in levels[-1])
            new = next((c for c in near if c not in taken), None) or next(unused, None)
            if new is None:
                raise UserError(f"{frame.height:,} rows without repeats of {_columns.spoken(self.columns)} cannot be "
                                f"made: only {len(taken):,} different ones are possible. Ask for fewer rows, or take "
                                "the constraint 'unique' out of the schema.")
            taken.add(new)
            moved.append(new)
        return [pl.Series(c, [m[j] for m in moved], dtype=frame[c].dtype) for j, c in enumerate(self.columns)]


class _Free:
    """Places, whole numbers from `low` on, of which some are taken; finds the nearest free one, up to `high` if any is.

    So a moved value stays within what the sample holds, and thereby within limits that all its rows keep. Each taken
    place remembers a place further on (a disjoint-set forest, Tarjan 1975), so that crowds cost little.
    """

    def __init__(self, low: int, high: int):
        self.low, self.high = low, high
        self.ways: dict[int, dict[int, int]] = {1: {}, -1: {}}

    def take(self, place: int) -> None:
        for way, further in self.ways.items():
            further.setdefault(place, place + way)

    def nearest(self, place: int) -> int:
        up, down = self._first(place, 1), self._first(place, -1)
        return down if down >= self.low and (up > self.high or place - down < up - place) else up

    def _first(self, place: int, way: int) -> int:
        further, passed = self.ways[way], []
        while place in further:
            passed.append(place)
            place = further[place]
        for p in passed:
            further[p] = place
        return place


def _step(values: pl.Series) -> float:
    """A unit of the last decimal, or what divides all moments."""
    if values.dtype.is_float():
        decimals = _columns.lattice(values).decimals
        return 10.0 ** -(9 if decimals is None else decimals)
    ticks = values.to_physical().drop_nulls().cast(pl.Int64).to_numpy()
    return float(max(1, int(np.gcd.reduce(ticks)))) if values.dtype.is_temporal() and len(ticks) else 1.0
