"""Learning a database: table after table, owners before what they own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn._runs import starts_of
from verisyn.description import modelled
from verisyn.modalities.relation import _across, _hidden, _ordering
from verisyn.modalities.relation._ahead import Finder
from verisyn.modalities.relation._context import Context, summable
from verisyn.modalities.relation._keys import Keys, numbering_of
from verisyn.modalities.relation._loops import Loop
from verisyn.modalities.relation._owned import Owned
from verisyn.modalities.relation._public import Public
from verisyn.modalities.relation._references import Reference
from verisyn.modalities.relation._roles import Roles
from verisyn.modalities.relation._structure import Structure
from verisyn.modalities.relation._tables import Learning, Root
from verisyn.modalities.relation._training import Training
from verisyn.modalities.sequence._history import Rows
from verisyn.modalities.table import Tick
from verisyn.schema import Schema, Table

KINDS: dict[str, Any] = {"root": Root, "owned": Owned, "public": Public}
_LOOKUPS = ((30, 5), (200, 20))
"""A table of so few rows, each pointed to by so many on average, that owns nothing keeps its rows at any scale."""


@dataclass(frozen=True)
class Learnt:
    """What was learnt of a database.

    Parameters
    ----------
    schema : Schema
        With owners chosen.
    tables : mapping of str to Root, Owned or Public
    contexts : mapping of str to Context
        Of owned tables.
    roles, loops : mappings of str to Roles, Loop
        By link.
    keys : Keys
    order : mapping of str to (str, str or None)
        How the rows of each table stand in the source, and by which column of time.
    rows : mapping of str to int
        Rows of each table of the source.
    rules : Rules
        What holds between tables.
    references : mapping of str to Reference
        By link: how the rows that it leads to are told to those that point.
    told : frozenset of str
        Those of these links whose parent is looked up by what a row holds.
    """

    schema: Schema
    tables: dict[str, Any]
    contexts: dict[str, Context]
    roles: dict[str, Roles]
    loops: dict[str, Loop]
    keys: Keys
    order: dict[str, tuple[str, str | None]]
    rows: dict[str, int]
    rules: Any
    references: dict[str, Reference]
    told: frozenset[str]

    @property
    def structure(self) -> Structure:
        """How each link is drawn."""
        return structure_of(self.schema, self.rules)

    @property
    def lookups(self) -> tuple[str, ...]:
        """Small tables that others point to, which keep their rows at any scale."""
        structure = self.structure
        out = []
        for table in structure.roots:
            links = [link for link in structure.schema.links_to(table) if link.table != table]
            children = sum(self.rows[link.table] for link in links)
            alone = any(link.name in self.roles and self.roles[link.name].single for link in links)
            if links and not alone and not structure.owned_by(table) and any(
                    self.rows[table] <= rows and children >= each * self.rows[table] for rows, each in _LOOKUPS):
                out.append(table)
        return tuple(out)

    def notes(self) -> list[str]:
        """Return what the report should say of how it was learnt."""
        structure = self.structure
        owned = [f"{link.table} (of {link.parent})" for link in structure.owner.values()]
        said = [f"Drawn as the children of one parent: {', '.join(owned)}."] if owned else []
        others = [link.name for link in (*structure.matched, *structure.loops)]
        if others:
            said.append("Rows get a parent of the kind they say, in the numbers each has in the source, by: "
                        f"{', '.join(others)}.")
        if self.lookups:
            said.append(f"Small tables that others point to keep their rows at any scale: {', '.join(self.lookups)}.")
        public = [t.name for t in self.schema.tables if t.public]
        if public:
            said.append(f"Public, so kept word for word: {', '.join(public)}.")
        more = [f"{name}: {note}" for name, table in self.tables.items() for note in table.notes]
        return [*said, *self.rules.said(), *self.keys.notes, *more]

    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        kinds = {home: name for name, home in KINDS.items()}
        return {"tables": {n: {"how": kinds[type(t)], "state": t.state()} for n, t in self.tables.items()},
                "contexts": {n: c.state() for n, c in self.contexts.items()},
                "roles": {n: r.state() for n, r in self.roles.items()},
                "loops": {n: loop.state() for n, loop in self.loops.items()},
                "keys": self.keys.state(), "order": {n: list(o) for n, o in self.order.items()},
                "rows": dict(self.rows), "rules": self.rules.state(),
                "references": {n: r.state() for n, r in self.references.items()}, "told": sorted(self.told)}

    @classmethod
    def restore(cls, schema: Schema, state: Mapping[str, Any]) -> Self:
        """Rebuild from `state`."""
        return cls(schema, {n: KINDS[t["how"]].restore(t["state"]) for n, t in state["tables"].items()},
                   {n: Context.restore(c) for n, c in state["contexts"].items()},
                   {n: Roles.restore(r) for n, r in state["roles"].items()},
                   {n: Loop.restore(loop) for n, loop in state["loops"].items()},
                   Keys.restore(state["keys"]), {n: (o[0], o[1]) for n, o in state["order"].items()},
                   {n: int(r) for n, r in state["rows"].items()}, _across.Rules.restore(state["rules"]),
                   {n: Reference.restore(r) for n, r in state["references"].items()}, frozenset(state["told"]))


def structure_of(schema: Schema, rules: Any) -> Structure:
    """Return how each link is drawn, where some columns follow from other tables."""
    follow = {t: frozenset(columns) for t, columns in rules.recomputed.items()}
    return Structure(schema, follow)


class Learner:
    """Learns table after table from training tables."""

    def __init__(self, training: Training, how: Learning):
        self.training, self.how, self.structure = training, how, training.structure
        self.tables: dict[str, Any] = {}
        self.contexts: dict[str, Context] = {}
        self.order: dict[str, tuple[str, str | None]] = {}
        self.finder = Finder(training)
        self._told: dict[str, pl.DataFrame] = {}
        self._schemas: dict[str, Table] = {}

    def learn(self, tick: Tick) -> None:
        """Learn all tables."""
        for number, name in enumerate(self.structure.order):
            how = self.how.child(number)
            if self.structure.schema.of(name).public:
                hidden = self.training.hidden[name]
                self.tables[name] = Public(self.training.frames[name], hidden)
                self.order[name] = (_ordering.RUNS, None)
            elif name in self.structure.owner:
                self._owned(name, how)
            else:
                self._root(name, how)
            tick(1)

    def _root(self, name: str, how: Learning) -> None:
        training = self.training
        table, frame = training.learnt(name), training.rows(name)
        moment = _ordering.moment_of(training.structure.schema.of(name), frame, sorted(training.left_out[name]))
        self.order[name] = (_ordering.TIME, moment) if moment else (_ordering.RUNS, None)
        small = name in training.small
        ahead = None if small else self.finder.ahead(name, frame, None, how)
        self.tables[name] = Root.learn(frame, table, training.told(name), how, small=small, ahead=ahead)

    def _owned(self, name: str, how: Learning) -> None:
        training, link = self.training, self.structure.owner[name]
        linked, frame = training.linked[link.name], training.rows(name)
        table, whole = training.learnt(name), training.structure.schema.of(name)
        time = _ordering.time_of(whole, frame, linked.at, sorted(training.left_out[name]))
        self.order[name] = (_ordering.layout_of(frame, linked.at, time), time)
        numbering = numbering_of(whole, training.frames[name], link)
        by = time or (numbering.column if numbering else None)
        place = frame[by].to_physical().to_numpy() if by else np.arange(frame.height)
        order = np.lexsort((place, linked.at))
        starts = starts_of(linked.counts)
        ahead = self.finder.ahead(name, frame, time, how)
        ratios = self.finder.ratios(name, frame, ahead)
        frame, table = self.finder.divided(name, frame, table, ratios)
        if ahead is not None:
            codes = ahead.beside
            ahead = replace(ahead, beside=replace(codes, values=np.asfortranarray(codes.values[order])))
        rows = frame[order]
        own = [c for c in table.columns if modelled(c) and c.name != time]
        fresh = [c for c in table.columns if not modelled(c)]
        context, schema = self.context(name)
        columns = table.model_copy(update={"columns": tuple(own)})
        invented = table.of({c.name for c in fresh}).model_copy(update={"columns": tuple(fresh)})
        self.tables[name] = Owned.learn(
            Rows(rows.select(_hidden.ROW, *(c.name for c in (*own, *fresh))), starts, rows[time] if time else None),
            columns, invented, (context, schema), whole.column(time) if time else None, how, ahead=ahead, ratios=ratios)

    def context(self, name: str) -> tuple[pl.DataFrame, Table]:
        """Return what is known of each row of a table's owner, and its schema."""
        training, link = self.training, self.structure.owner[name]
        parent = training.learnt(link.parent)
        parent = parent.model_copy(update={"columns": tuple(c for c in parent.columns if modelled(c))})
        siblings = {}
        for other in self.structure.owned_by(link.parent):
            if other.table in self.tables:
                siblings[other.table] = summable(training.learnt(other.table), training.rows(other.table))
        context = self.contexts[name] = Context(parent, siblings, self._beyond(link.parent))
        above = None
        if link.parent in self._told:
            above = self._told[link.parent], training.linked[self.structure.owner[link.parent].name].at
        links = {k.name: k for k in self.structure.schema.links_from(link.parent)}
        beyond = {k: (training.rows(links[k].parent), training.linked[k].at) for k in context.beyond}
        frame = context.frame(training.rows(link.parent), above, {s: self._ordered(s) for s in siblings}, beyond)
        self._told[name] = frame
        self._schemas[name] = context.table(frame, self._schemas.get(link.parent))
        return frame, self._schemas[name]

    def _beyond(self, table: str) -> dict[str, Table]:
        """Return, by link of a table whose parents are there before its rows, what these say they point to."""
        out = {}
        for link in self.structure.schema.links_from(table):
            if link.name in getattr(self.tables[table], "links", ()):
                says = {_hidden.says(k) for k in self.structure.matched if k.table == link.parent}
                columns = tuple(c for c in self.training.columns[link.parent] if c.name in says)
                if columns:
                    out[link.name] = Table(name=link.parent, columns=columns)
        return out

    def _ordered(self, name: str) -> tuple[pl.DataFrame, np.ndarray]:
        """Return the rows of an owned table in the order of its parents and its time."""
        at, time = self.training.linked[self.structure.owner[name].name].at, self.order[name][1]
        frame = self.training.rows(name)
        place = frame[time].to_physical().to_numpy() if time else np.arange(frame.height)
        order = np.lexsort((place, at))
        return frame[order], at[order]
