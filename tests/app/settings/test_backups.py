"""Settings > Backups: the list, a backup now, and a restore to a new folder."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton

from app.backup_words import date_words
from core.services.application import Application
from tests.fakes.workspaces import fill, opened

Build = Callable[..., Any]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    with opened(tmp_path / "ws") as app:
        app.workspace.backup()
        fill(app.store, 3, "later")
        app.workspace.backup(why="before-import")
    return tmp_path / "ws"


def cells(panel: Any) -> list[list[str]]:
    """Return the texts of the table."""
    model = panel.table.model_
    return [[model.index(r, c).data() for c in range(model.columnCount())] for r in range(panel.table.count)]


def test_that_the_list_tells_when_why_and_how_much(main_window: Build, workspace: Path, qtbot: Any) -> None:
    panel = main_window(workspace=workspace).page("settings").backups
    qtbot.waitUntil(lambda: panel.table.count == 2 and "…" not in cells(panel)[0])
    first, second = cells(panel)
    assert first[0].startswith("today ")
    assert (first[1], first[2]) == ("before an import", "9")
    assert (second[1], second[2]) == ("asked for", "6")
    assert panel.summary.text().startswith("2 backups, ")


def test_that_a_backup_made_now_appears_in_the_list(main_window: Build, workspace: Path, qtbot: Any) -> None:
    running = main_window(workspace=workspace)
    panel = running.page("settings").backups
    qtbot.waitUntil(lambda: panel.table.count == 2)
    button = next(b for b in panel.findChildren(QPushButton) if b.text() == "Back up now")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.table.count == 3)


def test_that_a_chosen_backup_becomes_a_new_workspace(
    main_window: Build, workspace: Path, tmp_path: Path, qtbot: Any
) -> None:
    running = main_window(workspace=workspace)
    panel = running.page("settings").backups
    qtbot.waitUntil(lambda: panel.restore_button.isEnabled())
    panel.table.go_to(1)
    running.dialogs.answers = [tmp_path / "again"]
    qtbot.mouseClick(panel.restore_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: any(notice.text.startswith("Restored to") for notice in running.context.notices.kept))
    with Application.open(tmp_path / "again") as app:
        assert app.pairs.count() == 6
    assert running.context.services.pairs.count() == 9


def test_that_a_copy_that_cannot_be_read_cannot_be_restored(main_window: Build, workspace: Path, qtbot: Any) -> None:
    for copy in (workspace / "backups").iterdir():
        copy.write_bytes(b"rubbish")
    panel = main_window(workspace=workspace).page("settings").backups
    qtbot.waitUntil(lambda: panel.table.count == 2 and "…" not in cells(panel)[0])
    assert cells(panel)[0][1] == "It cannot be read."
    assert not panel.restore_button.isEnabled()


def test_that_dates_are_told_as_people_do() -> None:
    now = datetime(2026, 3, 15, 12)  # noqa: DTZ001 - backups carry local time
    assert date_words(datetime(2026, 3, 15, 9, 5), now) == "today 09:05"  # noqa: DTZ001
    assert date_words(datetime(2026, 3, 14, 23), now) == "yesterday 23:00"  # noqa: DTZ001
    assert date_words(datetime(2025, 3, 15), now) == "2025-03-15 00:00"  # noqa: DTZ001


def test_that_backups_are_restored_by_keys_alone(
    main_window: Build, workspace: Path, tmp_path: Path, qtbot: Any
) -> None:
    running = main_window(workspace=workspace)
    panel = running.page("settings").backups
    qtbot.waitUntil(lambda: panel.restore_button.isEnabled())
    running.settle()
    QApplication.setActiveWindow(running.window)
    panel.table.setFocus()
    qtbot.keyClick(panel.table, Qt.Key.Key_Down)
    assert panel.table.current_id == 1
    passed = []
    for _ in range(3):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        passed.append(QApplication.focusWidget().accessibleName())
    assert passed == ["Back up now", "Restore to a new folder…", "Show in file manager"]
    panel.restore_button.setFocus()
    running.dialogs.answers = [tmp_path / "again"]
    qtbot.keyClick(panel.restore_button, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: any(notice.text.startswith("Restored to") for notice in running.context.notices.kept))
    with Application.open(tmp_path / "again") as app:
        assert app.pairs.count() == 6
    running.dialogs.answers = [None]
    qtbot.keyClick(panel.table, Qt.Key.Key_Return)  # Enter in the list asks for a folder; Escape there leaves all as is
    running.settle()
    assert running.dialogs.asked[-1] == "Restore to a new folder"
