"""The list of backups to restore: dates, counts, sizes, checks; the newest sound one is the choice that is offered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.main_window.restore_dialog import ALL_RIGHT, COLUMNS, RestoreDialog
from core.services.workspace.service import backups_of, check_backup
from tests.fakes.workspaces import fill, opened

Build = Callable[..., Any]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "ws"
    with opened(folder) as app:
        app.workspace.backup()
        fill(app.store, 3, "later")
        app.workspace.backup(why="before-import")
        fill(app.store, 1, "last")
        app.workspace.backup(why="close")
    return folder


@pytest.fixture
def make(main_window: Build, workspace: Path, qtbot: Any) -> Callable[..., RestoreDialog]:
    def made(check: Callable[[Path], str] = check_backup) -> RestoreDialog:
        running = main_window(workspace=workspace)
        dialog = RestoreDialog(running.dialogs.parent, running.tasks, "ws", backups_of(workspace), check)
        qtbot.addWidget(dialog)
        dialog.show()
        qtbot.waitUntil(lambda: "being checked…" not in cells(dialog, "Checked"))
        return dialog

    return made


def cells(dialog: RestoreDialog, column: str) -> list[str]:
    """Return the texts of a column."""
    place = COLUMNS.index(column)
    return [dialog.table.item(row, place).text() for row in range(dialog.table.rowCount())]


def test_that_each_backup_shows_counts_reason_and_its_check(make: Callable[..., RestoreDialog]) -> None:
    dialog = make()
    assert cells(dialog, "Pairs") == ["10", "9", "6"]
    assert cells(dialog, "Why") == ["on closing", "before an import", "asked for"]
    assert cells(dialog, "Checked") == [ALL_RIGHT] * 3
    assert dialog.chosen is not None and dialog.chosen.counts["pairs"] == 10 and dialog.go.isDefault()


def test_that_the_newest_sound_one_is_offered_and_a_bad_one_cannot_be_restored(
    make: Callable[..., RestoreDialog], workspace: Path
) -> None:
    newest = backups_of(workspace)[0].path
    dialog = make(lambda path: "A page is damaged." if path == newest else "")
    assert dialog.table.currentRow() == 1 and dialog.chosen is not None and dialog.chosen.counts["pairs"] == 9
    dialog.table.setCurrentCell(0, 0)
    assert dialog.chosen is None and not dialog.go.isEnabled() and "A page is damaged." in dialog.words.text()


def test_that_keys_alone_choose_and_restore_and_the_check_leaves_their_choice(
    make: Callable[..., RestoreDialog], qtbot: Any
) -> None:
    dialog = make()
    assert dialog.table.hasFocus() or QApplication.focusWidget() is None
    QTest.keyClick(dialog.table, Qt.Key.Key_Down)
    assert dialog.table.currentRow() == 1
    dialog._note(0, "It was cut short.")
    assert dialog.table.currentRow() == 1
    with qtbot.waitSignal(dialog.accepted):
        QTest.keyClick(dialog.table, Qt.Key.Key_Return)
    assert dialog.chosen is not None and dialog.chosen.counts["pairs"] == 9


def test_that_escape_restores_nothing(make: Callable[..., RestoreDialog], qtbot: Any) -> None:
    dialog = make()
    with qtbot.waitSignal(dialog.rejected):
        QTest.keyClick(dialog.table, Qt.Key.Key_Escape)


def test_that_a_narrow_list_scrolls_and_cuts_no_title_and_no_reason(make: Callable[..., RestoreDialog]) -> None:
    dialog = make()
    head = dialog.table.horizontalHeader()
    for width in (1200, 320):
        dialog.resize(width, 500)
        QApplication.processEvents()
        for place in range(len(COLUMNS)):
            assert head.sectionSize(place) >= max(head.sectionSizeHint(place), dialog.table.sizeHintForColumn(place))
