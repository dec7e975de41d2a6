"""Polars data types as JSON values and back."""

from __future__ import annotations

from typing import Any

import polars as pl

_FIELDS = ("precision", "scale", "time_unit", "time_zone")


def to_json(dtype: pl.DataType) -> dict[str, Any]:
    """Return a data type as JSON values.

    Examples
    --------
    >>> to_json(pl.Datetime("us", "UTC"))
    {'name': 'Datetime', 'time_unit': 'us', 'time_zone': 'UTC'}
    >>> from_json(to_json(pl.Decimal(10, 2)))
    Decimal(precision=10, scale=2)
    """
    out: dict[str, Any] = {"name": dtype.base_type().__name__}
    out.update({f: getattr(dtype, f) for f in _FIELDS if hasattr(dtype, f)})
    if isinstance(dtype, pl.Enum):
        out["categories"] = dtype.categories.to_list()
    return out


def from_json(state: dict[str, Any]) -> pl.DataType:
    """Rebuild a data type from `state`."""
    fields = {name: value for name, value in state.items() if name != "name"}
    return getattr(pl, state["name"])(**fields)
