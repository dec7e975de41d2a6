"""Describes several tables: each table, their keys and links, what must hold across them."""

from __future__ import annotations

from verisyn.constraints._search import find_all
from verisyn.data import Dataset
from verisyn.description import biases_of, describe_columns
from verisyn.errors import UserError, listed
from verisyn.linking import found_in, nearly
from verisyn.linking.checking import ids, meant, reference_tables
from verisyn.progress import Progress
from verisyn.schema import Schema, Table


def describe_tables(dataset: Dataset, target: str | None, progress: Progress) -> Schema:
    """Describe several tables: see :func:`describe`."""
    from verisyn.modalities.relation._across import found as found_across

    frames = dataset.tables
    with progress.stage("find links"):
        links, notes = meant(dataset.links, frames)
        found = found_in(frames, dataset.keys, links)
    keyed = ids(found.keys, found.links, frames)
    with progress.stage("describe", total=sum(f.width for f in frames.values())) as tick:
        tables = [Table(name=n, columns=describe_columns(f, keyed[n], tick), rows=f.height, key=found.keys.get(n, ()))
                  for n, f in frames.items()]
    schema = with_target(Schema(tables=tuple(tables), links=found.links), target)
    with progress.stage("find constraints", total=len(tables)) as tick:
        tables = []
        for table in schema.tables:
            tables.append(table.model_copy(update={"constraints": find_all(frames[table.name], table),
                                                   "biases": biases_of(frames[table.name], table)}))
            tick(1)
    with progress.stage("find constraints across tables"):
        schema = found_across(frames, schema.model_copy(update={"tables": tuple(tables)}))
    for note in (*notes, *nearly.notes(frames, found.keys, found.links), *reference_tables(schema)):
        progress.note(note)
    return schema


def with_target(schema: Schema, target: str | None) -> Schema:
    """Return the schema with ``table.column`` as the target of that table.

    Raises
    ------
    UserError
        If there is no such table or column, or the name is one of several tables' columns.
    """
    if target is None:
        return schema
    table, _, column = target.partition(".")
    if not column or table not in {t.name for t in schema.tables}:
        have = [t.name for t in schema.tables if target in t.names]
        if len(have) != 1:
            raise UserError(f"The target {target!r} is {'in several tables' if have else 'in no table'}: "
                            f"{listed(have or [t.name for t in schema.tables])}. Give it as 'table.column'.")
        table, column = have[0], target
    found = schema.of(table)
    found.column(column)
    told = found.model_copy(update={"target": column})
    return schema.model_copy(update={"tables": tuple(told if t.name == table else t for t in schema.tables)})
