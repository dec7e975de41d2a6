"""Whether an attacker who holds the synthetic data can tell who was in the training data: AUC; 0.5 is best.

A density-ratio attack in the manner of DOMIAS (van Breugel, Sun, Qian and van der Schaar, AISTATS 2023): the attacker
has the synthetic rows and reference rows of the same population, and takes a row for a member where synthetic rows are
denser than the reference. The log of the ratio is the sum of two estimates: log(distance to the nearest reference row)
- log(distance to the nearest synthetic row), and the log odds of gradient boosting that learnt to tell synthetic from
reference rows. Members are training rows, non-members one half of the holdout with the other half as reference; then
the halves change places. The interval is DeLong's. Beside it: how many members are caught at one false alarm in a
hundred, and in a thousand, where the threshold that so many of all strangers would pass lies between two scores of
those at hand (a binomial count of them lies above it), and the interval goes from the lower end of Clopper and
Pearson's at the one to the upper end at the other; under 4 380 strangers the lower end at one in a thousand is
therefore 0. And the least ε of differential privacy that is compatible with the attack's success (Jagielski, Ullman and
Oprea, NeurIPS 2020), as if each row were a trial of its own, while all come of one run of the generator: a bound from
below, no promise from above.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from verisyn.findings import Judged, Measure, Verdict
from verisyn.metrics import Sides
from verisyn.metrics._attack import CAUGHT, CAUGHT_OF_1000, attack, leaked, rates
from verisyn.metrics._stats import auc, p_beyond, roc, together

title = "Can an attacker tell whose rows were learnt from?"
needs = ("features", "vectors")
best, worst = 0.5, 1.0
stand_in = "holdout"
references = ("https://arxiv.org/abs/2302.12580", "https://arxiv.org/abs/2006.07709")
EVEN = 0.55
"""At 0.55 an attacker who is shown a member and a stranger errs in 45 of 100 cases; a coin errs in 50. As far below
one half, he finds the strangers: then the holdout leaked, or was taken for the training rows."""
EPSILON = ("a bound from below, as if rows were independent of each other, while one run of the generator saw all of "
           "them: then no generator of a smaller ε leaks so much, at 95 % confidence; the true ε may be larger, and "
           "unbounded")
rule = (f"poor: AUC above {EVEN:.2f}, or more than {CAUGHT:.0%} of members caught at 1 % false alarms, or more than "
        f"{CAUGHT_OF_1000:.0%} at 0.1 %, even at the low end of the interval, or AUC below {1 - EVEN:.2f} at the "
        f"high end (strangers are found instead); good: AUC of {EVEN:.2f} or less at the high end; fair: otherwise")
_CAUGHT = {"caught": (CAUGHT, "one false alarm in a hundred"), "caught_of_1000": (CAUGHT_OF_1000, "one in a thousand")}


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Attack twice, each half of the holdout serving once as the attacker's reference."""
    made = attack(sides)
    return measured(made.truth, made.ratio, {"members": made.members.rows, "strangers": made.strangers.rows,
                                             "reference": made.reference, "synthetic": made.synthetic})


def measured(truth: np.ndarray, score: np.ndarray, details: dict[str, Any]) -> Measure:
    """Measure how well a score tells members from strangers; `details` are told too."""
    found = auc(truth, score)
    return Measure(found.value, found.interval(), {**details, "roc": roc(truth, score), **rates(truth, score),
                                                   "epsilon_at_least": round(leaked(truth, score), 6),
                                                   "epsilon_is": EPSILON})


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the AUC and the shares caught."""
    low, high = measure.interval
    said = ("Shown a row that was learnt from and a stranger's, the attacker picks the right one in "
            f"{measure.value:.1%} of cases [{low:.1%} to {high:.1%}] (a coin: 50%)")
    return judged(measure, said)


def judged(measure: Measure, said: str) -> Judged:
    """Judge an attack on members by its AUC and the shares caught; `said` begins the sentence."""
    d, (low, high) = measure.details, measure.interval
    told = {key: border for key, border in _CAUGHT.items() if d.get(key) is not None}
    singled = any(d[f"{key}_interval"][0] > border for key, (border, _) in told.items())
    turned = high < 1 - EVEN
    verdict: Verdict = "poor" if low > EVEN or singled or turned else "good" if high <= EVEN else "fair"
    if told:
        said += ", and catches " + " and ".join(
            f"{d[key]:.1%}{'' if i else ' of members'} at {when}" for i, (key, (_, when)) in enumerate(told.items()))
    if verdict == "fair" and measure.value <= EVEN:
        said += "; there are too few rows to bound this more tightly"
    if turned:
        said += ("; the attack finds the holdout, not the rows it learnt from: the holdout is not unseen, or the two "
                 "files were swapped")
    sides = [p_beyond(measure.value, measure.interval, 0.5 + way * (EVEN - 0.5), worse=way) for way in (1, -1)]
    p = [min(1.0, 2 * min(sides)),
         *(d[f"_{key}_p"] for key in told)]
    return Judged(verdict, said + ".", together(p))
