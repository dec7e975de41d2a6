"""Subjects of a database: a row for each, with all that belongs to it added up, for attacks on rows to be tried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from verisyn.findings import NotAnswered
from verisyn.kinds import Feature
from verisyn.metrics import Side, Sides
from verisyn.metrics._aggregates import Aggregates
from verisyn.metrics._families import added_up
from verisyn.metrics._linked import Database, DatabaseSides
from verisyn.modalities.table._views import scales_of

_DEPTH = 2


def subject_of(sides: DatabaseSides) -> str:
    """Return the table of the subjects: held out, belonging to no other that was, with the most rows below it.

    Raises
    ------
    NotAnswered
        If nothing was held out.
    """
    if not sides.unseen:
        raise NotAnswered("there is no holdout that the generator has not seen")
    held = {t.name for t in sides.schema.tables if sides.held_out(t.name)}
    above = {link.table for link in sides.schema.links if link.parent in held and link.parent != link.table}
    heads = sorted(held - above) or sorted(held)
    if not heads:
        raise NotAnswered("every row of the holdout is a training row too")
    return max(heads, key=lambda name: sum(sides.train.rows(child) for child, _ in _below(sides, sides.train, name)))


def subjects(sides: DatabaseSides) -> tuple[str, Sides]:
    """Return the table of the subjects, and its rows with what belongs to each, as sides that attacks on rows take."""
    table = subject_of(sides)
    return table, sides.shared("subjects", lambda: _subjects(sides, table))


def _subjects(sides: DatabaseSides, table: str) -> Sides:
    adds = {child: Aggregates.learn(sides.train.features(child)) for child, _ in _below(sides, sides.train, table)}
    seen = [_features(sides, side, table, adds) for side in (sides.fake, sides.train, sides.holdout)]
    scales = scales_of(seen[1])
    made = [Side(side.frames[table], features, scales) for side, features in zip(
        (sides.fake, sides.train, sides.holdout), seen, strict=True)]
    rng = sides.rng("subjects")
    # In random order: intervals come from leaving out every twentieth row, and tables may be sorted.
    fake, train, holdout = (side.take(rng.permutation(side.rows)[:sides.effort.rows]) for side in made)
    return Sides(fake.some(train.rows, rng), train, holdout, effort=sides.effort, seed=sides.seed)


def halves(made: Sides, rng: np.random.Generator) -> Sides:
    """Return sides on which one half of the holdout plays the synthetic rows, for a ceiling."""
    first, second = (made.holdout.take(np.sort(part)) for part in np.array_split(rng.permutation(made.holdout.rows), 2))
    return replace(made, fake=first, holdout=second, pictured=False)


def _below(sides: DatabaseSides, side: Database, table: str, at: np.ndarray | None = None, depth: int = _DEPTH
           ) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the tables below a table, and to which of its rows each of theirs belongs, -1 where to none."""
    for link in sides.schema.links_to(table):
        if link.table == table or not sides.held_out(link.table):
            continue
        own = np.maximum(side.links[link.name].at, -1)
        if at is not None:
            own = np.where(own >= 0, np.append(at, -1)[own], -1)
        yield link.table, own
        if depth > 1:
            yield from _below(sides, side, link.table, own, depth - 1)


def _features(sides: DatabaseSides, side: Database, table: str, adds: dict[str, Aggregates]) -> list[Feature]:
    found = list(side.features(table))
    for child, at in _below(sides, side, table):
        found += added_up(side, child, at, side.rows(table), adds[child])
    return found
