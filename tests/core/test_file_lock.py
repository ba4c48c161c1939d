"""A lock on a file: one holder, named, freed by the kernel."""

from __future__ import annotations

import errno
import json
import os
import platform
import signal
import subprocess
import sys
from dataclasses import replace
from io import FileIO
from pathlib import Path

import pytest

from core.domain.errors import StorageFull, UserError
from core.file_lock import HeldLock, Holder, LockTaken, read_holder

HOLD = "import sys; from pathlib import Path; from core.file_lock import HeldLock; \
lock = HeldLock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".lock"


def refuse(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let the system refuse to open any lock file."""
    real = os.open

    def refusing(file: object, *arguments: object, **options: object) -> int:
        if str(file).endswith(".lock"):
            raise OSError(number, os.strerror(number))
        return real(file, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refusing)


def test_that_a_second_holder_is_refused_with_the_first_ones_name(path: Path) -> None:
    with HeldLock(path) as lock:
        with pytest.raises(LockTaken, match=rf"process {os.getpid()} \(this one\) since \d\d:\d\d"):
            HeldLock(path)
        holder = read_holder(path)
        assert holder is not None
        assert (holder.pid, holder.host) == (os.getpid(), platform.node())
    lock.release()
    assert read_holder(path) is None
    HeldLock(path).release()


def test_that_a_killed_holder_does_not_block_the_next(path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(LockTaken, match=f"process {child.pid} since"):
            HeldLock(path)
    finally:
        child.send_signal(signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
        child.communicate()
    holder = read_holder(path)
    assert holder is not None
    assert holder.pid == child.pid, "a killed holder leaves its name behind"
    HeldLock(path).release()


@pytest.mark.skipif(sys.platform == "win32", reason="earlier versions lock another byte on Windows")
def test_that_a_lock_of_an_earlier_version_excludes_and_names_its_holder(path: Path) -> None:
    import fcntl

    with path.open("w+b", buffering=0) as old:
        fcntl.flock(old.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        old.write(json.dumps({"pid": 17, "since_ms": 0}).encode())
        with pytest.raises(LockTaken, match="process 17 since"):
            HeldLock(path)
        assert read_holder(path) == Holder(17, 0), "a refused holder leaves the text as it is"
    with HeldLock(path), path.open("r+b", buffering=0) as old:
        with pytest.raises(BlockingIOError):
            fcntl.flock(old.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert {"pid", "since_ms"} <= json.loads(old.read()).keys()


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b'{"pid": "x", "since_ms": 1}'])
def test_that_an_unreadable_lock_file_is_no_obstacle(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert read_holder(path) is None
    HeldLock(path).release()


def test_that_a_holder_on_another_computer_is_named_with_it() -> None:
    here = Holder(os.getpid(), 0, platform.node())
    assert "(this one)" in here.words
    assert f"process {os.getpid()} on elsewhere since" in replace(here, host="elsewhere").words


def test_that_a_missing_folder_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="may not be written"):
        HeldLock(tmp_path / "none" / ".lock")


def test_that_a_file_system_without_locks_is_a_sentence(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, errno.ENOLCK)
    with pytest.raises(UserError, match="cannot lock files"):
        HeldLock(path)


def test_that_a_lock_file_that_finds_no_room_is_a_sentence(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, errno.ENOSPC)
    with pytest.raises(StorageFull, match="Everything saved before is safe"):
        HeldLock(path)


class NoRoom(FileIO):
    """A file on a full disk."""

    def write(self, _data: object) -> int:  # type: ignore[override]
        raise OSError(errno.ENOSPC, "No space left on device")


def test_that_a_full_disk_does_not_keep_the_lock_from_being_taken(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "open", lambda self, mode, **_: NoRoom(self, mode))
    lock = HeldLock(path)
    with pytest.raises(LockTaken, match="another process"):
        HeldLock(path)
    lock.release()
    HeldLock(path).release()
