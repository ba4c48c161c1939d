"""Rows of a Parquet file, a few at a time, after a check of its footer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from core.domain.errors import BadInput
from core.services.importing.files.streams import check_file
from core.services.importing.limits import Limits
from core.services.importing.rows import RawRow

_BATCH = 1000


class ParquetRows:
    """Iterates over a Parquet file's rows as plain values.

    Attributes:
        total: rows according to the footer.
    """

    def __init__(self, path: Path, limits: Limits) -> None:
        check_file(path, limits)
        try:
            self._file = pyarrow.parquet.ParquetFile(path)
        except (OSError, ValueError, MemoryError) as error:  # pyarrow's own errors derive from these
            raise BadInput(f"{path.name} is no readable Parquet file: {_first_line(error)}.") from error
        self._path = path
        self.total = self._file.metadata.num_rows
        self._read = 0
        self._check_footer(limits)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def share(self) -> float:
        """Rows read so far over all rows."""
        return self._read / max(self.total, 1)

    def __iter__(self) -> Iterator[RawRow]:
        try:
            for batch in self._file.iter_batches(batch_size=_BATCH):
                yield from self._rows(batch)
        except (OSError, ValueError, MemoryError, NotImplementedError, pyarrow.ArrowException) as error:
            yield RawRow(self._read + 1, None, f"the rest of the file is lost: {_first_line(error)}")

    def _rows(self, batch: pyarrow.RecordBatch) -> Iterator[RawRow]:
        try:
            rows: list[dict[str, Any] | None] = batch.to_pylist()
        except (UnicodeDecodeError, ValueError, OverflowError):
            rows = [_one(batch, index) for index in range(batch.num_rows)]
        for values in rows:
            self._read += 1
            problem = (
                "" if values is not None else "it holds a value that cannot be read, such as text that is not UTF-8"
            )
            yield RawRow(self._read, values, problem)

    def _check_footer(self, limits: Limits) -> None:
        """Refuse a file that expands too far, before the first row is unpacked."""
        meta = self._file.metadata
        sizes = [meta.row_group(i).total_byte_size for i in range(meta.num_row_groups)]
        names = self._file.schema_arrow.names
        problem = ""
        if len(set(names)) != len(names):
            problem = "two of its columns share one name"
        elif any(size < 0 or size > limits.row_group_bytes for size in sizes):
            problem = f"one of its row groups expands to more than {limits.row_group_bytes >> 30} GiB"
        elif sum(sizes) > limits.expanded_bytes:
            problem = f"it expands to more than {limits.expanded_bytes >> 30} GiB"
        elif sum(sizes) > max(limits.ratio_floor, limits.ratio * self._path.stat().st_size):
            problem = f"it expands to more than {limits.ratio} times its size"
        if problem:
            self.close()
            raise BadInput(f"{self._path.name} is refused: {problem}.", "Write it again with smaller row groups.")


def _one(batch: pyarrow.RecordBatch, index: int) -> dict[str, Any] | None:
    try:
        return batch.slice(index, 1).to_pylist()[0]
    except (UnicodeDecodeError, ValueError, OverflowError):
        return None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")[:200]
