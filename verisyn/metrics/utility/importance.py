"""Whether models learnt from synthetic and from real rows rely on the same columns: rank agreement, 1 is best.

Importance is how far the score (AUC or R²) of the boosted model falls on holdout rows when one column is shuffled
(Breiman 2001; Fisher, Rudin and Dominici 2019), for the model learnt from synthetic rows and for the one learnt from as
many real rows, on the same rows and the same shuffle. Agreement is the share of pairs of columns that both models rank
in the same order, each pair weighing as much as the real model sets its columns apart, so that columns which hardly
matter weigh hardly anything: 1 where all pairs agree, 0.5 by chance, 0 where all are turned round. The interval is a
delete-a-block jackknife over the test rows. The ceiling is the agreement of two models that are learnt each from one
half of the real rows, by the same test rows (half as many rows to learn from, so that they may agree a little less). Of
more than 40 columns those 40 are ranked whose shuffle changes most what either model says of 100 rows. Columns are
named whose importance differs by a tenth of the real skill or more, and by more than the rows explain (paired
influences of test rows, false discovery rate 5 %).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from scipy.stats import norm

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.metrics import Sides
from verisyn.metrics._models import shuffled
from verisyn.metrics._stats import Influence, adjusted, jackknife, p_beyond
from verisyn.metrics._tables import BLOCKS
from verisyn.metrics._tasks import Exam, exam_of, skill_of_real, skills

title = "Does a model learnt from synthetic data rely on the same columns?"
needs = ("features",)
best, worst = 1.0, 0.0
stand_in = None
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
_RANKED, _SCREENED, _CELLS = 40, 100, 60_000
_ASKED = 5
"""A class is asked about where so many of the test rows that are shuffled hold it."""


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Shuffle every column of the test rows, for both models."""
    exam = exam_of(sides)
    if len(exam.names) < 2:
        raise NotAnswered("there is only one column to learn the target from, so there is nothing to rank")
    models = [exam.boosted("fake"), exam.boosted("train")]
    columns = _used(exam, models, rng)
    made, real, *halves = falls(exam, [*models, *exam.halves("train")], columns, rng)
    value, most = agreement(values(real), values(made)), agreement(*(values(half) for half in halves))
    if value is None:
        raise NotAnswered(f"the model learnt from real rows relies on no column to predict {exam.task.target!r}")
    less = [agreement(a, b) for a, b in zip(without_blocks(real), without_blocks(made), strict=True)]
    blocks = np.array([value if x is None else x for x in less])
    whole = exam.score("train")
    return Measure(value, jackknife(value, blocks, np.full(2, value)), {
        "floor": _CHANCE, "ceiling": None if most is None else round(most, 6),
        **skills(exam.task, exam.score("fake"), whole),
        **_told([exam.names[i] for i in columns], made, real, whole.value - exam.task.guessing)})


def _used(exam: Exam, models: list[Any], rng: np.random.Generator) -> list[int]:
    """Return the columns to rank: all, or of too many those whose shuffle changes most what some model says."""
    columns = range(len(exam.names))
    if len(columns) <= _RANKED:
        return [*columns]
    rows = rng.permutation(len(exam.y["test"]))[:_SCREENED]
    x, order, use = exam.x["test"][rows], rng.permutation(len(rows)), []
    for output in (partial(exam.output, model) for model in models):
        said = output(x)
        change = np.array([np.abs(other - said).mean() for other in shuffled(output, x, order, columns)])
        use.append(change / max(change.sum(), 1e-300))
    return sorted(int(i) for i in np.argsort(-np.maximum(*use), kind="stable")[:_RANKED])


def falls(exam: Exam, models: list[Any], columns: list[int], rng: np.random.Generator) -> list[list[Influence]]:
    """Return how far each column's shuffle makes the score of each model fall: the same rows and shuffle for all."""
    rows = rng.permutation(len(exam.y["test"]))[:max(500, _CELLS // len(exam.names))]
    x, truth, other = exam.x["test"][rows], exam.y["test"][rows], rng.permutation(len(rows))
    held = tuple(c for c in exam.task.asked if _ASKED <= (truth == c).sum() <= len(truth) - _ASKED)
    if exam.task.classes and not held:
        raise NotAnswered(f"too few test rows hold the classes of {exam.task.target!r} that are asked about")
    task = replace(exam.task, asked=held)
    found = []
    for output in (partial(exam.output, model) for model in models):
        whole = task.score(truth, output(x))
        scores = [task.score(truth, less) for less in shuffled(output, x, other, columns)]
        found.append([Influence(whole.value - less.value, whole.rows - less.rows) for less in scores])
    return found


def values(each: list[Influence]) -> np.ndarray:
    """Return the values alone."""
    return np.array([e.value for e in each])


def without_blocks(each: list[Influence]) -> np.ndarray:
    """Return the values without each of 20 interleaved blocks of rows, shape (blocks, statistics), by influences."""
    sway = np.array([e.rows for e in each])
    left = [np.arange(sway.shape[1]) % BLOCKS != block for block in range(BLOCKS)]
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
    return {"test_rows": rows, "columns_ranked": len(names), "items": items, "items_say": {
        "value": "importance to the model learnt from synthetic rows: fall of the score when the column is shuffled",
        "reference": "importance to the model learnt from real rows"}}


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the agreement."""
    d = measure.details
    skill_of_real(d)
    if ceiling is not None and ceiling < TELLS and measure.value < GOOD:
        raise NotAnswered(f"models learnt from two halves of the real rows rank only {ceiling:.0%} of the pairs of "
                          "columns alike themselves (chance: 50%)")
    high = measure.interval[1]
    border = FAIR if ceiling is None else min(FAIR, ceiling - BELOW)
    as_real = ceiling is not None and high >= ceiling
    verdict: Verdict = "good" if measure.value >= GOOD or as_real else "poor" if high < border else "fair"
    said = (f"To predict {d['target']!r}, models learnt from synthetic and from real rows rank {measure.value:.0%} of "
            "the pairs of columns alike in how much they matter (chance: 50%")
    said += f"; two halves of the real rows: {ceiling:.0%})." if ceiling is not None else ")."
    apart = [f"{i['name']!r} (without it the first loses {i['value']:.3f} of {d['score_name']}, the second "
             f"{i['reference']:.3f})" for i in d["items"] if i["note"]][:2]
    if apart and verdict != "good":
        said += f" Most different: {' and '.join(apart)}."
    return Judged(verdict, said, p_beyond(measure.value, measure.interval, border, worse=-1))
