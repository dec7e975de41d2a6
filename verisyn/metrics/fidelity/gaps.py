"""Whether rows follow each other in time as in real histories: the share of gaps that agree; 1 is best.

The mean of up to four likenesses, each 1 - the total variation between synthetic and holdout histories: the gaps from a
row to the next; each gap together with the one after it (bursts and pauses); and, where times are moments that differ
within a day, or a week, the hours of the day and the days of the week. Gaps fall into twenty bins of equal mass of the
training rows' gaps, a value that many hold into one of its own; pairs of them into ten each. The interval is a
delete-a-block jackknife over the histories of both sides.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered
from verisyn.kinds import Feature
from verisyn.metrics._histories import Histories, HistorySides
from verisyn.metrics._order import apart, block_tables, compared, judged_gap, likeness, plain, rule_of_gap
from verisyn.metrics._pictures import picture
from verisyn.metrics._tables import overlaps

title = "Do rows follow each other in time as in real histories?"
needs = ("order",)
best, worst = 1.0, 0.0
stand_in = "train"
place, floor = 1, False
references = ("https://doi.org/10.1145/3511808.3557089",)
GOOD, FAIR = 0.03, 0.08
"""Below what real histories reach; a tenth of all gaps elsewhere is seen with the naked eye."""
rule = rule_of_gap(GOOD, FAIR)
_BINS, _JOINT, _DAY, _SAME = 20, 10, 86_400.0, 1e-6


def measure(sides: HistorySides, rng: np.random.Generator) -> Measure:
    """Compare the gaps, and the calendar, of the synthetic histories with the holdout's."""
    fake, real = compared(sides)
    train = sides.train
    if fake.time is None or real.time is None or train.time is None:
        raise NotAnswered("rows have an order, but no time")
    known = _gaps(train)
    if len(known) < 100:
        raise NotAnswered(f"there are only {len(known)} gaps between training rows, and it takes 100")
    asked = dict(_counts(train, sides.moments))
    each, reals = (np.array([overlaps(count(side), count(real)) for count in asked.values()]) for side in (fake, train))
    if not sides.pictured:
        return plain(each)
    told = likeness(each, [*asked], reals, "share that agrees")
    unit = "seconds" if sides.moments else ""
    drawn = picture(*(Feature("gap", _gaps(side), unit=unit) for side in (train, fake)))
    same = [round(float((np.abs(_gaps(side) - np.median(known)) <= _close(known)).mean()), 6) for side in (fake, real)]
    return Measure(told.value, told.interval, {
        **told.details, "columns": [{**drawn, "value": round(float(each[0, 0]), 6)}],
        "at_the_usual_step": same[0], "at_the_usual_step_in_real": same[1]})


def _close(gaps: np.ndarray) -> float:
    return _SAME * max(1.0, float(np.abs(np.median(gaps))))


def _gaps(histories: Histories) -> np.ndarray:
    assert histories.time is not None
    rows = apart(histories.starts, 1)
    return histories.time[rows + 1] - histories.time[rows]


def _counts(train: Histories, moments: bool) -> Iterator[tuple[str, Any]]:
    """What is compared, each with what counts it in the blocks of a side."""
    known = _gaps(train)
    yield "gaps", partial(_joint, edges=_edges(known, _BINS), lag=0)
    if len(apart(train.starts, 2)) >= 100:
        yield "a gap and the next", partial(_joint, edges=_edges(known, _JOINT), lag=1)
    for what, period, parts in (("the hour of the day", _DAY, 24), ("the day of the week", 7 * _DAY, 7)):
        if moments and len(np.unique(_part(train, period, parts))) > 1:
            yield what, partial(_calendar, period=period, parts=parts)


def _edges(values: np.ndarray, bins: int) -> np.ndarray:
    """Cut into bins of equal mass; just above a heavy value too, so that it has a bin of its own."""
    cuts = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1], method="inverted_cdf"))
    close = _close(values)
    return np.unique(np.concatenate([cuts - close, cuts + close]))


def _joint(histories: Histories, edges: np.ndarray, lag: int) -> np.ndarray:
    """Counts of gaps, or of a gap and the next, in blocks."""
    assert histories.time is not None
    size, time = len(edges) + 1, histories.time
    rows = apart(histories.starts, 1 + lag)
    cells = np.zeros(len(rows), np.int64)
    for step in range(1 + lag):
        cells = cells * size + np.searchsorted(edges, time[rows + step + 1] - time[rows + step], "right")
    return block_tables(histories, rows, cells, size ** (1 + lag))


def _part(histories: Histories, period: float, parts: int) -> np.ndarray:
    assert histories.time is not None
    return np.floor(histories.time % period / (period / parts)).astype(np.int64)


def _calendar(histories: Histories, period: float, parts: int) -> np.ndarray:
    return block_tables(histories, np.arange(histories.rows), _part(histories, period, parts), parts)


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the gap to real histories."""
    said = f"The times between rows agree with real histories' to {measure.value:.1%} on average"
    return judged_gap(measure, None, ceiling, said, (GOOD, FAIR))
