"""What is asked of a synthetic database: every metric of the view ``"links"``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from verisyn import shelves
from verisyn.findings import Assessment
from verisyn.metrics import Effort, able
from verisyn.metrics._asking import NO_HOLDOUT, answers
from verisyn.metrics._linked import Database, DatabaseSides
from verisyn.modalities.relation._across import Rules
from verisyn.modalities.relation._structure import prepared
from verisyn.modalities.table._views import TableCoder
from verisyn.progress import Progress
from verisyn.schema import Schema, Table

Frames = Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class Databases:
    """The sides as they are, and with stand-ins for the synthetic database: links at random, real subjects."""

    truth: DatabaseSides
    floor: DatabaseSides

    @classmethod
    def of(cls, fake: Frames, train: Frames, holdout: Frames | None, schema: Schema, effort: Effort, seed: int
           ) -> Databases:
        """See the tables through coders that are learnt on the training rows, and follow all links."""
        rules = Rules.learn(train, schema)
        *seeds, last = np.random.SeedSequence(seed).spawn(len(schema.tables) + 1)
        rng = np.random.default_rng(last)
        judged = [_judged(t, rules) for t in schema.tables]
        coders = {t.name: TableCoder.learn(_some(train[t.name].select(t.names), effort.rows, rng), t, own)
                  for t, own in zip(judged, seeds, strict=True)}
        seen, made = (Database.of(frames, schema, coders) for frames in (train, fake))
        other = seen if holdout is None else Database.of(holdout, schema, coders)
        truth = DatabaseSides(made, seen, other, schema, holdout is not None, effort, seed,
                              rules=rules)
        return cls(truth, replace(truth, fake=seen.shuffled(rng), pictured=False))

    def ceiling(self, stand_in: str | None) -> DatabaseSides | None:
        """The training rows in the synthetic data's place; None where nothing was held out to hold them against."""
        if stand_in is None or not self.truth.unseen:
            return None
        return replace(self.truth, fake=self.truth.train, pictured=False)


def assess(fake: Frames, train: Frames, holdout: Frames | None, schema: Schema, about: dict[str, Any] | None = None, *,
           effort: Effort, seed: int = 0, progress: Progress | None = None, metrics: Sequence[str] | None = None
           ) -> Assessment:
    """Ask every metric of databases about three databases of one schema.

    Parameters
    ----------
    fake, train, holdout : mapping of str to polars.DataFrame
        The tables by name: synthetic ones; real ones that the generator saw; held-out subjects with all that belongs to
        them, and the tables that belong to no subject, or None.
    schema : Schema
        Of all tables, with their links.
    about : dict, optional
        JSON values to say of the assessment; rows and notes are added.
    effort : Effort
        How much it may cost.
    seed : int, default 0
        The same data, seed and version give the same findings.
    metrics : sequence of str, optional
        Names on the metrics' shelf; all that can be asked of databases by default.

    Returns
    -------
    Assessment
    """
    from threadpoolctl import threadpool_limits

    progress, about = progress or Progress(), about or {}
    schema = prepared(schema, train)
    names = [*map(shelves.metrics.full_name, metrics or able(DatabaseSides.views))]
    with progress.stage("assess", total=len(names) + 1) as tick, threadpool_limits(1, user_api="blas"):
        asked = Databases.of(fake, train, holdout, schema, effort, seed)
        tick(1)
        findings = answers(names, lambda _: asked, seed, tick)
    notes = [*about.get("notes", ()), *([NO_HOLDOUT] if holdout is None else [])]
    truth = asked.truth
    tables = {t.name: {"synthetic": truth.fake.rows(t.name), "train": truth.train.rows(t.name),
                       "holdout": truth.holdout.rows(t.name) if truth.held_out(t.name) else 0} for t in schema.tables}
    rows = {side: sum(told[side] for told in tables.values()) for side in ("synthetic", "train", "holdout")}
    return Assessment(findings, {
        **about, "rows": rows, "judged": rows, "sampled": False, "target": None, "effort": effort.name, "sensitive": [],
        "tables": tables, "notes": notes})


def _judged(table: Table, rules: Rules) -> Table:
    """Return the table without columns that repeat a parent's: they are judged where they come from."""
    return table.of([name for name in table.names if rules.source(table.name, name) is None])


def _some(frame: pl.DataFrame, most: int, rng: np.random.Generator) -> pl.DataFrame:
    return frame if frame.height <= most else frame[np.sort(rng.choice(frame.height, most, replace=False))]
