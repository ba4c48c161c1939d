"""Backups that nobody asked for: when they are due, and what is said when one fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.background.auto_backup import AutoBackup, back_up_and_close
from core.domain.errors import StorageFull
from core.services.application import Application
from tests.fakes.workspaces import fill, opened

Build = Callable[..., Any]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    opened(tmp_path / "ws").close()
    return tmp_path / "ws"


def test_that_a_backup_is_made_when_its_time_has_come_and_something_changed(
    main_window: Build, workspace: Path
) -> None:
    running = main_window(workspace=workspace)
    now = [0.0]
    backup = AutoBackup(running.tasks, running.context.settings, running.context.notices, lambda: now[0])
    made: list[Path] = []
    backup.made.connect(made.append)
    backup.set_workspace(running.context.services)
    for minute, expected in ((29, 0), (30, 1), (59, 1), (61, 1), (92, 1)):
        now[0] = minute * 60.0
        backup.look()
        running.settle()
        assert len(made) == expected, f"after {minute} minutes"
    fill(running.context.services.store, 1, "later")
    now[0] = 130 * 60.0
    backup.look()
    running.settle()
    assert len(made) == 2
    running.context.settings.set("backups.every_min", 0)
    fill(running.context.services.store, 1, "last")
    now[0] = 500 * 60.0
    backup.look()
    running.settle()
    assert len(made) == 2


def test_that_a_full_disk_is_told_once_and_not_every_minute(
    main_window: Build, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = main_window(workspace=workspace)
    now = [0.0]
    backup = AutoBackup(running.tasks, running.context.settings, running.context.notices, lambda: now[0])
    backup.set_workspace(running.context.services)

    def full(_why: str) -> None:
        raise StorageFull("The disk is full.", "Free some space.")

    monkeypatch.setattr(running.context.services.workspace, "backup_if_changed", full)
    for number in range(1, 4):
        now[0] = number * 1800.0
        backup.look()
        running.settle()
    told = [notice for notice in running.context.notices.kept if "No backup was made" in notice.text]
    assert [notice.level for notice in told] == ["warn"]


def test_that_a_workspace_is_copied_before_it_is_closed(workspace: Path) -> None:
    for backup, expected in ((False, 0), (True, 1), (True, 1)):
        back_up_and_close(Application.open(workspace), backup=backup)
        assert len(list((workspace / "backups").glob("*.db"))) == expected


def test_that_closing_the_window_makes_the_last_backup(main_window: Build, workspace: Path) -> None:
    running = main_window(workspace=workspace)
    running.context.settings.set("backups.on_close", True)
    running.shut()
    assert [path.name.endswith("-close.db") for path in (workspace / "backups").iterdir()] == [True]
    Application.open(workspace).close()
