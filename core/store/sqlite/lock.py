"""One writer a workspace: an operating-system lock on ``.lock``, freed by the kernel however a process ends."""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from contextlib import suppress
from io import FileIO
from pathlib import Path

from core.domain.errors import StorageFull, UserError, WorkspaceInUse

LOCK_FILE = ".lock"
_TEXT_BYTES = 4096
_FAR = 1 << 30
"""Windows locks bytes against reading too; a byte far behind the text leaves the text readable."""


class WorkspaceLock:
    """Held while a workspace is open for writing. The file stays behind: removing it would race with a newcomer."""

    def __init__(self, folder: Path) -> None:
        """Take the lock or say who has it.

        Raises:
            WorkspaceInUse: naming the process and since when.
            UserError: when the folder cannot be written to.
        """
        self._path = Path(folder) / LOCK_FILE
        self._handle = _opened(self._path)
        if not _try_lock(self._handle):
            self._handle.close()
            raise WorkspaceInUse(
                f"This workspace is open in {holder(folder)}; nothing was changed.",
                "Use that window, or close it first. Reading is possible meanwhile.",
            )
        with suppress(OSError):  # on a full disk the lock holds all the same; only its text is missing
            self._handle.truncate(0)
            self._handle.write(json.dumps({"pid": os.getpid(), "since_ms": int(time.time() * 1000)}).encode())

    def release(self) -> None:
        """Give the workspace back. Calling it again does nothing."""
        if not self._handle.closed:
            with suppress(OSError):
                self._handle.seek(0)
                self._handle.truncate(0)
            _unlock(self._handle)
            self._handle.close()


def _opened(path: Path) -> FileIO:
    """Open the lock file without a buffer, so that nothing is left to be written when it is closed."""
    try:
        return open(path, "r+b" if path.exists() else "w+b", buffering=0)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(
                f"The disk is full; {path.parent} was not opened for writing. Everything saved before is safe.",
                "Free some space and try again, or open the workspace for reading only.",
            ) from error
        raise UserError(
            f"{path.parent} may not be written to: {error.strerror}. Nothing was changed.",
            "Open the workspace for reading only, or a copy of it elsewhere.",
        ) from error


def holder(folder: Path) -> str:
    """Return who holds the lock in words, as far as its file tells."""
    info = holder_info(folder)
    if not info:
        return "another process"
    since = time.strftime("%H:%M", time.localtime(info["since_ms"] / 1000))
    own = " (this one)" if info["pid"] == os.getpid() else ""
    return f"process {info['pid']}{own} since {since}"


def holder_info(folder: Path) -> dict[str, int]:
    """Return ``pid`` and ``since_ms`` of the holder, or nothing when they cannot be told."""
    try:
        with open(Path(folder) / LOCK_FILE, "rb") as handle:
            row = json.loads(handle.read(_TEXT_BYTES) or b"{}")
        return {"pid": int(row["pid"]), "since_ms": int(row["since_ms"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _try_lock(handle: FileIO) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            handle.seek(_FAR)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
            handle.seek(0)
        else:
            import fcntl

            fcntl.flock(handle.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _unlock(handle: FileIO) -> None:
    if sys.platform == "win32":
        import msvcrt

        handle.seek(_FAR)
        msvcrt.locking(handle.fileno(), msvcrt.LK_UNLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle.fileno(), fcntl.LOCK_UN)
