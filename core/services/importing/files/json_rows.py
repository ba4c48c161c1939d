"""Records of a JSON file: one a line, in a list, one after the other, by id, or column by column."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from core.domain.counting import counted, verb
from core.domain.errors import BadInput
from core.services.importing.files.csv_rows import bounded_line
from core.services.importing.files.json_elements import ElementScanner
from core.services.importing.files.json_layout import JsonLayout, skip
from core.services.importing.limits import Limits, RowRejected, describe_type, is_cut_off, parse_json, too_long
from core.services.importing.rows import RawRow

_BOM = b"\xef\xbb\xbf"
_CHUNK = 1 << 18
_BLANKS = b" \t\r\n," + _BOM


def json_lines(stream: io.BufferedReader, layout: JsonLayout, limits: Limits) -> Iterator[RawRow]:
    """Yield the record of each line that is not blank."""
    number = 0
    header = bool(layout.names)
    while (line := bounded_line(stream, limits)) != b"":
        number += 1
        if isinstance(line, int):
            yield RawRow(number, None, too_long(line, limits))
            continue
        data = line.strip()
        while data.startswith(_BOM):
            data = data[len(_BOM) :].lstrip()
        if data and not data.strip(b"\0"):
            yield RawRow(number, None, "it holds zero bytes only: this part of the file was never written")
        elif data and header:
            header = False
        elif data:
            row = _plain_row(number, data, limits)
            if row is not None:
                yield row
            else:
                yield from _rows(number, data, layout, limits, cut=not line.endswith(b"\n"))


def _plain_row(number: int, data: bytes, limits: Limits) -> RawRow | None:
    """Return the record of a line that is an object and nothing else; None where :func:`_rows` has to look at it."""
    try:
        values = parse_json(data, limits)
    except RowRejected:
        return None
    return RawRow(number, values) if type(values) is dict and "row" not in values else None


def json_list(reopened: Callable[[], io.BufferedReader], layout: JsonLayout, limits: Limits) -> Iterator[RawRow]:
    """Yield the elements of the lists of a file, or objects that stand one after the other.

    Args:
        reopened: opens the file from its beginning; called for every list.
        layout: where the records stand.
        limits: what a row may hold.
    """
    if layout.shape == "columns":
        yield from _column_wise(reopened(), limits)
        return
    number = 0
    for part in layout.parts or (None,):
        stream = reopened()
        if part is not None:
            skip(stream, part.at)
        for row in _Elements(stream, layout, limits, number, in_list=part is not None):
            number = row.line
            yield row


class _Elements:
    """The records of one list, and of lists that follow it in the file."""

    def __init__(
        self, stream: io.BufferedReader, layout: JsonLayout, limits: Limits, number: int, *, in_list: bool
    ) -> None:
        self._stream, self._layout, self._limits = stream, layout, limits
        self._in_list = in_list
        self._number = number
        self._read = 0
        self._top_list = in_list and len(layout.parts) == 1 and not layout.parts[0].name and layout.shape == "rows"

    def __iter__(self) -> Iterator[RawRow]:
        chunk = b""
        while True:
            scanner = ElementScanner(self._in_list, self._limits.line_bytes)
            yield from self._scan(scanner, chunk)
            rest = scanner.rest()
            if rest != b"" or (self._in_list and not scanner.done):
                yield from self._end(rest)
                return
            following = self._following(scanner.behind) if self._top_list else b""
            if not following:
                return
            if not following.startswith(b"["):
                yield self._trailing(following)
                return
            chunk = following[1:]

    def _scan(self, scanner: ElementScanner, chunk: bytes) -> Iterator[RawRow]:
        while not scanner.done:
            chunk = chunk or self._next_chunk()
            if not chunk:
                return
            for element in scanner.feed(chunk):
                self._number += 1
                if isinstance(element, int):
                    yield RawRow(self._number, None, too_long(element, self._limits))
                else:
                    yield from self._rows(element, cut=False)
            chunk = b""

    def _next_chunk(self) -> bytes:
        chunk = self._stream.read1(_CHUNK)
        chunk = chunk.removeprefix(_BOM) if not self._read else chunk
        self._read += len(chunk)
        return chunk

    def _rows(self, element: bytes, *, cut: bool) -> Iterator[RawRow]:
        if not self._in_list or element.startswith(_BOM):
            element = element.lstrip(_BLANKS)  # also a comma between objects
        if self._layout.shape == "by_id":
            element = b"{" + element + b"}"
        return _rows(self._number, element, self._layout, self._limits, cut=cut)

    def _end(self, rest: bytes | int) -> Iterator[RawRow]:
        """Yield what stands at the end of a file that ends too early."""
        whole = False
        if isinstance(rest, bytes) and not self._in_list:
            rest = rest.strip(_BLANKS)
        if isinstance(rest, int):
            self._number += 1
            yield RawRow(self._number, None, too_long(rest, self._limits))
        elif rest:
            self._number += 1
            rows = list(self._rows(rest, cut=True))
            whole = self._in_list and all(row.values is not None for row in rows)
            yield from rows
        if self._in_list and (whole or not rest or isinstance(rest, int)):
            reason = (
                f"the file is cut off here: its list is not closed, and what followed record {self._number} is lost"
            )
            yield RawRow(self._number + 1, None, reason)

    def _following(self, rest: bytes) -> bytes:
        """Return what follows the list, without blanks."""
        rest = rest.lstrip(_BLANKS)
        while not rest and (chunk := self._stream.read1(_CHUNK)):
            rest = chunk.lstrip(_BLANKS)
        return rest

    def _trailing(self, rest: bytes) -> RawRow:
        count = len(rest)
        while chunk := self._stream.read1(_CHUNK):
            count += len(chunk)
        begin = rest[:20].decode("utf-8", errors="replace")
        return RawRow(
            self._number + 1,
            None,
            f"{counted(count, 'byte')} behind the end of the list {verb(count, 'is', 'are')} not read; "
            f"{verb(count, 'it begins', 'they begin')} with {begin!r}",
        )


def _rows(number: int, data: bytes, layout: JsonLayout, limits: Limits, *, cut: bool) -> Iterator[RawRow]:
    """Yield the record, or the records, of one line or element."""
    try:
        values = parse_json(data, limits)
        if isinstance(values, str) and values.lstrip().startswith(("{", "[")):
            values = parse_json(values, limits)
    except RowRejected as error:
        reason = error.reason
        if cut and is_cut_off(reason):
            reason = f"the file is cut off in the middle of this record, after {len(data):,} bytes of it"
        yield RawRow(number, None, reason)
        return
    if layout.shape == "by_id" and isinstance(values, dict) and len(values) == 1:
        ((key, values),) = values.items()
        if isinstance(values, dict):
            values.setdefault("id", key)
    if isinstance(values, dict):
        yield RawRow(number, _unwrapped(values))
    elif isinstance(values, list) and layout.names:
        if len(values) == len(layout.names):
            yield RawRow(number, dict(zip(layout.names, values, strict=True)))
        else:
            yield RawRow(number, None, f"it has {counted(len(values), 'value')}, the header has {len(layout.names)}")
    elif isinstance(values, list) and values and all(isinstance(item, dict) for item in values):
        yield from (RawRow(number, _unwrapped(item)) for item in values)
    else:
        yield RawRow(number, None, f"it is {describe_type(values)}, not an object with named fields")


def _unwrapped(values: dict[str, Any]) -> dict[str, Any]:
    """Return the record itself where the viewer of the Hugging Face Hub has put it into a field ``row``."""
    inner = values.get("row")
    return inner if isinstance(inner, dict) and "row_idx" in values else values


def _column_wise(stream: io.BufferedReader, limits: Limits) -> Iterator[RawRow]:
    """Yield the rows of an object that holds a list, or an object with numbers for keys, for each column.

    Raises:
        BadInput: when it is too large to be held in memory, with what to do.
    """
    most = limits.column_wise_bytes
    data = stream.read(most + 1)
    if len(data) > most:
        raise BadInput(
            f"The file holds a list for each column and has more than {most >> 20} MiB; it is read up to that size.",
            'Write it row by row: pandas.read_json(FILE).to_json("rows.jsonl", orient="records", lines=True).',
        )
    try:
        table = parse_json(data.replace(_BOM, b""), replace(limits, line_bytes=most, values=most))
    except RowRejected as error:
        raise BadInput(f"The file cannot be read: {error.reason}.", "Write it again.") from None
    assert isinstance(table, dict)
    columns = {name: list(cells.values()) if isinstance(cells, dict) else cells for name, cells in table.items()}
    for number, cells in enumerate(zip(*columns.values(), strict=True), 1):
        yield RawRow(number, dict(zip(columns, cells, strict=True)))
