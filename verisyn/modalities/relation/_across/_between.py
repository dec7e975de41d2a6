"""What a constraint between a child and its parent is, and what it sees of the two tables."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from verisyn.constraints import _columns
from verisyn.errors import UserError, did_you_mean
from verisyn.schema import Constraint, Link, Schema

CHANCE = 1e-6
"""How likely a finding at one link may be, were its tables unrelated."""
LEAST = 20
"""Fewer rows that point tell of nothing."""


@dataclass(frozen=True)
class Pair:
    """The two tables of a link, and which row of the parent each row of the child points to (as in ``Linked.at``)."""

    child: pl.DataFrame
    parent: pl.DataFrame
    at: np.ndarray

    @cached_property
    def points(self) -> np.ndarray:
        """Whether each child row points to a parent row."""
        return self.at >= 0

    @cached_property
    def counts(self) -> np.ndarray:
        """Children of each parent row, int64 (parents,)."""
        return np.bincount(self.at[self.points], minlength=self.parent.height)

    @cached_property
    def parents(self) -> int:
        """Parent rows that have children: so many independent witnesses there are."""
        return int((self.counts > 0).sum())

    def down(self, column: str) -> pl.Series:
        """The parent's column at each child row; null where that points to none."""
        return self.parent[column].gather(pl.Series(np.where(self.points, self.at, -1)).replace(-1, None))

    def linked(self) -> Pair:
        """The child rows that point to a parent row, alone."""
        return Pair(self.child.filter(pl.Series(self.points)), self.parent, self.at[self.points])

    def some(self, parents: int, several: bool = False) -> Pair:
        """Some parent rows that have children, or several, evenly spaced, with all their children."""
        have = np.flatnonzero(self.counts > int(several))
        kept = have[:: max(1, len(have) // parents)][:parents]
        place = np.full(self.parent.height, -1)
        place[kept] = np.arange(len(kept))
        rows = np.flatnonzero(self.points & (place[np.where(self.points, self.at, 0)] >= 0))
        return Pair(self.child[rows], self.parent[kept], place[self.at[rows]])


def surprising(share: float, chance: float, witnesses: int, tries: int) -> bool:
    """Whether so large a share cannot be chance (Chernoff's bound on a binomial's tail, over all that was tried).

    Parameters
    ----------
    share, chance : float
        The share of rows in which something holds, and would hold if rows pointed to parents at random.
    witnesses : int
        Parents that have children; siblings are no witnesses of their own.
    tries : int
        How many things were looked at.

    Examples
    --------
    >>> surprising(1.0, 0.5, 60, 100), surprising(1.0, 0.99, 60, 100), surprising(0.9, 0.5, 8, 100)
    (True, False, False)
    """
    if share <= chance:
        return False
    chance = max(chance, 1e-9)
    bits = share * np.log(share / chance)
    if share < 1:
        bits += (1 - share) * np.log((1 - share) / max(1 - chance, 1e-9))
    return bool(witnesses * bits > np.log(max(tries, 1) / CHANCE))


@dataclass(frozen=True)
class BaseBetween(ABC):
    """A constraint of a link, learnt; its fields beyond the first two are JSON values.

    Parameters
    ----------
    link : Link
    constraint : Constraint
    """

    needs: ClassVar[tuple[int, str]]
    """How many columns at least, and what they are, for a sentence."""
    knows: ClassVar[dict[str, tuple[type, ...]]] = {}
    """The settings it takes, and their types."""
    up: ClassVar[bool] = False
    """Whether it computes the parent's column, and rows of the parent tell whether it holds."""

    link: Link
    constraint: Constraint

    @classmethod
    @abstractmethod
    def learn(cls, link: Link, constraint: Constraint, pair: Pair, schema: Schema) -> Self:
        """Check the settings against the data, with a sentence for a mistake; learn from training tables."""

    @property
    @abstractmethod
    def sentence(self) -> str:
        """What holds, said to a person."""

    @property
    def exact(self) -> bool:
        """Whether what it computes follows in every row from other columns, so that it need not be learnt."""
        return True

    @property
    def allowed(self) -> float:
        """The share of rows that may break it."""
        return max(0.0, 1.0 - float(self.constraint.settings.get("share", 1.0)))

    @property
    def own(self) -> tuple[str, ...]:
        """The child's columns."""
        return self.constraint.columns[:-1]

    @property
    def above(self) -> str:
        """The parent's column."""
        return self.constraint.columns[-1]

    @property
    def writes(self) -> tuple[str, str]:
        """The table and the column that it sets."""
        return (self.link.parent, self.above) if self.up else (self.link.table, self.own[0])

    @property
    def reads(self) -> set[tuple[str, str]]:
        """The tables and columns that it is computed from."""
        below = {(self.link.table, c) for c in (self.own if self.up else self.own[1:])}
        return below if self.up else below | {(self.link.parent, self.above)}

    @abstractmethod
    def broken(self, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """Return which rows can tell, and which break it: booleans per row of the parent if `up`, else of the child."""

    @abstractmethod
    def settle(self, pair: Pair, rng: np.random.Generator) -> pl.Series:
        """Return the column that it writes, as it must be."""

    # -- to and from disk -------------------------------------------------------------------------------------------
    def state(self) -> dict[str, Any]:
        """Return JSON values."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("link", "constraint")}

    @classmethod
    def restore(cls, link: Link, constraint: Constraint, state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        return cls(link, constraint, **state)


def checked(rule: type[BaseBetween], link: Link, constraint: Constraint, schema: Schema) -> dict[str, Any]:
    """Return the settings of a constraint after checking its columns and settings.

    Raises
    ------
    UserError
        If columns lack, or are too few, or a setting is unknown or of the wrong type.
    """
    where = f"The constraint {constraint.kind!r} of the link {link.name!r}"
    least, what = rule.needs
    if len(constraint.columns) < least:
        raise UserError(f"{where} names {_columns.spoken(constraint.columns)}, but it speaks of {what}. Correct it in "
                        "the schema.")
    *own, above = constraint.columns
    for names, table in ((own, link.table), ([above], link.parent)):
        have = schema.of(table).names
        for name in names:
            if name not in have:
                raise UserError(f"{where} names the column {name!r}, which the table {table!r} lacks. "
                                f"{did_you_mean(name, have)} Its columns are those of {link.table!r} first, then one "
                                f"of {link.parent!r}.")
    for name, value in constraint.settings.items():
        if name not in rule.knows:
            raise UserError(f"The setting {name!r} of {where[0].lower()}{where[1:]} is not known. "
                            f"{did_you_mean(name, rule.knows)} Correct it, or take it out.")
        if not isinstance(value, rule.knows[name]) or (isinstance(value, bool) and bool not in rule.knows[name]):
            wanted = " or ".join(t.__name__ for t in rule.knows[name])
            raise UserError(f"The setting {name!r} of {where[0].lower()}{where[1:]} is {value!r}, but {wanted} is "
                            "expected. Correct it in the schema.")
    return constraint.settings
