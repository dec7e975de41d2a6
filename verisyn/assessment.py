"""assess(): ask every metric on the shelf; say what could not be asked, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

import polars as pl

from verisyn import modalities, shelves
from verisyn._disclosed import by_provenance
from verisyn.description import resolve_schema
from verisyn.errors import UserError, did_you_mean
from verisyn.findings import Assessment
from verisyn.metrics import EFFORTS, Effort, Sides, able, effort_of
from verisyn.metrics._asking import NO_HOLDOUT, answers
from verisyn.metrics._conform import conform
from verisyn.metrics._table_sides import table_sides
from verisyn.modalities.table._views import TableCoder
from verisyn.progress import Progress
from verisyn.schema import Schema, Table

if TYPE_CHECKING:
    from pathlib import Path

    from verisyn.data import Dataset
    from verisyn.modalities._made import BaseModel
    from verisyn.model import Model

_OVERLAP = 0.25


def assess(synthetic: Any, real: Any, holdout: Any = None, *, schema: Schema | str | Path | None = None,
           model: Model | BaseModel | None = None, target: str | None = None,
           sensitive: str | Sequence[str] | None = None, entity: str | Sequence[str] = (), time: str | None = None,
           effort: str = "standard", seed: int = 0, progress: Progress | None = None) -> Assessment:
    """Assess synthetic data, whoever made it, against real data.

    Parameters
    ----------
    synthetic, real : Dataset, dataframe, dict of dataframes, path or URL
        What :func:`verisyn.read` takes. Tables and columns are matched by name and brought to the real columns' types.
    holdout : Dataset, dataframe, path or URL, optional
        Real rows that the generator has not seen. Privacy can be measured only against such rows.
    schema : Schema or path, optional
        Without it the real data is described first.
    model : Model, optional
        The model that made the data; where it set rows aside, `real` is split as it was then.
    target : str, optional
        The column that models are asked to predict when utility is measured; the schema's by default.
    sensitive : str or sequence of str, optional
        The columns that fairness and attribute inference are asked of; those the schema marks by default.
    entity, time : str, or sequence of str, optional
        Where rows are events or measurements in time: whose they are, and what orders them; see :func:`verisyn.fit`.
    effort : {"standard", "quick", "thorough"}
        How much it may cost: about a minute of CPU, a few seconds, or many minutes with shadow attacks.
    seed : int, default 0
        The same data, seed and version give the same findings.
    progress : Progress, optional
        Shows and records the stage.

    Returns
    -------
    Assessment

    Raises
    ------
    UserError
        If data cannot be read, the synthetic data or the holdout lacks a column, or a name is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> def people(n):
    ...     height = rng.normal(1.7, 0.1, n).round(2)
    ...     return pl.DataFrame({"height": height, "weight": (30 * height + rng.normal(20, 5, n)).round(1)})
    >>> found = assess(people(500), people(500), people(500))
    >>> found["fidelity.marginals"].verdict
    'good'
    """
    from verisyn.data import read
    from verisyn.model import only_table

    asked, progress = effort_of(effort), progress or Progress()
    with progress.stage("read"):
        timed: dict[str, Any] = {"entity": entity, "time": time}
        data, made = read(real, seed=seed, **timed), read(synthetic, seed=seed, **timed)
        other = None if holdout is None else read(holdout, seed=seed, **timed)
    if schema is None and model is not None:
        schema = model.schema
    described = resolve_schema(schema, data, target=target, progress=progress, **timed)
    data = data.of(described)
    modality = modalities.of(described)
    if hasattr(modality, "home"):
        described = _with_sensitive(described, sensitive)
        return _assess_tables(modality.home(), (made, data, other), described, model, asked, seed, progress)
    model = only_table(model) if model else None
    table = with_sensitive(described.table, sensitive)
    notes = [*data.notes, *(f"The synthetic data: {note}" for note in made.notes)]
    fake, more = conform(made.frame, data.frame, table.names, "the synthetic data")
    notes += more
    if schema is None and target is None and table.target is not None:
        notes.append(f"The target {table.target!r} was guessed; name it (--target) where models shall predict another.")
    made_keys, real_keys = _keys(fake), _keys(data.frame.select(table.names))
    if (same := _shared(made_keys, real_keys)) > 0.5:
        notes.append(f"{same:.0%} of the synthetic rows are rows of the real data, cell by cell.")
    train, unseen = data.frame, None
    if other is not None:
        unseen, more = conform(other.frame, data.frame, table.names, "the holdout")
        _check_unseen(_keys(unseen), real_keys, made_keys)
        notes += more
    elif model is not None and model.info.holdout > 0:
        seen, apart = data.split(model.info.holdout, model.info.seed)
        train, unseen = seen.frame, apart.frame
    found = assess_frames(fake, train, unseen, table, coder=model.coder if model else None, effort=asked, seed=seed,
                          progress=progress, about=_about(data, model, seed, notes))
    return _disclosing(found, made)


def _assess_tables(home: ModuleType, sides: tuple[Dataset, Dataset, Dataset | None], schema: Schema,
                   model: Any, effort: Effort, seed: int, progress: Progress) -> Assessment:
    """Assess several tables, or rows in time: synthetic ones, real ones, and held-out ones where there are some."""
    made, data, other = sides
    notes = [*data.notes, *(f"The synthetic data: {note}" for note in made.notes)]

    def like_real(side: Dataset, what: str) -> dict[str, pl.DataFrame]:
        frames, single = {}, len(schema.tables) == 1
        for table in schema.tables:
            name = side.table_name if single and len(side.tables) == 1 else table.name
            if name not in side.tables:
                raise UserError(f"{what[0].upper()}{what[1:]} has no table {name!r}, which the real data has. "
                                f"{did_you_mean(name, side.tables)} Add it, or take it out of both.")
            where = what if single else f"table {name!r} of {what}"
            frames[table.name], more = conform(side.tables[name], data.tables[table.name], table.names, where)
            notes.extend(more)
        return frames

    fake, train, unseen = like_real(made, "the synthetic data"), data, None
    if other is not None:
        unseen = like_real(other, "the holdout")
    elif model is not None and model.info.holdout > 0:
        train, apart = home.split(data, schema, model.info.holdout, model.info.seed)
        unseen = None if apart is None else like_real(apart, "the holdout")
        notes.extend(train.notes)
    about = _about(data, model, seed, list(dict.fromkeys(notes)))
    found = home.assess(fake, like_real(train, "the real data"), unseen, schema, about, effort=effort, seed=seed,
                        progress=progress)
    return _disclosing(found, made)


def _about(data: Dataset, model: Any, seed: int, notes: list[str]) -> dict[str, Any]:
    """Return what is to be said of any assessment of real data, and where they come from."""
    learnt = data.provenance.to_dict() if data.provenance else model.info.provenance if model else None
    return {"source": data.name, "seed": seed, "notes": notes, **({"provenance": learnt} if learnt else {})}


def _disclosing(found: Assessment, made: Dataset) -> Assessment:
    """Return an assessment with what the provenance of the synthetic data discloses, if anything."""
    disclosed = by_provenance(made.provenance)
    return replace(found, findings=(*found.findings, *([disclosed] if disclosed else [])))


def _with_sensitive(schema: Schema, sensitive: str | Sequence[str] | None) -> Schema:
    """Return `schema` with these columns marked, in every table that has them, and no others; as it is for None."""
    if sensitive is None:
        return schema
    wanted = [sensitive] if isinstance(sensitive, str) else [*sensitive]
    for name in wanted:
        if not any(name in table.names for table in schema.tables):
            every = [n for table in schema.tables for n in table.names]
            raise UserError(f"No table has a column {name!r}. {did_you_mean(name, every)}")
    tables = tuple(with_sensitive(t, [n for n in wanted if n in t.names]) for t in schema.tables)
    return schema.model_copy(update={"tables": tables})


def with_sensitive(table: Table, sensitive: str | Sequence[str] | None) -> Table:
    """Return `table` with these columns marked as sensitive and no others; as it is for None.

    Raises
    ------
    UserError
        If one of them is no column.
    """
    if sensitive is None:
        return table
    sensitive = [sensitive] if isinstance(sensitive, str) else sensitive
    for name in sensitive:
        table.column(name)
    columns = tuple(c.model_copy(update={"sensitive": c.name in sensitive}) for c in table.columns)
    return table.model_copy(update={"columns": columns})


def _check_unseen(holdout: pl.Series, real: pl.Series, fake: pl.Series) -> None:
    """Refuse a holdout many of whose rows are real or synthetic rows, far more than real rows have a double.

    All are keys of rows.
    """
    doubles = float(real.is_duplicated().mean())  # type: ignore[arg-type]
    usual = f"(of the real data's own rows {doubles:.0%} occur twice)"
    if (shared := _shared(holdout, real)) > doubles + _OVERLAP:
        raise UserError(f"{shared:.0%} of the holdout's rows are also among the real data {usual}, so it is no "
                        "holdout: the generator has seen it. Give as the real data only the rows that the generator "
                        "learnt from, and as the holdout none of them.")
    if (shared := _shared(holdout, fake)) > doubles + _OVERLAP:
        raise UserError(f"{shared:.0%} of the holdout's rows are also among the synthetic data {usual}, so one of the "
                        "two is not what it should be. Give as the holdout real rows that the generator never saw.")


def _keys(frame: pl.DataFrame) -> pl.Series:
    return frame.select(sorted(frame.columns)).hash_rows(seed=0)


def _shared(keys: pl.Series, others: pl.Series) -> float:
    """The share of rows that are among others; 0 of fewer than two, which prove nothing."""
    return float(keys.is_in(others.implode()).mean()) if len(keys) > 1 else 0.0  # type: ignore[arg-type]


def assess_frames(fake: pl.DataFrame, train: pl.DataFrame, holdout: pl.DataFrame | None, table: Table, *,
                  coder: TableCoder | None = None, effort: Effort = EFFORTS["standard"], seed: int = 0,
                  progress: Progress | None = None, about: dict[str, Any] | None = None,
                  metrics: Sequence[str] | None = None) -> Assessment:
    """Ask every metric on the shelf about frames that share the columns and types of `table`.

    Parameters
    ----------
    fake, train, holdout : polars.DataFrame
        Synthetic rows; real rows that the generator saw; real rows it never saw, if there are any.
    coder : TableCoder, optional
        Learnt on `train`; learnt afresh where it is not given.
    effort : Effort
        How much it may cost.
    about : dict, optional
        JSON values to say of the assessment; rows and notes are added.
    metrics : sequence of str, optional
        Names on the metrics' shelf; all of them by default.

    Returns
    -------
    Assessment
    """
    from threadpoolctl import threadpool_limits

    progress, names = progress or Progress(), [*map(shelves.metrics.full_name, metrics or able(Sides.views))]
    notes = [*(about or {}).get("notes", [])]
    rows = {"synthetic": fake.height, "train": train.height, "holdout": holdout.height if holdout is not None else 0}
    # One thread: the same figures on every machine, and a third less CPU than threads that wait for each other.
    with progress.stage("assess", total=len(names) + 1) as tick, threadpool_limits(1, user_api="blas"):
        sides = table_sides((fake, train, holdout), table, coder, effort, seed)
        tick(1)
        findings = answers(names, lambda _: sides, seed, tick)
    if holdout is None:
        notes.append(NO_HOLDOUT)
    judged, sampled = sides.judged, sides.sampled
    if sampled:
        counts = ", ".join(f"{count:,} {side}" for side, count in judged.items())
        notes.append(f"Judged by a sample drawn by the seed, as many synthetic as training rows at most: {counts}.")
    about = {**(about or {}), "rows": rows, "judged": judged, "sampled": sampled, "target": table.target,
             "effort": effort.name, "sensitive": list(sides.truth.sensitive), "notes": notes}
    return Assessment(findings, about)
