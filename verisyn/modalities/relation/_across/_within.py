"""A table's own constraints that speak of columns which other tables settle: computed, or mended, after these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from verisyn import shelves
from verisyn.constraints import BaseRule
from verisyn.schema import Table

_PASSES = 4


@dataclass(frozen=True)
class Within:
    """The rules of one table that speak of columns set from other tables.

    Parameters
    ----------
    table : str
    derive : tuple of BaseRule
        Those that compute another column from them, in turn.
    mend : tuple of BaseRule
        Those whose rows are mended, by columns that no other table sets.
    settled : frozenset of str
        The columns that are set: from other tables, and by `derive`.
    kinds : mapping of str to str
        The kind of each rule, by its sentence.
    """

    table: str
    derive: tuple[BaseRule, ...]
    mend: tuple[BaseRule, ...]
    settled: frozenset[str]
    kinds: Mapping[str, str]

    @classmethod
    def learn(cls, frame: pl.DataFrame, table: Table, settled: Sequence[str]) -> Within | None:
        """Learn those constraints of `table` that speak of `settled` columns; None if there are none."""
        done, derive, mend, kinds = set(settled), [], [], {}
        for constraint in table.constraints:
            if not set(constraint.columns) & done:
                continue
            rule = shelves.constraints.take(constraint.kind).Rule.learn(constraint, frame, table)
            kinds[rule.sentence] = constraint.kind
            free = not rule.helpers and set(rule.sources) <= set(frame.columns) and not set(rule.derives) & done
            if rule.derives and free and not rule.broken(frame).any():
                derive.append(rule)
                done |= set(rule.derives)
            elif not rule.whole:
                mend.append(rule.mending())
        return cls(table.name, tuple(derive), tuple(mend), frozenset(done), kinds) if kinds else None

    def derived(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the table with what its own rules compute from the settled columns."""
        for rule in self.derive:
            if set(rule.sources) <= set(frame.columns):
                frame = rule.derive(frame)
        return frame

    def mended(self, frame: pl.DataFrame, rng: np.random.Generator) -> tuple[pl.DataFrame, dict[str, int]]:
        """Return the table with its other rules holding too, and how many rows each mended."""
        cost: dict[str, np.ndarray] = {}
        for _ in range(_PASSES):
            sound = True
            for rule in (r for r in self.mend if set(r.columns) <= set(frame.columns)):
                broken = rule.broken(frame)
                if broken.any():
                    sound = False
                    cost[rule.sentence] = cost.get(rule.sentence, np.zeros(frame.height, bool)) | broken
                    frame = self._mended(frame, rule, broken, rng)
            if sound:
                break
        return frame, {s: int(rows.sum()) for s, rows in cost.items()}

    def _mended(self, frame: pl.DataFrame, rule: BaseRule, broken: np.ndarray, rng: np.random.Generator
                ) -> pl.DataFrame:
        """Mend rows, by the columns that are not settled."""
        free = [c for c in rule.columns if c not in self.settled]
        if not free:
            return frame
        rows = rule.mend(frame, broken, rng)
        index = np.arange(frame.height)
        index[broken] = frame.height + np.arange(rows.height)
        return frame.with_columns(pl.concat([frame[c], rows[c]]).gather(index) for c in free)

    def state(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"table": self.table, "settled": sorted(self.settled),
                **{part: [{"kind": self.kinds[r.sentence], "state": r.state()} for r in getattr(self, part)]
                   for part in ("derive", "mend")}}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Within:
        """Rebuild from `state`."""
        rules = {part: tuple(shelves.constraints.take(s["kind"]).Rule.restore(s["state"]) for s in state[part])
                 for part in ("derive", "mend")}
        kinds = {r.sentence: s["kind"] for part in rules for r, s in zip(rules[part], state[part], strict=True)}
        return cls(state["table"], rules["derive"], rules["mend"], frozenset(state["settled"]), kinds)
