"""The story of a database: learn, split, assess, restore; see :mod:`verisyn.modalities`."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from verisyn import shelves
from verisyn.data import Dataset
from verisyn.errors import Refused, UserError, did_you_mean
from verisyn.modalities._made import About, Asked
from verisyn.modalities.relation._model import DatabaseModel, restore
from verisyn.modalities.relation._split import split
from verisyn.modalities.relation._structure import Structure, prepared
from verisyn.modalities.relation._subject import subject_of
from verisyn.progress import Progress
from verisyn.running import Run
from verisyn.schema import Schema

_REFUSE = "refuse"


def learn(dataset: Dataset, schema: Schema, asked: Asked, progress: Progress) -> DatabaseModel:
    """Learn a database.

    Parameters
    ----------
    dataset : Dataset
    schema : Schema
        Of all its tables and links; owners are chosen where it names none.
    asked : Asked
        Its settings may hold ``orphans="refuse"`` beside those of the generator.
    progress : Progress

    Raises
    ------
    UserError
        If a setting is unknown, or owners go in a circle.
    Refused
        If orphans are to be refused, and there are some.
    """
    settings = dict(asked.settings)
    orphans = settings.pop("orphans", "keep")
    maker = _generator(asked.generator, settings)
    _check_orphans(schema, orphans)
    schema = prepared(schema, dataset.tables)
    train, unseen = split(dataset, schema, asked.holdout, asked.seed) if asked.holdout else (dataset, None)
    with progress.stage("fit", total=len(schema.tables)) as tick:
        learnt, training = maker.learn(schema, train.tables, np.random.SeedSequence(asked.seed), jobs=asked.jobs,
                                       run=asked.run, tick=tick)
    rows = {t.name: dataset.rows_total.get(t.name, dataset.tables[t.name].height) for t in schema.tables}
    learnt = dataclasses.replace(learnt, rows=rows)
    asked = dataclasses.replace(asked, holdout=asked.holdout if unseen else 0.0)
    notes = [*(note for note in train.notes if note not in dataset.notes), *learnt.notes(), *_cut(asked.run)]
    about = About.of(dataset, asked, dataclasses.asdict(maker), train, notes)
    model = DatabaseModel(schema, about, learnt)
    structure = Structure(schema)
    subject = subject_of(structure, dataset.tables)
    alone = subject is not None and subject not in structure.owner  # of others, what a model tells hangs on the owner
    if unseen is not None and subject is not None and alone and asked.audit is not False:
        from verisyn.modalities.relation._memory import attacked

        with progress.stage("audit"):
            model.memory = attacked(learnt, training, subject, unseen.tables, asked.seed)
    return model


def assess(*sides: Any, **asked: Any) -> Any:
    """Assess a database; see :func:`verisyn.modalities.relation._assess.assess`."""
    from verisyn.modalities.relation._assess import assess

    return assess(*sides, **asked)


def _cut(run: Run) -> tuple[str, ...]:
    """Say what a budget cut short; parts are those of any table."""
    return run.notes([f"part {j + 1} of a table" for j in range(max(run.cut, default=-1) + 1)])


def _generator(name: str, settings: dict[str, Any]) -> Any:
    maker = shelves.generators.take(name).Generator
    if not hasattr(maker, "learn"):
        raise UserError(f"{name!r} makes one table, and there are several. Take relation.ancestral, or give one table "
                        "alone (--table).")
    known = [f.name for f in dataclasses.fields(maker)]
    for key in settings:
        if key not in known:
            raise UserError(f"The generator {name!r} has no setting {key!r}. {did_you_mean(key, [*known, 'orphans'])}")
    return maker(**settings)


def _check_orphans(schema: Schema, orphans: str) -> None:
    if orphans not in ("keep", _REFUSE):
        raise UserError(f"orphans is {orphans!r}; 'keep' or 'refuse' was expected.")
    found = [link for link in schema.links if link.orphans]
    if orphans == _REFUSE and found:
        told = "; ".join(f"{link.orphans:.1%} of the rows by {link.name}" for link in found[:5])
        raise Refused(f"There are orphans, rows whose key no row of the parent has: {told}. Mend the data, or keep "
                      "them (orphans='keep'): synthetic rows then have as many.")


__all__ = ["assess", "learn", "restore", "split"]
