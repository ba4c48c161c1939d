"""The workspace lock: one holder, named, freed by the kernel."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from io import FileIO
from pathlib import Path

import pytest

from core.domain.errors import StorageFull, UserError, WorkspaceInUse
from core.store.sqlite.lock import LOCK_FILE, WorkspaceLock, holder, holder_info

HOLD = "import sys; from pathlib import Path; from core.store.sqlite.lock import WorkspaceLock; \
lock = WorkspaceLock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"


def test_that_a_second_holder_is_refused_with_the_first_ones_name(tmp_path: Path) -> None:
    lock = WorkspaceLock(tmp_path)
    with pytest.raises(WorkspaceInUse, match=rf"process {os.getpid()} \(this one\) since \d\d:\d\d") as caught:
        WorkspaceLock(tmp_path)
    assert caught.value.exit_code == 3
    assert holder_info(tmp_path)["pid"] == os.getpid()
    lock.release()
    lock.release()
    WorkspaceLock(tmp_path).release()


def test_that_a_killed_holder_does_not_block_the_next(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(WorkspaceInUse, match=f"process {child.pid} since"):
            WorkspaceLock(tmp_path)
    finally:
        child.send_signal(signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
        child.communicate()
    assert holder_info(tmp_path)["pid"] == child.pid, "a killed holder leaves its name behind"
    WorkspaceLock(tmp_path).release()


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b'{"pid": "x", "since_ms": 1}'])
def test_that_an_unreadable_lock_file_is_no_obstacle(tmp_path: Path, content: bytes) -> None:
    (tmp_path / LOCK_FILE).write_bytes(content)
    assert holder(tmp_path) == "another process"
    WorkspaceLock(tmp_path).release()


def test_that_a_missing_folder_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="may not be written"):
        WorkspaceLock(tmp_path / "none")


class NoRoom(FileIO):
    """A file on a full disk."""

    def write(self, _data: object) -> int:  # type: ignore[override]
        raise OSError(errno.ENOSPC, "No space left on device")


def test_that_a_full_disk_does_not_keep_the_lock_from_being_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / LOCK_FILE).touch()
    monkeypatch.setattr("core.store.sqlite.lock._opened", lambda path: NoRoom(path, "r+b"))
    lock = WorkspaceLock(tmp_path)
    with pytest.raises(WorkspaceInUse):
        WorkspaceLock(tmp_path)
    lock.release()
    WorkspaceLock(tmp_path).release()


def test_that_a_lock_file_that_finds_no_room_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("core.store.sqlite.lock.open", full, raising=False)
    with pytest.raises(StorageFull, match="Everything saved before is safe"):
        WorkspaceLock(tmp_path)
