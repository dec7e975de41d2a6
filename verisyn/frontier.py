"""The privacy dial: its words, its choice by a bound on the leak, and the curve of fidelity against leak along it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
import polars as pl

from verisyn import memory, shelves
from verisyn.errors import Refused, UserError
from verisyn.findings import Finding, Measure, NotAnswered
from verisyn.frames import some
from verisyn.memory import COIN, LEAST_ROWS, Recipe
from verisyn.model import Model

WORDS = {"low": 0.0, "standard": 0.5, "high": 1.0}
POSITIONS = (0.0, 0.25, 0.5, 0.75, 1.0)
_CURVE_ROWS, _CURVE_WORK = 6_000, 1_200_000
_CHOICE_ROWS, _CHOICE_WORK = 10_000, 5_000_000
_TOLD, _LEAST = 64, 1_000
"""A column is told of about so many others at most, and work is rows times pairs of columns. Where it does not allow
for the least rows, a curve is not worth its time."""


@dataclass(frozen=True)
class Point:
    """One position of the dial: how well a judge tells its rows from real ones, and what its model tells; both AUCs."""

    privacy: float
    c2st: float
    c2st_interval: tuple[float, float]
    attack: float
    attack_interval: tuple[float, float]
    cpu_seconds: float


@dataclass(frozen=True)
class Curve:
    """What the dial does to a table: points from low to high, models of `rows` rows, judged by `judged` unseen ones."""

    points: tuple[Point, ...]
    chosen: float
    rows: int
    judged: int

    @property
    def sentence(self) -> str:
        """What the curve says, in words."""
        first, last = self.points[0], self.points[-1]
        return (f"Each point is a model learnt from {self.rows:,} of the real rows and judged by {self.judged:,} that "
                f"it never saw. From low to high privacy, the likelihood attack on the model file goes from "
                f"{first.attack:.3f} to {last.attack:.3f} (a coin: 0.5), and the judge's AUC from {first.c2st:.3f} to "
                f"{last.c2st:.3f} (real rows: 0.5). These data were made at {said(self.chosen)}.")

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values only."""
        return {**asdict(self), "sentence": self.sentence}


def position(privacy: str | float) -> float:
    """Return the dial's position, 0 to 1, of a word or a number.

    Raises
    ------
    UserError
        If it is neither a word of the dial nor a number from 0 to 1.

    Examples
    --------
    >>> position("high"), position("0.25"), position(0.5)
    (1.0, 0.25, 0.5)
    """
    if isinstance(privacy, str) and privacy in WORDS:
        return WORDS[privacy]
    try:
        number = float(privacy)
    except (TypeError, ValueError):
        number = float("nan")
    if isinstance(privacy, bool) or not 0 <= number <= 1:
        raise UserError(f"privacy is {privacy!r}; 'low', 'standard', 'high' or a number from 0 to 1 was expected.")
    return number


def said(privacy: float) -> str:
    """Write a position for a person.

    Examples
    --------
    >>> said(0.5), said(0.25)
    ("0.5 ('standard')", '0.25')
    """
    word = next((f" ('{w}')" for w, at in WORDS.items() if at == privacy), "")
    return f"{privacy:g}{word}"


def has_dial(generator: str) -> bool:
    """Whether a generator has a setting ``privacy``."""
    return "privacy" in {f.name for f in fields(shelves.generators.take(generator).Generator)}


def dialled(generator: str, settings: dict[str, Any], privacy: str | float | None,
            max_leak: float | None) -> dict[str, Any]:
    """Return the settings with the dial's position among them, where one was asked for.

    Raises
    ------
    UserError
        If a position and a largest leak were both given, one of them makes no sense, or there is no dial.
    """
    if privacy is None and max_leak is None:
        return settings
    if privacy is not None and max_leak is not None:
        raise UserError("A privacy and a largest leak were both given; the leak chooses the privacy. Give one of them.")
    if not has_dial(generator):
        own = shelves.generators.full_name(generator).split(".", maxsplit=1)[0]
        known = [n for n in shelves.generators.names() if n.startswith(f"{own}.") and has_dial(n)]
        raise UserError(f"The generator {generator!r} has no privacy dial. Leave out the privacy and the largest leak, "
                        f"or take {' or '.join(map(repr, known))}.")
    if privacy is not None:
        return {**settings, "privacy": position(privacy)}
    if isinstance(max_leak, bool) or not isinstance(max_leak, int | float) or not COIN < max_leak <= 1:
        raise UserError(f"max_leak is {max_leak!r}; an AUC above 0.5 (a coin's) and of at most 1 was expected.")
    return settings


@dataclass(frozen=True)
class Choice:
    """A position of the dial that was chosen for a largest leak, and the measurement that decided."""

    privacy: float
    max_leak: float
    found: Finding

    def compared(self, found: Finding) -> Finding:
        """Return a finding with a sentence on whether the model that was then learnt keeps what was asked."""
        if found.interval is None:
            return found
        kept = "" if found.interval[1] <= self.max_leak else ", and the model does not keep it"
        reason = (f"{found.reason} The dial was set to {said(self.privacy)} for an upper end of at most "
                  f"{self.max_leak:g}{kept}.")
        return replace(found, reason=reason, details={**found.details, "max_leak": self.max_leak})


def choose(recipe: Recipe, frame: pl.DataFrame, max_leak: float) -> Choice:
    """Choose the least private position of the dial whose leak is bounded as asked.

    Parameters
    ----------
    recipe : Recipe
        What is to be fitted.
    frame : polars.DataFrame
        The training rows. Models of one half, at most 10 000 rows, are attacked with the other half as strangers.
    max_leak : float
        The most that the upper end of the attack's 95 % interval may be; above 0.5.

    Returns
    -------
    Choice

    Raises
    ------
    Refused
        If no position meets the bound, or there are too few rows to measure.
    """
    most = max(_LEAST, _affordable(recipe, _CHOICE_WORK, _CHOICE_ROWS))
    tried = []
    for privacy in POSITIONS:
        changed = replace(recipe, settings={**recipe.settings, "privacy": privacy})
        found = memory.cross_fitted(changed, frame, most)
        if found.interval is None:
            raise Refused(f"The privacy dial could not be chosen for a leak of at most {max_leak:g}. {found.reason}")
        if found.interval[1] <= max_leak:
            return Choice(privacy, max_leak, found)
        tried.append((found.interval[1], privacy))
    nearest, at = min(tried)
    raise Refused(f"No position of the privacy dial kept the upper end of the likelihood attack's interval at "
                  f"{max_leak:g} or less. The nearest was {nearest:.3f}, at {said(at)}. Allow a larger leak, or learn "
                  "from more rows: the interval narrows, and a model holds on to each of them less.")


def curve(recipe: Recipe, train: pl.DataFrame, holdout: pl.DataFrame, chosen: float, *, whatever_it_costs: bool = False,
          tick: Callable[[int], None] = lambda done: None) -> Curve:
    """Measure the dial on this table: at each position fit a small model, let a judge and an attacker at it.

    Parameters
    ----------
    recipe : Recipe
        What was fitted.
    train, holdout : polars.DataFrame
        Rows to learn from and rows to judge by; at most 6 000 of either, fewer of wide tables.
    chosen : float
        The position that was taken; it is measured too.
    whatever_it_costs : bool, default False
        Draw it for wide tables also, from 1 000 rows.
    tick : callable
        Told of each position done, of ``len(positions(chosen))``.

    Raises
    ------
    NotAnswered
        If there are too few rows, or too many columns.
    """
    for rows, what in ((train, "training"), (holdout, "holdout")):
        if rows.height < 2 * LEAST_ROWS:
            raise NotAnswered(f"there are only {rows.height:,} {what} rows, and it takes {2 * LEAST_ROWS}")
    most = _affordable(recipe, _CURVE_WORK, _CURVE_ROWS)
    if most < _LEAST and not whatever_it_costs:
        raise NotAnswered(f"a table of {train.width} columns is too much work for it by default")
    rngs = map(np.random.default_rng, np.random.SeedSequence([recipe.seed, 0xD1A1]).spawn(2))
    train, holdout = (some(rows, max(most, _LEAST), rng) for rows, rng in zip((train, holdout), rngs, strict=True))
    points = []
    for privacy in positions(chosen):
        points.append(_point(recipe, privacy, train, holdout))
        tick(1)
    return Curve(tuple(points), chosen, train.height, holdout.height)


def positions(chosen: float) -> list[float]:
    """Return the positions that a curve shows."""
    return sorted({*POSITIONS, chosen})


def _point(recipe: Recipe, privacy: float, train: pl.DataFrame, holdout: pl.DataFrame) -> Point:
    start = time.process_time()
    model = recipe.learn(train, privacy=privacy)
    made = model.sample_frame(train.height, seed=recipe.seed, jobs=recipe.jobs)
    judge = judged(model, made, train, holdout)
    found = memory.attacked(model, train, holdout)
    assert found.value is not None and found.interval is not None, found.reason
    low, high = judge.interval
    return Point(privacy, round(judge.value, 6), (round(low, 6), round(high, 6)), found.value, found.interval,
                 round(time.process_time() - start, 3))


def judged(model: Model, made: pl.DataFrame, train: pl.DataFrame, holdout: pl.DataFrame) -> Measure:
    """Ask the two-sample test of assessments to tell `made` rows from unseen ones; return the AUC with its interval."""
    from verisyn.metrics import Side, Sides
    from verisyn.metrics.fidelity import two_sample
    from verisyn.modalities.table._views import scales_of

    scales = scales_of(model.coder.features(train))
    fake, seen, unseen = (Side.of(rows, model.coder, scales) for rows in (made, train, holdout))
    return two_sample.measure(Sides(fake, seen, unseen), np.random.default_rng(model.info.seed))


def _affordable(recipe: Recipe, work: int, most: int) -> int:
    columns = len(recipe.schema.table.columns)
    return min(most, round(work / max(1, columns * min(columns, _TOLD) / 2)))

