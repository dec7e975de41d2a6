"""Long series, cut into windows to learn from: where entities are too few, or too long, to be learnt whole."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn.kinds import Part
from verisyn.modalities.sequence._history import Rows
from verisyn.modalities.table import Codes

FEW = 20
"""Entities below which each is a long series: too few to learn whole histories from."""
_LONG = 25_000
"""Rows above which one of many entities is a long series: drawn row after row, it would take too long."""
_PIECE = 4_000
_LEAST = 100
"""Rows of all entities together below which nothing is cut."""
_PIECES = 19
"""Of few series, so many windows: from 20 on, how far a window is along would be told, and there is no such thing."""
_ROWS = 150_000
"""Rows of few series together above which windows no longer cover them: they are shorter, and evenly spread."""
_PLACES = 4
_TREND = 0.5
"""Share of a number's variance that lies between parts of a series, from which on the parts are told."""


@dataclass(frozen=True)
class Windows:
    """How long series are cut.

    Parameters
    ----------
    least : int
        Rows from which on an entity is cut.
    length : int
        Rows of a window at most.
    places : int
        Into how many parts a series is cut to tell where in it a window is; 1 tells nothing.
    counts : list of int
        Rows of long series, sorted; of many, deciles.
    mixed : bool
        Whether there are entities that are not cut.
    begins : list
        When series begin, in the ticks of their time, where there are few: theirs are taken over. Empty where there are
        many.
    pace : float
        Ticks from row to row, on average.
    opens : list
        When long series among many begin, in ticks, sorted; deciles of more than a few.
    """

    least: int
    length: int
    places: int
    counts: list[int]
    mixed: bool
    begins: list[float]
    pace: float
    opens: list[float] = field(default_factory=list)

    @classmethod
    def decide(cls, rows: Rows) -> Self | None:
        """Decide how to cut; None where all entities are learnt whole."""
        counts = rows.counts
        few = int((counts > 0).sum()) < FEW
        if counts.sum() < _LEAST or not (few or counts.max() > _LONG):
            return None
        cut = counts > (0 if few else _LONG)
        begins, pace = _in_time(rows, cut)
        long = np.sort(counts[cut])
        if not few:
            shown, opens = ([np.quantile(x, np.linspace(0, 1, 11)) for x in (long, begins)] if len(long) > FEW else
                            [long, np.sort(begins)])
            return cls(_LONG + 1, _PIECE, 1, shown.astype(np.int64).tolist(), not cut.all(), [], pace, opens.tolist())
        length = -(-min(int(counts.sum()), _ROWS) // max(1, _PIECES - len(long) + 1))
        places = _PLACES if long.max() >= 2 * _PLACES * length and _trend(rows) > _TREND else 1
        return cls(1, length, places, long.tolist(), False, begins, pace)

    @property
    def few(self) -> bool:
        """Whether series are cut because there are few."""
        return bool(self.begins)

    @property
    def part(self) -> Part:
        """The code of a window's place."""
        return Part(self.places, ordered=True)

    def place(self, row: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Return the code of these rows of series of so many rows."""
        return np.clip(row * self.places // np.maximum(counts, 1), 0, self.places - 1)

    def cut(self, rows: Rows) -> tuple[Rows, np.ndarray, Codes]:
        """Cut the rows of long series into windows.

        Returns
        -------
        windows : Rows
        of : int64 array of shape (windows,)
            The entity of each.
        places : Codes
        """
        counts = rows.counts
        many = np.maximum(-(-counts // self.length), 1)
        if self.few and many.sum() > _PIECES:
            many = np.maximum(_PIECES * counts // max(int(counts.sum()), 1), 1)
        of = np.repeat(np.arange(len(counts)), many)
        number = np.arange(len(of)) - np.repeat(np.cumsum(many) - many, many)
        begins, ends = (counts[of] * n // many[of] for n in (number, number + 1))
        lengths = np.minimum(ends - begins, self.length)
        cut = rows.pieces(rows.starts[:-1][of] + begins, lengths)
        place = self.place((begins + ends) // 2, counts[of])
        told = Codes(np.asfortranarray(place[:, None], np.int32), (self.part,), ("place",))
        return cut, of, told

    def draw_counts(self, many: int, rng: np.random.Generator) -> np.ndarray:
        """Draw the rows of long series."""
        return np.rint(np.quantile(self.counts, rng.random(many))).astype(np.int64)

    def draw_opens(self, many: int, rng: np.random.Generator) -> np.ndarray:
        """Draw when long series among many begin, in ticks."""
        return np.quantile(self.opens, rng.random(many))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the report should say."""
        if not self.few:
            return (f"Entities of {self.least:,} rows and more were learnt in pieces of {self.length:,}, and are drawn "
                    "in stretches of as many that follow one another.",)
        which = "All rows are one long series, which was" if len(self.counts) == 1 else \
            f"The {len(self.counts)} series are too few to learn whole histories from, so they were"
        place = f", and where in the series it is (of {self.places} parts)" if self.places > 1 else ""
        return (f"{which} learnt in windows of {self.length:,} rows: each row is drawn given the rows before it, the "
                f"season{place}. Rows are drawn in stretches side by side, each chosen so that its end meets the "
                "next.",)

    def state(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def _in_time(rows: Rows, cut: np.ndarray) -> tuple[list[float], float]:
    """Return when long series begin, and their ticks from row to row."""
    if rows.time is None:
        return [0], 1.0
    ticks = rows.time.to_physical()
    first, last = ticks.gather(rows.starts[:-1][cut]), ticks.gather(rows.starts[1:][cut] - 1)
    return first.to_list(), float((last - first).sum()) / max(int((rows.counts[cut] - 1).sum()), 1)


def _trend(rows: Rows) -> float:
    """Return the share of variance of numbers that lies between parts of the longest series; the median."""
    entity = int(np.argmax(rows.counts))
    shares = []
    for values in rows.frame[int(rows.starts[entity]):int(rows.starts[entity + 1])].select(pl.selectors.numeric()):
        known = values.cast(pl.Float64).to_numpy()
        known = np.where(np.isfinite(known), known, known[np.isfinite(known)].mean() if np.isfinite(known).any() else 0)
        if known.std() > 0:
            parts = np.array_split(known, _PLACES)
            shares.append(sum(len(p) * (p.mean() - known.mean()) ** 2 for p in parts) / len(known) / known.var())
    return float(np.median(shares)) if shares else 0.0
