"""What a forecast learnt from synthetic histories is worth on real ones: the share of the skill that survives.

Gradient boosting learns the next row's value from the rows before it (the last three values of up to a dozen columns,
the mean of each number so far, the place in the history, the last gap, what does not change), from the synthetic
histories and from as many rows of training ones, and is tested on the holdout's rows (predictive score: Esteban, Hyland
and Rätsch 2017; Yoon, Jarrett and van der Schaar 2019). Up to four columns are asked, the target first: of a number its
change from the last row (R²), so that a course that hardly moves is no easy success, of a category its next level (AUC,
each against the rest). The value is the share of the skill, added up over those columns that real rows predict at all
(R², and twice the AUC less one), that survives.
Intervals come from the influence of each holdout history (delta method, paired), for the models as they were learnt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.kinds import Feature
from verisyn.metrics import Side
from verisyn.metrics._histories import Histories, HistorySides
from verisyn.metrics._models import affordable, classifier, matrices, predicted, regressor
from verisyn.metrics._order import apart, chosen, enough_histories
from verisyn.metrics._stats import Influence, Z, p_beyond
from verisyn.metrics._tasks import Task, task_of

title = "Is a forecast learnt from synthetic histories as good on real ones?"
needs = ("order",)
best, worst = 1.0, 0.0
stand_in, floor = None, False
references = ("https://arxiv.org/abs/1706.02633",
              "https://papers.nips.cc/paper/8789-time-series-generative-adversarial-networks")
GOOD, FAIR = 0.90, 0.70
"""Share of the skill (score above guessing) that survives; halves of real sets keep 0.95 or more."""
rule = (f"good: {GOOD:.0%} or more of the skill that real histories give survives, or no less than all of it by an "
        f"interval that begins at {FAIR:.0%} or above; poor: less than {FAIR:.0%}, even at the high end of the "
        "interval; fair: otherwise")
_ASKED, _SEEN, _BACK, _LEAST, _TRIED, _LOST = 4, 12, 3, 100, 8, -1.0


def measure(sides: HistorySides, rng: np.random.Generator) -> Measure:
    """Learn from synthetic and from as many real rows; test both on the holdout."""
    enough_histories({"synthetic": sides.fake, "training": sides.train, "holdout": sides.holdout})
    columns = chosen(sides)
    names = [sides.train.features[c].name for c in columns]
    rng = np.random.default_rng([sides.seed, 7])
    order = sorted(rng.permutation(len(columns)), key=lambda i: names[i] != sides.target)
    seen = sorted(columns[i] for i in order[:_SEEN])
    told: list[_Found] = []
    for column in (columns[i] for i in order[:_TRIED]):
        if len(told) < _ASKED and (found := _forecast(sides, column, seen)) is not None:
            told.append(found)
    if not told:
        raise NotAnswered("real histories do not tell their next row either, as far as the columns that were tried go")
    skill = sum(f.real_skill for f in told)
    value = sum(f.made_skill for f in told) / skill
    swayed = np.sum([f.made_sway - value * f.real_sway for f in told], axis=0) / skill
    held = swayed[np.any([f.real_sway != 0 for f in told], axis=0)]
    half = Z * float(held.std() / np.sqrt(len(held)))
    items = [{"name": f.name, "value": round(f.made, 6), "reference": round(f.real, 6), "note": f.score}
             for f in sorted(told, key=lambda f: f.made_skill / f.real_skill)]
    return Measure(value, (value - half, value + half), {
        "items": items, "rows_learnt_from": told[0].rows, "ceiling": 1.0, "items_say": {
            "value": "score learnt from synthetic histories", "reference": "score learnt from real ones"}})


@dataclass(frozen=True)
class _Found:
    """The scores of both models for one column, in units of their own, and the skills beyond guessing, 0 to 1.

    The sways say how much each holdout history moves the skills; they are of all holdout histories, in their order.
    """

    name: str
    score: str
    made: float
    real: float
    made_skill: float
    real_skill: float
    made_sway: np.ndarray
    real_sway: np.ndarray
    rows: int


@dataclass(frozen=True)
class _Rows:
    """Rows that have one before them: what is known then, and which entity each is of."""

    side: Side
    rows: np.ndarray
    of: np.ndarray


def _forecast(sides: HistorySides, column: int, seen: list[int]) -> _Found | None:
    """Both models' scores for one column; None where real rows do not predict it."""
    rng = sides.rng(f"forecast {column}")
    known = [_past(side, seen) for side in (sides.fake, sides.train, sides.holdout)]
    next_ = [_next(side, column, past.rows) for side, past in zip((sides.fake, sides.train, sides.holdout), known,
                                                                    strict=True)]
    held = [np.flatnonzero(~np.isnan(f.values)) for f in next_]
    if min(map(len, held)) < _LEAST:
        return None
    values = [replace(f, values=f.values[h]) for f, h in zip(next_, held, strict=True)]
    try:
        task, code = task_of(values[1], values[2])
    except NotAnswered:
        return None
    rows = min(len(held[0]), len(held[1]), sides.effort.learnt // 4, affordable(len(known[0].side.features)))
    tested = rng.permutation(len(held[2]))[:2 * rows]
    picked = [rng.permutation(len(held[0]))[:rows], rng.permutation(len(held[1]))[:rows], np.sort(tested)]
    x, categories = matrices([past.side.take(h[p]) for past, h, p in zip(known, held, picked, strict=True)])
    y = [code(f.values[p]) for f, p in zip(values, picked, strict=True)]
    if np.ptp(y[2]) == 0:
        return None
    of = known[2].of[held[2][picked[2]]]
    made, real = (_score(task, x[i], y[i], x[2], y[2], categories) for i in (0, 1))
    sways = [_of_entities(found, of, sides.holdout.entities) for found in (made, real)]
    skill, whole = real.value - task.guessing, 1 - task.guessing
    held = sways[1][np.unique(of)]
    if skill <= Z * float(held.std() / np.sqrt(len(held))):
        return None
    return _Found(values[1].name, task.score_name, made.value, real.value,
                  max(_LOST * skill, made.value - task.guessing) / whole, skill / whole, sways[0] / whole,
                  sways[1] / whole, rows)


def _score(task: Task, x: np.ndarray, y: np.ndarray, x_test: np.ndarray, y_test: np.ndarray, categories: list[bool]
           ) -> Influence:
    if not task.classes:
        return task.score(y_test, predicted(regressor(x, y, categories), x_test))
    held, chances = np.unique(y), np.zeros((len(x_test), len(task.classes)))
    chances[:, held.astype(np.int64)] = predicted(classifier(x, y, categories), x_test) if len(held) > 1 else 1.0
    return task.score(y_test, chances)


def _of_entities(found: Influence, of: np.ndarray, entities: int) -> np.ndarray:
    """Add up the influences of the rows of each entity, so that their variance is that of a mean over entities."""
    return np.bincount(of, found.rows, entities) * len(np.unique(of)) / len(found.rows)


def _past(histories: Histories, seen: list[int]) -> _Rows:
    """What is known before each row that has one before it."""
    rows = apart(histories.starts, 1) + 1
    of = histories.of[rows]
    place = rows - histories.starts[:-1][of]
    told = [Feature("place", place.astype(float))]
    for c in seen:
        feature = histories.features[c]
        for back in range(1, _BACK + 1):
            values = np.where(place >= back, feature.values[np.maximum(rows - back, 0)], np.nan)
            told.append(replace(feature, name=f"{feature.name} {back} before", values=values))
        if not feature.levels:
            told.append(Feature(f"{feature.name} so far", _so_far(feature.values, histories, rows)))
    if histories.time is not None:
        gap = histories.time[rows - 1] - histories.time[np.maximum(rows - 2, 0)]
        told.append(Feature("last gap", np.where(place > 1, gap, np.nan)))
    told += [replace(f, values=f.values[of]) for f in histories.about]
    return _Rows(Side(histories.frame[rows], told, ()), rows, of)


def _so_far(values: np.ndarray, histories: Histories, rows: np.ndarray) -> np.ndarray:
    """The mean of each entity's values before each row."""
    known = ~np.isnan(values)
    total, count = (np.concatenate([[0.0], np.cumsum(v)]) for v in (np.where(known, values, 0.0), known))
    first = histories.starts[:-1][histories.of[rows]]
    held = count[rows] - count[first]
    return np.divide(total[rows] - total[first], held, out=np.full(len(rows), np.nan), where=held > 0)


def _next(histories: Histories, column: int, rows: np.ndarray) -> Feature:
    """What is forecast: a category's level, or a number's change from the row before."""
    feature = histories.features[column]
    values = feature.values[rows]
    return replace(feature, values=values if feature.levels else values - feature.values[rows - 1])


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the share of the skill that survives."""
    low, high = measure.interval
    fine = measure.value >= GOOD or (low >= FAIR and high >= 1)
    verdict: Verdict = "good" if fine else "poor" if high < FAIR else "fair"
    first = measure.details["items"][0]
    said = (f"Forecasting the next row of unseen real histories, a model learnt from synthetic ones keeps "
            f"{max(0.0, measure.value):.0%} of the skill of one learnt from as many real rows")
    said += f"; least of {first['name']!r}: {first['note']} {first['value']:.3f} in place of {first['reference']:.3f}."
    return Judged(verdict, said, p_beyond(measure.value, measure.interval, FAIR, worse=-1))
