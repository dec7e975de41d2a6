"""How sequences are learnt, split, assessed and restored."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from verisyn import shelves
from verisyn.data import Dataset
from verisyn.errors import UserError, did_you_mean
from verisyn.findings import Assessment, Finding
from verisyn.modalities._made import About, Asked
from verisyn.modalities.sequence import BaseGenerator, Source
from verisyn.modalities.sequence._attack import audit
from verisyn.modalities.sequence._layout import Layout
from verisyn.modalities.sequence._model import SequenceModel
from verisyn.modalities.sequence._split import split
from verisyn.modalities.sequence._whole import Whole
from verisyn.progress import Progress
from verisyn.schema import Schema

if TYPE_CHECKING:
    import polars as pl

    from verisyn.metrics import Effort

    Frames = Mapping[str, pl.DataFrame]

__all__ = ["assess", "learn", "restore", "split"]


def assess(fake: Frames, train: Frames, holdout: Frames | None, schema: Schema, about: dict[str, Any], *,
           effort: Effort, seed: int, progress: Progress) -> Assessment:
    """Judge synthetic histories against those that were learnt from, and those that were not."""
    from verisyn.modalities.sequence import _assess

    return _assess.assess(fake, train, holdout, schema, about, effort=effort, seed=seed, progress=progress)


def learn(dataset: Dataset, schema: Schema, asked: Asked, progress: Progress) -> SequenceModel:
    """Learn a generator of sequences from a table.

    Raises
    ------
    UserError
        If the columns of entity or time do not serve, or the generator has no such setting.
    """
    maker = _generator(asked.generator, asked.settings)
    train, unseen = split(dataset, schema, asked.holdout, asked.seed) if asked.holdout else (dataset, None)
    model = _learnt(train, schema, asked, maker, progress)
    model.info = dataclasses.replace(model.info, rows_source=dict(dataset.rows_total) or _heights(dataset))

    def again(rows: Dataset, seed: int) -> SequenceModel:
        return _learnt(rows, schema, dataclasses.replace(asked, seed=seed), maker, Progress())

    with progress.stage("audit"):
        model.memory = audit(model, train, unseen, asked.audit, again)
    return model


def _learnt(train: Dataset, schema: Schema, asked: Asked, maker: Any, progress: Progress) -> SequenceModel:
    whole_seed, fit_seed = np.random.SeedSequence(asked.seed).spawn(2)
    with progress.stage("learn columns"):
        layout = Layout.learn(train.frame, schema.table)
        parts = layout.part(train.frame)
        whole = Whole.learn(layout, parts, whole_seed)
    source = Source(parts.entities, layout.known, parts.rows, layout.of_rows, layout.column_of_time)
    with progress.stage("fit") as tick:
        fitted = maker.fit(source, fit_seed, asked.jobs, asked.run, tick)
    told = (*train.notes, *layout.notes, *whole.notes, *fitted.notes)
    about = About.of(train, asked, dataclasses.asdict(maker), train, told)
    return SequenceModel(schema, about, whole, fitted, parts.entities.count)


def _generator(name: str, settings: Any) -> Any:
    """Return a generator of sequences with its settings.

    Raises
    ------
    UserError
        If it is none, or has no such setting.
    """
    home = shelves.generators.take(name)
    if not issubclass(home.Generator, BaseGenerator):
        able = [n for n in shelves.generators.names()
                if issubclass(shelves.generators.take(n).Generator, BaseGenerator)]
        raise UserError(f"The generator {name!r} makes no rows in order. Take one of {', '.join(able)}, or leave out "
                        "the column of time.")
    known = [f.name for f in dataclasses.fields(home.Generator)]
    for key in settings:
        if key not in known:
            raise UserError(f"The generator {name!r} has no setting {key!r}. {did_you_mean(key, known)}")
    return home.Generator(**settings)


def restore(state: dict[str, Any]) -> SequenceModel:
    """Rebuild a model from what was saved."""
    schema, info, learnt = Schema.model_validate(state["schema"]), About(**state["info"]), state["learnt"]
    fitted = shelves.generators.take(info.generator).Generator.fitted.restore(learnt["fitted"])
    whole = Whole.restore(schema.table, learnt["whole"])
    memory = state.get("memory") and Finding.from_dict(state["memory"])
    return SequenceModel(schema, info, whole, fitted, learnt["entities"], memory)


def _heights(dataset: Dataset) -> dict[str, int]:
    return {dataset.table_name: dataset.frame.height}
