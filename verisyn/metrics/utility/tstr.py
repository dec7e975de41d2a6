"""What a model learnt from synthetic rows is worth on real ones: train on synthetic, test on real (TSTR).

Gradient boosting learns the target from the synthetic rows and is tested on the holdout; the ceiling is the same
model learnt from as many real training rows (TRTR), the floor from columns drawn alone. A target with 2 to 20 classes,
or a number with two values, is scored by AUC (the mean over classes, each against the rest), any other number by R².
Intervals come from the influence of each test row (DeLong's for the AUC, the delta method for R²), paired where the
two models are compared (Esteban et al. 2017).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.kinds import Feature
from verisyn.metrics import Side, Sides, enough
from verisyn.metrics._models import affordable, classifier, matrices, predicted, regressor
from verisyn.metrics._stats import Influence, Z, auc, p_beyond, r_squared

title = "Is a model learnt from synthetic data as good on real data?"
needs = ("features",)
best, worst = 1.0, 0.0
stand_in = None
GOOD, FAIR = 0.95, 0.80
"""Share of the skill (score above guessing) that survives; two real samples differ by about a twentieth."""
rule = (f"good: {GOOD:.0%} or more of the skill that real rows give survives; poor: less than {FAIR:.0%}, even at the "
        "high end of the interval; fair: otherwise")
_CLASSES, _FEWEST = 20, 10


@dataclass(frozen=True)
class _Task:
    """How to learn and to score the target: its classes (none for a number), and the score of guessing."""

    name: str
    score_name: str
    guessing: float
    classes: np.ndarray


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Learn from synthetic and from as many real rows; test both on the holdout."""
    target, sides = _target(sides), sides.narrowed(rng)
    at = [f.name for f in sides.train.features].index(target)
    fake, train, test = (_known(side, at) for side in (sides.fake, sides.train, sides.holdout))
    enough({"training": train.rows, "holdout": test.rows, "synthetic": fake.rows}, 50)
    fake, train, test = (_of_two(side, at, np.unique(train.features[at].values)) for side in (fake, train, test))
    task = _task(train.features[at], test.features[at])
    rows = min(fake.rows, train.rows, affordable(len(sides.train.features)))
    fake, train = fake.some(rows, rng), train.some(rows, rng)
    (x, x_real, x_test), categories = matrices([fake, train, test], omit=target)
    truth = test.features[at].values
    made = _score(task, (x, fake.features[at].values), (x_test, truth), categories)
    real = _score(task, (x_real, train.features[at].values), (x_test, truth), categories)
    return Measure(made.value, made.interval(least=-np.inf if not len(task.classes) else 0.0), {
        "target": target, "task": task.name, "score_name": task.score_name, "tstr": round(made.value, 6),
        "trtr": round(real.value, 6), "guessing": task.guessing, "rows": rows, "ceiling": real.value,
        **_kept(made, real, task.guessing)})


def _target(sides: Sides) -> str:
    names = [f.name for f in sides.train.features]
    if sides.target is None:
        raise NotAnswered("no column is named as the target")
    if sides.target not in names:
        raise NotAnswered(f"the target {sides.target!r} is not a column whose values are modelled")
    if len(names) < 2:
        raise NotAnswered("there is no column beside the target to learn from")
    return sides.target


def _known(side: Side, at: int) -> Side:
    return side.take(np.flatnonzero(~np.isnan(side.features[at].values)))


def _of_two(side: Side, at: int, values: np.ndarray) -> Side:
    """Return the side with the target as classes, where it is a number of just two `values` (1 and 2, say)."""
    target = side.features[at]
    if target.levels or len(values) != 2:
        return side
    codes = np.select([target.values == v for v in values], [0.0, 1.0], 2.0)
    features = [replace(f, values=codes, levels=3) if i == at else f for i, f in enumerate(side.features)]
    return replace(side, features=features)


def _task(train: Feature, test: Feature) -> _Task:
    if not train.levels:
        if np.ptp(train.values) == 0 or np.ptp(test.values) == 0:
            raise NotAnswered(f"the target {train.name!r} has one value only")
        return _Task("regression", "R²", 0.0, np.empty(0))
    counts = [np.bincount(f.values.astype(np.int64), minlength=f.levels) for f in (train, test)]
    classes = np.flatnonzero((counts[0] >= _FEWEST) & (counts[1] >= _FEWEST))
    if len(classes) < 2:
        raise NotAnswered(f"fewer than two classes of the target {train.name!r} are held by {_FEWEST} rows of both the "
                          "training and the holdout data")
    if len(classes) > _CLASSES:
        raise NotAnswered(f"the target {train.name!r} has {len(classes)} classes, more than {_CLASSES}")
    return _Task("classification", "AUC", 0.5, classes)


def _score(task: _Task, known: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray],
           categories: list[bool]) -> Influence:
    x, y = known
    if not len(task.classes):
        return r_squared(test[1], predicted(regressor(x, y, categories), test[0]))
    seen = np.unique(y)
    chances = np.ones((len(test[0]), 1)) if len(seen) == 1 else predicted(classifier(x, y, categories), test[0])
    column = {c: chances[:, i] for i, c in enumerate(seen)}
    # Two classes are one question; for more, the mean over classes. A class the model never saw scores as a guess.
    asked = task.classes[1:] if len(task.classes) == 2 else task.classes
    each = [auc(test[1] == c, column.get(c, np.zeros(len(test[0])))) for c in asked]
    return Influence(float(np.mean([e.value for e in each])), np.mean([e.rows for e in each], axis=0))


def _kept(made: Influence, real: Influence, guessing: float) -> dict[str, float | list[float] | None]:
    """The share of the real skill that survives, with its interval; None where real rows give no skill to keep."""
    skill = real.value - guessing
    if real.interval(-np.inf)[0] <= guessing:
        return {"kept": None, "kept_interval": None}
    kept = (made.value - guessing) / skill
    error = Z * float((made.rows - kept * real.rows).std() / np.sqrt(len(made.rows))) / skill
    return {"kept": round(kept, 6), "kept_interval": [round(kept - error, 6), round(kept + error, 6)]}


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the share of the skill that survives."""
    d = measure.details
    if d["kept"] is None:
        raise NotAnswered(f"real rows do not predict the target {d['target']!r} either "
                          f"({d['score_name']} {d['trtr']:.3f}; guessing gives {d['guessing']})")
    verdict: Verdict = "good" if d["kept"] >= GOOD else "poor" if d["kept_interval"][1] < FAIR else "fair"
    p = p_beyond(d["kept"], d["kept_interval"], FAIR, worse=-1)
    said = (f"Predicting {d['target']!r} on unseen real rows, a model learnt from synthetic data reaches "
            f"{d['score_name']} {d['tstr']:.3f}, one learnt from as many real rows {d['trtr']:.3f}: "
            f"{max(0.0, d['kept']):.0%} of the skill survives.")
    return Judged(verdict, said, p)
