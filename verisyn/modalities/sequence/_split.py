"""Rows set aside: whole entities, or where there are few, the last part of each series."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from verisyn.data import Dataset
from verisyn.errors import UserError
from verisyn.modalities.sequence._layout import Layout
from verisyn.schema import Schema

LEAST = 10
"""Entities from which on some are set aside whole."""
_SPLIT = 0x5917


def split(dataset: Dataset, schema: Schema, holdout: float, seed: int) -> tuple[Dataset, Dataset | None]:
    """Split into rows to learn from and rows to judge by; the same seed gives the same split.

    Parameters
    ----------
    holdout : float
        Share of the entities, 0 to 1 (exclusive); of fewer than 10, of the last rows of each.

    Returns
    -------
    train, holdout : Dataset
        Rows keep their order. None, with a note in the first, where there are too few rows.
    """
    if not 0 <= holdout < 1:
        raise UserError(f"A share of {holdout} cannot be held out. Give a number from 0 to less than 1.")
    if not holdout:
        return dataset, None
    number, rank, counts = Layout.places(dataset.frame, schema.table)
    many = len(counts)
    if many >= LEAST:
        out = min(max(round(many * holdout), 1), many - 1)
        order = np.random.default_rng(np.random.SeedSequence([seed, _SPLIT])).permutation(many)
        aside = np.isin(number, order[:out])
        note = f"Of {many:,} entities, {out:,} were set aside with all their rows."
    else:
        aside = rank >= np.ceil(counts * (1 - holdout))[number]
        note = (f"There are only {many} entities, too few to set some aside" if schema.table.entity else
                "All rows are one series") + (f": the last {holdout:.0%} of the rows were set aside instead, so what "
                                              "is judged by is later than what was learnt from.")
    if not aside.any() or aside.all():
        told = "There are too few rows to set some aside."
        return replace(dataset, notes=(*dataset.notes, told)), None
    return _rows(dataset, ~aside, note), _rows(dataset, aside)


def _rows(dataset: Dataset, which: np.ndarray, *notes: str) -> Dataset:
    name = dataset.table_name
    return replace(dataset, tables={name: dataset.frame.filter(pl.Series(which))},
                   rows_total={name: int(which.sum())}, notes=(*dataset.notes, *notes))
