"""Writes several tables to one place: a folder of files, a database file, a workbook, or a database by URL."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from verisyn import _manifest, shelves
from verisyn.errors import UserError
from verisyn.formats import COMPRESSIONS, of_path, url
from verisyn.formats._declared import plan
from verisyn.outputs import check_file, check_folder, writing_file, writing_folder
from verisyn.provenance import Provenance
from verisyn.schema import Schema

_UNFIT = re.compile(r'[\x00-\x1f/\\:*?"<>|]')


@dataclass(frozen=True)
class Manner:
    """How tables are to be written; see :func:`verisyn.data.write_tables`."""

    format: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    schema: Schema | None = None
    provenance: Provenance | None = None
    force: bool = False

    def of(self, table: str) -> tuple[str, str, dict[str, Any]]:
        """The format of a table's file, its ending (with its compression), and the settings of that format."""
        told = self.settings.get("tables", {}).get(table, {})
        named = self.format and shelves.formats.full_name(self.format)
        format_ = named or told.get("format") or self.settings.get("format") or "parquet"
        suffixes = shelves.formats.take(format_).suffixes
        if not suffixes or (shelves.formats.take(format_).has_tables and not named):
            format_, suffixes = "parquet", shelves.formats.take("parquet").suffixes
        ending = suffixes[0]
        if told.get("format") == format_ and "file" in told:
            path = Path(str(told["file"]))
            compression = next((c for c in COMPRESSIONS if path.name.lower().endswith(c)), "")
            ending = Path(path.name.lower().removesuffix(compression)).suffix + compression
        return format_, ending, told if told.get("format") == format_ else {}

    def about(self, rows: int) -> Provenance | None:
        """Where the rows of one of the tables come from."""
        if self.provenance is None or len(self.provenance.sources) != 1:
            return self.provenance
        source, = self.provenance.sources
        return Provenance((replace(source, rows=rows),))


def write_tables(tables: dict[str, pl.DataFrame], target: str | Path, manner: Manner) -> str | Path:
    """Write tables to a folder, file or database, by what `target` is; return it."""
    if not tables:
        raise UserError("There are no tables to write.")
    if str(target).startswith("duckdb:///"):
        target = str(target).removeprefix("duckdb:///")
    if "://" in str(target):
        url.write_tables(tables, str(target), plan(tables, manner.schema), manner.force)
        return str(target)
    path = Path(target).expanduser()
    format_ = _one_file(path, manner.format)
    if format_ is None:
        return _folder(tables, path, manner)
    settings = manner.settings if manner.settings.get("format") == format_ else {}
    with writing_file(path, force=manner.force) as draft:
        shelves.formats.take(format_).write_tables(tables, draft, settings, plan(tables, manner.schema))
        if manner.provenance:
            _manifest.write(manner.provenance, path, draft)
    if manner.provenance is None:
        _manifest.remove(path)
    return path


def check_target(target: str | Path, force: bool) -> None:
    """See that tables may be written to a place, before the work of making them begins; a database is asked later.

    Raises
    ------
    UserError
        If it is a file of one table, or is there already and may not be replaced.
    """
    if "://" in str(target):
        return
    path = Path(target).expanduser()
    if _one_file(path, None) is None:
        check_folder(path, force)
    else:
        check_file(path, force)


def _one_file(path: Path, format_: str | None) -> str | None:
    """The format of the one file that holds all tables; None where `path` is to be a folder.

    Raises
    ------
    UserError
        If its ending is that of a format of one table.
    """
    known = {s: f for f in shelves.formats.names() for s in shelves.formats.take(f).suffixes}
    if path.is_dir() or Path(path.name).suffix.lower() not in {*known, *COMPRESSIONS}:
        return None
    found = format_ or of_path(path)[0]
    if not hasattr(shelves.formats.take(found), "write_tables"):
        able = sorted(s for s, f in known.items() if hasattr(shelves.formats.take(f), "write_tables"))
        raise UserError(f"{path.name!r} would be a file of one table, and there are several. Give a folder, or a file "
                        f"that can hold them ({', '.join(able)}).")
    return found


def _folder(tables: dict[str, pl.DataFrame], path: Path, manner: Manner) -> Path:
    with writing_folder(path, force=manner.force) as draft:
        for name, frame in tables.items():
            format_, ending, settings = manner.of(name)
            told = manner.about(frame.height)
            file = draft / f"{_UNFIT.sub('_', name)}{ending}"
            text = {"provenance": _manifest.to_text(told)} if told else {}
            shelves.formats.take(format_).write(frame, file, {"table": name, **settings, **text})
            if told:
                _manifest.write(told, file, file)
            else:
                _manifest.remove(path / file.name)  # it speaks of the file that is replaced
    return path
