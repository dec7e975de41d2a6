"""``derived``: a column of the child is computed from its others and from its parent's row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, ClassVar

import numpy as np
import polars as pl

from verisyn.constraints import _arithmetic, _columns
from verisyn.errors import UserError
from verisyn.kinds import _dtypes as dtypes
from verisyn.modalities.relation._across._between import LEAST, BaseBetween, Pair, checked, surprising
from verisyn.modalities.relation._across._numbers import close
from verisyn.schema import Constraint, Link, Schema

_MOST, _FEW, _DISTINCT = 10, 60, 8
_SIGNS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "{a} * {b}": np.multiply, "{a} + {b}": np.add, "{a} - {b}": np.subtract, "{b} - {a}": lambda a, b: b - a,
    "{a} / {b}": np.divide, "{b} / {a}": lambda a, b: b / a}


def term(link: Link, column: str) -> str:
    """Return a column of the parent as it stands in a formula: ```products.price```."""
    return _arithmetic.name(f"{link.parent}.{column}")


def find(pair: Pair, link: Link, schema: Schema, able: tuple[Collection[str], Collection[str]]) -> list[Constraint]:
    """Find numbers of the child that are one of its others times, plus, minus or by one of its parent's."""
    rows = pair.linked()
    own = [n for n in able[0] if _varies(rows.child[n])][:_MOST]
    above = [n for n in able[1] if _varies(rows.down(n))][:_MOST]
    if rows.child.height < LEAST or not own or not above:
        return []
    step = max(1, len(rows.at) // _FEW)
    few = Pair(rows.child.gather_every(step), rows.parent, rows.at[::step])
    found: dict[str, Constraint] = {}
    for name, columns, text in _candidates(few, link, own, above):
        if name not in found and not set(columns) & set(found):
            one = _holds(rows, link, schema, (name, *columns), text, len(own) ** 2 * len(above) * len(_SIGNS))
            found |= {name: one} if one is not None else {}
    return list(found.values())


def _candidates(few: Pair, link: Link, own: list[str], above: list[str]) -> Iterator[tuple[str, tuple[str, str], str]]:
    """Yield what fits a few rows: a column, what it may be computed from, and how."""
    ours = {n: few.child[n].cast(pl.Float64).to_numpy() for n in own}
    theirs = {n: few.down(n).cast(pl.Float64).to_numpy() for n in above}
    decimals = {n: _columns.lattice(few.child[n]).decimals for n in own}
    for o, p in product(own, above):
        for sign, compute in _SIGNS.items():
            with np.errstate(all="ignore"):
                value = compute(ours[o], theirs[p])
            for name in (n for n in own if n != o and _near(ours[n], value, decimals[n])):
                able = np.isfinite(value) & few.child[name].is_not_null().to_numpy()
                if able.sum() >= LEAST and close(few.child[name], np.where(able, value, 0), decimals[name])[able].all():
                    yield name, (o, p), sign.format(a=_arithmetic.name(o), b=term(link, p))


def _near(own: np.ndarray, value: np.ndarray, decimals: int | None) -> bool:
    """A cheap look before a close one."""
    with np.errstate(all="ignore"):
        apart, size = np.abs(own - value), np.abs(own)
        return not (apart > 1e-6 * size + (0 if decimals is None else 10.0**-decimals)).any()


def _varies(values: pl.Series) -> bool:
    return values.dtype.is_numeric() and values.n_unique() >= _DISTINCT and values.null_count() < len(values) // 2


def _holds(rows: Pair, link: Link, schema: Schema, columns: tuple[str, ...], text: str, tries: int
           ) -> Constraint | None:
    constraint = Constraint(kind="derived", columns=columns, settings={"equals": text})
    rule = Derived.learn(link, constraint, rows, schema)
    able, broken = rule.broken(rows)
    away = Pair(rows.child, rows.parent, np.roll(rows.at, max(1, len(rows.at) // 3)))
    tells, wrong = rule.broken(away)
    chance = 1 - wrong.sum() / max(tells.sum(), 1)
    if broken.any() or not surprising(1.0, float(chance), rows.parents, tries) or chance > 0.5:
        return None
    return constraint.model_copy(update={"evidence": f"{rule.sentence} in all {able.sum():,} rows that have them all."})


@dataclass(frozen=True)
class Derived(BaseBetween):
    """The child's column, computed by a formula over its own columns and its parent's."""

    needs = (2, "the child's column, those it is computed from, and one of its parent's")
    knows: ClassVar = {"equals": (str,)}

    dtype: dict[str, Any]
    decimals: int | None
    follows: bool

    @classmethod
    def learn(cls, link: Link, constraint: Constraint, pair: Pair, schema: Schema) -> Derived:
        """Read the formula; learn the decimals, and whether the column is missing just when one of the others is."""
        text = checked(cls, link, constraint, schema).get("equals")
        if text is None:
            raise UserError(f"The constraint 'derived' of the link {link.name!r} lacks the setting 'equals', such as: "
                            f"quantity * {term(link, constraint.columns[-1])}.")
        name, *others = constraint.columns[:-1]
        for column, series in [*((c, pair.child[c]) for c in (name, *others)),
                               (constraint.columns[-1], pair.parent[constraint.columns[-1]])]:
            if not series.dtype.is_numeric():
                raise UserError(f"The formula {name!r} = {text!r} needs numbers, but {column!r} holds {series.dtype}.")
        series = pair.child[name]
        rule = cls(link, constraint, dtypes.to_json(series.dtype), _columns.lattice(series).decimals, True)
        gone = np.isnan(rule._computed(pair))
        follows = bool((gone == series.is_null().to_numpy()).all())
        return cls(link, constraint, rule.dtype, rule.decimals, follows)

    @property
    def sentence(self) -> str:
        """What holds."""
        return f"{self.link.table}.{self.own[0]} = {self.constraint.settings['equals']}"

    @property
    def exact(self) -> bool:
        """Whether it is missing just when it cannot be computed."""
        return self.follows

    def _computed(self, pair: Pair) -> np.ndarray:
        """Float64 (child rows,); NaN where it cannot be told."""
        above = pair.down(self.above).alias(f"{self.link.parent}.{self.above}")
        frame = pl.DataFrame([*(pair.child[c] for c in self.own[1:]), above])
        expression, _ = _arithmetic.read(str(self.constraint.settings["equals"]), frame.columns)
        value = frame.select(expression.alias("\0value")).to_series()
        return np.asarray(value.set(~value.is_finite().fill_null(False), None).cast(pl.Float64).to_numpy())

    def broken(self, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """Rows that differ by more than half a unit of the last decimal."""
        there, value = pair.child[self.own[0]], self._computed(pair)
        able = there.is_not_null().to_numpy() & ~np.isnan(value)
        return able, able & ~close(there, np.nan_to_num(value), self.decimals)

    def settle(self, pair: Pair, rng: np.random.Generator) -> pl.Series:
        """The computed value; where the column has gaps of its own, or nothing can be computed, as drawn."""
        value = self._computed(pair)
        dtype, name = dtypes.from_json(self.dtype), self.own[0]
        plain = pl.Series(name, np.nan_to_num(value)).round(self.decimals if self.decimals is not None else 12)
        plain = plain.cast(dtype, strict=False)
        known = ~np.isnan(value)
        if self.follows or name not in pair.child.columns:
            return plain.set(pl.Series(~known), None)
        drawn = pair.child[name].cast(dtype)
        return plain.zip_with(pl.Series(known) & drawn.is_not_null(), drawn).alias(name)
