"""describe(): find what each column is, with the evidence; the result is a schema that a person can edit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import polars as pl

from verisyn import shelves
from verisyn.constraints._rules import standing
from verisyn.constraints._search import find_all
from verisyn.data import Dataset, read
from verisyn.errors import UserError
from verisyn.kinds import Declined, Recognised
from verisyn.kinds._settings import tally
from verisyn.progress import Progress
from verisyn.schema import Bias, Column, Schema, Table

if TYPE_CHECKING:
    from pathlib import Path

_TARGET_NAMES = ("target", "label", "class", "outcome", "response", "y", "churn", "survived", "income", "default",
                 "diagnosis", "is_fraud", "fraud", "price")
_LEVELS_AT_MOST, _ROWS_A_LEVEL = 20, 60
_SENSITIVE = re.compile(
    r"(?:^|[^a-z])(sex|gender|race|ethnic\w*|age|religion|nationality|native.?country|marital.?\w*|disab\w*|pregnan\w*|"
    r"sexual.?orientation|birth.?place|place.?of.?birth|citizen\w*)(?:$|[^a-z])", re.IGNORECASE)


def describe(data: Any, *, target: str | None = None, name: str | None = None,
             progress: Progress | None = None) -> Schema:
    """Describe data: the kind of each column, how sure that is, the target, the sensitive columns, and biases by them.

    Parameters
    ----------
    data : Dataset, dataframe, path or URL
        What :func:`verisyn.read` takes.
    target : str, optional
        The column that models will be asked to predict when utility is measured. Without it, a column with a telling
        name is taken (``target``, ``label``, ``class``, …), else the last column that is modelled.
    name : str, optional
        The table's name in the schema.
    progress : Progress, optional
        Shows and records the stage.

    Returns
    -------
    Schema
        Editable: ``schema.to_yaml()``, then ``Schema.load(path)``.

    Raises
    ------
    UserError
        If there is nothing to describe, or `target` is not a column.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"weight": [70.5, 81.25, 64.0] * 9, "smoker": ["yes", "no", "no"] * 9})
    >>> [(c.name, c.kind) for c in describe(frame).table.columns]
    [('weight', 'number'), ('smoker', 'boolean')]
    """
    dataset: Dataset = read(data)
    progress = progress or Progress()
    frame = dataset.frame
    with progress.stage("describe", total=frame.width) as tick:
        columns = []
        for column in frame.columns:
            columns.append(describe_column(frame[column]))
            tick(1)
    table = Table(name=name or dataset.table_name, columns=tuple(columns), rows=frame.height)
    if target is not None:
        table.column(target)
    table = table.model_copy(update={"target": target or _guess_target(table, frame)})
    with progress.stage("find constraints"):
        constraints = find_all(frame, table)
    with progress.stage("find biases"):
        biases = _biases(frame, table)
    return Schema(tables=(table.model_copy(update={"constraints": constraints, "biases": biases}),))


def _biases(frame: pl.DataFrame, table: Table) -> tuple[Bias, ...]:
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
                   progress: Progress | None = None) -> Schema:
    """Return a schema for `dataset`: the given one, checked against the data, or a fresh description.

    Raises
    ------
    UserError
        If the schema names columns that the data lacks, or an unknown kind of column or of constraint. A column that
        the schema does not name is left out (:func:`left_out` says so).
    """
    if schema is None:
        return describe(dataset, target=target, progress=progress)
    if not isinstance(schema, Schema):
        schema = Schema.load(schema)
    table = schema.table
    have = dataset.frame.columns
    absent = [n for n in table.names if n not in have]
    if absent:
        raise UserError(f"The schema names the column {absent[0]!r}, which the data lacks (it has: "
                        f"{', '.join(map(repr, have[:12]))}{', …' if len(have) > 12 else ''}). Correct the schema.")
    for column in table.columns:
        shelves.kinds.full_name(column.kind)
    table = standing(table, have)
    schema = schema.model_copy(update={"tables": (table, *schema.tables[1:])})
    if table.target is not None:
        table.column(table.target)
    if target is not None:
        table.column(target)
        schema = schema.model_copy(update={"tables": (table.model_copy(update={"target": target}),)})
    return schema


def left_out(table: Table, dataset: Dataset) -> tuple[str, ...]:
    """Return the note that names the columns of the data that the schema leaves out, if there are any."""
    names = [repr(n) for n in dataset.frame.columns if n not in table.names]
    if not names:
        return ()
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return (f"The schema does not name {', '.join(names[:8])}{more}; the synthetic data goes without.",)
