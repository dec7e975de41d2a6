"""Subjects, and all that belongs to them, on one side of a split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from verisyn import shelves
from verisyn.data import Dataset
from verisyn.errors import UserError
from verisyn.linking.pointing import pointed
from verisyn.modalities.relation._structure import Structure, prepared
from verisyn.schema import Link, Schema

LEAST_SUBJECTS = 50
_PEOPLE = 10
_SPLIT = 0x5917


def subject_of(structure: Structure, frames: Mapping[str, pl.DataFrame]) -> str | None:
    """Return the table whose rows a database is about: people rather than things, else what most rows belong to.

    None where no table has enough rows.
    """
    best, found = 0.0, None
    for table in structure.roots:
        schema = structure.schema.of(table)
        if schema.public or frames[table].height < LEAST_SUBJECTS:
            continue
        personal = any(getattr(shelves.kinds.take(c.kind), "of_people", False) for c in schema.columns)
        rows = sum(frames[t].height for t in structure.order if structure.root_of(t) == table)
        score = rows * (_PEOPLE if personal else 1)
        if score > best:
            best, found = score, table
    return found


def split(dataset: Dataset, schema: Schema, holdout: float, seed: int) -> tuple[Dataset, Dataset | None]:
    """Split a database by subject.

    Parameters
    ----------
    dataset : Dataset
    schema : Schema
    holdout : float
        Share of subjects, 0 to 1 (exclusive), that are held out.
    seed : int
        Decides which.

    Returns
    -------
    train : Dataset
    holdout : Dataset or None
        None, with a note on the first, where there are fewer than 50 subjects. What belongs to a subject by its owners
        is on the subject's side, and so are rows of other tables that point to a subject and that nothing points to.
        Other rows are on both sides; where they point to a subject of the other side, they point to one of their own
        instead.

    Raises
    ------
    UserError
        If `holdout` is no such share.
    """
    if not 0 <= holdout < 1:
        raise UserError(f"A share of {holdout} cannot be held out. Give a number from 0 to less than 1.")
    structure = Structure(prepared(schema, dataset.tables))
    subject = subject_of(structure, dataset.tables)
    if subject is None:
        note = (f"Nothing was held out: no table has {LEAST_SUBJECTS} rows of its own whose data could be set aside, "
                "so privacy cannot be measured.")
        return replace(dataset, notes=(*dataset.notes, note)), None
    rows = dataset.tables[subject].height
    out = max(round(rows * holdout), 1)
    order = np.random.default_rng(np.random.SeedSequence([seed, _SPLIT])).permutation(rows)
    away = np.zeros(rows, bool)
    away[order[:out]] = True
    note = f"Held out by {subject}: {out:,} of {rows:,}, with all that belongs to them."
    sides = [_side(dataset, structure, subject, away == side, seed) for side in (False, True)]
    return replace(sides[0], notes=(*sides[0].notes, note)), sides[1]


def _side(dataset: Dataset, structure: Structure, subject: str, kept: np.ndarray, seed: int) -> Dataset:
    frames = dict(dataset.tables)
    stays = {subject: kept}
    order = [subject, *(t for t in structure.order if t in structure.owner and structure.root_of(t) == subject)]
    for name in order[1:]:
        link = structure.owner[name]
        at = pointed(dataset.tables[name], dataset.tables[link.parent], link).at
        stays[name] = stays[link.parent][np.maximum(at, 0)] | (at < 0)
    for link in structure.schema.links:
        if link.parent in stays and link.table not in order and not structure.schema.links_to(link.table):
            at = pointed(dataset.tables[link.table], dataset.tables[link.parent], link).at
            goes = (at >= 0) & ~stays[link.parent][np.maximum(at, 0)]
            left = stays.get(link.table, np.ones(len(at), bool)) & ~goes
            stays[link.table] = left if left.any() else np.ones(len(at), bool)
    for name, which in stays.items():
        frames[name] = dataset.tables[name].filter(which)
    rng = np.random.default_rng(np.random.SeedSequence([seed, _SPLIT, int(kept.sum())]))
    for link in structure.schema.links:
        if link.parent in stays:
            whole = dataset.tables[link.parent]
            frames[link.table] = _rehomed(frames[link.table], frames[link.parent], whole, link, rng)
    return replace(dataset, tables=frames, rows_total={name: frame.height for name, frame in frames.items()})


def _rehomed(child: pl.DataFrame, parent: pl.DataFrame, whole: pl.DataFrame, link: Link, rng: np.random.Generator
             ) -> pl.DataFrame:
    """Let rows that point to a parent of the other side point to one of their own; nowhere, where rows may."""
    lost = (pointed(child, whole, link).at >= 0) & (pointed(child, parent, link).at == -2)
    rows = np.flatnonzero(lost)
    if not len(rows):
        return child
    to = rng.integers(0, max(parent.height, 1), len(rows))
    for own, key in zip(link.columns, link.key, strict=True):
        there = pl.Series([None] * len(rows), dtype=child.schema[own]) if link.optional or not parent.height else \
            parent[key][to].cast(child.schema[own])
        child = child.with_columns(child[own].scatter(rows, there))
    return child
