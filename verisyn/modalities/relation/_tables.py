"""How one table is drawn: as rows of their own (root), as the histories of its parents (owned), not at all (public)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn import shelves
from verisyn.constraints._rules import Ledger, Rules
from verisyn.drawing import Drawing
from verisyn.modalities.relation import _classes, _hidden
from verisyn.modalities.relation._public import Public
from verisyn.modalities.sequence._history import History, Rows
from verisyn.modalities.table import Allowed, BaseGenerator, Codes, Fitted
from verisyn.modalities.table._views import TableCoder
from verisyn.running import Run
from verisyn.schema import Column, Table


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


class Spread(Fitted):
    """A generator whose context is drawn by the shares it has in the data, as evenly as rows allow.

    Seen from outside there is no context: what kind of parent a row is to others comes first, its columns after.
    """

    def __init__(self, inner: Fitted, tuples: np.ndarray, shares: np.ndarray):
        self.inner, self.tuples, self.shares = inner, tuples, shares
        self.parts, self.told = inner.parts, 0

    def sample(self, rows: int, rng: np.random.Generator, allowed: Allowed | None = None,
               context: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows; see :class:`Fitted`."""
        if not self.inner.told:
            return self.inner.sample(rows, rng, allowed)
        return self.inner.sample(rows, rng, allowed, self._contexts(rows, rng) if context is None else context)

    def _contexts(self, rows: int, rng: np.random.Generator) -> np.ndarray:
        """Draw systematically: of n rows, each kind has its share of n, give or take one."""
        order = rng.permutation(len(self.shares))
        ends = np.cumsum(self.shares[order])
        at = (np.arange(rows) + rng.random()) / max(rows, 1) * ends[-1]
        picked = order[np.minimum(np.searchsorted(ends, at, side="right"), len(order) - 1)]
        return np.asfortranarray(self.tuples[rng.permutation(picked)])

    def log_prob(self, codes: np.ndarray) -> np.ndarray:
        """Return log p of each code given those before it, the context as told."""
        return self.inner.log_prob(codes)

    def state(self) -> dict[str, Any]:
        """Return what was learnt."""
        return {"inner": self.inner.state(), "tuples": self.tuples, "shares": self.shares}

    @classmethod
    def restore(cls, parts: Any, state: dict[str, Any]) -> Self:
        """Not on any shelf: :meth:`Root.restore` rebuilds it."""
        raise NotImplementedError


class Root:
    """A table whose rows are drawn on their own."""

    def __init__(self, table: Table, coder: TableCoder, fitted: Spread, generator: str):
        self.table, self.coder, self.fitted, self.generator = table, coder, fitted, generator

    @classmethod
    def learn(cls, frame: pl.DataFrame, table: Table, told: int, how: Learning, *, small: bool = False) -> Self:
        """Learn the rows of `frame`, whose first `told` columns are what kind of row each is; `small` ones by class."""
        coder_seed, fit_seed = how.seed.spawn(2)
        coder = TableCoder.learn(frame, table, coder_seed)
        codes = coder.encode(frame)
        names = {c.name for c in table.columns[:told]}
        parts = sum(len(c.parts) for c in coder.coders if set(c.columns) & names)
        if small:
            how = replace(how, maker=_classes.Generator())
        inner = how.maker.fit_within(how.run or Run(), Codes(codes.values, codes.parts, codes.names, parts), fit_seed,
                                     how.jobs)
        tuples, counts = np.unique(codes.values[:, :parts], axis=0, return_counts=True)
        if not parts:
            tuples, counts = np.zeros((1, 0), np.int32), np.ones(1, np.int64)
        return cls(table, coder, Spread(inner, tuples.astype(np.int32), counts / counts.sum()), _full_name(how.maker))

    def drawing(self, seed: int, jobs: int) -> Drawing:
        """Return what draws rows of the table."""
        return Drawing(self.table, self.coder, self.fitted, seed, jobs, Ledger())

    def sample(self, rows: int, seed: np.random.SeedSequence, jobs: int) -> pl.DataFrame:
        """Draw rows."""
        drawing = self.drawing(0, jobs)
        return drawing.finish(drawing.blocks(rows, seed), seed) if rows else self.coder.blank().clear()

    def log_prob(self, frame: pl.DataFrame) -> np.ndarray:
        """Return log p of each row, float64."""
        return self.fitted.log_prob(self.coder.encode(frame).values).sum(axis=1)

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
                "fitted": self.fitted.state(), "generator": self.generator}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild from `state`."""
        coder = TableCoder.restore(state["coder"])
        small, fitted = state["generator"] == _CLASSES, state["fitted"]
        home = _classes.Generator if small else shelves.generators.take(state["generator"]).Generator
        inner = home.fitted.restore(coder.parts, fitted["inner"])
        return cls(Table.model_validate(state["table"]), coder, Spread(inner, fitted["tuples"], fitted["shares"]),
                   state["generator"])


class Owned:
    """A table whose rows are drawn as the history of the parent that owns them.

    `fresh` makes columns whose values are invented (names, texts), of all rows at once.
    """

    def __init__(self, history: History, context: TableCoder, fresh: TableCoder, time: str | None):
        self.history, self.context, self.fresh, self.time = history, context, fresh, time

    @classmethod
    def learn(cls, rows: Rows, table: Table, fresh: Table, context: tuple[pl.DataFrame, Table], time: Column | None,
              how: Learning) -> Self:
        """Learn rows given the rows of `context`; columns of `fresh` are invented.

        ``rows.frame`` has the columns of both tables.
        """
        context_seed, fresh_seed, seed = how.seed.spawn(3)
        told = TableCoder.learn(*context, context_seed)
        invented = TableCoder.learn(rows.frame.select(fresh.names), fresh, fresh_seed)
        gone = _gone(rows.frame, [n for n in fresh.names if rows.frame[n].null_count()])
        if not table.columns and not gone.width:  # rows of keys alone: how many there are is all there is to learn
            gone = _gone(rows.frame, [_hidden.ROW])
        columns = (*table.columns, *(Column(name=name, kind="boolean", dtype="Boolean") for name in gone.columns))
        frame = pl.concat([rows.frame.select(table.names), gone], how="horizontal") if table.columns else gone
        history = History.learn(Rows(frame, rows.starts, rows.time), table.model_copy(update={"columns": columns}),
                                told.encode(context[0]), time=time, maker=how.maker, seed=seed, jobs=how.jobs,
                                run=how.run)
        return cls(history, told, invented, time.name if time else None)

    def sample(self, context: pl.DataFrame, seed: np.random.SeedSequence, jobs: int, allowed: Allowed | None = None
               ) -> tuple[pl.DataFrame, np.ndarray]:
        """Draw the rows of each row of the context; return them, and which row of the context each belongs to."""
        draw_seed, fresh_seed = seed.spawn(2)
        rows = self.history.sample(self.context.encode(context).values, draw_seed, allowed=allowed, jobs=jobs)
        frame = rows.frame if rows.time is None or self.time is None else rows.frame.with_columns(
            rows.time.alias(self.time))
        gone = [c for c in frame.columns if c.startswith(_GONE)]
        codes = np.zeros((frame.height, len(self.fresh.parts)), np.int32)
        for coder, where in self.fresh.slices():
            name = _GONE + coder.columns[0]
            if coder.parts and name in gone:
                codes[:, where] = frame[name].to_numpy().astype(np.int32)[:, None]
        invented = self.fresh.decode(codes, fresh_seed)
        frame = pl.concat([frame.drop(gone), invented], how="horizontal") if invented.width else frame.drop(gone)
        return frame, np.repeat(np.arange(len(rows.counts)), rows.counts)

    def log_prob(self, rows: Rows, context: pl.DataFrame) -> np.ndarray:
        """Return log p of the rows of each row of the context; ``rows.frame`` has all columns that are learnt."""
        names = self.history.shape.whole.names
        gone = _gone(rows.frame, [n.removeprefix(_GONE) for n in names if n.startswith(_GONE)])
        frame = pl.concat([rows.frame, gone], how="horizontal").select(names)
        return self.history.log_prob(Rows(frame, rows.starts, rows.time), self.context.encode(context).values)

    @property
    def rules(self) -> tuple[Rules, list[str]]:
        """What holds within a row, and the columns that rules may read."""
        shape = self.history.shape
        return shape.rules, [*shape.whole.names, *([self.time] if self.time else [])]

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of what was learnt."""
        return (*self.history.notes, *self.fresh.notes)

    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        return {"history": self.history.state(), "context": self.context.state(), "fresh": self.fresh.state(),
                "time": self.time}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild from `state`."""
        return cls(History.restore(state["history"]), TableCoder.restore(state["context"]),
                   TableCoder.restore(state["fresh"]), state["time"])


_GONE = "missing: "


def _gone(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Whether each value of some columns is missing."""
    return frame.select(pl.col(n).is_null().alias(_GONE + n) for n in names)


_CLASSES = "relation._classes"


def _full_name(maker: BaseGenerator) -> str:
    return type(maker).__module__.split("verisyn.modalities.")[-1]


KINDS: dict[str, Any] = {"root": Root, "owned": Owned, "public": Public}
