"""Tables whose rows are drawn on their own; those of histories are in ``_owned``, those that stay in ``_public``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn import shelves
from verisyn.constraints._rules import Ledger, Rules
from verisyn.drawing import BLOCK, Drawing, child
from verisyn.kinds import Part
from verisyn.modalities.relation import _classes, _hidden
from verisyn.modalities.relation._staged import Spread, Staged
from verisyn.modalities.table import BaseGenerator, Codes, told_of
from verisyn.modalities.table._conditional import beside, unpacked
from verisyn.modalities.table._views import TableCoder
from verisyn.running import Run
from verisyn.schema import Table

_FIRST = 2**27
"""Number of the child seed of what is drawn first."""


@dataclass(frozen=True)
class Ahead:
    """What is known of rows before all of their columns are drawn.

    Parameters
    ----------
    heads : tuple of str
        Columns that are drawn first.
    links : tuple of str
        Links whose parents are found then.
    beside : Codes
        The codes of these parents, for each row.
    """

    heads: tuple[str, ...]
    links: tuple[str, ...]
    beside: Codes


@dataclass(frozen=True)
class Learning:
    """What learning any table takes."""

    maker: BaseGenerator
    seed: np.random.SeedSequence
    jobs: int = 1
    run: Run | None = None

    def child(self, number: int) -> Learning:
        """Return the same for a part of the work, with a seed of its own."""
        seed = np.random.SeedSequence(self.seed.entropy, spawn_key=(*self.seed.spawn_key, number))
        return Learning(self.maker, seed, self.jobs, self.run)


Point = Callable[[pl.DataFrame], tuple[pl.DataFrame, np.ndarray]]
"""Finds where rows point, given the columns that decide it; returns these, settled, and the codes of the parents."""


class Root:
    """A table whose rows are drawn on their own.

    Parameters
    ----------
    table : Table
    coder : TableCoder
    fitted : Spread or Staged
    generator : str
    heads : tuple of str
        Columns that are drawn first, as they decide where a row points.
    links : tuple of str
        Links whose parents are there when rows are drawn.
    """

    def __init__(self, table: Table, coder: TableCoder, fitted: Spread | Staged, generator: str,
                 heads: tuple[str, ...] = (), links: tuple[str, ...] = ()):
        self.table, self.coder, self.fitted, self.generator = table, coder, fitted, generator
        self.heads, self.links = heads, links

    @classmethod
    def learn(cls, frame: pl.DataFrame, table: Table, told: int, how: Learning, *, small: bool = False,
              ahead: Ahead | None = None) -> Self:
        """Learn the rows of `frame`, whose first `told` columns are what kind of row each is; `small` ones by class."""
        coder_seed, fit_seed = how.seed.spawn(2)
        kinds, heads = tuple(c.name for c in table.columns[:told]), ahead.heads if ahead else ()
        table = table.model_copy(update={"columns": tuple(sorted(table.columns, key=lambda c: (
            c.name not in kinds, c.name not in heads)))})
        coder = TableCoder.learn(frame, table, coder_seed)
        codes = coder.encode(frame)
        parts = sum(len(c.parts) for c in coder.coders if set(c.columns) & set(kinds))
        if small:
            how = replace(how, maker=_classes.Generator())
        first = codes
        if ahead is not None:
            cut = parts + sum(len(c.parts) for c in coder.coders if set(c.columns) & set(heads))
            first = Codes(np.asfortranarray(codes.values[:, :cut]), codes.parts[:cut], codes.names[:cut])
        inner = how.maker.fit_within(how.run or Run(), Codes(first.values, first.parts, first.names, parts), fit_seed,
                                     how.jobs)
        tuples, counts = np.unique(codes.values[:, :parts], axis=0, return_counts=True)
        if not parts:
            tuples, counts = np.zeros((1, 0), np.int32), np.ones(1, np.int64)
        spread, name = Spread(inner, tuples.astype(np.int32), counts / counts.sum()), _full_name(how.maker)
        if ahead is None:
            return cls(table, coder, spread, name)
        rest = Codes(np.asfortranarray(codes.values[:, cut:]), codes.parts[cut:], codes.names[cut:])
        later = how.child(1)
        fitted = later.maker.fit_within(how.run or Run(), beside(first, ahead.beside, rest), later.seed, how.jobs)
        return cls(table, coder, Staged(spread, fitted), name, heads, ahead.links)

    def drawing(self, seed: int, jobs: int) -> Drawing:
        """Return what draws rows of the table."""
        return Drawing(self.table, self.coder, self.fitted, seed, jobs, Ledger())

    def rehearse(self, frame: pl.DataFrame, seed: np.random.SeedSequence, point: Point) -> None:
        """Draw as many rows as the source's `frame` as far as where they point, and let the rest have its shares."""
        if not isinstance(self.fitted, Staged):
            return
        codes = self.coder.encode(frame).values
        first, decode, again = seed.spawn(3)
        drawn, _ = self.fitted.first.sample(len(codes), np.random.default_rng(first))
        heads, told = point(self.first.decode(drawn, decode))
        self.fitted.rehearse(self.first.encode(heads).values, told, codes[:, self.fitted.cut:], again)

    def sample(self, rows: int, seed: np.random.SeedSequence, jobs: int, point: Point) -> pl.DataFrame:
        """Draw rows; `point` finds where they point, where that is known before the rest of them is drawn."""
        drawing = self.drawing(0, jobs)
        if not rows:
            return self.coder.blank().clear()
        if not isinstance(self.fitted, Staged):
            return drawing.finish(drawing.blocks(rows, seed), seed)
        fitted, (first, decode) = self.fitted, child(seed, _FIRST).spawn(2)
        codes, _ = fitted.first.sample(rows, np.random.default_rng(first))
        heads, told = point(self.first.decode(codes, decode))
        codes = self.first.encode(heads).values
        settled = heads.select(c for c in self.heads if not c.startswith(_hidden.MARK))

        def block(start: int) -> pl.DataFrame:
            draw, turn = child(seed, start // BLOCK).spawn(2)
            own = slice(start, start + BLOCK)
            whole, _ = fitted.follow(codes[own], told[own], np.random.default_rng(draw))
            return drawing.decode(whole, turn, start, settled[own]).with_columns(
                heads[own].select(c for c in self.first.columns if c.startswith(_hidden.MARK)).get_columns())

        with ThreadPoolExecutor(jobs) as pool:
            return drawing.finish(pl.concat(pool.map(block, range(0, rows, BLOCK))), seed)

    @cached_property
    def first(self) -> TableCoder:
        """The coder of what the first stage draws."""
        own = {c.name for c in self.table.columns if c.name in self.heads or c.name.startswith(_hidden.MARK)}
        coders, parts, cut = [], 0, self.fitted.cut if isinstance(self.fitted, Staged) else 0
        for one in self.coder.coders:
            if set(one.columns) <= own and parts < cut:
                coders.append(one)
                parts += len(one.parts)
        return TableCoder(tuple(c for one in coders for c in one.columns), coders)

    def log_prob(self, frame: pl.DataFrame, told: np.ndarray | None = None) -> np.ndarray:
        """Return log p of each row, float64; `told` are the codes of the rows that it points to."""
        codes = self.coder.encode(frame).values
        each = self.fitted.log_prob(codes, told) if isinstance(self.fitted, Staged) else self.fitted.log_prob(codes)
        return each.sum(axis=1)

    @property
    def rules(self) -> tuple[Rules, list[str]]:
        """What holds within a row, and the columns that rules may read."""
        return self.coder.rules, list(self.coder.columns)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of what was learnt."""
        return tuple(self.coder.notes)

    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        return {"table": self.table.model_dump(mode="json"), "coder": self.coder.state(),
                "fitted": self.fitted.state(), "generator": self.generator, "heads": list(self.heads),
                "links": list(self.links)}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild from `state`."""
        coder = TableCoder.restore(state["coder"])
        small, fitted = state["generator"] == _CLASSES, state["fitted"]
        home = _classes.Generator if small else shelves.generators.take(state["generator"]).Generator
        table, links = Table.model_validate(state["table"]), tuple(state["links"])
        if "rest" not in fitted:
            return cls(table, coder, _spread(home, coder.parts, fitted), state["generator"])
        more, known = unpacked(fitted["beside"]), coder.parts
        cut = told_of(fitted["rest"]) - len(more)
        rest = home.fitted.restore((*known[:cut], *more, *known[cut:]), fitted["rest"])
        staged = Staged(_spread(home, known[:cut], fitted["first"]), rest)
        return cls(table, coder, staged, state["generator"], tuple(state["heads"]), links)


def _spread(home: Any, parts: tuple[Part, ...], state: Mapping[str, Any]) -> Spread:
    return Spread(home.fitted.restore(parts, state["inner"]), state["tuples"], state["shares"])


_CLASSES = "relation._classes"


def _full_name(maker: BaseGenerator) -> str:
    return type(maker).__module__.split("verisyn.modalities.")[-1]
