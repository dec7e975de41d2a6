"""Whether a model learns more from real and synthetic rows together than from real rows alone: gain in skill.

Gradient boosting learns the target from real training rows alone, and from the same rows with as many synthetic ones
added; both models are tested on the holdout. Then the same with a tenth of the real rows and all the synthetic ones:
what someone gains who has few rows of their own. The gain is the change of the skill (AUC above one half, or R²) as a
share of the skill of real rows alone; its interval is paired, by the influences of test rows, for the models as they
were learnt. The best that rows made from the same real rows can be hoped to do for all of these is not to hurt: they
hold nothing that was not in them (a gain is possible only where the generator knows better than the model how such data
goes), so the measure is 0 at best. A gain is claimed only where its interval lies above 0.
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
    cases = [_case(exam, "all", rows, rows)]
    if SMALL * rows >= _LEAST:
        cases.append(_case(exam, "a tenth of them", round(SMALL * rows), rows))
    answered = [c for c in cases if c["gain"] is not None]
    if not answered or cases[0]["gain"] is None:
        raise NotAnswered(f"real rows do not predict the target {exam.task.target!r} ({exam.task.score_name} "
                          f"{cases[0]['alone']:.3f}; guessing gives {exam.task.guessing})")
    first = answered[0]
    return Measure(first["gain"], tuple(first["interval"]), {
        "target": exam.task.target, "score_name": exam.task.score_name, "cases": answered, "items": [
            {"name": f"{c['real_rows']:,} real rows", "value": c["both"], "reference": c["alone"],
             "interval": c["range"], "note": f"{c['synthetic_rows']:,} synthetic rows added: {c['gain']:+.1%} of the "
             "skill"} for c in answered],
        "items_say": {"value": f"{exam.task.score_name} of a model learnt from real and synthetic rows together",
                      "reference": "of one learnt from the real rows alone"}})


def _case(exam: Exam, which: str, real: int, fake: int) -> dict[str, Any]:
    x, y = exam.x["train"][:real], exam.y["train"][:real]
    alone = exam.score("train") if real == exam.rows else _score(exam, x, y)
    both = _score(exam, np.vstack([x, exam.x["fake"][:fake]]), np.concatenate([y, exam.y["fake"][:fake]]))
    gain, interval = _gain(both, alone, exam.task.guessing)
    return {"which": which, "real_rows": real, "synthetic_rows": fake, "alone": round(alone.value, 6),
            "both": round(both.value, 6), "range": [round(x, 6) for x in both.interval(-np.inf)], "gain": gain,
            "interval": interval}


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
    cases = d["cases"]
    hurts = any(c["interval"][1] < HURT for c in cases)
    slight = all(c["gain"] >= SLIGHT or c["interval"][1] >= 0 for c in cases)
    verdict: Verdict = "poor" if hurts else "good" if slight else "fair"
    said = [f"{'to' if i else 'Adding synthetic rows to'} {c['real_rows']:,} {'of the ' if i else ''}real rows takes "
            f"{d['score_name']} from {c['alone']:.3f} to {c['both']:.3f} ({_words(c)})" for i, c in enumerate(cases)]
    p = together([p_beyond(c["gain"], c["interval"], HURT, worse=-1) for c in cases])
    return Judged(verdict, f"When models predict {d['target']!r}: {'; '.join(said)}.".replace(": A", ": a"), p)


def _words(case: dict[str, Any]) -> str:
    low, high = case["interval"]
    if low > 0:
        return f"it helps: {case['gain']:.1%} more skill, at least {low:.1%}"
    if high < 0:
        return f"it hurts: {-case['gain']:.1%} of the skill is lost"
    return "it does not help: the difference may be chance"
