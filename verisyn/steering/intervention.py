"""What if: a column is set in its turn, and only its effects respond, or where no causes are known all drawn after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from verisyn.constraints._rules import Ledger
from verisyn.drawing import BLOCK, Batch, Drawing, Source, child
from verisyn.errors import UserError, listed
from verisyn.modalities.table import Allowed
from verisyn.modalities.table._views import TableCoder
from verisyn.steering.reach import Reach, columns_in_order
from verisyn.steering.settings import Setting, setting_of
from verisyn.steering.support import ENOUGH, Support, support_of

if TYPE_CHECKING:
    from verisyn.findings import Finding

Do = Mapping[str, Any]
"""Columns, each with a value, None for missing, or a change such as ``"+1"``, ``"-10%"``, ``"*1.1"``, ``"+1pp"``,
``"+30d"`` (a date; ``y``, ``mo``, ``w``, ``d``, ``h``, ``m``, ``s``)."""

Say = Callable[[str, bool], None]

_LOOKED_AT = 5_000


@dataclass(frozen=True)
class Known:
    """Rows as they are, before anything is set: their codes and values."""

    codes: np.ndarray
    frame: pl.DataFrame

    def values(self, setting: Setting, fresh: np.ndarray, codes: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
        """Return the columns of a setting's coder, anew where they responded to another setting already."""
        known = self.frame.select(setting.coder.columns)
        if not fresh.any():
            return known
        index = np.arange(len(fresh)) + len(fresh) * fresh
        return pl.concat([known, setting.drawn(codes, rng).select(known.columns)])[index]


@dataclass(frozen=True)
class Drawn:
    """Rows in which the columns are set; `before` holds the codes that a changed column had."""

    codes: np.ndarray
    log_weight: np.ndarray
    settled: pl.DataFrame
    before: dict[str, np.ndarray]


@dataclass(frozen=True)
class Intervention:
    """Columns that are set: the truncated factorisation of the chain (Pearl 2009, section 3.2).

    Where causes are known, a row is drawn as it is, the column is set, and only its effects are drawn anew. Else
    columns before a set column are drawn as usual and do not respond, and columns after it are drawn given what was
    set: that is the effect of a cause as far as the chain's order happens to follow the causes.

    `kept` holds what was found when :meth:`tell` last looked at a model.
    """

    settings: tuple[Setting, ...]
    kept: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def columns(self) -> frozenset[str]:
        """The columns that are set."""
        return frozenset(s.column for s in self.settings)

    @classmethod
    def read(cls, do: Do, coder: TableCoder) -> Intervention:
        """Check columns and values.

        Raises
        ------
        UserError
            If a column is unknown or not drawn, a value does not fit it or is one the model never saw.
        """
        if not isinstance(do, Mapping) or not do:
            raise UserError(f"do is {do!r}, but a mapping is expected, such as {{'smoker': 'no', 'rate': '+1'}}.")
        return cls(tuple(setting_of(column, wish, coder) for column, wish in do.items()))

    def reach(self, drawing: Drawing) -> Reach:
        """Return which columns respond."""
        return Reach.of_settings(self.settings, drawing)

    # -- drawing ----------------------------------------------------------------------------------------------------
    def source(self, drawing: Drawing, allowed: Allowed) -> Source:
        """Draw rows in which the columns are set; `allowed` restricts the others."""
        own = {part for s in self.settings for part in s.parts}
        rest = {part: mask for part, mask in allowed.items() if part not in own}

        def source(rows: int, rng: np.random.Generator) -> Batch:
            drawn = self._draw(drawing, rows, rng, rest)
            return Batch(drawn.codes, drawn.log_weight, drawn.settled)

        return source

    def pair(self, rows: int, drawing: Drawing, root: np.random.SeedSequence, tick: Any = lambda done: None
             ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return rows as the model draws them by itself from this seed, and the same rows with the columns set.

        Row by row, what does not respond is the same in both; a row that is set to what it was already is the same as a
        whole. Needs causes (see :meth:`reach`).
        """
        reach, plain = self.reach(drawing), replace(drawing, ledger=Ledger())

        def block(start: int) -> tuple[pl.DataFrame, pl.DataFrame]:
            draw, decode, anew = child(root, start // BLOCK).spawn(3)
            codes, _ = drawing.fitted.sample(min(BLOCK, rows - start), np.random.default_rng(draw))
            before = plain.decode(codes, decode, start)
            drawn = self._draw(drawing, len(codes), np.random.default_rng(anew), {}, Known(codes, before))
            held = before.select(self.held(reach, drawing.coder)).get_columns()
            after = drawing.decode(drawn.codes, decode, start, pl.DataFrame([*held, *drawn.settled.get_columns()]))
            return before, _where_changed(before, after, self.columns)

        pairs = []
        with ThreadPoolExecutor(drawing.jobs) as pool:
            for pair in pool.map(block, range(0, rows, BLOCK)):
                pairs.append(pair)
                tick(pair[0].height)
        before, after = (pl.concat(side) for side in zip(*pairs, strict=True))
        held = self.held(reach, drawing.coder)
        before = plain.finish(before, root)
        after = drawing.finish(after, root, {*self.columns, *held})
        return before, after.with_columns(before.select(held).get_columns())

    def sample(self, rows: int, drawing: Drawing, root: np.random.SeedSequence, tick: Any, say: Say) -> pl.DataFrame:
        """Return rows with the columns set, those of :meth:`pair`, and say what is to be said."""
        self.tell(drawing, say)
        _, after = self.pair(rows, drawing, root, tick)
        self.tell_overruled(after, drawing, say)
        return after

    def held(self, reach: Reach, coder: TableCoder) -> list[str]:
        """Return the columns that stay as they are; those that are learnt together with a set column go with it."""
        moved = {*reach.columns(coder), *(name for s in self.settings for name in s.coder.columns)}
        return [name for name in coder.columns if name not in moved]

    def _draw(self, drawing: Drawing, rows: int, rng: np.random.Generator, allowed: Allowed,
              known: Known | None = None) -> Drawn:
        """Draw rows in the chain's order, set what is set in its turn; weigh what `allowed` restricts."""
        reach, fitted = self.reach(drawing), drawing.fitted
        turn = {part: turn for turn, part in enumerate(fitted.order)}
        responding = {s.column: reach.parts(drawing.coder, s.column) for s in self.settings}
        able = {**allowed, **{part: mask for s in self.settings for part, mask in s.allowed.items()}}
        codes, log_weight = np.full((rows, len(fitted.parts)), -1, np.int32), np.zeros(rows)
        if known:
            codes = np.array(known.codes)
        elif reach.causal:
            anew = {part for parts in responding.values() for part in parts}
            codes, log_weight = fitted.sample(rows, rng, {p: m for p, m in allowed.items() if p not in anew})
        settled: dict[str, pl.Series] = {}
        before: dict[str, np.ndarray] = {}

        def fill(last: int) -> None:
            if not (codes < 0).any():
                return
            drawn, log_p = fitted.complete(codes, rng, able)
            for part in [part for part in turn if turn[part] <= last and (codes[:, part] < 0).any()]:
                log_weight[:] += log_p[:, part] if part in allowed else 0
                codes[:, part] = drawn[:, part]

        for s in sorted(self.settings, key=lambda s: min(turn[part] for part in s.parts)):
            fresh = np.any(codes[:, s.where] < 0, axis=1)
            if s.changes and fresh.any() and not s.allowed:
                fill(max(turn[part] for part in s.parts))
            own = before[s.column] = np.maximum(codes[:, s.where], 0)
            values = known.values(s, fresh, own, rng) if known else None if s.allowed else s.drawn(own, rng)
            new = s.applied(values) if values is not None else None
            moved = np.ones(rows, bool)
            if known and values is not None and new is not None:
                moved = fresh | values[s.column].ne_missing(new[s.column]).to_numpy()
            if s.allowed or new is None:
                _blank(codes, moved, s.parts)
            else:
                codes[moved, s.where] = s.coder.encode(new)[moved]
                of_its_own = [n for n in new.columns if n not in s.coder.recomputed] if known else [s.column]
                settled |= {name: new[name] for name in of_its_own}
            if reach.causal:
                _blank(codes, moved, responding[s.column])
        fill(len(turn))
        return Drawn(codes, log_weight, pl.DataFrame(settled), before)

    # -- what is to be said -----------------------------------------------------------------------------------------
    def look(self, drawing: Drawing) -> tuple[Reach, list[Support]]:
        """Return who responds, and in which share of rows the model has seen the like of what is set; kept."""
        rng = np.random.default_rng(drawing.seed)
        drawn, reach = self._draw(drawing, _LOOKED_AT, rng, {}), self.reach(drawing)
        usual = drawing.blocks(_LOOKED_AT, np.random.SeedSequence(drawing.seed))
        supports = [support_of(s, drawn.codes, drawn.before.get(s.column), drawn.settled, usual, drawing)
                    for s in self.settings]
        self.kept.update(reach=reach, supports=supports, drawing=drawing)
        return reach, supports

    def tell(self, drawing: Drawing, say: Say) -> None:
        """Say which columns respond and, as an alarm, where the intervention leaves what the model has seen."""
        reach, supports = self.look(drawing)
        for setting, support in zip(self.settings, supports, strict=True):
            say(_responding(setting, reach, drawing), reach.causal and not reach.of[setting.column])
            for found in support.said:
                say(found, support.supported < ENOUGH)
            say(support.rests_on, False)

    def tell_overruled(self, frame: pl.DataFrame, drawing: Drawing, say: Say) -> None:
        """Say, as an alarm, in which share of rows a constraint gave way to what was set, or to what stayed."""
        reach = self.reach(drawing)
        held = self.held(reach, drawing.coder) if reach.causal else ()
        for rule in drawing.coder.rules.rules:
            share = float(rule.broken(frame).mean()) if {*self.columns, *held} & set(rule.columns) else 0.0
            if share:
                say(f"In {share:.1%} of rows it does not hold that {rule.sentence}: what do sets overrules it.", True)

    def finding(self, before: pl.DataFrame, after: pl.DataFrame, drawing: Drawing | None = None,
                learnt: int | None = None, again: tuple[pl.DataFrame, pl.DataFrame] | None = None) -> Finding:
        """Hold rows with the columns set beside rows without: what changes, and how far the model can tell.

        Parameters
        ----------
        before, after : DataFrame
            Rows of one model; where it knows causes and they are of one seed, they are compared pair by pair.
        drawing : Drawing, optional
            The model; by default that of which :meth:`tell` spoke last.
        learnt : int, optional
            Rows that the model learnt from; by default those of its schema.
        again : (DataFrame, DataFrame), optional
            Such rows before and after from a model fitted to this one's own rows: how far its effects are from this
            one's says what the model smooths away.
        """
        from verisyn.steering.consequences import finding

        if drawing is not None:
            self.look(drawing)
        if "drawing" not in self.kept:
            raise ValueError("the finding needs a model: give drawing, or call tell() first")
        known = self.kept["drawing"]
        return finding(self, before, after, known.coder, known.table.rows if learnt is None else learnt, again)


def _blank(codes: np.ndarray, rows: np.ndarray, parts: list[int]) -> None:
    """Take the codes of some parts out of some rows, so that they are drawn anew."""
    codes[np.ix_(np.flatnonzero(rows), np.array(parts, np.int64))] = -1


def _where_changed(before: pl.DataFrame, after: pl.DataFrame, columns: frozenset[str]) -> pl.DataFrame:
    """Return `after`, but rows in which nothing was changed as they were before."""
    changed = np.any([before[c].ne_missing(after[c]).to_numpy() for c in sorted(columns)], axis=0)
    index = np.arange(before.height) + before.height * changed
    return pl.concat([before, after.select(before.columns)])[index]


def _responding(setting: Setting, reach: Reach, drawing: Drawing) -> str:
    after = reach.columns(drawing.coder, setting.column)
    if not reach.causal:
        order = columns_in_order(drawing)
        at = order.index(setting.column)
        later = [name for name in order[at + 1:] if name in after]
        return (f"{setting}. Columns drawn after it respond: {listed(later)}. Columns drawn before it "
                f"do not: {listed(order[:at])}. This is an effect only as far as the order follows the causes.")
    others = [name for name in setting.coder.columns if name != setting.column]
    along = f" Learnt together with it, and so changed with it: {listed(others)}." if others else ""
    if not after:
        why = "the causes do not name it" if setting.column in reach.unnamed else "it is a cause of none"
        return f"{setting}.{along} No {'other ' if others else ''}column responds: {why}."
    rest = [n for n in drawing.coder.columns if n not in after and n not in setting.coder.columns]
    return (f"{setting}.{along} By the causes given, these respond: {listed(after)}. These stay as they are: "
            f"{listed(rest)}. This is an effect only as far as the causes are right and leave no common cause out.")
