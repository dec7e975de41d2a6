"""Which row of the parent each row of a child points to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from verisyn.schema import Link


@dataclass(frozen=True)
class Linked:
    """One link, on one side.

    Parameters
    ----------
    link : Link
    at : int64 array of shape (child rows,)
        Which parent row each child row points to; -1 for one that points nowhere, -2 for an orphan (its key is not
        missing, but no parent row has it).
    parents : int
        Rows of the parent.
    """

    link: Link
    at: np.ndarray
    parents: int

    @property
    def counts(self) -> np.ndarray:
        """Children of each parent row, int64 (parents,)."""
        return np.bincount(self.at[self.at >= 0], minlength=self.parents)

    @property
    def orphans(self) -> float:
        """Share of orphans among the rows that point."""
        points = int((self.at != -1).sum())
        return float((self.at == -2).sum() / points) if points else 0.0


def pointed(child: pl.DataFrame, parent: pl.DataFrame, link: Link) -> Linked:
    """Look up which row of `parent` each row of `child` points to by `link`.

    Examples
    --------
    >>> link = Link(table="orders", columns=("who",), parent="people", key=("id",))
    >>> pointed(pl.DataFrame({"who": [7, None, 5, 9]}), pl.DataFrame({"id": [5, 7]}), link).at.tolist()
    [1, -1, 0, -2]
    """
    names = [f"key {i}" for i in range(len(link.key))]
    keys = parent.select(pl.col(c).alias(n) for c, n in zip(link.key, names, strict=True)).with_row_index("row")
    keys = keys.unique(names, keep="first", maintain_order=True)
    own = child.select(pl.col(c).cast(parent.schema[k], strict=False).alias(n)
                       for c, k, n in zip(link.columns, link.key, names, strict=True))
    found = own.join(keys, on=names, how="left", maintain_order="left")["row"].cast(pl.Int64)
    missing = child.select(pl.any_horizontal(pl.col(c).is_null() for c in link.columns)).to_series()
    nowhere = missing.to_numpy()
    if link.where:
        holds = child.select(pl.all_horizontal(pl.col(c) == v for c, v in link.where.items()).fill_null(False))
        nowhere = nowhere | ~holds.to_series().to_numpy()
    at = np.where(nowhere, -1, found.fill_null(-2).to_numpy())
    return Linked(link, at, parent.height)
