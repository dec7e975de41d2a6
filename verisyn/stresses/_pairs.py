"""All pairs: rows in which every two values of any two columns meet, as far as the constraints let them.

A covering array of strength 2, built row by row, each the best of a few greedy candidates: AETG (Cohen, Dalal, Fredman
and Patton, IEEE Trans. Softw. Eng. 23(7), 1997). Most faults of software that inputs cause need one or two of them
(Kuhn, Wallace and Gallo, IEEE Trans. Softw. Eng. 30(6), 2004).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from verisyn.stresses import Case, cell
from verisyn.stresses._ground import Ground
from verisyn.stresses._points import ends_of
from verisyn.stresses._rows import Rows, rows_of

_LEVELS = 50
_TRIES = 5
_REPEATED = 2


@dataclass(frozen=True)
class Factors:
    """The columns that take part, each with its values: levels, the two ends of numbers and dates, and missing."""

    names: tuple[str, ...]
    values: tuple[pl.Series, ...]

    @classmethod
    def of(cls, ground: Ground) -> Factors:
        """Return the columns of two values or more that follow from no other."""
        found = {n: s for n in ground.table.names if n not in ground.derived and len(s := _values(ground, n)) > 1}
        return cls(tuple(found), tuple(found.values()))

    @cached_property
    def starts(self) -> np.ndarray:
        """Where each column's values begin among all values; and where they end."""
        return np.cumsum([0, *map(len, self.values)])

    def uncovered(self) -> np.ndarray:
        """Return which values are to meet, bool (values, values); those of one column never do."""
        owner = np.repeat(np.arange(len(self.names)), [len(v) for v in self.values])
        return owner[:, None] != owner[None, :]

    def places(self, frame: pl.DataFrame) -> np.ndarray:
        """Return which of all values each cell is, int (rows, columns); -1 for one that takes no part."""
        out = np.full((frame.height, len(self.names)), -1)
        for i, (name, values) in enumerate(zip(self.names, self.values, strict=True)):
            for j in range(len(values)):
                same = frame[name].eq_missing(values[j: j + 1].new_from_index(0, frame.height)).to_numpy()
                out[same, i] = self.starts[i] + j
        return out

    def cells(self, places: np.ndarray) -> dict[str, pl.Series]:
        """Return values, by their places among all of them, as cells."""
        which = np.searchsorted(self.starts, places, side="right") - 1
        return {self.names[i]: self.values[i][p - self.starts[i]: p - self.starts[i] + 1]
                for i, p in zip(which, places, strict=True)}


def _values(ground: Ground, name: str) -> pl.Series:
    dtype = ground.dtype(name)
    found = ground.levels[name][:_LEVELS] if name in ground.levels else pl.Series([], dtype=dtype)
    if ends := ends_of(ground, name):
        found = pl.concat([e.cast(dtype) for e in ends]).unique(maintain_order=True)
    return pl.concat([found, cell(None, dtype)]) if ground.nullable(name) and len(found) else found


def met(ground: Ground, frame: pl.DataFrame) -> tuple[int, int]:
    """Return how many pairs of values meet in a row, and how many pairs there are."""
    factors = Factors.of(ground)
    left = factors.uncovered()
    total = int(left.sum()) // 2
    for places in factors.places(frame):
        known = places[places >= 0]
        left[np.ix_(known, known)] = False
    return total - int(left.sum()) // 2, total


def all_pairs(ground: Ground, seed: np.random.SeedSequence) -> tuple[Rows, list[Case]]:
    """Make rows in which all pairs of values meet, and say which; pairs without a valid row are left over."""
    factors = Factors.of(ground)
    left = factors.uncovered()
    seeds = seed.spawn(_REPEATED + 1)
    frames, cases, stands = [ground.pool[:0]], [], []
    for attempt, child in enumerate(seeds):
        rng = np.random.default_rng(child)
        alone = attempt == _REPEATED
        wanted = _pair_by_pair(factors, left) if alone else _array(factors, left, rng)
        asked = [Case("pairs", factors.cells(p), "", loose=not alone) for p in wanted]
        made = rows_of(ground, asked, child.spawn(1)[0])
        for row, places, columns in zip(range(made.frame.height), factors.places(made.frame), made.stands, strict=True):
            known = places[places >= 0]
            new = int(left[np.ix_(known, known)].sum()) // 2
            if new:
                left[np.ix_(known, known)] = False
                frames.append(made.frame[row])
                cases.append(_case(asked[made.which[row]], columns, new))
                stands.append(columns)
    return Rows(pl.concat(frames), np.arange(len(cases)), stands), cases


def _case(asked: Case, columns: tuple[str, ...], new: int) -> Case:
    number = "1 pair of values" if new == 1 else f"{new:,} pairs of values"
    return Case(number, {n: asked.cells[n] for n in columns}, "no row before has them together")


def _pair_by_pair(factors: Factors, left: np.ndarray) -> Iterator[np.ndarray]:
    yield from np.argwhere(np.triu(left))[:20_000] if len(factors.names) else ()


def _array(factors: Factors, left: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield rows, as places among all values, until every pair that is left is in one."""
    left = left.copy()
    while left.any():
        row = max((_candidate(factors, left, rng) for _ in range(_TRIES)), key=lambda c: _gain(left, c))
        left[np.ix_(row, row)] = False
        yield row


def _gain(left: np.ndarray, row: np.ndarray) -> int:
    return int(left[np.ix_(row, row)].sum())


def _candidate(factors: Factors, left: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Begin with the value that lacks most pairs; give each further column the value that makes most new ones."""
    lacking = left.sum(axis=1) + rng.random(len(left))
    first = int(lacking.argmax())
    chosen, gain = [first], left[first].astype(np.float64)
    own = int(np.searchsorted(factors.starts, first, side="right")) - 1
    for i in rng.permutation(len(factors.names)):
        if i != own:
            low, high = factors.starts[i], factors.starts[i + 1]
            best = int(low + (gain[low:high] + 0.5 * rng.random(high - low)).argmax())
            chosen.append(best)
            gain += left[best]
    return np.sort(np.array(chosen))
