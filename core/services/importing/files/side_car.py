"""The small JSON file that the table export writes beside a CSV file."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

from core.durable import file_sha256
from core.services.importing.files.escaping import ESCAPING

SIDE_CAR = ".manifest.json"
_MOST_BYTES = 1 << 20


def was_escaped(path: Path) -> bool:
    """Say whether the table export wrote this very CSV file, in which cells that look like formulas are guarded.

    The file beside it must be a regular file and hold the sha256 of the CSV file: one that was left behind says nothing
    about another table of the same name.
    """
    manifest = _manifest(path.with_name(path.name + SIDE_CAR))
    return manifest.get("escaping") == ESCAPING and manifest.get("sha256") == file_sha256(path)


def _manifest(path: Path) -> dict[str, object]:
    try:
        # Without O_NONBLOCK opening a pipe waits for a writer, which may never come.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError:
        return {}
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return {}
        data = file.read(_MOST_BYTES + 1)
    try:
        found: object = json.loads(data) if len(data) <= _MOST_BYTES else None
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
