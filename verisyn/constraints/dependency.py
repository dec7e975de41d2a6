"""One column tells others: each of its values goes with one value of each of them (functional dependency)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from verisyn.constraints import BaseRule, _columns
from verisyn.errors import UserError
from verisyn.kinds import _dtypes as dtypes
from verisyn.kinds._settings import shared_by
from verisyn.schema import Constraint, Table

exact = True
_ROWS_A_VALUE = 10
_FEW = 20
_SCREEN_CELLS = 2e7


def find(frame: pl.DataFrame, table: Table) -> list[Constraint]:
    """Find columns that another one tells; of columns that tell each other, one tells the rest.

    A dependency must be too unlikely by chance: were the second column shuffled, all rows that repeat a value of the
    first would have to agree with chance ``p_max ** repeats``, ``p_max`` being the share of its most frequent value.
    """
    names = [c.name for c in table.columns if _columns.alone(c) and not frame[c.name].dtype.is_nested()]
    coded = {n: _columns.codes(frame[n]) for n in names}
    counts = {n: np.bincount(c) for n, c in coded.items()}
    sizes = {n: int(np.count_nonzero(c)) for n, c in counts.items()}
    able = [n for n in names if 1 < sizes[n] <= frame.height / _ROWS_A_VALUE]
    if frame.height < _columns.LEAST_ROWS or len(able) < 2:
        return []
    told = _told(np.column_stack([coded[n] for n in able]), [sizes[n] for n in able],
                 np.array([counts[n].max() / frame.height for n in able]))
    liked = [(n == table.target, frame[n].dtype.is_numeric(), -i) for i, n in enumerate(able)]
    groups: dict[str, list[str]] = {}
    for b, a in _tellers(told, liked).items():
        groups.setdefault(able[a], []).append(able[b])
    return [Constraint(kind="dependency", columns=(first, *others),
                       evidence=f"Each of the {sizes[first]:,} values of {first!r} goes with one value of "
                                f"{_columns.spoken(others)}, in all {frame.height:,} rows.")
            for first, others in groups.items()]


def _tellers(told: np.ndarray, liked: list[tuple]) -> dict[int, int]:
    """For each column that is told by others, the one that tells it: its favourite twin, else the coarsest column."""
    width = len(told)
    twins = told & told.T | np.eye(width, dtype=bool)
    favourite = [max(np.flatnonzero(twins[i]).tolist(), key=lambda t: liked[t]) for i in range(width)]
    reach = told.sum(axis=1)
    tellers = {}
    for b in range(width):
        above = [a for a in np.flatnonzero(told[:, b] & ~twins[b]).tolist() if favourite[a] == a]
        if favourite[b] != b:
            tellers[b] = favourite[b]
        elif above:
            tellers[b] = min(above, key=lambda a: reach[a])
    return tellers


def _told(codes: np.ndarray, sizes: list[int], most: np.ndarray) -> np.ndarray:
    """Return which column (row of the result) tells which (column of the result)."""
    rows, width = codes.shape
    first = max(60, min(500, int(_SCREEN_CELLS / width**2)))
    look = codes[:: max(1, rows // first)][:first]
    told = np.zeros((width, width), bool)
    chance = np.log(_columns.CHANCE / width**2)
    for a in range(width):
        others = np.array([b for b in range(width) if b != a and sizes[b] <= sizes[a]
                           and (rows - sizes[a]) * np.log(most[b]) < chance], np.int64)
        for part in (look, codes):
            if len(others):
                others = others[_constant_within(part[:, a], part[:, others])]
        told[a, others] = True
    return told


def _constant_within(groups: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Whether each column of `values` is constant within each group."""
    order = np.argsort(groups, kind="stable")
    same = np.diff(groups[order]) == 0
    values = values[order]
    return ~((values[1:] != values[:-1]) & same[:, None]).any(axis=0)


@dataclass(frozen=True)
class Rule(BaseRule):
    """The combinations that at least k rows share; for a value that is not among them, the nearest one's hold.

    The other columns are not learnt but looked up, where the codes of the first tell its values: it has levels, or few
    values. Else (a date that tells the weekday) all are learnt, for others depend on them too, and a row that breaks
    the rule is moved to the nearest value of the first that goes with the rest of it.
    """

    keys: list[Any]
    values: list[list[Any]]
    dtypes: list[dict[str, Any]]
    usual: int
    ordered: bool

    @classmethod
    def learn(cls, constraint: Constraint, frame: pl.DataFrame, table: Table) -> Rule:
        """Learn the combinations from training rows; of a value with several, the most frequent."""
        _columns.settings(constraint, {})
        _columns.at_least(constraint, 2)
        first, *others = constraint.columns
        bad = [n for n in constraint.columns if frame[n].dtype.is_nested() or frame[n].dtype == pl.Enum]
        counts = frame.with_columns(_plain(frame[n]) for n in constraint.columns).group_by(
            constraint.columns).len("\0rows").filter(pl.col("\0rows") >= shared_by({}, frame.height))
        if bad or not counts.height:
            raise UserError(f"The constraint 'dependency' on {_columns.spoken(constraint.columns)} cannot be learnt: "
                            + (f"{bad[0]!r} holds {frame[bad[0]].dtype}." if bad else "hardly any rows share a "
                               "combination of values.") + " Take it out of the schema.")
        counts = counts.sort("\0rows", *constraint.columns, descending=[True] + [False] * len(constraint.columns))
        counts = counts.unique(first, keep="first", maintain_order=True).sort(first, nulls_last=True)
        ordered = frame[first].dtype.is_numeric() or frame[first].dtype.is_temporal()
        exact = not ordered or counts.height <= _FEW
        derives = tuple(b for b in others if exact and _columns.alone(table.column(b)))
        return cls(constraint.columns, derives, counts[first].to_list(), [counts[b].to_list() for b in others],
                   [dtypes.to_json(frame[b].dtype) for b in others], int(counts["\0rows"].arg_max() or 0), ordered)

    @property
    def sentence(self) -> str:
        """What holds."""
        return f"each value of {self.columns[0]!r} goes with one value of {_columns.spoken(self.columns[1:])}"

    @property
    def sources(self) -> tuple[str, ...]:
        """The first column alone."""
        return self.columns[:1]

    def derive(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Look up the columns that were not learnt."""
        return frame.with_columns(self._looked_up(self._places(frame), self.derives))

    def solved(self, frame: pl.DataFrame, column: str, drawn: pl.DataFrame | None) -> pl.Series | None:
        """Look up what the first column tells; move that from where it was drawn to what goes with the others."""
        if column == self.columns[0]:
            return self._nearest_first(frame) if drawn is not None and self.ordered else None
        told = self._looked_up(self._places(frame), (column,))[0]
        return told.set(pl.Series(~self._known(frame)), None)

    def broken(self, frame: pl.DataFrame) -> np.ndarray:
        """Rows whose first value is known and goes with other values."""
        known = self._known(frame)
        wanted = self._looked_up(self._places(frame), self.columns[1:])
        wrong = [frame[w.name].ne_missing(w).to_numpy() for w in wanted]
        return known & np.any(wrong, axis=0)

    def _known(self, frame: pl.DataFrame) -> np.ndarray:
        first = _plain(frame[self.columns[0]])
        return first.is_in(pl.Series(self.keys, dtype=first.dtype).implode(), nulls_equal=True).to_numpy()

    def mend(self, frame: pl.DataFrame, broken: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
        """Move to the nearest value that goes with the others; set the others where there is none."""
        rows = frame.filter(pl.Series(broken))
        if self.ordered and not self.derives:
            rows = rows.with_columns(self._nearest_first(rows))
        return rows.with_columns(self._looked_up(self._places(rows), self.columns[1:]))

    def _looked_up(self, places: np.ndarray, names: tuple[str, ...]) -> list[pl.Series]:
        found = dict(zip(self.columns[1:], zip(self.values, self.dtypes, strict=True), strict=True))
        return [_typed(n, *found[n]).gather(places) for n in names]

    def _places(self, frame: pl.DataFrame) -> np.ndarray:
        """Index of the combination that each row's first value has; the nearest one's, or the most frequent's."""
        first = _plain(frame[self.columns[0]])
        known = [k for k in self.keys if k is not None]
        gone = self.keys.index(None) if None in self.keys else self.usual
        if self.ordered:
            values = first.cast(pl.Float64, strict=False)
            places = _nearest(np.array(known, np.float64), values.fill_null(0).to_numpy())
        else:
            keys = pl.Series(known, dtype=first.dtype)
            places = first.replace_strict(keys, range(len(known)), default=self.usual, return_dtype=pl.Int64).to_numpy()
        return np.where(first.is_null().to_numpy(), gone, places)

    def _nearest_first(self, rows: pl.DataFrame) -> pl.Series:
        """The first column, moved to the nearest of its values that go with the row's others, if any does."""
        name = self.columns[0]
        kept = [i for i, k in enumerate(self.keys) if k is not None]
        table = pl.DataFrame([pl.Series("\0place", kept), *(s.gather(kept) for s in
                              self._looked_up(np.arange(len(self.keys)), self.columns[1:]))])
        goes = table.group_by(self.columns[1:], maintain_order=True).agg(pl.col("\0place"))
        wanted = rows.select(self.columns[1:]).join(goes, on=self.columns[1:], how="left", nulls_equal=True,
                                                    maintain_order="left")["\0place"].to_list()
        plain = _plain(rows[name])
        now, keys = plain.cast(pl.Float64).to_list(), self.keys
        moved = [keys[p[int(np.argmin([abs(keys[i] - value) for i in p]))]] if p and value is not None else old
                 for p, value, old in zip(wanted, now, plain.to_list(), strict=True)]
        return pl.Series(name, moved, dtype=plain.dtype).cast(rows[name].dtype)


def _plain(series: pl.Series) -> pl.Series:
    """Values that JSON has."""
    if series.dtype == pl.Categorical:
        return series.cast(pl.String)
    return series.to_physical() if series.dtype.is_temporal() else series


def _typed(name: str, values: list[Any], dtype: dict[str, Any]) -> pl.Series:
    """Values that JSON had, in the column's own type."""
    wanted = dtypes.from_json(dtype)
    plain = pl.String if wanted == pl.Categorical else pl.Series([], dtype=wanted).to_physical().dtype
    return pl.Series(name, values, dtype=plain).cast(wanted)


def _nearest(keys: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Index of the nearest of the sorted keys."""
    if not len(keys):
        return np.zeros(len(values), np.int64)
    right = np.clip(np.searchsorted(keys, values), 0, len(keys) - 1)
    left = np.maximum(right - 1, 0)
    return np.where(np.abs(values - keys[left]) <= np.abs(keys[right] - values), left, right)
