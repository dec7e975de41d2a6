"""Rows as they are learnt, and back: what is recomputed left out, dates as distances, smooth columns as innovations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from verisyn import shelves
from verisyn.constraints._rules import Ledger, Rules
from verisyn.kinds import BaseCoder
from verisyn.kinds import _dtypes as dtypes
from verisyn.modalities.sequence._carried import at_distance, carried, distance, is_offset, is_sticky, same
from verisyn.modalities.sequence._clock import Scale, Season
from verisyn.modalities.sequence._innovations import Innovations, enough, is_smooth, marks_of
from verisyn.modalities.sequence._past import Course
from verisyn.modalities.table._views import TableCoder
from verisyn.schema import Column, Table

if TYPE_CHECKING:
    from verisyn.modalities.sequence._history import Rows

_TIME_OF_DAY = "\0time of day"
_SAME = "\0same as before: "
_MOST_SMOOTH = 200


@dataclass(frozen=True)
class Learnt:
    """Rows as they are learnt.

    Parameters
    ----------
    frame : polars.DataFrame
        Of the columns of :attr:`Shape.table`.
    starts : int64 array of shape (entities + 1,)
    values : float64 array of shape (rows, smooth columns)
        Smooth columns as they are.
    units : int64 array of shape (rows,), optional
        Time.
    aimed : bool
        Whether means and ends of smooth columns are told.
    """

    frame: pl.DataFrame
    starts: np.ndarray
    values: np.ndarray
    units: np.ndarray | None
    aimed: bool = True

    @property
    def counts(self) -> np.ndarray:
        """Rows of each entity."""
        return np.diff(self.starts)

    @property
    def course(self) -> Course:
        """Where entities begin and end; 0 for one without rows."""
        if self.units is None:
            return Course(self.counts)
        some = self.counts > 0
        first, last = (np.zeros(len(some), np.int64) for _ in range(2))
        first[some] = self.units[self.starts[:-1][some]]
        last[some] = self.units[self.starts[1:][some] - 1]
        return Course(self.counts, first, last)

    @property
    def marks(self) -> np.ndarray:
        """What is known of smooth columns before an entity's rows, (entities, MARKS * columns)."""
        return marks_of(self.values, self.starts, self.aimed)


@dataclass(frozen=True)
class Shape:
    """How rows are turned into what is learnt.

    Parameters
    ----------
    whole : Table
        The rows' own columns, in order.
    table : Table
        What is learnt of them.
    time : Column, optional
    scale : Scale, optional
    season : Season, optional
    irregular : bool
        Whether gaps between rows vary.
    step : int
        The only gap of regular rows, the least gap of others, in units.
    last : int
        The last time that was seen, in units.
    daily : int
        Units in a day where the time of day is learnt as a column of its own, and `scale` counts days; else 0.
    offsets : mapping of str to data type
        Dates that are learnt as their distance from the row's time, in microseconds.
    sticky : tuple of str
        Columns of which it is learnt first whether they are as in the row before.
    smooth : tuple of str
    coders : tuple of BaseCoder
        Of the smooth columns as they are.
    innovations : Innovations, optional
    rules : Rules
    notes : tuple of str
    """

    whole: Table
    table: Table
    time: Column | None = None
    scale: Scale | None = None
    season: Season | None = None
    irregular: bool = False
    step: int = 1
    last: int = 0
    daily: int = 0
    offsets: dict[str, Any] = field(default_factory=dict)
    sticky: tuple[str, ...] = ()
    smooth: tuple[str, ...] = ()
    coders: tuple[BaseCoder, ...] = ()
    innovations: Innovations | None = None
    rules: Rules = field(default_factory=Rules)
    notes: tuple[str, ...] = ()

    @classmethod
    def learn(cls, rows: Rows, table: Table, time: Column | None, seed: np.random.SeedSequence, *, led: bool = False
              ) -> Self:
        """See what rows are like; with `led`, their times are not to be learnt."""
        clock = _Clock.learn(rows) if time is not None and rows.time is not None else None
        full, known = rows.frame, table
        if time is not None and rows.time is not None:
            full = full.with_columns(rows.time.alias(time.name))
            if time.name not in table.names:
                known = table.model_copy(update={"columns": (*table.columns, time)})
        rules = Rules.learn(full, known)
        if time is not None:
            rules = _keeping(rules, time.name)
        learnt = rules.learnt(known)
        helped = rules.help(full)
        columns = [c for c in learnt.columns if time is None or c.name != time.name]
        offsets = {}
        if time is not None and rows.time is not None:
            offsets = {c.name: dtypes.to_json(helped[c.name].dtype) for c in columns
                       if is_offset(helped[c.name], rows.time)}
        found = [] if len(columns) > _MOST_SMOOTH else [c for c in columns if c.name not in offsets]
        smooth, coders = [], []
        for column, child in zip(found, seed.spawn(len(found)), strict=True):
            if not helped[column.name].dtype.is_numeric():
                continue
            values = helped[column.name].cast(pl.Float64).fill_nan(None).fill_null(np.nan).to_numpy()
            if is_smooth(values, rows.starts):
                smooth.append(column.name)
                coders.append(shelves.kinds.take(column.kind).Coder.learn(helped.select(column.name), [column],
                                                                          np.random.default_rng(child)))
        keep = [i for i, c in enumerate(coders) if hasattr(c, "written")]
        smooth, coders = [smooth[i] for i in keep], [coders[i] for i in keep]
        sticky = tuple(c.name for c in columns if c.name not in smooth and c.name not in offsets
                       and is_sticky(helped[c.name], rows.starts))
        own = tuple(c.model_copy(update={"kind": "number", "dtype": "Float64", "settings": {}})
                    if c.name in smooth or c.name in offsets else c for c in columns)
        own = tuple(part for c in own for part in
                    ([Column(name=_SAME + c.name, kind="boolean", dtype="Boolean")] if c.name in sticky else []) + [c])
        if clock and clock.daily and not led:
            own = (Column(name=_TIME_OF_DAY, kind="number", dtype="Int64"), *own)
        timed = vars(clock) if clock else {}
        shape = cls(table, Table(name=table.name, columns=own, rows=table.rows), time, **timed, offsets=offsets,
                    sticky=sticky, smooth=tuple(smooth), coders=tuple(coders), rules=rules, notes=tuple(rules.said()))
        if not smooth:
            return shape
        before = shape._plain(rows)
        fitted = Innovations.learn(before.values, rows.starts, shape.phases(before.units, len(before.values)))
        said = (f"Learnt as changes from what the rows before let expect: {', '.join(map(repr, smooth[:8]))}"
                f"{' and others' if len(smooth) > 8 else ''}.",)
        return cls(**{**vars(shape), "innovations": fitted, "notes": (*shape.notes, *said)})

    def carriers(self, coder: TableCoder) -> list[tuple[int, int, slice]]:
        """Return for each sticky column the part that says whether it is as before, the code of yes, its own parts."""
        where = {c.columns[0]: (c, at) for c, at in coder.slices() if len(c.columns) == 1}
        found = []
        for name in self.sticky:
            if name in where:
                says, at = where[_SAME + name]
                yes = int(says.encode(pl.DataFrame({_SAME + name: [True]}))[0, 0])
                found.append((at.start, yes, where[name][1]))
        return found

    # -- there ------------------------------------------------------------------------------------------------------
    def forward(self, rows: Rows) -> Learnt:
        """Return rows as they are learnt."""
        plain = self._plain(rows)
        if self.innovations is None:
            return plain
        season = self.phases(plain.units, len(plain.values))
        apart = self.innovations.residuals(plain.values, plain.starts, season, plain.marks)
        frame = plain.frame.with_columns(pl.Series(name, apart[:, j]).fill_nan(None)
                                         for j, name in enumerate(self.smooth))
        return Learnt(frame, plain.starts, plain.values, plain.units, plain.aimed)

    def _plain(self, rows: Rows) -> Learnt:
        """Return rows with smooth columns as they are."""
        full = rows.frame
        if self.time is not None and rows.time is not None:
            full = full.with_columns(rows.time.alias(self.time.name))
        helped = self.rules.help(full)
        units, more = None, []
        if self.scale is not None and rows.time is not None:
            units = self.scale.units(rows.time)
            if self.daily:
                of_day = _fine(self.scale, self.daily).units(rows.time) - units * self.daily
                more.append(pl.Series(_TIME_OF_DAY, of_day, dtype=pl.Int64))
            more += [distance(helped[name], rows.time).alias(name) for name in self.offsets]
        more += [same(helped[name], rows.starts).alias(_SAME + name) for name in self.sticky]
        frame = helped.with_columns(more)
        values = np.empty((rows.frame.height, len(self.smooth)))
        for j, name in enumerate(self.smooth):
            values[:, j] = frame[name].cast(pl.Float64).to_numpy()
        frame = frame.with_columns(pl.col(name).cast(pl.Float64) for name in self.smooth)
        aimed = enough(rows.starts) if self.innovations is None else self.innovations.aimed
        return Learnt(frame.select(self.table.names), rows.starts, values, units, aimed)

    def phases(self, units: np.ndarray | None, rows: int) -> np.ndarray:
        """Return sines and cosines of the day, the week and the year, as far as they vary, float64 (rows, seasons)."""
        if units is None or self.season is None or self.scale is None or not self.season.names:
            return np.empty((rows, 0))
        seconds = self.scale.seconds(units)
        length = {"hour": 86400.0, "weekday": 7 * 86400.0, "month": 365.2425 * 86400.0}
        turns = [2 * np.pi * times * seconds / length[name] for name in self.season.names if name in length
                 for times in (1, 2)]
        return np.column_stack([wave(turn) for turn in turns for wave in (np.sin, np.cos)]) if turns else \
            np.empty((rows, 0))

    # -- and back ---------------------------------------------------------------------------------------------------
    def backward(self, drawn: pl.DataFrame, made: Learnt, rng: np.random.Generator, times: pl.Series | None = None
                 ) -> tuple[pl.DataFrame, pl.Series | None]:
        """Return rows and their times from what was drawn.

        Parameters
        ----------
        drawn : polars.DataFrame
            The decoded columns of :attr:`table`.
        made : Learnt
            Their values of smooth columns, times and starts; its frame is not read.
        rng : Generator
        times : polars.Series, optional
            Times that were given, rather than drawn.
        """
        written = [c.written(made.values[:, j]).alias(name)  # type: ignore[attr-defined]
                   for j, (name, c) in enumerate(zip(self.smooth, self.coders, strict=True))]
        frame, time = drawn.with_columns([*written, *(carried(drawn[name], drawn[_SAME + name], made.starts)
                                                      for name in self.sticky)]), None
        if self.scale is not None and made.units is not None:
            time = self._times(frame, made) if times is None else times
            back = [at_distance(frame[name], time, dtypes.from_json(dtype)).alias(name)
                    for name, dtype in self.offsets.items()]
            frame = frame.with_columns(back)
        if self.time is not None and time is not None:
            frame = frame.with_columns(time.alias(self.time.name))
        settled = self.rules.settle(frame, rng, ledger := Ledger())
        settled = self.rules.finish(settled, rng, ledger)
        return settled.select(self.whole.names), time

    def _times(self, frame: pl.DataFrame, made: Learnt) -> pl.Series:
        units = made.units
        if not self.daily or self.scale is None or units is None:
            return self.scale.times(units)  # type: ignore[union-attr, arg-type]
        fine = units * self.daily + np.clip(frame[_TIME_OF_DAY].fill_null(0).to_numpy(), 0, self.daily - 1)
        of = np.repeat(np.arange(len(made.counts)), made.counts)
        return _fine(self.scale, self.daily).times(fine[np.lexsort((fine, of))])

    # -- to and from disk -------------------------------------------------------------------------------------------
    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        return {"whole": self.whole.model_dump(mode="json"), "table": self.table.model_dump(mode="json"),
                "time": self.time and self.time.model_dump(mode="json"), "scale": self.scale and self.scale.state(),
                "season": list(self.season.names) if self.season else None, "irregular": self.irregular,
                "step": self.step, "last": self.last, "daily": self.daily, "offsets": self.offsets,
                "sticky": list(self.sticky), "smooth": list(self.smooth),
                "coders": [{"kind": c.kind, "columns": list(c.columns), "state": c.state()} for c in self.coders],
                "innovations": self.innovations and self.innovations.state(), "rules": self.rules.state()}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        scale = Scale(**state["scale"]) if state["scale"] else None
        coders = tuple(shelves.kinds.take(c["kind"]).Coder.restore(c["columns"], c["state"]) for c in state["coders"])
        return cls(Table.model_validate(state["whole"]), Table.model_validate(state["table"]),
                   Column.model_validate(state["time"]) if state["time"] else None, scale,
                   Season(scale, tuple(state["season"])) if scale and state["season"] is not None else None,
                   bool(state["irregular"]), int(state["step"]), int(state["last"]), int(state["daily"]),
                   dict(state["offsets"]), tuple(state["sticky"]),
                   tuple(state["smooth"]), coders,
                   Innovations(**state["innovations"]) if state["innovations"] else None,
                   Rules.restore(state["rules"]))


@dataclass(frozen=True)
class _Clock:
    scale: Scale
    season: Season
    irregular: bool
    step: int
    last: int
    daily: int

    @classmethod
    def learn(cls, rows: Rows) -> Self:
        """Find the unit of time, whether gaps vary, and whether the time of day stands by itself."""
        assert rows.time is not None
        scale = Scale.learn(rows.time)
        gaps = _gaps(scale.units(rows.time), rows.starts)
        some, daily = gaps[gaps > 0], 0
        if _has_time_of_day(scale, some):
            daily = int(scale.per_day)
            scale = _daily(scale, daily)
            gaps = _gaps(scale.units(rows.time), rows.starts)
        least = int(gaps.min()) if len(gaps) else 1
        irregular = bool(len(gaps)) and least != int(gaps.max())
        units = scale.units(rows.time)
        return cls(scale, Season.learn(scale, units), irregular, max(least, 0), int(units.max(initial=0)), daily)


def _has_time_of_day(scale: Scale, gaps: np.ndarray) -> bool:
    """Whether rows are days apart rather than hours, and yet at different times of the day."""
    if scale.per_day <= 1 or not float(scale.per_day).is_integer() or np.unique(gaps).size < 2:
        return False
    return bool(np.median(gaps) >= scale.per_day / 2 and np.mean(gaps % scale.per_day == 0) < 0.9)


def _gaps(units: np.ndarray, starts: np.ndarray) -> np.ndarray:
    within = np.ones(len(units), bool)
    within[starts[:-1][np.diff(starts) > 0]] = False
    return np.diff(units, prepend=units[:1])[within]


def _daily(scale: Scale, per_day: int) -> Scale:
    """The same time in days, which begin at midnight."""
    a_day = scale.step * per_day
    return Scale(scale.dtype, scale.origin // a_day * a_day, a_day, scale.decimals)


def _fine(scale: Scale, per_day: int) -> Scale:
    return Scale(scale.dtype, scale.origin, scale.step // per_day, scale.decimals)


def _keeping(rules: Rules, time: str) -> Rules:
    """The same rules; one that would recompute the time mends rows instead."""
    kept = tuple(rule.mending() if time in rule.derives else rule for rule in rules.rules)
    return Rules(kept, rules.kinds, rules.notes)
