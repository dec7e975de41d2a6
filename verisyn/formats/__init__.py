"""SHELF where data comes from and goes to: one file for each format.

A format is one file. It holds

- a docstring whose first line says what the format is;
- ``suffixes``: the file name endings it answers to, lower case with the dot (empty for a format that is no file);
- ``compressible``: whether such a file may also end in ``.gz`` or ``.zst``;
- ``has_tables``: whether one of several tables may be chosen (or a query asked);
- ``magic``: where in the file which bytes tell the format, ``(offset, bytes)``, or None if none do;
- ``read(path, request) -> Content``: at most ``request.fit_rows`` rows, a uniform sample if there are more;
- ``write(frame, path, settings)``: `settings` are those of the `Content` that was read, or ``{}``; where the format has
  metadata, ``settings["provenance"]`` is a text to write there;
- optionally ``provenance(path) -> Provenance | None``: what such metadata tells;
- where it ``has_tables``: ``tables(path, request) -> Contents``, all of them, and what the catalogue tells of keys and
  links; ``write_tables(frames, path, settings, plan)``, which writes them as `plan` declares.

All raise ``UserError`` for what a user can mend. A format whose library is an extra asks for it through :func:`needs`.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl

from verisyn import shelves
from verisyn.errors import UserError, did_you_mean
from verisyn.schema import Link

COMPRESSIONS = {".gz": b"\x1f\x8b", ".zst": b"\x28\xb5\x2f\xfd"}
FIT_ROWS = 500_000


@dataclass(frozen=True)
class Request:
    """What is wanted of a source: a table or a query (where it has several); at most `fit_rows` rows, by `seed`."""

    table: str | None = None
    query: str | None = None
    fit_rows: int = FIT_ROWS
    seed: int = 0


@dataclass(frozen=True)
class Content:
    """What a source held.

    Parameters
    ----------
    frame : pl.DataFrame
        The rows, all of them or a uniform sample in their original order.
    rows_total : int
        Rows of the source.
    settings : dict
        What `write` needs to write in the same manner: JSON values, no value of the data.
    notes : tuple of str
        What was found and should be said.
    table : str or None
        The name of the table, where the source names it.
    writes : str or None
        The format for writing, where it is not the one that was read (a query writes ``parquet``).
    """

    frame: pl.DataFrame
    rows_total: int
    settings: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    table: str | None = None
    writes: str | None = None


@dataclass(frozen=True)
class Contents:
    """What a source of several tables held.

    Parameters
    ----------
    tables : dict of str to Content
        Those that have rows.
    keys : dict
        The columns of the primary keys, by table.
    links : tuple of Link
        The foreign keys.
    notes : tuple of str
        What was left out, and should be said.
    """

    tables: dict[str, Content]
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    notes: tuple[str, ...] = ()


class NoRows(UserError):
    """A table has no rows, so that nothing can be learnt from it."""


def of_path(path: Path) -> tuple[str, str]:
    """Return the name of the format of a file, and its compression (``""``, ``".gz"`` or ``".zst"``), by its ending.

    Raises
    ------
    UserError
        If no format has that ending.

    Examples
    --------
    >>> of_path(Path("patients.csv.gz"))
    ('csv', '.gz')
    """
    name = path.name.lower()
    compression = next((c for c in COMPRESSIONS if name.endswith(c)), "")
    suffix = Path(name.removesuffix(compression)).suffix
    known: dict[str, str] = {}
    for format_ in shelves.formats.names():
        module = shelves.formats.take(format_)
        if module.compressible or not compression:
            known.update(dict.fromkeys(module.suffixes, format_))
    if suffix not in known:
        seen = f"the ending {suffix + compression!r}" if suffix else "no ending that says what it is"
        raise UserError(f"{path.name!r} has {seen}. {did_you_mean(suffix, known)} Rename the file accordingly.")
    return known[suffix], compression


def check_content(path: Path, format_: str, compression: str) -> None:
    """Raise a UserError if the first bytes of a file belong to another format, or compression, than its name says."""
    with path.open("rb") as file:
        head = file.read(64)
    for suffix, magic in COMPRESSIONS.items():
        if head.startswith(magic) != (suffix == compression):
            really, says = ("is", "does not say so") if head.startswith(magic) else ("is not", "says it is")
            raise UserError(f"{str(path)!r} {really} {suffix[1:]}-compressed, but its name {says}. Rename the file.")
    for other in shelves.formats.names():
        module = shelves.formats.take(other)
        if module.magic and other != format_:
            at, magic = module.magic
            if head[at:at + len(magic)] == magic:
                raise UserError(f"{str(path)!r} is named as {format_} but holds {other}, as its first bytes show. "
                                f"Rename it to end in {module.suffixes[0]!r}.")


def needs(package: str, extra: str, what: str) -> ModuleType:
    """Import an optional package, or say how to install it.

    Raises
    ------
    UserError
        If the package is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError:
        raise UserError(f"{what} needs the package {package!r}, which is not installed. Install it with: "
                        f"pip install 'verisyn[{extra}]'") from None


def sampled(content_rows: int, kept: int) -> tuple[str, ...]:
    """Return the note that says a sample was taken, if one was."""
    if kept >= content_rows:
        return ()
    return (f"The source has {content_rows:,} rows; a uniform random sample of {kept:,} of them is used.",)
