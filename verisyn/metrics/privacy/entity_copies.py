"""How many synthetic histories copy a training history, whole or in part, beyond the rate at which strangers coincide.

Whole: equal in every column of every row, in what does not change, and in the gaps between rows (numbers to six
digits) to a training history that fewer than five equal. Stretches: somewhere in it so many consecutive rows as
stand, in the same order and equal in every column, fewer than five times in the training data, and tell enough: three
times the bits that it takes to name one training row, each row counting by how rare it is, and not at all where it is
as the row before. They have as few rows, three to 32, as it takes for half of the training stretches to tell so much
and for fewer than one stranger in a hundred to coincide. A generator that joins pieces of real histories is found by
these. Near: closer to a training history, by what its rows add up to, than 99 of 100 strangers are, and at most half
as far as from the nearest stranger. Strangers are holdout histories, held against the training data by the very same
tests; what counts is the excess over their rate, with its interval (Newcombe 1998). Of long series that are judged by
windows, pieces of 16 rows are counted that hold such a stretch, and nothing else. All histories are held against all
training rows, not a sample. The value is that of the check that decides, as in ``privacy.copies``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered
from verisyn.kinds import Feature
from verisyn.metrics._copied import BOUND, GOOD, POOR, excess_of, hashed, judged, measured, near_flags, rare_keys
from verisyn.metrics._histories import Histories, HistorySides
from verisyn.metrics._order import apart, enough_histories
from verisyn.metrics._windows import summarised

title = "Does it copy real histories?"
needs = ("order",)
best, worst = 0.0, 1.0
stand_in, floor = None, False
references = ("https://doi.org/10.1002/(sici)1097-0258(19980430)17:8%3C873::aid-sim779%3E3.0.co;2-i",)
rule = (f"poor: more than {POOR:.1%} of the histories copy training histories beyond the strangers' rate, at the low "
        f"end of the interval (whole, in stretches, or nearly); good: {GOOD:.0%} or less, and {BOUND:.0%} or less at "
        "the high end; fair: otherwise")
_LENGTHS, _PIECE, _LEAST = (3, 4, 6, 8, 12, 16, 24, 32), 16, 10
_COINCIDE, _TELLING, _NAMES = 0.01, 0.5, 2.99
_PRIME = np.uint64(0x9E3779B97F4A7C15)


def measure(sides: HistorySides, rng: np.random.Generator) -> Measure:
    """Count copies of whole histories, of stretches, and near ones, beside the strangers' own."""
    strangers = sides.strangers
    if not sides.windows:
        enough_histories({"synthetic": sides.fake, "training": sides.train, "holdout": strangers}, _LEAST)
    fake, train, other = (sides.fake, sides.train, strangers) if sides.full is None else sides.full
    checks = []
    if not sides.windows:
        rare = rare_keys(_whole(train))
        checks.append(excess_of("whole histories", *(np.isin(_whole(side), rare) for side in (fake, other))))
    if found := _stretched(fake, train, other, windows=sides.windows):
        checks.append(found)
    if not sides.windows:
        checks.append(excess_of("near histories", *near_flags(summarised(sides, strangers=True), rng)))
    if not checks:
        raise NotAnswered("there are too few stretches of the holdout to tell how often strangers coincide")
    return measured(checks, {"histories": fake.entities, "strangers": other.entities})


def _rows(histories: Histories) -> np.ndarray:
    """A key of each row."""
    if not histories.features:
        return np.zeros(histories.rows, np.uint64)
    return hashed(histories.features)


def _whole(histories: Histories) -> np.ndarray:
    """A key of each history: of its rows in order, the gaps between them, and what does not change."""
    keys = _rows(histories)
    if histories.time is not None:
        gaps = np.diff(histories.time, prepend=histories.time[:1])
        gaps[histories.starts[:-1]] = 0.0
        keys = keys ^ hashed([Feature("gap", gaps)])
    place = (np.arange(histories.rows) - histories.starts[:-1][histories.of]).astype(np.uint64)
    with np.errstate(over="ignore"):
        mixed = (keys + _PRIME * place) * _PRIME
        mixed ^= mixed >> np.uint64(29)
        whole = np.add.reduceat(mixed * _PRIME, histories.starts[:-1])
    return whole ^ hashed(histories.about) if histories.about else whole


def _stretched(fake: Histories, train: Histories, other: Histories, *, windows: bool) -> dict[str, Any] | None:
    """The check of stretches: of as few rows as hardly any stranger coincides in; None where none is long enough."""
    found = None
    for length in (n for n in _LENGTHS if n <= _PIECE or not windows):
        keys, share = _telling(train, length)
        rare = rare_keys(keys)
        flags = [_held(side, rare, length, windows=windows) for side in (fake, other)]
        if min(map(len, flags)) < _LEAST:
            break
        found = excess_of(f"{f'pieces of {_PIECE} rows' if windows else 'histories'} (by {length} rows)", *flags)
        if found["strangers"] <= _COINCIDE and share >= _TELLING:
            break
    return found


def _telling(train: Histories, length: int) -> tuple[np.ndarray, float]:
    """Keys of the training stretches that tell enough, and the share of stretches that they are."""
    rows, (keys, begins) = _rows(train), _stretches(train, length)
    _, of, counts = np.unique(rows, return_inverse=True, return_counts=True)
    bits = np.log2(len(rows) / counts)[of]
    bits[1:][rows[1:] == rows[:-1]] = 0.0
    told = np.concatenate([[0.0], np.cumsum(bits)])
    enough = told[begins + length] - told[begins] >= _NAMES * np.log2(max(len(rows), 2))
    return keys[enough], float(enough.mean()) if len(enough) else 0.0


def _stretches(histories: Histories, length: int) -> tuple[np.ndarray, np.ndarray]:
    """A key of every `length` consecutive rows of one history, and the row at which they begin."""
    keys, begins = _rows(histories), apart(histories.starts, length - 1)
    found = np.zeros(len(begins), np.uint64)
    with np.errstate(over="ignore"):
        for step in range(length):
            found = (found ^ (found >> np.uint64(31))) * _PRIME + keys[begins + step]
    return found, begins


def _held(histories: Histories, rare: np.ndarray, length: int, *, windows: bool) -> np.ndarray:
    """Whether each history, or each piece of 16 rows, that has `length` rows holds a rare training stretch."""
    keys, begins = _stretches(histories, length)
    lengths, of = histories.lengths, histories.of[begins]
    if windows:
        pieces = -(-lengths // _PIECE)
        first = np.cumsum(pieces) - pieces
        of = first[of] + (begins - histories.starts[:-1][of]) // _PIECE
        lengths = np.full(pieces.sum(), _PIECE)
    return np.bincount(of, np.isin(keys, rare), len(lengths))[lengths >= length] > 0


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the worst excess over the strangers' rate."""
    checks = measure.details["checks"]
    told = [f"{c['share']:.2%} of {c['what']} are a training history's (of strangers' {c['strangers']:.2%})"
            for c in checks]
    return judged(checks, "; ".join(told))
