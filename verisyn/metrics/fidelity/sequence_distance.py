"""How far synthetic histories lie from real ones in the space of a fixed encoder: Fréchet distance; 0 is best.

In the manner of the Context-FID of Jeha et al. (ICLR 2022), with an encoder that needs no learning and is the same on
every machine: random convolutions as in ROCKET (Dempster, Petitjean and Webb 2020). Histories are cut into stretches
of 64 rows at most; numbers are seen as ranks among the training rows', categories as flags of their five most
frequent levels, a missing value in the middle. 128 kernels of 7 rows, each on up to four columns, dilated by 1 to 8,
slide over a stretch (beyond its ends it is as its nearest row); of each the share of places above a bias, and the
mean above it, are kept: 256 figures a stretch. Along the 16 directions in which training stretches differ most, the
distance is |m - m'|² + tr(S + S' - 2 (S S')^½) of the means and covariances, over the training stretches' whole
variance there. The interval is a delete-a-block jackknife over the histories of both sides.
"""

from __future__ import annotations

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.metrics._aggregates import top_levels
from verisyn.metrics._histories import Histories, HistorySides
from verisyn.metrics._order import chosen, compared, ranks
from verisyn.metrics._stats import p_beyond
from verisyn.metrics._tables import BLOCKS
from verisyn.metrics._windows import stretches

title = "How far are histories from real ones, seen as shapes?"
needs = ("order",)
best, worst = 0.0, 1.0
stand_in = "train"
place = 7
references = ("https://arxiv.org/abs/2108.00981", "https://arxiv.org/abs/1910.13051")
GOOD, FAIR = 0.05, 0.2
"""Beyond the distance of real histories from each other, in units of their variance; rows shuffled are at 0.3 or more
wherever there is an order to lose."""
rule = (f"good: at most {GOOD:.2f} beyond the distance of real histories from each other; fair: at most {FAIR:.2f}; "
        "poor: otherwise")
_LENGTH, _KERNELS, _TAPS, _WIDTH, _DIRECTIONS, _STRETCHES = 64, 128, 7, 4, 16, 2_000
_SEED, _STEADY = 2108, 0.05
"""A figure that hardly differs between training stretches counts no more than one that differs by so much."""


def measure(sides: HistorySides, rng: np.random.Generator) -> Measure:
    """Encode stretches of all sides, and compare the clouds."""
    fake, real = compared(sides)
    columns = chosen(sides)
    if not columns:
        raise NotAnswered("no column changes from row to row")
    length = int(np.clip(np.quantile(sides.train.lengths, 0.75), 1, _LENGTH))
    found = [_encoded(side, sides.train, columns, length, rng) for side in (fake, real, sides.train)]
    (x, of), (y, other), (train, _) = found
    centre, scale = train.mean(axis=0), np.maximum(train.std(axis=0), _STEADY)
    train, x, y = ((v - centre) / scale for v in (train, x, y))
    _, size, ways = np.linalg.svd(train, full_matrices=False)
    ways = ways[:_DIRECTIONS].T
    whole = float((size[:_DIRECTIONS] ** 2).sum()) / len(train)
    x, y = x @ ways, y @ ways
    blocks = [np.searchsorted(np.linspace(0, side.entities, BLOCKS + 1)[1:-1], who, "right")
              for side, who in ((fake, of), (real, other))]
    parts = [_moments(v, block) for v, block in ((x, blocks[0]), (y, blocks[1]))]
    value = _distance(parts[0][0], parts[1][0]) / whole
    left = np.array([[_distance(p, parts[1][0]) for p in parts[0][1:]],
                     [_distance(parts[0][0], p) for p in parts[1][1:]]]) / whole
    half = 2.093 * float(np.sqrt((BLOCKS - 1) * left.var(axis=1).sum()))
    interval = max(0.0, value - half), value + half
    return Measure(value, interval, {"stretches": len(x), "rows_of_a_stretch": length} if sides.pictured else {})


def _encoded(side: Histories, train: Histories, columns: list[int], length: int, rng: np.random.Generator
             ) -> tuple[np.ndarray, np.ndarray]:
    """Figures of stretches, float (stretches, 256), and the entity of each."""
    part, entity = stretches(side, length, _STRETCHES, rng)
    signals = [np.nan_to_num(ranks(part, train, [c])[:, 0]) if not part.features[c].levels else
               (part.features[c].values == code) - 0.5
               for c in columns for code in ([0] if not part.features[c].levels else
                                             [code for code, _ in top_levels(train.features[c], 5)])]
    x = np.array(signals)  # (signals, rows)
    step, fixed = np.arange(length), np.random.default_rng(_SEED)
    out = np.empty((len(entity), 2 * _KERNELS))
    last = part.lengths - 1
    for k in range(_KERNELS):
        weights = fixed.normal(size=(_TAPS, _WIDTH))
        weights -= weights.mean(axis=0)
        chosen_signals, dilation = fixed.integers(0, 2**31, _WIDTH) % len(x), 2 ** (k % 4)
        bias = fixed.normal() * 0.5
        mixed = np.zeros((len(entity), length))
        seen = x[chosen_signals[: 1 + k % _WIDTH]]
        for tap in range(_TAPS):
            at = np.clip(step[None] + (tap - _TAPS // 2) * dilation, 0, last[:, None]) + part.starts[:-1, None]
            mixed += np.einsum("s,srt->rt", weights[tap, :len(seen)], seen[:, at])
        inside = step[None] <= last[:, None]
        above = (mixed > bias) & inside
        held = np.maximum(inside.sum(axis=1), 1)
        out[:, 2 * k] = above.sum(axis=1) / held
        out[:, 2 * k + 1] = np.where(inside, np.maximum(mixed - bias, 0), 0).sum(axis=1) / held
    return out, entity


def _moments(x: np.ndarray, block: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Mean and covariance of all stretches, and without those of each block."""
    parts = [(float((block == b).sum()), x[block == b].sum(axis=0), x[block == b].T @ x[block == b])
             for b in range(BLOCKS)]
    n, s, q = (sum(p[i] for p in parts) for i in range(3))
    found = []
    for m, t, r in [(0.0, np.zeros_like(s), np.zeros_like(q)), *parts]:
        mean = (s - t) / (n - m)
        found.append((mean, (q - r) / (n - m) - np.outer(mean, mean)))
    return found


def _distance(a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]) -> float:
    """The squared Fréchet distance of two normal distributions."""
    value, ways = np.linalg.eigh(a[1])
    root = ways * np.sqrt(np.maximum(value, 0)) @ ways.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ b[1] @ root), 0)).sum()
    return max(0.0, float(((a[0] - b[0]) ** 2).sum() + np.trace(a[1]) + np.trace(b[1]) - 2 * cross))


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the distance beyond that of real histories."""
    low, beyond = ceiling or 0.0, measure.value - (ceiling or 0.0)
    verdict: Verdict = "good" if beyond <= GOOD else "fair" if beyond <= FAIR else "poor"
    said = f"As shapes, synthetic histories are {measure.value:.3f} of their variance away from real ones"
    beside = [f"{who} {value:.3f}" for who, value in (("real ones from each other", ceiling), ("rows shuffled", floor))
              if value is not None]
    said += f" ({', '.join(beside)})" if beside else ""
    return Judged(verdict, said + ".", p_beyond(measure.value, measure.interval, low + FAIR))
