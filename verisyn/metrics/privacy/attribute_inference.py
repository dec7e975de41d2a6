"""What a person's other values give away of a sensitive one, beyond what the population teaches; 0 is best, 1 worst.

For each sensitive column an attacker knows all other columns of a real row, looks up the synthetic row nearest in
them, and guesses the value that it holds: a level, or a number right to within 2.5 % of the real rows to either side
(by rank, so that its sign, its unit and its zero do not matter), or that the value is missing. The attack on training
rows is held against the same attack on holdout rows, which the generator never saw: what it finds there, the
population teaches anyway. The risk is (attack - control) / (1 - control), the share of what strangers keep hidden that
training rows do not (residual risk: Giomi, Boenisch, Wehmeyer and Tasnádi, PETS 2023); its interval is that of a ratio
of two shares (Pettigrew, Gart and Thomas 1986). The value is the risk of the column whose interval begins highest;
real strangers in the synthetic rows' place would give 0 on average. Over several columns the false discovery rate is
controlled.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.metrics import COLUMNS, Side, Sides, enough
from verisyn.metrics._attack import LEAST, bounds, residual, said
from verisyn.metrics._near import nearest
from verisyn.metrics._stats import adjusted, p_beyond, together

title = "Does it give away sensitive values of the people it learnt from?"
needs = ("features", "vectors")
best, worst = 0.0, 1.0
stand_in, floor = None, False
references = ("https://arxiv.org/abs/2211.10459",)
POOR, GOOD, BOUND = 0.05, 0.05, 0.20
"""One in twenty of the values that strangers keep hidden is a leak, and chance gives a few thousand clean rows less as
a rule; an interval that reaches beyond 20 % has too few rows behind it to be called good."""
rule = (f"poor: a risk above {POOR:.0%} even at the low end of the interval; good: a value of {GOOD:.0%} or less, and "
        f"{BOUND:.0%} or less at the high end for every sensitive column; fair: otherwise")
_MOST, _TOLERANCE, _FALSE = 8, 0.025, 0.05
_SEARCHES, _EACH = 10, 2
"""All columns together cost as much as so many searches, one column as much as so many: where most values can be
guessed anyway, it takes many rows to see what is beyond."""


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Guess the sensitive values of training and of holdout rows."""
    strangers = sides.strangers
    columns = [i for i in map(sides.index, sides.sensitive) if i is not None]
    if not columns:
        raise NotAnswered("no column is marked as sensitive" if not sides.sensitive else
                          "no sensitive column holds values that are modelled")
    enough({"synthetic": sides.fake.rows, "training": sides.train.rows, "holdout": strangers.rows}, LEAST)
    if len(sides.train.features) < 2:
        raise NotAnswered("there is no column beside the sensitive one to know")
    columns, left_out = columns[:_MOST], [sides.train.features[i].name for i in columns[_MOST:]]
    sides, columns = _narrowed(sides, columns, rng)
    checks, open_secrets = _checks(sides, columns, rng)
    if not checks:
        raise NotAnswered("the other columns give every sensitive value away, for strangers too")
    checks.sort(key=lambda c: -c["interval"][0])
    items = [{"name": c["column"], "value": c["attack"], "reference": c["control"], "interval": c["attack_interval"],
              "note": f"risk {said(c)}"} for c in checks]
    return Measure(checks[0]["risk"], tuple(checks[0]["interval"]), {
        "checks": checks, "ceiling": 0.0, "open_secrets": open_secrets, "left_out": left_out, "items": items,
        "items_say": {"value": "guessed right, of people learnt from", "reference": "guessed right, of strangers"}})


def _narrowed(sides: Sides, columns: list[int], rng: np.random.Generator) -> tuple[Sides, list[int]]:
    """Keep the sensitive columns and, of a very wide table, so many others as distances can take."""
    width = len(sides.train.features)
    if width <= COLUMNS:
        return sides, columns
    drawn = [int(i) for i in rng.permutation(width) if i not in columns][:COLUMNS - len(columns)]
    kept = sorted([*columns, *drawn])
    return sides.only(kept), [kept.index(i) for i in columns]


def _checks(sides: Sides, columns: list[int], rng: np.random.Generator) -> tuple[list[dict[str, Any]], list[str]]:
    rows, queries = bounds(sides)
    each = min(_EACH, _SEARCHES / len(columns)) * queries / 2
    fake, known = sides.fake.some(rows, rng), sides.train.blocks
    asked = [side.some(int(each), rng) for side in (sides.train, sides.holdout)]
    found, open_secrets = [], []
    for i in columns:
        others = np.delete(np.arange(fake.vectors.shape[1]), known[i])
        held = fake.vectors[:, others]
        right = [_right(side, fake, i, known[i], nearest(side.vectors[:, others], held)[1]) for side in asked]
        counts = [x for flags in right for x in (float(flags.sum()), len(flags))]
        risk, name = residual(*counts), sides.train.features[i].name
        if risk is None:
            open_secrets.append(name)
        else:
            found.append({"column": name, "rows": len(right[0]), "control_rows": len(right[1]), **risk})
    return found, open_secrets


def _right(asked: Side, fake: Side, i: int, block: slice, guess: np.ndarray) -> np.ndarray:
    if asked.features[i].levels:
        truth, held = (np.nan_to_num(side.features[i].values, nan=-1.0) for side in (asked, fake))
        return truth == held[guess]
    truth, held = (side.vectors[:, block.start] for side in (asked, fake))
    return np.abs(truth - held[guess]) <= _TOLERANCE


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the risk of the worst sensitive column."""
    checks = measure.details["checks"]
    p = [p_beyond(c["risk"], tuple(c["interval"]), POOR) for c in checks]
    poor = [c for c, q in zip(checks, adjusted(np.array(p)), strict=True) if c["interval"][0] > POOR and q <= _FALSE]
    fine = measure.value <= GOOD and all(c["interval"][1] <= BOUND for c in checks)
    verdict: Verdict = "poor" if poor else "good" if fine else "fair"
    c = (poor or checks)[0]
    told = (f"To one who knows all else of a row it learnt from, the synthetic data gives {c['column']!r} away in "
            f"{c['attack']:.1%} of cases, and in {c['control']:.1%} for strangers, which the population teaches: "
            f"{said(c)} of what strangers keep hidden is given away")
    if len(poor) > 1:
        told += f"; so is {', '.join(repr(x['column']) for x in poor[1:])}"
    elif not poor and len(checks) > 1:
        told += f" (of {len(checks)} sensitive columns the most)"
    if verdict == "fair":
        least = max(checks, key=lambda c: c["interval"][1])
        told += f"; least sure: {least['column']!r} with {said(least)}"
    return Judged(verdict, told + ".", together(p))
