"""A lock on a file, held by one process at a time, that says who holds it; the kernel frees it when the process ends.

The lock itself is ``filelock``'s: ``flock`` on Unix, ``LockFileEx`` on Windows. Earlier versions of Pairwright took the
same lock by hand, so on Unix an older and a newer version exclude each other; on Windows they do not, because the
older one locked another byte. The file holds the holder's process id, computer and time as JSON, and stays behind:
removing it would race with the next holder. Should somebody else remove it, the lock guards no name any more:
:meth:`HeldLock.keep` notices that and takes the new name, or finds that another holder has it.
"""

from __future__ import annotations

import errno
import json
import os
import platform
import sys
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
from core.domain.names import cleaned_name
from core.private_files import FILE_MODE

_TEXT_BYTES = 4096
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a lock.

    Attributes:
        pid: process id.
        since_ms: UTC milliseconds at which it took the lock.
        host: name of its computer, "" when an earlier version wrote it.
        program: what it is, such as "pairwright import"; "" when an earlier version wrote it.
    """

    pid: int
    since_ms: int
    host: str = ""
    program: str = ""

    @property
    def words(self) -> str:
        """Process, computer where it is another one, and local time, as a message names them."""
        here = self.host in ("", platform.node())
        own = " (this one)" if here and self.pid == os.getpid() else ""
        place = "" if here else f" on {self.host}"
        what = f"{self.program}, " if self.program else ""
        began = time.localtime(self.since_ms / 1000)
        today = time.strftime("%Y%m%d", began) == time.strftime("%Y%m%d")
        since = time.strftime("%H:%M" if today else "%Y-%m-%d %H:%M", began)
        return f"{what}process {self.pid}{own}{place} since {since}"


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

    def __init__(self, path: Path, *, wait_s: float = 0.0) -> None:
        """Take the lock at once, or within ``wait_s`` seconds.

        Raises:
            LockTaken: when it is held.
            StorageFull: when there is no room for the lock file.
            UserError: when the folder cannot be written to, or its file system has no locks.
        """
        self._path = path
        self._text: FileIO | None = None
        self._lock = self._take(wait_s)

    def keep(self) -> None:
        """Take the lock again if its file was deleted or replaced; costs one call of the system when it was not.

        Raises:
            LockTaken: another holder has the new file: two hold a lock of this name now.
            UserError: when the folder is gone or cannot be written to.
        """
        if self._is_named():
            return
        old, text = self._lock, self._text
        self._lock = self._take()
        old.release(force=True)
        if text is not None:
            text.close()

    def _is_named(self) -> bool:
        if self._text is None:
            return self._path.exists()
        mine = os.fstat(self._text.fileno())
        try:
            named = self._path.stat()
        except OSError:
            return False
        return (mine.st_dev, mine.st_ino) == (named.st_dev, named.st_ino)

    def _take(self, wait_s: float = 0.0) -> FileLock:
        path = self._path
        lock = FileLock(
            path,
            mode=FILE_MODE,
            blocking=False,
            thread_local=False,
            fallback_to_soft=False,
            preserve_lock_file=True,
        )
        try:
            path.parent.stat()  # FileLock would make a missing folder
            lock.acquire(timeout=wait_s, blocking=wait_s > 0)
        except Timeout as error:
            raise LockTaken(read_holder(path)) from error
        except OSError as error:
            raise _clear(error, path.parent) from error
        with suppress(OSError):  # on a full disk the lock holds all the same; only the holder's name is missing
            text = self._text = path.open("r+b", buffering=0)
            me = Holder(os.getpid(), now_ms(), platform.node(), program_words(sys.argv))
            text.truncate(0)
            text.write(json.dumps(asdict(me)).encode())
        return lock

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
        if not path.is_file():
            return None
        with path.open("rb") as handle:
            row = json.loads(handle.read(_TEXT_BYTES))
        return Holder(
            int(row["pid"]), int(row["since_ms"]), _short(row.get("host", "")), _short(row.get("program", ""))
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def program_words(argv: list[str]) -> str:
    """Return what a program is, from its command line; arguments such as file names are not repeated.

    >>> program_words(["/usr/bin/pairwright", "import", "ws", "x.jsonl"])
    'pairwright import'
    >>> program_words(["/src/app/__main__.py"])
    'pairwright'
    """
    start = Path(argv[0]) if argv and argv[0] not in ("", "-c", "-m") else Path("python")
    ours = start.stem == "pairwright" or (start.stem == "__main__" and start.parent.name in ("app", "core"))
    if not ours:
        return start.parent.name if start.stem == "__main__" else start.stem
    command = argv[1] if len(argv) > 1 and argv[1].isascii() and argv[1].isalpha() and argv[1].islower() else ""
    return f"pairwright {command}".strip()


def _short(value: object) -> str:
    """Return a text of a lock file as one line that a message can repeat."""
    return cleaned_name(value, "") if isinstance(value, str) else ""


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
