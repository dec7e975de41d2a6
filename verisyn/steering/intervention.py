"""What if: a column is set in its turn, and only the columns drawn after it respond."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any

import numpy as np
import polars as pl

from verisyn.conditions import allowed_codes, parse, typed
from verisyn.drawing import Batch, Drawing, Source
from verisyn.errors import UserError, did_you_mean
from verisyn.kinds import BaseCoder, Draw, Feature
from verisyn.modalities.table import Allowed
from verisyn.modalities.table._views import TableCoder
from verisyn.steering.changes import Change, Delay, change_of

Do = Mapping[str, Any]
"""Columns, each with a value, None for missing, or a change such as ``"+1"``, ``"-10%"``, ``"*1.1"``, ``"+1pp"``,
``"+30d"`` (a date; ``y``, ``mo``, ``w``, ``d``, ``h``, ``m``, ``s``)."""

_LOOKED_AT = 5_000
_SLIM = 0.01


@dataclass(frozen=True)
class Setting:
    """One column of an intervention: its coder, where its parts are, and the value or change.

    A column that is recomputed from another is set through that one: `allowed` says by which of its codes.
    """

    column: str
    coder: BaseCoder
    where: slice
    wish: Any
    allowed: Allowed = field(default_factory=dict)

    @property
    def parts(self) -> list[int]:
        """The column's parts."""
        return list(range(self.where.start, self.where.stop))

    def apply(self, codes: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
        """Return the values of the coder's columns, this one set or changed."""
        drawn = self.coder.decode(codes, Draw(rng, rng.integers(0, 2**62, len(codes))))
        own = drawn[self.column]
        if isinstance(self.wish, Change | Delay):
            return drawn.with_columns(self.wish.of(own))
        return drawn.with_columns(pl.lit(self.wish, dtype=own.dtype).alias(self.column))

    @property
    def changes(self) -> bool:
        """Whether what is set depends on what would have been drawn."""
        return isinstance(self.wish, Change | Delay) or len(self.coder.columns) > 1


@dataclass(frozen=True)
class Intervention:
    """Columns that are set: the truncated factorisation of the chain (Pearl 2009, section 3.2).

    Columns before a set column are drawn as usual and do not respond to it; columns after it are drawn given the value
    that was set. That is the effect of the cause where the chain's order follows the causes; elsewhere it is what the
    chain says and no more.
    """

    settings: tuple[Setting, ...]

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
        if not isinstance(do, Mapping):
            raise UserError(f"do is {do!r}, but a mapping is expected, such as {{'smoker': 'no', 'rate': '+1'}}.")
        return cls(tuple(_setting(column, wish, coder) for column, wish in do.items()))

    def source(self, drawing: Drawing, allowed: Allowed) -> Source:
        """Draw rows in which the columns are set; `allowed` restricts the others."""
        own = {part for s in self.settings for part in s.parts}
        rest = {part: mask for part, mask in allowed.items() if part not in own}

        def source(rows: int, rng: np.random.Generator) -> Batch:
            codes, log_p, settled = self._draw(drawing, rows, rng, rest)
            return Batch(codes, log_p[:, sorted(rest)].sum(axis=1), settled)

        return source

    def _draw(self, drawing: Drawing, rows: int, rng: np.random.Generator,
              allowed: Allowed) -> tuple[np.ndarray, np.ndarray, pl.DataFrame]:
        fitted, settled = drawing.fitted, {}
        turn = {part: turn for turn, part in enumerate(fitted.order)}
        codes = np.full((rows, len(fitted.parts)), -1, np.int32)
        allowed = {**allowed, **{part: mask for s in self.settings for part, mask in s.allowed.items()}}
        direct = [s for s in self.settings if not s.allowed]
        for s in sorted(direct, key=lambda s: min(turn[part] for part in s.parts)):
            own = np.zeros((rows, len(s.parts)), np.int32)
            if s.changes:
                drawn, _ = fitted.complete(codes, rng, allowed)
                before = [part for part in turn if turn[part] <= max(turn[p] for p in s.parts)]
                codes[:, before] = drawn[:, before]
                own = codes[:, s.where]
            new = s.apply(own, rng)
            codes[:, s.where] = s.coder.encode(new)
            settled[s.column] = new[s.column]
        return *fitted.complete(codes, rng, allowed), pl.DataFrame(settled)

    def tell(self, drawing: Drawing, say: Callable[[str, bool], None]) -> None:
        """Say which columns respond and, as an alarm, where the intervention leaves what the model has seen."""
        rng = np.random.default_rng(drawing.seed)
        _, log_p, settled = self._draw(drawing, _LOOKED_AT, rng, {})
        usual = drawing.blocks(_LOOKED_AT, np.random.SeedSequence(drawing.seed))
        for setting in self.settings:
            say(_responding(setting, drawing), False)
            if alarm := _support(setting, log_p, settled, usual):
                say(alarm, True)


    def tell_overruled(self, frame: pl.DataFrame, drawing: Drawing, say: Callable[[str, bool], None]) -> None:
        """Say, as an alarm, in which share of rows a constraint gave way to what was set."""
        for rule in drawing.coder.rules.rules:
            share = float(rule.broken(frame).mean()) if self.columns & set(rule.columns) else 0.0
            if share:
                say(f"In {share:.1%} of rows it does not hold that {rule.sentence}: what do sets overrules it.", True)


def _setting(column: str, wish: Any, coder: TableCoder) -> Setting:
    own, where = next(((c, w) for c, w in coder.slices() if column in c.columns), (None, slice(0)))
    if own is None:
        raise UserError(f"do names the column {column!r}, which is not there. {did_you_mean(column, coder.columns)}")
    if column in own.recomputed:
        return _through_its_source(column, wish, own, where, coder)
    if not own.learnt or (wish is not None and all(p.size - (p.missing >= 0) < 2 for p in own.parts)):
        raise UserError(f"do cannot set the column {column!r}: nothing responds to it, because the model learnt "
                        "nothing of its values. Change that column after sampling instead.")
    values = _decoded(own)[column]
    if change := change_of(wish, values):
        return Setting(column, own, where, change)
    value = typed(wish.isoformat() if isinstance(wish, date | time) else wish, values.dtype)
    _check(column, value, own, values.dtype)
    return Setting(column, own, where, value)


def _decoded(coder: BaseCoder) -> pl.DataFrame:
    """A row for each code of the coder's first part, for types and sizes."""
    codes = np.zeros((coder.parts[0].size, len(coder.parts)), np.int32)
    codes[:, 0] = np.arange(len(codes))
    return coder.decode(codes, Draw(np.random.default_rng(0), np.zeros(len(codes), np.int64)))


def _through_its_source(column: str, wish: Any, own: BaseCoder, where: slice, coder: TableCoder) -> Setting:
    """Set a recomputed column by the codes of its source that give the value."""
    allowed: Allowed = {}
    if not own.needs and not change_of(wish, _decoded(own)[column]):
        allowed = allowed_codes(parse({column: wish}, coder.columns), coder, np.random.default_rng(0))
    if not any(mask.any() for mask in allowed.values()):
        others = [name for name in own.columns if name not in own.recomputed] + list(own.needs)
        raise UserError(f"do cannot set {column!r} to {wish!r}: it is recomputed from {_listed(others)}, and no value "
                        "there is known to give that. Set those columns instead.")
    return Setting(column, own, where, wish, allowed)


def _check(column: str, value: Any, coder: BaseCoder, dtype: pl.DataType) -> None:
    """Refuse a value of another type, a level that the model never saw, missing where nothing was."""
    try:
        series = pl.Series(column, [value], dtype=dtype)
    except (TypeError, pl.exceptions.PolarsError):
        raise UserError(f"do sets {column!r} to {value!r}, which is no value of that column ({dtype}).") from None
    if value is None:
        if all(part.missing < 0 for part in coder.parts):
            raise UserError(f"do sets {column!r} to missing, but the model never saw it missing, so how the other "
                            "columns would respond is not known.")
        return
    if len(coder.columns) > 1:
        return
    feature = coder.features(series.to_frame())[0]
    if feature.levels and feature.values[0] >= len(feature.labels):
        raise UserError(f"do sets {column!r} to {value!r}, a level that the model does not know, so how the other "
                        f"columns would respond is not known. {did_you_mean(str(value), feature.labels)}")


def _responding(setting: Setting, drawing: Drawing) -> str:
    order = columns_in_order(drawing)
    at = order.index(setting.column)
    after, before = order[at + 1:], order[:at]
    wish = f"changed by {setting.wish}" if isinstance(setting.wish, Change | Delay) else f"set to {setting.wish!r}"
    return (f"{setting.column!r} is {wish}. Columns drawn after it respond: {_listed(after)}. Columns drawn before it "
            f"do not: {_listed(before)}. This is an effect only as far as the order follows the causes.")


def _support(setting: Setting, log_p: np.ndarray, settled: pl.DataFrame, usual: pl.DataFrame) -> str:
    """Say in which share of rows the model has hardly seen what is set."""
    feature, known = (_feature(setting, frame) for frame in (usual.with_columns(settled.get_columns()), usual))
    if feature.levels or setting.wish is None:
        slim = float((log_p[:, setting.where.start] < np.log(_SLIM)).mean())
        return (f"In {slim:.1%} of rows the model gives {setting.column!r} such a value a chance of less than "
                f"{_SLIM:.0%}, given the columns before it: how the others respond there is extrapolated."
                ) if slim > 0 else ""
    usually = known.values[np.isfinite(known.values)]
    low, high = usually.min(initial=np.inf), usually.max(initial=-np.inf)
    outside = float(((feature.values < low) | (feature.values > high)).mean())
    inside = usual[setting.column].drop_nulls().sort()
    ends = " to ".join(map(str, (inside.first(), inside.last())))
    return (f"In {outside:.1%} of rows {setting.column!r} leaves the range that the model draws ({ends}): the others "
            "respond as to the end of that range.") if outside > 0 else ""


def _feature(setting: Setting, frame: pl.DataFrame) -> Feature:
    """The set column among those of its coder."""
    found = setting.coder.features(frame)
    return next((f for f in found if f.name == setting.column), found[0])


def columns_in_order(drawing: Drawing) -> list[str]:
    """Return the columns in the order in which they are drawn; those without parts come last."""
    turn = {part: turn for turn, part in enumerate(drawing.fitted.order)}
    first = {name: min((turn[part] for part in range(where.start, where.stop)), default=len(turn))
             for coder, where in drawing.coder.slices() for name in coder.columns}
    return sorted(first, key=lambda name: first[name])


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:8]))
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown or "none"
