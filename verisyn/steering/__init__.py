"""What a user may wish of the rows: `given`, `balance`, `do`, `targets`; each met inside the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from verisyn.conditions import Condition, Given, parse
from verisyn.drawing import Drawing, child
from verisyn.errors import UserError
from verisyn.modalities.table._views import TableCoder
from verisyn.steering.balance import balanced
from verisyn.steering.conditional import Rows
from verisyn.steering.intervention import Do, Intervention
from verisyn.steering.refit import Refitter
from verisyn.steering.targets import Targets, Tilt, Wanted

Say = Callable[[str, bool], None]
"""Told, in a sentence, what was done; and whether it needs attention."""


@dataclass(frozen=True)
class Wishes:
    """What rows are to be like."""

    given: Condition | None = None
    balance: str | None = None
    do: Intervention | None = None
    targets: Targets | None = None

    @classmethod
    def read(cls, coder: TableCoder, *, given: Given | None = None, balance: str | None = None, do: Do | None = None,
             targets: Wanted | None = None) -> Wishes:
        """Check what was wished, and that it goes together."""
        if balance and (do or targets):
            raise UserError("balance cannot be combined with do or targets. Give the shares of "
                            f"{balance!r} as targets instead.")
        return cls(given=parse(given, coder.columns) if given else None, balance=balance or None,
                   do=Intervention.read(do, coder) if do else None,
                   targets=Targets.read(targets, coder.columns) if targets else None)

    def draw(self, rows: int, drawing: Drawing, refitter: Refitter, root: np.random.SeedSequence, *, tick: Any,
             say: Say) -> pl.DataFrame:
        """Draw so many rows; say what was done, and what keeping the constraints cost."""
        frame = self._drawn(rows, drawing, refitter, root, tick, say)
        drawing.tell(say)
        return frame

    def _drawn(self, rows: int, drawing: Drawing, refitter: Refitter, root: np.random.SeedSequence, tick: Any,
               say: Say) -> pl.DataFrame:
        if not (self.given or self.balance or self.do or self.targets):
            return drawing.finish(drawing.blocks(rows, root, tick), root)
        wished = Rows.of(drawing, refitter, self.given, self.do)
        if self.balance:
            return self._met(drawing.finish(balanced(rows, self.balance, wished, root, tick), root))
        if self.do:
            self.do.tell(drawing, say)
        if self.targets:
            wished = replace(wished, keep=Tilt.towards(self.targets, wished, rows, child(root, 0)).keep)
        frame, _ = wished.draw(rows, child(root, 1) if self.targets else root, tick)
        frame = self._met(drawing.finish(frame, root, self.do.columns if self.do else ()))
        if self.do:
            self.do.tell_overruled(frame, drawing, say)
        for outcome in self.targets.outcomes(frame) if self.targets else ():
            say(str(outcome), not outcome.met)
        return frame

    def _met(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Refuse rows that were moved out of the condition because they may not repeat."""
        lost = int((~self.given.holds(frame)).sum()) if self.given else 0
        if self.given and lost:
            raise UserError(f"{frame.height:,} rows that meet the condition {self.given.text!r} and keep the "
                            f"constraints of the whole table could not be made: {lost:,} of them would have to repeat. "
                            "Ask for fewer rows, or take the constraint 'unique' out of the schema.")
        return frame

