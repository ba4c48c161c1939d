"""The import page: what each column holds, what becomes of the rows, what is done with odd texts, all the rejects."""

from __future__ import annotations

import json

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from app.data.branch_picture import spread
from app.data.row_forecast import RowForecast

ROWS = (
    {"prompt": "q1", "chosen": "fine", "rejected": "good", "extra": "seen"},
    {"prompt": "q2", "chosen": "", "rejected": "ho"},
    {"prompt": "q1", "chosen": "fine", "rejected": "good"},
    {"prompt": "no answers"},
)


def shown(main_window, tmp_path, qtbot):
    """Return a window that shows a file on the import page once its rows are counted, and the page."""
    source = tmp_path / "mine.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    running = main_window(workspace=tmp_path / "ws", create=True, place="data")
    page = running.page("data").imports.page
    running.settle()
    running.dialogs.answers.append(source)
    running.context.actions.run("data.import")
    qtbot.waitUntil(lambda: page.rows.picture.isVisible())
    return running, page


def test_that_columns_show_their_first_value_and_the_rows_branch(main_window, tmp_path, qtbot):
    running, page = shown(main_window, tmp_path, qtbot)
    branches = {branch.words: branch.count for branch in page.rows.picture.branches}
    assert branches == {"New": 2, "Repeated in this file": 1, "Rejected": 1}
    assert page.summary.text().startswith("4 rows = 2 new + 1 repeated in this file + 1 rejected")
    samples = [page.columns._grid.itemAtPosition(row, 3).widget().text() for row in range(1, 5)]
    assert samples == ["q1", "fine", "good", "seen"]
    running.settle()


def test_that_a_flag_can_reject_its_rows_and_the_command_says_so(main_window, tmp_path, qtbot):
    running, page = shown(main_window, tmp_path, qtbot)
    combo = page.flags.combos["empty_answer"]
    assert [combo.itemText(i) for i in range(combo.count())] == ["Import, flagged", "Reject the row"]
    combo.setCurrentIndex(combo.findData("reject"))
    combo.activated.emit(combo.currentIndex())
    qtbot.waitUntil(lambda: page.summary.text().startswith("4 rows = 1 new + 1 repeated in this file + 2 rejected"))
    assert page.flags.combos["empty_answer"].currentData() == "reject" and page.flags.isVisible()
    page.command.click()
    assert QGuiApplication.clipboard().text().endswith("--flag empty_answer=reject")
    qtbot.keyClick(page, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: running.context.services.pairs.count() == 1)
    running.settle()


def test_that_the_list_of_rejects_is_saved_before_anything_is_imported(main_window, tmp_path, qtbot):
    running, page = shown(main_window, tmp_path, qtbot)
    target = tmp_path / "rejected.jsonl"
    running.dialogs.answers.append(target)
    page.rejects.save.click()
    qtbot.waitUntil(lambda: any("rejected rows are listed" in n.text for n in running.context.notices.kept))
    (line,) = target.read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["line"] == 4
    assert running.context.services.pairs.count() == 0
    running.settle()


def test_that_a_large_file_is_counted_when_it_is_asked_for(main_window, tmp_path, qtbot, monkeypatch):
    monkeypatch.setattr(RowForecast, "is_quick", staticmethod(lambda preview: False))
    source = tmp_path / "mine.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    running = main_window(workspace=tmp_path / "ws", create=True, place="data")
    page = running.page("data").imports.page
    running.settle()
    running.dialogs.answers.append(source)
    running.context.actions.run("data.import")
    qtbot.waitUntil(lambda: page.rows.count.isVisible())
    assert not page.rows.picture.isVisible() and page.go.isEnabled()
    page.rows.count.click()
    qtbot.waitUntil(lambda: page.rows.picture.isVisible())
    assert not page.rows.count.isVisible()
    running.settle()


def test_that_words_of_low_branches_keep_apart_inside_the_picture():
    assert spread([0, 50, 52, 54], 10, 60) == [0, 40, 50, 60]
    assert spread([5, 6, 7], 10, 100) == [5, 15, 25]


def test_that_enter_on_a_focused_button_presses_it_and_imports_nothing(main_window, tmp_path, qtbot):
    running, page = shown(main_window, tmp_path, qtbot)
    QApplication.setActiveWindow(running.window)
    page.command.setFocus()
    qtbot.keyClick(page.command, Qt.Key.Key_Return)
    assert "pairwright import" in QGuiApplication.clipboard().text()
    page.cancel.setFocus()
    qtbot.keyClick(page.cancel, Qt.Key.Key_Return)
    running.settle()
    assert running.page("data")._stack.currentIndex() == 0
    assert running.context.services.pairs.count() == 0 and not running.context.services.imports.sources()
