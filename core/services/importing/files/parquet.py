"""Rows of a Parquet file, a bounded number of bytes at a time, after a check of its footer.

A file of some kilobytes can hold gigabytes: texts are kept as dictionaries, so that a value that stands in many rows
takes memory once, and the rows of a batch follow from how large rows are. A column that cannot be read costs a row only
where the column is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from core.domain.counting import counted, verb
from core.domain.errors import BadInput
from core.services.importing.files.streams import check_file
from core.services.importing.limits import Limits, Unusable
from core.services.importing.rows import RawRow

_BATCH_BYTES = 8 << 20
_MOST_ROWS = 1000
_FIRST_ROWS = 4
_FEW_ROWS = 100
_ERRORS = (OSError, ValueError, MemoryError, NotImplementedError, OverflowError, pyarrow.ArrowException)
_BINARY = (pyarrow.types.is_binary, pyarrow.types.is_large_binary, pyarrow.types.is_fixed_size_binary)


class ParquetRows:
    """Iterates over a Parquet file's rows as plain values.

    Attributes:
        total: rows according to the footer. names: of the columns.
    """

    def __init__(self, path: Path, limits: Limits) -> None:
        check_file(path, limits)
        self._path = path
        self._file = self._opened()
        self.names: list[str] = list(self._file.schema_arrow.names)
        self.total = self._file.metadata.num_rows
        self._read = 0
        self._lost: dict[str, str] = {}
        try:
            self._check_footer(limits)
        except BadInput:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def share(self) -> float:
        """Rows read so far over all rows."""
        return self._read / max(self.total, 1)

    def __iter__(self) -> Iterator[RawRow]:
        for group in range(self._file.metadata.num_row_groups):
            rows = self._file.metadata.row_group(group).num_rows
            before, self._lost = self._read, {}
            try:
                yield from self._group(group, rows)
            except _ERRORS as error:
                lost = rows - (self._read - before)
                reason = f"{counted(lost, 'row')} from here on {verb(lost, 'is', 'are')} lost: {_first_line(error)}"
                self._read += lost
                yield RawRow(self._read - lost + 1, None, reason)

    def _group(self, group: int, rows: int) -> Iterator[RawRow]:
        """Yield the rows of one row group: a few are read first, which tell how many may be read at once."""
        columns, size = self._tried(group, rows)
        for batch in self._file.iter_batches(batch_size=size, row_groups=[group], columns=columns):
            yield from self._rows(batch)

    def _tried(self, group: int, rows: int) -> tuple[list[str], int]:
        """Return the columns that can be read and how many rows of them to hold at once."""
        columns = self.names
        told = self._file.metadata.row_group(group).total_byte_size / max(rows, 1)
        if rows > _FEW_ROWS or not self._read:
            try:
                first = next(self._file.iter_batches(batch_size=_FIRST_ROWS, row_groups=[group], columns=columns), None)
            except _ERRORS:
                columns, first = self._readable(group, columns), None
            if first is not None and first.num_rows:
                plain = [cells for cells in first.columns if not isinstance(cells, pyarrow.DictionaryArray)]
                told = max(told, sum(cells.nbytes for cells in plain) / first.num_rows)
        return columns, int(max(1, min(_MOST_ROWS, _BATCH_BYTES / max(told, 1))))

    def _readable(self, group: int, columns: list[str]) -> list[str]:
        """Try each column by itself and return those that can be read."""
        error_of_last: BaseException = OSError("no column can be read")
        for name in columns:
            try:
                next(self._file.iter_batches(batch_size=1, row_groups=[group], columns=[name]), None)
            except _ERRORS as error:
                error_of_last = error
                self._lost[name] = f"in a column that cannot be read ({_first_line(error)})"
        readable = [name for name in columns if name not in self._lost]
        if not readable:
            raise OSError(error_of_last) from error_of_last
        return readable

    def _rows(self, batch: pyarrow.RecordBatch) -> Iterator[RawRow]:
        columns = {name: _Column(batch.column(name)) for name in batch.schema.names}
        lost = {name: Unusable(reason) for name, reason in self._lost.items()}
        for index in range(batch.num_rows):
            self._read += 1
            yield RawRow(self._read, {**{name: column.value(index) for name, column in columns.items()}, **lost})

    def _opened(self) -> pyarrow.parquet.ParquetFile:
        """Open the file with its text columns as dictionaries."""
        try:
            with pyarrow.parquet.ParquetFile(self._path) as plain:
                paths = [plain.schema.column(i) for i in range(len(plain.schema.names))]
            texts = [column.path for column in paths if column.physical_type == "BYTE_ARRAY" and "." not in column.path]
            return pyarrow.parquet.ParquetFile(self._path, read_dictionary=texts)
        except _ERRORS as error:
            reason = _first_line(error)
            if "encrypt" in reason.lower() or "decrypt" in reason.lower():
                raise BadInput(
                    f"{self._path.name} is an encrypted Parquet file.", "Decrypt it with its keys first."
                ) from error
            raise BadInput(
                f"{self._path.name} is no readable Parquet file: {reason}.", "It may be cut short; download it again."
            ) from error

    def _check_footer(self, limits: Limits) -> None:
        """Refuse a file without rows, or that expands too far, before the first row is unpacked."""
        meta = self._file.metadata
        sizes = [meta.row_group(i).total_byte_size for i in range(meta.num_row_groups)]
        if not self.total:
            raise BadInput(
                f"{self._path.name} has no rows (columns: {', '.join(self.names[:12])}).", "There is nothing to import."
            )
        problem, hint = "", "Write it again with smaller row groups."
        if len(set(self.names)) != len(self.names):
            problem, hint = "two of its columns share one name", "Rename one of them."
        elif any(size < 0 or size > limits.row_group_bytes for size in sizes):
            problem = f"one of its row groups expands to more than {limits.row_group_bytes >> 30} GiB"
        elif sum(sizes) > limits.expanded_bytes:
            problem = f"it expands to more than {limits.expanded_bytes >> 30} GiB"
        elif sum(sizes) > max(limits.ratio_floor, limits.ratio * self._path.stat().st_size):
            problem = f"it expands to more than {limits.ratio} times its size"
        if problem:
            raise BadInput(f"{self._path.name} is refused: {problem}.", hint)


class _Column:
    """The cells of one column of a batch as Python values; equal texts of a dictionary are one object."""

    def __init__(self, array: pyarrow.Array) -> None:
        self._words: dict[int, Any] | None = None
        if isinstance(array, pyarrow.DictionaryArray):
            self._cells: list[Any] = array.indices.to_pylist()
            used = sorted({cell for cell in self._cells if cell is not None})
            self._words = dict(
                zip(used, _values(array.dictionary.take(pyarrow.array(used, pyarrow.int64()))), strict=True)
            )
        else:
            self._cells = _values(array)

    def value(self, index: int) -> Any:
        cell = self._cells[index]
        return cell if self._words is None or cell is None else self._words[cell]


def _values(array: pyarrow.Array) -> list[Any]:
    """Return plain values; one that cannot be made is unusable, and binary data that is UTF-8 is text."""
    try:
        values = array.to_pylist()
    except _ERRORS:
        values = [_value(array, index) for index in range(len(array))]
    if any(is_binary(array.type) for is_binary in _BINARY):
        return [_text(value) if isinstance(value, bytes) else value for value in values]
    return values


def _value(array: pyarrow.Array, index: int) -> Any:
    try:
        return array[index].as_py()
    except UnicodeDecodeError:
        return Unusable("text that is not UTF-8")
    except _ERRORS:
        return Unusable(f"a value of the type {array.type} that cannot be read")


def _text(value: bytes) -> Any:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return Unusable("binary data, not text")


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")[:200]
