"""Records of a file, one at a time: JSON Lines, JSON, CSV, plain or packed, and Parquet.

A record that cannot be read becomes a :class:`RawRow` with a problem, and reading continues. Only blank lines are
skipped. Formats and the database are not known here.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from core.domain.counting import counted
from core.domain.errors import BadInput
from core.services.importing.files.csv_rows import csv_rows
from core.services.importing.files.encodings import UTF8, title_of
from core.services.importing.files.escaping import as_exported, unguard
from core.services.importing.files.json_rows import json_lines, json_list
from core.services.importing.files.kinds import FileKind, open_text
from core.services.importing.files.side_car import was_escaped
from core.services.importing.files.streams import GuardedStream
from core.services.importing.files.unpack import StreamDamaged
from core.services.importing.limits import Limits, printable
from core.services.importing.rows import RawRow

if TYPE_CHECKING:
    from core.services.importing.files.parquet import ParquetRows

_OWN_TABLE = {"pair_sha256", "source", "prompt", "messages", "response_a", "response_b", "labels"}
"""Columns of the table export, which guards every cell that looks like a formula."""


def _hint(problem: str) -> str:
    """Return what to do about a file whose every row has this problem."""
    if "is not UTF-8 text" in problem:
        return (
            "Name its encoding, for example --encoding shift_jis, gb18030, cp1252 or cp1251; --dry-run shows the text. "
            "Or save the file as UTF-8."
        )
    if "as Python prints" in problem:
        return "Write the rows with json.dumps, one a line."
    if problem.endswith("the header has 1"):
        return "The first line is taken for the names of the columns; delete a title that stands above them."
    return "Look at the file."


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
        self._open = ExitStack()
        self._guard: GuardedStream | None = None
        self._parquet: ParquetRows | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._open.close()
        if self._parquet is not None:
            self._parquet.close()

    @property
    def position(self) -> int:
        """Bytes of the file read so far (an estimate for Parquet)."""
        if self._parquet is not None:
            return int(self.size * self._parquet.share)
        return 0 if self._guard is None else self._guard.position

    def __iter__(self) -> Iterator[RawRow]:
        """Yield the records.

        Raises:
            BadInput: when the file cannot be read at all, or holds no row that can be read; says the first reason.
        """
        count, usable, first = 0, 0, None
        for row in self._records():
            count += 1
            usable += row.values is not None
            first = first or row
            yield row
        if not count:
            raise BadInput(f"{self.path.name} holds no rows{self._without_rows()}.", "There is nothing to import.")
        if not usable and first is not None:
            what = f"None of the {counted(count, 'row')} of {self.path.name} can be read. Line {first.line}"
            what = what if count > 1 else f"The one row of {self.path.name} cannot be read"
            raise BadInput(f"{what}: {printable(first.problem)}.", _hint(first.problem))

    def _without_rows(self) -> str:
        if self._parquet is not None:
            return f" (columns: {', '.join(self._parquet.names[:12])})"
        return {"csv": " below its header", "json": ": its list is empty"}.get(self.kind.kind, "")

    def _records(self) -> Iterator[RawRow]:
        if self.kind.kind == "parquet":
            from core.services.importing.files.parquet import ParquetRows  # loads pyarrow, which no other file needs

            self._parquet = rows = ParquetRows(self.path, self.limits)
            yield from rows
            return
        line = 0
        try:
            for row in self._text_rows():
                line = row.line
                yield row if row.values is not None or self.kind.encoding == UTF8 else self._in_its_encoding(row)
        except StreamDamaged as error:
            what = "the end of the file is reached, and" if error.at_end else "the rest of the file is lost:"
            yield RawRow(line + 1, None, f"{what} {error}")

    def _text_rows(self) -> Iterator[RawRow]:
        if self.kind.kind == "jsonl":
            return json_lines(self._reopened(), self.kind.json, self.limits)
        if self.kind.kind == "json":
            return json_list(self._reopened, self.kind.json, self.limits)
        return self._unguarded(csv_rows(self._reopened(), self.kind.csv, self.limits))

    def _reopened(self) -> io.BufferedReader:
        self._open.close()
        self._guard, stream = self._open.enter_context(open_text(self.path, self.kind, self.limits))
        return stream

    def _unguarded(self, rows: Iterator[RawRow]) -> Iterator[RawRow]:
        """Remove the apostrophe that the table export put before cells that a spreadsheet would run."""
        guarded = was_escaped(self.path)
        for row in rows:
            if row.values is None:
                yield row
            elif row.values.keys() >= _OWN_TABLE:
                yield RawRow(row.line, as_exported({name: str(cell) for name, cell in row.values.items()}))
            elif guarded:
                yield RawRow(row.line, {name: unguard(str(cell)) for name, cell in row.values.items()})
            else:
                yield row

    def _in_its_encoding(self, row: RawRow) -> RawRow:
        """Return a rejected row that speaks of the encoding of the file."""
        name = title_of(self.kind.encoding)
        return RawRow(row.line, None, row.problem.replace("is not UTF-8 text", f"is not text in {name}"))
