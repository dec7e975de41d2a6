"""Whether a trained judge can tell synthetic rows from real ones: the AUC of gradient boosting; 0.5 is best.

A classifier two-sample test (Lopez-Paz and Oquab, ICLR 2017): equally many synthetic and holdout rows, 10 000 of each
at most at the standard effort, fewer of wide tables; three-fold cross-validation, numbers at full precision, categories
as categories. The AUC is the mean of the three folds', its interval DeLong's (1988), 1.6 times as wide because folds
learn from each other's rows (Nadeau and Bengio 2003). The details name the columns that give the synthetic rows away:
how far the AUC falls when a column is shuffled.
"""

from __future__ import annotations

import numpy as np

from verisyn.findings import Judged, Measure, Verdict
from verisyn.metrics import Sides, enough, has_columns
from verisyn.metrics._models import affordable, classifier, matrices, predicted, shuffled
from verisyn.metrics._stats import Influence, auc, p_beyond, roc

title = "Can a trained judge tell synthetic rows from real ones?"
needs = ("features",)
best, worst = 0.5, 1.0
stand_in = "train"
GOOD, FAIR = 0.60, 0.75
"""Three pairs in five told apart is about what the best published generators reach on hard tables; at three in four
a judge is right about most rows."""
rule = (f"good: AUC of {GOOD:.2f} or less, or no worse than real rows by an interval that ends below {FAIR:.2f}; poor: "
        f"more than {FAIR:.2f}, even at the low end of the interval; fair: otherwise")
references = ("https://arxiv.org/abs/1610.06545", "https://doi.org/10.1023/A:1024068626366")
_FOLDS, _TOLD = 3, 1_000


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Train the judge on two thirds, let it judge the last third, three times."""
    enough({"synthetic": sides.fake.rows, "real": sides.holdout.rows}, 100)
    sides = sides.narrowed(rng)
    has_columns(sides)
    rows = min(sides.fake.rows, sides.holdout.rows, affordable(len(sides.train.features), sides.effort.learnt) // 2)
    (fake, real), categories = matrices([sides.fake.some(rows, rng), sides.holdout.some(rows, rng)])
    x, truth = np.vstack([fake, real]), np.arange(2 * rows) < rows
    fold = np.concatenate([rng.permutation(rows) % _FOLDS, rng.permutation(rows) % _FOLDS])
    score, models = np.empty(2 * rows), []
    for i in range(_FOLDS):
        model = classifier(x[fold != i], truth[fold != i], categories)
        score[fold == i] = predicted(model, x[fold == i])[:, 1]
        models.append(model)
    found = _mean([auc(truth[fold == i], score[fold == i]) for i in range(_FOLDS)])
    if not sides.pictured:
        return Measure(found.value, found.interval())
    falls = _falls(models[0], x[fold == 0], truth[fold == 0], rng)
    names = [f.name for f in sides.train.features]
    top = [{"name": names[i], "gain": round(float(falls[i]), 4)} for i in np.argsort(-falls)[:10] if falls[i] > 0]
    return Measure(found.value, found.interval(), {"top": top, "roc": roc(truth, score), "rows": rows})


def _mean(folds: list[Influence]) -> Influence:
    """The mean over folds: scores of one model are compared with each other only. Folds share rows, so err alike."""
    rows, alike = sum(len(f.rows) for f in folds), np.sqrt(1 + _FOLDS / (_FOLDS - 1))
    swayed = np.concatenate([f.rows * (alike * rows / (len(folds) * len(f.rows))) for f in folds])
    return Influence(float(np.mean([f.value for f in folds])), swayed)


def _falls(model: object, x: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How far the AUC falls when one column is shuffled, for each column, on 1 000 rows the judge has not seen."""
    some = rng.permutation(len(x))[:_TOLD]
    x, truth, order = x[some], truth[some], rng.permutation(len(some))
    if truth.all() or not truth.any():
        return np.zeros(x.shape[1])

    def output(rows: np.ndarray) -> np.ndarray:
        return predicted(model, rows)[:, 1]

    found = [auc(truth, score).value for score in shuffled(output, x, order, range(x.shape[1]))]
    return auc(truth, output(x)).value - np.array(found)


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the AUC."""
    (low, high), real = measure.interval, 0.5 if ceiling is None else max(0.5, ceiling)
    fine = measure.value <= GOOD or (low <= real and high <= FAIR)
    verdict: Verdict = "good" if fine else "poor" if low > FAIR else "fair"
    said = f"Shown a synthetic and a real row, a trained judge picks the synthetic one in {measure.value:.0%} of cases"
    said += " (a coin: 50%"
    said += f"; columns drawn alone: {floor:.0%})" if floor is not None else ")"
    top = measure.details["top"]
    tells = f"; {top[0]['name']!r} gives most away" if top and measure.value > GOOD else ""
    return Judged(verdict, f"{said}{tells}.", p_beyond(measure.value, measure.interval, FAIR))
