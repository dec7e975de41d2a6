"""verisyn synth: the whole story."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verisyn.cli._shared import (
    BudgetOf,
    CheckpointOf,
    EffortOf,
    Entity,
    FailUnder,
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
    Rows,
    Scale,
    SchemaFile,
    Seed,
    Since,
    Source,
    TableName,
    Target,
    Time,
    app,
    default_folder,
    described,
    enforce,
    guarded,
    policy_of,
    progress_of,
    say,
    strictest,
)


@app.command(epilog="Example: verisyn synth adult.parquet --rows 100000 --seed 7 --out adult-synth")
@guarded
def synth(
    source: Source,
    out: Annotated[Path | None, typer.Option(help="Folder to write.", show_default="NAME-synthetic")] = None,
    rows: Rows = None, scale: Scale = None, seed: Seed = 0, schema: SchemaFile = None, entity: Entity = None,
    time: Time = None, public: Public = None, generator: GeneratorName = None,
    holdout: Annotated[float, typer.Option(help="Share of rows set aside to judge the result.", min=0, max=0.9)] = 0.2,
    target: Target = None,
    steer: Annotated[Path | None, typer.Option(help="A YAML file of wishes: given, balance, shares, do, targets, fair, "
                                                    "tails, weights.", metavar="FILE")] = None,
    privacy: Privacy = None, max_leak: MaxLeak = None,
    curve: Annotated[bool | None, typer.Option(help="Draw what the privacy dial does to this data.",
                                               show_default="where it takes seconds")] = None,
    max_synthetic: MaxSynthetic = None, effort: EffortOf = "standard", since: Since = None,
    fail_under: FailUnder = None, table: TableName = None, query: Query = None, fit_rows: FitRows = 500_000,
    budget: BudgetOf = None, checkpoint: CheckpointOf = None, jobs: Jobs = None, force: Force = False,
    as_json: Json = False,
) -> None:
    """Tell the whole story: read, describe, fit, sample, assess, report."""
    from verisyn.data import read
    from verisyn.metrics import effort_of
    from verisyn.outputs import check_folder
    from verisyn.report.terminal import summary
    from verisyn.story import tell

    progress, policy = progress_of(as_json), policy_of(fail_under, since)
    effort_of(effort)
    folder = check_folder(out or default_folder(source, "synthetic"), force)
    with progress.stage("read"):
        dataset = read(source, table=table, query=query, fit_rows=fit_rows, seed=seed, entity=entity or (), time=time)
    known = described(schema, dataset, public, progress, target=target, entity=entity or (), time=time)
    story = tell(dataset, rows, seed, schema=known, generator=generator, holdout=holdout, scale=scale, steer=steer,
                 jobs=jobs, privacy=privacy, max_leak=max_leak, curve=curve, effort=effort, budget=budget,
                 max_synthetic=strictest(policy, max_synthetic), checkpoint=checkpoint,
                 progress=progress).held_against(folder, since=since, policy=policy)
    story.save(folder, force=force)
    say(summary(story.assessment, story.run, folder / "report.html"), as_json,
         {"out": str(folder), **story.assessment.to_dict(), "memory": story.run["memory"]})
    enforce(story.assessment)
