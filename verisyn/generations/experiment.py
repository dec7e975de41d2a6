"""All repetitions of all tracks, one after the other; what is measured is kept, so that it can go on after a stop."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from verisyn import __version__, shelves
from verisyn.checkpoint import Checkpoint
from verisyn.data import Dataset
from verisyn.findings import Assessment
from verisyn.generations.answers import findings
from verisyn.generations.chain import Chain, Measured, Recipe
from verisyn.generations.plan import Track
from verisyn.progress import Progress


@dataclass(frozen=True)
class Experiment:
    """What is tried, on which data, how often."""

    data: Dataset
    recipe: Recipe
    tracks: Sequence[Track]
    repeats: int
    seed: int

    def run(self, checkpoint: str | Path | None, progress: Progress) -> Assessment:
        """Walk every track of every repetition, or read what an earlier run kept of it; tell what was found."""
        kept = Checkpoint(checkpoint, self._fingerprint()) if checkpoint else None
        results: dict[Track, list[Measured]] = {track: [] for track in self.tracks}
        real: list[Measured] = []
        reasons: dict[str, str] = {}
        steps = self.repeats * (1 + len(self.tracks) * self.recipe.generations)
        with progress.stage("generations", total=steps) as tick:
            for k in range(self.repeats):
                number = int(np.random.SeedSequence([self.seed, k]).generate_state(1)[0])
                chain = Chain(self.data, self.recipe, number, reasons)
                real.append(_once(kept, f"{k}-real", chain.baseline, reasons, tick, 1))
                for track in self.tracks:
                    results[track].append(_once(kept, f"{k}-{track.key}", partial(chain.walk, track), reasons, tick,
                                                self.recipe.generations))
        if kept:
            kept.remove()
        return Assessment(findings(results, real, reasons), self._about(chain, reasons))

    def _about(self, chain: Chain, reasons: dict[str, str]) -> dict[str, object]:
        learnt, judged = (half.height for half in chain.halves)
        notes = [*self.data.notes, *(f"{track.label}: {reasons[track.label]}." for track in self.tracks
                                     if track.label in reasons)]
        if self.data.provenance and self.data.provenance.generation:
            notes.append(f"The data itself is not all real ({self.data.provenance.told()}): what is called real here "
                         "is these rows.")
        return {"source": self.data.name, "generator": shelves.generators.full_name(self.recipe.generator),
                "rows_learnt_from": learnt, "rows_to_judge_by": judged, "generations": self.recipe.generations,
                "repeats": self.repeats, "target": self.recipe.schema.table.target, "effort": self.recipe.effort,
                "seed": self.seed, "tried": [track.label for track in self.tracks], "notes": notes}

    def _fingerprint(self) -> dict[str, str]:
        content = hashlib.sha256(self.data.frame.write_ipc(None).getvalue())
        content.update(self.recipe.schema.to_yaml().encode())
        options = {key: value for key, value in asdict(self.recipe).items() if key not in ("schema", "jobs")}
        return {"the data or its schema": content.hexdigest(), "its settings": json.dumps(options, default=str),
                "the seed": str(self.seed), "the version": __version__}


def _once(kept: Checkpoint | None, name: str, make: Callable[[], Measured], reasons: dict[str, str],
          tick: Callable[[int], None], steps: int) -> Measured:
    """Return what was kept under a name, or else make it and keep it, with what could not be done."""
    known = kept.get(name) if kept else None
    if known is None:
        before = dict(reasons)
        known = {"measured": make(), "reasons": {}}
        known["reasons"] = {key: why for key, why in reasons.items() if key not in before}
        if kept:
            kept.put(name, known)
    else:
        reasons.update({key: why for key, why in known["reasons"].items() if key not in reasons})
    tick(steps)
    return known["measured"]
