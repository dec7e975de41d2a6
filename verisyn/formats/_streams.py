"""Opening files, compressed or not, as streams of bytes or text."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import zstandard

from verisyn.errors import UserError

_DAMAGE = (gzip.BadGzipFile, EOFError, zlib.error, zstandard.ZstdError)


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
        if mode == "rb":
            return cast(BinaryIO, io.BufferedReader(_ZstdReader(path)))
        return cast(BinaryIO, zstandard.open(path, mode))
    return cast(BinaryIO, path.open(mode))


class _ZstdReader(io.RawIOBase):
    """Reads zstd data of one frame or several, and raises EOFError where the last one is cut off."""

    def __init__(self, path: Path):
        self._file = path.open("rb")
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._ready = b""

    def readable(self) -> bool:
        """Whether it can be read: yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as the next block of the file allows; return the number of bytes, 0 at the end."""
        while not self._ready:
            block = self._file.read(1 << 17)
            if not block and not self._frame.eof:
                raise EOFError("the file ended before its end mark")
            if not block:
                return 0
            self._ready = self._unpack(block)
        size = min(len(buffer), len(self._ready))
        buffer[:size], self._ready = self._ready[:size], self._ready[size:]
        return size

    def close(self) -> None:
        """Close the file beneath, too."""
        self._file.close()
        super().close()

    def _unpack(self, block: bytes) -> bytes:
        out = []
        while block:
            if self._frame.eof:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            out.append(self._frame.decompress(block))
            block = self._frame.unused_data if self._frame.eof else b""
        return b"".join(out)


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
