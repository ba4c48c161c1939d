"""Files that the window writes, which appear complete or not at all, and small ones that it reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core import bounded, durable

_SMALL = 4 << 20


def write_file(path: Path, data: bytes) -> None:
    """Write a file, or replace one that is there.

    Raises:
        StorageFull, UserError: when it cannot be written; a file that was there is as it was.
    """
    durable.write_bytes(Path(path), data)


def read_object(path: Path) -> dict[str, Any]:
    """Return the object of a small JSON file.

    Raises:
        BadInput: when it is missing, no regular file, too large, nested too deeply, or holds something else.
    """
    return bounded.read_object(Path(path), _SMALL)
