"""The criterion where no target is named: how likely unseen real rows are under a generator learnt from the blend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from verisyn import shelves
from verisyn.blending.criteria import Criterion, mean
from verisyn.blending.seen import Seen
from verisyn.blending.taking import Taken
from verisyn.metrics import Side
from verisyn.metrics._stats import Influence
from verisyn.modalities.table import Codes

GENERATOR = "trees"


class Likelihood(Criterion):
    """Mean log-likelihood, in nats a row, of unseen real rows; a proper score of the whole joint distribution.

    A generator learns from whole rows only: a row of weight 2.4 is learnt from twice or thrice.
    """

    name = "log-likelihood"

    def __init__(self, seen: Seen, tested: Side, jobs: int):
        self._coder, self._jobs = seen.coder, jobs
        self._maker = shelves.generators.take(GENERATOR).Generator()
        self.strata = np.zeros(tested.rows, np.int64)

    def ready(self, sides: Sequence[Side]) -> Any:
        """Return the codes of each source's rows."""
        return [self._coder.encode(side.frame).values for side in sides]

    def scores(self, ready: Any, mix: Sequence[Taken], tests: Sequence[np.ndarray]) -> list[Influence]:
        """Fit the generator to the mix; return the mean log-likelihood of each set of real rows."""
        values = np.concatenate([ready[t.source][np.repeat(t.rows, whole(t.weights))] for t in mix])
        codes = Codes(np.asfortranarray(values), self._coder.parts, self._coder.names)
        fitted = self._maker.fit(codes, np.random.SeedSequence(0), self._jobs)
        return [mean(fitted.log_prob(ready[0][rows]).sum(axis=1)) for rows in tests]


def whole(weights: np.ndarray) -> np.ndarray:
    """Return whole numbers whose running sums stay within one half of those of the weights.

    Examples
    --------
    >>> whole(np.array([0.5, 0.5, 2.4, 0.1])).tolist()
    [1, 0, 2, 1]
    """
    return np.diff(np.floor(np.concatenate([[0.0], np.cumsum(weights)]) + 0.5)).astype(np.int64)
