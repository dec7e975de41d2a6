"""Keys filled in, parents before children: own keys, the columns that point, and room for keys with data in them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np
import polars as pl

from verisyn._runs import places
from verisyn.errors import UserError
from verisyn.modalities.relation import _unique
from verisyn.modalities.relation._keys import Keys
from verisyn.modalities.relation._roles import Roles
from verisyn.modalities.relation._rows import Rows
from verisyn.schema import Link


class Filling:
    """Fills in the keys of drawn tables.

    Parameters
    ----------
    rows : Rows
        The tables as drawn, in their final order, and where rows point; columns are added to them.
    keys : Keys
    roles : mapping of str to Roles
        By link.
    fixed : collection of str
        Tables whose rows stay as they are.
    rng : Generator
    settle : callable
        Given a table's name, its rows, and these with some cells moved: the rows, so that they keep their rules.
    """

    def __init__(self, rows: Rows, keys: Keys, roles: Mapping[str, Roles], fixed: Collection[str],
                 rng: np.random.Generator, settle: Callable[[str, pl.DataFrame, pl.DataFrame], pl.DataFrame]):
        self.rows, self.keys, self.roles, self.fixed, self.rng = rows, keys, roles, fixed, rng
        self.settle = settle
        self.structure, self.frames, self.at = rows.structure, rows.frames, rows.at
        self.notes: list[str] = []
        self._beyond: dict[str, int] = {}
        self._done: set[str] = set()

    def fill(self) -> None:
        """Fill in all keys."""
        for table in [*self.frames]:
            self._own(table)
        for table in [*self.frames]:
            self._of(table, ())

    def _of(self, table: str, path: tuple[str, ...]) -> None:
        """Fill in a table's columns that point, after its parents' keys; then see that its own keys are unique."""
        if table in self._done or table in path:
            return
        links = self.structure.schema.links_from(table)
        for link in links:
            if link.parent != table:
                self._of(link.parent, (*path, table))
        for link in sorted(links, key=lambda link: (-len(link.columns), not link.owner)):
            if link.name in self.at:
                self._by(link)
        if table not in self.fixed:
            self._with_data(table)
        self._done.add(table)

    def _own(self, table: str) -> None:
        frame = self.frames[table]
        rows = frame.height
        made = {n: v for n, v in self.keys.make(table, rows).items() if n not in frame.columns}
        frame = frame.with_columns(v.alias(n) for n, v in made.items())
        numbering, owner = self.keys.numberings.get(table), self.structure.owner.get(table)
        if numbering and owner and numbering.column not in frame.columns:
            place = _places(self.at[owner.name])
            numbers = pl.Series(numbering.column, numbering.start + numbering.step * place)
            frame = frame.with_columns(numbers.cast(getattr(pl, numbering.dtype)))
        self.frames[table] = frame

    def _by(self, link: Link) -> None:
        parent, child, at = self.frames[link.parent], self.frames[link.table], self.at[link.name]
        orphans = np.flatnonzero(at == -2)
        lost = self._orphan_keys(link, len(orphans)) if len(orphans) else {}
        for own, key in zip(link.columns, link.key, strict=True):
            if key not in parent.columns:  # two tables that point to each other's keys: made anew
                parent = self.frames[link.parent] = parent.with_columns(pl.Series(key, range(1, parent.height + 1)))
            index = pl.Series(np.where(at >= 0, at, -1)).replace(-1, None).cast(pl.UInt32)
            values = parent[key].gather(index) if parent.height else parent[key].extend_constant(None, len(at))
            if len(orphans):
                values = values.scatter(orphans, lost[key].cast(values.dtype))
            dtype = self.structure.schema.of(link.table).column(own).dtype
            values = _as(values, dtype).alias(own)
            if own in child.columns and link.where:  # another kind of parent of the same column
                values = values.fill_null(child[own]) if values.dtype == child[own].dtype else values
            elif own in child.columns:
                continue
            child = child.with_columns(values)
        self.frames[link.table] = child

    def _orphan_keys(self, link: Link, rows: int) -> dict[str, pl.Series]:
        """Return keys that no parent has, shared by as many rows as orphans share theirs in the source."""
        roles, rng, shared = self.roles.get(link.name), self.rng, np.zeros(rows, np.int64)
        if roles is not None and len(roles.lonely):
            sizes = np.maximum(np.rint(rng.choice(roles.lonely, rows)), 1).astype(np.int64)
            shared = np.repeat(np.arange(rows), sizes)[:rows]
        different = int(shared.max(initial=-1)) + 1
        parent = self.frames[link.parent]
        start = parent.height + self._beyond.get(link.parent, 0)
        self._beyond[link.parent] = self._beyond.get(link.parent, 0) + different
        made = self.keys.make(link.parent, different, start, parent)
        pick = rng.integers(0, max(parent.height, 1), different)
        out = {}
        for key in link.key:
            values = made[key] if key in made else parent[key][pick]
            out[key] = values[shared[rng.permutation(rows)] if len(link.key) == 1 else shared]
        return out

    def _with_data(self, name: str) -> None:
        """Let rows point to keys with data that are there, and move rows whose own such key another row has."""
        table, made = self.structure.schema.of(name), self.structure.made[name]
        before = self.frames[name]
        for link in self.structure.schema.links_from(name):
            there = link.name not in self.at and set(link.columns) <= set(before.columns)
            if there and self.structure.is_data(link):
                stay = [c for c in link.columns if c in made]
                self.frames[name] = _unique.mended(self.frames[name], self.frames[link.parent], link, stay, self.rng)
        pointed_to = [link.key for link in self.structure.schema.links_to(name) if self.structure.is_data(link)]
        for key in dict.fromkeys([table.key, *pointed_to]):
            if set(key) <= set(self.frames[name].columns) and name not in self.keys.numberings:
                self._alone(name, key)
        after = self.frames[name]
        moved = [c for c in before.columns if after.height != before.height or not after[c].equals(before[c])]
        if moved and after.height == before.height:
            self.frames[name] = self.settle(name, before, after)

    def _alone(self, name: str, key: tuple[str, ...]) -> None:
        """Move rows whose key another row has."""
        pointing = {c for link in self.structure.schema.links_from(name) for c in link.columns}
        data = [c for c in key if c not in self.structure.made[name] and c not in pointing]
        if not data:
            return
        self.frames[name], without = _unique.apart(self.frames[name], [c for c in key if c not in data], data)
        if not without.any():
            return
        if any(link.name in self.at for link in self.structure.schema.links_to(name) if not link.owner):
            raise UserError(f"{len(without):,} rows of {name!r} with a key of their own could not be made: there is no "
                            f"room for more values of {data[-1]!r}. Ask for fewer rows.")
        self.rows.take(name, np.flatnonzero(~without))
        self.notes.append(f"{int(without.sum()):,} rows of {name!r} were left out: no key was left for them.")


def _places(at: np.ndarray) -> np.ndarray:
    """The place of each row among those of its parent."""
    order = np.argsort(at, kind="stable")
    starts = np.flatnonzero(np.diff(at[order], prepend=at[order][:1] - 1))
    out = np.empty(len(at), np.int64)
    out[order] = places(np.append(starts, len(at)))
    return out


def _as(values: pl.Series, dtype: str) -> pl.Series:
    """Return keys in the data type of the column that points, by its name."""
    found = getattr(pl, dtype, None)
    return values.cast(found, strict=False) if found is not None and values.dtype != found else values
