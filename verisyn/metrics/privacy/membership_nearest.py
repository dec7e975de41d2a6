"""How well the plainest attack tells members: who lies near a synthetic row was learnt from; AUC, 0.5 is best.

The attacker holds the synthetic rows alone and takes a row for a member the nearer the nearest of them lies (in the
manner of GAN-Leaks: Chen, Yu, Zhang and Fritz, CCS 2020). Members are training rows, non-members as many rows of the
holdout. The interval is DeLong's. Beside it: how many members are caught at one false alarm in a hundred, and in a
thousand, with intervals that count the error of the threshold too, and the least ε of differential privacy that is
compatible with the attack's success, as if rows were independent; both as in `privacy.membership`. Rows that are easy
to come near for anyone blur this attack; the one that compares with a reference is stronger.
"""

from __future__ import annotations

import numpy as np

from verisyn.findings import Judged, Measure
from verisyn.metrics import Sides
from verisyn.metrics._attack import attack
from verisyn.metrics.privacy import membership

title = "Can an attacker tell whose rows were learnt from by nearness alone?"
needs = ("vectors",)
best, worst = 0.5, 1.0
stand_in = "holdout"
references = ("https://arxiv.org/abs/1909.03935",)
rule = membership.rule


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Attack by the distance to the nearest synthetic row."""
    made = attack(sides)
    return membership.measured(made.truth, -made.to_fake, {
        "members": made.members.rows, "strangers": made.strangers.rows, "synthetic": made.synthetic})


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the AUC and the shares caught."""
    low, high = measure.interval
    said = ("By nearness to a synthetic row alone, an attacker tells a row that was learnt from and a stranger's apart "
            f"in {measure.value:.1%} of cases [{low:.1%} to {high:.1%}] (a coin: 50%)")
    return membership.judged(measure, said)
