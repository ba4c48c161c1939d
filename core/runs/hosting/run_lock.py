"""One process works on a folder: a lock on its ``.lock``, freed by the kernel even after kill -9."""

from __future__ import annotations

from core.domain.errors import WorkspaceInUse
from core.file_lock import HeldLock, LockTaken
from core.runs.folder import WorkFolder


def lock_run(folder: WorkFolder, noun: str = "run") -> HeldLock:
    """Take the lock of a run or an evaluation (``noun``) that is worked on; use it as a context.

    Raises:
        WorkspaceInUse: when another process works on it.
        StorageFull: when there is no room for the lock file.
        UserError: when the folder cannot be written to, or its file system has no locks.
    """
    try:
        return HeldLock(folder.lock)
    except LockTaken as taken:
        raise WorkspaceInUse(
            f"Another process is already working on the {noun} in {folder.path} ({taken.holder}).",
            "Watch it, or stop it first.",
        ) from taken
