"""What is measured of each generation, against real rows that no generation saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from verisyn.description import modelled
from verisyn.findings import NotAnswered
from verisyn.metrics import EFFORTS, Side, Sides
from verisyn.metrics._levels import Level, rare_levels
from verisyn.metrics._support import coverage, support
from verisyn.metrics._tasks import skill_of_real
from verisyn.modalities.table._views import TableCoder, scales_of
from verisyn.schema import Table

TAIL, RARE, LEAST = 0.01, 0.02, 5
"""A tail is what lies beyond the outer 1 % of the real rows learnt from; a rare level one that fewer than 2 % of them
hold, yet five."""
_VALUES = 400
_NEAREST = 5_000


@dataclass(frozen=True)
class Kind:
    """One thing that is measured.

    Parameters
    ----------
    title : str
        Of its picture, and of its axis.
    short : str
        In a list of several.
    worse : {1, -1}
        Whether greater or smaller values are worse.
    budget : float
        The change for the worse, per generation, that counts as stable.
    """

    title: str
    short: str
    worse: int
    budget: float


KINDS = {
    "c2st": Kind("a judge's AUC, real against synthetic", "what a judge sees", 1, 0.005),
    "tails": Kind("share of the tails kept", "tails", -1, 0.02),
    "rare": Kind("share of rare levels kept", "rare levels", -1, 0.02),
    "coverage": Kind("share of real rows with a synthetic neighbour", "kinds of row", -1, 0.01),
    "utility": Kind("share of a model's skill kept", "a model's skill", -1, 0.01),
    "marginals": Kind("likeness of columns (1 - total variation)", "columns", -1, 0.002),
    "pairs": Kind("likeness of pairs of columns (1 - total variation)", "pairs of columns", -1, 0.003),
}
"""In ten generations, so much is lost at most: one pair in twenty more is told apart; a fifth of the tails and of the
rare levels; a tenth of the neighbourhoods and of the skill; of likeness what `fidelity.marginals` and `.pairs` still
call good."""


class Ruler:
    """Holds one generation after the other against the same real rows, by views learnt on the real rows learnt from."""

    def __init__(self, train: pl.DataFrame, holdout: pl.DataFrame, table: Table, effort: str, seed: int):
        self.coder = TableCoder.learn(train, table, np.random.SeedSequence(seed))
        self.scales = scales_of(self.coder.features(train))
        self.train, self.holdout = (Side.of(f, self.coder, self.scales) for f in (train, holdout))
        self.table, self.seed = table, seed
        self.effort = replace(EFFORTS[effort], attacked=_NEAREST)
        self.reasons: dict[str, str] = {}

    def measure(self, frame: pl.DataFrame) -> dict[str, float]:
        """Return what was measured, by its name; NaN where it could not be (``reasons`` says why)."""
        regenerated = tuple(c.name for c in self.table.columns if not modelled(c))
        sides = Sides(Side.of(frame, self.coder, self.scales), self.train, self.holdout, self.table.target,
                      regenerated=regenerated, table=self.table, coder=self.coder, effort=self.effort, seed=self.seed,
                      pictured=False)
        return {name: self._asked(name, ask, sides) for name, ask in _ASKED.items()}

    def _asked(self, name: str, ask: Callable[[Sides], float], sides: Sides) -> float:
        try:
            return float(ask(sides))
        except NotAnswered as why:
            self.reasons.setdefault(name, str(why))
            return float("nan")


def _c2st(sides: Sides) -> float:
    from verisyn.metrics.fidelity import two_sample

    return two_sample.measure(sides, sides.rng("judge")).value


def _marginals(sides: Sides) -> float:
    from verisyn.metrics.fidelity import marginals

    return marginals.measure(sides, sides.rng("marginals")).value


def _utility(sides: Sides) -> float:
    from verisyn.metrics.utility import tstr

    details = tstr.measure(sides, sides.rng("tstr")).details
    skill_of_real(details)
    return details["skill_kept"]


def _coverage(sides: Sides) -> float:
    return float(coverage(support(sides))[0].mean())


def _rare(sides: Sides) -> float:
    levels = _rare_of(sides)
    return sum(bool(level.blocks(sides.fake).any()) for level in levels) / len(levels)


def _rare_of(sides: Sides) -> list[Level]:
    levels = [v for v in rare_levels(replace(sides, fake=sides.train), RARE, LEAST)
              if sides.train.features[v.column].levels]
    if not levels:
        raise NotAnswered(f"no level of a category is held by fewer than {RARE:.0%} of the rows, yet {LEAST}")
    return levels


def _pairs(sides: Sides) -> float:
    from verisyn.metrics.fidelity import pairs

    return pairs.measure(sides, sides.rng("pairs")).value


def _tails(sides: Sides) -> float:
    """The share of values beyond the real rows' outer quantiles, over the same share of unseen real rows."""
    beyond = {"fake": [0, 0], "holdout": [0, 0]}
    for i, feature in enumerate(sides.train.features):
        known = sides.train.scales[i]
        if feature.levels or len(known) < _VALUES:
            continue
        low, high = np.quantile(known, [TAIL, 1 - TAIL])
        for who, counts in beyond.items():
            values = getattr(sides, who).features[i].values
            counts[0] += int(((values < low) | (values > high)).sum())
            counts[1] += int((~np.isnan(values)).sum())
    if not beyond["holdout"][0]:
        raise NotAnswered(f"no column holds {_VALUES} numbers, moments or durations with tails")
    fake, real = (hits / max(rows, 1) for hits, rows in beyond.values())
    return fake / real


_ASKED = {"c2st": _c2st, "tails": _tails, "rare": _rare, "coverage": _coverage, "utility": _utility,
          "marginals": _marginals, "pairs": _pairs}
assert set(_ASKED) == set(KINDS)
