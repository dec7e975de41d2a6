"""verisyn assess: judge synthetic data made with anything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verisyn.cli._shared import (
    EffortOf,
    Entity,
    FailUnder,
    Force,
    Json,
    SchemaFile,
    Seed,
    Since,
    Target,
    Time,
    app,
    default_folder,
    enforce,
    guarded,
    policy_of,
    progress_of,
    say,
)


@app.command(epilog="Example: verisyn assess synthetic.csv train.csv --holdout unseen.csv --fail-under policy.yaml")
@guarded
def assess(
    synthetic: Annotated[str, typer.Argument(help="Synthetic data, made with anything.", show_default=False)],
    real: Annotated[str, typer.Argument(help="The real data it was made from.", show_default=False)],
    out: Annotated[Path | None, typer.Option(help="Folder for report.html and assessment.json.",
                                             show_default="NAME-assessment")] = None,
    holdout: Annotated[str | None, typer.Option(help="Real data that the generator never saw.")] = None,
    schema: SchemaFile = None,
    model: Annotated[Path | None, typer.Option(help="The model, if it was fitted with --holdout.")] = None,
    target: Target = None, entity: Entity = None, time: Time = None,
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

    out = check_folder(out or default_folder(synthetic, "assessment"), force)
    progress, policy = progress_of(as_json or markdown), policy_of(fail_under, since)
    effort_of(effort)
    maker = load(model) if model else None
    found = assess_data(synthetic, real, holdout, schema=schema, model=maker, target=target, sensitive=sensitive,
                        entity=entity or (), time=time, effort=effort, seed=seed, progress=progress)
    run = {"memory": maker.memory.to_dict()} if maker and maker.memory else {}
    found = compared(found, since, out)
    if policy:
        found = found.told(policy=policy.check(found, [Finding.from_dict(m) for m in run.values()]).to_dict())
    with writing_folder(out, force=force) as folder:
        (folder / "assessment.json").write_text(found.to_json() + "\n", encoding="utf-8")
        page = render(found, title=Path(synthetic).name, run=run, notes=found.about.get("notes", ()))
        (folder / "report.html").write_text(page, encoding="utf-8")
    if markdown and not as_json:
        print(found.to_markdown(), end="")
    else:
        say(summary(found, run, report=out / "report.html"), as_json, {"out": str(out), **found.to_dict()})
    enforce(found)
