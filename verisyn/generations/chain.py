"""One repetition: a split of the real rows, a first generator, and from there each track to its last generation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from zlib import crc32

import numpy as np
import polars as pl

from verisyn.data import Dataset
from verisyn.errors import UserError
from verisyn.generations.measures import KINDS, Ruler
from verisyn.generations.plan import Track
from verisyn.schema import Schema

Measured = dict[str, np.ndarray]
"""What was measured of each generation: float64 of shape (generations,), by the measure's name; NaN where nothing."""


@dataclass(frozen=True)
class Recipe:
    """How each generation is learnt and judged.

    Parameters
    ----------
    schema : Schema
        Of the real data; the columns are learnt anew from each generation's rows.
    generator : str
    settings : mapping
        The generator's own.
    rows : int
        Real rows that are learnt from at most; each generation has as many.
    generations : int
    effort : str
    jobs : int or None
    """

    schema: Schema
    generator: str
    settings: Mapping[str, Any]
    rows: int | None
    generations: int
    effort: str
    jobs: int | None

    def draw(self, frame: pl.DataFrame, rows: int, seed: int) -> pl.DataFrame:
        """Learn a generator from `frame`, and draw rows from it."""
        from verisyn.model import fit

        model = fit(frame, self.schema, generator=self.generator, seed=seed, audit=False, jobs=self.jobs,
                    **self.settings)
        return model.sample_frame(rows, seed=seed, jobs=self.jobs)


@dataclass(frozen=True)
class Chain:
    """One repetition; its seed decides the split and every draw, whichever tracks are walked."""

    data: Dataset
    recipe: Recipe
    seed: int
    reasons: dict[str, str] = field(default_factory=dict)

    @cached_property
    def halves(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Real rows to learn from, and as many to judge by."""
        rng = np.random.default_rng([self.seed, 0x5917])
        names = self.recipe.schema.table.names
        order = rng.permutation(self.data.frame.height)
        half = min(len(order) // 2, self.recipe.rows or len(order))
        learnt, unseen = np.sort(order[:half]), np.sort(order[half:2 * half])
        return self.data.frame[learnt].select(names), self.data.frame[unseen].select(names)

    @cached_property
    def ruler(self) -> Ruler:
        """What every generation is held against."""
        return Ruler(*self.halves, self.recipe.schema.table, self.recipe.effort, self.seed)

    @cached_property
    def first(self) -> tuple[pl.DataFrame, dict[str, float]]:
        """The rows of the first generation, from which every track goes on, and what was measured of them."""
        real = self.halves[0]
        made = self.recipe.draw(real, real.height, self._seed_of("first", 1))
        return made, self.ruler.measure(made)

    def baseline(self) -> Measured:
        """Return what is measured of the real rows learnt from, in every generation's place."""
        found = self.ruler.measure(self.halves[0])
        self.reasons.update({key: why for key, why in self.ruler.reasons.items() if key not in self.reasons})
        return {name: np.full(self.recipe.generations, value) for name, value in found.items()}

    def walk(self, track: Track) -> Measured:
        """Return what was measured of each generation of a track; NaN from where nothing more could be learnt."""
        real, (made, measured) = self.halves[0], self.first
        so_far, found = [made], [measured]
        for generation in range(2, self.recipe.generations + 1):
            seed = self._seed_of(track.label, generation)
            rng = np.random.default_rng([seed, 0x313])
            try:
                made = self.recipe.draw(track.mix(real, so_far, rng), real.height, seed)
            except UserError as why:
                self.reasons.setdefault(track.label, f"generation {generation} could not be learnt ({why})")
                nothing = dict.fromkeys(KINDS, float("nan"))
                found += [nothing] * (self.recipe.generations - generation + 1)
                break
            so_far.append(made)
            found.append(self.ruler.measure(made))
        return {name: np.array([values[name] for values in found]) for name in KINDS}

    def _seed_of(self, track: str, generation: int) -> int:
        return int(np.random.SeedSequence([self.seed, crc32(track.encode()), generation]).generate_state(1)[0])
