"""Whether the target follows from other columns in every group as in real data: fall of a real model's AUC; 0 is best.

The boosted model of the utility question that was learnt from real rows predicts the target of synthetic rows and of
holdout rows, and its AUC is taken within each group: the mean over the classes asked, each against the rest (at least
ten rows of either), or for a number how well rows above the training rows' median are told from those below. Where the
labels of a group are spoilt, swapped say, the model that fits real people of this group no longer fits synthetic ones,
and the AUC falls. Groups are those of the sensitive columns (levels, or about four bands of a number with round edges)
that at least 30 holdout and 30 synthetic rows are in. The interval of a fall is that of a difference of two independent
AUCs (DeLong, DeLong and Clarke-Pearson 1988). The measure is the fall of the group that fell most surely, 0 where none
did; false discovery rate 5 % over groups.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.metrics import Sides, enough
from verisyn.metrics._groups import LEAST, groups_beside_target
from verisyn.metrics._stats import Influence, Z, adjusted, auc, p_beyond, together
from verisyn.metrics._tasks import Exam, exam_of

title = "Is the target as true of every group as in real data?"
needs = ("features",)
best, worst = 0.0, 1.0
stand_in = None
floor = False
place = 3
references = ("https://doi.org/10.2307/2531595",)
GOOD, POOR = 0.05, 0.10
"""A tenth of an AUC is what separates a useful model from a fair one; labels swapped in a group cost three tenths."""
rule = (f"poor: the AUC of some group falls by more than {POOR}, even at the low end of its interval; good: by {GOOD} "
        "or less, or by no more than chance; fair: otherwise")
_FEW, _SURE, _SHOWN = 10, 0.05, 15


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Let the model learnt from real rows predict both sides, group by group."""
    enough({"synthetic": sides.fake.rows}, 50)
    columns = groups_beside_target(sides)
    exam = exam_of(sides)
    made = exam.output(exam.boosted("train"), exam.x["fake"])
    falls = []
    for g in columns:
        fake, real = g.fake[exam.faked], g.real[sides.train.rows:][exam.tested]
        for i, name in g.asked:
            told = _score(exam, made[fake == i], exam.y["fake"][fake == i])
            own = _score(exam, exam.tested_on("train")[real == i], exam.y["test"][real == i])
            falls += [_fall(name, told, own)] if told and own else []
    if not falls:
        raise NotAnswered(f"no group has {LEAST} synthetic and {LEAST} holdout rows that tell of the target "
                          f"{exam.task.target!r}")
    falls.sort(key=lambda f: (-f["interval"][0], -f["value"]))
    first = falls[0]
    low, high = first["interval"]
    value = max(0.0, first["value"])
    return Measure(value, (min(value, max(0.0, low)), max(value, high)), {
        "target": exam.task.target, "groups": len(falls), "_p": [f["p"] for f in falls],
        "_chance": [p_beyond(f["value"], f["interval"], 0.0) for f in falls], "items": [
            {"name": f["name"], "value": round(f["fake"], 6), "reference": round(f["real"], 6), "note": f["note"],
             "interval": [round(x, 6) for x in f["within"]]} for f in falls[:_SHOWN]],
        "items_say": {"value": "AUC of the real model on synthetic rows", "reference": "its AUC on real rows"}})


def _score(exam: Exam, output: np.ndarray, truth: np.ndarray) -> Influence | None:
    """The AUC within a group; None where too few rows are of a class, or of all others."""
    if len(truth) < LEAST:
        return None
    if not exam.task.classes:
        asked = [(truth > np.median(exam.y["train"]), output)]
    else:
        asked = [(truth == c, output[:, c]) for c in exam.task.asked]
    each = [auc(yes, score) for yes, score in asked if _FEW <= yes.sum() <= len(yes) - _FEW]
    return Influence(float(np.mean([e.value for e in each])), np.mean([e.rows for e in each], axis=0)) if each else None


def _fall(name: str, fake: Influence, real: Influence) -> dict[str, Any]:
    fall = real.value - fake.value
    half = Z * float(np.hypot(*(s.rows.std() / np.sqrt(len(s.rows)) for s in (fake, real))))
    interval = (fall - half, fall + half)
    return {"name": name, "value": fall, "interval": interval, "fake": fake.value, "real": real.value,
            "within": fake.interval(), "p": p_beyond(fall, interval, POOR),
            "note": f"{len(fake.rows):,} synthetic and {len(real.rows):,} real rows"}


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the fall of the group that fell most surely."""
    d, first = measure.details, measure.details["items"][0]
    fell = adjusted(np.array(d["_chance"])) <= _SURE
    p = together(d["_p"])
    verdict: Verdict = "poor" if p <= _SURE else "good" if measure.value <= GOOD or not fell[0] else "fair"
    told = f"{first['name']} (AUC {first['value']:.2f} of synthetic rows, {first['reference']:.2f} of real ones)"
    if verdict == "good":
        said = (f"A model learnt from real rows predicts {d['target']!r} as well for synthetic rows as for real ones, "
                f"in each of {d['groups']} groups; the clearest difference: {told}")
    else:
        more = f", and {fell.sum() - 1} more groups" if fell.sum() > 1 else ""
        said = (f"A model learnt from real rows fails on synthetic rows of some groups, where {d['target']!r} no "
                f"longer follows from the other columns: {told}{more}")
    return Judged(verdict, said + ".", p)
