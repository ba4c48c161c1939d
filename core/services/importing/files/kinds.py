"""Detect the kind of a file from its first bytes; its name is only a hint."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from core.domain.errors import BadInput
from core.services.importing.files import encodings
from core.services.importing.files.comments import CommentStripper, has_comments
from core.services.importing.files.csv_layout import CsvLayout, csv_layout
from core.services.importing.files.foreign import refuse_binary, refuse_error_message, refuse_foreign
from core.services.importing.files.json_layout import JsonLayout, json_layout, lines_behind
from core.services.importing.files.streams import GuardedStream, open_stream
from core.services.importing.files.unpack import StreamDamaged, packing_of
from core.services.importing.limits import Limits

Kind = Literal["jsonl", "json", "csv", "parquet"]
HEAD_BYTES = 1 << 16
_SUFFIXES = {".gz", ".bz2", ".xz", ".zst", ".jsonl", ".json", ".csv", ".tsv", ".parquet", ".ndjson", ".txt"}
_COMMENT_LINES = re.compile(rb"(?:#[^\n]*\n\s*)+(?=\{[^\n]*\}\s*(?:\n|$))")
_TITLES = {"jsonl": "JSON Lines", "json": "JSON", "csv": "CSV", "parquet": "Parquet"}


@dataclass(frozen=True, slots=True)
class FileKind:
    """How a file's records are laid out.

    Attributes:
        packing: gzip, bzip2, xz, zstandard, or empty.
        encoding: of the text.
        comments: the JSON holds comments, which are left out.
        json: where the records of a JSON file stand. csv: how the lines of a CSV file are cut.
        notes: what about this file was not as usual, one sentence each.
    """

    kind: Kind
    packing: str = ""
    encoding: str = encodings.UTF8
    comments: bool = False
    json: JsonLayout = field(default_factory=JsonLayout)
    csv: CsvLayout = field(default_factory=CsvLayout)
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Return the name shown to people."""
        return ", ".join(filter(None, (_TITLES[self.kind], self.packing, encodings.title_of(self.encoding))))


def plain_name(path: Path) -> str:
    """Return a file's name without its format endings: ``pairs.jsonl.gz`` is ``pairs``."""
    name = path
    while name.suffix.lower() in _SUFFIXES:
        name = name.with_suffix("")
    return name.name or path.name


def sniff(path: Path, limits: Limits, encoding: str | None = None, part: str | None = None) -> FileKind:
    """Return the kind of a file.

    Args:
        path: the file.
        limits: what it may hold.
        encoding: of its text, chosen by the user; found out when None.
        part: name of the list to read of a JSON file that holds several, or ``all``.

    Raises:
        BadInput: when it is missing, damaged from the start, of another kind, or saved in another encoding than UTF-8
            that cannot be told.
    """
    packing, head = _raw_head(path, limits)
    if head.startswith(b"PAR1"):
        if packing:
            raise BadInput(f"{path.name} is a Parquet file inside {packing}.", "Unpack it; Parquet is packed itself.")
        return FileKind("parquet")
    refuse_foreign(path.name, head)
    if packing and (inner := packing_of(head)):
        raise BadInput(f"{path.name} is packed twice: {inner} inside {packing}.", "Unpack it once.")
    found = FileKind("jsonl", packing, encodings.checked(encoding) if encoding else encodings.of_head(head))
    if found.encoding == encodings.UTF8:
        refuse_binary(path.name, head)
        if encoding is None:
            _check_utf8(path, limits)
    with open_text(path, found, limits) as (_, stream):
        head, _ = _first_bytes(stream)
        first_line = _first_line(head, stream, limits)
    text = head.replace(encodings.codecs.BOM_UTF8, b"").lstrip()
    if not text:
        raise BadInput(f"{path.name} holds nothing but blanks.")
    return _laid_out(path, found, head, first_line, limits, part)


@contextmanager
def open_text(path: Path, kind: FileKind, limits: Limits) -> Iterator[tuple[GuardedStream, io.BufferedReader]]:
    """Give the guard of a file and its content as UTF-8, unpacked and without comments."""
    guard, stream = open_stream(path, limits)
    with guard:
        if kind.encoding != encodings.UTF8:
            stream = _buffered(encodings.Transcoder(stream, kind.encoding))
        if kind.comments:
            stream = _buffered(CommentStripper(stream))
        yield guard, stream


def _buffered(raw: io.RawIOBase) -> io.BufferedReader:
    return io.BufferedReader(raw, HEAD_BYTES)


def _raw_head(path: Path, limits: Limits) -> tuple[str, bytes]:
    """Return how a file is packed and its first unpacked bytes."""
    guard, stream = open_stream(path, limits)
    with guard:
        head, damage = _first_bytes(stream)
        if damage and not head:
            raise BadInput(f"{path.name} cannot be unpacked: {damage}.", "Download the file again.")
        return guard.packing, head


def _first_bytes(stream: io.BufferedReader) -> tuple[bytes, str]:
    """Return the first bytes that can be read, and why there are not more where packed content is damaged."""
    pieces, size = [], 0
    try:
        while size < HEAD_BYTES and (piece := stream.read1(HEAD_BYTES - size)):
            pieces.append(piece)
            size += len(piece)
    except StreamDamaged as error:
        return b"".join(pieces), str(error)
    return b"".join(pieces), ""


def _first_line(head: bytes, stream: io.BufferedReader, limits: Limits) -> bytes:
    """Return the first line: it may be longer than the head."""
    if b"\n" in head or len(head) < HEAD_BYTES:
        return head.split(b"\n", 1)[0]
    try:
        return (head + stream.readline(limits.line_bytes)).split(b"\n", 1)[0]
    except StreamDamaged:
        return head


def _check_utf8(path: Path, limits: Limits) -> None:
    """Refuse a text that as a whole is no UTF-8; a few damaged lines in one that is cost their rows."""
    scan = encodings.Utf8Scan()
    guard, stream = open_stream(path, limits)
    with guard:
        scan.run(stream)
    if scan.is_other_encoding:
        raise scan.refusal(path.name)


def _laid_out(
    path: Path, found: FileKind, head: bytes, first_line: bytes, limits: Limits, part: str | None
) -> FileKind:
    """Return the kind with the layout of its records."""
    start = head.replace(encodings.codecs.BOM_UTF8, b"").lstrip()
    if start[:1] in b"[{/" and has_comments(head):
        found = replace(found, comments=True, notes=("Comments in the file are left out.",))
        with open_text(path, found, limits) as (_, stream):
            head, _ = _first_bytes(stream)
        start = head.replace(encodings.codecs.BOM_UTF8, b"").lstrip()
        first_line = head.lstrip().split(b"\n", 1)[0]
    if _COMMENT_LINES.match(start):  # they become rejected rows, the lines behind them are read
        start = _COMMENT_LINES.sub(b"", start, count=1)
        head, first_line = start, start.split(b"\n", 1)[0]
    elif start[:1] not in b"[{" and (lines := lines_behind(start, limits)):
        head, start, first_line = lines, lines, lines.split(b"\n", 1)[0]
    quoted_rows = start[:1] == b'"' and re.match(rb'"\s*\{\s*\\"', start) is not None
    if len(head) < HEAD_BYTES:
        refuse_error_message(path.name, start)
    if start.strip() in (b"null", b"true", b"false"):
        raise BadInput(
            f"{path.name} holds {start.strip().decode()} and no records.", "Check that it is the right file."
        )
    if start[:1] not in (b"[", b"{") and not quoted_rows:
        return replace(found, kind="csv", csv=csv_layout(path.name, head))

    def whole_stream() -> Iterator[io.BufferedReader]:
        with open_text(path, found, limits) as (_, stream):
            yield stream

    layout = json_layout(path.name, head, first_line, whole_stream, limits, part)
    return replace(found, kind=layout.kind, json=layout, notes=(*found.notes, *layout.notes))
