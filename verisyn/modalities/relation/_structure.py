"""How a database is drawn: which tables first, how each link is drawn, which columns are keys that are made anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from verisyn import shelves
from verisyn.description import modelled
from verisyn.kinds import Declined
from verisyn.modalities.relation._owners import with_owners
from verisyn.schema import Column, Link, Schema, Table


@dataclass(frozen=True)
class Structure:
    """What follows from a schema whose owners are chosen.

    A link is one of four: the *owner* of its table; *told* by other columns (its columns are learnt, or follow from
    wider links), so that its parent is looked up; a *loop* (to its own table); or *matched*: rows learn what kind of
    parent they point to, and get one of that kind.

    Parameters
    ----------
    schema : Schema
    follow : mapping of str to frozenset of str
        By table, columns that follow from other tables and are computed when all rows are there.
    """

    schema: Schema
    follow: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def owner(self) -> dict[str, Link]:
        """The owner of each table that has one."""
        return {link.table: link for link in self.schema.links if link.owner}

    @cached_property
    def order(self) -> tuple[str, ...]:
        """All tables, owners before what they own."""
        out: list[str] = []

        def add(name: str) -> None:
            if name not in out:
                if name in self.owner:
                    add(self.owner[name].parent)
                out.append(name)

        for table in self.schema.tables:
            add(table.name)
        return tuple(out)

    @cached_property
    def roots(self) -> tuple[str, ...]:
        """Tables without an owner."""
        return tuple(t for t in self.order if t not in self.owner)

    @cached_property
    def trees(self) -> tuple[str, ...]:
        """Roots in the order in which they are drawn, with all that belongs to them: first what others point to."""
        needs: dict[str, set[str]] = {root: set() for root in self.roots}
        for link in (*self.matched, *self.told):
            needs[self.root_of(link.table)].add(self.root_of(link.parent))
        out: list[str] = []
        while len(out) < len(needs):
            left = [root for root in self.roots if root not in out]
            out.append(min(left, key=lambda root: len(needs[root] - {root, *out})))
        return tuple(out)

    @cached_property
    def early(self) -> tuple[Link, ...]:
        """Links whose parents are all there when the rows that point are drawn, so that these know where they point."""
        place = {root: i for i, root in enumerate(self.trees)}
        able = [link for link in (*self.matched, *self.told)
                if place[self.root_of(link.parent)] < place[self.root_of(link.table)]
                and not set(link.columns) & self.follow.get(link.table, frozenset())]
        return tuple(link for link in able if link in self.matched or not link.where)

    def root_of(self, table: str) -> str:
        """Return the root of the tree of owners that a table is in."""
        while table in self.owner:
            table = self.owner[table].parent
        return table

    def under(self, table: str) -> tuple[str, ...]:
        """Return the tables that belong to a table in the end, owners first."""
        out = [table]
        for name in self.order:
            if name in self.owner and self.owner[name].parent in out:
                out.append(name)
        return tuple(out[1:])

    def owned_by(self, table: str) -> tuple[Link, ...]:
        """The owner links that lead to a table, in drawing order."""
        return tuple(self.owner[t] for t in self.order if t in self.owner and self.owner[t].parent == table)

    @cached_property
    def made(self) -> dict[str, frozenset[str]]:
        """By table, the columns that are keys, or point to keys: not learnt, but made when all rows are there."""
        made = {t.name: {c for c in t.key if not modelled(t.column(c))} for t in self.schema.tables}
        for link in self.owner.values():  # whose row it is tells all of the key
            made[link.table] |= {*link.columns}
        changed = True
        while changed:
            changed = False
            for link in self.schema.links:
                for own, key in zip(link.columns, link.key, strict=True):
                    if key in made[link.parent] and own not in made[link.table]:
                        made[link.table].add(own)
                        changed = True
                    elif key not in made[link.parent] and not modelled(self.schema.of(link.parent).column(key)):
                        made[link.parent].add(key)
                        changed = True
        return {name: frozenset(columns) for name, columns in made.items()}

    def is_told(self, link: Link) -> bool:
        """Whether a link's parent follows from columns that are there already."""
        if link.owner or link.parent == link.table:
            return False  # a loop to a key with data in it is drawn as any other
        if self.is_data(link) or set(link.columns) <= self.follow.get(link.table, frozenset()):
            return True
        others = [o for o in self.schema.links_from(link.table)
                  if o is not link and not o.where and not link.where and (o.owner or not self.is_data(o))]
        wider = [o for o in others if (len(o.columns), o.owner) > (len(link.columns), link.owner)]
        same = [o for o in others if o in self._before(link) and o.columns == link.columns]
        covered = {c for o in (*wider, *same) for c in o.columns}
        return set(link.columns) <= covered

    def is_data(self, link: Link) -> bool:
        """Whether the key that a link points to holds data of its own, such as a day, rather than keys alone."""
        return any(key not in self.made[link.parent] for key in link.key)

    def _before(self, link: Link) -> tuple[Link, ...]:
        """Links of the same table that come before it, the owner first."""
        own = sorted(self.schema.links_from(link.table), key=lambda o: not o.owner)
        return tuple(own[:own.index(link)])

    @cached_property
    def told(self) -> tuple[Link, ...]:
        """Links whose parent is looked up."""
        return tuple(link for link in self.schema.links if self.is_told(link))

    @cached_property
    def loops(self) -> tuple[Link, ...]:
        """Links of a table to itself."""
        return tuple(link for link in self.schema.links if link.parent == link.table)

    @cached_property
    def matched(self) -> tuple[Link, ...]:
        """Links whose parents are matched."""
        return tuple(link for link in self.schema.links
                     if not link.owner and link not in self.told and link not in self.loops)


def prepared(schema: Schema, frames: Mapping[str, pl.DataFrame]) -> Schema:
    """Return the schema as it is learnt: owners chosen, and key columns that are data of their own told as such.

    Parts of a composite key that point nowhere (a year, a month) are learnt, and so are the columns that point to them.
    """
    tables = {t.name: t for t in schema.tables}
    for table in schema.tables:
        pointing = {c for link in schema.links_from(table.name) for c in link.columns}
        if len(table.key) > 1:
            for name in set(table.key) - pointing:
                tables[table.name] = _as_data(tables[table.name], name, frames[table.name])
    schema = schema.model_copy(update={"tables": tuple(tables.values())})
    structure = Structure(schema)
    for link in schema.links:
        for own, key in zip(link.columns, link.key, strict=True):
            if key not in structure.made[link.parent] and own not in structure.made[link.table]:
                tables[link.table] = _as_data(tables[link.table], own, frames[link.table])
    from verisyn.modalities.relation._subject import on_its_own  # which asks for the structure

    owners = {link.name for link in schema.links if link.owner}
    return on_its_own(with_owners(schema.model_copy(update={"tables": tuple(tables.values())}), frames), frames, owners)


def _as_data(table: Table, name: str, frame: pl.DataFrame) -> Table:
    """Return the table with a column that is learnt; unless every value is different: there is nothing to learn."""
    column = table.column(name)
    if modelled(column) or frame[name].n_unique() > 0.95 * frame.height:
        return table
    found = _kind_of(frame[name], column)
    return table.model_copy(update={"columns": tuple(found if c.name == name else c for c in table.columns)})


def _kind_of(values: pl.Series, column: Column) -> Column:
    """Ask every kind that is learnt; the surest gets the column."""
    best, taken = 0.0, column
    for kind in shelves.kinds.names():
        module = shelves.kinds.take(kind)
        if not getattr(module, "modelled", True):
            continue
        try:
            claim = module.recognise(values, column.name)
        except Declined:
            continue
        if claim.confidence > best:
            best = claim.confidence
            taken = column.model_copy(update={"kind": kind, "settings": claim.settings, "evidence": claim.evidence})
    return taken
