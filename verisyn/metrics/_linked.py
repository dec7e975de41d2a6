"""Tables that point to each other, seen by metrics of the view ``"links"``."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import polars as pl

from verisyn.kinds import Feature
from verisyn.linking.pointing import Linked, pointed
from verisyn.metrics import EFFORTS, Effort, Shared
from verisyn.modalities.table._views import TableCoder
from verisyn.schema import Link, Schema

LEAST = 50
"""Smaller tables are not judged: chance would drown what their links tell."""
_SAME = 0.95


@dataclass(frozen=True)
class Database:
    """One side: all tables, and what their links point to.

    Parameters
    ----------
    frames : mapping of str to polars.DataFrame
        The tables by name, all columns.
    links : mapping of str to Linked
        By :attr:`verisyn.schema.Link.name`.
    coders : mapping of str to TableCoder
        What the tables are seen by, learnt on the training rows.
    """

    frames: Mapping[str, pl.DataFrame]
    links: Mapping[str, Linked]
    coders: Mapping[str, TableCoder] = field(default_factory=dict, repr=False)
    _seen: dict[str, list[Feature]] = field(repr=False, compare=False, default_factory=dict)

    @classmethod
    def of(cls, frames: Mapping[str, pl.DataFrame], schema: Schema, coders: Mapping[str, TableCoder]) -> Database:
        """Follow every link of `schema`."""
        links = {k.name: pointed(frames[k.table], frames[k.parent], k) for k in schema.links}
        return cls({t.name: frames[t.name] for t in schema.tables}, links, coders)

    def rows(self, table: str) -> int:
        """Rows of a table."""
        return self.frames[table].height

    def features(self, table: str) -> list[Feature]:
        """Every modelled column of a table at full precision."""
        if table not in self._seen:
            self._seen[table] = self.coders[table].features(self.frames[table])
        return self._seen[table]

    def shuffled(self, rng: np.random.Generator) -> Database:
        """Return the same tables, each row that points pointing to a row at random: the floor, which knows no link."""
        return replace(self, links={name: replace(linked, at=np.where(
            linked.at >= 0, rng.integers(0, max(linked.parents, 1), len(linked.at)), linked.at))
            for name, linked in self.links.items()})


@dataclass(frozen=True)
class DatabaseSides(Shared):
    """What a metric of the view ``"links"`` compares; the fields are as in :class:`verisyn.metrics.Sides`.

    Where subjects were held out, `train` and `holdout` hold these and what belongs to them; tables that belong to no
    subject are the same on both. `rules` are what must hold between tables, learnt on the training rows; None where
    that is not asked.
    """

    fake: Database
    train: Database
    holdout: Database
    schema: Schema
    unseen: bool = True
    effort: Effort = EFFORTS["standard"]
    seed: int = 0
    pictured: bool = True
    rules: Any = None
    _memo: dict[Hashable, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    views: ClassVar = frozenset({"links"})
    says: ClassVar = {"floor_says": "children of parents drawn at random", "ceiling_says": "real rows in their place"}

    def held_out(self, table: str) -> bool:
        """Whether real rows of a table were held out, so that the holdout's are others than the training rows."""
        return self.unseen and self.shared(("held out", table), lambda: not alike(
            self.train.frames[table], self.holdout.frames[table]))

    def fixed(self, table: str, real: Database) -> bool:
        """Whether the synthetic rows of a table are the real ones, as those of a reference table may be."""
        return self.shared(("fixed", table, real is self.train), lambda: alike(
            self.fake.frames[table], real.frames[table]))

    def partly(self, link: Link) -> bool:
        """Whether parents have some of their children on one side of the holdout and some on the other.

        Then how many they have says how many rows were held out, or asked for, and nothing more.
        """
        return self.held_out(link.table) and not self.held_out(link.parent)

    def real(self, table: str) -> Database:
        """Return what synthetic rows of a table are held against: the holdout, where its rows were held out.

        Where they were not, or where fewer than 50 rows of it, or of a table that it belongs to, were, it is the
        training rows: rows of few subjects are too much alike to stand for all.
        """
        return self.holdout if self.shared(("real", table), lambda: self._enough(table)) else self.train

    def _enough(self, table: str) -> bool:
        below, found = [table], [table]
        while below:
            above = {link.parent for link in self.schema.links_from(below.pop())} - {*found}
            found += above
            below += above
        held = [t for t in found if self.held_out(t)]
        return table in held and all(self.holdout.rows(t) >= LEAST for t in held)


def alike(some: pl.DataFrame, others: pl.DataFrame) -> bool:
    """Tell whether two tables hold the same rows, in whatever order, but for one in twenty.

    Examples
    --------
    >>> alike(pl.DataFrame({"id": [1, 2]}), pl.DataFrame({"id": [2, 1]})), alike(*[pl.DataFrame({"id": []})] * 2)
    (True, True)
    """
    if some.columns != others.columns or some.schema != others.schema:
        return False
    if abs(some.height - others.height) > (1 - _SAME) * max(some.height, others.height):
        return False
    keys = some.hash_rows(seed=0)
    return not len(keys) or float(keys.is_in(others.hash_rows(seed=0).implode()).mean()) >= _SAME  # type: ignore[arg-type]
