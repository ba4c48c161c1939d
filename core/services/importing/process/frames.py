"""Messages between the process that stores and the one that parses: a length, then JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Any

from core.services.importing.limits import printable
from core.services.importing.process.batches import Batch
from core.services.importing.rows import Reject
from core.store.import_rows import NewLabel, NewPair, NewRow

_LENGTH = 8
_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))


def write_frame(out: IO[bytes], value: Any) -> None:
    """Write one message."""
    data = _ENCODER.encode(value).encode("utf-8", errors="replace")
    out.write(len(data).to_bytes(_LENGTH, "little"))
    out.write(data)
    out.flush()


def read_frame(source: IO[bytes]) -> Any:
    """Return the next message, or None when the other side has ended.

    Raises:
        ValueError: when what was read is no message.
    """
    head = source.read(_LENGTH)
    if len(head) < _LENGTH:
        return None
    size = int.from_bytes(head, "little")
    data = source.read(size)
    return json.loads(data) if len(data) == size else None


def batch_to_plain(batch: Batch) -> dict[str, Any]:
    """Return a batch as plain values; pairs are lists of their fields."""
    return {
        "rows": batch.rows,
        "rejects": [(entry.line, printable(entry.reason)) for entry in batch.rejects],
        "position": batch.position,
        "stored": batch.stored,
    }


def batch_from_plain(plain: dict[str, Any]) -> Batch:
    """Return the batch of :func:`batch_to_plain`."""
    rows = [NewRow(line, tuple(map(_pair, pairs)), records) for line, pairs, records in plain["rows"]]
    rejects = [Reject(line, reason) for line, reason in plain["rejects"]]
    return Batch(rows, rejects, plain["position"], plain["stored"])


def frames(source: IO[bytes]) -> Iterator[dict[str, Any]]:
    """Yield every message until the other side ends."""
    while (frame := read_frame(source)) is not None:
        yield frame


def _pair(values: list[Any]) -> NewPair:
    pair = NewPair._make(values)
    return pair._replace(labels=tuple(map(NewLabel._make, pair.labels)))
