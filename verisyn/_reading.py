"""Reads a source into a Dataset: a file, a folder of files, a database, a dataframe, several dataframes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import polars as pl

from verisyn import _manifest, shelves
from verisyn.data import Dataset
from verisyn.errors import UserError, did_you_mean, listed
from verisyn.formats import Content, Contents, NoRows, Request, check_content, of_path, sampled
from verisyn.formats._catalogue import without_rows
from verisyn.formats._folder import data_files, stem, suffixes
from verisyn.formats._sampling import Reservoir
from verisyn.formats._tables import choose
from verisyn.frames import Origin, simplify, to_polars
from verisyn.linking.ordering import in_their_order
from verisyn.linking.thinning import every_row, thinned
from verisyn.provenance import MANIFEST, Provenance, of_rows, real, without_columns


def read(source: Any, request: Request, entity: tuple[str, ...], time: str | None) -> Dataset:
    """Read any source; see :func:`verisyn.read`."""
    asked = every_row(request) if entity or time else request
    if not isinstance(source, str | os.PathLike):
        dataset = _read_frames(source, asked) if isinstance(source, Mapping) else _read_frame(source, asked)
    elif "://" in str(source):
        dataset = _read_any(str(source), "url", asked)
    else:
        dataset = _read_path(Path(source).expanduser(), asked)
    dataset = in_their_order(dataset, entity, time)
    if len(dataset.tables) > 1 or entity or time:
        return thinned(dataset, request, entity, time)
    return dataset


# -- files and folders ------------------------------------------------------------------------------------------------
def _read_path(path: Path, request: Request) -> Dataset:
    try:
        if path.is_dir():
            return _read_folder(path, request)
        path = _existing(path)
        format_, compression = of_path(path)
        if (request.table or request.query) and not shelves.formats.take(format_).has_tables:
            raise UserError(f"{str(path)!r} is one table, so there is none to choose. Leave out table and query.")
        check_content(path, format_, compression)
        return _read_any(path, format_, request)
    except PermissionError:
        raise UserError(f"{str(path)!r} cannot be read: permission denied. Ask its owner, or copy it.") from None


def _read_any(source: Path | str, format_: str, request: Request) -> Dataset:
    """Read what is asked of a source: one table, or all of them where it has several."""
    module = shelves.formats.take(format_)
    one = request.query or (request.table and not request.table.endswith(".*"))
    if one or not hasattr(module, "tables"):
        return _of_content(module.read(source, request), source, format_)
    contents = module.tables(source, every_row(request))
    if len(contents.tables) == 1:
        (name, content), = contents.tables.items()
        if content.rows_total > request.fit_rows:
            content = module.read(source, request)
        return replace(_of_content(content, source, format_, contents.notes), keys=contents.keys)
    path = source if isinstance(source, Path) else None
    name = stem(path) if path else _name_of(str(source)) or "data"
    dataset = _of_contents(contents, name, dict.fromkeys(contents.tables, format_))
    return replace(dataset, source=path)


def _of_content(content: Content, source: Path | str, format_: str, notes: tuple[str, ...] = ()) -> Dataset:
    path = source if isinstance(source, Path) else None
    provenance, more = _provenance(content.frame, content.rows_total, path, format_)
    frame, origin = simplify(content.frame if provenance is None else without_columns(content.frame), "file")
    frame = _without_nan(frame)
    name = stem(path) if path else _name_of(str(source)) or content.table or "data"
    table = content.table or name
    writes = content.writes or format_
    settings = {"format": writes, "table": table, **content.settings}
    return Dataset({table: frame}, origin, (*notes, *content.notes, *origin.notes, *more), {table: content.rows_total},
                   name, path, writes, settings, provenance)


def _of_contents(contents: Contents, name: str, formats: Mapping[str, str], files: Mapping[str, Path] | None = None
                 ) -> Dataset:
    """Put several tables together, with what was found on reading each."""
    files = files or {}
    tables, origins, totals, told, notes, settings = {}, {}, {}, {}, {}, {}
    for table, content in contents.tables.items():
        told[table], more = _provenance(content.frame, content.rows_total, files.get(table), formats[table])
        frame, origins[table] = simplify(without_columns(content.frame) if told[table] else content.frame, "file")
        tables[table], totals[table] = _without_nan(frame), content.rows_total
        notes[table] = (*content.notes, *origins[table].notes, *more)
        settings[table] = {"format": content.writes or formats[table], **content.settings}
        if table in files:
            settings[table]["file"] = files[table].name
    format_ = _commonest([s["format"] for s in settings.values()])
    return Dataset(tables, next(iter(origins.values())), (*contents.notes, *_together(notes)), totals, name, None,
                   format_, {"format": format_, "tables": settings}, _summed(told, totals), origins, contents.keys,
                   contents.links)


def _read_folder(folder: Path, request: Request) -> Dataset:
    """Read the tables of a folder: each data file is one, called as the file is."""
    if request.query:
        raise UserError(f"{str(folder)!r} is a folder, which cannot be queried; name one of its tables with --table.")
    files, skipped = data_files(folder)
    if request.table:
        return _read_path(files[choose(list(files), request.table, folder)], replace(request, table=None))
    if len(files) == 1:
        return _read_path(next(iter(files.values())), request)
    contents: dict[str, Content] = {}
    formats: dict[str, str] = {}
    for name, path in files.items():
        formats[name], compression = of_path(path)
        try:
            check_content(path, formats[name], compression)
            contents[name] = shelves.formats.take(formats[name]).read(path, every_row(request))
        except NoRows:
            skipped[path.name] = "has no rows"
    if not contents:
        raise UserError(f"No file of the folder {str(folder)!r} has any rows: {listed(sorted(skipped))}.")
    notes = tuple(f"{listed(sorted(n for n, why in skipped.items() if why == reason))}: left out, because it {reason}."
                  for reason in dict.fromkeys(skipped.values()))
    name = folder.resolve().name or "data"
    return _of_contents(Contents(contents, notes=notes), name, formats, {t: files[t] for t in contents})


def _existing(path: Path) -> Path:
    """Return the path of a file that is there, or say what is wrong with it."""
    if not path.exists():
        nearest = next((p for p in path.parents if p.is_dir()), Path())
        if nearest != path.parent:
            raise UserError(f"There is no folder {str(path.parent)!r}. Check the path.")
        raise UserError(f"There is no file {str(path)!r}. {_known_in(path.parent, path.name)}")
    if not path.stat().st_size:
        raise UserError(f"{str(path)!r} is empty (0 bytes). A table with at least one row of data was expected.")
    return path


def _known_in(folder: Path, wanted: str = "") -> str:
    names = [p.name for p in folder.iterdir() if p.is_file() and set(p.suffixes) & suffixes()
             and not p.name.endswith(MANIFEST)]
    return did_you_mean(wanted, names) if names else "There is no table in that folder."


def _name_of(url: str) -> str:
    return Path(urlsplit(url).path).stem


# -- dataframes -------------------------------------------------------------------------------------------------------
def _read_frame(native: Any, request: Request) -> Dataset:
    if request.table or request.query:
        raise UserError("A dataframe has no tables to choose from. Leave out the table and the query.")
    frame, origin, provenance, notes = _one_frame(native)
    total = frame.height
    if total > request.fit_rows:
        reservoir = Reservoir(request.fit_rows, request.seed)
        reservoir.add(frame[reservoir.pick(total)])
        frame = reservoir.frame()
    return Dataset({"data": frame}, origin, (*origin.notes, *sampled(total, frame.height), *notes), {"data": total},
                   provenance=provenance)


def _read_frames(natives: Mapping[Any, Any], request: Request) -> Dataset:
    """Read dataframes by name, each a table."""
    if request.query:
        raise UserError("Dataframes cannot be queried. Leave out the query.")
    odd = next((n for n in natives if not isinstance(n, str) or not n.strip()), None)
    if not natives or odd is not None:
        wrong = f"{odd!r} is none" if natives else "it is empty"
        raise UserError(f"A dict of dataframes has their names as its keys; {wrong}. Give for example "
                        "{'customers': …, 'orders': …}.")
    if request.table:
        choose(list(natives), request.table, "The dict")
        natives = {request.table: natives[request.table]}
    tables, origins, told, notes = {}, {}, {}, {}
    empty = [name for name, native in natives.items() if getattr(native, "shape", None) and not native.shape[0]]
    for name, native in natives.items():
        if name in empty and len(empty) < len(natives):
            continue
        try:
            tables[name], origins[name], told[name], more = _one_frame(native)
        except UserError as e:
            raise UserError(f"Table {name!r}: {e}") from None
        notes[name] = (*origins[name].notes, *more)
    totals = {name: frame.height for name, frame in tables.items()}
    without = (without_rows(empty),) if empty else ()
    return Dataset(tables, next(iter(origins.values())), (*without, *_together(notes)), totals,
                   provenance=_summed(told, totals), origins=origins if len(tables) > 1 else {})


def _one_frame(native: Any) -> tuple[pl.DataFrame, Origin, Provenance | None, tuple[str, ...]]:
    frame, origin = to_polars(native)
    frame, told = _without_nan(frame), of_rows(frame)
    provenance, more = (told, ()) if told else _counted(_manifest.attached(native), frame.height)
    return frame if provenance is None else without_columns(frame), origin, provenance, more


# -- what all share ---------------------------------------------------------------------------------------------------
def _without_nan(frame: pl.DataFrame) -> pl.DataFrame:
    """Missing is said in one way inside: a NaN that is no null would be counted here, and overlooked there."""
    return frame.with_columns(pl.col(name).fill_nan(None) for name, t in frame.schema.items() if t.is_float())


def _together(notes: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Say once what is to be said of several tables."""
    about: dict[str, list[str]] = {}
    for table, said in notes.items():
        for note in said:
            about.setdefault(note, []).append(table)
    return tuple(f"{'All tables' if len(tables) == len(notes) > 1 else listed(tables)}: {note}"
                 for note, tables in about.items())


def _commonest(names: list[str]) -> str:
    return max(dict.fromkeys(names), key=names.count)


def _summed(told: Mapping[str, Provenance | None], rows: Mapping[str, int]) -> Provenance | None:
    """Where the rows of all tables come from; where one says something, those that say nothing are taken for real."""
    if not any(told.values()):
        return None
    return Provenance(tuple(s for table, p in told.items() for s in (p or real(table, rows[table])).sources))


def _provenance(frame: pl.DataFrame, rows: int, path: Path | None, format_: str
                ) -> tuple[Provenance | None, tuple[str, ...]]:
    """Ask the rows, then the file's metadata, then the manifest beside it; the last is asked in any case."""
    beside, notes = _manifest.read(path) if path else (None, ())
    if told := of_rows(frame):
        return told, notes
    inside = getattr(shelves.formats.take(format_), "provenance", None) if path else None
    provenance, more = _counted(inside(path) if inside and path else None, rows)
    return (provenance, (*notes, *more)) if provenance else (beside, notes)


def _counted(provenance: Provenance | None, rows: int) -> tuple[Provenance | None, tuple[str, ...]]:
    """Say where metadata, which libraries hand on when rows are left out or put together, speaks of other rows."""
    if provenance is None or provenance.rows == rows:
        return provenance, ()
    return provenance, (f"The data's metadata tells where {provenance.rows:,} rows come from, but there are {rows:,}: "
                        "they were changed since. It is taken to hold for them, share by share.",)
