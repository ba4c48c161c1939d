"""Temporary files and folders in places that the user chose, and their removal after the program was killed.

A file appears complete or not at all because it is written under a temporary name beside its target. When the process
is killed, that name stays: in a workspace the next opening sweeps it, but nobody sweeps the folder that an export was
written to. Each temporary name is therefore noted in the user's cache folder while it is in use; the next start removes
what processes that no longer exist have left.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from core import bounded
from core.domain.errors import BadInput
from core.domain.ids import new_uid
from core.paths import cache_dir
from core.private_files import follow_folder, make_user_folder

PREFIXES = (".tmp-", "pairwright-")
"""What the names that may be removed begin with."""
_FOLDER = "unfinished"
_NOTE_BYTES = 64 << 10
_BESIDE = ("-journal", "-wal", "-shm")


@contextmanager
def noted(path: Path) -> Iterator[None]:
    """Note that ``path`` is being written under a temporary name, until the block ends.

    A note that cannot be made stops nothing: then only the removal after a kill is missing.
    """
    note = cache_dir() / _FOLDER / f"{new_uid()}.json"
    with suppress(OSError):
        if not note.parent.is_dir():
            make_user_folder(note.parent)
        me = {"path": str(Path(path).absolute()), "pid": os.getpid(), "began": _began(os.getpid())}
        note.write_text(json.dumps(me), encoding="utf-8", errors="surrogateescape")
        follow_folder(note)
    try:
        yield
    finally:
        with suppress(OSError):
            note.unlink()


@contextmanager
def temporary_folder(parent: Path | None = None, prefix: str = PREFIXES[0]) -> Iterator[Path]:
    """Give a folder in ``parent`` (the system's folder for such things when None) that is removed at the end."""
    path = Path(parent or tempfile.gettempdir()) / f"{prefix}{new_uid()}"
    with noted(path):  # before it is made, so that no moment is without the note
        path.mkdir(mode=0o700)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


def sweep() -> list[Path]:
    """Remove what killed processes of this user left behind; return it."""
    removed = []
    for note in sorted((cache_dir() / _FOLDER).glob("*.json")):
        with suppress(OSError):
            if (path := _left_behind(note)) is None:
                continue
            if path.parent.is_dir():
                removed += [path] if _remove(path) else []
                note.unlink(missing_ok=True)
    return removed


def _left_behind(note: Path) -> Path | None:
    """Return the path of a note whose process has ended, None for one that is in use; an unreadable one is removed."""
    try:
        row = bounded.read_object(note, _NOTE_BYTES)
        path, pid, began = Path(row["path"]), int(row["pid"]), float(row["began"])
    except (BadInput, ValueError, KeyError, TypeError):
        note.unlink(missing_ok=True)
        return None
    if not path.is_absolute() or not path.name.startswith(PREFIXES):
        note.unlink(missing_ok=True)
        return None
    return None if abs(_began(pid) - began) < 1 else path


def _began(pid: int) -> float:
    """Return when a process began, 0 when there is none of this number."""
    try:
        return psutil.Process(pid).create_time()
    except (psutil.Error, ValueError):
        return 0.0


def _remove(path: Path) -> bool:
    there = path.is_symlink() or path.exists()
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    for end in _BESIDE:
        Path(f"{path}{end}").unlink(missing_ok=True)
    return there
