"""What a model learnt from synthetic rows is worth on real ones: train on synthetic, test on real (TSTR).

Gradient boosting learns the target from the synthetic rows and is tested on the holdout; the ceiling is the same model
learnt from as many real training rows (TRTR), the floor from columns drawn alone. A target of classes, or a number with
two values, is scored by AUC, any other number by R². Of more than two classes the mean over classes counts, each
against the rest; the 20 most frequent classes that 10 training and 10 holdout rows hold are learnt apart, all others
share one. Intervals come from the influence of each test row (DeLong's for the AUC, the delta method for R²), paired
where the two models are compared; they speak of the test rows, for the models as they were learnt (Esteban, Hyland and
Rätsch 2017).
"""

from __future__ import annotations

import numpy as np

from verisyn.findings import Judged, Measure
from verisyn.metrics import Sides
from verisyn.metrics._tasks import answer, exam_of, judged

title = "Is a model learnt from synthetic data as good on real data?"
needs = ("features",)
best, worst = 1.0, 0.0
stand_in = None
references = ("https://arxiv.org/abs/1706.02633",)
GOOD, FAIR = 0.95, 0.80
"""Share of the skill (score above guessing) that survives; two real samples differ by about a twentieth."""
rule = (f"good: {GOOD:.0%} or more of the skill that real rows give survives; poor: less than {FAIR:.0%}, even at the "
        "high end of the interval; fair: otherwise")


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Learn from synthetic and from as many real rows; test both on the holdout."""
    exam = exam_of(sides)
    return answer(exam, exam.score("fake"), exam.score("train"))


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the share of the skill that survives."""
    return judged(measure, "a model", GOOD, FAIR)
