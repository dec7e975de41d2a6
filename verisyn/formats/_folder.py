"""Which files of a folder are tables, and what their names are."""

from __future__ import annotations

from pathlib import Path

from verisyn import shelves
from verisyn.errors import UserError
from verisyn.formats import of_path
from verisyn.provenance import MANIFEST

_PAGES = ("readme", "license", "licence", "changelog", "notes", "metadata", "copying", "notice", "authors")
"""What people put beside data; it may end as a text table does."""
_TEXT = (".txt", ".data")


def data_files(folder: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """Return the data files of a folder by table name, and why each other one is left out."""
    found: dict[str, Path] = {}
    skipped: dict[str, str] = {}
    paths = [p for p in sorted(folder.iterdir()) if not p.name.startswith((".", "_")) and not p.name.endswith(MANIFEST)]
    data = [p for p in paths if p.is_file() and _is_data(p)]
    several = [p for p in data if shelves.formats.take(of_path(p)[0]).has_tables]
    if several and len(data) > 1:
        skipped |= {p.name: "holds tables of its own; read it by itself" for p in several}
        data = [p for p in data if p not in several]
    for path in data:
        name = stem(path)
        if name in found:
            raise UserError(f"{found[name].name!r} and {path.name!r} of {str(folder)!r} would both be the table "
                            f"{name!r}. Take one away, or give it another name.")
        if path.stat().st_size:
            found[name] = path
        else:
            skipped[path.name] = "has no rows"
    for path in paths:
        if path not in data and path.name not in skipped:
            skipped[path.name] = "is a folder" if path.is_dir() else "holds no table"
    if not found:
        raise UserError(f"The folder {str(folder)!r} holds no file with a table. One or more of these endings were "
                        f"expected: {', '.join(sorted(suffixes()))}.")
    return found, skipped


def _is_data(path: Path) -> bool:
    try:
        of_path(path)
    except UserError:
        return False
    plain = path.name.lower().removesuffix(".gz").removesuffix(".zst")
    return not (plain.endswith(_TEXT) and plain.split(".")[0].startswith(_PAGES))


def suffixes() -> set[str]:
    """Return the endings of all formats."""
    return {s for name in shelves.formats.names() for s in shelves.formats.take(name).suffixes}


def stem(path: Path) -> str:
    """The file's name without the endings of format and compression."""
    compression = of_path(path)[1]
    return Path(path.name[: len(path.name) - len(compression)]).stem
