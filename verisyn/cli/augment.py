"""verisyn augment: rows derived from single real rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verisyn.cli._shared import Force, Json, Query, SchemaFile, Seed, Source, TableName, app, guarded, progress_of, say


@app.command(epilog="Example: verisyn augment claims.csv --out more-fraud.csv --target fraud --shares \"{yes: 0.2}\"")
@guarded
def augment(
    source: Source,
    out: Annotated[Path, typer.Option(help="File to write; its suffix says the format.")],
    method: Annotated[str, typer.Option(help="smote, noise, mixup or missing; see 'verisyn list augmentations'.")
                      ] = "smote",
    target: Annotated[str | None, typer.Option(help="The label; smote derives rows of its smaller classes.")] = None,
    rows: Annotated[int | None, typer.Option(help="New rows.", min=1, show_default="what balances the classes, or as "
                                                                                 "many as there are")] = None,
    shares: Annotated[str | None, typer.Option(help="Shares of levels of the target among real and new rows, as YAML: "
                                                    "\"{yes: 0.5}\".", metavar="YAML")] = None,
    amount: Annotated[float | None, typer.Option(help="How strong; see the docs for what it means to each method.")
                      ] = None,
    settings: Annotated[list[str] | None, typer.Option(
        "--set", help="Another setting of the method: neighbours=7, mechanism=MNAR. May be repeated.",
        metavar="NAME=VALUE")] = None,
    mask: Annotated[Path | None, typer.Option(help="File for what 'missing' took out, as true and false.")] = None,
    provenance: Annotated[bool, typer.Option("--provenance", help="Add columns that say where each row is from.")
                          ] = False,
    schema: SchemaFile = None, table: TableName = None, query: Query = None, seed: Seed = 0, force: Force = False,
    as_json: Json = False,
) -> None:
    """Derive rows from real rows: SMOTE, noise, mixup, missingness. Not synthesis: they are as confidential."""
    from verisyn._manifest import check
    from verisyn.answers import EVERY_ROW
    from verisyn.augmentations import Wanted
    from verisyn.augmenting import derived, method_of, read_settings, read_shares
    from verisyn.data import read, write
    from verisyn.errors import UserError
    from verisyn.formats import of_path
    from verisyn.frames import with_dtypes
    from verisyn.provenance import with_columns

    for file in (out, *([mask] if mask else ())):
        of_path(check(file, force))
    if mask == out:
        raise UserError(f"Both the rows and the mask are to be written to {str(out)!r}. Give each a file of its own.")
    given = read_settings(settings or ()) | ({"amount": amount} if amount is not None else {})
    wanted, progress = Wanted(rows, read_shares(shares) if shares else None), progress_of(as_json)
    method_of(method, given)
    dataset = read(source, table=table, query=query, fit_rows=EVERY_ROW)
    found = derived(dataset, method, target=target, wanted=wanted, seed=seed, schema=schema, progress=progress, **given)
    if mask and found.mask is None:
        raise UserError(f"A mask of what was taken out is asked for, but the method {method!r} takes nothing out.")
    frame = with_dtypes(found.frame, dataset.origin)
    frame = with_columns(frame, found.source) if provenance else frame
    write(frame, out, settings=dataset.format_settings, table_name=dataset.table_name, provenance=found.provenance)
    if mask and found.mask is not None:
        write(found.mask, mask)
    wrote = f"Wrote {frame.height:,} derived rows to {out}{f', and the mask to {mask}' if mask else ''}."
    say("\n".join([*found.notes, f"{wrote} They are as confidential as the rows they were made from."]), as_json,
        {"out": str(out), "mask": str(mask) if mask else None, "method": found.source.generator, "rows": frame.height,
         "copies": found.copies, "notes": list(found.notes)})
