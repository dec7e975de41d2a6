"""Parquet files, read whole or sampled row group by row group."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from verisyn.formats import Content, Request
from verisyn.formats._lazy import read_lazily

suffixes = (".parquet", ".pq")
compressible = False
has_tables = False
magic = (0, b"PAR1")


def read(path: Path, request: Request) -> Content:
    """Read a Parquet file; raises UserError if it is damaged or has no rows."""
    return read_lazily(pl.scan_parquet(path, glob=False), path, request, "Parquet")


def write(frame: pl.DataFrame, path: Path, settings: dict[str, Any]) -> None:
    """Write a Parquet file, compressed with zstd."""
    frame.write_parquet(path, compression="zstd")
