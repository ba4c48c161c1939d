"""Records of a CSV file. A quote that is never closed costs its own row: the lines after it are read again."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterator

from core.domain.counting import counted
from core.domain.errors import BadInput
from core.services.importing.files.csv_layout import CsvLayout
from core.services.importing.limits import Limits, RowRejected, allow_csv_fields, too_long
from core.services.importing.rows import RawRow

_BOM = "\ufeff"
_CHUNK = 1 << 18
_WASTE = 8
"""How many times the file so far may be read in vain before its rest is given up."""
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)")
_ESCAPED = re.compile("[\udc80-\udcff]")


def bounded_line(stream: io.BufferedReader, limits: Limits) -> bytes | int:
    """Return the next line with its end, b"" at the end of the file, for a line above the limit its size in bytes."""
    line = stream.readline(limits.line_bytes + 1)
    if len(line) <= limits.line_bytes:
        return line
    size = len(line)
    while line and not line.endswith(b"\n"):
        line = stream.readline(_CHUNK)
        size += len(line)
    return size


def csv_rows(stream: io.BufferedReader, layout: CsvLayout, limits: Limits) -> Iterator[RawRow]:
    """Yield the records below the header.

    Raises:
        BadInput: when the header cannot be used.
    """
    return iter(_CsvReader(stream, layout, limits))


class _Lines:
    """Decoded lines for the csv module, which can be given back.

    Attributes:
        count: lines read so far. used: those of the record that is being read; chars: their length.
        read: characters of the file that were read.
    """

    def __init__(self, stream: io.BufferedReader, layout: CsvLayout, limits: Limits) -> None:
        self._limits = limits
        self._source = _lines_with_returns(stream, limits) if layout.bare_returns else _lines(stream, limits)
        self._back: deque[str] = deque()
        self.count = 0
        self.used: list[str] = []
        self.chars = self.read = 0
        for _ in range(layout.skip):
            next(self, None)

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else self._fresh()
        self.count += 1
        self.used.append(line)
        self.chars += len(line)
        if line.startswith(_TOO_LONG):
            raise RowRejected(too_long(int(line.removeprefix(_TOO_LONG)), self._limits, "line"))
        if self.chars > self._limits.line_bytes and len(self.used) > 1:
            raise RowRejected("")
        return line.lstrip(_BOM) if len(self.used) == 1 else line

    def begin(self) -> int:
        """Begin a record; return the number of its first line."""
        self.used, self.chars = [], 0
        return self.count + 1

    def give_back(self) -> int:
        """Give all lines of the record back but the first; return how many characters are read again."""
        self._back.extendleft(reversed(self.used[1:]))
        self.count -= len(self.used) - 1
        return self.chars

    def _fresh(self) -> str:
        data = next(self._source)
        line = f"{_TOO_LONG}{data}" if isinstance(data, int) else data.decode("utf-8", errors="surrogateescape")
        self.read += len(line)
        return line


_BACKSLASH = "a quote inside a cell stands behind a backslash; CSV writes it twice"
_TOO_LONG = "\x00too long\x00"
"""Stands before the size of a line that is not read."""


def _lines(stream: io.BufferedReader, limits: Limits) -> Iterator[bytes | int]:
    while (line := bounded_line(stream, limits)) != b"":
        yield line


def _lines_with_returns(stream: io.BufferedReader, limits: Limits) -> Iterator[bytes | int]:
    """Yield lines that end with a line feed, a carriage return or both."""
    rest, dropped = b"", 0
    while chunk := stream.read1(_CHUNK):
        rest += chunk
        end = 0
        for match in _LINE.finditer(rest):
            if match.end() == len(rest) and rest.endswith(b"\r"):
                break  # a line feed may follow in the next piece
            yield dropped + len(match.group()) if dropped else match.group()
            dropped, end = 0, match.end()
        rest = rest[end:]
        if len(rest) > limits.line_bytes:
            rest, dropped = b"", dropped + len(rest)
    if rest or dropped:
        yield dropped + len(rest) if dropped else rest


class _CsvReader:
    """Reads records with the csv module and begins again behind a line whose quote swallows others."""

    def __init__(self, stream: io.BufferedReader, layout: CsvLayout, limits: Limits) -> None:
        allow_csv_fields(limits.line_bytes)
        self._limits = limits
        self._delimiter = layout.delimiter
        self._lines = _Lines(stream, layout, limits)
        self._reader = csv.reader(self._lines, delimiter=layout.delimiter, strict=True)
        self._header: list[str] = []
        self._waste = 0

    def __iter__(self) -> Iterator[RawRow]:
        self._header = self._read_header()
        while True:
            number = self._lines.begin()
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except (csv.Error, RowRejected) as error:
                yield self._broken(number, error)
            else:
                if cells:
                    yield self._row(number, cells)
            if self._waste > _WASTE * max(self._limits.line_bytes, self._lines.read):
                reason = "the rest of the file is lost: too many quotes in it are not closed"
                yield RawRow(self._lines.count + 1, None, reason)
                return

    def _read_header(self) -> list[str]:
        cells: list[str] = []
        try:
            while not cells:
                self._lines.begin()
                cells = next(self._reader)
        except StopIteration:
            raise BadInput("The file holds no header.", "The first line names the columns.") from None
        except (csv.Error, RowRejected) as error:
            line = self._lines.used[0] if self._lines.used else ""
            if "new-line character" not in str(error) or not self._width(line.replace("\r", "")):
                reason = str(error) or "its quotes are not closed"
                raise BadInput(f"The first line of the file is no header: {reason}.", "Correct it.") from error
            self._lines.give_back()
            cells = next(csv.reader([line.replace("\r", "")], delimiter=self._delimiter))
        return checked_header(cells, self._limits)

    def _broken(self, number: int, error: csv.Error | RowRejected) -> RawRow:
        """Return the rejected first line of a record that could not be read; the lines after it are read again."""
        several = len(self._lines.used) > 1
        if several:
            self._waste += self._lines.give_back()
            return RawRow(number, None, f"a quote opens in line {number} and is not closed in it")
        reason = str(error)
        if "unexpected end of data" in reason or "field larger" in reason:
            reason = f"it is not CSV: a quote opens in line {number} and is never closed"
        elif "new-line character" in reason:
            reason = "it is not CSV: a carriage return stands in a cell without quotes"
        elif isinstance(error, csv.Error):
            escaped = self._lines.used and '\\"' in self._lines.used[0]
            reason = _BACKSLASH if escaped else f"it is not CSV: {reason}"
        return RawRow(number, None, reason)

    def _row(self, number: int, cells: list[str]) -> RawRow:
        header = self._header
        lines = self._lines.used
        if len(cells) != len(header):
            if len(lines) > 1 and self._swallowed(lines[1:]):
                self._waste += self._lines.give_back()
                return RawRow(number, None, f"a quote opens in line {number} and is not closed in it")
            return RawRow(number, None, f"it has {counted(len(cells), 'cell')}, the header has {len(header)}")
        if cells == header or [cell.strip() for cell in cells] == header:
            return RawRow(number, None, "it repeats the header of the file")
        for at, line in enumerate(lines):
            if not line.isascii() and (wrong := _ESCAPED.search(line)):
                byte = len(line[: wrong.start()].encode()) + 1
                value = ord(wrong.group()) - 0xDC00
                return RawRow(number, None, f"line {number + at} is not UTF-8 text (byte {byte} is 0x{value:02X})")
        return RawRow(number, dict(zip(header, cells, strict=True)))

    def _swallowed(self, lines: list[str]) -> bool:
        """Say whether one of the lines is a record of its own."""
        return any(self._width(line) == len(self._header) > 1 for line in lines[:100])

    def _width(self, line: str) -> int:
        try:
            return len(next(csv.reader([line], delimiter=self._delimiter, strict=True), []))
        except csv.Error:
            return 0


def checked_header(cells: list[str], limits: Limits) -> list[str]:
    """Return the names of the columns; one without a name is called by its number.

    Raises:
        BadInput: for two columns of one name, or more columns than are read.
    """
    if len(cells) > limits.columns:
        raise BadInput(
            f"The first line of the file has {len(cells):,} columns; more than {limits.columns:,} are not read.",
            "Write the columns that hold prompt, answers and labels into a file of their own.",
        )
    header: list[str] = []
    seen: set[str] = set()
    for number, cell in enumerate(cells, 1):
        name = cell.replace("\r", "").strip() or f"column {number}"
        if name in seen:
            raise BadInput(f"Two columns are called {name!r}.", "Rename one of them and import again.")
        seen.add(name)
        header.append(name)
    return header
