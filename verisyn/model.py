"""fit() → Model; Model.sample() draws rows, keeps conditions exactly, and gives back the kind of frame that went in."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from verisyn import __version__, shelves, storage
from verisyn.conditions import parse
from verisyn.data import read
from verisyn.description import resolve_schema
from verisyn.drawing import Drawing
from verisyn.errors import UserError, did_you_mean, whole_number
from verisyn.frames import Origin, from_polars
from verisyn.modalities.table import Fitted
from verisyn.modalities.table._views import TableCoder
from verisyn.outputs import writing_folder
from verisyn.progress import Progress
from verisyn.schema import Schema


def fit(data: Any, schema: Schema | str | Path | None = None, *, generator: str = "table.trees", seed: int = 0,
        holdout: float = 0.0, jobs: int | None = None, progress: Progress | None = None, **settings: Any) -> Model:
    """Learn a generator from data.

    Parameters
    ----------
    data : Dataset, dataframe, path or URL
        What :func:`verisyn.read` takes.
    schema : Schema or path, optional
        Without it the data is described first.
    generator : str, default "table.trees"
        A name on the generators' shelf (``verisyn list generators``).
    seed : int, default 0
        The same data, schema, settings, seed and version give the same model.
    holdout : float, default 0
        Share of rows to set aside, unseen, so that the model can be assessed against them. 0 learns from every row.
    jobs : int, optional
        Threads; all cores by default. The result does not depend on it.
    progress : Progress, optional
        Shows and records the stages.
    **settings
        Fields of the generator's dataclass, for example ``leaves=16`` for ``table.trees``.

    Returns
    -------
    Model

    Raises
    ------
    UserError
        If the data cannot be read, the schema does not fit it, or a name or setting is unknown.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"height": [1.62, 1.75, 1.81, 1.58] * 50, "smoker": ["yes", "no", "no", "no"] * 50})
    >>> fit(frame, seed=0).sample(3, seed=1).shape
    (3, 2)
    """
    whole_number("seed", seed, 0)
    dataset, progress, jobs = read(data), progress or Progress(), jobs or os.cpu_count() or 1
    maker = _generator(generator, settings)
    schema = resolve_schema(schema, dataset, progress=progress)
    train = dataset.split(holdout, seed)[0] if holdout else dataset
    coder_seed, fit_seed = np.random.SeedSequence(seed).spawn(2)
    with progress.stage("learn columns"):
        coder = TableCoder.learn(train.frame, schema.table, coder_seed)
        codes = coder.encode(train.frame)
    with progress.stage("fit", total=len(codes.parts)) as tick:
        fitted = maker.fit(codes, fit_seed, jobs=jobs, tick=tick)
    info = Info(generator=shelves.generators.full_name(generator), settings=dataclasses.asdict(maker), seed=seed,
                holdout=holdout, rows_source=dataset.rows_total[dataset.table_name], rows_train=train.frame.height,
                name=dataset.name, version=__version__, format=dataset.format,
                format_settings=dict(dataset.format_settings))
    return Model(schema, coder, fitted, dataset.origin, info)


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


class Model:
    """What was learnt from one table. It holds no training row, but is as confidential as its data (see the docs)."""

    def __init__(self, schema: Schema, coder: TableCoder, fitted: Fitted, origin: Origin, info: Info):
        self.schema, self.coder, self.fitted, self.origin, self.info = schema, coder, fitted, origin, info

    def __repr__(self) -> str:
        return (f"Model({self.info.generator} of {self.info.name!r}: {len(self.coder.columns)} columns, "
                f"{self.info.rows_train:,} rows learnt from, seed {self.info.seed})")

    # -- drawing ----------------------------------------------------------------------------------------------------
    def sample(self, rows: int | None = None, *, seed: int = 0, given: str | None = None, balance: str | None = None,
               jobs: int | None = None, progress: Progress | None = None) -> Any:
        """Draw synthetic rows.

        Parameters
        ----------
        rows : int, optional
            How many; as many as the source had by default.
        seed : int, default 0
            The same model and seed give the same bytes, whatever `jobs` is.
        given : str, optional
            A condition that every row meets, such as ``"income == '>50K' and age < 30"``. Rows are drawn from the
            model's conditional distribution: columns before the condition respond to it too.
        balance : str, optional
            A column whose levels are to be equally frequent.
        jobs : int, optional
            Threads; all cores by default.
        progress : Progress, optional
            Shows and records the stage.

        Returns
        -------
        dataframe
            Of the kind that the model was fitted on (polars where it was fitted on a file), with the same data types.

        Raises
        ------
        UserError
            If the condition names an unknown column, cannot be read, or is practically never met.

        Notes
        -----
        A row that meets the codes of a condition is accepted in proportion to the condition's exact probability given
        the columns before it; the largest probability seen in a pilot block serves as the bound (empirical supremum
        rejection sampling, Caffo, Booth and Davis 2002).
        """
        return from_polars(self.sample_frame(rows, seed=seed, given=given, balance=balance, jobs=jobs,
                                             progress=progress), self.origin)

    def sample_frame(self, rows: int | None = None, *, seed: int = 0, given: str | None = None,
                     balance: str | None = None, jobs: int | None = None,
                     progress: Progress | None = None) -> pl.DataFrame:
        """Draw synthetic rows as a polars frame; see :meth:`sample`."""
        rows = self.info.rows_source if rows is None else whole_number("rows", rows, 1)
        whole_number("seed", seed, 0)
        condition = parse(given, list(self.coder.columns)) if given else None
        root = np.random.SeedSequence(seed)
        progress, jobs = progress or Progress(), jobs or os.cpu_count() or 1
        drawing = Drawing(self.schema.table, self.coder, self.fitted, self.info.seed)
        with progress.stage("sample", total=rows) as tick:
            if balance:
                return drawing.balanced(rows, balance, condition, root, tick)
            if condition:
                return drawing.conditional(rows, condition, root, tick)
            return drawing.blocks(rows, root, jobs, tick)

    # -- asking -----------------------------------------------------------------------------------------------------
    def log_prob(self, data: Any) -> np.ndarray:
        """Return the log-likelihood of each row's codes, float64 of shape (rows,); higher is more typical."""
        frame = read(data).frame
        missing = [c for c in self.coder.columns if c not in frame.columns]
        if missing:
            raise UserError(f"The rows lack the column {missing[0]!r}, which the model knows.")
        return self.fitted.log_prob(self.coder.encode(frame.select(self.coder.columns)).values).sum(axis=1)

    # -- to and from disk -------------------------------------------------------------------------------------------
    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the model as a folder of JSON and arrays; it appears only when it is whole.

        Raises
        ------
        UserError
            If the folder exists (and `force` is not given) or cannot be written.
        """
        with writing_folder(path, force=force) as folder:
            self.write_into(folder)

    def write_into(self, folder: Path) -> None:
        """Write the model's files into an existing folder."""
        storage.save(folder, {"info": dataclasses.asdict(self.info), "schema": self.schema.model_dump(mode="json"),
                              "origin": self.origin.to_dict(), "columns": self.coder.state(),
                              "generator": self.fitted.state()})

    @classmethod
    def load(cls, path: str | Path) -> Model:
        """Read a model folder; see :func:`load`."""
        state = storage.load(Path(path))
        try:
            info = Info(**state["info"])
            coder = TableCoder.restore(state["columns"])
            home = shelves.generators.take(info.generator).Generator
            fitted = home.fitted.restore(coder.parts, state["generator"])
            return cls(Schema.model_validate(state["schema"]), coder, fitted, Origin.from_dict(state["origin"]), info)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as e:  # the file was edited or mangled
            raise UserError(f"The model {str(path)!r} is damaged: its parts do not fit together "
                            f"({type(e).__name__}: {e}). Fit it again.") from None


def load(path: str | Path) -> Model:
    """Read a model that :meth:`Model.save` (or ``verisyn fit``) wrote.

    Raises
    ------
    UserError
        If the folder is no model, is damaged, or was written in a newer format.
    """
    return Model.load(path)
