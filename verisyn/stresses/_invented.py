"""Rows from a schema alone: values in the declared limits, levels that it names, and its constraints kept."""

from __future__ import annotations

import ast

import numpy as np
import polars as pl

from verisyn.constraints._rules import Rules, standing
from verisyn.errors import UserError
from verisyn.modalities.table._views import TableCoder
from verisyn.schema import Column, Table
from verisyn.stresses._makers import MAKERS, Ask

_LEAST_MISSING = 0.05


def invented(table: Table, seed: np.random.SeedSequence) -> tuple[TableCoder, pl.DataFrame, tuple[str, ...]]:
    """Return what can be known of a table that nobody has seen: coders, rows, and notes on what was made up.

    Raises
    ------
    UserError
        If a column is of a kind, or has a data type, that a schema alone says too little of.
    """
    draw, settle, learn = seed.spawn(3)
    rng = np.random.default_rng(draw)
    table = standing(table, table.names)
    limits: list[str] = []
    levels: list[str] = []
    asked = [Ask(c, _dtype(c), table, rng, limits, levels) for c in table.columns]
    columns = {a.column.name: _gappy(a.column, _column(a), rng) for a in asked}
    frame = _dependent(pl.DataFrame(columns), table)
    kept = Rules.learn(frame, table).settle(frame, np.random.default_rng(settle)).select(table.names)
    coder = TableCoder.learn(kept, table, learn)
    return coder, coder.rules.settle(kept, np.random.default_rng(settle)), _told(limits, levels)


def _told(limits: list[str], levels: list[str]) -> tuple[str, ...]:
    """What the schema does not say, and what was taken for it."""
    out = []
    for what, told, setting in (("both limits", limits, "'minimum' and 'maximum' state"), ("the levels", levels,
                                                                                          "'levels' states")):
        if told:
            out.append(f"The schema does not state {what} of {', '.join(told)}; what stands in brackets was taken. The "
                       f"{'settings' if ' and ' in setting else 'setting'} {setting} them.")
    return tuple(out)


def _column(ask: Ask) -> pl.Series:
    column, dtype = ask.column, ask.dtype
    maker = MAKERS.get(column.kind)
    if maker is None:
        raise UserError(f"Column {column.name!r} is of the kind {column.kind!r}, and a schema alone does not say what "
                        "its values are. Give data, or a model.")
    try:
        made = maker(ask)
        values = pl.Series(made) if isinstance(made, pl.Series) else pl.Series(made, dtype=None, strict=False)
        return values.cast(dtype).alias(column.name)
    except (pl.exceptions.PolarsError, TypeError, ValueError) as e:
        raise UserError(f"Column {column.name!r} of the type {column.dtype or 'unknown'} could not be invented as kind "
                        f"{column.kind!r} ({str(e).splitlines()[0]}). Correct its settings in the schema, or give data "
                        "or a model.") from None


def _dtype(column: Column) -> pl.DataType:
    """The data type that the schema spells, such as ``Datetime(time_unit='us', time_zone=None)``."""
    usual = {"number": "Float64", "boolean": "Boolean", "datetime": "Date", "duration": "Duration", "geo": "Float64"}
    written = bool(column.settings.get("format"))  # moments that are texts
    spelled = column.dtype or ("String" if written else usual.get(column.kind, "String"))
    try:
        node = ast.parse(spelled, mode="eval").body
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            told = {k.arg: ast.literal_eval(k.value) for k in node.keywords if k.arg}
            return getattr(pl, node.func.id)(*map(ast.literal_eval, node.args), **told)
        made = getattr(pl, spelled)
        return made() if isinstance(made, type) else made
    except (AttributeError, SyntaxError, TypeError, ValueError):
        raise UserError(f"Column {column.name!r} has the data type {column.dtype!r} in the schema, which is none that "
                        "is known. Correct it, such as Int64, Float64, String, Boolean or Date.") from None


def _gappy(column: Column, values: pl.Series, rng: np.random.Generator) -> pl.Series:
    share = max(column.missing, _LEAST_MISSING) if column.missing > 0 else 0.0
    return values.set(pl.Series(rng.random(len(values)) < share), None)


def _dependent(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Give each value of a determining column its own values of the columns that follow from it."""
    for constraint in table.constraints:
        if constraint.kind == "dependency":
            first, *others = constraint.columns
            place = frame[first].rank("dense").fill_null(0).cast(pl.Int64)
            for name in others:
                levels = frame[name].drop_nulls().unique().sort()
                if len(levels):
                    frame = frame.with_columns(levels.gather((place % len(levels)).to_numpy()).alias(name))
    return frame
