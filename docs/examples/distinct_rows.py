"""Share of synthetic rows that are not a repeat of another synthetic row, in coarse bins."""

import numpy as np

from verisyn.findings import Measure, NotAnswered

title = "Do the synthetic rows differ from each other as real rows do?"
needs = ("coarse",)
best, worst = 1.0, 0.0
stand_in = "train"
rule = "good: at least 90 % of the ceiling; fair: at least 70 %; poor: less"


def measure(sides, rng):
    """Count distinct rows; the interval is that of a share (normal approximation)."""
    rows = sides.fake.coarse.values
    if len(rows) < 50:
        raise NotAnswered(f"there are only {len(rows)} synthetic rows; 50 are needed")
    share = len(np.unique(rows, axis=0)) / len(rows)
    half = 1.96 * (share * (1 - share) / len(rows)) ** 0.5
    return Measure(share, (max(share - half, 0.0), min(share + half, 1.0)))


def judge(measure, floor, ceiling):
    """Compare with real rows."""
    ratio = measure.value / ceiling if ceiling else 1.0
    verdict = "good" if ratio >= 0.9 else "fair" if ratio >= 0.7 else "poor"
    return verdict, f"{measure.value:.1%} of synthetic rows are distinct; real rows reach {ceiling or 0:.1%}."
