"""Whether the synthetic rows reach all of the real rows: the integrated β-recall; 1 is best.

For every share β, the synthetic rows' typical places are the region where the densest β of them lie; R(β) is the share
of real rows in that region, and the value is 1 - 2 ∫ |R(β) - β| dβ (Alaa, van Breugel, Saveliev and van der Schaar
2022). A kind of real row that is never made lies in no such region, so the value falls by about its share. The points
and distances are those of α-precision: ranks and one-hot levels, the 10th nearest synthetic row. Real rows are the
holdout's; as many training rows in the synthetic rows' place give the ceiling. At most 2 000 rows of each side are
compared (400 quick, 8 000 thorough), drawn at random; the interval is a delete-a-block jackknife over the rows of
both sides. Beside it, and judged too: coverage (Naeem et al. 2020), the share of real rows with a synthetic row among
their neighbourhood of five, against the share that as many real rows would give, known exactly; its interval is that
jackknife too. The kinds of real row that are missed more often than others are sought level by level (binomial tests,
Benjamini and Hochberg 1995). The details also hold the recall of Kynkäänniemi et al. 2019 on 1 000 rows, and a sign of
copying: the share of training rows whose nearest synthetic row is nearer than their nearest training row, beside the
same share of strangers; it should be as large for both. The map shows training and synthetic rows on two principal
components of the training rows, each column scaled to the same variance; cells of fewer than five real rows show none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import binom

from verisyn.findings import Judged, Measure, Verdict
from verisyn.kinds import Feature, K
from verisyn.metrics import Side, Sides
from verisyn.metrics._map import landscape
from verisyn.metrics._near import balls, neighbours
from verisyn.metrics._stats import adjusted, newcombe, p_beyond, p_gap, together, wilson
from verisyn.metrics._support import CHANCE, K_BALL, Support, coverage, integrated, rows_of, shuffled, support

title = "Do the synthetic rows reach all kinds of real row?"
needs = ("vectors", "coarse")
best, worst = 1.0, 0.0
stand_in = "train"
GOOD, FAIR = 0.05, 0.15
"""Below what real rows reach, for β-recall and for coverage: the same borders as for α-precision."""
COPYING = 0.05
"""Training rows reached by so much more often than strangers are worth a word; privacy has its own judges."""
rule = (f"good: within {GOOD:.0%} of what real rows reach, in β-recall and in coverage, or no further below than "
        f"chance; fair: within {FAIR:.0%}; poor: otherwise")
references = ("https://arxiv.org/abs/2102.08921", "https://arxiv.org/abs/2002.09797",
              "https://arxiv.org/abs/1904.06991")
_TOLD = 1_000
_SURE = 0.01


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """See which share of the real rows lies in the typical places of synthetic rows, for every share of these."""
    found = support(sides)
    value, interval = integrated(found.real_fake[:, -1], found.fake_fake[:, -1])
    if not sides.pictured:
        return Measure(value, interval)
    reached, (low, high) = coverage(found)
    within = balls(found.real.vectors[:_TOLD], found.fake.vectors, found.fake_fake[:, K_BALL - 1]) > 0
    return Measure(value, interval, {
        "coverage": round(float(reached.mean()), 6), "coverage_interval": [round(low, 6), round(high, 6)],
        "coverage_expected": round(expected_coverage(len(found.fake_fake), len(reached)), 6),
        "recall": round(float(within.mean()), 6), **_missed(found.real, ~reached),
        "nearest": _nearest(sides, found), "rows": len(found.fake_fake), "reference_rows": len(reached),
        "map": landscape(sides.narrowed(rng), rng)})


def expected_coverage(fake: int, real: int, k: int = K_BALL) -> float:
    """Return the coverage that as many real rows would give in the synthetic rows' place (Naeem et al. 2020).

    A real row is missed where its k nearest among all others are real.

    Examples
    --------
    >>> round(expected_coverage(2_000, 2_000), 3)
    0.969
    """
    missed = 1.0
    for i in range(k):
        missed *= max(0, real - 1 - i) / max(1, real - 1 - i + fake)
    return 1 - missed


def _missed(real: Side, missed: np.ndarray) -> dict[str, Any]:
    """Kinds of real row that are missed beyond doubt more often than real rows are on the whole, worst first."""
    coarse, usual, found = real.coarse, float(missed.mean()), []
    for i, feature in enumerate(real.features):
        rows, hits = (np.bincount(codes, minlength=coarse.sizes[i]) for codes in
                      (coarse.values[:, i], coarse.values[missed, i]))
        for code in np.flatnonzero((rows >= K) & (hits >= K)):
            if kind := _called(feature, real.scales[i], int(code)):
                chance = float(binom.sf(hits[code] - 1, rows[code], usual))
                found.append((chance, kind, int(hits[code]), int(rows[code])))
    sure = adjusted(np.array([p for p, *_ in found]))
    kinds = [(kind, hits, rows) for (_, kind, hits, rows), q in zip(found, sure, strict=True) if q < _SURE]
    kinds.sort(key=lambda k: -k[1] / k[2])
    items = [{"name": kind, "value": round(hits / rows, 6), "reference": round(usual, 6),
              "interval": [round(end, 6) for end in wilson(hits, rows)],
              "note": f"{rows / len(missed):.1%} of real rows"}
             for kind, hits, rows in kinds[:10]]
    return {"items": items, "items_say": {"value": "share of such real rows that no synthetic row comes near",
                                          "reference": "the same share of all real rows"}}


def _called(feature: Feature, scale: np.ndarray, code: int) -> str:
    """Say a coarse code in words, with no value that few rows share; empty where it is a mixture."""
    name = feature.name
    if code == 11:
        return f"missing {name!r}"
    if code == 10:
        return ""
    if feature.levels:
        level = int(scale[code]) if code < len(scale) else len(feature.labels)
        return f"{name!r} = {feature.labels[level]!r}" if level < len(feature.labels) else ""
    return f"{'low' if code < 3 else 'middling' if code < 7 else 'high'} {name!r}"


def _nearest(sides: Sides, found: Support) -> dict[str, Any]:
    """How often training rows, and strangers, have a synthetic row nearer than any other row of their own side."""
    rng = sides.rng("support")
    seen = shuffled(sides.narrowed(rng).train, min(rows_of(sides), len(found.real_real)), rng)
    asked = seen.vectors[:_TOLD]
    to_fake, to_own = (neighbours(asked, rows, 1, others=own)[0][:, 0]
                       for rows, own in ((found.fake.vectors, False), (seen.vectors, True)))
    trained, strange = _ties(to_fake, to_own), _ties(found.real_fake[:, 0], found.real_real[:, 0])
    low, high = newcombe(float(trained.sum()), len(trained), float(strange.sum()), len(strange))
    return {"training": round(float(trained.mean()), 6), "strangers": round(float(strange.mean()), 6),
            "excess_interval": [round(low, 6), round(high, 6)]}


def _ties(near: np.ndarray, own: np.ndarray) -> np.ndarray:
    return np.where(near == own, 0.5, near < own)


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the gap to real rows, in β-recall and in coverage."""
    d, high = measure.details, 1.0 if ceiling is None else ceiling
    cover, reached, expected = d["coverage"], tuple(d["coverage_interval"]), d["coverage_expected"]
    gaps = [(high - measure.value, p_gap(measure, high, 0.0)),
            (expected - cover, p_beyond(cover, reached, expected, worse=-1))]
    gap = max([0.0, *(gap for gap, chance in gaps if chance <= CHANCE)])
    verdict: Verdict = "good" if gap <= GOOD else "fair" if gap <= FAIR else "poor"
    p = together([p_gap(measure, high, FAIR), p_beyond(cover, reached, expected - FAIR, worse=-1)])
    beside = [f"{who} {value:.1%}" for who, value in (("real rows reach", ceiling), ("columns drawn alone", floor))
              if value is not None]
    said = (f"{cover:.1%} of the real rows have a synthetic row in their neighbourhood (as many real rows "
            f"would reach {expected:.1%}); all in all, real rows lie where the synthetic rows do to "
            f"{measure.value:.1%}")
    said += f" ({', '.join(beside)})" if beside else ""
    if verdict != "good" and d["items"]:
        said += "; missed most: " + ", ".join(f"{i['name']} ({i['value']:.0%} missed)" for i in d["items"][:2])
    if d["nearest"]["excess_interval"][0] > COPYING:
        said += (f". Training rows have a synthetic row nearer than any other training row in "
                 f"{d['nearest']['training']:.0%} of cases, strangers in {d['nearest']['strangers']:.0%}: the "
                 "synthetic rows follow those they were learnt from")
    return Judged(verdict, said + ".", p)
