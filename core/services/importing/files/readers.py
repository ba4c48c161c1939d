"""Records of a file, one at a time: JSON Lines, JSON, CSV, plain or gzip, and Parquet.

A record that cannot be read becomes a :class:`RawRow` with a problem, and reading continues. Only blank lines are
skipped.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Self

from core.domain.errors import BadInput
from core.services.importing.files.escaping import ESCAPING, unguard
from core.services.importing.files.json_elements import ElementScanner
from core.services.importing.files.kinds import FileKind
from core.services.importing.files.streams import GuardedStream, StreamDamaged, open_stream
from core.services.importing.limits import Limits, RowRejected, allow_csv_fields, parse_json
from core.services.importing.rows import RawRow

if TYPE_CHECKING:
    from core.services.importing.files.parquet import ParquetRows

SIDE_CAR = ".manifest.json"
_CHUNK = 1 << 18


class RowReader:
    """All records of one file in order; use it as a context manager and iterate once.

    Attributes:
        size: bytes of the file, the total for progress.
    """

    def __init__(self, path: Path, kind: FileKind, limits: Limits) -> None:
        self.path = path
        self.kind = kind
        self.limits = limits
        self.size = path.stat().st_size
        self._guard: GuardedStream | None = None
        self._stream: io.BufferedReader | None = None  # kept: closing it would close the guard
        self._parquet: ParquetRows | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; safe to call twice."""
        if self._guard is not None:
            self._guard.close()
        if self._parquet is not None:
            self._parquet.close()

    @property
    def position(self) -> int:
        """Bytes of the file read so far (an estimate for Parquet)."""
        if self._parquet is not None:
            return int(self.size * self._parquet.share)
        return 0 if self._guard is None or self._guard.closed else self._guard.position

    def __iter__(self) -> Iterator[RawRow]:
        if self.kind.kind == "parquet":
            from core.services.importing.files.parquet import ParquetRows  # loads pyarrow, which no other file needs

            self._parquet = rows = ParquetRows(self.path, self.limits)
            yield from rows
            return
        self._guard, self._stream = open_stream(self.path, self.limits)
        line = 0
        try:
            for row in self._text_rows(self._stream):
                line = row.line
                yield row
        except StreamDamaged as error:
            yield RawRow(line + 1, None, f"the rest of the file is lost: {error}")

    def _text_rows(self, stream: io.BufferedReader) -> Iterator[RawRow]:
        if self.kind.kind == "jsonl":
            return _json_lines(stream, self.limits)
        if self.kind.kind == "json":
            return _json_list(stream, self.kind.array_at, self.limits)
        rows = _csv_rows(stream, self.kind.delimiter, self.limits)
        return _unescaped(rows) if _was_escaped(self.path) else rows


def _bounded_line(stream: io.BufferedReader, limits: Limits) -> bytes | None:
    """Return the next line with its end, b"" at the end of the file, None for a line above the limit."""
    line = stream.readline(limits.line_bytes + 1)
    if len(line) <= limits.line_bytes:
        return line
    while line and not line.endswith(b"\n"):
        line = stream.readline(_CHUNK)
    return None


def _json_lines(stream: io.BufferedReader, limits: Limits) -> Iterator[RawRow]:
    number = 0
    while (line := _bounded_line(stream, limits)) != b"":
        number += 1
        if number == 1 and line is not None:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line is None:
            yield _too_long(number, limits)
        elif line := line.strip():
            yield _json_row(number, line, limits)


def _json_list(stream: io.BufferedReader, array_at: int, limits: Limits) -> Iterator[RawRow]:
    """Yield the elements of a list, or objects that stand one after the other when ``array_at`` is -1."""
    if array_at > 0:
        stream.read(array_at)
    scanner = ElementScanner(array_at >= 0, limits.line_bytes)
    number = 0
    while not scanner.done and (chunk := stream.read1(_CHUNK)):
        if number == 0:
            chunk = chunk.removeprefix(b"\xef\xbb\xbf")
        for element in scanner.feed(chunk):
            number += 1
            yield _too_long(number, limits) if element is None else _json_row(number, element, limits)
    if scanner.rest() != b"":
        yield RawRow(number + 1, None, "the file ends in the middle of this record")


def _json_row(number: int, data: bytes, limits: Limits) -> RawRow:
    try:
        values = parse_json(data, limits)
    except RowRejected as error:
        return RawRow(number, None, error.reason)
    if not isinstance(values, dict):
        return RawRow(number, None, "it is not an object with named fields")
    return RawRow(number, values)


def _too_long(number: int, limits: Limits) -> RawRow:
    return RawRow(number, None, f"the row has more than the {limits.line_bytes:,} bytes allowed")


class _CsvLines:
    """Decoded lines for the csv module; the iterator continues after a line that it refused."""

    def __init__(self, stream: io.BufferedReader, limits: Limits) -> None:
        self._stream = stream
        self._limits = limits
        self.count = 0

    def __iter__(self) -> _CsvLines:
        return self

    def __next__(self) -> str:
        line = _bounded_line(self._stream, self._limits)
        if line == b"":
            raise StopIteration
        self.count += 1
        if line is None:
            raise RowRejected(f"the line has more than the {self._limits.line_bytes:,} bytes allowed")
        try:
            return line.decode("utf-8-sig" if self.count == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise RowRejected(f"it is not UTF-8 text (byte {error.start + 1})") from None


def _csv_rows(stream: io.BufferedReader, delimiter: str, limits: Limits) -> Iterator[RawRow]:
    allow_csv_fields(limits.line_bytes)
    lines = _CsvLines(stream, limits)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        number = lines.count + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, RowRejected) as error:
            if header is None:
                raise BadInput(f"The first line of the file is no header: {error}.") from error
            yield RawRow(number, None, _csv_reason(error))
            continue
        if header is None:
            header = _checked_header(cells)
        elif cells:
            yield _csv_row(number, header, cells)


def _csv_row(number: int, header: list[str], cells: list[str]) -> RawRow:
    if len(cells) != len(header):
        return RawRow(number, None, f"it has {len(cells)} cells, the header has {len(header)}")
    return RawRow(number, dict(zip(header, cells, strict=True)))


def _csv_reason(error: Exception) -> str:
    return error.reason if isinstance(error, RowRejected) else f"it is not CSV: {error}"


def _checked_header(cells: list[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise BadInput(f"Two columns are called {twice[0]!r}.", "Rename one of them and import again.")
    return header


def _was_escaped(path: Path) -> bool:
    """Say whether this CSV was written by the table export, which guards cells that look like formulas."""
    side_car = path.with_name(path.name + SIDE_CAR)
    try:
        manifest: object = json.loads(side_car.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and manifest.get("escaping") == ESCAPING


def _unescaped(rows: Iterator[RawRow]) -> Iterator[RawRow]:
    """Remove the apostrophe that the export put before cells that a spreadsheet would run."""
    for row in rows:
        if row.values is None:
            yield row
        else:
            yield RawRow(row.line, {name: unguard(str(text)) for name, text in row.values.items()})
