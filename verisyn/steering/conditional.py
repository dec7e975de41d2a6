"""Rows under a condition: restricted draws accepted by their exact mass, or from a model refitted for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from verisyn.conditions import Condition, allowed_codes
from verisyn.drawing import BLOCK, PILOT, Batch, Drawing, Keep, Source, child
from verisyn.errors import UserError
from verisyn.modalities.table import Allowed
from verisyn.steering.intervention import Intervention
from verisyn.steering.refit import Refitter, Sample

_LEAST, _AT_ODDS = 1e-6, 0.01
"""A condition that is less probable than this, and by such a factor less than its clauses alone would have it,
contradicts what the model learnt: its rows would rest on smoothing. One on many columns is improbable, but not so."""


_SELDOM, _SHOWN = 1e-3, 8
_SURE = 1_000
"""Rows that qualify, from which it is known how often they do."""


@dataclass(frozen=True)
class Rows:
    """The model's rows that meet a condition, perhaps after an intervention.

    Parameters
    ----------
    drawing : Drawing
    refitter : Refitter
    condition : Condition
        Checked on decoded rows; without clauses it always holds.
    allowed : dict
        The codes that can meet it.
    do : Intervention, optional
    keep : function, optional
        A further check of decoded rows, such as a tilt towards targets.
    """

    drawing: Drawing
    refitter: Refitter
    condition: Condition
    allowed: Allowed
    do: Intervention | None = None
    keep: Keep | None = None

    @classmethod
    def of(cls, drawing: Drawing, refitter: Refitter, given: Condition | None, do: Intervention | None) -> Rows:
        """Turn a condition into allowed codes.

        Raises
        ------
        UserError
            If some column can never meet it.
        """
        condition = given or Condition("")
        allowed = allowed_codes(condition, drawing.coder, np.random.default_rng(drawing.seed))
        rows = cls(drawing, refitter, condition, allowed, do)
        if any(not mask.any() for mask in allowed.values()):
            raise UserError(f"No row can meet the condition {condition.text!r}: some column never takes such a value. "
                            f"{rows._nearest()}")
        return rows

    def within(self, allowed: Allowed, name: str) -> Rows:
        """Return the rows that also have these codes."""
        both = {**self.allowed, **{part: mask & self.allowed.get(part, True) for part, mask in allowed.items()}}
        return replace(self, allowed=both, condition=replace(self.condition, text=self.condition.text or name))

    def draw(self, rows: int, root: np.random.SeedSequence, tick: Any = lambda done: None,
             start: int = 0) -> tuple[pl.DataFrame, int]:
        """Draw so many; return them with the index at which further rows may start.

        Raises
        ------
        UserError
            If hardly any row of the model is such a row.
        """
        source = self._source()
        pilot = self.drawing.pilot(source, root)
        if self.allowed and not self.do and pilot.mass < min(_LEAST, _AT_ODDS * self._alone()):
            raise self._unmet(rows, pilot.mass)
        if self.allowed and not self.do and rows > self.refitter.cost * pilot.acceptance:
            source = _restricted(self.refitter(self.allowed, pilot.mass), self.allowed)
            pilot = self.drawing.pilot(source, root)
        return self.drawing.accepted(rows, source, self._keep, root, pilot=pilot, tick=tick, start=start,
                                     unmet=lambda drawn, got: self._unmet(rows, max(got, 1) / drawn * pilot.mass))

    def probability(self, root: np.random.SeedSequence, looks: int = 1) -> float:
        """How often a row of the model is such a row: the mass of its codes, times how often their values qualify.

        Where few values qualify, it is looked again, `looks` times at most.
        """
        source = self._source()
        pilot = self.drawing.pilot(source, root)
        if not np.isfinite(pilot.bound):
            return 0.0
        masses, kept, seen = [], 0, 0
        for look in range(looks):
            rng = np.random.default_rng(child(root, PILOT + 2 * look))
            batch = source(PILOT, rng) if look else pilot.batch
            chosen = batch.take(np.log(rng.random(len(batch.log_weight))) < batch.log_weight - pilot.bound)
            frame = self.drawing.decode(chosen.codes, child(root, PILOT + 2 * look + 1), settled=chosen.settled)
            masses.append(float(np.exp(batch.log_weight).mean()))
            kept, seen = kept + int(self._keep(frame, rng).sum()), seen + frame.height
            if kept >= _SURE or kept == seen:
                break
        return float(np.mean(masses)) * kept / max(seen, 1)

    def _alone(self) -> float:
        """The probability that the condition would have if its columns had nothing to do with one another."""
        codes, _ = self.drawing.fitted.sample(PILOT, np.random.default_rng(self.drawing.seed))
        return float(np.prod([mask[codes[:, part]].mean() + 1 / PILOT for part, mask in self.allowed.items()]))

    def _source(self) -> Source:
        if self.do:
            return self.do.source(self.drawing, self.allowed)
        return _restricted(self.drawing.fitted.sample, self.allowed)

    def _keep(self, frame: pl.DataFrame, rng: np.random.Generator) -> np.ndarray:
        holds = self.condition.holds(frame)
        return holds & self.keep(frame, rng) if self.keep else holds

    def _unmet(self, rows: int, share: float) -> UserError:
        often = f"about 1 row in {1 / share:,.0f}" if share > 0 else "no row"
        wish = f"The condition {self.condition.text!r}" if self.condition.text else "The wish"
        return UserError(f"{wish} is met by {often} that the model draws, so {rows:,} such rows cannot be drawn. "
                         f"{self._nearest()}")

    def _nearest(self) -> str:
        """Say how often each clause alone is met, and between what its column lies where hardly any row meets it."""
        frame = self.drawing.blocks(BLOCK, np.random.SeedSequence(0))
        told = []
        for conjunct in self.condition.conjuncts:
            share = float(self.condition.only([conjunct]).holds(frame).mean())
            near = [_span(frame[name]) for name in sorted(conjunct.columns)] if share < _SELDOM else []
            beside = f" ({'; '.join(near)})" if near else ""
            told.append(f"the clause on {', '.join(sorted(conjunct.columns))}: {share:.2%}{beside}")
        said = f"Of unconditional rows each clause alone is met by: {'; '.join(told)}. Loosen the rarest."
        return said if told else ""


def _span(column: pl.Series) -> str:
    """Say between what a column's values lie, or which they are."""
    known = column.drop_nulls()
    if known.is_empty():
        return f"{column.name} is always missing"
    if known.dtype.is_numeric() or known.dtype.is_temporal():
        ends = known.sort()
        return f"{column.name} lies between {ends[0]} and {ends[-1]}"
    levels = known.value_counts(sort=True, name="\0rows")[column.name].to_list()
    return f"{column.name} is {', '.join(map(repr, levels[:_SHOWN]))}{' or another' if len(levels) > _SHOWN else ''}"


def _restricted(sample: Sample, allowed: Allowed) -> Source:
    def source(rows: int, rng: np.random.Generator) -> Batch:
        return Batch(*sample(rows, rng, allowed), pl.DataFrame())

    return source


