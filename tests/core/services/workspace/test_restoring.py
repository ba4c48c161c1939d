"""A restore makes a new workspace, complete or not at all, and can be repeated."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from core.domain.errors import BadInput, StorageFull, UserError, WorkspaceDamaged
from core.services.application import Application
from core.services.workspace import restoring
from core.services.workspace.service import restore
from core.store.sqlite import backups
from tests.fakes.workspaces import opened


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A backup of six pairs."""
    with opened(tmp_path / "ws") as app:
        return app.workspace.backup()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.parametrize(
    "moment", ["make_private_folder", "create_private_file", "copy_snapshot", "_require_sound", "follow_folder"]
)
def test_that_a_restore_killed_at_any_moment_can_be_repeated(
    backup: Path, tmp_path: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, place = tmp_path / "again", restoring if moment == "make_private_folder" else backups
    pid = os.fork()
    if not pid:
        real = getattr(place, moment)
        monkeypatch.setattr(place, moment, lambda *values: (real(*values), os._exit(9)))
        restore(backup, target)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    assert restore(backup, target) == target
    with Application.open(target) as app:
        assert app.pairs.count() == 6
        assert app.workspace.check().findings == ()
    assert not [path for path in target.iterdir() if path.name.startswith(".tmp-")]


def test_that_no_workspace_is_overwritten(backup: Path, tmp_path: Path) -> None:
    target = tmp_path / "again"
    restore(backup, target)
    with pytest.raises(BadInput, match="not an empty folder"):
        restore(backup, target)
    opened(tmp_path / "other", pairs=2).close()
    with pytest.raises(BadInput, match="not an empty folder"):
        restore(backup, tmp_path / "other")
    with pytest.raises(BadInput, match="not an empty folder"):
        restore(backup, backup)


def test_that_a_damaged_backup_is_named_and_leaves_no_folder(backup: Path, tmp_path: Path) -> None:
    data = backup.read_bytes()
    backup.write_bytes(data.replace(b"Answer 3 one.", b"Answer 4 one."))
    with pytest.raises(WorkspaceDamaged, match=rf"{backup.name} is damaged; nothing was restored"):
        restore(backup, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_that_a_full_disk_is_one_clear_sentence(backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restoring.shutil, "disk_usage", lambda _: type("Use", (), {"free": 10})())
    with pytest.raises(StorageFull, match="nothing was restored"):
        restore(backup, tmp_path / "again")
    monkeypatch.undo()
    monkeypatch.setattr(backups, "create_private_file", lambda _: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(UserError, match="No space left"):
        restore(backup, tmp_path / "again")
    assert not (tmp_path / "again").exists()
