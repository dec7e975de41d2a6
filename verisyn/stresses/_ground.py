"""What cases stand on: the columns and constraints, plausible rows, and rows in which combinations can be counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from verisyn import shelves
from verisyn.constraints._recomputed import Recomputed
from verisyn.data import Dataset, read
from verisyn.description import resolve_schema
from verisyn.drawing import Drawing
from verisyn.errors import UserError
from verisyn.frames import Origin, some
from verisyn.kinds import BaseCoder
from verisyn.kinds._levels import LevelsCoder
from verisyn.modalities.table._views import TableCoder
from verisyn.progress import Progress
from verisyn.provenance import Provenance, real
from verisyn.running import Run
from verisyn.schema import Column, Schema, Table

if TYPE_CHECKING:
    from verisyn.model import Model

POOL = 5_000
"""Plausible rows: each case is put in one of them."""
_COUNTED = 20_000
_LEARNT_ROWS, _WIDE = 5_000, 60


@dataclass(frozen=True)
class Ground:
    """What is known of a table.

    Parameters
    ----------
    table : Table
    coder : TableCoder
    pool : DataFrame
        Plausible rows that are nobody's: drawn from a model, or invented.
    seen : DataFrame, optional
        Rows in which combinations of levels are counted; without it nobody knows which are rare.
    said : str
        What those rows are, such as ``"rows of the data"``.
    origin : Origin
        What kind of dataframe is given back.
    name : str
    writes : mapping
        How a file of the data is written.
    parents : Provenance, optional
        Where the rows come from that were learnt from.
    notes : tuple of str
    """

    table: Table
    coder: TableCoder
    pool: pl.DataFrame
    seen: pl.DataFrame | None
    said: str
    origin: Origin
    name: str
    writes: Mapping[str, Any]
    parents: Provenance | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def coders(self) -> dict[str, BaseCoder]:
        """The coder that knows each column: its own, or the one that shows a recomputed column to judges."""
        return {name: coder for coder in _all(self.coder.coders) for name in coder.columns if name in self.table.names}

    @cached_property
    def derived(self) -> set[str]:
        """Columns that follow from others of their row."""
        return {c for rule in self.coder.rules.rules for c in rule.derives}

    @cached_property
    def levels(self) -> dict[str, pl.Series]:
        """The levels of each column that has such, those that may be shown, the most frequent first."""
        found = {}
        for name, coder in self.coders.items():
            if isinstance(coder, LevelsCoder) and coder.levels.names:
                found[name] = pl.Series(coder.levels.names, strict=False).cast(self.dtype(name), strict=False)
        return found

    def dtype(self, name: str) -> pl.DataType:
        """Return a column's data type."""
        return self.pool[name].dtype

    def column(self, name: str) -> Column:
        """Return what the schema says of a column."""
        return self.table.column(name)

    def nullable(self, name: str) -> bool:
        """Whether the schema lets a column be missing."""
        return self.column(name).missing > 0

    def allowed(self, name: str) -> tuple[Any, Any]:
        """Return the limits that the schema states for a column; None where it states none."""
        settings = self.column(name).settings
        low, high = settings.get("minimum"), settings.get("maximum")
        for kind, rule in zip(self.coder.rules.kinds, self.coder.rules.rules, strict=True):
            if kind == "range" and name in rule.columns:
                least, most = rule.minimum, rule.maximum  # type: ignore[attr-defined]
                low = least if low is None else low if least is None else max(low, least)
                high = most if high is None else high if most is None else min(high, most)
        return low, high

    def provenance(self, rows: int) -> Provenance:
        """Return where rows made on this ground come from."""
        return (self.parents or real(self.name, 0)).made("stress", rows, self.name)


def _all(coders: list[BaseCoder]) -> Iterator[BaseCoder]:
    for coder in coders:
        if isinstance(coder, Recomputed):
            yield from _all([*((coder.inner,) if coder.inner else ()), *coder.judged])
        else:
            yield coder


def ground_of(source: Any, schema: Schema | str | Path | None, seed: np.random.SeedSequence, progress: Progress
              ) -> Ground:
    """Return what is known by a schema alone, by a model, or by data."""
    from verisyn.model import Model, load

    if isinstance(source, str | Path) and "://" not in str(source):
        path = Path(source).expanduser()
        if path.suffix.lower() in (".yaml", ".yml"):
            source = Schema.load(path)
        elif path.is_dir():
            source = load(path)
    if isinstance(source, Schema | Model) and schema is not None:
        raise UserError("A schema was given beside a schema or a model, which has one. Leave it out.")
    if isinstance(source, Schema):
        return _of_schema(source, seed)
    return _of_model(source, seed) if isinstance(source, Model) else _of_data(read(source), schema, seed, progress)


def _of_model(model: Model, seed: np.random.SeedSequence) -> Ground:
    rows = Drawing(model.schema.table, model.coder, model.fitted, _number(seed)).blocks(_COUNTED, seed)
    learnt = Provenance.from_dict(model.info.provenance) if model.info.provenance else None
    return Ground(model.schema.table, model.coder, rows[:POOL], rows, "rows that the model drew", model.origin,
                  model.info.name, {**model.info.format_settings, "format": model.info.format}, learnt)


def _of_data(dataset: Dataset, schema: Schema | str | Path | None, seed: np.random.SeedSequence, progress: Progress
             ) -> Ground:
    table = resolve_schema(schema, dataset, progress=progress).table
    learn, draw = seed.spawn(2)
    with progress.stage("learn columns"):
        rows = dataset.frame.select(table.names)
        coder = TableCoder.learn(rows, table, learn)
    with progress.stage("learn plausible rows"):
        pool = _plausible(table, coder, rows, draw)
    return Ground(table, coder, pool, rows, "rows of the data", dataset.origin, dataset.name,
                  {**dataset.format_settings, "format": dataset.format}, dataset.provenance, dataset.notes)


def _plausible(table: Table, coder: TableCoder, rows: pl.DataFrame, seed: np.random.SeedSequence) -> pl.DataFrame:
    """Rows drawn from a model of some of the rows, in the same codes, so that no end of a column is passed."""
    few_seed, fit_seed, draw_seed = seed.spawn(3)
    few = some(rows, _LEARNT_ROWS, np.random.default_rng(few_seed))
    maker = shelves.generators.take("table.trees" if few.width <= _WIDE else "table.independent").Generator()
    fitted = maker.fit_within(Run(), coder.encode(few), fit_seed, jobs=1, tick=lambda done: None)
    return Drawing(table, coder, fitted, _number(fit_seed)).blocks(POOL, draw_seed)


def _of_schema(schema: Schema, seed: np.random.SeedSequence) -> Ground:
    from verisyn.stresses._invented import invented

    table = schema.table
    coder, pool, notes = invented(table, seed)
    return Ground(table, coder, pool, None, "", Origin("polars", {}), table.name, {"format": "csv"}, None, notes)


def _number(seed: np.random.SeedSequence) -> int:
    return int(seed.generate_state(1)[0])
