"""verisyn sample: draw rows from a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verisyn.cli._shared import Force, Jobs, Json, Rows, Seed, app, guarded, progress_of, say


@app.command(epilog="Example: verisyn sample adult-model --rows 1000 --out young.csv --given \"age < 30\"")
@guarded
def sample(
    model: Annotated[Path, typer.Argument(help="A model folder from 'verisyn fit'.", show_default=False)],
    out: Annotated[Path, typer.Option(help="File to write; its suffix says the format.")],
    rows: Rows = None, seed: Seed = 0,
    given: Annotated[str | None, typer.Option(help="A condition every row meets: \"income == '>50K' and age < 30\".",
                                              metavar="EXPR")] = None,
    balance: Annotated[str | None, typer.Option(help="A column whose levels become equally frequent.",
                                                metavar="COLUMN")] = None,
    do: Annotated[list[str] | None, typer.Option(help="Set a column in its turn; those after it respond: "
                                                      "\"smoker = 'no'\", \"rate += 1\". May be repeated.",
                                                 metavar="ASSIGNMENT")] = None,
    targets: Annotated[str | None, typer.Option(help="Means and shares of all rows together, as YAML or a YAML file: "
                                                     "\"{age: 45, income: {'>50K': 0.5}}\".", metavar="YAML")] = None,
    jobs: Jobs = None, force: Force = False, as_json: Json = False,
) -> None:
    """Draw synthetic rows from a model."""
    from verisyn.data import write
    from verisyn.formats import of_path
    from verisyn.frames import with_dtypes
    from verisyn.model import load
    from verisyn.outputs import check_file
    from verisyn.steering.changes import read_do
    from verisyn.steering.targets import read_targets

    of_path(check_file(out, force))
    drawn, progress = load(model), progress_of(as_json)
    frame = drawn.sample_frame(rows, seed=seed, given=given, balance=balance, do=read_do(do or ()),
                               targets=read_targets(targets) if targets else None, jobs=jobs, progress=progress)
    write(with_dtypes(frame, drawn.origin), out, settings=drawn.info.format_settings,
          table_name=drawn.schema.table.name)
    say("\n".join([*progress.notes, f"Wrote {frame.height:,} rows to {out}."]), as_json,
         {"out": str(out), "rows": frame.height, "notes": progress.notes})
