"""Numbers, shares and tolerances as whoever publishes figures writes them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from verisyn.errors import UserError


def scaled(shares: Mapping[Any, Any], name: str) -> dict[Any, float]:
    """Refuse shares that sum to more than 1; where rounding alone explains it, scale them."""
    found = {key: a_share(value, f"{name} at {key!r}") for key, value in shares.items()}
    total = math.fsum(found.values())
    if total <= 1 + 1e-9:
        return found
    if total > 1 + len(found) * max(map(rounding, found.values())):
        raise UserError(f"The shares wanted of {name} sum to {total:g}, more than 1. Lower them; levels that are not "
                        "named share the rest.")
    return {key: value / total for key, value in found.items()}


def rounding(number: float) -> float:
    """Return by how much a published share may have been rounded: half a unit of its last digit, 0.005 at most.

    Examples
    --------
    >>> rounding(0.213), rounding(0.5)
    (0.0005, 0.005)
    """
    digits = len(f"{number:.10f}".rstrip("0").split(".")[1])
    return min(0.005, 0.5 * 10.0**-digits)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def a_number(value: Any, name: str) -> float:
    if not is_number(value):
        raise UserError(f"The target for {name} is {value!r}, but a number is expected: the mean of a column, or the "
                        "share of a condition or level.")
    return float(value)


def a_share(value: Any, name: str) -> float:
    share = _percent(value, "%") if isinstance(value, str) and value.strip().endswith("%") else None
    number = a_number(value if share is None else share, name)
    if not 0 <= number <= 1:
        raise UserError(f"The share wanted of {name} is {number:g}. Shares lie between 0 and 1 (or write '21%').")
    return number


def _percent(text: str, sign: str) -> float | None:
    try:
        return float(text.strip().removesuffix(sign)) / 100
    except ValueError:
        return None


def a_tolerance(told: Any, wanted: float) -> float:
    """Return a tolerance in the figure's own unit: a number, ``"1%"`` of the figure, or ``"0.5pp"``."""
    found = told
    if isinstance(told, str):
        points = told.strip().endswith("pp")
        part = _percent(told, "pp" if points else "%") if points or told.strip().endswith("%") else None
        found = part if part is None or points else part * abs(wanted)
    if not is_number(found) or found <= 0:
        raise UserError(f"The tolerance is {told!r}, but a number above 0 is expected, or a part of a figure other "
                        "than 0, such as '1%', or percentage points, such as '0.5pp'.")
    return float(found)
