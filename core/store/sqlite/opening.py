"""What happens before a workspace is open for writing: refuse, lock, recover, upgrade, sweep, compare with the note."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from core import durable
from core.domain.counting import counted, verb
from core.domain.errors import BadInput, UserError, WorkspaceDamaged
from core.private_files import make_private_folder, tighten
from core.store.sqlite.backups import copy_file
from core.store.sqlite.commit_guard import set_log_aside
from core.store.sqlite.commit_mark import MARK_FILE, CommitMark, find_lead, read_noted
from core.store.sqlite.connect import connect
from core.store.sqlite.identity import SCHEMA, Identity, db_path, inspect
from core.store.sqlite.migrate import build, migrate
from core.store.sqlite.opened_file import place_of
from core.store.workspace_lock import WorkspaceLock, lock_workspace

_OWN_ENTRIES = {
    ".lock", MARK_FILE, "runs", "models", "backups", "exports", "rejects", "search",
    ".DS_Store", "Thumbs.db", "desktop.ini",
}  # fmt: skip
_SWEPT = ("backups", "exports", "models", "rejects")
"""Folders in which opening removes what an interrupted write left, once it is old: programs that only read the
workspace also make backups and exports there, while another one holds the lock."""
_LEFT_BEHIND_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Opening:
    """A workspace that may be written to now.

    Attributes:
        lock: held until the workspace is closed.
        uuid: of the workspace.
        missing: what was acknowledged earlier and is not in the database; None when nothing is known to be missing.
        notes: sentences for the user about what was found or changed on the way.
    """

    lock: WorkspaceLock
    uuid: str
    missing: CommitMark | None
    notes: tuple[str, ...]


def open_for_writing(folder: Path) -> Opening:
    """Lock a workspace and make it ready; an older one is upgraded after a backup.

    Raises:
        NotFound, WorkspaceInUse, WorkspaceNewer, WorkspaceDamaged: nothing was written.
    """
    path = db_path(folder)
    # Inspected before the lock is taken, so that a refused file gets no lock file beside it.
    before, early = _state(path), _refuse_early(path)
    lock = lock_workspace(folder)
    try:
        noted, notes = read_noted(folder), []
        if noted is not None and noted.database != place_of(path) and noted.log == place_of(Path(f"{path}-wal")):
            set_log_aside(path, noted.log)
            notes.append(
                "workspace.db was replaced after the last opening; the log of the earlier file was moved to backups."
            )
        # All pages of an unchanged file are not read a second time.
        unchanged = early if before is not None and _state(path) == before else None
        found = unchanged or inspect(path, recover=True)
        if found.schema < SCHEMA:
            migrate(path, copy_file)
        _sweep(folder)
        if count := tighten(folder):
            notes.append(
                f"{counted(count, 'file or folder', 'files and folders')} of this workspace could be read by "
                "other users of "
                f"this computer; now only you can read {verb(count, 'it', 'them')}."
            )
        lead = None
        if noted is not None and noted.uuid == found.uuid:
            with closing(connect(path, "ro")) as connection:
                lead = find_lead(connection, noted)
        return Opening(lock, found.uuid, lead, tuple(notes))
    except BaseException:
        lock.release()
        raise


def make_workspace(folder: Path, name: str, version: str) -> None:
    """Make a workspace in an empty or new folder that only its owner can read.

    Raises:
        BadInput: the folder holds other files.
        UserError: it cannot be made.
    """
    new = not folder.exists()
    try:
        make_private_folder(folder)
        others = {p.name for p in folder.iterdir()} - _OWN_ENTRIES
    except OSError as error:
        raise UserError(f"{folder} cannot be made: {error.strerror}.", "Choose another place.") from error
    if strange := sorted(n for n in others if not n.startswith(durable.TMP_PREFIX)):
        raise BadInput(
            f"{folder} already holds other files ({strange[0]}, ...); nothing was made there.",
            "Choose an empty folder for the workspace.",
        )
    try:
        build(db_path(folder), name=name, created_by=f"pairwright {version}")
    except BaseException:
        if new:
            with suppress(OSError):
                folder.rmdir()
        raise


def _refuse_early(path: Path) -> Identity | None:
    """Return what the file is; None for one that may need its rollback first."""
    try:
        return inspect(path)
    except WorkspaceDamaged as error:
        # An interrupted change may need only its rollback, which is allowed while the lock is held.
        if not Path(f"{path}-journal").exists() and not Path(f"{path}-wal").exists():
            raise error
    return None


def _state(path: Path) -> tuple[int, ...] | None:
    """Return what changes with the file; None while it has a log or a journal, or cannot be looked at."""
    if Path(f"{path}-journal").exists() or Path(f"{path}-wal").exists():
        return None
    try:
        info = path.stat()
    except OSError:
        return None
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns


def _sweep(folder: Path) -> None:
    durable.sweep(folder)
    for name in _SWEPT:
        durable.sweep(folder / name, older_than_s=_LEFT_BEHIND_S)
