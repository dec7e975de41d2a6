"""p(rows | entity): a profile first, then row after row, each given the entity, its profile and the rows before it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn._runs import pieces, starts_of
from verisyn.kinds import Part
from verisyn.modalities.sequence import _profile
from verisyn.modalities.sequence._innovations import MARKS, marks_of
from verisyn.modalities.sequence._materials import (
    chosen,
    course_of,
    filled,
    gaps_of,
    given_of,
    joined,
    past_of,
)
from verisyn.modalities.sequence._past import Course, Past
from verisyn.modalities.sequence._rounds import Drawer, Given, Led, teach
from verisyn.modalities.sequence._shape import Learnt, Shape
from verisyn.modalities.table import Allowed, BaseGenerator, Carry, Codes, Tick
from verisyn.modalities.table._conditional import Conditional, packed, unpacked
from verisyn.modalities.table._conditional import beside as side_by_side
from verisyn.modalities.table._views import TableCoder
from verisyn.running import Run
from verisyn.schema import Column, Table

FIT_ROWS = 100_000
"""Rows, of whole entities, that rows are learnt from at most; profiles are learnt from all entities."""
_BLOCK = 2_000
_FEW_GAPS = 20
_AGAIN = 4
"""Times that profiles which end after all that was seen are drawn anew."""
_GUESSES = 32
"""Profiles that are tried for an entity whose first rows are given."""
_LEAST_LOG = -40.0
"""A code that is unlikelier still counts as so unlikely: one such must not decide about a whole history."""
_CELLS = 30_000_000
"""Codes that are told of tried rows at a time."""


@dataclass(frozen=True)
class Rows:
    """Rows of entities in their order, one entity after the other.

    Parameters
    ----------
    frame : polars.DataFrame
        The columns that are learnt: without those of entity (or foreign key) and time.
    starts : int64 array of shape (entities + 1,)
        Rows ``starts[e]:starts[e + 1]`` are those of entity `e`, which may have none.
    time : polars.Series, optional
        Moments, dates or numbers, all known, not decreasing within an entity.
    """

    frame: pl.DataFrame
    starts: np.ndarray
    time: pl.Series | None = None

    @property
    def counts(self) -> np.ndarray:
        """Rows of each entity."""
        return np.diff(self.starts)

    def take(self, entities: np.ndarray) -> Rows:
        """Return these entities, in this order."""
        return self.pieces(self.starts[:-1][entities], self.counts[entities])

    def pieces(self, begins: np.ndarray, counts: np.ndarray) -> Rows:
        """Return so many rows from each of some rows on, each piece as an entity of its own."""
        at, starts = pieces(begins, counts)
        return Rows(self.frame[at], starts, None if self.time is None else self.time[at])


class History:
    """What was learnt of the rows of entities.

    Parameters
    ----------
    shape : Shape
        Rows as they are learnt, and back.
    profile : Conditional
        Of how many rows there are, when they begin and end, and what they are like on the whole.
    traits : Traits
    past : Past
        What is told of the rows before.
    rows : Conditional
        Of a row.
    clock : Conditional, optional
        Of the gap to the next row, where gaps vary.
    lead : Traits, optional
        Where the rows' numbers and times, and codes beside each row, are given before rows are drawn: what these codes
        are like on the whole, which is told of entities too.
    """

    def __init__(self, shape: Shape, profile: Conditional, traits: _profile.Traits, past: Past, rows: Conditional,
                 clock: Conditional | None, notes: Sequence[str] = (),
                 lead: tuple[_profile.Traits, tuple[Part, ...]] | None = None):
        self.shape, self.profile, self.traits, self.past = shape, profile, traits, past
        self.rows, self.clock, self.notes, self.lead = rows, clock, tuple(notes), lead

    @property
    def led(self) -> bool:
        """Whether numbers and times of rows, and codes beside them, are given."""
        return self.lead is not None

    @property
    def coder(self) -> TableCoder:
        """The coder of rows as they are learnt."""
        return self.rows.coder

    # -- learning ---------------------------------------------------------------------------------------------------
    @classmethod
    def learn(cls, rows: Rows, table: Table, context: Codes, *, beside: Codes | None = None, time: Column | None = None,
              maker: BaseGenerator, seed: np.random.SeedSequence, jobs: int = 1, run: Run | None = None,
              tick: Tick = lambda done: None) -> Self:
        """Learn from the rows of entities.

        Parameters
        ----------
        rows : Rows
        table : Table
            The schema of ``rows.frame``; constraints may also name the column `time`.
        context : Codes
            What is known of each entity before its rows, (entities, parts).
        beside : Codes, optional
            What is known of each row before it is drawn, (rows, parts): another part of the row, or rows of other
            tables that it points to. Numbers and times of rows are then to be given too.
        time : Column, optional
            The column of ``rows.time``.
        maker : BaseGenerator
            A generator of tables, which learns each part.
        seed : SeedSequence
        jobs : int
        run : Run, optional
        tick : callable
            Told of each part that was learnt.

        Returns
        -------
        History
        """
        some_seed, shape_seed, coder_seed, *seeds = seed.spawn(6)
        fit: dict[str, Any] = {"run": run, "jobs": jobs, "tick": tick}
        lead = None
        if beside is not None:
            lead = _profile.Traits.learn(beside.parts, beside.values, rows.counts), beside.parts
            more = lead[0].codes(beside.parts, beside.values, rows.counts)
            whole = side_by_side(context, more)
            context = Codes(whole.values, whole.parts, whole.names)
        shape = Shape.learn(rows, table, time, shape_seed, led=beside is not None)
        learnt = shape.forward(rows)
        coder = TableCoder.learn(learnt.frame, shape.table, coder_seed)
        codes = coder.encode(learnt.frame)
        traits = _profile.Traits.learn(coder.parts, codes.values, rows.counts)
        shown = _profile.frame_of(learnt.course, learnt.marks, shape.irregular, led=beside is not None)
        more = traits.codes(coder.parts, codes.values, rows.counts)
        profile = Conditional.learn(shown, _profile.table_of(shown), context, maker, seeds[0], more=more, **fit)
        told = np.hstack([context.values, profile.encode(shown), more.values])
        past = past_of(learnt, coder, codes.values, shape)
        some = chosen(rows.counts, FIT_ROWS, np.random.default_rng(some_seed))
        part = given_of(learnt, codes.values, some)
        parts = (*profile.fitted.parts, *past.parts)
        names = tuple(f"told {i}" for i in range(len(parts)))
        kept = tuple(range(len(profile.fitted.parts), len(profile.fitted.parts) + past.places))
        led = None if beside is None else beside.values[pieces(learnt.starts[:-1][some], learnt.counts[some])[0]]
        more_parts, more_names = (beside.parts, beside.names) if beside else ((), ())
        lagged, at = len(profile.fitted.parts) + past.places, len(parts) + len(more_parts)
        carries = [Carry(at + says, yes, at + own, lagged + own) for says, yes, where in shape.carriers(coder)
                   for own in range(where.start, where.stop)] if past.lags else []
        step = Conditional.of_codes(coder, Codes(part.codes, coder.parts, coder.names),
                                    Codes(teach(past, part, told[some], moved=True, beside=led),
                                          (*parts, *more_parts), (*names, *more_names), kept=kept), maker, seeds[1],
                                    carries=carries, **fit)
        clock, gaps = None, gaps_of(part)
        if beside is None and shape.irregular and len(gaps[1]) >= _FEW_GAPS:
            before = np.asfortranarray(teach(past, part, told[some], moved=False)[gaps[0]])
            frame = pl.DataFrame({_GAP: gaps[1]})
            clock = Conditional.learn(frame, Table(name="clock", columns=(_GAP_COLUMN,)), Codes(before, parts, names,
                                                                                                  kept=kept),
                                      maker, seeds[2], **fit)
        notes = [*shape.notes, *coder.notes]
        if len(some) < len(rows.counts):
            notes.append(f"Rows were learnt from {len(some):,} of {len(rows.counts):,} entities, drawn by the seed "
                         f"({len(part.codes):,} of {rows.frame.height:,} rows).")
        return cls(shape, profile, traits, past, step, clock, notes, lead)

    # -- drawing ----------------------------------------------------------------------------------------------------
    def sample(self, context: np.ndarray, seed: np.random.SeedSequence, *, counts: np.ndarray | None = None,
               prefix: Rows | None = None, allowed: Allowed | None = None, times: pl.Series | None = None,
               beside: np.ndarray | None = None, jobs: int = 1, tick: Tick = lambda done: None) -> Rows:
        """Draw the rows of entities.

        Parameters
        ----------
        context : int32 array of shape (entities, parts)
            What is known of each entity, as in :meth:`learn`.
        seed : SeedSequence
        counts : int64 array of shape (entities,), optional
            How many rows each has; drawn where not given.
        prefix : Rows, optional
            The first rows of each entity, of which at least one has some; they come back as they are, and the rest goes
            on from them. How long the whole is is then drawn given these rows: profiles are proposed by the model and
            chosen by how likely they make the rows (importance resampling, Rubin 1988).
        allowed : mapping, optional
            A condition that every row meets, on the parts of :attr:`coder`; rows are proposed and chosen by the mass of
            what is allowed.
        times : polars.Series, optional
        beside : int32 array of shape (rows, parts), optional
            The time of each row, and what else is known of it, where that was so in :meth:`learn`; `counts` then say
            how many rows each entity has.
        jobs : int
        tick : callable
            Told of entities that were drawn.

        Returns
        -------
        Rows
        """
        context = self._known(context, counts, beside)
        *seeds, last = seed.spawn(max(1, -(-len(context) // _BLOCK)) + 1)
        drawer = Drawer(self.shape, self.past, self.rows, self.clock)
        ahead = None if prefix is None else self._encoded(prefix)
        ends = None if counts is None else starts_of(counts)
        units = self.shape.scale.units(times) if self.shape.scale is not None and times is not None else None

        def block(b: int) -> tuple[np.ndarray, Learnt]:
            rng = np.random.default_rng(seeds[b])
            at = np.arange(b * _BLOCK, min((b + 1) * _BLOCK, len(context)))
            known = None if ahead is None else ahead.take(at)
            told, course, marks = self._profiles(context[at], None if counts is None else counts[at], known, rng)
            led = None
            if beside is not None and ends is not None and len(at):
                own = slice(ends[at[0]], ends[at[-1] + 1])
                led = Led(beside[own], None if units is None else units[own])
                course = course_of(course.counts, led.units)
            out = drawer.draw(told, course, marks, rng, known, allowed, led)
            tick(len(at))
            return out

        with ThreadPoolExecutor(max(1, jobs)) as pool:
            blocks = list(pool.map(block, range(len(seeds))))
        codes = np.asfortranarray(np.concatenate([codes for codes, _ in blocks]))
        made = joined([made for _, made in blocks])
        return self._rows(codes, made, last, prefix, times)

    def _rows(self, codes: np.ndarray, made: Learnt, seed: np.random.SeedSequence, prefix: Rows | None,
              times: pl.Series | None) -> Rows:
        decode, settle = seed.spawn(2)
        drawn = self.coder.decode(codes, decode)
        frame, time = self.shape.backward(drawn, made, np.random.default_rng(settle), times)
        if prefix is not None:  # what was given comes back as it was
            at, _ = pieces(made.starts[:-1], prefix.counts)
            index = np.arange(frame.height)
            index[at] = frame.height + np.arange(len(at))
            frame = pl.concat([frame, prefix.frame.select(frame.columns).cast(frame.schema)])[index]
            if time is not None and prefix.time is not None:
                time = pl.concat([time, prefix.time.cast(time.dtype).alias(time.name)])[index]
        return Rows(frame, made.starts, time)

    def _profiles(self, context: np.ndarray, counts: np.ndarray | None, known: Given | None, rng: np.random.Generator
                  ) -> tuple[np.ndarray, Course, np.ndarray]:
        """Draw profiles: what is told of entities, their course, and the marks of smooth columns."""
        if known is not None and known.starts[-1]:
            return self._profiles_ahead(context, counts, known, rng)
        codes = self._profile_codes(context, counts, rng)
        course, marks = self._course(codes, rng)
        for _ in range(_AGAIN if self.shape.irregular and not self.led else 0):
            late = np.flatnonzero(course.end > self.shape.last)  # type: ignore[operator]
            if not len(late):
                break
            codes[late] = self._from_span_on(context[late], codes[late], rng)
            again, marks[late] = self._course(codes[late], rng)
            course = course.put(late, again)
        if counts is not None:
            course = self._with_counts(course, counts)
        return np.hstack([context, codes]), course, marks

    def _profile_codes(self, context: np.ndarray, counts: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
        at = _profile.part_of(self.profile, _profile.COUNT)
        if counts is None or at is None:
            return self.profile.draw(context, rng)[0]
        codes = np.full((len(context), len(self.profile.parts)), -1, np.int32)
        blank = self.profile.coder.blank().clear()
        given = pl.DataFrame({c: counts if c == _profile.COUNT else [None] * len(counts) for c in blank.columns},
                             schema=blank.schema)
        codes[:, at] = self.profile.encode(given)[:, at]
        return self.profile.complete(context, codes, rng)

    def _from_span_on(self, context: np.ndarray, codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw profiles anew, but for how many rows there are and when they begin."""
        kept = codes.copy()
        kept[:, _profile.part_of(self.profile, _profile.SPAN):] = -1
        return self.profile.complete(context, kept, rng)

    def _course(self, codes: np.ndarray, rng: np.random.Generator) -> tuple[Course, np.ndarray]:
        """Decode profiles, and let them be possible: an entity that has rows begins somewhere, and ends no sooner."""
        seed = np.random.SeedSequence(int(rng.integers(0, 2**62)))
        frame, shape = self.profile.decode(codes, seed), self.shape
        counts = np.maximum(frame[_profile.COUNT].fill_null(0).to_numpy(), 0)
        marks = np.empty((len(counts), MARKS * len(shape.smooth)))
        for j in range(marks.shape[1]):
            marks[:, j] = filled(frame[f"{_profile.MARK} {j}"], rng)
        if shape.scale is None or self.led:
            return Course(counts), marks
        start = filled(frame[_profile.START], rng).astype(np.int64)
        if not shape.irregular:
            return Course(counts, start, start + np.maximum(counts - 1, 0) * shape.step), marks
        span = frame[_profile.SPAN].fill_null(0).to_numpy().astype(np.int64)
        return self._with_counts(Course(counts, start, start + span), counts), marks

    def _with_counts(self, course: Course, counts: np.ndarray) -> Course:
        if course.start is None or course.end is None:
            return Course(counts)
        least = np.maximum(counts - 1, 0) * self.shape.step
        span = np.where(counts > 1, np.maximum(course.end - course.start, least), 0) if self.shape.irregular else least
        return Course(counts, course.start, course.start + span)

    def _profiles_ahead(self, context: np.ndarray, counts: np.ndarray | None, known: Given, rng: np.random.Generator
                        ) -> tuple[np.ndarray, Course, np.ndarray]:
        """Draw profiles of entities whose first rows are known, in proportion to how likely they make them."""
        wide = _GUESSES * len(self.rows.fitted.parts)
        ends = np.cumsum(known.counts * wide) // _CELLS
        cuts = np.flatnonzero(np.diff(ends)) + 1
        if len(cuts):
            parts = [self._profiles_ahead(context[at], None if counts is None else counts[at], known.take(at), rng)
                     for at in np.split(np.arange(len(context)), cuts)]
            told, courses, marks = zip(*parts, strict=True)
            return np.concatenate(told), Course.joined(courses), np.concatenate(marks)
        n, had = len(context), known.counts
        again = np.repeat(np.arange(n), _GUESSES)
        wanted = None if counts is None else np.maximum(counts, had)[again]
        codes = self._profile_codes(context[again], wanted, rng)
        course, marks = self._course(codes, rng)
        if wanted is not None:
            course = self._with_counts(course, wanted)
        many = known.take(again)
        told = np.hstack([context[again], codes])
        weight = self._rows_log_prob(told, known.course_of(course, again), many)
        weight = np.where(course.counts >= had[again], weight, -np.inf).reshape(n, _GUESSES)
        pick = np.argmax(weight + rng.gumbel(size=weight.shape), axis=1) + np.arange(n) * _GUESSES
        chosen = known.course_of(course.take(pick), np.arange(n))
        return told[pick], self._with_counts(chosen, np.maximum(chosen.counts, had)), known.marks_of(marks[pick])

    # -- asking -----------------------------------------------------------------------------------------------------
    def log_prob(self, rows: Rows, context: np.ndarray, beside: np.ndarray | None = None) -> np.ndarray:
        """Return log p(profile, gaps and rows | context, codes beside rows) of each entity, float64 (entities,)."""
        profile, given = self._profile_of(rows)
        context = self._known(context, rows.counts, beside)
        told = np.hstack([context, profile])
        return self.profile.log_prob(context, profile) + self._rows_log_prob(told, given.course, given, beside)

    def codes(self, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
        """Return the codes of entities' profiles, int32 (entities, parts), and of rows, int32 (rows, parts)."""
        profile, given = self._profile_of(rows)
        return profile, given.codes

    def _known(self, context: np.ndarray, counts: np.ndarray | None, beside: np.ndarray | None) -> np.ndarray:
        """Return what is known of entities, with what the codes beside their rows are like on the whole."""
        if self.lead is None or counts is None or beside is None:
            return context
        traits, parts = self.lead
        return np.hstack([context, traits.codes(parts, beside, counts).values])

    def _profile_of(self, rows: Rows) -> tuple[np.ndarray, Given]:
        given = self._encoded(rows)
        marks = marks_of(given.values, given.starts, self.shape.innovations is None or self.shape.innovations.aimed)
        shown = _profile.frame_of(given.course, marks, self.shape.irregular, led=self.led)
        more = self.traits.codes(self.coder.parts, given.codes, rows.counts)
        return np.hstack([self.profile.encode(shown), more.values]), given

    def _rows_log_prob(self, told: np.ndarray, course: Course, given: Given, beside: np.ndarray | None = None
                       ) -> np.ndarray:
        of = np.repeat(np.arange(len(given.counts)), given.counts)
        as_of = Given(given.codes, given.values, given.units, given.starts, course)
        each = self.rows.log_probs(teach(self.past, as_of, told, moved=True, beside=beside), given.codes)
        for says, yes, own in self.shape.carriers(self.coder):  # what is as before is not drawn
            each[given.codes[:, says] == yes, own] = 0
        out = np.maximum(each, _LEAST_LOG).sum(axis=1)
        if self.clock is not None:
            at, gaps = gaps_of(as_of)
            if len(at):
                before = teach(self.past, as_of, told, moved=False)[at]
                out[at] += self.clock.log_prob(before, self.clock.encode(pl.DataFrame({_GAP: gaps})))
        return np.bincount(of, out, len(given.counts))

    def _encoded(self, rows: Rows) -> Given:
        learnt = self.shape.forward(rows)
        return Given(self.coder.encode(learnt.frame).values, learnt.values, learnt.units, learnt.starts, learnt.course)

    # -- to and from disk -------------------------------------------------------------------------------------------
    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        return {"shape": self.shape.state(), "profile": self.profile.state(), "traits": self.traits.state(),
                "past": self.past.state(), "rows": self.rows.state(), "clock": self.clock and self.clock.state(),
                "notes": list(self.notes),
                "lead": self.lead and {"traits": self.lead[0].state(), "parts": packed(self.lead[1])}}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        shape, rows = Shape.restore(state["shape"]), Conditional.restore(state["rows"])
        lead = state["lead"] and (_profile.Traits.restore(state["lead"]["traits"]), unpacked(state["lead"]["parts"]))
        return cls(shape, Conditional.restore(state["profile"]), _profile.Traits.restore(state["traits"]),
                   Past.restore(rows.coder.parts, shape.scale, state["past"]), rows,
                   Conditional.restore(state["clock"]) if state["clock"] else None, state["notes"], lead or None)


_GAP = "gap"
_GAP_COLUMN = Column(name=_GAP, kind="number", dtype="Int64")
