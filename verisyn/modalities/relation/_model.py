"""A model of a database: what was learnt, how it came to be, and the tables drawn from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import polars as pl

from verisyn.errors import UserError, did_you_mean, whole_number
from verisyn.findings import Finding
from verisyn.modalities._made import About, BaseModel
from verisyn.modalities.relation._draw import draw
from verisyn.modalities.relation._learn import Learnt
from verisyn.modalities.relation._wishes import Wishes
from verisyn.progress import Progress
from verisyn.running import threads
from verisyn.schema import Schema

_WISHES = ("scale", "rows", "given", "seed_tables")


class DatabaseModel(BaseModel):
    """What was learnt from tables that point to each other."""

    modality: ClassVar = "relation"

    def __init__(self, schema: Schema, about: About, learnt: Learnt, memory: Finding | None = None):
        super().__init__(schema, about, memory)
        self.learnt = learnt

    def sample_tables(self, *, seed: int = 0, jobs: int | None = None, progress: Progress | None = None,
                      **wishes: Any) -> dict[str, pl.DataFrame]:
        """Draw synthetic tables.

        Parameters
        ----------
        seed : int, default 0
            The same model and seed give the same bytes, whatever `jobs` is.
        jobs : int, optional
            Threads; all cores by default.
        progress : Progress, optional
            Shows and records the stage, and keeps what is to be said.
        scale : float, default 1.0
            How many times the source's rows, 0.001 to 1000. Numbers of children stay as they are in the source; small
            tables that others merely point to (shippers, genres), and public ones, keep their rows.
        rows : int or mapping of str to int, optional
            About how many in all tables together; or how many rows of a table, ``{"customers": 500}``: exactly so many
            of a table that belongs to none, about so many of one that belongs to another.
        given : mapping of str, optional
            Conditions that all rows of a table meet, ``{"customers": "country == 'Germany'"}``.
        seed_tables : mapping of str to dataframe, optional
            Rows that are there already, such as customers to draw orders for; they come back as they are.

        Returns
        -------
        dict of str to polars.DataFrame

        Raises
        ------
        UserError
            If a wish is unknown, or cannot be met.
        """
        for name in wishes:
            if name not in _WISHES:
                raise UserError(f"A database cannot be drawn with {name!r}. {did_you_mean(name, _WISHES)}")
        whole_number("seed", seed, 0)
        progress = progress or Progress()
        read = Wishes.read(self.learnt, **wishes)
        with progress.stage("sample", total=len(self.schema.tables)) as tick:
            frames, notes = draw(self.learnt, read, np.random.SeedSequence(seed), threads(jobs), tick)
        for note in notes:
            progress.note(note)
        return frames

    def state(self) -> dict[str, Any]:
        """Return what was learnt as JSON values and arrays."""
        return self.learnt.state()


def restore(state: Mapping[str, Any]) -> DatabaseModel:
    """Rebuild a model from what :meth:`DatabaseModel.save` wrote."""
    schema = Schema.model_validate(state["schema"])
    info = {**state["info"], "notes": tuple(state["info"].get("notes", ()))}
    memory = state.get("memory") and Finding.from_dict(state["memory"])
    return DatabaseModel(schema, About(**info), Learnt.restore(schema, state["learnt"]), memory or None)
