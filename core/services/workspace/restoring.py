"""A new workspace folder from one database file: a backup, or a database that lost its name while it was open."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from core import durable
from core.domain.errors import BadInput, NotFound, StorageFull, UserError, WorkspaceDamaged
from core.private_files import create_private_file, make_private_folder
from core.store.sqlite import backups
from core.store.sqlite.identity import DB_FILE, db_path, inspect

_MARKER = f"{durable.TMP_PREFIX}restoring"
"""Lies in the folder until the workspace in it is complete."""
_HARMLESS = {".DS_Store", "Thumbs.db", "desktop.ini"}


def restore(backup: Path, to: Path) -> Path:
    """Make a new workspace folder at ``to`` from a backup file; no workspace is ever overwritten.

    A restore that was killed can be repeated: what it left in the folder is removed, and a workspace that was complete
    already is returned as it is.

    Raises:
        NotFound: there is no such backup.
        BadInput: ``to`` is not an empty place.
        StorageFull: there is no room; nothing was restored.
        WorkspaceDamaged, WorkspaceNewer: the backup is no sound workspace file.
    """
    backup, to = Path(backup), Path(to)
    if not backup.is_file():
        raise NotFound(f"There is no backup file {backup}.", "Name one of the files in a backups folder.")
    inspect(backup)
    if _is_restored(backup, to):
        return to
    try:
        return fill_folder(to, lambda target: _copy(backup, target), backup.stat().st_size)
    except WorkspaceDamaged as error:
        raise WorkspaceDamaged(f"{backup.name} is damaged; nothing was restored.", "Choose another backup.") from error


def _copy(backup: Path, target: Path) -> Path:
    return backups.make(target.parent, lambda sink: backups.copy_snapshot(backup, sink), "restore", target)


def fill_folder(to: Path, make: Callable[[Path], Path], size: int) -> Path:
    """Make the workspace folder ``to`` with one verified copy in it, complete or not at all.

    Args:
        to: a folder that is new, empty, or left by a killed call of this function.
        make: makes the database file, complete or not at all.
        size: bytes that it needs.
    """
    new = not to.exists()
    _require_empty(to)
    _require_room(to, size)
    try:
        make_private_folder(to)
        durable.sweep(to)
        create_private_file(to / _MARKER)
    except OSError as error:
        raise UserError(f"{to} cannot be made: {error.strerror or error}.", "Choose another place.") from error
    try:
        make(db_path(to))
        (to / _MARKER).unlink()
    except BaseException:
        (to / _MARKER).unlink(missing_ok=True)
        if new:
            with suppress(OSError):
                to.rmdir()
        raise
    return to


def _entries(to: Path) -> set[str]:
    return {path.name for path in to.iterdir() if not path.name.startswith(durable.TMP_PREFIX)} - _HARMLESS


def _require_empty(to: Path) -> None:
    try:
        free = not to.exists() or (to.is_dir() and not _entries(to))
    except OSError as error:
        raise UserError(f"{to} cannot be looked into: {error.strerror or error}.", "Choose another place.") from error
    if not free:
        raise BadInput(f"{to} is not an empty folder; nothing was written there.", "Choose a new folder.")


def _require_room(to: Path, size: int) -> None:
    place = next((p for p in (to, *to.absolute().parents) if p.is_dir()), None)
    with suppress(OSError):
        if place is not None and (free := shutil.disk_usage(place).free) < size:
            raise StorageFull(
                f"Restoring needs {size / 2**20:,.1f} MiB and {free / 2**20:,.1f} MiB are free in {place}; "
                "nothing was restored.",
                "Free some space or choose another disk.",
            )


def _is_restored(backup: Path, to: Path) -> bool:
    """Whether a killed restore of this backup had finished the workspace in ``to``."""
    if not (to / _MARKER).is_file() or _entries(to) != {DB_FILE} or not backups.hold_the_same(backup, db_path(to)):
        return False
    durable.sweep(to)
    return True
