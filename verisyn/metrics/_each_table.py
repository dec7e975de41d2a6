"""Metrics of single tables, asked of every table of a database, whatever it points to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from verisyn import shelves
from verisyn.findings import Finding
from verisyn.metrics import EFFORTS
from verisyn.metrics._asking import Asked, answers
from verisyn.metrics._linked import LEAST, DatabaseSides
from verisyn.metrics._table_sides import table_sides

FEW = 20
"""Synthetic rows of a table that are needed at least."""


def each_table(sides: DatabaseSides, metrics: Sequence[str], *, held_out: bool = False
               ) -> tuple[dict[str, dict[str, Finding]], list[dict[str, str]]]:
    """Ask some metrics of every table; return their findings by table and metric, and which tables were left out.

    They are asked at the effort ``"quick"``, for many tables. Tables of fewer than 50 real rows, and tables whose rows
    are the real ones, are left out; with `held_out` those too of which no rows were held out.
    """
    found: dict[str, dict[str, Finding]] = {}
    left = []
    for table in sides.schema.tables:
        apart = sides.held_out(table.name)
        why = next(_unfit(sides, table.name, apart or not held_out), None)
        if why:
            left.append({"name": table.name, "because": why})
            continue
        own = apart and (held_out or sides.real(table.name) is sides.holdout)
        fake, train, other = (side.frames[table.name] for side in (sides.fake, sides.train, sides.holdout))
        coder = sides.train.coders[table.name]
        asked = table_sides((fake, train, other if own else None), table.of(coder.columns), coder, EFFORTS["quick"],
                            sides.seed)
        found[table.name] = {f.name.split(".")[-1]: f for f in _answers(metrics, asked, sides.seed)}
    return found, left


def _answers(metrics: Sequence[str], asked: Asked, seed: int) -> Sequence[Finding]:
    return answers([*map(shelves.metrics.full_name, metrics)], lambda _: asked, seed, lambda _: None)


def _unfit(sides: DatabaseSides, table: str, apart: bool) -> Iterator[str]:
    """Yield why a table is not judged."""
    fake, train = sides.fake.rows(table), sides.train.rows(table)
    if train < LEAST:
        yield f"it has only {train:,} real rows, and it takes {LEAST}"
    if fake < FEW:
        yield f"it has only {fake:,} synthetic rows, and it takes {FEW}"
    if sides.fixed(table, sides.train) and not sides.held_out(table):
        yield "its rows are the real ones, kept word for word"
    if not apart:
        yield "none of its rows were held out"
