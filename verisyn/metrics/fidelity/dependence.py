"""Whether columns depend on each other as strongly as in real data: 1 - the mean difference of strengths over pairs.

The strength of any two columns, of whatever kind, is Cramér's V without its bias (Bergsma 2013) on their joint bins
(about ten a column, a missing value one of its own): 0 where they are independent, 1 where one follows from the other.
Two columns with an order (numbers, moments, durations) have a direction too: Spearman's rank correlation on the same
bins, rows with a missing value left out. A pair differs by the greater of the two differences between synthetic and
holdout rows, 1 at most. Up to 40 columns every pair counts, of a wider table 500 pairs drawn by a seed. The interval,
and the standard error of each difference, come from a delete-a-block jackknife over the rows of both sides (20 blocks
each, Student's t with 19 degrees of freedom). Pairs are named as lost, invented or turned where their difference is no
chance at a false discovery rate of 5 % over all pairs. The details also hold the mean differences of V, of Spearman's
correlation and of the normalised mutual information (over the lesser entropy, Miller's bias taken off).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import t as student

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.metrics import Sides, enough
from verisyn.metrics._stats import adjusted, jackknife, together
from verisyn.metrics._tables import BLOCKS, Pair, information, left_out, pair_tables, rank_correlations, strengths

title = "Do columns depend on each other as in real data?"
needs = ("coarse", "features")
best, worst = 1.0, 0.0
stand_in = "train"
references = ("https://doi.org/10.1016/j.jkss.2012.10.002",)
GOOD, LOST = 0.02, 0.15
"""Good generators of the adult census are within 0.02 of real rows on average, columns drawn alone lose 0.13; a
strength that moved by 0.15 tells another story of two columns, as it makes of none a weak one, of a weak one none."""
rule = (f"poor: some pair's strength moved by more than {LOST:.2f}, by more than chance (false discovery rate 5 %); "
        f"good: none did, and on average strengths are within {GOOD:.2f} of what real rows reach; fair: otherwise")
_FDR, _SHOWN = 0.05, 15
_MISSING = -1


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Compare the strengths of pairs of columns of the synthetic rows with the holdout's."""
    enough({"synthetic": sides.fake.rows, "real": sides.holdout.rows}, 50)
    if len(sides.train.features) < 2:
        raise NotAnswered("it takes two modelled columns to make a pair")
    pairs, (fake, real) = pair_tables(sides), strengths(sides)
    ordered = np.array([not (sides.train.features[p.a].levels or sides.train.features[p.b].levels) for p in pairs])
    rows = (sides.fake.rows, sides.holdout.rows)
    tested = [Tested(fake, real, rows), Tested(_ranks(pairs, ordered, "fake"), _ranks(pairs, ordered, "real"), rows)]
    gaps = np.minimum(1.0, np.maximum(*(np.abs(t.gaps) for t in tested)))
    mean = 1 - gaps.mean(axis=0)
    interval = jackknife(float(mean[0]), mean[1:1 + BLOCKS], mean[1 + BLOCKS:])
    if not sides.pictured:
        return Measure(float(mean[0]), interval)
    moved = np.concatenate([tested[0].p(LOST), tested[1].p(LOST)[ordered]])
    informed = np.array([information(p.fake.sum(axis=0)) - information(p.real.sum(axis=0)) for p in pairs])
    return Measure(float(mean[0]), interval, {
        **_named(sides, pairs, ordered, tested), "_p": together(moved), "pairs": len(pairs),
        "mean_difference_of_association": _mean(tested[0].gaps[:, 0]),
        "mean_difference_of_rank_correlation": _mean(tested[1].gaps[ordered, 0]),
        "mean_difference_of_mutual_information": _mean(informed)})


def _ranks(pairs: list[Pair], ordered: np.ndarray, side: str) -> np.ndarray:
    """Rank correlations of ordered pairs, on all rows and without each block; 0 for the others."""
    found = np.zeros((len(pairs), 1 + BLOCKS))
    for i in np.flatnonzero(ordered):
        found[i] = rank_correlations(left_out(getattr(pairs[i], side))[:, :_MISSING, :_MISSING])
    return found


class Tested:
    """Strengths of both sides, their differences (whole, without each block of either side) and their errors."""

    def __init__(self, fake: np.ndarray, real: np.ndarray, rows: tuple[int, int]):
        self.fake, self.real = fake[:, 0], real[:, 0]
        self.gaps = np.hstack([fake[:, :1] - real[:, :1], fake[:, 1:] - real[:, :1], fake[:, :1] - real[:, 1:]])
        # A strength of 0 may stay 0 without any block; it is no surer for that than half the error of a correlation.
        self.errors = [np.maximum(np.sqrt((BLOCKS - 1) * x[:, 1:].var(axis=1)), 0.5 / np.sqrt(n))
                       for x, n in zip((fake, real), rows, strict=True)]
        self.error = np.hypot(*self.errors)

    def p(self, border: float) -> np.ndarray:
        """The chance of differences so great if in truth they were `border`."""
        size = np.abs(self.gaps[:, 0])
        tails = [student.sf((size - border) / self.error, BLOCKS - 1),
                 student.sf((size + border) / self.error, BLOCKS - 1)]
        return np.minimum(1.0, tails[0] + tails[1])


def _named(sides: Sides, pairs: list[Pair], ordered: np.ndarray, tested: list[Tested]) -> dict[str, Any]:
    """The pairs that differ beyond chance, the worst first: as strengths, or as correlations where they moved more."""
    asked = [(i, t) for t in (0, 1) for i in range(len(pairs)) if t == 0 or ordered[i]]
    sure = adjusted(np.array([tested[t].p(0.0)[i] for i, t in asked])) <= _FDR
    once: dict[int, int] = {}
    for _, i, t in sorted((-abs(tested[t].gaps[i, 0]), i, t) for (i, t), s in zip(asked, sure, strict=True) if s):
        once.setdefault(i, t)
    names = [f.name for f in sides.train.features]
    quantile = student.ppf(0.975, BLOCKS - 1)
    items = []
    for i, t in once.items():
        fake, real, error = (float(x[i]) for x in (tested[t].fake, tested[t].real, tested[t].errors[0]))
        items.append({"name": f"{names[pairs[i].a]!r} and {names[pairs[i].b]!r}", "value": round(fake, 6),
                      "reference": round(real, 6), "note": note(fake, real, bool(t)),
                      "interval": [round(max(-1.0 if t else 0.0, fake - quantile * error), 6),
                                   round(min(1.0, fake + quantile * error), 6)]})
    return {"items": items[:_SHOWN], "pairs_that_differ": len(items), "items_say": {
        "value": "strength of dependence in synthetic rows (rank correlation, where that moved more)",
        "reference": "the same in real rows"}}


def note(fake: float, real: float, rank: bool) -> str:
    """Say in a word how a strength moved."""
    if rank and fake * real < 0 and min(abs(fake), abs(real)) > LOST / 2:
        word = "turned"
    else:
        word = "lost in part" if abs(fake) < abs(real) else "too strong"
        word = "lost" if abs(fake) < abs(real) / 4 else "invented" if abs(real) < abs(fake) / 4 else word
    return f"{word} (rank correlation)" if rank else word


def _mean(gaps: np.ndarray) -> float | None:
    return round(float(np.abs(gaps).mean()), 6) if len(gaps) else None


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the greatest move of a pair that is no chance, and the mean."""
    d, gap = measure.details, (1.0 if ceiling is None else ceiling) - measure.value
    verdict: Verdict = "poor" if d["_p"] <= _FDR else "good" if gap <= GOOD else "fair"
    said = f"The strength of dependence of two columns differs from real data's by {1 - measure.value:.3f} on average"
    beside = [f"{who} {1 - value:.3f}" for who, value in (("real rows", ceiling), ("columns drawn alone", floor))
              if value is not None]
    said += f" ({', '.join(beside)})" if beside else ""
    items = d["items"]
    if items:
        first, others = items[0], d["pairs_that_differ"] - 1
        more = f", the most of {d['pairs_that_differ']} pairs that differ beyond chance" if others else ""
        said += f"; that of {first['name']} is {first['note']}: {first['value']:.2f}, in real rows " \
                f"{first['reference']:.2f}{more}"
    else:
        said += "; no pair differs beyond chance"
    return Judged(verdict, said + ".", d["_p"])
