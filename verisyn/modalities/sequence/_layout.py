"""A table of histories taken apart (keys of entities, what does not change, rows in order), and put together again."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn._runs import places, starts_of
from verisyn.description import modelled
from verisyn.linking.ordering import check_order
from verisyn.modalities.sequence import Entities, _followers
from verisyn.modalities.sequence._followers import Follower
from verisyn.modalities.sequence._history import Rows
from verisyn.modalities.sequence._seen import (
    NOTHING,
    as_static,
    gone,
    nothing,
    numbered,
    once,
    standing,
    statics_of,
    time_of,
)
from verisyn.modalities.sequence._times import Times
from verisyn.schema import Column, Table


@dataclass(frozen=True)
class Parts:
    """A table taken apart.

    Parameters
    ----------
    keys : polars.DataFrame
        The entities' columns, one row an entity.
    entities : Entities
        With the hidden statics of followers.
    rows : Rows
        What is learnt of them.
    sorted : polars.DataFrame
        The whole table, entity by entity in the order of time.
    """

    keys: pl.DataFrame
    entities: Entities
    rows: Rows
    sorted: pl.DataFrame


@dataclass(frozen=True)
class Layout:
    """How a table of histories is laid out.

    Parameters
    ----------
    table : Table
    times : Times
    statics : tuple of Column
        What does not change within an entity; as seen in a table of entities.
    learnt : tuple of str
        Columns of rows that are learnt.
    invented : tuple of str
        Columns of rows that are made anew for each row: ids, personal data, free text.
    followers : tuple of Follower
    runs : bool
        Whether the source has the rows of an entity together; else it is sorted by time.
    once : bool
        Whether an entity has one row at a time.
    notes : tuple of str
    """

    table: Table
    times: Times
    statics: tuple[Column, ...]
    learnt: tuple[str, ...]
    invented: tuple[str, ...]
    followers: tuple[Follower, ...]
    runs: bool
    once: bool
    notes: tuple[str, ...] = ()

    @classmethod
    def learn(cls, frame: pl.DataFrame, table: Table) -> Self:
        """See how `frame` is laid out.

        Raises
        ------
        UserError
            If a column of entity or time is not there, lacks values, or cannot be ordered.
        """
        assert table.time is not None
        frame = frame.select(table.names)
        check_order(frame, table.entity, table.time)
        times = Times.learn(frame[table.time], table.column(table.time))
        bare = cls(table, times, (), (), (), (), True, True)
        parts, order = bare._parted(frame)
        runs, notes = standing(order, parts.rows, times.read(frame[table.time]), table)
        own = [c for c in table.columns if c.name not in (*table.entity, table.time)]
        followers = _followers.find(parts.sorted, own, time_of(parts.rows), parts.rows.starts)
        own = [c for c in own if c.name not in {f.name for f in followers}]
        fixed = statics_of(parts.sorted, own, parts.rows.starts)
        rest = [c for c in own if c.name not in fixed]
        first = parts.sorted[parts.rows.starts[:-1]]
        if followers:
            told = "; ".join(f.sentence for f in followers)
            notes.append(f"Recomputed rather than learnt, so right in every row: {told}.")
        return cls(table, times, tuple(as_static(c, first[c.name]) for c in own if c.name in fixed),
                   tuple(c.name for c in rest if modelled(c)), tuple(c.name for c in rest if not modelled(c)),
                   tuple(followers), runs, once(parts.rows), tuple(notes))

    @classmethod
    def places(cls, frame: pl.DataFrame, table: Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the entity of each row, the row's place within it in time, and how many rows each entity has."""
        assert table.time is not None
        times = Times.learn(frame[table.time], table.column(table.time))
        parts, order = cls(table, times, (), (), (), (), True, True)._parted(frame)
        counts = parts.rows.counts
        number, rank = np.empty(frame.height, np.int64), np.empty(frame.height, np.int64)
        number[order] = np.repeat(np.arange(len(counts)), counts)
        rank[order] = places(parts.rows.starts)
        return number, rank, counts

    # -- apart ------------------------------------------------------------------------------------------------------
    def part(self, frame: pl.DataFrame) -> Parts:
        """Take a table of this layout apart."""
        return self._parted(frame)[0]

    def _parted(self, frame: pl.DataFrame) -> tuple[Parts, np.ndarray]:
        """Take apart; with the row of `frame` that each sorted row was."""
        time = self.times.read(frame[self.times.name])
        keys, number = numbered(frame, self.table.entity)
        order = np.lexsort((time.to_physical().to_numpy(), number))
        starts = starts_of(np.bincount(number, minlength=max(keys.height, 1)))
        sorted_ = frame[order]
        first = sorted_[np.minimum(starts[:-1], max(frame.height - 1, 0))]
        names = [c.name for c in self.statics if c.name in frame.columns]
        told = [f for f in self.followers if f.name in frame.columns]
        statics = pl.concat([first.select(names), _followers.hidden(told, sorted_, starts)], how="horizontal")
        learnt = [name for name in self.learnt if name in frame.columns]
        gaps = [sorted_[name].is_null().alias(gone(name)) for name in self.invented
                if name in frame.columns and self.table.column(name).missing]
        shown = sorted_.select(learnt).with_columns(gaps) if learnt else pl.DataFrame(gaps or [nothing(frame.height)])
        rows = Rows(shown, starts, time[order].alias(self.times.name))
        return Parts(keys, Entities(len(starts) - 1, statics), rows, sorted_), order

    @property
    def known(self) -> Table:
        """The schema of the statics."""
        hidden = tuple(Column(name=f.hidden, kind="number", dtype="Float64") for f in self.followers if f.hidden)
        columns = (*self.statics, *hidden)
        return self.table.of([c.name for c in self.statics]).model_copy(
            update={"columns": columns, "key": (), "entity": (), "time": None})

    @property
    def of_rows(self) -> Table:
        """The schema of rows as they are learnt; constraints may also name the column of time."""
        names = [*self.learnt, self.times.name]
        gaps = tuple(Column(name=gone(name), kind="boolean", dtype="Boolean") for name in self.invented
                     if self.table.column(name).missing)
        own = self.table.of(names)
        columns = (*(c for c in own.columns if c.name in self.learnt), *gaps)
        columns = columns or (Column(name=NOTHING, kind="boolean", dtype="Boolean"),)
        return own.model_copy(update={"columns": columns, "key": (), "entity": (), "time": None})

    @property
    def across(self) -> Table:
        """The whole table with those constraints alone that speak of statics and of rows, or of what follows."""
        inside = [{c.name for c in self.statics}, {*self.learnt, self.times.name}]
        kept = tuple(c for c in self.table.constraints if not any(set(c.columns) <= names for names in inside)
                     and not set(c.columns) <= {*self.table.entity, self.times.name, *self.invented})
        return self.table.model_copy(update={"constraints": kept})

    @property
    def column_of_time(self) -> Column:
        """The column of time, of the data type that it has among rows."""
        return self.table.column(self.times.name)

    # -- together ---------------------------------------------------------------------------------------------------
    def whole(self, keys: pl.DataFrame, entities: Entities, rows: Rows) -> pl.DataFrame:
        """Put a table together, entity by entity, without the columns that are invented."""
        counts, time = rows.counts, time_of(rows)
        of = np.repeat(np.arange(len(counts)), counts)
        columns = {c.name: c.gather(of) for part in (keys, entities.statics) for c in part}
        columns |= rows.frame.to_dict() | {self.times.name: self.times.write(time)}
        for follower in self.followers:
            columns[follower.name] = follower.values(time, rows.starts, entities.statics)
        return pl.DataFrame({n: columns[n] for n in [*self.table.names, *map(gone, self.invented)] if n in columns})

    def ordered(self, frame: pl.DataFrame, time: pl.Series) -> pl.DataFrame:
        """Return rows in the order of the source: entity by entity, or all by time."""
        return frame if self.runs else frame[np.argsort(time.to_physical().to_numpy(), kind="stable")]

    # -- to and from disk -------------------------------------------------------------------------------------------
    def state(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"times": self.times.state(), "statics": [c.model_dump(mode="json") for c in self.statics],
                "learnt": list(self.learnt), "invented": list(self.invented),
                "followers": [list(astuple(f)) for f in self.followers], "runs": self.runs,
                "once": self.once}

    @classmethod
    def restore(cls, table: Table, state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        return cls(table, Times.restore(state["times"]), tuple(map(Column.model_validate, state["statics"])),
                   tuple(state["learnt"]), tuple(state["invented"]), tuple(Follower(*f) for f in state["followers"]),
                   state["runs"], state["once"])
