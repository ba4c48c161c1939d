"""Dataset items as a Parquet file. Only exports to Parquet import this module, since pyarrow is slow to load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

_ROW_GROUP = 1000
_MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
SCHEMA = pa.schema(
    [
        ("prompt", _MESSAGES),
        ("chosen", _MESSAGES),
        ("rejected", _MESSAGES),
        ("strength", pa.float64()),
        ("strengths", pa.list_(pa.int8())),
        ("weight", pa.float64()),
        ("target", pa.float64()),
        ("is_tie", pa.bool_()),
        ("chosen_generation", pa.string()),
        ("rejected_generation", pa.string()),
        ("pair_sha256", pa.string()),
    ]
)


def write(path: Path, lines: Iterator[Mapping[str, object]]) -> None:
    """Write the lines of :func:`core.services.datasets.export.item_line`."""
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        part: list[Mapping[str, object]] = []
        for line in lines:
            part.append(line)
            if len(part) == _ROW_GROUP:
                writer.write_table(pa.Table.from_pylist(part, schema=SCHEMA))
                part = []
        if part:
            writer.write_table(pa.Table.from_pylist(part, schema=SCHEMA))


def count(path: Path) -> int:
    """Return the rows of a file, read and not taken from its footer."""
    with pq.ParquetFile(path) as file:
        return sum(batch.num_rows for batch in file.iter_batches(columns=["pair_sha256"]))
