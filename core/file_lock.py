"""A lock on a file, held by one process at a time, that says who holds it; the kernel frees it when the process ends.

The lock itself is ``filelock``'s: ``flock`` on Unix, ``LockFileEx`` on Windows. Earlier versions of Pairwright took the
same lock by hand, so on Unix an older and a newer version exclude each other; on Windows they do not, because the
older one locked another byte. The file holds the holder's process id, computer and time as JSON, and stays behind:
removing it would race with the next holder.
"""

from __future__ import annotations

import errno
import json
import os
import platform
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from core.domain.clock import now_ms
from core.domain.errors import StorageFull, UserError

_TEXT_BYTES = 4096
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a lock.

    Attributes:
        pid: process id.
        since_ms: UTC milliseconds at which it took the lock.
        host: name of its computer, "" when an earlier version wrote it.
    """

    pid: int
    since_ms: int
    host: str = ""

    @property
    def words(self) -> str:
        """Process, computer where it is another one, and local time, as a message names them."""
        here = self.host in ("", platform.node())
        own = " (this one)" if here and self.pid == os.getpid() else ""
        place = "" if here else f" on {self.host}"
        return f"process {self.pid}{own}{place} since {time.strftime('%H:%M', time.localtime(self.since_ms / 1000))}"


class LockTaken(Exception):
    """Another process, or another part of this one, holds the lock.

    Attributes:
        holder: who, in words; "another process" when the file does not tell.
    """

    def __init__(self, holder: Holder | None) -> None:
        self.holder = holder.words if holder is not None else "another process"
        super().__init__(self.holder)


class HeldLock:
    """A lock that this object holds from its creation until :meth:`release`; also a context manager."""

    def __init__(self, path: Path) -> None:
        """Take the lock at once.

        Raises:
            LockTaken: when it is held.
            StorageFull: when there is no room for the lock file.
            UserError: when the folder cannot be written to, or its file system has no locks.
        """
        self._lock = FileLock(path, blocking=False, thread_local=False, fallback_to_soft=False, preserve_lock_file=True)
        try:
            path.parent.stat()  # FileLock would make a missing folder
            self._lock.acquire()
        except Timeout as error:
            raise LockTaken(read_holder(path)) from error
        except OSError as error:
            raise _clear(error, path.parent) from error
        self._text: FileIO | None = None
        with suppress(OSError):  # on a full disk the lock holds all the same; only the holder's name is missing
            self._text = path.open("r+b", buffering=0)
            me = Holder(os.getpid(), now_ms(), platform.node())
            self._text.truncate(0)
            self._text.write(json.dumps(asdict(me)).encode())

    def release(self) -> None:
        """Free the lock and clear the holder's name. Calling it again does nothing."""
        if self._text is not None:
            with suppress(OSError):
                self._text.truncate(0)
            self._text.close()
            self._text = None
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.release()


def read_holder(path: Path) -> Holder | None:
    """Return who took the lock last and did not release it, None when the file does not tell.

    A process that was killed leaves its name behind; only taking the lock tells whether it is held.
    """
    try:
        with path.open("rb") as handle:
            row = json.loads(handle.read(_TEXT_BYTES))
        return Holder(int(row["pid"]), int(row["since_ms"]), str(row.get("host", "")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _clear(error: OSError, folder: Path) -> UserError:
    """Return the operating system's refusal as a sentence."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull(
            f"The disk is full; {folder} was not opened for writing. Everything saved before is safe.",
            "Free some space and try again, or open the workspace for reading only.",
        )
    if error.errno in _NO_LOCKS:
        return UserError(
            f"The file system of {folder} cannot lock files, as on some network drives. Nothing was changed.",
            "Move the folder to a local disk.",
        )
    return UserError(
        f"{folder} may not be written to: {error.strerror}. Nothing was changed.",
        "Open the workspace for reading only, or a copy of it elsewhere.",
    )
