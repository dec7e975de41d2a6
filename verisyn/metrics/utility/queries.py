"""How many aggregate queries the synthetic data answer as another real sample would: 1 is best.

Group-by queries, a seeded choice of some hundreds: the share of rows in each group of one column and of two columns
together, and the mean of a number in each group of another column. Groups are levels of a category (at most 12, the
rest pooled) and about six bands of a number with round edges, learnt on the training rows; only groups of at least 30
real rows are asked. Every answer has its standard error on either side; a query agrees where the answers differ by no
more than 1.96 standard errors of the difference, as 95 of 100 answers of another real sample of these sizes would. The
measure is the share of queries that agree; its interval is a delete-a-block jackknife over the rows of both sides.
Beside it, in the details, how far the 95 % intervals of both answers overlap on average (Karr et al. 2006: 1 for the
same interval, about 0.7 for another real sample, 0 and less for intervals apart). The worst queries are named with a
false discovery rate of 5 %.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import norm

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.metrics import Sides, enough
from verisyn.metrics._groups import LEAST, said
from verisyn.metrics._stats import Z, adjusted, jackknife, p_gap
from verisyn.metrics._tables import BLOCKS
from verisyn.metrics.utility._answers import KINDS, Query, chosen

title = "Do counts and averages by group come out the same?"
needs = ("features",)
best, worst = 1.0, 0.0
stand_in = "train"
place = 4
references = ("https://doi.org/10.1198/000313006X124640",)
GOOD, FAIR = 0.10, 0.25
"""Below what real rows reach; where a quarter of the answers is not what another sample gives, readers are misled."""
rule = f"good: within {GOOD:.0%} of what real rows reach; fair: within {FAIR:.0%}; poor: otherwise"
_SURE, _SOFT, _SAME = 0.05, 0.5, 1e-10
_FARTHEST = 99.0


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Ask both sides the same queries."""
    enough({"synthetic": sides.fake.rows, "real": sides.holdout.rows}, 100)
    queries = chosen(sides, rng)
    if len(queries) < 10:
        raise NotAnswered(f"there are fewer than 10 groups of {LEAST} rows to count or average over")
    fake, real = (np.array([getattr(q, side) for q in queries]) for side in ("fake", "real"))
    z, blocks = scores(fake[:, 0], real[:, 0]), range(1, BLOCKS + 1)
    agrees = np.abs(z) <= Z
    value, overlap = float(agrees.mean()), overlaps(fake[:, 0], real[:, 0])
    less = [np.array([_smooth(scores(*pair)) for pair in pairs]) for pairs in (
        [(fake[:, i], real[:, 0]) for i in blocks], [(fake[:, 0], real[:, i]) for i in blocks])]
    return Measure(value, jackknife(value, *less), {
        "queries": len(queries), "overlap_of_intervals": round(float(overlap.mean()), 6),
        "agree": {kind: round(float(agrees[mine].mean()), 6) for kind, mine in _by_kind(queries).items()},
        **_worst(queries, z)})


def scores(fake: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Return how many standard errors the answers differ by; arrays of shape (queries, 2) hold answers and errors.

    A difference that rounding can make is none: the mean of a column that is constant has no error to hold it against.
    """
    error, gap = np.hypot(fake[:, 1], real[:, 1]), fake[:, 0] - real[:, 0]
    gap[np.abs(gap) <= _SAME * np.maximum(np.abs(fake[:, 0]), np.abs(real[:, 0]))] = 0.0
    z = np.divide(gap, error, out=np.sign(gap) * _FARTHEST, where=error > 0)
    return np.clip(z, -_FARTHEST, _FARTHEST)


def _smooth(z: np.ndarray) -> float:
    """About the share of queries that agree; it does not jump, so that leaving out a block tells how rows sway it."""
    return float(norm.cdf((Z - np.abs(z)) / _SOFT).mean())


def overlaps(fake: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Return the overlap of two 95 % intervals as the mean share of either that lies in the other (Karr et al. 2006).

    Examples
    --------
    >>> same, apart = np.array([[10.0, 1.0]]), np.array([[10.0 + 2 * Z, 1.0]])
    >>> float(overlaps(same, same)[0]), round(float(overlaps(same, apart)[0]), 6)
    (1.0, 0.0)
    """
    low, high = (np.array([side[:, 0] + by * side[:, 1] for side in (fake, real)]) for by in (-Z, Z))
    inside = high.min(axis=0) - low.max(axis=0)
    width = np.maximum(high - low, 1e-300)
    return np.where((high == low).all(axis=0), (fake[:, 0] == real[:, 0]).astype(float),
                    np.clip(inside / width, -1, 1).mean(axis=0))


def _by_kind(queries: list[Query]) -> dict[str, np.ndarray]:
    kinds = np.array([q.kind for q in queries])
    return {kind: kinds == kind for kind in KINDS if (kinds == kind).any()}


def _worst(queries: list[Query], z: np.ndarray) -> dict[str, Any]:
    sure = adjusted(2 * norm.sf(np.abs(z))) <= _SURE
    order = [int(i) for i in np.argsort(-np.abs(z), kind="stable")[:15]]
    items = [{"name": queries[i].name, "value": round(float(z[i]), 6), "reference": 0.0,
              "interval": [round(float(z[i] + by), 6) for by in (-Z, Z)],
              "note": _said(queries[i]) + ("" if sure[i] else " (chance can give this)")} for i in order]
    return {"differ_beyond_chance": int(sure.sum()), "_worst": [queries[i].name + ": " + _said(queries[i])
                                                                for i in order[:2] if sure[i]],
            "items": items, "items_say": {
                "value": "how far the synthetic answer lies above or below the real one, in standard errors of the "
                         "difference (chance alone seldom gives more than 2)",
                "reference": "no difference"}}


def _said(q: Query) -> str:
    """The answers in figures: shares and means of all kinds stand on one scale only as standard errors."""
    fake, real = (float(side[0, 0]) for side in (q.fake, q.real))
    return (f"{fake:.2%}, in real data {real:.2%}" if q.share else
            f"{said(fake, q.unit)}, in real data {said(real, q.unit)}")


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the gap to real rows; name the worst queries."""
    d = measure.details
    gap = (0.95 if ceiling is None else ceiling) - measure.value
    verdict: Verdict = "good" if gap <= GOOD else "fair" if gap <= FAIR else "poor"
    told = (f"{measure.value:.0%} of {d['queries']} counts and averages by group come out as in another real sample")
    beside = [f"{who} {value:.0%}" for who, value in (("real rows", ceiling), ("columns drawn alone", floor))
              if value is not None]
    told += f" ({', '.join(beside)})" if beside else ""
    worst = d["_worst"][:1 if verdict == "good" else 2]
    told += f"; furthest off: {'; '.join(worst)}" if worst else ""
    return Judged(verdict, told + ".", p_gap(measure, 0.95 if ceiling is None else ceiling, FAIR))
