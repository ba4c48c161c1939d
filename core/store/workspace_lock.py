"""One writer a workspace: a lock on ``.lock`` and one on the folder, freed by the kernel however a process ends.

``.lock`` names who holds it. Somebody may delete that file while it is held, and the next program would make a new one
and get it. The lock on the folder itself cannot be deleted: the next program is refused, and the holder takes the new
``.lock``. Where a folder cannot be locked (Windows, some network drives) only the holder notices.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from core.domain.errors import UserError, WorkspaceInUse, WorkspaceReplaced
from core.file_lock import HeldLock, LockTaken

LOCK_FILE = ".lock"


class WorkspaceLock:
    """The locks of a workspace that is open for writing; also a context manager."""

    def __init__(self, named: HeldLock, folder: int | None) -> None:
        self._named, self._folder = named, folder
        self._lost: WorkspaceReplaced | None = None

    def keep(self) -> None:
        """Make sure that no other program can have been admitted; costs one call of the system.

        Raises:
            WorkspaceReplaced: another program has or had the workspace open for writing, or the folder is gone.
        """
        if self._lost is not None:
            raise WorkspaceReplaced(self._lost.message, self._lost.hint)
        try:
            self._named.keep()
        except LockTaken as taken:
            self._lost = WorkspaceReplaced(
                f"The lock file of this workspace was removed, and {taken.holder} has opened the workspace since. "
                "Nothing more is saved from here; what was saved before is in the file.",
                "Close one of the two, then open the workspace again.",
            )
            raise self._lost from taken
        except UserError as error:
            raise WorkspaceReplaced(
                f"The lock file of this workspace was removed and cannot be made again: {error.message}",
                "Save a copy of what is open, or open the folder again.",
            ) from error

    def release(self) -> None:
        """Free both. Calling it again does nothing."""
        self._named.release()
        if self._folder is not None:
            os.close(self._folder)
            self._folder = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.release()


def lock_workspace(folder: Path) -> WorkspaceLock:
    """Take the locks of a workspace that is opened for writing, or say who has it.

    Raises:
        WorkspaceInUse: naming the program, the process, its computer and since when.
        StorageFull: when there is no room for the lock file.
        UserError: when the folder cannot be written to, or its file system has no locks.
    """
    try:
        named = HeldLock(folder / LOCK_FILE)
    except LockTaken as taken:
        raise _in_use(taken.holder) from taken
    try:
        return WorkspaceLock(named, _lock_folder(folder))
    except BaseException:
        named.release()
        raise


def _in_use(holder: str) -> WorkspaceInUse:
    return WorkspaceInUse(
        f"This workspace is open in {holder}; nothing was changed.",
        "Use that window, or close it first. Reading is possible meanwhile.",
    )


def _lock_folder(folder: Path) -> int | None:
    """Lock the folder itself and return the open handle, None where folders cannot be locked."""
    if sys.platform == "win32":
        return None
    import fcntl  # does not exist on Windows

    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise _in_use("another program, whose lock file was removed") from None
        except OSError:
            os.close(handle)
            raise
        return handle
    return None
