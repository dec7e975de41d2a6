"""Dataset: named tables with where they came from; read from files, databases and dataframes, and written back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from verisyn import _manifest, shelves
from verisyn.errors import UserError, listed
from verisyn.formats import FIT_ROWS, Request, of_path
from verisyn.frames import Origin, from_polars
from verisyn.outputs import writing_file
from verisyn.provenance import Provenance
from verisyn.schema import Link, Schema


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
    origins : dict
        The origin of each table, where there are several.
    keys : dict
        The columns of each table's primary key, as far as a catalogue tells.
    links : tuple of Link
        The foreign keys that a catalogue tells of.
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
    origins: dict[str, Origin] = field(default_factory=dict)
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    links: tuple[Link, ...] = ()

    @property
    def table_name(self) -> str:
        """The name of the only table.

        Raises
        ------
        UserError
            If there are several, of which one is needed.
        """
        if len(self.tables) > 1:
            raise UserError(f"{self.name!r} has {len(self.tables)} tables: {listed(list(self.tables), 12)}. This takes "
                            "one; name it with --table, or give read() the table.")
        return next(iter(self.tables))

    @property
    def frame(self) -> pl.DataFrame:
        """The only table; a UserError where there are several."""
        return self.tables[self.table_name]

    @property
    def extension(self) -> str:
        """The file name ending, without its first dot, for synthetic data of this source: ``csv.gz``, ``parquet``, …

        It is empty where several tables are written as a folder of files.
        """
        if len(self.tables) > 1 and not shelves.formats.take(self.format).has_tables:
            return ""
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

    def of(self, schema: Schema) -> Dataset:
        """Return the data with the tables, and the columns of these, that a schema names alone."""
        names = {t.name: {*t.names} for t in schema.tables if t.name in self.tables}
        parts: dict[str, Any] = {part: {n: v for n, v in getattr(self, part).items() if n in names}
                                 for part in ("rows_total", "origins", "keys")}
        tables = {n: f.select(c for c in f.columns if c in names[n]) for n, f in self.tables.items() if n in names}
        links = tuple(link for link in self.links if {link.table, link.parent} <= {*names})
        return replace(self, tables=tables, links=links, **parts)

    def give_back(self, frame: pl.DataFrame, table: str | None = None) -> Any:
        """Return a frame as the kind of dataframe that was read, with its data types (polars for files)."""
        return from_polars(frame, self.origins.get(table or "", self.origin))

    def _rows(self, which: np.ndarray) -> Dataset:
        return replace(self, tables={self.table_name: self.frame[which]}, rows_total={self.table_name: len(which)})


def read(source: Any, *, table: str | None = None, query: str | None = None, fit_rows: int = FIT_ROWS,
         seed: int = 0, entity: Sequence[str] = (), time: str | None = None) -> Dataset:
    """Read data from a file, a folder, a database or dataframes, and where its rows come from.

    That is told, in this order, by columns ``verisyn_kind``, ``verisyn_source``, … (they are no data, and are left out
    of the frame), by the metadata of a Parquet or Arrow file, pandas' ``attrs`` or a pyarrow schema, and by the
    manifest beside a file, where it is of that very file. A NaN is a missing value.

    Parameters
    ----------
    source : path, URL, dataframe, dict or Dataset
        CSV, TSV, Parquet, JSON Lines, Arrow, Excel, SQLite or DuckDB file (text also as ``.gz`` or ``.zst``); a folder
        of such files, each a table; the URL of a database; a pandas, polars or pyarrow table, or a dict of those. A
        Dataset is returned as it is. All tables of a folder, database or workbook are read, with the keys and links
        that its catalogue tells of.
    table, query : str, optional
        One table of several, or rows as an SQL query. ``"name.*"`` are all tables of a schema of a database.
    fit_rows : int, default 500 000
        More rows than these are sampled uniformly while reading, so that memory stays bounded. Of several tables all
        rows are read, and then as many rows of a table that others belong to as leave no table more than these, with
        all that belongs to them.
    seed : int, default 0
        Decides which rows are sampled.
    entity : sequence of str, optional
        Columns that say whose a row is: then whole entities are sampled, not rows.
    time : str, optional
        The column of the time: without `entity`, the last rows are kept rather than a sample.

    Raises
    ------
    UserError
        If the source cannot be read; the message says what was seen and what to do.

    Examples
    --------
    >>> read(pl.DataFrame({"age": [31, 47, 30]})).frame["age"].to_list()
    [31, 47, 30]
    >>> shop = read({"people": pl.DataFrame({"id": [1, 2]}), "orders": pl.DataFrame({"people_id": [2, 2, 1]})})
    >>> shop.rows_total
    {'people': 2, 'orders': 3}
    """
    from verisyn import _reading

    if fit_rows < 1:
        raise UserError(f"fit_rows is {fit_rows}; at least one row must be read.")
    if table and query:
        raise UserError("A table and a query were both given. Give one of them.")
    if isinstance(source, Dataset):
        return source
    entity = (entity,) if isinstance(entity, str) else tuple(entity)
    return _reading.read(source, Request(table, query, fit_rows, seed), entity, time)


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


def write_tables(tables: Mapping[str, pl.DataFrame], target: str | Path, *, format: str | None = None,
                 settings: Mapping[str, Any] | None = None, schema: Schema | None = None,
                 provenance: Provenance | None = None, force: bool = False) -> str | Path:
    """Write several tables to one place, whole or not at all.

    Parameters
    ----------
    tables : mapping of str to pl.DataFrame
    target : str or Path
        A folder (one file a table), a database file or workbook (its ending tells), or the URL of a database.
    format : str, optional
        The format of the files of a folder; without it, that of `settings`, else Parquet.
    settings : dict, optional
        ``Dataset.format_settings`` of data in whose manner to write.
    schema : Schema, optional
        Whose keys and links are declared, where the format has such.
    provenance : Provenance, optional
        Where the rows come from: written beside the file, or each file.
    force : bool, default False
        Whether what is there may be replaced: a folder (if it holds nothing else), a file, tables of a database.

    Returns
    -------
    str or Path
        Where they are.

    Raises
    ------
    UserError
        If there is something already, or it cannot be written. Nothing is left half-written.
    """
    from verisyn import _writing

    return _writing.write_tables(dict(tables), target, _writing.Manner(format, dict(settings or {}), schema, provenance,
                                                                       force))
