"""verisyn describe: what each column is, as a schema to edit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from verisyn.cli._shared import (
    Entity,
    FitRows,
    Force,
    Json,
    Query,
    Seed,
    Source,
    TableName,
    Target,
    Time,
    app,
    guarded,
    progress_of,
    say,
)


@app.command(epilog="Example: verisyn describe adult.parquet -o adult.yaml, then edit it, then: "
                    "verisyn synth adult.parquet --schema adult.yaml")
@guarded
def describe(
    source: Source,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Schema file to write; printed without it.")] = None,
    target: Target = None, entity: Entity = None, time: Time = None, table: TableName = None, query: Query = None,
    fit_rows: FitRows = 500_000, seed: Seed = 0,
    force: Force = False, as_json: Json = False,
) -> None:
    """Find what each column is, with the evidence; write it as a schema you can edit."""
    from verisyn.data import read
    from verisyn.description import describe as describe_data
    from verisyn.outputs import check_file, writing_file

    if out:
        check_file(out, force)
    progress = progress_of(as_json)
    dataset = read(source, table=table, query=query, fit_rows=fit_rows, seed=seed, entity=entity or (), time=time)
    schema = describe_data(dataset, target=target, entity=entity or (), time=time, progress=progress)
    if out is None:
        if as_json:
            say("", True, schema.model_dump(mode="json"))
        else:
            print(schema.to_yaml(), end="")
        return
    with writing_file(out, force=force) as path:
        path.write_text(schema.to_yaml(), encoding="utf-8")
    say(_schema_table(schema, (*dataset.notes, *progress.notes), out), as_json, schema.model_dump(mode="json"))


def _schema_table(schema: Any, notes: tuple[str, ...], out: Path) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    grid = Table("column", "kind", "missing", "why", box=None, pad_edge=False, padding=(0, 2, 0, 0),
                 header_style="bold")
    several = len(schema.tables) > 1

    def said(table: Any, name: str) -> Text:
        return Text(f"{table.name}.{name}" if several else name)

    for table in schema.tables:
        for column in table.columns:
            missing = f"{column.missing:.1%}" if column.missing else ""
            grid.add_row(said(table, column.name), column.kind, missing, Text(column.evidence))
    target = "".join(f"Target: {said(t, t.target)}. " for t in schema.tables if t.target)
    links = Table("link", "to", "why", box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for link in schema.links:
        links.add_row(Text(link.name), Text(f"{link.parent}.{'+'.join(link.key)}"), Text(link.evidence))
    rules = Table("constraint", "columns", "why", box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for owner in (*schema.tables, *schema.links):
        for constraint in owner.constraints:
            own = ", ".join(constraint.columns)
            rules.add_row(constraint.kind, Text(f"{owner.name}: {own}" if several else own), Text(constraint.evidence))
    biases = Table("bias", "columns", "why", box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for table in schema.tables:
        for bias in table.biases:
            biases.add_row(bias.kind, said(table, ", ".join(bias.columns)), Text(bias.evidence))
    below = [part for told in (links, rules, biases) if told.row_count for part in (Text(), told)]
    lines = [*([*below, Text()] if below else ()), *(Text(note, style="dim") for note in notes),
             Text(f"{target}Wrote {out}; edit it, then pass --schema.")]
    return Group(grid, *lines)
