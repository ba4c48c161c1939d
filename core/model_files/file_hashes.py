"""sha256 of files, remembered between processes by path, size, modification time and inode.

The hashes lie in one JSON file in the user's cache folder, so that the window, a preflight and a worker read the
weights of a model once between them. Losing the file costs time only.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from core import durable, paths
from core.domain.errors import UserError
from core.private_files import make_user_folder

HASHES_FILE = "file-hashes.json"
MAX_ENTRIES = 1000
SETTLED_NS = 2_000_000_000
"""Age from which a file's hash is remembered: a second change within one tick of a file system's clock (up to 2 s)
keeps size and modification time."""

_Entry = list[Any]
"""[size, mtime_ns, inode, sha256]"""


def hash_files(files: Iterable[Path], *, fresh: bool = False) -> dict[Path, str]:
    """Return the sha256 of each file.

    Args:
        files: the files; each must exist.
        fresh: read every file, also where its hash is remembered. A change that keeps size, modification time and
            inode is found only so.

    Raises:
        OSError: when a file cannot be read.
    """
    remembered = _load()
    new: dict[str, _Entry] = {}
    found: dict[Path, str] = {}
    for file in files:
        key = str(file.resolve())
        mark = _mark(file.stat())
        entry = remembered.get(key)
        if not fresh and entry is not None and entry[:3] == mark:
            found[file] = entry[3]
            continue
        settled = mark[1] + SETTLED_NS <= time.time_ns()
        found[file] = durable.file_sha256(file)
        if settled and _mark(file.stat()) == mark:
            new[key] = [*mark, found[file]]
    if any(remembered.get(key) != entry for key, entry in new.items()):
        _save(new)
    return found


def _mark(info: os.stat_result) -> list[int]:
    return [info.st_size, info.st_mtime_ns, info.st_ino]


def _load() -> dict[str, _Entry]:
    """Return the remembered entries; none where the file is missing or damaged."""
    try:
        plain = durable.read_json(paths.cache_dir() / HASHES_FILE)
    except (UserError, OSError):
        return {}
    if not isinstance(plain, dict):
        return {}
    return {key: entry for key, entry in plain.items() if isinstance(entry, list) and len(entry) == 4}


def _save(new: dict[str, _Entry]) -> None:
    """Add entries, the newest last, and drop the oldest beyond ``MAX_ENTRIES``.

    Two processes that save at once may lose one another's entries; these files are then read once more.
    """
    kept = {key: entry for key, entry in _load().items() if key not in new}
    entries = list({**kept, **new}.items())[-MAX_ENTRIES:]
    with contextlib.suppress(UserError, OSError):  # no room, or a home that may not be written: hash again next time
        make_user_folder(paths.cache_dir())
        durable.write_json(paths.cache_dir() / HASHES_FILE, dict(entries))
