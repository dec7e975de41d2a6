"""A model of histories: what was learnt of entities and their rows, and tables drawn from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import polars as pl

from verisyn.conditions import Condition, parse
from verisyn.errors import UserError, did_you_mean, whole_number
from verisyn.findings import Finding
from verisyn.modalities._made import About, BaseModel
from verisyn.modalities.sequence import Entities, Fitted, Wish
from verisyn.modalities.sequence._clock import Scale
from verisyn.modalities.sequence._history import Rows
from verisyn.modalities.sequence._layout import Layout, Parts
from verisyn.modalities.sequence._prefix import read_prefix
from verisyn.modalities.sequence._seen import time_of
from verisyn.modalities.sequence._whole import Whole
from verisyn.progress import Progress, WarningProgress
from verisyn.running import threads
from verisyn.schema import Schema

_WISHES = ("rows", "entities", "given", "prefix", "start")


class SequenceModel(BaseModel):
    """What was learnt from histories or a long series. It is as confidential as its data.

    `entities` is how many were learnt from.
    """

    modality: ClassVar = "sequence"

    def __init__(self, schema: Schema, about: About, whole: Whole, fitted: Fitted, entities: int,
                 memory: Finding | None = None):
        super().__init__(schema, about, memory)
        self.whole, self.fitted, self.entities = whole, fitted, entities

    @property
    def layout(self) -> Layout:
        """How the source is laid out."""
        return self.whole.layout

    def sample_tables(self, *, seed: int = 0, jobs: int | None = None, progress: Progress | None = None,
                      **wishes: Any) -> dict[str, pl.DataFrame]:
        """Draw synthetic histories.

        Parameters
        ----------
        seed : int, default 0
            The same model and seed give the same bytes, whatever `jobs` is.
        jobs : int, optional
            Threads; all cores by default.
        progress : Progress, optional
        entities : int, optional
            How many entities; about as many as the source has by default.
        rows : int, optional
            Instead: about how many rows in all; of one long series, exactly so many. With a `prefix`, those that
            follow it in one long series.
        given : str or mapping, optional
            A condition on what does not change within an entity, such as ``"label == 'failure'"``: every entity meets
            it.
        prefix : dataframe or path, optional
            First rows of histories that are to go on: they come back as they are, followed by the rest, as long as the
            model finds likely after such a beginning.
        start : str or number, optional
            When the first of all rows is, in the column of time; all others move along.

        Returns
        -------
        dict of str to polars.DataFrame
            The one table, with the columns, types and order of the source.

        Raises
        ------
        UserError
            If a wish is unknown, cannot be read, or is practically never met.
        """
        whole_number("seed", seed, 0)
        for name in wishes:
            if name not in _WISHES:
                raise UserError(f"Histories cannot be asked for {name!r}. {did_you_mean(name, _WISHES)}")
        progress, jobs = progress or WarningProgress(), threads(jobs)
        ahead = None if wishes.get("prefix") is None else read_prefix(wishes["prefix"], self.whole)
        given = self._condition(wishes.get("given"))
        static_seed, row_seed, whole_seed = np.random.SeedSequence(seed).spawn(3)
        count = self._count(wishes, ahead)
        with progress.stage("sample", total=count) as tick:
            entities = self.fitted.entities(count, static_seed, given, jobs)
            wish = Wish(self._counts(wishes.get("rows"), ahead))
            if ahead is not None:
                entities = _continued(entities, ahead)
                wish = Wish(wish.counts, ahead.rows)
            rows = self.fitted.rows(entities, row_seed, wish, tick, jobs)
        if wishes.get("start") is not None:
            rows = _moved(rows, self.layout.times.moment(wishes["start"]))
        return {self.schema.table.name: self.whole.made(entities, rows, whole_seed, ahead)}

    def _condition(self, given: Any) -> Condition | None:
        if given is None:
            return None
        names = [c.name for c in self.layout.statics]
        if not names:
            raise UserError("No column keeps its value within an entity, so there is none that entities could be "
                            "chosen by. Leave out 'given', or add such a column (a label, say) to the data.")
        try:
            return parse(given, names)
        except UserError as e:
            raise UserError(f"{e} Histories are chosen by what does not change within an entity: "
                            f"{', '.join(map(repr, names))}.") from None

    def _count(self, wishes: dict[str, Any], ahead: Parts | None) -> int:
        rows, entities = wishes.get("rows"), wishes.get("entities")
        if rows is not None and entities is not None:
            raise UserError("Rows and entities were both asked for. Give one of them.")
        if ahead is not None:
            if entities is not None or wishes.get("given") is not None:
                raise UserError("With a prefix its entities go on, so neither 'entities' nor 'given' can be asked for. "
                                "Choose the rows of the prefix instead.")
            return ahead.entities.count
        if not self.schema.table.entity:
            if entities is not None and entities != 1:
                raise UserError("All rows are one long series, so there is one entity. Ask for rows instead.")
            return 1
        if rows is not None:
            mean = sum(self.info.rows_train.values()) / max(self.entities, 1)
            return max(1, round(whole_number("rows", rows, 1) / mean))
        return whole_number("entities", entities, 1) if entities is not None else self._usual

    @property
    def _usual(self) -> int:
        """About how many entities the source has, some of which may have been set aside."""
        source, train = (sum(rows.values()) for rows in (self.info.rows_source, self.info.rows_train))
        return max(1, round(self.entities * source / max(train, 1)))

    def _counts(self, rows: int | None, ahead: Parts | None) -> np.ndarray | None:
        """Return how many rows the one long series has; of entities that is drawn."""
        if self.schema.table.entity:
            return None
        had = 0 if ahead is None else int(ahead.rows.counts[0])
        if rows is None:
            usual = sum(self.info.rows_source.values())
            return np.array([max(usual, had + 1)])
        return np.array([had + whole_number("rows", rows, 1)])

    def state(self) -> dict[str, Any]:
        """Return what was learnt as JSON values and arrays."""
        return {"whole": self.whole.state(), "fitted": self.fitted.state(), "entities": self.entities}


def _continued(drawn: Entities, ahead: Parts) -> Entities:
    """Return entities with the statics that their first rows tell; others as drawn."""
    told = ahead.entities.statics
    if not drawn.statics.width or not told.width:
        return drawn
    known = [pl.coalesce(told[c].cast(drawn.statics[c].dtype), drawn.statics[c]).alias(c) for c in told.columns
             if c in drawn.statics.columns]
    return Entities(drawn.count, drawn.statics.with_columns(known))


def _moved(rows: Rows, start: pl.Series) -> Rows:
    """Move all times so that the first of all is at `start`; months stay months, and weekdays the days of a market."""
    time = time_of(rows)
    start, scale = start.cast(time.dtype), Scale.learn(time)
    if scale.monthly:
        scale = replace(scale, origin=int(start.to_physical()[0]))
    if scale.monthly or scale.week:
        units = scale.units(time)
        return Rows(rows.frame, rows.starts, scale.times(units - units.min() + scale.units(start)).alias(time.name))
    first = start.to_physical()[0]
    moved = time.to_physical() - time.to_physical().min() + first  # type: ignore[operator]
    return Rows(rows.frame, rows.starts, moved.cast(time.dtype).alias(time.name))
