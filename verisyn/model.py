"""fit() → Model; Model.sample() draws rows, keeps conditions exactly, and gives back the kind of frame that went in."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from verisyn import __version__, memory, modalities, shelves, storage
from verisyn._manifest import attach
from verisyn.answers import Answers
from verisyn.causality.graph import in_causal_order
from verisyn.causality.told import with_causes
from verisyn.causality.unexplained import unexplained
from verisyn.checkpoint import Checkpoint, fingerprint
from verisyn.conditions import Given
from verisyn.data import read
from verisyn.description import resolve_schema
from verisyn.errors import UserError, did_you_mean, none_given, whole_number
from verisyn.findings import Assessment, Finding
from verisyn.frames import Origin, from_polars
from verisyn.generations.guard import guard
from verisyn.memory import Recipe
from verisyn.modalities._made import Asked, BaseModel
from verisyn.modalities.table import Fitted
from verisyn.modalities.table._views import TableCoder
from verisyn.progress import Progress, WarningProgress
from verisyn.provenance import Provenance, real
from verisyn.running import Budget, Run, threads
from verisyn.schema import Schema
from verisyn.steering import Steered, Wishes, together
from verisyn.steering.intervention import Do, columns_in_order
from verisyn.steering.refit import Refitter, Sample
from verisyn.steering.tails import Asked as Tails
from verisyn.steering.targets import Wanted

_MOST_BESIDE = 20_000
"""Rows without wishes that steered rows are held beside."""


def fit(data: Any, schema: Schema | str | Path | None = None, *, generator: str | None = None, seed: int = 0,
        holdout: float = 0.0, privacy: str | float | None = None, max_leak: float | None = None,
        audit: bool | None = None, max_synthetic: float | None = None, causes: Any = None,
        entity: str | Sequence[str] = (), time: str | None = None,
        budget: str | float | None = None, checkpoint: str | Path | None = None, jobs: int | None = None,
        progress: Progress | None = None, **settings: Any) -> Any:
    """Learn a generator from data.

    Parameters
    ----------
    data : Dataset, dataframe, dict of dataframes, path or URL
        What :func:`verisyn.read` takes.
    schema : Schema or path, optional
        Without it the data is described first.
    generator : str, optional
        A name on the generators' shelf (``verisyn list generators``); by default ``table.trees`` for one table,
        ``relation.ancestral`` for several, ``sequence.history`` for rows in time.
    seed : int, default 0
        The same data, schema, settings, seed and version give the same model.
    holdout : float, default 0
        Share of rows to set aside, unseen, so that the model can be assessed against them. 0 learns from every row.
        Of several tables and of rows in time, whole subjects and entities are set aside.
    privacy : {"low", "standard", "high"} or float, optional
        Position of the generator's privacy dial, in words or from 0 to 1. Without it, the generator's own default.
    max_leak : float, optional
        Instead of `privacy`: take the least private position at which the likelihood attack on the model file keeps the
        upper end of its 95 % interval, an AUC, at this or less; measured on models of half the rows, 10 000 at most.
    audit : bool, optional
        Whether to measure what the model file tells of its rows (``model.memory``): against the holdout where there is
        one, else by fitting a second model on half the rows, 10 000 at most. By default it is left out only where that
        second fit would take minutes, or where there is a budget.
    max_synthetic : float, optional
        The largest share of synthetic and derived rows, 0 to 1, among those to learn from, as far as their provenance
        is known (see :func:`verisyn.read`). More are refused. Without it, more than a half raise an alarm.
    causes : Causes, mapping, list, str or path, optional
        Which column is a cause of which: ``{"income": ["age", "education"]}`` (an effect and its causes), columns in
        causal order, ``"age -> education -> income; sex -> income"``, a YAML file, or what :func:`verisyn.causes`
        proposed once it is confirmed. Causes are learnt before their effects, and with ``do`` only effects respond.
    entity, time : str, or sequence of str, optional
        Where rows are events or measurements in time: the columns that say whose they are, and the column that orders
        them; see ``docs/sequences.md``. In the place of what the schema says.
    budget : str or float, optional
        About how long learning may take by the clock: ``"90s"``, ``"2min"``, or seconds. What is not learnt by then is
        left coarse, and ``model.info.notes`` says what; the model then depends on the speed of the machine.
    checkpoint : path, optional
        A folder that keeps each part of the model as it is learnt. After an interruption the same call goes on from
        there and gives the same model. It is removed when all is learnt; what a budget cut short is not kept.
    jobs : int, optional
        Threads; all cores by default. The result does not depend on it.
    progress : Progress, optional
        Shows and records the stages.
    **settings
        Fields of the generator's dataclass, for example ``leaves=16`` for ``table.trees``.

    Returns
    -------
    Model
        Of one table; of several tables a ``DatabaseModel``, of rows in time a ``SequenceModel``.

    Raises
    ------
    UserError
        If the data cannot be read, the schema does not fit it, a name or setting is unknown, the causes go in a circle,
        the checkpoint is of another fit, or something is asked for that only models of one table do.
    Refused
        If no position of the dial keeps `max_leak`, there are more synthetic rows than `max_synthetic`, or nobody has
        confirmed `causes` that were proposed from data.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"height": [1.62, 1.75, 1.81, 1.58] * 50, "smoker": ["yes", "no", "no", "no"] * 50})
    >>> fit(frame, seed=0).sample(3, seed=1).shape
    (3, 2)
    """
    from verisyn.frontier import choose, dialled

    whole_number("seed", seed, 0)
    run = Run(Budget.read(budget))
    dataset, progress, jobs = read(data, entity=entity, time=time), progress or WarningProgress(), threads(jobs)
    origins = guard(dataset.provenance, max_synthetic, progress)
    schema = resolve_schema(schema, dataset, entity=entity, time=time, progress=progress)
    dataset = dataset.of(schema)
    modality = modalities.of(schema)
    generator = modalities.generator_of(modality, generator)
    settings = dialled(generator, settings, privacy, max_leak)
    if hasattr(modality, "home"):
        none_given({"max_leak": max_leak, "causes": causes, "checkpoint": checkpoint}, "it is for models of one table, "
                   "and this data is more than one table, or rows in time.")
        asked = Asked(generator, settings, seed, holdout, jobs, audit, run)
        made: BaseModel = modality.home().learn(dataset, schema, asked, progress)
        made.info = replace(made.info, notes=(*origins, *made.info.notes))
        return made
    maker, schema = _generator(generator, settings), with_causes(schema, causes)
    train, unseen = dataset.split(holdout, seed) if holdout else (dataset, None)
    recipe, decided = Recipe(schema, generator, settings, seed, jobs), None
    if max_leak is not None:
        with progress.stage("choose the privacy dial"):
            decided = choose(recipe, train.frame, max_leak)
        maker = replace(maker, privacy=decided.privacy)
        recipe = replace(recipe, settings={**settings, "privacy": decided.privacy})
    coder_seed, fit_seed = np.random.SeedSequence(seed).spawn(2)
    with progress.stage("learn columns"):
        coder = TableCoder.learn(train.frame, schema.table, coder_seed)
        codes, maker = coder.encode(train.frame), in_causal_order(maker, schema.table, coder)
    kept = Checkpoint(checkpoint, fingerprint(codes, generator, vars(maker), seed)) if checkpoint else None
    run.kept = kept
    with progress.stage("fit", total=len(codes.parts)) as tick:
        fitted = maker.fit_within(run, codes, fit_seed, jobs=jobs, tick=tick)
    if kept and not run.cut:
        kept.remove()
    info = Info(generator=shelves.generators.full_name(generator), settings=dataclasses.asdict(maker), seed=seed,
                holdout=holdout, rows_source=dataset.rows_total[dataset.table_name], rows_train=train.frame.height,
                name=dataset.name, version=__version__, format=dataset.format,
                format_settings=dict(dataset.format_settings),
                notes=(*origins, *unexplained(train.frame, schema.table, coder), *run.notes(codes.names)),
                provenance=(dataset.provenance or real(dataset.name, train.frame.height)).to_dict())
    model = Model(schema, coder, fitted, dataset.origin, info)
    with progress.stage("audit"):
        model.memory = memory.audit(model, recipe, train.frame, unseen.frame if unseen else None,
                                    asked=False if run.budget and audit is None else audit,
                                    known=decided.found if decided else None)
    if decided and model.memory:
        model.memory = decided.compared(model.memory)
    return model


def fit_table(data: Any, schema: Schema | str | Path | None = None, **asked: Any) -> Model:
    """Learn a generator of one table; see :func:`fit`.

    Raises
    ------
    UserError
        As :func:`fit`, and if the data are more than rows of one table.
    """
    return only_table(fit(data, schema, **asked))


def only_table(model: Any) -> Model:
    """Return a model of one table.

    Raises
    ------
    UserError
        If it is of several tables, or of rows in time.
    """
    if not isinstance(model, Model):
        raise UserError(f"This takes a model of one table, and {model!r} is none. Fit one to a single table.")
    return model


def _generator(name: str, settings: dict[str, Any]) -> Any:
    maker = shelves.generators.take(name).Generator
    known = [f.name for f in dataclasses.fields(maker)]
    for key in settings:
        if key not in known:
            raise UserError(f"The generator {name!r} has no setting {key!r}. {did_you_mean(key, known)}")
    return maker(**settings)


@dataclass(frozen=True)
class Info:
    """How a model came to be."""

    generator: str
    settings: dict[str, Any]
    seed: int
    holdout: float
    rows_source: int
    rows_train: int
    name: str
    version: str
    format: str
    format_settings: dict[str, Any]
    notes: Sequence[str] = ()
    provenance: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def generation(self) -> int:
        """1 for a model of real rows, one more for each generator whose rows it learnt from in turn."""
        return int(self.provenance.get("generation", 0)) + 1


class Model(Answers, storage.Saved):
    """What was learnt from one table. It holds no training row, but is as confidential as its data (see the docs).

    `memory` is the finding on what it tells of its training rows; None where that was not asked.
    """

    def __init__(self, schema: Schema, coder: TableCoder, fitted: Fitted, origin: Origin, info: Info,
                 memory: Finding | None = None):
        super().__init__(schema, coder, fitted, info.seed, info.rows_train)
        self.origin, self.info, self.memory = origin, info, memory
        self._refits: dict[bytes, Sample] = {}

    def __repr__(self) -> str:
        return (f"Model({self.info.generator} of {self.info.name!r}: {len(self.coder.columns)} columns, "
                f"{self.info.rows_train:,} rows learnt from, seed {self.info.seed})")

    def provenance(self, rows: int) -> Provenance:
        """Return where `rows` rows drawn from this model come from: one generation after those it learnt from."""
        origins = real(self.info.name, self.info.rows_train)
        if self.info.provenance:
            origins = Provenance.from_dict(self.info.provenance)
        return origins.made(self.info.generator, rows, self.info.name)

    # -- drawing ----------------------------------------------------------------------------------------------------
    @property
    def order(self) -> list[str]:
        """The columns in the order in which they are drawn; those that are only regenerated come last."""
        return columns_in_order(self._drawing())

    def sample(self, rows: int | None = None, *, seed: int = 0, given: Given | Any | None = None,
               balance: str | None = None, shares: Mapping[str, Any] | None = None, do: Do | None = None,
               targets: Wanted | None = None, fair: Mapping[str, Any] | None = None, tails: Tails | None = None,
               weights: str | None = None,
               steer: str | Path | Mapping[str, Any] | None = None, jobs: int | None = None,
               progress: Progress | None = None) -> Any:
        """Draw synthetic rows.

        Parameters
        ----------
        rows : int, optional
            How many; as many as the source had by default, or one for each row of a dataframe that is `given`.
        seed : int, default 0
            The same model and seed give the same bytes, whatever `jobs` is.
        given : str, mapping or dataframe, optional
            A condition that every row meets, such as ``"income == '>50K' and age < 30"`` or ``{"income": ">50K",
            "age": (None, 29), "job": ["clerk", "cook"], "debt": None}`` (value, range, set, missing). Rows are drawn
            from the model's conditional distribution: columns before the condition respond to it too. A dataframe
            holds rows of which a part is known; each is completed, in turn.
        balance : str, optional
            A column whose levels are to be equally frequent.
        shares : mapping, optional
            Shares of some levels of one column, ``{"fraud": {"yes": 0.3}}``, or of one condition, ``{"age < 30":
            0.5}``, met to the row; all else shares the rest in the model's own proportions.
        do : mapping, optional
            Columns that are set in their turn, such as ``{"smoker": "no", "rate": "+1"}``: only what they cause, or
            where no causes are known only columns drawn after them (see :attr:`order`), responds. A change is written
            ``"+1"``, ``"-10%"``, ``"*1.1"`` or ``"+1pp"``.
        targets : mapping, list or path, optional
            Published figures to be met, in the forms of ``docs/targets.md``. In short: ``{"age": 45, "income":
            {">50K": 0.5}, "age < 30": 0.2}`` is a mean, shares of levels, and the share of a condition. The rows are
            tilted towards them as little as that takes.
        fair : mapping, optional
            An outcome to be drawn anew so that models learnt from the rows decide alike about groups of people:
            ``{"sensitive": "sex", "outcome": "income", "criterion": "demographic_parity"}``; see ``docs/fair.md``.
        tails : str, sequence or mapping, optional
            Number columns whose high end (with a ``-`` before the name, low end) is to reach beyond what was observed:
            a generalised Pareto distribution takes the place of the last twentieth, or of the share given. A column
            ``NAME_extrapolated`` marks values beyond all that the model draws.
        weights : str, optional
            The name of a column to add, with the weights that undo `shares`, `balance` and `targets`: weighted by
            them, the rows are as those that the model draws by itself.
        steer : path or mapping, optional
            All these wishes in a YAML file, or a mapping, under the same names.
        jobs : int, optional
            Threads; all cores by default.
        progress : Progress, optional
            Shows and records the stage; what is to be said of `do`, of `targets` and of rare conditions is in its
            ``notes``. Without it, what needs attention becomes a Python warning.

        Returns
        -------
        dataframe
            Of the kind that the model was fitted on (polars where it was fitted on a file), with the same data types;
            in pandas (``attrs["verisyn"]``) and pyarrow (the schema's metadata) it carries its provenance.

        Raises
        ------
        UserError
            If a wish names an unknown column, cannot be read, or is practically never met; with the nearest possible.

        Notes
        -----
        A row that meets the codes of a condition is accepted in proportion to the condition's exact probability given
        the columns before it; the largest probability seen in a pilot block serves as the bound (empirical supremum
        rejection sampling, Caffo, Booth and Davis 2002). Where that would cost more than learning anew, a generator is
        fitted to the model's own rows with the condition's columns first. ``docs/steering.md`` tells of all of it.
        """
        wishes = {"given": given, "balance": balance, "shares": shares, "do": do, "targets": targets, "fair": fair,
                  "tails": tails, "weights": weights}
        frame = self.sample_frame(rows, seed=seed, jobs=jobs, progress=progress, **together(steer, wishes))
        return attach(from_polars(frame, self.origin), self.provenance(frame.height))

    def sample_frame(self, rows: int | None = None, *, seed: int = 0, jobs: int | None = None,
                     progress: Progress | None = None, **wishes: Any) -> pl.DataFrame:
        """Draw synthetic rows as a polars frame; see :meth:`sample`."""
        return self.steered(rows, seed=seed, jobs=jobs, progress=progress, **wishes).frame

    def steered(self, rows: int | None = None, *, seed: int = 0, jobs: int | None = None,
                progress: Progress | None = None, **wishes: Any) -> Steered:
        """Draw synthetic rows as wished, with all that tells how the wishes were met; see :meth:`sample`."""
        read = Wishes.read(self.coder, **wishes)
        usual = read.partial.frame.height if read.partial else self.info.rows_source
        rows = usual if rows is None else whole_number("rows", rows, 1)
        whole_number("seed", seed, 0)
        progress, jobs = progress or WarningProgress(), threads(jobs)
        maker = _generator(self.info.generator, self.info.settings)
        refitter = Refitter(maker, self.fitted, self.info.rows_train, self.info.seed, jobs, progress.note, self._refits)
        with progress.stage("sample", total=rows) as tick:
            drawing, root = self._drawing(jobs), np.random.SeedSequence(seed)
            return read.draw(rows, drawing, refitter, root, tick=tick, say=progress.note)

    def effects(self, steered: Steered, *, train: pl.DataFrame | None = None, holdout: pl.DataFrame | None = None,
                seed: int = 0, jobs: int | None = None) -> Assessment:
        """Hold rows that were drawn as wished beside rows drawn without the wishes.

        Parameters
        ----------
        steered : Steered
        train, holdout : polars DataFrame, optional
            Real rows that the model learnt from, and rows that it never saw: without them it is not measured what
            models trained on fair rows do on real ones.
        seed : int, default 0
        jobs : int, optional

        Returns
        -------
        Assessment
            A finding for each wish; ``verisyn.report.study.study`` draws it.
        """
        from verisyn.steering.effects import effects

        rows = min(steered.frame.height, _MOST_BESIDE)
        before = self.sample_frame(rows, seed=seed, jobs=jobs, progress=Progress())
        about = {"source": self.info.name, "generator": self.info.generator, "rows": steered.frame.height, "seed": seed}
        return Assessment(tuple(effects(steered, before, (train, holdout), self.schema.table, self.coder)), about)

    # -- to and from disk -------------------------------------------------------------------------------------------
    def write_into(self, folder: Path) -> None:
        """Write the model's files into an existing folder."""
        storage.save(folder, {"info": dataclasses.asdict(self.info), "schema": self.schema.model_dump(mode="json"),
                              "origin": self.origin.to_dict(), "columns": self.coder.state(),
                              "generator": self.fitted.state(),
                              "memory": self.memory and self.memory.to_dict()})

    @classmethod
    def load(cls, path: str | Path) -> Model:
        """Read a model folder; see :func:`load`."""
        return only_table(load(path))

    @classmethod
    def of_state(cls, state: dict[str, Any], path: str | Path) -> Model:
        """Rebuild from what :func:`verisyn.storage.load` read."""
        try:
            info = Info(**state["info"])
            coder = TableCoder.restore(state["columns"])
            home = shelves.generators.take(info.generator).Generator
            fitted = home.fitted.restore(coder.parts, state["generator"])
            return cls(Schema.model_validate(state["schema"]), coder, fitted, Origin.from_dict(state["origin"]), info,
                       state.get("memory") and Finding.from_dict(state["memory"]))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as e:
            raise damaged(path, e) from None


def damaged(path: str | Path, why: Exception) -> UserError:
    """Return what to say of a model whose file was edited or mangled."""
    return UserError(f"The model {str(path)!r} is damaged: its parts do not fit together "
                     f"({type(why).__name__}: {why}). Fit it again.")


def load(path: str | Path) -> Any:
    """Read a model that :meth:`Model.save` (or ``verisyn fit``) wrote.

    Raises
    ------
    UserError
        If the folder is no model, is damaged, or was written in a newer format.
    """
    state = storage.load(Path(path))
    modality = state.get("modality")
    if modality is None:
        return Model.of_state(state, path)
    if modality not in modalities.names():
        raise UserError(f"The model {str(path)!r} is of {modality!r}, which this version of verisyn does not know. "
                        "Upgrade verisyn.")
    try:
        return modalities.take(modality).home().restore(state)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as e:
        raise damaged(path, e) from None
