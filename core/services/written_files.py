"""Files that the window makes at a place the user chose: they appear complete or not at all."""

from __future__ import annotations

from pathlib import Path

from core import durable


def write_file(path: Path, data: bytes) -> None:
    """Write a file, or replace one that is there.

    Raises:
        StorageFull, UserError: when it cannot be written; a file that was there is as it was.
    """
    durable.write_bytes(Path(path), data)
