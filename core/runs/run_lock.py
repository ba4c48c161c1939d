"""One process trains a run: a lock of the operating system, freed by the kernel even after kill -9."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType

from core.domain.errors import WorkspaceInUse


class RunLock:
    """Held as a context for as long as a process works on the run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def __enter__(self) -> RunLock:
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(self._handle)
        except OSError as error:
            os.close(self._handle)
            self._handle = None
            raise WorkspaceInUse(
                f"Another process is already working on the run in {self._path.parent}.",
                "Watch it, or stop it first.",
            ) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _lock(handle: int) -> None:
    """Take the lock at once or raise ``OSError``."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
