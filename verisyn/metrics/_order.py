"""What metrics of histories share: blocks of entities, rows some steps apart, and what differs beyond chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student

from verisyn._runs import starts_of
from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.kinds import Feature
from verisyn.metrics._histories import Histories, HistorySides
from verisyn.metrics._stats import adjusted, jackknife, p_gap, together
from verisyn.metrics._tables import BLOCKS

MOST_COLUMNS = 30
"""Of more columns than this, the order of so many is judged, drawn by a seed."""
FDR, LOST = 0.05, 0.15
"""A column that is by 0.15 less alike than real ones tells another story, whatever the others do."""
_LAGS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48)
_SHOWN = 15


def enough_histories(sides: dict[str, Histories], least: int = BLOCKS) -> None:
    """Check that no side has too few histories.

    Raises
    ------
    NotAnswered
        Naming the side with the fewest, their number and how many are needed.
    """
    side, few = min(sides.items(), key=lambda told: (told[1].entities, told[0] == "synthetic"))
    if few.entities < least:
        there = f"is only 1 {side} history" if few.entities == 1 else f"are only {few.entities} {side} histories"
        raise NotAnswered(f"there {there}, and it takes {least}")


def compared(sides: HistorySides, least: int = BLOCKS) -> tuple[Histories, Histories]:
    """Return the synthetic and the real histories; there are enough of both, or NotAnswered."""
    enough_histories({"synthetic": sides.fake, "real": sides.holdout}, least)
    return sides.fake, sides.holdout


def chosen(sides: HistorySides, *, numbers: bool | None = None) -> list[int]:
    """Return which features are judged: numbers alone, categories alone, or both; those that vary, 30 at most."""
    found = [i for i, f in enumerate(sides.train.features)
             if numbers in (None, f.levels == 0) and len(np.unique(f.values[~np.isnan(f.values)][:10_000])) > 1]
    drawn = np.random.default_rng([sides.seed, len(found)]).permutation(len(found))[:MOST_COLUMNS]
    return [found[i] for i in sorted(drawn)]


def bounds(histories: Histories) -> np.ndarray:
    """Return the rows at which the 20 blocks of entities begin, and the end; int64 (21,)."""
    return histories.starts[np.linspace(0, histories.entities, BLOCKS + 1).astype(np.int64)]


def apart(starts: np.ndarray, lag: int) -> np.ndarray:
    """Return the rows that have a row of the same entity `lag` steps later.

    Examples
    --------
    >>> apart(np.array([0, 3, 4]), 1).tolist()
    [0, 1]
    """
    lengths = np.diff(starts)
    left = np.repeat(starts[1:], lengths) - np.arange(starts[-1])
    return np.flatnonzero(left > lag)


def lags_of(sides: HistorySides) -> list[int]:
    """Return the lags that a quarter of the training rows, and 100 of them, have a row at."""
    train = sides.train
    pairs = {lag: int(np.maximum(train.lengths - lag, 0).sum()) for lag in _LAGS}
    return [lag for lag, count in pairs.items() if count >= max(100, train.rows / 4)]


def ranks(histories: Histories, train: Histories, columns: Sequence[int]) -> np.ndarray:
    """Return numbers as ranks among the training rows' values, -0.5 to 0.5, NaN missing; float64 (rows, columns)."""
    return np.column_stack([_ranked(histories.features[i], train.features[i]) for i in columns])


def _ranked(feature: Feature, train: Feature) -> np.ndarray:
    scale = np.sort(train.values[~np.isnan(train.values)])
    below = np.searchsorted(scale, feature.values, "left") + np.searchsorted(scale, feature.values, "right")
    return np.where(np.isnan(feature.values), np.nan, below / (2 * len(scale)) - 0.5)


def changes(histories: Histories, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the changes of values from each row to the next of its entity, and where each entity's begin."""
    rows = apart(histories.starts, 1)
    return x[rows + 1] - x[rows], starts_of(np.maximum(histories.lengths - 1, 0))


def correlation(n: np.ndarray, sa: np.ndarray, sb: np.ndarray, saa: np.ndarray, sbb: np.ndarray, sab: np.ndarray
                ) -> np.ndarray:
    """Return Pearson's correlation from sums; 0 where a side does not vary.

    Examples
    --------
    >>> float(correlation(*map(np.float64, (2, 3, 3, 5, 5, 5))))
    1.0
    """
    n = np.maximum(n, 1.0)
    spread = np.sqrt(np.maximum(saa - sa * sa / n, 0.0) * np.maximum(sbb - sb * sb / n, 0.0))
    together = sab - sa * sb / n
    return np.divide(together, spread, out=np.zeros_like(spread), where=spread > 1e-9 * n).clip(-1.0, 1.0)


def block_sums(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Sum rows of values in blocks; (21, …): all blocks together, then without each."""
    running = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])
    each = running[edges[1:]] - running[edges[:-1]]
    whole = each.sum(axis=0)
    return np.concatenate([whole[None], whole - each])


def block_tables(histories: Histories, rows: np.ndarray, cells: np.ndarray, size: int) -> np.ndarray:
    """Count cells, those of some `rows`, in the 20 blocks of entities; int (20, size)."""
    block = np.searchsorted(bounds(histories)[1:-1], rows, "right")
    return np.bincount(block * size + cells, minlength=BLOCKS * size).reshape(BLOCKS, size)


@dataclass(frozen=True)
class Compared:
    """Statistics of both sides, each on all entities and without each block of them: arrays of shape (things, 21)."""

    fake: np.ndarray
    real: np.ndarray
    names: Sequence[str]
    least: float = 0.02

    @property
    def gaps(self) -> np.ndarray:
        """Differences, shape (things, 41): on all entities, without blocks of the synthetic, of the real ones."""
        return np.hstack([self.fake[:, :1] - self.real[:, :1], self.fake[:, 1:] - self.real[:, :1],
                          self.fake[:, :1] - self.real[:, 1:]])

    def value(self) -> tuple[float, tuple[float, float]]:
        """Return 1 - the mean difference, a difference counting 1 at most, with its interval."""
        mean = 1 - np.minimum(1.0, np.abs(self.gaps)).mean(axis=0)
        return float(mean[0]), jackknife(float(mean[0]), mean[1:1 + BLOCKS], mean[1 + BLOCKS:])

    def errors(self, side: np.ndarray) -> np.ndarray:
        """The standard error of each statistic of one side."""
        return np.sqrt((BLOCKS - 1) * side[:, 1:].var(axis=1))

    def p(self, border: float) -> np.ndarray:
        """The chance of differences so great if in truth they were `border`."""
        error = np.maximum(np.hypot(self.errors(self.fake), self.errors(self.real)), self.least)
        size = np.abs(self.gaps[:, 0])
        tails = [student.sf((size + way * border) / error, BLOCKS - 1) for way in (-1, 1)]
        return np.minimum(1.0, tails[0] + tails[1])

    def told(self, border: float, what: str) -> dict[str, Any]:
        """Return what the judge and the report want to know: those that differ beyond chance, the worst first."""
        size, sure = np.abs(self.gaps[:, 0]), adjusted(self.p(0.0)) <= FDR
        order = [int(i) for i in np.argsort(-size, kind="stable") if sure[i]]
        error = student.ppf(0.975, BLOCKS - 1) * self.errors(self.fake)
        items = [{"name": self.names[i], "value": round(float(self.fake[i, 0]), 6),
                  "reference": round(float(self.real[i, 0]), 6),
                  "interval": [round(float(self.fake[i, 0] + way * error[i]), 6) for way in (-1, 1)]}
                 for i in order[:_SHOWN]]
        return {"items": items, "differ": len(order), "asked": len(self.names), "_p": together(self.p(border)),
                "items_say": {"value": f"{what} in synthetic histories", "reference": "the same in real ones"}}


def judged_items(measure: Measure, floor: float | None, ceiling: float | None, what: str, good: float) -> Judged:
    """Judge what moved by more than a border beyond chance (``details["_p"]``), and the mean."""
    d, gap = measure.details, (1.0 if ceiling is None else ceiling) - measure.value
    verdict: Verdict = "poor" if d["_p"] <= FDR else "good" if gap <= good else "fair"
    said = f"{what} differs from real histories' by {1 - measure.value:.3f} on average"
    beside = [f"{who} {1 - value:.3f}" for who, value in (("real histories", ceiling), ("rows shuffled", floor))
              if value is not None]
    said += f" ({', '.join(beside)})" if beside else ""
    if d["items"]:
        first, others = d["items"][0], d["differ"] - 1
        said += f"; that of {first['name']} is {first['value']:.2f} in place of {first['reference']:.2f}"
        said += f", the most of {others + 1} that differ beyond chance" if others else ""
    else:
        said += "; none differs beyond chance"
    return Judged(verdict, said + ".", d["_p"])


def judged_gap(measure: Measure, floor: float | None, ceiling: float | None, said: str, borders: tuple[float, float]
               ) -> Judged:
    """Judge a likeness (1 is best) by its gap to what real histories reach; `said` begins the sentence."""
    d, high = measure.details, 1.0 if ceiling is None else ceiling
    gap, p = high - measure.value, d.get("_p", 1.0)
    half = 2**0.5 * (measure.interval[1] - measure.value)  # the ceiling is measured too
    alike = gap <= borders[0] or (gap <= half and gap + half <= borders[1])
    poor = gap > borders[1] or p <= FDR
    verdict: Verdict = "poor" if poor else "good" if alike else "fair"
    beside = [f"{who} {value:.1%}" for who, value in (("real histories reach", ceiling), ("rows shuffled", floor))
              if value is not None]
    said += f" ({', '.join(beside)})" if beside else ""
    items = d.get("items") or []
    if len(items) > 1:
        first = items[0]
        real = f" (real histories {first['reference']:.1%})" if "reference" in first else ""
        said += f"; the farthest from real ones is {first['name']} with {first['value']:.1%}{real}"
    return Judged(verdict, said + ".", together([p, p_gap(measure, high, borders[1])]))


def rule_of_gap(good: float, fair: float, *, each: bool = True) -> str:
    """Return the rule of `judged_gap` in words; `each` where things are compared one by one too."""
    one = (f", or of some one by more than {LOST:.0%}, by more than chance (false discovery rate 5 %)" if each else "")
    return (f"poor: more than {fair:.0%} below what real histories reach{one}; good: within {good:.0%} of it, or no "
            f"worse by an interval that ends within {fair:.0%}; fair: otherwise")


def plain(each: np.ndarray) -> Measure:
    """Return the mean of likenesses, shape (things, 41), with its interval and nothing else."""
    mean = each.mean(axis=0)
    return Measure(float(mean[0]), jackknife(float(mean[0]), mean[1:1 + BLOCKS], mean[1 + BLOCKS:]))


def likeness(each: np.ndarray, names: Sequence[str], reals: np.ndarray, what: str) -> Measure:
    """Return the measure of likenesses: their mean, and each as an item, the least alike beside real ones first.

    Parameters
    ----------
    each, reals : float arrays of shape (things, 41)
        Likenesses of the synthetic and of the training histories to the holdout's, as ``overlaps`` returns them.
    names : sequence of str
        What each is.
    what : str
        What the likeness is, for the report.
    """
    whole = plain(each)
    halves, items = [_half(one) for one in (each, reals)], []
    gaps = reals[:, 0] - each[:, 0]
    error = np.maximum(np.hypot(*halves) / student.ppf(0.975, BLOCKS - 1), 1e-3)
    for i in np.argsort(-gaps, kind="stable")[:_SHOWN]:
        value, half = float(each[i, 0]), float(halves[0][i])
        items.append({"name": names[i], "value": round(value, 6), "reference": round(float(reals[i, 0]), 6),
                      "interval": [round(max(0.0, value - half), 6), round(min(1.0, value + half), 6)]})
    return Measure(whole.value, whole.interval, {
        "items": items, "_p": together(student.sf((gaps - LOST) / error, BLOCKS - 1)),
        "items_say": {"value": what, "reference": "the same of training histories"}})


def _half(each: np.ndarray) -> np.ndarray:
    """Half of each likeness's interval."""
    spread = [(BLOCKS - 1) * part.var(axis=1) for part in (each[:, 1:1 + BLOCKS], each[:, 1 + BLOCKS:])]
    return student.ppf(0.975, BLOCKS - 1) * np.sqrt(sum(spread))
