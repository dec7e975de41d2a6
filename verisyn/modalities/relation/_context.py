"""What is known of a parent before its children are drawn: its row, its own parent's, other children summed up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from verisyn.modalities.relation._hidden import MARK, ROW, numbered
from verisyn.schema import Column, Table

_MOST_SUMMARIES = 24


@dataclass(frozen=True)
class Context:
    """What the context of one owned table is made of.

    Parameters
    ----------
    parent : Table
        The columns of the owner's rows, hidden ones among them, that are told.
    siblings : mapping of str to tuple of str
        By the name of a table that was drawn before and has the same owner: its columns that are summed up.
    beyond : mapping of str to Table
        By a link of the owner: what its parents point to in turn, which a row of the owner does not say itself.
    """

    parent: Table
    siblings: Mapping[str, tuple[str, ...]]
    beyond: Mapping[str, Table]

    def frame(self, rows: pl.DataFrame, above: tuple[pl.DataFrame, np.ndarray] | None,
              siblings: Mapping[str, tuple[pl.DataFrame, np.ndarray]],
              beyond: Mapping[str, tuple[pl.DataFrame, np.ndarray]]) -> pl.DataFrame:
        """Return the context of each row of the owner, with columns named by their tables.

        Parameters
        ----------
        rows : polars.DataFrame
            The owner's rows.
        above : (polars.DataFrame, int64 array), optional
            The context of the owner's own owner, and which row of it each row of the owner belongs to.
        siblings : mapping
            By table, its rows and which row of the owner each belongs to.
        beyond : mapping
            By link, the rows of its parent and which of them each row of the owner points to.
        """
        own = rows.select(pl.col(c).alias(f"{self.parent.name}.{c}") for c in self.parent.names)
        blocks = [own] if own.width else []
        if above is not None:
            told, at = above
            many = np.bincount(at, minlength=told.height)[at]
            blocks.append(told[at].drop(ROW).with_columns(pl.Series(f"{self.parent.name}: how many", many)))
        for name, table in self.beyond.items():
            parents, at = beyond[name]
            index = pl.Series(at).set(pl.Series(at < 0), None)
            blocks.append(parents.select(pl.col(c).alias(f"{name}: {c}") for c in table.names)[index])
        blocks += [_summed(*siblings[name], columns, name, rows.height) for name, columns in self.siblings.items()]
        frame = pl.concat(blocks, how="horizontal") if blocks else pl.DataFrame()
        return numbered(frame, rows.height)

    def table(self, frame: pl.DataFrame, above: Table | None) -> Table:
        """Return the schema of a context."""
        own = {f"{self.parent.name}.{c.name}": c for c in self.parent.columns}
        own |= {f"{name}: {c.name}": c for name, table in self.beyond.items() for c in table.columns}
        known = {**own, **({c.name: c for c in above.columns} if above else {})}
        columns = [known[n].model_copy(update={"name": n}) if n in known else _summary(frame[n])
                   for n in frame.columns if n != ROW]
        return Table(name="context", columns=tuple(columns))

    def state(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"parent": self.parent.model_dump(mode="json"),
                "siblings": [[name, list(columns)] for name, columns in self.siblings.items()],
                "beyond": [[name, table.model_dump(mode="json")] for name, table in self.beyond.items()]}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Context:
        """Rebuild from `state`."""
        return cls(Table.model_validate(state["parent"]), {name: tuple(c) for name, c in state["siblings"]},
                   {name: Table.model_validate(table) for name, table in state["beyond"]})


def summable(table: Table, frame: pl.DataFrame) -> tuple[str, ...]:
    """Return the columns of a table that can be summed up for its siblings."""
    able = [c.name for c in table.columns if c.name in frame.columns
            and (_is_number(frame[c.name]) or c.name.startswith(MARK) or "levels" in c.settings
                 or frame[c.name].n_unique() <= 200)]
    return tuple(able[:_MOST_SUMMARIES])


def _is_number(values: pl.Series) -> bool:
    return values.dtype.is_numeric() or values.dtype.is_temporal() or values.dtype == pl.Boolean


def _summed(rows: pl.DataFrame, at: np.ndarray, columns: tuple[str, ...], name: str, parents: int) -> pl.DataFrame:
    """Sum up the rows of each parent: how many, means and ends of numbers, the most frequent and the first level."""
    asked = [pl.len().cast(pl.Int64).alias(f"{name}: rows")]
    numbers = [c for c in columns if _is_number(rows[c])]
    for c in columns:
        if c in numbers:
            value = pl.col(c).cast(pl.Float64)
            asked.append(value.mean().alias(f"{name}: mean {c}"))
            if len(numbers) <= _MOST_SUMMARIES // 3:
                asked += [value.first().alias(f"{name}: first {c}"), value.last().alias(f"{name}: last {c}")]
        else:
            asked.append(pl.col(c).drop_nulls().mode().sort().first().cast(pl.String).alias(f"{name}: most {c}"))
    ready = rows.with_columns(pl.col(c).to_physical() for c in numbers if rows[c].dtype.is_temporal())
    grouped = ready.with_columns(pl.Series(ROW, at)).group_by(ROW, maintain_order=True).agg(asked)
    found = pl.DataFrame({ROW: np.arange(parents)}).join(grouped, on=ROW, how="left", maintain_order="left").drop(ROW)
    return found.with_columns(pl.col(f"{name}: rows").fill_null(0))


def _summary(values: pl.Series) -> Column:
    """The schema of a summary."""
    kind = "number" if values.dtype.is_numeric() else "category"
    return Column(name=values.name, kind=kind, dtype=str(values.dtype))
