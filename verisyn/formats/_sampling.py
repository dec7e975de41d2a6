"""A uniform sample without replacement of a stream whose length is not known beforehand."""

from __future__ import annotations

import numpy as np
import polars as pl


class Reservoir:
    """Keeps at most `size` rows of a stream of batches, each row as likely as any other, in their order.

    Every row gets a random key; the rows with the smallest keys stay. So the rows kept depend on the seed and the
    row's place in the stream alone, not on how the stream was cut into batches. Memory is bounded by one and a half
    times `size` rows and a batch.

    Examples
    --------
    >>> reservoir = Reservoir(2, seed=0)
    >>> for batch in (pl.DataFrame({"a": [1, 2]}), pl.DataFrame({"a": [3, 4]})):
    ...     reservoir.add(batch[reservoir.pick(batch.height)])
    >>> reservoir.frame().height, reservoir.total
    (2, 4)
    """

    def __init__(self, size: int, seed: int):
        self.total = 0
        self._size = size
        self._rng = np.random.default_rng([seed, 0x5A3])
        self._limit = np.inf
        self._frames: list[pl.DataFrame] = []
        self._keys = np.empty(0)

    def pick(self, rows: int) -> np.ndarray:
        """Return the indices of the next batch's rows that may still be kept; hand exactly those to :meth:`add`."""
        self.total += rows
        keys = self._rng.random(rows)
        picked = np.flatnonzero(keys < self._limit)
        self._keys = np.concatenate([self._keys, keys[picked]])
        return picked

    def add(self, frame: pl.DataFrame) -> None:
        """Take in the picked rows of a batch."""
        self._frames.append(frame)
        if len(self._keys) > 1.5 * self._size:
            self._prune()

    def frame(self) -> pl.DataFrame:
        """Return the rows kept; batches whose types differ are brought to a common one."""
        self._prune()
        return self._frames[0] if self._frames else pl.DataFrame()

    def _prune(self) -> None:
        whole = pl.concat(self._frames, how="vertical_relaxed") if len(self._frames) > 1 else None
        if whole is not None:
            self._frames = [whole]
        if len(self._keys) > self._size:
            stay = np.sort(np.argpartition(self._keys, self._size)[: self._size])
            self._keys = self._keys[stay]
            self._limit = self._keys.max(initial=0.0)
            self._frames = [self._frames[0][stay]]
