"""Whether it helps to link two files about the same people, beyond what it does for strangers; 0 is best, 1 worst.

The columns are split in two halves at random, three times. An attacker holds one half of the values of a person in one
file and the other half in another; he takes two records for one person where they have a nearest synthetic row in
common (nearest in the columns that each knows; where several are equally near, all count). How often a person's own
two records are linked so is measured for training rows and, as the control, for holdout rows that the generator never
saw; each person is tried in one of the splits. The risk is (attack - control) / (1 - control) (residual risk: Giomi,
Boenisch, Wehmeyer and Tasnádi, PETS 2023); its interval is that of a ratio of two shares (Pettigrew, Gart and Thomas
1986). Real strangers in the synthetic rows' place would give 0 on average.
"""

from __future__ import annotations

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.metrics import Side, Sides, enough
from verisyn.metrics._attack import LEAST, bounds, residual, said
from verisyn.metrics._stats import p_beyond

title = "Does it help to link two files about the people it learnt from?"
needs = ("vectors",)
best, worst = 0.0, 1.0
stand_in, floor = None, False
references = ("https://arxiv.org/abs/2211.10459",)
POOR, GOOD, BOUND = 0.02, 0.02, 0.10
"""One person in fifty linked through the synthetic data alone is no chance: the generators that do not copy measure
within 1 % of 0 on public tables, those that blend nearest rows 14 % and more."""
rule = (f"poor: more than {POOR:.0%} of the rows learnt from are linked beyond the strangers' rate, even at the low "
        f"end of the interval; good: {GOOD:.0%} or less, and {BOUND:.0%} or less at the high end; fair: otherwise")
_SPLITS, _TIE = 3, 1e-5
_BLOCK = 2**22


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Link the halves of training and of holdout rows."""
    strangers = sides.strangers
    enough({"synthetic": sides.fake.rows, "training": sides.train.rows, "holdout": strangers.rows}, LEAST)
    sides = sides.narrowed(rng)
    width = len(sides.train.features)
    if width < 2:
        raise NotAnswered("it takes two columns to have two files of them")
    rows, queries = bounds(sides)
    known, fake = sides.train.blocks, sides.fake.some(rows, rng)
    both = (sides.train, sides.holdout)
    rows_asked = [np.array_split(rng.permutation(side.rows)[:queries // 2], _SPLITS) for side in both]
    linked: list[list[np.ndarray]] = [[], []]
    for asked in zip(*rows_asked, strict=True):
        parts = np.array_split(rng.permutation(width), 2)
        halves = [np.r_[tuple(known[i] for i in sorted(part))] for part in parts]
        for side, chosen, hits in zip(both, asked, linked, strict=True):
            hits.append(_linked(side.take(chosen), fake, halves))
    flags = [np.concatenate(hits) for hits in linked]
    risk = residual(*(x for hits in flags for x in (float(hits.sum()), len(hits))))
    if risk is None:
        raise NotAnswered("the two halves of every stranger's row are linked too")
    splits = [[round(float(part.mean()), 6) for part in split] for split in zip(*linked, strict=True)]
    return Measure(risk["risk"], tuple(risk["interval"]), {
        "linked": risk["attack"], "linked_interval": risk["attack_interval"],
        "strangers_linked": risk["control"], "strangers_linked_interval": risk["control_interval"],
        "ceiling": 0.0, "splits": splits, "rows": len(flags[0]), "strangers": len(flags[1]), "synthetic": fake.rows})


def _linked(asked: Side, fake: Side, halves: list[np.ndarray]) -> np.ndarray:
    """Flag the rows whose two halves have a nearest synthetic row in common."""
    pairs = [(np.ascontiguousarray(asked.vectors[:, h]), np.ascontiguousarray(fake.vectors[:, h])) for h in halves]
    norms = [np.einsum("ij,ij->i", held, held) for _, held in pairs]
    found = np.zeros(asked.rows, bool)
    step = max(1, _BLOCK // max(1, fake.rows))
    for start in range(0, asked.rows, step):
        first, second = (norm - 2 * (x[start:start + step] @ held.T)
                         for (x, held), norm in zip(pairs, norms, strict=True))
        row, near = np.nonzero(first <= first.min(axis=1, keepdims=True) + _TIE)
        common = second[row, near] <= second.min(axis=1)[row] + _TIE
        found[start + row[common]] = True
    return found


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the risk."""
    d, (low, high) = measure.details, measure.interval
    risk = {"risk": measure.value, "interval": measure.interval}
    verdict: Verdict = "poor" if low > POOR else "good" if measure.value <= GOOD and high <= BOUND else "fair"
    told = ("With half of the columns in one file and half in another, an attacker links "
            f"{d['linked']:.1%} of the rows it learnt from through a synthetic row near to both, and "
            f"{d['strangers_linked']:.1%} of strangers: {said(risk)} are linked because they were learnt from.")
    return Judged(verdict, told, p_beyond(measure.value, measure.interval, POOR))
