"""The outcome that gaps between groups are asked of: shares of a target's classes, or the mean of a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from verisyn.findings import NotAnswered
from verisyn.kinds import Feature
from verisyn.metrics._groups import LEAST, groups_of

CLASSES = 5
"""So many classes of a target are asked about, the most frequent ones."""


@dataclass(frozen=True)
class Outcome:
    """One outcome on some sides.

    Parameters
    ----------
    name : str
    values : list of float arrays
        One a side: 0 or 1, or a number in standard deviations; NaN where it is missing.
    share : bool
        Whether it is a share of rows.
    centre, scale : float
        A number's mean and standard deviation in the training rows.
    """

    name: str
    values: list[np.ndarray]
    share: bool
    centre: float = 0.0
    scale: float = 1.0


def outcomes_of(train: Feature, sides: Sequence[np.ndarray]) -> list[Outcome]:
    """Return the outcomes of a target: its rarer class, of more than two each of the most frequent ones, or its mean.

    Parameters
    ----------
    train : Feature
        The target in the training rows: its classes, or the range to which a number is cut, rest on it.
    sides : sequence of float arrays
        The target's values on each side.

    Raises
    ------
    NotAnswered
        If it does not vary.
    """
    known = train.values[np.isfinite(train.values)]
    if train.levels or len(np.unique(known)) == 2:
        return _classes(replace(train, values=known), sides)
    if len(known) < LEAST or np.ptp(known) == 0:
        raise NotAnswered(f"the target {train.name!r} has one value only, or hardly any")
    low, high = np.quantile(known, [0.01, 0.99])
    cut = np.clip(known, low, high)
    centre, scale = float(cut.mean()), float(cut.std())
    if not 0 < scale < np.inf:
        raise NotAnswered(f"the target {train.name!r} hardly varies")
    placed = [(np.clip(v, low, high) - centre) / scale for v in sides]
    return [Outcome(f"mean of {train.name!r}", placed, False, centre, scale)]


def _classes(known: Feature, sides: Sequence[np.ndarray]) -> list[Outcome]:
    classes = groups_of(known, levels=CLASSES)
    if len(classes.names) < 2:
        raise NotAnswered(f"fewer than two classes of the target {known.name!r} are held by {LEAST} training rows")
    codes = [np.where(np.isnan(v), np.nan, classes.of(replace(known, values=v))) for v in sides]
    counts = np.bincount(classes.of(known) + 1, minlength=len(classes.names) + 1)[1:]
    asked = [int(counts.argmin())] if len(counts) == 2 else range(len(counts))
    return [Outcome(f"share of {classes.names[c]}", [np.where(np.isnan(v), np.nan, v == c) for v in codes], True)
            for c in asked]
