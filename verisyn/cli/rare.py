"""verisyn rare: do synthetic rare events help, beside what one would otherwise do?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verisyn.cli._shared import (
    Force,
    Jobs,
    Json,
    Query,
    SchemaFile,
    Seed,
    Source,
    TableName,
    app,
    default_folder,
    guarded,
    progress_of,
    save_study,
)


@app.command(epilog="Example: verisyn rare claims.csv --target fraud --out claims-rare")
@guarded
def rare(
    source: Source,
    target: Annotated[str, typer.Option(help="The column that says whether the event happened.")],
    out: Annotated[Path | None, typer.Option(help="Folder for report.html and assessment.json.",
                                             show_default="NAME-rare")] = None,
    event: Annotated[str | None, typer.Option(help="The level that is rare.", show_default="the rarest")] = None,
    share: Annotated[float, typer.Option(help="The share of events that is aimed at, between 0 and 1.")] = 0.5,
    repeats: Annotated[int, typer.Option(help="Splits of the real rows.", min=2)] = 5,
    schema: SchemaFile = None, seed: Seed = 0, table: TableName = None, query: Query = None, jobs: Jobs = None,
    force: Force = False, as_json: Json = False,
) -> None:
    """Ask whether synthetic rare events help a model, beside class weights, oversampling and SMOTE."""
    from verisyn.data import read
    from verisyn.outputs import check_folder
    from verisyn.rarity import rare as ask

    out = check_folder(out or default_folder(source, "rare"), force)
    progress = progress_of(as_json)
    dataset = read(source, table=table, query=query, seed=seed)
    found = ask(dataset, target, event=event, share=share, repeats=repeats, seed=seed, schema=schema, jobs=jobs,
                progress=progress)
    lead = (f"{found.about['events']:,} of {found.about['rows']:,} rows are {target} = {found.about['event']}. Models "
            "learn from each way's rows, and are tested on real rows that neither they nor the generator saw.")
    save_study(found, out, title=dataset.name, kind="rare events", lead=lead, force=force, as_json=as_json)
