"""verisyn stress: edge cases for testing software."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from verisyn.cli._shared import Force, Json, SchemaFile, Seed, app, guarded, progress_of, say


@app.command(epilog="Example: verisyn stress adult.parquet --out edge.csv --only boundaries --only missing")
@guarded
def stress(
    source: Annotated[str, typer.Argument(help="Data, as for 'synth'; or the folder of a model; or a schema (.yaml): "
                                               "then no data is needed.", show_default=False)],
    out: Annotated[Path, typer.Option(help="File to write; its suffix says the format. The cases are told in "
                                           "NAME.cases.csv beside it.")],
    only: Annotated[list[str] | None, typer.Option(
        help="A kind of case: boundaries, edges, extremes, missing, rare or unseen. May be repeated.", metavar="KIND",
        show_default="all")] = None,
    pairs: Annotated[bool, typer.Option("--pairs", help="Add rows in which every two values of any two columns meet.")
                     ] = False,
    rows: Annotated[int | None, typer.Option(help="How many rows.", min=1, show_default="one for each case")] = None,
    label: Annotated[bool, typer.Option("--label", help="Add the column stress_case to the rows themselves.")] = False,
    schema: SchemaFile = None, seed: Seed = 0, force: Force = False, as_json: Json = False,
) -> None:
    """Make edge cases for testing software: valid rows, each hard in a way that it tells."""
    from verisyn._manifest import check
    from verisyn.data import write
    from verisyn.errors import UserError
    from verisyn.formats import of_path
    from verisyn.frames import with_dtypes
    from verisyn.stressing import KINDS, stressed

    of_path(check(out, force))
    beside = check(out.with_name(f"{out.name.split('.')[0] or out.name}.cases.csv"), force)
    if beside == out:
        raise UserError(f"{str(out)!r} is where the cases are told; the rows cannot stand there. Choose another name.")
    made = stressed(source, rows=rows, kinds=only or KINDS, pairs=pairs, schema=schema, seed=seed,
                    progress=progress_of(as_json))
    frame = with_dtypes(made.labelled() if label else made.frame, made.ground.origin)
    write(frame, out, settings=made.ground.writes, table_name=made.ground.table.name,
          provenance=made.ground.provenance(frame.height))
    write(made.catalogue, beside)
    say(_told(made, out, beside), as_json, {
        "out": str(out), "cases": str(beside), "rows": frame.height, "counts": made.counts(),
        "left_out": made.left_out, "pairs": list(made.coverage) if made.coverage else None, "notes": list(made.notes)})


def _told(made: Any, out: Path, beside: Path) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    grid = Table("kind", "rows", "left out", box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    counts = made.counts()
    for kind in dict.fromkeys([*counts, *made.left_out]):
        grid.add_row(kind, f"{sum(counts.get(kind, {}).values()):,}", str(made.left_out.get(kind, "")))
    wrote = Text(f"Wrote {made.frame.height:,} rows to {out}, and what each is to {beside}.")
    return Group(grid, Text(), *(Text(note, style="dim") for note in made.notes), wrote)
