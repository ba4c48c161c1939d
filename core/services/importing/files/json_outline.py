"""The outline of a JSON file that is one object: where its lists stand, how many elements they have, what its keys are.

The file is read once, piece by piece; only names and counts are kept, so that a wrapper of any size can be told from a
record and every list in it can be named.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from dataclasses import dataclass, field

from core.services.importing.files.unpack import StreamDamaged

_IN_STRING = re.compile(rb'["\\]')
_OUTSIDE = re.compile(rb'["\[\]{},:]')
_CHUNK = 1 << 18
_LEVELS = 3
_KEY_BYTES = 200
_MEMBERS = 2000


@dataclass(slots=True)
class Node:
    """A list or object of the file.

    Attributes:
        path: its keys from the top, joined by dots.
        mark: ``[`` or ``{``.
        at: offset of the byte behind the opening bracket.
        count: elements, or keys of an object.
        first: opening mark of the first element of a list, or "" for a number or nothing.
        keys: the first keys of an object. kinds: of its values, in the same order: ``[``, ``{``, ``"`` or "".
        closed: its end was found.
        children: the lists and objects in it, the first few thousand of an object.
    """

    path: str
    mark: str
    at: int
    count: int = 0
    first: str = ""
    keys: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    closed: bool = False
    children: list[Node] = field(default_factory=list)

    def lists(self) -> list[Node]:
        """Return the lists of objects, texts or lists in this node and below, in the order of the file."""
        found = [child for child in self.children if child.mark == "[" and child.first]
        for child in self.children:
            found += child.lists() if child.mark == "{" else []
        return sorted(found, key=lambda node: node.at)


@dataclass(slots=True)
class Outline:
    """What :func:`outline` found. ``more`` says that something follows behind the first object."""

    top: Node
    more: bool


def outline(stream: io.BufferedReader, skip: int) -> Outline:
    """Read the first value of a stream, an object, and return its outline.

    Args:
        stream: the bytes of the file.
        skip: bytes before the object's opening bracket.
    """
    scanner = _Scanner(skip)
    more = b""
    with contextlib.suppress(StreamDamaged):  # the reading of the rows tells it
        while not scanner.done and (chunk := stream.read1(_CHUNK)):
            scanner.feed(chunk)
        more = scanner.rest.strip(b" \t\r\n,\xef\xbb\xbf")
        while not more and (chunk := stream.read1(_CHUNK)):
            more = chunk.strip(b" \t\r\n")
    return Outline(scanner.top, bool(more))


class _Scanner:
    """Follows strings and brackets through the chunks of a file."""

    def __init__(self, skip: int) -> None:
        self.top = Node("", "{", skip + 1)
        self.done = False
        self.rest = b""
        self._skip = skip + 1
        self._open: list[Node | None] = [self.top]  # None below the levels that are kept
        self._at = 0
        self._in_string = self._escaped = self._wants_key = False
        self._wants_key = True
        self._wants_value = False
        self._key: bytearray | None = None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        at = max(0, self._skip - self._at)
        while not self.done and at < len(chunk):
            if self._escaped:
                self._escaped = False
                self._keep(chunk[at : at + 1])
                at += 1
                continue
            found = (_IN_STRING if self._in_string else _OUTSIDE).search(chunk, at)
            end = len(chunk) if found is None else found.end()
            if self._in_string:
                self._keep(chunk[at:end])
            at = end
            if found is not None:
                self._take(found.group(), self._at + at)
        if self.done:
            self.rest = chunk[at:]
        self._at += len(chunk)

    def _keep(self, piece: bytes) -> None:
        if self._key is not None and len(self._key) < _KEY_BYTES:
            self._key += piece

    def _take(self, mark: bytes, at: int) -> None:
        node = self._open[-1]
        if self._in_string:
            if mark == b"\\":
                self._escaped = True
            else:
                self._in_string = False
        elif mark == b'"':
            self._in_string = True
            if node is not None and node.mark == "{" and self._wants_key:
                self._key = bytearray(b'"')
            else:
                self._note_value(node, '"')
        elif mark == b":":
            self._close_key(node)
        elif mark in b"[{":
            self._descend(node, mark.decode(), at)
        elif mark == b",":
            self._next_element(node)
        else:
            self._ascend()

    def _close_key(self, node: Node | None) -> None:
        if self._key is None or node is None:
            return
        key, self._key, self._wants_key = bytes(self._key), None, False
        node.count += 1
        self._wants_value = len(node.keys) < _MEMBERS
        if self._wants_value:
            node.keys.append(_text(key))
            node.kinds.append("")

    def _note_value(self, node: Node | None, mark: str) -> None:
        if node is None:
            return
        if node.mark == "[":
            if not node.count:
                node.count, node.first = 1, mark
        elif self._wants_value:
            node.kinds[-1] = mark
            self._wants_value = False

    def _next_element(self, node: Node | None) -> None:
        if node is None:
            return
        if node.mark == "[":
            node.count = max(node.count, 1) + 1
        self._wants_key = node.mark == "{"

    def _descend(self, node: Node | None, mark: str, at: int) -> None:
        kept = node is not None and node.mark == "{" and self._wants_value and len(self._open) <= _LEVELS
        child = None
        if kept and node is not None:
            path = f"{node.path}.{node.keys[-1]}" if node.path else node.keys[-1]
            child = Node(path, mark, at)
            node.children.append(child)
        elif node is not None and node.mark == "[" and not node.children and len(self._open) <= _LEVELS + 1:
            child = Node("", mark, at)  # the first element alone, for its keys
            node.children.append(child)
        self._note_value(node, mark)
        self._open.append(child)
        self._wants_key = mark == "{"

    def _ascend(self) -> None:
        node = self._open.pop()
        if node is not None:
            node.closed = True
        self.done = not self._open
        self._wants_key = self._wants_value = False
        self._key = None


def _text(key: bytes) -> str:
    try:
        return str(json.loads(key if key.endswith(b'"') else key + b'"'))
    except ValueError:
        return key.decode("utf-8", errors="replace").strip('"')
