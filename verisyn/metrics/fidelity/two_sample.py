"""Whether a trained judge can tell synthetic rows from real ones: the AUC of gradient boosting; 0.5 is best.

A classifier two-sample test (Lopez-Paz and Oquab, ICLR 2017): equally many synthetic and holdout rows, 10 000 of each
at most at the standard effort, fewer of wide tables; three-fold cross-validation, numbers at full precision, categories
as categories. The AUC is the mean of the three folds', its interval DeLong's (1988), 1.6 times as wide because folds
learn from each other's rows (Nadeau and Bengio 2003). The details name the columns that give the synthetic rows away:
how far the AUC falls when a column is shuffled.
"""

from __future__ import annotations

import numpy as np

from verisyn.findings import Judged, Measure
from verisyn.metrics import Sides, enough, has_columns
from verisyn.metrics._apart import FAIR, FOLDS, GOOD, falls, gives_away, mean_of_folds, verdict_of
from verisyn.metrics._models import affordable, classifier, matrices, predicted
from verisyn.metrics._stats import auc, p_beyond, roc

title = "Can a trained judge tell synthetic rows from real ones?"
needs = ("features",)
best, worst = 0.5, 1.0
stand_in = "train"
rule = (f"good: AUC of {GOOD:.2f} or less, or no worse than real rows by an interval that ends below {FAIR:.2f}; poor: "
        f"more than {FAIR:.2f}, even at the low end of the interval; fair: otherwise")
references = ("https://arxiv.org/abs/1610.06545", "https://doi.org/10.1023/A:1024068626366")


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Train the judge on two thirds, let it judge the last third, three times."""
    enough({"synthetic": sides.fake.rows, "real": sides.holdout.rows}, 100)
    sides = sides.narrowed(rng)
    has_columns(sides)
    rows = min(sides.fake.rows, sides.holdout.rows, affordable(len(sides.train.features), sides.effort.learnt) // 2)
    (fake, real), categories = matrices([sides.fake.some(rows, rng), sides.holdout.some(rows, rng)])
    x, truth = np.vstack([fake, real]), np.arange(2 * rows) < rows
    fold = np.concatenate([rng.permutation(rows) % FOLDS, rng.permutation(rows) % FOLDS])
    score, models = np.empty(2 * rows), []
    for i in range(FOLDS):
        model = classifier(x[fold != i], truth[fold != i], categories)
        score[fold == i] = predicted(model, x[fold == i])[:, 1]
        models.append(model)
    found = mean_of_folds([auc(truth[fold == i], score[fold == i]) for i in range(FOLDS)])
    if not sides.pictured:
        return Measure(found.value, found.interval())
    told = falls(models[0], x[fold == 0], truth[fold == 0], rng)
    names = [f.name for f in sides.train.features]
    top = [{"name": names[i], "gain": round(float(told[i]), 4)} for i in np.argsort(-told)[:10] if told[i] > 0]
    return Measure(found.value, found.interval(), {"top": top, "roc": roc(truth, score), "rows": rows})


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the AUC."""
    said = f"Shown a synthetic and a real row, a trained judge picks the synthetic one in {measure.value:.0%} of cases"
    said += " (a coin: 50%"
    said += f"; columns drawn alone: {floor:.0%})" if floor is not None else ")"
    return Judged(verdict_of(measure, ceiling), f"{said}{gives_away(measure)}.",
                  p_beyond(measure.value, measure.interval, FAIR))
