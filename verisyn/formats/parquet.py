"""Parquet files, read whole or sampled row group by row group."""

from __future__ import annotations

from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from verisyn import _manifest
from verisyn.formats import Content, Request
from verisyn.formats._lazy import read_lazily

if TYPE_CHECKING:
    from verisyn.provenance import Provenance

suffixes = (".parquet", ".pq")
compressible = False
has_tables = False
magic = (0, b"PAR1")


def read(path: Path, request: Request) -> Content:
    """Read a Parquet file; raises UserError if it is damaged or has no rows."""
    return read_lazily(pl.scan_parquet(path, glob=False), path, request, "Parquet")


def write(frame: pl.DataFrame, path: Path, settings: dict[str, Any]) -> None:
    """Write a Parquet file, compressed with zstd; its metadata tells the provenance, where polars can write such."""
    told: dict[str, Any] = {}
    if "provenance" in settings and "metadata" in signature(pl.DataFrame.write_parquet).parameters:
        told["metadata"] = {_manifest.KEY: settings["provenance"]}
    frame.write_parquet(path, compression="zstd", **told)


def provenance(path: Path) -> Provenance | None:
    """Return what the file's metadata tells of where its rows come from."""
    known = pl.read_parquet_metadata(path) if hasattr(pl, "read_parquet_metadata") else {}
    return _manifest.from_text(known.get(_manifest.KEY))
