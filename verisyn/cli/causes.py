"""verisyn causes: propose which column is a cause of which, to be read, corrected and confirmed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from verisyn.cli._shared import (
    FitRows,
    Force,
    Json,
    Query,
    SchemaFile,
    Seed,
    Source,
    TableName,
    Target,
    app,
    guarded,
    progress_of,
    say,
)

if TYPE_CHECKING:
    from verisyn.causality.told import Causes


@app.command(epilog="Example: verisyn causes adult.parquet -o causes.yaml --first age, then edit and confirm it, then: "
                    "verisyn fit adult.parquet --causes causes.yaml --out adult-model")
@guarded
def causes(
    source: Source,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="YAML file to write; printed without it.")] = None,
    schema: SchemaFile = None, target: Target = None,
    first: Annotated[list[str] | None, typer.Option(help="A column that is no effect of others. May be repeated.",
                                                    metavar="COLUMN")] = None,
    last: Annotated[list[str] | None, typer.Option(help="A column that is no cause of others. May be repeated.",
                                                   metavar="COLUMN")] = None,
    table: TableName = None, query: Query = None, fit_rows: FitRows = 500_000, seed: Seed = 0, force: Force = False,
    as_json: Json = False,
) -> None:
    """Propose causes and effects from data, each with its evidence; a guess that you must confirm."""
    from verisyn.causality.proposal import causes as propose
    from verisyn.data import read
    from verisyn.outputs import check_file

    if out:
        check_file(out, force)
    progress = progress_of(as_json)
    dataset = read(source, table=table, query=query, fit_rows=fit_rows, seed=seed)
    found = propose(dataset, schema, target=target, first=first or (), last=last or (), progress=progress)
    told = {"out": out and str(out), "confirmed": found.confirmed, "notes": list(found.notes),
            "causes": [c.model_dump(mode="json") for c in found.arrows]}
    if out is None:
        if as_json:
            say("", True, told)
        else:
            print(found.to_yaml(), end="")
        return
    found.save(out, force=force)
    say(_table(found, source, out), as_json, told)


def _table(found: Causes, source: str, out: Path) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    grid = Table("cause", "", "effect", "strength", "direction by", box=None, pad_edge=False,
                 padding=(0, 2, 0, 0), header_style="bold")
    for c in found.arrows:
        strength = "" if c.strength is None else f"{c.strength:.2f}"
        by = Text("not told", style="yellow") if c.direction == "open" else Text(c.direction)
        grid.add_row(Text(c.cause), "->", Text(c.effect), strength, by)
    lines = [*(Text(note, style="dim") for note in found.notes),
             Text(f"Wrote {out}, with the evidence. An order from data is a guess: read it, correct it, set "
                  f"'confirmed: true'. Now: verisyn fit {source} --causes {out} --out MODEL")]
    return Group(grid, Text(), *lines)
