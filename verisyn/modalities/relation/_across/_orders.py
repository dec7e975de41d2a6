"""``order``: a moment or a number of the child is not before, or not after, its parent's."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import polars as pl

from verisyn.errors import UserError
from verisyn.modalities.relation._across import _scale
from verisyn.modalities.relation._across._between import LEAST, BaseBetween, Pair, checked, surprising
from verisyn.modalities.relation._across._scale import Scale
from verisyn.schema import Constraint, Link, Schema

_SHARE, _LESS = 0.995, 0.9
"""So many moments must be in order (numbers: all), and at most so many of them if rows pointed to parents at random."""
_TURNS, _FIRST = 3, 5_000
_SIGNS = {(False, False): "≥", (False, True): ">", (True, False): "≤", (True, True): "<"}
_POINTS = 33
_GLANCE, _NUMBERS = 200, {"number", "year"}


def find(pair: Pair, link: Link, schema: Schema, able: tuple[Collection[str], Collection[str]]) -> list[Constraint]:
    """Find pairs in order in nearly every row, though about the same values, and too often for chance."""
    rows = pair.linked()
    if rows.child.height < LEAST:
        return []
    own = {n: k for n in able[0] if (k := _scale.nature(rows.child, n, schema.of(link.table)))}
    above = {n: k for n in able[1] if (k := _scale.nature(rows.parent, n, schema.of(link.parent)))}
    pairs = [(c, p) for c, one in own.items() for p, two in above.items() if _comparable(one, two)]
    step = max(1, len(rows.at) // _FIRST)
    few = Pair(rows.child.gather_every(step), rows.parent, rows.at[::step])
    glance = Pair(few.child.head(_GLANCE), few.parent, few.at[:_GLANCE])
    found = []
    for columns in pairs:
        numbers = {own[columns[0]], above[columns[1]]} <= _NUMBERS
        for before in (False, True):
            if numbers and _plainly_not(glance, columns, before):
                continue
            one = _holds((rows, few), link, schema, Constraint(kind="order", columns=columns, settings={
                "before": before}), 2 * len(pairs))
            found += [one] if one is not None else []
    return found


def _plainly_not(glance: Pair, columns: tuple[str, str], before: bool) -> bool:
    """A cheap look at a few rows: whether numbers, which all must be in order, are not."""
    own, above = glance.child[columns[0]], glance.down(columns[1])
    return bool(((own > above) if before else (own < above)).any())


def _comparable(one: str, two: str) -> bool:
    return one == two or {one, two} <= _NUMBERS or {one, two} == {"year", "moment"}


def _holds(seen: tuple[Pair, Pair], link: Link, schema: Schema, constraint: Constraint, tries: int
           ) -> Constraint | None:
    """The constraint with its evidence, if it holds in all rows that are `seen`, after a look at a few of them."""
    rows, few = seen
    rule = Order.learn(link, constraint, few, schema)
    numbers = rule.unit == "tick" and rows.child[constraint.columns[0]].dtype.is_numeric()
    if _kept(rule, few)[0] < (1.0 if numbers else _SHARE - 0.005):
        return None
    rule = Order.learn(link, constraint, rows, schema)
    share, able = _kept(rule, rows)
    chance = float(np.mean([_kept(rule, replace(few, at=np.roll(few.at, t * len(few.at) // (_TURNS + 1))))[0]
                            for t in range(1, _TURNS + 1)]))
    if able < LEAST or share < (1.0 if numbers else _SHARE) or chance > _LESS or not surprising(
            share, chance, rows.parents, tries):
        return None
    narrow = constraint.model_copy(update={"settings": {**constraint.settings, "strict": True}})
    strict = replace(rule, constraint=narrow)
    rule = strict if _kept(strict, rows)[0] == share else rule
    settings = {**rule.constraint.settings, **({} if share == 1 else {"share": round(share, 4)})}
    many = f"all {able:,} rows" if share == 1 else f"{share:.1%} of {able:,} rows"
    return rule.constraint.model_copy(update={"settings": settings, "evidence": (
        f"{rule.sentence} in {many} that have both, but in {chance:.0%} if they pointed at random.")})


def _kept(rule: Order, rows: Pair) -> tuple[float, int]:
    able, broken = rule.broken(rows)
    return 1 - float(broken.sum() / max(able.sum(), 1)), int(able.sum())


@dataclass(frozen=True)
class Order(BaseBetween):
    """The child's column is not before the parent's (not after it, with the setting ``before``).

    A moment and a year are compared in years; days and moments in days.
    """

    needs = (2, "a column of the child and the one of its parent that it is not before")
    knows: ClassVar = {"before": (bool,), "strict": (bool,), "share": (float, int)}

    unit: str
    step: float
    forms: list[str | None]
    gaps: list[float]

    @classmethod
    def learn(cls, link: Link, constraint: Constraint, pair: Pair, schema: Schema) -> Order:
        """Learn how fine the child's values are, and how far they are from the parent's."""
        checked(cls, link, constraint, schema)
        name, above = constraint.columns
        tables = schema.of(link.table), schema.of(link.parent)
        kinds = _scale.nature(pair.child, name, tables[0]), _scale.nature(pair.parent, above, tables[1])
        if None in kinds or not _comparable(str(kinds[0]), str(kinds[1])):
            raise UserError(f"The constraint 'order' of the link {link.name!r} compares {name!r} "
                            f"({pair.child[name].dtype}) with {above!r} ({pair.parent[above].dtype}). Only numbers "
                            "with numbers, years with moments, and moments with moments can be in order.")
        forms = [_scale.form(tables[0], name), _scale.form(tables[1], above)]
        own, known = _scale.ticks(pair.child[name], forms[0])
        two, theirs = _scale.ticks(pair.parent[above], forms[1])
        unit = _unit(str(kinds[0]), str(kinds[1]), own[known], two[theirs])
        rule = cls(link, constraint, unit, _scale.step(own[known], pair.child[name]), forms, [])
        return replace(rule, gaps=rule._gaps(pair))

    @property
    def before(self) -> bool:
        """Whether the child's comes first."""
        return bool(self.constraint.settings.get("before", False))

    @property
    def open(self) -> bool:
        """Whether the bound itself is out of bounds."""
        return self.unit == "tick" and bool(self.constraint.settings.get("strict", False))

    @property
    def sentence(self) -> str:
        """What holds."""
        sign = _SIGNS[self.before, bool(self.constraint.settings.get("strict", False))]
        share = "" if self.allowed == 0 else f" in {1 - self.allowed:.1%} of rows"
        return f"{self.link.table}.{self.own[0]} {sign} {self.link.parent}.{self.above}{share}"

    @property
    def exact(self) -> bool:
        """It computes nothing; rows that break it are mended."""
        return False

    def bound(self, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """Return how low (or high) the child's ticks may be at each of its rows, and where that is told."""
        scale = Scale(self.unit, self.step, bool(self.constraint.settings.get("strict", False)))
        values, known = _scale.ticks(pair.parent[self.above], self.forms[1])
        if not len(values):
            return np.zeros(len(pair.at), values.dtype), np.zeros(len(pair.at), bool)
        limit = scale.most(values) if self.before else scale.least(values)
        at = np.where(pair.points, pair.at, 0)
        return limit[at], pair.points & known[at]

    def broken(self, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """Rows out of order."""
        own, known = _scale.ticks(pair.child[self.own[0]], self.forms[0])
        limit, told = self.bound(pair)
        able, beyond = known & told, (own > limit) if self.before else (own < limit)
        return able, able & (beyond | (own == limit) if self.open else beyond)

    def settle(self, pair: Pair, rng: np.random.Generator) -> pl.Series:
        """Orders of one column are mended together, by :func:`verisyn.modalities.relation._across._mending.mended`."""
        raise NotImplementedError

    def _gaps(self, pair: Pair) -> list[float]:
        """Points of the distribution of how far rows in order are from their bound, in ticks."""
        own, known = _scale.ticks(pair.child[self.own[0]], self.forms[0])
        limit, told = self.bound(pair)
        gap = (limit - own if self.before else own - limit)[known & told]
        gap = gap[gap >= 0].astype(np.float64)
        return [float(g) for g in np.quantile(gap, np.linspace(0.01, 0.99, _POINTS))] if len(gap) >= LEAST else []


def _unit(child: str, parent: str, own: np.ndarray, above: np.ndarray) -> str:
    if {child, parent} == {"year", "moment"}:
        return "year" if child == "year" else "of year"
    if child in ("number", "year"):
        return "tick"
    whole = any(len(v) and not (v % _scale.DAY).any() for v in (own, above))
    return "day" if whole else "tick"


def tightest(found: list[Constraint], below: tuple[set[tuple[str, str]], set[tuple[str, str]]]) -> Iterator[Constraint]:
    """Leave out orders that follow from others and from the order of columns within a table.

    Parameters
    ----------
    found : list of Constraint
    below : pair of sets of (str, str)
        Columns of the child, and of the parent, of which the first is never above the second in a row.
    """
    have = {(c.columns, c.settings["before"]) for c in found}
    for one in found:
        (own, above), before = one.columns, one.settings["before"]
        nearer = {(c, above) for c, d in ((b, a) if before else (a, b) for a, b in below[0]) if d == own}
        nearer |= {(own, p) for p, q in ((a, b) if before else (b, a) for a, b in below[1]) if q == above}
        if not any((columns, before) in have for columns in nearer):
            yield one


def ordered(table: Any) -> set[tuple[str, str]]:
    """Columns of a table of which the first is never above the second, by its constraints."""
    chains = [c.columns for c in table.constraints if c.kind == "inequality"]
    return {(c[i], c[j]) for c in chains for i in range(len(c)) for j in range(i + 1, len(c))}
