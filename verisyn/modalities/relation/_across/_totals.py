"""Find columns of a parent that follow from its children: counts, totals, means, first and last."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, permutations
from typing import Any

import numpy as np
import polars as pl

from verisyn.constraints import _arithmetic
from verisyn.constraints._columns import lattice
from verisyn.modalities.relation._across._between import Pair, surprising
from verisyn.modalities.relation._across._numbers import aggregated, close, whole_or_float
from verisyn.modalities.relation._across._upward import KINDS, Upward
from verisyn.schema import Constraint, Link, Schema, Table

_SHARE = 0.98
_BEYOND = 0.9
_FEW, _SOME, _MOST, _MOSTLY = 16, 300, 10, 0.5
_SEVERAL = 8
"""So many parents must have several children: of single ones, a total is but a copy."""


def find(pair: Pair, link: Link, schema: Schema, able: tuple[Collection[str], Collection[str]]) -> list[Constraint]:
    """Find, for each column of the parent, what of its children it is; the simplest that holds."""
    if int((pair.counts > 1).sum()) < _SEVERAL:
        return []
    few, some = pair.some(_FEW, several=True), pair.some(_SOME)
    own = [n for n in able[0] if few.child[n].null_count() < few.child.height]
    numbers = [n for n in own if pair.child[n].dtype.is_numeric()][:_MOST]
    times = [n for n in own if _moment(pair.child, n, schema.of(link.table))]
    tries = max(1, len(able[1])) * (len(times) + len(numbers) ** 2 + 1)
    screened = {n: _Screened(few.parent[n]) for n in able[1] if pair.parent[n].dtype.is_numeric()}
    found: dict[str, Constraint] = {}
    for candidate in _of_numbers(few, numbers, {s.decimals for s in screened.values()}):
        for name in (n for n, s in screened.items() if n not in found and s.fits(candidate)):
            one = _holds(candidate.of(name), pair, some, link, schema, tries)
            found |= {name: one} if one is not None else {}
    for name in (n for n in able[1] if _moment(pair.parent, n, schema.of(link.parent))):
        each = (_holds(Constraint(kind="extreme", columns=(n, name), settings={"which": w}), pair, some, link, schema,
                       tries) for n in times for w in ("least", "greatest"))
        one = next(filter(None, each), None)
        found |= {name: one} if one is not None else {}
    return list(found.values())


def _moment(frame: pl.DataFrame, name: str, table: Table) -> bool:
    return isinstance(frame[name].dtype, pl.Date | pl.Datetime) or (
        frame[name].dtype == pl.String and isinstance(table.column(name).settings.get("format"), str))


@dataclass(frozen=True)
class _Candidate:
    """What a column of the parent may be: the constraint's parts, and its values for a few parents."""

    kind: str
    columns: tuple[str, ...]
    settings: dict[str, Any]
    values: np.ndarray

    def of(self, above: str) -> Constraint:
        return Constraint(kind=self.kind, columns=(*self.columns, above), settings=self.settings)


@dataclass(frozen=True)
class _Screened:
    """A column of a few parents."""

    series: pl.Series

    @cached_property
    def decimals(self) -> int | None:
        return lattice(self.series).decimals

    def fits(self, candidate: _Candidate) -> bool:
        """Whether it may be so, one parent in sixteen aside."""
        rounded = candidate.settings.get("lines") in (None, self.decimals)
        return rounded and int((~close(self.series, candidate.values, self.decimals)).sum()) <= len(self.series) // _FEW


def _of_numbers(few: Pair, numbers: list[str], decimals: set[int | None]) -> Iterator[_Candidate]:
    """Yield what may be, the simplest first."""
    columns = {n: whole_or_float(few.child[n]) for n in numbers}
    yield _Candidate("count", (), {}, few.counts.astype(np.int64))
    for n, (values, known) in columns.items():
        yield _Candidate("total", (n,), {}, aggregated(values, known, few, "sum")[0])
    for n, (values, known) in columns.items():
        for which in ("least", "greatest"):
            yield _Candidate("extreme", (n,), {"which": which}, aggregated(values, known, few, which)[0])
        yield _Candidate("mean", (n,), {}, aggregated(values, known, few, "mean")[0])
    rounds = {d for d in decimals if d}
    for used, text in _formulas(few, numbers):
        lines = few.child.select(_arithmetic.read(text, used)[0]).to_series()
        yield _Candidate("total", used, {"of": text}, aggregated(*whole_or_float(lines), few, "sum")[0])
        for d in sorted(rounds) if "*" in text else ():
            values = aggregated(*whole_or_float(lines.round(d)), few, "sum")[0]
            yield _Candidate("total", used, {"of": text, "lines": d}, values)


def _formulas(few: Pair, numbers: list[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield products, differences, and what is left after a discount: price * quantity * (1 - discount)."""
    written = {n: _arithmetic.name(n) for n in numbers}
    shares = [n for n in numbers if bool(few.child[n].is_between(0, 1).all())]
    yield from (((a, b), f"{written[a]} * {written[b]}") for a, b in combinations(numbers, 2))
    yield from (((a, b), f"{written[a]} - {written[b]}") for a, b in permutations(numbers, 2))
    yield from (((a, b), f"{written[a]} * (1 - {written[b]})") for a, b in permutations(numbers, 2) if b in shares)
    yield from (((a, b, c), f"{written[a]} * {written[b]} * (1 - {written[c]})") for a, b in combinations(numbers, 2)
                for c in shares if c not in (a, b))


def _holds(constraint: Constraint, pair: Pair, some: Pair, link: Link, schema: Schema, tries: int) -> Constraint | None:
    """The constraint with its evidence, if nearly all parents keep it, and not by chance."""
    kind = KINDS[constraint.kind]
    able, broken = kind.learn(link, constraint, some, schema).broken(some)
    if able.sum() < _SEVERAL or broken.sum() > (1 - _SHARE + 0.02) * able.sum():
        return None
    rule = kind.learn(link, constraint, pair, schema)
    able, broken = rule.broken(pair)
    share = 1 - broken.sum() / max(able.sum(), 1)
    chance = _by_chance(rule, pair, able)
    if share < _SHARE or share - chance < _BEYOND * (1 - chance) or not surprising(
            float(share), chance, int(able.sum()), tries):
        return None
    rows = f"all {able.sum():,} rows" if share == 1 else f"{share:.1%} of {able.sum():,} rows"
    if constraint.kind == "extreme" and _mostly_equal(pair, *constraint.columns):
        return None
    childless = {} if constraint.kind == "count" else _childless(rule, pair)
    return constraint.model_copy(update={
        "settings": {**constraint.settings, **({} if share == 1 else {"share": round(float(share), 4)}), **childless},
        "evidence": f"{rule.sentence}: in {rows} that have any."})


def _mostly_equal(pair: Pair, own: str, above: str) -> bool:
    """Whether most siblings have the parent's value: the list price that was mostly paid is no greatest price paid."""
    several = pair.points & (pair.counts[np.where(pair.points, pair.at, 0)] > 2)
    same = (pair.child[own] == pair.down(above)).fill_null(False).to_numpy()[several]
    return bool(same.mean() > _MOSTLY) if len(same) else False


def _by_chance(rule: Upward, pair: Pair, able: np.ndarray) -> float:
    """In how many parents it would hold, were their children another's."""
    rows = np.flatnonzero(able)
    away = np.zeros(pair.parent.height, np.int64)
    away[rows] = np.roll(rows, max(1, len(rows) // 3))
    at = np.where(pair.points, away[np.where(pair.points, pair.at, 0)], pair.at)
    _, broken = rule.broken(Pair(pair.child, pair.parent, at))
    return float(1 - broken[rows].mean()) if len(rows) > 1 else 1.0


def _childless(rule: Upward, pair: Pair) -> dict[str, Any]:
    """What the column is where a parent has no children, if not what goes without saying."""
    values = pair.parent[rule.above].filter(pl.Series(pair.counts == 0))
    if not len(values):
        return {}
    if values.null_count() == len(values):
        said = "missing"
    else:
        said = "zero" if values.dtype.is_numeric() and bool((values == 0).fill_null(False).all()) else "as drawn"
    return {} if said == rule.expected else {"childless": said}
