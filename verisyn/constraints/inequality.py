"""Columns in order: a ≤ b, a < b, and chains a ≤ b ≤ c, of numbers or of moments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from verisyn.constraints import BaseRule, _columns
from verisyn.errors import UserError
from verisyn.schema import Column, Constraint, Table

_LESS = 0.9
"""Were the columns unrelated, at most so many rows may be in order; else the order says little."""
_NARROW = 0.25
"""A gap narrower than this share of the later column's own spread is learnt in that column's place."""
_DISTINCT = 6
_MOST_PAIRS = 500
_FIRST_ROWS = 200


def find(frame: pl.DataFrame, table: Table) -> list[Constraint]:
    """Find pairs in order in every row, though about the same values, and join them to chains."""
    found = []
    for names in filter(None, _comparable(frame, table)):
        if len(names) < 2:
            continue
        forms = [table.column(n).settings.get("format") for n in names]
        values = np.column_stack([_columns.order(frame[n], f) for n, f in zip(names, forms, strict=True)])
        for chain in (part for c in _chains(list(_in_order(values)), len(names)) for part in _parts(c, values)):
            strict = not any((values[:, a] == values[:, b]).any() for a, b in pairwise(chain))
            rows = int((~np.isnan(values[:, chain])).all(axis=1).sum())
            said = f" {'<' if strict else '≤'} ".join(names[i] for i in chain)
            found.append(Constraint(kind="inequality", columns=tuple(names[i] for i in chain),
                                    settings={"strict": strict},
                                    evidence=f"{said} in all {rows:,} rows that have them all."))
    return found


def _comparable(frame: pl.DataFrame, table: Table) -> Iterator[list[str]]:
    """Numbers with numbers, dates with dates, moments with moments."""
    few = _columns.screen(frame)
    yield [n for n in _columns.numbers(frame, table) if few[n].n_unique() >= _DISTINCT]
    by_type: dict[object, list[str]] = {}
    for n in _columns.moments(frame, table):
        by_type.setdefault((frame[n].dtype, table.column(n).settings.get("format")), []).append(n)
    yield from by_type.values()


def _in_order(values: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield pairs (a, b) with a ≤ b in every row that has both, that overlap, and are so too often for chance."""
    rows, width = values.shape
    if rows < _columns.LEAST_ROWS or width < 2:
        return
    look = values[:: max(1, rows // _FIRST_ROWS)]
    with np.errstate(all="ignore"):
        low, high = (np.array([np.quantile(v[~np.isnan(v)], q) if (~np.isnan(v)).any() else np.nan
                               for v in look.T]) for q in (0.05, 0.95))
    chance = np.log(_columns.CHANCE / width**2)
    taken = 0
    for a in range(width):
        with np.errstate(invalid="ignore"):
            others = np.flatnonzero(~(look[:, a, None] > look).any(axis=0) & (high[a] > low) & (low[a] < high))
        for b in others:
            if b == a or taken >= _MOST_PAIRS:
                continue
            one, two = values[:, a], values[:, b]
            both = ~(np.isnan(one) | np.isnan(two))
            one, two = one[both], two[both]
            if len(one) < _columns.LEAST_ROWS or (one > two).any() or not (one < two).any():
                continue
            unrelated = float(np.searchsorted(np.sort(one), two, side="right").mean() / len(one))
            if unrelated <= _LESS and len(one) * np.log(unrelated) < chance:
                taken += 1
                yield a, int(b)


def _chains(pairs: list[tuple[int, int]], width: int) -> Iterator[list[int]]:
    """Join pairs to chains; a pair that follows from others is left out."""
    below = np.zeros((width, width), bool)
    for a, b in pairs:
        below[a, b] = True
    left = {(a, b) for a, b in pairs if not (below[a] & below[:, b]).any()}
    while left:
        first = min(left, key=lambda p: (any(q[1] == p[0] for q in left), p))
        chain = [*first]
        left.discard(first)
        while ahead := [p for p in left if p[0] == chain[-1]]:
            chain.append(min(ahead)[1])
            left.discard((chain[-2], chain[-1]))
        yield chain


def _parts(chain: list[int], values: np.ndarray) -> Iterator[list[int]]:
    """Cut a chain so that each pair whose gap will be learnt stands alone."""
    part = chain[:1]
    for a, b in pairwise(chain):
        if _close(values[:, a], values[:, b]):
            if len(part) > 1:
                yield part
            yield [a, b]
            part = [b]
        else:
            part = [*part, b]
    if len(part) > 1:
        yield part


def _close(one: np.ndarray, two: np.ndarray) -> bool:
    """Whether the gap between two columns is narrow, and there wherever the later one is."""
    known = ~np.isnan(two)
    if np.isnan(one[known]).any() or not known.any():
        return False
    return bool(np.std((two - one)[known]) < _NARROW * np.std(two[known]))


@dataclass(frozen=True)
class Rule(BaseRule):
    """The order of the columns.

    Where one follows another closely (a taxi's arrival its departure), the gap is learnt in the later one's place,
    and is never negative: it keeps the order, and the durations. Else a row out of order is sorted.
    """

    strict: bool
    step: float
    forms: list[str | None]
    together: bool = False
    """Whether the later column, whose gap is learnt, was missing just where the earlier one was."""

    @classmethod
    def learn(cls, constraint: Constraint, frame: pl.DataFrame, table: Table) -> Rule:
        """Learn the smallest step between values, and whether to learn the gap."""
        strict = _columns.settings(constraint, {"strict": (bool,)}).get("strict", False)
        _columns.at_least(constraint, 2)
        names = constraint.columns
        forms = [table.column(n).settings.get("format") for n in names]
        types = {"number" if frame[n].dtype.is_numeric() else str((frame[n].dtype, f))
                 for n, f in zip(names, forms, strict=True)}
        if len(types) > 1 or not all(frame[n].dtype.is_numeric() or frame[n].dtype.is_temporal() or f
                                     for n, f in zip(names, forms, strict=True)):
            raise UserError(f"The constraint 'inequality' on {_columns.spoken(names)} compares "
                            f"{', '.join(str(frame[n].dtype) for n in names)}. Only numbers with numbers, and moments "
                            "of one type with each other, can be in order. Correct it in the schema.")
        rule = cls(names, (), strict, _step(frame, list(names), forms), forms)
        derives = rule._closely_followed(frame, table) if len(names) == 2 and not rule.broken(frame).any() else ()
        return cls(names, derives, strict, rule.step, forms, bool(derives) and rule._together(frame))

    def _closely_followed(self, frame: pl.DataFrame, table: Table) -> tuple[str, ...]:
        """The later column, if the gap to it is narrow, and missing just when it is.

        A time of day is none, for it may not pass midnight; nor are moments among which other words stand.
        """
        (one, two), last = self._values(frame).T, self._plain(frame, 1)
        able = all(_columns.alone(table.column(n)) for n in self.columns)
        time = _columns.parsed(frame[self.columns[1]].head(1), self.forms[1]).dtype == pl.Time
        if not able or time or last.null_count() > frame[self.columns[1]].null_count():
            return ()
        return self.columns[1:] if _close(one, two) else ()

    def _together(self, frame: pl.DataFrame) -> bool:
        one, two = (frame[c].is_null() for c in self.columns)
        return bool((one == two).all())

    @property
    def sentence(self) -> str:
        """What holds."""
        return f" {'<' if self.strict else '≤'} ".join(self.columns)

    # -- the gap in the later column's place ------------------------------------------------------------------------
    @property
    def _gap(self) -> str:
        return f"{self.columns[1]} - {self.columns[0]}"

    @property
    def sources(self) -> tuple[str, ...]:
        """The earlier column and the gap."""
        return (self.columns[0], self._gap)

    @property
    def helpers(self) -> tuple[Column, ...]:
        """The gap."""
        return (Column(name=self._gap, kind="number"),)

    def help(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Add the gap, in the columns' own smallest ticks."""
        gap = self._plain(frame, 1) - self._plain(frame, 0)
        if gap.dtype.is_float():
            decimals = max(_columns.lattice(frame[c]).decimals or 0 for c in self.columns)
            gap = gap.round(decimals) if decimals else gap
        return frame.with_columns(gap.alias(self._gap))

    def derive(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Add the gap to the earlier column; where none was drawn and one must be, that of a row beside it."""
        first, gap = frame[self.columns[0]], frame[self._gap]
        if self.together and gap.null_count():
            gap = gap.forward_fill().backward_fill()
        last = self._plain(frame, 0) + gap
        if last.dtype.is_float():
            decimals = _columns.lattice(first).decimals
            last = last.round(max(decimals, _columns.lattice(gap).decimals or 0)) if decimals is not None else last
        return frame.with_columns(_columns.typed(last, first, self.forms[0]).alias(self.columns[1]))

    def solved(self, frame: pl.DataFrame, column: str, drawn: pl.DataFrame | None) -> pl.Series | None:
        """Take the gap that was drawn from the later value."""
        if drawn is None or not self.derives or column != self.columns[0]:
            return None
        value = self._plain(frame, 1) - self.help(drawn)[self._gap]
        decimals = _columns.lattice(frame[self.columns[1]]).decimals if value.dtype.is_float() else None
        value = value if decimals is None else value.round(decimals)
        return _columns.typed(value, frame[column], self.forms[0]).alias(column)

    def _plain(self, frame: pl.DataFrame, place: int) -> pl.Series:
        return _columns.plain(frame[self.columns[place]], self.forms[place])

    # -- mending ----------------------------------------------------------------------------------------------------
    def _values(self, frame: pl.DataFrame) -> np.ndarray:
        return np.column_stack([_columns.order(frame[c], f) for c, f in zip(self.columns, self.forms, strict=True)])

    def broken(self, frame: pl.DataFrame) -> np.ndarray:
        """Rows where a known value is above a later one (or equal to it, where the order is strict)."""
        values = self._values(frame)
        highest = np.fmax.accumulate(values, axis=1)[:, :-1]
        with np.errstate(invalid="ignore"):
            wrong = highest >= values[:, 1:] if self.strict else highest > values[:, 1:]
        return np.asarray(wrong.any(axis=1))

    def mend(self, frame: pl.DataFrame, broken: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
        """Sort the row's known values; move equal ones apart by a step, where the order is strict."""
        rows = frame.filter(pl.Series(broken))
        plain = [_columns.plain(rows[c], f) for c, f in zip(self.columns, self.forms, strict=True)]
        whole = all(p.dtype.is_integer() for p in plain)
        values = np.column_stack([p.cast(pl.Int64 if whole else pl.Float64).fill_null(0).to_numpy() for p in plain])
        known = np.column_stack([p.is_not_null().to_numpy() for p in plain])
        last = np.iinfo(np.int64).max if whole else np.inf
        ranked = np.sort(np.where(known, values, last), axis=1)
        place = np.cumsum(known, axis=1) - 1
        before = np.full(len(values), np.iinfo(np.int64).min // 2 if whole else -np.inf)
        step = (int(self.step) if whole else self.step) if self.strict else 0
        mended = []
        for i, (name, form) in enumerate(zip(self.columns, self.forms, strict=True)):
            value = np.take_along_axis(ranked, np.maximum(place[:, [i]], 0), axis=1)[:, 0]
            value = np.maximum(np.floor(value) if plain[i].dtype.is_integer() and not whole else value, before + step)
            value = np.ceil(value) if plain[i].dtype.is_integer() and not whole else value
            before = np.where(known[:, i], value, before)
            mended.append(_columns.typed(pl.Series(name, value).set(pl.Series(~known[:, i]), None), rows[name], form))
        return rows.with_columns(mended)


def _step(frame: pl.DataFrame, names: list[str], forms: list[str | None]) -> float:
    """The finest step of the columns: a unit of the last decimal, or what divides all moments."""
    if frame[names[0]].dtype.is_numeric():
        decimals = [_columns.lattice(frame[n]).decimals for n in names]
        return 10.0 ** -max(9 if d is None else d for d in decimals)
    plain = [_columns.plain(frame[n], f).cast(pl.Int64) for n, f in zip(names, forms, strict=True)]
    ticks = pl.concat(plain).drop_nulls()
    return float(max(np.gcd.reduce(ticks.to_numpy()), 1)) if len(ticks) else 1.0
