"""How histories are assessed: metrics of order, and those of a table on their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from verisyn import shelves
from verisyn.errors import UserError
from verisyn.findings import Assessment
from verisyn.metrics import EFFORTS, Effort, able
from verisyn.metrics._asking import NO_HOLDOUT, Asked, answers
from verisyn.metrics._conform import conform
from verisyn.metrics._histories import Histories, HistorySides
from verisyn.modalities.sequence._sides import FEWEST, HALVED, Cut, Seen, Stands, joined, parted, rows_of, stands
from verisyn.progress import Progress
from verisyn.schema import Schema, Table

OF_ROWS = ("fidelity.marginals", "fidelity.pairs", "fidelity.missingness", "fidelity.constraints")
"""What is asked of rows as if they were a table: what rests on blocks of rows, each of whole histories here."""
_INNER = 0.2


def assess(fake: Mapping[str, pl.DataFrame], train: Mapping[str, pl.DataFrame],
           holdout: Mapping[str, pl.DataFrame] | None, schema: Schema, about: Mapping[str, Any], *,
           effort: Effort = EFFORTS["standard"], seed: int = 0, progress: Progress | None = None,
           metrics: Sequence[str] | None = None) -> Assessment:
    """Ask the metrics of order about histories, and some of those of a table about their rows.

    Parameters
    ----------
    fake, train, holdout : mappings of table names to polars.DataFrame
        Synthetic rows; real rows that the generator saw; real rows it never saw (of other entities, or a later part of
        the series), if there are any.
    schema : Schema
        Its only table has a `time`.
    about : mapping
        JSON values to say of the assessment; rows, histories and notes are added.
    metrics : sequence of str, optional
        Names on the metrics' shelf, of order or among :data:`OF_ROWS`; all of these by default.

    Returns
    -------
    Assessment
    """
    from threadpoolctl import threadpool_limits

    table, progress = schema.table, progress or Progress()
    made, more = conform(fake[table.name], train[table.name], table.names, "the synthetic data")
    made, lost = _in_time(made, table)
    more += lost
    frames = [made, train[table.name], *([holdout[table.name]] if holdout else [])]
    names = [*map(shelves.metrics.full_name, metrics or [*able(HistorySides.views), *OF_ROWS])]
    seeds = np.random.SeedSequence(seed).spawn(3)
    # One thread: the same figures on every machine, and a third less CPU than threads that wait for each other.
    with progress.stage("assess", total=len(names) + 1) as tick, threadpool_limits(1, user_api="blas"):
        found, attacked, notes, counts = _sides(frames, table, effort, seed, seeds[0])
        rows = rows_of(found, table, effort, seeds[1])
        tick(1)

        def asked(name: str) -> Asked:
            return rows if name in OF_ROWS else attacked if name.startswith("privacy.") else found

        findings = answers(names, asked, seed, tick)
    told = ("synthetic", "train", "holdout")
    height = {who: frame.height for who, frame in zip(told, frames, strict=False)}
    judged = {who: side.rows for who, side in zip(told, (found.truth.fake, found.truth.train, found.truth.holdout),
                                                  strict=True)}
    return Assessment(findings, {
        **about, "rows": {"holdout": 0, **height}, "entities": counts, "judged": judged,
        "sampled": judged["synthetic"] < height["synthetic"], "target": _asked(found.truth), "effort": effort.name,
        "sensitive": [], "notes": [*about.get("notes", []), *more, *notes]})


def _asked(sides: HistorySides) -> str | None:
    """The target, where it changes within histories and so can be forecast."""
    return sides.target if sides.target in [f.name for f in sides.train.features] else None


def _in_time(fake: pl.DataFrame, table: Table) -> tuple[pl.DataFrame, list[str]]:
    """Leave out synthetic rows that do not say whose or when they are, and say so.

    Raises
    ------
    UserError
        If none does.
    """
    names = [*table.entity, *([table.time] if table.time else [])]
    kept = fake.drop_nulls(names)
    if lost := fake.height - kept.height:
        named = " or ".join(map(repr, names))
        if not kept.height:
            raise UserError(f"In no row of the synthetic data is {named} known, so there are no histories to assess. "
                            "Write them as they are written in the real data.")
        return kept, [f"{lost:,} of {fake.height:,} synthetic rows were left out, as they have no {named}."]
    return kept, []


def _sides(frames: list[pl.DataFrame], table: Table, effort: Effort, seed: int, seeds: np.random.SeedSequence
           ) -> tuple[Stands, Stands, list[str], dict[str, int]]:
    """Sides for fidelity and utility, sides for attacks, notes, and how many histories there are."""
    *own, draws = seeds.spawn(2)
    rng, unseen = np.random.default_rng(draws), len(frames) > 2
    seen = Seen.learn([frames[1], frames[0], *frames[2:]], table, own[0])
    full = [seen.histories(frame) for frame in frames]
    cut = Cut.of(joined(full[1], full[2]) if unseen else full[1], effort)
    fake, train, *others = (cut.drawn(side, rng) for side in full)
    moments = table.time is not None and seen.layout.times.read(frames[1][table.time][:1]).dtype.is_temporal()
    common: dict[str, Any] = {"table": table, "target": table.target, "windows": cut.window > 0, "effort": effort,
                              "seed": seed, "moments": moments}
    pool, apart = _real(train, others, windows=cut.window > 0, rng=rng)
    found = HistorySides(fake, pool, apart, unseen=unseen, **common)
    attacks = found
    if unseen:
        attacks = HistorySides(fake, train, others[0], unseen=True, full=(full[0], full[1], full[2]), **common)
    counts = {who: side.entities for who, side in zip(("synthetic", "train", "holdout"), full, strict=False)}
    return stands(found, rng), stands(attacks, rng), _notes(cut, counts, (fake, pool, apart), unseen), counts


def _real(train: Histories, others: list[Histories], *, windows: bool, rng: np.random.Generator
          ) -> tuple[Histories, Histories]:
    """The real histories that play training and holdout for fidelity: see the notes that `_notes` gives."""
    if windows:  # a later part of a series is another regime; what the generator saw is what it should look like
        return parted(train, 0.5)
    if not others:
        return parted(train, max(_INNER, min(0.5, HALVED / train.entities)))
    if others[0].entities >= HALVED:
        return train, others[0]
    both = joined(train, others[0])
    return parted(both.take(rng.permutation(both.entities)), 0.5)


def _notes(cut: Cut, counts: dict[str, int], judged: tuple[Histories, Histories, Histories], unseen: bool) -> list[str]:
    notes = [] if unseen else [NO_HOLDOUT]
    sizes = ", ".join(f"{side.entities:,} {who}" for who, side in zip(("synthetic", "training", "holdout"), judged,
                                                                      strict=True))
    if cut.window:
        few = f"fewer than {FEWEST} real histories" if counts["train"] > 1 else "one long series"
        notes.append(f"There {'are' if counts['train'] > 1 else 'is'} {few}: windows of {cut.window} rows were judged "
                     f"({sizes}), one half of those that were learnt from as the holdout. Their intervals hold as far "
                     "as windows do not depend on each other.")
    elif unseen and counts["holdout"] < HALVED:
        notes.append(f"With {counts['holdout']} histories in the holdout, fidelity and utility were measured against "
                     f"one half of all real histories, the other half playing the training data ({sizes}); privacy was "
                     "measured against the holdout alone.")
    elif cut.most < max(side.rows for side in judged) + cut.longest or judged[0].whole is not None:
        notes.append(f"Judged by a sample drawn by the seed: {sizes} histories, of each {cut.longest:,} rows at most.")
    return notes
