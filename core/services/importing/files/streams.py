"""Bytes of a file from outside, plain or packed, read in bounded pieces and guarded against decompression bombs."""

from __future__ import annotations

import io
import stat
from pathlib import Path
from types import TracebackType

from core.domain.errors import BadInput
from core.services.importing.files.unpack import MAGIC, StreamDamaged, packing_of, unpacker
from core.services.importing.limits import Limits

_BUFFER = 1 << 18


class GuardedStream(io.RawIOBase):
    """A readable stream over a plain or packed file that counts what goes in and what comes out.

    Attributes:
        packing: gzip, bzip2, xz, zstandard, or empty.
        expanded: bytes handed out so far.
    """

    def __init__(self, path: Path, limits: Limits) -> None:
        super().__init__()
        self._limits = limits
        self._name = path.name
        self._file = path.open("rb")
        self.packing = packing_of(self._file.read(max(map(len, MAGIC))))
        self._file.seek(0)
        self._source = unpacker(self._file, self.packing) if self.packing else self._file
        self.expanded = 0
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]
        """Fill ``buffer``; see :class:`io.RawIOBase`.

        Raises:
            StreamDamaged: when the packed content is cut short or altered; says how much was unpacked.
            BadInput: when it expands beyond the limits.
        """
        try:
            piece = self._source.read(len(buffer))
        except StreamDamaged as error:
            damage = StreamDamaged(f"{error}; {self.expanded:,} bytes were unpacked")
            damage.at_end = error.at_end
            raise damage from error
        buffer[: len(piece)] = piece
        self.expanded += len(piece)
        self._position = self._file.tell()
        if self.packing:
            self._check_ratio()
        return len(piece)

    @property
    def position(self) -> int:
        """Bytes of the file on disk that were read so far; for progress."""
        return 0 if self._file.closed else self._position

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self._file.close()
        super().close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_ratio(self) -> None:
        limits = self._limits
        problem = ""
        if self.expanded > limits.expanded_bytes:
            problem = f"more than {limits.expanded_bytes >> 30} GiB"
        elif self.expanded > limits.ratio_floor and self.expanded > limits.ratio * max(self.position, 1):
            problem = f"more than {limits.ratio} times its size"
        if problem:
            raise BadInput(
                f"{self._name} expands to {problem}; reading stopped there.",
                "If you trust the file, unpack it, split it where it is large, and import the unpacked files.",
            )


def open_stream(path: Path, limits: Limits) -> tuple[GuardedStream, io.BufferedReader]:
    """Open a file for bounded reading and return the guard and a buffered reader over it.

    Raises:
        BadInput: when it is missing, no file, empty or too large.
    """
    check_file(path, limits)
    guard = GuardedStream(path, limits)
    return guard, io.BufferedReader(guard, buffer_size=_BUFFER)


def check_file(path: Path, limits: Limits) -> None:
    """Refuse a path that is missing, no regular file, empty or too large.

    Raises:
        BadInput: with the reason.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.", "Check the name and its permissions.") from error
    if not stat.S_ISREG(found.st_mode):
        raise BadInput(f"{path} is not a file.", "Name files, or a folder that holds them.")
    if found.st_size == 0:
        raise BadInput(f"{path.name} is empty; there is nothing to import.", "Check whether it was copied completely.")
    if found.st_size > limits.file_bytes:
        raise BadInput(
            f"{path.name} has {found.st_size / 2**30:.1f} GiB; files above {limits.file_bytes >> 30} GiB are refused.",
            "Split it into smaller files.",
        )
