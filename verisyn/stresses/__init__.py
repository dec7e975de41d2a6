"""SHELF rows that are hard on software, though valid: made on purpose, one reason a row.

A sort of case is one file. It holds

- a docstring whose first line says what its cases are;
- ``cases(ground) -> Iterator[Case]``: which cells to set, and why. It may propose what turns out to break a
  constraint: such a case is left out, and counted;
- optionally ``most``: rows are wanted of so many cases, in their order; more are proposed, for some may break a
  constraint, and those are not missed;
- optionally ``needs_rows = True`` where cases can only be told from rows (combinations of levels), so that a schema
  alone has none.

:mod:`verisyn.stresses._rows` puts each case in a plausible row, lets what depends on its cells follow, and checks the
row against the schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Case:
    """One reason to make a row.

    Parameters
    ----------
    case : str
        What it is, in words: ``"29 February"``.
    cells : mapping of str to Series
        The columns that are set, each to a Series of one value, of the column's data type.
    why : str
        What there is to it.
    loose : bool, default False
        Whether cells may give way where the constraints do not let all of them stand (everything at its largest).
    fresh : bool, default False
        Whether the row that the cells are put in must not hold all of them already: else the rest of the row would
        tell of the few that do.
    """

    case: str
    cells: Mapping[str, pl.Series]
    why: str
    loose: bool = False
    fresh: bool = False


def cell(value: object, dtype: pl.DataType) -> pl.Series:
    """Return a value as a cell.

    Examples
    --------
    >>> cell(3, pl.Int8()).to_list()
    [3]
    """
    return pl.Series([value], dtype=dtype, strict=False)
