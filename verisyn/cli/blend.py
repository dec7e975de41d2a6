"""verisyn blend: real, synthetic and open rows together, in the proportion that held-out real rows ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verisyn.cli._shared import EffortOf, Force, Jobs, Json, Seed, app, default_folder, guarded, progress_of, say


@app.command(epilog="Example: verisyn blend clinic.csv --open census.csv --licence census=CC-BY-4.0 --generator trees "
                    "--target outcome")
@guarded
def blend(
    real: Annotated[str, typer.Argument(help="The real data.", show_default=False)],
    out: Annotated[Path | None, typer.Option(help="Folder for the rows, their weights, manifest and report.",
                                             show_default="NAME-blend")] = None,
    synthetic: Annotated[list[str] | None, typer.Option(help="Rows that a generator made. May be repeated.",
                                                        metavar="FILE")] = None,
    open_: Annotated[list[str] | None, typer.Option("--open", help="Real rows from elsewhere. May be repeated.",
                                                    metavar="FILE")] = None,
    model: Annotated[Path | None, typer.Option(help="The model that made the synthetic rows, or shall make them; its "
                                                    "generator is fitted anew in each fold.")] = None,
    generator: Annotated[str | None, typer.Option(help="Instead of a model, the name of its generator.")] = None,
    target: Annotated[str | None, typer.Option(help="Column that models will predict.")] = None,
    validation: Annotated[str | None, typer.Option(help="Real rows that no generator saw, to judge proportions by.",
                                                   metavar="FILE")] = None,
    proportion: Annotated[list[float] | None, typer.Option(
        help="Rows added for each real one. May be repeated: the best is found; a single one is taken.",
        metavar="NUMBER", show_default="0, 0.1, 0.25, 0.5, 1, 2")] = None,
    licence: Annotated[list[str] | None, typer.Option(help="The licence of a source: census=CC-BY-4.0. May be "
                                                           "repeated.", metavar="NAME=LICENCE")] = None,
    effort: EffortOf = "standard", seed: Seed = 0, jobs: Jobs = None, force: Force = False, as_json: Json = False,
) -> None:
    """Blend real rows with synthetic and open ones, where that helps; say what it is worth."""
    from verisyn.blending import PROPORTIONS
    from verisyn.blending import blend as blend_data
    from verisyn.outputs import check_folder
    from verisyn.report.terminal import told

    out = check_folder(out or default_folder(real, "blend"), force)
    progress, tried = progress_of(as_json), list(proportion or PROPORTIONS)
    found = blend_data(real, synthetic or None, open_ or None, target=target, validation=validation,
                       model=model, generator=generator,
                       proportions=tried[0] if len(tried) == 1 else tried, licences=_licences(licence or []), seed=seed,
                       effort=effort, jobs=jobs, progress=progress)
    file = found.save(out, force=force)
    say(told(found.assessment, out / "report.html"), as_json, {
        "out": str(file), "proportion": found.proportion, "shares": found.shares, "weights": str(out / "weights.csv"),
        "report": str(out / "report.html"), **found.assessment.to_dict()})


def _licences(given: list[str]) -> dict[str, str]:
    """Read ``census=CC-BY-4.0``."""
    from verisyn.errors import UserError

    told = {}
    for text in given:
        name, sign, licence = text.partition("=")
        if not (name.strip() and sign and licence.strip()):
            raise UserError(f"The licence {text!r} cannot be read. Write it as NAME=LICENCE, such as census=CC-BY-4.0; "
                            "NAME is the file's name without its ending.")
        told[name.strip()] = licence.strip()
    return told
