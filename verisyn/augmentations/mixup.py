"""Mixup: a row between two random real rows of any class, most of them close to one of the two.

Zhang, Cisse, Dauphin and Lopez-Paz, "mixup: Beyond Empirical Risk Minimization", ICLR 2018. The weight of the other
row is drawn from Beta(amount, amount). Numbers, dates and places are convex mixtures; each level, the label's too, is
that of one of the two rows, drawn by the weight. ``soft=True`` adds the mixture of the labels themselves: a column of
weights for each level of the target.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from verisyn.augmentations import BaseMethod, Made, Wanted, share
from verisyn.augmentations._mixing import either, lines_between
from verisyn.augmentations._real import Real
from verisyn.errors import UserError

_MOST = 100.0


@dataclass(frozen=True)
class Method(BaseMethod):
    """Mixes.

    Parameters
    ----------
    amount : float, default 0.2
        The parameter of the Beta distribution, above 0: 0.2 leaves most rows close to one of their two, 1 mixes evenly.
    soft : bool, default False
        Whether to add columns ``TARGET=LEVEL`` with the weights of the labels, which sum to 1.
    """

    shares = False
    least = 2

    amount: float = 0.2
    soft: bool = False

    def __post_init__(self) -> None:
        share("amount", self.amount, most=_MOST)
        if not isinstance(self.soft, bool):
            raise UserError(f"soft is {self.soft!r}; true or false was expected.")

    def make(self, real: Real, wanted: Wanted, seed: np.random.SeedSequence) -> Made:
        """Mix; see that soft labels can be given before the work begins."""
        if self.soft:
            if real.target is None:
                raise UserError("soft=True asks for the weights of a label. Name the target.")
            taken = [c for c in _names(real) if c in real.rows.columns]
            if taken:
                raise UserError(f"A soft label would be called {taken[0]!r}, but the data has a column of that name. "
                                "Rename it.")
        return super().make(real, wanted, seed)

    def derive(self, real: Real, base: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
        """Mix each row with another one."""
        other = (base + rng.integers(1, real.frame.height, len(base))) % real.frame.height
        weight = rng.beta(self.amount, self.amount, len(base))
        columns = lines_between(real, base, other, weight, rng)
        for name in real.levels:
            columns.append(real.frame[name].gather(either(base, other, weight, rng)))
        if self.soft:
            columns += _soft(real, base, other, weight)
        return pl.DataFrame(columns)


def _names(real: Real) -> list[str]:
    return [f"{real.target}={level}" for level in real.classes()["level"].to_list()]


def _soft(real: Real, base: np.ndarray, other: np.ndarray, weight: np.ndarray) -> list[pl.Series]:
    """The weight of each level; a row without a label adds none, so that sums below 1 tell of it."""
    assert real.target is not None
    labels, levels = real.rows[real.target], real.classes()["level"].to_list()
    held = [(labels == level).fill_null(False).to_numpy() for level in levels]
    return [pl.Series(name, np.where(mine[base], 1 - weight, 0) + np.where(mine[other], weight, 0))
            for name, mine in zip(_names(real), held, strict=True)]
