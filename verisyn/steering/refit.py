"""A model learnt from a model's own rows, with the columns of a rare condition first: then such rows come at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from verisyn.drawing import BLOCK, child
from verisyn.modalities.table import Allowed, Codes, Fitted

_FEWEST, _MOST = 20_000, 50_000
_RARE_DRAWS = 500_000
_FIT_COST = 60
"""To learn from a row costs about as much as to draw so many."""

Sample = Callable[[int, np.random.Generator, Allowed | None], tuple[np.ndarray, np.ndarray]]
"""What :meth:`Fitted.sample` is."""


@dataclass
class Refitter:
    """Fits a model again from its own rows; what it fitted is kept for the next time.

    A generator weighs a restricted column by what stands before it, so a rare condition on late columns lets few rows
    through. With the condition's columns in front, hardly anything stands before them. The rows to learn from are the
    model's own: unconditional ones, and rows that meet the condition, as many as `_RARE_DRAWS` restricted draws give.
    The latter change how often the condition is met, which does not matter once it is given, and not what the other
    columns are like then. No training row is needed; nothing is learnt of them that the model did not tell.

    Parameters
    ----------
    maker : BaseGenerator
        The generator, with its settings.
    fitted : Fitted
        What it learnt.
    rows : int
        Rows that it learnt from.
    seed : int
    jobs : int
    say : function
        Told that a model was fitted.
    kept : dict
        Fitted models by condition.
    """

    maker: Any
    fitted: Fitted
    rows: int
    seed: int
    jobs: int
    say: Callable[[str, bool], None]
    kept: dict[bytes, Sample] = field(default_factory=dict)

    @property
    def _own_rows(self) -> int:
        return int(np.clip(self.rows, _FEWEST, _MOST))

    @property
    def cost(self) -> int:
        """What refitting costs, in rows drawn."""
        return _FIT_COST * self._own_rows + _RARE_DRAWS

    def __call__(self, allowed: Allowed, mass: float) -> Sample:
        """Return the `sample` of a model in which the restricted parts come first."""
        key = b"".join(np.int64(part).tobytes() + np.packbits(mask).tobytes() for part, mask in sorted(allowed.items()))
        if key not in self.kept:
            self.kept[key] = self._fit(allowed)
            self.say(f"The condition has a probability of {mass:.2g} in the model, so a model was fitted for it: to "
                     f"{self._own_rows:,} of its own rows and those of {_RARE_DRAWS:,} more that met it.", False)
        return self.kept[key]

    def _fit(self, allowed: Allowed) -> Sample:
        order = [*sorted(allowed), *(part for part in self.fitted.order if part not in allowed)]
        seed, fit = np.random.SeedSequence([self.seed, 0x2EF1, *sorted(allowed)]).spawn(2)
        values = np.vstack([*self._own(seed), self._rare(seed, allowed)])[:, order]
        parts = tuple(self.fitted.parts[part] for part in order)
        names = tuple(str(part) for part in order)
        again = _as_it_stands(self.maker).fit(Codes(np.asfortranarray(values), parts, names), fit, jobs=self.jobs)
        back = np.argsort(order)

        def sample(rows: int, rng: np.random.Generator, masks: Allowed | None) -> tuple[np.ndarray, np.ndarray]:
            codes, mass = again.sample(rows, rng, {int(back[part]): mask for part, mask in (masks or {}).items()})
            return np.asfortranarray(codes[:, back]), mass

        return sample

    def _own(self, seed: np.random.SeedSequence) -> list[np.ndarray]:
        """Unconditional rows."""
        sizes = [min(BLOCK, self._own_rows - start) for start in range(0, self._own_rows, BLOCK)]
        with ThreadPoolExecutor(self.jobs) as pool:
            return list(pool.map(lambda number, size: self.fitted.sample(size, _rng(seed, 1, number))[0],
                                 range(len(sizes)), sizes))

    def _rare(self, seed: np.random.SeedSequence, allowed: Allowed) -> np.ndarray:
        """Rows that meet the condition; the first block says by what bound the others are accepted."""
        bound = float(self.fitted.sample(BLOCK, _rng(seed, 0, 0), allowed)[1].max())

        def block(number: int) -> np.ndarray:
            rng = _rng(seed, 0, number)
            codes, log_mass = self.fitted.sample(BLOCK, rng, allowed)
            return codes[np.log(rng.random(BLOCK)) < log_mass - bound]

        with ThreadPoolExecutor(self.jobs) as pool:
            rare = np.vstack(list(pool.map(block, range(_RARE_DRAWS // BLOCK))))
        return rare[: self._own_rows // 2]


def _as_it_stands(maker: Any) -> Any:
    """Return the generator with the columns' order as they come, where it has a say in that."""
    return replace(maker, order="given") if hasattr(maker, "order") else maker


def _rng(seed: np.random.SeedSequence, *path: int) -> np.random.Generator:
    for number in path:
        seed = child(seed, number)
    return np.random.default_rng(seed)
