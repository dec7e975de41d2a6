"""Drawing a database: rows of all tables, parents for every row, keys, and what must hold between tables."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from verisyn.drawing import child
from verisyn.modalities.relation import _hidden, _ordering
from verisyn.modalities.relation._filling import Filling
from verisyn.modalities.relation._given import grown
from verisyn.modalities.relation._growing import Growing, Rows
from verisyn.modalities.relation._learn import Learnt
from verisyn.modalities.relation._matching import matched
from verisyn.modalities.relation._public import Public
from verisyn.modalities.relation._seeds import seeded
from verisyn.modalities.relation._wishes import Wishes
from verisyn.schema import Link

_MATCH, _KEYS, _RULES, _LAYOUT = 2**30, 2**30 + 1, 2**30 + 2, 2**30 + 3
"""Numbers of the child seeds of what comes after rows are drawn."""


def draw(learnt: Learnt, wishes: Wishes, seed: np.random.SeedSequence, jobs: int,
         tick: Callable[[int], None] = lambda done: None) -> tuple[dict[str, pl.DataFrame], list[str]]:
    """Draw a database; return its tables, and what is to be said of how they were made."""
    return _Drawing(learnt, wishes, seed, jobs, tick).drawn()


class _Drawing:
    """One draw."""

    def __init__(self, learnt: Learnt, wishes: Wishes, seed: np.random.SeedSequence, jobs: int,
                 tick: Callable[[int], None]):
        self.learnt, self.wishes, self.seed, self.tick, self.jobs = learnt, wishes, seed, tick, jobs
        self.structure = learnt.structure
        self.rows = Rows(self.structure)
        self.notes: list[str] = []

    def drawn(self) -> tuple[dict[str, pl.DataFrame], list[str]]:
        """Draw all tables."""
        growing = Growing(self.learnt, self.structure, self.jobs)
        for table in self.structure.roots:
            self._root(table, growing)
        self._match()
        self._lay_out()
        frames = self._filled()
        frames, ledger = self.learnt.rules.settle(frames, np.random.default_rng(child(self.seed, _RULES)),
                                                  fixed=self._fixed)
        self.notes += ledger.notes()
        return {t.name: frames[t.name].select(t.names) for t in self.structure.schema.tables}, self.notes

    @property
    def _fixed(self) -> tuple[str, ...]:
        """Tables whose rows are kept as they are."""
        public = [n for n, t in self.learnt.tables.items() if isinstance(t, Public)]
        return (*public, *self.wishes.seeds)

    def _root(self, table: str, growing: Growing) -> None:
        """Draw a root, and all that belongs to it."""
        home, seed = self.learnt.tables[table], child(self.seed, self.structure.order.index(table))
        if isinstance(home, Public) or table in self.wishes.seeds:
            frame = pl.concat([home.hidden, home.frame], how="horizontal") if isinstance(home, Public) else \
                seeded(home, self.wishes.seeds[table], seed)
            self.rows.frames[table] = frame.drop(self._pointing_to_new(table, frame))
            growing.below(self.rows, table, self.seed)
        else:
            self.rows.join(grown(growing, table, self.wishes, self.seed))
        self.tick(1 + len(growing.under(table)))

    def _pointing_to_new(self, table: str, frame: pl.DataFrame) -> list[str]:
        """Return the columns of rows that stay as they are which point to keys that are made anew."""
        links = [link for link in self.structure.schema.links_from(table) if link.parent not in self._fixed
                 and not self.structure.is_data(link) and set(link.columns) <= set(frame.columns)]
        for link in links:
            self.notes.append(f"Rows of {table!r} are kept, but {link.name} points to {link.parent!r}, whose keys are "
                              "made anew; so each points to a new row of the same kind.")
        return list(dict.fromkeys(c for link in links for c in link.columns))

    # -- parents ----------------------------------------------------------------------------------------------------
    def _match(self) -> None:
        """Find a parent for each row, link after link; a row that none is left for goes."""
        for number, link in enumerate((*self.structure.loops, *self.structure.matched)):
            rng = np.random.default_rng(child(self.seed, _MATCH).spawn(number + 1)[-1])
            frame, columns = self.rows.frames[link.table], set(link.columns)
            if columns <= set(frame.columns):  # given rows say where they point
                continue
            if link in self.structure.loops:
                said, band = frame[_hidden.says(link)], frame[_hidden.kind(link)]
                self.rows.at[link.name] = self.learnt.loops[link.name].matched(said, band, rng)
            else:
                self._matched(link, rng)

    def _matched(self, link: Link, rng: np.random.Generator) -> None:
        roles, frame = self.learnt.roles[link.name], self.rows.frames[link.table]
        said = self._with_where(link, roles.read(frame[_hidden.says(link)]), rng)
        parents = self.rows.frames[link.parent]
        of = roles.read(parents[_hidden.kind(link)])
        at, points = said.copy(), np.flatnonzero(said >= 0)
        group = self._apart(link)
        if group is None and roles.single:
            group = np.zeros(len(said), np.int64)
        at[points] = matched(said[points], of, roles.quotas(of, rng), roles.near, rng,
                             apart=None if group is None else group[points])
        self.rows.at[link.name] = at
        lost = points[at[points] < 0]
        if len(lost):
            self._without(link, lost, roles.optional and not set(link.columns) & set(self._key(link.table)))

    def _without(self, link: Link, lost: np.ndarray, may_be_nowhere: bool) -> None:
        """Rows that no parent is left for point nowhere, where rows may; else they go."""
        if may_be_nowhere:
            return
        kept = np.ones(self.rows.frames[link.table].height, bool)
        kept[lost] = False
        self.rows.take(link.table, np.flatnonzero(kept))
        self.notes.append(f"{len(lost):,} rows of {link.table!r} were left out: no row of {link.parent!r} was left "
                          f"that {link.name} could point to without a key standing twice.")

    def _with_where(self, link: Link, said: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Let rows point by a link exactly where it holds for them."""
        if not link.where:
            return said
        frame = self.rows.frames[link.table]
        asked = pl.all_horizontal(pl.col(c) == v for c, v in link.where.items()).fill_null(False)
        holds = frame.select(asked).to_series().to_numpy()
        told = said[holds & (said >= 0)]
        lacking = holds & (said == -1) & (not link.optional)
        said = np.where(holds, said, -1)
        if len(told) and lacking.any():
            said[lacking] = rng.choice(told, int(lacking.sum()))
        return said

    def _key(self, table: str) -> tuple[str, ...]:
        return self.structure.schema.of(table).key

    def _apart(self, link: Link) -> np.ndarray | None:
        """Return which rows must not share a parent: those alike in all other parts of the table's key."""
        key = set(self._key(link.table))
        if not key or not set(link.columns) <= key:
            return None
        rest, out = key - set(link.columns), np.zeros(self.rows.frames[link.table].height, np.int64)
        for other in self.structure.schema.links_from(link.table):
            if other.name in self.rows.at and set(other.columns) & rest:
                at = self.rows.at[other.name]
                out = np.unique(np.column_stack([out, at]), axis=0, return_inverse=True)[1].reshape(-1)
                rest -= set(other.columns)
        return None if rest else out.astype(np.int64)

    # -- order, keys ------------------------------------------------------------------------------------------------
    def _lay_out(self) -> None:
        """Put rows in the order in which the source has them."""
        for number, table in enumerate(self.structure.order):
            frame, (layout, time) = self.rows.frames[table], self.learnt.order[table]
            if table in self._fixed:
                continue
            if table in self.structure.owner:
                at = self.rows.at[self.structure.owner[table].name]
                self.rows.take(table, np.argsort(at, kind="stable"))
                frame = self.rows.frames[table]
            if layout == _ordering.TIME and time in frame.columns:
                self.rows.take(table, frame[time].arg_sort().to_numpy())
            elif layout == _ordering.MIXED:
                rng = np.random.default_rng(child(self.seed, _LAYOUT).spawn(number + 1)[-1])
                self.rows.take(table, rng.permutation(frame.height))

    def _filled(self) -> dict[str, pl.DataFrame]:
        """Fill in keys; return the tables without hidden columns."""
        rng = np.random.default_rng(child(self.seed, _KEYS))

        def settle(name: str, frame: pl.DataFrame, moved: list[str]) -> pl.DataFrame:
            rules, names = self.learnt.tables[name].rules
            moved = [c for c in moved if c in names]
            if not rules.rules or not moved:
                return frame
            return frame.with_columns(rules.changed(frame.select(names), frame.select(moved), rng).get_columns())

        filling = Filling(self.rows, self.learnt.keys, self.learnt.roles, self._fixed, rng, settle)
        filling.fill()
        self.notes += filling.notes
        return {name: _hidden.shown(frame) for name, frame in self.rows.frames.items()}
