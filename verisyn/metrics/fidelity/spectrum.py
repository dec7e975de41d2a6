"""Whether numbers swing as fast and as slowly as in real histories: the share of their spectra that agrees; 1 is best.

Histories are cut into segments of 16 to 256 rows, of as many as fit into three quarters of the training histories. Of
each number, standardised by the training rows and kept within their middle 99.8 %, each segment's line (its mean and
slope) is taken off, the rest is weighed by a Hann window, and the power at each frequency is added up over segments
(Welch 1967; a missing value stands as the one before). Powers are normalised to sum to 1; the likeness is 1 - the total
variation between the synthetic and the holdout's, frequencies from the fourth on joined in bands of a third of an
octave. Columns are averaged. The interval is a delete-a-block jackknife over the histories of both sides.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered
from verisyn.kinds import Feature
from verisyn.metrics._histories import Histories, HistorySides
from verisyn.metrics._order import chosen, compared, judged_gap, likeness, plain, rule_of_gap
from verisyn.metrics._tables import BLOCKS, left_out, overlaps

title = "Do numbers swing as in real histories?"
needs = ("order",)
best, worst = 1.0, 0.0
stand_in = "train"
place = 5
references = ("https://doi.org/10.1109/TAU.1967.1161901",)
GOOD, FAIR = 0.04, 0.12
"""Below what real histories reach; white noise in the place of a slow course is 0.5 below."""
rule = rule_of_gap(GOOD, FAIR)
_SHORTEST, _LONGEST, _SEGMENTS, _DRAWN = 16, 256, 2 * BLOCKS, 6


def measure(sides: HistorySides, rng: np.random.Generator) -> Measure:
    """Compare the normalised spectra of the synthetic histories with the holdout's."""
    fake, real = compared(sides)
    columns, length = chosen(sides, numbers=True), _length(sides)
    if not columns:
        raise NotAnswered("no column is a number that changes")
    if length < _SHORTEST:
        raise NotAnswered(f"it takes {BLOCKS} stretches of {_SHORTEST} rows or more of both sides")
    bands = _bands(length)
    made, held, train = ([_power(side.features[c], sides.train.features[c], side, length) for c in columns]
                         for side in (fake, real, sides.train))
    each, reals = (np.array([overlaps(*(np.add.reduceat(p, bands, axis=1) for p in pair))
                             for pair in zip(powers, held, strict=True)]) for powers in (made, train))
    names = [sides.train.features[c].name for c in columns]
    if not sides.pictured:
        return plain(each)
    told = likeness(each, [*map(repr, names)], reals, "share of the spectrum that agrees")
    lines = [_line(names[i], made[i], held[i], length) for i in np.argsort(each[:, 0])[:_DRAWN]]
    return Measure(told.value, told.interval, {**told.details, "rows_of_a_stretch": length, "lines": lines})


def _length(sides: HistorySides) -> int:
    """Rows of a stretch: as many as most histories have, fewer where that leaves too few stretches; 0 for none."""
    length = 2 ** int(np.log2(np.clip(np.quantile(sides.train.lengths, 0.25), 1, _LONGEST)))
    tried = [length >> i for i in range(5) if length >> i >= _SHORTEST]
    counts = [min(int((side.lengths // n).sum()) for side in (sides.fake, sides.holdout)) for n in tried]
    many = [n for n, count in zip(tried, counts, strict=True) if count >= _SEGMENTS]
    return many[0] if many else tried[-1] if tried and counts[-1] >= BLOCKS else 0


def _starts(histories: Histories, length: int) -> np.ndarray:
    """The rows at which segments begin."""
    fit = histories.lengths // length
    nth = np.arange(fit.sum()) - np.repeat(np.cumsum(fit) - fit, fit)
    return np.repeat(histories.starts[:-1], fit) + length * nth


def _bands(length: int) -> np.ndarray:
    """The first frequency of each band."""
    bands, edge = [0, 1, 2], 4.0
    while edge - 1 < length // 2:
        bands.append(round(edge) - 1)
        edge = max(edge + 1, edge * 2 ** (1 / 3))
    return np.unique(bands)


def _power(feature: Feature, train: Feature, histories: Histories, length: int) -> np.ndarray:
    """Power by frequency, from once a segment up, in 20 blocks of histories; shape (20, length / 2)."""
    known = train.values[~np.isnan(train.values)]
    low, high = np.quantile(known, [0.001, 0.999])
    scale = float(known.clip(low, high).std()) or 1.0
    values = (_filled(feature.values, float(np.median(known))).clip(low, high) - known.mean()) / scale
    begins = _starts(histories, length)
    parts = values[begins[:, None] + np.arange(length)]
    step = np.linspace(-1, 1, length)
    parts = parts - parts.mean(axis=1, keepdims=True)
    parts -= (parts @ step / (step @ step))[:, None] * step
    power = np.abs(np.fft.rfft(parts * np.hanning(length), axis=1)[:, 1:]) ** 2
    block = np.searchsorted(np.linspace(0, histories.entities, BLOCKS + 1)[1:-1], histories.of[begins], "right")
    out = np.full((BLOCKS, power.shape[1]), 1e-9)
    np.add.at(out, block, power)
    return out


def _filled(values: np.ndarray, usual: float) -> np.ndarray:
    """Let a missing value be as the last known one."""
    known = ~np.isnan(values)
    last = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    return np.where(last >= 0, values[np.maximum(last, 0)], usual)


def _line(name: str, fake: np.ndarray, real: np.ndarray, length: int) -> dict[str, Any]:
    """Shares of power by frequency, with bands of twice the standard error."""
    series = []
    for who, power in (("real", real), ("synthetic", fake)):
        without = left_out(power)
        shares = without / without.sum(axis=1, keepdims=True)
        error = 2 * np.sqrt((BLOCKS - 1) * shares[1:].var(axis=0))
        series.append({"name": who, "points": [
            {"x": round((i + 1) / length, 5), "y": round(float(s), 5), "low": round(float(max(0, s - e)), 5),
             "high": round(float(s + e), 5)} for i, (s, e) in enumerate(zip(shares[0], error, strict=True))]})
    return {"title": name, "x": "cycles per step", "y": "share of the power", "series": series}


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the gap to real histories."""
    said = f"The spectra agree with real histories' to {measure.value:.1%} on average"
    return judged_gap(measure, floor, ceiling, said, (GOOD, FAIR))
