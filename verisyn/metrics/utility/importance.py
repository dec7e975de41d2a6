"""Whether models learnt from synthetic and from real rows rely on the same columns: rank agreement, 1 is best.

Importance is how far the score (AUC or R²) of the boosted model falls on holdout rows when one column is shuffled
(Breiman 2001; Fisher, Rudin and Dominici 2019), for the model learnt from synthetic rows and for the one learnt from as
many real rows, on the same rows and the same shuffle. Agreement is the share of pairs of columns that both models rank
in the same order, each pair weighing as much as the real model sets its columns apart, so that columns which hardly
matter weigh hardly anything: 1 where all pairs agree, 0.5 by chance, 0 where all are turned round. The interval is a
delete-a-block jackknife over the test rows. Columns are named whose importance differs by a tenth of the real skill or
more, and by more than the rows explain (paired influences of test rows, false discovery rate 5 %).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import norm

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.metrics import Sides
from verisyn.metrics._stats import Influence, adjusted, jackknife, p_beyond
from verisyn.metrics._tasks import Exam, exam_of, skill_of_real, skills

title = "Does a model learnt from synthetic data rely on the same columns?"
needs = ("features",)
best, worst = 1.0, 0.0
stand_in = "holdout"
floor = False
place = 2
references = ("https://doi.org/10.1023/A:1010933404324", "https://arxiv.org/abs/1801.01489")
GOOD, FAIR = 0.90, 0.75
"""Models of two real samples agree on nine pairs in ten, by weight; half-way to chance a reader is misled."""
BELOW = 0.10
"""Columns that say the same share their importance by chance, so that real samples may agree less than `FAIR`."""
TELLS = 0.65
"""Where real samples agree less, columns matter about alike, and no order of theirs can be asked for."""
rule = (f"good: {GOOD:.0%} or more of the pairs of columns are ranked as by a model learnt from real rows, or as many "
        f"as real rows reach; poor: less than {FAIR:.0%}, and more than {BELOW:.0%} below what real rows reach, even "
        "at the high end of the interval; fair: otherwise")
_CHANCE, _TELLING, _SURE = 0.5, 0.1, 0.05
_CELLS, _BLOCKS, _AT_ONCE = 60_000, 20, 20


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Shuffle every column of the test rows, for both models."""
    exam = exam_of(sides)
    if len(exam.names) < 2:
        raise NotAnswered("there is only one column to learn the target from, so there is nothing to rank")
    made, real = falls(exam, rng)
    value = agreement(values(real), values(made))
    if value is None:
        raise NotAnswered(f"the model learnt from real rows relies on no column to predict {exam.task.target!r}")
    less = [agreement(a, b) for a, b in zip(without_blocks(real), without_blocks(made), strict=True)]
    blocks = np.array([value if x is None else x for x in less])
    whole = exam.score("train")
    return Measure(value, jackknife(value, blocks, np.full(2, value)), {
        "floor": _CHANCE, **skills(exam.task, exam.score("fake"), whole),
        **_told(exam.names, made, real, whole.value - exam.task.guessing)})


def falls(exam: Exam, rng: np.random.Generator) -> tuple[list[Influence], list[Influence]]:
    """Return how far each column's shuffle makes the score fall, for the synthetic rows' model and the real rows'."""
    rows = rng.permutation(len(exam.y["test"]))[:max(500, _CELLS // len(exam.names))]
    x, truth, other = exam.x["test"][rows], exam.y["test"][rows], rng.permutation(len(rows))
    if exam.task.classes and any(not 0 < (truth == c).sum() < len(truth) for c in exam.task.asked):
        raise NotAnswered(f"a class of {exam.task.target!r} is too rare among the test rows")
    found: tuple[list[Influence], list[Influence]] = ([], [])
    for mine, who in zip(found, ("fake", "train"), strict=True):
        model = exam.boosted(who)
        whole = exam.task.score(truth, exam.output(model, x))
        for start in range(0, x.shape[1], _AT_ONCE):
            columns = range(start, min(start + _AT_ONCE, x.shape[1]))
            shuffled = np.tile(x, (len(columns), 1, 1))
            for copy, i in zip(shuffled, columns, strict=True):
                copy[:, i] = x[other, i]
            outputs = np.split(exam.output(model, shuffled.reshape(-1, x.shape[1])), len(columns))
            scores = [exam.task.score(truth, output) for output in outputs]
            mine += [Influence(whole.value - less.value, whole.rows - less.rows) for less in scores]
    return found


def values(each: list[Influence]) -> np.ndarray:
    """Return the values alone."""
    return np.array([e.value for e in each])


def without_blocks(each: list[Influence]) -> np.ndarray:
    """Return the values without each of 20 interleaved blocks of rows, shape (blocks, statistics), by influences."""
    sway = np.array([e.rows for e in each])
    left = [np.arange(sway.shape[1]) % _BLOCKS != block for block in range(_BLOCKS)]
    return np.array([values(each) + sway[:, rows].mean(axis=1) for rows in left])


def agreement(a: np.ndarray, b: np.ndarray) -> float | None:
    """Return the share of pairs that `b` orders as `a` does, weighted by how far apart `a` sets them; ties count half.

    Examples
    --------
    >>> a = np.array([0.3, 0.1, 0.0])
    >>> agreement(a, a), agreement(a, -a), round(agreement(a, np.array([0.2, 0.0, 0.1])), 3)
    (1.0, 0.0, 0.833)
    """
    i, j = np.triu_indices(len(a), 1)
    apart, other = a[i] - a[j], b[i] - b[j]
    weight = float(np.abs(apart).sum())
    return None if weight == 0 else float((np.abs(apart) * (1 + np.sign(apart) * np.sign(other))).sum() / 2 / weight)


def _told(names: list[str], made: list[Influence], real: list[Influence], skill: float) -> dict[str, Any]:
    gap = values(made) - values(real)
    rows = len(made[0].rows)
    error = np.array([(m.rows - r.rows).std() for m, r in zip(made, real, strict=True)]) / np.sqrt(rows)
    p = 2 * norm.sf(np.abs(gap) / np.maximum(error, 0.5 / rows))
    telling = (adjusted(p) <= _SURE) & (np.abs(gap) >= _TELLING * skill)
    by_gap = [int(i) for i in np.argsort(-np.abs(gap), kind="stable")]
    items = [{"name": names[i], "value": round(float(made[i].value), 6), "reference": round(float(real[i].value), 6),
              "interval": [round(float(x), 6) for x in made[i].interval(-np.inf, np.inf)],
              "note": "differs" if telling[i] else ""} for i in by_gap[:15]]
    differ = [item for item in items if item["note"]]
    return {"rows": rows, "items": items, "differ": [item["name"] for item in differ], "items_say": {
        "value": "importance to the model learnt from synthetic rows: fall of the score when the column is shuffled",
        "reference": "importance to the model learnt from real rows"}}


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the agreement."""
    d = measure.details
    skill_of_real(d)
    if ceiling is not None and ceiling < TELLS and measure.value < GOOD:
        raise NotAnswered(f"models learnt from two real samples rank only {ceiling:.0%} of the pairs of columns alike "
                          "themselves (chance: 50%)")
    high = measure.interval[1]
    border = FAIR if ceiling is None else min(FAIR, ceiling - BELOW)
    as_real = ceiling is not None and high >= ceiling
    verdict: Verdict = "good" if measure.value >= GOOD or as_real else "poor" if high < border else "fair"
    said = (f"Models learnt from synthetic and from real rows rank {measure.value:.0%} of the pairs of columns alike, "
            f"by weight, when they predict {d['target']!r} (chance: 50%")
    said += f"; real rows reach {ceiling:.0%})" if ceiling is not None else ")"
    named = {item["name"]: item for item in d["items"]}
    apart = [f"{name!r} (shuffled, it costs {named[name]['value']:.3f} of {d['score_name']}, with real rows "
             f"{named[name]['reference']:.3f})" for name in d["differ"][:2]]
    if apart and verdict != "good":
        said += f"; most different: {' and '.join(apart)}"
    return Judged(verdict, said + ".", p_beyond(measure.value, measure.interval, border, worse=-1))
