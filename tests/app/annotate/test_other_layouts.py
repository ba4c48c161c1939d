"""Labelling on a keyboard whose layout has no Latin letters, or no digits without Shift."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication

CTRL, NONE = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.NoModifier


def test_that_labelling_works_on_a_keyboard_without_latin_letters_or_plain_digits(labeling):
    session = labeling()
    shown = session.shown

    def type_key(key, scan, modifiers=NONE, text=""):
        event = QKeyEvent(QEvent.Type.KeyPress, key, modifiers, scan, 0, 0, text)
        QApplication.sendEvent(QApplication.focusWidget(), event)

    type_key(ord("О"), 44, text="о")  # J
    assert session.state.focused == 0
    type_key(ord("Л"), 45, text="л")  # K
    type_key(ord("-"), 15, text="-")  # 6
    assert session.form.strength == 2
    type_key(ord("К"), 27, text="к")  # R
    session.reach(session.panel.rationale.hasFocus)
    type_key(ord("В"), 40, text="в")
    assert session.panel.rationale.toPlainText() == "в", "in a text field it is a letter"
    type_key(ord("Я"), 52, CTRL)
    assert session.panel.rationale.toPlainText() == ""
    session.press(Qt.Key.Key_Escape)
    session.press(Qt.Key.Key_Return)
    session.stored()
    type_key(ord("Я"), 52, CTRL)
    session.reach(lambda: session.shown.pair_id == shown.pair_id)
    actions = session.context.actions
    assert actions.key_text("annotate.next_criterion") == "О"
    assert actions.key_text("annotate.right2") == "6" and actions.key_text("annotate.undo").startswith("Ctrl+")
