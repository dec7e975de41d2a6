"""describe(): what each column is, the keys and links of tables, with the evidence; a person can edit the result."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from verisyn import shelves
from verisyn.constraints._rules import standing
from verisyn.constraints._search import find_all
from verisyn.data import Dataset, read
from verisyn.errors import UserError, listed
from verisyn.kinds import Declined, Recognised
from verisyn.kinds._settings import tally
from verisyn.linking.ordering import check_order
from verisyn.progress import Progress
from verisyn.schema import Bias, Column, Schema, Table

if TYPE_CHECKING:
    from pathlib import Path

_TARGET_NAMES = ("target", "label", "class", "outcome", "response", "y", "churn", "survived", "income", "default",
                 "diagnosis", "is_fraud", "fraud", "price")
_KEYS = "id"
"""The kind of columns that are keys, or point to some."""
_LEVELS_AT_MOST, _ROWS_A_LEVEL = 20, 60
_SENSITIVE = re.compile(
    r"(?:^|[^a-z])(sex|gender|race|ethnic\w*|age|religion|nationality|native.?country|marital.?\w*|disab\w*|pregnan\w*|"
    r"sexual.?orientation|birth.?place|place.?of.?birth|citizen\w*)(?:$|[^a-z])", re.IGNORECASE)


def describe(data: Any, *, target: str | None = None, name: str | None = None, entity: str | Sequence[str] = (),
             time: str | None = None, progress: Progress | None = None) -> Schema:
    """Describe data: the kind of each column, keys, links and constraints, the target, sensitive columns and biases.

    Parameters
    ----------
    data : Dataset, dataframe, dict of dataframes, path or URL
        What :func:`verisyn.read` takes.
    target : str, optional
        The column that models will be asked to predict when utility is measured (``"table.column"`` of several tables).
        Without it, of one table, a column with a telling name is taken (``target``, ``label``, ``class``, …), else the
        last column that is modelled.
    name : str, optional
        The table's name in the schema.
    entity : str or sequence of str, optional
        Columns that say whose a row is, where rows are events or measurements in time.
    time : str, optional
        The column that orders the rows of an entity, or all rows.
    progress : Progress, optional
        Shows and records the stages, and keeps what should be said.

    Returns
    -------
    Schema
        Editable: ``schema.to_yaml()``, then ``Schema.load(path)``.

    Raises
    ------
    UserError
        If there is nothing to describe, or `target`, `entity` or `time` are not columns that can be such.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"weight": [70.5, 81.25, 64.0] * 9, "smoker": ["yes", "no", "no"] * 9})
    >>> [(c.name, c.kind) for c in describe(frame).table.columns]
    [('weight', 'number'), ('smoker', 'boolean')]
    >>> shop = {"people": pl.DataFrame({"id": range(9)}), "orders": pl.DataFrame({"people_id": [8, 2, 8, 5]})}
    >>> [(link.name, link.parent) for link in describe(shop).links]
    [('orders.people_id', 'people')]
    """
    entity = (entity,) if isinstance(entity, str) else tuple(entity)
    dataset: Dataset = read(data, entity=entity, time=time)
    progress = progress or Progress()
    if len(dataset.tables) > 1:
        if entity or time:
            raise UserError("Entity and time are of one table, and there are several. Name it with --table, or write "
                            "them into the schema.")
        from verisyn.linking.description import describe_tables

        return describe_tables(dataset, target, progress)
    frame = dataset.frame
    check_order(frame, entity, time)
    with progress.stage("describe", total=frame.width) as tick:
        columns = describe_columns(frame, dict.fromkeys(entity, "It says whose the row is."), tick)
    table = Table(name=name or dataset.table_name, columns=columns, rows=frame.height,
                  key=_key(dataset, frame), entity=entity, time=time)
    if target is not None:
        table.column(target)
    table = table.model_copy(update={"target": target or _guess_target(table, frame)})
    with progress.stage("find constraints"):
        constraints = find_all(frame, table)
    with progress.stage("find biases"):
        biases = biases_of(frame, table)
    return Schema(tables=(table.model_copy(update={"constraints": constraints, "biases": biases}),))


def describe_columns(frame: pl.DataFrame, keyed: Mapping[str, str], tick: Callable[[int], None]) -> tuple[Column, ...]:
    """Describe each column; those that are keys, or point to some, are made anew whatever they look like."""
    columns = []
    for name in frame.columns:
        column = describe_column(frame[name])
        if name in keyed:
            settings = column.settings if column.kind == _KEYS else {}
            column = column.model_copy(update={"kind": _KEYS, "settings": settings, "evidence": keyed[name],
                                               "sensitive": False})
        columns.append(column)
        tick(1)
    return tuple(columns)


def _key(dataset: Dataset, frame: pl.DataFrame) -> tuple[str, ...]:
    """The primary key of the only table, where a catalogue tells."""
    key = dataset.keys.get(dataset.table_name, ())
    return key if set(key) <= set(frame.columns) else ()


def biases_of(frame: pl.DataFrame, table: Table) -> tuple[Bias, ...]:
    """Return the biases by the sensitive columns of a table."""
    if not any(c.sensitive for c in table.columns):
        return ()  # nothing to ask, and what it would take need not be imported
    from verisyn.bias import find_biases

    return find_biases(frame, table)


def describe_column(values: pl.Series) -> Column:
    """Ask every kind on the shelf; the surest gets the column."""
    best: tuple[float, str, Recognised] | None = None
    for kind in shelves.kinds.names():
        try:
            claim = shelves.kinds.take(kind).recognise(values, values.name)
        except Declined:
            continue
        if best is None or claim.confidence > best[0]:
            best = (claim.confidence, kind, claim)
    if best is None:
        raise UserError(f"Column {values.name!r} of type {values.dtype} is of no kind that verisyn knows. Leave it "
                        "out, or convert it to numbers, dates or text first.")
    _, kind, claim = best
    return Column(
        name=values.name, kind=kind, dtype=str(values.dtype), settings=claim.settings,
        missing=round(values.null_count() / max(len(values), 1), 6),
        sensitive=claim.sensitive or bool(_SENSITIVE.search(values.name)), evidence=claim.evidence)


def modelled(column: Column) -> bool:
    """Whether a column's values are learnt, rather than regenerated (as ids and personal data are)."""
    return getattr(shelves.kinds.take(column.kind), "modelled", True)


def _guess_target(table: Table, frame: pl.DataFrame) -> str | None:
    able = [c.name for c in table.columns if modelled(c) and _can_be_predicted(frame[c.name])]
    if len(able) < 2:
        return None
    by_name = {n.lower(): n for n in able}
    for hint in _TARGET_NAMES:
        if hint in by_name:
            return by_name[hint]
    return able[-1]


def _can_be_predicted(values: pl.Series) -> bool:
    """Whether there are two levels that enough rows hold for a model to learn and be tested on."""
    counts = tally(values)["rows"]
    return len(counts) > _LEVELS_AT_MOST or (len(counts) > 1 and counts[1] >= min(_ROWS_A_LEVEL, len(values) // 10))


def resolve_schema(schema: Schema | str | Path | None, dataset: Dataset, *, target: str | None = None,
                   entity: str | Sequence[str] = (), time: str | None = None, progress: Progress | None = None
                   ) -> Schema:
    """Return a schema for `dataset`: the given one, checked against the data, or a fresh description.

    The only table of one is that of the other, whatever it is called.

    Raises
    ------
    UserError
        If the schema names tables or columns that the data lacks, an unknown kind of column or of constraint, or a key,
        link, entity or time that the data do not keep. What the schema does not name is left out (:func:`left_out`
        says so).
    """
    if schema is None:
        return describe(dataset, target=target, entity=entity, time=time, progress=progress)
    if not isinstance(schema, Schema):
        schema = Schema.load(schema)
    if len(dataset.tables) > 1 or len(schema.tables) > 1:
        from verisyn.linking.checking import checked
        from verisyn.linking.description import with_target

        return with_target(checked(schema, dataset.tables, checked_table), target)
    schema = schema.called(dataset.table_name)
    table = checked_table(schema.table, dataset.frame)
    if entity:
        table = table.model_copy(update={"entity": (entity,) if isinstance(entity, str) else tuple(entity)})
    if time:
        table = table.model_copy(update={"time": time})
    check_order(dataset.frame, table.entity, table.time)
    if target is not None:
        table.column(target)
        table = table.model_copy(update={"target": target})
    return schema.model_copy(update={"tables": (table,)})


def checked_table(table: Table, frame: pl.DataFrame) -> Table:
    """Return a table of a schema with what of it stands; see :func:`resolve_schema`."""
    have = frame.columns
    absent = [n for n in table.names if n not in have]
    if absent:
        raise UserError(f"The schema names the column {absent[0]!r}, which the data lacks (it has: "
                        f"{', '.join(map(repr, have[:12]))}{', …' if len(have) > 12 else ''}). Correct the schema.")
    for column in table.columns:
        shelves.kinds.full_name(column.kind)
    table = standing(table, have)
    if table.target is not None:
        table.column(table.target)
    return table


def left_out(table: Table, dataset: Dataset) -> tuple[str, ...]:
    """Return the note that names the columns of the data that the schema leaves out, if there are any."""
    frame = dataset.tables[table.name] if len(dataset.tables) > 1 else dataset.frame
    names = [n for n in frame.columns if n not in table.names]
    if not names:
        return ()
    of = f" of {table.name!r}" if len(dataset.tables) > 1 else ""
    return (f"The schema does not name {listed(names)}{of}; the synthetic data goes without.",)


def tables_left_out(schema: Schema, dataset: Dataset) -> tuple[str, ...]:
    """Return notes that name the tables, and the columns of tables, that a schema leaves out."""
    names = [n for n in dataset.tables if n not in {t.name for t in schema.tables}]
    what = "tables" if len(names) > 1 else "table"
    told = (f"The schema does not name the {what} {listed(names)}; the synthetic data goes without.",)
    return told * bool(names) + tuple(note for table in schema.tables for note in left_out(table, dataset))
