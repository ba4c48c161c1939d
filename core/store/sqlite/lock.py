"""One writer a workspace: a lock on ``.lock``, freed by the kernel however a process ends."""

from __future__ import annotations

from pathlib import Path

from core.domain.errors import WorkspaceInUse
from core.file_lock import HeldLock, LockTaken

LOCK_FILE = ".lock"


def lock_workspace(folder: Path) -> HeldLock:
    """Take the lock of a workspace that is opened for writing, or say who has it.

    Raises:
        WorkspaceInUse: naming the process and since when.
        StorageFull: when there is no room for the lock file.
        UserError: when the folder cannot be written to, or its file system has no locks.
    """
    try:
        return HeldLock(folder / LOCK_FILE)
    except LockTaken as taken:
        raise WorkspaceInUse(
            f"This workspace is open in {taken.holder}; nothing was changed.",
            "Use that window, or close it first. Reading is possible meanwhile.",
        ) from taken
