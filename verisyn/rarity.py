"""rare(): do synthetic rare events help a model, beside class weights, oversampling and SMOTE, on real unseen rows?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from verisyn.data import read
from verisyn.description import resolve_schema
from verisyn.errors import UserError, did_you_mean, whole_number
from verisyn.findings import Assessment, Finding, Verdict
from verisyn.metrics import Side
from verisyn.metrics._models import affordable, classifier, matrices, predicted
from verisyn.metrics._stats import corrected_t
from verisyn.modalities.table._views import TableCoder
from verisyn.model import Model, fit_table
from verisyn.progress import Progress
from verisyn.schema import Schema, Table

ALONE, WEIGHTED, REPEATED, SMOTE, EVENTS, BALANCED = (
    "real rows as they are", "class weights", "events repeated", "SMOTE", "synthetic events added",
    "synthetic rows alone, balanced")
_FEWEST, _ENOUGH, _HELD, _MOST_ROWS = 20, 500, 0.3, 20_000
_MEASURES = ("average_precision", "auc", "recall_at_1_percent")


@dataclass(frozen=True)
class Case:
    """One split of the real rows: what is learnt from, what is tested on.

    Parameters
    ----------
    train, test : DataFrame
    table : Table
    target : str
    event : object
        The level that is rare.
    share : float
        Of events that each way aims at.
    seed : int
    """

    train: pl.DataFrame
    test: pl.DataFrame
    table: Table
    target: str
    event: Any
    share: float
    seed: int

    @property
    def lacking(self) -> int:
        """Events to add to the training rows, so that they have the share."""
        events = int(self.is_event(self.train).sum())
        return max(0, round((self.share * self.train.height - events) / (1 - self.share)))

    def is_event(self, frame: pl.DataFrame) -> np.ndarray:
        """Return which rows are events."""
        return (frame[self.target] == self.event).fill_null(False).to_numpy()


Way = Callable[[Case, Model], tuple[pl.DataFrame, np.ndarray | None]]
"""Returns the rows that a model learns from, and their weights."""


def rare(data: Any, target: str, *, event: Any = None, share: float = 0.5, repeats: int = 5, seed: int = 0,
         schema: Schema | str | Path | None = None, jobs: int | None = None,
         progress: Progress | None = None) -> Assessment:
    """Ask whether synthetic rare events help a model on real rows that neither it nor the generator has seen.

    The real rows are split again and again; from each training part a generator is fitted, and models learn from the
    real rows as they are, with class weights, with repeated events, with SMOTE, with synthetic events added, and from
    synthetic rows alone. All are tested on the same held-out real rows.

    Parameters
    ----------
    data : Dataset, dataframe, path or URL
        What :func:`verisyn.read` takes.
    target : str
        A column of few levels.
    event : object, optional
        The level that is rare; the rarest one by default.
    share : float, default 0.5
        The share of events that weights, repeats, SMOTE and synthetic events aim at.
    repeats : int, default 5
        How many splits.
    seed : int, default 0
        The same data, options, seed and version give the same findings.
    schema : Schema or path, optional
        Without it the data is described first.
    jobs : int, optional
        Threads; the result does not depend on it.
    progress : Progress, optional
        Shows and records the stages.

    Returns
    -------
    Assessment
        Findings ``rare.average_precision``, ``rare.auc`` and ``rare.recall_at_1_percent``: each way beside the real
        rows as they are, with paired intervals over splits (Nadeau and Bengio 2003).

    Raises
    ------
    UserError
        If the target is unknown, has no such level, or has fewer than 20 events.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=2000)
    >>> frame = pl.DataFrame({"x": x, "fault": np.where(x + rng.normal(size=2000) > 2.5, "yes", "no")})
    >>> found = rare(frame, "fault", repeats=2)
    >>> found["rare.auc"].value > 0.8
    True
    """
    whole_number("seed", seed, 0)
    whole_number("repeats", repeats, 2)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
        raise UserError(f"The share of events is {share!r}; a number between 0 and 1 was expected, such as 0.5.")
    dataset, progress = read(data, seed=seed), progress or Progress()
    table = resolve_schema(schema, dataset, target=target, progress=progress).table
    frame = dataset.frame.select(table.names).drop_nulls(target)
    event = _event(frame, table, target, event)
    frame, thinned = _thinned(frame, target, event, seed)
    scores: dict[str, list[list[float]]] = {name: [] for name in WAYS}
    with progress.stage("compare", total=repeats * len(WAYS)) as tick:
        for repeat in range(repeats):
            case = _split(frame, table, target, event, share, seed + repeat)
            model = fit_table(case.train, Schema(tables=(table,)), seed=case.seed, audit=False, jobs=jobs)
            for name, found in _scored(case, model).items():
                scores[name].append(found)
                tick(1)
    events = int((frame[target] == event).sum())
    about = {"source": dataset.name, "target": target, "event": str(event), "events": events, "rows": frame.height,
             "repeats": repeats, "seed": seed, "notes": [*thinned, *progress.notes]}
    return Assessment(tuple(_finding(i, measure, scores, about) for i, measure in enumerate(_MEASURES)), about)


def _event(frame: pl.DataFrame, table: Table, target: str, event: Any) -> Any:
    """The level that is rare, if there are enough rows of it."""
    table.column(target)
    counts = dict(frame.group_by(target).len(name="\0rows").iter_rows())
    levels = sorted(counts, key=lambda level: (-counts[level], str(level)))
    if not 2 <= len(levels) <= 100:
        raise UserError(f"The target {target!r} has {len(levels)} levels; between 2 and 100 are needed. Name a column "
                        "that says whether the event happened.")
    if event is None:
        event = levels[-1]
    spelt = {str(level): level for level in levels}
    if event not in levels and str(event) not in spelt:
        raise UserError(f"The target {target!r} is never {event!r}. {did_you_mean(str(event), spelt)}")
    event = event if event in levels else spelt[str(event)]
    rows = counts[event]
    if rows < _FEWEST:
        raise UserError(f"{target!r} is {event!r} in {rows} rows; at least {_FEWEST} are needed to learn from some and "
                        "test on others.")
    return event


def _thinned(frame: pl.DataFrame, target: str, event: Any, seed: int) -> tuple[pl.DataFrame, list[str]]:
    """Draw as many rows as are worth their cost, in random order; few events are all kept, and that is said."""
    most, rng = affordable(frame.width, most=2 * _MOST_ROWS), np.random.default_rng([seed, 0x7413])
    frame = frame[rng.permutation(frame.height)]
    if frame.height <= most:
        return frame, []
    is_event = (frame[target] == event).to_numpy()
    if is_event.mean() * most >= _ENOUGH:
        return frame[:most], [f"A sample of {most:,} of {frame.height:,} rows was used, drawn by the seed."]
    events = frame.filter(is_event)[: most // 2]
    others = frame.filter(~is_event)[: most - events.height]
    return pl.concat([events, others]), [
        f"All {events.height:,} events and {others.height:,} of {int((~is_event).sum()):,} other rows were used: "
        "average precision is that for so many events among so many rows, and higher than where events are rarer."]


def _split(frame: pl.DataFrame, table: Table, target: str, event: Any, share: float, seed: int) -> Case:
    """Hold out three tenths of the events and of the other rows."""
    rng = np.random.default_rng([seed, 0x3A3E])
    is_event = (frame[target] == event).to_numpy()
    held = np.zeros(frame.height, bool)
    for rows in (np.flatnonzero(is_event), np.flatnonzero(~is_event)):
        held[rng.permutation(rows)[: max(1, round(_HELD * len(rows)))]] = True
    return Case(frame.filter(~held), frame.filter(held), table, target, event, share, seed)


def _scored(case: Case, model: Model) -> dict[str, list[float]]:
    """Score a boosted model for each way."""
    coder = TableCoder.learn(case.train, case.table, np.random.SeedSequence(case.seed))
    found = {}
    for name, way in WAYS.items():
        rows, weights = way(case, model)
        sides = [Side.of(f, coder, ()) for f in (rows, case.test)]
        (x, x_test), categories = matrices(sides, omit=case.target)
        fitted = classifier(x, case.is_event(rows).astype(float), categories, weights=weights)
        found[name] = _measured(case.is_event(case.test), predicted(fitted, x_test)[:, 1])
    return found


def _measured(truth: np.ndarray, chance: np.ndarray) -> list[float]:
    """Average precision, AUC, and the share of events among found at 1 % false alarms."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    border = np.quantile(chance[~truth], 0.99)
    return [float(average_precision_score(truth, chance)), float(roc_auc_score(truth, chance)),
            float((chance[truth] > border).mean())]


# -- the ways -------------------------------------------------------------------------------------------------------
def _alone(case: Case, _model: Model) -> tuple[pl.DataFrame, None]:
    return case.train, None


def _weighted(case: Case, _model: Model) -> tuple[pl.DataFrame, np.ndarray]:
    event = case.is_event(case.train)
    return case.train, np.where(event, case.share / event.mean(), (1 - case.share) / (1 - event.mean()))


def _repeated(case: Case, _model: Model) -> tuple[pl.DataFrame, None]:
    events = case.train.filter(case.is_event(case.train))
    again = np.random.default_rng(case.seed).integers(0, events.height, case.lacking)
    return pl.concat([case.train, events[again]]), None


def _smote(case: Case, _model: Model) -> tuple[pl.DataFrame, None]:
    from verisyn.augmenting import augment

    if not case.lacking:
        return case.train, None
    made = augment(case.train, "smote", target=case.target, shares={case.event: case.share}, seed=case.seed,
                   schema=Schema(tables=(case.table,)))
    return pl.concat([case.train, made.select(case.train.columns)], how="vertical_relaxed"), None


def _events(case: Case, model: Model) -> tuple[pl.DataFrame, None]:
    if not case.lacking:
        return case.train, None
    made = model.sample_frame(case.lacking, seed=case.seed, given={case.target: case.event}, progress=Progress())
    return pl.concat([case.train, made.select(case.train.columns)], how="vertical_relaxed"), None


def _balanced(case: Case, model: Model) -> tuple[pl.DataFrame, None]:
    rows = case.train.height
    return model.sample_frame(rows, seed=case.seed, shares={case.target: {case.event: case.share}},
                              progress=Progress()), None


WAYS: dict[str, Way] = {ALONE: _alone, WEIGHTED: _weighted, REPEATED: _repeated, SMOTE: _smote, EVENTS: _events,
                        BALANCED: _balanced}
"""What a user could do about rare events."""


# -- what is said ---------------------------------------------------------------------------------------------------
_WORDS = {"average_precision": "average precision", "auc": "AUC",
          "recall_at_1_percent": "events found at 1 % false alarms"}
_TITLES = {"average_precision": "Do synthetic events help to find rare events?",
           "auc": "Do synthetic events help to rank rows by their risk?",
           "recall_at_1_percent": "Do synthetic events help to find more events at 1 % false alarms?"}
_RULE = ("good: with synthetic events added the score is higher than with real rows as they are, even at the low end "
         "of the interval; poor: it is lower, even at the high end; fair: the difference may be chance")


def gain(score: np.ndarray, alone: np.ndarray) -> tuple[float, tuple[float, float]]:
    """Return the mean gain over repeated splits and its 95 % interval.

    Splits share rows, so their spread is widened by what is tested beside what is learnt from (Nadeau and Bengio 2003).
    A score is from 0 to 1, so the interval ends where no score could be.

    Examples
    --------
    >>> found, (low, high) = gain(np.array([0.9, 0.8, 0.85]), np.array([0.8, 0.7, 0.76]))
    >>> round(found, 3), low < found < high
    (0.097, True)
    """
    mean, (low, high) = corrected_t(score - alone, _HELD / (1 - _HELD))
    least = -float(alone.mean())
    return mean, (max(low, least), min(high, least + 1))


def _finding(which: int, measure: str, scores: dict[str, list[list[float]]], about: dict[str, Any]) -> Finding:
    found = {name: np.array(rows)[:, which] for name, rows in scores.items()}
    gains = {name: gain(score, found[ALONE]) for name, score in found.items() if name != ALONE}
    mine, (low, high) = gains[EVENTS]
    verdict: Verdict = "good" if low > 0 else "poor" if high < 0 else "fair"
    alone = float(found[ALONE].mean())
    said = {"good": f"helps: {mine:+.3f} [{low:+.3f} to {high:+.3f}]",
            "poor": f"hurts: {mine:+.3f} [{low:+.3f} to {high:+.3f}]",
            "fair": f"makes no difference beyond chance: {mine:+.3f} [{low:+.3f} to {high:+.3f}]"}[verdict]
    items = [{"name": name, "value": float(score.mean()), "reference": alone, **_within(name, gains, alone)}
             for name, score in found.items()]
    return Finding(
        f"rare.{measure}", _TITLES[measure], verdict,
        f"On unseen real rows, adding synthetic events {said} in {_WORDS[measure]} ({alone:.3f} with real rows as they "
        f"are). {_winner(gains)}", _RULE, float(found[EVENTS].mean()), (alone + low, alone + high),
        details={"value_says": f"{_WORDS[measure]}, with synthetic events added", "items": items,
                 "items_say": {"value": f"{_WORDS[measure]}, mean of {about['repeats']} splits",
                               "reference": ALONE, "lead": "Intervals are of the gain."}},
        best=1.0, worst=0.0, references=("https://doi.org/10.1023/A:1024068626366",),
        definition=f"Real rows are split {about['repeats']} times, three tenths held out. A boosted model learns from "
                   "each way's rows and is tested on the same held-out real rows; the generator sees training rows "
                   "only. Intervals are of the gain, paired over splits, widened as the splits share rows.")


def _within(name: str, gains: dict[str, tuple[float, tuple[float, float]]], alone: float) -> dict[str, Any]:
    if name not in gains:
        return {}
    mean, (low, high) = gains[name]
    return {"interval": [alone + low, alone + high], "note": f"gain {mean:+.3f} [{low:+.3f} to {high:+.3f}]"}


def _winner(gains: dict[str, tuple[float, tuple[float, float]]]) -> str:
    """Say plainly which way wins."""
    sure = {name: mean for name, (mean, (low, _)) in gains.items() if low > 0}
    if not sure:
        return "No way is better than the real rows as they are beyond chance."
    best = max(sure, key=lambda name: sure[name])
    others = f"; so does {' and '.join(n for n in sure if n != best)}" if len(sure) > 1 else ""
    return f"Most gains {best} ({sure[best]:+.3f}){others}."
