"""A trained judge who tells synthetic rows from real ones, and is never asked of a row whose kin it learnt from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from verisyn.findings import Measure, NotAnswered, Verdict
from verisyn.kinds import Feature, K
from verisyn.metrics import Side
from verisyn.metrics._models import classifier, matrices, predicted, shuffled
from verisyn.metrics._stats import Influence, auc, roc

GOOD, FAIR = 0.60, 0.75
"""Borders of an AUC. Three pairs in five told apart is about what the best published generators reach on hard tables;
at three in four a judge is right about most rows."""
FOLDS = 3
_TOLD, _FEWEST = 1_000, 20


def told_apart(fake: Sequence[Feature], real: Sequence[Feature], kin: tuple[np.ndarray, np.ndarray],
               rng: np.random.Generator, *, pictured: bool = True) -> Measure:
    """Return the AUC of a judge that learns from two thirds of the kin and is asked of the last third, three times.

    Parameters
    ----------
    fake, real : sequence of Feature
        Equally many rows of each.
    kin : pair of int arrays of shape (rows, ways)
        What each synthetic, and each real row shares with others (a parent, say), by one way of kinship or more. Rows
        of one kin have much in common, and so they are learnt from together or asked of together: the judge shall not
        find again by its parent what it has seen of a brother. A row that is no one's kin has a number of its own.
        The interval is that of whole kins, by the way that gives the widest.

    Returns
    -------
    Measure
        With the columns that tell most, and the ROC curve, where `pictured`.

    Raises
    ------
    NotAnswered
        If there is no feature, or there are too few kins to part them.
    """
    if not fake:
        raise NotAnswered("no column holds values that are modelled")
    sides = [Side(pl.DataFrame(), features, ()) for features in zip(*_of_many(fake, real, kin), strict=True)]
    matrix, categories = matrices(sides)
    x, truth = np.vstack(matrix), np.arange(sum(map(len, matrix))) < len(matrix[0])
    of = np.vstack(kin)
    fold = np.column_stack([_folds(way, rng) for way in of.T])
    found, scores, truths, first = [], [], [], None
    for i in range(FOLDS):
        learnt, asked = (fold != i).all(axis=1), (fold == i).all(axis=1)
        if min(np.bincount(truth[some].astype(int), minlength=2).min() for some in (learnt, asked)) < _FEWEST:
            raise NotAnswered("there are too few histories, or parents, to judge some by others")
        model = classifier(x[learnt], truth[learnt], categories)
        score = predicted(model, x[asked])[:, 1]
        found.append(_clustered(auc(truth[asked], score), of[asked]))
        scores.append(score)
        truths.append(truth[asked])
        first = first or (model, asked)
    whole = mean_of_folds(found)
    if not pictured or first is None:
        return Measure(whole.value, whole.interval())
    told = falls(first[0], x[first[1]], truth[first[1]], rng)
    top = [{"name": fake[i].name, "gain": round(float(told[i]), 4)} for i in np.argsort(-told)[:10] if told[i] > 0]
    return Measure(whole.value, whole.interval(), {
        "top": top, "roc": roc(np.concatenate(truths), np.concatenate(scores)), "rows": len(matrix[0])})


def verdict_of(measure: Measure, ceiling: float | None = None) -> Verdict:
    """Return the verdict on an AUC: by the borders, or as good as that of real rows where that is known."""
    (low, high), real = measure.interval, 0.5 if ceiling is None else max(0.5, ceiling)
    fine = measure.value <= GOOD or (low <= real and high <= FAIR)
    return "good" if fine else "poor" if low > FAIR else "fair"


def gives_away(measure: Measure) -> str:
    """Return the words that name the column that tells most, where a judge tells rows apart."""
    top = measure.details.get("top")
    return f"; {top[0]['name']!r} gives most away" if top and measure.value > GOOD else ""


def _of_many(fake: Sequence[Feature], real: Sequence[Feature], kin: tuple[np.ndarray, np.ndarray]
             ) -> Iterator[tuple[Feature, Feature]]:
    """Let levels that fewer than five kins hold, and unseen ones, be one: by them one would know kins, not kinds.

    A customer's own postcode, seen in all of his orders, is such a level.
    """
    ways = [np.unique(way, return_inverse=True)[1] for way in np.vstack(kin).T]
    for one, other in zip(fake, real, strict=True):
        if not one.levels:
            yield one, other
            continue
        codes = np.concatenate([one.values, other.values])
        known = ~np.isnan(codes)
        code = np.where(known, codes, 0).astype(np.int64)
        held = [np.unique(code[known] * (way.max() + 1) + way[known]) // (way.max() + 1) for way in ways]
        least = np.min([np.bincount(levels, minlength=one.levels) for levels in held], axis=0)
        few = (least < K) | (np.arange(one.levels) >= len(one.labels))
        merged = np.where(known, np.where(few[code], one.levels, code), np.nan)
        yield tuple(replace(f, values=part, levels=one.levels + 1) for f, part in zip(  # type: ignore[misc]
            (one, other), np.split(merged, [len(one.values)]), strict=True))


def _folds(kin: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Deal the kins out to three folds."""
    names, of = np.unique(kin, return_inverse=True)
    return (rng.permutation(len(names)) % FOLDS)[of]


def _clustered(found: Influence, kin: np.ndarray) -> Influence:
    """Add up the sway of rows by kin, by the way of kinship in which kins sway most."""
    ways = [np.bincount(np.unique(way, return_inverse=True)[1], found.rows) for way in kin.T]
    widest = max(ways, key=lambda sums: float((sums**2).sum()))
    return Influence(found.value, widest * len(widest) / len(found.rows))


def mean_of_folds(folds: Sequence[Influence]) -> Influence:
    """Return the mean over folds: scores of one model are compared with each other only.

    Folds share rows, so err alike: the interval is 1.6 times as wide for three folds (Nadeau and Bengio 2003).
    """
    count = len(folds)
    rows, alike = sum(len(f.rows) for f in folds), np.sqrt(1 + count / (count - 1))
    swayed = np.concatenate([f.rows * (alike * rows / (count * len(f.rows))) for f in folds])
    return Influence(float(np.mean([f.value for f in folds])), swayed)


def falls(model: object, x: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return how far the AUC falls when one column is shuffled, for each, on 1 000 rows the judge has not seen."""
    some = rng.permutation(len(x))[:_TOLD]
    x, truth, order = x[some], truth[some], rng.permutation(len(some))
    if truth.all() or not truth.any():
        return np.zeros(x.shape[1])

    def output(rows: np.ndarray) -> np.ndarray:
        return predicted(model, rows)[:, 1]

    found = [auc(truth, score).value for score in shuffled(output, x, order, range(x.shape[1]))]
    return auc(truth, output(x)).value - np.array(found)
