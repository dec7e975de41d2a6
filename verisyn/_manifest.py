"""How a table's provenance travels: in a manifest beside its file, in the file's metadata, on a dataframe."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from verisyn.errors import UserError
from verisyn.outputs import check_file, sha256, writing_file
from verisyn.provenance import Provenance, manifest_path

KEY = "verisyn"
"""Under which it stands in the metadata of a Parquet or Arrow file, in pandas' ``attrs``, in a pyarrow schema."""
FORMAT = 1
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, UserError)


def write(provenance: Provenance, path: Path, content: Path) -> None:
    """Write the manifest of a data file that will be at `path`, and whose bytes are now at `content`."""
    told = {"format": FORMAT, "file": path.name, "sha256": sha256(content), **provenance.to_dict()}
    with writing_file(manifest_path(path), force=True) as draft:
        draft.write_text(json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def remove(path: Path) -> None:
    """Remove a manifest that spoke of an earlier file at `path`; a file of another origin stays."""
    place = manifest_path(path)
    if place.is_file() and _told(place):
        place.unlink()


def check(path: str | Path, force: bool = False) -> Path:
    """Return the path of a data file that may be written, with its manifest, before the work of making it begins.

    Raises
    ------
    UserError
        If it, or its manifest, exists and may not be replaced.
    """
    checked = check_file(path, force)
    check_file(manifest_path(path), force)
    return checked


def read(path: Path) -> tuple[Provenance | None, tuple[str, ...]]:
    """Return what the manifest beside a data file tells, and what should be said of it.

    A manifest whose SHA-256 is not the file's describes another file, so nothing is taken from it.
    """
    place = manifest_path(path)
    if not place.is_file():
        return None, ()
    told = _told(place)
    if told is None:
        return None, (f"The provenance in {place.name!r} could not be read; nothing was taken from it.",)
    if told["sha256"] != sha256(path):
        return None, (f"The provenance in {place.name!r} is of another file than {path.name!r}, or of what that was "
                      "before it changed (the SHA-256 differs); nothing was taken from it.",)
    return Provenance.from_dict(told), ()


def _told(place: Path) -> dict[str, Any] | None:
    """Return a manifest's content; None where it is none, is damaged or is of a newer format."""
    try:
        told = json.loads(place.read_text(encoding="utf-8"))
        Provenance.from_dict(told)
        return told if told["format"] <= FORMAT and isinstance(told["sha256"], str) else None
    except (OSError, *_UNREADABLE):
        return None


def to_text(provenance: Provenance) -> str:
    """Return a provenance as the text that metadata holds."""
    return json.dumps({"format": FORMAT, **provenance.to_dict()}, ensure_ascii=False, allow_nan=False)


def from_text(text: str | bytes | None) -> Provenance | None:
    """Return the provenance that metadata holds; None where there is none, or none that can be read.

    Examples
    --------
    >>> from verisyn.provenance import real
    >>> from_text(to_text(real("adult", 500))) == real("adult", 500)
    True
    """
    with suppress(*_UNREADABLE):
        return Provenance.from_dict(json.loads(text)) if text else None
    return None


def attach(native: Any, provenance: Provenance) -> Any:
    """Return a dataframe with its provenance: in pandas' ``attrs``, in a pyarrow schema; polars has no place for it."""
    from narwhals import dependencies as known

    if known.is_pandas_dataframe(native):
        native.attrs[KEY] = provenance.to_dict()
    elif known.is_pyarrow_table(native):
        told = {**(native.schema.metadata or {}), KEY.encode(): to_text(provenance).encode()}
        return native.replace_schema_metadata(told)
    return native


def attached(native: Any) -> Provenance | None:
    """Return the provenance of a dataframe; None where it carries none."""
    from narwhals import dependencies as known

    if known.is_pandas_dataframe(native):
        with suppress(*_UNREADABLE):
            return Provenance.from_dict(native.attrs[KEY])
    elif known.is_pyarrow_table(native):
        return from_text((native.schema.metadata or {}).get(KEY.encode()))
    return None
