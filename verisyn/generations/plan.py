"""What is tried: how many rows and repetitions, and what each generation learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from verisyn.errors import UserError, did_you_mean
from verisyn.frames import some
from verisyn.metrics import EFFORTS, effort_of


@dataclass(frozen=True)
class Scale:
    """How much an experiment may cost by default.

    Parameters
    ----------
    rows : int or None
        Real rows that are learnt from at most, and as many to judge by; None for all there are.
    repeats : int
        Independent repetitions: another split, other seeds.
    shares : tuple of float
        Real shares that are tried.
    """

    rows: int | None
    repeats: int
    shares: tuple[float, ...]


SCALES = {"quick": Scale(2_000, 3, (0.25, 0.5, 0.75)), "standard": Scale(10_000, 4, (0.1, 0.25, 0.5, 0.75)),
          "thorough": Scale(None, 6, (0.05, 0.1, 0.25, 0.5, 0.75))}
assert set(SCALES) == set(EFFORTS)


@dataclass(frozen=True)
class Track:
    """One way to go on from generation to generation: a regime, or a mix with a fixed real share."""

    name: str
    share: float | None = None

    @property
    def key(self) -> str:
        """How it is called in a file name."""
        return self.name if self.share is None else f"share-{self.share:g}"

    @property
    def label(self) -> str:
        """How it is called beside others."""
        return self.name if self.share is None else f"{100 * self.share:g} % real"

    def mix(self, real: pl.DataFrame, made: Sequence[pl.DataFrame], rng: np.random.Generator) -> pl.DataFrame:
        """Return what the next generation learns from: of the real rows, and of those of each generation so far.

        Examples
        --------
        >>> real, made = pl.DataFrame({"x": [1, 2, 3, 4]}), pl.DataFrame({"x": [5, 6, 7, 8]})
        >>> rng = np.random.default_rng(0)
        >>> Track("replace").mix(real, [made], rng).height, Track("accumulate").mix(real, [made], rng).height
        (4, 8)
        >>> sorted((Track("share", 0.25).mix(real, [made], rng)["x"] < 5).to_list())
        [False, False, False, True]
        """
        if self.share is not None:
            kept = round(self.share * real.height)
            return _together(some(real, kept, rng), some(made[-1], real.height - kept, rng))
        return _REGIMES[self.name](real, made, rng)


def _together(*frames: pl.DataFrame) -> pl.DataFrame:
    return pl.concat(frames, how="vertical_relaxed")


_REGIMES = {
    "replace": lambda real, made, rng: made[-1],
    "accumulate": lambda real, made, rng: _together(real, *made),
    "budget": lambda real, made, rng: some(_together(real, *made), real.height, rng),
}
REGIMES = tuple(_REGIMES)
SAID = {"replace": "where each replaces the last", "accumulate": "where they accumulate beside the real rows",
        "budget": "where as many rows are drawn from all of these"}


def tracks(regimes: Sequence[str], shares: Sequence[float]) -> tuple[Track, ...]:
    """Return what is tried: the regimes, then the real shares in growing order.

    Raises
    ------
    UserError
        If a regime is unknown, a share is none, or there is nothing to try.
    """
    regimes = [regimes] if isinstance(regimes, str) else list(dict.fromkeys(regimes))
    for name in regimes:
        if name not in REGIMES:
            raise UserError(f"There is no regime {name!r}. {did_you_mean(name, REGIMES)}")
    for share in shares:
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
            raise UserError(f"A real share of {share!r} cannot be tried; numbers between 0 and 1 were expected (0 is "
                            "the regime 'replace').")
    found = (*map(Track, regimes), *(Track("share", float(s)) for s in sorted(set(shares))))
    if not found:
        raise UserError("Neither a regime nor a real share was given. Give at least one.")
    return found


def scale_of(effort: str) -> Scale:
    """Return how much an effort may cost; raises UserError where there is none of that name."""
    return SCALES[effort_of(effort).name]
