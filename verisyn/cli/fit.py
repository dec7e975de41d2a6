"""verisyn fit: learn a generator and save it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verisyn.cli._shared import (
    BudgetOf,
    CheckpointOf,
    Entity,
    FitRows,
    Force,
    GeneratorName,
    Jobs,
    Json,
    MaxLeak,
    MaxSynthetic,
    Privacy,
    Public,
    Query,
    SchemaFile,
    Seed,
    Source,
    TableName,
    Time,
    app,
    described,
    guarded,
    progress_of,
    say,
)


@app.command(epilog="Example: verisyn fit adult.parquet --out adult-model --seed 7")
@guarded
def fit(
    source: Source,
    out: Annotated[Path, typer.Option(help="Model folder to write.")],
    schema: SchemaFile = None, seed: Seed = 0, entity: Entity = None, time: Time = None, public: Public = None,
    generator: GeneratorName = None,
    holdout: Annotated[float, typer.Option(help="Share of rows to leave unseen, for 'assess --model'.", min=0,
                                           max=0.9)] = 0.0,
    privacy: Privacy = None, max_leak: MaxLeak = None,
    audit: Annotated[bool | None, typer.Option(help="Measure what the model file tells of its rows.",
                                               show_default="unless the table is very wide")] = None,
    max_synthetic: MaxSynthetic = None,
    causes: Annotated[str | None, typer.Option(help="What is a cause of what: \"age -> job -> income; sex -> income\"; "
                                                    "or a file from 'verisyn causes'.", metavar="FILE|TEXT")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Take causes as they were proposed, not confirmed.")] = False,
    table: TableName = None, query: Query = None, fit_rows: FitRows = 500_000,
    budget: BudgetOf = None, checkpoint: CheckpointOf = None, jobs: Jobs = None, force: Force = False,
    as_json: Json = False,
) -> None:
    """Learn a generator from data and save it."""
    from verisyn.causality.told import Causes
    from verisyn.data import read
    from verisyn.model import fit as fit_model
    from verisyn.outputs import check_folder

    check_folder(out, force)
    told_causes = None if causes is None else Causes.read(causes)
    if told_causes:
        told_causes = (told_causes.confirm() if yes else told_causes).must_be_confirmed()
    progress = progress_of(as_json)
    dataset = read(source, table=table, query=query, fit_rows=fit_rows, seed=seed, entity=entity or (), time=time)
    known = described(schema, dataset, public, progress, entity=entity or (), time=time)
    model = fit_model(dataset, known, generator=generator, seed=seed, holdout=holdout, privacy=privacy,
                      max_leak=max_leak, audit=audit, max_synthetic=max_synthetic, causes=told_causes,
                      budget=budget, checkpoint=checkpoint, jobs=jobs, progress=progress)
    model.save(out, force=force)
    cost = sum(c.cpu_seconds for c in progress.costs)
    told = "".join(f"{note}\n" for note in model.info.notes)
    told += f"{model.memory.title} {model.memory.reason}\n" if model.memory else ""
    tables, rows = model.schema.tables, model.info.rows_train
    columns = [name if len(tables) == 1 else f"{t.name}.{name}" for t in tables for name in t.names]
    learnt = rows if isinstance(rows, int) else sum(rows.values())
    say(f"Learnt {len(columns)} columns from {learnt:,} rows in {cost:.1f} CPU s. {told}"
         f"Now: verisyn sample {out} --out synthetic{'.' if dataset.extension else ''}{dataset.extension}",
         as_json, {"out": str(out), "rows": rows, "columns": columns,
                   "cpu_seconds": cost, "generation": model.info.generation, "provenance": model.info.provenance,
                   "notes": list(model.info.notes), "memory": model.memory and model.memory.to_dict()})
