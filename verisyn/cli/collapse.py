"""verisyn collapse: generations of a generator that learns from its own rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verisyn.cli._shared import (
    EffortOf,
    FitRows,
    Force,
    Jobs,
    Json,
    Query,
    SchemaFile,
    Seed,
    Source,
    TableName,
    Target,
    app,
    default_folder,
    guarded,
    progress_of,
    save_study,
)


@app.command(epilog="Example: verisyn collapse adult.parquet --generations 10 --out adult-collapse --effort quick")
@guarded
def collapse(
    source: Source,
    out: Annotated[Path | None, typer.Option(help="Folder for report.html and assessment.json.",
                                             show_default="NAME-collapse")] = None,
    generations: Annotated[int, typer.Option(help="How many; the first learns from real rows.", min=2)] = 10,
    regime: Annotated[list[str] | None, typer.Option(help="What a generation learns from: replace, accumulate or "
                                                          "budget. May be repeated.", show_default="all three")] = None,
    real_share: Annotated[list[float] | None, typer.Option(help="A share of real rows to try in each generation. May "
                                                                "be repeated.", metavar="SHARE",
                                                           show_default="by the effort")] = None,
    repeats: Annotated[int | None, typer.Option(help="Independent repetitions.", min=2,
                                                show_default="by the effort: 3, 4 or 6")] = None,
    rows: Annotated[int | None, typer.Option(help="Real rows to learn from at most.", min=20,
                                             show_default="by the effort: 2000, 10000 or all")] = None,
    generator: Annotated[str, typer.Option(help="A generator of tables; see 'verisyn list generators'.")] = "trees",
    schema: SchemaFile = None, target: Target = None, effort: EffortOf = "standard",
    seed: Seed = 0, table: TableName = None, query: Query = None, fit_rows: FitRows = 500_000,
    checkpoint: Annotated[Path | None, typer.Option(help="Folder to keep in what was measured; after an interruption "
                                                         "the same command goes on from there.", metavar="DIR")] = None,
    jobs: Jobs = None, force: Force = False, as_json: Json = False,
) -> None:
    """Measure how fast a generator that learns from its own rows loses the real data."""
    from verisyn.data import read
    from verisyn.generations import REGIMES
    from verisyn.generations import collapse as measure
    from verisyn.outputs import check_folder

    out = check_folder(out or default_folder(source, "collapse"), force)
    dataset = read(source, table=table, query=query, fit_rows=fit_rows, seed=seed)
    found = measure(dataset, generations=generations, regimes=regime or REGIMES, generator=generator, rows=rows,
                    real_shares=real_share, repeats=repeats, schema=schema, target=target, effort=effort, seed=seed,
                    checkpoint=checkpoint, jobs=jobs, progress=progress_of(as_json))
    lead = (f"{found.about['repeats']} times over, {generations} generations of {found.about['generator']} learnt from "
            f"rows of {dataset.name} and from each other's, and were held against real rows that none of them saw.")
    save_study(found, out, title=dataset.name, kind="collapse", lead=lead, force=force, as_json=as_json)
