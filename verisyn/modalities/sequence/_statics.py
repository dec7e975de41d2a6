"""What does not change within an entity, drawn as the rows of a table."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import polars as pl

from verisyn.conditions import Condition, allowed_codes
from verisyn.drawing import Batch, Drawing
from verisyn.errors import UserError
from verisyn.modalities.sequence import Entities
from verisyn.modalities.sequence._windows import FEW
from verisyn.modalities.table import BaseGenerator, Codes, Tick
from verisyn.modalities.table._conditional import Conditional, nothing
from verisyn.running import Run
from verisyn.schema import Table

_REPEATS = 200
"""Rows to which few entities are repeated, so that what they share can be told at all."""


class Statics:
    """The distribution of entities; `model` is None where nothing is told of them."""

    def __init__(self, known: Table, model: Conditional | None, notes: tuple[str, ...] = ()):
        self.known, self.model = known, model
        self.notes = (*notes, *(model.coder.notes if model else ()))
        self._own = notes

    @classmethod
    def learn(cls, entities: Entities, known: Table, maker: BaseGenerator, seed: np.random.SeedSequence, *,
              jobs: int = 1, run: Run | None = None, tick: Tick = lambda done: None) -> Self:
        """Learn from entities, one row each."""
        if not known.columns:
            return cls(known, None)
        frame = entities.statics.select(known.names)
        notes: tuple[str, ...] = ()
        if entities.count < FEW:
            frame = frame[np.tile(np.arange(entities.count), -(-_REPEATS // entities.count))]
            notes = (f"There are only {entities.count} entities: what does not change within one is taken over from "
                     "them, so that who knows them may recognise them.",)
        model = Conditional.learn(frame, known, nothing(frame.height), maker, seed, jobs=jobs, run=run, tick=tick)
        return cls(known, model, notes)

    def codes(self, entities: Entities) -> Codes:
        """Return entities as context."""
        if self.model is None:
            return nothing(entities.count)
        return self.model.coder.encode(entities.statics.select(self.known.names))

    def encode(self, entities: Entities) -> np.ndarray:
        """Return the codes of entities, int32 (entities, parts)."""
        return self.codes(entities).values

    def log_prob(self, codes: np.ndarray) -> np.ndarray:
        """Return the log-probability of entities."""
        if self.model is None:
            return np.zeros(len(codes))
        return self.model.log_prob(np.empty((len(codes), 0), np.int32), codes)

    def draw(self, count: int, seed: np.random.SeedSequence, given: Condition | None = None, jobs: int = 1) -> Entities:
        """Draw entities; each meets the condition."""
        if self.model is None:
            return Entities(count, pl.DataFrame())
        drawing = Drawing(self.known, self.model.coder, self.model.fitted, 0, jobs)
        if not count:
            return Entities(0, self.model.coder.blank().clear())
        if given is None:
            return Entities(count, drawing.finish(drawing.blocks(count, seed), seed))
        told, draw = seed.spawn(2)
        masks = allowed_codes(given, self.model.coder, np.random.default_rng(told))
        fitted = self.model.fitted

        def source(rows: int, rng: np.random.Generator) -> Batch:
            codes, log_mass = fitted.sample(rows, rng, masks)
            return Batch(codes, log_mass, pl.DataFrame())

        def unmet(drawn: int, got: int) -> UserError:
            return UserError(f"Of {drawn:,} entities drawn, {got:,} met the condition {given.text!r}; that is too rare "
                             "to go on. Loosen it.")

        frame, _ = drawing.accepted(count, source, lambda rows, _: given.holds(rows), draw,
                                    pilot=drawing.pilot(source, draw), tick=lambda done: None, unmet=unmet)
        return Entities(count, drawing.finish(frame, draw))

    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        return {"known": self.known.model_dump(mode="json"), "model": self.model and self.model.state(),
                "notes": list(self._own)}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        model = Conditional.restore(state["model"]) if state["model"] else None
        return cls(Table.model_validate(state["known"]), model, tuple(state["notes"]))
