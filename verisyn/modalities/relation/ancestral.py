"""Parents before children: each table given its owner's row and its siblings, other parents by their kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from verisyn.errors import UserError

if TYPE_CHECKING:
    from verisyn.modalities.relation._learn import Learnt
    from verisyn.modalities.relation._training import Training
    from verisyn.running import Run
    from verisyn.schema import Schema


@dataclass(frozen=True)
class Generator:
    """Settings of the generator of databases.

    Parameters
    ----------
    tables : str, default "table.trees"
        The generator that each table, and each table's rows given those before them, are learnt with.
    kinds : int, default 40
        Most kinds of parents that the rows of one link tell apart, and most parents that are a kind of their own.
    features : int, default 20
        Most numbers that a column is told of, of all that is known of the rows that own it, of its siblings and of the
        row itself.
    privacy : float, default 0.5
        Position of the tables' privacy dial, 0 (low) to 1 (high).
    """

    tables: str = "table.trees"
    kinds: int = 40
    features: int = 20
    privacy: float = 0.5

    def maker(self) -> Any:
        """Return the generator of tables.

        Raises
        ------
        UserError
            If it is none of tables.
        """
        from verisyn import shelves

        home = shelves.generators.take(self.tables)
        if not hasattr(home.Generator, "fit_within"):
            raise UserError(f"{self.tables!r} is no generator of tables. Give one, such as table.trees.")
        known = {f.name for f in fields(home.Generator)}
        own = {"privacy": self.privacy, "features": self.features}
        return home.Generator(**{name: value for name, value in own.items() if name in known})

    def learn(self, schema: Schema, frames: Mapping[str, pl.DataFrame], seed: np.random.SeedSequence, *, jobs: int = 1,
              run: Run | None = None, tick: Callable[[int], None] = lambda done: None) -> tuple[Learnt, Training]:
        """Learn a database from its tables; `schema` has its owners chosen. `tick(1)` is called once for each table.

        Returns
        -------
        Learnt
        Training
            What the training rows are like; it holds them, and is not to be kept.
        """
        from verisyn.modalities.relation import _across
        from verisyn.modalities.relation._growing import rehearsed
        from verisyn.modalities.relation._keys import Keys
        from verisyn.modalities.relation._learn import Learner, Learnt, structure_of
        from verisyn.modalities.relation._tables import Learning
        from verisyn.modalities.relation._training import Training

        if self.kinds < 1:
            raise UserError(f"kinds is {self.kinds}; at least one kind of parents is there.")
        training_seed, key_seed, table_seed, rehearsal_seed = seed.spawn(4)
        rules = _across.Rules.learn(frames, schema)
        structure = structure_of(schema, rules)
        keys = Keys.learn(structure, frames, key_seed)
        left_out = {t.name: structure.made[t.name] | structure.follow.get(t.name, frozenset())
                    | ({keys.numberings[t.name].column} if t.name in keys.numberings else frozenset())
                    for t in schema.tables}
        training = Training.of(structure, frames, left_out, self.kinds, training_seed)
        learner = Learner(training, Learning(self.maker(), table_seed, jobs, run))
        learner.learn(tick)
        learnt = Learnt(schema, learner.tables, learner.contexts, training.roles, training.loops, keys, learner.order,
                        {t: f.height for t, f in frames.items()}, rules, learner.finder.references,
                        frozenset(learner.finder.told))
        rehearsed(learnt, {t.name: training.rows(t.name) for t in schema.tables}, rehearsal_seed, jobs)
        return learnt, training
