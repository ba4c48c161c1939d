"""Whether the database that is open is still the one that its path names.

SQLite goes on writing into a file that was deleted, moved away or replaced by a sync program or a restored copy: every
commit succeeds and none of it is found again. Before a commit is acknowledged the named file is therefore compared with
the open one, by device and inode. A file that was overwritten in place keeps its inode; its size and times of change
tell, because in write-ahead mode only the writer's own checkpoints change them. Then its contents are compared: without
its log the file must hold what the last checkpoint left, and with its log what the last commit left, each by counts and
by the head of the hash chain. The log lies over an older file like a patch, so that one look through it is not enough.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from core.domain.errors import WorkspaceReplaced
from core.store.sqlite.commit_mark import CommitMark, Place, read_mark
from core.store.sqlite.connect import connect, connect_alone
from core.store.sqlite.identity import quick_check

_HEADER_BYTES = 100
_HINT = "Save a copy of what is open, or open the folder again."
_KEPT = "Nothing is saved into it any more; what was saved before is still held open."


@dataclass(frozen=True, slots=True)
class _FileFacts:
    """What the system says of a file."""

    place: Place
    size: int
    changed_ns: int
    touched_ns: int


def _look(path: Path) -> _FileFacts:
    info = path.stat()
    return _FileFacts((info.st_dev, info.st_ino), info.st_size, info.st_mtime_ns, info.st_ctime_ns)


@dataclass(frozen=True, slots=True)
class _Contents:
    """What a database file holds without its log: its header and the mark of the state in it."""

    header: bytes
    mark: CommitMark


def _read_alone(path: Path) -> _Contents | None:
    """Return what a file holds without its log, None when it cannot be read so."""
    try:
        with path.open("rb") as handle:
            header = handle.read(_HEADER_BYTES)
        with closing(connect_alone(path)) as connection:
            return _Contents(header, read_mark(connection))
    except (sqlite3.Error, OSError, ValueError):
        return None


def place_of(path: Path) -> Place:
    """Return device and inode of a file, (0, 0) when there is none."""
    try:
        return _look(path).place
    except OSError:
        return 0, 0


class OpenedFile:
    """The database of one workspace as its writer opened it. Only the writer's thread calls :meth:`note`."""

    def __init__(self, path: Path, uuid: str) -> None:
        self.path, self._uuid = path, uuid
        self._seen = _look(path)
        self._mark: CommitMark | None = None
        self._alone: _Contents | None = None

    @property
    def place(self) -> Place:
        """Device and inode of the open file."""
        return self._seen.place

    def note(self, whole: bool = False) -> None:
        """Remember how the file looks after the writer itself changed it; called after each checkpoint.

        A file at another place is not taken for the open one, nor one that holds another state than it must.

        Args:
            whole: all of the log was moved into the file, which therefore holds what the last commit left.
        """
        try:
            seen = _look(self.path)
        except OSError:
            return
        if seen.place != self._seen.place:
            return
        alone = _read_alone(self.path)
        if whole and alone is not None and self._mark is not None and not alone.mark.is_state_of(self._mark):
            return
        self._seen, self._alone = seen, alone

    def remember(self, mark: CommitMark) -> None:
        """Remember what the last commit left, which a file that somebody touched must still hold."""
        self._mark = mark

    def check(self) -> None:
        """Compare the named file with the open one; costs one call of the system.

        Raises:
            WorkspaceReplaced: it was moved, deleted, replaced or overwritten.
        """
        try:
            seen = _look(self.path)
        except FileNotFoundError:
            raise WorkspaceReplaced(f"{self.path} was moved or deleted while it was open. {_KEPT}", _HINT) from None
        except OSError as error:
            raise WorkspaceReplaced(
                f"{self.path} cannot be reached any more ({error.strerror}). {_KEPT}", _HINT
            ) from error
        if seen.place != self._seen.place:
            raise WorkspaceReplaced(f"Another file took the place of {self.path} while it was open. {_KEPT}", _HINT)
        if sys.platform != "win32" and seen != self._seen:
            self._check_contents(seen)

    def _check_contents(self, seen: _FileFacts) -> None:
        """Accept a file that was only touched; one that another program wrote into is refused."""
        try:
            with closing(connect(self.path, "ro")) as connection:
                sound = self._is_as_left() and self._holds_everything(connection, seen)
        except sqlite3.Error:
            sound = False
        if not sound:
            raise WorkspaceReplaced(
                f"Another program wrote into {self.path} while it was open. Nothing is saved into it any more.",
                "Restore the newest backup to a new folder, or open the folder again.",
            )
        self._seen = seen

    def _is_as_left(self) -> bool:
        """Whether the file without its log is what the last checkpoint left, as far as that is known."""
        if self._alone is None:
            return True
        found = _read_alone(self.path)
        return found is not None and found.header == self._alone.header and found.mark.is_state_of(self._alone.mark)

    def _holds_everything(self, connection: sqlite3.Connection, seen: _FileFacts) -> bool:
        row = connection.execute("SELECT value FROM meta WHERE key='uuid'").fetchone()
        if row is None or row[0] != self._uuid:
            return False
        found = read_mark(connection)
        if self._mark is not None and not found.is_state_of(self._mark):
            return False
        if (seen.size, seen.changed_ns) == (self._seen.size, self._seen.changed_ns):
            return True  # only its rights or its links were changed
        (judgements,) = connection.execute("SELECT count(*) FROM judgement").fetchone()
        return judgements == found.judgements and not quick_check(connection, 1)
