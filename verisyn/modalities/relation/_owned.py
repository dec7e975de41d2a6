"""A table whose rows are drawn as the histories of the parents that own them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn.conditions import Condition, allowed_codes
from verisyn.constraints._rules import Rules
from verisyn.modalities.relation import _hidden
from verisyn.modalities.relation._references import Ratio, without
from verisyn.modalities.relation._tables import Ahead, Learning
from verisyn.modalities.sequence._history import History, Rows
from verisyn.modalities.table import Allowed, Codes
from verisyn.modalities.table._views import TableCoder
from verisyn.schema import Column, Table

Point = Callable[[pl.DataFrame, np.ndarray], tuple[pl.DataFrame, np.ndarray]]
"""Finds where rows point, given the columns that decide it and whose they are; returns these columns, settled, and the
codes of the parents."""
Within = tuple[Allowed, Allowed]
"""A condition on what is drawn first, and on the rest."""


@dataclass(frozen=True)
class Stage:
    """What is drawn of rows before the rest of them.

    Parameters
    ----------
    history : History
        Of the columns that decide where rows point.
    heads, links : tuples of str
        These columns; and the links whose parents are found by them.
    ratios : tuple of Ratio
        Numbers that are learnt as ratios to these parents' numbers.
    """

    history: History
    heads: tuple[str, ...]
    links: tuple[str, ...]
    ratios: tuple[Ratio, ...] = ()

    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        return {"history": self.history.state(), "heads": list(self.heads), "links": list(self.links),
                "ratios": [vars(r) for r in self.ratios]}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild from `state`."""
        return cls(History.restore(state["history"]), tuple(state["heads"]), tuple(state["links"]),
                   tuple(Ratio(**r) for r in state["ratios"]))


class Owned:
    """A table whose rows are drawn as the history of the parent that owns them.

    Parameters
    ----------
    history : History
    context : TableCoder
        Of what is known of a parent.
    fresh : TableCoder
        Makes columns whose values are invented (names, texts), of all rows at once.
    time : str, optional
    first : Stage, optional
        What is drawn before.
    """

    def __init__(self, history: History, context: TableCoder, fresh: TableCoder, time: str | None,
                 first: Stage | None = None):
        self.history, self.context, self.fresh, self.time, self.first = history, context, fresh, time, first

    @property
    def links(self) -> tuple[str, ...]:
        """Links whose parents are there when rows are drawn."""
        return self.first.links if self.first else ()

    @classmethod
    def learn(cls, rows: Rows, table: Table, fresh: Table, context: tuple[pl.DataFrame, Table], time: Column | None,
              how: Learning, *, ahead: Ahead | None = None, ratios: Sequence[Ratio] = ()) -> Self:
        """Learn rows given the rows of `context`; columns of `fresh` are invented.

        ``rows.frame`` has the columns of both tables, with ratios in their places.
        """
        context_seed, fresh_seed, seed = how.seed.spawn(3)
        told = TableCoder.learn(*context, context_seed)
        invented = TableCoder.learn(rows.frame.select(fresh.names), fresh, fresh_seed)
        gone = _gone(rows.frame, [n for n in fresh.names if rows.frame[n].null_count()])
        heads = ahead.heads if ahead else ()
        own = tuple(c for c in table.columns if c.name not in heads)
        if not own and not gone.width:  # rows of keys alone: how many there are is all there is to learn
            gone, ahead, heads, own = _gone(rows.frame, [_hidden.ROW]) if not heads else gone, None, (), table.columns
        known, stage, beside = told.encode(context[0]), None, None
        if ahead is not None:
            stage, known, beside = cls._first(rows, table, known, time, how.child(1), ahead, ratios)
        columns = (*own, *(Column(name=name, kind="boolean", dtype="Boolean") for name in gone.columns))
        ruled = without(table.constraints, [*heads, *(r.column for r in ratios)])
        parts = [rows.frame.select(c.name for c in own)] if own else []
        frame = pl.concat([*parts, *([gone] if gone.width else [])], how="horizontal")
        history = History.learn(Rows(frame, rows.starts, rows.time),
                                table.model_copy(update={"columns": columns, "constraints": ruled}), known, time=time,
                                maker=how.maker, seed=seed, jobs=how.jobs, run=how.run, beside=beside)
        return cls(history, told, invented, time.name if time else None, stage)

    @staticmethod
    def _first(rows: Rows, table: Table, context: Codes, time: Column | None, how: Learning, ahead: Ahead,
               ratios: Sequence[Ratio]) -> tuple[Stage, Codes, Codes]:
        """Learn the first stage; return it, and what the second is told of parents and beside rows."""
        heads = table.of(set(ahead.heads)).model_copy(update={"constraints": ()})
        early = Rows(rows.frame.select(heads.names), rows.starts, rows.time)
        history = History.learn(early, heads, context, time=time, maker=how.maker, seed=how.seed, jobs=how.jobs,
                                run=how.run)
        profile, codes = history.codes(early)
        stage = Stage(history, tuple(heads.names), ahead.links, tuple(ratios))
        return stage, _hstack(context, Codes(profile, history.profile.parts, ())), \
            _hstack(Codes(codes, history.coder.parts, history.coder.names), ahead.beside)

    def sample(self, context: pl.DataFrame, seed: np.random.SeedSequence, jobs: int, point: Point,
               within: Within = ({}, {})) -> tuple[pl.DataFrame, np.ndarray]:
        """Draw the rows of each row of the context; return them, and which row of the context each belongs to."""
        draw_seed, fresh_seed, first_seed = seed.spawn(3)
        known = self.context.encode(context).values
        if self.first is None:
            rows = self.history.sample(known, draw_seed, allowed=within[1] or None, jobs=jobs)
            frame, at = rows.frame, np.repeat(np.arange(len(rows.counts)), rows.counts)
        else:
            rows = self.first.history.sample(known, first_seed, allowed=within[0] or None, jobs=jobs)
            at = np.repeat(np.arange(len(rows.counts)), rows.counts)
            heads, told = point(self._timed(rows), at)
            rows = Rows(heads.select(self.first.heads), rows.starts, rows.time)
            profile, codes = self.first.history.codes(rows)
            rest = self.history.sample(np.hstack([known, profile]), draw_seed, allowed=within[1] or None,
                                       counts=rows.counts, times=rows.time, beside=np.hstack([codes, told]), jobs=jobs)
            frame = pl.concat([rows.frame, rest.frame], how="horizontal")
        frame = frame if rows.time is None or self.time is None else frame.with_columns(rows.time.alias(self.time))
        return self._with_fresh(frame, fresh_seed), at

    def _timed(self, rows: Rows) -> pl.DataFrame:
        return rows.frame if rows.time is None or self.time is None else rows.frame.with_columns(
            rows.time.alias(self.time))

    def _with_fresh(self, frame: pl.DataFrame, seed: np.random.SeedSequence) -> pl.DataFrame:
        gone = [c for c in frame.columns if c.startswith(_GONE)]
        codes = np.zeros((frame.height, len(self.fresh.parts)), np.int32)
        for coder, where in self.fresh.slices():
            name = _GONE + coder.columns[0]
            if coder.parts and name in gone:
                codes[:, where] = frame[name].to_numpy().astype(np.int32)[:, None]
        invented = self.fresh.decode(codes, seed)
        return pl.concat([frame.drop(gone), invented], how="horizontal") if invented.width else frame.drop(gone)

    def within(self, condition: Condition) -> Within:
        """Return the codes that can meet a condition, as far as these tell."""
        shape = self.history.shape
        hard = {*shape.smooth, *shape.offsets, *({shape.time.name} if shape.time else ()),
                *((r.column for r in self.first.ratios) if self.first else ())}
        plain = condition.only(c for c in condition.conjuncts if not c.columns & hard)
        first = allowed_codes(plain, self.first.history.coder, np.random.default_rng(0)) if self.first else {}
        return first, allowed_codes(plain, self.history.coder, np.random.default_rng(0))

    def log_prob(self, rows: Rows, context: pl.DataFrame, told: np.ndarray | None = None) -> np.ndarray:
        """Return log p of the rows of each row of the context.

        ``rows.frame`` has all columns that are learnt; `told` are the codes of the rows that these rows point to.
        """
        names = self.history.shape.whole.names
        gone = _gone(rows.frame, [n.removeprefix(_GONE) for n in names if n.startswith(_GONE)])
        frame = pl.concat([rows.frame, gone], how="horizontal").select(names)
        known, whole = self.context.encode(context).values, Rows(frame, rows.starts, rows.time)
        if self.first is None or told is None:
            return self.history.log_prob(whole, known)
        heads = replace(rows, frame=rows.frame.select(self.first.heads))
        profile, codes = self.first.history.codes(heads)
        return self.first.history.log_prob(heads, known) + self.history.log_prob(
            whole, np.hstack([known, profile]), np.hstack([codes, told]))

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
                "time": self.time, "first": self.first and self.first.state()}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild from `state`."""
        return cls(History.restore(state["history"]), TableCoder.restore(state["context"]),
                   TableCoder.restore(state["fresh"]), state["time"],
                   Stage.restore(state["first"]) if state["first"] else None)


_GONE = "missing: "


def _gone(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Whether each value of some columns is missing."""
    return frame.select(pl.col(n).is_null().alias(_GONE + n) for n in names)


def _hstack(*views: Codes) -> Codes:
    """Return codes of the same rows side by side."""
    parts = tuple(p for v in views for p in v.parts)
    return Codes(np.asfortranarray(np.hstack([v.values for v in views])), parts,
                 tuple(f"told {i}" for i in range(len(parts))))
