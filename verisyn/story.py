"""The whole story in one call: read, describe, fit, sample, assess, and write the synthetic data with its proof."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import polars as pl

from verisyn import __version__, modalities
from verisyn._manifest import attach
from verisyn.assessment import assess_frames
from verisyn.data import Dataset, read, write, write_tables
from verisyn.description import resolve_schema, tables_left_out
from verisyn.errors import none_given
from verisyn.findings import Assessment, Finding, NotAnswered
from verisyn.frames import with_dtypes
from verisyn.frontier import Curve, has_dial, positions
from verisyn.frontier import curve as draw_curve
from verisyn.memory import Recipe
from verisyn.metrics import Effort, effort_of
from verisyn.modalities._made import BaseModel
from verisyn.model import Model, fit
from verisyn.outputs import check_folder, sha256, writing_folder
from verisyn.progress import Progress
from verisyn.provenance import Provenance
from verisyn.schema import Schema
from verisyn.since import compared
from verisyn.steering import Steered, together

if TYPE_CHECKING:
    from verisyn.policy import Policy

HOLDOUT = 0.2
_FEWEST = 100
"""Real rows that meet a condition and can be compared with."""
_SEVERAL = "it is for several tables, and this is a single one: say how many rows."
_UNLIKE = ("The rows were steered, and are compared with real rows that were not: what was asked of fidelity, utility "
           "and fairness differs as far as that was wished.")


@dataclass(frozen=True)
class Story:
    """What :func:`tell` made: the synthetic tables, the model, the schema, the assessment, and what it all cost."""

    source: Dataset
    tables: dict[str, pl.DataFrame]
    model: Model | BaseModel
    schema: Schema
    assessment: Assessment
    progress: Progress
    notes: tuple[str, ...]
    dial: Curve | None = None

    @property
    def data(self) -> Any:
        """The synthetic rows as the kind of dataframe that went in; of several tables a dict."""
        made = {name: attach(self.source.give_back(frame, name), self.model.provenance(frame.height))
                for name, frame in self.tables.items()}
        return made if len(self.source.tables) > 1 else next(iter(made.values()))

    @property
    def rows(self) -> int:
        """Synthetic rows of all tables."""
        return sum(frame.height for frame in self.tables.values())

    @property
    def provenance(self) -> Provenance:
        """Where the synthetic rows come from."""
        return self.model.provenance(self.rows)

    @property
    def run(self) -> dict[str, Any]:
        """How the story was made: versions, seed, rows, and the cost of each stage."""
        info, here = self.model.info, sum(frame.height for frame in self.source.tables.values())
        source, train = _total(info.rows_source), _total(info.rows_train)
        rows = {"source": source, "train": train, "holdout": max(0, here - train), "synthetic": self.rows}
        return {"versions": versions(), "seed": info.seed, "generator": info.generator, "settings": info.settings,
                "rows": rows, "provenance": self.provenance.to_dict(),
                "stages": [asdict(cost) for cost in self.progress.costs], "notes": list(self.notes),
                "memory": self.model.memory and self.model.memory.to_dict(), "dial": self.dial and self.dial.to_dict()}

    def report(self, run: dict[str, Any] | None = None) -> str:
        """Return the report as one self-contained HTML text."""
        from verisyn.report import render

        return render(self.assessment, title=self.source.name, table=self.schema, run=run or self.run,
                      notes=self.notes)

    def held_against(self, folder: str | Path, *, since: str | Path | None = None,
                     policy: Policy | None = None) -> Story:
        """Return the story with what changed since an earlier assessment, and with how it meets a policy.

        Without `since`, the earlier assessment is the one in `folder`, if it is of the same source.
        """
        found = compared(self.assessment, since, Path(folder))
        memory = [Finding.from_dict(self.model.memory.to_dict())] if self.model.memory else []
        return replace(self, assessment=found.told(policy=policy and policy.check(found, memory).to_dict()))

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the folder: synthetic data, report, assessment, schema, model and run; it appears only when whole.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        UserError
            If the folder exists (and `force` is not given) or cannot be written.
        """
        with writing_folder(path, force=force) as folder:
            with self.progress.stage("write"):
                self._write_into(folder)
            with self.progress.stage("report"):
                source = self.source.source
                run = {**self.run, "input": {"name": self.source.name, "sha256": sha256(source) if source else None},
                       "files": _hashes(folder)}
                (folder / "report.html").write_text(self.report(run), encoding="utf-8")
            run = {**run, "stages": self.run["stages"], "files": _hashes(folder)}
            (folder / "run.json").write_text(json.dumps(run, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return Path(path)

    def _write_into(self, folder: Path) -> None:
        (folder / "model").mkdir()
        self.model.write_into(folder / "model")
        self._write_tables(folder)
        (folder / "assessment.json").write_text(self.assessment.to_json() + "\n", encoding="utf-8")
        (folder / "schema.yaml").write_text(self.schema.to_yaml(), encoding="utf-8")

    def _write_tables(self, folder: Path) -> None:
        source, ending = self.source, f".{self.source.extension}" if self.source.extension else ""
        target = folder / f"synthetic{ending}"
        typed = {name: with_dtypes(frame, source.origins.get(name, source.origin))
                 for name, frame in self.tables.items()}
        if len(source.tables) > 1:
            write_tables(typed, target, settings=source.format_settings, schema=self.schema, provenance=self.provenance)
        else:
            write(typed[source.table_name], target, settings=source.format_settings, table_name=source.table_name,
                  provenance=self.provenance)


def synth(source: Any, rows: int | None = None, seed: int = 0, *, out: str | Path | None = None,
          schema: Schema | str | Path | None = None, generator: str | None = None, holdout: float | None = None,
          target: str | None = None, entity: str | Sequence[str] = (), time: str | None = None,
          scale: float | None = None, steer: str | Path | Mapping[str, Any] | None = None,
          privacy: str | float | None = None, max_leak: float | None = None,
          curve: bool | None = None, effort: str = "standard", max_synthetic: float | None = None,
          budget: str | float | None = None, checkpoint: str | Path | None = None, jobs: int | None = None,
          force: bool = False, progress: Progress | None = None) -> Any:
    """Turn data into synthetic data; with `out`, write it to a folder together with its proof.

    Parameters
    ----------
    source : dataframe, dict of dataframes, Dataset, path or URL
        The real data.
    rows : int, optional
        Synthetic rows to make; as many as the source has by default. Of several tables, give `scale`.
    seed : int, default 0
        The same data, options, seed and version give the same bytes.
    out : path, optional
        A folder to write: synthetic data, report, assessment, schema, model, run. Without it nothing is assessed.
    schema : Schema or path, optional
        Without it the data is described first.
    generator : str, optional
        A name on the generators' shelf; see :func:`fit`.
    holdout : float, optional
        Share of rows set aside to judge the result. 0.2 with `out`; 0 (learn from every row) without.
    target : str, optional
        The column that models are asked to predict when utility is measured.
    entity, time : str, or sequence of str, optional
        Where rows are events or measurements in time: whose they are, and what orders them; see :func:`fit`.
    scale : float, optional
        Of several tables: how many times as many rows as the source has, such as 0.1 or 10.
    steer : path or mapping, optional
        What the rows shall be like: a YAML file, or a mapping, of the wishes of :meth:`Model.sample`. The report then
        holds the rows beside such without the wishes.
    privacy, max_leak : optional
        The generator's privacy dial, or the largest leak that chooses it; see :func:`fit`.
    curve : bool, optional
        Whether the report draws what the dial does to this data. By default, where that takes seconds.
    effort : {"standard", "quick", "thorough"}
        How much assessing may cost; see :func:`assess`.
    max_synthetic : float, optional
        The largest share of synthetic rows among those to learn from; see :func:`fit`.
    budget, checkpoint : optional
        About how long learning may take, and a folder to go on from after an interruption; see :func:`fit`.
    jobs : int, optional
        Threads; the result does not depend on it.
    force : bool, default False
        Overwrite `out`; the report then tells what changed since the one that stood there.
    progress : Progress, optional
        Shows and records the stages.

    Returns
    -------
    dataframe
        pandas in, pandas out; polars in, polars out; pyarrow in, pyarrow out; polars for files; a dict of those where
        there are several tables.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"kg": [70.5, 81.25, 64.0, 90.1] * 30, "smoker": ["yes", "no", "no", "no"] * 30})
    >>> synth(frame, rows=5, seed=7).schema == frame.schema
    True
    """
    if out is None:
        dataset = read(source, seed=seed, entity=entity, time=time)
        model = fit(dataset, schema, generator=generator, seed=seed, holdout=holdout or 0.0, privacy=privacy,
                    max_leak=max_leak, audit=False, max_synthetic=max_synthetic, entity=entity, time=time,
                    budget=budget, checkpoint=checkpoint, jobs=jobs, progress=progress)
        if isinstance(model, Model):
            none_given({"scale": scale}, _SEVERAL)
            return model.sample(rows, seed=seed, steer=steer, jobs=jobs, progress=progress)
        return model.sample(seed=seed, jobs=jobs, progress=progress, **_asked_of(rows, scale, steer))
    check_folder(out, force)
    story = tell(source, rows, seed, schema=schema, generator=generator, target=target, entity=entity, time=time,
                 scale=scale, steer=steer, jobs=jobs, progress=progress,
                 holdout=HOLDOUT if holdout is None else holdout, privacy=privacy,
                 max_leak=max_leak, curve=curve, effort=effort, max_synthetic=max_synthetic, budget=budget,
                 checkpoint=checkpoint).held_against(out)
    story.save(out, force=force)
    return story.data


def tell(source: Any, rows: int | None = None, seed: int = 0, *, schema: Schema | str | Path | None = None,
         generator: str | None = None, holdout: float = HOLDOUT, target: str | None = None,
         entity: str | Sequence[str] = (), time: str | None = None, scale: float | None = None,
         steer: str | Path | Mapping[str, Any] | None = None,
         privacy: str | float | None = None, max_leak: float | None = None, curve: bool | None = None,
         effort: str = "standard", max_synthetic: float | None = None, budget: str | float | None = None,
         checkpoint: str | Path | None = None, jobs: int | None = None, progress: Progress | None = None) -> Story:
    """Tell the whole story and keep all of it; the options are those of :func:`synth`."""
    asked, progress, wishes = effort_of(effort), progress or Progress(), together(steer, {})
    with progress.stage("read"):
        dataset = read(source, seed=seed, entity=entity, time=time)
    schema = resolve_schema(schema, dataset, target=target, entity=entity, time=time, progress=progress)
    left, dataset = tables_left_out(schema, dataset), dataset.of(schema)
    modality = modalities.of(schema)
    if hasattr(modality, "home"):
        none_given({"curve": curve or None}, "the privacy dial's curve is drawn of one table without time.")
    else:
        none_given({"scale": scale}, _SEVERAL)
    model = fit(dataset, schema, generator=generator, seed=seed, holdout=holdout, privacy=privacy, max_leak=max_leak,
                max_synthetic=max_synthetic, budget=budget, checkpoint=checkpoint, jobs=jobs, progress=progress)
    if hasattr(modality, "home"):
        return _of_tables(modality.home(), dataset, left, model, _asked_of(rows, scale, steer), asked, jobs, progress)
    train, unseen = dataset.split(holdout, seed) if holdout else (dataset, None)
    if isinstance(wishes.get("fair"), Mapping):  # decisions will be about such people as the training rows are of
        wishes["fair"] = {"population": train.frame[schema.table.names], **wishes["fair"]}
    steered = model.steered(rows, seed=seed, jobs=jobs, progress=progress, **wishes)
    about = {"source": dataset.name, "generator": model.info.generator, "seed": seed,
             "provenance": model.info.provenance}
    names = schema.table.names
    seen, apart, told = _comparable(steered, train.frame[names], unseen.frame[names] if unseen else None)
    table = schema.table.of(steered.frame.columns)
    kept = table.names
    assessment = assess_frames(steered.frame[kept], seen[kept], None if apart is None else apart[kept], table,
                               coder=model.coder if kept == names else None, effort=asked, seed=seed,
                               progress=progress, about=about)
    if wishes:
        found = model.effects(steered, train=train.frame[names], holdout=unseen.frame[names] if unseen else None,
                              seed=seed, jobs=jobs)
        assessment = replace(assessment, findings=(*found.findings, *assessment.findings))
    dial, more = _dial(model, train.frame, unseen.frame if unseen else None, curve, jobs, progress)
    notes = dict.fromkeys([*dataset.notes, *left, *model.coder.notes, *model.info.notes, *told, *progress.notes, *more])
    return Story(dataset, {dataset.table_name: steered.frame}, model, schema, assessment, progress, tuple(notes), dial)


def _of_tables(home: ModuleType, dataset: Dataset, left: tuple[str, ...], model: BaseModel, wishes: dict[str, Any],
               effort: Effort, jobs: int | None, progress: Progress) -> Story:
    """Tell the story of several tables, or of rows in time, from their model on."""
    info, schema = model.info, model.schema
    tables = model.sample_tables(seed=info.seed, jobs=jobs, progress=progress, **wishes)
    train, unseen = home.split(dataset, schema, info.holdout, info.seed) if info.holdout else (dataset, None)
    about = {"source": dataset.name, "generator": info.generator, "seed": info.seed, "provenance": info.provenance}
    found = home.assess(tables, train.tables, unseen and unseen.tables, schema, about, effort=effort, seed=info.seed,
                        progress=progress)
    notes = dict.fromkeys([*dataset.notes, *left, *train.notes, *model.notes, *progress.notes])
    return Story(dataset, tables, model, schema, found, progress, tuple(notes))


def _asked_of(rows: int | None, scale: float | None, steer: str | Path | Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what is wished of a model of several tables, or of rows in time."""
    told = {name: value for name, value in {"rows": rows, "scale": scale}.items() if value is not None}
    return {**told, **{name: value for name, value in together(steer, {}).items() if value is not None}}


def _total(rows: int | Mapping[str, int]) -> int:
    return rows if isinstance(rows, int) else sum(rows.values())


def _comparable(steered: Steered, train: pl.DataFrame, unseen: pl.DataFrame | None
                ) -> tuple[pl.DataFrame, pl.DataFrame | None, tuple[str, ...]]:
    """Return the real rows to hold steered rows against, those that meet the condition, and what to say of it."""
    wishes = steered.wishes
    if wishes.plain:
        return train, unseen, ()
    if not wishes.given:
        return train, unseen, (_UNLIKE,)
    seen = train.filter(wishes.given.holds(train))
    apart = None if unseen is None else unseen.filter(wishes.given.holds(unseen))
    few = min(side.height for side in (seen, apart) if side is not None)
    if few < _FEWEST:
        return train, unseen, (f"Only {few:,} real rows of a side meet {wishes.given.text!r}, too few to compare with. "
                               f"{_UNLIKE}",)
    return seen, apart, (f"All rows meet {wishes.given.text!r}; they are compared with the real rows that meet it.",)


def _dial(model: Model, train: pl.DataFrame, unseen: pl.DataFrame | None, asked: bool | None, jobs: int | None,
          progress: Progress) -> tuple[Curve | None, tuple[str, ...]]:
    """Return the curve of the privacy dial, or the sentence that says why there is none."""
    info = model.info
    if asked is False or not has_dial(info.generator):
        return None, ()
    recipe, chosen = Recipe(model.schema, info.generator, info.settings, info.seed, jobs), info.settings["privacy"]
    try:
        if unseen is None:
            raise NotAnswered("there is no holdout to judge by")
        with progress.stage("privacy dial", total=len(positions(chosen))) as tick:
            return draw_curve(recipe, train, unseen, chosen, whatever_it_costs=asked is True, tick=tick), ()
    except NotAnswered as why:
        return None, (f"What the privacy dial does to this data was not measured, because {why}.",)


def versions() -> dict[str, str]:
    """Return the versions of everything that could change the bytes."""
    found = {"verisyn": __version__, "python": platform.python_version(), "platform": platform.platform()}
    for package in ("numpy", "polars", "scipy", "scikit-learn", "Faker"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a folder, by its path within."""
    return {p.relative_to(folder).as_posix(): sha256(p) for p in sorted(folder.rglob("*")) if p.is_file()}
