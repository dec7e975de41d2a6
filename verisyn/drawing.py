"""Rows from a fitted model: in blocks whose bytes do not depend on who draws them, under conditions, in balance."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from verisyn.conditions import Condition, allowed_codes
from verisyn.errors import UserError
from verisyn.modalities.table import Allowed, Fitted
from verisyn.modalities.table._views import TableCoder
from verisyn.schema import Table

BLOCK = 20_000
_LEVELS_TO_BALANCE = 100


@dataclass(frozen=True)
class Drawing:
    """What drawing needs of a model."""

    table: Table
    coder: TableCoder
    fitted: Fitted
    seed: int

    def blocks(self, rows: int, root: np.random.SeedSequence, jobs: int, tick: Any) -> pl.DataFrame:
        """Draw in blocks of a fixed size with a seed each, so that the bytes do not depend on who draws which block."""
        starts = range(0, rows, BLOCK)

        def block(start: int) -> pl.DataFrame:
            draw, decode = _child(root, start // BLOCK).spawn(2)
            size = min(BLOCK, rows - start)
            codes, _ = self.fitted.sample(size, np.random.default_rng(draw))
            return self.coder.decode(codes, decode, start)

        frames = []
        with ThreadPoolExecutor(jobs) as pool:
            for frame in pool.map(block, starts):
                frames.append(frame)
                tick(frame.height)
        return pl.concat(frames)

    def _masks(self, condition: Condition) -> Allowed:
        return allowed_codes(condition, self.coder, np.random.default_rng(self.seed))

    def conditional(self, rows: int, condition: Condition, root: np.random.SeedSequence, tick: Any,
                    allowed: Allowed | None = None) -> pl.DataFrame:
        """Draw restricted rows, accept each in proportion to the condition's mass, check them after decoding."""
        allowed = self._masks(condition) if allowed is None else allowed
        if any(not mask.any() for mask in allowed.values()):
            raise UserError(f"No row can meet the condition {condition.text!r}: some column never takes such a value. "
                            f"{self._nearest(condition)}")
        frames: list[pl.DataFrame] = []
        got, bound = 0, 0.0
        for number in range(10_000):
            draw, accept, decode = _child(root, number).spawn(3)
            codes, log_mass = self.fitted.sample(BLOCK, np.random.default_rng(draw), allowed)
            if number == 0:
                bound = float(log_mass.max())
            if not np.isfinite(bound):
                break
            keep = np.log(np.random.default_rng(accept).random(BLOCK)) < log_mass - bound
            frame = self.coder.decode(codes[keep], decode, got)
            frame = frame.filter(condition.holds(frame))[: rows - got]
            frames.append(frame)
            got += frame.height
            tick(frame.height)
            if got >= rows:
                return pl.concat(frames)
            if number >= 20 and got == 0:
                break
        raise UserError(f"The condition {condition.text!r} is met by fewer than about 1 row in "
                        f"{BLOCK * (number + 1) // max(got, 1):,} that the model draws, so {rows:,} such rows cannot "
                        f"be drawn ({got:,} were). {self._nearest(condition)}")

    def _nearest(self, condition: Condition) -> str:
        """Say how often each clause alone is met, so that the impossible one can be seen."""
        frame = self.blocks(BLOCK, np.random.SeedSequence(0), 1, lambda done: None)
        shares = [(float(condition.only([c]).holds(frame).mean()), ", ".join(sorted(c.columns)))
                  for c in condition.conjuncts]
        told = "; ".join(f"the clause on {columns}: {share:.2%}" for share, columns in shares)
        return f"Of unconditional rows each clause alone is met by: {told}. Loosen the rarest."

    def balanced(self, rows: int, column: str, condition: Condition | None, root: np.random.SeedSequence,
                  tick: Any) -> pl.DataFrame:
        """Draw equally many rows of each level, then shuffle."""
        self.table.column(column)
        own, where = next((c, w) for c, w in self.coder.slices() if column in c.columns)
        masks = self._masks(condition) if condition else {}
        levels = self._levels(column, own.parts[0].size if len(own.parts) == 1 else 0, where.start)
        if where.start in masks:  # levels that the condition excludes have no share
            levels = [level for level in levels if masks[where.start][level]] or levels
        shares = np.full(len(levels), rows // len(levels))
        shares[: rows % len(levels)] += 1
        frames = []
        for i, (level, share) in enumerate(zip(levels, shares, strict=True)):
            mask = np.zeros(own.parts[0].size, bool)
            mask[level] = True
            allowed = {**masks, where.start: mask & masks.get(where.start, True)}
            if share:
                want = condition or Condition(f"{column} at one level")
                frames.append(self.conditional(int(share), want, _child(root, i), tick, allowed))
        order = np.random.default_rng(_child(root, len(levels))).permutation(rows)
        return pl.concat(frames)[order]

    def _levels(self, column: str, size: int, part: int) -> list[int]:
        missing = self.coder.parts[part].missing if size else -1
        levels = [code for code in range(size) if code != missing]
        if not 2 <= len(levels) <= _LEVELS_TO_BALANCE:
            raise UserError(f"Column {column!r} cannot be balanced: it has {len(levels)} levels, and between 2 and "
                            f"{_LEVELS_TO_BALANCE} are needed. Choose a category or a yes/no column.")
        return levels


def _child(root: np.random.SeedSequence, number: int) -> np.random.SeedSequence:
    """Return the child `number` of a seed without spawning those before it."""
    return np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, number))
