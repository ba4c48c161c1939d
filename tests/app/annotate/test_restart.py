"""Closing the window in the middle of labelling: what was filled in is there again, and undo goes on where it was."""

from __future__ import annotations

from PySide6.QtCore import Qt

from tests.app.annotate.conftest import LabelingSession

CTRL = Qt.KeyboardModifier.ControlModifier


def test_that_undo_and_redo_go_on_after_a_restart(labeling, main_window, tmp_path, qtbot):
    session = labeling()
    done = session.label(Qt.Key.Key_7)
    session.write("Half a sent")
    waiting = session.shown.pair_id
    session.page.window().close()
    session.running.settle()
    session.running.shut()

    again = LabelingSession(main_window(workspace=tmp_path / "ws"), qtbot)
    again.reach_pair()
    again.running.settle()
    assert again.shown.pair_id == waiting and again.form.rationale == "Half a sent"
    again.page.first_focus().setFocus()
    again.press(Qt.Key.Key_Z, modifier=CTRL)
    again.reach(lambda: again.shown.pair_id == done.pair_id)
    assert again.form.strength == 3
    again.running.settle()
    again.press(Qt.Key.Key_Y, modifier=CTRL)
    again.reach(lambda: again.shown.pair_id == waiting)
    again.running.settle()
    assert again.form.rationale == "Half a sent"
