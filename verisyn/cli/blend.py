"""verisyn blend: real, synthetic and open rows in the proportion that measurably helps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verisyn.cli._shared import (
    EffortOf,
    Force,
    Jobs,
    Json,
    Query,
    Seed,
    Source,
    TableName,
    app,
    default_folder,
    guarded,
    progress_of,
    say,
)
from verisyn.errors import UserError


@app.command(epilog="Example: verisyn blend ours.csv --open theirs.csv --licence theirs=CC-BY-4.0 --target y")
@guarded
def blend(
    source: Source,
    synthetic: Annotated[list[str] | None, typer.Option(help="Rows that a generator made. May be repeated.",
                                                        metavar="FILE")] = None,
    open_: Annotated[list[str] | None, typer.Option("--open", help="Real rows from elsewhere. May be repeated.",
                                                    metavar="FILE")] = None,
    model: Annotated[Path | None, typer.Option(help="The model that made, or shall make, the synthetic rows; it is "
                                                    "fitted anew within each fold.")] = None,
    generator: Annotated[str | None, typer.Option(help="Instead of a model: a generator's name.")] = None,
    target: Annotated[str | None, typer.Option(help="Column that models will be asked to predict.")] = None,
    validation: Annotated[str | None, typer.Option(help="Real rows that no generator saw, to judge by.",
                                                   metavar="FILE")] = None,
    proportion: Annotated[list[float] | None, typer.Option(help="A mass of added rows for each real one to try. May be "
                                                                "repeated.", show_default="0.1 0.25 0.5 1 2")] = None,
    licence: Annotated[list[str] | None, typer.Option(help="The licence of a source: NAME=CC-BY-4.0. May be repeated.",
                                                      metavar="NAME=LICENCE")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the rows, their weights and the report.",
                                             show_default="NAME-blend")] = None,
    table: TableName = None, query: Query = None, effort: EffortOf = "standard", seed: Seed = 0, jobs: Jobs = None,
    force: Force = False, as_json: Json = False,
) -> None:
    """Blend real rows with synthetic and open ones, in the proportion that helps on unseen real rows, or not at all."""
    from verisyn.blending import PROPORTIONS
    from verisyn.blending import blend as mix
    from verisyn.data import read
    from verisyn.model import load
    from verisyn.outputs import check_folder
    from verisyn.report.terminal import told

    out = check_folder(out or default_folder(source, "blend"), force)
    licences = dict(map(_licence, licence or ()))
    progress = progress_of(as_json)
    dataset = read(source, table=table, query=query, seed=seed)
    found = mix(dataset, synthetic or None, open_ or None, target=target, validation=validation,
                model=load(model) if model else None, generator=generator, licences=licences, seed=seed, effort=effort,
                proportions=[0.0, *proportion] if proportion else PROPORTIONS, jobs=jobs, progress=progress)
    file = found.save(out, force=force)
    say(told(found.assessment, out / "report.html"), as_json,
        {"out": str(file), "proportion": found.proportion, "shares": found.shares, **found.assessment.to_dict()})


def _licence(text: str) -> tuple[str, str]:
    name, sign, licence = text.rpartition("=")
    if not sign or not name or not licence:
        raise UserError(f"--licence {text!r} could not be read. Write it like: theirs=CC-BY-4.0.")
    return name, licence
