"""The gap between each source and the real data, and how much of it importance weights close on rows they never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from verisyn.blending.distances import Distance, apart, distances
from verisyn.blending.judges import mean_of, ratio_of, told_apart
from verisyn.blending.seen import Seen, two
from verisyn.blending.sources import LEAST, Part
from verisyn.errors import UserError
from verisyn.metrics import Side
from verisyn.metrics._pictures import picture
from verisyn.metrics._stats import Influence, effective

_PICTURES = 6


@dataclass(frozen=True)
class Closed:
    """What weights learnt from other rows do to the gap.

    Parameters
    ----------
    before, after : Influence
        How well a judge tells real from the source's rows, without and with weights.
    columns : list of (name, before, after)
        The distance of each column.
    rows : int
        Rows of the source that were weighted.
    effective : float
        How many equal ones they are worth.
    power : float
        The exponent of the ratio of densities: below 1 where the whole ratio would leave too few rows.
    """

    before: Influence
    after: Influence
    columns: list[tuple[str, float, float]]
    rows: int
    effective: float
    power: float


@dataclass(frozen=True)
class Gap:
    """The distance of one source to the real data.

    Parameters
    ----------
    part : Part
    columns : list of Distance
    judge : Influence
        The AUC of a judge that sees all columns that both have.
    closed : Closed or None
        None where there are too few rows to learn weights from one half and measure on the other.
    pictures : list of dict
        The columns that are farthest apart, for the report.
    """

    part: Part
    columns: list[Distance]
    judge: Influence
    closed: Closed | None
    pictures: list[dict[str, Any]]


def gap_of(part: Part, seen: Seen, most: int, rng: np.random.Generator) -> Gap:
    """Measure one source on at most `most` rows of each.

    Raises
    ------
    UserError
        If no column that is learnt is shared.
    """
    real, other = seen.real.some(most, rng), seen.side(part.frame).some(most, rng)
    common = seen.common(part.shared)
    if not common:
        raise UserError(f"{part.what[0].upper()}{part.what[1:]} shares only columns with the real data whose values "
                        "are not learnt (ids, personal data, free text), so it cannot be compared. Leave it out.")
    mine, theirs = ([side.features[i] for i in common] for side in (real, other))
    found = distances(mine, theirs, rng)
    a, b, categories = two(real, other, common)
    judge = told_apart(a, b, categories, rng)
    sure = sorted((d for d in found if d.p <= 0.05), key=lambda d: -d.value)
    worst = [*dict.fromkeys(d.name for d in sure)][:_PICTURES]
    at = {f.name: (f, g) for f, g in zip(mine, theirs, strict=True)}
    pictures = [picture(*at[name]) for name in worst]
    return Gap(part, found, judge, _closed(real, other, common, rng), pictures)


def _closed(real: Side, other: Side, common: Sequence[int], rng: np.random.Generator) -> Closed | None:
    """Learn weights on one half of the rows, measure on the other; then the other way round."""
    if min(real.rows, other.rows) < 2 * LEAST:
        return None
    x, y, categories = two(real, other, common)
    halves = [np.array_split(rng.permutation(rows), 2) for rows in (len(x), len(y))]
    before, after, columns, weights, powers = [], [], [], [], []
    for i in range(2):
        (mine, learnt), (theirs, others) = ((half[i], half[1 - i]) for half in halves)
        ratio = ratio_of(x[learnt], y[others], categories, rng)
        weight = ratio.weights(y[theirs])
        before.append(told_apart(x[mine], y[theirs], categories, rng))
        after.append(told_apart(x[mine], y[theirs], categories, rng, weight))
        columns.append(_columns(real.take(mine), other.take(theirs), common, weight))
        weights.append(weight)
        powers.append(ratio.power)
    mean, weight = np.mean(columns, axis=0), np.concatenate(weights)
    told = [(real.features[k].name, float(b), float(a)) for k, (b, a) in zip(common, mean, strict=True)]
    return Closed(mean_of(before), mean_of(after), told, len(weight), effective(weight), float(np.mean(powers)))


def _columns(real: Side, other: Side, common: Sequence[int], weights: np.ndarray) -> list[list[float]]:
    even = np.ones(len(weights))
    return [[apart(real.features[k], other.features[k], w) for w in (even, weights)] for k in common]
