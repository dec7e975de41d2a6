"""What all commands share: the app, their common options, errors as sentences, results for people and for machines."""

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
from verisyn.errors import VerisynError

app = typer.Typer(
    name="verisyn", no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False,
    help="Synthetic data that can be verified.\n\nThe whole story in one command: **verisyn synth patients.csv**",
    epilog="Exit codes: 0 done · 1 our fault · 2 a mistake in the input or options · 3 refused or alarmed.",
    context_settings={"help_option_names": ["-h", "--help"]},
)

Source = Annotated[str, typer.Argument(help="File (CSV, TSV, Parquet, JSON Lines, Arrow, Excel, SQLite, DuckDB; "
                                            ".gz and .zst too), folder of such files, or database URL.",
                                       show_default=False)]
Seed = Annotated[int, typer.Option(help="Same data, options, seed and version: same bytes.", min=0)]
Rows = Annotated[int | None, typer.Option(help="Synthetic rows; as many as the source has by default.", min=1)]
SchemaFile = Annotated[Path | None, typer.Option("--schema", help="A schema file from 'verisyn describe'.")]
GeneratorName = Annotated[str | None, typer.Option(help="A generator's name; see 'verisyn list generators'.",
                                                   show_default="the best there is for such data")]
Entity = Annotated[list[str] | None, typer.Option("--entity", help="Where rows are in time: a column that says whose "
                                                  "they are. May be repeated.", metavar="COLUMN")]
Time = Annotated[str | None, typer.Option("--time", help="The column that orders the rows of an entity, or of one long "
                                          "series; 'row' where they stand in their order and no column tells it.",
                                          metavar="COLUMN")]
Scale = Annotated[float | None, typer.Option("--scale", help="Of several tables: so many times as many rows as the "
                                             "source has.", metavar="FACTOR")]
Public = Annotated[list[str] | None, typer.Option("--public", help="A reference table that is public anyhow; kept word "
                                                  "for word. May be repeated.", metavar="TABLE")]
Target = Annotated[str | None, typer.Option(help="Column that models predict when utility is measured.")]
TableName = Annotated[str | None, typer.Option("--table", help="One table of a database or folder, or sheet of a "
                                               "workbook; all of them without it.")]
Query = Annotated[str | None, typer.Option(help="An SQL query, for a database.")]
FitRows = Annotated[int, typer.Option(help="Learn from at most this many rows, drawn uniformly.", min=1)]
Privacy = Annotated[str | None, typer.Option(help="Privacy dial: low, standard, high, or a number from 0 to 1.",
                                             show_default="standard")]
MaxLeak = Annotated[float | None, typer.Option(help="Choose the dial by the most that an attack on the model may "
                                                    "reach: an AUC, at the upper end of its interval.", metavar="AUC")]
MaxSynthetic = Annotated[float | None, typer.Option(help="Refuse to learn from a larger share of synthetic rows, as "
                                                         "far as their provenance is known.", min=0, max=1,
                                                    metavar="SHARE")]
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


def guarded(command: Callable) -> Callable:
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


def progress_of(quiet: bool) -> Any:
    from verisyn.progress import Progress, default_progress

    return Progress() if quiet else default_progress()


def say(text: Any, as_json: bool, result: dict[str, Any]) -> None:
    """Print JSON for machines, or text for people."""
    if as_json:
        print(json.dumps(result, ensure_ascii=False, indent=1))
        return
    from rich.console import Console

    Console(soft_wrap=isinstance(text, str)).print(text, highlight=False)


def save_study(found: Any, out: Path, *, title: str, kind: str, lead: str, force: bool, as_json: bool) -> None:
    """Write a study's folder, and say what was found."""
    from verisyn.report.terminal import told

    write_study(found, out, title=title, kind=kind, lead=lead, force=force)
    say(told(found, out / "report.html"), as_json, {"out": str(out), **found.to_dict()})


def write_study(found: Any, out: Path, *, title: str, kind: str, lead: str, force: bool) -> None:
    """Write a study's folder: report.html and assessment.json."""
    from verisyn.outputs import writing_folder
    from verisyn.report import study

    with writing_folder(out, force=force) as folder:
        study.write_study(folder, found, title=title, kind=kind, lead=lead)


def described(schema: Path | None, dataset: Any, public: list[str] | None, progress: Any, **about: Any) -> Any:
    """Return the schema of a dataset: that of a file, or a fresh description, with these tables marked as public."""
    from verisyn.description import resolve_schema

    return resolve_schema(schema, dataset, progress=progress, **about).with_public(public or ())


def policy_of(file: Path | None, since: Path | None) -> Any:
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


def strictest(policy: Any, most: float | None) -> float | None:
    """Return the least share of synthetic rows that a policy, or the option, allows to learn from."""
    asked = [share for share in (most, policy and policy.max_synthetic) if share is not None]
    return min(asked, default=None)


def enforce(assessment: Any) -> None:
    """Refuse, once everything is written and said, what a policy does not allow."""
    if told := assessment.about.get("policy"):
        from verisyn.policy import Checked

        Checked.from_dict(told).enforce()


def default_folder(source: str, ending: str) -> Path:
    """``NAME-synthetic`` or the like in the current folder, NAME being the file's name without its suffixes."""
    name = Path(source.split("?", maxsplit=1)[0]).name
    return Path(f"{name.split('.')[0] or name or 'data'}-{ending}")
