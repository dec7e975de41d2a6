"""Whether models learnt from synthetic rows treat groups less evenly than models learnt from real ones: change of gaps.

The boosted models of the utility question, one learnt from synthetic and one from as many real rows, decide about the
same holdout rows: each says yes to the rows it scores highest, to as large a share as has the class among real training
rows (the rarer class of two; of more, each of the five most frequent). Gaps between a group and all others: the rate of
yes (demographic parity, Dwork et al. 2012), among rows that have the class (equal opportunity) and among rows that have
not (with it, equalised odds; Hardt, Price and Srebro 2016). For a number, the mean guess and the mean size of the
error, in standard deviations of the target. Groups are those of the sensitive columns (levels, or about four bands of a
number with round edges), each with at least 30 holdout rows, and 20 that have the class or have not. A gap is amplified
where the synthetic rows' model has it wider (or has one that the other has not), reversed where its sign turns and it
is not small the other way (0.2 standard deviations), masked where it is smaller. The interval of a change is paired,
over the holdout rows and over what else the models could have learnt: how much their gaps differ between two models
learnt from halves of the same rows. The measure is the change of the gap that changed most surely; false discovery rate
5 % over all gaps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from verisyn.findings import Judged, Measure
from verisyn.metrics import Sides, enough
from verisyn.metrics._groups import LEAST, Grouped, groups_beside_target
from verisyn.metrics._stats import Z
from verisyn.metrics._tasks import Exam, exam_of, skill_of_real, skills
from verisyn.metrics.fairness._gaps import GOOD, POOR, Gap, apart, judged, measured, moments

title = "Do models learnt from synthetic data treat groups as evenly?"
needs = ("features",)
best, worst = 0.0, 1.0
stand_in = None
floor = False
place = 2
references = ("https://arxiv.org/abs/1104.3913", "https://arxiv.org/abs/1610.02413")
rule = (f"poor: some gap is amplified or reversed by more than {POOR} standard deviations of the decision (10 points, "
        "where a model says yes to every second row), even at the low end of the interval; good: the most surely "
        f"changed gap moved by {GOOD} of them or less, or by no more than chance; fair: otherwise, a masked gap too")
CLASSES, FEW = 5, 20
_SCALE = 0.2
"""A decision's standard deviation is taken to be at least this (that of a share of 4 %)."""


@dataclass(frozen=True)
class Ruling:
    """What two models decide of the test rows that a criterion speaks of, and what models of half the rows decide.

    Parameters
    ----------
    name : str
    rows : bool array
        Which test rows the criterion speaks of.
    fake, real : float arrays
        Decisions of the models learnt from synthetic and from real rows, for all test rows.
    halves : float array of shape (2, 2, rows)
        Decisions of models learnt from each half of the synthetic rows, and of the real ones.
    share : bool
        Whether decisions are yes or no.
    """

    name: str
    rows: np.ndarray
    fake: np.ndarray
    real: np.ndarray
    halves: np.ndarray
    share: bool


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Let both models decide, and compare every group with all others."""
    enough({"synthetic": sides.fake.rows}, 50)
    columns = groups_beside_target(sides)
    exam = exam_of(sides)
    skill_of_real(skills(exam.task, exam.score("fake"), exam.score("train")))
    grouped = [Grouped(g.groups, code := g.real[sides.train.rows:][exam.tested], code) for g in columns]
    gaps = [gap for ruling in rulings(exam) for gap in _gaps(grouped, ruling)]
    return measured(gaps, columns, {"target": exam.task.target, "test_rows": len(exam.y["test"]), "items_say": {
        "value": "gap of the model learnt from synthetic rows", "reference": "gap of the model learnt from real rows"}})


def rulings(exam: Exam) -> Iterator[Ruling]:
    """Yield what the models decide, criterion by criterion."""
    truth, task = exam.y["test"], exam.task
    outputs = [exam.tested_on("fake"), exam.tested_on("train"),
               *(exam.output(model, exam.x["test"]) for who in ("fake", "train") for model in exam.halves(who))]
    everyone = np.ones(len(truth), bool)
    if not task.classes:
        for name, of in (("mean guess", outputs), ("mean size of the error", [np.abs(o - truth) for o in outputs])):
            fake, real, *halves = of
            yield Ruling(f"{name} of {task.target!r}", everyone, fake, real, np.array(halves).reshape(2, 2, -1), False)
        return
    for c in task.asked[:CLASSES]:
        share = float((exam.y["train"] == c).mean())
        fake, real, *halves = (chosen(found[:, c], share) for found in outputs)
        for name, rows in (("share predicted to be", everyone), ("share found of rows with", truth == c),
                           ("share wrongly predicted to be", truth != c)):
            yield Ruling(f"{name} {task.classes[c]}", rows, fake, real, np.array(halves).reshape(2, 2, -1), True)


def chosen(score: np.ndarray, share: float) -> np.ndarray:
    """Return 1 for the highest-scored share of rows, 0 for the others; rows that tie at the border share what is left.

    Examples
    --------
    >>> chosen(np.array([0.9, 0.5, 0.5, 0.1]), 0.5).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    want = share * len(score)
    border = np.sort(score)[::-1][int(np.clip(np.ceil(want) - 1, 0, len(score) - 1))]
    above, tied = score > border, score == border
    return above + tied * ((want - above.sum()) / tied.sum())


def _gaps(grouped: list[Grouped], ruling: Ruling) -> list[Gap]:
    """The gaps of all groups by one criterion; their errors are those of pairs of rows, and of the learning."""
    fake, real = ruling.fake[ruling.rows], ruling.real[ruling.rows]
    scale, least = max(float(real.std()), _SCALE), LEAST if ruling.rows.all() else FEW
    asked = []
    for g in grouped:
        code, count = g.real[ruling.rows], len(g.groups.names)
        tables = [moments(code, y, count) for y in (real, fake, fake - real)]
        rows = tables[0][0]
        asked += [(i, name, code == i, tables) for i, name in g.asked
                  if rows[i] >= least and rows.sum() - rows[i] >= FEW]
    learnt = _learnt([inside for _, _, inside, _ in asked], ruling.halves[:, :, ruling.rows])
    found = []
    for (i, name, inside, tables), error in zip(asked, learnt, strict=True):
        (r, r_in), (f, f_in), (change, (low, high)) = (apart(t, i) for t in tables)
        half = float(np.hypot(max((high - low) / 2, 0.5 / inside.sum()), Z * error))
        found.append(Gap(name, ruling.name, scale, ruling.share, r, f, r_in, f_in, change,
                         (change - half, change + half)))
    return found


def _learnt(groups: list[np.ndarray], halves: np.ndarray) -> np.ndarray:
    """The standard error of each group's change that comes of what was learnt, at least what it is over all groups.

    Two models of half the rows differ with twice the variance of one of them; a whole model's is taken to be as large,
    since what is learnt steadies more slowly than rows grow, and two models are few to tell a variance by.
    """
    gaps = np.array([halves[:, :, inside].mean(axis=2) - halves[:, :, ~inside].mean(axis=2) for inside in groups])
    if not len(groups):
        return np.empty(0)
    variance = ((gaps[:, :, 0] - gaps[:, :, 1]) ** 2 / 2).sum(axis=1)
    return np.sqrt(np.maximum(variance, variance.mean()))


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge by the gaps that grew or turned round."""
    return judged(measure, "decisions of models",
                  ("with a model learnt from real data", "with one learnt from synthetic data"))
