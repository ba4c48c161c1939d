"""The records of a small file, kept from the look at all of it, so that they are not parsed a second time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Protocol

from core.services.importing.rows import RawRow

MEMORY = 64 << 20
"""Bytes that the kept records may take, as :func:`_size` estimates them."""
_PLAIN = frozenset((str, int, float, bool, type(None)))
_ROW, _CELL = 400, 80  # bytes of an empty record, and of a cell without its text


class Rows(Protocol):
    """The records of a file in order, once."""

    @property
    def position(self) -> int:
        """Bytes of the file read so far."""
        ...

    def __iter__(self) -> Iterator[RawRow]: ...


class KeptRows:
    """Keeps what passes through it, as long as the records are plain cells and few enough."""

    def __init__(self, most: int = MEMORY) -> None:
        self._rows: deque[tuple[RawRow, int]] | None = deque()
        self._left = most
        self._whole = False
        self._end = self.position = 0

    @property
    def complete(self) -> bool:
        """Whether every record of the file is here."""
        return self._whole and self._rows is not None

    def through(self, rows: Rows) -> Iterator[RawRow]:
        """Yield the records and keep them; none is kept once one does not fit."""
        for row in rows:
            if self._rows is not None:
                self._left -= _size(row.values)
                self._rows.append((row, rows.position))
                if self._left < 0:
                    self._rows = None
            yield row
        self._whole, self._end = True, rows.position

    def __iter__(self) -> Iterator[RawRow]:
        """Yield the records kept; each is given up as it goes."""
        while self._rows:
            row, self.position = self._rows.popleft()
            yield row
        self.position = self._end


def _size(values: Mapping[str, object] | None) -> int:
    """Return about how many bytes a record takes; more than any limit where a conversion could change its cells."""
    size = _ROW
    for cell in values.values() if values is not None else ():
        if type(cell) is str:
            size += _CELL + (len(cell) if cell.isascii() else 4 * len(cell))
        elif type(cell) in _PLAIN:
            size += _CELL
        else:
            return MEMORY + 1
    return size
