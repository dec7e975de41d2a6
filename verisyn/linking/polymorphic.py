"""Columns that point to one table or another, as a column beside them tells: ``(owner_type, owner_id)``."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from verisyn.linking import declared
from verisyn.linking.evidence import inclusion, plain
from verisyn.linking.names import PLAIN, stems, table_words
from verisyn.schema import Link

_TYPES = {"type", "kind", "class", "table", "entity", "model"}
_MOST_LEVELS, _NEARLY_ALL = 12, 0.95


def links(tables: Mapping[str, pl.DataFrame], targets: Mapping[str, str]) -> list[Link]:
    """Return a link for each level of a type column that is the name of a table; at least two of them."""
    found = []
    for table, frame in tables.items():
        for told in frame.columns:
            words = stems(told)
            if frame.schema[told] != pl.String or words[-1:] == () or words[-1] not in _TYPES or len(words) < 2:
                continue
            beside = [c for c in frame.columns if c != told and stems(c)[:-1] == words[:-1] and stems(c)[-1] in PLAIN]
            if beside:
                found += _of(table, told, beside[0], tables, targets)
    return found


def _of(table: str, told: str, column: str, tables: Mapping[str, pl.DataFrame], targets: Mapping[str, str]
        ) -> list[Link]:
    frame = tables[table]
    levels = frame[told].drop_nulls().unique().sort()
    if len(levels) > _MOST_LEVELS:
        return []
    found = []
    for level in levels:
        parent = next((t for t in targets if table_words(t) == stems(level) or t.casefold() == level.casefold()), None)
        values = plain(frame.filter(pl.col(told) == level)[column])
        keys = plain(tables[parent][targets[parent]]) if parent else None
        if parent is None or values is None or keys is None:
            continue
        seen = inclusion(values, keys)
        if seen and seen.share >= _NEARLY_ALL:
            found.append(declared.measured(Link(table=table, columns=(column,), parent=parent, key=(targets[parent],),
                                                where={told: level}), tables, f"{told!r} names that table"))
    return found if len(found) > 1 else []
