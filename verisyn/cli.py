"""The command line: one command per verb; `main` turns every error into a sentence and an exit code."""

from __future__ import annotations

import functools
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from verisyn import __version__
from verisyn.errors import UserError, VerisynError, did_you_mean

app = typer.Typer(
    name="verisyn", no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False,
    help="Synthetic data that can be verified.\n\nThe whole story in one command: **verisyn synth patients.csv**",
    epilog="Exit codes: 0 done · 1 our fault · 2 a mistake in the input or options · 3 refused or alarmed.",
    context_settings={"help_option_names": ["-h", "--help"]},
)

Source = Annotated[str, typer.Argument(help="File (CSV, TSV, Parquet, JSON Lines, Arrow, Excel, SQLite, DuckDB; "
                                            ".gz and .zst too) or database URL.", show_default=False)]
Seed = Annotated[int, typer.Option(help="Same data, options, seed and version: same bytes.", min=0)]
Rows = Annotated[int | None, typer.Option(help="Synthetic rows; as many as the source has by default.", min=1)]
SchemaFile = Annotated[Path | None, typer.Option("--schema", help="A schema file from 'verisyn describe'.")]
GeneratorName = Annotated[str, typer.Option(help="A generator's name; see 'verisyn list generators'.")]
Target = Annotated[str | None, typer.Option(help="Column that models predict when utility is measured.")]
TableName = Annotated[str | None, typer.Option("--table", help="Which table of a database or sheet of a workbook.")]
Query = Annotated[str | None, typer.Option(help="An SQL query, for a database.")]
FitRows = Annotated[int, typer.Option(help="Learn from at most this many rows, drawn uniformly.", min=1)]
Privacy = Annotated[str | None, typer.Option(help="Privacy dial: low, standard, high, or a number from 0 to 1.",
                                             show_default="standard")]
MaxLeak = Annotated[float | None, typer.Option(help="Choose the dial by the most that an attack on the model may "
                                                    "reach: an AUC, at the upper end of its interval.", metavar="AUC")]
BudgetOf = Annotated[str | None, typer.Option("--budget", help="About how long learning may take: 90s, 2min, 1h30min. "
                                              "The result then depends on the machine.", metavar="TIME")]
CheckpointOf = Annotated[Path | None, typer.Option("--checkpoint", help="Folder to keep what is learnt in; after an "
                                                   "interruption the same command goes on from there.", metavar="DIR")]
EffortOf = Annotated[str, typer.Option("--effort", help="How much assessing may cost: quick, standard or thorough.")]
Since = Annotated[Path | None, typer.Option(help="An earlier assessment.json, or its folder, to tell what changed.",
                                            show_default="the one that --force replaces")]
FailUnder = Annotated[Path | None, typer.Option(help="A policy, as a YAML file; exit code 3 if it is not met.",
                                                metavar="POLICY")]
Jobs = Annotated[int | None, typer.Option(help="Threads; all cores by default. The result does not depend on it.",
                                          min=1)]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for machines.")]


def _guarded(command: Callable) -> Callable:
    """Turn every error of a command into a sentence on standard error and the right exit code."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except VerisynError as e:
            raise _end(str(e), e.exit_code) from None
        except KeyboardInterrupt:
            raise _end("Stopped. Nothing was left half-written.", 130) from None
        except BrokenPipeError:  # whoever reads our output has read enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit from None
        except MemoryError:
            raise _end("The machine ran out of memory. Give fewer rows with --fit-rows or --rows.", 2) from None
        except Exception as e:
            with tempfile.NamedTemporaryFile("w", prefix="verisyn-", suffix=".log", delete=False) as log:
                log.write(f"verisyn {__version__}, python {sys.version}\n{' '.join(sys.argv)}\n")
                log.write(traceback.format_exc())
            raise _end(f"This is a fault of verisyn ({type(e).__name__}: {e}). The details are in {log.name}; please "
                       "report them, but look through them first: they may quote your data.", 1) from None

    return run


def _end(message: str, code: int) -> typer.Exit:
    from rich.console import Console
    from rich.text import Text

    Console(stderr=True, soft_wrap=True).print(Text.assemble(("verisyn: ", "bold red"), message))
    return typer.Exit(code)


def _progress(quiet: bool) -> Any:
    from verisyn.progress import Progress, default_progress

    return Progress() if quiet else default_progress()


def _say(text: Any, as_json: bool, result: dict[str, Any]) -> None:
    """Print JSON for machines, or text for people."""
    if as_json:
        print(json.dumps(result, ensure_ascii=False, indent=1))
        return
    from rich.console import Console

    Console(soft_wrap=isinstance(text, str)).print(text, highlight=False)


@app.command(epilog="Example: verisyn synth adult.parquet --rows 100000 --seed 7 --out adult-synth")
@_guarded
def synth(
    source: Source,
    out: Annotated[Path | None, typer.Option(help="Folder to write.", show_default="NAME-synthetic")] = None,
    rows: Rows = None, seed: Seed = 0, schema: SchemaFile = None, generator: GeneratorName = "trees",
    holdout: Annotated[float, typer.Option(help="Share of rows set aside to judge the result.", min=0, max=0.9)] = 0.2,
    target: Target = None, privacy: Privacy = None, max_leak: MaxLeak = None,
    curve: Annotated[bool | None, typer.Option(help="Draw what the privacy dial does to this data.",
                                               show_default="where it takes seconds")] = None,
    effort: EffortOf = "standard", since: Since = None, fail_under: FailUnder = None, table: TableName = None,
    query: Query = None, fit_rows: FitRows = 500_000, budget: BudgetOf = None, checkpoint: CheckpointOf = None,
    jobs: Jobs = None, force: Force = False, as_json: Json = False,
) -> None:
    """Tell the whole story: read, describe, fit, sample, assess, report."""
    from verisyn.data import read
    from verisyn.metrics import effort_of
    from verisyn.outputs import check_folder
    from verisyn.report.terminal import summary
    from verisyn.story import tell

    progress, policy = _progress(as_json), _policy(fail_under, since)
    effort_of(effort)
    folder = check_folder(out or _default_folder(source, "synthetic"), force)
    with progress.stage("read"):
        dataset = read(source, table=table, query=query, fit_rows=fit_rows, seed=seed)
    story = tell(dataset, rows, seed, schema=schema, generator=generator, holdout=holdout, target=target, jobs=jobs,
                 privacy=privacy, max_leak=max_leak, curve=curve, effort=effort, budget=budget,
                 checkpoint=checkpoint, progress=progress).held_against(folder, since=since, policy=policy)
    story.save(folder, force=force)
    _say(summary(story.assessment, story.run, folder / "report.html"), as_json,
         {"out": str(folder), **story.assessment.to_dict(), "memory": story.run["memory"]})
    _enforce(story.assessment)


@app.command(epilog="Example: verisyn describe adult.parquet -o adult.yaml, then edit it, then: "
                    "verisyn synth adult.parquet --schema adult.yaml")
@_guarded
def describe(
    source: Source,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Schema file to write; printed without it.")] = None,
    target: Target = None, table: TableName = None, query: Query = None, fit_rows: FitRows = 500_000, seed: Seed = 0,
    force: Force = False, as_json: Json = False,
) -> None:
    """Find what each column is, with the evidence; write it as a schema you can edit."""
    from verisyn.data import read
    from verisyn.description import describe as describe_data
    from verisyn.outputs import check_file, writing_file

    if out:
        check_file(out, force)
    progress = _progress(as_json)
    dataset = read(source, table=table, query=query, fit_rows=fit_rows, seed=seed)
    schema = describe_data(dataset, target=target, progress=progress)
    if out is None:
        if as_json:
            _say("", True, schema.model_dump(mode="json"))
        else:
            print(schema.to_yaml(), end="")
        return
    with writing_file(out, force=force) as path:
        path.write_text(schema.to_yaml(), encoding="utf-8")
    _say(_schema_table(schema, dataset.notes, out), as_json, schema.model_dump(mode="json"))


@app.command(epilog="Example: verisyn fit adult.parquet --out adult-model --seed 7")
@_guarded
def fit(
    source: Source,
    out: Annotated[Path, typer.Option(help="Model folder to write.")],
    schema: SchemaFile = None, seed: Seed = 0, generator: GeneratorName = "trees",
    holdout: Annotated[float, typer.Option(help="Share of rows to leave unseen, for 'assess --model'.", min=0,
                                           max=0.9)] = 0.0,
    privacy: Privacy = None, max_leak: MaxLeak = None,
    audit: Annotated[bool | None, typer.Option(help="Measure what the model file tells of its rows.",
                                               show_default="unless the table is very wide")] = None,
    table: TableName = None, query: Query = None, fit_rows: FitRows = 500_000, budget: BudgetOf = None,
    checkpoint: CheckpointOf = None, jobs: Jobs = None, force: Force = False, as_json: Json = False,
) -> None:
    """Learn a generator from data and save it."""
    from verisyn.data import read
    from verisyn.model import fit as fit_model
    from verisyn.outputs import check_folder

    check_folder(out, force)
    progress = _progress(as_json)
    dataset = read(source, table=table, query=query, fit_rows=fit_rows, seed=seed)
    model = fit_model(dataset, schema, generator=generator, seed=seed, holdout=holdout, privacy=privacy,
                      max_leak=max_leak, audit=audit, budget=budget, checkpoint=checkpoint, jobs=jobs,
                      progress=progress)
    model.save(out, force=force)
    cost = sum(c.cpu_seconds for c in progress.costs)
    told = "".join(f"{note}\n" for note in model.info.notes)
    told += f"{model.memory.title} {model.memory.reason}\n" if model.memory else ""
    _say(f"Learnt {len(model.coder.columns)} columns from {model.info.rows_train:,} rows in {cost:.1f} CPU s. {told}"
         f"Now: verisyn sample {out} --rows {model.info.rows_source} --out synthetic.{dataset.format}",
         as_json, {"out": str(out), "rows": model.info.rows_train, "columns": list(model.coder.columns),
                   "cpu_seconds": cost, "notes": list(model.info.notes),
                   "memory": model.memory and model.memory.to_dict()})


@app.command(epilog="Example: verisyn sample adult-model --rows 1000 --out young.csv --given \"age < 30\"")
@_guarded
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
    drawn, progress = load(model), _progress(as_json)
    frame = drawn.sample_frame(rows, seed=seed, given=given, balance=balance, do=read_do(do or ()),
                               targets=read_targets(targets) if targets else None, jobs=jobs, progress=progress)
    write(with_dtypes(frame, drawn.origin), out, settings=drawn.info.format_settings,
          table_name=drawn.schema.table.name)
    _say("\n".join([*progress.notes, f"Wrote {frame.height:,} rows to {out}."]), as_json,
         {"out": str(out), "rows": frame.height, "notes": progress.notes})


@app.command(epilog="Example: verisyn impute survey-model survey.csv -o survey-complete.csv --draws 5")
@_guarded
def impute(
    model: Annotated[Path, typer.Argument(help="A model folder from 'verisyn fit'.", show_default=False)],
    source: Source,
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write; with several draws, one a draw: "
                                                          "NAME-1.csv, NAME-2.csv, …")],
    draws: Annotated[int, typer.Option(help="How many completions, each drawn anew.", min=1)] = 1,
    table: TableName = None, query: Query = None, seed: Seed = 0, force: Force = False, as_json: Json = False,
) -> None:
    """Complete missing cells by draws from the model, given all other cells of the row."""
    from verisyn.answers import EVERY_ROW
    from verisyn.data import read, write
    from verisyn.formats import of_path
    from verisyn.frames import with_dtypes
    from verisyn.model import load
    from verisyn.outputs import check_file

    name, dot, ending = out.name.partition(".")
    files = [out] if draws == 1 else [out.with_name(f"{name}-{i}{dot}{ending}") for i in range(1, draws + 1)]
    for file in files:
        of_path(check_file(file, force))
    dataset = read(source, table=table, query=query, fit_rows=EVERY_ROW)
    for file, frame in zip(files, load(model).impute_frames(dataset.frame, draws, seed=seed), strict=True):
        write(with_dtypes(frame, dataset.origin), file, settings=dataset.format_settings, table_name=dataset.table_name)
    cells = sum(dataset.frame.null_count().row(0)) - sum(frame.null_count().row(0))
    _say(f"Completed {cells:,} cells of {frame.height:,} rows; wrote {', '.join(map(str, files))}.", as_json,
         {"out": [str(file) for file in files], "rows": frame.height, "cells": cells})


@app.command(epilog="Example: verisyn assess synthetic.csv train.csv --holdout unseen.csv --fail-under policy.yaml")
@_guarded
def assess(
    synthetic: Annotated[str, typer.Argument(help="Synthetic data, made with anything.", show_default=False)],
    real: Annotated[str, typer.Argument(help="The real data it was made from.", show_default=False)],
    out: Annotated[Path | None, typer.Option(help="Folder for report.html and assessment.json.",
                                             show_default="NAME-assessment")] = None,
    holdout: Annotated[str | None, typer.Option(help="Real data that the generator never saw.")] = None,
    schema: SchemaFile = None,
    model: Annotated[Path | None, typer.Option(help="The model, if it was fitted with --holdout.")] = None,
    target: Target = None,
    sensitive: Annotated[list[str] | None, typer.Option(
        help="A column that fairness and attribute inference are asked of. May be repeated.", metavar="COLUMN",
        show_default="those the schema marks")] = None,
    effort: EffortOf = "standard", seed: Seed = 0, since: Since = None, fail_under: FailUnder = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the result as Markdown.")] = False,
    force: Force = False, as_json: Json = False,
) -> None:
    """Judge synthetic data against the real data: fidelity, utility, privacy, fairness."""
    from verisyn.assessment import assess as assess_data
    from verisyn.findings import Finding
    from verisyn.metrics import effort_of
    from verisyn.model import load
    from verisyn.outputs import check_folder, writing_folder
    from verisyn.report import render
    from verisyn.report.terminal import summary
    from verisyn.since import compared

    out = check_folder(out or _default_folder(synthetic, "assessment"), force)
    progress, policy = _progress(as_json or markdown), _policy(fail_under, since)
    effort_of(effort)
    maker = load(model) if model else None
    found = assess_data(synthetic, real, holdout, schema=schema, model=maker, target=target, sensitive=sensitive,
                        effort=effort, seed=seed, progress=progress)
    run = {"memory": maker.memory.to_dict()} if maker and maker.memory else {}
    found = compared(found, since, out)
    if policy:
        found = found.told(policy=policy.check(found, [Finding.from_dict(m) for m in run.values()]).to_dict())
    with writing_folder(out, force=force) as folder:
        (folder / "assessment.json").write_text(found.to_json() + "\n", encoding="utf-8")
        page = render(found, title=Path(synthetic).name, table=None, run=run, notes=found.about.get("notes", ()))
        (folder / "report.html").write_text(page, encoding="utf-8")
    if markdown and not as_json:
        print(found.to_markdown(), end="")
    else:
        _say(summary(found, run, report=out / "report.html"), as_json, {"out": str(out), **found.to_dict()})
    _enforce(found)


@app.command("list", epilog="Example: verisyn list kinds")
@_guarded
def list_shelf(
    shelf: Annotated[str | None, typer.Argument(help="kinds, generators, metrics or formats; all without it.")] = None,
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
    _say(grid, as_json, found)


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


def _policy(file: Path | None, since: Path | None) -> Any:
    """Read a policy, and see that an earlier assessment can be read, before the work begins."""
    if since is not None:
        from verisyn.findings import Assessment

        Assessment.load(since)
    if file is None:
        return None
    from verisyn.policy import Policy, known_names

    policy = Policy.load(file)
    policy.must_name(known_names())
    return policy


def _enforce(assessment: Any) -> None:
    """Refuse, once everything is written and said, what a policy does not allow."""
    if told := assessment.about.get("policy"):
        from verisyn.policy import Checked

        Checked.from_dict(told).enforce()


def _default_folder(source: str, ending: str) -> Path:
    """``NAME-synthetic`` or the like in the current folder, NAME being the file's name without its suffixes."""
    name = Path(source.split("?", maxsplit=1)[0]).name
    return Path(f"{name.split('.')[0] or name or 'data'}-{ending}")


def _schema_table(schema: Any, notes: tuple[str, ...], out: Path) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    grid = Table("column", "kind", "missing", "why", box=None, pad_edge=False, padding=(0, 2, 0, 0),
                 header_style="bold")
    for column in schema.table.columns:
        missing = f"{column.missing:.1%}" if column.missing else ""
        grid.add_row(Text(column.name), column.kind, missing, Text(column.evidence))
    target = f"Target: {schema.table.target}. " if schema.table.target else ""
    rules = Table("constraint", "columns", "why", box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for constraint in schema.table.constraints:
        rules.add_row(constraint.kind, Text(", ".join(constraint.columns)), Text(constraint.evidence))
    biases = Table("bias", "columns", "why", box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for bias in schema.table.biases:
        biases.add_row(bias.kind, Text(", ".join(bias.columns)), Text(bias.evidence))
    below = [part for told in (rules, biases) if told.row_count for part in (Text(), told)]
    lines = [*([*below, Text()] if below else ()), *(Text(note, style="dim") for note in notes),
             Text(f"{target}Wrote {out}; edit it, then pass --schema.")]
    return Group(grid, *lines)


def main() -> None:
    """Run the command line."""
    app()
