"""The keys of a wish for fairness: read, and checked with a sentence for a mistake."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from verisyn.errors import UserError, did_you_mean
from verisyn.modalities.table._views import TableCoder
from verisyn.steering._parity import EVERY, At

CRITERIA = ("demographic_parity", "equal_opportunity")
COST = 0.02


def sensitive(wish: Any, coder: TableCoder) -> tuple[str, ...]:
    """Return the sensitive columns."""
    names = (wish,) if isinstance(wish, str) else tuple(wish) if isinstance(wish, list | tuple) else (wish,)
    for name in names:
        if name not in coder.columns:
            raise UserError(f"fair names the sensitive column {name!r}, which is not there. "
                            f"{did_you_mean(str(name), coder.columns)}")
    return tuple(dict.fromkeys(names))


def criterion(wish: Any) -> str:
    """Return the criterion."""
    wish = CRITERIA[0] if wish is None else wish
    if wish not in CRITERIA:
        raise UserError(f"fair has no criterion {wish!r}. {did_you_mean(str(wish), CRITERIA)}")
    return str(wish)


def at(wish: Any) -> At:
    """Return of which decisions parity is asked."""
    if wish is None or wish == EVERY:
        return wish
    pair = tuple(wish) if isinstance(wish, list | tuple) else ()
    if len(pair) == 2 and all(map(_is_number, pair)) and 0 <= pair[0] < pair[1] <= 1:
        return float(pair[0]), float(pair[1])
    raise UserError(f"fair is asked at {wish!r}; expected is 'every', or the shares of rows that decisions say yes to, "
                    "such as [0.05, 0.3].")


def cost(wish: Any, at: At) -> float:
    """Return the most that parity may cost, in AUC."""
    if wish is None:
        return COST
    if at is not None:
        raise UserError("fair was given both 'cost' and 'at'. Leave one out: within a cost, parity reaches as many "
                        "decisions as that allows.")
    if not _is_number(wish) or not 0 <= wish <= 0.5:
        raise UserError(f"fair's cost is {wish!r}; expected is the most that parity may cost in AUC, 0 to 0.5, such as "
                        "0.02 for two points.")
    return float(wish)


def _is_number(x: Any) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x)


def aware(wish: Any) -> bool:
    """Return whether models may see the sensitive columns."""
    if wish is None or isinstance(wish, bool):
        return wish is not False
    raise UserError(f"fair's aware is {wish!r}; expected is true (models may see the sensitive columns) or false.")


def bands(wish: Any, sensitive: Sequence[str]) -> dict[str, list[float]]:
    """Return where the bands of numbers begin."""
    if wish is None:
        return {}
    if not isinstance(wish, Mapping):
        raise UserError(f"fair's bands are {wish!r}; expected is where the bands of a number begin, such as "
                        "{'age': [30, 50]}.")
    for name, edges in wish.items():
        if name not in sensitive:
            raise UserError(f"fair has bands of {name!r}, which is not sensitive. {did_you_mean(str(name), sensitive)}")
        good = isinstance(edges, list | tuple) and len(edges) and all(map(_is_number, edges))
        if not good or list(edges) != sorted(set(edges)):
            raise UserError(f"fair's bands of {name!r} are {edges!r}; expected are rising numbers, such as [30, 50].")
    return {str(name): [float(e) for e in edges] for name, edges in wish.items()}


def groups(wish: Any, sensitive: Sequence[str]) -> Any:
    """Return the groups' shares of the rows."""
    if wish is None:
        return None
    if wish != "balanced" and not isinstance(wish, Mapping):
        raise UserError(f"fair's groups are {wish!r}; expected is 'balanced', or shares of levels, such as {{'Female': "
                        "0.5}.")
    if len(sensitive) > 1:
        raise UserError("fair can give shares to the groups of one sensitive column only. Leave groups out, or name "
                        "one column.")
    return wish


def population(wish: Any, coder: TableCoder) -> pl.DataFrame | None:
    """Return real rows with the model's columns and types."""
    if wish is None:
        return None
    from verisyn.data import read
    from verisyn.metrics._conform import conform

    return conform(read(wish).frame, coder.blank(), list(coder.columns), "the population")[0]
