"""Writing so that nothing is ever left half-written: a file or folder appears under its name only when it is whole."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from verisyn.errors import UserError

_FULL = "The disk is full: {path} could not be written, and nothing was left behind. Free space, or write elsewhere."
_DENIED = "{path} could not be written: permission denied. Write to a folder of your own, or change its permissions."
_SENTENCES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: "{path} grew beyond the largest file that is allowed here, and nothing was left behind. Write fewer "
                 "rows, or write elsewhere.",
    errno.ENOENT: "{path} could not be written: files cannot be made in that folder. Choose another place.",
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EROFS: "{path} could not be written: the file system is read-only. Write elsewhere.",
    errno.ENAMETOOLONG: "{path} could not be written: the name is too long. Give a shorter one.",
    errno.ENOTDIR: "{path} could not be written: part of the path is a file, not a folder. Choose another place.",
}
_WORDS = {  # libraries that wrap the system's error keep only its words
    "no space left on device": _FULL,
    "disk is full": _FULL,
    "file too large": _SENTENCES[errno.EFBIG],
    "permission denied": _DENIED,
    "disk i/o error": "{path} could not be written: the disk reports an error; it may be full. Nothing was left "
                      "behind; write elsewhere.",
}


@contextmanager
def writing_file(path: str | Path, force: bool = False) -> Iterator[Path]:
    """Give a temporary path beside `path` (with the same suffixes); move it there when the block ends without an error.

    Parameters
    ----------
    path : str or Path
        Where the file shall be. Missing parent folders are made.
    force : bool, default False
        Whether a file that is there already may be replaced.

    Raises
    ------
    UserError
        If there is something already, or the disk is full or not writable. The temporary file is removed then, as on
        any exception and on Ctrl-C.

    Examples
    --------
    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp()) / "notes.txt"
    >>> with writing_file(place) as draft:
    ...     _ = draft.write_text("whole")
    >>> place.read_text()
    'whole'
    """
    path = check_file(path, force)
    with _writing(path, os.replace) as draft:
        yield draft


@contextmanager
def writing_folder(path: str | Path, force: bool = False) -> Iterator[Path]:
    """Give an empty temporary folder beside `path`; move it there when the block ends without an error.

    With `force` an existing folder is replaced, but only if it holds nothing that the new one does not hold too, so
    that no other work is ever lost.

    Raises
    ------
    UserError
        As :func:`writing_file`; also if replacing the folder would remove files of another origin.
    """
    path = check_folder(path, force)
    with _writing(path, _replace_folder) as draft:
        draft.mkdir()
        yield draft


def check_file(path: str | Path, force: bool = False) -> Path:
    """Return the path of a file that may be written, before the work of making it begins.

    Raises
    ------
    UserError
        If it is a folder, or exists and may not be replaced.
    """
    path = Path(path)
    if path.is_dir():
        raise UserError(f"{str(path)!r} is a folder; a file was expected. Add a file name.")
    if path.exists() and not force:
        raise UserError(f"{str(path)!r} exists already. Choose another name, or give --force to replace it.")
    return path


def check_folder(path: str | Path, force: bool = False) -> Path:
    """Return the path of a folder that may be written, before the work of filling it begins.

    Raises
    ------
    UserError
        If it is a file, or the folder one is in, or holds something and may not be replaced.
    """
    path = Path(path)
    if path.resolve() in (Path.cwd(), *Path.cwd().parents):
        raise UserError(f"{str(path)!r} is the folder you are in, or one around it, and cannot be replaced. Give the "
                        "name of a new folder.")
    if path.exists() and not path.is_dir():
        raise UserError(f"{str(path)!r} is a file; a folder was expected. Choose another name.")
    if path.exists() and any(path.iterdir()) and not force:
        raise UserError(f"The folder {str(path)!r} exists already. Choose another with --out, or give --force to "
                        "replace it.")
    return path


def sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def explain(error: BaseException, path: str | Path) -> UserError | None:
    """Return the sentence for an error of the file system while writing `path`; None for any other error."""
    sentence = _SENTENCES.get(error.errno or 0) if isinstance(error, OSError) else None
    if sentence is None:
        text = str(error).lower()
        sentence = next((s for words, s in _WORDS.items() if words in text), None)
    return UserError(sentence.format(path=repr(str(path)))) if sentence else None


@contextmanager
def _writing(path: Path, move: Callable[[Path, Path], None]) -> Iterator[Path]:
    draft = path.with_name(f".{secrets.token_hex(4)}.{path.name}")
    made: list[Path] = []
    try:
        made = _make_parents(path)
        yield draft
        move(draft, path)
    except BaseException as error:
        _remove(draft)
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        if isinstance(error, Exception) and not isinstance(error, UserError) and (said := explain(error, path)):
            raise said from error
        raise


def _make_parents(path: Path) -> list[Path]:
    """Make missing parents; return those made, innermost first."""
    missing = [p for p in path.parents if not p.exists()]
    if any(p.is_file() for p in path.parents):
        raise NotADirectoryError(errno.ENOTDIR, "not a folder", str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    return missing


def _replace_folder(draft: Path, path: Path) -> None:
    if not path.exists():
        draft.rename(path)
        return
    strangers = sorted({p.name for p in path.iterdir()} - {p.name for p in draft.iterdir()})
    strangers = [name for name in strangers if not _as_written(path, name)]
    if strangers:
        raise UserError(f"The folder {str(path)!r} holds {strangers[0]!r}, which would be lost if it were replaced. "
                        "Choose another folder, or move that away.")
    old = path.with_name(f".{secrets.token_hex(4)}.{path.name}")
    path.rename(old)
    try:
        draft.rename(path)
    except BaseException:
        old.rename(path)
        raise
    _remove(old)


def _as_written(folder: Path, name: str) -> bool:
    """Whether a file of a folder, or all files of a folder in it, are as its run.json says that they were written."""
    try:
        told = json.loads((folder / "run.json").read_text(encoding="utf-8"))["files"]
        files = [p for p in (folder / name, *(folder / name).rglob("*")) if not p.is_dir()]
        return bool(files) and all(told.get(p.relative_to(folder).as_posix()) == sha256(p) for p in files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()
