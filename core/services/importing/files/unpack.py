"""Unpacking gzip, bzip2, xz and zstandard content piece by piece.

Everything that can be unpacked is handed out before damage is told, so that the whole rows of a file that was cut short
are kept. Python's own file classes lose up to the size of their buffer there.
"""

from __future__ import annotations

import bz2
import contextlib
import lzma
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    import pyarrow

MAGIC: dict[bytes, str] = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstandard",
}
_CHUNK = 1 << 16
_MAGIC_BYTES = max(map(len, MAGIC))


class StreamDamaged(Exception):
    """The compressed content cannot be read further.

    Attributes:
        at_end: all of it was read, and only a check at its end failed.
    """

    at_end = False


class Unpacker(Protocol):
    """Reads the unpacked content of a file."""

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes, none at the end.

        Raises:
            StreamDamaged: once all that could be unpacked was returned.
        """
        ...


def packing_of(head: bytes) -> str:
    """Return the name of the compression that begins with these bytes, or "".

    >>> packing_of(b"BZh91AY")
    'bzip2'
    """
    return next((name for magic, name in MAGIC.items() if head.startswith(magic)), "")


def unpacker(file: BinaryIO, packing: str) -> Unpacker:
    """Return what unpacks ``file``, which stands at its beginning."""
    return _Zstandard(file) if packing == "zstandard" else _Members(file, packing)


class _Codec(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused(self) -> bytes: ...

    @property
    def hungry(self) -> bool: ...

    def feed(self, data: bytes, size: int) -> bytes: ...


class _Gzip:
    """One member of a gzip file."""

    def __init__(self) -> None:
        self._unpack = zlib.decompressobj(31)
        self._left = b""
        self._damaged: zlib.error | None = None

    @property
    def eof(self) -> bool:
        return self._unpack.eof

    @property
    def unused(self) -> bytes:
        return self._unpack.unused_data

    @property
    def hungry(self) -> bool:
        return not self._left and self._damaged is None

    def feed(self, data: bytes, size: int) -> bytes:
        """Unpack; at damage the bytes before it come out first, and the error at the next call."""
        if self._damaged is not None:
            raise self._damaged
        data = self._left + data
        before = self._unpack.copy()
        try:
            piece = self._unpack.decompress(data, size)
        except zlib.error as error:
            self._damaged = error
            piece = _up_to_damage(before, data)
            if not piece:
                raise
            return piece
        self._left = self._unpack.unconsumed_tail
        return piece


def _up_to_damage(unpack: zlib._Decompress, data: bytes) -> bytes:
    pieces = bytearray()
    with contextlib.suppress(zlib.error):
        for at in range(len(data)):
            pieces += unpack.decompress(data[at : at + 1])
    return bytes(pieces)


class _Buffered:
    """One stream of a bzip2 or xz file."""

    def __init__(self, unpack: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        self._unpack = unpack

    @property
    def eof(self) -> bool:
        return self._unpack.eof

    @property
    def unused(self) -> bytes:
        return self._unpack.unused_data

    @property
    def hungry(self) -> bool:
        return self._unpack.needs_input

    def feed(self, data: bytes, size: int) -> bytes:
        return self._unpack.decompress(data, size)


class _Members:
    """A file of one or more compressed members, one after the other."""

    def __init__(self, file: BinaryIO, packing: str) -> None:
        self._file, self._packing = file, packing
        self._codec: _Codec | None = self._new()
        self._data = b""
        self._ended = False
        self._problem = ""

    def read(self, size: int) -> bytes:
        while not self._problem:
            if self._codec is None and not self._next_member():
                break
            piece = b"" if self._problem else self._step(size)
            if piece:
                return piece
        if self._problem:
            damage = StreamDamaged(self._problem)
            damage.at_end = "checksum" in self._problem
            raise damage
        return b""

    def _step(self, size: int) -> bytes:
        codec = self._codec
        assert codec is not None
        hungry = codec.hungry
        if hungry and not self._data:
            self._data = self._file.read(_CHUNK)
            self._ended = not self._data
        data, self._data = (self._data, b"") if hungry else (b"", self._data)
        try:
            piece = codec.feed(data, size)
        except (zlib.error, OSError, lzma.LZMAError, EOFError, ValueError) as error:
            self._problem = self._damage(error)
            return b""
        if codec.eof:
            self._data, self._codec = codec.unused, None
        elif not piece and hungry and self._ended:
            self._problem = f"the {self._packing} file is cut short"
        return piece

    def _next_member(self) -> bool:
        """Go on with the next member, if another one follows."""
        rest = self._data.lstrip(b"\x00") or self._file.read(_CHUNK).lstrip(b"\x00")
        if not rest:
            return False
        if len(rest) < _MAGIC_BYTES:
            rest += self._file.read(_MAGIC_BYTES - len(rest))
        if packing_of(rest) != self._packing:
            self._problem = f"behind the {self._packing} content stands something else, which is not read"
            return True
        self._data, self._codec = rest, self._new()
        return True

    def _new(self) -> _Codec:
        if self._packing == "gzip":
            return _Gzip()
        return _Buffered(bz2.BZ2Decompressor() if self._packing == "bzip2" else lzma.LZMADecompressor())

    def _damage(self, error: Exception) -> str:
        if "incorrect data check" in str(error) or "incorrect length check" in str(error):
            return f"the checksum of the {self._packing} file is wrong, so a text above may be altered"
        return f"the {self._packing} content is damaged ({error})"


class _Zstandard:
    """A zstandard file, unpacked by Arrow, which hands out nothing of a piece in which it finds damage."""

    def __init__(self, file: BinaryIO) -> None:
        # Arrow takes a tenth of a second to load, and only these files need it.
        import pyarrow

        self._arrow = pyarrow
        self._file = file
        self._stream = self._opened(file)
        self._done = 0
        self._problem: Exception | None = None

    def read(self, size: int) -> bytes:
        if self._problem is None:
            try:
                piece = self._stream.read(min(size, _CHUNK))
            except (OSError, self._arrow.ArrowException) as error:
                self._problem = error
                piece = self._up_to_damage()
            self._done += len(piece)
            if piece or self._problem is None:
                return piece
        raise StreamDamaged(f"the zstandard content is cut short or damaged ({self._problem})")

    def _up_to_damage(self) -> bytes:
        """Read again up to where the damage was found, and on by single bytes."""
        pieces = bytearray()
        with Path(self._file.name).open("rb") as file, contextlib.suppress(OSError, self._arrow.ArrowException):
            stream, left = self._opened(file), self._done
            while left and (piece := stream.read(min(left, _CHUNK))):
                left -= len(piece)
            while piece := stream.read(1):
                pieces += piece
        return bytes(pieces)

    def _opened(self, file: BinaryIO) -> pyarrow.CompressedInputStream:
        return self._arrow.CompressedInputStream(self._arrow.PythonFile(file, mode="r"), "zstd")
