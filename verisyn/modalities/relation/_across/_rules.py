"""All constraints between the tables of a database, learnt: what is recomputed, what is mended, and at what cost."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from verisyn.linking.pointing import Linked, pointed
from verisyn.modalities.relation._across._between import BaseBetween, Pair
from verisyn.modalities.relation._across._copies import Copy
from verisyn.modalities.relation._across._kinds import kind
from verisyn.modalities.relation._across._ledger import Check, Ledger
from verisyn.modalities.relation._across._mending import mended
from verisyn.modalities.relation._across._steps import Step, children_first, planned
from verisyn.modalities.relation._across._within import Within
from verisyn.schema import Constraint, Link, Schema, Table

_PASSES, _DEEP = 8, 1_000


@dataclass(frozen=True)
class Rules:
    """The rules of a database, in the order of the schema.

    Parameters
    ----------
    rules : tuple of BaseBetween
    withins : tuple of Within
        The rules of single tables that speak of columns which `rules` set.
    tables : tuple of Table
        What of the schema's tables is needed to keep them.
    """

    rules: tuple[BaseBetween, ...] = ()
    withins: tuple[Within, ...] = ()
    tables: tuple[Table, ...] = ()

    @classmethod
    def learn(cls, frames: Mapping[str, pl.DataFrame], schema: Schema) -> Rules:
        """Learn the constraints of every link from training tables.

        Raises
        ------
        UserError
            If a constraint's kind, columns or settings do not fit the data.
        """
        rules: list[BaseBetween] = []
        for link in schema.links:
            if link.constraints:
                child, parent = frames[link.table], frames[link.parent]
                pair = Pair(child, parent, pointed(child, parent, link).at)
                rules += [kind(c, link).learn(link, c, pair, schema) for c in link.constraints]
        settled: dict[str, list[str]] = {}
        for rule in rules:
            settled.setdefault(rule.writes[0], []).append(rule.writes[1])
        withins = [Within.learn(frames[t], schema.of(t), names) for t, names in settled.items()]
        below = children_first(rules)
        known = sorted((w for w in withins if w is not None), key=lambda w: below.index(w.table))
        return cls(tuple(rules), tuple(known), tuple(map(_short, schema.tables)))

    @cached_property
    def _plan(self) -> tuple[tuple[Step, ...], tuple[BaseBetween, ...]]:
        return planned(self.rules, self.withins)

    @property
    def recomputed(self) -> dict[str, tuple[str, ...]]:
        """The columns of each table that follow from others, so that they need not be learnt.

        Those of a foreign key may be among them (an order line's customer, that is its order's): its link then needs no
        matching.
        """
        out: dict[str, set[str]] = {}
        for step in self._plan[0]:
            for rule in step.rules:
                if rule.exact and rule.writes not in rule.reads:
                    out.setdefault(step.table, set()).add(rule.writes[1])
            for own in step.within.derive if step.within else ():
                if set(own.sources) & out.get(step.table, set()):
                    out[step.table] |= set(own.derives)
        return {t.name: tuple(c for c in t.names if c in out[t.name]) for t in self.tables if t.name in out}

    def source(self, table: str, column: str) -> tuple[Link, str] | None:
        """Return the link and the parent's column that a column repeats, to pass a condition on; None if none."""
        return next(((r.link, r.above) for step in self._plan[0] for r in step.rules
                     if isinstance(r, Copy) and r.writes == (table, column)), None)

    def said(self) -> list[str]:
        """Return what the report should say: what is recomputed, and what cannot be kept."""
        rules = [r for step in self._plan[0] for r in step.rules]
        told = (("Recomputed across tables rather than learnt, so right in every row", [r for r in rules if r.exact]),
                ("Kept between tables, in as many rows as in the data", [r for r in rules if not r.exact]),
                ("Not kept, for another constraint sets the same column", self._plan[1]))
        return [f"{words}: {'; '.join(r.sentence for r in some)}." for words, some in told if some]

    # -- once the tables are drawn ----------------------------------------------------------------------------------
    def settle(self, frames: Mapping[str, pl.DataFrame], rng: np.random.Generator, fixed: Collection[str] = ()
               ) -> tuple[dict[str, pl.DataFrame], Ledger]:
        """Compute what follows from other tables, and mend what is out of order.

        Parameters
        ----------
        frames : mapping of str to polars.DataFrame
            All tables, their keys in place. Columns that are recomputed may lack; they are added.
        rng : numpy.random.Generator
        fixed : collection of str
            Tables whose rows stay as they are (public ones, given ones).

        Returns
        -------
        dict of str to polars.DataFrame
            The tables, their columns in the schema's order.
        Ledger
        """
        work = _Work(dict(frames), int(rng.integers(2**63)), Ledger())
        steps = [s for s in self._plan[0] if s.table not in fixed]
        withins = [w for w in self.withins if w.table not in fixed]
        for _ in range(_PASSES * (1 + len(withins))):
            changed = [self._taken(step, work) for step in steps]
            if not any(changed) and not any(self._mended(within, work) for within in withins):
                break
        for check in self.checks(work.frames):
            if check.broken and not check.allowed:
                work.ledger.left[check.sentence] = (check.table, check.broken, check.rows)
        order = {t.name: t.names for t in self.tables}
        return {n: f.select([c for c in order.get(n, f.columns) if c in f.columns]) for n, f in work.frames.items()
                }, work.ledger

    def _taken(self, step: Step, work: _Work) -> bool:
        """Take a step; tell whether it changed anything."""
        frame = work.frames[step.table]
        if step.within is not None:
            return work.put(step.table, step.within.derived(frame))
        if step.orders:
            table = next(t for t in self.tables if t.name == step.table)
            still = {r.writes[1] for r in self.rules if r.writes[0] == step.table}
            own, deep = step.orders[0].own[0], any(r.link.table == r.link.parent for r in step.orders)
            for _ in range(_DEEP if deep else 1):
                pairs = [(r, work.pair(r.link)) for r in step.orders]
                if not work.put(step.table, mended(pairs, table, work.rng(step.table, own), still)):
                    break
            rows = int((~frame[own].eq_missing(work.frames[step.table][own])).sum())
            if rows:
                work.ledger.add("; ".join(r.sentence for r in step.orders), step.table, rows, frame.height)
            return rows > 0
        rule, changed = step.rules[0], False
        for _ in range(_DEEP if rule.link.table == rule.link.parent else 1):
            column = rule.settle(work.pair(rule.link), work.rng(rule.link.name))
            if not work.put(step.table, work.frames[step.table].with_columns(column)):
                break
            changed = True
        return changed

    def _mended(self, within: Within, work: _Work) -> bool:
        """Mend a table by its own rules, once it is settled from others; tell whether it changed."""
        frame = work.frames[within.table]
        after, cost = within.mended(frame, work.rng(within.table))
        for sentence, rows in cost.items():
            work.ledger.add(sentence, within.table, rows, frame.height)
        return work.put(within.table, after)

    def checks(self, frames: Mapping[str, pl.DataFrame], linked: Mapping[str, Linked] | None = None) -> list[Check]:
        """Return how each constraint stands in `frames`, real or synthetic.

        Parameters
        ----------
        frames : mapping of str to polars.DataFrame
        linked : mapping of str to Linked, optional
            What each link's rows point to, by the link's name, where that is known already.
        """
        known: dict[str, Pair] = {}
        out = []
        for rule in self.rules:
            link = rule.link
            child, parent = frames[link.table], frames[link.parent]
            if link.name not in known:
                at = linked[link.name].at if linked else pointed(child, parent, link).at
                known[link.name] = Pair(child, parent, at)
            able, broken = rule.broken(known[link.name])
            out.append(Check(link, rule.constraint, link.parent if rule.up else link.table, rule.sentence,
                             int(able.sum()), int(broken.sum()), rule.allowed))
        return out

    # -- to and from disk -------------------------------------------------------------------------------------------
    def state(self) -> dict[str, Any]:
        """Return JSON values."""
        bare = {"constraints": (), "evidence": ""}
        return {"rules": [{"link": r.link.model_copy(update=bare).model_dump(mode="json"),
                           "constraint": r.constraint.model_dump(mode="json"), "state": r.state()} for r in self.rules],
                "withins": [w.state() for w in self.withins],
                "tables": [t.model_dump(mode="json") for t in self.tables]}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Rules:
        """Rebuild from `state`."""
        rules = []
        for one in state["rules"]:
            link, constraint = Link.model_validate(one["link"]), Constraint.model_validate(one["constraint"])
            rules.append(kind(constraint, link).restore(link, constraint, one["state"]))
        return cls(tuple(rules), tuple(map(Within.restore, state["withins"])),
                   tuple(map(Table.model_validate, state["tables"])))


@dataclass
class _Work:
    """The tables while they are settled. Each link draws the same luck in every pass, so that passes come to an end."""

    frames: dict[str, pl.DataFrame]
    seed: int
    ledger: Ledger

    def rng(self, *names: str) -> np.random.Generator:
        """A generator of its own for each link, or column."""
        return np.random.default_rng([self.seed, *(b for name in names for b in name.encode()[:64])])

    def pair(self, link: Link) -> Pair:
        """The two tables of a link as they are now."""
        child, parent = self.frames[link.table], self.frames[link.parent]
        return Pair(child, parent, pointed(child, parent, link).at)

    def put(self, table: str, frame: pl.DataFrame) -> bool:
        """Replace a table; tell whether a cell of it changed."""
        before, self.frames[table] = self.frames[table], frame
        return any(c not in before.columns or not frame[c].equals(before[c], null_equal=True) for c in frame.columns
                   if c not in before.columns or frame[c] is not before[c])


def _short(table: Table) -> Table:
    """A table without what is told of it to people."""
    columns = tuple(c.model_copy(update={"evidence": ""}) for c in table.columns)
    orders = tuple(c.model_copy(update={"evidence": ""}) for c in table.constraints if c.kind == "inequality")
    return table.model_copy(update={"columns": columns, "constraints": orders, "biases": (), "causes": ()})
