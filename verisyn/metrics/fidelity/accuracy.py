"""How accurate columns, pairs and triples are: 1 - total variation on ten bins, by mostlyai-qa's public definition.

Synthetic rows are compared with all real rows, training and holdout together. Numbers and booleans are cut at the
values that part ten equal shares of the real rows, at finer shares where values repeat, until there are ten bins
(ten distinct values or fewer are a bin each), edges rounded down as far as they stay apart; moments and durations
likewise; of anything else the ten most frequent values, with five rows or more, are bins and the rest share one; a
missing value is a bin of its own. The accuracy of one, two or three columns is 1 - half the sum of the differences
between shares of rows in their joint bins. Averaged over columns it is the univariate, over pairs the bivariate, over
triples the trivariate accuracy; the value is the mean of the three. Where there are more than 1 000 pairs or triples,
so many are drawn by a seed (the public definition draws 10 000 triples). Intervals are delete-a-block jackknifes over
the rows of both sides, widened by the drawing. Beside each stands what real rows reach: the holdout's accuracy against
the training rows, its error brought to the numbers of rows compared by the ratio of the errors that chance alone gives,
the sum of sqrt(p (1 - p) (1/n + 1/m) / 2 pi) over bins. As the training rows are among the real ones here, rows copied
from them do better than unseen ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.metrics import Sides, enough, has_columns
from verisyn.metrics._stats import Z, jackknife, p_gap
from verisyn.metrics._tables import BLOCKS, block_counts, overlaps
from verisyn.modalities.table._views import Coarse

title = "How accurate are columns, pairs and triples, by the public yardstick?"
needs = ("frame", "features")
best, worst = 1.0, 0.0
stand_in = None
references = ("https://github.com/mostly-ai/mostlyai-qa",)
GOOD, FAIR = 0.02, 0.05
"""Below what real rows reach; columns of the adult census drawn alone are 0.06 below it, good generators 0.01."""
rule = f"good: within {GOOD:.0%} of what real rows reach; fair: within {FAIR:.0%}; poor: otherwise"
_SETS = {1: "univariate", 2: "bivariate", 3: "trivariate"}
_WORDS = {1: "column", 2: "pair", 3: "triple"}
_MOST = 1_000
_BINS, _COMMON, _FINEST = 10, 5, 1_000
_SPECIAL = ("", "_RARE_")


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Compare the synthetic rows with all real ones in the bins of one, two and three columns."""
    enough({"synthetic": sides.fake.rows, "training": sides.train.rows, "real": sides.holdout.rows}, 50)
    sides = sides.narrowed(rng)
    has_columns(sides)
    names = [f.name for f in sides.train.features
             if f.name not in sides.regenerated and f.name in sides.train.frame.columns]
    if not names:
        raise NotAnswered("no column holds values that are modelled")
    coded = binned([side.frame for side in (sides.fake, sides.train, sides.holdout)], names)
    found = [_Averaged.over(k, coded, rng) for k in _SETS if len(names) >= k]
    each, ceiling = np.mean([a.each for a in found], axis=0), float(np.mean([a.ceiling for a in found]))
    drawn = float(np.sqrt(sum(a.drawn**2 for a in found))) / len(found)
    interval = _interval(each, drawn)
    if not sides.pictured:
        return Measure(float(each[0]), interval)
    return Measure(float(each[0]), interval, {
        **{_SETS[a.columns]: a.told() for a in found}, "columns": len(names), "ceiling": ceiling,
        "items": sorted((a.item() for a in found), key=lambda item: item["value"]),
        "items_say": {"value": "accuracy of synthetic rows", "reference": "what as many real rows reach"}})


def _interval(each: np.ndarray, drawn: float) -> tuple[float, float]:
    """The jackknife's interval, widened by the standard error of having drawn some sets of columns only."""
    value = float(each[0])
    low, high = (end - value for end in jackknife(value, each[1:1 + BLOCKS], each[1 + BLOCKS:]))
    return max(0.0, value - float(np.hypot(low, Z * drawn))), min(1.0, value + float(np.hypot(high, Z * drawn)))


@dataclass(frozen=True)
class _Averaged:
    """Accuracies of sets of so many columns, averaged: on all rows, then without each block of either side."""

    columns: int
    each: np.ndarray
    ceiling: float
    drawn: float
    sets: int
    worst: str

    @classmethod
    def over(cls, columns: int, coded: Sequence[Coarse], rng: np.random.Generator) -> Self:
        """Average over the sets of so many columns."""
        names = coded[0].names
        chosen, in_all = _sets(len(names), columns, rng), comb(len(names), columns)
        found, own = zip(*(_accuracy(coded, at) for at in chosen), strict=True)
        values = np.array(found)
        left = max(0.0, 1 - len(chosen) / in_all)
        drawn = float(values[:, 0].std() * np.sqrt(left / len(chosen)))
        worst = int(np.argmin(values[:, 0]))
        said = f"worst {_WORDS[columns]}: {', '.join(repr(names[i]) for i in chosen[worst])} ({values[worst, 0]:.1%})"
        return cls(columns, values.mean(axis=0), float(np.mean(own)), drawn, len(chosen), said)

    def item(self) -> dict[str, Any]:
        """What the report draws."""
        low, high = _interval(self.each, self.drawn)
        return {"name": _SETS[self.columns], "value": round(float(self.each[0]), 6), "note": self.worst,
                "reference": round(self.ceiling, 6), "interval": [round(low, 6), round(high, 6)]}

    def told(self) -> dict[str, Any]:
        """What stands in the details under the name of this accuracy."""
        item = self.item()
        return {"value": item["value"], "interval": item["interval"], "holdout": item["reference"], "sets": self.sets,
                "worst": self.worst}


def _sets(width: int, columns: int, rng: np.random.Generator) -> list[tuple[int, ...]]:
    if comb(width, columns) <= _MOST:
        return list(combinations(range(width), columns))
    drawn = set[tuple[int, ...]]()
    while len(drawn) < _MOST:
        drawn.add(tuple(sorted(rng.choice(width, columns, replace=False).tolist())))
    return sorted(drawn)


def _accuracy(coded: Sequence[Coarse], at: tuple[int, ...]) -> tuple[np.ndarray, float]:
    """The accuracy of a set of columns, whole and without blocks, and what as many unseen real rows would reach."""
    fake, train, holdout = (block_counts(side, at) for side in coded)
    real = train + holdout
    shares, unseen, seen = (x.sum(axis=0) / x.sum() for x in (real, holdout, train))
    own = float(np.abs(unseen - seen).sum()) / 2
    by_chance = [_by_chance(shares, a.sum(), b.sum()) for a, b in ((fake, real), (holdout, train))]
    return overlaps(fake, real), 1 - own * (by_chance[0] / by_chance[1] if by_chance[1] > 0 else 1.0)


def _by_chance(shares: np.ndarray, rows: int, others: int) -> float:
    """The error that two samples of these sizes are expected to have by chance alone."""
    return float(np.sqrt(shares * (1 - shares) * (1 / rows + 1 / others) / (2 * np.pi)).sum())


# -- the bins ---------------------------------------------------------------------------------------------------------
def binned(frames: Sequence[pl.DataFrame], names: Sequence[str]) -> list[Coarse]:
    """Return columns of the first frame (synthetic) and the others (real) in bins learnt on all real rows."""
    columns = [_column([frame[name] for frame in frames]) for name in names]
    sizes = tuple(int(max(c.max(initial=0) for c in column)) + 1 for column in columns)
    return [Coarse(np.column_stack([column[i].astype(np.uint8) for column in columns]), sizes, tuple(names))
            for i in range(len(frames))]


def _column(sides: list[pl.Series]) -> list[np.ndarray]:
    kind = sides[1].dtype
    if not (kind.is_numeric() or kind.is_temporal() or kind == pl.Boolean):
        return _levels([side.cast(pl.String, strict=False) for side in sides])
    values = [side.to_physical().cast(pl.Float64).fill_null(np.nan).to_numpy() for side in sides]
    real = np.concatenate(values[1:])
    inner = inner_edges(np.sort(real[~np.isnan(real)]), moments=kind.is_temporal())
    return [np.where(np.isnan(v), len(inner) + 1, np.searchsorted(inner, v, "right")) for v in values]


def inner_edges(values: np.ndarray, *, moments: bool = False) -> np.ndarray:
    """Return the edges between the bins of sorted real values; a value on an edge belongs to the bin above it.

    Examples
    --------
    >>> inner_edges(np.array([1.0, 1.0, 2.0, 3.0])).tolist(), inner_edges(np.arange(0.5, 41.5)).tolist()
    ([2.0, 3.0], [4.0, 8.0, 12.0, 16.0, 20.0, 24.0, 28.0, 32.0, 36.0])
    """
    edges = np.unique(values)
    if not moments and len(edges) <= _BINS:
        return _rounded_down(np.append(edges, edges[-1:] + 1))[1:-1]
    for points in range(_BINS, min(_FINEST, len(values) + 1)):
        edges = np.unique(values[np.linspace(0, len(values) - 1, points).astype(np.int64)])
        if len(edges) > _BINS:
            break
    return (edges if moments else _rounded_down(edges))[1:-1]


def _rounded_down(edges: np.ndarray) -> np.ndarray:
    """Round down to as few digits as keep edges apart."""
    for digits in range(20):
        down = np.floor(edges * 10.0**digits) / 10.0**digits
        if len(np.unique(down)) == len(edges):
            return down
    return edges


def _levels(sides: list[pl.Series]) -> list[np.ndarray]:
    """The most frequent values, then: empty, a token for rare values that one generator writes, others, missing."""
    counts = pl.concat(sides[1:]).rename("value").to_frame().group_by("value", maintain_order=True).len()
    top = counts.sort("len", descending=True, maintain_order=True)[:_BINS].filter(pl.col("len") >= _COMMON)["value"]
    named = [*(value for value in top.drop_nulls() if value not in _SPECIAL), *_SPECIAL]
    return [np.where(side.is_null(), len(named) + 1, side.replace_strict(
        named, range(len(named)), default=len(named), return_dtype=pl.Int64)) for side in sides]


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the gap to real rows."""
    d, high = measure.details, 1.0 if ceiling is None else ceiling
    gap = high - measure.value
    verdict: Verdict = "good" if gap <= GOOD else "fair" if gap <= FAIR else "poor"
    told = {name: d[name] for name in _SETS.values() if name in d}
    each = ", ".join(f"{name} {t['value']:.1%} ({t['holdout']:.1%})" for name, t in told.items())
    said = f"By the public yardstick the accuracy is {measure.value:.1%}"
    beside = [f"{who} {value:.1%}" for who, value in (("as many real rows reach", ceiling),
                                                      ("columns drawn alone", floor)) if value is not None]
    said += f" ({', '.join(beside)})" if beside else ""
    said += f": {each}; {d['items'][0]['note']}"
    return Judged(verdict, said + ".", p_gap(measure, high, FAIR))
