"""verisyn infer: valid statistics from real rows, sharpened by what synthetic rows teach."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from verisyn.cli._shared import Force, Json, Query, Seed, Source, TableName, app, guarded, say, write_study


@app.command(epilog="Example: verisyn infer survey.csv --synthetic elsewhere.csv --share \"income == '>50K'\"")
@guarded
def infer(
    real: Source,
    synthetic: Annotated[str | None, typer.Option(help="Synthetic or open rows that hold the outcome, made without the "
                                                       "real ones.")] = None,
    unlabelled: Annotated[str | None, typer.Option(help="More real rows, without the outcome.")] = None,
    mean: Annotated[str | None, typer.Option(help="Ask for the mean of a column.", metavar="COLUMN")] = None,
    share: Annotated[str | None, typer.Option(help="Ask for the share of rows that meet a condition.",
                                              metavar="CONDITION")] = None,
    quantile: Annotated[str | None, typer.Option(help="Ask for a quantile: income:0.5 is the median.",
                                                 metavar="COLUMN:LEVEL")] = None,
    regression: Annotated[str | None, typer.Option(help="Ask for coefficients: \"income ~ age + sex\".",
                                                   metavar="FORMULA")] = None,
    within: Annotated[str | None, typer.Option(help="Ask of rows that meet this condition only.",
                                               metavar="CONDITION")] = None,
    model: Annotated[Path | None, typer.Option(help="A model, not fitted to these rows, that predicts.")] = None,
    predicted: Annotated[str | None, typer.Option(help="A column that holds predictions of the outcome.",
                                                  metavar="COLUMN")] = None,
    saw: Annotated[bool | None, typer.Option("--saw-labels/--unseen-labels", help="Whether the generator saw the real "
                                             "outcomes; looked for by default.", show_default=False)] = None,
    alpha: Annotated[float, typer.Option(help="One minus the level of the intervals.")] = 0.05,
    out: Annotated[Path | None, typer.Option(help="Folder for report.html and assessment.json.")] = None,
    table: TableName = None, query: Query = None, seed: Seed = 0, force: Force = False, as_json: Json = False,
) -> None:
    """Estimate a mean, share, quantile or regression with a valid interval: synthetic rows never count as real."""
    from verisyn.answers import EVERY_ROW
    from verisyn.data import read
    from verisyn.inference import infer as infer_from
    from verisyn.model import Model
    from verisyn.outputs import check_folder
    from verisyn.report.terminal import told

    folder = check_folder(out, force) if out else None
    data = read(real, table=table, query=query, fit_rows=EVERY_ROW)
    found = infer_from(data, synthetic, mean=mean, share=share, quantile=quantile, regression=regression, within=within,
                       unlabelled=unlabelled, model=Model.load(model) if model else None, predicted=predicted,
                       predictor_saw_labels=saw, alpha=alpha, seed=seed)
    if folder:
        write_study(found.assessment, folder, title=found.source, kind="inference", lead=_lead(found), force=force)
    shown = told(found.assessment, folder / "report.html" if folder else None)
    say(shown if len(found.figures) == 1 else _with_table(found, shown), as_json,
        {**({"out": str(folder)} if folder else {}), **found.to_dict()})


def _with_table(found: Any, shown: Any) -> Any:
    """The coefficients above what is told of them."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from verisyn.inference._told import number, span

    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("coefficient")
    for head in ("value", f"{100 * (1 - found.alpha):g} % interval", "labelled rows alone", "gain"):
        table.add_column(head, justify="right")
    for f in found.figures:
        table.add_row(Text(f.name), number(f.value), span(f.interval), span(f.classical_interval), f"{f.gain:.2f}")
    return Group(Padding(table, (1, 1, 0, 2)), shown)


def _lead(found: Any) -> str:
    lacking = f" and {found.unlabelled:,} that lack it" if found.unlabelled else ""
    return f"From {found.labelled:,} real rows that hold the outcome{lacking}. No synthetic row is counted as real."
