"""Fewer rows of data that belong together: whole entities, the end of a series, parents with all that is theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from verisyn.errors import UserError, did_you_mean
from verisyn.formats import Request, sampled
from verisyn.formats._sampling import Reservoir
from verisyn.linking.pointing import pointed
from verisyn.schema import Link

if TYPE_CHECKING:
    from verisyn.data import Dataset

_EVERY = 2**62


def every_row(request: Request) -> Request:
    """Return the request without a limit to the rows."""
    return replace(request, fit_rows=_EVERY)


def thinned(dataset: Dataset, request: Request, entity: tuple[str, ...] = (), time: str | None = None) -> Dataset:
    """Return a dataset of which no table has more than ``request.fit_rows`` rows, and that says so.

    One table keeps whole entities, or, as one series in time, its last rows. Several tables keep some rows of a table
    that others belong to, and all that belongs to those.
    """
    if all(frame.height <= request.fit_rows for frame in dataset.tables.values()):
        return dataset
    if len(dataset.tables) > 1:
        return _with_all_that_is_theirs(dataset, request)
    name, frame = next(iter(dataset.tables.items()))
    for column in (*entity, *([time] if time else [])):
        if column not in frame.columns:
            raise UserError(f"{dataset.name!r} has no column {column!r}. {did_you_mean(column, frame.columns)}")
    total = dataset.rows_total[name]
    if entity:
        frame, note = _entities(frame, entity, request, total)
    else:
        frame = frame.sort(time, maintain_order=True).tail(request.fit_rows)
        note = f"The source has {total:,} rows; the last {frame.height:,} of them by {time!r} are used."
    return replace(dataset, tables={name: frame}, notes=(*dataset.notes, note))


def _entities(frame: pl.DataFrame, entity: tuple[str, ...], request: Request, total: int) -> tuple[pl.DataFrame, str]:
    """Keep entities in random order while their rows fit; one that is larger than that keeps its first rows."""
    counts = frame.group_by(list(entity), maintain_order=True).len("rows")
    order = np.random.default_rng([request.seed, 0x5A3]).permutation(counts.height)
    sums = np.cumsum(counts["rows"].to_numpy()[order])
    chosen = counts[np.sort(order[: max(1, int(np.searchsorted(sums, request.fit_rows, side="right")))])]
    kept = frame.join(chosen, on=list(entity), how="semi", maintain_order="left", nulls_equal=True)
    kept = kept.head(request.fit_rows) if chosen.height == 1 else kept
    return kept, (f"The source has {total:,} rows of {counts.height:,} entities; all {kept.height:,} rows of a random "
                  f"sample of {chosen.height:,} of these are used.")


def _with_all_that_is_theirs(dataset: Dataset, request: Request) -> Dataset:
    from verisyn.linking import found_in

    links = found_in(dataset.tables, dataset.keys, dataset.links).links
    frames, notes = dict(dataset.tables), list(dataset.notes)
    rng = np.random.default_rng([request.seed, 0x5A4])
    for name in sorted(frames, key=lambda n: -frames[n].height):
        over = frames[name].height / request.fit_rows
        if over <= 1:
            continue
        root = root_of(name, frames, links)
        if root == name:
            frames, said = _sample(name, frames, links, request)
        else:
            stay = np.sort(rng.permutation(frames[root].height)[: max(1, int(frames[root].height / over))])
            said = (f"{name!r} has {dataset.rows_total[name]:,} rows; {len(stay):,} random rows of {root!r} are used "
                    "with all that belongs to them, and the rest is left out.")
            frames = kept_with({root: stay}, frames, links)
        notes.append(said)
    return replace(dataset, tables=frames, notes=tuple(notes))


def _sample(name: str, frames: Mapping[str, pl.DataFrame], links: tuple[Link, ...], request: Request
            ) -> tuple[dict[str, pl.DataFrame], str]:
    reservoir = Reservoir(request.fit_rows, request.seed)
    rows = pl.DataFrame({"row": np.arange(frames[name].height)})
    reservoir.add(rows[reservoir.pick(rows.height)])
    stay = reservoir.frame()["row"].to_numpy()
    return kept_with({name: stay}, frames, links), f"{name!r}: {sampled(rows.height, len(stay))[0]}"


def root_of(name: str, frames: Mapping[str, pl.DataFrame], links: tuple[Link, ...]) -> str:
    """Return the table to whose rows a table's rows belong: up the links that part it most finely, as far as they go.

    A reference table (a few rows to which very many point) is none.
    """
    seen = [name]
    while True:
        above = [(pl.DataFrame({"at": pointed(frames[k.table], frames[k.parent], k).at}), k.parent) for k in links
                 if k.table == seen[-1] and k.parent not in seen]
        parts = sorted(((at.filter(pl.col("at") >= 0)["at"].n_unique(), parent) for at, parent in above), reverse=True)
        if not parts or parts[0][0] < max(20, frames[seen[-1]].height / 2000):
            return seen[-1]
        seen.append(parts[0][1])


def kept_with(stay: Mapping[str, np.ndarray], frames: Mapping[str, pl.DataFrame], links: tuple[Link, ...]
              ) -> dict[str, pl.DataFrame]:
    """Return the tables of which these rows stay, and every row that points to none that is gone.

    Examples
    --------
    >>> link = Link(table="pets", columns=("owner",), parent="people", key=("id",))
    >>> frames = {"people": pl.DataFrame({"id": [5, 7]}), "pets": pl.DataFrame({"owner": [7, 5, None]})}
    >>> kept_with({"people": np.array([1])}, frames, (link,))["pets"]["owner"].to_list()
    [7, None]
    """
    here = {n: np.ones(f.height, bool) for n, f in frames.items()}
    for name, rows in stay.items():
        here[name] = np.zeros(frames[name].height, bool)
        here[name][rows] = True
    at = [(link, pointed(frames[link.table], frames[link.parent], link).at) for link in links]
    changed = True
    while changed:
        changed = False
        for link, rows in at:
            lost = (rows >= 0) & ~here[link.parent][np.maximum(rows, 0)] & here[link.table]
            if lost.any():
                here[link.table] &= ~lost
                changed = True
    return {n: f.filter(pl.Series(here[n])) for n, f in frames.items()}
