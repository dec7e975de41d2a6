"""What models of databases and histories share: how they came to be, where they are kept, what they are asked."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import polars as pl

from verisyn import __version__, shelves, storage
from verisyn._manifest import attach
from verisyn.findings import Finding
from verisyn.frames import Origin, from_polars
from verisyn.progress import Progress
from verisyn.provenance import Provenance, real
from verisyn.running import Run
from verisyn.schema import Schema

if TYPE_CHECKING:
    from verisyn.data import Dataset


@dataclass(frozen=True)
class Asked:
    """What is asked of a fit, whatever the modality; the fields are the parameters of :func:`verisyn.model.fit`."""

    generator: str
    settings: Mapping[str, Any]
    seed: int = 0
    holdout: float = 0.0
    jobs: int = 1
    audit: bool | None = None
    run: Run = field(default_factory=Run)


@dataclass(frozen=True)
class About:
    """How a model of several tables, or of histories, came to be.

    `rows_source`, `rows_train` and `origins` (what kind of dataframe it was, with which data types) are by table.
    """

    generator: str
    settings: dict[str, Any]
    seed: int
    holdout: float
    rows_source: dict[str, int]
    rows_train: dict[str, int]
    name: str
    version: str
    format: str
    format_settings: dict[str, Any]
    origins: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, dataset: Dataset, asked: Asked, settings: dict[str, Any], train: Dataset, notes: Sequence[str]) -> Self:
        """Say how a model of `dataset` came to be that was learnt from `train`."""
        rows = {name: frame.height for name, frame in train.tables.items()}
        origins = {name: dataset.origins.get(name, dataset.origin).to_dict() for name in dataset.tables}
        origin = dataset.provenance or real(dataset.name, sum(rows.values()))
        return cls(shelves.generators.full_name(asked.generator), settings, asked.seed, asked.holdout,
                   dict(dataset.rows_total), rows, dataset.name, __version__, dataset.format,
                   dict(dataset.format_settings), origins, tuple(dict.fromkeys(notes)), origin.to_dict())

    @property
    def generation(self) -> int:
        """1 for a model of real rows, one more for each generator whose rows it learnt from in turn."""
        return int(self.provenance.get("generation", 0)) + 1


class BaseModel(storage.Saved):
    """What was learnt from histories or from a database. It holds no training row.

    `memory` is the finding on what it tells of whom it learnt from; None where that was not asked.
    """

    modality: ClassVar[str]

    def __init__(self, schema: Schema, about: About, memory: Finding | None = None):
        self.schema, self.info, self.memory = schema, about, memory

    def __repr__(self) -> str:
        rows = sum(self.info.rows_train.values())
        info = self.info
        return f"{type(self).__name__}({info.generator} of {info.name!r}: {rows:,} rows, seed {info.seed})"

    @abstractmethod
    def sample_tables(self, *, seed: int = 0, jobs: int | None = None, progress: Progress | None = None,
                      **wishes: Any) -> dict[str, pl.DataFrame]:
        """Draw synthetic tables as polars frames, with the columns, the types and the order of columns of the source.

        What a modality can be asked beyond the seed is among its `wishes`; an unknown one is a UserError.
        """

    def sample(self, *, seed: int = 0, jobs: int | None = None, progress: Progress | None = None, **wishes: Any) -> Any:
        """Draw synthetic tables as :meth:`sample_tables` does, as the kind of dataframe that the model was fitted on.

        Returns
        -------
        dataframe, or dict of dataframes
            A dict where the source had several tables.
        """
        tables = self.sample_tables(seed=seed, jobs=jobs, progress=progress, **wishes)
        native = {name: from_polars(frame, Origin.from_dict(self.info.origins[name])) for name, frame in tables.items()}
        made = {name: attach(native[name], self.provenance(frame.height)) for name, frame in tables.items()}
        return made if len(self.schema.tables) > 1 else next(iter(made.values()))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the report should say of what was learnt."""
        return self.info.notes

    def provenance(self, rows: int) -> Provenance:
        """Return where `rows` rows drawn from this model come from: one generation after those it learnt from."""
        origins = real(self.info.name, sum(self.info.rows_train.values()))
        if self.info.provenance:
            origins = Provenance.from_dict(self.info.provenance)
        return origins.made(self.info.generator, rows, self.info.name)

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Return what was learnt as JSON values and arrays."""

    def write_into(self, folder: Path) -> None:
        """Write the model's files into an existing folder."""
        storage.save(folder, {"modality": self.modality, "info": asdict(self.info),
                              "schema": self.schema.model_dump(mode="json"), "learnt": self.state(),
                              "memory": self.memory and self.memory.to_dict()})
