"""JSON with comments, as configuration files have them: the comments are taken out while the file is read."""

from __future__ import annotations

import io
import re

_STRING_OR_COMMENT = re.compile(rb'"(?:[^"\\]|\\.)*"|(//|/\*)', re.DOTALL)
_CODE = re.compile(rb'"|//|/\*')
_STRING = re.compile(rb'["\\]')
_CHUNK = 1 << 18


def has_comments(head: bytes) -> bool:
    """Say whether a comment stands outside the strings of a JSON text.

    >>> has_comments(b'{"url": "http://x"} // a note')
    True
    """
    return any(match.group(1) for match in _STRING_OR_COMMENT.finditer(head))


class CommentStripper(io.RawIOBase):
    """A stream of JSON without its comments. Line ends stay."""

    def __init__(self, stream: io.BufferedReader) -> None:
        super().__init__()
        self._stream = stream
        self._state = "code"
        self._left = b""
        self._ready = b""
        self._ended = False

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]
        """Fill ``buffer``; see :class:`io.RawIOBase`."""
        while not self._ready and not self._ended:
            chunk = self._stream.read1(_CHUNK)
            self._ended = not chunk
            self._ready = self._strip(self._left + chunk)
        piece, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)

    def _strip(self, data: bytes) -> bytes:
        """Return the code of ``data``; the last byte waits for the next chunk, as a mark may have two bytes."""
        end = len(data) if self._ended else len(data) - 1
        at, kept = 0, []
        while at < end:
            take = {"code": self._code, "string": self._string, "line": self._line, "block": self._block}[self._state]
            stop, piece = take(data, at, end)
            kept.append(piece)
            at = stop
        self._left = data[at:]
        return b"".join(kept)

    def _code(self, data: bytes, at: int, end: int) -> tuple[int, bytes]:
        found = _CODE.search(data, at)
        if found is None or found.start() >= end:
            return end, data[at:end]
        if found.group() == b'"':
            self._state = "string"
            return found.end(), data[at : found.end()]
        self._state = "line" if found.group() == b"//" else "block"
        return found.end(), data[at : found.start()]

    def _string(self, data: bytes, at: int, end: int) -> tuple[int, bytes]:
        found = _STRING.search(data, at)
        if found is None or found.start() >= end:
            return end, data[at:end]
        if found.group() == b"\\":
            return found.end() + 1, data[at : found.end() + 1]
        self._state = "code"
        return found.end(), data[at : found.end()]

    def _line(self, data: bytes, at: int, end: int) -> tuple[int, bytes]:
        found = data.find(b"\n", at, end)
        if found < 0:
            return end, b""
        self._state = "code"
        return found, b""

    def _block(self, data: bytes, at: int, end: int) -> tuple[int, bytes]:
        found = data.find(b"*/", at)
        if found < 0:
            return end, b""
        self._state = "code"
        return found + 2, b" "
