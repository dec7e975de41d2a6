"""All constraints of a table, learnt: what is recomputed, what is mended, and at what cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn import shelves
from verisyn.constraints import BaseRule, _columns
from verisyn.errors import UserError, did_you_mean
from verisyn.schema import Table

_PASSES, _TOLD = 8, 2
"""Rounds in which rules settle what others unsettle; rules whose cost is told one by one."""


@dataclass
class Ledger:
    """What keeping the constraints cost: rows decoded, and how many of them each rule mended; threads may share it."""

    entries: list[tuple[int, Counter]] = field(default_factory=list)

    def add(self, rows: int, mended: dict[str, int]) -> None:
        """Book a block of rows."""
        self.entries.append((rows, Counter(mended)))

    @property
    def rows(self) -> int:
        """Rows decoded."""
        return sum(rows for rows, _ in self.entries)

    @property
    def mended(self) -> dict[str, int]:
        """Rows that each rule had to mend, by its sentence; those it had not are left out."""
        return dict(sum((mended for _, mended in self.entries), Counter()))

    def notes(self) -> list[str]:
        """Return a sentence for each rule that had to mend rows, the costliest first; small ones share the last."""
        each = sorted(self.mended.items(), key=lambda cost: -cost[1])
        shown = each if len(each) <= _TOLD + 1 else each[:_TOLD]
        told = [f"So that {sentence}, {count:,} of {self.rows:,} drawn rows were mended ({count / self.rows:.2%})."
                for sentence, count in shown]
        if rest := each[len(shown):]:
            told.append(f"So that {len(rest)} more constraints hold, at most {rest[0][1]:,} drawn rows were mended for "
                        f"each ({rest[0][1] / self.rows:.2%}).")
        return told


@dataclass(frozen=True)
class Rules:
    """The rules of a table, in the order of the schema."""

    rules: tuple[BaseRule, ...] = ()
    kinds: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def learn(cls, frame: pl.DataFrame, table: Table) -> Self:
        """Learn every constraint of `table` from training rows.

        A column is recomputed by one rule only, and only if what it is recomputed from is learnt, or recomputed before.

        Raises
        ------
        UserError
            If a constraint's settings or columns do not fit the data.
        """
        rules: list[BaseRule] = []
        notes: list[str] = []
        for constraint in table.constraints:
            rule = shelves.constraints.take(constraint.kind).Rule.learn(constraint, frame, table)
            taken = {c for r in rules for c in r.derives}
            if taken & set(rule.derives) or not _computable([*rules, rule]):
                rule = rule.mending()
            rules.append(rule)
            notes += _broken_by_data(rule, frame)
        return cls(tuple(rules), tuple(c.kind for c in table.constraints), tuple(notes))

    def said(self) -> list[str]:
        """Return what the report should say: what is recomputed, and what the data breaks."""
        free = "; ".join(rule.sentence for rule in self.rules if rule.derives)
        return [*([f"Recomputed rather than learnt, so right in every row at no cost: {free}."] if free else []),
                *self.notes]

    def help(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return `frame` with the helpers that are learnt in the place of recomputed columns."""
        for rule in self.rules:
            if rule.derives:
                frame = rule.help(frame)
        return frame

    def learnt(self, table: Table) -> Table:
        """Return the table of what is learnt: without the recomputed columns, with the helpers in their places."""
        helpers = {rule.derives[0]: rule.helpers for rule in self.rules if rule.derives}
        derived = {c for rule in self.rules for c in rule.derives}
        columns = [c for column in table.columns
                   for c in (helpers.get(column.name, ()) if column.name in derived else (column,))]
        return table.model_copy(update={"columns": tuple(columns)})

    def recomputed(self, table: Table) -> Table:
        """Return the table of what is recomputed."""
        derived = {c for rule in self.rules for c in rule.derives}
        return table.model_copy(update={"columns": tuple(c for c in table.columns if c.name in derived)})

    # -- after decoding ---------------------------------------------------------------------------------------------
    def settle(self, frame: pl.DataFrame, rng: np.random.Generator, ledger: Ledger | None = None) -> pl.DataFrame:
        """Recompute what was not learnt, and mend each row that breaks a rule.

        Mending for one rule may break another; so all take turns until every row keeps all, a few times at most. A row
        that rules which contradict one another still break is left for :meth:`finish`.
        """
        frame = self._derived(frame)
        of_rows = self._of_rows
        mended = {rule.sentence: np.zeros(frame.height, bool) for rule in of_rows}
        for _ in range(_PASSES):
            sound = True
            for rule in of_rows:
                broken = rule.broken(frame)
                if broken.any():
                    sound = False
                    mended[rule.sentence] |= broken
                    frame = _put(frame, broken, rule.mend(frame, broken, rng), rule.columns)
            if sound:
                break
        if ledger is not None:
            ledger.add(frame.height, {s: int(m.sum()) for s, m in mended.items() if m.any()})
        return frame

    def changed(self, frame: pl.DataFrame, columns: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
        """Return `frame` with some columns set: what is recomputed follows, the set columns stay as they are."""
        derived = {c for rule in self.rules for c in rule.derives}
        rest = self.help(frame).with_columns(columns.get_columns()).drop(derived)
        return self.settle(rest, rng).select(frame.columns).with_columns(columns.get_columns())

    def solved(self, frame: pl.DataFrame, may: Mapping[str, np.ndarray], drawn: pl.DataFrame | None = None
               ) -> pl.DataFrame:
        """Set cells that a rule can tell from the others of their row, where that breaks no rule.

        `may` says which cells of a column: those that were missing. `drawn` is the frame as the model drew it.
        """
        for rule in self.rules:
            for column in (c for c in rule.columns if c in may):
                told = rule.solved(frame, column, drawn)
                if told is None:
                    continue
                trial = frame.with_columns(told.alias(column))
                good = may[column] & told.is_not_null().to_numpy() & ~self.broken_rows(trial)
                frame = frame.with_columns(told.zip_with(pl.Series(good), frame[column]).alias(column))
        return frame

    def without(self, columns: Collection[str]) -> Rules:
        """Return the rules that do not speak of some columns."""
        kept = [(r, k) for r, k in zip(self.rules, self.kinds, strict=True) if not set(columns) & set(r.columns)]
        return replace(self, rules=tuple(r for r, _ in kept), kinds=tuple(k for _, k in kept))

    def finish(self, frame: pl.DataFrame, rng: np.random.Generator, ledger: Ledger | None = None) -> pl.DataFrame:
        """Keep the rules of the whole sample; a row that could not be settled becomes a copy of one that was.

        Raises
        ------
        UserError
            If no row keeps all the rules, or there are not enough values without repeats.
        """
        if ledger is None or ledger.mended:
            frame = self._copied_over(frame, rng)
        of_sample = [r for r in self.rules if r.whole]
        for _ in range(_PASSES if of_sample else 0):
            if not self.broken(frame).any():
                return frame
            for rule in of_sample:
                broken = rule.broken(frame)
                frame = _put(frame, broken, rule.mend(frame, broken, rng), rule.columns) if broken.any() else frame
                if ledger is not None and broken.any():
                    ledger.add(0, {rule.sentence: int(broken.sum())})
            frame = self.settle(frame, rng)
        if of_sample and self.broken(frame).any():
            raise UserError(f"{frame.height:,} rows that keep all constraints together could not be made: "
                            f"{self._at_odds(frame)}. Ask for fewer rows, or loosen one of these in the schema.")
        return frame

    def broken(self, frame: pl.DataFrame) -> np.ndarray:
        """Return whether each row breaks a rule."""
        return np.any([np.zeros(frame.height, bool), *(r.broken(frame) for r in self.rules)], axis=0)

    def broken_rows(self, frame: pl.DataFrame) -> np.ndarray:
        """Return whether each row breaks a rule that a row alone can break."""
        return replace(self, rules=tuple(self._of_rows)).broken(frame)

    @property
    def _of_rows(self) -> list[BaseRule]:
        """The rules that a row alone can break."""
        return [rule for rule in self.rules if not rule.whole]

    def _derived(self, frame: pl.DataFrame) -> pl.DataFrame:
        left = [r for r in self.rules if not set(r.derives) <= set(frame.columns)]
        while left:
            ready = [r for r in left if set(r.sources) <= set(frame.columns)]
            if not ready:
                break
            for rule in ready:
                frame = rule.derive(frame)
            left = [r for r in left if r not in ready]
        return frame

    def _copied_over(self, frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
        broken = self.broken_rows(frame)
        sound = np.flatnonzero(~broken)
        if not broken.any():
            return frame
        if not len(sound):
            raise UserError(f"No row could be made that keeps all constraints together; among these some contradict "
                            f"one another: {self._at_odds(frame)}. Loosen one of them in the schema, or ask for more "
                            "rows.")
        donors = frame[rng.choice(sound, int(broken.sum()))]
        return _put(frame, broken, donors, tuple(dict.fromkeys(c for r in self._of_rows for c in r.columns)))

    def _at_odds(self, frame: pl.DataFrame) -> str:
        """Name the rules that rows break, and those that share columns with them, for one of these is in the way."""
        columns = {c for rule in self.rules if rule.broken(frame).any() for c in rule.columns}
        return "; ".join(dict.fromkeys(rule.sentence for rule in self.rules if columns & set(rule.columns)))

    # -- to and from disk -------------------------------------------------------------------------------------------
    def state(self) -> list[dict[str, Any]]:
        """Return JSON values."""
        return [{"kind": kind, "state": rule.state()} for kind, rule in zip(self.kinds, self.rules, strict=True)]

    @classmethod
    def restore(cls, state: Sequence[dict[str, Any]]) -> Self:
        """Rebuild from `state`."""
        rules = tuple(shelves.constraints.take(s["kind"]).Rule.restore(s["state"]) for s in state)
        return cls(rules, tuple(s["kind"] for s in state))


def _computable(rules: Sequence[BaseRule]) -> bool:
    """Whether every recomputed column has sources that are learnt, or recomputed from such."""
    waiting = [r for r in rules if r.derives]
    helpers = {c.name for r in waiting for c in r.helpers}
    missing = {c for r in waiting for c in r.derives}
    while waiting:
        ready = [r for r in waiting if not missing & (set(r.sources) - helpers)]
        if not ready:
            return False
        missing -= {c for r in ready for c in r.derives}
        waiting = [r for r in waiting if r not in ready]
    return True


def _broken_by_data(rule: BaseRule, frame: pl.DataFrame) -> list[str]:
    broken = rule.broken(frame)
    if not broken.any():
        return []
    return [f"The schema states that {rule.sentence}, which {int(broken.sum()):,} of {frame.height:,} rows of the data "
            f"break (the first is row {int(broken.argmax()) + 1:,}); every synthetic row keeps it all the same."]


def _put(frame: pl.DataFrame, where: np.ndarray, rows: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Return `frame` with the columns of some rows replaced."""
    index = np.arange(frame.height)
    index[where] = frame.height + np.arange(rows.height)
    return frame.with_columns(pl.concat([frame[c], rows[c]]).gather(index) for c in columns)


def standing(table: Table, have: Sequence[str]) -> Table:
    """Return `table` with the constraints that still stand.

    One on a column that the data has but the schema leaves out goes with it, or goes on about its other columns, where
    it speaks of each apart.

    Raises
    ------
    UserError
        If a constraint is of an unknown kind, on a column that the data lacks too, or names one twice.
    """
    kept = []
    for constraint in table.constraints:
        module = shelves.constraints.take(constraint.kind)
        unknown = [c for c in constraint.columns if c not in have]
        if unknown:
            raise UserError(f"The constraint {constraint.kind!r} on {_columns.spoken(constraint.columns)} names "
                            f"{unknown[0]!r}, which the data lacks. {did_you_mean(unknown[0], table.names)} Correct "
                            "the constraint, or take it out.")
        if len(set(constraint.columns)) < len(constraint.columns):
            raise UserError(f"The constraint {constraint.kind!r} on {_columns.spoken(constraint.columns)} names a "
                            "column twice. Correct the constraint, or take it out.")
        left = tuple(c for c in constraint.columns if c in table.names)
        if len(left) >= getattr(module, "shrinks_to", len(constraint.columns)):
            kept.append(constraint.model_copy(update={"columns": left}))
    return table.model_copy(update={"constraints": tuple(kept)})
