"""Subjects, and all that belongs to them, on one side of a split."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from verisyn.data import Dataset
from verisyn.errors import UserError
from verisyn.linking.pointing import pointed
from verisyn.modalities.relation._loops import levels_of
from verisyn.modalities.relation._structure import Structure, prepared
from verisyn.modalities.relation._subject import LEAST_SUBJECTS, subject_of
from verisyn.schema import Link, Schema

_SPLIT = 0x5917


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
    if subject in structure.owner:
        note += f" So rows of {structure.owner[subject].parent} have fewer than in the source."
    sides = [_side(dataset, structure, subject, away == side, seed) for side in (False, True)]
    return replace(sides[0], notes=(*sides[0].notes, note)), sides[1]


def _side(dataset: Dataset, structure: Structure, subject: str, kept: np.ndarray, seed: int) -> Dataset:
    frames = dict(dataset.tables)
    stays = {subject: kept}
    order = [subject, *structure.under(subject)]
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
            both = frames[link.table], dataset.tables[link.parent]
            kinds = _kinds(both[1], structure.schema, link)
            frames[link.table] = _rehomed(*both, stays[link.parent], link, kinds, rng)
    return replace(dataset, tables=frames, rows_total={name: frame.height for name, frame in frames.items()})


def _kinds(parents: pl.DataFrame, schema: Schema, link: Link) -> list[np.ndarray]:
    """Number parents that may stand in for each other, from the most alike on.

    A row of a link's own table is of the same kind as others that have as many above them, so that no circle comes up;
    and first of all, as others that point to the same rows by other links.
    """
    depth = np.zeros(parents.height, np.int64)
    if link.parent == link.table:
        depth = np.unique(levels_of(pointed(parents, parents, link).at), return_inverse=True)[1].reshape(-1)
    beside = sorted({c for other in schema.links_from(link.parent) for c in other.columns} - set(link.columns))
    if not beside:
        return [depth]
    both = parents.select(beside).with_columns(pl.Series("\0depth", depth))
    return [both.select(pl.struct(both.columns).rank("dense")).to_series().to_numpy().astype(np.int64), depth]


def _rehomed(child: pl.DataFrame, whole: pl.DataFrame, stays: np.ndarray, link: Link, kinds: list[np.ndarray],
             rng: np.random.Generator) -> pl.DataFrame:
    """Let rows that point to a parent of the other side point to one of their own instead.

    That is one of the same kind, in proportion to the rows that point to each; as no row did before, where no two rows
    of the source share a parent. Without any, a row that may point nowhere does so.
    """
    at = pointed(child, whole, link).at
    rows = np.flatnonzero((at >= 0) & ~stays[np.maximum(at, 0)])
    if not len(rows):
        return child
    used = at[(at >= 0) & stays[np.maximum(at, 0)]]
    to = np.full(len(rows), -1, np.int64)
    if np.bincount(at[at >= 0]).max() == 1:
        free = rng.permutation(np.setdiff1d(np.flatnonzero(stays), used))[:len(rows)]
        to[:len(free)] = free
    else:
        for kind in kinds:
            for pool in (used, np.flatnonzero(stays)):
                _fill(to, kind[at[rows]], pool, kind[pool], rng)
    if stays.any() and not link.optional:
        _fill(to, np.zeros(len(rows)), np.flatnonzero(stays), np.zeros(int(stays.sum())), rng)
    index = pl.Series(to).set(pl.Series(to < 0), None)
    for own, key in zip(link.columns, link.key, strict=True):
        child = child.with_columns(child[own].scatter(rows, whole[key].gather(index).cast(child.schema[own])))
    return child


def _fill(to: np.ndarray, wanted: np.ndarray, pool: np.ndarray, kinds: np.ndarray, rng: np.random.Generator) -> None:
    """Draw a parent of the kind that is wanted, from a pool of these kinds, for each row that has none."""
    order = np.argsort(kinds, kind="stable")
    low, high = (np.searchsorted(kinds[order], wanted, side) for side in ("left", "right"))
    able = np.flatnonzero((to < 0) & (high > low))
    to[able] = pool[order[(low + rng.random(len(to)) * (high - low)).astype(np.int64)[able]]]
