"""The command line: one file a command; every error becomes a sentence and an exit code."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

from verisyn import __version__
from verisyn.cli._shared import app

COMMANDS = ("synth", "describe", "causes", "fit", "sample", "impute", "augment", "stress", "assess", "rare", "blend",
            "collapse", "infer", "list")
"""In the order of the story; each is a file of this folder."""
for command in COMMANDS:
    import_module(f"{__name__}.{command}")


def _version(asked: bool) -> None:
    if asked:
        print(f"verisyn {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True,
                                          help="Show the version.")] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line."""
    app()
