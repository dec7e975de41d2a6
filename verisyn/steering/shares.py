"""So many rows of each kind, exactly: equally many of each level, or shares of levels and of conditions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
import polars as pl

from verisyn.conditions import Condition, allowed_codes, parse
from verisyn.drawing import child
from verisyn.errors import UserError, did_you_mean
from verisyn.kinds import BaseCoder
from verisyn.modalities.table import Allowed
from verisyn.modalities.table._views import TableCoder
from verisyn.steering._where import apart, levels
from verisyn.steering.conditional import Rows
from verisyn.steering.settings import each_code

Wanted = Mapping[str, Any]
"""One column with the shares of some of its levels, or a condition with its share."""

_LEVELS = 100
_KNOWN = 20
_LOOKS = 12


@dataclass(frozen=True)
class Stratum:
    """Rows of one kind.

    Parameters
    ----------
    name : str
    share : float
        Of all rows.
    allowed : dict
        The codes that they can have.
    conditions : tuple of Condition
        They meet one of these; any row does where there is none.
    others : bool
        They meet none of the conditions instead.
    """

    name: str
    share: float
    allowed: Allowed
    conditions: tuple[Condition, ...] = ()
    others: bool = False

    def keep(self, frame: pl.DataFrame, _rng: np.random.Generator) -> np.ndarray:
        """Say which rows are of this kind, among those that have its codes."""
        holds = [c.holds(frame) for c in self.conditions]
        return reduce(np.logical_or, holds) != self.others if holds else np.ones(frame.height, bool)


@dataclass(frozen=True)
class Kinds:
    """Which stratum each row is of.

    Parameters
    ----------
    strata : tuple of Stratum
    of : int array of shape (rows,)
    usual : float array of shape (strata,)
        The shares that they have without the wish.
    whole : bool
        Whether the strata are all that a row can be of.
    """

    strata: tuple[Stratum, ...]
    of: np.ndarray
    usual: np.ndarray
    whole: bool = True

    @property
    def weights(self) -> np.ndarray:
        """A weight a row, mean 1: weighted, the rows are as those that the model draws without the wish."""
        here = np.bincount(self.of, minlength=len(self.usual))
        found = (self.usual / np.maximum(here, 1))[self.of]
        return found / found.mean()

    @property
    def lost(self) -> str:
        """What no weight brings back, because no row is of that kind; empty where there is none."""
        here = np.bincount(self.of, minlength=len(self.usual))
        gone = [f"{s.name} ({usual:.2%} of the model's rows)"
                for s, usual, rows in zip(self.strata, self.usual, here, strict=True) if not rows and usual > 0]
        gone += [] if self.whole else ["all other rows, missing values among them"]
        return f"The weights do not bring these back, of which no row was drawn: {'; '.join(gone)}." if gone else ""


@dataclass(frozen=True)
class Shares:
    """Kinds of rows that exclude one another, with the share that each is to have.

    `exact` says that each share was wished for by itself, and `whole` that the kinds are all that a row can be of.
    """

    strata: tuple[Stratum, ...]
    exact: bool = True
    whole: bool = True

    @classmethod
    def balanced(cls, column: str, coder: TableCoder) -> Shares:
        """Return equal shares of the levels of a column; a missing value has none.

        Raises
        ------
        UserError
            If the column is not there, or has too few or too many levels.
        """
        part, levels = _levels(column, coder)
        codes = np.arange(coder.parts[part].size)
        return cls(tuple(Stratum(f"{column} == {value!r}", 1 / len(levels), {part: np.isin(codes, own)})
                         for value, own in levels), exact=False, whole=coder.parts[part].missing < 0)

    @classmethod
    def read(cls, wish: Wanted, coder: TableCoder) -> Shares:
        """Check shares of levels of one column, such as ``{"fraud": {"yes": 0.3}}``, or of one condition.

        What is not named shares the rest, in the proportions of the model.

        Raises
        ------
        UserError
            If it names an unknown column or level, no shares, or shares that do not fit into 1.
        """
        if not isinstance(wish, Mapping) or len(wish) != 1:
            raise UserError(f"The shares are {wish!r}, but one column with the shares of its levels is expected, such "
                            "as {'fraud': {'yes': 0.3}}, or one condition with its share, such as {'age < 30': 0.5}. "
                            "Shares of several columns are targets.")
        [(name, shares)] = wish.items()
        if isinstance(shares, Mapping):
            named = _of_levels(str(name), shares, coder)
        else:
            named = [_of_condition(parse(str(name), coder.columns), shares, coder)]
        rest = _rest(named, coder)
        return cls((*named, *rest), whole=bool(rest) or _exhaustive(named, coder))

    def _within(self, wished: Rows) -> tuple[Stratum, ...]:
        """Leave out the strata that a condition excludes; equal shares are then those of the others."""
        allowed = wished.allowed

        def possible(s: Stratum) -> bool:
            return all((mask & allowed[part]).any() for part, mask in s.allowed.items() if part in allowed)

        out = [s for s in self.strata if not possible(s)]
        if any(s.share for s in out) and (self.exact or len(out) == len(self.strata)):
            named = " and ".join(f"{s.name} ({s.share:.4g})" for s in out if s.share)
            raise UserError(f"Shares are wanted of {named}, but no such row can meet the condition "
                            f"{wished.condition.text!r}. Give shares that fit it, or change the condition.")
        left = [s for s in self.strata if possible(s)]
        total = sum(s.share for s in left)
        return tuple(replace(s, share=s.share / total) for s in left)

    def draw(self, rows: int, wished: Rows, root: np.random.SeedSequence, tick: Any) -> tuple[pl.DataFrame, Kinds]:
        """Draw rows, shuffled, and say which kind each is of."""
        frames, usual, start = [], [], 0
        strata = self._within(wished)
        counts = _counts(strata, rows)
        for i, (stratum, count) in enumerate(zip(strata, counts, strict=True)):
            kind = replace(wished.within(stratum.allowed, stratum.name), keep=stratum.keep)
            usual.append(kind.probability(child(root, i), _LOOKS))
            if count:
                frame, start = kind.draw(count, child(root, i), tick, start)
                frames.append(frame)
        order = np.random.default_rng(child(root, len(strata))).permutation(rows)
        shares = np.array(usual) / max(sum(usual), 1e-300)
        of = np.repeat(np.arange(len(counts)), counts)[order]
        return pl.concat(frames)[order], Kinds(strata, of, shares, self.whole)


def _counts(strata: Sequence[Stratum], rows: int) -> list[int]:
    """Rows of each stratum: shares rounded down, then one more each for those with the largest remainders."""
    exact = np.array([s.share for s in strata]) * rows
    counts = np.floor(exact + 1e-9).astype(int)
    first = np.argsort(-(exact - counts), kind="stable")[:rows - counts.sum()]
    counts[first] += 1
    return counts.tolist()


def _of_levels(column: str, shares: Mapping[Any, Any], coder: TableCoder) -> list[Stratum]:
    """Shares of levels as a person spells them: ``'1'`` and ``18-29`` of numbers, ``yes`` of true and false."""
    if column not in coder.columns:
        raise UserError(f"shares names the column {column!r}, which is not there. "
                        f"{did_you_mean(column, coder.columns)}")
    dtype = coder.blank().schema[column]
    named = levels(column, list(shares))
    if not apart({level.band for level in named if level.band}):
        raise UserError(f"The bands {', '.join(map(str, shares))} of {column!r} overlap, so a row could be of two of "
                        "them. Let each begin where another ends.")
    found = []
    for level, share in zip(named, shares.values(), strict=True):
        stratum = _of_condition(level.condition(dtype), share, coder)
        if any(not mask.any() for mask in stratum.allowed.values()):
            raise UserError(f"A share is wanted of {column!r} = {level.level!r}, a value that the model never draws. "
                            f"{_hint(column, level.level, coder)}")
        found.append(stratum)
    return found


def _exhaustive(named: Sequence[Stratum], coder: TableCoder) -> bool:
    """Whether every code is one of the kinds, as far as codes can tell."""
    unmet = [allowed_codes(c, coder, np.random.default_rng(0), unmet=True) for s in named for c in s.conditions]
    one = len({*map(tuple, unmet)}) == 1 and len(unmet[0]) == 1
    return one and not any(mask.any() for mask in reduce(_both, unmet).values())


def _of_condition(condition: Condition, share: Any, coder: TableCoder) -> Stratum:
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1 or math.isnan(share):
        raise UserError(f"The share wanted of {condition.text} is {share!r}; a number from 0 to 1 was expected.")
    allowed = allowed_codes(condition, coder, np.random.default_rng(0))
    return Stratum(condition.text, float(share), allowed, (condition,))


def _rest(named: Sequence[Stratum], coder: TableCoder) -> list[Stratum]:
    """The stratum of all other rows, with the share that is left."""
    total = sum(s.share for s in named)
    if total > 1 + 1e-9:
        raise UserError(f"The shares wanted of {' and '.join(s.name for s in named)} sum to {total:g}, more than 1. "
                        "Lower them; what is not named shares the rest.")
    if total > 1 - 1e-9:
        return []
    conditions = tuple(c for s in named for c in s.conditions)
    unmet = [allowed_codes(c, coder, np.random.default_rng(0), unmet=True) for c in conditions]
    simple = all(len(c.conjuncts) == 1 for c in conditions) and len({*map(tuple, unmet)}) == 1
    allowed = reduce(_both, unmet) if simple else {}
    return [Stratum("all other rows", 1 - total, allowed, conditions, others=True)]


def _both(one: Allowed, other: Allowed) -> Allowed:
    return {part: mask & other[part] for part, mask in one.items()}


def _hint(column: str, level: Any, coder: TableCoder) -> str:
    own = next(c for c in coder.coders if column in c.columns)
    known = [str(v) for v in _values(column, own)[:_KNOWN] if v is not None] if own.parts else []
    return did_you_mean(str(level), known) if known else "It has no values that are learnt."


def _levels(column: str, coder: TableCoder) -> tuple[int, list[tuple[Any, list[int]]]]:
    """The column's part, and each level with its codes, but for a missing value."""
    if column not in coder.columns:
        raise UserError(f"balance names the column {column!r}, which is not there. "
                        f"{did_you_mean(column, coder.columns)}")
    own, where = next((c, w) for c, w in coder.slices() if column in c.columns)
    part = coder.parts[where.start] if len(own.parts) == 1 and not own.needs else None
    values = _values(column, own) if part else []
    levels = [(value, [code]) for code, value in enumerate(values) if part and code != part.missing]
    if column in own.recomputed:
        levels = _grouped(values)
    if not 2 <= len(levels) <= _LEVELS:
        raise UserError(f"Column {column!r} cannot be balanced: it has {len(levels)} levels, and between 2 and "
                        f"{_LEVELS} are needed. Choose a category or a yes/no column.")
    return where.start, levels


def _grouped(values: Sequence[Any]) -> list[tuple[Any, list[int]]]:
    """The values of a column that is recomputed from another, each with the codes that give it."""
    found: dict[Any, list[int]] = {}
    for code, value in enumerate(values):
        found.setdefault(value, []).append(code)
    found.pop(None, None)
    return list(found.items())


def _values(column: str, own: BaseCoder) -> list[Any]:
    """A value for each code of the coder's first part."""
    return each_code(own)[column].to_list()
