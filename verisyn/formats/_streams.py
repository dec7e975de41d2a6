"""Opening files, compressed or not, as streams of bytes or text."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

from verisyn.errors import UserError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_DAMAGE = (gzip.BadGzipFile, EOFError, zlib.error, zstd.ZstdError)


def open_bytes(path: Path, mode: str = "rb") -> BinaryIO:
    """Open a file for reading (``"rb"``) or writing (``"wb"``), through its compression.

    The gzip header carries no name and no time, so that the same rows give the same bytes.
    """
    name = path.name.lower()
    if name.endswith(".gz"):
        raw = path.open(mode)
        packed = gzip.GzipFile(filename="", mode=mode, fileobj=raw, mtime=0, compresslevel=6)
        packed.myfileobj = raw  # type: ignore[assignment]  # closes the file together with the stream
        return cast(BinaryIO, packed)
    if name.endswith(".zst"):
        return cast(BinaryIO, zstd.ZstdFile(path, "wb" if mode == "wb" else "rb"))
    return cast(BinaryIO, path.open(mode))


@contextmanager
def reading_text(path: Path, encoding: str, newline: str | None = "") -> Iterator[IO[str]]:
    """Open a text file for reading; a broken compressed file is told of in a sentence.

    Raises
    ------
    UserError
        If the compressed stream is damaged or cut off.
    """
    try:
        with io.TextIOWrapper(open_bytes(path), encoding=encoding, newline=newline) as text:
            yield text
    except _DAMAGE as e:
        raise _damaged(path, e) from None


@contextmanager
def writing_text(path: Path, encoding: str) -> Iterator[IO[str]]:
    """Open a text file for writing, through its compression, without translating line ends."""
    with io.TextIOWrapper(open_bytes(path, "wb"), encoding=encoding, newline="") as text:
        yield text


def head_bytes(path: Path, size: int) -> bytes:
    """Return the first `size` decompressed bytes of a file."""
    try:
        with open_bytes(path) as file:
            return file.read(size)
    except _DAMAGE as e:
        raise _damaged(path, e) from None


def _damaged(path: Path, error: BaseException) -> UserError:
    return UserError(f"{str(path)!r} is damaged or cut off: it could not be decompressed ({error}). Fetch it again.")
