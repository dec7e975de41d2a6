"""Whether synthetic rows lie where real rows do: the integrated α-precision; 1 is best.

For every share α, the real rows' typical places are the region where the densest α of them lie; P(α) is the share of
synthetic rows in that region, and the value is 1 - 2 ∫ |P(α) - α| dα (Alaa, van Breugel, Saveliev and van der Schaar
2022). It is 0 where no synthetic row lies among real ones, and falls too where all of them crowd into the most typical
places. Rows are points: a number its rank among the training values (missing apart), a category one-hot, a mismatch of
levels as wide as a number's whole range, so that no unit and no outlier decides. In place of the paper's learnt
sphere, a place is as dense as the distance to its 10th nearest real row is small, a real row's own place not counting
itself; ties are shared out. Real rows are the holdout's; as many training rows in the synthetic rows' place give the
ceiling. At most 2 000 rows of each side are compared (400 quick, 8 000 thorough), drawn at random. The interval is
a delete-a-block jackknife over the rows of both sides. The details hold P(α), the share of synthetic rows further out
than 99 % of the real ones, and on 1 000 rows the precision of Kynkäänniemi et al. 2019 (the share of synthetic rows
nearer to some real row than its fifth neighbour is) and the density of Naeem et al. 2020 (how many such real rows, of
five).
"""

from __future__ import annotations

import numpy as np

from verisyn.findings import Judged, Measure, Verdict
from verisyn.metrics import Sides
from verisyn.metrics._near import balls
from verisyn.metrics._stats import p_gap, wilson
from verisyn.metrics._support import CHANCE, K_BALL, Support, curve, integrated, parting, support

title = "Are the synthetic rows realistic?"
needs = ("vectors",)
best, worst = 1.0, 0.0
stand_in = "train"
GOOD, FAIR = 0.05, 0.15
"""Below what real rows reach: at 5 % a row in twenty or so stands wrong, as between two real samples of a few hundred
rows; at 15 % every seventh row lies where it should not."""
rule = (f"good: within {GOOD:.0%} of what real rows reach, or no further below than chance; fair: within {FAIR:.0%}; "
        "poor: otherwise")
references = ("https://arxiv.org/abs/2102.08921", "https://arxiv.org/abs/1904.06991",
              "https://arxiv.org/abs/2002.09797")
_SHOWN = (0.5, 0.75, 0.9, 0.95, 0.99)
_TOLD = 1_000


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """See which share of the synthetic rows lies in the typical places of real rows, for every share of these."""
    found = support(sides)
    far, own = found.fake_real[:, -1], found.real_real[:, -1]
    value, interval = integrated(far, own)
    if not sides.pictured:
        return Measure(value, interval)
    at = np.linspace(0.05, 1, 20)
    reached = curve(far, own, at)
    return Measure(value, interval, {
        "curve": [[round(float(a), 2), round(float(p), 6)] for a, p in zip(at, reached, strict=True)],
        "further_out_than_99_of_100": round(float(1 - curve(far, own, np.array([0.99]))[0]), 6),
        "parting": parting(found)[:5], **_balls(found), "items": _items(far, own), "items_say": {
            "value": "share of synthetic rows that lie there", "reference": "share of real rows that lie there"},
        "rows": len(far), "reference_rows": len(own)})


def _balls(found: Support) -> dict[str, float | list[float]]:
    counts = balls(found.fake.vectors[:_TOLD], found.real.vectors, found.real_real[:, K_BALL - 1])
    low, high = wilson(float((counts > 0).sum()), len(counts))
    return {"precision": round(float((counts > 0).mean()), 6), "precision_interval": [round(low, 6), round(high, 6)],
            "density": round(float(counts.mean()) / K_BALL, 6)}


def _items(far: np.ndarray, own: np.ndarray) -> list[dict]:
    items = []
    for alpha, share in zip(_SHOWN, curve(far, own, np.array(_SHOWN)), strict=True):
        low, high = wilson(float(share) * len(far), len(far))
        items.append({"name": f"the most typical {alpha:.0%} of places", "value": round(float(share), 6),
                      "reference": alpha, "interval": [round(low, 6), round(high, 6)], "note": ""})
    return sorted(items, key=lambda i: -abs(i["value"] - i["reference"]))


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the gap to real rows."""
    d, high = measure.details, 1.0 if ceiling is None else ceiling
    gap = high - measure.value
    chance = p_gap(measure, high, 0.0) > CHANCE
    verdict: Verdict = "good" if gap <= GOOD or chance else "fair" if gap <= FAIR else "poor"
    typical = next(i for i in d["items"] if i["reference"] == 0.9)
    said = (f"Where the most typical 90% of real rows lie, {typical['value']:.0%} of the synthetic rows lie, and "
            f"{d['further_out_than_99_of_100']:.1%} lie further out than 99% of real rows do; all in all they lie "
            f"where real rows do to {measure.value:.1%}")
    beside = [f"{who} {value:.1%}" for who, value in (("real rows reach", ceiling), ("columns drawn alone", floor))
              if value is not None]
    said += f" ({', '.join(beside)})" if beside else ""
    inside = next(i for i in d["items"] if i["reference"] == 0.5)["value"] > 0.5
    if verdict != "good" and inside:
        said += "; they crowd into the most typical places and lack the real rows' variety"
    elif verdict != "good" and d["parting"]:
        said += f"; what sets them apart most: {', '.join(repr(name) for name, _ in d['parting'][:3])}"
    return Judged(verdict, said + ".", p_gap(measure, high, FAIR))
