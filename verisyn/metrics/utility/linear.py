"""What a linear model learnt from synthetic rows is worth on real ones: the simple model beside the boosted one.

Logistic regression (for classes, or a number with two values) or ridge regression (for any other number), each with a
ridge penalty of 1, learns the target from the synthetic rows and is tested on the holdout; the ceiling is the same
model learnt from as many real training rows, the floor from columns drawn alone. Numbers are cut at the 1st and 99th
percentile of the training rows and standardised by them; categories become one indicator for each of their most
frequent training levels (at most 30 a column, fewer in a wide table, so that there are at most about 600 in all); a
missing value is the mean and an indicator. Classes, scores and intervals are those of the boosted model (AUC or R² on
test rows, influences, paired; Esteban, Hyland and Rätsch 2017). A linear model sees only what each column says by
itself, so it can be well served where a boosted one is not, and the other way round.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from verisyn.findings import Judged, Measure
from verisyn.metrics import Sides
from verisyn.metrics._tasks import Exam, answer, exam_of, judged

title = "Is a simple, linear model learnt from synthetic data as good on real data?"
needs = ("features",)
best, worst = 1.0, 0.0
stand_in = None
place = 1
references = ("https://arxiv.org/abs/1706.02633",)
GOOD, FAIR = 0.95, 0.80
"""Those of the boosted model: a twentieth is what two real samples differ by."""
rule = (f"good: {GOOD:.0%} or more of the skill that real rows give a linear model survives; poor: less than "
        f"{FAIR:.0%}, even at the high end of the interval; fair: otherwise")
_LEVELS, _WIDTH = 30, 600
_WORK = 6_000_000
"""Numbers, over all classes, that one logistic regression learns from at most."""
_ROUNDS = 100


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Learn from synthetic and from as many real rows; test both on the holdout."""
    exam = exam_of(sides)
    coded = encoded(exam)
    outputs = [output(exam, coded, who) for who in ("fake", "train")]
    made, real = (exam.task.score(exam.y["test"], found) for found in outputs)
    return answer(exam, made, real)


def encoded(exam: Exam) -> dict[str, np.ndarray]:
    """Return what a linear model sees of each side, float64 of shape (rows, width), scaled by the training rows."""
    levels = int(np.clip(_WIDTH // max(1, sum(exam.categories)), 2, _LEVELS))
    blocks: dict[str, list[np.ndarray]] = {who: [] for who in exam.x}
    for i, category in enumerate(exam.categories):
        known = exam.x["train"][:, i]
        known = known[~np.isnan(known)]
        code = _indicators(known, levels) if category else _place(known)
        gaps = any(np.isnan(x[:, i]).any() for x in exam.x.values())
        for who, x in exam.x.items():
            blocks[who] += [code(x[:, i]), *([np.isnan(x[:, [i]]).astype(float)] if gaps else [])]
    return {who: np.hstack(block) for who, block in blocks.items()}


def _indicators(known: np.ndarray, levels: int) -> Callable[[np.ndarray], np.ndarray]:
    values, counts = np.unique(known, return_counts=True)
    top = values[np.argsort(-counts, kind="stable")[:levels]]
    return lambda column: (column[:, None] == top).astype(float)


def _place(known: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    low, high = np.quantile(known, [0.01, 0.99]) if len(known) else (0.0, 0.0)
    cut = np.clip(known, low, high) if len(known) else np.zeros(1)
    centre, scale = cut.mean(), cut.std()
    if not 0 < scale < np.inf:
        return lambda column: np.zeros((len(column), 1))
    return lambda column: np.nan_to_num((np.clip(column, low, high) - centre) / scale)[:, None]


def output(exam: Exam, coded: dict[str, np.ndarray], who: str) -> np.ndarray:
    """Return what the linear model learnt from the rows of `who` puts out for the test rows."""
    x, y, test = coded[who], exam.y[who], coded["test"]
    if not exam.task.classes:
        from sklearn.linear_model import Ridge

        return Ridge(alpha=1.0).fit(x, y).predict(test)
    rows = int(max(1_000, _WORK / (x.shape[1] * max(1, len(np.unique(y)) - 1))))
    x, y = x[:rows], y[:rows]  # they stand in random order
    chances, seen = np.zeros((len(test), len(exam.task.classes))), np.unique(y).astype(np.int64)
    chances[:, seen] = _logistic(x, y, test, len(seen))
    return chances


def _logistic(x: np.ndarray, y: np.ndarray, test: np.ndarray, classes: int) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    if classes == 1:
        return 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a hundred rounds are as good, and bound the cost
        return LogisticRegression(max_iter=_ROUNDS, tol=1e-3).fit(x, y).predict_proba(test)


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the share of the skill that survives."""
    return judged(measure, "a linear model", GOOD, FAIR)
