"""What is learnt before any table is: what rows point to, what kinds of parents there are, how rows stand in loops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from verisyn.description import modelled
from verisyn.kinds import Feature
from verisyn.linking.pointing import Linked, pointed
from verisyn.modalities.relation import _hidden
from verisyn.modalities.relation._groups import groups
from verisyn.modalities.relation._loops import Loop
from verisyn.modalities.relation._roles import Roles, drawn_in, likeness, numbers_of
from verisyn.modalities.relation._structure import Structure
from verisyn.modalities.table import Codes
from verisyn.modalities.table._views import TableCoder
from verisyn.schema import Column, Link, Table

SMALL = 400
"""A root of fewer rows is drawn class by class: questions on other columns would be asked of too few."""
_ALIKE, _MANY_ALIKE = 5, 25
"""Rows that a class has at least, in a small table and in others."""
_FEW = 60
"""Parents up to which which of them a row points to says what the row is like."""
_BY_CHANCE = 5
"""Rows that would point to one parent by both of two links, were these drawn apart, from which on none is no chance."""
_TRAIT, _TRAITS = 0.05, 6
"""Share of the variance that lies between roots from which on they have a trait; most traits of one table."""


@dataclass
class Training:
    """The training tables, seen as what is learnt of them.

    Parameters
    ----------
    structure : Structure
    frames : mapping of str to polars.DataFrame
    left_out : mapping of str to frozenset of str
        By table, the columns that are not learnt: keys, and what follows from other tables or from a row's place.
    linked : mapping of str to Linked
        By link.
    roles, loops : mappings of str to Roles, Loop
        By link.
    small : set of str
        Roots of few rows, whose columns are drawn class by class.
    hidden, columns : mappings of str
        By table, its hidden columns and their schema; those that say what kind of parent a row is come first.
    """

    structure: Structure
    frames: Mapping[str, pl.DataFrame]
    left_out: Mapping[str, frozenset[str]]
    linked: dict[str, Linked] = field(default_factory=dict)
    roles: dict[str, Roles] = field(default_factory=dict)
    loops: dict[str, Loop] = field(default_factory=dict)
    hidden: dict[str, pl.DataFrame] = field(default_factory=dict)
    columns: dict[str, tuple[Column, ...]] = field(default_factory=dict)
    small: set[str] = field(default_factory=set)
    _coders: dict[str, TableCoder] = field(default_factory=dict)

    @classmethod
    def of(cls, structure: Structure, frames: Mapping[str, pl.DataFrame], left_out: Mapping[str, frozenset[str]],
           most: int, seed: np.random.SeedSequence) -> Training:
        """Learn all of it; `most` is the number of kinds of parents of one link."""
        self = cls(structure, frames, left_out)
        self.linked = {link.name: pointed(frames[link.table], frames[link.parent], link)
                       for link in structure.schema.links}
        hidden: dict[str, dict[str, pl.Series]] = {t.name: {} for t in structure.schema.tables}
        levels: dict[Any, list[str]] = {}
        for number, link in enumerate(structure.matched):
            rng = np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, number)))
            linked = self.linked[link.name]
            points = self._likeness(link.parent, [link])
            roles, of = Roles.learn(linked, points, frames[link.table].select(link.columns), most, rng,
                                    self._reach(link))
            self.roles[link.name] = replace(roles, unlike=self._unlike(link))
            hidden[link.parent] = {_hidden.kind(link): pl.Series(of).cast(pl.String), **hidden[link.parent]}
            hidden[link.table][_hidden.says(link)] = roles.said(linked.at, of)
            levels[_hidden.kind(link)] = [str(i) for i in range(roles.kinds)]
            levels[_hidden.says(link)] = roles.levels
        for link in structure.loops:
            loop, said, band = Loop.learn(self.linked[link.name])
            self.loops[link.name] = loop
            hidden[link.table] |= {_hidden.says(link): said, _hidden.kind(link): band}
            levels[_hidden.says(link)] = list(loop.levels)
            levels[_hidden.kind(link)] = [str(b) for b in range(len(loop.bands))]
        for table in structure.owner:
            for name, values in self._traits(table).items():
                hidden[structure.root_of(table)][name] = values
        for number, name in enumerate(structure.roots):
            of_class = self._classes(name, most, np.random.default_rng([number, *seed.generate_state(2)]))
            if of_class is not None:
                hidden[name] = {_hidden.CLASS: pl.Series(of_class).cast(pl.String), **hidden[name]}
                levels[_hidden.CLASS, name] = [str(i) for i in range(int(of_class.max(initial=0)) + 1)]
        for name, columns in hidden.items():
            self.hidden[name] = _hidden.numbered(pl.DataFrame(columns), frames[name].height)
            self.columns[name] = tuple(
                _hidden.column(c, levels.get((c, name)) or levels[c]) if columns[c].dtype == pl.String else
                Column(name=c, kind="number", dtype="Float64") for c in columns)
        return self

    def _unlike(self, link: Link) -> tuple[str, ...]:
        """Return the other links of a table to the same parents by which no row points to the same one, by design."""
        own, out = self.linked[link.name], []
        for other in self.structure.schema.links_from(link.table):
            theirs = self.linked[other.name]
            both = (own.at >= 0) & (theirs.at >= 0)
            if other == link or other.parent != link.parent or (own.at == theirs.at)[both].any():
                continue
            by_chance = float((own.counts * theirs.counts).sum()) / max(len(own.at), 1)
            if by_chance >= _BY_CHANCE:
                out.append(other.name)
        return tuple(out)

    def told(self, table: str) -> int:
        """How many hidden columns of a root say what kind of row it is to others, or which it is like."""
        kinds = sum(link.parent == table for link in self.structure.matched)
        return kinds + (_hidden.CLASS in self.hidden[table].columns)

    def learnt(self, name: str) -> Table:
        """Return the schema of the columns of a table that are learnt, the hidden ones first."""
        table = self.structure.schema.of(name)
        kept = table.of({c for c in table.names if c not in self.left_out[name]})
        return kept.model_copy(update={"columns": (*self.columns[name], *kept.columns)})

    def rows(self, name: str) -> pl.DataFrame:
        """Return the rows of a table, with its hidden columns."""
        return pl.concat([self.hidden[name], self.frames[name]], how="horizontal") if self.frames[name].width \
            else self.hidden[name]

    def _classes(self, name: str, most: int, rng: np.random.Generator) -> np.ndarray | None:
        """Return which rows of a root are alike, where others point to it or it has few rows."""
        rows = self.frames[name].height
        if self.structure.schema.of(name).public:
            return None
        if rows < SMALL:
            self.small.add(name)
        elif not any(link.parent == name for link in self.structure.matched):
            return None
        links = [link for link in self.structure.schema.links_to(name) if link not in self.structure.loops]
        points = self._likeness(name, links)
        least = _ALIKE if rows < SMALL else _MANY_ALIKE
        return groups(points, min(most, rows // (least + 1)), least, rng)

    def _traits(self, table: str) -> dict[str, pl.Series]:
        """Return what the rows of a table are like, on the whole, for each root that owns their owners.

        Rows of one order are drawn given the order; that all orders of one customer are large, the customer tells.
        """
        owner, at = self.structure.owner.get(table), np.arange(self.frames[table].height)
        holder, steps = table, 0
        while owner is not None:
            at, holder, steps = self.linked[owner.name].at[at], owner.parent, steps + 1
            owner = self.structure.owner.get(holder)
        if steps < 2 or self.structure.schema.of(holder).public:
            return {}
        linked = Linked(self.structure.owner[table], at, self.frames[holder].height)
        found = {}
        for feature in self._coder(table).features(self.frames[table]):
            for i, values in enumerate(numbers_of(feature)):
                means, share = drawn_in(values, linked)
                if share > _TRAIT:
                    found[_hidden.trait(table, f"{feature.name} {i}")] = (share, pl.Series(means, dtype=pl.Float64))
        best = sorted(found, key=lambda name: -found[name][0])[:_TRAITS]
        return {name: found[name][1] for name in best}

    def _likeness(self, name: str, links: Sequence[Link]) -> np.ndarray:
        """Return rows of a table as points: what they are, and what points to them by some links."""
        children = [(self._children(link), self.linked[link.name]) for link in links]
        own = [*self._coder(name).features(self.frames[name]), *self._beside(name, np.arange(self.frames[name].height))]
        return likeness(own, children, self.frames[name].height)

    def _beside(self, name: str, at: np.ndarray) -> list[Feature]:
        """Return which of few rows these rows of a table point to by each link, which may follow from other columns."""
        links = [link for link in self.structure.schema.links_from(name) if link.parent != name and not link.owner]
        return [Feature(link.name, np.where(to >= 0, to, np.nan), self.linked[link.name].parents) for link in links
                if 0 < self.linked[link.name].parents <= _FEW and len(to := self.linked[link.name].at[at])]

    def _reach(self, link: Link) -> np.ndarray:
        """Return how many rows point to the children of each parent of a link, int64."""
        own, links = self.linked[link.name], self.structure.schema.links_to(link.table)
        times, held = np.zeros(len(own.at), np.int64), own.at >= 0
        for other in links:
            if other.table != link.table:
                times += self.linked[other.name].counts
        return np.bincount(own.at[held], times[held], own.parents).astype(np.int64)

    def coded(self, name: str) -> Codes:
        """Return the codes of a table's own columns, without its rules."""
        return self._coder(name).encode(self.frames[name])

    def _coder(self, name: str) -> TableCoder:
        """Learn how a table is seen, without its rules."""
        if name not in self._coders:
            table = self.structure.schema.of(name)
            kept = {c.name for c in table.columns if c.name not in self.left_out[name] and modelled(c)}
            plain = table.of(kept).model_copy(update={"constraints": ()})
            self._coders[name] = TableCoder.learn(self.frames[name], plain, np.random.SeedSequence(0))
        return self._coders[name]

    def _children(self, link: Link) -> list[Feature]:
        """What the children of a link are like: their columns, what else they point to, and whose they are."""
        own = self._coder(link.table).features(self.frames[link.table])
        for other in self.structure.schema.links_from(link.table):
            if other != link and other not in self.structure.told:
                at = self.linked[other.name].at
                own.append(Feature(other.name, np.where(at >= 0, at, np.nan), max(self.linked[other.name].parents, 1)))
        owner, at = self.structure.owner.get(link.table), np.arange(self.frames[link.table].height)
        while owner is not None and owner != link:
            at = self.linked[owner.name].at[at]
            above = self._coder(owner.parent).features(self.frames[owner.parent])
            own += [*(replace(f, values=f.values[at]) for f in above), *self._beside(owner.parent, at)]
            owner = self.structure.owner.get(owner.parent)
        return own
