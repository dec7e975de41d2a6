"""Shares that contradict one another whatever the data: a table and its margins, groups and the whole."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from verisyn.conditions import Condition
from verisyn.errors import UserError
from verisyn.steering._contradiction import named, smallest
from verisyn.steering._numbers import rounding
from verisyn.steering._where import Level, Where, apart, atoms
from verisyn.steering.figures import Figure, Share

_MOST_CELLS = 5_000
_OTHER, _MISSING = "\0other", "\0missing"

Asked = tuple[str, str]
"""A variable (a column, or a clause of its own), and the value it must have."""


def check(figures: Sequence[Figure], frame: pl.DataFrame | None = None) -> None:
    """Refuse shares that no table at all can have together.

    Every combination of the levels that they name is a cell whose share is unknown; linear programming says whether
    some cells meet all of them. What is said of means and quantiles is left to the rows.

    Parameters
    ----------
    figures : sequence of Figure
    frame : DataFrame, optional
        Rows that tell which columns have no missing values, and none but the levels that are named.

    Raises
    ------
    UserError
        With a smallest set of targets that cannot hold together.
    """
    shares = [f for f in figures if isinstance(f, Share)]
    if len({f.entry for f in shares}) < 2:
        return
    spelt = _Spelt(shares)
    if frame is not None:
        spelt.narrow(frame)
    for together in _linked([(f, spelt.variables(f)) for f in shares]):
        cells = spelt.cells(together)
        if len({f.entry for f in together}) > 1 and cells is not None:
            found = _Table(cells, spelt)
            if not found.possible(together):
                raise _impossible(smallest(together, found.possible), found)


def _impossible(culprits: Sequence[Share], table: _Table) -> UserError:
    told = "; ".join(f"{f}: {f.wanted:g}" for f in culprits)
    return UserError(f"{named(culprits)} contradict one another, whatever the rows: {told}.{_room(culprits, table)} "
                     "Change one of them, or allow a wider tolerance.")


def _room(culprits: Sequence[Share], table: _Table) -> str:
    """Say of the first of them that speaks of all rows what it could be beside the others."""
    for share in culprits:
        span = table.span(share, [other for other in culprits if other is not share])
        if span:
            return f" Beside the others, the {share} could only lie between {span[0]:.4g} and {span[1]:.4g}."
    return ""


class _Spelt:
    """The clauses of shares as variables with values."""

    def __init__(self, shares: Sequence[Share]):
        clauses = [c for f in shares for where in (f.where, f.within) for c in atoms(where)]
        banded = [c for c in clauses if isinstance(c, Level) and c.band]
        self.bands = {name: apart({c.band for c in banded if c.band and c.column == name})
                      for name in {c.column for c in banded}}
        self.values: dict[str, set[str]] = {}
        for clause in clauses:
            variable, value = self.asked(clause)
            self.values.setdefault(variable, {_OTHER, _MISSING}).add(value)
        for share in shares:
            for name in share.known:
                self.values.setdefault(f"column {name}", {_OTHER, _MISSING})

    def narrow(self, frame: pl.DataFrame) -> None:
        """Leave out what the rows never have: missing values, and levels that are not named."""
        for column in frame.columns:
            values = self.values.get(f"column {column}")
            if values is None:
                continue
            if not frame[column].null_count():
                values.discard(_MISSING)
            if column not in self.bands and not frame[column].dtype.is_float():
                here = frame[column].drop_nulls().unique().cast(pl.String, strict=False).str.to_lowercase()
                if set(here.to_list()) <= values:
                    values.discard(_OTHER)

    def asked(self, clause: Condition | Level) -> Asked:
        """Return the variable that a clause speaks of, and the value it asks for."""
        if isinstance(clause, Level) and clause.level is None:
            return f"column {clause.column}", _MISSING
        if isinstance(clause, Level) and clause.band and not self.bands[clause.column]:
            return f"clause {clause.text}", "yes"
        if isinstance(clause, Level):
            return f"column {clause.column}", str(clause.level).lower()
        return f"clause {clause.text}", "yes"

    def where(self, where: Where) -> list[Asked]:
        """Return what all its clauses ask for."""
        return [self.asked(c) for c in atoms(where)]

    def variables(self, share: Share) -> set[str]:
        """Return the variables that a share speaks of."""
        return {v for v, _ in (*self.where(share.where), *self.where(share.within))}

    def cells(self, shares: Iterable[Share]) -> list[dict[str, str]] | None:
        """Return all combinations of values; None where they are too many."""
        names = sorted(set().union(*map(self.variables, shares)))
        if math.prod(len(self.values[name]) for name in names) > _MOST_CELLS:
            return None
        return [dict(zip(names, values, strict=True))
                for values in itertools.product(*(sorted(self.values[name]) for name in names))]


@dataclass(frozen=True)
class _Table:
    cells: list[dict[str, str]]
    spelt: _Spelt

    def _masks(self, share: Share) -> tuple[np.ndarray, np.ndarray]:
        """Return which cells a share counts, and which of its group."""
        group, own = self.spelt.where(share.within), self.spelt.where(share.where)
        known = [f"column {name}" for name in share.known]
        counted = np.array([all(cell[v] == value for v, value in group) and all(cell.get(v) != _MISSING for v in known)
                            for cell in self.cells])
        return counted & np.array([all(cell[v] == value for v, value in own) for cell in self.cells]), counted

    def possible(self, shares: Sequence[Share]) -> bool:
        """Say whether some shares of cells meet all of them within their tolerances, or what rounding explains."""
        return self._solved(shares, np.zeros(len(self.cells))) is not None

    def span(self, share: Share, others: Sequence[Share]) -> tuple[float, float] | None:
        """Return between what a share of all rows lies if the others hold; None for one of a group."""
        own, counted = self._masks(share)
        if not counted.all():
            return None
        ends = [self._solved(others, sign * own.astype(float)) for sign in (1, -1)]
        return None if None in ends else (abs(float(ends[0])), abs(float(ends[1])))  # type: ignore[arg-type]

    def _solved(self, shares: Sequence[Share], cost: np.ndarray) -> float | None:
        """Return the least cost of cells that meet the shares; None where none do."""
        from scipy.optimize import linprog

        above, below = [], []
        for share in shares:
            own, group = self._masks(share)
            middle = own - share.wanted * group.astype(float)
            slack = group * ((share.tolerance or rounding(share.wanted)) + 1e-9)
            above.append(middle - slack)
            below.append(-middle - slack)
        found = linprog(cost, A_ub=np.vstack([*above, *below]), b_ub=np.zeros(2 * len(above)),
                        A_eq=np.ones((1, len(cost))), b_eq=[1.0], bounds=(0, None), method="highs")
        return float(found.fun) if found.status == 0 else None


def _linked(shares: Sequence[tuple[Share, set[str]]]) -> list[list[Share]]:
    """Group shares that speak of the same variables, directly or through others."""
    groups: list[tuple[list[Share], set[str]]] = []
    for share, names in shares:
        apart = [g for g in groups if not g[1] & names]
        joined = [g for g in groups if g[1] & names]
        members = [*itertools.chain.from_iterable(g[0] for g in joined), share]
        groups = [*apart, (members, names.union(*(g[1] for g in joined)))]
    return [sorted(members, key=lambda f: f.entry) for members, _ in groups]
