"""From cases to rows: each in a plausible row, with what depends on its cells, and only if the schema allows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from verisyn.errors import UserError
from verisyn.kinds import Draw
from verisyn.stresses import Case
from verisyn.stresses._ground import Ground
from verisyn.stresses._validity import valid

_ROUNDS, _PASSES = 6, 4


@dataclass(frozen=True)
class Rows:
    """Rows that were made, each with the place of its case; cases that could not be made are not among them.

    Parameters
    ----------
    frame : DataFrame
    which : int array (rows,)
        The place of each row's case.
    stands : list of tuples of str
        Of each row, the columns whose cells stand as the case asked.
    """

    frame: pl.DataFrame
    which: np.ndarray
    stands: list[tuple[str, ...]]

    def take(self, places: np.ndarray) -> Rows:
        """Return some of the rows, in this order."""
        return Rows(self.frame[places], self.which[places], [self.stands[i] for i in places])

    def only(self, keep: np.ndarray) -> Rows:
        """Return the rows that are to be kept, bool (rows,)."""
        return self.take(np.flatnonzero(keep))


class Cells:
    """The cells of many cases: set in a frame at once, and looked at at once."""

    def __init__(self, cases: Sequence[Case]):
        self.cases = cases
        self.rows: dict[str, list[int]] = {}
        self.values: dict[str, list[pl.Series]] = {}
        for at, case in enumerate(cases):
            for name, value in case.cells.items():
                self.rows.setdefault(name, []).append(at)
                self.values.setdefault(name, []).append(value)

    @cached_property
    def _columns(self) -> dict[str, tuple[np.ndarray, pl.Series]]:
        return {n: (np.array(rows), pl.concat(self.values[n])) for n, rows in self.rows.items()}

    def put(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the frame, of a row a case, with the cells set."""
        out = []
        for name, (rows, values) in self._columns.items():
            index = np.arange(frame.height)
            index[rows] = frame.height + np.arange(len(rows))
            out.append(pl.concat([frame[name], values.cast(frame[name].dtype)]).gather(index).alias(name))
        return frame.with_columns(out)

    def stand(self, frame: pl.DataFrame) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Return for each column the rows that set it, and whether the cell is as it was set."""
        return {n: (rows, frame[n].gather(rows).eq_missing(v.cast(frame[n].dtype)).to_numpy())
                for n, (rows, v) in self._columns.items()}

    def held(self, frame: pl.DataFrame) -> np.ndarray:
        """Return whether all cells of each row are as they were set."""
        out = np.ones(frame.height, bool)
        for rows, same in self.stand(frame).values():
            out[rows[~same]] = False
        return out

    def set_in(self, name: str) -> np.ndarray:
        """Return which rows set a column."""
        out = np.zeros(len(self.cases), bool)
        out[self.rows.get(name, [])] = True
        return out

    def names(self, frame: pl.DataFrame) -> list[tuple[str, ...]]:
        """Return for each row the columns whose cells stand."""
        out: list[list[str]] = [[] for _ in self.cases]
        for name, (rows, same) in self.stand(frame).items():
            for row in rows[same]:
                out[row].append(name)
        return [tuple(n) for n in out]


def rows_of(ground: Ground, cases: Sequence[Case], seed: np.random.SeedSequence) -> Rows:
    """Make a row of each case that a valid row can be made of; the same seed gives the same rows."""
    rng = np.random.default_rng(seed)
    left, frames, which, stands = list(range(len(cases))), [], [], []
    matches = _Matches(ground.pool)
    for attempt in range(_ROUNDS):
        if not left:
            break
        mine = [cases[i] for i in left]
        base = matches.chosen(mine, attempt, rng)
        frame, good, held = _made(ground, Cells(mine), matches, base, rng)
        frames.append(frame.filter(pl.Series(good)))
        which += [i for i, yes in zip(left, good, strict=True) if yes]
        stands += [n for n, yes in zip(held, good, strict=True) if yes]
        left = [i for i, yes in zip(left, good, strict=True) if not yes]
    if not frames:
        return Rows(ground.pool[:0], np.empty(0, np.int64), [])
    places = np.array(which, np.int64)
    rows = Rows(pl.concat(frames), places, stands).take(np.argsort(places, kind="stable"))
    return _whole(ground, cases, rows, rng)


class _Matches:
    """Which rows of the pool hold a case's cells already: what depends on them then holds too."""

    def __init__(self, pool: pl.DataFrame):
        self.pool = pool
        self._known: dict[tuple, np.ndarray] = {}

    def chosen(self, cases: Sequence[Case], attempt: int, rng: np.random.Generator) -> np.ndarray:
        """Return for each case a row of the pool: at first one that holds as many of its cells as any does."""
        out = np.empty(len(cases), np.int64)
        for at, case in enumerate(cases):
            counts = np.zeros(self.pool.height, np.int16)
            if not case.loose:
                for name, value in case.cells.items():
                    counts += self.holding(name, value)
            if case.fresh:
                counts[counts == len(case.cells)] = -1
            able = np.flatnonzero(counts >= max(int(counts.max()) - attempt, 0))
            out[at] = able[rng.integers(len(able))] if len(able) else rng.integers(self.pool.height)
        return out

    def holding(self, name: str, value: pl.Series) -> np.ndarray:
        """Return which rows of the pool hold a value."""
        key = (name, value.to_physical()[0])
        if key not in self._known:
            wanted = value.cast(self.pool[name].dtype).new_from_index(0, self.pool.height)
            self._known[key] = self.pool[name].eq_missing(wanted).to_numpy()
        return self._known[key]


def _made(ground: Ground, cells: Cells, matches: _Matches, base: np.ndarray, rng: np.random.Generator
          ) -> tuple[pl.DataFrame, np.ndarray, list[tuple[str, ...]]]:
    """Set the cells in base rows; let what depends on them follow; say which rows are valid and hold their cells."""
    rules = ground.coder.rules
    plain = ground.pool[base]
    frame = _solved(ground, cells, _in_order(ground, cells, cells.put(plain)), plain)
    frame = _lent(ground, cells, frame, matches, rng)
    frame = cells.put(rules.settle(rules.help(frame).drop(ground.derived), rng).select(ground.table.names))
    loose = np.array([c.loose for c in cells.cases])
    for _ in range(_PASSES):
        broken = rules.broken_rows(frame)
        if not broken.any():
            break
        settled = rules.settle(frame, rng)
        again = cells.put(settled)
        frame = pl.concat([again, settled])[np.where(loose, frame.height, 0) + np.arange(frame.height)]
    held = cells.names(frame)
    enough = np.array([len(n) >= 2 for n in held]) if loose.any() else np.zeros(len(loose), bool)
    fresh = np.array([c.fresh for c in cells.cases])
    good = valid(ground, frame) & np.where(loose, enough, cells.held(frame)) & ~(fresh & cells.held(plain))
    return frame, good, held


def with_new_keys(ground: Ground, cases: Sequence[Case], rows: Rows, rng: np.random.Generator) -> pl.DataFrame:
    """Return the rows with ids, personal data and text of their own: a row of the pool may be used more than once."""
    frame, personas = rows.frame, rng.integers(0, 2**62, rows.frame.height)
    for coder in dict.fromkeys(ground.coders.values()):
        if not coder.learnt:
            made = coder.decode(coder.encode(frame), Draw(rng, personas))
            frame = frame.with_columns(made.get_columns())
    return Cells([replace(cases[i], cells={n: cases[i].cells[n] for n in stands})
                  for i, stands in zip(rows.which, rows.stands, strict=True)]).put(frame)


def _solved(ground: Ground, cells: Cells, frame: pl.DataFrame, drawn: pl.DataFrame) -> pl.DataFrame:
    """Where a case sets a column that follows from others, move one of these so that it does."""
    for rule in ground.coder.rules.rules:
        asked = [n for n in rule.derives if n in cells.rows]
        if not asked:
            continue
        todo = np.any([cells.set_in(n) for n in asked], axis=0)
        for name in (c for c in rule.columns if c not in rule.derives):
            told = rule.solved(frame, name, drawn)
            if told is None:
                continue
            trial = frame.with_columns(told.alias(name))
            good = todo & ~cells.set_in(name) & told.is_not_null().to_numpy() & ~rule.broken(trial)
            good &= valid(ground, trial, loosely=True)
            frame = frame.with_columns(told.zip_with(pl.Series(good), frame[name]).alias(name))
            todo &= ~good
    return frame


def _in_order(ground: Ground, cells: Cells, frame: pl.DataFrame) -> pl.DataFrame:
    """Where a set value is out of order with others of its row, move these to it, as near as they may be."""
    for kind, rule in zip(ground.coder.rules.kinds, ground.coder.rules.rules, strict=True):
        if kind != "inequality" or not all(frame[c].dtype.is_numeric() or frame[c].dtype.is_temporal()
                                           for c in rule.columns):
            continue
        for at, name in enumerate(rule.columns):
            for other, column in enumerate(rule.columns):
                rows = cells.set_in(name) & ~cells.set_in(column)
                if rows.any():
                    apart = rule.step if rule.strict else 0.0  # type: ignore[attr-defined]
                    frame = frame.with_columns(_moved(frame[name], frame[column], other - at, apart).zip_with(
                        pl.Series(rows), frame[column]))
    return frame


def _moved(value: pl.Series, other: pl.Series, places: int, step: float) -> pl.Series:
    """The other column, moved so many places further on (back, below 0) than the value where it is not beyond that."""
    one, two = value.to_physical(), other.to_physical()
    if one.dtype.is_float() or two.dtype.is_float():
        to = (one.cast(pl.Float64) + places * step).round(9)
    else:
        to = one.cast(pl.Int64) + round(places * step)
    wrong = (two < to) if places > 0 else (two > to)
    moved = to.cast(two.dtype, strict=False).cast(other.dtype)
    return moved.zip_with(wrong.fill_null(False), other).alias(other.name)


def _lent(ground: Ground, cells: Cells, frame: pl.DataFrame, matches: _Matches, rng: np.random.Generator
          ) -> pl.DataFrame:
    """Where that is not told by computing, take what a set column follows from of a plausible row that has it so."""
    for rule in ground.coder.rules.rules:
        wrong = rule.broken(frame)
        for name in (n for n in rule.derives if n in cells.rows):
            for row in (r for r in cells.rows[name] if wrong[r]):
                able = np.flatnonzero(matches.holding(name, cells.cases[row].cells[name]))
                free = [c for c in rule.sources if c in frame.columns and c not in cells.cases[row].cells]
                if len(able):
                    donor = int(able[rng.integers(len(able))])
                    frame = frame.with_columns(_with(frame[c], row, ground.pool[c][donor: donor + 1]) for c in free)
    return frame


def _with(series: pl.Series, row: int, value: pl.Series) -> pl.Series:
    return pl.concat([series[:row], value, series[row + 1:]])


def _whole(ground: Ground, cases: Sequence[Case], rows: Rows, rng: np.random.Generator) -> Rows:
    """Keep what holds of all rows together (no repeats): move what can be moved, drop the rest."""
    rules = ground.coder.rules
    if not any(r.whole for r in rules.rules) or not rows.frame.height:
        return rows
    cells = Cells([cases[i] for i in rows.which])
    try:
        frame = rules.finish(rows.frame, rng)
        good = valid(ground, frame) & cells.held(frame)
        frame = pl.concat([frame, rows.frame])[np.where(good, 0, frame.height) + np.arange(frame.height)]
    except UserError:
        frame = rows.frame
    return replace(rows, frame=frame).only(~rules.broken(frame))
