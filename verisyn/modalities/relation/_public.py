"""Reference tables that are public anyhow: their rows are kept."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, Self

import numpy as np
import polars as pl


class Public:
    """A reference table that is public: its rows are kept word for word.

    `hidden` holds what kind of parent each row is.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, frame: pl.DataFrame, hidden: pl.DataFrame):
        self.frame, self.hidden = frame, hidden

    def state(self) -> dict[str, Any]:
        """Return arrays: both frames in Arrow's format."""
        return {"frame": _packed(self.frame), "hidden": _packed(self.hidden)}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild from `state`."""
        return cls(_unpacked(state["frame"]), _unpacked(state["hidden"]))


def _packed(frame: pl.DataFrame) -> np.ndarray:
    out = BytesIO()
    frame.write_ipc(out)
    return np.frombuffer(out.getvalue(), np.uint8)


def _unpacked(array: np.ndarray) -> pl.DataFrame:
    return pl.read_ipc(BytesIO(array.tobytes()))
