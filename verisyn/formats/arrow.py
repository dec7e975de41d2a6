"""Arrow IPC files, also known as Feather (version 2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from verisyn.formats import Content, Request
from verisyn.formats._lazy import read_lazily

suffixes = (".arrow", ".feather", ".ipc")
compressible = False
has_tables = False
magic = (0, b"ARROW1")


def read(path: Path, request: Request) -> Content:
    """Read an Arrow file; raises UserError if it is damaged or has no rows."""
    return read_lazily(pl.scan_ipc(path), path, request, "Arrow")


def write(frame: pl.DataFrame, path: Path, settings: dict[str, Any]) -> None:
    """Write an Arrow file that any Arrow library reads."""
    frame.write_ipc(path, compat_level=pl.CompatLevel.oldest())
