"""Whether a model learns more from real and synthetic rows together than from real rows alone: gain in skill.

Gradient boosting learns the target from real training rows alone, and from the same rows with as many synthetic ones
added; both models are tested on the holdout. Then the same with a tenth of the real rows and all the synthetic ones:
what someone gains who has few rows of their own. The gain is the change of the skill (AUC above one half, or R²) as a
share of the skill of real rows alone; its interval is paired, by the influences of test rows, for the models as they
were learnt. Rows made from the same real rows hold nothing that was not in them, so what can be asked of them is not to
hurt: that is 0, the best that is judged. The measure can lie above 0, by chance or where the generator knows better
than the model how such data goes; a gain is claimed only where its interval lies above 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.metrics import Sides
from verisyn.metrics._stats import Influence, Z, p_beyond, together
from verisyn.metrics._tasks import Exam, exam_of

title = "Does adding synthetic rows to real ones make models better?"
needs = ("features",)
best, worst = 0.0, -1.0
stand_in = None
floor = False
place = 3
references = ("https://arxiv.org/abs/2601.16120",)
HURT, SLIGHT = -0.10, -0.03
"""A tenth of the skill lost is what a user would feel; a thirtieth is less than what another sample changes."""
SMALL = 0.1
"""The share of the real rows that someone with few rows of their own is taken to have."""
rule = (f"good: adding synthetic rows costs no more than {-SLIGHT:.0%} of the skill, with all real rows and with a "
        f"tenth of them, or nothing beyond chance; poor: it costs more than {-HURT:.0%} of it, even at the high end of "
        "the interval, in either case; fair: otherwise")
_LEAST = 50


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Learn from real rows, and from real and synthetic rows; test both on the holdout."""
    exam = exam_of(sides)
    rows = min(exam.rows, max(_LEAST, sides.effort.learnt // 2))
    cases = [_case(exam, rows, rows)]
    if SMALL * rows >= _LEAST:
        cases.append(_case(exam, round(SMALL * rows), rows))
    answered = [c for c in cases if c["gain"] is not None]
    if not answered or cases[0]["gain"] is None:
        raise NotAnswered(f"real rows do not predict the target {exam.task.target!r} ({exam.task.score_name} "
                          f"{cases[0]['score_alone']:.3f}; guessing gives {exam.task.guessing})")
    first = answered[0]
    return Measure(first["gain"], tuple(first["gain_interval"]), {
        "target": exam.task.target, "score_name": exam.task.score_name, "gains": answered, "items": [
            {"name": f"{c['real_rows']:,} real rows", "value": c["score_together"], "reference": c["score_alone"],
             "interval": c["score_together_interval"], "note": f"{c['synthetic_rows']:,} synthetic rows added: "
             f"{c['gain']:+.1%} of the skill"} for c in answered],
        "items_say": {"value": f"{exam.task.score_name} of a model learnt from real and synthetic rows together",
                      "reference": "of one learnt from the real rows alone"}})


def _case(exam: Exam, real: int, fake: int) -> dict[str, Any]:
    x, y = exam.x["train"][:real], exam.y["train"][:real]
    alone = exam.score("train") if real == exam.rows else _score(exam, x, y)
    both = _score(exam, np.vstack([x, exam.x["fake"][:fake]]), np.concatenate([y, exam.y["fake"][:fake]]))
    gain, interval = _gain(both, alone, exam.task.guessing)
    return {"real_rows": real, "synthetic_rows": fake, "score_alone": round(alone.value, 6),
            "score_together": round(both.value, 6), "gain": gain, "gain_interval": interval,
            "score_together_interval": [round(x, 6) for x in both.interval(-np.inf)]}


def _score(exam: Exam, x: np.ndarray, y: np.ndarray) -> Influence:
    return exam.task.score(exam.y["test"], exam.output(exam.learn(x, y), exam.x["test"]))


def _gain(both: Influence, alone: Influence, guessing: float) -> tuple[float | None, list[float] | None]:
    skill = alone.value - guessing
    if alone.interval(-np.inf)[0] <= guessing:
        return None, None
    ratio, rows = (both.value - guessing) / skill, len(both.rows)
    half = Z * max(float((both.rows - ratio * alone.rows).std()) / rows**0.5, 0.5 / rows) / skill
    return round(ratio - 1, 6), [round(ratio - 1 - half, 6), round(ratio - 1 + half, 6)]


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge what adding rows costs; a gain is told, but not asked for."""
    d = measure.details
    cases = d["gains"]
    hurts = any(c["gain_interval"][1] < HURT for c in cases)
    slight = all(c["gain"] >= SLIGHT or c["gain_interval"][1] >= 0 for c in cases)
    verdict: Verdict = "poor" if hurts else "good" if slight else "fair"
    told = [f"to {c['real_rows']:,} real ones takes {d['score_name']} from {c['score_alone']:.3f} to "
            f"{c['score_together']:.3f} ({_words(c)})" for c in cases]
    p = together([p_beyond(c["gain"], c["gain_interval"], HURT, worse=-1) for c in cases])
    return Judged(verdict, f"To predict {d['target']!r}, adding synthetic rows {', and '.join(told)}.", p)


def _words(case: dict[str, Any]) -> str:
    low, high = case["gain_interval"]
    if low > 0:
        return f"it helps: {case['gain']:.1%} more skill, at least {low:.1%}"
    if high < 0:
        return f"it hurts: {-case['gain']:.1%} of the skill is lost"
    return "it does not help: the difference may be chance"
