"""verisyn list: what stands on the shelves."""

from __future__ import annotations

from typing import Annotated

import typer

from verisyn.cli._shared import Json, app, guarded, say
from verisyn.errors import UserError, did_you_mean


@app.command("list", epilog="Example: verisyn list kinds")
@guarded
def list_shelf(
    shelf: Annotated[str | None, typer.Argument(help="A shelf, such as kinds or metrics; all without it.")] = None,
    as_json: Json = False,
) -> None:
    """Show what stands on the shelves, each thing with its one line."""
    from rich.table import Table
    from rich.text import Text

    from verisyn.shelves import SHELVES

    if shelf and shelf not in SHELVES:
        raise UserError(f"There is no shelf {shelf!r}. {did_you_mean(shelf, SHELVES)}")
    shown = {name: s for name, s in SHELVES.items() if shelf in (None, name)}
    found = {name: {thing: s.blurb(thing) for thing in s.names()} for name, s in shown.items()}
    grid = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column()
    for name, things in found.items():
        grid.add_row(Text(name, style="bold"), "")
        for thing, blurb in things.items():
            grid.add_row(Text(f"  {thing}"), Text(blurb))
    say(grid, as_json, found)
