"""verisyn impute: complete missing cells."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from verisyn.cli._shared import Force, Json, Query, Seed, Source, TableName, app, guarded, say


@app.command(epilog="Example: verisyn impute survey-model survey.csv -o survey-complete.csv --draws 5")
@guarded
def impute(
    model: Annotated[Path, typer.Argument(help="A model folder from 'verisyn fit'.", show_default=False)],
    source: Source,
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write; with several draws, one a draw: "
                                                          "NAME-1.csv, NAME-2.csv, …")],
    draws: Annotated[int, typer.Option(help="How many completions, each drawn anew.", min=1)] = 1,
    table: TableName = None, query: Query = None, seed: Seed = 0, force: Force = False, as_json: Json = False,
) -> None:
    """Complete missing cells by draws from the model, given all other cells of the row."""
    from verisyn._manifest import check as check_output
    from verisyn.answers import EVERY_ROW
    from verisyn.data import read, write
    from verisyn.formats import of_path
    from verisyn.frames import with_dtypes
    from verisyn.model import Model

    name, dot, ending = out.name.partition(".")
    files = [out] if draws == 1 else [out.with_name(f"{name}-{i}{dot}{ending}") for i in range(1, draws + 1)]
    for file in files:
        of_path(check_output(file, force))
    dataset = read(source, table=table, query=query, fit_rows=EVERY_ROW)
    learnt = Model.load(model)
    for file, frame in zip(files, learnt.impute_frames(dataset.frame, draws, seed=seed), strict=True):
        write(with_dtypes(frame, dataset.origin), file, settings=dataset.format_settings,
              table_name=dataset.table_name, provenance=_provenance(dataset, frame, learnt))
    absent = sum(name not in dataset.frame.columns for name in frame.columns) * frame.height
    cells = absent + sum(dataset.frame.null_count().row(0)) - sum(frame.null_count().row(0))
    say(f"Completed {cells:,} cells of {frame.height:,} rows; wrote {', '.join(map(str, files))}.", as_json,
         {"out": [str(file) for file in files], "rows": frame.height, "cells": cells})


def _provenance(dataset: Any, frame: Any, model: Any) -> Any:
    """A row with a cell that nobody observed is no longer a real row: whoever learns from it shall know."""
    from verisyn.provenance import real

    done = _completed(dataset.frame, frame)
    if not done:
        return dataset.provenance
    whence = dataset.provenance or real(dataset.name, frame.height)
    return whence.completed(done, frame.height, model.info.generator, model.info.generation)


def _completed(before: Any, after: Any) -> int:
    """Count the rows in which a cell is filled that was missing, or whose column was not there."""
    import polars as pl

    filled = pl.Series([False]).new_from_index(0, after.height)
    for name in after.columns:
        filled |= after[name].is_not_null() & (before[name].is_null() if name in before.columns else True)
    return int(filled.sum())
