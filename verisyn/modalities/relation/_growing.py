"""Rows of all tables: roots first, then what they own; each once it is known where it points, where that can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from verisyn.drawing import child
from verisyn.modalities.relation import _hidden
from verisyn.modalities.relation._learn import Learnt
from verisyn.modalities.relation._owned import Within
from verisyn.modalities.relation._pointing import Pointing
from verisyn.modalities.relation._rows import Rows
from verisyn.modalities.relation._staged import Staged
from verisyn.modalities.relation._structure import Structure
from verisyn.modalities.relation._tables import Point, Root
from verisyn.schema import Link

_POINTING = 2**26
"""Number of the child seed of where rows point."""


@dataclass(frozen=True)
class Growing:
    """Draws roots, and what belongs to rows that are there.

    Parameters
    ----------
    learnt : Learnt
    structure : Structure
    jobs : int
    drawn : Rows
        Tables that are there, which rows may point to.
    """

    learnt: Learnt
    structure: Structure
    jobs: int
    drawn: Rows

    def root(self, out: Rows, table: str, rows: int, seed: np.random.SeedSequence) -> None:
        """Draw the rows of a root."""
        home, rng = self.learnt.tables[table], np.random.default_rng(child(seed, _POINTING))

        point = self._point(out, table, rng)
        frame = home.sample(rows, seed, self.jobs, point)
        out.frames[table] = _hidden.numbered(frame, rows)
        if not home.links and any(link.name in self.learnt.told for link in self.structure.schema.links_to(table)):
            Pointing(self.learnt.roles, self.drawn).settle(out, table, [], rng)
            out.frames[table] = self.kept(table, frame, out.frames[table], rng)

    def _point(self, out: Rows, table: str, rng: np.random.Generator) -> Point:
        def point(heads: pl.DataFrame) -> tuple[pl.DataFrame, np.ndarray]:
            out.frames[table] = _hidden.numbered(heads, heads.height)
            told = self.pointed(out, table, rng)
            return out.frames[table].drop(_hidden.ROW), told

        return point

    def rehearse(self, table: str, frame: pl.DataFrame, seed: np.random.SeedSequence) -> None:
        """Let a root whose rows know where they point have the shares of the source's rows, `frame`, once drawn."""
        point = self._point(Rows(self.structure), table, np.random.default_rng(child(seed, _POINTING)))
        self.learnt.tables[table].rehearse(frame, seed, point)

    def pointed(self, rows: Rows, table: str, rng: np.random.Generator, *, settle: bool = True) -> np.ndarray:
        """Find where rows point, which are drawn as far as that takes; return the codes of the rows they point to."""
        pointing, links = Pointing(self.learnt.roles, self.drawn), self.links(table)
        told = [link for link in links if link.name in self.learnt.told]
        for link in links:
            if link not in told:
                pointing.match(rows, link, rng)
        if settle:
            home = self.learnt.tables[table]
            time = getattr(home, "time", None)
            pointing.settle(rows, table, [link for link in told if time not in link.columns], rng)
        ats = {link.name: pointing.told(rows, link) if link in told else rows.at[link.name] for link in links}
        return self.codes(table, rows.frames[table].height, ats)

    def codes(self, table: str, rows: int, at: Mapping[str, np.ndarray | None]) -> np.ndarray:
        """Return the codes of the rows that rows of a table point to."""
        out = [np.empty((rows, 0), np.int32)]
        for link in self.links(table):
            reference = self.learnt.references.get(link.name)
            if reference is not None:
                own = at[link.name]
                out.append(reference.codes(self.drawn.frames[link.parent], np.full(rows, -1) if own is None else own))
        return np.hstack(out)

    def links(self, table: str) -> list[Link]:
        """The links of a table whose parents are there before its rows are drawn."""
        names = getattr(self.learnt.tables[table], "links", ())
        by_name = {link.name: link for link in self.structure.schema.links_from(table)}
        return [by_name[name] for name in names]

    def kept(self, table: str, before: pl.DataFrame, after: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
        """Return rows of which some cells were moved, so that they keep their table's rules."""
        rules, names = self.learnt.tables[table].rules
        moved = [c for c in before.columns if c in names and not after[c].equals(before[c])]
        if not rules.rules or not moved:
            return after
        return after.with_columns(rules.changed(after.select(names), after.select(moved), rng).get_columns())

    def below(self, rows: Rows, table: str, seed: np.random.SeedSequence) -> None:
        """Draw all that the rows of a table own, and what that owns in turn."""
        for name in self.under(table):
            self.owned(rows, name, seed)

    def owned(self, rows: Rows, name: str, seed: np.random.SeedSequence, within: Within = ({}, {})) -> None:
        """Draw the rows of an owned table."""
        own, owner, home = child(seed, self.structure.order.index(name)), self.structure.owner[name].name, \
            self.learnt.tables[name]
        rng = np.random.default_rng(child(own, _POINTING))

        def point(heads: pl.DataFrame, at: np.ndarray) -> tuple[pl.DataFrame, np.ndarray]:
            rows.frames[name], rows.at[owner] = _hidden.numbered(heads, len(at)), at
            told = self.pointed(rows, name, rng)
            return rows.frames[name].drop(_hidden.ROW), told

        frame, at = home.sample(self.context(rows, name), own, self.jobs, point, within)
        for ratio in home.first.ratios if home.first else ():
            parent = next(link.parent for link in self.links(name) if link.name == ratio.link)
            frame = ratio.back(frame, self.drawn.frames[parent], rows.at[ratio.link])
        rows.frames[name], rows.at[owner] = _hidden.numbered(frame, len(at)), at

    def context(self, rows: Rows, name: str) -> pl.DataFrame:
        """Return what is known of each row of a table's owner."""
        link, context = self.structure.owner[name], self.learnt.contexts[name]
        above = None
        if link.parent in self.structure.owner:
            above = self.context(rows, link.parent), rows.at[self.structure.owner[link.parent].name]
        siblings = {s: (rows.frames[s], rows.at[self.structure.owner[s].name]) for s in context.siblings}
        parents = {k.name: k.parent for k in self.structure.schema.links_from(link.parent)}
        beyond = {k: (self.drawn.frames[parents[k]], rows.at[k]) for k in context.beyond}
        return context.frame(rows.frames[link.parent], above, siblings, beyond)

    def under(self, table: str) -> list[str]:
        """The tables that belong to a table in the end, owners first."""
        return list(self.structure.under(table))


def rehearsed(learnt: Learnt, frames: Mapping[str, pl.DataFrame], seed: np.random.SeedSequence, jobs: int) -> None:
    """Draw all tables once, and let each root whose rows know where they point have the shares of its source.

    What such rows are like is learnt given the source's parents; synthetic ones are never quite as these.

    Parameters
    ----------
    learnt : Learnt
    frames : mapping of str to polars.DataFrame
        The rows that it was learnt from, hidden columns among them.
    seed : SeedSequence
    jobs : int
    """
    structure, tables = learnt.structure, learnt.tables
    staged = [t for t in structure.trees if isinstance(tables[t], Root) and isinstance(tables[t].fitted, Staged)]
    rows = Rows(structure)
    growing = Growing(learnt, structure, jobs, rows)
    for number, table in enumerate(structure.trees if staged else ()):
        own = child(seed, number)
        if table in staged:
            growing.rehearse(table, frames[table], own)
        if table == staged[-1]:  # none after it is rehearsed
            break
        if isinstance(tables[table], Root):
            growing.root(rows, table, learnt.rows[table], own)
        else:
            rows.frames[table] = frames[table]
        growing.below(rows, table, own)
