"""Detect the kind of a file from its first bytes; its name is only a hint."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.domain.errors import BadInput
from core.services.importing.files.streams import StreamDamaged, open_stream
from core.services.importing.limits import Limits, RowRejected, parse_json

Kind = Literal["jsonl", "json", "csv", "parquet"]
_HEAD_BYTES = 1 << 16
_FOREIGN = {
    b"PK\x03\x04": "a zip archive",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"\x28\xb5\x2f\xfd": "a zstandard file",
    b"SQLite format 3": "a SQLite database",
    b"ARROW1": "an Arrow file",
}
_LIST_KEY = re.compile(rb'"(?:data|rows|examples|instances|records|pairs|train|items)"\s*:\s*\[')
_RECORD_KEYS = {"prompt", "question", "instruction", "history", "conversations", "chosen", "response_a", "response1"}
_SUFFIXES = {".gz", ".jsonl", ".json", ".csv", ".tsv", ".parquet", ".ndjson", ".txt"}


@dataclass(frozen=True, slots=True)
class FileKind:
    """How a file's records are laid out.

    Attributes:
        compressed: the content is gzip.
        delimiter: the cell separator of a CSV file, else empty.
        array_at: byte offset just behind the ``[`` that opens the list of a JSON file; -1 for JSON objects
            written one after the other over several lines.
    """

    kind: Kind
    compressed: bool = False
    delimiter: str = ""
    array_at: int = 0

    @property
    def title(self) -> str:
        """Return the name shown to people."""
        names = {"jsonl": "JSON Lines", "json": "JSON", "csv": "CSV", "parquet": "Parquet"}
        return names[self.kind] + (", gzip" if self.compressed else "")


def plain_name(path: Path) -> str:
    """Return a file's name without its format endings: ``pairs.jsonl.gz`` is ``pairs``."""
    name = path
    while name.suffix.lower() in _SUFFIXES:
        name = name.with_suffix("")
    return name.name or path.name


def sniff(path: Path, limits: Limits) -> FileKind:
    """Return the kind of a file.

    Raises:
        BadInput: when it is missing, damaged from the start, or of another kind.
    """
    guard, stream = open_stream(path, limits)
    with guard:
        try:
            head = stream.read(_HEAD_BYTES)
            first_line = head.split(b"\n", 1)[0]
            if b"\n" not in head and len(head) == _HEAD_BYTES:  # one line longer than the head
                first_line = head + stream.readline(limits.line_bytes)
                first_line = first_line.split(b"\n", 1)[0]
        except StreamDamaged as error:
            raise BadInput(f"{path.name} cannot be unpacked: {error}.", "Download the file again.") from error
    if head.startswith(b"PAR1"):
        if guard.compressed:
            raise BadInput(
                f"{path.name} is a Parquet file inside gzip.", "Unpack it first; Parquet is compressed itself."
            )
        return FileKind("parquet")
    _refuse_foreign(path.name, head)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        raise BadInput(f"{path.name} holds nothing but blanks.")
    if text[:1] == b"[":
        return FileKind("json", guard.compressed, array_at=head.index(b"[") + 1)
    if text[:1] == b"{":
        return _json_kind(head, first_line, guard.compressed, limits)
    return FileKind("csv", guard.compressed, delimiter=_delimiter(head))


def _refuse_foreign(name: str, head: bytes) -> None:
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise BadInput(f"{name} is {what}, which is not read here.", "Unpack or convert it to JSON Lines first.")
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise BadInput(f"{name} is saved as UTF-16.", "Save it as UTF-8 and import it again.")
    if b"\x00" in head[:1024]:
        raise BadInput(f"{name} is not a text file.", "Import JSON Lines, JSON, CSV or Parquet.")


def _json_kind(head: bytes, first_line: bytes, compressed: bool, limits: Limits) -> FileKind:
    """Tell apart: one object a line, one list inside an object, and objects that span several lines."""
    try:
        whole = bool(first_line.strip()) and isinstance(_parse(first_line, limits), dict)
    except RowRejected:
        whole = first_line.rstrip().endswith(b"}")  # a damaged first line of a file of lines
    wrapped = _LIST_KEY.search(head)
    one_object = wrapped and not head[len(first_line) :].strip()
    if wrapped and (not whole or one_object) and not _is_record(first_line, limits):
        return FileKind("json", compressed, array_at=wrapped.end())
    return FileKind("jsonl", compressed) if whole else FileKind("json", compressed, array_at=-1)


def _parse(line: bytes, limits: Limits) -> object:
    return parse_json(line.removeprefix(b"\xef\xbb\xbf"), limits)


def _is_record(line: bytes, limits: Limits) -> bool:
    """Say whether a line is a record of its own and not a wrapper round a list of them."""
    try:
        row = _parse(line, limits)
    except RowRejected:
        return False
    return isinstance(row, dict) and not _RECORD_KEYS.isdisjoint(str(key).lower() for key in row)


def _delimiter(head: bytes) -> str:
    """Return the separator that splits the first line into the most cells."""
    line = head.decode("utf-8", errors="replace").removeprefix("\ufeff").lstrip("\r\n").split("\n", 1)[0]
    counts = {mark: len(next(csv.reader([line], delimiter=mark), [])) for mark in (",", "\t", ";", "|")}
    return max(counts, key=lambda mark: counts[mark])
