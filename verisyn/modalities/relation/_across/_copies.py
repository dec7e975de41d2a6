"""``copy``: the child repeats a value of its parent's row."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, ClassVar

import numpy as np
import polars as pl

from verisyn.constraints import _columns
from verisyn.kinds import _dtypes as dtypes
from verisyn.modalities.relation._across._between import LEAST, BaseBetween, Pair, checked, surprising
from verisyn.schema import Constraint, Link, Schema

_SHARE, _KNOWN = 0.9, 0.98
"""So many rows repeat the parent's value; so many of those that have one, where cells may be missing besides."""
_BEYOND = 0.9
"""So much of what chance leaves must be explained: two flags that are mostly 0 are no copies of each other."""
_SAME = 0.5
_GLANCE, _LIKELY = 50, 0.7


def find(pair: Pair, link: Link, able: tuple[Collection[str], Collection[str]]) -> list[Constraint]:
    """Find, for each column of the child, the parent's column that it repeats, if there is one.

    Most rows may do, as invoices sent to a customer's address mostly are: how many do is kept.
    """
    rows, (own, above) = pair.linked(), able
    if rows.child.height < LEAST:
        return []
    few = Pair(_columns.screen(rows.child), rows.parent, rows.at[:: max(1, len(rows.at) // 2_000)][:2_000])
    glance = Pair(few.child.gather_every(step := max(1, len(few.at) // _GLANCE)), few.parent, few.at[::step])
    ours, theirs = ({n: glance.child[n].to_list() for n in own}, {p: glance.down(p).to_list() for p in above})
    found = []
    for name in own:
        candidates = [p for p in above if _alike(rows.child[name], rows.parent[p])
                      and _may_be(ours[name], theirs[p]) and max(_share(few, name, p)) >= _SHARE - 0.1]
        best = max(((_told(rows, name, p, len(own) * len(above)), p) for p in candidates), default=None,
                   key=lambda one: (one[0] is not None, one[0] or (), SequenceMatcher(None, name, one[1]).ratio()))
        if best is not None and best[0] is not None:
            found.append(_constraint(pair, link, (name, best[1]), *best[0]))
    return found


def _may_be(own: list[Any], above: list[Any]) -> bool:
    """A cheap look at a few rows, where values of one type are compared."""
    known = [(a, b) for a, b in zip(own, above, strict=True) if a is not None and b is not None]
    other = known and type(known[0][0]) is not type(known[0][1]) and not isinstance(known[0][0], int | float)
    same = sum(a == b for a, b in known)
    return bool(other) or same >= _LIKELY * len(known)


def _alike(child: pl.Series, parent: pl.Series) -> bool:
    both = child.dtype, parent.dtype
    sorts = [(d.is_numeric(), d.is_temporal(), isinstance(d, pl.String | pl.Categorical | pl.Enum), d == pl.Boolean)
             for d in both]
    return sorts[0] == sorts[1] and any(sorts[0])


def _share(rows: Pair, name: str, above: str) -> tuple[float, float]:
    """Share of rows that repeat the parent's cell, missing ones too; of those that have a value, share that do."""
    own = rows.child[name]
    same = _same(own, rows.down(above))
    known = own.is_not_null().to_numpy()
    return float(same.mean()), float(same[known].mean()) if known.any() else 0.0


def _same(own: pl.Series, above: pl.Series) -> np.ndarray:
    if own.dtype.is_numeric() and above.dtype.is_numeric() and own.dtype != above.dtype:
        own, above = own.cast(pl.Float64), above.cast(pl.Float64)
    return own.eq_missing(above.cast(own.dtype, strict=False)).to_numpy()


def _told(rows: Pair, name: str, above: str, tries: int) -> tuple[float, bool] | None:
    """The share of rows that repeat the parent's cell, and whether missing cells count as such; None if chance."""
    share, known = _share(rows, name, above)
    own, parent = rows.child[name], rows.down(above)
    gaps = share < _KNOWN <= known and own.null_count() > parent.null_count()
    if gaps:
        there = own.is_not_null()
        own, parent, share = own.filter(there), parent.filter(there), known
    chance = _by_chance(own, parent)
    seen = share if share < 1 else 1.0
    if share < _SHARE or share - chance < _BEYOND * (1 - chance) or not surprising(seen, chance, rows.parents, tries):
        return None
    return share, not gaps


def _by_chance(own: pl.Series, parent: pl.Series) -> float:
    """How often two cells would be the same, were the rows paired at random."""
    text = [s.cast(pl.Float64 if s.dtype.is_numeric() else pl.String).alias("value") for s in (own, parent)]
    one, two = (t.to_frame().group_by("value").len() for t in text)
    both = one.join(two, on="value", nulls_equal=True)
    return float((both["len"].cast(pl.Float64) * both["len_right"]).sum() / max(len(own), 1) ** 2)


def _constraint(pair: Pair, link: Link, columns: tuple[str, str], share: float, whole: bool) -> Constraint:
    settings: dict[str, Any] = {} if share == 1 else {"share": round(share, 4)}
    if not whole:
        settings["gaps"] = True
    elsewhere = pair.child[columns[0]].filter(pl.Series(~pair.points))
    if elsewhere.null_count() < len(elsewhere):
        settings["elsewhere"] = "as drawn"
    able = pair.points if whole else pair.points & pair.child[columns[0]].is_not_null().to_numpy()
    rows = int(able.sum())
    many = f"all {rows:,} rows" if share == 1 else f"{share:.1%} of {rows:,} rows"
    that = "that point to one" if whole else "that have a value"
    return Constraint(kind="copy", columns=columns, settings=settings, evidence=(
        f"{link.table}.{columns[0]} is {link.parent}.{columns[1]} in {many} {that}."))


@dataclass(frozen=True)
class Copy(BaseBetween):
    """The parent's value, in the child's type.

    Where not all rows repeat it, those that do not are drawn anew: single ones, or all of a parent's, as in the data.
    """

    needs = (2, "a column of the child and the one of its parent that it repeats")
    knows: ClassVar = {"share": (float, int), "gaps": (bool,), "elsewhere": (str,)}

    dtype: dict[str, Any]
    by_parent: bool = False

    @classmethod
    def learn(cls, link: Link, constraint: Constraint, pair: Pair, schema: Schema) -> Copy:
        """Learn the type, and whether the rows that differ are those of the same parents."""
        checked(cls, link, constraint, schema)
        name = constraint.columns[0]
        plain = cls(link, constraint, dtypes.to_json(pair.child[name].dtype))
        able, wrong = plain.broken(pair)
        if plain.exact or not wrong.any():
            return plain
        many = np.bincount(pair.at[able], minlength=pair.parent.height)
        differ = np.bincount(pair.at[able & wrong], minlength=pair.parent.height)
        several = (many > 1) & (differ > 0)
        together = float(((differ[several] - 1) / (many[several] - 1)).mean()) if several.any() else 0.0
        return cls(link, constraint, plain.dtype, together > _SAME)

    @property
    def sentence(self) -> str:
        """What holds."""
        share = "" if self.allowed == 0 else f" in {1 - self.allowed:.1%} of rows"
        return f"{self.link.table}.{self.own[0]} is {self.link.parent}.{self.above}{share}"

    @property
    def exact(self) -> bool:
        """Whether every row repeats it, and those that point to no parent have none."""
        known = self.constraint.settings
        return self.allowed == 0 and not known.get("gaps") and known.get("elsewhere", "missing") == "missing"

    def broken(self, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """Rows with another value than their parent's."""
        own = pair.child[self.own[0]]
        able = pair.points & own.is_not_null().to_numpy() if self.constraint.settings.get("gaps") else pair.points
        return able, able & ~_same(own, pair.down(self.above))

    def settle(self, pair: Pair, rng: np.random.Generator) -> pl.Series:
        """The parent's value, but in rows that point to none, and in a share of the others."""
        name = self.own[0]
        value = pair.down(self.above).cast(dtypes.from_json(self.dtype), strict=False).alias(name)
        if name not in pair.child.columns:
            return value
        drawn, follow = pair.child[name], pair.points
        if self.constraint.settings.get("gaps"):
            follow = follow & drawn.is_not_null().to_numpy()
        if self.allowed:
            together = np.where(pair.points, pair.at, 0) if self.by_parent else np.arange(len(pair.at))
            luck = rng.random(int(together.max(initial=0)) + 1)[together]
            follow = follow & (luck >= self.allowed)
        return value.zip_with(pl.Series(follow), drawn.cast(value.dtype)).alias(name)


def diamonds(pair: Pair, link: Link, schema: Schema) -> Iterator[Constraint]:
    """Yield copies of foreign keys: an order line's customer that is always its order's."""
    rows = pair.linked()
    if rows.child.height < LEAST:
        return
    for own in schema.links_from(link.table):
        for above in schema.links_from(link.parent):
            if own == link or own.where or above.where or (own.parent, own.key) != (above.parent, above.key):
                continue
            pairs = [p for p in zip(own.columns, above.columns, strict=True)
                     if p[0] not in link.columns or p[1] not in link.key]
            if any(p[0] in link.columns for p in pairs) or set(own.columns) & set(schema.of(link.table).key):
                continue
            told = [_told(rows, *p, len(pairs)) for p in pairs]
            if pairs and all(t is not None and t[0] == 1 and t[1] for t in told):
                yield from (_constraint(pair, link, p, 1.0, True) for p in pairs)
