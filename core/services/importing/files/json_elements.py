"""Cutting a long JSON list into its elements without holding the list.

The scanner only follows strings and brackets. Each element is parsed on its own afterwards, so one damaged element is
one rejected row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_IN_STRING = re.compile(rb'["\\]')
_OUTSIDE = re.compile(rb'["\[\]{},]')


@dataclass(slots=True)
class ElementScanner:
    """Finds where the elements of a list, or objects written one after the other, begin and end.

    Attributes:
        in_list: the input stands behind the ``[`` of a list; else it is a row of objects.
        max_bytes: of elements above it only the size comes out.
        done: the list was closed.
        behind: what of the last chunk follows the closed list.
    """

    in_list: bool
    max_bytes: int
    done: bool = False
    behind: bytes = b""
    _depth: int = 0
    _in_string: bool = False
    _escaped: bool = False
    _size: int = 0
    _pieces: list[bytes] = field(default_factory=list)

    def feed(self, chunk: bytes) -> Iterator[bytes | int]:
        """Take the next bytes and yield every element they complete; for one that is too long its size in bytes."""
        start = at = 0
        while not self.done and at < len(chunk):
            if self._escaped:
                self._escaped = False
                at += 1
                continue
            found = (_IN_STRING if self._in_string else _OUTSIDE).search(chunk, at)
            if found is None:
                break
            at = found.end()
            if not self._take(found.group()):
                continue
            keep_mark = not self.in_list
            self._add(chunk[start : at if keep_mark else at - 1])
            start = at
            yield from self._flush()
        if self.done:
            self.behind = chunk[at:]
        else:
            self._add(chunk[start:])

    def rest(self) -> bytes | int:
        """Return what was left when the input ended; empty when nothing was."""
        if self.done:
            return b""
        return next(self._flush(), b"")

    def _take(self, mark: bytes) -> bool:
        """Process one quote, bracket or comma and say whether an element ends here."""
        if mark == b'"':
            self._in_string = not self._in_string
        elif mark == b"\\":
            self._escaped = True
        elif mark in b"[{":
            self._depth += 1
        elif mark == b",":
            return self.in_list and self._depth == 0
        elif self._depth > 0:
            self._depth -= 1
            return not self.in_list and self._depth == 0
        elif mark in b"]}" and self.in_list:
            self.done = True
            return True
        return False

    def _add(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size <= self.max_bytes:
            self._pieces.append(piece)
        else:
            self._pieces.clear()

    def _flush(self) -> Iterator[bytes | int]:
        element = b"".join(self._pieces).strip() if self._size <= self.max_bytes else self._size
        self._pieces.clear()
        self._size = 0
        if element:
            yield element
