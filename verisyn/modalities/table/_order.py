"""In which order a chain learns the parts."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from verisyn.errors import UserError, did_you_mean
from verisyn.modalities.table import Codes, _boost


def links_of(order: str | Sequence[str], codes: Codes, coarse: np.ndarray | None) -> tuple[int, ...]:
    """Return the parts in the order of the chain; the context stands first.

    Parameters
    ----------
    order : str or sequence of str
        ``"given"``, ``"dependence"`` or names of columns, which come first.
    codes : Codes
    coarse : uint8 array of shape (rows, parts), Fortran order, optional
        Codes under 16; needed for ``"dependence"``.

    Raises
    ------
    UserError
        If there is no such order, or a column is unknown or named twice.
    """
    everything, context = range(len(codes.parts)), range(codes.told)
    if order == "given":
        return tuple(everything)
    if order == "dependence" and coarse is not None:
        ranked = map(int, np.argsort(-_total_dependence(coarse), kind="stable"))
        return (*context, *(j for j in ranked if j >= codes.told))
    if isinstance(order, str):
        raise UserError(f"There is no order {order!r}. Say 'given', 'dependence', or list the columns that come first.")
    columns = [re.sub(r"#\d+$", "", name) for name in codes.names]  # a column of several parts has them numbered
    chosen: list[int] = []
    for wanted in order:
        found = [j for j in everything if wanted == codes.names[j]]  # a name may look like a numbered part
        found = found or [j for j in everything if wanted == columns[j] or wanted in columns[j].split("/")]
        if not found:
            raise UserError(f"The order names the column {wanted!r}, which is not learnt. "
                            f"{did_you_mean(wanted, columns)}")
        chosen += [j for j in found if j not in chosen and j >= codes.told]
    return (*context, *chosen, *(j for j in everything if j not in chosen and j >= codes.told))


def _total_dependence(coarse: np.ndarray) -> np.ndarray:
    """Mutual information of each part with all others, added up."""
    total = np.zeros(coarse.shape[1])
    for j in range(coarse.shape[1]):
        with_earlier = np.maximum(_boost.dependence(coarse, j), 0)
        total[:j] += with_earlier
        total[j] += with_earlier.sum()
    return total
