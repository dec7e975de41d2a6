"""What may be missing, is: each such column alone, and all of them at once."""

from __future__ import annotations

from collections.abc import Iterator

from verisyn.stresses import Case, cell
from verisyn.stresses._ground import Ground


def cases(ground: Ground) -> Iterator[Case]:
    """Yield a case for each column that the schema lets be missing, and one for all together."""
    gappy = [n for n in ground.table.names if ground.nullable(n)]
    for name in gappy:
        yield Case("missing", {name: cell(None, ground.dtype(name))}, "the schema lets it be missing")
    if len(gappy) > 1:
        yield Case("all that may be missing is missing", {n: cell(None, ground.dtype(n)) for n in gappy},
                   "the barest row there can be", loose=True)
