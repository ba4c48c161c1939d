"""Bytes of a file from outside, plain or gzip, read in bounded pieces and guarded against decompression bombs."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from types import TracebackType

from core.domain.errors import BadInput
from core.services.importing.limits import Limits

GZIP_MAGIC = b"\x1f\x8b"
_DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error)


class StreamDamaged(Exception):
    """The compressed content cannot be read further; what was read before is valid."""


class GuardedStream(io.RawIOBase):
    """A readable stream over a plain or gzip file that counts what goes in and what comes out.

    Attributes:
        expanded: bytes handed out so far.
    """

    def __init__(self, path: Path, limits: Limits) -> None:
        super().__init__()
        self._limits = limits
        self._file = path.open("rb")
        magic = self._file.read(2)
        self._file.seek(0)
        self.compressed = magic == GZIP_MAGIC
        self._source = gzip.GzipFile(fileobj=self._file) if self.compressed else self._file
        self.expanded = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]
        """Fill ``buffer``; see :class:`io.RawIOBase`.

        Raises:
            StreamDamaged: when the compressed content is cut short or altered.
            BadInput: when it expands beyond the limits.
        """
        try:
            piece = self._source.read(len(buffer))
        except _DAMAGE as error:
            raise StreamDamaged(f"the compressed content is cut short or damaged ({error})") from error
        buffer[: len(piece)] = piece
        self.expanded += len(piece)
        if self.compressed:
            self._check_ratio()
        return len(piece)

    @property
    def position(self) -> int:
        """Bytes of the file on disk that were read so far; for progress."""
        return self._file.tell()

    def close(self) -> None:
        """Close both layers."""
        if not self.closed:
            self._source.close()
            self._file.close()
        super().close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_ratio(self) -> None:
        limits = self._limits
        if self.expanded > limits.expanded_bytes:
            raise BadInput(
                f"The file expands to more than {limits.expanded_bytes >> 30} GiB; reading stopped there.",
                "Split it into smaller files.",
            )
        if self.expanded > limits.ratio_floor and self.expanded > limits.ratio * max(self.position, 1):
            raise BadInput(
                f"The file expands to more than {limits.ratio} times its size; reading stopped there.",
                "If you trust the file, unpack it first and import the unpacked file.",
            )


def open_stream(path: Path, limits: Limits) -> tuple[GuardedStream, io.BufferedReader]:
    """Open a file for bounded reading and return the guard and a buffered reader over it.

    Raises:
        BadInput: when it is missing, no file, empty or too large.
    """
    check_file(path, limits)
    guard = GuardedStream(path, limits)
    return guard, io.BufferedReader(guard, buffer_size=1 << 18)


def check_file(path: Path, limits: Limits) -> None:
    """Refuse a path that is missing, no file, empty or too large.

    Raises:
        BadInput: with the reason.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.", "Check the name and its permissions.") from error
    if not path.is_file():
        raise BadInput(f"{path} is not a file.", "Name one file; a folder is imported file by file.")
    if size == 0:
        raise BadInput(f"{path.name} is empty; there is nothing to import.", "Check whether it was copied completely.")
    if size > limits.file_bytes:
        raise BadInput(
            f"{path.name} has {size / 2**30:.1f} GiB; files above {limits.file_bytes >> 30} GiB are refused.",
            "Split it into smaller files.",
        )
