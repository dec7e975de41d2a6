"""Dataset: named tables with where they came from; read from files, databases and dataframes; split once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import polars as pl

from verisyn import _manifest, shelves
from verisyn.errors import UserError, did_you_mean
from verisyn.formats import FIT_ROWS, Request, check_content, of_path, sampled
from verisyn.formats._sampling import Reservoir
from verisyn.frames import Origin, from_polars, simplify, to_polars
from verisyn.outputs import writing_file
from verisyn.provenance import MANIFEST, Provenance, of_rows, without_columns


@dataclass(frozen=True)
class Dataset:
    """Real data as it was read: its tables inside, and all that is needed to write the like.

    Parameters
    ----------
    tables : dict
        Polars frames by name.
    origin : Origin
        The kind of dataframe, or file, that they came from.
    notes : tuple of str
        What was found on reading and should be said.
    rows_total : dict
        Rows of the source by table; more than the table's height if a sample was taken.
    name : str
        What to call the data.
    source : Path or None
        The file it came from.
    format : str
        The name of the format in which synthetic data is written.
    format_settings : dict
        What that format needs to write in the manner of the source.
    provenance : Provenance or None
        Where the rows come from; None where nothing tells.
    """

    tables: dict[str, pl.DataFrame]
    origin: Origin
    notes: tuple[str, ...] = ()
    rows_total: dict[str, int] = field(default_factory=dict)
    name: str = "data"
    source: Path | None = None
    format: str = "parquet"
    format_settings: dict[str, Any] = field(default_factory=dict)
    provenance: Provenance | None = None

    @property
    def table_name(self) -> str:
        """The name of the only table."""
        return next(iter(self.tables))

    @property
    def frame(self) -> pl.DataFrame:
        """The only table."""
        return self.tables[self.table_name]

    @property
    def extension(self) -> str:
        """The file name ending, without its first dot, for synthetic data of this source: ``csv.gz``, ``parquet``, …"""
        if self.source is not None and of_path(self.source)[0] == self.format:
            compression = of_path(self.source)[1]
            return Path(self.source.name.lower().removesuffix(compression)).suffix[1:] + compression
        return shelves.formats.take(self.format).suffixes[0][1:]

    def split(self, holdout: float, seed: int) -> tuple[Dataset, Dataset]:
        """Split into rows to learn from and rows to judge by; the same seed gives the same split.

        Parameters
        ----------
        holdout : float
            Share of rows, 0 to 1 (exclusive), that is held out; at least one row, unless there is only one.
        seed : int
            Decides which.

        Returns
        -------
        train, holdout : Dataset
            Rows keep their order.
        """
        if not 0 <= holdout < 1:
            raise UserError(f"A share of {holdout} cannot be held out. Give a number from 0 to less than 1.")
        rows = self.frame.height
        out = min(max(round(rows * holdout), int(holdout > 0)), rows - 1)
        order = np.random.default_rng(np.random.SeedSequence([seed, 0x5917])).permutation(rows)
        return self._rows(np.sort(order[out:])), self._rows(np.sort(order[:out]))

    def give_back(self, frame: pl.DataFrame) -> Any:
        """Return a frame as the kind of dataframe that was read, with its data types (polars for files)."""
        return from_polars(frame, self.origin)

    def _rows(self, which: np.ndarray) -> Dataset:
        return replace(self, tables={self.table_name: self.frame[which]}, rows_total={self.table_name: len(which)})


def read(source: Any, *, table: str | None = None, query: str | None = None, fit_rows: int = FIT_ROWS,
         seed: int = 0) -> Dataset:
    """Read data from a file, a database or a dataframe, and where its rows come from.

    That is told, in this order, by columns ``verisyn_kind``, ``verisyn_source``, … (they are no data, and are left out
    of the frame), by the metadata of a Parquet or Arrow file, pandas' ``attrs`` or a pyarrow schema, and by the
    manifest beside a file, where it is of that very file. A NaN is a missing value.

    Parameters
    ----------
    source : path, URL, dataframe or Dataset
        CSV, TSV, Parquet, JSON Lines, Arrow, Excel, SQLite or DuckDB file (text also as ``.gz`` or ``.zst``); the URL
        of a database; a pandas, polars or pyarrow table. A Dataset is returned as it is.
    table, query : str, optional
        Which table of a database or workbook, or which rows as an SQL query.
    fit_rows : int, default 500 000
        More rows than these are sampled uniformly while reading, so that memory stays bounded.
    seed : int, default 0
        Decides which rows are sampled.

    Raises
    ------
    UserError
        If the source cannot be read; the message says what was seen and what to do.

    Examples
    --------
    >>> read(pl.DataFrame({"age": [31, 47, 30]})).frame["age"].to_list()
    [31, 47, 30]
    """
    if fit_rows < 1:
        raise UserError(f"fit_rows is {fit_rows}; at least one row must be read.")
    if table and query:
        raise UserError("A table and a query were both given. Give one of them.")
    request = Request(table, query, fit_rows, seed)
    if isinstance(source, Dataset):
        return source
    if not isinstance(source, str | os.PathLike):
        return _read_frame(source, request)
    if "://" in str(source):
        return _read_source(str(source), "url", request)
    path = _existing(Path(source).expanduser())
    try:
        format_, compression = of_path(path)
        if (table or query) and not shelves.formats.take(format_).has_tables:
            raise UserError(f"{str(path)!r} is one table, so there is none to choose. Leave out table and query.")
        check_content(path, format_, compression)
        return _read_source(path, format_, request)
    except PermissionError:
        raise UserError(f"{str(path)!r} cannot be read: permission denied. Ask its owner, or copy it.") from None


def write(frame: pl.DataFrame, path: str | Path, *, format: str | None = None,
          settings: Mapping[str, Any] | None = None, table_name: str = "data",
          provenance: Provenance | None = None) -> None:
    """Write a frame to a file; it appears only when it is whole, and replaces one that is there.

    Parameters
    ----------
    frame : pl.DataFrame
    path : str or Path
        Its ending decides the format, unless `format` names one.
    format : str, optional
        A name on the `formats` shelf.
    settings : dict, optional
        ``Dataset.format_settings`` of data in whose manner to write; what another format remembered is ignored.
    table_name : str, default "data"
        The table's name, for formats that have tables.
    provenance : Provenance, optional
        Where the rows come from: written beside the file (``NAME.provenance.json``), and into a Parquet file. Without
        it, what was beside an earlier file of that name is removed.

    Raises
    ------
    UserError
        If no format has such an ending, or the file cannot be written.
    """
    path = Path(path).expanduser()
    format = shelves.formats.full_name(format or of_path(path)[0])
    manner = dict(settings or {})
    if manner.get("format", format) != format:
        manner = {}
    told = {"provenance": _manifest.to_text(provenance)} if provenance else {}
    with writing_file(path, force=True) as draft:
        shelves.formats.take(format).write(frame, draft, {"table": table_name, **manner, **told})
        if provenance:  # before the file itself: no synthetic file is ever there without it
            _manifest.write(provenance, path, draft)
    if provenance is None:
        _manifest.remove(path)


def _read_source(source: Path | str, format_: str, request: Request) -> Dataset:
    content = shelves.formats.take(format_).read(source, request)
    path = source if isinstance(source, Path) else None
    provenance, more = _provenance(content.frame, content.rows_total, path, format_)
    frame, origin = simplify(content.frame if provenance is None else without_columns(content.frame), "file")
    frame = _without_nan(frame)
    name = _stem(path) if path else Path(urlsplit(str(source)).path).stem or content.table or "data"
    table = content.table or name
    writes = content.writes or format_
    settings = {"format": writes, "table": table, **content.settings}
    return Dataset({table: frame}, origin, (*content.notes, *origin.notes, *more), {table: content.rows_total}, name,
                   path, writes, settings, provenance)


def _read_frame(native: Any, request: Request) -> Dataset:
    if request.table or request.query:
        raise UserError("A dataframe has no tables to choose from. Leave out the table and the query.")
    frame, origin = to_polars(native)
    frame, total = _without_nan(frame), frame.height
    if total > request.fit_rows:
        reservoir = Reservoir(request.fit_rows, request.seed)
        reservoir.add(frame[reservoir.pick(total)])
        frame = reservoir.frame()
    told = of_rows(frame)
    provenance, more = (told, ()) if told else _counted(_manifest.attached(native), total)
    notes = (*origin.notes, *sampled(total, frame.height), *more)
    return Dataset({"data": frame if provenance is None else without_columns(frame)}, origin, notes, {"data": total},
                   provenance=provenance)


def _without_nan(frame: pl.DataFrame) -> pl.DataFrame:
    """Missing is said in one way inside: a NaN that is no null would be counted here, and overlooked there."""
    return frame.with_columns(pl.col(name).fill_nan(None) for name, t in frame.schema.items() if t.is_float())


def _provenance(frame: pl.DataFrame, rows: int, path: Path | None, format_: str
                ) -> tuple[Provenance | None, tuple[str, ...]]:
    """Ask the rows, then the file's metadata, then the manifest beside it; the last is asked in any case."""
    beside, notes = _manifest.read(path) if path else (None, ())
    if told := of_rows(frame):
        return told, notes
    inside = getattr(shelves.formats.take(format_), "provenance", None) if path else None
    provenance, more = _counted(inside(path) if inside else None, rows)
    return (provenance, (*notes, *more)) if provenance else (beside, notes)


def _counted(provenance: Provenance | None, rows: int) -> tuple[Provenance | None, tuple[str, ...]]:
    """Say where metadata, which libraries hand on when rows are left out or put together, speaks of other rows."""
    if provenance is None or provenance.rows == rows:
        return provenance, ()
    return provenance, (f"The data's metadata tells where {provenance.rows:,} rows come from, but there are {rows:,}: "
                        "they were changed since. It is taken to hold for them, share by share.",)


def _existing(path: Path) -> Path:
    """Return the path of a file that is there, or say what is wrong with it."""
    if path.is_dir():
        raise UserError(f"{str(path)!r} is a folder; a file was expected. {_known_in(path)}")
    if not path.exists():
        nearest = next((p for p in path.parents if p.is_dir()), Path())
        if nearest != path.parent:
            raise UserError(f"There is no folder {str(path.parent)!r}. Check the path.")
        raise UserError(f"There is no file {str(path)!r}. {_known_in(path.parent, path.name)}")
    if not path.stat().st_size:
        raise UserError(f"{str(path)!r} is empty (0 bytes). A table with at least one row of data was expected.")
    return path


def _known_in(folder: Path, wanted: str = "") -> str:
    suffixes = {s for name in shelves.formats.names() for s in shelves.formats.take(name).suffixes}
    names = [p.name for p in folder.iterdir() if p.is_file() and set(p.suffixes) & suffixes
             and not p.name.endswith(MANIFEST)]
    return did_you_mean(wanted, names) if names else "There is no table in that folder."


def _stem(path: Path) -> str:
    """The file's name without the endings of format and compression."""
    compression = of_path(path)[1]
    return Path(path.name[: len(path.name) - len(compression)]).stem
