"""What the rows before tell of the next one, as codes: position, time, lags, running means, season.

The same machine runs over real rows when learning and over drawn rows when drawing, round by round: in round t the row
t of all entities at once. Entities stand in the order of their lengths, the longest first, so that those still running
are always the first ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from verisyn.kinds import Part
from verisyn.modalities.sequence._bins import Bins
from verisyn.modalities.sequence._clock import Scale, Season

FADE = 0.2
"""Weight of the newest value in a fading mean."""
_SO_FAR = ("means", "extents")


@dataclass(frozen=True)
class Course:
    """Where entities' rows are in time and in number, as far as known before rows are drawn; arrays by entity.

    `start` and `end` are in units; an entity without rows has any.
    """

    counts: np.ndarray
    start: np.ndarray | None = None
    end: np.ndarray | None = None

    def take(self, entities: np.ndarray) -> Course:
        """Return these entities, in this order."""
        return Course(self.counts[entities], *(None if a is None else a[entities] for a in (self.start, self.end)))

    @classmethod
    def joined(cls, courses: Sequence[Course]) -> Course:
        """Return the courses of one after the other."""
        def one(name: str) -> Any:
            arrays = [getattr(course, name) for course in courses]
            return None if arrays[0] is None else np.concatenate(arrays)

        return cls(one("counts"), one("start"), one("end"))

    def put(self, entities: np.ndarray, others: Course) -> Course:
        """Return the courses with those of some entities in the place of their own."""
        out = Course(*(None if a is None else a.copy() for a in (self.counts, self.start, self.end)))  # type: ignore[arg-type]
        for mine, other in ((out.counts, others.counts), (out.start, others.start), (out.end, others.end)):
            if mine is not None and other is not None:
                mine[entities] = other
        return out


@dataclass(frozen=True)
class Past:
    """What is told of the rows before; learnt bins.

    Parameters
    ----------
    own : tuple of Part
        The parts of a row.
    lags : int
        Rows before whose codes are told.
    numbers : mapping of str to Bins
        ``position``, ``remaining``, ``gap``, ``since``, ``left``, ``when``: those that are told.
    means : mapping of int to Bins
        By part: bins of the mean of its codes so far.
    extents : mapping of int to Bins
        By part: bins of a mean of its codes that fades, and of the largest so far.
    levels : tuple of (Bins, Bins)
        For each smooth column, bins of its last value and of the distance of its last value from its fading mean.
    season : Season or None
    """

    own: tuple[Part, ...]
    lags: int
    numbers: dict[str, Bins]
    means: dict[int, Bins]
    extents: dict[int, Bins]
    levels: tuple[tuple[Bins, Bins], ...]
    season: Season | None

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts of the context, in the order in which it tells them."""
        lagged = [Part(p.size + 1, p.ordered, p.size) for p in self.own] * self.lags
        seasonal = self.season.parts if self.season else ()
        levels = [b.part for pair in self.levels for b in pair]
        return (*(b.part for b in self.numbers.values()), *seasonal, *lagged,
                *(b.part for told in (self.means, self.extents, self.extents) for b in told.values()), *levels)

    @property
    def places(self) -> int:
        """How many parts, the first ones, say where a row is: in its entity, in time, in the season."""
        return len(self.numbers) + (len(self.season.parts) if self.season else 0)

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each part."""
        return tuple(f"past {i}" for i in range(len(self.parts)))

    def state(self) -> dict[str, Any]:
        """Return JSON values and arrays."""
        return {"lags": self.lags, "numbers": {k: b.edges for k, b in self.numbers.items()},
                **{what: {str(k): b.edges for k, b in getattr(self, what).items()} for what in _SO_FAR},
                "levels": [b.edges for pair in self.levels for b in pair],
                "season": list(self.season.names) if self.season else None}

    @classmethod
    def restore(cls, own: tuple[Part, ...], scale: Scale | None, state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        flat = [Bins(edges) for edges in state["levels"]]
        season = Season(scale, tuple(state["season"])) if scale and state["season"] is not None else None
        means, extents = ({int(k): Bins(e) for k, e in state[what].items()} for what in _SO_FAR)
        return cls(own, int(state["lags"]), {k: Bins(e) for k, e in state["numbers"].items()}, means, extents,
                   tuple(zip(flat[::2], flat[1::2], strict=True)), season)


class Memory:
    """What is remembered of entities' rows so far.

    Parameters
    ----------
    past : Past
    course : Course
        Of the entities, the longest first.
    smooth : int
        Smooth columns.
    """

    def __init__(self, past: Past, course: Course, smooth: int):
        n, own = len(course.counts), len(past.own)
        self.past, self.course = past, course
        self.none = np.array([p.size for p in past.own], np.int32)
        self.lagged = np.tile(self.none, (past.lags, n, 1)).astype(np.int32)
        self.sums, self.recent, self.tops = np.zeros((n, own)), np.full((n, own), np.nan), np.full((n, own), np.nan)
        self.fading, self.last = np.full((n, smooth), np.nan), np.full((n, smooth), np.nan)
        self.now = None if course.start is None else course.start.astype(np.float64).copy()
        self.gap = np.full(n, np.nan)

    def numbers(self, m: int, t: int) -> dict[str, np.ndarray]:
        """Return the numbers that could be told of the first `m` entities before their row `t`."""
        course, nothing = self.course, np.full(m, np.nan)
        out = {"position": np.full(m, float(t)), "remaining": (course.counts[:m] - t).astype(np.float64)}
        if self.now is None or course.start is None:
            return out
        now = self.now[:m]
        out |= {"gap": self.gap[:m], "since": now - course.start[:m], "when": now,
                "left": nothing if course.end is None else course.end[:m] - now}
        return out

    def context(self, m: int, t: int) -> np.ndarray:
        """Return the codes of the context of row `t` of the first `m` entities, int32 (m, parts), Fortran order."""
        past = self.past
        out = np.empty((m, len(past.parts)), np.int32, order="F")
        at = 0
        numbers = self.numbers(m, t)
        for name, bins in past.numbers.items():
            out[:, at] = bins.codes(numbers[name])
            at += 1
        if past.season and past.season.names and self.now is not None:
            wide = len(past.season.names)
            out[:, at:at + wide] = past.season.codes(self.now[:m].astype(np.int64))
            at += wide
        for lag in self.lagged[:, :m]:
            out[:, at:at + lag.shape[1]] = lag
            at += lag.shape[1]
        means = self.sums[:m] / t if t else self.recent[:m]
        for told, so_far in ((past.means, means), (past.extents, self.recent), (past.extents, self.tops)):
            for j, bins in told.items():
                out[:, at] = bins.codes(so_far[:m, j])
                at += 1
        for j, (level, drift) in enumerate(past.levels):
            out[:, at] = level.codes(self.last[:m, j])
            out[:, at + 1] = drift.codes(self.last[:m, j] - self.fading[:m, j])
            at += 2
        return out

    def move(self, m: int, to: np.ndarray) -> None:
        """Let time go on: `to` is that of the next row, in units."""
        if self.now is not None:
            self.gap[:m] = to - self.now[:m]
            self.now[:m] = to

    def push(self, codes: np.ndarray, values: np.ndarray) -> None:
        """Remember a row of the first entities: its codes (m, own), and the values of its smooth columns."""
        m = len(codes)
        for lag in range(self.past.lags - 1, 0, -1):
            self.lagged[lag, :m] = self.lagged[lag - 1, :m]
        if self.past.lags:
            self.lagged[0, :m] = codes
        if self.past.means:
            self.sums[:m] += codes
        if self.past.extents:
            before = self.recent[:m]
            self.recent[:m] = np.where(np.isnan(before), codes, before + FADE * (codes - before))
            self.tops[:m] = np.fmax(self.tops[:m], codes)
        if values.shape[1]:
            before = self.fading[:m]
            self.fading[:m] = np.where(np.isnan(before), values, before + FADE * (values - before))
            self.last[:m] = values


def by_length(counts: np.ndarray) -> np.ndarray:
    """Return entities, the longest first; those of a length keep their order."""
    return np.argsort(-counts, kind="stable")


def rounds(counts: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield (t, how many entities have a row t); `counts` are sorted, the largest first."""
    running = len(counts)
    for t in range(int(counts[0]) if len(counts) else 0):
        while running and counts[running - 1] <= t:
            running -= 1
        yield t, running
