"""Drawing a database: rows of all tables, parents for every row, keys, and what must hold between tables."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from verisyn.drawing import child
from verisyn.modalities.relation import _hidden, _ordering
from verisyn.modalities.relation._filling import Filling
from verisyn.modalities.relation._given import grown
from verisyn.modalities.relation._growing import Growing
from verisyn.modalities.relation._learn import Learnt
from verisyn.modalities.relation._pointing import Pointing
from verisyn.modalities.relation._public import Public
from verisyn.modalities.relation._rows import Rows
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
        self.growing = Growing(learnt, self.structure, jobs, self.rows)
        self.pointing = Pointing(learnt.roles, self.rows)
        self.notes: list[str] = []

    def drawn(self) -> tuple[dict[str, pl.DataFrame], list[str]]:
        """Draw all tables."""
        for table in self.structure.trees:
            self._root(table, self.growing)
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
            if link.name in self.rows.at:  # found before the rest of the row was drawn
                self._without(link, self.pointing.lost(self.rows, link))
                continue
            if link in self.structure.loops:
                said, band = frame[_hidden.says(link)], frame[_hidden.kind(link)]
                self.rows.at[link.name] = self.learnt.loops[link.name].matched(said, band, rng)
            else:
                self.pointing.match(self.rows, link, rng)
                self._without(link, self.pointing.lost(self.rows, link))

    def _without(self, link: Link, lost: np.ndarray) -> None:
        """Rows that no parent is left for go."""
        if not len(lost):
            return
        kept = np.ones(self.rows.frames[link.table].height, bool)
        kept[lost] = False
        self.rows.take(link.table, np.flatnonzero(kept))
        self.notes.append(f"{len(lost):,} rows of {link.table!r} were left out: no row of {link.parent!r} was left "
                          f"that {link.name} could point to without a key standing twice.")

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

        def settle(name: str, before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
            return self.growing.kept(name, before, after, rng)

        filling = Filling(self.rows, self.learnt.keys, self.learnt.roles, self._fixed, rng, settle)
        filling.fill()
        self.notes += filling.notes
        return {name: _hidden.shown(frame) for name, frame in self.rows.frames.items()}
