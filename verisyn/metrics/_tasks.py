"""A target to predict: what is learnt from which rows, how it is scored on the holdout; models, each learnt once."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.kinds import Feature
from verisyn.metrics import Side, Sides, enough
from verisyn.metrics._models import affordable, classifier, matrices, predicted, regressor
from verisyn.metrics._stats import Influence, Z, auc, p_beyond, r_squared

CLASSES = 20
"""So many classes of a target are learnt apart, the most frequent ones; the others share one."""
FEWEST = 10
"""A class is learnt apart where so many rows of the training and of the holdout data hold it."""
_TREES, _ROUNDS = 120, 60


@dataclass(frozen=True)
class Task:
    """How the target is learnt and scored.

    Parameters
    ----------
    target : str
    score_name : str
        ``"AUC"`` or ``"R²"``.
    guessing : float
        The score of a guess.
    classes : tuple of str
        What each class is called, the most frequent in training first; empty for a number.
    asked : tuple of int
        The classes that are scored, each against the rest: of two classes the rarer one.
    pooled : int
        Rare classes that share the last one.
    """

    target: str
    score_name: str = "R²"
    guessing: float = 0.0
    classes: tuple[str, ...] = ()
    asked: tuple[int, ...] = ()
    pooled: int = 0

    @property
    def name(self) -> str:
        """Classification or regression."""
        return "classification" if self.classes else "regression"

    def score(self, truth: np.ndarray, output: np.ndarray) -> Influence:
        """Score what a model puts out: the mean AUC over the classes asked, or R²."""
        if not self.classes:
            return r_squared(truth, output)
        each = [auc(truth == c, output[:, c]) for c in self.asked]
        return Influence(float(np.mean([e.value for e in each])), np.mean([e.rows for e in each], axis=0))


@dataclass(frozen=True)
class Exam:
    """The rows that models learn from, those they are tested on, and what they put out.

    Parameters
    ----------
    task : Task
    names : list of str
        The columns that models see, one for each column of `x`.
    categories : list of bool
        Which of them hold codes of categories.
    x, y : dicts of arrays
        For ``"fake"`` and ``"train"``, equally many rows each, in random order, and for ``"test"`` all holdout rows
        with a known target. Classes are codes, numbers are standardised by the training rows.
    tested, faked : int arrays
        Which holdout rows are the test rows, and which synthetic rows are those of ``"fake"``.
    """

    task: Task
    names: list[str]
    categories: list[bool]
    x: dict[str, np.ndarray]
    y: dict[str, np.ndarray]
    tested: np.ndarray
    faked: np.ndarray
    _memo: dict[Hashable, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows that each of the two models learns from."""
        return len(self.y["train"])

    def learn(self, x: np.ndarray, y: np.ndarray) -> Any:
        """Learn the target by gradient boosting; the answer is for `output`."""
        if not self.task.classes:
            return regressor(x, y, self.categories)
        seen = np.unique(y)
        return seen, classifier(x, y, self.categories) if len(seen) > 1 else None

    def output(self, model: Any, x: np.ndarray) -> np.ndarray:
        """Return guesses, or chances of shape (rows, classes); a class that was never learnt from has chance 0."""
        if not self.task.classes:
            return predicted(model, x)
        seen, fitted = model
        chances = np.zeros((len(x), len(self.task.classes)))
        chances[:, seen.astype(np.int64)] = 1.0 if fitted is None else predicted(fitted, x)
        return chances

    def boosted(self, who: str) -> Any:
        """Return the boosted model learnt from the rows of ``"fake"`` or ``"train"``, learnt once."""
        return self.once(("model", who), lambda: self.learn(self.x[who], self.y[who]))

    def tested_on(self, who: str) -> np.ndarray:
        """Return what that model puts out for the test rows."""
        return self.once(("output", who), lambda: self.output(self.boosted(who), self.x["test"]))

    def halves(self, who: str) -> list[Any]:
        """Return two models, each learnt from one half of those rows, learnt once; the rows stand in random order."""
        def made() -> list[Any]:
            x, y, cut = self.x[who], self.y[who], len(self.y[who]) // 2
            return [self.learn(x[part], y[part]) for part in (slice(cut), slice(cut, None))]

        return self.once(("halves", who), made)

    def score(self, who: str) -> Influence:
        """Return that model's score on the test rows."""
        return self.task.score(self.y["test"], self.tested_on(who))

    def once(self, key: Hashable, make: Any) -> Any:
        """Return what `make` makes, made once under this key."""
        if key not in self._memo:
            self._memo[key] = make()
        return self._memo[key]


def exam_of(sides: Sides) -> Exam:
    """Return the exam of these sides, set once for all metrics that ask for it.

    Raises
    ------
    NotAnswered
        If no column is the target, or too few rows hold it.
    """
    return sides.shared("exam", lambda: _set(sides, sides.rng("exam")))


def _set(sides: Sides, rng: np.random.Generator) -> Exam:
    target = _target(sides)
    sides = sides.narrowed(rng)
    at = [f.name for f in sides.train.features].index(target)
    known = [np.flatnonzero(~np.isnan(side.features[at].values)) for side in (sides.fake, sides.train, sides.holdout)]
    fake, train, test = (side.take(k) for side, k in zip((sides.fake, sides.train, sides.holdout), known, strict=True))
    enough({"training": train.rows, "holdout": test.rows, "synthetic": fake.rows}, 50)
    two = np.unique(train.features[at].values)
    fake, train, test = (_of_two(side, at, two) for side in (fake, train, test))
    task, code = task_of(train.features[at], test.features[at])
    rows = min(fake.rows, train.rows, sides.effort.learnt, affordable(len(sides.train.features) * _weight(task)))
    drawn = [rng.permutation(side.rows)[:rows] for side in (fake, train)]
    fake, train = (side.take(which) for side, which in zip((fake, train), drawn, strict=True))
    (x, x_real, x_test), categories = matrices([fake, train, test], omit=target)
    y = {who: code(side.features[at].values) for who, side in (("fake", fake), ("train", train), ("test", test))}
    names = [f.name for f in sides.train.features if f.name != target]
    return Exam(task, names, categories, {"fake": x, "train": x_real, "test": x_test}, y, known[2], known[0][drawn[0]])


def _weight(task: Task) -> int:
    """How many times as dear a row is to learn from as one of two classes: many classes take more trees."""
    classes = len(task.classes)
    trees = classes * max(10, min(_ROUNDS, 3 * _ROUNDS // classes)) if classes > 2 else 0
    return max(1, round(trees / _TREES))


def _target(sides: Sides) -> str:
    names = [f.name for f in sides.train.features]
    if sides.target is None:
        raise NotAnswered("no column is named as the target")
    if sides.target not in names:
        raise NotAnswered(f"the target {sides.target!r} is not a column whose values are modelled")
    if len(names) < 2:
        raise NotAnswered("there is no column beside the target to learn from")
    return sides.target


def _of_two(side: Side, at: int, values: np.ndarray) -> Side:
    """Return the side with the target as classes, where it is a number of just two `values` (1 and 2, say)."""
    target = side.features[at]
    if target.levels or len(values) != 2:
        return side
    codes = np.select([target.values == v for v in values], [0.0, 1.0], 2.0)
    two = replace(target, values=codes, levels=3, labels=tuple(f"{v:.6g}" for v in values))
    return replace(side, features=[two if i == at else f for i, f in enumerate(side.features)])


def task_of(train: Feature, test: Feature) -> tuple[Task, Any]:
    """Return the task, and what turns values of the target into what is learnt."""
    if not train.levels:
        return Task(train.name), _standardiser(train, test)
    counts, others = (np.bincount(f.values.astype(np.int64), minlength=f.levels) for f in (train, test))
    order = np.argsort(-counts, kind="stable")
    held = order[(counts[order] >= FEWEST) & (others[order] >= FEWEST)]
    if len(held) < 2:
        raise NotAnswered(f"fewer than two classes of the target {train.name!r} are held by {FEWEST} rows of both the "
                          "training and the holdout data")
    kept = held[:CLASSES]
    rest = np.setdiff1d(order, kept)
    code = np.full(train.levels, float(len(kept)))
    code[kept] = np.arange(len(kept))
    named = [f"{train.name!r} = {train.labels[c]!r}" if c < len(train.labels) else f"a rare value of {train.name!r}"
             for c in kept]
    many = counts[rest].sum() >= FEWEST and others[rest].sum() >= FEWEST
    asked = [*range(len(kept)), *([len(kept)] if many else [])]
    asked = asked[1:] if len(asked) == 2 else asked  # two classes are one question
    task = Task(train.name, "AUC", 0.5, (*named, f"another value of {train.name!r}"), tuple(asked),
                int((counts[rest] > 0).sum()))
    return task, lambda values: code[values.astype(np.int64)]


def _standardiser(train: Feature, test: Feature) -> Any:
    if np.ptp(train.values) == 0 or np.ptp(test.values) == 0:
        raise NotAnswered(f"the target {train.name!r} has one value only")
    size = float(np.abs(train.values).max())
    centre, scale = float((train.values / size).mean()), float((train.values / size).std())
    return lambda values: (values / size - centre) / scale


def survived(made: Influence, real: Influence, guessing: float) -> dict[str, float | list[float] | None]:
    """Return the share of the real skill that survives, with its interval; None where real rows give no skill.

    The keys are ``skill_kept`` and ``skill_kept_interval``; both models are tested on the same rows, so the interval is
    paired.
    """
    skill = real.value - guessing
    if real.interval(-np.inf)[0] <= guessing:
        return {"skill_kept": None, "skill_kept_interval": None}
    kept = (made.value - guessing) / skill
    error = Z * float((made.rows - kept * real.rows).std() / np.sqrt(len(made.rows))) / skill
    return {"skill_kept": round(kept, 6), "skill_kept_interval": [round(kept - error, 6), round(kept + error, 6)]}


def answer(exam: Exam, made: Influence, real: Influence) -> Measure:
    """Return the measure of a model learnt from synthetic rows beside one learnt from real ones."""
    task = exam.task
    return Measure(made.value, made.interval(least=0.0 if task.classes else -np.inf), {
        **skills(task, made, real), "tstr": round(made.value, 6), "task": task.name, "rows_learnt_from": exam.rows,
        "ceiling": round(real.value, 6), **({"classes_pooled": task.pooled} if task.pooled else {})})


def skills(task: Task, made: Influence, real: Influence) -> dict[str, Any]:
    """Return what `skill_of_real` asks for, and how much of the skill survives."""
    return {"target": task.target, "score_name": task.score_name, "score_of_guessing": task.guessing,
            "trtr": round(real.value, 6), **survived(made, real, task.guessing)}


def skill_of_real(details: dict[str, Any]) -> None:
    """Check that real rows give a skill that can be kept or lost.

    Raises
    ------
    NotAnswered
        If they do not.
    """
    if details["skill_kept"] is None:
        scores = f"{details['score_name']} {details['trtr']:.3f}; guessing gives {details['score_of_guessing']}"
        raise NotAnswered(f"real rows do not predict the target {details['target']!r} either ({scores})")


def judged(measure: Measure, model: str, good: float, fair: float) -> Judged:
    """Judge the share of the skill that survives in a model that is called `model`."""
    d = measure.details
    skill_of_real(d)
    kept, interval = d["skill_kept"], d["skill_kept_interval"]
    verdict: Verdict = "good" if kept >= good else "poor" if interval[1] < fair else "fair"
    said = (f"Predicting {d['target']!r} on unseen real rows, {model} learnt from synthetic data reaches "
            f"{d['score_name']} {d['tstr']:.3f}, one learnt from as many real rows {d['trtr']:.3f}: "
            f"{max(0.0, kept):.0%} of the skill survives.")
    return Judged(verdict, said, p_beyond(kept, interval, fair, worse=-1))
