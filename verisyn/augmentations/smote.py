"""SMOTE for mixed tables: a row between a real row and one of its nearest neighbours in the same class.

Chawla, Bowyer, Hall and Kegelmeyer, "SMOTE: Synthetic Minority Over-sampling Technique", JAIR 16, 2002, in the variant
for mixed tables (section 6.1, SMOTE-NC): numbers, dates and places lie on the way to the neighbour; a level is put to
the vote of all the neighbours; distance counts a different level as one standard deviation. Beyond the paper, missing
values take part, values that a tenth of the rows share (zeros) are taken and not averaged, and numbers keep their
decimals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from verisyn.augmentations import BaseMethod, share
from verisyn.augmentations._mixing import lines_between
from verisyn.augmentations._real import Real
from verisyn.constraints._columns import codes
from verisyn.errors import whole_number


@dataclass(frozen=True)
class Method(BaseMethod):
    """Interpolates.

    Parameters
    ----------
    amount : float, default 1
        How far a row goes towards its neighbour at most, above 0 up to 1; how far it goes is uniform below that.
    neighbours : int, default 5
        How many nearest neighbours a row has.
    """

    balances = True
    least = 2

    amount: float = 1.0
    neighbours: int = 5

    def __post_init__(self) -> None:
        share("amount", self.amount)
        whole_number("neighbours", self.neighbours, 1)

    def derive(self, real: Real, base: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
        """Go a random part of the way to a random neighbour."""
        near = real.neighbours(base, self.neighbours, rng)
        other = near[np.arange(len(base)), rng.integers(0, self.neighbours, len(base))]
        columns = lines_between(real, base, other, rng.random(len(base)) * self.amount, rng)
        for name in real.levels:
            columns.append(real.frame[name].gather(_elected(codes(real.frame[name]), near)))
        return pl.DataFrame(columns)


def _elected(level: np.ndarray, near: np.ndarray) -> np.ndarray:
    """For each row, the neighbour with the level that most neighbours have; of equals, the nearest neighbour's."""
    votes = level[near]
    counts = (votes[:, :, None] == votes[:, None, :]).sum(axis=2)
    return near[np.arange(len(near)), counts.argmax(axis=1)]
