"""What stands between a COMMIT and "saved": the file and the lock are still those that were opened."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from core.domain.clock import now_ms
from core.domain.errors import WorkspaceReplaced
from core.private_files import make_private_folder
from core.store.sqlite.commit_mark import CommitMark, MarkFile
from core.store.sqlite.opened_file import OpenedFile, place_of
from core.store.workspace_lock import WorkspaceLock

LEFT_LOG = "left-over-log"
"""Beginning of the name of a write-ahead log that belongs to no database any more."""


class CommitGuard:
    """Compares the open file and lock with the named ones, and notes how far was written. Thread-safe.

    Attributes:
        uuid: of the workspace.
    """

    def __init__(self, path: Path, uuid: str, lock: WorkspaceLock) -> None:
        self.uuid = uuid
        self._path, self._lock = path, lock
        self._log = Path(f"{path}-wal")
        self._file = OpenedFile(path, uuid)
        self._notes = MarkFile(path.parent)
        self._log_place = (0, 0)
        self._mutex = threading.RLock()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keep other threads from looking while the file changes, so that they do not take it for another's change."""
        with self._mutex:
            yield

    def check(self) -> None:
        """Raise unless what is written now is found under the workspace's name; two calls of the system.

        Raises:
            WorkspaceReplaced: saying what happened to the file or the lock.
        """
        with self._mutex:
            self._file.check()
            self._lock.keep()

    @property
    def lost(self) -> WorkspaceReplaced | None:
        """What :meth:`check` raises now, None when all is well."""
        try:
            self.check()
        except WorkspaceReplaced as error:
            return error
        return None

    def opened(self, mark: CommitMark) -> None:
        """The writer has opened the file and found this in it.

        Raises:
            WorkspaceReplaced: the file was exchanged while it was being opened.
        """
        with self._mutex:
            self._file.note()
            self.check()
            self._log_place = place_of(self._log)
        self.committed(mark)

    def committed(self, mark: CommitMark) -> None:
        """Note what a commit left."""
        self._file.remember(mark)
        places = {"database": self._file.place, "log": self._log_place}
        self._notes.write(replace(mark, at_ms=now_ms(), uuid=self.uuid, **places))

    def checkpointed(self, whole: bool = False) -> None:
        """The writer itself has changed the database file; called while it is idle.

        Args:
            whole: all of the log was moved into the file.
        """
        self._file.note(whole)
        self._notes.sync()

    def closed(self, lost: bool) -> None:
        """The writer has closed the file; ``lost`` says that :meth:`check` refused it before."""
        self._notes.close()
        if lost:
            set_log_aside(self._path, self._log_place)


def set_log_aside(path: Path, log_place: tuple[int, int]) -> None:
    """Move a write-ahead log away from a database that it does not belong to, which it would damage.

    Nothing happens unless the named log is the one at ``log_place``.
    """
    log = Path(f"{path}-wal")
    if log_place == (0, 0) or place_of(log) != log_place:
        return
    with suppress(OSError):
        folder = path.parent / "backups"
        make_private_folder(folder)
        log.rename(folder / f"{LEFT_LOG}-{now_ms()}.wal")
        Path(f"{path}-shm").unlink(missing_ok=True)
