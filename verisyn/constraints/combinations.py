"""Combinations of levels that never occur (no husband who never married), or the only ones that do."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import polars as pl

from verisyn.constraints import BaseRule, _columns
from verisyn.errors import UserError
from verisyn.kinds._settings import shared_by
from verisyn.schema import Column, Constraint, Table

_LEVELS = 40
_ALL_LEVELS = 2_000
_NUMBERS = 15


def find(frame: pl.DataFrame, table: Table) -> list[Constraint]:
    """Find pairs of levels that no row has, though many rows would, were the columns unrelated.

    With ``e = n_a n_b / n`` rows expected, none is seen with chance about ``exp(-e)``; `e` must be so large that none
    of all the pairs would be missed by chance. A pair that few rows have, or would have, is neither found nor told.
    """
    names, labels, blocks, total = [], [], [], 0
    look = _columns.screen(frame)
    for column in table.columns:
        levels = _levels(frame, look, column)
        if levels is not None and total + len(levels) <= _ALL_LEVELS:
            names.append(column.name)
            labels.append(levels)
            codes = _plain(frame[column.name]).replace_strict(levels, range(len(levels)), default=-1,
                                                              return_dtype=pl.Int16).to_numpy()
            blocks.append(codes[:, None] == np.arange(len(levels)))
            total += len(levels)
    if len(names) < 2 or frame.height < _columns.LEAST_ROWS:
        return []
    hot = np.hstack(blocks).astype(np.float32)
    both = hot.T @ hot
    expected = np.outer(np.diag(both), np.diag(both)) / frame.height
    never = (both == 0) & (expected > np.log(total**2 / _columns.CHANCE))
    ends = np.cumsum([0, *map(len, labels)])
    spans = [range(low, high) for low, high in pairwise(ends)]
    found = []
    for i, j in _telling(never, both, expected, spans):
        cells = np.ix_(spans[i], spans[j])
        pairs = [[labels[i][a], labels[j][b]] for a, b in np.argwhere(never[cells])]
        found.append(Constraint(
            kind="combinations", columns=(names[i], names[j]), settings={"never": pairs},
            evidence=f"None of {frame.height:,} rows has {'this pair' if len(pairs) == 1 else 'these pairs'}; were the "
                     f"columns unrelated, about {expected[cells][never[cells]].sum():,.0f} would."))
    return found


def _telling(never: np.ndarray, both: np.ndarray, expected: np.ndarray, spans: list[range]) -> list[tuple[int, int]]:
    """Pairs of columns with levels that never meet, less those that follow from a third column or a dependency.

    Levels x and y cannot meet if every level of a third column never meets x, or never meets y.
    """
    weight = {}
    for i, j in combinations(range(len(spans)), 2):
        cells = np.ix_(spans[i], spans[j])
        if never[cells].any() and not _one_tells(both[cells]):
            weight[i, j] = round(float(expected[cells][never[cells]].sum()), 1)
    may = np.ones_like(never)
    kept: list[tuple[int, int]] = []
    for i, j in sorted(weight, key=lambda pair: (-weight[pair], pair)):
        cells = np.ix_(spans[i], spans[j])
        follows = np.zeros(never[cells].shape, bool)
        for third in {c for pair in kept for c in pair} - {i, j}:
            one, two = may[np.ix_(spans[i], spans[third])], may[np.ix_(spans[third], spans[j])]
            follows |= (one.astype(np.int32) @ two.astype(np.int32)) == 0
        if (never[cells] & ~follows).any():
            kept.append((i, j))
            may[cells] = ~never[cells]
            may[np.ix_(spans[j], spans[i])] = ~never[cells].T
    return sorted(kept)


def _levels(frame: pl.DataFrame, look: pl.DataFrame, column: Column) -> list[Any] | None:
    """The levels that k rows share, of a column that has few."""
    k = shared_by({}, frame.height)
    values = frame[column.name]
    most = _LEVELS if _columns.has_levels(column) else _NUMBERS if values.dtype.is_integer() else 0
    if not _columns.alone(column) or not most or look[column.name].n_unique() > most:
        return None
    counts = _plain(values).drop_nulls().value_counts(name="\0rows").filter(pl.col("\0rows") >= k)
    return sorted(counts[column.name].to_list()) if 1 < counts.height <= most else None


def _one_tells(both: np.ndarray) -> bool:
    """Whether each level of one column goes with just one of the other: a dependency, which says more."""
    seen = both > 0
    return bool((seen.sum(axis=0) <= 1).all() or (seen.sum(axis=1) <= 1).all())


@dataclass(frozen=True)
class Rule(BaseRule):
    """Pairs (or longer combinations) that never occur, or the only ones that may.

    A row that breaks it gets another level in one of its columns, drawn by how often the rest of the row goes with it.
    """

    never: list[list[Any]]
    only: list[list[Any]]
    usual: list[list[Any]]
    rows: list[int]

    @classmethod
    def learn(cls, constraint: Constraint, frame: pl.DataFrame, table: Table) -> Rule:
        """Learn how often the combinations occur that at least k training rows share.

        With neither ``never`` nor ``only`` in the settings, those are the only ones that may occur.
        """
        given = _columns.settings(constraint, {"never": (list,), "only": (list,)})
        _columns.at_least(constraint, 2)
        names = list(constraint.columns)
        never, only = given.get("never", []), given.get("only", [])
        where = f"The constraint 'combinations' on {_columns.spoken(names)}"
        for combination in (*never, *only):
            if not isinstance(combination, (list, tuple)) or len(combination) != len(names):
                raise UserError(f"{where} lists {combination!r}, but each combination has one value for each of the "
                                f"{len(names)} columns. Correct it in the schema.")
        counts = frame.select(_plain(frame[n]) for n in names).group_by(names).len("\0rows")
        counts = counts.filter(pl.col("\0rows") >= shared_by({}, frame.height)).sort("\0rows", *names, descending=True)
        usual = [list(row[:-1]) for row in counts.rows()]
        if not never and not only:
            only = usual
        allowed = [(c, r) for c, r in zip(usual, counts["\0rows"].to_list(), strict=True)
                   if c not in never and (not only or c in only)]
        allowed = allowed or [(list(c), 1) for c in only]
        if not allowed:
            raise UserError(f"{where} leaves no combination that {shared_by({}, frame.height)} rows share. Loosen it "
                            "in the schema.")
        return cls(constraint.columns, (), never, only, [c for c, _ in allowed], [r for _, r in allowed])

    @property
    def sentence(self) -> str:
        """What holds."""
        names = _columns.spoken(self.columns)
        if self.only:
            return f"{names} are one of {len(self.only):,} combinations"
        shown = ", ".join(" with ".join(map(repr, c)) for c in self.never[:2])
        more = f" and {len(self.never) - 2} more pairs" if len(self.never) > 2 else ""
        return f"{names} are never {shown}{more}"

    def _is_among(self, frame: pl.DataFrame, combinations: list[list[Any]]) -> np.ndarray:
        rows = frame.select(_plain(frame[n]) for n in self.columns)
        listed = pl.DataFrame(combinations, schema=rows.schema, orient="row", strict=False).with_columns(
            pl.lit(True).alias("\0among")).unique(self.columns)
        return rows.join(listed, on=self.columns, how="left", maintain_order="left", nulls_equal=True)[
            "\0among"].is_not_null().to_numpy()

    def broken(self, frame: pl.DataFrame) -> np.ndarray:
        """Rows with a combination that never occurs, or with none of the only ones."""
        out = np.zeros(frame.height, bool)
        if self.never:
            out |= self._is_among(frame, self.never)
        if self.only:
            out |= ~self._is_among(frame, self.only)
        return out

    def mend(self, frame: pl.DataFrame, broken: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
        """Give each row the combination that shares most columns with its own, the frequent ones more often."""
        rows = frame.filter(pl.Series(broken))
        own = rows.select(_plain(rows[n]) for n in self.columns)
        usual = pl.DataFrame(self.usual, schema=own.schema, orient="row", strict=False)
        same = np.zeros((rows.height, usual.height), np.int32)
        for n in self.columns:
            codes = pl.concat([own[n], usual[n]]).rank("dense").fill_null(0).to_numpy()
            same += codes[: rows.height, None] == codes[None, rows.height:]
        weights = np.where(same == same.max(axis=1, keepdims=True), np.array(self.rows, np.float64), 0.0)
        sums = np.cumsum(weights, axis=1)
        taken = (sums > rng.random((rows.height, 1)) * sums[:, -1:]).argmax(axis=1)
        return rows.with_columns(usual[n].gather(taken).cast(rows[n].dtype) for n in self.columns)


def _plain(series: pl.Series) -> pl.Series:
    """Values that JSON has."""
    return series.cast(pl.String) if series.dtype in (pl.Categorical, pl.Enum) else series
