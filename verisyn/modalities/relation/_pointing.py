"""Where rows point: a parent of the kind that each says, or the one that its columns name, found among drawn tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from verisyn.linking.pointing import pointed
from verisyn.modalities.relation import _hidden, _unique
from verisyn.modalities.relation._matching import matched, parted
from verisyn.modalities.relation._roles import Roles
from verisyn.modalities.relation._rows import Rows
from verisyn.schema import Link

_ROUNDS = 3
"""Times that keys with data in them are looked through, where a table has several that share columns."""


class Pointing:
    """Finds parents.

    Parameters
    ----------
    roles : mapping of str to Roles
        By link.
    parents : Rows
        Tables that are there, with all parents.
    """

    def __init__(self, roles: Mapping[str, Roles], parents: Rows):
        self.roles, self.parents = roles, parents
        self.structure = parents.structure

    def match(self, rows: Rows, link: Link, rng: np.random.Generator) -> None:
        """Find a parent for each of the `rows` of a link's table; -1 where none is left, or none is wanted."""
        roles, frame = self.roles[link.name], rows.frames[link.table]
        said = self._with_where(frame, link, roles.read(frame[_hidden.says(link)]), rng)
        of = roles.read(self.parents.frames[link.parent][_hidden.kind(link)])
        at, points = said.copy(), np.flatnonzero(said >= 0)
        group = self._apart(rows, link)
        if group is None and roles.single:
            group = np.zeros(len(said), np.int64)
        at[points] = matched(said[points], of, roles.quotas(of, rng), roles.near, rng,
                             apart=None if group is None else group[points])
        others = [rows.at[name] for name in roles.unlike if name in rows.at]
        if others:
            at[points] = parted(at[points], np.array(others)[:, points], of, group if group is None else group[points],
                                rng)
        rows.at[link.name] = at

    def lost(self, rows: Rows, link: Link) -> np.ndarray:
        """Return the rows that none was left for, and that may not point nowhere."""
        roles, frame = self.roles[link.name], rows.frames[link.table]
        if roles.optional and not set(link.columns) & set(self._key(link.table)):
            return np.empty(0, np.int64)
        said = roles.read(frame[_hidden.says(link)])
        if link.where:
            said = np.where(_holds(frame, link), said, -1)
        return np.flatnonzero((said >= 0) & (rows.at[link.name] == -1))

    def _with_where(self, frame: pl.DataFrame, link: Link, said: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Let rows point by a link exactly where it holds for them."""
        if not link.where:
            return said
        holds = _holds(frame, link)
        told = said[holds & (said >= 0)]
        lacking = holds & (said == -1) & (not link.optional)
        said = np.where(holds, said, -1)
        if len(told) and lacking.any():
            said[lacking] = rng.choice(told, int(lacking.sum()))
        return said

    def _key(self, table: str) -> tuple[str, ...]:
        return self.structure.schema.of(table).key

    def _apart(self, rows: Rows, link: Link) -> np.ndarray | None:
        """Return which rows must not share a parent: those alike in all other parts of the table's key."""
        key = set(self._key(link.table))
        if not key or not set(link.columns) <= key:
            return None
        rest, out = key - set(link.columns), np.zeros(rows.frames[link.table].height, np.int64)
        for other in self.structure.schema.links_from(link.table):
            if other.name in rows.at and set(other.columns) & rest:
                at = rows.at[other.name]
                out = np.unique(np.column_stack([out, at]), axis=0, return_inverse=True)[1].reshape(-1)
                rest -= set(other.columns)
        return None if rest else out.astype(np.int64)

    # -- keys with data in them -------------------------------------------------------------------------------------
    def told(self, rows: Rows, link: Link) -> np.ndarray | None:
        """Look up the parent that each row names by its columns; None where that cannot be told yet."""
        both = self._comparable(rows, link)
        return None if both is None else pointed(*both, link).at

    def settle(self, rows: Rows, table: str, links: Sequence[Link], rng: np.random.Generator) -> None:
        """Let rows name parents that are there, and move rows whose own key with data in it another row has."""
        for link in links:
            both = self._comparable(rows, link)
            if both is not None:
                stay = [c for c in link.columns if c in self.structure.made[table]]
                moved = _unique.mended(*both, link, stay, rng)
                self._put(rows, table, moved, [c for c in link.columns if c not in stay])
        made, keys = self.structure.made[table], self._data_keys(table)
        for _ in range(_ROUNDS):
            again = False
            for key in keys:
                frame = self._standing_in(rows, table, key)
                pointing = {c for link in self.structure.schema.links_from(table) for c in link.columns}
                data = [c for c in key if c not in made and c not in pointing]
                if frame is None or not data or not frame.select(key).is_duplicated().any():
                    continue
                again = True
                moved, _ = _unique.apart(frame, [c for c in key if c not in data], data)
                self._put(rows, table, moved, data)
            if not again:
                break

    def _data_keys(self, table: str) -> list[tuple[str, ...]]:
        keys = [self._key(table), *(k.key for k in self.structure.schema.links_to(table) if self.structure.is_data(k))]
        return [key for key in dict.fromkeys(keys) if key]

    def _put(self, rows: Rows, table: str, moved: pl.DataFrame, columns: Sequence[str]) -> None:
        rows.frames[table] = rows.frames[table].with_columns(moved[c] for c in columns)

    def _comparable(self, rows: Rows, link: Link) -> tuple[pl.DataFrame, pl.DataFrame] | None:
        """Return both sides of a link, with rows' numbers in the place of keys that are not made yet."""
        sides = []
        for held, table, names in ((rows, link.table, link.columns), (self.parents, link.parent, link.key)):
            found = [self._identity(held, table, name) for name in names]
            if any(f is None for f in found):
                return None
            sides.append((held.frames[table], found, names))
        (_, mine, _), (_, theirs, _) = sides
        if any(a[0] != b[0] for a, b in zip(mine, theirs, strict=True) if a and b and (a[0] or b[0])):
            return None
        frames = [frame.with_columns(f[1].alias(n) for f, n in zip(found, names, strict=True) if f and f[0])
                  for frame, found, names in sides]
        if any(c not in frames[0].columns for c in link.where):
            return None
        return frames[0], frames[1]

    def _standing_in(self, rows: Rows, table: str, key: tuple[str, ...]) -> pl.DataFrame | None:
        found = {name: self._identity(rows, table, name) for name in key}
        if any(f is None for f in found.values()):
            return None
        return rows.frames[table].with_columns(f[1].alias(n) for n, f in found.items() if f and f[0])

    def _identity(self, held: Rows, table: str, column: str) -> tuple[tuple[str, str] | None, pl.Series] | None:
        """Return whose key a column holds, and the number of the row that has it; its values, if it holds data."""
        at: np.ndarray | None = None
        while True:
            home = held if table in held.frames else self.parents
            if column in home.frames[table].columns:
                values = home.frames[table][column]
                return None, values if at is None else values.gather(pl.Series(np.where(at >= 0, at, -1)).replace(
                    -1, None))
            link = next((k for k in self.structure.schema.links_from(table)
                         if k.name in home.at and column in k.columns and not k.where), None)
            if link is None:
                own = np.arange(home.frames[table].height) if at is None else at
                pointing = {c for k in self.structure.schema.links_from(table) for c in k.columns}
                return None if column in pointing else ((table, column), _numbers(own))
            own = home.at[link.name]
            at = own if at is None else np.where(at >= 0, own[np.maximum(at, 0)], at)
            table, column = link.parent, link.key[link.columns.index(column)]


def _numbers(at: np.ndarray) -> pl.Series:
    """Rows' numbers; missing where there is no row."""
    return pl.Series(at).set(pl.Series(at < 0), None)


def _holds(frame: pl.DataFrame, link: Link) -> np.ndarray:
    asked = pl.all_horizontal(pl.col(c) == v for c, v in link.where.items()).fill_null(False)
    return frame.select(asked).to_series().to_numpy()
