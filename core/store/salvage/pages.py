"""Reading rows from the pages of a damaged SQLite file, without its trees.

SQLite reaches a row through the pages above it; one damaged page there hides thousands of sound rows. Each leaf page of
a table tells by itself which rows it holds. See https://www.sqlite.org/fileformat2.html, sections 1.6 and 2.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

Value = int | float | str | bytes | None
_LEAF = 0x0D
_SIZES = tuple(1 << n for n in range(9, 17))
_MOST_OVERFLOW = 1 << 18
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


class PageFile:
    """A database file as a row of pages."""

    def __init__(self, path: Path) -> None:
        self._data = path.read_bytes()
        self.size = self._page_size()

    def rows(self) -> Iterator[tuple[int, list[Value]]]:
        """Yield (rowid, values) of each row that a leaf page of a table holds, in the order of the pages."""
        for start in range(0, len(self._data), self.size):
            page = self._data[start : start + self.size]
            header = 100 if start == 0 else 0
            if len(page) < header + 8 or page[header] != _LEAF:
                continue
            count = int.from_bytes(page[header + 3 : header + 5], "big")
            for at in range(header + 8, min(header + 8 + 2 * count, len(page) - 1), 2):
                try:
                    yield self._cell(page, int.from_bytes(page[at : at + 2], "big"))
                except (IndexError, ValueError, UnicodeDecodeError, OverflowError):
                    continue

    def _page_size(self) -> int:
        """Return the size that the header names, or the one at which most pages begin as a leaf does."""
        named = int.from_bytes(self._data[16:18], "big") or 65536
        named = 65536 if named == 1 else named
        if self._data[:16] == b"SQLite format 3\0" and named in _SIZES:
            return named
        return max(_SIZES, key=lambda size: (self._leaves(size) * size, size == 4096))

    def _leaves(self, size: int) -> int:
        return sum(self._data[at : at + 1] == b"\x0d" for at in range(size, len(self._data), size))

    def _cell(self, page: bytes, at: int) -> tuple[int, list[Value]]:
        length, at = _varint(page, at)
        rowid, at = _varint(page, at)
        rowid = rowid - (1 << 64) if rowid >= 1 << 63 else rowid
        if rowid <= 0 or length <= 0 or length > len(self._data):
            raise ValueError("no row")
        return rowid, _record(self._payload(page, at, length))

    def _payload(self, page: bytes, at: int, length: int) -> bytes:
        most = self.size - 35
        if length <= most:
            return _exactly(page[at : at + length], length)
        least = (self.size - 12) * 32 // 255 - 23
        here = least + (length - least) % (self.size - 4)
        here = here if here <= most else least
        parts, left = [page[at : at + here]], length - here
        following = int.from_bytes(page[at + here : at + here + 4], "big")
        for _ in range(_MOST_OVERFLOW):
            if left <= 0:
                break
            start = (following - 1) * self.size
            if following < 1 or start + 4 > len(self._data):
                raise ValueError("an overflow page is missing")
            take = min(left, self.size - 4)
            parts.append(_exactly(self._data[start + 4 : start + 4 + take], take))
            left -= take
            following = int.from_bytes(self._data[start : start + 4], "big")
        return b"".join(parts)


def _record(payload: bytes) -> list[Value]:
    length, at = _varint(payload, 0)
    if not 1 <= length <= len(payload):
        raise ValueError("no record")
    kinds = []
    while at < length:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    values, at = [], length
    for kind in kinds:
        value, at = _value(payload, at, kind)
        values.append(value)
    if at != len(payload):
        raise ValueError("no record")
    return values


def _value(payload: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind == 0:
        return None, at
    if kind in _INTEGERS:
        size = _INTEGERS[kind]
        return int.from_bytes(_exactly(payload[at : at + size], size), "big", signed=True), at + size
    if kind in (8, 9):
        return kind - 8, at
    if kind >= 12:
        size = (kind - 12) // 2
        raw = _exactly(payload[at : at + size], size)
        return (raw.decode("utf-8", "replace") if kind % 2 else raw), at + size
    raise ValueError("no value of a workspace")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for number in range(9):
        byte = data[at + number]
        if number == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + number + 1
    raise ValueError("no number")


def _exactly(part: bytes, size: int) -> bytes:
    if len(part) != size:
        raise ValueError("cut short")
    return part
