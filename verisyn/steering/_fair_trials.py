"""All models of a trial of fairness: kinds, what they see, what they were trained on; and what comes of fair rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import polars as pl

from verisyn.findings import NotAnswered
from verisyn.kinds import Feature
from verisyn.metrics._groups import LEAST
from verisyn.metrics._stats import Z
from verisyn.modalities.table._views import TableCoder, scales_of, vectors_of
from verisyn.steering._fair_trial import BOOSTED, LINEAR, Judge, Table, Trial, trial
from verisyn.steering._grouping import Grouping
from verisyn.steering.fair import Fair

REAL, PLAIN, FAIR = "real rows", "plain synthetic rows", "fair synthetic rows"
Interval = tuple[float, float]
_FEW, _CLASSES = 20, 5


@dataclass(frozen=True)
class Tables:
    """What is compared: frames of the same columns, of which the fair one may lack some.

    Parameters
    ----------
    fair, plain : DataFrame
        Rows with and without the wish, of the same model.
    train, holdout : DataFrame
        Real rows that the model learnt from, and real rows that it never saw.
    """

    fair: pl.DataFrame
    plain: pl.DataFrame
    train: pl.DataFrame
    holdout: pl.DataFrame

    def features(self, frame: pl.DataFrame, coder: TableCoder) -> list[Feature]:
        """Return the features of the columns that a frame has."""
        lacking = [pl.lit(None, self.train.schema[c]).alias(c) for c in coder.columns if c not in frame.columns]
        whole = frame.with_columns(lacking).select(coder.columns)
        return [f for f in coder.features(whole) if f.name in frame.columns]


@dataclass(frozen=True)
class Trials:
    """Models, tested: by class of the outcome, kind, whether they see the groups, and what they were trained on.

    Parameters
    ----------
    found : dict
    classes : tuple of int
    shares : list of dict
        How often each group has the outcome, in each table.
    rows : int
        That each model learnt from.
    seed : int
    learnt : dict
        The rows of each table that models of the last class learnt from, with their groups.
    """

    found: Mapping[tuple[int, str, bool, str], Trial]
    classes: tuple[int, ...]
    shares: list[dict[str, Any]]
    rows: int
    seed: int
    learnt: Mapping[str, tuple[Table, np.ndarray]]

    @classmethod
    def of(cls, fair: Fair, tables: Tables, coder: TableCoder, seed: int, most: int,
           beside: Trials | None = None) -> Trials:
        """Train and test all of them; those of real and plain rows may come from a trial of the same rows.

        Raises
        ------
        NotAnswered
            If rows are too few.
        """
        frames = {REAL: tables.train, PLAIN: tables.plain, FAIR: tables.fair, "test": tables.holdout}
        known = {who: frame.filter(fair.outcome.of(frame) >= 0) for who, frame in frames.items()}
        rows = min(most, *(known[who].height for who in (REAL, PLAIN, FAIR)))
        if min(rows, known["test"].height) < 2 * LEAST:
            raise NotAnswered(f"it takes {2 * LEAST} rows to learn from and {2 * LEAST} unseen real ones")
        grouping = Grouping.learn(tables.features(tables.train, coder), fair.sensitive, fair.bands)
        views, groups, of = _views(fair, tables, coder, known, grouping)
        classes, learnt = fair.outcome.asked[:_CLASSES], {}
        found = {key: t for key, t in beside.found.items() if key[-1] != FAIR} if beside else {}
        for c in classes:
            told = {who: view.asked(of[who] == c) for who, view in views.items()}
            judge = _judge(fair, told["test"], groups["test"], float((of[REAL] == c).mean()),
                           np.random.default_rng([seed, 0xFA1, c]))
            for i, who in enumerate((REAL, PLAIN, FAIR)):
                drawn = np.random.default_rng([seed, 0xFA2, c, i]).permutation(known[who].height)[:rows]
                learnt[who] = told[who].take(drawn), groups[who][drawn]
                for kind, sees in ((k, s) for k in (BOOSTED, LINEAR) for s in (True, False)):
                    if (key := (c, kind, sees, who)) not in found:
                        found[key] = trial(kind, () if sees else fair.sensitive, learnt[who][0], judge)
        return cls(found, classes, _outcome_shares(fair, grouping, groups, of), rows, seed, learnt)

    def each(self, kind: str, sees: bool, who: str) -> list[Trial]:
        """Return the models of one kind, one for each class."""
        return [self.found[c, kind, sees, who] for c in self.classes]

    def unsteady(self, kind: str) -> float:
        """Return what two models of a kind differ by: the mean over all of that kind, for one tells little of it."""
        return float(np.mean([t.unsteady for (_, k, _, _), t in self.found.items() if k == kind]))

    def gap(self, kind: str, sees: bool, who: str) -> np.ndarray:
        """Return the gap by each rule, averaged over classes."""
        return np.mean([t.gaps for t in self.each(kind, sees, who)], axis=0)

    def auc(self, kind: str, sees: bool, who: str) -> float:
        """Return the AUC, averaged over classes."""
        return float(np.mean([t.auc.value for t in self.each(kind, sees, who)]))

    def cut(self, kind: str, sees: bool) -> tuple[float, Interval]:
        """Return the share of the gap that fair rows take away, over rules and classes, with its interval."""
        before, after = (self.each(kind, sees, who) for who in (PLAIN, FAIR))
        value = 1 - sum(t.gaps.sum() for t in after) / max(sum(t.gaps.sum() for t in before), 1e-9)
        rng = np.random.default_rng([self.seed, 0xC07])
        old, new = (np.sum([t.gaps_again(self.unsteady(kind), rng).sum(axis=1) for t in ts], axis=0)
                    for ts in (before, after))
        low, high = np.quantile(1 - new / np.maximum(old, 1e-9), [0.025, 0.975])
        return float(value), (float(min(low, value)), float(max(high, value)))

    def cost(self, kind: str, sees: bool) -> tuple[float, Interval]:
        """Return how much AUC fair rows cost, with its interval."""
        pairs = list(zip(self.each(kind, sees, PLAIN), self.each(kind, sees, FAIR), strict=True))
        value = float(np.mean([a.auc.value - b.auc.value for a, b in pairs]))
        rows = np.mean([a.auc.rows - b.auc.rows for a, b in pairs], axis=0)
        noise = np.mean([[a.auc_noise, b.auc_noise] for a, b in pairs], axis=0)
        half = Z * float(np.sqrt(rows.var() / len(rows) + (noise**2).sum()))
        return value, (value - half, value + half)


def _views(fair: Fair, tables: Tables, coder: TableCoder, known: Mapping[str, pl.DataFrame],
           grouping: Grouping) -> tuple[dict[str, Table], dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Each table as models see it, without the outcome; the group, and the class, of each row."""
    whole = tables.features(tables.train, coder)
    scales = {f.name: scale for f, scale in zip(whole, scales_of(whole), strict=True)}
    views, groups, of = {}, {}, {}
    for who, frame in known.items():
        features = tables.features(frame, coder)
        groups[who], of[who] = grouping.of(features), fair.outcome.of(frame)
        seen = [f for f in features if f.name not in fair.outcome.coder.columns]
        wide = [len(scales[f.name]) + 2 if f.levels else 1 for f in seen]
        blocks = {f.name: slice(end - w, end) for f, w, end in zip(seen, wide, accumulate(wide), strict=True)}
        points = vectors_of(seen, [scales[f.name] for f in seen], frame.height)
        views[who] = Table(seen, points, blocks, np.zeros(frame.height, bool))
    return views, groups, of


def _judge(fair: Fair, test: Table, group: np.ndarray, share: float, rng: np.random.Generator) -> Judge:
    parity = fair.criterion == "demographic_parity"
    counted, least = (np.ones(len(group), bool), LEAST) if parity else (test.y, _FEW)
    held = np.bincount(group[counted & (group >= 0)], minlength=int(group.max(initial=0)) + 1)
    group = np.where(np.isin(group, np.flatnonzero(held < least)), -1, group)
    if len(np.unique(group[counted & (group >= 0)])) < 2:
        what = "rows" if parity else "rows that have the outcome"
        raise NotAnswered(f"there are no two groups of {least} unseen real {what}")
    return Judge.of(test, group, counted, share, rng)


def _outcome_shares(fair: Fair, grouping: Grouping, groups: Mapping[str, np.ndarray],
                    of: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """How often each group has the outcome, in each table."""
    def share(who: str, group: int, c: int) -> float | None:
        mine = groups[who] == group
        return round(float((of[who][mine] == c).mean()), 6) if mine.any() else None

    asked: Sequence[int] = fair.outcome.asked[:_CLASSES]
    return [{"group": name, "outcome": fair.outcome.classes[c],
             **{who.replace(" ", "_"): share(who, i, c) for who in (REAL, PLAIN, FAIR)}}
            for i, name in enumerate(grouping.names) for c in asked]
