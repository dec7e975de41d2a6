"""verisyn sample: draw rows from a model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from verisyn.cli._shared import Force, Jobs, Json, Rows, Scale, Seed, app, guarded, progress_of, say


@app.command(epilog="Example: verisyn sample adult-model --rows 1000 --out young.csv --given \"age < 30\"")
@guarded
def sample(
    model: Annotated[Path, typer.Argument(help="A model folder from 'verisyn fit'.", show_default=False)],
    out: Annotated[str, typer.Option(help="File to write; its suffix says the format. Several tables go to a folder, a "
                                          "database file or workbook, or the URL of a database.")],
    rows: Rows = None, seed: Seed = 0,
    given: Annotated[list[str] | None, typer.Option(
        help="A condition every row meets: \"income == '>50K' and age < 30\"; or a file of rows to complete. Of "
             "several tables: \"customers: country == 'Peru'\", which may be repeated.", metavar="EXPR|FILE")] = None,
    scale: Scale = None,
    parents: Annotated[list[str] | None, typer.Option(help="Of several tables: rows of one that are there already, "
                                                           "\"customers=ours.csv\"; the others are drawn for them. May "
                                                           "be repeated.", metavar="TABLE=FILE")] = None,
    entities: Annotated[int | None, typer.Option(help="Of rows in time: how many entities.", min=1)] = None,
    prefix: Annotated[Path | None, typer.Option(help="Of rows in time: a file of first rows of histories that go on.",
                                                metavar="FILE")] = None,
    start: Annotated[str | None, typer.Option(help="Of rows in time: when the first of them is.",
                                              metavar="TIME")] = None,
    balance: Annotated[str | None, typer.Option(help="A column whose levels become equally frequent.",
                                                metavar="COLUMN")] = None,
    shares: Annotated[str | None, typer.Option(help="Shares of levels of a column, or of a condition: "
                                                    "\"{fraud: {yes: 0.3}}\".", metavar="YAML")] = None,
    do: Annotated[list[str] | None, typer.Option(help="Set a column in its turn; those after it respond: "
                                                      "\"smoker = 'no'\", \"rate += 1\". May be repeated.",
                                                 metavar="ASSIGNMENT")] = None,
    targets: Annotated[str | None, typer.Option(help="Published figures that all rows together shall meet, as YAML or "
                                                     "a YAML file: \"{age: 45, income: {'>50K': 0.5}}\".",
                                                metavar="YAML")] = None,
    fair: Annotated[str | None, typer.Option(help="Draw an outcome anew, so that models decide alike about groups: "
                                                  "\"{sensitive: sex, outcome: income}\".", metavar="YAML")] = None,
    tails: Annotated[list[str] | None, typer.Option(help="A number whose tail shall reach beyond what was observed; "
                                                         "marked in the output. May be repeated.",
                                                    metavar="COLUMN")] = None,
    weights: Annotated[str | None, typer.Option(help="Add a column of this name with the weights that undo shares, "
                                                     "balance and targets.", metavar="NAME")] = None,
    steer: Annotated[Path | None, typer.Option(help="All these wishes in one YAML file.", metavar="FILE")] = None,
    report: Annotated[Path | None, typer.Option(help="HTML file to write: the rows beside those without the wishes.",
                                                metavar="FILE")] = None,
    jobs: Jobs = None, force: Force = False, as_json: Json = False,
) -> None:
    """Draw synthetic rows from a model, as you wish them."""
    from verisyn._manifest import check as check_output
    from verisyn.cli._tables import draw_tables, of_one_table
    from verisyn.data import write
    from verisyn.formats import of_path
    from verisyn.frames import with_dtypes
    from verisyn.model import Model, load
    from verisyn.outputs import check_file
    from verisyn.steering import from_yaml, together
    from verisyn.steering.changes import read_do
    from verisyn.steering.targets import read_targets

    if report:
        check_file(report, force)
    drawn, progress = load(model), progress_of(as_json)
    alone = {"scale": scale, "parents": parents, "entities": entities, "prefix": prefix, "start": start}
    if not isinstance(drawn, Model):
        plain = {"balance": balance, "shares": shares, "do": do, "targets": targets, "fair": fair, "tails": tails,
                 "weights": weights, "steer": steer, "report": report}
        draw_tables(drawn, out, {"rows": rows, "given": given, **alone}, plain, seed=seed, jobs=jobs, force=force,
                    progress=progress, as_json=as_json)
        return
    of_one_table(alone, given)
    of_path(check_output(Path(out), force))
    wishes = together(steer, {
        "given": _given(given[0] if given else None), "balance": balance, "shares": from_yaml("shares", shares),
        "do": read_do(do or ()) or None,
        "targets": read_targets(targets) if targets else None, "fair": from_yaml("fair", fair),
        "tails": tails or None, "weights": weights})
    steered = drawn.steered(rows, seed=seed, jobs=jobs, progress=progress, **wishes)
    frame, found = steered.frame, drawn.effects(steered, seed=seed, jobs=jobs) if report else None
    write(with_dtypes(frame, drawn.origin), Path(out), settings=drawn.info.format_settings,
          table_name=drawn.schema.table.name, provenance=drawn.provenance(frame.height))
    if report and found:
        _draw(found, drawn.info.name, report, progress.notes)
    also = f" Open {report}." if report else ""
    say("\n".join([*progress.notes, f"Wrote {frame.height:,} rows to {out}.{also}"]), as_json,
         {"out": out, "rows": frame.height, "notes": progress.notes,
          **({"findings": [f.to_dict() for f in found.findings]} if found else {})})


def _given(text: str | None) -> Any:
    """A condition as it is; the rows of a file, where it names one."""
    from verisyn.data import read
    from verisyn.errors import UserError
    from verisyn.formats import of_path

    if text is None or not Path(text).is_file():
        if text and re.fullmatch(r"[^\s<>=!'\"]+\.[a-z]\w{1,7}", text):
            raise UserError(f"There is no file {text!r} with rows to complete, and it is no condition either. Check "
                            "the name, or write a condition like: age < 30.")
        return text
    of_path(Path(text))
    return read(text).frame


def _draw(found: Any, title: str, report: Path, notes: list[str]) -> None:
    from verisyn.outputs import writing_file
    from verisyn.report.study import study

    lead = f"{found.about['rows']:,} rows as wished, beside rows that {found.about['generator']} draws without a wish."
    with writing_file(report, force=True) as path:
        path.write_text(study(found, title=title, kind="steering report", lead=lead, notes=notes), encoding="utf-8")
