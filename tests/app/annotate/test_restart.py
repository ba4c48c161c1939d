"""Closing the window in the middle of labelling: what was said is there again, and undo goes on where it was."""

from __future__ import annotations

from PySide6.QtCore import Qt

CTRL = Qt.KeyboardModifier.ControlModifier


def test_that_undo_and_redo_go_on_after_a_restart(sit_down, main_window, tmp_path, qtbot):
    hands = sit_down()
    done = hands.label(Qt.Key.Key_7)
    hands.page.panel.rationale.setPlainText("Half a sent")
    waiting = hands.page.desk.current.pair_id
    hands.desk.window.close()
    hands.desk.settle()
    hands.desk.shut()

    desk = main_window(workspace=tmp_path / "ws")
    page = desk.page("annotate")
    qtbot.waitUntil(lambda: page.desk.current is not None, timeout=10_000)
    desk.settle()
    assert page.desk.current.pair_id == waiting and page.desk.answer.rationale == "Half a sent"
    page.first_focus().setFocus()
    qtbot.keyClick(page.window(), Qt.Key.Key_Z, CTRL)
    qtbot.waitUntil(lambda: page.desk.current.pair_id == done.pair_id, timeout=10_000)
    assert page.desk.answer.strength == 3
    desk.settle()
    qtbot.keyClick(page.window(), Qt.Key.Key_Y, CTRL)
    qtbot.waitUntil(lambda: page.desk.current.pair_id == waiting, timeout=10_000)
    desk.settle()
    assert page.desk.answer.rationale == "Half a sent"
