"""Find what holds in a table: ask every constraint on the shelf, and believe only what holds in every row."""

from __future__ import annotations

import polars as pl

from verisyn import shelves
from verisyn.constraints import BaseRule
from verisyn.errors import UserError
from verisyn.schema import Constraint, Table


def find_all(frame: pl.DataFrame, table: Table) -> tuple[Constraint, ...]:
    """Return what holds between the columns of `frame`.

    Constraints that recompute columns are sought first; a column that follows from others needs no further constraint.

    Examples
    --------
    >>> from verisyn.schema import Column
    >>> size = pl.Series("size", [1.0, 2.0, 3.0, 4.0, 5.0, 6.5, 7.5, 9.0] * 20)
    >>> frame = pl.DataFrame([size, (size * 2 + 1).alias("double")])
    >>> [(c.kind, c.columns) for c in find_all(frame, Table(name="t", columns=(
    ...     Column(name="size", kind="number"), Column(name="double", kind="number"))))]
    [('dependency', ('size', 'double')), ('range', ('size',))]
    """
    from threadpoolctl import threadpool_limits

    modules = {name: shelves.constraints.take(name) for name in shelves.constraints.names()}
    found: list[Constraint] = []
    for name in sorted(modules, key=lambda n: (not getattr(modules[n], "exact", False), n)):
        exact = getattr(modules[name], "exact", False)
        with threadpool_limits(1, user_api="blas"):  # threads that wait for each other cost more than they save
            candidates = modules[name].find(frame, table)
        for constraint in candidates:
            rule = _holds(constraint, frame, table)
            if rule is None:
                continue
            found.append(constraint)
            follows = rule.derives if exact else ()  # a column whose gap is learnt may be missing on its own
            table = table.model_copy(update={"columns": tuple(c for c in table.columns if c.name not in follows)})
    return tuple(found)


def _holds(constraint: Constraint, frame: pl.DataFrame, table: Table) -> BaseRule | None:
    """The rule, if it can be learnt and no row breaks it."""
    try:
        rule = shelves.constraints.take(constraint.kind).Rule.learn(constraint, frame, table)
    except UserError:
        return None
    return None if rule.broken(frame).any() else rule
