"""Whether an attacker who holds the synthetic data can tell who was in the training data: AUC; 0.5 is best.

A density-ratio attack in the manner of DOMIAS (van Breugel, Sun, Qian and van der Schaar, AISTATS 2023): the attacker
has the synthetic rows and reference rows of the same population, and takes a row for a member where the synthetic
rows come nearer than the reference does: log(distance to reference) - log(distance to synthetic). Members are
training rows, non-members one half of the holdout with the other half as reference; then the halves change places.
The interval is DeLong's. Beside it: how many members are caught at one false alarm in a hundred.
"""

from __future__ import annotations

import numpy as np

from verisyn.findings import Judged, Measure, Verdict
from verisyn.metrics import Sides, enough, has_columns
from verisyn.metrics._near import affordable, nearest
from verisyn.metrics._stats import auc, caught, p_beyond, roc, together

title = "Can an attacker tell whose rows were learnt from?"
needs = ("vectors",)
best, worst = 0.5, 1.0
stand_in = "holdout"
EVEN = 0.55
"""At 0.55 an attacker who is shown a member and a stranger errs in 45 of 100 cases; a coin errs in 50."""
CAUGHT = 0.03
"""Three times as many members caught as strangers accused shows a leak of single rows that the average hides."""
rule = (f"poor: AUC above {EVEN:.2f}, or more than {CAUGHT:.0%} of members caught at 1 % false alarms, even at the low "
        f"end of the interval; good: AUC of {EVEN:.2f} or less at the high end; fair: otherwise")
_ROWS, _MEMBERS, _FLOOR = 10_000, 2_500, 1e-3


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Attack twice, each half of the holdout serving once as the attacker's reference."""
    strangers = sides.strangers
    enough({"synthetic": sides.fake.rows, "training": sides.train.rows, "holdout": strangers.rows}, 100)
    has_columns(sides)
    sides = sides.narrowed(rng)
    strangers, fake = sides.holdout, sides.fake.some(_ROWS, rng).vectors
    half = min(strangers.rows // 2, sides.train.rows // 2, _ROWS)
    each = min(half, affordable(fake.shape[1], len(fake), 2 * _MEMBERS) // 2)
    first, second = np.split(strangers.some(2 * half, rng).vectors[rng.permutation(2 * half)], 2)
    members = sides.train.some(2 * each, rng).vectors[rng.permutation(2 * each)]
    attacks = [_scores(np.vstack([m, other[:each]]), fake, reference)
               for m, other, reference in ((members[:each], first, second), (members[each:], second, first))]
    score = np.concatenate(attacks)
    truth = np.tile(np.arange(2 * each) < each, 2)
    found = auc(truth, score)
    return Measure(found.value, found.interval(), {
        "members": 2 * each, "strangers": 2 * each, "reference": half, "synthetic": len(fake), "roc": roc(truth, score),
        **caught(truth, score)})


def _scores(rows: np.ndarray, fake: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Log of the ratio of densities, by the distance to the nearest row on either side."""
    to_reference, to_fake = nearest(rows, reference)[0], nearest(rows, fake)[0]
    return np.log(to_reference + _FLOOR) - np.log(to_fake + _FLOOR)


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the AUC and the share caught."""
    d = measure.details
    singled = d["caught"] is not None and d["caught_interval"][0] > CAUGHT
    verdict: Verdict = "good" if measure.interval[1] <= EVEN else "fair"
    if measure.interval[0] > EVEN or singled:
        verdict = "poor"
    low, high = measure.interval
    said = ("Shown a row that was learnt from and a stranger's, the attacker picks the right one in "
            f"{measure.value:.1%} of cases [{low:.1%} to {high:.1%}] (a coin: 50%)")
    if d["caught"] is not None:
        said += f", and catches {d['caught']:.1%} of members at one false alarm in a hundred"
    if verdict == "fair" and measure.value <= EVEN:
        said += "; there are too few rows to bound this more tightly"
    p = [p_beyond(measure.value, measure.interval, EVEN)]
    if d["caught"] is not None:
        p.append(p_beyond(d["caught"], d["caught_interval"], CAUGHT))
    return Judged(verdict, said + ".", together(p))
