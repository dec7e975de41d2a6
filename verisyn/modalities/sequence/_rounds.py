"""Going through entities round by round: over rows that are there, to tell what was before each, or to draw them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from verisyn._runs import pieces, starts_of
from verisyn.kinds import BaseCoder, Draw
from verisyn.modalities.sequence._innovations import TERMS, aims, begun, pushed
from verisyn.modalities.sequence._past import Course, Memory, Past, by_length, rounds
from verisyn.modalities.sequence._shape import Learnt, Shape
from verisyn.modalities.table import Allowed
from verisyn.modalities.table._conditional import Conditional

_DRAWS = 64
_TRIES = 16


@dataclass(frozen=True)
class Given:
    """Rows that are there, as codes.

    Parameters
    ----------
    codes : int32 array of shape (rows, parts)
    values : float64 array of shape (rows, smooth columns)
    units : int64 array of shape (rows,), optional
    starts : int64 array of shape (entities + 1,)
    course : Course
        Of whole entities; where these are only their first rows, they have more.
    """

    codes: np.ndarray
    values: np.ndarray
    units: np.ndarray | None
    starts: np.ndarray
    course: Course

    @property
    def counts(self) -> np.ndarray:
        """Rows of each entity that are there."""
        return np.diff(self.starts)

    def take(self, entities: np.ndarray) -> Given:
        """Return these entities, in this order."""
        at, ends = pieces(self.starts[:-1][entities], self.counts[entities])
        return Given(np.asfortranarray(self.codes[at]), self.values[at], None if self.units is None else self.units[at],
                     ends, self.course.take(entities))

    def course_of(self, drawn: Course, entities: np.ndarray) -> Course:
        """Return drawn courses, with the start of those of `entities` that have rows; their spans stay."""
        if drawn.start is None or drawn.end is None or self.course.start is None or self.units is None:
            return drawn
        has = self.counts[entities] > 0
        start = np.where(has, self.course.start[entities], drawn.start)
        last = np.where(has, self.units[np.maximum(self.starts[1:][entities] - 1, 0)], start)
        return Course(drawn.counts, start, np.maximum(start + drawn.end - drawn.start, last))

    def marks_of(self, drawn: np.ndarray) -> np.ndarray:
        """Return the marks of smooth columns, the first values those of rows that are there."""
        out, has = drawn.copy(), self.counts > 0
        out[has, :self.values.shape[1]] = self.values[self.starts[:-1][has]]
        return out


@dataclass(frozen=True)
class Led:
    """What is known of each row before it is drawn: when it is, and codes that stand beside it.

    Parameters
    ----------
    codes : int32 array of shape (rows, parts)
    units : int64 array of shape (rows,), optional
        Its time; not where rows have none.
    """

    codes: np.ndarray
    units: np.ndarray | None


def teach(past: Past, given: Given, told: np.ndarray, *, moved: bool, beside: np.ndarray | None = None
          ) -> np.ndarray:
    """Return what is told of each row that is there: of its entity, and of the rows before it.

    Parameters
    ----------
    past : Past
    given : Given
    told : int32 array of shape (entities, parts)
        What is told of the entities.
    moved : bool
        Whether the row's own time is known; without it, the context is that of the gap before the row.
    beside : int32 array of shape (rows, parts), optional
        What else is told of each row.

    Returns
    -------
    int32 array of shape (rows, told parts + past parts + parts beside), Fortran order
    """
    order = by_length(given.counts)
    memory = Memory(past, given.course.take(order), given.values.shape[1])
    ends = told.shape[1] + len(past.parts)
    wide = 0 if beside is None else beside.shape[1]
    out = np.empty((len(given.codes), ends + wide), np.int32, order="F")
    for j in range(told.shape[1]):
        out[:, j] = np.repeat(told[:, j], given.counts)
    for j in range(wide):
        out[:, ends + j] = beside[:, j]  # type: ignore[index]
    begins = given.starts[:-1][order]
    for t, m in rounds(given.counts[order]):
        at = begins[:m] + t
        if moved and t and given.units is not None:
            memory.move(m, given.units[at])
        out[at, told.shape[1]:ends] = memory.context(m, t)
        if not moved and t and given.units is not None:
            memory.move(m, given.units[at])
        memory.push(given.codes[at], given.values[at])
    return out


class Drawer:
    """Draws rows, round by round.

    Parameters
    ----------
    shape : Shape
    past : Past
    rows : Conditional
    clock : Conditional, optional
    """

    def __init__(self, shape: Shape, past: Past, rows: Conditional, clock: Conditional | None):
        self.shape, self.past, self.rows, self.clock = shape, past, rows, clock
        coders = {c.columns[0]: (c, where.start) for c, where in rows.coder.slices()}
        self._inside = [(_inside(coders[name][0]), coders[name][1]) for name in shape.smooth]
        self._gaps = _inside(clock.coder.coders[0]) if clock else None

    def draw(self, told: np.ndarray, course: Course, marks: np.ndarray, rng: np.random.Generator,
             known: Given | None = None, allowed: Allowed | None = None, led: Led | None = None
             ) -> tuple[np.ndarray, Learnt]:
        """Draw the rows of entities, those of one after those of the other.

        Parameters
        ----------
        told : int32 array of shape (entities, parts)
        course : Course
        marks : float64 array of shape (entities, MARKS * smooth columns)
            What is known of smooth columns.
        rng : Generator
        known : Given, optional
            First rows that are there.
        allowed : mapping, optional
            A condition on the parts of a row.
        led : Led, optional
            What is known of each row before it is drawn.

        Returns
        -------
        codes : int32 array of shape (rows, parts)
        made : Learnt
            Without a frame.
        """
        order = by_length(course.counts)
        counts, starts = course.counts[order], starts_of(course.counts)
        begins, told, marks = starts[:-1][order], told[order], marks[order]
        state = _Running(Memory(self.past, course.take(order), len(self.shape.smooth)), course.take(order), marks)
        codes = np.empty((starts[-1], len(self.past.own)), np.int32)
        values, units = np.empty((starts[-1], len(self.shape.smooth))), None
        if course.start is not None:
            units = np.empty(starts[-1], np.int64)
        for t, m in rounds(counts):
            at = begins[:m] + t
            there = None if known is None else _there(known, order[:m], t)
            if units is not None and led is not None and led.units is not None:
                units[at] = led.units[at]
                state.memory.move(m, units[at])
            elif units is not None:
                units[at] = self._time(state, told[:m], t, rng, there, known)
            beside = None if led is None else led.codes[at]
            codes[at], values[at] = self._row(state, told[:m], t, rng, allowed, beside)
            if there is not None and known is not None:
                codes[at[there[0]]], values[at[there[0]]] = known.codes[there[1]], known.values[there[1]]
            state.push(codes[at], values[at], self.shape)
        return codes, Learnt(pl.DataFrame(), starts, values, units)

    def _time(self, state: _Running, told: np.ndarray, t: int, rng: np.random.Generator,
              there: tuple[np.ndarray, np.ndarray] | None, known: Given | None) -> np.ndarray:
        m, course, memory = len(told), state.course, state.memory
        assert course.start is not None and course.end is not None and memory.now is not None
        if t == 0:
            return course.start[:m]
        now = memory.now[:m].astype(np.int64)
        to = now + self.shape.step
        if self.shape.irregular:
            remaining = course.counts[:m] - t - 1
            room = np.maximum(course.end[:m] - now - remaining * self.shape.step, self.shape.step)
            to = now + np.clip(self._gap(state, told, t, room, rng), self.shape.step, room)
            to = np.where(remaining == 0, np.maximum(course.end[:m], now + self.shape.step), to)
        if there is not None and known is not None and known.units is not None:
            to[there[0]] = known.units[there[1]]
        memory.move(m, to)
        return to

    def _gap(self, state: _Running, told: np.ndarray, t: int, room: np.ndarray, rng: np.random.Generator
             ) -> np.ndarray:
        m, remaining = len(told), state.course.counts[:len(told)] - t - 1
        out = room.copy()
        open_ = np.flatnonzero(remaining > 0)
        if not len(open_):
            return out
        evenly = np.rint(room[open_] * rng.beta(1, remaining[open_])).astype(np.int64)
        if self.clock is None or self._gaps is None:  # too few gaps were seen: spread evenly
            out[open_] = evenly
            return out
        context = np.hstack([told, state.memory.context(m, t)])[open_]
        codes, _ = self.clock.draw(context, rng)
        drawn = np.rint(self._gaps[codes[:, 0], rng.integers(0, _DRAWS, len(open_))]).astype(np.int64)
        out[open_] = np.where(drawn > room[open_], evenly, drawn)  # a gap beyond the end would leave none to the others
        return out

    def _row(self, state: _Running, told: np.ndarray, t: int, rng: np.random.Generator,
             allowed: Allowed | None, beside: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        m, shape = len(told), self.shape
        context = [told, state.memory.context(m, t), *([] if beside is None else [beside])]
        codes = self._codes(np.hstack(context), rng, allowed)
        if t == 0 or shape.innovations is None:
            return codes, state.marks[:m, :len(shape.smooth)].copy()
        model, values = shape.innovations, np.empty((m, len(shape.smooth)))
        now = state.memory.now
        season = shape.phases(None if now is None else now[:m].astype(np.int64), m)
        row, left = np.zeros((m, model.columns)), state.course.counts[:m] - t
        goals = aims(model.goals(state.marks[:m]), state.past[:m], left)
        for j, (inside, part) in enumerate(self._inside):
            apart = inside[codes[:, part], rng.integers(0, _DRAWS, m)]
            drawn = model.expected(state.past[:m], row, goals, season, j) + apart
            values[:, j] = np.clip(drawn, model.low[j], model.high[j])
            row[:, j] = (values[:, j] - model.mean[j]) / model.scale[j]
        return codes, values

    def _codes(self, context: np.ndarray, rng: np.random.Generator, allowed: Allowed | None) -> np.ndarray:
        if allowed is None:
            return self.rows.draw(context, rng)[0]
        codes, mass = self.rows.draw(np.repeat(context, _TRIES, axis=0), rng, allowed)
        best = (np.where(np.isfinite(mass), mass, -1e9) + rng.gumbel(size=len(mass))).reshape(-1, _TRIES).argmax(axis=1)
        return codes[best + np.arange(len(context)) * _TRIES]


class _Running:
    """Memory, and what predictions of smooth columns are told of."""

    def __init__(self, memory: Memory, course: Course, marks: np.ndarray):
        self.memory, self.course, self.marks = memory, course, marks
        self.past = np.empty((len(course.counts), 0))

    def push(self, codes: np.ndarray, values: np.ndarray, shape: Shape) -> None:
        """Remember a row."""
        self.memory.push(codes, values)
        model = shape.innovations
        if model is None:
            return
        m, z = len(values), (values - model.mean) / model.scale
        if not self.past.shape[1]:
            self.past = np.zeros((len(self.course.counts), TERMS * model.columns))
            self.past[:m] = begun(z)
        else:
            self.past[:m] = pushed(self.past[:m], z)


def _there(known: Given, entities: np.ndarray, t: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return which of `entities` have a row `t` that is there, and which row that is."""
    has = np.flatnonzero(known.counts[entities] > t)
    return (has, known.starts[:-1][entities[has]] + t) if len(has) else None


def _inside(coder: BaseCoder) -> np.ndarray:
    """Values inside each code of a number, float64 (codes, draws); 0 for a missing one."""
    size, rng = coder.parts[0].size, np.random.default_rng(0)
    codes = np.repeat(np.arange(size, dtype=np.int32), _DRAWS)
    values = coder.decode(codes[:, None], Draw(rng, np.arange(len(codes))))[coder.columns[0]]
    return values.cast(pl.Float64).fill_null(0.0).to_numpy().reshape(size, _DRAWS)

