"""Mode: every cell is its column's most frequent code; useful only to see what a judge says of it."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from verisyn.modalities.table import BaseGenerator, Fitted


class Modes(Fitted):
    """One code a part."""

    def __init__(self, parts, modes):
        self.parts, self.modes = parts, modes

    def sample(self, rows, rng, allowed=None):
        """Repeat the modes; a row that a condition forbids gets no mass."""
        codes = np.tile(self.modes.astype(np.int32), (rows, 1))
        met = all(mask[self.modes[part]] for part, mask in (allowed or {}).items())
        return codes, np.full(rows, 0.0 if met else -np.inf)

    def log_prob(self, codes):
        """All mass on the mode."""
        return np.where(codes == self.modes, 0.0, -np.inf)

    def state(self):
        """Keep the modes."""
        return {"modes": self.modes}

    @classmethod
    def restore(cls, parts, state):
        """Rebuild from the modes."""
        return cls(parts, state["modes"])


@dataclass(frozen=True)
class Generator(BaseGenerator):
    """No settings."""

    fitted: ClassVar = Modes

    def fit(self, codes, seed, jobs=1, tick=lambda done: None):
        """Count each part's codes."""
        modes = []
        for i, part in enumerate(codes.parts):
            modes.append(np.bincount(codes.values[:, i], minlength=part.size).argmax())
            tick(1)
        return Modes(codes.parts, np.array(modes, np.int64))
