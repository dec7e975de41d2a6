"""What is drawn of a row first: what decides where it points; the rest then is drawn given the rows it points to."""

from __future__ import annotations

import numpy as np
import polars as pl

from verisyn.constraints._rules import Rules
from verisyn.description import modelled
from verisyn.modalities.relation import _hidden
from verisyn.modalities.relation._references import Ratio, Reference, beside, ratios
from verisyn.modalities.relation._tables import Ahead, Learning
from verisyn.modalities.relation._training import Training
from verisyn.schema import Column, Link, Table

_PARTS, _LEAST_PARTS = 24, 4
"""Numbers that a row is told of all rows that it points to, and of each of them at least, as far as there are any."""


class Finder:
    """Finds, table after table, what is to be drawn first.

    Attributes
    ----------
    references : dict of str to Reference
        By link, how the rows that it leads to are told.
    told : set of str
        Links whose parent is looked up by what the row holds.
    """

    def __init__(self, training: Training):
        self.training, self.structure = training, training.structure
        self.references: dict[str, Reference] = {}
        self.told: set[str] = set()

    def ahead(self, name: str, frame: pl.DataFrame, time: str | None, how: Learning) -> Ahead | None:
        """Return what is known of a table's rows before all of their columns are drawn; None where that is nothing.

        Parameters
        ----------
        name : str
            The table.
        frame : polars.DataFrame
            Its rows, hidden columns among them.
        time : str, optional
            The column that orders them.
        how : Learning
        """
        free = self._free(name, time)
        links = [link for link in self.structure.early if link.table == name and self._is_able(link, free, time)]
        heads = [c for link in links for c in self._decide(link, time)]
        if links and name not in self.structure.owner:  # keys are as they stay before other columns are drawn
            keys = (self.structure.schema.of(name).key, *(k.key for k in self.structure.schema.links_to(name)))
            heads += [c for key in keys for c in key if c in free]
        if not heads:
            return None
        self.told |= {link.name for link in links if link.name not in self.training.roles}
        codes, found = [np.empty((frame.height, 0), np.int32)], []
        for number, link in enumerate(links):
            reference = self._reference(link, max(_PARTS // len(links), _LEAST_PARTS), how.child(2 + number).seed)
            if reference is not None:
                found.append(reference)
                codes.append(reference.codes(self.training.rows(link.parent), self.training.linked[link.name].at))
        ordered = tuple(c for c in self.training.learnt(name).names if c in heads)
        return Ahead(ordered, tuple(link.name for link in links), beside(codes, found))

    def _is_able(self, link: Link, free: set[str], time: str | None) -> bool:
        role = self.training.roles.get(link.name)
        needs = set(self._decide(link, time)) - {_hidden.says(link)}
        return needs <= free and not (role is not None and role.single)

    def _decide(self, link: Link, time: str | None) -> list[str]:
        """Return the columns that decide where a row points by a link; its time is known before."""
        data = [c for c in link.columns if c not in self.structure.made[link.table] and c != time]
        says = [_hidden.says(link)] if link.name in self.training.roles else []
        return [*says, *link.where, *data]

    def _free(self, name: str, time: str | None) -> set[str]:
        """Return the columns that can be drawn before the others.

        A root's are those that are learnt as they are, an owned table's those that no rule speaks of.
        """
        table = self.training.learnt(name)
        if name in self.structure.owner:
            ruled = {c for rule in table.constraints if rule.kind != "range" for c in rule.columns}
        else:
            ruled = {c for rule in Rules.learn(self.training.rows(name), table).rules for c in rule.derives}
        return {c.name for c in table.columns if modelled(c) and c.name not in ruled and c.name != time}

    def _reference(self, link: Link, most: int, seed: np.random.SeedSequence) -> Reference | None:
        """Learn how the rows that a link leads to are told."""
        training, roles = self.training, self.training.roles.get(link.name)
        data = [k for c, k in zip(link.columns, link.key, strict=True) if c not in self.structure.made[link.table]]
        kind, alone = (_hidden.kind(link), roles.alone) if roles is not None else (None, 0)
        found = Reference.learn(training.rows(link.parent), training.learnt(link.parent), data, seed,
                                training.linked[link.name].at, training.coded(link.table), most, kind, alone)
        if found is not None:
            self.references[link.name] = found
        return found

    # -- multiples --------------------------------------------------------------------------------------------------
    def ratios(self, name: str, frame: pl.DataFrame, ahead: Ahead | None) -> list[Ratio]:
        """Return a table's numbers that mostly are a multiple of the number of a row that it points to."""
        found: list[Ratio] = []
        table = self.training.learnt(name)
        for link in ahead.links if ahead else ():
            parent = self._parent(name, link)
            held = self.training.frames[parent]
            numbers = [c.name for c in self.training.learnt(parent).columns
                       if c.name in held.columns and modelled(c) and held[c.name].dtype.is_numeric()]
            taken = {*ahead.heads, *(r.column for r in found)}  # type: ignore[union-attr]
            left = table.model_copy(update={"columns": tuple(c for c in table.columns if c.name not in taken)})
            found += ratios(frame, left, link, self.training.rows(parent), numbers, self.training.linked[link].at)
        return found

    def divided(self, name: str, frame: pl.DataFrame, table: Table, found: list[Ratio]) -> tuple[pl.DataFrame, Table]:
        """Return rows and their schema with ratios in the places of these numbers."""
        for ratio in found:
            parents = self.training.rows(self._parent(name, ratio.link))
            frame = ratio.ahead(frame, parents, self.training.linked[ratio.link].at)
            plain = Column(name=ratio.column, kind="number", dtype="Float64")
            columns = tuple(plain if c.name == ratio.column else c for c in table.columns)
            table = table.model_copy(update={"columns": columns})
        return frame, table

    def _parent(self, name: str, link: str) -> str:
        return next(k.parent for k in self.structure.schema.links_from(name) if k.name == link)
