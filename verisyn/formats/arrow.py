"""Arrow IPC files, also known as Feather (version 2)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from verisyn import _manifest
from verisyn.formats import Content, Request
from verisyn.formats._lazy import read_lazily

if TYPE_CHECKING:
    from verisyn.provenance import Provenance

_TAIL = 10
"""Four bytes for the footer's length, then the six letters of the format."""

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


def provenance(path: Path) -> Provenance | None:
    """Return what the file's metadata tells of where its rows come from, as pyarrow writes it (polars cannot)."""
    if _manifest.KEY.encode() not in _footer(path):
        return None
    with suppress(ImportError, OSError, ValueError):
        from pyarrow import ipc

        return _manifest.from_text((ipc.open_file(path).schema.metadata or {}).get(_manifest.KEY.encode()))
    return None


def _footer(path: Path) -> bytes:
    """The end of the file, which holds the schema; its length stands before the last six bytes."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        tail = file.read()
        length = int.from_bytes(tail[:4], "little")
        file.seek(max(0, path.stat().st_size - len(tail) - length))
        return file.read(length)
